"""Parts of an array whose reader gives whole blocks only: steps and single places are taken from the block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.formats.matfile import Index


def through_blocks(
    shape: Sequence[int], block: Callable[[tuple[range, ...]], NDArray[Any]]
) -> Callable[[Index], NDArray[Any]]:
    """Return a reader of parts for an array of that shape.

    Parameters
    ----------
    shape
        Of the array.
    block
        Reads a block; the places along each axis are ascending and without gaps.
    """

    def read(index: Index) -> NDArray[Any]:
        places = [_places(size, part) for size, part in zip(shape, index, strict=True)]
        within = tuple(
            0 if isinstance(part, int | np.integer) else slice(None, None, taken.step)
            for part, taken in zip(index, places, strict=True)
        )
        return block(tuple(_cover(taken) for taken in places))[within]

    return read


def _places(size: int, part: Any) -> range:
    if isinstance(part, slice):
        return range(size)[part]
    place = range(size)[part]  # from the end, if negative; an IndexError, if beyond
    return range(place, place + 1)


def _cover(places: range) -> range:
    """Return all places from the first to the last of some."""
    return range(min(places), max(places) + 1) if places else range(0)
