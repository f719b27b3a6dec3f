r"""A leaderboard as a LaTeX table for a paper: booktabs, best in bold, second underlined, as wide as the text at most.

A cell holds the method's title alone. What else must be known of a row (cameras it was told, options, training, tiles,
who made or printed it) stands below the table, behind letters; rows that share a note share its letter.
"""

from __future__ import annotations

import math
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from hsfusion_bench.errors import UsageError
from hsfusion_bench.methods.options import short_value
from hsfusion_bench.report.citing import Citations
from hsfusion_bench.report.leaderboard import Leaderboard
from hsfusion_bench.report.published import MEANT
from hsfusion_bench.report.rows import ALIKE_MARK, KNOWN, RECORDED_MARK, Printed, Row
from hsfusion_bench.report.tex import FOOTNOTE, NORMAL, SCRIPT, SMALL, Piece, Size, escape, piece
from hsfusion_bench.runs.records import MethodInfo
from hsfusion_bench.terminal import readable

Column = Literal["params", "latency"]
Fit = Literal["article", "column", "page"]

#: Columns beside the indexes: their heads, in two lines.
_COLUMNS: Final[dict[Column, tuple[str, str]]] = {"params": ("Params", "(M)"), "latency": ("Latency", "(ms)")}
#: Width in points, and environment: the text of `article`, one column and both of a journal with two (IEEEtran).
_FITS: Final[dict[Fit, tuple[float, str]]] = {
    "article": (345.0, "table"),
    "column": (252.0, "table"),
    "page": (516.0, "table*"),
}
#: LaTeX's own room on each side of a column, and the least that still parts two of them, points.
_TABCOLSEP, _LEAST_TABCOLSEP = 6.0, 3.0
#: What an estimated width may be short of, points.
_MARGIN = 2.0
_DASH: Final = Piece("--", 5.0)
#: Stands where a cell is that the one before it spans.
_SPANNED: Final = Piece()
_TRUTHS: Final = {"psf": "PSF", "srf": "SRF"}


@dataclass(frozen=True)
class Choice:
    r"""What of a leaderboard a table shows, and where it must fit.

    Parameters
    ----------
    indexes
        Columns of indexes; None: those of `Leaderboard.indexes`.
    columns
        Columns beside them, "params" and "latency"; None: those that hold a number.
    deviations
        Whether standard deviations stand beside the means.
    fit
        "article": the text of one column, 345 pt; "column": a column of two, 252 pt; "page": both, in a ``table*``.
    bare
        Whether the ``tabular`` stands alone, to be ``\input`` in a float of the author's.
    """

    indexes: Sequence[str] | None = None
    columns: Sequence[Column] | None = None
    deviations: bool = True
    fit: Fit = "article"
    bare: bool = False


class Typeset(NamedTuple):
    """The LaTeX of tables, and what their author must be told of it."""

    text: str
    remarks: list[str]


class _Style(NamedTuple):
    """How cells are set; a lowered deviation is a small one."""

    size: Size
    lowered: bool


#: From the best to read to the narrowest.
_STYLES: Final = (
    _Style(NORMAL, False),
    _Style(SMALL, False),
    _Style(FOOTNOTE, False),
    _Style(SMALL, True),
    _Style(FOOTNOTE, True),
    _Style(SCRIPT, True),
)


def latex(boards: Iterable[Leaderboard], indexes: Sequence[str] | None = None) -> str:
    r"""Return one ``table`` environment for each leaderboard, to be ``\input`` where booktabs is loaded."""
    return typeset(boards, Choice(indexes)).text


def typeset(boards: Iterable[Leaderboard], choice: Choice, citations: Citations | None = None) -> Typeset:
    r"""Return the tables of leaderboards as LaTeX, in ASCII.

    Parameters
    ----------
    boards
        The leaderboards; one, if the choice is a bare ``tabular``.
    choice
        What the tables show.
    citations
        Takes what methods, data set and published rows are cited by; None: nothing is cited.

    Raises
    ------
    UsageError
        If a bare ``tabular`` is asked for and there are several leaderboards.
    """
    boards = list(boards)
    if choice.bare and len(boards) != 1:
        titles = "; ".join(board.title for board in boards)
        raise UsageError(f"a bare tabular is one table, and these records make {len(boards)}: {titles}. Choose one.")
    tables = [_Table(board, choice, citations) for board in boards]
    labels = _labels(boards)
    texts = [
        table.bare() if choice.bare else table.floating(label) for table, label in zip(tables, labels, strict=True)
    ]
    header = "% Made by hsbench. Needs \\usepackage{booktabs}.\n"
    remarks = [remark for table in tables for remark in table.remarks]
    return Typeset(header + "\n".join(texts), remarks + (citations.remarks if citations else []))


