"""``hsbench weights list``: the weights that are known, and which are here."""

from __future__ import annotations

from pathlib import Path

import click

from hsfusion_bench.cli.weights.common import facts_of, selection_options
from hsfusion_bench.terminal import echo


@click.command("list", short_help="List the weights that are known, and which are here.")
@selection_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the table as CSV.")
def command(method: str | None, dataset: str | None, scale: int | None, as_json: bool, csv_file: Path | None) -> None:
    """List the weights of networks that are known: where they are from, PSNR on their test split, and which are here.

    `hsbench run` takes the best that are here by itself. Those without a PSNR were run by nobody here, and most of them
    are taken only where they are named; `hsbench weights info` says why.

    \b
    Examples:
      hsbench weights list
      hsbench weights list --method psrt --dataset cave --json
    """
    from hsfusion_bench.runs.weights.catalogue import printed_size, select
    from hsfusion_bench.terminal import json_text, print_table

    found = select(method, dataset, scale)
    facts = [facts_of(entry) for entry in found.values()]
    if csv_file is not None:
        _write_csv(csv_file, facts)
    if as_json:
        echo(json_text(facts))
        return
    if not found:
        echo("no such weights are known")
        return
    rows = [
        [entry.id, entry.place, printed_size(entry.size), entry.score, _here(known["state"])]
        for entry, known in zip(found.values(), facts, strict=True)
    ]
    print_table(["name", "from", "size", "PSNR (dB)", "here"], rows, right=(2, 3))


def _here(state: str) -> str:
    return {"here": "yes", "not here": "no"}.get(state, state)


def _write_csv(path: Path, facts: list[dict[str, object]]) -> None:
    from hsfusion_bench.files import write_text
    from hsfusion_bench.report.cells import csv_text

    lines = [fact | {"options": " ".join(f"{name}={value}" for name, value in _pairs(fact))} for fact in facts]
    write_text(path, csv_text(list(lines[0]) if lines else ["id"], lines))


def _pairs(fact: dict[str, object]) -> list[tuple[str, object]]:
    options = fact["options"]
    assert isinstance(options, dict)
    return list(options.items())
