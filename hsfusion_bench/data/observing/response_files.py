"""A user's own camera response, from a CSV, a text, a MAT-file or NumPy's files.

Either a table by wavelength::

    wavelength,red,green,blue          channel,400,410,420,430
    400,0.01,0.02,0.30          or     red,0.01,0.01,0.02,0.02
    410,0.01,0.03,0.45                 green,0.02,0.03,0.05,0.09

whose first head may name the unit, as in ``wavelength (um)``; without one, see `formats.wavelengths`. The head of a
text may be a comment, as `numpy.savetxt` writes it; an NPY file may hold a structured array, with the heads as fields.

Or the bare matrix [msi_bands, bands] for the very bands of the cube. Without heads, in files of any kind, a first row
or first column that can only be wavelengths is taken for them, and never for a channel. A MAT-file or NPZ may hold the
wavelengths as a vector beside the matrix, whose name may end in the unit (``wl_um``). Tables are interpolated linearly
and are 0 beyond their ends; rows are divided by their sums.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import ValidationError

from hsfusion_bench.claims import read_text
from hsfusion_bench.data.observing.responses import Array, Matrix, Response, Table, own_name
from hsfusion_bench.errors import HsbenchError, UsageError, out_of_memory
from hsfusion_bench.formats.arrays import StoredArray, open_arrays
from hsfusion_bench.formats.finding import held, told
from hsfusion_bench.formats.matfile import NUMERIC
from hsfusion_bench.formats.wavelengths import convert, turns, unit_in

#: Endings of the files that hold a response.
SUFFIXES = (".csv", ".txt", ".mat", ".npy", ".npz")
_TEXTS = (".csv", ".txt")

#: How the head of a column of wavelengths begins.
_WAVELENGTH = re.compile(r"wave|wl|lambda|λ|nm\b|um\b|µm", re.IGNORECASE)
#: Between these, numbers that rise are wavelengths in nanometres, or in micrometres; responses hardly are.
_NANOMETRES = (100, 20_000)
_MICROMETRES = (0.2, 20)
#: Fewer numbers than these may rise by chance, as may those whose steps differ by more than this factor.
_FEWEST_MICROMETRES = 5
_STEPS = 2.0


def split_key(name: str) -> tuple[str, str]:
    """Return the file and the key of ``FILE`` or ``FILE:KEY``; the file is empty where the name is no file's."""
    if name.lower().endswith(SUFFIXES):
        return name, ""
    file, _, key = name.rpartition(":")
    return (file, key) if file.lower().endswith(SUFFIXES) else ("", "")


def read_response(path: Path, key: str = "") -> Response:
    """Read a response.

    Parameters
    ----------
    path
        A .csv, .txt, .mat, .npy or .npz file, see the module's text.
    key
        Name of the matrix in a .mat or .npz file; empty: the only one.

    Raises
    ------
    UsageError
        If a key is given for a text, or is lacking for a file of several matrices.
    HsbenchError
        If there is no such file, or it is no response; the message names the file and the place.
    """
    try:
        if path.suffix.lower() not in _TEXTS:
            return _read_arrays(path, key)
        if key:
            raise UsageError(f"{path} is a text, which has no keys: leave out :{key}")
        return _read_text(path)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise HsbenchError(f"{path}: {message}") from error