def _labels(boards: Sequence[Leaderboard]) -> Iterator[str]:
    """Give every table a label of its own."""
    given: dict[str, int] = {}
    for board in boards:
        label = f"tab:{board.dataset}-x{board.scale}-{board.protocol}"
        label = "".join(each if each.isascii() and (each.isalnum() or each in ":-.") else "-" for each in label)
        given[label] = given.get(label, 0) + 1
        yield label if given[label] == 1 else f"{label}-{given[label]}"


class _Notes:
    """Notes below a table, each once, by letter."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, notes: Iterable[str]) -> Piece:
        """Take in notes, which are LaTeX, and return their letters as a superscript; nothing where there are none."""
        numbers = sorted(self._numbers.setdefault(note, len(self._numbers)) for note in notes)
        return piece(",".join(map(_letter, numbers))).raised() if numbers else Piece()

    @property
    def lines(self) -> list[str]:
        """The notes with their letters, a line each."""
        return [rf"\textsuperscript{{{_letter(number)}}}~{_sentence(note)}." for note, number in self._numbers.items()]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _letter(number: int) -> str:
    """Return a, ..., z, aa, ab, ..."""
    more, last = divmod(number, 26)
    return (_letter(more - 1) if more else "") + string.ascii_lowercase[last]


@dataclass
class _Line:
    """A row: its title with marks, its row of the leaderboard, and the cells beside the indexes."""

    title: Piece
    source: Row | Printed
    columns: list[Piece]


@dataclass
class _Table:
    board: Leaderboard
    choice: Choice
    citations: Citations | None
    notes: _Notes = field(default_factory=_Notes)

    def __post_init__(self) -> None:
        self._indexes = self.board.indexes if self.choice.indexes is None else self.choice.indexes
        self._columns = self._shown_columns()
        self._heads = self._make_heads()
        self._measured = [self._line(row) for row in self.board.rows]
        self._published = [self._published_line(line) for line in self.board.published]
        self._style, self._separation, self._width = self._fitted()

    @property
    def remarks(self) -> list[str]:
        """What is wrong with the table."""
        room, _ = _FITS[self.choice.fit]
        if self._width <= room:
            return []
        ways = ["fewer --indexes"]
        ways += ["--columns none"] if self._columns else []
        ways += ["--no-std"] if self.choice.deviations else []
        ways += ["--fit page"] if self.choice.fit != "page" else []
        return [
            f"the table is about {math.ceil(self._width)} pt wide, and {self.choice.fit!r} has {room:.0f} pt; "
            f"what makes it fit: {', '.join(ways)}"
        ]

    def floating(self, label: str) -> str:
        """Return a table with caption, label and notes."""
        _, environment = _FITS[self.choice.fit]
        lines = [
            *(f"% Note: {remark}." for remark in self.remarks),
            rf"\begin{{{environment}}}[t]",
            r"\centering",
            rf"\caption{{{self._caption()}}}",
            rf"\label{{{label}}}",
            *self._settings(),
            *self._tabular(),
            *self._notes_below(),
            rf"\end{{{environment}}}",
        ]
        return "\n".join(lines) + "\n"

    def bare(self) -> str:
        r"""Return the ``tabular`` alone, behind a macro that holds its notes."""
        settings = self._settings()
        tabular = self._tabular()
        if settings:
            tabular = ["{" + "".join(settings) + "%", *tabular[:-1], tabular[-1] + "}"]
        comments = [
            *(f"Note: {remark}." for remark in self.remarks),
            f"{self.board.title}; best in bold, second underlined.",
            *([rf"The data set is to be cited by \cite{{{key}}}."] if (key := self._dataset_key()) else []),
            r"\input it in a table of your own. Below it, \hsbenchnotes, which is defined here, prints the notes.",
        ]
        notes = [f"{line}%" if last else line for line, last in _with_last(self._note_lines())]
        lines = [
            *("% " + readable(" ".join(comment.split()), "ascii") for comment in comments),
            *([r"\def\hsbenchnotes{%", *notes, "}%"] if notes else [r"\def\hsbenchnotes{}%"]),
            *tabular,
        ]
        return "\n".join(lines) + "%\n"

    def _settings(self) -> list[str]:
        """Return the commands that make the table fit."""
        separation = rf"\setlength{{\tabcolsep}}{{{self._separation:.1f}pt}}"
        changed = [separation] if self._separation < _TABCOLSEP else []
        return [*([self._style.size.command] if self._style.size.command else []), *changed]

    def _tabular(self) -> list[str]:
        above, below = self._heads
        body = [_joined(self._cells(line, self._style)) for line in self._measured]
        printed = [_joined(self._cells(line, self._style)) for line in self._published]
        return [
            rf"\begin{{tabular}}{{@{{}}l{'c' * len(self._indexes)}{'r' * len(self._columns)}@{{}}}}",
            r"\toprule",
            _joined(above),
            *([_joined(below)] if any(head.tex for head in below) else []),
            r"\midrule",
            *body,
            *([r"\midrule"] if body and printed else []),
            *printed,
            r"\bottomrule",
            r"\end{tabular}",
        ]

    def _caption(self) -> str:
        board = self.board
        cited = self._cite(self._dataset_key())
        what = rf"at scale {escape(f'×{board.scale}')}, protocol {escape(board.protocol)}, {escape(board.coverage)}"
        values = r"mean $\pm$ standard deviation" if self.choice.deviations else "means"
        values += " over the scenes, of means over seeds" if board.seeded else ""
        ranked = " Best in bold, second underlined." if board.rows else ""
        printed = " Below the line: as published, and not ranked." if board.rows and board.published else ""
        return f"Results on {escape(board.dataset)}{cited.tex} {what}: {values}.{ranked}{printed}"

    def _dataset_key(self) -> str | None:
        return self.citations.dataset(self.board.dataset) if self.citations else None

    def _notes_below(self) -> list[str]:
        lines = self._note_lines()
        size = SCRIPT.command if self._style.size is SCRIPT else FOOTNOTE.command
        return [r"\par\smallskip", rf"{{{size}\raggedright", *lines, r"\par}"] if lines else []

    def _note_lines(self) -> list[str]:
        # a letter says it of each row
        remarks = [remark for remark in self.board.remarks if not remark.startswith(RECORDED_MARK)]
        said = [f"{_sentence(escape(remark))}." for remark in remarks]
        doubts = [
            "Published rows are as printed, and not ours: of the cameras that methods were told, papers say little.",
            "Their ERGAS and SSIM are other indexes than those of the MATLAB package.",
        ]
        return [*self.notes.lines, *said, *(doubts if self.board.published else [])]

    def _shown_columns(self) -> list[Column]:
        if self.choice.columns is not None:
            return [column for column in _COLUMNS if column in self.choice.columns]
        counts = [*(row.parameters for row in self.board.rows), *(line.parameters for line in self.board.published)]
        said: dict[Column, bool] = {
            "params": any(text != "-" for text in counts),
            "latency": any(row.latency != "-" for row in self.board.rows),
        }
        return [column for column in _COLUMNS if said[column]]

    def _make_heads(self) -> tuple[list[Piece], list[Piece]]:
        """Return both lines of the head: names, and units where there are any."""
        names, units = [Piece("Method", 33.4)], [Piece()]
        for index in self._indexes:
            metric = KNOWN[index]
            arrow = piece("↑" if metric.better == "higher" else "↓")
            namesake = next((name for name, meant in MEANT.items() if meant == index), index)
            below = metric.unit if namesake == index else "papers"
            names.append(piece(KNOWN[namesake].title) + Piece(" ", 3.33) + arrow)
            units.append(piece(f"({below})") if below else Piece())
        for column in self._columns:
            name, unit = _COLUMNS[column]
            timed = column == "latency" and self.board.device is not None
            mark = self.notes.mark([f"median, float32, on {escape(str(self.board.device))}"]) if timed else Piece()
            names.append(piece(name) + mark)
            units.append(piece(unit))
        return names, units

    def _line(self, row: Row) -> _Line:
        title, *also = [self._cited(method) for method in (row.record.method, *row.also)]
        same = [f"the same values as of {other.tex}" for other in also]
        title += self.notes.mark([*map(escape, self._facts(row)), *same])
        title += Piece(r" $\approx$", 11.1) if row.mark.endswith(ALIKE_MARK) else Piece()
        return _Line(title, row, [self._column(row, column) for column in self._columns])

    def _cited(self, method: MethodInfo) -> Piece:
        return piece(method.title) + self._cite(self.citations.method(method) if self.citations else None)

    def _facts(self, row: Row) -> Iterator[str]:
        """Return what must be known of a row beside its title."""
        method = row.record.method
        if method.uses:
            yield f"uses the true {_truths(method.uses)}"
        if method.estimated:
            yield f"estimates {_truths(method.estimated)} from the two images"
        if method.changed:
            yield "with " + ", ".join(f"{name} {short_value(method.options[name])}" for name in method.changed)
        if row.apart:
            yield row.apart
        if row.record.status != "no weights":  # the cell says that
            # what a star says elsewhere, a letter says here, at the value itself
            yield from (note for note in row.notes if not note.startswith("*"))
        mark = row.mark.removesuffix(ALIKE_MARK).strip()
        if mark == RECORDED_MARK:
            yield "recorded: came with hsfusion-bench, not run here"
        elif mark:
            yield f"from {mark.strip('[]')}"

    def _column(self, row: Row, column: Column) -> Piece:
        text = {"params": row.parameters, "latency": row.latency}[column].removesuffix("*")
        if text == "-":
            return _DASH
        reported = {"params": "parameters", "latency": "latency"}[column] in row.reported
        return piece(text) + (self.notes.mark(["as reported, not measured here"]) if reported else Piece())

    def _published_line(self, line: Printed) -> _Line:
        known = self.citations.source(line.row.source) if self.citations else None
        source = escape(line.row.source) if known is None else rf"\cite{{{known[0]}}}{escape(known[1])}"
        quoted = source.startswith("as ")  # "as quoted by a survey"
        notes = [source if quoted else f"as printed in~{source}", *([escape(line.row.note)] if line.row.note else [])]
        columns = [
            piece(line.parameters) if column == "params" and line.parameters != "-" else _DASH
            for column in self._columns
        ]
        return _Line(piece(line.row.method) + self.notes.mark(notes), line, columns)

    def _cite(self, key: str | None) -> Piece:
        # as wide as "[12]": what a style of numbers prints
        return Piece() if key is None else Piece(rf"~\cite{{{key}}}", 18.9)

    def _cells(self, line: _Line, style: _Style) -> list[Piece]:
        return [line.title, *self._values(line.source, style), *line.columns]

    def _values(self, row: Row | Printed, style: _Style) -> list[Piece]:
        indexes = self._indexes
        if isinstance(row, Row) and row.record.summary is None:
            reason = "no weights" if row.record.status == "no weights" else "failed"
            return [Piece(rf"\multicolumn{{{len(indexes)}}}{{c}}{{{reason}}}"), *[_SPANNED] * (len(indexes) - 1)]
        return [self._value(row, index, style) for index in indexes]

    def _value(self, row: Row | Printed, index: str, style: _Style) -> Piece:
        text = row.printed(index)
        if text == "-":
            return _DASH
        mean, _, deviation = text.partition("±")
        if not self.choice.deviations:
            deviation = ""
        place = row.places.get(index, 0) if isinstance(row, Row) else 0
        lowered = style.lowered and bool(deviation)
        value = piece(mean if lowered or not deviation else f"{mean}±{deviation}")
        value = value.bold() if place == 1 else value.underlined() if place == 2 else value
        return value + Piece(rf"$_{{\pm{deviation}}}$", 0.5, 7.78 + piece(deviation).width) if lowered else value

    def _fitted(self) -> tuple[_Style, float, float]:
        """Return the best style in which the table fits, the room beside its columns, and its width."""
        room, _ = _FITS[self.choice.fit]
        for style in _STYLES:
            gaps = 2 * (len(self._indexes) + len(self._columns))
            content = self._content(style) + _MARGIN
            separation = math.floor(10 * min(_TABCOLSEP, (room - content) / gaps)) / 10 if gaps else _TABCOLSEP
            if separation >= _LEAST_TABCOLSEP:
                return style, separation, content + gaps * separation
        return style, _LEAST_TABCOLSEP, content + gaps * _LEAST_TABCOLSEP

    def _content(self, style: _Style) -> float:
        """Return the width of all columns in a style, points."""
        rows = [self._cells(line, style) for line in (*self._measured, *self._published)]
        return sum(max(map(style.size.width, column)) for column in zip(*self._heads, *rows, strict=True))


def _joined(cells: Sequence[Piece]) -> str:
    return " & ".join(cell.tex for cell in cells if cell is not _SPANNED) + r" \\"


def _truths(names: Iterable[str]) -> str:
    return " and ".join(_TRUTHS.get(name, name) for name in sorted(names))


def _with_last(lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    return ((line, number == len(lines) - 1) for number, line in enumerate(lines))
