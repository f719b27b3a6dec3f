"""The pages of the documentation, taken apart: links, anchors, code, commands."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "results" / "README.md",
    *sorted(ROOT.glob("docs/**/*.md")),
]

_FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", flags=re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
_LINK = re.compile(r"\]\(([^()\s]+)\)")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(text: str) -> str:
    """Return a page without its blocks of code."""
    return _FENCED.sub("", text)


def blocks(text: str, language: str) -> list[str]:
    """Return the blocks of code in a language; "" is none."""
    return [code for found, code in _FENCED.findall(text) if found == language]


def spans(text: str) -> list[str]:
    """Return what stands between single backticks, each on one line."""
    return [" ".join(span.split()) for span in _SPAN.findall(prose(text))]


def links(text: str) -> list[str]:
    """Return the targets of links and pictures."""
    return _LINK.findall(_SPAN.sub("", prose(text)))


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", prose(text), flags=re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = 0
        while (anchor := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(anchor)
    return found


def broken_links(page: Path) -> list[str]:
    """Return the relative links of a page that lead nowhere."""
    found = []
    for link in links(text_of(page)):
        if re.match(r"\w+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        outside = not file.is_relative_to(ROOT)
        if outside or not file.exists() or (anchor and anchor not in anchors(text_of(file))):
            found.append(link)
    return found


def typed(text: str) -> list[list[str]]:
    """Return the commands that are typed in blocks of a console, as words, without comments and redirections."""
    lines = [line[2:] for block in blocks(text, "console") for line in block.splitlines() if line.startswith("$ ")]
    return [_words(line) for line in lines]


def mentioned(text: str) -> list[list[str]]:
    """Return the commands in spans of code that begin with `hsbench`; "a|b" is two of them."""
    return [words for span in spans(text) if span.startswith("hsbench ") for words in _alternatives(_words(span))]


def _words(line: str) -> list[str]:
    words = shlex.split(line, comments=True)
    return words[: words.index(">")] if ">" in words else words


def _alternatives(words: list[str]) -> Iterator[list[str]]:
    for number, word in enumerate(words):
        if "|" in word:
            for one in word.split("|"):
                yield from _alternatives([*words[:number], one, *words[number + 1 :]])
            return
    yield words


def hsbench_words(words: list[str]) -> list[str] | None:
    """Return what is given to ``hsbench``, or to ``python -m hsfusion_bench``; None for another command."""
    if words[0] == "hsbench":
        return words[1:]
    return words[words.index("hsfusion_bench") + 1 :] if "hsfusion_bench" in words else None


def program_of(page: str) -> ModuleType:
    """Return the program that fills a page of the documentation with tables."""
    spec = importlib.util.spec_from_file_location(f"{page}_program", ROOT / "docs" / f"{page}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(ROOT / "docs"))  # as where the program is started
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ROOT / "docs"))
    return module
