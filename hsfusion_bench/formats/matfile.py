"""Variables of MAT-files, versions 5 to 7.3, read in parts."""

from __future__ import annotations

import mmap
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from math import prod
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.claims import PARTS, Claim, require_disk, require_likely
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats import reading
from hsfusion_bench.formats.datasets import claim_of, read_whole
from hsfusion_bench.formats.kinds import Kind, kind_of
from hsfusion_bench.formats.links import Broken, identity, members
from hsfusion_bench.formats.reading import ContentError, cut_short

Index: TypeAlias = tuple[int | slice, ...]
_Bytes = NDArray[np.uint8]
_Result = TypeVar("_Result")

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
#: How numbers are stored, by the type in an element's tag.
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8", 16: "u1"}
_CLASSES = {
    1: "cell",
    2: "struct",
    3: "object",
    4: "char",
    5: "sparse",
    6: "double",
    7: "single",
    8: "int8",
    9: "uint8",
    10: "int16",
    11: "uint16",
    12: "int32",
    13: "uint32",
    14: "int64",
    15: "uint64",
    16: "function_handle",
    17: "opaque",
}
_FIRST_NUMERIC, _LAST_NUMERIC = 6, 15
#: Bytes of a number of each class; it may be stored in fewer.
_ITEMSIZES = {6: 8, 7: 4, 8: 1, 9: 1, 10: 2, 11: 2, 12: 4, 13: 4, 14: 8, 15: 8}
_LOGICAL, _COMPLEX = 0x0200, 0x0800
_BEGINNING = 2**12
_PIECE = 2**20
_TILE = 32
#: As NumPy has them.
_MOST_AXES = 64

#: How HDF5's library says where a file ends and where it should.
_TRUNCATED = re.compile(r"truncated file: eof = (\d+).*stored_eof = (\d+)")

NUMERIC = frozenset(name for number, name in _CLASSES.items() if _FIRST_NUMERIC <= number <= _LAST_NUMERIC)
"""MATLAB's classes of real numbers."""


def _no_values(some: Index) -> NDArray[Any]:
    raise TypeError("not a full array of numbers")


def _no_slabs(size: int) -> Iterator[NDArray[Any]]:
    raise TypeError("not a full array of numbers")


@dataclass(frozen=True)
class Variable:
    """A variable of a MAT-file, or a field of a struct.

    Attributes
    ----------
    kind
        MATLAB's class; "complex", "sparse" and "logical" before the class of the numbers, and the class's own
        name for tables and other objects.
    shape
        As MATLAB's ``size``.
    read
        Reads a part, in the type that the file stores: an integer or a slice for each axis, of which the last ones
        may be left out. Only for full arrays of real numbers.
    slabs
        Reads the whole, a slab of the last axis after the other, each of about so many bytes: the order of the file.
    fields
        The fields of a 1 x 1 struct; of anything else none.
    attributes
        What a program other than MATLAB may have put beside the values, in a file of version 7.3.
    elements
        Those of a cell by their places, such as "{1}" or "{1,2}", and of a struct array by "(1)"; of anything else
        none.
    claim
        What it takes when it is read.
    """

    kind: str
    shape: tuple[int, ...]
    read: Callable[[Index], NDArray[Any]] = _no_values
    slabs: Callable[[int], Iterator[NDArray[Any]]] = _no_slabs
    fields: Callable[[], dict[str, Variable]] = dict
    attributes: Mapping[str, Any] = field(default_factory=dict)
    elements: Callable[[], dict[str, Variable]] = dict
    claim: Claim = field(default_factory=Claim)