def response_csv(response: Response) -> str:
    """Return a response as a CSV that `read_response` reads back with the very same numbers.

    Parameters
    ----------
    response
        A table, or a bare matrix. Channels that are only counted are named "band 1", since a head of numbers would be
        wavelengths.

    Raises
    ------
    UsageError
        If it is a model, which has no table: it is computed at the wavelengths of the cube.
    """
    if not isinstance(response, Table | Matrix):
        raise UsageError(
            f"the camera response {response.name} is a model, computed at the wavelengths of each data set: no table "
            "says the same; `hsbench list responses --json` has the edges of its bands"
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if isinstance(response, Table):
        names = [f"band {name}" if _is_number(name) else name for name in response.channels]
        writer.writerow(["wavelength", *names])
        writer.writerows(zip(response.wavelengths, *response.values, strict=True))
    else:
        writer.writerows(response.values)
    return text.getvalue()


def _read_text(path: Path) -> Response:
    try:
        text = read_text(path, "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise HsbenchError(f"the camera response {path} cannot be read: {reason}") from error
    lines = text.splitlines()
    if path.suffix.lower() == ".txt":
        lines = _without_comments(lines)
    by_spaces = path.suffix.lower() == ".txt" and not any("," in line for line in lines)
    cells = map(str.split, lines) if by_spaces else csv.reader(lines)
    try:
        rows = [[cell.strip() for cell in row] for row in cells if any(row)]
    except csv.Error as error:  # a cell longer than it reads, or a NUL
        raise HsbenchError(
            f"{path}: a cell in it has more than {csv.field_size_limit()} characters, or one that no text has"
        ) from error
    if not rows:
        raise HsbenchError(f"{path}: the file is empty")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise HsbenchError(f"{path}: row {number} has {len(row)} cells, row 1 has {len(rows[0])}")
    head, body = rows[0], rows[1:]
    if all(map(_is_number, head)):
        return _without_labels(path, _numbers(path, rows, 1))
    if not body or len(head) < 2:
        raise HsbenchError(f"{path}: a table needs a head, rows of numbers and two columns at least")
    if all(map(_is_number, head[1:])):  # wavelengths in the head, a channel in each row
        values = _numbers(path, [row[1:] for row in body], 2)
        return _headed(path, [row[0] for row in body], _numbers(path, [head[1:]], 1)[0], values, head[0])
    columns = _numbers(path, body, 2)
    return _headed(path, head[1:], columns[:, 0], columns[:, 1:].T, head[0])


def _without_comments(lines: Sequence[str]) -> list[str]:
    """Leave out comments, but for the last one before the numbers if it is the head of a table."""
    kept: list[str] = []
    head = ""
    for line in lines:
        plain = line.strip()
        if plain.startswith(("#", "%")):
            head = plain.lstrip("#% ") if not kept else head
        elif plain:
            kept.append(plain)
    first = re.split(r"[,\s]+", head)[0] if head else ""
    if kept and _WAVELENGTH.match(first) and len(_cells(head, kept[0])) == len(_cells(kept[0], kept[0])):
        return [head, *kept]
    return kept


def _cells(line: str, like: str) -> list[str]:
    return line.split(",") if "," in like else line.split()


def _headed(path: Path, channels: Sequence[str], numbers: Array, values: Array, head: str) -> Table:
    """Return a table whose wavelengths are known to be such, and may be in the unit that the head names."""
    unit = unit_in(head)
    nm, remark = convert(numbers, unit, f"{path}: {head or 'the wavelengths'}")
    if not nm:
        raise HsbenchError(f"{remark}; name their unit in the head, as in wavelength (um)")
    if turns(unit) and (np.diff(nm) < 0).all():
        return _table(path, channels, np.array(nm[::-1]), values[:, ::-1], remark)
    return _table(path, channels, np.array(nm), values, remark)


def _without_labels(path: Path, numbers: Array) -> Response:
    rows, columns = numbers.shape
    if rows > 1 and (found := _wavelengths(path, numbers[0], "the first row")):
        return _table(path, None, found.nm, numbers[1:], found.remark)
    if columns > 1 and (found := _wavelengths(path, numbers[:, 0], "the first column")):
        return _table(path, None, found.nm, numbers[:, 1:].T, found.remark)
    return _matrix(path, numbers)


def _read_arrays(path: Path, key: str) -> Response:
    if path.suffix.lower() == ".npy" and (structured := _structured(path)) is not None:
        if key:
            raise UsageError(f"{path} holds one array, which has no name: leave out :{key}")
        return structured
    with open_arrays(path) as arrays:
        contents = held(arrays)
        if key and list(arrays) == [""]:
            raise UsageError(f"{path} holds one array, which has no name: leave out :{key}")
        if key and key not in arrays:
            raise HsbenchError(f"{path} has no array {key!r}; it holds {contents}")
        key = key and arrays[key].name  # which may be spelled in other ways
        possible = {name: array for name, array in arrays.items() if _may_be_response(array)}
        if key and key not in possible:
            raise HsbenchError(f"{path}: {key} is no matrix of real numbers; the file holds {contents}")
        read = {
            name: np.atleast_2d(array.read((slice(None),) * len(array.shape)).astype(np.float64))
            for name, array in possible.items()
            if not key or name == key or _is_vector(array)
        }
    # a vector alone is what a camera of one band sees
    beside = [name for name, array in possible.items() if _is_vector(array) and len(read) > 1 and name != key]
    vectors = {name: found for name in beside if (found := _vector(path, name, read[name]))}
    matrices = [name for name in read if name not in vectors]
    if not matrices:
        raise HsbenchError(f"{path}: no array could be the matrix of a response; the file holds {contents}")
    if len(matrices) > 1 and not key:
        raise UsageError(
            f"{path}: which matrix is the response cannot be told; name its key, as in {path.name}:{matrices[0]}. "
            f"The file holds {contents}"
        )
    chosen = key or matrices[0]
    # other numbers that rise, such as the widths of bands, may pass for micrometres
    in_nm = {name: found for name, found in vectors.items() if not found.remark}
    return _joined(path, chosen, read[chosen], in_nm or vectors)


def _structured(path: Path) -> Table | None:
    """Return the table of a structured array, whose first field is the wavelengths; None for another array."""
    if not path.is_file():
        return None
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
        fields = stored.dtype.names
        if not fields:
            return None
        columns = [np.ravel(stored[name]).astype(np.float64) for name in fields]
    except MemoryError as error:
        raise HsbenchError(f"{path} cannot be read: {out_of_memory(error)}") from error
    except Exception as error:  # NumPy raises what Python's own parser of the head does, and more
        raise HsbenchError(f"{path} cannot be read as a table of numbers, or is damaged; get it again") from error
    if len(columns) < 2:
        raise HsbenchError(f"{path}: a table needs two columns at least; it has {fields[0]} alone")
    return _headed(path, list(fields[1:]), columns[0], np.array(columns[1:]), fields[0])


def _joined(path: Path, name: str, matrix: Array, vectors: Mapping[str, _Wavelengths]) -> Response:
    """Return the response of a matrix and the vectors of wavelengths that are beside it."""
    alone = _without_labels(path, matrix)
    if not vectors:
        return alone
    if isinstance(alone, Table):
        if all(tuple(each.nm.tolist()) == alone.wavelengths for each in vectors.values()):
            return alone
        raise HsbenchError(
            f"{path}: {name} begins with wavelengths, but {' and '.join(vectors)} has others; leave one of them out"
        )
    fitting = [each for each in vectors.values() if len(each.nm) in matrix.shape]
    shapes = ", ".join(f"{vector} has {len(each.nm)}" for vector, each in vectors.items())
    if not fitting:
        raise HsbenchError(
            f"{path}: {name} is {told(matrix.shape)}, but of wavelengths {shapes}: neither side of the matrix fits"
        )
    if len(fitting) > 1:
        raise HsbenchError(
            f"{path}: which wavelengths are those of {name} {told(matrix.shape)} cannot be told: {shapes}; keep one"
        )
    ((nm, remark),) = fitting
    if matrix.shape[1] == len(nm):
        return _table(path, None, nm, matrix, remark)
    turned = f"{path}: {name} is {told(matrix.shape)}, a row for each of {len(nm)} wavelengths: it was turned"
    return _table(path, None, nm, matrix.T, f"{remark}; {turned}" if remark else turned)


def _may_be_response(array: StoredArray) -> bool:
    return len(array.shape) in (1, 2) and min(array.shape) > 0 and array.kind in NUMERIC | {""}


def _is_vector(array: StoredArray) -> bool:
    return len(array.shape) == 1 or 1 in array.shape


def _table(path: Path, channels: Sequence[str] | None, wavelengths: Array, values: Array, remark: str = "") -> Table:
    names = tuple(channels) if channels is not None else _counted(values)
    content = (tuple(wavelengths.tolist()), tuple(map(tuple, values.tolist())))
    return Table(own_name(path.stem, content), names, *content, interpolate=True, remark=remark)


def _matrix(path: Path, values: Array) -> Matrix:
    content = tuple(map(tuple, values.tolist()))
    return Matrix(own_name(path.stem, content), _counted(values), content)


def _counted(values: Array) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, len(values) + 1))


