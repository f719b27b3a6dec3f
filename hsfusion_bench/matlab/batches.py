"""Exchange with the field's MATLAB test package: `.mat` files of batches [B, C, H, W], written, read and scored."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

import hsfusion_metrics
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import replacing
from hsfusion_bench.formats.matfile import NUMERIC, Variable, open_matfile, readable
from hsfusion_bench.matlab.interleaved import each_sample, sizes_of, taken_apart
from hsfusion_bench.matlab.processes import FloatArray
from hsfusion_metrics import NYQUIST_GAINS, Indexes, NoReference

_Result = TypeVar("_Result")

_NAMES = ("gt", "sr")
_NO_REFERENCE_NAMES = ("sr", "lms", "pan")
_READABLE = NUMERIC | {"logical"}
#: Orders of axes that are read; the script's is the first.
LAYOUTS: Final = ("BCHW", "BHWC", "HWCB", "HWC", "CHW")
_SCRIPTS: Final = LAYOUTS[0]
#: The shortest side of an image whose shape tells which axes are rows and columns.
_SIDE = 64
#: As `channel_axis`: the axes are known by `require_axes`.
FIRST_AXIS = -3
#: MATLAB reads no larger variable from a file of version 7 or before.
_V7_BYTES = 2**31
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
    _layout: str = "BCHW"

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[tuple[FloatArray, FloatArray]]:
        with taken_apart(self.path, self._variables, layout=self._layout) as (gt, sr):
            for number in range(len(self)):
                yield gt[number], sr[number]

    def score(self, work: Callable[..., _Result], workers: int = 1, *, in_class: bool = False) -> Iterator[_Result]:
        """Call ``work(gt, sr, workers=threads)`` for each sample, in float64 or in the variables' classes.

        See `interleaved.each_sample`.
        """
        named = zip(_NAMES, self._variables, strict=True)
        given_as = [type_of(variable.kind, name) for name, variable in named] if in_class else []
        return each_sample(self.path, self._variables, work, workers=workers, given_as=given_as, layout=self._layout)


@contextmanager
def open_batches(path: str | Path, layout: str | None = None) -> Iterator[Batches]:
    """Open a `.mat` file with `gt` and `sr`, each [B, C, H, W], as the MATLAB script expects it.

    The two may also be the fields of one struct variable. They hold numbers of any real class, or logical
    ones, and are converted to float64 a sample at a time: no more than one is in memory, whatever the version
    of the file. They are first taken apart into temporary files as large as the variables; one that is
    compressed (version 7) is unpacked into another before.

    Parameters
    ----------
    path
        A MAT-file of version 5, 6, 7 or 7.3.
    layout
        Order of the axes, one of `LAYOUTS`; None: the script's, "BCHW", unless the shape looks like another one.

    Yields
    ------
    Batches
        Its samples, as long as the block lasts.

    Raises
    ------
    HsbenchError
        When the file is missing, is not a MAT-file or is damaged; when a variable is missing, not real and
        numeric (a table, an object, a cell, sparse, complex, char), not of these axes, or differs in shape from
        the other. Damage in the data shows only when they are read.

    Examples
    --------
    >>> with open_batches("results.mat") as batches:  # doctest: +SKIP
    ...     for gt, sr in batches:
    ...         print(hsfusion_metrics.score(gt, sr, ratio=4).psnr)
    """
    path = Path(path)
    with open_matfile(path) as variables:
        labelled = _batches(path, variables, _NAMES, layout)
        (gt_label, gt), (sr_label, sr) = labelled.items()
        if gt.shape != sr.shape:
            raise HsbenchError(f"{path}: gt and sr differ in shape: {gt_label} {gt.shape}, {sr_label} {sr.shape}")
        sizes = sizes_of(gt.shape, layout or _SCRIPTS)
        shape = (sizes.get("B", 1), sizes["C"], sizes["H"], sizes["W"])
        yield Batches(path, shape, (gt, sr), layout or _SCRIPTS)


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


def write_variables(path: Path, variables: Mapping[str, NDArray[np.float64]]) -> None:
    """Write arrays in double to a `.mat` file that MATLAB reads, whole or not at all.

    Parameters
    ----------
    path
        The file to write; an existing one is replaced.
    variables
        By name. Where one has 2 GB or more, the file has version 7.3, else version 5.

    Raises
    ------
    HsbenchError
        When the file cannot be written.
    """
    with replacing(path) as temporary:
        if max(array.nbytes for array in variables.values()) < _V7_BYTES:
            from scipy import io  # it takes long to import, and only who writes such a file needs it

            io.savemat(temporary, dict(variables), appendmat=False)
            return
        with _v73(temporary) as file:
            for name, array in variables.items():
                _declare(file.create_dataset(name, data=array.T))


def score_file(
    path: str | Path,
    *,
    ratio: float,
    const: float = 1.0,
    workers: int = 1,
    as_matlab: bool = False,
    any_scale: bool = False,
    layout: str | None = None,
) -> Iterator[Indexes]:
    """Compute the seven indexes of each sample of a `.mat` file.

    With `hsfusion_metrics.summarise` this is ``analysis_ref_batched_images(path, ratio, 0, const)``, computed
    in float64 whatever the class in the file, unless `as_matlab` is said.

    Parameters
    ----------
    path
        A file as `open_batches` reads it.
    ratio
        Resolution ratio, for ERGAS.
    const
        Full scale of the data, for PSNR and SSIM.
    workers
        How many samples are scored at a time, each in a process of its own and in its memory; a single one is
        scored in threads. The values are the same for any number. As for all of Python's processes, a script that
        asks for several does so below ``if __name__ == "__main__":``.
    as_matlab
        Compute in the classes of the variables, as the script does in GNU Octave; see `hsfusion_metrics.in_class`.
    any_scale
        Score values far from `const`, and images at different scales, all the same.
    layout
        As in `open_batches`.

    Yields
    ------
    Indexes
        Of one sample after the other.

    Raises
    ------
    HsbenchError
        As `open_batches`; when the images are smaller than 16 x 16 pixels; when they do not lie at the full scale, see
        `hsfusion_metrics.scale_doubt`; with `as_matlab`, where the script cannot compute in the classes.
    """
    with open_batches(path, layout) as batches:
        work = partial(scored, ratio=ratio, const=const, as_matlab=as_matlab, any_scale=any_scale)
        yield from batches.score(work, workers, in_class=as_matlab)


def scored(
    gt: NDArray[Any], sr: NDArray[Any], *, ratio: float, const: float, as_matlab: bool, any_scale: bool, workers: int
) -> Indexes:
    """Score one sample, or raise ValueError where it does not lie at the full scale."""
    if not any_scale and (doubt := hsfusion_metrics.scale_doubt(np.asarray(gt), np.asarray(sr), const)):
        raise ValueError(f"{doubt}. --const names the full scale; --any-scale scores it as it is")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", hsfusion_metrics.ScaleWarning)
        return hsfusion_metrics.score(
            gt, sr, ratio=ratio, const=const, channel_axis=FIRST_AXIS, workers=workers, as_matlab=as_matlab
        )


def score_no_reference(
    path: str | Path,
    *,
    ratio: int,
    sensor: str | None = None,
    workers: int = 1,
    as_matlab: bool = False,
    any_scale: bool = False,
    layout: str | None = None,
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
    workers, as_matlab, layout
        As in `score_file`.
    any_scale
        Score values that are no counts, and images at different scales, all the same.

    Yields
    ------
    NoReference
        Of one sample after the other.

    Raises
    ------
    HsbenchError
        As `open_batches`; for an unknown sensor, or one with another number of bands; when the images have
        sides that are no multiples of 32; and when they are no counts, see `hsfusion_metrics.no_reference_doubt`.
    """
    path = Path(path)
    gains = nyquist_gains(sensor)
    with open_matfile(path) as variables:
        labelled = _batches(path, variables, _NO_REFERENCE_NAMES, layout)
        if len({sizes_of(variable.shape, layout or _SCRIPTS).get("B") for variable in labelled.values()}) > 1:
            shapes = ", ".join(f"{label} {variable.shape}" for label, variable in labelled.items())
            raise HsbenchError(f"{path}: sr, lms and pan differ in their number of samples: {shapes}")
        work = partial(scored_without_reference, ratio=ratio, gains=gains, as_matlab=as_matlab, any_scale=any_scale)
        found = list(labelled.values())
        given_as = [type_of(variable.kind, label) for label, variable in labelled.items()] if as_matlab else []
        yield from each_sample(path, found, work, workers=workers, given_as=given_as, layout=layout or _SCRIPTS)


