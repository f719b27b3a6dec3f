"""What is looked for in a file, wherever it is looked for: which array is meant, which axes it has, is it finite.

Scenes, results made elsewhere, real pairs and the MATLAB package's folders all ask here, so that a name, a shape or a
NaN means the same to all of them. What follows from names and shapes is found out; what does not is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.arrays import StoredArray

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
    """

    usual: tuple[str, ...]
    asked: str
    axes: int = 3
    exactly: bool = False
    avoided: tuple[str, ...] = ()
    only: bool = True
    what: str = "a cube, of three axes"
    advice: str = ""


#: A scene of a data set.
CUBE = Wanted(
    ("rad", "b", "msi", "hsi", "hyperimg", "ref", "data"),
    "which array is the cube cannot be told; name its key, as in mat:FILE:KEY",
    exactly=True,
    advice=". If pixels are in one row, describe it in a TOML file with key and shape",
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
        for key in keys:
            if key in arrays:
                return arrays[key]
        if list(arrays) == [""]:  # the file's only array has no name
            return arrays[""]
        raise HsbenchError(f"{path} has no array {' or '.join(map(repr, keys))}; it holds {held(arrays)}")
    possible = {
        name: array
        for name, array in arrays.items()
        if (len(array.shape) == wanted.axes or (len(array.shape) > wanted.axes and not wanted.exactly))
        and last(name).lower() not in wanted.avoided
    }
    if wanted.only and len(possible) == 1:
        return next(iter(possible.values()))
    named = [[array for name, array in possible.items() if last(name).lower() == usual] for usual in wanted.usual]
    if not wanted.only:
        named = [[array for found in named for array in found]]
    for found in named:
        if len(found) == 1:
            return found[0]
    if not possible:
        raise HsbenchError(f"{path} has no array that could be {wanted.what}; it holds {held(arrays)}{wanted.advice}")
    raise HsbenchError(f"{path}: {wanted.asked}; it holds {held(arrays)}")


def held(arrays: Mapping[str, StoredArray]) -> str:
    """Say what a file holds."""
    return ", ".join(f"{name or 'an array'} {told(array.shape)}" for name, array in arrays.items()) or "no numbers"


def last(name: str) -> str:
    """Return the name of an array without the HDF5 groups above it."""
    return name.rpartition("/")[2]


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
