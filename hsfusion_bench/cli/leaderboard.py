"""``hsbench leaderboard``: the table of all records."""

from __future__ import annotations

from pathlib import Path

import click

from hsfusion_bench.cli.common import comma_separated, console, results_dir_option
from hsfusion_bench.cli.papers import LATEX, Paper, paper_options
from hsfusion_bench.errors import HsbenchError, UsageError


@click.command("leaderboard", short_help="Print the records as a table, CSV, LaTeX or Markdown.")
@click.option(
    "--methods",
    callback=comma_separated,
    metavar="NAME,...",
    help="Only these rows, ranked among each other: methods, or variants as their records are called.",
)
@click.option("--dataset", metavar="NAME", help="Only this dataset.")
@click.option("--scale", type=int, help="Only this scale.")
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
    help="Indexes to print (CSV has all).  [default: psnr,sam,ergas,ssim; a table that has room shows all]",
)
@click.option("--device", metavar="NAME", help="Show latencies of this device, by part of its name.")
@click.option("--published", is_flag=True, help="Add the rows that papers printed, with their sources, unranked.")
@paper_options
@results_dir_option
def command(
    methods: list[str] | None,
    dataset: str | None,
    scale: int | None,
    protocol: str | None,
    style: str,
    sort: str,
    indexes: list[str] | None,
    device: str | None,
    published: bool,
    paper: Paper,
    results_dir: Path,
) -> None:
    """Print the leaderboard of the records below --results-dir.

    \b
    Examples:
      hsbench leaderboard --dataset cave --scale 4
      hsbench leaderboard --dataset cave --scale 4 --published
      hsbench leaderboard --format latex --indexes psnr,ssim > table.tex
      hsbench leaderboard --methods gsa,ltmr,feinfn --format tabular --cite --out table.tex
    """
    from hsfusion_bench.report.choosing import choose_published, choose_records
    from hsfusion_bench.report.frame import csv
    from hsfusion_bench.report.leaderboard import DEFAULT_INDEXES, leaderboards
    from hsfusion_bench.report.markdown import markdown
    from hsfusion_bench.report.terminal import plain, show
    from hsfusion_bench.runs.records import Store
    from hsfusion_metrics import METRICS

    paper.check(style)
    for index in indexes or ():
        if index not in METRICS:
            raise UsageError(f"there is no index {index!r}; the indexes are {', '.join(METRICS)}")
    store = Store(results_dir)
    wanted = {"name": dataset, "scale": scale, "protocol": protocol}
    records = [
        record
        for record in store.records()
        if all(value is None or getattr(record.dataset, key) == value for key, value in wanted.items())
    ]
    if not records:
        asked = ", ".join(f"{key} {value}" for key, value in wanted.items() if value is not None)
        raise HsbenchError(f"{results_dir} holds no records{' of ' + asked if asked else ''}; `hsbench run` makes them")
    if methods is not None:
        records, left_out = choose_records(records, methods, published=published)
        if left_out:
            console(stderr=True).print(f"left out, as not named: {', '.join(left_out)}", soft_wrap=True)
        if not records:
            raise HsbenchError(f"no row of {', '.join(methods)} was measured; --published adds rows to measured ones")
    boards = leaderboards(records, store.speeds(), sort=sort, device=device, published=published)
    if methods is not None:
        boards = choose_published(boards, methods)
    chosen = indexes or list(DEFAULT_INDEXES)
    if style in LATEX:
        paper.write_latex(boards, style, chosen)
    elif style == "table" and paper.out is None:
        show(console(), boards, indexes)
    elif style == "csv":
        paper.write(csv(boards))
    else:
        paper.write(plain(boards, indexes) if style == "table" else markdown(boards, chosen))
