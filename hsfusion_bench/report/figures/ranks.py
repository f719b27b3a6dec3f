"""Average ranks of methods, and which of them do not differ significantly: a critical difference diagram."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.report.comparison import Comparison, compare
from hsfusion_bench.report.comparison import count as count_of
from hsfusion_bench.report.contestants import Contestant
from hsfusion_bench.report.figures import canvas
from hsfusion_bench.report.figures.choosing import Asked, short_title
from hsfusion_bench.report.rows import KNOWN
from hsfusion_bench.report.significance import LEVEL, least_p

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Inches between two names, and between two bars.
_STEP: Final = 0.15
_BAR: Final = 0.075
#: Inches that a number of the axis takes.
_TICK: Final = 0.2
#: Inches of a rank beside its method's name.
_RANK: Final = 0.32
#: Characters of a method's name.
_TITLE: Final[dict[canvas.Width, int]] = {"column": 18, "page": 40}


def draw(asked: Asked, width: canvas.Width) -> Figure:
    """Draw the average ranks over scenes; a bar joins methods no two of which differ significantly.

    The tests are those of `hsbench compare`: Wilcoxon's on each pair, with Holm's correction.

    Raises
    ------
    HsbenchError
        If there is one method only, or they have fewer than two scenes in common.
    """
    board = asked.board()
    if len(board.rows) < 2:
        raise HsbenchError(f"ranks need two methods or more, and there is {short_title(board.rows[0])} alone")
    names = [str(number) for number in range(len(board.rows))]
    contestants = [Contestant(name, name, row.record) for name, row in zip(names, board.rows, strict=True)]
    found = compare(contestants, asked.index)
    asked.notes.extend(found.notes)
    short = canvas.distinct([short_title(row) for row in board.rows], _TITLE[width])
    titles = dict(zip(names, short, strict=True))
    return _diagram(found, titles, width, canvas.plain(board.dataset), board.scale)


def groups(ranked: Sequence[str], differing: set[frozenset[str]]) -> list[tuple[int, int]]:
    """Return first and last place of every longest run of ranked methods no two of which differ."""
    runs: list[tuple[int, int]] = []
    for first in range(len(ranked)):
        last = first
        while last + 1 < len(ranked) and not any(
            frozenset((ranked[last + 1], other)) in differing for other in ranked[first : last + 1]
        ):
            last += 1
        if last > first and not any(begin <= first and last <= end for begin, end in runs):
            runs.append((first, last))
    return runs


def _diagram(found: Comparison, titles: dict[str, str], width: canvas.Width, dataset: str, scale: int) -> Figure:
    standings = sorted(found.standings, key=lambda each: each.rank)
    ranked, ranks = [each.name for each in standings], [each.rank for each in standings]
    differing = {frozenset(pair.names) for pair in found.pairs if pair.significant}
    bars = groups(ranked, differing)
    levels = _levels(bars)
    count, half = len(ranked), (len(ranked) + 1) // 2
    depth = _BAR * (max(levels, default=0) + 1) + 0.12
    height = 0.55 + depth + _STEP * half + 0.1
    figure = canvas.new(width, height, constrained=False)
    total = canvas.WIDTHS[width]
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, total), ylim=(height, 0))
    axes.set_axis_off()
    side = min(0.055 * max(map(len, titles.values())) + 0.55, 0.36 * total)
    top = 0.45

    def place(rank: float) -> float:
        return side + (rank - 1) / (count - 1) * (total - 2 * side)

    axes.plot([place(1), place(count)], [top, top], color="black", lw=0.8)
    step = math.ceil(count * _TICK / (total - 2 * side))
    for tick in [*range(1, count, step), count]:
        if tick != count and count - tick < step:
            continue
        axes.plot([place(tick)] * 2, [top, top - 0.05], color="black", lw=0.8)
        axes.text(place(tick), top - 0.07, str(tick), ha="center", va="bottom", fontsize=6.5)
    for number, (name, rank) in enumerate(zip(ranked, ranks, strict=True)):
        left = number < half
        line = top + depth + _STEP * ((number if left else count - 1 - number) + 0.5)
        end = side - 0.08 if left else total - side + 0.08
        axes.plot([place(rank), place(rank), end], [top, line, line], color="#444444", lw=0.6)
        towards, aside = (-1, "right") if left else (1, "left")
        axes.text(end + towards * 0.04, line, f"{rank:.2f}", ha=aside, va="center", fontsize=6.5)
        title = axes.text(end + towards * (0.04 + _RANK), line, titles[name], ha=aside, va="center", fontsize=6.5)
        canvas.shorten(title, (side - 0.16 - _RANK) * figure.dpi)
    for (first, last), level in zip(bars, levels, strict=True):
        at = top + _BAR * (level + 1)
        axes.plot([place(ranks[first]) - 0.03, place(ranks[last]) + 0.03], [at, at], color="#0072B2", lw=2.5,
                  solid_capstyle="butt")  # fmt: skip
    scenes = count_of(len(found.scenes), "scene")
    told = "bars: no significant difference"
    if not differing and least_p(len(found.scenes)) * len(found.pairs) >= LEVEL:
        told = "too few scenes for any difference to be significant"
    words = f"average rank by {KNOWN[found.index].title}, {dataset} ×{scale}, {scenes}; {told}"
    head = axes.text(total / 2, 0.08, words, ha="center", va="center", fontsize=6.5)
    canvas.shorten(head, (total - 0.1) * figure.dpi)
    return figure


def _levels(bars: Sequence[tuple[int, int]]) -> list[int]:
    """Return a height for each bar, so that none covers another."""
    ends: list[int] = []
    levels = []
    for first, last in bars:
        level = next((number for number, end in enumerate(ends) if end < first), len(ends))
        if level == len(ends):
            ends.append(last)
        else:
            ends[level] = last
        levels.append(level)
    return levels
