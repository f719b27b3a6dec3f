"""A leaderboard scene by scene: methods by scenes, an index at a time; as CSV a line for each method and scene."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hsfusion_bench.report.cells import csv_text, markdown_row, markdown_text
from hsfusion_bench.report.comparison import index_title
from hsfusion_bench.report.leaderboard import Leaderboard
from hsfusion_bench.report.rows import KNOWN, Row, fixed
from hsfusion_bench.report.tex import escape
from hsfusion_bench.runs.records import SceneResult
from hsfusion_bench.spelling import spell
from hsfusion_bench.terminal import GAP, fold, plain_table, readable
from hsfusion_metrics import METRICS, PUBLISHED_METRICS

if TYPE_CHECKING:
    from rich.console import Console

#: Names of scenes are folded to this width where they have a place for it, and to the next one anywhere.
_FOLDED: Final = 8
_WORD: Final = 12
#: Titles are folded to this width, or to their longest word.
_TITLE: Final = 20
_MEAN: Final = "mean"


@dataclass(frozen=True)
class Line:
    """A method: what is printed of each scene, and last of the mean; and the place of each of these values.

    Places are those of a leaderboard: 1 for the best of a scene, 2 for the second, 0 for others; what is printed equal
    has the same place.
    """

    title: str
    cells: tuple[str, ...]
    places: tuple[int, ...]


@dataclass(frozen=True)
class Matrix:
    """The values of one index on a leaderboard, methods by scenes; the last column is the mean."""

    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def matrix(board: Leaderboard, index: str) -> Matrix:
    """Return the values of an index, in the order of the leaderboard; rows without values are left out."""
    rows = [row for row in board.rows if row.record.summary is not None]
    scenes = list(dict.fromkeys(scene.name for row in rows for scene in row.record.scenes if _is_scored(scene)))
    printed = [_printed(row, index, scenes) for row in rows]
    places = [_places(column, index) for column in zip(*printed, strict=True)]
    lines = [
        Line(row.title, cells, tuple(column[number] for column in places))
        for number, (row, cells) in enumerate(zip(rows, printed, strict=True))
    ]
    return Matrix(f"{board.title}: {index_title(index)}", (*scenes, _MEAN), tuple(lines))


def show(console: Console, boards: Iterable[Leaderboard], indexes: Sequence[str]) -> None:
    """Print a matrix for each board and index, in as many blocks of scenes as the width asks for; nothing is cut off.

    The best value of a scene is bold, the second underlined.
    """
    from rich.text import Text

    for board in boards:
        for found in _matrices(board, indexes):
            console.print(Text(readable(found.title, console.encoding), style="bold"))
            for block in _blocks(found, console.width):
                console.print()
                console.print(_table(found, block, console.encoding), crop=False)
            console.print()
        for note in _notes(board):
            console.print("\n".join(fold(readable(note, console.encoding), console.width)), soft_wrap=True)
        if _notes(board):
            console.print()


def markdown(boards: Iterable[Leaderboard], indexes: Sequence[str]) -> str:
    """Return a table for each board and index; the best of a scene in bold, the second underlined."""
    marks = {1: "**{}**", 2: "<u>{}</u>"}
    parts = []
    for board in boards:
        for found in _matrices(board, indexes):
            columns = map(markdown_text, found.columns)
            lines = [f"**{markdown_text(found.title)}**", "", markdown_row(["method", *columns])]
            lines.append("|---|" + "---:|" * len(found.columns))
            for line in found.lines:
                cells = zip(line.cells, line.places, strict=True)
                values = (marks.get(place, "{}").format(markdown_text(cell)) for cell, place in cells)
                lines.append(markdown_row([markdown_text(line.title), *values]))
            parts.append("\n".join(lines) + "\n")
        if notes := _notes(board):
            parts.append("".join(f"- {markdown_text(note)}\n" for note in notes))
    return "\n".join(parts)


def latex(boards: Iterable[Leaderboard], indexes: Sequence[str]) -> str:
    r"""Return a ``table`` environment for each board and index, with the scenes' names turned upright."""
    header = "% Made by hsbench. Needs \\usepackage{booktabs,graphicx}.\n"
    return header + "\n".join(_latex(board, found) for board in boards for found in _matrices(board, indexes))


def csv(boards: Iterable[Leaderboard]) -> str:
    """Return the text of a CSV file: a line for each method and scene, with all indexes in full precision.

    Further indexes have columns only where a row has them.

    Numbers that are not finite are NaN, Inf and -Inf; a scene that was not scored has empty cells and its error.
    """
    boards = list(boards)
    indexes = [*METRICS, *(name for name in PUBLISHED_METRICS if any(name in board.further for board in boards))]
    heads = ["method", "title", "dataset", "scale", "protocol", "recorded", "scene", *indexes, "error"]
    lines = (_long(row, scene, indexes) for board in boards for row in board.rows for scene in row.record.scenes)
    return csv_text(heads, lines)


