"""``hsbench weights info``: all that is known of weights."""

from __future__ import annotations

import click

from hsfusion_bench.cli.weights.common import facts_of
from hsfusion_bench.terminal import echo


@click.command("info", short_help="Show all that is known of weights.")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str, as_json: bool) -> None:
    """Show what weights are for, where they are from, how they were trained, and what they scored.

    \b
    Example:
      hsbench weights info psrt-cave-x4-uestc-authors
    """
    from hsfusion_bench.methods.options import told_options
    from hsfusion_bench.runs.weights.catalogue import find, printed_size
    from hsfusion_bench.terminal import json_text, print_facts

    entry = find(name)
    facts = facts_of(entry)
    if as_json:
        echo(json_text(facts))
        return
    state = {"here": str(entry.path), "not here": f"no; {entry.command} fetches them"}
    scored = "nobody has run them here"
    if entry.record is not None:
        scored = f"PSNR {entry.score} dB, mean of the {entry.record.dataset.scenes} test scenes"
    bands = f"{entry.bands or '?'} hyperspectral and {entry.msi_bands or '?'} multispectral bands"
    rows = [
        ("name", entry.id),
        ("method", entry.method + (f" with {told_options(entry.options)}" if entry.options else "")),
        ("for", f"{entry.task}, {bands}"),
        ("scored", scored),
        ("training", entry.budget),
        ("seed", "" if entry.card is None else str(entry.card.training.seed)),
        ("taken", f"only where they are named. {entry.only_if_named}" if entry.only_if_named else "where they fit"),
        ("from", entry.origin + (f", {entry.homepage}" if entry.homepage else ", with the package")),
        ("address", entry.download.url if entry.download else ""),
        ("licence", f"{entry.licence}. {entry.terms}"),
        ("size", f"{printed_size(entry.size)} ({entry.size} bytes)"),
        ("sha256", entry.sha256),
        ("here", state.get(entry.state) or f"CHANGED: {entry.path} is not what it was; remove it and fetch it again"),
    ]
    print_facts([(key, value, "") for key, value in rows if value])