@contextmanager
def open_matfile(path: Path) -> Iterator[dict[str, Variable]]:
    """Open a MAT-file and find its variables; what they hold is read only when asked for.

    A file of version 7.3 is read by HDF5. An older one is mapped into memory, which costs nothing until a part
    is read. There a compressed variable cannot be read in parts: when it is asked for, it is unpacked piece by
    piece into a temporary file, as large as the variable, and that is mapped. What is mapped is the system's cache
    of the file, which it gives up when memory runs short.

    Parameters
    ----------
    path
        A MAT-file of version 5, 6, 7 or 7.3.

    Yields
    ------
    dict of str to Variable
        By name. They can be read as long as the block lasts.

    Raises
    ------
    HsbenchError
        When the file is missing, is not a MAT-file, or is damaged; this may show only when a variable is read.
        When it has version 4 or a format of Octave's own.
    """
    kind = kind_of(path)
    if kind in (Kind.MAT73, Kind.HDF5):
        with readable(path, lambda: h5py.File(path, "r")) as file:
            yield readable(path, partial(_variables_v73, path, file))
    elif kind == Kind.MAT:
        yield readable(path, partial(_variables_v5, path))
    else:
        raise HsbenchError(
            f"{path} is {'an' if kind in (Kind.ENVI, Kind.RASTER) else 'a'} {kind}; a MAT-file is needed"
        )


def readable(path: Path, read: Callable[[], _Result]) -> _Result:
    """Call a reader; whatever a damaged file makes it raise becomes one message."""
    return reading.readable(path, lambda: Kind.MAT, lambda: sized(read))


def sized(read: Callable[[], _Result]) -> _Result:
    """Call a reader of HDF5; of a file that is cut short, both sizes are told."""
    try:
        return read()
    except OSError as error:
        if sizes := _TRUNCATED.search(str(error)):
            raise cut_short(int(sizes[2]), int(sizes[1])) from error
        raise


def _octaves_own(path: Path) -> HsbenchError:
    return HsbenchError(f"{path} has a format of Octave's own; save it with the option -v7 (or -v6) instead")


def _variables_v5(path: Path) -> dict[str, Variable]:
    """Walk through the elements of a file of version 5 to 7."""
    data: _Bytes = np.memmap(path, dtype=np.uint8, mode="r")
    order = {b"IM": "<", b"MI": ">"}.get(bytes(data[126:_HEADER]))
    if order is None:
        raise ContentError("it has no header of version 5 or later")
    variables = {}
    position = _HEADER
    while position < len(data):
        kind, start, size = _tag(data, position, order)
        position = start + size
        if position > len(data):
            raise cut_short(position, len(data), "a variable in it ends after")
        if kind == _COMPRESSED:
            packed = data[start:position]
            beginning = zlib.decompressobj().decompress(packed[:_BEGINNING].tobytes())
            name, variable = _matrix(
                np.frombuffer(beginning, np.uint8), 0, order, cache(partial(_unpack, path, packed, order))
            )
        elif kind == _MATRIX:
            name, variable = _matrix(data, start - 8, order, lambda: data)
        else:
            raise ContentError(f"there is an element of type {kind} among its variables")
        if name:  # else it is what functions of the file keep
            variables[name] = variable
    return variables


def _tag(data: _Bytes, position: int, order: str) -> tuple[int, int, int]:
    """Type, start and size in bytes of the element at `position`; up to four bytes sit in the tag itself."""
    word, size = (int(number) for number in _numbers(data, position, 2, f"{order}u4"))
    if word >> 16:
        return word & 0xFFFF, position + 4, word >> 16
    return word, position + 8, size


def _numbers(data: _Bytes, start: int, count: int, dtype: str) -> NDArray[Any]:
    return np.frombuffer(data, dtype, count, start)