def scored_without_reference(
    sr: NDArray[Any],
    lms: NDArray[Any],
    pan: NDArray[Any],
    *,
    ratio: int,
    gains: float | Sequence[float],
    as_matlab: bool,
    any_scale: bool,
    workers: int,
) -> NoReference:
    """Score one sample without a reference, or raise ValueError where it is no counts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if any_scale else "error", hsfusion_metrics.ScaleWarning)
        try:
            return hsfusion_metrics.score_no_reference(
                sr,
                lms,
                pan,
                ratio=ratio,
                gains=gains,
                channel_axis=FIRST_AXIS,
                workers=workers,
                as_matlab=as_matlab,
            )
        except hsfusion_metrics.ScaleWarning as doubt:  # told last: images that do not fit are another matter
            raise ValueError(
                f"{doubt}; `hsbench fuse --counts 10000` writes counts. --any-scale scores it as it is"
            ) from doubt


def number_classes(path: str | Path, *, no_reference: bool = False, layout: str | None = None) -> dict[str, str]:
    """Tell MATLAB's class of each variable of a file that is scored: "double", "single", "uint8", "logical", ...

    Raises
    ------
    HsbenchError
        As `open_batches`.
    """
    path = Path(path)
    with open_matfile(path) as variables:
        labelled = _batches(path, variables, _NO_REFERENCE_NAMES if no_reference else _NAMES, layout)
        return {label: variable.kind for label, variable in labelled.items()}


def type_of(kind: str, label: str) -> str:
    """Return the NumPy type of one of MATLAB's classes.

    Raises
    ------
    HsbenchError
        For logical arrays, of which the script takes differences that there are none of.
    """
    if kind not in NUMERIC:
        raise HsbenchError(f"{label} is {kind}, in which the script cannot compute; leave out --as-matlab")
    return {"double": "float64", "single": "float32"}.get(kind, kind)


def nyquist_gains(sensor: str | None) -> float | Sequence[float]:
    """Return the gains of a sensor's bands at the Nyquist frequency, as the no-reference script sets them.

    Raises
    ------
    HsbenchError
        If the script does not know the sensor.
    """
    if sensor is None:
        return 0.3
    if sensor not in NYQUIST_GAINS:
        raise HsbenchError(f"there is no sensor {sensor}; known are {', '.join(NYQUIST_GAINS)}")
    return NYQUIST_GAINS[sensor]


def require_axes(shape: Sequence[int], label: str, layout: str | None) -> None:
    """Refuse an array that has not the axes of a layout, or, where none is said, looks like one of another.

    Images are square so often, and bands as many as rows so seldom, that two equal axes of 64 places or more, with a
    third beside them of less than half of that, are taken for rows and columns.

    Parameters
    ----------
    shape
        Of the array.
    label
        What the message starts with.
    layout
        One of `LAYOUTS`, or None.

    Raises
    ------
    HsbenchError
        If it is so; the message names the layout that fits.
    """
    told = f"{label} has the shape {tuple(shape)}"
    if layout is not None:
        if not len(layout.rstrip("BC")) <= len(shape) <= len(layout) or 0 in shape:
            raise HsbenchError(f"{told}, which is not {spelt(layout)}, as --layout says")
        return
    likely = _likely_layout(shape)
    if len(shape) != 4 or 0 in shape:
        hint = f"; if it is {spelt(likely)}, say --layout {likely}" if likely else ""
        raise HsbenchError(f"{told}; [B, C, H, W] is needed, with B = 1 for a single image{hint}")
    if likely:
        raise HsbenchError(
            f"{told}, which looks like {spelt(likely)}; the script takes it for [B, C, H, W]. --layout {likely} reads "
            f"it as what it looks like, --layout {_SCRIPTS} as the script does"
        )


def _likely_layout(shape: Sequence[int]) -> str:
    """Return the layout that a shape looks like, if that is not the script's."""
    for layout in LAYOUTS:
        if len(layout) == len(shape) and layout != _SCRIPTS:
            sizes = sizes_of(shape, layout)
            square = sizes["H"] == sizes["W"] >= _SIDE and sizes["H"] > 2 * sizes["C"]
            # 128 patches of 128 bands, 32 x 32: the script's order fits as well
            if square and (len(shape) == 3 or shape[2] != shape[3]):
                return layout
    return ""


