"""TOML files that are checked: a wrong key is named, with its file and what was meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.suggest import unknown

STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
"""Configuration of a dataclass that a file fills: no key but its own."""

_Table = TypeVar("_Table")


def fill(table: type[_Table], content: Mapping[str, Any], where: str) -> _Table:
    """Make a dataclass of the content of a TOML file.

    Parameters
    ----------
    table
        A dataclass configured by `STRICT`.
    content
        As `parse_toml` returns it.
    where
        Name of the file, for messages.

    Raises
    ------
    HsbenchError
        If a key is unknown or missing, or a value is not what it should be; the message names file and key.
    """
    try:
        return TypeAdapter(table).validate_python(content)
    except ValidationError as error:
        first = min(error.errors(), key=lambda found: found["type"] != _UNKNOWN_KEY)  # a typo also leaves a gap
        path = tuple(place for place in first["loc"] if isinstance(place, str))
        raise HsbenchError(f"{where}: {_explained(table, first['type'], first['msg'], path)}") from error
    except HsbenchError as error:
        raise type(error)(f"{where}: {error}") from error


_UNKNOWN_KEY = "unexpected_keyword_argument"


def _explained(table: type, kind: str, message: str, path: tuple[str, ...]) -> str:
    place = ".".join(path)
    if kind == _UNKNOWN_KEY:
        return f"{place}: {unknown('key', path[-1], _keys(table, path[:-1]))}"
    if kind in ("missing", "missing_argument"):
        return f"the key {place} is missing"
    message = message.removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def _keys(table: type, path: Iterable[str]) -> list[str]:
    """Return the keys of a table within a table, found by its path."""
    for name in path:
        if is_dataclass(table):
            table = get_type_hints(table)[name]
        elif get_origin(table) is not None:  # a mapping or a sequence of tables
            table = get_args(table)[-1]
    while get_origin(table) is not None:
        table = next(part for part in get_args(table) if part is not Ellipsis)
    return [field.name for field in fields(table)] if is_dataclass(table) else []
