"""Spectra of a few pixels beside the reference's, and the error of each band."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hsfusion_bench.report.figures import canvas
from hsfusion_bench.report.figures.choosing import Asked
from hsfusion_bench.report.figures.kept import album

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(asked: Asked, width: canvas.Width, scene: str | None) -> Figure:
    """Draw the kept pixels of a scene, of all methods, and the root mean squared error by band; by default, the first.

    Raises
    ------
    UsageError
        If the scene has no pictures.
    """
    shown = album(asked)
    name = scene or shown.scenes[0]
    reference = shown.scene(name)
    waves = shown.reference.pictures.wavelengths
    bands = len(reference.spectra[0].values)
    along = np.asarray(waves if waves is not None else range(1, bands + 1), float)
    panels = len(reference.spectra) + 1
    columns = 3 if width == "page" else 2
    rows = math.ceil(panels / columns)
    figure = canvas.new(width, rows * (1.55 if width == "page" else 1.4) + 0.55)
    grid = figure.subplots(rows, columns, squeeze=False)
    cells: list[Any] = list(grid.flat)
    for axes in cells[panels:]:
        axes.set_axis_off()
    handles: dict[str, Any] = {}
    for number, pixel in enumerate(reference.spectra):
        axes = cells[number]
        (handles[shown.reference.title],) = axes.plot(along, pixel.values, color="black", lw=1.6)
        for place, method in enumerate(shown.methods):
            theirs = method.pictures.scenes[name].spectra
            kept = next((each for each in theirs if (each.row, each.column) == (pixel.row, pixel.column)), None)
            if kept is not None:
                (handles[method.title],) = axes.plot(along, kept.values, color=canvas.hue(place), ls=canvas.line(place))
        axes.set_title(canvas.plain(f"{pixel.name} ({pixel.row}, {pixel.column})", 34), fontsize=6)
    axes = cells[panels - 1]
    for place, method in enumerate(shown.methods):
        rmse = method.pictures.scenes[name].rmse_by_band
        if rmse is not None:
            axes.plot(along, rmse, color=canvas.hue(place), ls=canvas.line(place))
    axes.set_ylim(bottom=0)
    axes.set_title("RMSE of each band", fontsize=6)
    for axes in cells[:panels]:
        axes.grid(True)
        axes.margins(x=0.02)
    for axes in cells[: panels - 1 : columns]:
        axes.set_ylabel("value")
    for column in range(columns):
        low = max(number for number in range(panels) if number % columns == column)
        cells[low].set_xlabel("wavelength (nm)" if waves is not None else "band")
    figure.suptitle(
        canvas.plain(f"{name}, {shown.task}; pixels (row, column)", 100 if width == "page" else 62), fontsize=6.5
    )
    canvas.legend_below(figure, list(handles.values()), list(handles), width)
    return figure
