"""Exchange with the field's MATLAB test package: `.mat` files of `gt` and `sr`, each [B, C, H, W]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import io

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import replacing
from hsfusion_metrics import Indexes, evaluate

FloatArray = NDArray[np.float64]
_Result = TypeVar("_Result")

_NAMES = ("gt", "sr")
_NUMERIC = {"double", "single"} | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
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
    _read: Callable[[str, slice], NDArray[Any]]

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[tuple[FloatArray, FloatArray]]:
        count, *image = self.shape
        at_once = max(1, _READ_BYTES // (8 * int(np.prod(image))))
        for start in range(0, count, at_once):
            some = slice(start, start + at_once)
            gt, sr = (_readable(self.path, partial(self._read, name, some)) for name in _NAMES)
            for pair in zip(gt, sr, strict=True):
                reference, estimate = (np.ascontiguousarray(image, dtype=np.float64) for image in pair)
                yield reference, estimate


@contextmanager
def open_batches(path: str | Path) -> Iterator[Batches]:
    """Open a `.mat` file with `gt` and `sr`, each [B, C, H, W], as the MATLAB script expects it.

    A file of version 7.3 is read some samples at a time; of an older one the two variables are read at once,
    in their own type.

    Parameters
    ----------
    path
        A MAT-file of any version from 5 on.

    Yields
    ------
    Batches
        Its samples, as long as the block lasts.

    Raises
    ------
    HsbenchError
        When the file is missing, is not a MAT-file or is damaged; when a variable is missing, not real and
        numeric, not [B, C, H, W], or differs in shape from the other. Damage in the data of a version 7.3
        file shows only when they are read.

    Examples
    --------
    >>> with open_batches("results.mat") as batches:  # doctest: +SKIP
    ...     for gt, sr in batches:
    ...         print(evaluate(gt, sr, ratio=4).psnr)
    """
    path = Path(path)
    if not path.is_file():
        raise HsbenchError(f"{path}: there is no such file")
    if h5py.is_hdf5(path):
        with _readable(path, lambda: h5py.File(path, "r")) as file:
            yield _open_v73(path, file)
    else:
        yield _open_v5(path)


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


def score_file(path: str | Path, *, ratio: float, const: float = 1.0) -> Iterator[Indexes]:
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
                yield evaluate(gt, sr, ratio=ratio, const=const)
            except ValueError as error:
                raise HsbenchError(f"{path}: sample {number} cannot be scored: {error}") from error


def _readable(path: Path, read: Callable[[], _Result]) -> _Result:
    """Call a reader of SciPy or h5py; whatever a damaged file makes it raise becomes one message."""
    try:
        return read()
    except Exception as error:
        raise HsbenchError(f"{path} is not a MAT-file, or is damaged: {error}") from error


def _open_v5(path: Path) -> Batches:
    contents = _readable(path, lambda: io.whosmat(path))
    _require_names(path, [name for name, _, _ in contents])
    described = {name: (shape, kind) for name, shape, kind in contents if name in _NAMES}
    shape = _common_shape(path, described)
    arrays = _readable(path, lambda: io.loadmat(path, variable_names=_NAMES))
    for name in _NAMES:
        if np.iscomplexobj(arrays[name]):
            raise HsbenchError(f"{path}: {name} is complex; real numbers are needed")
    return Batches(path, shape, lambda name, some: arrays[name][some])


def _open_v73(path: Path, file: Any) -> Batches:
    _require_names(path, [name for name in file if not name.startswith("#")])
    # HDF5 counts axes in C's order, MATLAB in Fortran's: what is [B, C, H, W] there is (W, H, C, B) here.
    described = {name: (_v73_shape(file[name]), _v73_kind(file[name])) for name in _NAMES}
    shape = _common_shape(path, described)
    return Batches(path, shape, lambda name, some: file[name][..., some].T)


def _v73_shape(node: Any) -> tuple[int, ...]:
    return tuple(reversed(node.shape)) if isinstance(node, h5py.Dataset) else ()


def _v73_kind(node: Any) -> str:
    if not isinstance(node, h5py.Dataset):
        return "struct"
    if node.dtype.names == ("real", "imag"):
        return "complex"
    stated = node.attrs.get("MATLAB_class", b"")
    if stated:
        return stated.decode() if isinstance(stated, bytes) else str(stated)
    return "double" if node.dtype.kind in "iuf" else str(node.dtype)


def _require_names(path: Path, present: list[str]) -> None:
    missing = [name for name in _NAMES if name not in present]
    if missing:
        there = ", ".join(sorted(present)) or "nothing"
        raise HsbenchError(f"{path} has no variable {' and no '.join(missing)}; it holds {there}")


def _common_shape(path: Path, described: Mapping[str, tuple[tuple[int, ...], str]]) -> tuple[int, int, int, int]:
    """Check the shapes and MATLAB classes of both variables, and return their shape."""
    for name, (shape, kind) in described.items():
        if kind not in _NUMERIC:
            raise HsbenchError(f"{path}: {name} is {kind}; real numbers are needed")
        if len(shape) != 4 or 0 in shape:
            raise HsbenchError(
                f"{path}: {name} has the shape {shape}; [B, C, H, W] is needed, with B = 1 for a single image"
            )
    gt, sr = (described[name][0] for name in _NAMES)
    if gt != sr:
        raise HsbenchError(f"{path}: gt and sr differ in shape: gt {gt}, sr {sr}")
    batch, bands, height, width = gt
    return batch, bands, height, width


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
