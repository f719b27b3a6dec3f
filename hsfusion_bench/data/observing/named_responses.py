"""Camera responses by name, or by a user's file."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from hsfusion_bench.claims import parse_toml
from hsfusion_bench.data.observing.response_files import SUFFIXES, read_response, split_key
from hsfusion_bench.data.observing.responses import WAVELENGTHS, Array, Bands, Response, Table
from hsfusion_bench.data.observing.tables import fill
from hsfusion_bench.errors import UsageError
from hsfusion_bench.suggest import unknown


def _folder() -> Traversable:
    return files("hsfusion_bench.data.observing") / "responses"


def response_names() -> tuple[str, ...]:
    """Return the names of the shipped responses, sorted."""
    return tuple(sorted(path.name.removesuffix(".toml") for path in _folder().iterdir()))


def load_response(name: str) -> Response:
    """Return a response: a shipped one by name, or a user's own by its file, ``FILE`` or ``FILE:KEY``.

    Raises
    ------
    UsageError
        If there is none of that name.
    HsbenchError
        If the file is not there, or is no response.
    """
    file, key = split_key(name)
    if file:
        return read_response(Path(file).expanduser(), key)
    if name not in response_names():
        message = unknown("camera response", name, response_names())
        raise UsageError(f"{message} A file of your own ends in {', '.join(SUFFIXES)}.")
    where = f"{name}.toml"
    content: dict[str, Any] = parse_toml((_folder() / where).read_text("utf-8"), where)
    kind: type[Bands] | type[Table] = Bands if "bands" in content else Table
    return fill(kind, {"name": name, **content}, where)


def response(name: str, wavelengths: Sequence[float] = WAVELENGTHS) -> Array:
    """Return a response to the bands of a cube, float64 [msi_bands, bands]; see `load_response` and `Response.at`."""
    return load_response(name).at(wavelengths)
