"""Exchange with the field's MATLAB test package: `.mat` files of batches [B, C, H, W], written, read and scored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import io

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import replacing
from hsfusion_bench.matfile import NUMERIC, Variable, open_matfile, readable
from hsfusion_metrics import NYQUIST_GAINS, Indexes, NoReference, evaluate, evaluate_no_reference

FloatArray = NDArray[np.float64]
_Result = TypeVar("_Result")

_NAMES = ("gt", "sr")
_NO_REFERENCE_NAMES = ("sr", "lms", "pan")
_READABLE = NUMERIC | {"logical"}
#: MATLAB reads no larger variable from a file of version 7 or before.
_V7_BYTES = 2**31
#: How much of a variable is read at once: samples interleave, so that one at a time reads the file B times.
_READ_BYTES = 2**28
_V73_TEXT = b"MATLAB 7.3 MAT-file, Platform: any, Created by: hsfusion-bench, HDF5 schema 1.00 ."


@dataclass(frozen=True)
class Batches:
    """An open `.mat` file; iterating gives its samples ``(gt, sr)``, both [C, H, W] in float64.

    Attributes
    ----------
    path
        The file.
    shape
        (B, C, H, W) of both variables.
    """

    path: Path
    shape: tuple[int, int, int, int]
    _variables: tuple[Variable, ...]

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[tuple[FloatArray, FloatArray]]:
        for gt, sr in _samples(self.path, self._variables):  # noqa: UP028 - of two images, which mypy cannot see
            yield gt, sr


@contextmanager
def open_batches(path: str | Path) -> Iterator[Batches]:
    """Open a `.mat` file with `gt` and `sr`, each [B, C, H, W], as the MATLAB script expects it.

    The two may also be the fields of one struct variable. They hold numbers of any real class, or logical
    ones, and are converted to float64 a sample at a time. Whatever the version of the file, no more than 256 MB
    of a variable are read at once, or one sample where that is larger; a compressed variable of version 7 is
    first unpacked into a temporary file.

    Parameters
    ----------
    path
        A MAT-file of version 5, 6, 7 or 7.3.

    Yields
    ------
    Batches
        Its samples, as long as the block lasts.

    Raises
    ------
    HsbenchError
        When the file is missing, is not a MAT-file or is damaged; when a variable is missing, not real and
        numeric (a table, an object, a cell, sparse, complex, char), not [B, C, H, W], or differs in shape from
        the other. Damage in the data shows only when they are read.

    Examples
    --------
    >>> with open_batches("results.mat") as batches:  # doctest: +SKIP
    ...     for gt, sr in batches:
    ...         print(evaluate(gt, sr, ratio=4).psnr)
    """
    path = Path(path)
    with open_matfile(path) as variables:
        labelled = _find(path, variables, _NAMES)
        for label, variable in labelled.items():
            _require_batch(path, label, variable)
        (gt_label, gt), (sr_label, sr) = labelled.items()
        if gt.shape != sr.shape:
            raise HsbenchError(f"{path}: gt and sr differ in shape: {gt_label} {gt.shape}, {sr_label} {sr.shape}")
        batch, bands, height, width = gt.shape
        yield Batches(path, (batch, bands, height, width), (gt, sr))


def write_batches(path: str | Path, pairs: Iterable[tuple[ArrayLike, ArrayLike]], *, count: int) -> None:
    """Write `gt` and `sr`, each [B, C, H, W] in double, to a `.mat` file that the MATLAB script reads.

    The file has version 5, which every MATLAB and Octave reads, where a variable has less than 2 GB; then
    both are assembled in memory. Beyond that it has version 7.3 and is written sample by sample. It appears
    whole or not at all.

    Parameters
    ----------
    path
        The file to write; an existing one is replaced.
    pairs
        The samples ``(gt, sr)``, each image [C, H, W], all of one shape.
    count
        Number of samples, B; it decides on the version before the first is written.

    Raises
    ------
    HsbenchError
        When the samples differ in shape, are not `count`, or the file cannot be written.
    """
    path = Path(path)
    samples = _checked(path, pairs, count)
    first = next(samples)
    shape = (count, *first[0].shape)
    fits = 8 * int(np.prod(shape)) < _V7_BYTES
    with replacing(path) as temporary:
        (_write_v5 if fits else _write_v73)(temporary, shape, _chain(first, samples))


def score_file(path: str | Path, *, ratio: float, const: float = 1.0, workers: int = 1) -> Iterator[Indexes]:
    """Compute the seven indexes of each sample of a `.mat` file.

    With `hsfusion_metrics.summarise` this is ``analysis_ref_batched_images(path, ratio, 0, const)``, computed
    in float64 whatever the type in the file.

    Parameters
    ----------
    path
        A file as `open_batches` reads it.
    ratio
        Resolution ratio, for ERGAS.
    const
        Full scale of the data, for PSNR and SSIM.
    workers
        Number of threads; the values are the same for any.

    Yields
    ------
    Indexes
        Of one sample after the other.

    Raises
    ------
    HsbenchError
        As `open_batches`, and when the images are smaller than 16 x 16 pixels.
    """
    with open_batches(path) as batches:
        for number, (gt, sr) in enumerate(batches, start=1):
            try:
                yield evaluate(gt, sr, ratio=ratio, const=const, workers=workers)
            except ValueError as error:
                raise HsbenchError(f"{path}: sample {number} cannot be scored: {error}") from error


def score_no_reference(
    path: str | Path, *, ratio: int, sensor: str | None = None, workers: int = 1
) -> Iterator[NoReference]:
    """Compute the three indexes without a reference of each sample of a `.mat` file.

    With `hsfusion_metrics.summarise` this is ``analysis_unref_batched_images(path, ratio, sensor)``.

    Parameters
    ----------
    path
        A file as `open_batches` reads it, but with `sr` and `lms` (the low-resolution image, interpolated), both
        [B, C, H, W], and `pan` [B, 1, H, W]. The script loads `ms`, too, but its values do not depend on it.
    ratio
        Resolution ratio, 2 or 4.
    sensor
        One of `hsfusion_metrics.NYQUIST_GAINS`; without it each band has the gain 0.3, as in the script for
        sensors that it does not know.
    workers
        Number of threads; the values are the same for any.

    Yields
    ------
    NoReference
        Of one sample after the other.

    Raises
    ------
    HsbenchError
        As `open_batches`; for an unknown sensor, or one with another number of bands; and when the images have
        sides that are no multiples of 32.
    """
    path = Path(path)
    if sensor is not None and sensor not in NYQUIST_GAINS:
        raise HsbenchError(f"there is no sensor {sensor}; known are {', '.join(NYQUIST_GAINS)}")
    gains = 0.3 if sensor is None else NYQUIST_GAINS[sensor]
    with open_matfile(path) as variables:
        labelled = _find(path, variables, _NO_REFERENCE_NAMES)
        for label, variable in labelled.items():
            _require_batch(path, label, variable)
        if len({variable.shape[0] for variable in labelled.values()}) > 1:
            shapes = ", ".join(f"{label} {variable.shape}" for label, variable in labelled.items())
            raise HsbenchError(f"{path}: sr, lms and pan differ in their number of samples: {shapes}")
        for number, (sr, lms, pan) in enumerate(_samples(path, tuple(labelled.values())), start=1):
            try:
                yield evaluate_no_reference(sr, lms, pan, ratio=ratio, gains=gains, workers=workers)
            except ValueError as error:
                raise HsbenchError(f"{path}: sample {number} cannot be scored: {error}") from error


def _find(path: Path, variables: Mapping[str, Variable], names: Sequence[str]) -> dict[str, Variable]:
    """Find the variables of these names, or the one struct that has them as fields; by what to call them."""
    if all(name in variables for name in names):
        return {name: variables[name] for name in names}
    structs = {name: readable(path, variable.fields) for name, variable in variables.items()}
    holding = [name for name, fields in structs.items() if all(field in fields for field in names)]
    if len(holding) > 1:
        raise HsbenchError(f"{path}: {' and '.join(holding)} all have the fields {', '.join(names)}; keep one of them")
    if holding:
        [struct] = holding
        return {f"{struct}.{name}": structs[struct][name] for name in names}
    missing = [name for name in names if name not in variables]
    there = ", ".join(sorted(variables)) or "nothing"
    raise HsbenchError(f"{path} has no variable {' and no '.join(missing)}; it holds {there}")


def _require_batch(path: Path, label: str, variable: Variable) -> None:
    if variable.kind not in _READABLE:
        raise HsbenchError(f"{path}: {label} is {variable.kind}; real numbers are needed")
    if len(variable.shape) != 4 or 0 in variable.shape:
        raise HsbenchError(
            f"{path}: {label} has the shape {variable.shape}; [B, C, H, W] is needed, with B = 1 for a single image"
        )


def _samples(path: Path, variables: Sequence[Variable]) -> Iterator[tuple[FloatArray, ...]]:
    """Give the samples of variables that are batches [B, ...] of one length, in float64."""
    count = variables[0].shape[0]
    largest = max(int(np.prod(variable.shape[1:])) for variable in variables)
    at_once = max(1, _READ_BYTES // (8 * largest))
    for start in range(0, count, at_once):
        some = slice(start, start + at_once)
        parts = [readable(path, partial(variable.read, (some,))) for variable in variables]
        for images in zip(*parts, strict=True):
            # Copies, so that none keeps the whole part while the next is read.
            yield tuple(np.array(image, dtype=np.float64) for image in images)
        del parts, images


def _checked(
    path: Path, pairs: Iterable[tuple[ArrayLike, ArrayLike]], count: int
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Give the samples in float64, all of the first one's shape, `count` of them and at least one."""
    number = 0
    shape: tuple[int, ...] = ()
    for number, pair in enumerate(pairs, start=1):
        gt, sr = (np.asarray(image, dtype=np.float64) for image in pair)
        shape = shape or gt.shape
        if len(shape) != 3 or gt.shape != shape or sr.shape != shape:
            raise HsbenchError(
                f"{path}: sample {number} does not fit: gt {gt.shape}, sr {sr.shape}; "
                "all images of a file need one shape [C, H, W]"
            )
        if number > count:
            break
        yield gt, sr
    if number != count or not count:
        raise HsbenchError(f"{path}: {count} samples were announced, {number} or more came")


