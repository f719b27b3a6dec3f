"""Arrays in files of other people, of any usual kind: a name, a shape, and the values when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.errors import DamagedError, HsbenchError
from hsfusion_bench.formats.envi import open_envi
from hsfusion_bench.formats.matfile import NUMERIC, Index, Variable, open_matfile
from hsfusion_bench.formats.rasters import Raster, open_tiff
from hsfusion_bench.formats.stated import Stated
from hsfusion_bench.formats.statements import no_data_of, of_attributes
from hsfusion_bench.formats.values import meant

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class StoredArray:
    """An array of numbers in an open file.

    Attributes
    ----------
    path
        The file.
    name
        Name of the array in it; empty in a file of one array without a name.
    shape
        As the program counts axes that the file is made for: MATLAB's order for a MAT-file of any version.
    wavelengths
        Centres of its bands, nanometres, where the file's header or an array beside it states them; else empty.
    axes
        What they are, in order, by the letters C, H and W, where the file itself states it; else empty.
    kind
        MATLAB's class of it in a MAT-file of version 5 to 7, which may store its numbers in less; else empty.
    stated
        What else the file states of its values: no-data, bad bands, calibration.
    """

    path: Path
    name: str
    shape: tuple[int, ...]
    _read: Callable[[Index], NDArray[Any]]
    wavelengths: tuple[float, ...] = ()
    axes: str = ""
    kind: str = ""
    stated: Stated = field(default_factory=Stated)

    def __str__(self) -> str:
        """Return how people call it, such as "sr of results.mat"."""
        return f"{self.name} of {self.path}" if self.name else str(self.path)

    def read(self, index: Index, axes: str = "") -> NDArray[Any]:
        """Return a part of what the file means: no holes, and calibrated where the file says how.

        Parameters
        ----------
        index
            An integer or a slice for each axis.
        axes
            What the axes are, by letters, among them C, H and W; empty: as far as the file states them.

        Returns
        -------
        In the file's own type, or float64 where gains or offsets are stated.

        Raises
        ------
        HsbenchError
            If the file is damaged, the numbers are not real, or some of the part stand for no value.
        """
        return meant(self.numbers(index), self.stated, index, axes or self.axes, str(self))

    def numbers(self, index: Index) -> NDArray[Any]:
        """Return a part as it is stored, in the file's own type: `stated` says what the numbers mean.

        Raises
        ------
        HsbenchError
            If the file is damaged, or the numbers are not real.
        """
        part = _readable(self.path, lambda: self._read(index))
        if part.dtype.kind not in "fiu":
            raise HsbenchError(f"{self} holds values of type {part.dtype}; real numbers are needed")
        return part


@contextmanager
def open_arrays(path: Path) -> Iterator[Mapping[str, StoredArray]]:
    """Open a `.mat`, `.npy`, `.npz`, `.h5`, `.tif` or ENVI `.hdr` file and give its arrays of numbers by name.

    They are read in parts, but for `.npz` and compressed TIFF files. Nothing is unpickled.

    Raises
    ------
    HsbenchError
        If there is no such file, or it is of another kind or damaged.
    """
    if not path.is_file():
        raise HsbenchError(f"{path}: there is no such file")
    opened = _OPENERS.get(path.suffix.lower())
    if opened is None:
        if (header := path.with_suffix(".hdr")).is_file():
            raise HsbenchError(f"{path} is the raster of an ENVI header, it seems: name the header, {header}")
        raise HsbenchError(f"{path}: files of kind {path.suffix or '(none)'} are not read; {', '.join(SUFFIXES)} are")
    with ExitStack() as stack:
        yield _readable(path, lambda: opened(path, stack))


def _readable(path: Path, read: Callable[[], _Result]) -> _Result:
    """Call a reader of another library; whatever a damaged file makes it raise becomes one message."""
    try:
        return read()
    except HsbenchError:
        raise
    except Exception as error:
        raise DamagedError(f"{path} cannot be read as a {path.suffix} file, or is damaged: {error}") from error


def _in_memory(path: Path, name: str, array: NDArray[Any]) -> StoredArray:
    return StoredArray(path, name, array.shape, lambda index: array[index])


def _mat(path: Path, stack: ExitStack) -> dict[str, StoredArray]:
    variables = stack.enter_context(open_matfile(path))
    return {name: _variable(path, name, variable) for name, variable in _numeric("", variables)}


def _numeric(above: str, variables: Mapping[str, Variable]) -> Iterator[tuple[str, Variable]]:
    """Give all variables of numbers, those within structs by names such as "results/sr"."""
    for name, variable in variables.items():
        if variable.kind == "struct":
            yield from _numeric(f"{above}{name}/", variable.fields())
        elif variable.kind in NUMERIC | {"logical", "complex"}:
            yield above + name, variable


def _variable(path: Path, name: str, variable: Variable) -> StoredArray:
    def refuse(_: Index) -> NDArray[Any]:
        raise HsbenchError(f"{name} of {path} holds complex numbers; real numbers are needed")

    stated, wrong = _stated(path, name, [variable.attributes])
    read = refuse if variable.kind == "complex" else wrong or variable.read
    return StoredArray(path, name, variable.shape, read, kind=variable.kind, stated=stated)


def _hdf5(path: Path, stack: ExitStack) -> dict[str, StoredArray]:
    file = stack.enter_context(h5py.File(path, "r"))
    found: dict[str, StoredArray] = {}

    def visit(name: str, node: Any) -> None:
        # groups that begin with # are MATLAB's own
        if isinstance(node, h5py.Dataset) and node.dtype.kind in "fiu" and not name.startswith("#"):
            found[name] = _dataset(path, name, node)

    file.visititems(visit)
    return found


def _dataset(path: Path, name: str, node: Any) -> StoredArray:
    levels, group = [node.attrs], node
    while group.name != "/":
        group = group.parent
        levels.append(group.attrs)
    stated, refuse = _stated(path, name, levels)
    # MATLAB counts axes in Fortran's order, HDF5 and h5py in C's
    if path.suffix.lower() == ".mat" or "MATLAB_class" in node.attrs:
        return StoredArray(path, name, node.shape[::-1], refuse or (lambda index: node[index[::-1]].T), stated=stated)
    return StoredArray(path, name, node.shape, refuse or (lambda index: node[index]), stated=stated)


def _stated(
    path: Path, name: str, levels: Sequence[Mapping[str, Any]]
) -> tuple[Stated, Callable[[Index], NDArray[Any]] | None]:
    """Return what the attributes of an array state; where they are wrong, what refuses to read it, and it alone.

    Above its own, those of the groups around it may say what is no value.
    """
    where = f"{name} of {path}"
    try:
        own, *around = levels
        stated = of_attributes(where, own)
        for attributes in around:
            stated = stated if stated.no_data else no_data_of(where, attributes, stated)
        return stated, None
    except HsbenchError as error:
        wrong = error

    def refuse(_: Index) -> NDArray[Any]:
        raise wrong

    return Stated(), refuse


def _npy(path: Path, stack: ExitStack) -> dict[str, StoredArray]:
    del stack  # the mapping closes with the array
    return {"": _in_memory(path, "", np.load(path, mmap_mode="r", allow_pickle=False))}


def _npz(path: Path, stack: ExitStack) -> dict[str, StoredArray]:
    # opened here, since NumPy leaves a damaged file open
    file = stack.enter_context(np.load(stack.enter_context(path.open("rb")), allow_pickle=False))
    found = {}
    for name in file.files:
        try:
            found[name] = _in_memory(path, name, file[name])
        except ValueError:  # Python's objects, which only a pickle could give
            continue
    return found


def _tif(path: Path, stack: ExitStack) -> dict[str, StoredArray]:
    del stack  # nothing stays open
    return {name: _raster(path, name, image) for name, image in open_tiff(path).items()}


def _envi(path: Path, stack: ExitStack) -> dict[str, StoredArray]:
    del stack  # the mapping closes with the array
    return {"": _raster(path, "", open_envi(path))}


def _raster(path: Path, name: str, image: Raster) -> StoredArray:
    return StoredArray(path, name, image.shape, image.read, image.wavelengths, image.axes, stated=image.stated)


_OPENERS: Mapping[str, Callable[[Path, ExitStack], dict[str, StoredArray]]] = {
    ".mat": _mat,
    ".npy": _npy,
    ".npz": _npz,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".tif": _tif,
    ".tiff": _tif,
    ".hdr": _envi,
}
#: Endings of the files that `open_arrays` reads.
SUFFIXES = tuple(_OPENERS)
