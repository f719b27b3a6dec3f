"""``hsbench leaderboard``: the table of all records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from hsfusion_bench.cli.common import (
    DEFAULT_FOLDERS,
    comma_separated,
    console,
    each_seed_option,
    folders_option,
    require_folders,
)
from hsfusion_bench.cli.numbers import SCALE
from hsfusion_bench.cli.papers import LATEX, Paper, paper_options
from hsfusion_bench.errors import HsbenchError, UsageError

if TYPE_CHECKING:
    from hsfusion_bench.report.sources import Which


@click.command("leaderboard", short_help="Print records as a table, CSV, LaTeX or Markdown.")
@click.option(
    "--methods",
    callback=comma_separated,
    metavar="NAME,...",
    help="Only these rows, ranked among each other: methods, or variants as their records are called.",
)
@click.option("--dataset", metavar="NAME", help="Only this dataset.")
@click.option("--scale", type=SCALE, help="Only this scale.")
@click.option("--protocol", metavar="NAME", help="Only this protocol.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "csv", "latex", "tabular", "markdown"]),
    default="table",
    show_default=True,
)
@click.option("--sort", default="psnr", show_default=True, metavar="INDEX", help="Index to sort by, best first.")
@click.option(
    "--indexes",
    callback=comma_separated,
    metavar="INDEX,...",
    help="Indexes to print (CSV has all); also ergas_fused, ssim_full, of records that have them.  "
    "[default: psnr,sam,ergas,ssim; a table that has room shows all]",
)
@click.option("--device", metavar="NAME", help="Show latencies of this device, by part of its name.")
@click.option("--published", is_flag=True, help="Add the rows that papers printed, with their sources, unranked.")
@click.option(
    "--only",
    type=click.Choice(["mine", "recorded", "published"]),
    help="Only records below --results-dir; only those that come with hsbench; or only what papers printed.",
)
@click.option(
    "--common", is_flag=True, help="Compare over the scenes that all rows have, instead of one table for each set."
)
@each_seed_option
@click.option(
    "--per-scene", is_flag=True, help="Print the values of each scene, methods by scenes: of --sort, or of --indexes."
)
@click.option(
    "--mark-ties", is_flag=True, help="Mark (≈) the rows that do not differ significantly from the best by --sort."
)
@paper_options
@folders_option
@click.pass_context
def command(
    context: click.Context,
    methods: list[str] | None,
    dataset: str | None,
    scale: int | None,
    protocol: str | None,
    style: str,
    sort: str,
    indexes: list[str] | None,
    device: str | None,
    published: bool,
    only: Literal["mine", "recorded", "published"] | None,
    common: bool,
    each_seed: bool,
    per_scene: bool,
    mark_ties: bool,
    folders: tuple[Path, ...],
    paper: Paper,
) -> None:
    """Print the leaderboard of one's own records, and of those that come with hsbench, which are marked.

    Rows that were scored on other scenes stand in tables of their own. Trainings, and noise, of several seeds are one
    row, their mean: ± is the deviation over scenes, and a note says that over seeds. A record that cannot be read is
    named, the others are shown, and the exit code is 1.

    \b
    Examples:
      hsbench leaderboard --dataset cave --scale 4
      hsbench leaderboard --dataset cave --scale 4 --published
      hsbench leaderboard --only mine --results-dir monday --results-dir tuesday
      hsbench leaderboard --dataset cave --scale 4 --mark-ties
      hsbench leaderboard --dataset cave --scale 4 --per-scene --indexes sam
      hsbench leaderboard --format latex --indexes psnr,ssim > table.tex
      hsbench leaderboard --methods gsa,ltmr,feinfn --format tabular --cite --out table.tex
    """
    from hsfusion_bench.report.choosing import choose_entries, choose_published, spelt
    from hsfusion_bench.report.frame import csv
    from hsfusion_bench.report.leaderboard import leaderboards
    from hsfusion_bench.report.markdown import markdown
    from hsfusion_bench.report.published import boards_of
    from hsfusion_bench.report.rows import KNOWN
    from hsfusion_bench.report.sources import gather
    from hsfusion_bench.report.terminal import show
    from hsfusion_bench.runs.records import FURTHER

    paper.check(style, per_scene=per_scene)
    for index in indexes or ():
        if index not in KNOWN:
            raise UsageError(f"there is no index {index!r}; the indexes are {', '.join(KNOWN)}")
    if per_scene and (published or only == "published"):
        raise UsageError("--per-scene: papers print means over scenes, and no scenes")
    require_folders(context, folders)
    asked = {"dataset": dataset, "scale": scale, "protocol": protocol}
    which: Which = "all" if only is None or only == "published" else only
    found = gather(folders or DEFAULT_FOLDERS, which, dataset=dataset, scale=scale, protocol=protocol)
    entries = [] if only == "published" else list(found.entries)
    printed = boards_of(dataset, scale, protocol) if published or only == "published" else []
    notes = console(stderr=True)
    for line in found.damaged:
        notes.print(line, style="red", markup=False)
    if not entries and not printed:
        wanted = ", ".join(f"{key} {value}" for key, value in asked.items() if value is not None)
        place = {"recorded": "hsbench comes with", "published": "papers that are known here print"}.get(only or "")
        if place:
            raise HsbenchError(f"{place} no rows{' of ' + wanted if wanted else ''}")
        where = ", ".join(map(str, folders or DEFAULT_FOLDERS)) + ("" if only else " and hsbench itself")
        verb = "holds" if only and len(folders) < 2 else "hold"
        raise HsbenchError(f"{where} {verb} no records{' of ' + wanted if wanted else ''}; `hsbench run` makes them")
    if methods is not None:
        methods = spelt(entries, methods, published=bool(printed))
        entries, left_out = choose_entries(entries, methods, published=bool(printed))
        if left_out:
            notes.print(f"left out, as not named: {', '.join(left_out)}", soft_wrap=True)
    boards = leaderboards(
        entries, sort=sort, device=device, published=bool(printed), boards=printed, common=common, each_seed=each_seed
    )
    if methods is not None:
        boards = choose_published(boards, methods)
        if not boards:
            raise HsbenchError(f"of {', '.join(methods)} there is no row in these tables")
    held = {name for board in boards for name in board.further}
    for index in indexes or ():
        if index in FURTHER and index not in held:
            raise HsbenchError(f"no row here has {index}, which is recorded on request: hsbench run --also {index}")
    if mark_ties:
        from hsfusion_bench.report.alike import mark_alike

        boards = mark_alike(boards, sort)
        if style == "csv":
            for board in boards:
                notes.print("\n".join(board.remarks[-1:]), soft_wrap=True)
    if per_scene:
        from hsfusion_bench.report import per_scene as scenes

        by_scene = indexes or [sort]
        if style == "table":
            paper.draw(lambda shown: scenes.show(shown, boards, by_scene))
        else:
            made = {"latex": scenes.latex, "markdown": scenes.markdown}
            paper.write(scenes.csv(boards) if style == "csv" else made[style](boards, by_scene))
    elif style == "table":
        paper.draw(lambda shown: show(shown, boards, indexes))
    elif style in LATEX:
        paper.write_latex(boards, style, indexes)
    else:
        paper.write(csv(boards) if style == "csv" else markdown(boards, indexes))
    if found.damaged and only != "published":
        context.exit(1)
