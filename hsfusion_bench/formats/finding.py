"""What is looked for in a file, wherever it is looked for: which array is meant, which axes it has, is it finite.

Scenes, results made elsewhere, real pairs and the MATLAB package's folders all ask here, so that a name, a shape or a
NaN means the same to all of them. What follows from names and shapes is found out; what does not is asked for.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.arrays import Arrays, StoredArray, plain

_LOG = logging.getLogger("hsfusion_bench")
#: Names of references, which must never pass for results.
_REFERENCES = ("gt", "ref", "reference", "label", "target")


@dataclass(frozen=True)
class Wanted:
    """An array that is looked for.

    Parameters
    ----------
    usual
        Names under which people keep it, the likeliest first, in small letters.
    asked
        What to do where it cannot be told, for messages.
    axes
        The fewest axes that it has.
    exactly
        Whether it has just as many.
    avoided
        Names, in small letters, of arrays that it never is unless they are asked for.
    only
        Whether the only array of enough axes is it, whatever its name, and the likeliest of several usual names wins;
        else one usual name must be there, and one only.
    what
        What it is, for messages.
    advice
        What to do where the file holds none.
    hyperspectral
        Whether, of several, the one is meant that has as many bands as the file has wavelengths, and then the most.
    """

    usual: tuple[str, ...]
    asked: str
    axes: int = 3
    exactly: bool = False
    avoided: tuple[str, ...] = ()
    only: bool = True
    what: str = "a cube, of three axes"
    advice: str = ""
    hyperspectral: bool = False


#: A scene of a data set.
CUBE = Wanted(
    ("rad", "b", "gt", "hr_hsi", "hrhsi", "ref", "hsi", "hs", "hyperimg", "hypercube", "cube", "msi", "data"),
    "which array is the cube cannot be told; name its key, as in mat:FILE:KEY, or several to join, as A+B",
    exactly=True,
    advice=". If pixels are in one row, describe it in a TOML file with key and shape",
    hyperspectral=True,
)
#: A fused cube, or several.
RESULT = Wanted(
    ("sr", "output", "z", "fused", "pred", "prediction", "result", "rec"),
    "say by --key which array is the result",
    avoided=_REFERENCES,
    what="a result",
)
#: The reference that comes with results, under the name that the field's MATLAB script gives to it.
REFERENCE = Wanted(("gt",), "name the reference gt", only=False, what="a reference")
#: The two images of a real pair.
LR_HSI = Wanted(
    ("lr_hsi", "lrhsi", "hsim", "hsi", "hs", "ms", "y", "yh"),
    "say by --lr-hsi which array is the LR-HSI",
    exactly=True,
    only=False,
    what="the LR-HSI",
)
HR_MSI = Wanted(
    ("hr_msi", "hrmsi", "rgb", "msim", "msi", "pan", "z", "ym"),
    "say by --hr-msi which array is the HR-MSI",
    exactly=True,
    only=False,
    what="the HR-MSI",
)
#: What files of samples hold, the names of each, the likeliest first: the families of FeINFN, DLPan and PanCollection.
BATCHES: Mapping[str, tuple[str, ...]] = {
    "GT": ("gt", "hr_hsi", "hrhsi", "ref", "label"),
    "LRHSI": ("lrhsi", "lr_hsi", "ms", "lrms", "hsi"),
    "RGB": ("rgb", "hrmsi", "hr_msi", "msi", "pan"),
    "HSI_up": ("hsi_up", "lms", "up"),
}
#: Of the centres of a cube's bands, beside it.
WAVELENGTHS = ("wavelengths", "wavelength", "wave", "wavelen", "wl", "lambda")
#: All of them, for people.
USUAL: Mapping[str, tuple[str, ...]] = {
    "cube of a data set": CUBE.usual,
    "LR-HSI of a pair": LR_HSI.usual,
    "HR-MSI of a pair": HR_MSI.usual,
    "result": RESULT.usual,
    "reference beside a result": REFERENCE.usual,
    "never a result": _REFERENCES,
    "wavelengths": WAVELENGTHS,
    "mask": ("none: a TOML file names it by mask = ...",),
    **{f"batches: {name}": names for name, names in BATCHES.items()},
}
_SAMPLES = '. Samples, of four axes, are read by h5:FILE, or by a TOML file with key and layout = "NCHW"'
#: How many names a message lists.
_LISTED = 16


def find_array(arrays: Mapping[str, StoredArray], path: Path, wanted: Wanted, keys: Sequence[str] = ()) -> StoredArray:
    """Return the array of a file that is looked for.

    Parameters
    ----------
    arrays
        What the file holds.
    path
        The file, for messages.
    wanted
        What is looked for.
    keys
        Names that it has, the likeliest first; none: the only array that it can be, else the first of its usual names,
        in any capitals and below any HDF5 groups.

    Raises
    ------
    HsbenchError
        If there is none of these names, or it cannot be told which; the message says what there is.
    """
    if keys:
        return _asked(arrays, path, wanted, keys)
    possible = {
        name: array
        for name, array in arrays.items()
        if (len(array.shape) == wanted.axes or (len(array.shape) > wanted.axes and not wanted.exactly))
        and last(name).lower() not in wanted.avoided
    }
    possible = _distinct(possible, wanted.usual)
    chosen, several = _chosen(arrays, possible, wanted)
    _require_no_likelier(arrays, path, wanted, chosen)
    if chosen is not None:
        if several:
            besides = held({name: arrays[name] for name in several})
            _note(f"{path}: {chosen.name} {told(chosen.shape)} is taken; it holds {besides} too")
        return chosen
    if not possible:
        samples = wanted.hyperspectral and any(len(array.shape) == 4 for array in arrays.values())
        advice = _SAMPLES if samples else wanted.advice
        raise HsbenchError(f"{path} has no array that could be {wanted.what}; it holds {held(arrays)}{advice}")
    if cell := _only_above(arrays, possible):
        raise HsbenchError(f"{path}: {_name_one(arrays, cell, possible)}")
    raise HsbenchError(f"{path}: {wanted.asked}; it holds {held(arrays)}")


def _distinct(arrays: Mapping[str, StoredArray], usual: Sequence[str]) -> dict[str, StoredArray]:
    """Keep one name of each array that has several by links: the likeliest."""

    def rank(name: str) -> int:
        return usual.index(last(name).lower()) if last(name).lower() in usual else len(usual)

    kept: dict[str, str] = {}
    for name in sorted(arrays, key=rank):
        kept.setdefault(arrays[name].link or name, name)
    return {name: array for name, array in arrays.items() if name in kept.values()}


def _chosen(
    arrays: Mapping[str, StoredArray], possible: Mapping[str, StoredArray], wanted: Wanted
) -> tuple[StoredArray | None, list[str]]:
    """Return the array that is meant, or None, and the names of those that are passed over, if that is to be said."""
    if wanted.only and len(possible) == 1:
        return next(iter(possible.values())), []
    fitting = dict(possible)
    if wanted.hyperspectral:
        counts = [prod(array.shape) for name, array in arrays.items() if last(name).lower() in WAVELENGTHS]
        with_wavelengths = {
            name: array for name, array in possible.items() if any(n > 1 and n in array.shape for n in counts)
        }
        fitting = with_wavelengths or fitting
        if len(fitting) == 1:
            [chosen] = fitting.values()
            return chosen, [name for name in possible if name != chosen.name]
    named = [(usual, array) for usual in wanted.usual for name, array in fitting.items() if last(name).lower() == usual]
    if wanted.hyperspectral and named:
        most = max(_bands(array) for _, array in named)
        known = Counter(usual for usual, _ in named)
        named = [(usual, array) for usual, array in named if _bands(array) == most]
        if known[named[0][0]] > 1:  # of one name in several groups or places of a cell
            return None, []
        if any(_bands(array) > most and _same_sides(array, named[0][1]) for array in fitting.values()):
            return None, []
    if not named:
        return None, []
    likeliest = [array for usual, array in named if usual == named[0][0] or not wanted.only]
    if len(likeliest) > 1:
        return None, []
    [chosen] = likeliest
    return chosen, [name for name in possible if name != chosen.name] if wanted.hyperspectral else []


def _bands(array: StoredArray) -> int:
    """Return how many bands a cube seems to have: the side that differs from two equal ones, or the shortest."""
    if "C" in array.axes:
        return array.shape[array.axes.index("C")]
    odd = [side for side in array.shape if array.shape.count(side) == 1]
    return odd[0] if len(odd) == 1 else min(array.shape)


def _same_sides(one: StoredArray, other: StoredArray) -> bool:
    """Tell whether two images may be of one scene: two of their sides are equal."""
    return sum((Counter(one.shape) & Counter(other.shape)).values()) >= 2


def _asked(arrays: Mapping[str, StoredArray], path: Path, wanted: Wanted, keys: Sequence[str]) -> StoredArray:
    """Return the array of the first of the names that there is: also the only cube of a cell, struct or group."""
    others = others_in(arrays)
    for key in keys:
        if key in arrays:
            return arrays[key]
        outer = re.sub(r"(\([\d,]+\)|\{[\d,]+\})$", "", plain(key))
        above = next((name for form in (plain(key), outer) for name in others if plain(name) == form), key)
        below = _below(arrays, above)
        fitting = [array for array in below.values() if len(array.shape) == wanted.axes]
        asked = plain(key) == plain(above)
        if len(fitting) == 1 and asked:
            return fitting[0]
        if below:
            none = "" if asked else f"there is no {key}; "
            raise HsbenchError(f"{path}: {none}{_name_one(arrays, above, below)}")
        if above in others:
            raise HsbenchError(f"{path}: {above} is {others[above]}; it holds {held(dict(arrays))}")
    if list(arrays) == [""]:  # the file's only array has no name
        return arrays[""]
    raise HsbenchError(f"{path} has no array {' or '.join(map(repr, keys))}; it holds {held(arrays)}")


def _below(arrays: Mapping[str, StoredArray], above: str) -> dict[str, StoredArray]:
    """Return the arrays in a cell, a struct or a group."""
    begin = plain(above)
    return {
        name: array
        for name, array in arrays.items()
        if plain(name).startswith(begin) and plain(name)[len(begin) : len(begin) + 1] in ("{", "(", ".")
    }


def _only_above(arrays: Mapping[str, StoredArray], possible: Mapping[str, StoredArray]) -> str:
    """Return the cell or array of structs that all of the arrays are in, the innermost; "" if there is none."""
    around = [name for name in others_in(arrays) if set(possible) <= set(_below(arrays, name))]
    return max(around, key=len, default="")


def _name_one(arrays: Mapping[str, StoredArray], above: str, below: Mapping[str, StoredArray]) -> str:
    what = others_in(arrays).get(above, f"a group of {len(below)} arrays")
    names = list(below)
    listed = " or ".join(names) if len(names) <= _LISTED else f"{names[0]}, {names[1]} and so on to {names[-1]}"
    return f"{above} is {what}: name one, {listed}"


def _require_no_likelier(
    arrays: Mapping[str, StoredArray], path: Path, wanted: Wanted, chosen: StoredArray | None
) -> None:
    """Refuse to take another array for one of a likelier name that cannot be read, such as one whose link is broken."""
    usual = list(wanted.usual)
    rank = usual.index(last(chosen.name).lower()) if chosen and last(chosen.name).lower() in usual else len(usual)
    for name, what in others_in(arrays).items():
        if last(name).lower() in usual[:rank] and what != "text" and not _below(arrays, name):
            raise HsbenchError(f"{path}: {name} is {what}; it holds {held(dict(arrays))}")


@cache
def _note(text: str) -> None:
    """Log a note, once; a file is opened more than once in a run."""
    _LOG.warning(text)


def others_in(arrays: Mapping[str, StoredArray]) -> Mapping[str, str]:
    """Return what a file holds besides arrays of numbers, in words, by name."""
    return arrays.others if isinstance(arrays, Arrays) else {}


def held(arrays: Mapping[str, StoredArray]) -> str:
    """Say what a file holds."""
    found = [
        f"{name or 'an array'} {told(array.shape)}" + (f" (which is {array.link})" if array.link else "")
        for name, array in arrays.items()
    ]
    found += [f"{name} ({what})" for name, what in others_in(arrays).items()]
    more = [f"and {len(found) - _LISTED} more"] if len(found) > _LISTED else []
    return ", ".join(found[:_LISTED] + more) or "no numbers"


def last(name: str) -> str:
    """Return the name of an array without the groups, structs and cells above it, and without its own place there."""
    return re.split(r"[/.]", re.sub(r"\([\d,]+\)|\{[\d,]+\}", "", name))[-1]


def told(shape: Sequence[int]) -> str:
    """Return a shape as people write it."""
    return "[" + ", ".join(map(str, shape)) + "]"


def assignments(shape: Sequence[int], sizes: Mapping[str, int | None]) -> Iterator[str]:
    """Give all ways to name the axes of an array.

    Parameters
    ----------
    shape
        Of the array.
    sizes
        What each letter must measure; None: anything. Axes that no letter is for have one place, and are named 1.
    """
    for places in permutations(range(len(shape)), len(sizes)):
        names = ["1"] * len(shape)
        for name, place in zip(sizes, places, strict=True):
            names[place] = name
        if all(sizes.get(name, 1) in (None, size) for name, size in zip(names, shape, strict=True)):
            yield "".join(names)


def require_finite(cube: NDArray[Any], where: str) -> None:
    """Refuse a cube [bands, H, W] with a value that is NaN or infinite.

    Raises
    ------
    HsbenchError
        If there is one; the message starts with `where`, and counts bands from 1, rows and columns from 0.
    """
    counts = [int(np.count_nonzero(~np.isfinite(band))) for band in cube]
    if not any(counts):
        return
    band = next(number for number, count in enumerate(counts) if count)
    row, column = (int(place) for place in np.argwhere(~np.isfinite(cube[band]))[0])
    raise HsbenchError(
        f"{where}: {sum(counts)} values are NaN or infinite, the first ({cube[band, row, column]}) in band {band + 1} "
        f"at row {row}, column {column}"
    )
