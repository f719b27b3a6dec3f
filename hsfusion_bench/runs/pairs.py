"""Real pairs of an LR-HSI and an HR-MSI, without a reference: read, fused, and written for the no-reference script."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.files import replacing
from hsfusion_bench.formats.arrays import StoredArray, open_arrays
from hsfusion_bench.formats.cubes import reshaped
from hsfusion_bench.formats.finding import HR_MSI, LR_HSI, Wanted, find_array, held
from hsfusion_bench.formats.notes import note
from hsfusion_bench.formats.values import divisor, require_filled
from hsfusion_bench.matlab.batches import write_variables
from hsfusion_bench.methods import Cube, Observation, upsample_bicubic

#: What `Form.layout` may be: one order for both images, or that of the LR-HSI and that of the HR-MSI.
LAYOUTS = ("HWC", "CHW", "HWC,CHW", "CHW,HWC")
#: Endings of the files that `write_fused` makes.
WRITTEN = (".mat", ".npy")


@dataclass(frozen=True)
class Form:
    """How a pair lies in its file or files.

    Parameters
    ----------
    lr_hsi, hr_msi
        Names of the two arrays; None: the one with a usual name, or the only image of a file of its own.
    layout
        One of `LAYOUTS`; None: as the shapes tell. An image of two axes is one band, [H, W], whatever it says.
    scale
        Ratio of the two resolutions; None: as the shapes tell.
    phase
        LR pixel k sits at index ``scale*k + phase`` of the HR image; None: LR pixels are the centres of blocks.
    const
        Full scale of the values, by which they are divided.
    msi_const
        Full scale of the HR-MSI, if it is another one.
    psf, srf
        Names of the blur [size, size] and of the spectral response [msi_bands, bands]; None: they are not known.
    """

    lr_hsi: str | None = None
    hr_msi: str | None = None
    layout: str | None = None
    scale: int | None = None
    phase: float | None = None
    const: float = 1.0
    msi_const: float | None = None
    psf: str | None = None
    srf: str | None = None


def read_pair(path: Path, form: Form, msi_path: Path | None = None) -> Observation:
    """Read a pair.

    Parameters
    ----------
    path
        A file of any kind of `hsfusion_bench.formats.arrays.open_arrays`: of both images, or of the LR-HSI.
    form
        How the pair lies in it.
    msi_path
        The file of the HR-MSI, of any of these kinds; None: `path` has both.

    Returns
    -------
    Observation, without the PSF and SRF that the form does not name.

    Raises
    ------
    UsageError
        If the order of the axes cannot be told from the shapes, or the only file holds a single array.
    HsbenchError
        If an array is missing, the shapes do not fit each other, a value is not in [0, const], or a PSF does not
        sum to 1.
    """
    with ExitStack() as stack:
        arrays = stack.enter_context(open_arrays(path))
        msi_arrays = arrays if msi_path is None else stack.enter_context(open_arrays(msi_path))
        alone = msi_path is not None
        hr_path = path if msi_path is None else msi_path
        if not alone and len(arrays) == 1:
            raise UsageError(f"{path} holds one image only, {held(arrays)}; name the HSI's file and then the MSI's")
        lr_array = _image(arrays, path, LR_HSI, form.lr_hsi, alone)
        hr_array = _image(_images(msi_arrays, lr_array, form.hr_msi), hr_path, HR_MSI, form.hr_msi, alone)
        lr_axes, hr_axes, scale = _fitting(lr_array, hr_array, form, alone)
        lr_hsi = _read(lr_array, lr_axes, form.const, "--const")
        if form.msi_const is None:
            hr_msi = _read(hr_array, hr_axes, form.const, "--const")
        else:
            hr_msi = _read(hr_array, hr_axes, form.msi_const, "--msi-const")
        both = {**msi_arrays, **arrays}
        psf, srf = _camera(path, both, form.psf, "--psf"), _camera(path, both, form.srf, "--srf")
    if psf is not None and not abs(psf.sum() - 1) < 1e-3:
        raise HsbenchError(f"{path}: the PSF {form.psf} sums to {psf.sum():g}, not to 1")
    phase = (scale - 1) / 2 if form.phase is None else form.phase
    return Observation(lr_hsi, hr_msi, scale, phase, psf, srf)


def write_fused(path: Path, observation: Observation, fused: Cube, *, counts: float) -> None:
    """Write a fused image, by the ending of the file.

    A `.mat` file is as ``analysis_unref_batched_images`` and ``hsbench score --no-reference`` read it: `sr`, the LR-HSI
    as `ms`, its bicubic enlargement as `lms`, and as `pan` the mean of the HR-MSI's bands, each [1, C, H, W] in double.
    A `.npy` file is the fused image alone, float32 [bands, H, W].

    Parameters
    ----------
    path
        The file, of one of the endings `WRITTEN`; it appears whole or not at all.
    observation
        The pair, values in [0, 1].
    fused
        What a method made of it, [bands, H, W].
    counts
        What 1 becomes: the script rounds to integers before it computes Q2n.
    """
    if path.suffix.lower() == ".npy":
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.save(file, (counts * fused.astype(np.float64)).astype(np.float32))
        return
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


def _image(arrays: Mapping[str, StoredArray], path: Path, wanted: Wanted, key: str | None, alone: bool) -> StoredArray:
    """Return an image: the one that is named, the only one of a file of its own, or that of a usual name."""
    if key is not None:
        return find_array(arrays, path, wanted, [key])
    images = [array for array in arrays.values() if len(array.shape) == wanted.axes]
    if alone and len(images) == 1:
        return images[0]
    return find_array(arrays, path, wanted)


def _images(arrays: Mapping[str, StoredArray], lr_array: StoredArray, key: str | None) -> dict[str, StoredArray]:
    """Return what a file holds, but panchromatic images [H, W] as [H, W, 1].

    Of the matrices, these are the one of that key, the only array of a file, and those whose sides fit the LR-HSI.
    """
    found = dict(arrays)
    for name, array in arrays.items():
        if len(array.shape) == 2:
            image = reshaped(array, (*array.shape, 1))
            if name == key or len(arrays) == 1 or _ways(lr_array, image, Form()):
                found[name] = image
    return found


def _fitting(lr_array: StoredArray, hr_array: StoredArray, form: Form, alone: bool) -> tuple[str, str, int]:
    """Return the axes of the two images and the scale under which their shapes fit each other."""
    ways = _ways(lr_array, hr_array, form)
    alike = [way for way in ways if way[0] == way[1]]
    if alike and not alone:  # one program wrote both
        ways = alike
    if len(ways) == 1:
        return ways[0]
    shapes = f"{lr_array} is {lr_array.shape}, {hr_array} is {hr_array.shape}"
    if not ways:
        at = "" if form.scale is None else f" at scale {form.scale}"
        other = "; the other way round they are" if _ways(hr_array, lr_array, Form(scale=form.scale)) else ""
        raise HsbenchError(
            f"{shapes}: these are not an LR-HSI and an HR-MSI of one scene{at}, whose sides are whole multiples of the "
            f"LR-HSI's{other}"
        )
    texts = [f"{lr if lr == hr else f'{lr},{hr}'} at scale {scale}" for lr, hr, scale in ways]
    raise UsageError(f"{shapes}, which may be {', '.join(texts)}: say which by --layout and --scale")


def _ways(lr_array: StoredArray, hr_array: StoredArray, form: Form) -> list[tuple[str, str, int]]:
    """Return all axes and scales under which the shapes fit each other."""
    if len(lr_array.shape) != 3 or len(hr_array.shape) != 3:
        return []
    asked = [None, None] if form.layout is None else (form.layout.split(",") * 2)[:2]
    ways = []
    for lr_axes, hr_axes in product(_axes(lr_array, asked[0]), _axes(hr_array, asked[1])):
        sides = [(hr_array.shape[hr_axes.index(axis)], lr_array.shape[lr_axes.index(axis)]) for axis in "HW"]
        scale = sides[0][0] // sides[0][1]
        if scale > 1 and form.scale in (None, scale) and all(hr == scale * lr for hr, lr in sides):
            ways.append((lr_axes, hr_axes, scale))
    return ways


def _axes(array: StoredArray, asked: str | None) -> tuple[str, ...]:
    """Return what the axes may be: those that the file states; and a last axis of one place is no width."""
    if sorted(array.axes) == ["C", "H", "W"]:
        return (array.axes,)
    if array.shape[-1] == 1:
        return ("HWC",)
    return ("CHW", "HWC") if asked is None else (asked,)


def _read(array: StoredArray, layout: str, const: float, option: str) -> Cube:
    values: NDArray[np.float64] = array.read((slice(None),) * 3, layout).astype(np.float64)
    cube = values.transpose([layout.index(axis) for axis in "CHW"])
    const = divisor(array.stated, const, str(array), option)
    wrong = ~((cube >= 0) & (cube <= const))  # written so that NaN is wrong, too
    if wrong.any():
        worst = cube.flat[np.abs(cube - const / 2).argmax()]  # a NaN, if there is one
        raise HsbenchError(
            f"{array}: {np.count_nonzero(wrong)} values are not in [0, {const:g}], {worst} among them; {option} states "
            "the full scale"
        )
    require_filled(array.stated, float(cube.max()), const, str(array))
    if array.stated.bad_bands:
        note(f"{array}: {array.stated.bad_bands_words}: bands that the file marks as bad are fused like the others")
    return np.ascontiguousarray(cube / const, dtype=np.float32)
