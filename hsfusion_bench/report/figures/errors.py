"""Results and error maps of methods, with a window magnified."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from hsfusion_bench.errors import UsageError
from hsfusion_bench.report.figures import canvas
from hsfusion_bench.report.figures.choosing import Asked
from hsfusion_bench.report.figures.kept import Album, album

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Maps = npt.NDArray[np.float64]

#: A window's side, as a share of the picture's longer side, unless it is given.
_SHARE: Final = 0.2
#: Columns that there is room for.
_COLUMNS: Final[dict[canvas.Width, int]] = {"column": 5, "page": 7}
#: Inches: between pictures, for titles, for the names of rows, for the colour bar.
_GAP, _TITLE, _SIDE, _BAR = 0.03, 0.15, 0.16, 0.42
#: Share of the errors that may be larger than the colour bar reaches.
_CLIPPED: Final = 0.005
_FRAME: Final = "#E69F00"


@dataclass(frozen=True)
class Window:
    """A square of a scene: first row and column, and side, pixels of the scene."""

    row: int
    column: int
    side: int

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read ROW,COLUMN,SIDE.

        Raises
        ------
        UsageError
            If it is none.
        """
        parts = text.split(",")
        if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts) or not int(parts[2]):
            raise UsageError(f"--window {text!r}: expected ROW,COLUMN,SIDE in pixels of the scene, such as 120,40,64")
        return cls(*map(int, parts))


def draw(asked: Asked, width: canvas.Width, scene: str | None, window: Window | None) -> Figure:
    """Draw a scene's result and error map of each method, both with the window magnified below, and one colour bar.

    Without a scene or a window, those where the methods differ most.

    Raises
    ------
    UsageError
        If the scene has no pictures, or the window is not inside it.
    """
    shown = album(asked)
    name = scene or most_telling_scene(shown)
    height, across = shown.scene(name).size
    maps = np.stack([each.error(name) for each in shown.methods])
    block = shown.reference.pictures.scenes[name].block
    if window is None:
        window = most_telling(maps, block, (height, across))
        why = "the methods differ most" if len(maps) > 1 else "the error is largest"
        place = f"{window.row},{window.column},{window.side}"
        asked.notes.append(f"scene {name}, window {place}: where {why}; choose by --scene and --window")
    elif window.row + window.side > height or window.column + window.side > across:
        raise UsageError(f"--window {window.row},{window.column},{window.side}: {name} is {height} x {across} pixels")
    return _draw(shown, name, maps, window, block, width)


def most_telling_scene(shown: Album) -> str:
    """Return the scene with the window where methods differ most."""
    differences = {}
    for name in shown.scenes:
        maps = np.stack([each.error(name) for each in shown.methods])
        differences[name] = float(_differences(maps, _side(maps)).max())
    return max(shown.scenes, key=lambda name: differences[name])


def most_telling(maps: Maps, block: int, size: tuple[int, int]) -> Window:
    """Return the window where the mean errors of methods differ most; of a single method, where its error is largest.

    Parameters
    ----------
    maps
        Errors, [methods, h, w].
    block
        Side of the blocks of the scene's pixels that they are the means of.
    size
        Height and width of the scene.
    """
    side = _side(maps)
    found = _differences(maps, side)
    row, column = (int(place) for place in np.unravel_index(found.argmax(), found.shape))
    length = min(side * block, *size)
    return Window(min(row * block, size[0] - length), min(column * block, size[1] - length), length)


def _side(maps: Maps) -> int:
    height, width = (int(length) for length in maps.shape[1:])
    return max(1, min(round(_SHARE * max(height, width)), height, width))


def _differences(maps: Maps, side: int) -> Maps:
    """Return by how much the mean errors in a window differ, for every place of it."""
    sums = np.pad(maps, ((0, 0), (1, 0), (1, 0))).cumsum(axis=1).cumsum(axis=2)
    inside = sums[:, side:, side:] - sums[:, :-side, side:] - sums[:, side:, :-side] + sums[:, :-side, :-side]
    means = inside / side**2
    # to nine digits: of equal ones the first, whatever the order of the sums
    spread: Maps = np.round(np.ptp(means, axis=0) if len(means) > 1 else means[0], 9)
    return spread


