"""Options of tables for papers, and the files that tables are written to."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from hsfusion_bench.cli.common import comma_separated, console
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.suggest import unknown
from hsfusion_bench.terminal import echo, one_line

if TYPE_CHECKING:
    from rich.console import Console

    from hsfusion_bench.report.latex import Choice, Column, Fit
    from hsfusion_bench.report.leaderboard import Leaderboard

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Formats that the options are for.
LATEX = ("latex", "tabular")
_BIB_HEADER = "% Made by hsbench: the works that {} cites.\n"


@dataclass(frozen=True)
class Paper:
    """What the options say."""

    columns: list[str] | None
    no_std: bool
    fit: str | None
    cite: bool
    out: Path | None

    def check(self, style: str, *, per_scene: bool) -> None:
        """See that the options suit the format, and tables scene by scene.

        Raises
        ------
        UsageError
            If not.
        """
        given = {"--columns": self.columns, "--no-std": self.no_std, "--fit": self.fit, "--cite": self.cite}
        for option, value in given.items():
            if value not in (None, False) and style not in LATEX:
                raise UsageError(f"{option} is about LaTeX: add --format latex, or --format tabular")
            if value not in (None, False) and per_scene:
                raise UsageError(f"{option} does not go with --per-scene, whose tables are of another form")
        if per_scene and style == "tabular":
            raise UsageError("--format tabular does not go with --per-scene: take --format latex")
        if self.cite and self.out is None:
            raise UsageError("--cite writes the entries beside the table: add --out table.tex")
        if self.cite and self.out is not None and self.out.suffix == ".bib":
            raise UsageError(
                f"--out {self.out}: with --cite that is where the entries go; call the table {self.out.stem}.tex"
            )

    def choice(self, style: str, indexes: Sequence[str] | None) -> Choice:
        """Return the choice for the table."""
        from hsfusion_bench.report.latex import Choice

        columns = cast("list[Column] | None", self.columns)
        fit = cast("Fit", self.fit or "article")
        return Choice(indexes, columns, not self.no_std, fit, bare=style == "tabular")

    def write_latex(self, boards: list[Leaderboard], style: str, indexes: Sequence[str] | None) -> None:
        """Print tables, or write them to the file that was named, with the entries that they cite beside it."""
        from hsfusion_bench.report.citing import Citations
        from hsfusion_bench.report.latex import typeset

        citations = Citations() if self.cite else None
        text, remarks = typeset(boards, self.choice(style, indexes), citations)
        self.write(text, citations.bibliography.text() if citations else None)
        for remark in remarks:
            console(stderr=True).print(remark, soft_wrap=True)

    def draw(self, draw: Callable[[Console], None]) -> None:
        """Draw a table on the terminal, or write it as text to the file that was named."""
        from hsfusion_bench.report.terminal import plain

        if self.out is None:
            draw(console())
        else:
            self.write(plain(draw))

    def write(self, text: str, entries: str | None = None) -> None:
        """Print a text, or write it to the file that was named, and the entries beside it: both or neither.

        Raises
        ------
        HsbenchError
            If a file cannot be written, or the entries would replace a file that is not ours.
        """
        from hsfusion_bench.files import replacing

        if self.out is None:
            echo(text, nl=False)
            return
        files = {self.out: text}
        if entries is not None:
            beside = self.out.with_suffix(".bib")
            if beside.exists() and not _is_ours(beside):
                raise HsbenchError(
                    f"{beside} was not made by hsbench, and --cite would replace it: give --out another name"
                )
            files[beside] = _BIB_HEADER.format(one_line(self.out.name)) + "\n" + entries
        with ExitStack() as stack:
            for path, content in files.items():
                stack.enter_context(replacing(path)).write_text(content, encoding="utf-8")
        for path in files:
            console(stderr=True).print(f"wrote {path}", soft_wrap=True)


def paper_options(function: _Function) -> _Function:
    """Add the options of tables for papers; the function gets a `Paper` as `paper`."""
    options = [
        click.option(
            "--columns",
            callback=_columns,
            metavar="params,latency|none",
            help="LaTeX: columns beside the indexes.  [default: those that hold a number]",
        ),
        click.option("--no-std", is_flag=True, help="LaTeX: means without standard deviations."),
        click.option(
            "--fit",
            type=click.Choice(["article", "column", "page"]),
            help="LaTeX: make it fit the text of `article`, one column of a two-column journal, or both (table*).  "
            "[default: article]",
        ),
        click.option(
            "--cite", is_flag=True, help="LaTeX: cite methods and data set; writes a .bib beside --out as well."
        ),
        click.option(
            "--out",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Write to a file, whole or not at all.",
        ),
    ]

    @functools.wraps(function)
    def with_paper(*args: Any, **given: Any) -> Any:
        said = {name: given.pop(name) for name in ("columns", "no_std", "fit", "cite", "out")}
        return function(*args, paper=Paper(**said), **given)

    decorated: Any = with_paper
    for option in reversed(options):  # decorators are applied from the last to the first
        decorated = option(decorated)
    made: _Function = decorated
    return made


def _columns(context: click.Context, parameter: click.Parameter, value: str | None) -> list[str] | None:
    names = comma_separated(context, parameter, value)
    if names == ["none"]:
        return []
    for name in names or ():
        if name not in ("params", "latency"):
            raise UsageError(unknown("column", name, ["params", "latency", "none"]))
    return names


def _is_ours(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline().startswith(_BIB_HEADER.partition(":")[0])
