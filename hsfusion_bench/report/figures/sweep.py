"""An index against a condition, such as the signal-to-noise ratio or the family of the blur: one line a method."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.report.choosing import row_name
from hsfusion_bench.report.figures import canvas
from hsfusion_bench.report.figures.choosing import Asked, whole_title
from hsfusion_bench.report.figures.swept import find
from hsfusion_bench.report.rows import KNOWN
from hsfusion_bench.report.sources import Entry
from hsfusion_bench.runs.account import summary_of
from hsfusion_bench.suggest import unknown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: A number in a protocol's name, as `Noise.id` and people write them: 35, m5 (for -5), 1.5, inf.
_NUMBER: Final = re.compile(r"(?<![0-9.])(?<=[a-z-])(?:m(?=\d))?(?:\d+(?:\.\d+)?|inf)(?![0-9a-z])")
#: Letters of a line in the legend.
_LINE: Final = 34
_NOISE: Final = re.compile(r"-snr\0-\0(?:-seed\0)?$")


@dataclass(frozen=True)
class Sweep:
    """Protocols that differ in one condition, or in several that go together: what it is, and its value in each.

    Parameters
    ----------
    title
        What changes, with its unit.
    numbers
        Its value by name of the protocol; of names, their places on the axis.
    names
        Those names; nothing of numbers.
    base
        What all have in common; nothing where only the names of protocols tell.
    axis
        As `hsbench run --sweep` calls it; likewise.
    """

    title: str
    numbers: dict[str, float]
    names: tuple[str, ...] = ()
    base: str = ""
    axis: str = ""


def sweeps(protocols: Iterable[str]) -> list[Sweep]:
    """Find the sweeps among names of protocols, the longest first."""
    shapes: dict[str, dict[str, tuple[float, ...]]] = {}
    for name in dict.fromkeys(protocols):
        numbers = tuple(_value(each) for each in _NUMBER.findall(name))
        if numbers:
            shapes.setdefault(_NUMBER.sub("\0", name), {})[name] = numbers
    found: dict[frozenset[str], Sweep] = {}
    for shape, members in shapes.items():
        places = range(len(next(iter(members.values()))))
        for size in places:
            for moving in combinations(places, size + 1):
                fixed = [place for place in places if place not in moving]
                groups: dict[tuple[float, ...], dict[str, float]] = {}
                for name, numbers in members.items():
                    if len({numbers[place] for place in moving}) == 1:
                        groups.setdefault(tuple(numbers[place] for place in fixed), {})[name] = numbers[moving[0]]
                for rest, group in groups.items():
                    finite = {name: value for name, value in group.items() if math.isfinite(value)}
                    if len(finite) > 1:
                        found.setdefault(frozenset(finite), Sweep(_title(shape, moving, rest), finite))
    return sorted(found.values(), key=lambda each: (-len(each.numbers), each.title))


def of_records(entries: Sequence[Entry]) -> list[Sweep]:
    """Find the sweeps among records, the longest first: by their conditions, or else by the names of protocols."""
    found = []
    for each in find(entry.record.dataset for entry in entries):
        names = tuple(each.names)
        numbers = {
            name: float(names.index(value) if isinstance(value, str) else value) for name, value in each.values.items()
        }
        found.append(Sweep(each.title, numbers, names, each.base, each.axis))
    known = {name for each in found for name in each.numbers}
    told = (entry.record.dataset.protocol for entry in entries)
    found += sweeps(name for name in told if name not in known)
    return sorted(found, key=lambda each: -len(each.numbers))


def draw(asked: Asked, width: canvas.Width, axis: str | None = None) -> Figure:
    """Draw the means over the scenes that all records have.

    Parameters
    ----------
    asked
        The records.
    width
        Of the figure.
    axis
        What changes, as `hsbench run --sweep` calls it; None: what changes most often.

    Raises
    ------
    UsageError
        If there are several such sweeps, data sets or scales.
    HsbenchError
        If there is none.
    """
    entries = [entry for entry in asked.means() if entry.record.summary is not None]
    tasks = sorted({(entry.record.dataset.name, entry.record.dataset.scale) for entry in entries})
    if len(tasks) > 1:
        told = "; ".join(f"{name} ×{scale}" for name, scale in tasks[:8])
        found_any = {task: of_records([entry for entry in entries if _task(entry) == task]) for task in tasks}
        tasks = [task for task in tasks if found_any[task]]
        if len(tasks) > 1:
            raise UsageError(f"records of {told}: choose by --dataset and --scale")
    entries = [entry for entry in entries if _task(entry) in tasks]
    every = of_records(entries)
    found = [each for each in every if axis in (None, each.axis)]
    if not every:
        raise HsbenchError(
            "no two of these records differ in one condition; `hsbench run --snr-hsi 20`, then 30 and 40, makes such "
            "records"
        )
    if not found:
        raise UsageError(f"--axis: {unknown('sweep', str(axis), dict.fromkeys(each.axis for each in every))}")
    if len(found) > 1 and len(found[1].numbers) == len(found[0].numbers):
        told = "; ".join(f"{each.title}: {', '.join(each.numbers)}" for each in found[:6])
        raise UsageError(
            f"several numbers change: {told}. Choose one by --axis ("
            + ", ".join(dict.fromkeys(each.axis for each in found if each.axis))
            + "), or name its protocols by --protocol, again and again"
        )
    return _draw(asked, entries, found[0], width)


@dataclass(frozen=True)
class Lines:
    """What a sweep shows.

    Parameters
    ----------
    points
        Of each method, by its title: what changes, and the mean.
    scenes
        Over how many scenes they are means.
    alone
        Methods of which there is one point, which is no line.
    """

    points: dict[str, list[tuple[float, float]]]
    scenes: int
    alone: list[str]


def lines(entries: Sequence[Entry], sweep: Sweep, index: str) -> Lines:
    """Return the lines of a sweep, means over the scenes that all records of them have."""
    rows: dict[str, dict[str, Entry]] = {}
    for entry in sorted(entries, key=lambda each: -each.record.dataset.scenes):
        if entry.record.dataset.protocol in sweep.numbers:
            rows.setdefault(row_name(entry.record), {}).setdefault(entry.record.dataset.protocol, entry)
    alone = [_title_of(entry) for row in rows.values() if len(row) == 1 for entry in row.values()]
    drawn = [list(row.values()) for row in rows.values() if len(row) > 1]
    if not drawn:
        raise HsbenchError(f"no method has records at two values ({sweep.title}): {', '.join(sorted(alone))}")
    scored = [{(s.name, s.digest) for s in each.record.scenes if s.psnr is not None} for row in drawn for each in row]
    common = set.intersection(*scored)
    if not common:
        raise HsbenchError("these records have no scene in common: run the methods on the same scenes")
    points: dict[str, list[tuple[float, float]]] = {}
    for row in drawn:
        several = points.setdefault(_label(row[0], points), [])
        for entry in row:
            record = entry.record
            summary = summary_of([scene for scene in record.scenes if (scene.name, scene.digest) in common])
            assert summary is not None
            several.append((sweep.numbers[record.dataset.protocol], summary[index].mean))
        several.sort()
    return Lines(points, len(common), alone)


def _label(entry: Entry, taken: Iterable[str]) -> str:
    """Return a title that is not taken, whole where that is possible, in lines that a legend has room for."""
    title = textwrap.fill(_title_of(entry), _LINE)
    return title if title not in set(taken) else f"{title}\n{canvas.plain(row_name(entry.record))}"


def _title_of(entry: Entry) -> str:
    return canvas.plain(whole_title(entry.record.method), 3 * _LINE)


def _draw(asked: Asked, entries: Sequence[Entry], sweep: Sweep, width: canvas.Width) -> Figure:
    shown = lines(entries, sweep, asked.index)
    points, scenes = shown.points, shown.scenes
    if len(points) > canvas.MOST:
        raise UsageError(f"{len(points)} methods are too many for a figure, which shows {canvas.MOST}: use --methods")
    figure = canvas.new(width, 2.6 if width == "column" else 3.2)
    axes = figure.add_subplot()
    metric = KNOWN[asked.index]
    handles = []
    for number, several in enumerate(points.values()):
        marker = canvas.MARKERS[number % len(canvas.MARKERS)]
        (handle,) = axes.plot(
            [x for x, _ in several], [y for _, y in several], color=canvas.hue(number), ls=canvas.line(number),
            marker=marker, ms=3.5, alpha=0.85 if sweep.names else 1, lw=0.5 if sweep.names else None,
        )  # fmt: skip
        handles.append(handle)
    if shown.alone:
        asked.notes.append(f"left out, as they have one value only: {', '.join(shown.alone)}")
    record = entries[0].record
    unit = f" ({metric.unit})" if metric.unit else ""
    if sweep.names:
        turned = sum(map(len, sweep.names)) > (40 if width == "column" else 90)
        labels = [canvas.plain(name, 18) for name in sweep.names]
        axes.set_xticks(range(len(labels)), labels, rotation=35 if turned else 0, ha="right" if turned else "center")
    elif (values := sorted(set(sweep.numbers.values()))) and len(values) <= 8:
        axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.set_xlabel(canvas.plain(sweep.title, 70))
    axes.set_ylabel(f"{metric.title}{unit}")
    count = f"{scenes} scene{'' if scenes == 1 else 's'}"
    parts = [f"{record.dataset.name} ×{record.dataset.scale}", *([sweep.base] if sweep.base else []), count]
    axes.set_title(canvas.plain(", ".join(parts), 80 if width == "column" else 140), fontsize=6.5)
    axes.grid(True)
    canvas.legend_below(figure, handles, list(points), width)
    return figure


def _task(entry: Entry) -> tuple[str, int]:
    return entry.record.dataset.name, entry.record.dataset.scale


def _value(text: str) -> float:
    return float(text.replace("m", "-"))


def _title(shape: str, moving: Sequence[int], rest: Sequence[float]) -> str:
    """Say what changes: the signal-to-noise ratio of images, or a number in the protocol's name."""
    noise, before = _NOISE.search(shape), shape.count("\0")
    if noise is not None:
        first = before - noise[0].count("\0")
        names = {first: "LR-HSI", first + 1: "HR-MSI"}
        if all(place in names for place in moving):
            whose = "both images" if len(moving) == 2 else names[moving[0]]
            return f"signal-to-noise ratio of {whose} (dB)"
        return "seed of the noise"
    parts, numbers = shape.split("\0"), iter(rest)
    text = parts[0]
    for place, part in enumerate(parts[1:]):
        text += ("…" if place in moving else f"{next(numbers):g}") + part
    return f"protocol {text}"
