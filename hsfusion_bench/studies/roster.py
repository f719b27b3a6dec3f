"""Which methods a study is about: those it names, those of a family, or all there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hsfusion_bench.children.calling import call
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods import Family
from hsfusion_bench.registry import Entry, FileEntry, Origin, entries, find
from hsfusion_bench.runs.contenders import require_apart
from hsfusion_bench.studies.study import ALL
from hsfusion_bench.suggest import unknown

#: Words that stand for all methods of a family; methods in files are of none of them.
FAMILIES: Final[tuple[Family, ...]] = ("classical", "cnn", "inr", "transformer", "unsupervised")
#: Seconds that the import of a stranger's method may take, of which only the family is asked.
_IMPORT_LIMIT: Final = 60.0


@dataclass(frozen=True)
class Member:
    """A method of a study.

    Parameters
    ----------
    spec
        What it is called by.
    name, origin
        As records say them.
    named
        Whether it was asked for by its name, and not as one of many.
    apart
        Whether it is run in a process of its own, see `studies.apart`.
    """

    spec: str
    name: str
    origin: Origin
    named: bool
    apart: bool


def chosen_methods(words: Sequence[str], *, apart: bool = True) -> list[Member]:
    """Return the methods that words stand for, in their order, each once.

    Parameters
    ----------
    words
        Names, ``FILE.py:NAME``, families, or "all". A method that is called like a family is that method.
    apart
        Whether methods that others wrote are run in processes of their own.

    Raises
    ------
    UsageError
        If there is no such method, or two would be recorded under one name.
    """
    known = entries()
    named = {word for word in words if word in known or word not in (ALL, *FAMILIES)}
    found: dict[str, Member] = {}

    def member(spec: str, entry: Entry | FileEntry, *, by_name: bool) -> Member:
        return Member(spec, entry.name, entry.origin, by_name, apart and entry.origin.kind != "shipped")

    for word in words:
        if word in named:
            if word not in known and ".py" not in word:
                message = unknown("method", word, (*known, *FAMILIES, ALL))
                raise UsageError(f"{message} A method in a file is given as FILE.py:NAME.")
            found.setdefault(word, member(word, find(word), by_name=True))
            continue
        for each in _all_of(word, known.values()):
            found.setdefault(each.name, member(each.name, each, by_name=each.name in named))
    if not found:
        raise UsageError(f"there is no method of the family {words[0]}")
    require_apart([each.name for each in found.values()])
    return list(found.values())


def _all_of(word: str, known: Iterable[Entry]) -> Iterator[Entry]:
    return (entry for entry in known if word == ALL or family_of(entry) == word)


def family_of(entry: Entry) -> Family | None:
    """Return the family of a method; None if it cannot be imported. Strangers' are imported in another process."""
    try:
        return entry.load().card.family if entry.origin.kind == "shipped" else _family_apart(entry.name)
    except HsbenchError:
        return None


def _family_apart(name: str) -> Family:
    return call(_family, name, time_limit=_IMPORT_LIMIT, quiet=True)


def _family(name: str) -> Family:
    return entries()[name].load().card.family
