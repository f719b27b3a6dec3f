"""``hsbench data check``: whether the scenes are here, and whole."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.common import refuse_data_root
from hsfusion_bench.cli.data.common import data_root_option, scene_bar
from hsfusion_bench.terminal import echo

if TYPE_CHECKING:
    from hsfusion_bench.data.check import SceneCheck
    from hsfusion_bench.data.provenance import Provenance


@click.command("check", short_help="Check that the scenes are here, and whole.")
@click.argument("name")
@data_root_option
@click.option("--quick", is_flag=True, help="Look for the files, but do not decode them.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(context: click.Context, name: str, data_root: Path | None, quick: bool, as_json: bool) -> None:
    """Check every scene of a data set: its files, its size, its values, and the SHA-256 of its values.

    A scene is ok; missing; damaged, where it cannot be read or is cut short; unusable, where it is whole but cannot be
    scored as it is, such as counts without a full scale; or differs, where it is not the scene of its name. The exit
    code is 1 unless all are ok; the others are checked all the same. The digest is that of records: of the shape in
    decimal and the float32 values, whatever files they came from.

    \b
    Example:
      hsbench data check cave --data-root ~/CAVE
    """
    refuse_data_root(click.get_current_context(), name)
    from hsfusion_bench.data.catalog import open_dataset
    from hsfusion_bench.data.check import GOOD, check_scenes
    from hsfusion_bench.terminal import json_text

    source = open_dataset(name, data_root)
    total = len(source.scene_names())
    found: list[SceneCheck] = []
    with scene_bar(f"{name}: scenes") as report:
        for number, scene in enumerate(check_scenes(source, decode=not quick), 1):
            report(number, total, scene.name)
            found.append(scene)
    bad = [scene for scene in found if scene.condition not in GOOD]
    if as_json:
        scenes = [asdict(scene) for scene in found]
        origin = asdict(source.provenance) if source.provenance else None
        facts = {"dataset": source.name, "whole": not bad, "scenes": scenes, "provenance": origin}
        echo(json_text(facts))
    else:
        _show(found)
        _tell(source.name, bad, len(found), source.provenance)
    context.exit(1 if bad else 0)


def _show(found: list[SceneCheck]) -> None:
    from hsfusion_bench.terminal import print_table

    rows, styles = [], []
    for scene in found:
        files = ", ".join(f"{count} {suffix or 'files'}" for suffix, count in scene.files.items()) or "-"
        size = f"{scene.size / 1e6:.1f}" if scene.size else "-"
        shape = " x ".join(map(str, scene.shape)) if scene.shape else "-"
        colour = {"ok": "green", "here": ""}.get(scene.condition, "red")
        rows.append([scene.name, scene.condition, files, size, shape, scene.digest or "-"])
        styles.append(colour)
    print_table(["scene", "", "files", "MB", "size", "sha256"], rows, styles=styles)


def _tell(name: str, bad: list[SceneCheck], total: int, provenance: Provenance | None) -> None:
    from hsfusion_bench.terminal import print_folded

    missing = [scene.name for scene in bad if scene.condition == "missing"]
    for scene in bad:
        if scene.error is not None:
            print_folded(f"{scene.condition}: {scene.error}")
    if missing:
        print_folded(f"missing: {', '.join(missing)}")
    whole = "the scene is here" if total == 1 else f"all {total} scenes are here"
    echo(f"{total - len(bad)} of {total} scenes are good" if bad else whole)
    if any(scene.condition in ("missing", "damaged", "differs") for scene in bad) and provenance is not None:
        echo(f"The originals: {provenance.homepage}")
        if provenance.downloads:
            echo(f"or `hsbench data download {name}`")
        if provenance.layout:
            print_folded(f"Layout: {provenance.layout}")
