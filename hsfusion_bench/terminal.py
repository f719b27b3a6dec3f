"""Text on terminals and in pipes: nothing of it is markup or a command, cut off, or too much for a stream's encoding.

`neutral` is what takes the commands out. `console`, `echo`, `print_table`, `print_facts` and `json_text` call it; who
prints by them need not.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment
    from rich.table import Table
    from rich.text import Text

#: What a terminal obeys instead of showing it: control characters but the line break, those that turn the direction of
#: writing or part lines in another way, and marks that are not seen.
_COMMANDS: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
#: And halves of characters, which no stream takes.
_NOT_IN_JSON: Final = re.compile(f"(?!\\n)(?:{_COMMANDS.pattern}|[\ud800-\udfff])")
#: Name of the way in which what an encoding lacks is replaced, see `codecs.register_error`.
_READABLE: Final = "hsbench.readable"

#: What is put for characters that an encoding lacks.
_INSTEAD: Final = {
    "±": "+/-",
    "×": "x",
    "·": "*",
    "↑": "^",
    "↓": "v",
    "→": "->",
    "≥": ">=",
    "≤": "<=",
    "°": "deg",
    "σ": "sigma",
    "λ": "lambda",
    "…": "...",
    "†": "+",
    "≈": "~",
    "–": "-",
    "—": "-",
    "─": "-",
    "━": "-",
    "╸": "-",
    "╺": "-",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
}

#: Width of what is not drawn on a terminal, where COLUMNS says nothing: no line is folded.
_UNLIMITED: Final = 10_000
#: A column that may be folded keeps this width; a terminal that has no room for it gets a list instead of a table.
_FOLDED: Final = 20
#: Between two columns.
GAP: Final = 2


def _instead(error: UnicodeError) -> tuple[str, int]:
    """Replace what cannot be encoded: by what reads the same, by the letter without its accent, or by "?"."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_one_instead(each, error.encoding) for each in error.object[error.start : error.end]), error.end


def _one_instead(character: str, encoding: str) -> str:
    if character in _INSTEAD:
        return _INSTEAD[character]
    plain = unicodedata.normalize("NFKD", character).encode(encoding, "ignore").decode(encoding, "ignore")
    return plain or "?"


codecs.register_error(_READABLE, _instead)


def neutral(text: str) -> str:
    r"""Return a text that a terminal shows and does not obey: ``\x1b`` for an escape; its line breaks are kept."""
    return _COMMANDS.sub(_escape, text)


def one_line(text: str) -> str:
    r"""Return a text, such as a title or a path, as `neutral` and in one line: ``\n`` for a line break."""
    return neutral(text).replace("\n", "\\n")


def _escape(found: re.Match[str]) -> str:
    return " " if found[0] == "\t" else found[0].encode("unicode_escape", "backslashreplace").decode("ascii")


def readable(text: str, encoding: str) -> str:
    """Return a text, `neutral`, as it will stand in a stream of that encoding, so that tables know its width.

    Parameters
    ----------
    text
        Any text.
    encoding
        Such as "utf-8", which changes nothing more but lone surrogates; "ascii" makes "+/-" of "±".
    """
    return neutral(text).encode(encoding, _READABLE).decode(encoding)


def make_streams_readable() -> None:
    """Let the standard streams replace what their encoding lacks: a table in a pipe is no reason to fail."""
    for stream, errors in ((sys.stdout, ("strict",)), (sys.stderr, ("strict", "backslashreplace"))):
        if getattr(stream, "errors", None) in errors and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_READABLE)


def json_text(value: object) -> str:
    """Return JSON for the standard output stream: nothing is replaced in it, but escaped where it must be."""
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    text = json.dumps(value, indent=2, ensure_ascii=not encoding.startswith("utf"))
    # json escapes what ASCII has of them; outside of strings there are none
    return _NOT_IN_JSON.sub(lambda found: json.dumps(found[0])[1:-1], text)


def echo(text: object = "", *, nl: bool = True, err: bool = False, **style: Any) -> None:
    """Print a text as `click.secho` does, made `neutral`."""
    import click

    click.secho(neutral(str(text)), nl=nl, err=err, **style)


class _Pipe:
    """A stream that is not a terminal, without the spaces that fill a table's lines to their width."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write lines; the console writes whole ones."""
        return self._stream.write("\n".join(line.rstrip(" ") for line in text.split("\n")))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def console(*, stderr: bool = False) -> Console:
    """Return a rich console that takes all text as it is, and folds nothing where it does not write to a terminal.

    COLUMNS, where it is set, is the width everywhere.
    """

    def made(**more: Any) -> Console:
        return neutral_console(highlight=False, markup=False, emoji=False, **more)

    found = made(stderr=stderr)
    if found.is_terminal:
        return found
    stream: Any = _Pipe(sys.stderr if stderr else sys.stdout)
    told = os.environ.get("COLUMNS", "")
    return made(file=stream, width=int(told) if told.isdigit() and int(told) else _UNLIMITED)