def _matrices(board: Leaderboard, indexes: Sequence[str]) -> list[Matrix]:
    """Return the matrices of a board; none where no row has values."""
    return [found for found in (matrix(board, index) for index in indexes) if found.lines]


def _long(row: Row, scene: SceneResult, indexes: Sequence[str]) -> dict[str, Any]:
    record = row.record
    values = {index: getattr(scene, index) for index in indexes}
    return {
        "method": record.key,
        "title": row.title,
        "dataset": record.dataset.name,
        "scale": record.dataset.scale,
        "protocol": record.dataset.protocol,
        "recorded": row.recorded,
        "scene": scene.name,
        **{index: None if value is None else spell(value) for index, value in values.items()},
        "error": scene.error,
    }


def _is_scored(scene: SceneResult) -> bool:
    return scene.psnr is not None


def _printed(row: Row, index: str, scenes: Sequence[str]) -> tuple[str, ...]:
    values = {scene.name: getattr(scene, index) for scene in row.record.scenes}
    mean = row.value(index)
    cells = [values.get(scene) for scene in scenes] + [None if mean is None else mean[0]]
    return tuple("-" if cell is None else fixed(cell, index) for cell in cells)


def _places(column: Sequence[str], index: str) -> list[int]:
    numbers = [math.nan if cell in ("-", "NaN") else float(cell) for cell in column]
    ranked = sorted({each for each in numbers if not math.isnan(each)}, reverse=KNOWN[index].better == "higher")[:2]
    return [ranked.index(each) + 1 if each in ranked else 0 for each in numbers]


def _notes(board: Leaderboard) -> list[str]:
    missing = [f"{row.title}: {row.note}" for row in board.rows if row.record.summary is None]
    seeds = [f"{row.title}: {'; '.join(row.seed_notes)}" for row in board.rows if row.seed_notes]
    return [*board.remarks, *seeds, *missing]


def _head(name: str) -> str:
    """Fold the name of a scene, behind an underscore and the like where it has one."""
    words = [part for word in re.findall(r"[^_\-. ]*[_\-. ]+|[^_\-. ]+", name) for part in _pieces(word)]
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1] + word) > _FOLDED:
            lines.append("")
        lines[-1] += word
    return "\n".join(lines)


def _pieces(word: str) -> list[str]:
    return [word[start : start + _WORD] for start in range(0, len(word), _WORD)]


def _width(text: str) -> int:
    return max(map(len, text.split("\n")))


def _blocks(found: Matrix, width: int) -> Iterator[list[int]]:
    """Divide the columns so that each block fits into the width; a block has one column at least."""
    titles = max(_width(_title(line.title)) for line in found.lines)
    block: list[int] = []
    used = titles
    for number, name in enumerate(found.columns):
        its = GAP + max(_width(_head(name)), *(len(line.cells[number]) for line in found.lines))
        if block and used + its > width:
            yield block
            block, used = [], titles
        block.append(number)
        used += its
    if block:
        yield block


def _title(title: str) -> str:
    return "\n".join(fold(" ".join(title.split()), max(_TITLE, *map(len, title.split()))))


def _table(found: Matrix, block: Sequence[int], encoding: str) -> Any:
    from rich.text import Text

    styles = {1: "bold", 2: "underline"}
    table = plain_table(encoding)
    titles = [readable(_title(line.title), encoding) for line in found.lines]
    table.add_column("method", no_wrap=True, vertical="bottom", min_width=max(map(_width, ["method", *titles])))
    for number in block:
        head = readable(_head(found.columns[number]), encoding)
        least = max(_width(head), *(len(line.cells[number]) for line in found.lines))
        table.add_column(Text(head), justify="right", no_wrap=True, min_width=least, vertical="bottom")
    for title, line in zip(titles, found.lines, strict=True):
        cells = [Text(line.cells[number], styles.get(line.places[number], "")) for number in block]
        table.add_row(Text(title), *cells)
    return table


def _latex(board: Leaderboard, found: Matrix) -> str:
    marks = {1: r"\textbf{%s}", 2: r"\underline{%s}"}
    body = []
    for line in found.lines:
        cells = ["--" if cell == "-" else escape(cell) for cell in line.cells]
        marked = [marks.get(place, "%s") % cell for cell, place in zip(cells, line.places, strict=True)]
        body.append(" & ".join([escape(line.title), *marked]) + r" \\")
    notes = "; ".join(_notes(board))
    lines = [
        r"\begin{table}[t]",
        r"\centering",
        rf"\caption{{{escape(found.title)}. Best in bold, second underlined.}}",
        r"\resizebox{\linewidth}{!}{%",
        rf"\begin{{tabular}}{{l{'r' * len(found.columns)}}}",
        r"\toprule",
        " & ".join(["Method", *(rf"\rotatebox{{90}}{{{escape(name)}}}" for name in found.columns)]) + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}}",
        *([rf"\par\smallskip{{\footnotesize {escape(notes)}.\par}}"] if notes else []),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"
