"""A cube in somebody's file: which array it is, how its axes lie, and its values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.arrays import StoredArray
from hsfusion_bench.formats.finding import CUBE, assignments, find_array, last, told
from hsfusion_bench.formats.matfile import Index
from hsfusion_bench.formats.notes import note
from hsfusion_bench.formats.values import Holes, HolesError, calibrated, holes_in, require_fitting
from hsfusion_bench.formats.wavelengths import in_nanometres, unit_named

Cube: TypeAlias = NDArray[np.float32]
#: First one, from 0, and the one after the last.
Limits: TypeAlias = tuple[int, int]

#: Names under which the centres of their bands are kept beside them.
_WAVELENGTH_KEYS = ("wavelengths", "wavelength", "wave", "wavelen", "wl", "lambda")
#: How much of a file is read at once.
_READ_BYTES = 2**25


def find_cube(arrays: Mapping[str, StoredArray], path: Path, keys: Sequence[str] = ()) -> StoredArray:
    """Return the array of a file that holds the cube, with the wavelengths that the file states.

    Parameters
    ----------
    arrays
        What the file holds.
    path
        The file, for messages.
    keys
        Names that the array may have, the likeliest first; none: as `finding.CUBE` has them.

    Raises
    ------
    HsbenchError
        If there is none of these names, or it cannot be told which; the message says what there is.
    """
    array = find_array(arrays, path, CUBE, keys)
    return array if array.wavelengths else replace(array, wavelengths=_beside(arrays, array))


def _beside(arrays: Mapping[str, StoredArray], cube: StoredArray) -> tuple[float, ...]:
    """Return the wavelengths of an array of a usual name and of as many numbers as the cube may have bands."""
    for usual in _WAVELENGTH_KEYS:
        for name, array in arrays.items():
            key, unit = _with_unit(last(name).lower())
            if key == usual and prod(array.shape) == max(array.shape) in cube.shape:
                centres = array.read(tuple(slice(None) for _ in array.shape)).ravel()
                try:
                    if nanometres := in_nanometres([float(centre) for centre in centres], unit, f"{array}"):
                        return nanometres
                except HsbenchError as error:  # it may be of something else, and the cube is one all the same
                    note(f"{error}: the wavelengths of the bands are unknown")
    return ()


def _with_unit(name: str) -> tuple[str, str]:
    """Split a name such as "wavelengths_um" into the name and the unit, which may be empty."""
    key, _, unit = name.rpartition("_")
    return (key, unit) if unit_named(unit) else (name, "")


def reshaped(array: StoredArray, shape: tuple[int, ...]) -> StoredArray:
    """Split the axes of an array further, the last index running fastest; it is then read whole each time.

    Raises
    ------
    HsbenchError
        If the number of values differs.
    """
    if prod(shape) != prod(array.shape):
        raise HsbenchError(f"{array} has the shape {told(array.shape)}, which cannot be taken for {told(shape)}")

    def read(index: Index) -> NDArray[Any]:
        whole = array.numbers(tuple(slice(None) for _ in array.shape))
        part: NDArray[Any] = whole.reshape(shape)[index]
        return part

    return replace(array, shape=shape, axes="", _read=read)


def axes_of(
    array: StoredArray,
    *,
    layout: str | None = None,
    bands: int | None = None,
    size: tuple[int, int] | None = None,
) -> str:
    """Name the axes of a cube, in order, by the letters C, H and W.

    Parameters
    ----------
    array
        The cube.
    layout
        What they are, if that is known. What the file states itself must agree, and is never guessed.
    bands, size
        Number of bands, height and width, as far as they are known. Where nothing is, the axis that differs from
        two equal ones has the bands, or else the last one if it is the shortest. Rows come before columns unless
        the size says otherwise.

    Raises
    ------
    HsbenchError
        If the array is no such cube, or its axes cannot be told; the message says what to state.
    """
    shape = array.shape
    known = {"C": bands, "H": size and size[0], "W": size and size[1]}
    fitting = assignments(shape, known) if len(shape) == 3 else ()
    ways = [way for way in fitting if layout in (None, way) and array.axes in ("", way)]
    if layout is None and not array.axes and (size is None or size[0] == size[1]):
        ways = [way for way in ways if way.index("H") < way.index("W")]
    if len(ways) > 1 and bands is None and size is None:
        ways = _likely(shape, ways)
    if len(ways) == 1:
        return ways[0]
    stated = ", ".join(
        [f"{bands} bands"] * (bands is not None)
        + [f"height {side[0]}, width {side[1]}" for side in [size] if side]
        + [f"axes {layout}"] * (layout is not None)
        + [f"axes {array.axes}, as the file states"] * bool(array.axes)
    )
    if layout is not None and array.axes not in ("", layout):
        raise HsbenchError(
            f"{array}: the file states that its axes are {array.axes}, {told(shape)}, so that layout = "
            f'"{layout}" cannot be; leave it out'
        )
    if not ways:
        raise HsbenchError(f"{array} has the shape {told(shape)}, which is not a cube of {stated or 'three axes'}")
    raise HsbenchError(
        f"{array} has the shape {told(shape)}, whose axes may be {' or '.join(ways)}: say which in a TOML file that "
        f'describes it, as layout = "{ways[0]}"'
    )


def _likely(shape: Sequence[int], ways: list[str]) -> list[str]:
    """Return the one way that the shape speaks for, or all of them."""
    equal = [way for way in ways if shape[way.index("H")] == shape[way.index("W")] != shape[way.index("C")]]
    if len(equal) == 1:
        return equal
    return ["HWC"] if shape[2] < min(shape[:2]) and "HWC" in ways else ways


def read_cube(
    array: StoredArray,
    axes: str,
    *,
    rows: Limits | None = None,
    columns: Limits | None = None,
    keep: Sequence[int] | None = None,
) -> Cube:
    """Read a region of a cube, float32 [bands, H, W], a few bands at a time; calibrated where the file says how.

    Parameters
    ----------
    array, axes
        The cube, and what its axes are.
    rows, columns
        First one, from 0, and the one after the last; None: all.
    keep
        Bands to keep, from 0, ascending; None: all.

    Raises
    ------
    HolesError
        If pixels of the region stand for no value, as the file states.
    HsbenchError
        If the region is not within the cube, the file is damaged, or its calibration does not fit the bands.
    """
    (height, width), kept = _region(array, axes, rows, columns, keep)
    cube = np.empty((len(kept), height, width), np.float32)
    for here, part in _parts(array, axes, rows, columns, kept):
        if holes_in(part, array.stated.no_data).any():
            holes = find_holes(array, axes, rows=rows, columns=columns, keep=keep)
            assert holes is not None
            raise HolesError(
                str(array), holes, "describe the file in a TOML file, with rows and columns of a region without them"
            )
        cube[here] = calibrated(part, array.stated, kept[here], 0, str(array))
    return cube


def find_holes(
    array: StoredArray,
    axes: str,
    *,
    rows: Limits | None = None,
    columns: Limits | None = None,
    keep: Sequence[int] | None = None,
) -> Holes | None:
    """Return where a region of a cube has no values, as the file states, or None; takes what `read_cube` takes."""
    if not array.stated.no_data:
        return None
    (height, width), kept = _region(array, axes, rows, columns, keep)
    pixels, counts = np.zeros((height, width), np.bool_), np.zeros(len(kept), int)
    for here, part in _parts(array, axes, rows, columns, kept):
        holes = holes_in(part, array.stated.no_data)
        pixels |= holes.any(axis=0)
        counts[here] = holes.sum(axis=(1, 2))
    if not pixels.any():
        return None
    row, column = (limits[0] if limits else 0 for limits in (rows, columns))
    return Holes(pixels, tuple(counts.tolist()), row, column, array.stated.no_data_words)


def flat_bands(
    array: StoredArray, axes: str, *, rows: Limits | None = None, columns: Limits | None = None
) -> tuple[frozenset[int], frozenset[int]]:
    """Return the bands, from 0, of which a region has no value at all, and those of which it has a single one.

    Takes what `read_cube` takes. Two rows in the middle tell most bands; only the others are read whole.
    """
    (height, width), kept = _region(array, axes, rows, columns, None)
    if height * width == 1:
        return frozenset(), frozenset()
    middle = (rows[0] if rows else 0) + height // 2
    for some in ((middle, middle + 1 + (height > 2)), rows):
        low, high = np.full(len(kept), np.inf), np.full(len(kept), -np.inf)
        for here, part in _parts(array, axes, some, columns, kept):
            none = holes_in(part, array.stated.no_data)
            for band, numbers, holes in zip(np.flatnonzero(here), part, none, strict=True):
                if not holes.all():
                    values = numbers[~holes]
                    low[band], high[band] = values.min(), values.max()
        # of a band with NaN nothing is told here
        kept = kept[(low == high) | ((low == np.inf) & (high == -np.inf))]
        low, high = (limit[(low == high) | ((low == np.inf) & (high == -np.inf))] for limit in (low, high))
    empty = {int(band) for band, least in zip(kept, low, strict=True) if least == np.inf}
    return frozenset(empty), frozenset(map(int, kept)) - empty


def greatest(
    array: StoredArray,
    axes: str,
    *,
    rows: Limits | None = None,
    columns: Limits | None = None,
    keep: Sequence[int] | None = None,
) -> float:
    """Return the greatest value in a region of a cube, without holding the region; takes what `read_cube` takes.

    Pixels that have none are passed over; where no pixel has any, it is NaN.
    """
    _, kept = _region(array, axes, rows, columns, keep)
    highest = np.nan
    for here, part in _parts(array, axes, rows, columns, kept):
        holes = holes_in(part, array.stated.no_data)
        values = calibrated(part, array.stated, kept[here], 0, str(array))
        some = values[~holes] if holes.any() else values
        if some.size:
            highest = float(np.fmax(highest, np.fmax.reduce(some, axis=None)))
    return highest


def _region(
    array: StoredArray,
    axes: str,
    rows: Limits | None,
    columns: Limits | None,
    keep: Sequence[int] | None,
) -> tuple[tuple[int, int], NDArray[np.int_]]:
    """Return height and width of a region, and the bands to keep."""
    sides = dict(zip(axes, array.shape, strict=True))
    for what, limits, side in (("rows", rows, sides["H"]), ("columns", columns, sides["W"])):
        if limits is not None and not 0 <= limits[0] < limits[1] <= side:
            raise HsbenchError(f"{array} has {side} {what}, so that {limits[0]} to {limits[1]} are not within it")
    height, width = (
        limits[1] - limits[0] if limits else side for limits, side in ((rows, sides["H"]), (columns, sides["W"]))
    )
    return (height, width), np.arange(sides["C"]) if keep is None else np.asarray(keep)


def _parts(
    array: StoredArray,
    axes: str,
    rows: Limits | None,
    columns: Limits | None,
    kept: NDArray[np.int_],
) -> Iterator[tuple[NDArray[np.bool_], NDArray[Any]]]:
    """Read a region a few bands at a time: which of the kept ones, and their values [bands, H, W]."""
    (height, width), _ = _region(array, axes, rows, columns, None)
    require_fitting(array.stated, array.shape[axes.index("C")], str(array))
    at_once = max(1, _READ_BYTES // (8 * height * width))
    region = {"H": slice(*(rows or (None,))), "W": slice(*(columns or (None,)))}
    for first in range(0, array.shape[axes.index("C")], at_once):
        here = (kept >= first) & (kept < first + at_once)
        if here.any():
            parts = region | {"C": slice(first, first + at_once)}
            part = array.numbers(tuple(parts[letter] for letter in axes))
            yield here, part.transpose([axes.index(letter) for letter in "CHW"])[kept[here] - first]


def divide(cube: Cube, full_scale: float) -> None:
    """Divide a cube by its full scale, in place; each value is that of the exact quotient in float32."""
    if full_scale != 1:
        for band in cube:
            band[...] = band.astype(np.float64) / full_scale
