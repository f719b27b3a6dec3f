"""``hsbench report``: records as one HTML page."""

from __future__ import annotations

import shlex
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
from hsfusion_bench.errors import HsbenchError, UsageError

if TYPE_CHECKING:
    from hsfusion_bench.report.sources import Which


@click.command("report", short_help="Write records as one HTML page that opens without a network.")
@click.option(
    "--methods",
    callback=comma_separated,
    metavar="NAME,...",
    help="Only these rows: methods, or variants as their records are called.",
)
@click.option("--dataset", metavar="NAME", help="Only this dataset.")
@click.option("--scale", type=int, help="Only this scale.")
@click.option("--protocol", metavar="NAME", help="Only this protocol.")
@click.option(
    "--only",
    type=click.Choice(["mine", "recorded"]),
    help="Only records below --results-dir, or only those that come with hsbench.",
)
@each_seed_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.html"),
    show_default=True,
    metavar="FILE",
    help="The page.",
)
@folders_option
@click.pass_context
def command(
    context: click.Context,
    methods: list[str] | None,
    dataset: str | None,
    scale: int | None,
    protocol: str | None,
    only: Literal["mine", "recorded"] | None,
    each_seed: bool,
    out: Path,
    folders: tuple[Path, ...],
) -> None:
    """Write records as one HTML page: tables, charts, pictures, and where every row comes from.

    The page holds all it needs and asks for nothing else. Tables are those of `hsbench leaderboard --published`;
    pictures are there if `hsbench run --pictures` made some. A record that cannot be read is named, the others are
    shown, and the exit code is 1.

    \b
    Examples:
      hsbench report --dataset cave --scale 4 --out cave.html
      hsbench report --only mine --results-dir monday --results-dir tuesday
    """
    from hsfusion_bench.files import write_text
    from hsfusion_bench.report.choosing import choose_entries, choose_published, spelt
    from hsfusion_bench.report.html.page import gather_page
    from hsfusion_bench.report.html.places import Places
    from hsfusion_bench.report.html.render import render
    from hsfusion_bench.report.leaderboard import leaderboards
    from hsfusion_bench.report.published import boards_of
    from hsfusion_bench.report.sources import gather

    if methods == []:
        raise UsageError("--methods names no method")
    require_folders(context, folders)
    which: Which = only or "all"
    own = folders or DEFAULT_FOLDERS
    found = gather(own, which, dataset=dataset, scale=scale, protocol=protocol)
    notes = console(stderr=True)
    for line in found.damaged:
        notes.print(line, style="red", markup=False, soft_wrap=True)
    entries = list(found.entries)
    if not entries:
        asked = {"dataset": dataset, "scale": scale, "protocol": protocol}
        wanted = ", ".join(f"{key} {value}" for key, value in asked.items() if value is not None)
        places = {"mine": ", ".join(map(str, own)), "recorded": "hsbench itself"}
        where = places.get(only or "", f"{', '.join(map(str, own))} and hsbench itself")
        raise HsbenchError(f"no records{' of ' + wanted if wanted else ''} in {where}; `hsbench run` makes them")
    if methods is not None:
        methods = spelt(entries, methods, published=True)
        entries, left_out = choose_entries(entries, methods, published=True)
        if left_out:
            notes.print(f"left out, as not named: {', '.join(left_out)}", soft_wrap=True, markup=False)
    printed = boards_of(dataset, scale, protocol) if methods is not None else None
    boards = leaderboards(entries, published=True, boards=printed, each_seed=each_seed)
    if methods is not None:
        boards = choose_published(boards, methods)
    if not boards:
        raise HsbenchError(f"of {', '.join(methods or ())} there is no row in these tables")
    page = gather_page(boards, entries, Places(tuple(own)), found.damaged, _asked(context))
    text = render(page)
    write_text(out, text)
    for fault in page.faults[len(found.damaged) :]:
        notes.print(fault, style="yellow", markup=False, soft_wrap=True)
    rows = sum(len(board.lines) for board in page.boards)
    tables = f"{len(page.boards)} table{'' if len(page.boards) == 1 else 's'}"
    notes.print(
        f"report  {out} ({tables}, {rows} rows, {len(text.encode()) / 1e6:.1f} MB)", markup=False, soft_wrap=True
    )
    if found.damaged:
        context.exit(1)


def _asked(context: click.Context) -> str:
    """Return the command as it was given, for the page."""
    words = ["hsbench", "report"]
    for option in context.command.params:
        given = context.params.get(option.name or "")
        if not isinstance(option, click.Option) or given in (None, (), option.get_default(context)):
            continue
        if option.is_flag:
            words.append(option.opts[0])
            continue
        values = given if isinstance(given, tuple) else [",".join(given) if isinstance(given, list) else given]
        words += [word for value in values for word in (option.opts[0], str(value))]
    return shlex.join(words)
