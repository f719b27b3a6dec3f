"""Curves of trainings, from their logs."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.files import slug, user_cache
from hsfusion_bench.report.figures import canvas
from hsfusion_bench.report.seeds import split_name
from hsfusion_bench.runs.recorded import recorded_root

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Numbers = npt.NDArray[np.float64]

#: A curve of the loss is the median of so many lines of the log.
_WINDOW: Final = 15
#: Ends the stem of a log of another seed than 0.
_SEED: Final = re.compile(r"\.seed-(?P<seed>\d+)$")
_NEEDED: Final = ("step", "loss", "validation_psnr")


@dataclass(frozen=True)
class Log:
    """A training: its steps, losses and validations; NaN where a line has none."""

    title: str
    step: Numbers
    loss: Numbers
    validation: Numbers


def find_logs(
    folders: Sequence[Path], methods: Sequence[str] | None, dataset: str | None, scale: int | None, protocol: str | None
) -> list[Path]:
    """Return the logs beside weights: of folders of records, of one's own trainings, and of those that ship.

    Parameters
    ----------
    folders
        Of records; logs lie in ``weights/METHOD/DATASET-xSCALE-PROTOCOL.csv`` there, and in the user's cache.
    methods, dataset, scale, protocol
        Only logs of these; None: of all. A method named as ``feinfn.seed-1`` has the log of that seed alone.

    Raises
    ------
    HsbenchError
        If one of the methods has no such log.
    """
    found: dict[tuple[str, str], Path] = {}
    for root in dict.fromkeys((*folders, user_cache(), recorded_root())):
        for path in sorted(root.glob("weights/*/*.csv")):
            data, _, rest = _SEED.sub("", path.stem).partition("-x")
            ratio, _, observed = rest.partition("-")
            wanted = (dataset is None or data == slug(dataset)) and (scale is None or ratio == str(scale))
            if wanted and (protocol is None or observed == slug(protocol)):
                found.setdefault((path.parent.name, path.stem), path)
    if methods is None:
        return list(found.values())
    chosen: dict[Path, None] = {}
    for name in methods:
        means = [path for path in found.values() if _is_of(path, name)]
        if not means:
            raise HsbenchError(
                f"there is no log of such a training of {name}; `hsbench train` writes one beside weights, see --log"
            )
        chosen |= dict.fromkeys(means)
    return list(chosen)


def _is_of(path: Path, name: str) -> bool:
    """Whether the log at a path is of a method, or of one of its seeds, of this name."""
    stem, seed = split_name(name) or (name, None)
    told = _SEED.search(path.stem)
    return path.parent.name == slug(stem) and seed in (None, int(told["seed"]) if told else 0)


def read_log(path: Path, title: str) -> Log:
    """Read the log of a training.

    Raises
    ------
    HsbenchError
        If it cannot be read, or is none.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise HsbenchError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not lines or any(name not in lines[0] for name in _NEEDED):
        raise HsbenchError(f"{path} is no log of a training: it needs lines, and columns {', '.join(_NEEDED)}")
    try:
        step, loss, validation = (np.array([float(line[name]) for line in lines]) for name in _NEEDED)
    except (TypeError, ValueError) as error:
        raise HsbenchError(f"{path} is damaged: {error}") from error
    return Log(title, step, loss, validation)


def smooth(values: Numbers) -> Numbers:
    """Return medians of a running window, shorter at the ends; NaN are left out."""
    half = _WINDOW // 2
    parts = [values[max(0, place - half) : place + half + 1] for place in range(len(values))]
    return np.array([np.nanmedian(part) if np.isfinite(part).any() else math.nan for part in parts])


def validated(values: Numbers) -> npt.NDArray[np.bool_]:
    """Return where a validation was made: until the next one, lines of a log repeat its value."""
    known = np.isfinite(values)
    places = np.flatnonzero(known)
    repeated = places[1:][values[places[1:]] == values[places[:-1]]]
    known[repeated] = False
    return known


def draw(logs: Sequence[Log], width: canvas.Width) -> Figure:
    """Draw the loss and the validation of trainings over their steps.

    Raises
    ------
    UsageError
        If there are too many.
    """
    if len(logs) > canvas.MOST:
        raise UsageError(f"{len(logs)} trainings are too many for a figure, which shows {canvas.MOST}")
    across = width == "page"
    figure = canvas.new(width, 2.6 if across else 3.9)
    loss, validation = figure.subplots(1, 2) if across else figure.subplots(2, 1)
    handles = []
    for number, log in enumerate(logs):
        look = {"color": canvas.hue(number), "ls": canvas.line(number)}
        positive = np.where(log.loss > 0, log.loss, math.nan)
        loss.plot(log.step, positive, color=canvas.hue(number), lw=0.4, alpha=0.25)
        (handle,) = loss.plot(log.step, smooth(positive), **look)
        handles.append(handle)
        there = validated(log.validation)
        validation.plot(log.step[there], log.validation[there], **look)
        if there.any():
            best = int(np.nanargmax(np.where(there, log.validation, math.nan)))
            validation.plot([log.step[best]], [log.validation[best]], "o", ms=3, color=canvas.hue(number))
    if any(np.isfinite(log.loss).any() and np.nanmax(log.loss) > 0 for log in logs):
        canvas.log_ticks(loss, "y", lambda value: f"{value:g}")
    loss.set_ylabel("loss (each method's own)")
    validation.set_ylabel("validation PSNR (dB)")
    for axes in (loss, validation):
        axes.grid(True)
        axes.xaxis.set_major_formatter(lambda value, _: canvas.thousands(value))
    for axes in (loss, validation) if across else (validation,):
        axes.set_xlabel("step")
    canvas.legend_below(figure, handles, [log.title for log in logs], width)
    return figure