def _part(data: _Bytes, position: int, order: str) -> tuple[NDArray[Any], int]:
    """Numbers of the element at `position`, and where the next one is: all begin at multiples of 8 bytes."""
    kind, start, size = _tag(data, position, order)
    stored = np.dtype(order + _STORED[kind])
    return _numbers(data, start, size // stored.itemsize, stored.str), start + size + -(start + size - position) % 8


def _text(numbers: NDArray[Any]) -> str:
    return bytes(numbers.astype(np.uint8)).decode("latin-1")


def _matrix(data: _Bytes, position: int, order: str, whole: Callable[[], _Bytes]) -> tuple[str, Variable]:
    """Name and variable of the array element at `position`, whose beginning is in `data` and all in `whole()`."""
    kind, position, size = _tag(data, position, order)
    if kind != _MATRIX:
        raise ContentError(f"there is an element of type {kind} where an array should be")
    if not size:  # an empty field of a struct
        return "", Variable("double", (0, 0))
    flags, position = _part(data, position, order)
    number = int(flags[0]) & 0xFF
    kind_name = _CLASSES.get(number, "unknown")
    if kind_name == "opaque":  # these have the name of their system and their class where others have a size
        name, position = _part(data, position, order)
        _, position = _part(data, position, order)
        class_name, _ = _part(data, position, order)
        return _text(name), Variable(_text(class_name), ())
    sizes, position = _part(data, position, order)
    letters, position = _part(data, position, order)
    name_text, shape = _text(letters), tuple(sizes.tolist())
    if not 2 <= len(shape) <= _MOST_AXES or min(shape) < 0:
        raise ContentError("an array in it has no size that MATLAB's have")
    if kind_name != "sparse" and prod(shape) > size:  # at least a byte for each element
        raise ContentError(f"an array in it states {prod(shape)} elements in {size} bytes")
    if kind_name == "struct" and prod(shape) == 1:
        return name_text, Variable(kind_name, shape, fields=lambda: _fields_v5(whole(), position, order))
    if kind_name == "struct":
        return name_text, Variable(kind_name, shape, elements=lambda: _structs_v5(whole(), position, order, shape))
    if kind_name == "cell":
        return name_text, Variable(kind_name, shape, elements=lambda: _cells_v5(whole(), position, order, shape))
    if not _FIRST_NUMERIC <= number <= _LAST_NUMERIC:
        return name_text, Variable(kind_name, shape)
    if int(flags[0]) & _COMPLEX:
        kind_name = "complex"
    elif int(flags[0]) & _LOGICAL:
        kind_name = "logical"
    return name_text, Variable(
        kind_name,
        shape,
        lambda some: _array(whole(), position, order, shape, some),
        lambda size: _slabs_v5(whole(), position, order, shape, size),
        claim=Claim(_ITEMSIZES[number]),
    )


def _fields_v5(data: _Bytes, position: int, order: str) -> dict[str, Variable]:
    [fields] = _structs_v5(data, position, order, (1, 1)).values()
    return fields.fields()


def _structs_v5(data: _Bytes, position: int, order: str, shape: tuple[int, ...]) -> dict[str, Variable]:
    """Return the structs of an array: after the fields' names, one field after the other of the first, and so on."""
    width, position = _part(data, position, order)
    letters, position = _part(data, position, order)
    names = [_text(letters[start : start + width[0]]).split("\0")[0] for start in range(0, len(letters), width[0])]
    structs = {}
    for place in _places(data, shape, "()"):
        fields = {}
        for name in names:
            fields[name], position = _element(data, position, order)
        structs[place] = Variable("struct", (1, 1), fields=partial(dict, fields))
    return structs


def _cells_v5(data: _Bytes, position: int, order: str, shape: tuple[int, ...]) -> dict[str, Variable]:
    cells = {}
    for place in _places(data, shape, "{}"):
        cells[place], position = _element(data, position, order)
    return cells


def _element(data: _Bytes, position: int, order: str) -> tuple[Variable, int]:
    """Variable at `position` within another, and where the next one is."""
    _, variable = _matrix(data, position, order, lambda: data)
    _, start, size = _tag(data, position, order)
    return variable, start + size


def _places(data: Sized, shape: tuple[int, ...], brackets: str) -> Iterator[str]:
    """Give the places in a cell or a struct array as MATLAB writes them, in its order: of a vector by one number."""
    if prod(shape) > min(len(data), PARTS):
        raise ContentError(f"a cell or struct array in it states {prod(shape)} elements, more than the file can have")
    vector = sum(side > 1 for side in shape) <= 1
    for number, place in enumerate(np.ndindex(*shape[::-1]), 1):
        subscripts = [number] if vector else [index + 1 for index in place[::-1]]
        yield f"{brackets[0]}{','.join(map(str, subscripts))}{brackets[1]}"


def _array(data: _Bytes, position: int, order: str, shape: tuple[int, ...], some: Index) -> NDArray[Any]:
    values, _ = _part(data, position, order)
    return in_c_order(values.reshape(shape, order="F")[some])


def _slabs_v5(data: _Bytes, position: int, order: str, shape: tuple[int, ...], size: int) -> Iterator[NDArray[Any]]:
    values, _ = _part(data, position, order)
    whole = values.reshape(shape, order="F")
    for some in _widths(shape, values.itemsize, size):
        yield whole[..., some]
        _let_go(data)


def _widths(shape: tuple[int, ...], itemsize: int, size: int, multiple: int = 1) -> Iterator[slice]:
    """Cut the last axis into slices of about `size` bytes, whose starts are multiples of `multiple`."""
    width = max(1, size // (itemsize * max(1, int(np.prod(shape[:-1])))))
    width = -(-width // multiple) * multiple
    for start in range(0, shape[-1], width):
        yield slice(start, start + width)


def _let_go(data: _Bytes) -> None:
    """Give the pages of a mapped file that were read back to the system, which would otherwise count as ours."""
    mapping = data.base
    while isinstance(mapping, np.ndarray):
        mapping = mapping.base
    if isinstance(mapping, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)


def in_c_order(array: NDArray[Any]) -> NDArray[Any]:
    """Copy an array from MATLAB's order, a tile of the last two axes at a time, which stays in the cache."""
    copy = np.empty(array.shape, array.dtype)
    if array.ndim < 2:
        copy[...] = array
        return copy
    height, width = array.shape[-2:]
    for row in range(0, height, _TILE):
        for column in range(0, width, _TILE):
            tile = (..., slice(row, row + _TILE), slice(column, column + _TILE))
            copy[tile] = array[tile]
    return copy


def _unpack(path: Path, packed: _Bytes, order: str) -> _Bytes:
    """Unpack a compressed variable into a temporary file without a name, and map that.

    Its tag, the first 8 bytes, states the size; no more is unpacked.
    """
    unpacking = zlib.decompressobj()
    tag = zlib.decompressobj().decompress(packed[:_BEGINNING].tobytes(), 8)
    size = 8 + int(_numbers(np.frombuffer(tag, np.uint8), 4, 1, f"{order}u4")[0])
    where = f"a compressed variable of {path}"
    require_likely(where, size, len(packed))
    require_disk(where, size, Path(tempfile.gettempdir()))
    written = 0
    with tempfile.TemporaryFile() as file:
        waiting: bytes = packed[:_PIECE].tobytes()
        taken = len(waiting)
        while waiting and not unpacking.eof:
            written += file.write(unpacking.decompress(waiting, _PIECE))
            if written > size:
                raise ContentError(f"a compressed variable in it goes on beyond the {size} bytes that it states")
            waiting = unpacking.unconsumed_tail
            if not waiting:
                waiting = packed[taken : taken + _PIECE].tobytes()
                taken += len(waiting)
                _let_go(packed)
        if not unpacking.eof:
            raise ContentError("a compressed variable is cut off")
        file.flush()
        return np.memmap(file, dtype=np.uint8, mode="r")


def _variables_v73(path: Path, file: Any) -> dict[str, Variable]:
    if any("OCTAVE_NEW_FORMAT" in node.attrs for _, node in members(file) if not isinstance(node, Broken)):
        raise _octaves_own(path)
    return _fields_v73(file)


def _fields_v73(group: Any, above: tuple[Any, ...] = ()) -> dict[str, Variable]:
    here = (*above, identity(group))
    return {name: _variable_v73(node, here) for name, node in members(group) if not name.startswith("#")}


def _variable_v73(node: Any, above: tuple[Any, ...] = ()) -> Variable:
    if isinstance(node, Broken):
        return Variable(node, ())
    if isinstance(node, h5py.Datatype):
        return Variable("a type of numbers", ())
    stated = node.attrs.get("MATLAB_class", b"")
    kind = stated.decode() if isinstance(stated, bytes) else str(stated)
    if isinstance(node, h5py.Group):
        if "MATLAB_sparse" in node.attrs:
            return Variable("sparse", ())
        if identity(node) in above:
            return Variable(Broken("a link to a group that it is in"), ())
        if kind not in ("", "struct"):
            return Variable(kind, ())
        fields = dict(members(node))
        if kind and fields and all(_are_elements(field) for field in fields.values()):
            shape = tuple(reversed(next(iter(fields.values())).shape))
            return Variable("struct", shape, elements=lambda: _structs_v73(fields, shape))
        return Variable("struct", (1, 1), fields=lambda: _fields_v73(node, above))
    if node.attrs.get("MATLAB_empty", 0):  # holds its size instead of values
        return Variable(kind, tuple(int(side) for side in read_whole(node)[:_MOST_AXES]))
    # HDF5 counts axes in C's order, MATLAB in Fortran's: what is [B, C, H, W] there is (W, H, C, B) here.
    shape = tuple(reversed(node.shape))
    if _refers(node):
        return Variable("cell", shape, elements=lambda: _cells_v73(node, shape))
    if node.dtype.names == ("real", "imag"):
        return Variable("complex", shape)
    if not kind:
        kind = (
            "double" if node.dtype.kind in "iuf" else "char" if h5py.check_string_dtype(node.dtype) else str(node.dtype)
        )
    return Variable(
        kind,
        shape,
        lambda some: in_c_order(node[(..., *reversed(some))].T),
        lambda size: _slabs_v73(node, shape, size),
        attributes=node.attrs,
        claim=claim_of(node),
    )


def _refers(node: Any) -> bool:
    return isinstance(node, h5py.Dataset) and h5py.check_ref_dtype(node.dtype) is h5py.Reference


def _are_elements(field: Any) -> bool:
    """Tell whether a field of a struct is kept as references, one for each struct of an array, and is no cell."""
    return _refers(field) and "MATLAB_class" not in field.attrs


def _structs_v73(fields: dict[str, Any], shape: tuple[int, ...]) -> dict[str, Variable]:
    every = {name: _cells_v73(field, shape, "()") for name, field in fields.items()}
    places = next(iter(every.values()))
    return {
        place: Variable("struct", (1, 1), fields=partial(dict, {name: cells[place] for name, cells in every.items()}))
        for place in places
    }


def _cells_v73(node: Any, shape: tuple[int, ...], brackets: str = "{}") -> dict[str, Variable]:
    if prod(shape) > PARTS:
        raise ContentError(f"a cell or struct array in it states {prod(shape)} elements, more than {PARTS}")
    references = read_whole(node).ravel()
    places = _places(references, shape, brackets)
    return {
        place: _variable_v73(node.file[reference]) if reference else Variable("nothing", ())
        for place, reference in zip(places, references, strict=True)
    }


def _slabs_v73(node: Any, shape: tuple[int, ...], size: int) -> Iterator[NDArray[Any]]:
    claim_of(node).require(f"{node.name} of {node.file.filename}", shape, ())
    # whole chunks, which are unpacked whole
    for some in _widths(shape, node.dtype.itemsize, size, node.chunks[0] if node.chunks else 1):
        yield node[some].T
