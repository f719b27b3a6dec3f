"""What a method's quality costs: an index against parameters, operations or time; or of two data sets at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.report.costs import CostTable, costs_of, latency_of
from hsfusion_bench.report.figures import canvas
from hsfusion_bench.report.figures.choosing import Asked, short_title
from hsfusion_bench.report.figures.labels import Labelled, place_labels
from hsfusion_bench.report.leaderboard import Leaderboard
from hsfusion_bench.report.rows import KNOWN, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Cost: TypeAlias = Literal["params", "flops", "latency"]

COSTS: Final[dict[Cost, tuple[str, Callable[[Row, CostTable | None], float | None]]]] = {
    "params": ("parameters", lambda row, _: row.record.model.parameters),
    "flops": ("FLOPs", lambda row, _: row.record.model.flops.value if row.record.model.flops else None),
    "latency": ("latency (ms)", latency_of),
}
#: Areas of the smallest and the largest circle, points².
_AREAS: Final = (12.0, 420.0)


@dataclass(frozen=True)
class Point:
    """A method: where it stands, and what its circle's area shows; None where that is not known."""

    title: str
    x: float
    y: float
    size: float | None


def draw(
    asked: Asked, width: canvas.Width, against: Cost | None, area: Cost | None, device: str | None = None
) -> Figure:
    """Draw a circle for each method.

    Of one data set, by `against` (horizontal) and the index, with the area by another cost; of two, by the index on
    either.

    Raises
    ------
    UsageError
        If there are more than two data sets, or costs that do not go together.
    HsbenchError
        If no method has both numbers.
    """
    datasets = list(dict.fromkeys(entry.record.dataset.name for entry in asked.chosen()))
    if len(datasets) == 2:
        if against is not None:
            raise UsageError("--against: of two data sets the axes are the index on either; --area is the third")
        return _two(asked, datasets, width, area or "params", device)
    board = asked.board(device=device)
    return _one(asked, board, width, against or "params", area, device)


def points_of(
    rows: Sequence[Row], index: str, against: Cost, area: Cost | None, costs: CostTable | None = None
) -> tuple[list[Point], list[str]]:
    """Return the methods that have both numbers, and the titles of the others."""
    cost, third = COSTS[against][1], COSTS[area][1] if area else None
    points, without = [], []
    for row in rows:
        x, value = cost(row, costs), row.value(index)
        if x is None or x <= 0 or value is None or not math.isfinite(value[0]):
            without.append(short_title(row))
        else:
            points.append(Point(short_title(row), float(x), value[0], third(row, costs) if third else None))
    return points, without


def _one(
    asked: Asked, board: Leaderboard, width: canvas.Width, against: Cost, area: Cost | None, device: str | None
) -> Figure:
    if area == against:
        raise UsageError(f"--area {area} is what the horizontal axis shows already")
    # who names a device wants its latencies, and no others
    costs = None if device else costs_of(board.rows)
    chosen = area
    if chosen is None:  # the first other cost that some method has
        rest: list[Cost] = [cost for cost in COSTS if cost != against]
        chosen = next((cost for cost in rest if any(COSTS[cost][1](row, costs) for row in board.rows)), None)
    points, without = points_of(board.rows, asked.index, against, chosen, costs)
    title = COSTS[against][0]
    if not points:
        how = (
            "hsbench run measures latency where --no-timing is not given"
            if against == "latency"
            else ("only networks have them: take --against latency, or another --protocol")
        )
        raise HsbenchError(f"none of these {len(board.rows)} methods has {title} that could be shown; {how}")
    if without:
        asked.notes.append(f"left out, for they have no {title}: {', '.join(without)}")
    if against == "latency" and board.device:
        title = f"latency (ms), {board.device}"
    elif costs is not None and "latency" in (against, chosen):
        asked.notes.append(_measured_by(costs))
        title = f"latency (ms), {costs.told}" if against == "latency" else title
    figure = canvas.new(width, 0.72 * canvas.WIDTHS[width] if width == "column" else 3.6)
    axes = figure.add_subplot()
    metric = KNOWN[asked.index]
    _circles(axes, points, COSTS[chosen][0] if chosen else None, x_log=True)
    axes.set_xlabel(canvas.plain(title, 80))
    unit = f" ({metric.unit})" if metric.unit else ""
    axes.set_ylabel(f"{metric.title}{unit}, {canvas.plain(board.dataset)} ×{board.scale}")
    return figure


