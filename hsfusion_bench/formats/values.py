"""What stored numbers mean: which of them are holes, where these are, and the quantities that the others stand for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.matfile import Index
from hsfusion_bench.formats.notes import note
from hsfusion_bench.formats.stated import Stated

Mask: TypeAlias = NDArray[np.bool_]

#: No signal is as large; such numbers are written rounded, as -3.40282e+38 is, and are told from others all the same.
_NO_SIGNAL, _ROUNDED = 1e30, 1e-5
#: Relative difference of two full scales that are the same number, once in single and once in double precision.
_SAME = 1e-6
#: Values that fill less of a full scale were hardly meant by it: of the user's own, and of the file's or 1.
_FILLED, _DARK = 1 / 4, 1 / 100
#: What to do about pixels without a value.
_ADVICE = "cut out a region without them, or fill them, and save it again"


class HolesError(HsbenchError):
    """Some pixels that were asked for have no value.

    Attributes
    ----------
    holes
        Where they are.
    """

    def __init__(self, where: str, holes: Holes, advice: str) -> None:
        super().__init__(f"{where}: {holes}; {advice}")
        self.holes = holes


@dataclass(frozen=True)
class Holes:
    """Where pixels of an image have no value.

    Attributes
    ----------
    pixels
        Those of the region [H, W] that lack it in one band at least.
    counts
        How many lack it, of each band.
    row, column
        Where the region begins in the file.
    words
        The file's statement of what is no value.
    """

    pixels: Mask
    counts: tuple[int, ...]
    row: int
    column: int
    words: str

    def __str__(self) -> str:
        """Say the share, the place, and the file's own statement."""
        rows, columns = (np.flatnonzero(self.pixels.any(axis=axis)) for axis in (1, 0))
        share = 100 * np.count_nonzero(self.pixels) / self.pixels.size
        struck, whole = sum(count > 0 for count in self.counts), len(self.empty)
        bands = f"all {len(self.counts)}" if struck == len(self.counts) else f"{struck} of {len(self.counts)}"
        wholly = f" ({whole} of them wholly)" if whole else ""
        return (
            f"{max(share, 0.01):.3g} % of the pixels have no value ({self.words}): within rows "
            f"{self.row + rows[0]} to {self.row + rows[-1]} and columns {self.column + columns[0]} to "
            f"{self.column + columns[-1]}, counted from 0, in {bands} bands{wholly}"
        )

    @property
    def empty(self) -> tuple[int, ...]:
        """Bands, from 0, that have no value at all."""
        return tuple(band for band, count in enumerate(self.counts) if count == self.pixels.size)

    @property
    def remedies(self) -> str:
        """Say what of a TOML description leaves the holes out."""
        free, ways = self.free, []
        if free is not None:
            (top, bottom), (left, right) = free
            ways.append(
                f'holes = "crop" for the largest rectangle without them (rows = [{top}, {bottom}], columns = [{left}, '
                f"{right}])"
            )
        if 0 in self.counts:
            ways.append(f'holes = "drop-bands" for the {self.counts.count(0)} bands without them')
        return ", or ".join(ways) or "a region that has values"

    @property
    def free(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """The largest rectangle without holes: rows and columns, first and one after the last; None if there is none.

        Of several that are as large, the first one from the top and then the left.
        """
        best, found = 0, None
        height, width = self.pixels.shape
        depths = np.zeros(width + 1, int)  # of the columns above, without holes; a last one ends every rectangle
        for row in range(height):
            depths[:-1] = np.where(self.pixels[row], 0, depths[:-1] + 1)
            open_: list[tuple[int, int]] = []  # first column and depth, ever deeper
            # where it is another than before: these are few, as holes lie together
            for column in [0, *(np.flatnonzero(np.diff(depths)) + 1).tolist(), width]:
                start, depth = column, int(depths[column])
                while open_ and open_[-1][1] >= depth:
                    start, high = open_.pop()
                    if (area := high * (column - start)) > best:
                        best, found = area, ((row + 1 - high, row + 1), (start, column))
                open_.append((start, depth))
        if found is None:
            return None
        rows, columns = found
        return (
            (self.row + rows[0], self.row + rows[1]),
            (self.column + columns[0], self.column + columns[1]),
        )


def holes_in(part: NDArray[Any], no_data: Sequence[float]) -> Mask:
    """Return which stored numbers stand for no value, compared in their own type.

    Parameters
    ----------
    part
        As stored, of any shape.
    no_data
        `Stated.no_data`. A number that the type cannot hold matches nothing.
    """
    found = np.zeros(part.shape, np.bool_)
    for value in no_data:
        found |= _equal(part, value)
    return found


def _equal(part: NDArray[Any], value: float) -> Mask:
    kind = part.dtype.type
    if part.dtype.kind in "iu":
        whole = math.isfinite(value) and value == int(value)
        limits = np.iinfo(part.dtype)
        held = whole and limits.min <= int(value) <= limits.max
        return np.asarray(part == kind(int(value))) if held else np.zeros(part.shape, np.bool_)
    if math.isnan(value):
        return np.asarray(np.isnan(part))
    if math.isfinite(value) and abs(value) >= _NO_SIGNAL:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(np.abs(part.astype(np.float64) - value) <= _ROUNDED * abs(value))
    with np.errstate(over="ignore"):
        same = kind(value)
    return np.asarray((part == same) & (np.isfinite(same) or math.isinf(value)))


def calibrated(part: NDArray[Any], stated: Stated, bands: Any, axis: int | None, where: str) -> NDArray[Any]:
    """Return the quantities that stored numbers stand for: number x gain + offset, in float64; a note is logged.

    Parameters
    ----------
    part
        As stored; returned as it is where there is no calibration.
    stated
        What the file states.
    bands, axis
        Which bands of the file the part has, as an index of them, and along which axis; None: it has none.
    where
        The array, for messages.

    Raises
    ------
    HsbenchError
        If there are gains or offsets for each band, and it is not told which bands these are.
    """
    if not stated.calibrates:
        return part
    note(f"{where}: its calibration is applied: {stated.calibration_words}")
    with np.errstate(invalid="ignore"):  # a NaN of a kind that signals
        values = part.astype(np.float64)
    for numbers, apply in ((stated.gains, np.multiply), (stated.offsets, np.add)):
        each: Any = np.array(numbers, np.float64)
        if len(each) > 1:
            if axis is None:
                raise HsbenchError(
                    f"{where} has {stated.calibration_words} for each of {len(each)} bands, but which axis has the "
                    "bands cannot be told"
                )
            each = each[bands]
            each = each.reshape([-1 if place == axis else 1 for place in range(values.ndim)]) if each.ndim else each
        if len(numbers):
            with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is told by who asked
                apply(values, each, out=values)
    return values


def require_fitting(stated: Stated, bands: int, where: str) -> None:
    """Refuse gains and offsets of another number than the bands, and marks of bands that are none.

    Raises
    ------
    HsbenchError
        If so; the message has both numbers.
    """
    for what, numbers in (("gains", stated.gains), ("offsets", stated.offsets)):
        if len(numbers) not in (0, 1, bands):
            raise HsbenchError(
                f"{where}: {len(numbers)} {what} are stated ({stated.calibration_words}) for {bands} bands; correct or "
                "remove them"
            )
    if stated.bad_bands and max(stated.bad_bands) >= bands:
        raise HsbenchError(
            f"{where}: {stated.bad_bands_words}, but there are {bands} bands; correct or remove what the file says of "
            "bad bands"
        )


def meant(part: NDArray[Any], stated: Stated, index: Index, axes: str, where: str) -> NDArray[Any]:
    """Return the quantities of a part; where it has holes, there are none to return.

    Parameters
    ----------
    part, stated
        Numbers as stored, and what the file states of them.
    index
        What of the array it is.
    axes
        The axes of the array by letters; empty: not known.
    where
        The array, for messages.

    Raises
    ------
    HsbenchError
        If some are holes; the message tells the share and the place. Or as `calibrated`.
    """
    left = "".join(letter for letter, some in zip(axes, index, strict=True) if isinstance(some, slice)) if axes else ""
    holes = holes_in(part, stated.no_data) if stated.no_data else None
    if holes is not None and holes.any():
        if {*"CHW"} <= {*left}:
            others = [place for place, letter in enumerate(left) if letter not in "CHW"]
            turned = holes.transpose([*others, *(left.index(letter) for letter in "CHW")])
            image: Mask = np.asarray(turned.reshape(-1, *turned.shape[len(others) :]).any(axis=0))
            row, column = (_first(index[axes.index(letter)]) for letter in "HW")
            counts = tuple(int(count) for count in image.sum(axis=(1, 2)))
            raise HolesError(
                where, Holes(np.asarray(image.any(axis=0)), counts, row, column, stated.no_data_words), _ADVICE
            )
        share, first = 100 * np.count_nonzero(holes) / holes.size, [int(place) for place in np.argwhere(holes)[0]]
        raise HsbenchError(
            f"{where}: {max(share, 0.01):.3g} % of the numbers stand for no value ({stated.no_data_words}), the first "
            f"at {first}; {_ADVICE}"
        )
    if not stated.calibrates:
        return part
    place = axes.index("C") if "C" in axes else None
    if place is not None and isinstance(index[place], slice):
        return calibrated(part, stated, index[place], left.index("C"), where)
    return calibrated(part, stated, None if place is None else index[place], place, where)


def _first(some: slice | int) -> int:
    return (some.start or 0) if isinstance(some, slice) else some


def divisor(stated: Stated, const: float, where: str, option: str, highest: float = 0.0) -> float:
    """Return what the quantities of an array are divided by, where the user states a full scale.

    Where the file states one too, the two must agree; but a greater one is taken where quantities go beyond the file's,
    as those of clouds and roofs do. A const that is the full scale of the stored numbers, 1 / gain, says the same as
    the gain, which has been applied.

    Parameters
    ----------
    stated
        What the file states.
    const
        What the user states.
    where, option
        The array, and how the user states the full scale, for messages.
    highest
        The greatest quantity, where that is known.

    Raises
    ------
    HsbenchError
        If the two differ; the message has both numbers.
    """
    agreed = stated.full_scale is None or math.isclose(const, stated.full_scale, rel_tol=_SAME)
    if stated.full_scale is not None and not agreed and not const > stated.full_scale < highest:
        raise HsbenchError(
            f"{where}: the file states {stated.calibration_words}, so that {stated.full_scale:g} is full scale, but "
            f"{option} is {const:g}: state {stated.full_scale:g}, or correct the file"
        )
    gain = stated.only_gain
    if stated.full_scale is None and gain is not None and math.isclose(const * gain, 1, rel_tol=_SAME):
        return 1.0
    return const


def stated_full_scale(stated: Stated, where: str) -> float:
    """Return what quantities are divided by if nobody says: the full scale that a file states, with a note, or 1."""
    if stated.full_scale is None:
        return 1.0
    note(f"{where}: its full scale is {stated.full_scale:g} ({stated.calibration_words})")
    return stated.full_scale


def require_finite(cube: NDArray[np.float64], where: str) -> None:
    """Refuse an image [bands, H, W] with numbers that are NaN or infinite, and say where they are.

    Raises
    ------
    HolesError
        If there are some.
    """
    if np.isfinite(cube.sum()):  # in place of a mask of the whole image
        return
    wrong = ~np.isfinite(cube)
    if wrong.any():
        counts = tuple(int(count) for count in wrong.sum(axis=(1, 2)))
        raise HolesError(where, Holes(np.asarray(wrong.any(axis=0)), counts, 0, 0, "they are NaN or infinite"), _ADVICE)


def require_filled(stated: Stated, highest: float, full_scale: float, where: str) -> None:
    """Refuse calibration and full scale that do not go together, such as a full scale that is of the stored numbers.

    Parameters
    ----------
    stated
        What the file states.
    highest
        The greatest quantity.
    full_scale
        What it is divided by.
    where
        As of `divisor`.

    Raises
    ------
    HsbenchError
        If the quantities fill too little of the full scale.
    """
    due = _DARK if full_scale in (1, stated.full_scale) else _FILLED
    if (stated.calibrates or stated.full_scale is not None) and highest < due * full_scale:
        raise HsbenchError(
            f"{where}: the file states {stated.calibration_words}, by which its values reach {highest:g}, but that "
            f"hardly fills a full scale of {full_scale:g}: state the full scale of the calibrated values, or correct "
            "the file if they were calibrated before"
        )
    if full_scale > 1 and 0 < highest < _DARK * full_scale:
        raise HsbenchError(
            f"{where}: the values reach {highest:g}, which hardly fills the full scale of {full_scale:g} stated for "
            "them; state another"
        )
