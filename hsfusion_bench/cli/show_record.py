"""``hsbench show FILE.json``: what a record is of, in words."""

from __future__ import annotations

from pathlib import Path

from hsfusion_bench.terminal import echo, json_text, print_facts


def is_record(name: str) -> bool:
    """Whether a name is that of a record's file."""
    return name.endswith(".json")


def show_record(name: str, *, as_json: bool) -> None:
    """Print what a record is of, and its means.

    Raises
    ------
    HsbenchError
        If the file is not there, or is no record.
    """
    from hsfusion_bench.data.observing.telling import in_words
    from hsfusion_bench.report.rows import KNOWN, fixed
    from hsfusion_bench.runs.records import read_record

    record = read_record(Path(name).expanduser())
    if as_json:
        echo(json_text(record.model_dump(mode="json", by_alias=True)))
        return
    method, data, weights = record.method, record.dataset, record.weights
    scenes = f"{data.scenes} of {data.scenes_in_split} scenes of split {data.split}"
    rows = [
        ("method", "; ".join([method.title, *method.details]), ""),
        ("from", f"{method.distribution} {method.version}".strip(), ""),
        ("dataset", f"{data.name} ×{data.scale}, {scenes}", ""),
        ("protocol", f"{data.protocol}, version {data.protocol_version}", f"digest {data.protocol_digest[:12]}"),
    ]
    if data.conditions:
        rows.append(("conditions", in_words(data.conditions), ""))
    if weights is not None:
        trained = f"trained on {weights.trained_on}" if weights.trained_on else "trained by its authors"
        rows.append(("weights", f"{weights.catalogue or weights.file}, {trained}", f"SHA-256 {weights.sha256[:12]}"))
    if record.elsewhere:
        told = "; ".join(
            f"{scene}: {', '.join(f'{key} {text}' for key, text in others.items())}"
            for scene, others in record.elsewhere.items()
        )
        rows.append(("other machines", told, ""))
    rows.append(("status", record.status + (f": {record.error}" if record.error else ""), ""))
    for index, statistic in (record.summary or {}).items():
        metric = KNOWN[index]
        unit = f" {metric.unit}" if metric.unit else ""
        rows.append((metric.title, f"{fixed(statistic.mean, index)} ± {fixed(statistic.std, index)}{unit}", ""))
    print_facts(rows)