class _Wavelengths(NamedTuple):
    """Wavelengths in nanometres, and what is to be said of how they were found."""

    nm: Array
    remark: str = ""


def _wavelengths(path: Path, numbers: Array, where: str) -> _Wavelengths | None:
    """Return the wavelengths that a row, a column or a vector can only be, if so.

    Raises
    ------
    HsbenchError
        If they may be wavelengths and may be responses as well.
    """
    steps = np.diff(numbers)
    if not len(steps) or not (steps > 0).all():
        return None
    lowest, highest = float(numbers[0]), float(numbers[-1])
    if lowest >= _NANOMETRES[0] and highest <= _NANOMETRES[1]:
        return _Wavelengths(numbers)
    micrometres = (
        _MICROMETRES[0] <= lowest
        and highest <= _MICROMETRES[1]
        and len(numbers) >= _FEWEST_MICROMETRES
        and not (numbers == np.round(numbers)).all()  # counts
    )
    if micrometres and steps.max() <= _STEPS * steps.min():
        remark = f"{path}: {where}, from {lowest:g} to {highest:g}, is taken for wavelengths in micrometres"
        return _Wavelengths(np.array(convert(numbers, "um", f"{path}: {where}").nm), remark)
    if micrometres or lowest >= _NANOMETRES[0]:
        raise HsbenchError(
            f"{path}: {where} rises from {lowest:g} to {highest:g}: whether these are wavelengths or what a "
            "channel sees cannot be told; write a CSV with the head wavelength,red,green,blue and nanometres below it"
        )
    return None


def _vector(path: Path, name: str, numbers: Array) -> _Wavelengths | None:
    """Return the wavelengths of a vector beside a matrix; one that may be something else is none."""
    try:
        if "_" in name and (unit := unit_in(name.rpartition("_")[2])) and not turns(unit):
            return _Wavelengths(np.array(convert(numbers.ravel(), unit, f"{path}: {name}").nm))
        return _wavelengths(path, numbers.ravel(), "the vector")
    except HsbenchError:
        return None


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _numbers(path: Path, rows: Sequence[Sequence[str]], first: int) -> Array:
    for number, row in enumerate(rows, first):
        wrong = next((cell for cell in row if not _is_number(cell)), None)
        if wrong is not None:
            raise HsbenchError(f"{path}: {wrong!r} in row {number} is not a number")
    return np.array([[float(cell) for cell in row] for row in rows])