def neutral_console(**options: Any) -> Console:
    """Return a rich console that obeys its own commands alone, and none in what it is given to show."""
    from rich.console import Console

    class Neutral(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else segment._replace(text=neutral(segment.text))

    return Neutral(**options)


def plain_table(encoding: str) -> Table:
    """Return a table without columns, whose only line is below the heads."""
    from rich import box
    from rich.table import Table

    lines = str(box.SIMPLE_HEAD)
    ascii_only = not encoding.startswith("utf")  # as rich tells it
    drawn = box.Box(readable(lines, "ascii") if ascii_only else lines, ascii=ascii_only)
    return Table(box=drawn, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))


def print_table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    whole: Sequence[int] = (0,),
    right: Sequence[int] = (),
    styles: Sequence[str] = (),
    title: str = "",
    stderr: bool = False,
) -> None:
    """Print a table on the standard output stream, or on that of errors.

    Parameters
    ----------
    heads, rows
        Texts.
    whole
        Columns that are never folded, such as names to be copied; nothing is cut off in any.
    right
        Columns of numbers.
    styles
        Of each row, such as "red"; by default none.
    title
        Stands above.
    stderr
        Whether it is about what goes on, and not what was asked for.
    """
    from rich.text import Text

    shown = console(stderr=stderr)
    rows = [[readable(one_line(cell), shown.encoding) for cell in row] for row in rows]
    heads = [readable(head, shown.encoding) for head in heads]
    styles = styles or [""] * len(rows)
    widest = [max(len(line) for cell in cells for line in cell.split("\n")) for cells in zip(heads, *rows, strict=True)]
    least = [width if column in whole else min(width, _FOLDED) for column, width in enumerate(widest)]
    if title:
        shown.print(Text(readable(one_line(title), shown.encoding), "bold"))
    if sum(least) + GAP * (len(least) - 1) > shown.width:
        for row, style in zip(rows, styles, strict=True):
            shown.print(_block(heads, row, style, shown.width), soft_wrap=True)
        return
    table = plain_table(shown.encoding)
    for column, head in enumerate(heads):
        kept = least[column] if column in whole else None
        justify: Any = "right" if column in right else "left"
        table.add_column(Text(head), justify=justify, overflow="fold", min_width=kept, no_wrap=column in whole)
    for row, style in zip(rows, styles, strict=True):
        table.add_row(*(Text(cell, style) for cell in row))
    shown.print(table, crop=False)
    shown.print()


def _block(heads: Sequence[str], row: Sequence[str], style: str, width: int) -> Text:
    """Return a row as a list, for a terminal with no room for a table."""
    from rich.text import Text

    margin = max(map(len, heads[1:])) + 4
    lines = [row[0]]
    for head, cell in zip(heads[1:], row[1:], strict=True):
        lines += fold(cell, width, first=f"  {head}".ljust(margin), rest=" " * margin)
    return Text("\n".join([*lines, ""]), style)


def print_facts(facts: Sequence[tuple[str, str, str]]) -> None:
    """Print what is known of something on the standard output stream.

    Parameters
    ----------
    facts
        Name and value of each, and where the value is from, which may be "".
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = console()
    table = Table(box=box.SIMPLE, show_header=False, show_edge=False, pad_edge=False)
    table.add_column(no_wrap=True, style="bold", min_width=max(len(name) for name, *_ in facts))
    table.add_column(overflow="fold")
    for name, *told in facts:
        value, source = (readable(text, shown.encoding) for text in told)
        table.add_row(Text(name), Text.assemble(value, (f"  ({source})" if source else "", "dim")))
    shown.print(table, crop=False)
    shown.print()


def print_folded(text: str) -> None:
    """Print a text on the standard output stream, folded at spaces to the width of a terminal; in a pipe, one line."""
    shown = console()
    shown.print("\n".join(fold(readable(text, shown.encoding), shown.width)), soft_wrap=True)


def fold(text: str, width: int, *, first: str = "", rest: str = "  ") -> list[str]:
    """Return the lines of a text that is folded at spaces, or within a word that is longer than a line.

    Parameters
    ----------
    text
        A text; its own lines are kept.
    width
        Of a line, with what begins it; where that leaves no room, lines are longer.
    first, rest
        What begins the first line, and the others.
    """
    room = max(width, len(rest) + 1, len(first) + 1)
    lines: list[str] = []
    for part in text.split("\n"):
        begin = rest if lines else first
        folded = textwrap.wrap(part, room, initial_indent=begin, subsequent_indent=rest, break_on_hyphens=False)
        lines += folded or [begin.rstrip()]
    return lines
