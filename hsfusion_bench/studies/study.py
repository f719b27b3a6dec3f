"""What a study is about, as a command line or a TOML file says it: `read_study`, `Study.text`.

A file says what an `hsbench run` does, and where none of that is: folders of data and results, the device and the
tables are named beside it. Paths in it are relative to the file, so that both can be committed and moved together.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, Strict
from pydantic.dataclasses import dataclass

from hsfusion_bench.claims import read_toml
from hsfusion_bench.data.observing.protocols import ProtocolChoice
from hsfusion_bench.data.observing.response_files import split_key
from hsfusion_bench.data.observing.tables import STRICT, fill
from hsfusion_bench.errors import HsbenchError, UsageError, reason_of_system

#: Stands for every method where a number is given to all.
ALL: Final = "all"
#: Prefixes of data sets that are one file.
_FILES: Final = ("mat:", "h5:")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
#: Characters of a line of a list, beyond which each entry has its own.
_LINE: Final = 100


def _several(value: object) -> object:
    """Take one value for a list of one, and leave out what was said before."""
    if isinstance(value, (list, tuple)):
        if value == []:  # of a file; what is not said is ()
            raise ValueError("the list is empty; leave the key out, or name one at least")
        return tuple(each for place, each in enumerate(value) if each not in value[:place])
    return (value,)


def _for_all(value: object) -> object:
    return {ALL: value} if isinstance(value, int) and not isinstance(value, bool) else value


def _without_flags(value: object) -> object:
    """Refuse true and false, which would pass for 1 and 0."""
    flag = (
        next((name for name, said in value.items() if isinstance(said, bool)), None)
        if isinstance(value, dict)
        else None
    )
    if flag is not None:
        raise ValueError(f"{flag} is true or false, which is no value of it")
    return value


def _text(value: object) -> object:
    """Return a number or a truth value as it stands on a command line."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


def _tile(value: object) -> object:
    whole = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 999_999
    if not whole and value not in ("auto", "none"):
        raise ValueError(f'{value!r} is none of "auto", "none", and the side of a tile in pixels, 1 to 999999')
    return value


_Name = Annotated[str, Strict(), Field(min_length=1)]
_Names = Annotated[tuple[_Name, ...], BeforeValidator(_several)]
_Seeds = Annotated[tuple[Annotated[int, Strict(), Field(ge=0, le=2**32 - 1)], ...], BeforeValidator(_several)]
_Scales = Annotated[tuple[Annotated[int, Strict(), Field(ge=2, le=1024)], ...], BeforeValidator(_several)]
_Steps = Annotated[
    Mapping[str, Annotated[int, Strict(), Field(ge=1, le=999_999_999)]],
    BeforeValidator(_for_all),
]
_Tile = Annotated[int | Literal["auto", "none"], BeforeValidator(_tile)]
_Flag = Annotated[bool, Strict()]


