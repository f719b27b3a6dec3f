"""A page of HTML read by Python's own parser, and what is wrong with it for who cannot see it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final

_VOID: Final = frozenset({"meta", "img", "input", "br", "hr", "link", "path", "fefuncr", "fefuncg", "fefuncb"})
_HEADING: Final = re.compile(r"h[1-6]")


@dataclass
class Element:
    """An element, its attributes, and what is in it."""

    name: str
    attributes: dict[str, str]
    parent: Element | None = None
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def all(self, name: str, **attributes: str) -> list[Element]:
        """Return all elements of a name and attributes below this one, in their order."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        found = []
        for child in self.children:
            if child.name == name and all(child.attributes.get(key) == value for key, value in wanted.items()):
                found.append(child)
            found += child.all(name, **attributes)
        return found

    @property
    def text(self) -> str:
        """All text in it, with single spaces."""
        return " ".join(" ".join(self.texts).split())

    def has(self, name: str) -> bool:
        """Whether a class is among those of it."""
        return name in self.attributes.get("class", "").split()


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs}, self.open[-1])
        self.open[-1].children.append(made)
        if tag not in _VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}, self.open[-1]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].name == tag, f"</{tag}> ends <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.texts.append(data)


def parse(text: str) -> Element:
    """Return the tree of a page; every element must be ended where it was begun."""
    tree = _Tree()
    tree.feed(text)
    tree.close()
    assert tree.open == [tree.root]
    return tree.root


def data_of(page: Element) -> Any:
    """Return what the page's script draws from."""
    (script,) = page.all("script", id="data")
    return json.loads("".join(script.texts))


def faults(page: Element) -> list[str]:
    """Return what is wrong with headings, names, tables and ids."""
    found = []
    ids = [element.attributes["id"] for element in _every(page) if "id" in element.attributes]
    found += [f"id {name} is given twice" for name in {each for each in ids if ids.count(each) > 1}]
    level = 0
    for element in _every(page):
        if _HEADING.fullmatch(element.name):
            here = int(element.name[1])
            found += [f"h{here} after h{level}"] if here > level + 1 else []
            found += [] if element.text else ["an empty heading"]
            level = here
        if element.name == "img" and "alt" not in element.attributes:
            found.append("img without alt")
        if element.name in ("select", "input", "button") and not _name(element):
            found.append(f"{element.name} without a name")
        if element.name == "table":
            found += [] if len(element.all("caption")) == 1 else ["table without caption"]
            found += [f"th without scope: {head.text}" for head in element.all("th") if "scope" not in head.attributes]
        label = element.attributes.get("aria-labelledby")
        if label is not None and label not in ids:
            found.append(f"nothing is called {label}")
    return found


def _every(element: Element) -> list[Element]:
    return [each for child in element.children for each in (child, *_every(child))]


def _name(element: Element) -> str:
    if "aria-label" in element.attributes:
        return element.attributes["aria-label"]
    if element.name == "button":
        return element.text
    above = element.parent
    while above is not None and above.name != "label":
        above = above.parent
    return "" if above is None else above.text
