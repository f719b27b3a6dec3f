"""Names beside points, so that none covers another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hsfusion_bench.report.figures import canvas

_STEPS: Final = 14
_DIRECTIONS: Final = 16


@dataclass(frozen=True)
class Labelled:
    """A point in data's units, its name, and the radius of its mark in points."""

    text: str
    x: float
    y: float
    radius: float


def place_labels(axes: Any, points: Sequence[Labelled]) -> None:
    """Write the name of each point as near to it as it has room, with a line to the point where that is not beside it.

    The limits of the axes must be set.
    """
    figure = axes.figure
    figure.canvas.draw()  # now the axes have their place
    pixels = figure.dpi / 72
    centres = [tuple(axes.transData.transform((point.x, point.y))) for point in points]
    marks = [(x, y, point.radius * pixels) for (x, y), point in zip(centres, points, strict=True)]
    inside = axes.get_window_extent()
    taken: list[tuple[float, float, float, float]] = []
    for point, centre in zip(points, centres, strict=True):
        text = axes.text(point.x, point.y, point.text, fontsize=6.5, ha="center", va="center", clip_on=False)
        text.set_in_layout(False)
        box = canvas.extent(text)
        width, height = box.width + 2 * pixels, box.height + pixels
        best, least = (centre[0], centre[1], False), math.inf
        for x, y, away in _candidates(centre, point.radius * pixels, width, height, pixels):
            found = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            cover = sum(_overlap(found, other) for other in taken) * 10
            cover += sum(_overlap(found, (mx - r, my - r, mx + r, my + r)) for mx, my, r in marks)
            cover += 10 * (width * height - _overlap(found, (inside.x0, inside.y0, inside.x1, inside.y1)))
            if cover < least - 1e-6:
                best, least = (x, y, away), cover
            if least <= 1e-6:
                break
        x, y, away = best
        taken.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
        text.set_position(axes.transData.inverted().transform((x, y)))
        if away:
            axes.annotate(
                "", xy=(point.x, point.y), xytext=_edge(taken[-1], centre), textcoords="figure pixels",
                arrowprops={"arrowstyle": "-", "lw": 0.4, "color": "#555555", "shrinkA": 0, "shrinkB": 0},
            ).set_in_layout(False)  # fmt: skip


def _candidates(
    centre: tuple[float, float], radius: float, width: float, height: float, pixels: float
) -> Iterator[tuple[float, float, bool]]:
    """Yield places of a label's middle, the nearest first, and whether a line must lead to the point."""
    for step in range(_STEPS):
        gap = (1.5 + 5 * step) * pixels
        for turn in range(_DIRECTIONS):
            angle = 2 * math.pi * turn / _DIRECTIONS
            dx, dy = math.cos(angle), math.sin(angle)
            reach = radius + gap
            yield (
                centre[0] + dx * (reach + width / 2),
                centre[1] + dy * (reach + height / 2),
                step > 1,
            )


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(across, 0.0) * max(down, 0.0)


def _edge(box: tuple[float, float, float, float], towards: tuple[float, float]) -> tuple[float, float]:
    return min(max(towards[0], box[0]), box[2]), min(max(towards[1], box[1]), box[3])
