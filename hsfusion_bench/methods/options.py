"""Options of a method: the fields of its dataclass.

A method that can be tuned is a frozen dataclass whose fields are made by `option`::

    @dataclass(frozen=True)
    class Mine(Method):
        card = Card(name="mine", title="My method", family="classical")
        rank: int = option(10, "dimension of the subspace")

``hsbench run --set mine.rank=12`` changes one, ``hsbench show mine`` lists them, and a record carries all of them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, TypeVar, cast, get_args, get_origin, get_type_hints

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.suggest import unknown

Value: TypeAlias = bool | int | float | str


class _Carded(Protocol):
    """A method, as far as its options are concerned."""

    card: ClassVar[Any]


_Method = TypeVar("_Method", bound=_Carded)

_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def option(default: Value, meaning: str, *, at_least: float | None = None) -> Any:
    """Declare a field of a method's dataclass as an option; its annotation is bool, int, float, str or Literal of str.

    Parameters
    ----------
    default
        The paper's value.
    meaning
        What it is, in one line.
    at_least
        Smallest number that makes sense; None: any.
    """
    return dataclasses.field(default=default, metadata={"meaning": meaning, "at_least": at_least})


@dataclass(frozen=True)
class Option:
    """One option of a method: its name, its value now and by default, and what it means."""

    name: str
    value: Value
    default: Value
    meaning: str


def options_of(method: _Carded | type[_Carded]) -> dict[str, Option]:
    """Return the options of a method by name, in the order of their declaration; none of a method without."""
    return {
        field.name: Option(
            field.name, getattr(method, field.name), cast(Value, field.default), field.metadata.get("meaning", "")
        )
        for field in _fields(method)
    }


def changed_options(method: _Carded) -> dict[str, Value]:
    """Return the options of a method whose values are not the defaults."""
    return {name: each.value for name, each in options_of(method).items() if each.value != each.default}


def short_value(value: Value) -> str:
    """Return a value as part of a file name or a title."""
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def told_options(options: Mapping[str, Value]) -> str:
    """Return options that were changed in words, such as "width 8"."""
    return " and ".join(f"{name} {short_value(value)}" for name, value in options.items()) or "the default options"


def with_options(method: _Method, texts: Mapping[str, str]) -> _Method:
    """Return the method with some of its options changed.

    Parameters
    ----------
    texts
        Values by name, as they stand on a command line.

    Raises
    ------
    UsageError
        If there is no such option, or the text is no value of its type.
    """
    if not texts:
        return method
    fields = {field.name: field for field in _fields(method)}
    kinds = get_type_hints(type(method)) if fields else {}
    values = {}
    for name, text in texts.items():
        if name not in fields:
            raise UsageError(unknown(f"option of {method.card.name}", name, fields))
        values[name] = _read(f"{method.card.name}.{name}", text, kinds[name], fields[name])
    changed: _Method = dataclasses.replace(method, **values)  # type: ignore[type-var]  # it has fields
    return changed


def _fields(method: _Carded | type[_Carded]) -> list[dataclasses.Field[Any]]:
    if not dataclasses.is_dataclass(method):
        return []
    fields = [field for field in dataclasses.fields(method) if field.init]
    for field in fields:
        if field.default is dataclasses.MISSING:
            raise HsbenchError(f"option {field.name} of {method.card.name} has no default; every option needs one")
    return fields


def _read(name: str, text: str, kind: Any, field: dataclasses.Field[Any]) -> Value:
    """Make a value of a text."""
    if get_origin(kind) is Literal:
        choices = [str(choice) for choice in get_args(kind)]
        if text not in choices:
            raise UsageError(f"{name}: {text!r} is none of {', '.join(choices)}")
        return text
    if kind is bool:
        if text.lower() not in _WORDS:
            raise UsageError(f"{name}: {text!r} is neither true nor false")
        return _WORDS[text.lower()]
    if kind is int or kind is float:
        return _number(name, text, kind, field.metadata.get("at_least"))
    if kind is str:
        return text
    raise HsbenchError(f"{name} is a {kind}, which cannot be set; bool, int, float, str and Literal of str can")


def _number(name: str, text: str, kind: type[int] | type[float], at_least: float | None) -> int | float:
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not math.isfinite(value):
        raise UsageError(f"{name}: {text!r} is not a {'whole ' if kind is int else ''}number")
    if at_least is not None and value < at_least:
        raise UsageError(f"{name}: {text} is too small; the least is {at_least:g}")
    return value