def _chain(first: _Result, rest: Iterator[_Result]) -> Iterator[_Result]:
    yield first
    yield from rest


def _write_v5(path: Path, shape: tuple[int, ...], samples: Iterator[tuple[FloatArray, FloatArray]]) -> None:
    arrays = {name: np.empty(shape, order="F") for name in _NAMES}
    for number, pair in enumerate(samples):
        for name, image in zip(_NAMES, pair, strict=True):
            arrays[name][number] = image
    io.savemat(path, arrays, appendmat=False)


def _write_v73(path: Path, shape: tuple[int, ...], samples: Iterator[tuple[FloatArray, FloatArray]]) -> None:
    batch, bands, height, width = shape
    with h5py.File(path, "w", userblock_size=512) as file:
        for name in _NAMES:
            # A chunk is one band of one sample: samples are written and read without their neighbours.
            stored = file.create_dataset(name, (width, height, bands, batch), dtype="<f8", chunks=(width, height, 1, 1))
            stored.attrs["MATLAB_class"] = np.bytes_("double")
        for number, pair in enumerate(samples):
            for name, image in zip(_NAMES, pair, strict=True):
                file[name][..., number] = image.T
    # The block before HDF5's own: 116 bytes of text, 8 of no subsystem, version 2.0 and the byte order.
    header = _V73_TEXT.ljust(116) + bytes(8) + b"\x00\x02IM"
    with path.open("r+b") as raw:
        raw.write(header)
