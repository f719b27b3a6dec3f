"""``hsbench verify --published``: published Bicubic rows, made again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from hsfusion_bench.cli.common import console
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.terminal import print_table

_BEGIN: Final = "<!-- proof: written by hsbench verify --published -->"
_END: Final = "<!-- end of proof -->"
#: The first mark, whichever verb wrote it.
_ANY_BEGIN: Final = re.compile(r"<!-- proof: written by hsbench .*?-->")


def verify_published(data_root: Path | None, markdown_file: Path | None) -> bool:
    """Make every published Bicubic row again that can be, and print it beside the published one.

    Parameters
    ----------
    data_root
        Folder of the data sets' files.
    markdown_file
        Where the tables are written as Markdown: a new file, or the marked part of a page.

    Returns
    -------
    bool
        Whether every row whose scenes are known is equal to the last printed digit: in PSNR, SAM, and the papers' ERGAS
        and SSIM.

    Raises
    ------
    HsbenchError
        If the scenes of no row are here, or a page has no marked part.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from hsfusion_bench.files import write_text
    from hsfusion_bench.report.proof import bicubic_rows, markdown, prove, sheets

    page = _page(markdown_file)
    proofs = []
    notes = console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=30), MofNCompleteColumn())
    with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as progress:
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
    for sheet in tables:
        print_table(sheet.heads, sheet.rows, title=sheet.title)
    if markdown_file is not None:
        before, after = page
        write_text(markdown_file, f"{before}{markdown(tables)}{after}")
        notes.print(f"markdown  {markdown_file}", markup=False, soft_wrap=True)
    return not any(proof.fails for proof in proofs)


def _page(path: Path | None) -> tuple[str, str]:
    """Return what stands before and after the tables in a page that exists."""
    if path is None or not path.exists():
        return "", ""
    text = path.read_text("utf-8")
    begin = _ANY_BEGIN.search(text)
    _, end, after = text[begin.end() if begin else 0 :].partition(_END)
    if begin is None or not end:
        raise HsbenchError(
            f"{path} exists and has no part for the tables; mark one by the lines {_BEGIN} and {_END}, "
            "or name another file"
        )
    return f"{text[: begin.start()]}{_BEGIN}\n\n", f"\n{end}{after}"
