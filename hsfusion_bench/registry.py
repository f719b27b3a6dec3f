"""How a method is found: shipped ones in a table, strangers' by entry point, one's own by file.

Nothing is imported before it is asked for. Shipped names win over entry points of the same name, and the clash is
reported by `clashes`.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hsfusion_bench.__about__ import __version__
from hsfusion_bench.errors import HsbenchError, UsageError, reason_of
from hsfusion_bench.plugins import entry_points
from hsfusion_bench.strangers import know
from hsfusion_bench.suggest import unknown

if TYPE_CHECKING:
    from hsfusion_bench.methods import Card, Method

GROUP = "hsfusion_bench.methods"


@dataclass(frozen=True)
class Origin:
    """Where a method came from: the kind of source, the distribution (or file) and its version."""

    kind: Literal["shipped", "plugin", "file"]
    distribution: str
    version: str

    def __str__(self) -> str:
        """Return the origin as it is shown to people."""
        return self.distribution if self.kind == "file" else f"{self.distribution} {self.version}"


@dataclass(frozen=True)
class Entry:
    """A name of the registry and the ``module:attribute`` target behind it."""

    name: str
    target: str
    origin: Origin
    card: Card | None = None
    """Of a shipped method, known without an import of its module; None of others, whose class alone has it."""

    def load(self) -> Method:
        """Import the target and return an instance of the method.

        Raises
        ------
        HsbenchError
            If the import fails, or the target is not a method. The message names the distribution.
        """
        module_name, _, attribute = self.target.partition(":")
        if self.origin.kind != "shipped":
            know(module_name)
        try:
            found = getattr(importlib.import_module(module_name), attribute)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a stranger's module may raise anything, SystemExit too
            raise HsbenchError(
                f"method {self.name!r} of {self.origin} cannot be imported from {self.target}: {reason_of(error)}"
            ) from error
        return _as_method(found, self.name, f"{self.target} of {self.origin}")


def entries() -> dict[str, Entry]:
    """Return all registered methods by name, shipped ones first."""
    found = _shipped()
    for entry in _plugin_entries():
        found.setdefault(entry.name, entry)
    return found


def clashes() -> list[Entry]:
    """Return the plugins' entries that a shipped method, or an earlier plugin, of the same name hides."""
    winners = entries()
    return [entry for entry in _plugin_entries() if winners[entry.name] != entry]


def find(spec: str) -> Entry | FileEntry:
    """Return the entry that a name, or a ``FILE.py:ATTRIBUTE``, stands for.

    Raises
    ------
    UsageError
        If there is no such name or file; the message suggests the nearest names.
    """
    if ".py" in spec:
        return FileEntry.parse(spec)
    known = entries()
    if spec in known:
        return known[spec]
    raise UsageError(unknown("method", spec, known) + " A method in a file is given as FILE.py:NAME.")


@dataclass(frozen=True)
class FileEntry:
    """A method in a file of the user's own."""

    path: Path
    attribute: str

    @classmethod
    def parse(cls, spec: str) -> FileEntry:
        """Read ``FILE.py:ATTRIBUTE``."""
        file, _, attribute = spec.rpartition(":")
        if not file.endswith(".py") or not attribute.isidentifier():
            raise UsageError(f"{spec!r}: a method in a file is given as FILE.py:NAME, such as ./mine.py:MyMethod")
        path = Path(file)
        if not path.is_file():
            raise UsageError(f"{path}: there is no such file (asked for by {spec!r})")
        return cls(path, attribute)

    @property
    def name(self) -> str:
        """File and attribute, so that a record does not pass for that of a shipped method."""
        return f"{self.path.stem}:{self.attribute}"

    @property
    def origin(self) -> Origin:
        """Where the method came from; its version is the file's digest."""
        from hsfusion_bench.files import sha256_file

        return Origin("file", self.path.name, sha256_file(self.path)[:12])

    def load(self) -> Method:
        """Run the file and return an instance of the method in it.

        Raises
        ------
        HsbenchError
            If the file fails, or has no such class or function.
        """
        name = f"hsbench_file_{self.path.stem}"
        spec = importlib.util.spec_from_file_location(name, self.path)
        if spec is None or spec.loader is None:
            raise HsbenchError(f"{self.path} cannot be imported as Python")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        know(name)
        try:
            spec.loader.exec_module(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a user's file may raise anything, SystemExit too
            raise HsbenchError(f"{self.path} cannot be imported: {reason_of(error)}") from error
        if not hasattr(module, self.attribute):
            here = [key for key, value in vars(module).items() if callable(value) and value.__module__ == name]
            raise HsbenchError(
                f"{self.path} has no {self.attribute!r}; it defines {', '.join(here) or 'nothing callable'}"
            )
        return _as_method(getattr(module, self.attribute), self.attribute, f"{self.path}:{self.attribute}")


def _as_method(found: object, name: str, where: str) -> Method:
    """Make a method of a class, an instance or a plain function."""
    from hsfusion_bench.methods import Card, FunctionMethod, Method

    if inspect.isclass(found) and issubclass(found, Method):
        try:
            found = found()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a stranger's class may raise anything
            raise HsbenchError(f"{where} cannot be made without arguments: {reason_of(error)}") from error
    if isinstance(found, Method):
        card = getattr(found, "card", None)
        if not isinstance(card, Card):
            what = "no card" if card is None else f"a card that is a {type(card).__name__}"
            raise HsbenchError(f"{where} has {what}; it needs card = hsfusion_bench.methods.Card(name=..., title=...)")
        return found
    if inspect.isfunction(found):
        return FunctionMethod(found, name)
    raise HsbenchError(
        f"{where} is neither a subclass of hsfusion_bench.methods.Method nor a function of an observation"
    )


def _shipped() -> dict[str, Entry]:
    # Imported by name: the harness knows its shipped methods only as a table, as it knows everyone else's.
    table: dict[str, str] = importlib.import_module("hsfusion_baselines").METHODS
    cards: dict[str, Card] = importlib.import_module("hsfusion_baselines.cards").CARDS
    origin = Origin("shipped", "hsfusion-bench", __version__)
    return {name: Entry(name, target, origin, cards[name]) for name, target in table.items()}


def _plugin_entries() -> list[Entry]:
    return [_entry_of(point) for point in entry_points(GROUP)]


def _entry_of(point: EntryPoint) -> Entry:
    distribution = point.dist
    origin = Origin(
        "plugin",
        distribution.name if distribution else "an unnamed distribution",
        distribution.version if distribution else "",
    )
    return Entry(point.name, point.value, origin)
