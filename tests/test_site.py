"""The site of the documentation: it builds without a warning, its links lead somewhere, other hosts are not asked."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest

import hsfusion_bench
import hsfusion_metrics
from hsfusion_bench import methods
from hsfusion_bench.runs.records import Store
from support.pages import ROOT
from support.records import boards_of

pytest.importorskip("sphinx", reason="the extra `docs` is not installed")
pytest.importorskip("myst_nb", reason="the extra `docs` is not installed")

#: Attributes by which a page makes a browser fetch something at once.
FETCHED = {
    ("link", "href"),
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("object", "data"),
}


class Page(HTMLParser):
    """What a page has to link to, what it links to, and what it fetches."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.ids.add(value)
            elif (tag, name) in FETCHED and value:
                self.fetched.append(value)
            elif (tag, name) == ("a", "href") and value:
                self.links.append(value)


def broken(site: Path) -> list[str]:
    """Return the links of a site's pages, and what they fetch, that lead nowhere within it."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        for link in [*page.links, *page.fetched]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            # a script of the theme's links to "#" for the top
            if not target.is_file() or (anchor and target in pages and anchor not in pages[target].ids):
                found.append(f"{path.relative_to(site)}: {link}")
    return found


def foreign(site: Path) -> list[str]:
    """Return what pages and style sheets of a site would fetch from another host."""
    found = []
    for path in site.rglob("*.html"):
        page = Page(path.read_text(encoding="utf-8"))
        found += [f"{path.name}: {each}" for each in page.fetched if re.match(r"(https?:)?//", each)]
    for path in [*site.rglob("*.css"), *site.rglob("*.html")]:
        text = path.read_text(encoding="utf-8")
        found += [
            f"{path.name}: {each}" for each in re.findall(r"(?:url\(|@import\s)\s*[\"']?((?:https?:)?//[^\"')]+)", text)
        ]
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `make docs` does."""
    folder = tmp_path_factory.mktemp("site")
    options = [
        "--quiet",
        "--fail-on-warning",
        "--keep-going",
        "--conf-dir",
        "docs",
        "--doctree-dir",
        str(folder / "doctrees"),
    ]
    words = [sys.executable, "-m", "sphinx", *options, ".", str(folder / "site")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=540)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_links_of_the_site_lead_somewhere(site: Path) -> None:
    assert broken(site) == []


@pytest.mark.slow
def test_nothing_is_asked_of_another_host(site: Path) -> None:
    assert foreign(site) == []


@pytest.mark.slow
def test_the_front_door_leads_to_the_first_page_and_that_to_all(site: Path) -> None:
    (first,) = Page(text_of(site / "index.html")).links
    linked = {link.partition("#")[0] for link in Page(text_of(site / first)).links}
    pages = {page.stem for page in ROOT.glob("docs/*.md")} - {"README"}
    assert {f"{page}.html" for page in pages} <= linked
    assert "../examples/first-numbers.html" in linked


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "module"),
    [("bench", hsfusion_bench), ("methods", methods), ("metrics", hsfusion_metrics)],
)
def test_every_public_name_is_described(site: Path, page: str, module: ModuleType) -> None:
    described = {name.rpartition(".")[2] for name in Page(text_of(site / "docs" / "api" / f"{page}.html")).ids}
    # those of the contract are described with it; older names, types and what cannot be tuned have no entry
    elsewhere = {"Observation", "evaluate", "evaluate_no_reference", "Cube", "Family", "Truth"}
    missing = set(module.__all__) - described - elsewhere
    assert missing <= ({"HsbenchError"} if page == "methods" else set())


@pytest.mark.slow
def test_search_knows_the_pages(site: Path) -> None:
    index = text_of(site / "searchindex.js")  # a script, and not data to be fetched: it works from a disk
    assert index.startswith("Search.setIndex(")
    assert all(word in index for word in ("ergas", "docs/cave", "examples/first-numbers"))


@pytest.mark.slow
def test_the_board_has_every_recorded_row(site: Path) -> None:
    page = text_of(site / "docs" / "board.html")
    rows = [row for board in boards_of(Store(ROOT / "results").records()) for row in board.rows if row.complete]
    assert len(rows) > 50
    assert [row.title for row in rows if row.printed("psnr") not in page] == []
    assert "trained 6500 steps" in page