def _two(asked: Asked, datasets: Sequence[str], width: canvas.Width, area: Cost, device: str | None) -> Figure:
    entries = asked.chosen()
    boards = [
        asked.board([entry for entry in entries if entry.record.dataset.name == name], device) for name in datasets
    ]
    first, second = ({row.record.key: row for row in reversed(board.rows)} for board in boards)
    index, (title, cost) = asked.index, COSTS[area]
    costs = None if device else costs_of([row for board in boards for row in board.rows])
    if costs is not None and area == "latency":
        asked.notes.append(_measured_by(costs))
    points = []
    for key in first.keys() & second.keys():
        x, y = first[key].value(index), second[key].value(index)
        if x is not None and y is not None and math.isfinite(x[0]) and math.isfinite(y[0]):
            points.append(
                Point(short_title(first[key]), x[0], y[0], cost(first[key], costs) or cost(second[key], costs))
            )
    points.sort(key=lambda point: (-point.y, point.title))
    lacking = sorted(first.keys() ^ second.keys())
    if not points:
        raise HsbenchError(f"no method has values of both {datasets[0]} and {datasets[1]}")
    if lacking:
        asked.notes.append(f"left out, for only one of the data sets has them: {', '.join(lacking)}")
    figure = canvas.new(width, 0.85 * canvas.WIDTHS[width] if width == "column" else 4.4)
    axes = figure.add_subplot()
    _circles(axes, points, title, x_log=False)
    metric = KNOWN[index]
    unit = f" ({metric.unit})" if metric.unit else ""
    across, up = (f"{metric.title}{unit}, {canvas.plain(board.dataset)} ×{board.scale}" for board in boards)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    return figure


def _measured_by(costs: CostTable) -> str:
    return f"latency as `hsbench cost` measured it, not beside the records: {costs.told}"


def _circles(axes: Any, points: Sequence[Point], third: str | None, *, x_log: bool) -> None:
    known = [point.size for point in points if point.size]
    largest = max(known, default=1.0)

    def area(point: Point) -> float:
        return max(_AREAS[0], _AREAS[1] * (point.size or 0) / largest) if point.size else _AREAS[0]

    xs, ys = [point.x for point in points], [point.y for point in points]
    _limits(axes, xs, ys, x_log=x_log)
    for number, point in enumerate(points):
        colour = canvas.hue(number)
        axes.scatter(
            [point.x], [point.y], s=area(point), color=colour if point.size else "none", edgecolors=colour, alpha=0.75,
            linewidths=0.8, marker="o" if point.size or third is None else "D",
        )  # fmt: skip
    axes.grid(True)
    note = ""
    if third is not None and known:
        note = f"area of a circle: {third}, largest {canvas.thousands(largest)}"
        if len(known) < len(points):
            note += "; diamonds: none known"
        axes.set_title(note, fontsize=6, loc="right", color="#555555")
    place_labels(axes, [Labelled(point.title, point.x, point.y, math.sqrt(area(point) / math.pi)) for point in points])


def _limits(axes: Any, xs: Sequence[float], ys: Sequence[float], *, x_log: bool) -> None:
    if x_log:
        low, high = min(xs), max(xs)
        margin = max((high / low) ** 0.12, 1.5)
        axes.set_xlim(low / margin, high * margin)
        canvas.log_ticks(axes, "x")
    else:
        room = (max(xs) - min(xs)) * 0.14 or 1.0
        axes.set_xlim(min(xs) - room, max(xs) + room)
    room = (max(ys) - min(ys)) * 0.14 or 1.0
    axes.set_ylim(min(ys) - room, max(ys) + room)
