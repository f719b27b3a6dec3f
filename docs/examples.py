"""The examples of a page: blocks of Python that print what the block of text below them says.

Those of one page share their names, as one types them one after the other; each page begins anew. A page without such a
pair of blocks has nothing to run. Run it from anywhere: ``python docs/examples.py docs/python.md``.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import tempfile
from pathlib import Path

_PYTHON = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", flags=re.DOTALL | re.MULTILINE)


def problems(page: str) -> list[str]:
    """Return what examples of a page print beside what it says, one line or more for each that differs."""
    blocks = [found.groups() for found in _PYTHON.finditer(page)]
    last = max((number for number, (_, said) in enumerate(blocks) if said is not None), default=-1)
    names: dict[str, object] = {}
    found = []
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for code, said in blocks[: last + 1]:
            printed = output(code, names)
            if said is not None and lines(printed) != lines(said):
                found.append(f"an example prints\n{printed}\nwhere the page says\n{said}")
    return found


def lines(text: str) -> list[str]:
    """Return the lines of a text, whatever the blanks at their ends."""
    return [line.rstrip() for line in text.strip().splitlines()]


def output(code: str, names: dict[str, object]) -> str:
    """Return what a block of Python prints; an error is printed, too."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            exec(compile(code, "example", "exec"), names)
        except Exception as error:
            print(f"{type(error).__name__}: {error}")
    return said.getvalue()


def main() -> None:
    """Check the pages that are named."""
    found = {name: problems(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]}
    for name, each in found.items():
        print(*(f"{name}: {problem}" for problem in each), sep="\n", end="")
    sys.exit(any(found.values()))


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "80")
    main()
