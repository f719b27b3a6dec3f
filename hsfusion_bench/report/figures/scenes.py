"""Methods by scenes, as a heat map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hsfusion_bench.errors import UsageError
from hsfusion_bench.report.figures import canvas
from hsfusion_bench.report.figures.choosing import Asked, short_title
from hsfusion_bench.report.rows import KNOWN, fixed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: More scenes than this are no figure.
_MOST_SCENES: Final = 60
#: Characters of a method's name.
_TITLE: Final[dict[canvas.Width, int]] = {"column": 22, "page": 40}


def draw(asked: Asked, width: canvas.Width) -> Figure:
    """Draw the index of each method on each scene; the colour is brighter where it is better."""
    board = asked.board()
    rows = asked.ordered(board.rows)
    names = list(dict.fromkeys(each.name for row in rows for each in row.record.scenes if each.psnr is not None))
    if len(names) > _MOST_SCENES:
        raise UsageError(f"{len(names)} scenes are too many for a figure, which shows {_MOST_SCENES} at most")
    table = np.full((len(rows), len(names)), math.nan)
    for number, row in enumerate(rows):
        for scene in row.record.scenes:
            value = getattr(scene, asked.index)
            if value is not None:
                table[number, names.index(scene.name)] = value
    from matplotlib import colormaps

    metric = KNOWN[asked.index]
    colours: Any = colormaps["cividis" if metric.better == "higher" else "cividis_r"]
    finite = np.where(np.isfinite(table), table, math.nan)
    titles = canvas.distinct([short_title(row) for row in rows], _TITLE[width])
    margin = 0.055 * max(map(len, titles)) + 0.15
    cell = (canvas.WIDTHS[width] - margin - 0.55) / len(names)
    size = min(6.0, cell * 72 / 3.4)
    shown = canvas.distinct([canvas.plain(name) for name in names], 24)
    figure = canvas.new(width, 0.5 + 0.055 * max(map(len, shown)) + max(0.14 * len(rows), 0.6))
    axes = figure.add_subplot()
    image = axes.imshow(np.ma.masked_invalid(finite), cmap=colours, aspect="auto", interpolation="nearest")
    axes.set_xticks(range(len(names)), shown, rotation=90, fontsize=min(6.5, cell * 72 / 1.25))
    axes.set_yticks(range(len(rows)), titles)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if size >= 3.5:
        for (row_number, column), value in np.ndenumerate(table):
            if not math.isnan(value):
                text = fixed(float(value), asked.index)
                text = f"{value:.1f}" if len(text) > 4 and math.isfinite(value) and abs(value) >= 10 else text
                back = colours(image.norm(value)) if math.isfinite(value) else (1, 1, 1, 1)
                dark = 0.299 * back[0] + 0.587 * back[1] + 0.114 * back[2] < 0.5
                small = min(size, cell * 72 / (0.68 * len(text)))
                axes.text(
                    column, row_number, text, ha="center", va="center", fontsize=small,
                    color="white" if dark else "black",
                )  # fmt: skip
    unit = f" ({metric.unit})" if metric.unit else ""
    bar = figure.colorbar(image, ax=axes, pad=0.01, fraction=0.03, aspect=30)
    bar.outline.set_visible(False)
    words = f"{metric.title}{unit}, {metric.better} is better: {board.title}"
    head = figure.suptitle(canvas.plain(words, 120), fontsize=7)
    canvas.shorten(head, (canvas.WIDTHS[width] - 0.1) * figure.dpi)
    return figure
