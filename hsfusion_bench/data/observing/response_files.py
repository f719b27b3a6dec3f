"""A user's own camera response, from a CSV or a MAT-file.

Either a table by wavelength, in nanometres::

    wavelength,red,green,blue          channel,400,410,420,430
    400,0.01,0.02,0.30          or     red,0.01,0.01,0.02,0.02
    410,0.01,0.03,0.45                 green,0.02,0.03,0.05,0.09

or the bare matrix [msi_bands, bands] for the very bands of the cube. A MAT-file holds the matrix and, for a table, a
vector of wavelengths. Tables are interpolated linearly and are 0 beyond their ends; rows are divided by their sums.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from hsfusion_bench.data.observing.responses import Array, Matrix, Response, Table, own_name
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.matfile import NUMERIC, open_matfile

#: Numbers from here on, if they rise, are wavelengths in nanometres; responses are smaller.
_LOWEST_NM = 100


def read_response(path: Path) -> Response:
    """Read a response.

    Parameters
    ----------
    path
        A .csv or .mat file, see the module's text.

    Raises
    ------
    HsbenchError
        If there is no such file, or it is no response; the message names the file and the place.
    """
    try:
        return _read_mat(path) if path.suffix == ".mat" else _read_csv(path)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise HsbenchError(f"{path}: {message}") from error


def _read_csv(path: Path) -> Response:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise HsbenchError(f"the camera response {path} cannot be read: {reason}") from error
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if any(row)]
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
        return _table(path, [row[0] for row in body], _numbers(path, [head[1:]], 1)[0], values)
    columns = _numbers(path, body, 2)
    return _table(path, head[1:], columns[:, 0], columns[:, 1:].T)


def _without_labels(path: Path, numbers: Array) -> Response:
    if len(numbers) > 1 and _are_wavelengths(numbers[0]):
        return _table(path, None, numbers[0], numbers[1:])
    if numbers.shape[1] > 1 and _are_wavelengths(numbers[:, 0]):
        return _table(path, None, numbers[:, 0], numbers[:, 1:].T)
    return _matrix(path, numbers)


def _read_mat(path: Path) -> Response:
    with open_matfile(path) as variables:
        arrays = {
            name: np.asarray(variable.read(()), np.float64)
            for name, variable in variables.items()
            if variable.kind in NUMERIC and len(variable.shape) == 2
        }
    vectors = {name: array.ravel() for name, array in arrays.items() if 1 in array.shape and _are_wavelengths(array)}
    matrices = {name: array for name, array in arrays.items() if name not in vectors}
    if len(matrices) != 1 or len(vectors) > 1:
        raise HsbenchError(
            f"{path}: one matrix of the response, and at most one vector of wavelengths in nanometres, are needed, but "
            f"the file holds {', '.join(sorted(arrays)) or 'no matrix'}"
        )
    (values,) = matrices.values()
    if not vectors:
        return _matrix(path, values)
    (wavelengths,) = vectors.values()
    if values.shape[1] != len(wavelengths):
        values = values.T
    return _table(path, None, wavelengths, values)


def _table(path: Path, channels: Sequence[str] | None, wavelengths: Array, values: Array) -> Table:
    names = tuple(channels) if channels is not None else _counted(values)
    content = (tuple(wavelengths.tolist()), tuple(map(tuple, values.tolist())))
    return Table(own_name(path.stem, content), names, *content, interpolate=True)


def _matrix(path: Path, values: Array) -> Matrix:
    content = tuple(map(tuple, values.tolist()))
    return Matrix(own_name(path.stem, content), _counted(values), content)


def _counted(values: Array) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, len(values) + 1))


def _are_wavelengths(numbers: Array) -> bool:
    flat = numbers.ravel()
    return bool(flat[0] >= _LOWEST_NM and (np.diff(flat) > 0).all())


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
