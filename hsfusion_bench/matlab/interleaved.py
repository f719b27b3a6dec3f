"""The samples of batches, one at a time, though they interleave in their file.

MATLAB stores a batch [B, C, H, W] with the first axis fastest: the numbers of one sample lie all over the variable,
and reading it means reading all of it. A batch is therefore taken apart once, a slab of its last axis after the
other, into a temporary file where each sample lies in one piece. Of a batch whose samples are its last axis, as in
[H, W, C, B], they lie so already, and are written as they come.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import FileIO
from math import prod
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.claims import require_disk
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.matfile import Variable, in_c_order, readable
from hsfusion_bench.matlab.processes import dealt
from hsfusion_bench.scratch import TemporaryFolder

_Result = TypeVar("_Result")

#: How much of a variable is taken apart at once: what the cache of a processor holds.
_SLAB_BYTES = 2**22


@dataclass(frozen=True)
class Samples:
    """A batch whose samples lie one after the other in a file; ``samples[k]`` reads sample k.

    Attributes
    ----------
    path
        The file; nothing else is in it.
    dtype
        Type of its numbers, as NumPy writes it.
    shape
        (B, ...) of the batch, the axes of a sample as they are in the file, where the first is the fastest.
    axes
        What the axes of a sample are, such as "HWC"; samples are given as [C, H, W].
    given_as
        Type in which samples are given. (That of the file's numbers may be less than the variable's class.)
    """

    path: Path
    dtype: str
    shape: tuple[int, ...]
    given_as: str = "float64"
    axes: str = "CHW"

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, number: int) -> NDArray[Any]:
        if not 0 <= number < len(self):
            raise IndexError(number)
        count = int(np.prod(self.shape[1:]))
        offset = number * count * np.dtype(self.dtype).itemsize
        numbers = np.fromfile(self.path, self.dtype, count, offset=offset)
        image = numbers.reshape(self.shape[1:], order="F").transpose([self.axes.index(axis) for axis in "CHW"])
        return in_c_order(image).astype(self.given_as, copy=False)


@contextmanager
def taken_apart(
    path: Path, variables: Sequence[Variable], given_as: Sequence[str] = (), layout: str = "BCHW"
) -> Iterator[list[Samples]]:
    """Take batches apart into temporary files, as large as the variables, for the time of the block.

    Parameters
    ----------
    path
        The open MAT-file, for messages.
    variables
        Batches of one length.
    given_as
        Type in which the samples of each are given; empty: float64.
    layout
        What the axes of all are: B first or last, or no B for one sample.

    Raises
    ------
    HsbenchError
        When the file is damaged, or there is no room for temporary files.
    """
    with TemporaryFolder() as folder:
        samples = []
        for number, variable in enumerate(variables):
            target = folder / str(number)
            sizes = sizes_of(variable.shape, layout)
            shape = (sizes.get("B", 1), *(size for axis, size in sizes.items() if axis != "B"))
            require_disk(str(path), variable.claim.itemsize * prod(variable.shape), folder.parent)
            taking = _take_apart if layout.startswith("B") else _copy
            dtype = readable(path, partial(taking, variable, target))
            kind = given_as[number] if given_as else "float64"
            samples.append(Samples(target, dtype, shape, kind, layout.replace("B", "")))
        yield samples


def each_sample(
    path: Path,
    variables: Sequence[Variable],
    work: Callable[..., _Result],
    *,
    workers: int = 1,
    given_as: Sequence[str] = (),
    layout: str = "BCHW",
) -> Iterator[_Result]:
    """Call ``work(*images, workers=threads)`` for each sample of some batches, and give the results in order.

    Parameters
    ----------
    path
        The open MAT-file, for messages.
    variables
        Batches of one length.
    work
        Something that can be pickled. It gets the images of a sample, and how many threads it may use.
    workers
        As in `dealt`.
    given_as, layout
        As in `taken_apart`.

    Raises
    ------
    HsbenchError
        As `taken_apart` and `dealt`.
    """
    with taken_apart(path, variables, given_as, layout) as batches:
        yield from dealt(path, partial(_images, batches), len(batches[0]), work, workers=workers)


def sizes_of(shape: Sequence[int], layout: str) -> dict[str, int]:
    """Return the size of each axis; MATLAB leaves out last axes of one place."""
    return dict(zip(layout, (*shape, *[1] * (len(layout) - len(shape))), strict=True))


def _take_apart(variable: Variable, target: Path) -> str:
    """Write the samples of a batch one after the other; return the type of the numbers."""
    batch, *axes = variable.shape
    size = int(np.prod(axes))
    dtype = np.dtype(np.float64)
    position = 0
    with target.open("wb", buffering=0) as file:
        for slab in variable.slabs(_SLAB_BYTES):
            dtype = slab.dtype
            rows = np.ascontiguousarray(slab.reshape(batch, -1, order="F"))
            for number, row in enumerate(rows):
                _write(file, row, (number * size + position) * dtype.itemsize)
            position += rows.shape[1]
    return dtype.str


def _copy(variable: Variable, target: Path) -> str:
    """Write samples that lie one after the other as they are; return the type of the numbers."""
    dtype, position = np.dtype(np.float64), 0
    with target.open("wb", buffering=0) as file:
        for slab in variable.slabs(_SLAB_BYTES):
            dtype = slab.dtype
            numbers = slab.reshape(-1, order="F")
            _write(file, numbers, position)
            position += numbers.nbytes
    return dtype.str


def _write(file: FileIO, numbers: NDArray[Any], offset: int) -> None:
    data = numbers.data.cast("B")
    try:
        file.seek(offset)
        while data:
            data = data[file.write(data) :]
    except OSError as error:
        raise HsbenchError(
            f"the samples of the file are taken apart in {tempfile.gettempdir()}, where {len(data)} bytes could not be "
            f"written: {error.strerror}; the environment variable TMPDIR names another folder"
        ) from error


def _images(batches: Sequence[Samples], number: int) -> list[NDArray[Any]]:
    return [batch[number] for batch in batches]
