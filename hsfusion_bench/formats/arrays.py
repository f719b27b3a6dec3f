"""Arrays in files of other people, of any usual kind: a name, a shape, and the values when they are asked for."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from math import prod
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.claims import PARTS, Claim, require_room
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.datasets import claim_of
from hsfusion_bench.formats.envi import open_envi
from hsfusion_bench.formats.geodata import open_by_gdal, open_told
from hsfusion_bench.formats.kinds import READ, Kind, envi_header, kind_of
from hsfusion_bench.formats.links import Broken, identity, members
from hsfusion_bench.formats.matfile import NUMERIC, Index, Variable, open_matfile, sized
from hsfusion_bench.formats.rasters import Raster, open_tiff
from hsfusion_bench.formats.reading import ContentError, cut_short, readable
from hsfusion_bench.formats.stated import Stated
from hsfusion_bench.formats.statements import no_data_of, of_attributes
from hsfusion_bench.formats.values import meant

#: How deep cells and structs may be within each other; a damaged file may go on for ever.
_DEEPEST = 32
#: As NumPy has them.
_MOST_AXES = 64


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
    link
        The first name of it in the file, where this is another one; else empty.
    claim
        What it takes when it is read, which is held against the file and the memory first.
    """

    path: Path
    name: str
    shape: tuple[int, ...]
    _read: Callable[[Index], NDArray[Any]]
    wavelengths: tuple[float, ...] = ()
    axes: str = ""
    kind: str = ""
    stated: Stated = field(default_factory=Stated)
    link: str = ""
    claim: Claim = field(default_factory=Claim)

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
            If the file is damaged, claims more than it can have or there is memory for, or the numbers are not real.
        """
        self.claim.require(str(self), self.shape, _sides(self.shape, index))
        part = readable(self.path, lambda: _called(self.path), lambda: self._read(index))
        if part.dtype.kind not in "fiu":
            raise HsbenchError(f"{self} holds values of type {part.dtype}; real numbers are needed")
        return part


def _sides(shape: Sequence[int], index: Index) -> list[int]:
    """Return the shape of a part of an array, with 1 for an axis of which one place is taken."""
    given = [len(range(side)[one]) if isinstance(one, slice) else 1 for side, one in zip(shape, index, strict=False)]
    return [*given, *shape[len(given) :]]


class Arrays(dict[str, StoredArray]):
    """The arrays of numbers in a file, by name; a name may be spelled as MATLAB does, or as HDF5.

    Attributes
    ----------
    others
        What else there is, by name: what it is in words, such as "text" or "a cell of 2 elements"; a `Broken` link.
    """

    def __init__(self) -> None:
        super().__init__()
        self.others: dict[str, str] = {}

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (isinstance(key, str) and self._spelled(key) is not None)

    def __missing__(self, key: str) -> StoredArray:
        name = self._spelled(key)
        if name is None:
            raise KeyError(key)
        return self[name]

    def _spelled(self, key: str) -> str | None:
        """Return the only name that differs from a key in nothing but how it is spelled, or else in its capitals."""
        for form in (plain, lambda name: plain(name).lower()):
            names = [name for name in self if form(name) == form(key)]
            if len(names) == 1:
                return names[0]
        return None


def plain(name: str) -> str:
    """Return a name without what may be spelled in two ways: "/s/ x" and "s.x" are one."""
    return "".join(name.split()).strip("/").replace("/", ".")


@contextmanager
def open_arrays(path: Path) -> Iterator[Arrays]:
    """Open a file of any kind of `kinds.READ`, told by its content, and give its arrays of numbers by name.

    Satellite products, Zarr folders and netCDF's classic files are told first; where rasterio is installed, GDAL opens
    what is of no kind of ours.

    They are read in parts, but for arrays of `.npz` and compressed TIFF files. Nothing is unpickled. An element of a
    cell is called ``hsi{1}``, a field ``results.sr`` or ``s(2).cube``, an HDF5 dataset by its path.

    Raises
    ------
    HsbenchError
        If there is no such file, or it is of another kind or damaged.
    """
    with ExitStack() as stack:
        yield readable(path, lambda: _called(path), lambda: _opened(path, stack))


def _opened(path: Path, stack: ExitStack) -> Arrays:
    """Open a file: as the product that it is, else by its kind, else by GDAL."""
    if (images := open_told(path, stack)) is not None:
        return _images(path, images)
    try:
        opened = _OPENERS[kind_of(path)]
    except HsbenchError:
        if (images := open_by_gdal(path, stack)) is None:
            raise
        return _images(path, images)
    return opened(path, stack)


def _called(path: Path) -> str:
    """Return what a file that was opened is called in a message."""
    try:
        kind = kind_of(path)
    except HsbenchError:  # a product or an image of GDAL's, which is of none of these kinds
        return f"{path.suffix} file"
    return Kind.MAT if kind == Kind.MAT73 else kind


def _mat(path: Path, stack: ExitStack) -> Arrays:
    found = Arrays()
    for name, variable in stack.enter_context(open_matfile(path)).items():
        _gather(path, name, variable, found, _DEEPEST)
    return found


def _gather(path: Path, name: str, variable: Variable, found: Arrays, depth: int) -> None:
    """Add a variable, or those within it: of a struct "s.x", of an array of structs "s(2).x", of a cell "c{2}"."""
    if not depth:
        raise ContentError("cells and structs in it are within each other without end")
    if len(found) + len(found.others) > PARTS:
        raise ContentError(f"cells and structs in it have more than {PARTS} elements and fields")
    if variable.kind in NUMERIC | {"logical", "complex"}:
        found[name] = _variable(path, name, variable)
        return
    within = {f"{name}.{field}": each for field, each in variable.fields().items()}
    within |= {f"{name}{place}": each for place, each in variable.elements().items()}
    for inner, each in within.items():
        _gather(path, inner, each, found, depth - 1)
    if variable.kind != "struct" or variable.shape != (1, 1):
        found.others[name] = _what(variable, [found[inner] for inner in within if inner in dict.keys(found)])


def _what(variable: Variable, held: list[StoredArray]) -> str:
    """Say what a variable is that is no array of numbers; `held` are those that are its elements."""
    if isinstance(variable.kind, Broken):
        return variable.kind
    count = prod(variable.shape)
    if variable.kind == "cell":
        cubes = 0 < len(held) == count and all(len(array.shape) == 3 for array in held)
        return f"a cell of {count} {'cube' if cubes else 'element'}{'s' * (count != 1)}"
    if variable.kind == "struct":
        return f"an array of {count} structs"
    return {"char": "text", "sparse": "a sparse matrix", "object": "an object"}.get(
        variable.kind, f"of class {variable.kind}"
    )


def _variable(path: Path, name: str, variable: Variable) -> StoredArray:
    def refuse(_: Index) -> NDArray[Any]:
        raise HsbenchError(f"{name} of {path} holds complex numbers; real numbers are needed")

    stated, wrong = _stated(path, name, [variable.attributes])
    read = refuse if variable.kind == "complex" else wrong or variable.read
    return StoredArray(path, name, variable.shape, read, kind=variable.kind, stated=stated, claim=variable.claim)


def _hdf5(path: Path, stack: ExitStack) -> Arrays:
    file = stack.enter_context(sized(lambda: h5py.File(path, "r")))
    found = Arrays()
    first: dict[tuple[int, Any], str] = {}

    def visit(above: str, group: Any, parents: tuple[Any, ...]) -> None:
        here = (*parents, identity(group))
        for last, node in members(group):
            name = above + last
            if name.startswith("#"):  # groups that begin with # are MATLAB's own
                continue
            if isinstance(node, h5py.Group):
                if identity(node) in here:
                    found.others[name] = Broken("a link to a group that it is in")
                else:
                    visit(f"{name}/", node, here)
            elif not isinstance(node, h5py.Dataset):
                found.others[name] = node if isinstance(node, Broken) else "a type of numbers"
            elif what := _no_numbers(node):
                found.others[name] = what
            else:
                link = first.setdefault(identity(node), name)
                array = _unfiltered(node, _dataset(path, name, node))
                found[name] = replace(array, link="" if link == name else link)

    visit("", file, ())
    return found


def _unfiltered(node: Any, array: StoredArray) -> StoredArray:
    """Let an array name the compression that this HDF5 lacks, where it cannot be read for that."""
    stored = node.id.get_create_plist()
    filters = [stored.get_filter(number) for number in range(stored.get_nfilters())]
    lacking = [
        f"{name.decode() or 'no name'} ({code})" for code, _, _, name in filters if not h5py.h5z.filter_avail(code)
    ]
    if not lacking:
        return array

    def read(index: Index) -> NDArray[Any]:
        try:
            return array._read(index)
        except OSError as error:
            raise HsbenchError(
                f"{array} is compressed by the filter {' and '.join(lacking)}, which is not installed; where it is, "
                "write the file anew by h5repack -f GZIP=1 IN OUT"
            ) from error

    return replace(array, _read=read)


def _no_numbers(node: Any) -> str:
    """Say what a dataset is that holds no real numbers, or a scale of netCDF-4 without any; else nothing."""
    if node.attrs.get("CLASS") == b"DIMENSION_SCALE" and (
        len(node.shape or ()) > 1
        or bytes(node.attrs.get("NAME", b"")).startswith(b"This is a netCDF dimension but not")
    ):
        return "a scale of a dimension"
    if node.shape is None:
        return "empty"
    if node.dtype.kind in "fiu":
        return ""
    return "text" if h5py.check_string_dtype(node.dtype) else f"of type {node.dtype}"


def _dataset(path: Path, name: str, node: Any) -> StoredArray:
    levels, group = [node.attrs], node
    while group.name != "/":
        group = group.parent
        levels.append(group.attrs)
    stated, refuse = _stated(path, name, levels)
    # MATLAB counts axes in Fortran's order, HDF5 and h5py in C's
    if path.suffix.lower() == ".mat" or "MATLAB_class" in node.attrs:
        turned = refuse or (lambda index: node[index[::-1]].T)
        return StoredArray(path, name, node.shape[::-1], turned, stated=stated, claim=claim_of(node))
    return StoredArray(
        path, name, node.shape, refuse or (lambda index: node[index]), stated=stated, claim=claim_of(node)
    )


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


def _npy(path: Path, stack: ExitStack) -> Arrays:
    del stack  # the mapping closes with the array
    with path.open("rb") as file:
        shape, dtype = _npy_head(file)
        if dtype.hasobject:
            raise HsbenchError(f"{path} cannot be read: it holds {_OBJECTS}")
        stated = file.tell() + prod(shape) * dtype.itemsize
    if (there := path.stat().st_size) < stated:
        raise cut_short(stated, there)
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    return _named(StoredArray(path, "", array.shape, lambda index: array[index], claim=Claim(array.itemsize)))


def _npy_head(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read the head of a NumPy file: shape, and type of the values."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if len(shape) > _MOST_AXES or any(side < 0 for side in shape):
        raise ContentError("its head states no shape of an array")
    return shape, dtype


def _npz(path: Path, stack: ExitStack) -> Arrays:
    """Open an archive of arrays: the heads are read, and the values when they are asked for, all at once."""
    # opened here, since Python leaves a damaged file open
    archive = stack.enter_context(zipfile.ZipFile(stack.enter_context(path.open("rb"))))
    found = Arrays()
    for entry in archive.infolist():
        name = entry.filename.removesuffix(".npy")
        with archive.open(entry) as file:
            shape, dtype = _npy_head(file)
            held = entry.file_size - file.tell()
        if dtype.hasobject:
            found.others[name] = "Python objects"
        elif held < (size := prod(shape) * dtype.itemsize):
            raise cut_short(size, max(0, held), f"{name} in it states")
        else:
            found[name] = _packed(path, name, archive, entry, shape, dtype)
    if found.others and not found:
        raise HsbenchError(f"{path} cannot be read: it holds {_OBJECTS}")
    return found


def _packed(
    path: Path,
    name: str,
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
) -> StoredArray:
    """Return an array of an archive, unpacked once."""
    claim = Claim(dtype.itemsize, lambda: entry.compress_size)

    @cache
    def values() -> NDArray[Any]:
        require_room(f"{name} of {path}", entry.file_size)
        with archive.open(entry) as file:
            whole: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
            if file.read(1):  # reads to the end, where the checksum is
                raise ContentError(f"{name} in it has more values than it states")
        return whole

    return StoredArray(path, name, shape, lambda index: values()[index], claim=claim)


def _named(*arrays: StoredArray) -> Arrays:
    found = Arrays()
    found.update((array.name, array) for array in arrays)
    return found


def _tif(path: Path, stack: ExitStack) -> Arrays:
    del stack  # nothing stays open
    return _named(*(_raster(path, name, image) for name, image in open_tiff(path).items()))


def _envi(path: Path, stack: ExitStack) -> Arrays:
    del stack  # the mapping closes with the array
    return _named(_raster(path, "", open_envi(path)))


def _envi_raster(path: Path, stack: ExitStack) -> Arrays:
    del stack  # the mapping closes with the array
    header = envi_header(path)
    assert header is not None  # that is how the kind was told
    return _named(_raster(path, "", open_envi(header, path)))


def _images(path: Path, images: Mapping[str, Raster]) -> Arrays:
    return _named(*(_raster(path, name, image) for name, image in images.items()))


def _raster(path: Path, name: str, image: Raster) -> StoredArray:
    return StoredArray(
        path, name, image.shape, image.read, image.wavelengths, image.axes, stated=image.stated, claim=image.claim
    )


_OBJECTS = "Python objects, which only unpickling could read, and that is never done; save it as an array of numbers"
_OPENERS: Mapping[Kind, Callable[[Path, ExitStack], Arrays]] = {
    Kind.MAT: _mat,
    Kind.MAT73: _mat,
    Kind.HDF5: _hdf5,
    Kind.NPY: _npy,
    Kind.NPZ: _npz,
    Kind.TIFF: _tif,
    Kind.ENVI: _envi,
    Kind.RASTER: _envi_raster,
}
#: Usual endings of the files that `open_arrays` reads, where a folder has others beside them.
SUFFIXES = tuple(
    ending for kind, about in READ.items() if kind not in (Kind.MAT73, Kind.RASTER) for ending in about.endings.split()
)
