"""A cube in somebody's file: which array it is, how its axes lie, and its values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.claims import BANDS, require_room
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.arrays import StoredArray
from hsfusion_bench.formats.finding import CUBE, WAVELENGTHS, assignments, find_array, last, told
from hsfusion_bench.formats.matfile import Index
from hsfusion_bench.formats.notes import note
from hsfusion_bench.formats.stated import Stated
from hsfusion_bench.formats.values import Holes, HolesError, calibrated, holes_in, require_fitting
from hsfusion_bench.formats.wavelengths import in_nanometres, unit_named

Cube: TypeAlias = NDArray[np.float32]
#: First one, from 0, and the one after the last.
Limits: TypeAlias = tuple[int, int]

#: How much of a file is read at once.
_READ_BYTES = 2**25


def find_cube(arrays: Mapping[str, StoredArray], path: Path, keys: Sequence[str] = (), *, axes: int = 3) -> StoredArray:
    """Return the array of a file that holds the cube, with the wavelengths that the file states.

    Parameters
    ----------
    arrays
        What the file holds.
    path
        The file, for messages.
    keys
        Names that the array may have, the likeliest first; none: as `finding.CUBE` has them.
    axes
        How many it has: 3, or 4 of several cubes.

    Raises
    ------
    HsbenchError
        If there is none of these names, or it cannot be told which; the message says what there is.
    """
    wanted = (
        CUBE if axes == 3 else replace(CUBE, axes=axes, what=f"samples, of {axes} axes", hyperspectral=False, advice="")
    )
    array = find_array(arrays, path, wanted, keys)
    return with_wavelengths(arrays, array) if axes == 3 else array


def with_wavelengths(arrays: Mapping[str, StoredArray], array: StoredArray) -> StoredArray:
    """Return a cube with the wavelengths that lie beside it, in its own group first, unless it has some."""
    if array.wavelengths:
        return array
    group = array.name[: -len(last(array.name))] if array.name.endswith(last(array.name)) else ""
    near = {name: other for name, other in arrays.items() if group and name.startswith(group)}
    return replace(array, wavelengths=_beside(near, array) or _beside(arrays, array))


def find_joined(
    arrays: Mapping[str, StoredArray],
    path: Path,
    keys: Sequence[str],
    *,
    layout: str | None = None,
    size: tuple[int, int] | None = None,
) -> StoredArray:
    """Return the bands of several arrays of a file as one cube [bands, H, W], in the order of their names.

    Parameters
    ----------
    arrays, path
        As `find_cube` takes them.
    keys
        Names of the arrays: cubes, or images of one band each.
    layout, size
        As `axes_of` takes them; for an image, its rows and columns.

    Raises
    ------
    HsbenchError
        If one of them is not there, named twice or no image, or their heights and widths differ.
    """
    found = [find_array(arrays, path, CUBE, [key]) for key in keys]
    if len({array.name for array in found}) < len(found):
        raise HsbenchError(f"{path}: {' and '.join(keys)} cannot be joined: one of them is named twice")
    shapes = " and ".join(f"{array.name} {told(array.shape)}" for array in found)
    images = [with_wavelengths(arrays, _as_cube(array, layout)) for array in found]
    common = set.intersection(*(_sides(image, layout) for image in images))
    if not common:
        raise HsbenchError(f"{path}: {shapes} cannot be joined: they are no images of one height and width")
    alike = size or (next(iter(common)) if len(common) == 1 else None)
    every = [axes_of(image, layout=image.axes or layout, size=alike) for image in images]
    if len(set.union(*(_sides(image, way) for image, way in zip(images, every, strict=True)))) > 1:
        raise HsbenchError(f"{path}: {shapes} cannot be joined: they differ in height or width")
    return with_wavelengths(arrays, _joined(path, images, every))


def _as_cube(array: StoredArray, layout: str | None) -> StoredArray:
    """Return an image as a cube: one of two axes has one band."""
    if len(array.shape) != 2:
        return array
    turned = layout is not None and layout.index("W") < layout.index("H")
    return replace(reshaped(array, (1, *array.shape)), axes="CWH" if turned else "CHW")


def _sides(image: StoredArray, layout: str | None) -> set[tuple[int, int]]:
    """Return all heights and widths that a cube may have; rows come before columns where nothing says otherwise."""
    ways = [image.axes or layout or ""] if image.axes or layout else ["CHW", "HCW", "HWC"]
    return {(image.shape[way.index("H")], image.shape[way.index("W")]) for way in ways if len(image.shape) == 3}


def _joined(path: Path, images: Sequence[StoredArray], every: Sequence[str]) -> StoredArray:
    """Put the bands of cubes, whose axes are told, after each other."""
    counts = [image.shape[way.index("C")] for image, way in zip(images, every, strict=True)]
    starts = [sum(counts[:place]) for place in range(len(counts))]
    height, width = (images[0].shape[every[0].index(side)] for side in "HW")
    shape = (sum(counts), height, width)

    def read(index: Index) -> NDArray[Any]:
        # whole slices of what is asked for, and then the numbers among it
        ranges = {
            letter: range(side)[one : one + 1 or None] if isinstance(one, int) else range(side)[one]
            for letter, side, one in zip("CHW", shape, (*index, slice(None), slice(None))[:3], strict=True)
        }
        parts = []
        for image, way, start, count in zip(images, every, starts, counts, strict=True):
            here = [band - start for band in ranges["C"] if start <= band < start + count]
            if here:
                some = {"C": slice(here[0], here[-1] + 1)} | {
                    side: slice(ranges[side].start, ranges[side].stop) for side in "HW"
                }
                part = image.numbers(tuple(some[letter] for letter in way))
                parts.append(part.transpose([way.index(letter) for letter in "CHW"])[[band - here[0] for band in here]])
        whole = np.concatenate(parts)
        return whole[tuple(0 if isinstance(one, int) else slice(None) for one in index)]

    return StoredArray(
        path,
        "+".join(image.name for image in images),
        shape,
        read,
        tuple(nm for image in images for nm in image.wavelengths) if all(image.wavelengths for image in images) else (),
        "CHW",
        stated=_stated_of_all(images, counts, starts),
    )


def _stated_of_all(images: Sequence[StoredArray], counts: Sequence[int], starts: Sequence[int]) -> Stated:
    """Return what joined cubes state: of the bands in their order, and of all."""
    every = [image.stated for image in images]
    scales = {each.full_scale for each in every}
    if len(scales) > 1:
        raise HsbenchError(
            f"{images[0].path}: {' and '.join(image.name for image in images)} cannot be joined: they state different "
            f"full scales, {' and '.join(map(str, scales))}"
        )

    def by_band(numbers: Sequence[tuple[float, ...]], without: float) -> tuple[float, ...]:
        if not any(numbers):
            return ()
        spread: list[float] = []
        for each, count in zip(numbers, counts, strict=True):
            spread += each if len(each) == count else (each or (without,)) * count
        return tuple(spread)

    def words(name: str) -> str:
        return "; ".join(dict.fromkeys(told for each in every if (told := getattr(each, name))))

    return Stated(
        no_data=tuple(dict.fromkeys(number for each in every for number in each.no_data)),
        no_data_words=words("no_data_words"),
        bad_bands=tuple(start + band for each, start in zip(every, starts, strict=True) for band in each.bad_bands),
        bad_bands_words=words("bad_bands_words"),
        gains=by_band([each.gains for each in every], 1),
        offsets=by_band([each.offsets for each in every], 0),
        full_scale=every[0].full_scale,
        calibration_words=words("calibration_words"),
    )


def sample_of(array: StoredArray, layout: str, number: int) -> StoredArray:
    """Return one cube of an array of several.

    Parameters
    ----------
    array
        Of four axes.
    layout
        What they are: C, H, W, and N for the samples.
    number
        Which, from 0.
    """
    place = layout.index("N")
    return replace(
        array,
        name=f"sample {number + 1} of {array.name}" if array.name else "",
        shape=array.shape[:place] + array.shape[place + 1 :],
        axes="",
        _read=lambda index: array.numbers((*index[:place], number, *index[place:])),
    )


def _beside(arrays: Mapping[str, StoredArray], cube: StoredArray) -> tuple[float, ...]:
    """Return the wavelengths of an array of a usual name and of as many numbers as the cube may have bands."""
    for usual in WAVELENGTHS:
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
        four = '; for samples, give h5:FILE, or describe them in a TOML file with layout = "NCHW"'
        samples = four if len(shape) == 4 else ""
        raise HsbenchError(
            f"{array} has the shape {told(shape)}, which is not a cube of {stated or 'three axes'}{samples}"
        )
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
    require_room(str(array), 4 * len(kept) * height * width)
    cube = np.empty((len(kept), height, width), np.float32)
    for here, part in _parts(array, axes, rows, columns, kept):
        if holes_in(part, array.stated.no_data).any():
            holes = find_holes(array, axes, rows=rows, columns=columns, keep=keep)
            assert holes is not None
            raise HolesError(
                str(array), holes, "describe the file in a TOML file, with rows and columns of a region without them"
            )
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is told by who asked
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
                    with np.errstate(invalid="ignore"):  # a NaN of a kind that signals
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
    if not all(array.shape):
        raise HsbenchError(f"{array} has the shape {told(array.shape)}: there is nothing in it")
    for what, limits, side in (("rows", rows, sides["H"]), ("columns", columns, sides["W"])):
        if limits is not None and not 0 <= limits[0] < limits[1] <= side:
            raise HsbenchError(f"{array} has {side} {what}, so that {limits[0]} to {limits[1]} are not within it")
    height, width = (
        limits[1] - limits[0] if limits else side for limits, side in ((rows, sides["H"]), (columns, sides["W"]))
    )
    if sides["C"] > BANDS:
        raise HsbenchError(f"{array} has {sides['C']} bands; more than {BANDS} are not read")
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