def spelt(layout: str) -> str:
    """Return a layout as people write it: "[B, C, H, W]"."""
    return f"[{', '.join(layout)}]"


def _batches(
    path: Path, variables: Mapping[str, Variable], names: Sequence[str], layout: str | None
) -> dict[str, Variable]:
    """Find the variables of these names, and make sure that they are batches."""
    labelled = _find(path, variables, names)
    for label, variable in labelled.items():
        if variable.kind not in _READABLE:
            raise HsbenchError(f"{path}: {label} is {variable.kind}; real numbers are needed")
        require_axes(variable.shape, f"{path}: {label}", layout)
    return labelled


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
    from scipy import io

    arrays = {name: np.empty(shape, order="F") for name in _NAMES}
    for number, pair in enumerate(samples):
        for name, image in zip(_NAMES, pair, strict=True):
            arrays[name][number] = image
    io.savemat(path, arrays, appendmat=False)


def _write_v73(path: Path, shape: tuple[int, ...], samples: Iterator[tuple[FloatArray, FloatArray]]) -> None:
    batch, bands, height, width = shape
    with _v73(path) as file:
        for name in _NAMES:
            # A chunk is one band of one sample: samples are written and read without their neighbours.
            _declare(
                file.create_dataset(name, (width, height, bands, batch), dtype="<f8", chunks=(width, height, 1, 1))
            )
        for number, pair in enumerate(samples):
            for name, image in zip(_NAMES, pair, strict=True):
                file[name][..., number] = image.T


@contextmanager
def _v73(path: Path) -> Iterator[Any]:
    """Open a new file of version 7.3."""
    with h5py.File(path, "w", userblock_size=512) as file:
        yield file
    # The block before HDF5's own: 116 bytes of text, 8 of no subsystem, version 2.0 and the byte order.
    header = _V73_TEXT.ljust(116) + bytes(8) + b"\x00\x02IM"
    with path.open("r+b") as raw:
        raw.write(header)


def _declare(dataset: Any) -> None:
    dataset.attrs["MATLAB_class"] = np.bytes_("double")
