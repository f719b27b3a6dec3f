"""Real pairs of an LR-HSI and an HR-MSI, without a reference: read, fused, and written for the no-reference script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.formats.arrays import StoredArray, open_arrays
from hsfusion_bench.formats.finding import HR_MSI, LR_HSI, find_array
from hsfusion_bench.matlab.batches import write_variables
from hsfusion_bench.methods import Cube, Observation, upsample_bicubic


@dataclass(frozen=True)
class Form:
    """How a pair lies in its file.

    Parameters
    ----------
    lr_hsi, hr_msi
        Names of the two arrays; None: the one with a usual name.
    layout
        "HWC" or "CHW"; None: as the shapes tell.
    scale
        Ratio of the two resolutions; None: as the shapes tell.
    phase
        LR pixel k sits at index ``scale*k + phase`` of the HR image; None: LR pixels are the centres of blocks.
    const
        Full scale of the values, by which they are divided.
    psf, srf
        Names of the blur [size, size] and of the spectral response [msi_bands, bands]; None: they are not known.
    """

    lr_hsi: str | None = None
    hr_msi: str | None = None
    layout: str | None = None
    scale: int | None = None
    phase: float | None = None
    const: float = 1.0
    psf: str | None = None
    srf: str | None = None


def read_pair(path: Path, form: Form) -> Observation:
    """Read a pair.

    Parameters
    ----------
    path
        A file of any kind of `hsfusion_bench.formats.arrays.open_arrays`.
    form
        How the pair lies in it.

    Returns
    -------
    Observation, without the PSF and SRF that the form does not name.

    Raises
    ------
    UsageError
        If the order of the axes cannot be told from the shapes.
    HsbenchError
        If an array is missing, the shapes do not fit each other, a value is not in [0, const], or a PSF does not
        sum to 1.
    """
    with open_arrays(path) as arrays:
        lr_array = find_array(arrays, path, LR_HSI, _keys(form.lr_hsi))
        hr_array = find_array(arrays, path, HR_MSI, _keys(form.hr_msi))
        layout, scale = _fitting(lr_array, hr_array, form)
        lr_hsi, hr_msi = (_read(array, layout, form.const) for array in (lr_array, hr_array))
        psf, srf = _camera(path, arrays, form.psf, "--psf"), _camera(path, arrays, form.srf, "--srf")
    if psf is not None and not abs(psf.sum() - 1) < 1e-3:
        raise HsbenchError(f"{path}: the PSF {form.psf} sums to {psf.sum():g}, not to 1")
    phase = (scale - 1) / 2 if form.phase is None else form.phase
    return Observation(lr_hsi, hr_msi, scale, phase, psf, srf)


def write_fused(path: Path, observation: Observation, fused: Cube, *, counts: float) -> None:
    """Write a fused image as ``analysis_unref_batched_images`` and ``hsbench score --no-reference`` read it.

    The file has `sr`, the LR-HSI as `ms`, its bicubic enlargement as `lms`, and as `pan` the mean of the HR-MSI's
    bands, each [1, C, H, W] in double.

    Parameters
    ----------
    path
        The `.mat` file; it appears whole or not at all.
    observation
        The pair, values in [0, 1].
    fused
        What a method made of it, [bands, H, W].
    counts
        What 1 becomes: the script rounds to integers before it computes Q2n.
    """
    images = {
        "sr": fused,
        "ms": observation.lr_hsi,
        "lms": upsample_bicubic(observation.lr_hsi, observation.scale),
        "pan": observation.hr_msi.mean(axis=0, keepdims=True, dtype=np.float64),
    }
    write_variables(path, {name: counts * image[None].astype(np.float64) for name, image in images.items()})


def _camera(path: Path, arrays: Mapping[str, StoredArray], key: str | None, option: str) -> NDArray[np.float64] | None:
    """Read a PSF or an SRF."""
    if key is None:
        return None
    array = find_array(arrays, path, LR_HSI, [key])
    if len(array.shape) != 2:
        raise HsbenchError(f"{array}, named by {option}, has shape {array.shape}, which is not a matrix")
    matrix: NDArray[np.float64] = array.read((slice(None),) * 2).astype(np.float64)
    if not np.isfinite(matrix).all():
        raise HsbenchError(f"{array}, named by {option}, has values that are NaN or infinite")
    return matrix


def _keys(key: str | None) -> list[str]:
    return [] if key is None else [key]


def _fitting(lr_array: StoredArray, hr_array: StoredArray, form: Form) -> tuple[str, int]:
    """Return the layout and the scale under which the two shapes fit each other."""
    layouts = ("CHW", "HWC") if form.layout is None else (form.layout,)
    ways = list(dict.fromkeys(_ways(lr_array.shape, hr_array.shape, layouts, form.scale)))
    if len(ways) == 1:
        return ways[0]
    shapes = f"{lr_array} is {lr_array.shape}, {hr_array} is {hr_array.shape}"
    if not ways:
        at = "" if form.scale is None else f" at scale {form.scale}"
        raise HsbenchError(f"{shapes}: these are not an LR-HSI and an HR-MSI of one scene{at}")
    told = ", ".join(f"{layout} at scale {scale}" for layout, scale in ways)
    raise UsageError(f"{shapes}, which may be {told}: say which by --layout and --scale")


def _ways(
    lr_shape: tuple[int, ...], hr_shape: tuple[int, ...], layouts: Sequence[str], asked: int | None
) -> Iterator[tuple[str, int]]:
    if len(lr_shape) != 3 or len(hr_shape) != 3:
        return
    for layout in layouts:
        rows, columns = layout.index("H"), layout.index("W")
        scale = hr_shape[rows] // lr_shape[rows]
        fits = all(hr_shape[axis] == scale * lr_shape[axis] for axis in (rows, columns))
        if fits and scale > 1 and asked in (None, scale):
            yield layout, scale


def _read(array: StoredArray, layout: str, const: float) -> Cube:
    values: NDArray[np.float64] = array.read((slice(None),) * 3).astype(np.float64)
    cube = values.transpose([layout.index(axis) for axis in "CHW"])
    wrong = ~((cube >= 0) & (cube <= const))  # written so that NaN is wrong, too
    if wrong.any():
        worst = cube.flat[np.abs(cube - const / 2).argmax()]  # a NaN, if there is one
        raise HsbenchError(
            f"{array}: {np.count_nonzero(wrong)} values are not in [0, {const:g}], {worst} among them; --const states "
            "the full scale"
        )
    return np.ascontiguousarray(cube / const, dtype=np.float32)
