"""What a table cites: the BibTeX entries of its methods, of its data set, and of papers whose rows it shows."""

from __future__ import annotations

import re
from typing import Final

from hsfusion_bench.data.catalog import about
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.registry import entries
from hsfusion_bench.report.bibtex import Bibliography, Entry, parse
from hsfusion_bench.runs.records import MethodInfo

#: As `published.csv` names its sources: "Deng et al., BDT, IJCAI 2023, Table 1".
_SOURCE: Final = re.compile(r"(\S+) et al\., ([^,]+), [^,]*?(\d{4})\b(.*)")


class Citations:
    """The works that tables cite, and what has none."""

    def __init__(self) -> None:
        self.bibliography = Bibliography()
        self._missing: dict[str, str] = {}

    @property
    def remarks(self) -> list[str]:
        """What is not cited, and why: a line each."""
        return [f"not cited: {what}: {why}" for what, why in self._missing.items()]

    def method(self, method: MethodInfo) -> str | None:
        """Return the key of the paper of a method, or None: then a remark says why."""
        try:
            return self.bibliography.cite(parse(_reference(method)))
        except HsbenchError as error:
            self._missing[method.title] = str(error)
            return None

    def dataset(self, name: str) -> str | None:
        """Return the key of the paper of a data set, or None: then a remark says why."""
        try:
            provenance = about(name).provenance
            if provenance is None or not provenance.reference.strip():
                raise HsbenchError("it has no reference")
            return self.bibliography.cite(parse(provenance.reference))
        except HsbenchError as error:
            self._missing[f"data set {name}"] = str(error)
            return None

    def source(self, source: str) -> tuple[str, str] | None:
        """Return the key of the paper that printed a row, and what is said besides, such as ", Table 1".

        Known are the papers whose method is a registered one; surname of the first author and year must agree.
        None where it is not known.
        """
        said = _SOURCE.fullmatch(source)
        if said is None:
            return None
        surname, title, year, rest = said.groups()
        known = entries().get(title.lower())
        try:
            entry = parse((known.card or known.load().card).reference) if known else None
        except HsbenchError:
            return None
        if entry is None or not _is(entry, surname, year):
            return None
        return self.bibliography.cite(entry), rest


def _reference(method: MethodInfo) -> str:
    """Return the BibTeX entry in the card of a method.

    Raises
    ------
    HsbenchError
        If the method is not at hand, or its card has none.
    """
    if method.origin == "external":
        raise HsbenchError("results made elsewhere have no reference")
    if method.origin == "file":
        raise HsbenchError(f"it came from a file, {method.distribution}")
    entry = entries().get(method.name)
    if entry is None or entry.origin.distribution != method.distribution:
        raise HsbenchError(f"it came from {method.distribution}, which is not installed here, or no longer has it")
    reference = (entry.card or entry.load().card).reference
    if not reference.strip():
        raise HsbenchError("its card has no reference")
    return reference


def _is(entry: Entry, surname: str, year: str) -> bool:
    """Whether an entry is of a first author of that surname, and of that year."""
    first = entry.value("author").split(" and ")[0]
    return entry.value("year") == year and (first.split(",")[0] if "," in first else first.split(" ")[-1]) == surname
