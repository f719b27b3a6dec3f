"""BibTeX entries: read with care, told apart, and written as one file."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.terminal import neutral

#: Fields that BibTeX's standard styles ask for.
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "article": ("author", "title", "journal", "year"),
    "inproceedings": ("author", "title", "booktitle", "year"),
    "techreport": ("author", "title", "institution", "year"),
    "phdthesis": ("author", "title", "school", "year"),
    "book": ("title", "publisher", "year"),
    "misc": ("title",),
}

_HEAD: Final = re.compile(r"\s*@\s*([A-Za-z]+)\s*\{\s*([A-Za-z0-9_:./+-]+)\s*,")
_FIELD: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9_-]*)\s*=\s*")
#: What does more than set letters, or ends a line where LaTeX reads the field; addresses may hold a "%".
_COMMAND: Final = re.compile(
    r"\\(?:input|include|openin|openout|read|write|immediate|special|catcode|def|edef|gdef|xdef|let|csname|expandafter"
    r"|newcommand|renewcommand|loop|usepackage|end|begin|directlua|shipout|every\w+)(?![A-Za-z])|\^\^"
)
_WORD: Final = re.compile(r"[A-Za-z0-9_.:+-]+")


@dataclass(frozen=True)
class Entry:
    r"""An entry of a bibliography.

    Parameters
    ----------
    kind
        Such as "article", in small letters.
    key
        What ``\cite`` calls it by.
    fields
        Values as they stand, with their braces or quotes, by their names in small letters.
    """

    kind: str
    key: str
    fields: Mapping[str, str]

    def value(self, field: str) -> str:
        """Return a field without its braces or quotes; empty where there is none."""
        text = self.fields.get(field, "")
        return text[1:-1].strip() if text[:1] in ("{", '"') else text

    def lacks(self) -> list[str]:
        """Return the fields that its kind needs and that it does not have."""
        return [field for field in REQUIRED.get(self.kind, ()) if not self.value(field)]

    @property
    def identity(self) -> tuple[str, ...]:
        """What two entries of one work share: title and year, whatever their braces; else all that they say."""
        title = re.sub(r"[^\w]+", "", self.value("title")).casefold()
        return (title, self.value("year")) if title else (self.kind, *map(str, sorted(self.fields.items())))

    def text(self, key: str) -> str:
        """Return the entry as it stands in a file, called by another key."""
        lines = [f"  {name} = {neutral(value)}" for name, value in self.fields.items()]
        return f"@{self.kind}{{{key},\n" + ",\n".join(lines) + "\n}\n"


def parse(text: str) -> Entry:
    """Read one BibTeX entry.

    Raises
    ------
    HsbenchError
        If the text is anything else; the message says what is wrong with it.
    """
    head = _HEAD.match(text)
    if head is None:
        raise HsbenchError("a BibTeX entry begins with @kind{key,")
    fields: dict[str, str] = {}
    position = head.end()
    while (field := _FIELD.match(text, position)) is not None:
        name = field[1].lower()
        end = _value_end(text, field.end(), name)
        if name in fields:
            raise HsbenchError(f"its field {name} stands there twice")
        fields[name] = " ".join(text[field.end() : end].split())
        if (obeyed := _COMMAND.search(fields[name])) is not None:
            raise HsbenchError(f"its field {name} holds {obeyed[0]!r}, which LaTeX would obey")
        position = end + (text[end] == ",")
    rest = text[position:].strip()
    if rest != "}":
        found = f"there is {rest[:30]!r}" if rest else "the text ends"
        raise HsbenchError(f"where its next field or its closing brace should be, {found}")
    return Entry(head[1].lower(), head[2], fields)


def _value_end(text: str, start: int, name: str) -> int:
    """Return where a value ends: pieces in braces, in quotes or of one word, joined by #, up to a comma or a brace."""
    position = start
    while True:
        position = _skip(text, _piece_end(text, position, name))
        following = text[position : position + 1]
        if following in (",", "}") and following:
            return position
        if following != "#":
            raise HsbenchError(f"after the value of its field {name} a comma or a closing brace is missing")
        position = _skip(text, position + 1)


def _piece_end(text: str, start: int, name: str) -> int:
    if text[start : start + 1] not in ("{", '"'):
        word = _WORD.match(text, start)
        if word is None:
            raise HsbenchError(f"its field {name} has no value")
        return word.end()
    quoted, depth = text[start] == '"', 0
    for position in range(start + quoted, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth < 0:
            break
        if depth == 0 and text[position] == ('"' if quoted else "}"):
            return position + 1
    raise HsbenchError(f"the braces or quotes of its field {name} are not balanced")


def _skip(text: str, position: int) -> int:
    """Return the place of the next character that is no space."""
    return len(text) - len(text[position:].lstrip())


class Bibliography:
    """The works that are cited, each once."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, ...], str] = {}
        self._entries: dict[str, Entry] = {}

    def cite(self, entry: Entry) -> str:
        """Take an entry in, and return the key to cite it by.

        It is the entry's own, unless another work has taken that: then a letter is added. A work that is there already
        keeps the key that it has.
        """
        if entry.identity not in self._keys:
            # BibTeX does not tell keys apart that differ in capitals alone
            taken = {key.casefold() for key in self._entries}
            letters = (letter for letter in ["", *string.ascii_lowercase[1:], *map(str, range(27, 1000))])
            key = next(entry.key + more for more in letters if (entry.key + more).casefold() not in taken)
            self._keys[entry.identity] = key
            self._entries[key] = entry
        return self._keys[entry.identity]

    def __len__(self) -> int:
        return len(self._entries)

    def text(self) -> str:
        """Return the file's text, the entries in the order of their keys."""
        return "\n".join(self._entries[key].text(key) for key in sorted(self._entries))
