"""What is known of a row: which record, method, weights and machine, and the command that runs it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from hsfusion_bench.report.html.columns import told_of
from hsfusion_bench.report.html.safe import plain
from hsfusion_bench.report.rows import KNOWN, Row, fixed
from hsfusion_bench.report.seeds import Spread
from hsfusion_bench.runs.records import Record

#: A name and what is said under it.
Fact = tuple[str, str]


def facts(row: Row) -> tuple[Fact, ...]:
    """Return the account of a row, in the order in which it is read; what is not known is left out."""
    record, method, model = row.record, row.record.method, row.record.model
    said: list[tuple[str, object]] = [
        (
            "Record" if len(row.records) == 1 else "Records",
            f"{_files(row)}, {'came with hsfusion-bench' if row.recorded else 'made here'}",
        ),
        ("Status", record.status + (f": {record.error}" if record.error else "")),
        ("Method", f"{method.name}, from {method.distribution} {method.version} ({method.origin})"),
        ("The same values", ", ".join(other.name for other in row.also)),
        (
            "Told",
            ", ".join(sorted(method.uses)) or ("" if told_of(row) == "unknown" else "nothing beyond the two images"),
        ),
        ("Estimated", ", ".join(sorted(method.estimated))),
        ("Options", ", ".join(f"{name}={_marked(record, name)}" for name in method.options)),
        ("Notes", "; ".join(note for note in row.notes if not note.startswith("trained "))),
    ]
    if model.flops is not None:
        size = " × ".join(map(str, model.flops.hr_size))
        least = "at least " if model.flops.lower_bound else ""
        said.append(("Operations", f"{least}{model.flops.value:.4g} on {size}, {model.flops.counter}"))
    if record.weights is not None:
        weights = record.weights
        trained = f", trained on {weights.trained_on}" if weights.trained_on else ""
        said += [
            ("Weights", f"{weights.catalogue or weights.file}{trained}"),
            *_digests(row),
        ]
        if weights.training is not None:
            said.append(("Budget", weights.training.describe()))
    if record.external is not None:
        external = record.external
        said += [
            ("File", f"{external.file}, array {external.key or '(without a name)'}, axes {external.axes}"),
            ("SHA-256 of the cubes", external.sha256),
        ]
    for kind, spread in (("Trainings", row.trainings), ("Noise", row.noises)):
        if spread is not None:
            said.append((kind, _spread(spread)))
    failed = [f"{scene.name}: {scene.error}" for scene in record.scenes if scene.error]
    said += [
        ("Failed scenes", "; ".join(failed)),
        ("Seed", "" if record.seed is None or len(row.records) > 1 else record.seed),
        ("Device", record.device),
        ("Timed on", _timed(row)),
        ("Environment", ", ".join(f"{name} {version}" for name, version in record.environment.items())),
    ]
    return tuple((name, plain(text, 600)) for name, text in said if text != "")


def again(row: Row, paths: Sequence[Path]) -> str:
    """Return the command that makes a row again.

    Parameters
    ----------
    row
        Of a leaderboard.
    paths
        Of its records, one a seed.
    """
    return "\n".join(_again(row, record, path) for record, path in zip(row.records, paths, strict=True))


def _again(row: Row, record: Record, path: Path) -> str:
    dataset = record.dataset
    task = ["--dataset", dataset.name, "--scale", str(dataset.scale), "--protocol", dataset.protocol]
    if record.external is not None:
        return _line(["hsbench", "evaluate", record.external.file, "--name", record.method.title, *task])
    if row.recorded:
        return _line(["hsbench", "reproduce", record.key, *task])
    file, attribute = record.method.distribution, record.method.name.rpartition(":")[2]
    mine = ["--method", f"./{file}:{attribute}"] if record.method.origin == "file" else []
    return _line(["hsbench", "reproduce", path.as_posix(), *mine])


def _files(row: Row) -> str:
    """Return the files of the records; the folder, too, where noise of another seed has it elsewhere."""
    folders = {record.dataset.protocol for record in row.records}
    return ", ".join(
        f"{record.key}.json" + (f" of {record.dataset.protocol}" if len(folders) > 1 else "") for record in row.records
    )


def _digests(row: Row) -> Iterator[tuple[str, object]]:
    """Return the digest of the weights, or those of every seed."""
    of_seeds = {record.weights.sha256: row.which(record) for record in row.records if record.weights is not None}
    for digest, which in of_seeds.items():
        yield f"SHA-256 of the weights{f', {which}' if len(of_seeds) > 1 else ''}", digest


def _spread(spread: Spread) -> str:
    if not spread.std:
        return f"one, {spread.told}"
    apart = ", ".join(f"{KNOWN[name].title} {fixed(std, name)}" for name, std in spread.std.items())
    return f"{spread.told}; ± over them: {apart}"


def _line(words: list[str]) -> str:
    return plain(shlex.join(words), 600)


def _marked(record: Record, name: str) -> str:
    star = " (changed)" if name in record.method.changed else ""
    return f"{record.method.options[name]}{star}"


def _timed(row: Row) -> str:
    speed = row.speed
    if speed is None:
        return ""
    size = " × ".join(map(str, speed.latency.hr_size))
    threads = f", {speed.threads} threads" if speed.threads else ""
    return f"{speed.device}{threads}, {size} pixels, median of {speed.latency.runs} runs, {speed.measured}"
