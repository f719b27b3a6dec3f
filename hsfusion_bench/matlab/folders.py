"""The other layout of the MATLAB test package: a folder of one result a file, scored with a file of the data set.

``analysis_ref_unbatched_images`` and ``analysis_unref_unbatched_images`` read ``output_mulExm_0.mat``,
``output_mulExm_1.mat``, ... of a folder, and the references (or the inputs) from an HDF5 file of the data set, whose
place is written into them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.arrays import StoredArray, open_arrays
from hsfusion_bench.formats.finding import REFERENCE, RESULT, find_array
from hsfusion_bench.matlab.batches import nyquist_gains, require_axes, scored, scored_without_reference, type_of
from hsfusion_bench.matlab.interleaved import sizes_of
from hsfusion_bench.matlab.processes import FloatArray, dealt
from hsfusion_metrics import Indexes, NoReference

_NAME = re.compile(r"output_mulExm_(\d+)\.mat", re.IGNORECASE)
_Result = TypeVar("_Result")

# Usual names of the arrays that a result is scored with.
_REFERENCES = (("GT", "gt"),)
_INPUTS = (("lms",), ("pan",))


def score_folder(
    folder: Path,
    references: Path,
    *,
    ratio: float,
    const: float = 1.0,
    key: str | None = None,
    workers: int = 1,
    as_matlab: bool = False,
    any_scale: bool = False,
    layout: str | None = None,
) -> Iterator[Indexes]:
    """Compute the seven indexes of each file of a folder.

    With `hsfusion_metrics.summarise` this is ``analysis_ref_unbatched_images(folder, ratio, sensor)``.

    Parameters
    ----------
    folder
        Holds ``output_mulExm_0.mat``, ``output_mulExm_1.mat``, ..., as many as there are references. Each has one
        image [H, W, C], [C, H, W] or [1, C, H, W]; one that fits both of the first is read as [H, W, C], as the
        script reads it.
    references
        A file of any kind of `hsfusion_bench.formats.arrays.open_arrays` with `GT` or `gt`, [B, C, H, W] as the program
        counts axes that the file is made for: an HDF5 file of the data set, or a MAT-file.
    ratio, const, workers, as_matlab, any_scale
        As `hsfusion_bench.matlab.batches.score_file`.
    key
        Name of the array in each file; None: the only one, or the one with a usual name.
    layout
        Order of the axes of `references`, as in `hsfusion_bench.matlab.batches.open_batches`.

    Yields
    ------
    Indexes
        In the order of the numbers.

    Raises
    ------
    HsbenchError
        When a file is missing, damaged, or its image does not fit; when there are more files than references.
    """
    work = partial(scored, ratio=ratio, const=const, as_matlab=as_matlab, any_scale=any_scale)
    return _scores(folder, references, _REFERENCES, key, work, workers, as_matlab, layout)


def score_folder_no_reference(
    folder: Path,
    inputs: Path,
    *,
    ratio: int,
    sensor: str | None = None,
    key: str | None = None,
    workers: int = 1,
    as_matlab: bool = False,
    any_scale: bool = False,
    layout: str | None = None,
) -> Iterator[NoReference]:
    """Compute the three indexes without a reference of each file of a folder.

    With `hsfusion_metrics.summarise` this is ``analysis_unref_unbatched_images(folder, ratio, sensor)``.

    Parameters
    ----------
    folder, key
        As `score_folder`.
    inputs
        A file with `lms` [B, C, H, W] and `pan` [B, 1, H, W], otherwise as the references of `score_folder`.
    ratio, sensor, workers, as_matlab, any_scale, layout
        As `hsfusion_bench.matlab.batches.score_no_reference`.

    Yields
    ------
    NoReference
        In the order of the numbers.

    Raises
    ------
    HsbenchError
        As `score_folder`; for an unknown sensor, or one with another number of bands.
    """
    gains = nyquist_gains(sensor)
    score = partial(scored_without_reference, ratio=ratio, gains=gains, as_matlab=as_matlab, any_scale=any_scale)
    work = partial(_no_reference, score)
    return _scores(folder, inputs, _INPUTS, key, work, workers, as_matlab, layout)


def number_classes(
    folder: Path, batches: Path, *, no_reference: bool = False, key: str | None = None, layout: str | None = None
) -> dict[str, str]:
    """Tell MATLAB's class of what the first result of a folder is scored with, and of the result.

    Raises
    ------
    HsbenchError
        As `score_folder`.
    """
    names = _INPUTS if no_reference else _REFERENCES
    with open_arrays(batches) as arrays:
        found = [_batch(batches, arrays, usual, layout) for usual in names]
        classes = {array.name: _class(array) for array in found}
        [first, *_] = _numbered(folder, sizes_of(found[0].shape, layout or "BCHW").get("B", 1), batches)
    with open_arrays(first) as arrays:
        array = find_array(arrays, first, RESULT, [key] if key else ())
        return classes | {array.name: _class(array)}


def _no_reference(
    work: Callable[..., NoReference], lms: FloatArray, pan: FloatArray, sr: FloatArray, *, workers: int
) -> NoReference:
    return work(sr, lms, pan, workers=workers)


def _scores(
    folder: Path,
    batches: Path,
    names: Sequence[Sequence[str]],
    key: str | None,
    work: Callable[..., _Result],
    workers: int,
    in_class: bool,
    layout: str | None,
) -> Iterator[_Result]:
    with open_arrays(batches) as arrays:
        shapes = [_batch(batches, arrays, usual, layout).shape for usual in names]
    counts = [sizes_of(shape, layout or "BCHW").get("B", 1) for shape in shapes]
    if len(set(counts)) > 1:
        raise HsbenchError(f"{batches}: its arrays differ in their number of images: {' and '.join(map(str, shapes))}")
    files = _numbered(folder, counts[0], batches)
    images = partial(_images, batches, names, files, key, in_class, layout or "BCHW")
    yield from dealt(folder, images, len(files), work, workers=workers)


def _numbered(folder: Path, count: int, batches: Path) -> list[Path]:
    """Return the files of a folder by their numbers, of which there must be `count` from 0 on."""
    if not folder.is_dir():
        raise HsbenchError(f"{folder}: there is no such folder")
    found = {int(match[1]): file for file in folder.iterdir() if (match := _NAME.fullmatch(file.name))}
    missing = [f"output_mulExm_{number}.mat" for number in range(count) if number not in found]
    if missing:
        some = ", ".join(missing[:3]) + (" ..." if len(missing) > 3 else "")
        raise HsbenchError(f"{folder} lacks {len(missing)} of {count} files, one an image of {batches}: {some}")
    beyond = [found[number].name for number in sorted(found) if number >= count]
    if beyond:
        raise HsbenchError(f"{folder} holds {beyond[0]}, but {batches} has {count} images, numbered from 0")
    return [found[number] for number in range(count)]


def _batch(path: Path, arrays: Mapping[str, StoredArray], usual: Sequence[str], layout: str | None) -> StoredArray:
    found = find_array(arrays, path, REFERENCE, usual)
    require_axes(found.shape, str(found), layout)
    return found


def _sample(array: StoredArray, layout: str, number: int) -> NDArray[Any]:
    """Read an image of a batch as [C, H, W]."""
    axes = layout[: len(array.shape)]
    image = array.read(tuple(number if axis == "B" else slice(None) for axis in axes))
    left = axes.replace("B", "")
    # MATLAB leaves out a last axis of one place
    image, left = (image, left) if "C" in left else (image[..., None], left + "C")
    return image.transpose([left.index(axis) for axis in "CHW"])


def _images(
    batches: Path,
    names: Sequence[Sequence[str]],
    files: Sequence[Path],
    key: str | None,
    in_class: bool,
    layout: str,
    number: int,
) -> list[NDArray[Any]]:
    """Read what a result is compared with, and the result itself, in float64 or in their classes."""
    images = []
    with open_arrays(batches) as arrays:
        for usual in names:
            array = _batch(batches, arrays, usual, layout)
            part = _sample(array, layout, number)
            images.append(np.ascontiguousarray(part, dtype=_type(array, in_class)))
    with open_arrays(files[number]) as arrays:
        array = find_array(arrays, files[number], RESULT, [key] if key else ())
        images.append(np.ascontiguousarray(_estimate(array, len(images[0])), dtype=_type(array, in_class)))
    return images


def _class(array: StoredArray) -> str:
    """Tell MATLAB's class of an array."""
    name = str(array.read((slice(0, 1),) * len(array.shape)).dtype.newbyteorder("="))
    return array.kind or {"float64": "double", "float32": "single"}.get(name, name)


def _type(array: StoredArray, in_class: bool) -> str:
    """Tell the type in which an array is scored."""
    return type_of(_class(array), str(array)) if in_class else "float64"


def _estimate(array: StoredArray, bands: int) -> NDArray[Any]:
    """Read a result as [C, H, W], its axes told as the script tells them."""
    image = array.read(tuple(slice(None) for _ in array.shape))
    if image.ndim == 4 and len(image) == 1:
        image = image[0]
    if image.ndim == 3 and image.shape[2] == bands:
        image = image.transpose(2, 0, 1)
    if image.ndim != 3 or len(image) != bands:
        raise HsbenchError(f"{array} has the shape {array.shape}; an image of {bands} bands is needed")
    return image
