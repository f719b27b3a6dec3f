"""``hsbench data proof``: published Bicubic rows, made again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.common import console
from hsfusion_bench.errors import HsbenchError

if TYPE_CHECKING:
    from hsfusion_bench.report.proof import Sheet

_BEGIN, _END = "<!-- proof: written by hsbench data proof -->", "<!-- end of proof -->"


@click.command("proof", short_help="Make published Bicubic rows again, and try other protocols on them.")
@click.option(
    "--data-root", type=click.Path(path_type=Path), envvar="HSBENCH_DATA", help="Folder of the datasets' files."
)
@click.option(
    "--markdown",
    "markdown_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the tables as Markdown: a new file, or the marked part of a page.",
)
@click.pass_context
def command(context: click.Context, data_root: Path | None, markdown_file: Path | None) -> None:
    """Make every published Bicubic row again that can be, and print it beside the published one.

    Below, what other blurs, first samples and protocols give on the same scenes, each with its distance from the
    published row. Takes some minutes. Exits with 1 if a row whose scenes are known is not equal in PSNR and SAM to the
    last printed digit.

    \b
    Example:
      hsbench data proof --data-root ~/CAVE --markdown docs/cave.md
    """
    from rich.progress import Progress

    from hsfusion_bench.files import write_text
    from hsfusion_bench.report.proof import bicubic_rows, markdown, prove, sheets

    page = _page(markdown_file)
    proofs = []
    notes = console(stderr=True)
    with Progress(console=notes, transient=True, disable=not notes.is_terminal) as progress:
        for row in bicubic_rows():
            title = f"{row.dataset} ×{row.scale}"
            task = progress.add_task(title)

            def report(scene: str, number: int, total: int, title: str = title, task: object = task) -> None:
                progress.update(task, description=f"{title}, {scene}", completed=number - 1, total=total)  # type: ignore[arg-type]

            proofs.append(prove(row, data_root, report))
            progress.remove_task(task)
    for proof in proofs:
        if proof.obstacle is not None:
            notes.print(
                f"{proof.row.dataset} ×{proof.row.scale}: {proof.obstacle}",
                style="yellow",
                markup=False,
                soft_wrap=True,
            )
    if all(proof.obstacle is not None for proof in proofs):
        raise HsbenchError("no published row could be made again: the scenes of none of them are here")
    tables = sheets(proofs)
    for table in tables:
        _show(table)
    if markdown_file is not None:
        before, after = page
        write_text(markdown_file, f"{before}{markdown(tables)}{after}")
        notes.print(f"markdown  {markdown_file}", markup=False, soft_wrap=True)
    if any(proof.fails for proof in proofs):
        context.exit(1)


def _page(path: Path | None) -> tuple[str, str]:
    """Return what stands before and after the tables in a page that exists."""
    if path is None or not path.exists():
        return "", ""
    text = path.read_text("utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise HsbenchError(
            f"{path} exists and has no part for the tables; mark one by the lines {_BEGIN} and {_END}, "
            "or name another file"
        )
    return f"{before}{begin}\n\n", f"\n{end}{after}"


def _show(sheet: Sheet) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(*sheet.heads, box=box.SIMPLE_HEAD, title=sheet.title, title_justify="left")
    for row in sheet.rows:
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)