@dataclass(frozen=True, config=STRICT)
class Study:
    """Methods, data sets, scales, protocols and seeds, each of which is run with each; and how.

    Attributes
    ----------
    methods
        Names, ``FILE.py:NAME``, families, or "all".
    datasets, scales
        As `hsfusion_bench.data.task.open_task` takes them.
    protocols
        Names or files; none: what suits each data set.
    observing
        What is changed of the protocols: response, noise and the like; without a name and a seed of noise.
    noise_seeds
        Seeds of the noise.
    sweeps
        As `--sweep` takes them: each is run from the point that the rest says.
    scenes
        Only these of the test scenes; none: all.
    wavelengths
        Of the bands, where a data set does not state them.
    train, seeds, max_steps
        Whether networks are trained first, by which seeds, and for how many steps: by method, or by "all".
    settings
        Options of methods and numbers of recipes, as texts, by method.
    weights
        Files or names of the catalogue, by method.
    blind, tile, also, timing, pictures
        As the options of these names; `timing` is false by `--no-timing`.
    """

    methods: _Names
    datasets: _Names
    scales: _Scales
    protocols: _Names = ()
    observing: Annotated[ProtocolChoice, BeforeValidator(_without_flags)] = ProtocolChoice()
    noise_seeds: _Seeds = (0,)
    sweeps: _Names = ()
    scenes: _Names = ()
    wavelengths: _Name | None = None
    train: _Flag = False
    seeds: _Seeds = (0,)
    max_steps: _Steps = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Annotated[str, BeforeValidator(_text)]]] = field(default_factory=dict)
    weights: Mapping[str, _Name] = field(default_factory=dict)
    blind: _Flag = False
    tile: _Tile = "auto"
    also: _Names = ()
    timing: _Flag = True
    pictures: _Flag = False

    def __post_init__(self) -> None:
        for name, elsewhere in (("name", "protocols"), ("noise_seed", "noise_seeds")):
            if getattr(self.observing, name):
                raise ValueError(f"observing.{name}: state it by the key {elsewhere} instead")

    @property
    def stated(self) -> tuple[str, ...]:
        """Names of what is not as it is by default."""
        return tuple(each.name for each in fields(self) if getattr(self, each.name) != _default(each))

    def text(self, folder: Path) -> str:
        """Return the study as TOML, for a file in a folder.

        Raises
        ------
        UsageError
            If a name in it is no text, as of some files.
        """
        study = self.moved(lambda path: os.path.relpath(path, folder))
        lines, tables = [], []
        for each in fields(study):
            value = getattr(study, each.name)
            if value == _default(each):
                continue
            if each.name == "max_steps" and set(value) == {ALL}:
                value = value[ALL]
            if isinstance(value, ProtocolChoice):
                value = {
                    part.name: said for part in fields(value) if (said := getattr(value, part.name)) != part.default
                }
            if isinstance(value, Mapping):
                tables += _table(each.name, value)
            else:
                lines.append(f"{each.name} = {_value(value)}")
        return "\n".join([*lines, *tables]) + "\n"

    def moved(self, change: Callable[[str], str]) -> Study:
        """Return the study with all relative paths in it changed."""

        def path(text: str) -> str:
            return text if not text or Path(text).is_absolute() or text.startswith("~") else change(text)

        def stated(text: str) -> str:
            return path(text) if _is_path(text) else text

        def response(text: str | None) -> str | None:
            file = split_key(text)[0] if text is not None else ""
            return text if text is None or not file else path(file) + text[len(file) :]

        def sweep(text: str) -> str:
            axis, equals, values = text.partition("=")
            moved = ",".join(response(value) or "" for value in values.split(","))
            return f"{axis}={moved}" if equals and "response" in axis else text

        responses: dict[str, Any] = {
            name: response(getattr(self.observing, name)) for name in ("response", "told_response")
        }
        return replace(
            self,
            methods=tuple(_moved_method(name, path) for name in self.methods),
            datasets=tuple(_moved_dataset(name, path) for name in self.datasets),
            protocols=tuple(path(name) if name.endswith(".toml") else name for name in self.protocols),
            observing=replace(self.observing, **responses),
            sweeps=tuple(map(sweep, self.sweeps)),
            weights={name: stated(text) for name, text in self.weights.items()},
            wavelengths=None if self.wavelengths is None else stated(self.wavelengths),
        )


def read_study(file: Path) -> Study:
    """Read a study from a TOML file; relative paths in it are made relative to the present folder.

    Raises
    ------
    HsbenchError
        If the file cannot be read, has an unknown key, lacks one, or a value is not what it should be; the message
        names file and key.
    """
    try:
        content = read_toml(file)
    except OSError as error:
        raise HsbenchError(f"the study {file} cannot be read: {reason_of_system(error)}") from error
    except ValueError as error:  # a NUL character
        raise HsbenchError(f"the study {file} cannot be read: {error}") from error
    study = fill(Study, content, str(file))
    return study.moved(lambda path: _from_here(file.parent / path))


def tidy(study: Study) -> Study:
    """Return a study with its paths written as `read_study` gives them: without "." and needless ".."."""
    return study.moved(_from_here)


def _from_here(path: str | Path) -> str:
    return os.path.relpath(path)


def _default(each: dataclasses.Field[Any]) -> Any:
    return each.default if each.default_factory is dataclasses.MISSING else each.default_factory()


def _is_path(text: str) -> bool:
    """Whether a text is a path where it may also be something else, a name or numbers.

    By its look alone, not by what is here: a study says the same on every machine.
    """
    if re.fullmatch(r"[-+\d.,:eE\s]*\d\s*[^\W\d_./]*", text):  # numbers, perhaps with a unit behind them
        return False
    return "/" in text or os.sep in text or bool(Path(text).suffix)


def _moved_method(name: str, path: Callable[[str], str]) -> str:
    file, colon, attribute = name.rpartition(":")
    return f"{path(file)}:{attribute}" if colon and file.endswith(".py") else name


def _moved_dataset(name: str, path: Callable[[str], str]) -> str:
    if name.endswith(".toml") and not name.startswith(_FILES):
        return path(name)
    for prefix in _FILES:
        if name.startswith(prefix):
            file, colon, rest = name.removeprefix(prefix).partition(":")
            return f"{prefix}{path(file)}{colon}{rest}"
    return name


def _table(name: str, table: Mapping[str, Any]) -> list[str]:
    """Return the lines of a table, and of those in it."""
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    lines = ["", f"[{name}]", *(f"{_key(key)} = {_value(value)}" for key, value in plain.items())] if plain else []
    for key, value in table.items():
        if key not in plain:
            lines += _table(f"{name}.{_key(key)}", value)
    return lines


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _value(text)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"{value!r} is no text that a TOML file can hold; rename the file") from error
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        parts = [_value(part) for part in value]
        line = f"[{', '.join(parts)}]"
        return line if len(line) <= _LINE else "\n".join(["[", *(f"    {part}," for part in parts), "]"])
    return repr(value)