def reach(maps: Maps) -> float:
    """Return the largest error of the colour bar: nearly all are below, and it is a round number."""
    most = float(np.quantile(maps, 1 - _CLIPPED))
    if most <= 0:
        return 1e-3
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= most * (1 - 1e-9))


def _draw(shown: Album, name: str, maps: Maps, window: Window, block: int, width: canvas.Width) -> Figure:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    pictures = [shown.reference.rgb(name), *(each.rgb(name) for each in shown.methods)]
    titles = [shown.reference.title, *(each.title for each in shown.methods)]
    bands = math.ceil(len(titles) / _COLUMNS[width])
    columns = math.ceil(len(titles) / bands)
    total = canvas.WIDTHS[width]
    cell = min((total - _SIDE - _BAR - _GAP * columns) / columns, 1.6)
    tall = cell * pictures[0].shape[0] / pictures[0].shape[1]
    rows = (tall, cell, tall, cell)  # a window is a square
    band = _TITLE + sum(rows) + 4 * _GAP
    height = bands * band + 0.2
    figure = canvas.new(width, height, constrained=False)
    left = (total - _SIDE - _BAR - columns * (cell + _GAP)) / 2 + _SIDE
    kept_to = min(each.pictures.error_scale for each in shown.methods)
    top = min(reach(maps), kept_to)
    cut = (slice(window.row // block, -(-(window.row + window.side) // block)),
           slice(window.column // block, -(-(window.column + window.side) // block)))  # fmt: skip
    colours: dict[str, Any] = {"cmap": "cividis", "vmin": 0.0, "vmax": top}
    for number, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
        at, column = divmod(number, columns)
        x, y = left + column * (cell + _GAP), height - 0.2 - at * band - _TITLE
        head = figure.text((x + cell / 2) / total, (y + 0.04) / height, title, ha="center", va="bottom", fontsize=6.5)
        canvas.shorten(head, cell * figure.dpi)
        error = None if number == 0 else maps[number - 1]
        images = [(picture, {}), (picture[cut], {}), (error, colours), (None if error is None else error[cut], colours)]
        for line, ((image, more), its) in enumerate(zip(images, rows, strict=True)):
            y -= its
            if image is not None:
                axes = figure.add_axes((x / total, y / height, cell / total, its / height))
                axes.imshow(image, aspect="auto", interpolation="nearest", **more)
                axes.set(xticks=[], yticks=[])
                _frame(axes, window, block, magnified=line % 2 == 1)
            if column == (1 if at == 0 and line > 1 and columns > 1 else 0):
                words = ("result", "window", "error", "window")[line]
                figure.text(
                    (x - 0.05) / total, (y + its / 2) / height, words, rotation=90, ha="right", va="center", fontsize=6
                )
            y -= _GAP
    # beside the error maps of the last row of methods, or of all where there is one
    low = height - 0.2 - (bands - 1) * band - band + _GAP
    bar = figure.add_axes(
        (
            (left + columns * (cell + _GAP) + 0.03) / total,
            (low + 0.06) / height,
            0.07 / total,
            (tall + cell - 0.1) / height,
        )
    )
    # what was kept ends at a scale of its own
    beyond = "max" if float(maps.max()) > min(top, kept_to * (1 - 1e-9)) else "neither"
    scale = ScalarMappable(Normalize(0.0, top), "cividis")
    figure.colorbar(scale, cax=bar, extend=beyond, ticks=[0.0, top / 2, top], format=lambda value, _: f"{value:.3g}")
    bar.tick_params(labelsize=5.5, length=2, pad=1.5)
    figure.text(
        0.5, 1 - 0.09 / height, canvas.plain(f"{name}, {shown.task}: mean absolute error over the bands", 110),
        ha="center", va="center", fontsize=6.5,
    )  # fmt: skip
    return figure


def _frame(axes: Any, window: Window, block: int, *, magnified: bool) -> None:
    from matplotlib.patches import Rectangle

    for spine in axes.spines.values():
        spine.set_visible(magnified)
        spine.set_color(_FRAME)
        spine.set_linewidth(0.8)
    if not magnified:
        corner = (window.column / block - 0.5, window.row / block - 0.5)
        side = window.side / block
        axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=_FRAME, linewidth=0.8))
