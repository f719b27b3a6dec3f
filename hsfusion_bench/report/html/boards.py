"""A board of the page: its table, what the charts draw, and the account of every row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hsfusion_bench.report.comparison import alike_with_best, index_title, p_text
from hsfusion_bench.report.costs import CostTable, costs_of, latency_of
from hsfusion_bench.report.html.columns import (
    TOLD,
    Cell,
    Column,
    cells_of,
    columns_of,
    indexes_of,
    printed_cells,
    told_of,
)
from hsfusion_bench.report.html.logs import Course
from hsfusion_bench.report.html.places import Places
from hsfusion_bench.report.html.provenance import Fact, again, facts
from hsfusion_bench.report.html.safe import plain
from hsfusion_bench.report.leaderboard import Leaderboard
from hsfusion_bench.report.rows import KNOWN, Row, fixed
from hsfusion_bench.runs.records import Record
from hsfusion_metrics import METRICS

#: Scenes of a heat map; a data set of samples has thousands.
_SCENES: Final = 60


@dataclass(frozen=True)
class Line:
    """A row of the table.

    Parameters
    ----------
    id
        Of its element.
    title, note
        What it is called, and what must be known of it.
    family, told
        What it is filtered by; both empty for a published row.
    cells
        One for each column.
    facts, again
        Its account, and the command that makes it again.
    """

    id: str
    title: str
    note: str
    family: str
    told: str
    cells: list[Cell]
    facts: tuple[Fact, ...] = ()
    again: str = ""


@dataclass(frozen=True)
class Shade:
    """A cell of the heat map: a value, and how near to the best of its scene it is, 0 to 1."""

    text: str
    near: float | None


@dataclass(frozen=True)
class Heat:
    """Methods by scenes, of one index."""

    title: str
    scenes: list[str]
    lines: list[tuple[str, list[Shade]]]


@dataclass(frozen=True)
class View:
    """A board as the template takes it.

    Parameters
    ----------
    id, title
        Of its section.
    columns, lines, published
        Of the table.
    families, told
        What the filters offer.
    remarks
        Below the table: what must be known of it.
    significance
        What was tested, an index a line.
    sources
        Where published rows were printed.
    account
        What all rows share: protocol, split, indexes, references.
    heat
        The map of PSNR; the script draws those of other indexes.
    indexes
        Names and titles of indexes that the heat map can show.
    data
        For the script.
    """

    id: str
    title: str
    columns: list[Column]
    lines: list[Line]
    published: list[Line]
    families: list[str]
    told: dict[str, str]
    remarks: list[str]
    significance: list[str]
    sources: list[str]
    account: list[Fact]
    references: list[Fact]
    heat: Heat
    indexes: dict[str, str]
    data: dict[str, Any] = field(default_factory=dict)


def view_of(
    board: Leaderboard, number: int, most: int, places: Places, curves: dict[str, Course], origins: dict[int, str]
) -> View:
    """Return a board as it is shown.

    Parameters
    ----------
    board
        Ranked rows, the best first.
    number
        Of the board on the page.
    most
        Rows that are shown; a remark tells of the others.
    places, origins
        Where the records were gathered, and the origin of each by `id` of the record.
    curves
        Courses of trainings, by SHA-256 of the weights.
    """
    rows = board.rows[:most]
    name = f"board-{number}"
    columns = columns_of(board)
    tests, significance = _tested(rows)
    costs = costs_of(rows)
    lines = []
    for place, row in enumerate(rows):
        paths = [places.file(record, origins.get(id(record), "")) for record in row.records]
        lines.append(
            Line(
                f"{name}-row-{place}",
                plain(_title(row)),
                plain(row.note, 300),
                plain(row.record.method.family, 30),
                told_of(row),
                cells_of(row, columns, {index: found[place] for index, found in tests.items()}, costs),
                facts(row),
                again(row, paths),
            )
        )
    printed = [
        Line(f"{name}-printed-{place}", plain(line.title), plain(line.row.note), "", "", printed_cells(line, columns))
        for place, line in enumerate(board.published)
    ]
    told = {line.told: TOLD[line.told] for line in lines}
    scored = [row.record for row in rows if row.record.summary is not None]
    return View(
        id=name,
        title=plain(board.title),
        columns=columns,
        lines=lines,
        published=printed,
        families=sorted({line.family for line in lines}),
        told={key: text for key, text in TOLD.items() if key in told},
        remarks=[*_remarks(board, rows, costs), *(plain(remark, 600) for remark in board.remarks)],
        significance=significance,
        sources=[plain(source, 600) for source in board.sources],
        account=_account(scored[0]) if scored else [],
        references=_references(scored[0]) if scored else [],
        heat=_heat(rows, lines, "psnr"),
        indexes={index: index_title(index) for index in indexes_of(board)},
        data=_data(name, board, rows, lines, costs, curves),
    )


def _title(row: Row) -> str:
    """Return a name with what was changed; what it was told has a column of its own."""
    method = row.record.method
    changed = [*method.details[: len(method.changed)], *([row.apart] if row.apart else [])]
    return row.name + (f" ({'; '.join(changed)})" if changed else "") + (f"\u00a0{row.mark}" if row.mark else "")


def _tested(rows: Sequence[Row]) -> tuple[dict[str, list[dict[str, str]]], list[str]]:
    """Test every row against the best by each of the seven; return what is said of each row, and of the tests."""
    records = [row.record for row in rows]
    said: dict[str, list[dict[str, str]]] = {}
    notes = []
    for index in METRICS:
        found = alike_with_best(records, index)
        said[index] = [{} for _ in rows]
        for number, p in found.p.items():
            told = f"p = {p_text(p)} against the best".replace("= <", "< ")
            said[index][number] = {"p": told} | ({"alike": "yes"} if number in found.others else {})
        if found.note:
            title = METRICS[index].title
            notes.append(plain(found.note if found.note.startswith("≈") else f"{title}: {found.note}", 400))
    return said, list(dict.fromkeys(notes))


def _remarks(board: Leaderboard, rows: Sequence[Row], costs: CostTable | None) -> list[str]:
    remarks = []
    if len(rows) < len(board.rows):
        remarks.append(
            f"the best {len(rows)} of {len(board.rows)} rows are shown, and tested among each other: --methods, "
            "--dataset, --scale and --protocol choose others"
        )
    if board.device:
        remarks.append(f"latency on {plain(board.device)}")
    elif costs is not None and any(latency_of(row, costs) is not None for row in rows):
        remarks.append(f"latency as `hsbench cost` measured it, not beside the records: {costs.told}")
    return remarks


def _account(record: Record) -> list[Fact]:
    """Return what every row of a board shares."""
    dataset = record.dataset
    suite = ", ".join(f"{name} {value}" for name, value in record.metrics.items())
    said = [
        ("Protocol", f"{dataset.protocol}, version {dataset.protocol_version}, digest {dataset.protocol_digest}"),
        ("Split", f"{dataset.split}, digest {dataset.split_digest}"),
        ("Scenes", f"{dataset.scenes} of {dataset.scenes_in_split}"),
        ("Bands", f"{dataset.bands} of the HSI, {dataset.msi_bands} of the MSI"),
        ("Indexes", suite),
    ]
    return [(name, plain(text, 400)) for name, text in said]


def _references(record: Record) -> list[Fact]:
    """Return scenes and the SHA-256 of their references."""
    return [(plain(scene.name, 60), scene.digest or "-") for scene in _thin(record.scenes) if scene.psnr is not None]


def _thin(items: Sequence[Any]) -> list[Any]:
    """Leave so many as can be drawn, at even distances."""
    count = min(len(items), _SCENES)
    return [items[number * len(items) // count] for number in range(count)]


def _scene_names(rows: Sequence[Row]) -> list[str]:
    scored = (scene.name for row in rows for scene in row.record.scenes if scene.psnr is not None)
    return _thin(list(dict.fromkeys(scored)))


def _by_scene(row: Row, scenes: Sequence[str], index: str) -> list[float | None]:
    held = {scene.name: getattr(scene, index) for scene in row.record.scenes}
    return [held.get(scene) for scene in scenes]


def _texts(values: Sequence[float | None], index: str) -> list[str]:
    return ["" if value is None else fixed(value, index) for value in values]


def _heat(rows: Sequence[Row], lines: Sequence[Line], index: str) -> Heat:
    scenes = _scene_names(rows)
    kept = [(line.title, row) for line, row in zip(lines, rows, strict=True) if row.record.summary is not None]
    texts = [_texts(_by_scene(row, scenes, index), index) for _, row in kept]
    columns = [_nearness(column, KNOWN[index].better == "higher") for column in zip(*texts, strict=True)]
    shades = [
        (title, [Shade(text or "-", columns[number][place]) for number, text in enumerate(cells)])
        for place, ((title, _), cells) in enumerate(zip(kept, texts, strict=True))
    ]
    return Heat(index_title(index), [plain(scene, 40) for scene in scenes], shades)


def _nearness(column: Sequence[str], higher: bool) -> list[float | None]:
    """Return how near to the best of a scene each value is: 1 for the best, 0 for the worst, None for none."""
    values = [float(text) if text else math.nan for text in column]
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return [_near(value, low, high, higher) for value in values]


def _near(value: float, low: float, high: float, higher: bool) -> float | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return 1.0 if (value > 0) == higher else 0.0
    if high == low:
        return 1.0
    return round((value - low if higher else high - value) / (high - low), 3)


def _data(
    name: str,
    board: Leaderboard,
    rows: Sequence[Row],
    lines: Sequence[Line],
    costs: CostTable | None,
    curves: dict[str, Course],
) -> dict[str, Any]:
    """Return what the script draws from: printed values, so that charts and tables say the same."""
    scenes, indexes = _scene_names(rows), indexes_of(board)
    points = []
    for row, line in zip(rows, lines, strict=True):
        flops = row.record.model.flops
        value = row.value("psnr")
        points.append(
            {
                "id": line.id,
                "title": line.title,
                "family": line.family,
                "told": line.told,
                "psnr": "" if value is None else fixed(value[0], "psnr"),
                "parameters": row.record.model.parameters,
                "flops": flops.value if flops else None,
                "latency": latency_of(row, costs),
                "scenes": {index: _texts(_by_scene(row, scenes, index), index) for index in indexes}
                if row.record.summary is not None
                else None,
            }
        )
    return {
        "id": name,
        "scenes": [plain(scene, 40) for scene in scenes],
        "indexes": {index: [index_title(index), KNOWN[index].better] for index in indexes},
        "rows": points,
        "printed": [
            {
                "title": plain(line.title),
                "psnr": line.row.values.get("psnr", ""),
                "parameters": _millions(line.parameters),
            }
            for line in board.published
        ],
        "curves": [
            {
                "title": line.title + (f" ({row.which(record)})" if len(row.records) > 1 else ""),
                "steps": course.steps,
                "psnr": course.psnr,
                "loss": course.loss,
                "bicubic": course.bicubic,
            }
            for row, line in zip(rows, lines, strict=True)
            for record in row.records
            if record.weights is not None and (course := curves.get(record.weights.sha256)) is not None
        ],
    }


def _millions(text: str) -> float | None:
    try:
        return float(text) * 1e6
    except ValueError:
        return None