@pytest.mark.slow
def test_the_board_links_to_the_report(site: Path) -> None:
    assert "recorded.html" in Page(text_of(site / "docs" / "board.html")).links
    assert "FeINFN" in text_of(site / "docs" / "recorded.html")


# What makes the site


def program(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def conf(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [*sys.path])
    return program("conf")


Verb = Callable[..., subprocess.CompletedProcess[str]]


def verb(code: int, error: str = "", content: str | None = None) -> Verb:
    """Return a stand-in for `hsbench report --out FILE`."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        if words[0] == "report":
            assert words[1] == "--out"
            if content is not None:
                Path(words[2]).write_text(content, encoding="utf-8")
            return subprocess.CompletedProcess(words, code, "", error)
        return subprocess.CompletedProcess(words, 0, "", "")

    return run


@pytest.mark.parametrize(
    ("stand_in", "linked", "warned"),
    [
        (verb(0, content="<p>report</p>"), True, []),
        (verb(1, "a record is damaged"), False, ["a record is damaged"]),
        (verb(0), False, ["nothing was written"]),
    ],
    ids=["a report", "a failure", "nothing"],
)
def test_the_report_is_made_and_linked_to(
    conf: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stand_in: Verb,
    linked: bool,
    warned: list[str],
) -> None:
    said: list[str] = []
    log = SimpleNamespace(info=lambda *_: None, warning=lambda _, text: said.append(text))
    monkeypatch.setattr(conf, "log", log)
    monkeypatch.setattr(conf, "hsbench", stand_in)
    app = SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(name="html"))
    page = ["# The board\n\nText.\n"]
    conf.write_report(app)
    conf.complete(app, "docs/board", page)
    assert ('<a href="recorded.html">' in page[0]) is linked
    assert page[0].startswith("# The board\n\n")
    assert said == warned


def test_notes_of_rows_stand_below_the_table(conf: ModuleType) -> None:
    names = ["method", "PSNR", "SAM", "ERGAS", "SSIM", "params (M)", "latency (ms)", "scenes", "note"]
    sides = ["---", *["---:"] * 6, "---", "---"]
    head = "".join(f"| {' | '.join(cells)} |\n" for cells in (names, sides))
    rows = "| A | 1 | 2 | 3 | 4 | - | - | 3 of 3 | trained 2 steps |\n| B | 5 | 6 | 7 | 8 | - | - | 3 of 3 |  |\n"
    lines = conf.board(f"**demo ×4**\n\n{head}{rows}\n- all rows are recorded: they came with it\n").splitlines()
    assert lines == [
        "## demo ×4",
        "",
        "| method | PSNR | SAM | ERGAS | SSIM | params (M) |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| A | 1 | 2 | 3 | 4 | - |",
        "| B | 5 | 6 | 7 | 8 | - |",
        "",
        "- A: trained 2 steps",
    ]


def test_links_called_like_files_get_titles(conf: ModuleType) -> None:
    text = "[a.md](a.md) [docs/b.md](docs/b.md#c-d) [words](a.md) `a.md` [x.md](https://x.md)"
    assert conf.titled(text) == "[](a.md) [](docs/b.md#c-d) [words](a.md) `a.md` [x.md](https://x.md)"


def test_an_example_that_prints_something_else_is_found() -> None:
    examples = program("examples")
    page = "```python\nx = 1.5\n```\n\n```python\nprint(x)\n```\n\n```text\n{}\n```\n\n```python\n1 / 0\n```\n"
    assert examples.problems(page.format("1.5")) == []
    (problem,) = examples.problems(page.format("1.4"))
    assert "1.5" in problem
    assert "1.4" in problem
    (problem,) = examples.problems(page.replace("{}\n", ""))
    assert "1.5" in problem
    (problem,) = examples.problems(page.replace("print(x)", "print(y)"))
    assert "NameError" in problem


def test_a_broken_link_and_a_foreign_font_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<link href="https://fonts.example/x.css"><h1 id="one"></h1><a href="#one"><a href="#two"><a href="b.html#x">'
        '<a href="no.html"><a href="https://a.b"><img src="gone.png"><style>@import "//c.d/e.css"; a {}</style>'
    )
    (tmp_path / "b.html").write_text('<p id="y">')
    assert broken(tmp_path) == [f"a.html: {link}" for link in ("#two", "b.html#x", "no.html", "gone.png")]
    assert foreign(tmp_path) == ["a.html: https://fonts.example/x.css", "a.html: //c.d/e.css"]
