"""``hsbench data info``: all that is known of a data set."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from hsfusion_bench.cli.common import refuse_data_root, wavelengths_option
from hsfusion_bench.cli.data.common import data_root_option
from hsfusion_bench.terminal import echo


@click.command("info", short_help="Show a data set: scenes, bands, splits, licence, where to get it.")
@click.argument("name")
@data_root_option
@wavelengths_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str, data_root: Path | None, wavelengths: str | None, as_json: bool) -> None:
    """Show what is known of a data set; its files need not be here.

    \b
    Example:
      hsbench data info cave
    """
    refuse_data_root(click.get_current_context(), name)
    from hsfusion_bench.terminal import json_text

    facts = _facts(name, data_root, wavelengths)
    echo(json_text(facts)) if as_json else _show(facts)


def _facts(name: str, data_root: Path | None, wavelengths: str | None) -> dict[str, Any]:
    from hsfusion_bench.data.catalog import About, about, open_dataset
    from hsfusion_bench.data.home import how_to_get
    from hsfusion_bench.data.observing.protocols import load_protocol, protocol_names
    from hsfusion_bench.errors import HsbenchError

    scenes = missing = bands = None
    try:
        source = open_dataset(name, data_root, wavelengths)
    except HsbenchError:
        if wavelengths is not None:
            raise
        known = about(name)
    else:
        known, scenes, missing = About.of(source), list(source.scene_names()), list(source.missing())
        bands = source.bands
    protocols = {protocol: load_protocol(protocol) for protocol in protocol_names()}
    splits = {key: protocol.splits.get(known.name) or known.split for key, protocol in protocols.items()}
    stated = {key: asdict(split) | {"digest": split.digest} for key, split in splits.items() if split is not None}
    if scenes is None:  # without the files, the splits tell the scenes
        names = {each for split in stated.values() for part in ("train", "test", "excluded") for each in split[part]}
        scenes = sorted(names)
    return {
        "name": known.name,
        "title": known.title,
        "scenes": scenes,
        "missing": missing,
        "get": how_to_get(name, known.provenance) if missing is None else None,
        "bands": bands or len(known.wavelengths) or None,
        "wavelengths": list(known.wavelengths),
        "splits": stated,
        "provenance": asdict(known.provenance) if known.provenance else None,
    }


def _show(facts: dict[str, Any]) -> None:
    from hsfusion_bench.terminal import print_facts

    rows: list[tuple[str, str, str]] = []

    def row(name: str, text: str) -> None:
        rows.append((name, text, ""))

    row("name", facts["name"])
    row("title", facts["title"])
    row(f"scenes ({len(facts['scenes'])})", ", ".join(facts["scenes"]))
    if facts["missing"] is None:
        row("here", f"no; {facts['get']}")
    else:
        row("missing", ", ".join(facts["missing"]) or "none")
    nm = facts["wavelengths"]
    row(f"{facts['bands'] or '?'} bands", f"{nm[0]:g} to {nm[-1]:g} nm" if nm else "at unknown wavelengths")
    for protocol, split in facts["splits"].items():
        row(f"{protocol}: split", f"{split['id']}, sha256 {split['digest']}")
        row(f"{protocol}: {len(split['train'])} train", ", ".join(split["train"]))
        row(f"{protocol}: {len(split['test'])} test", ", ".join(split["test"]))
        for scene, reason in split["excluded"].items():
            row(f"{protocol}: without", f"{scene}: {reason}")
    origin = facts["provenance"]
    if origin is not None:
        row("homepage", origin["homepage"])
        row("licence", origin["licence"])
        for download in origin["downloads"]:
            row("download", download["url"])
        row("layout", origin["layout"])
        row("citation", origin["reference"])
    print_facts(rows)
