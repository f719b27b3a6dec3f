"""The site of the documentation, made by Sphinx (``make docs``): its pages are those that GitHub shows.

The source is the whole repository, so that links between pages mean the same here and there. What only the site has is
made here: the navigation, the API pages, the tables of the committed records, and the report of them. Whatever it shows
was run in this build: examples that do not print what their page says stop it (`examples.py`).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

import hsfusion_bench

sys.path.insert(0, str(Path(__file__).parent))

import examples

DOCS = Path(__file__).parent
#: Where the site has the report of the committed records, which the page of the board links to.
REPORT = "docs/recorded.html"  # docs/report.md is a page of its own
log = logging.getLogger(__name__)

project = "hsfusion-bench"
author = copyright = "The hsfusion-bench developers"
version = release = hsfusion_bench.__version__
root_doc = "docs/README"
include_patterns = [
    "docs/**.md",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "results/README.md",
    "examples/*.ipynb",
]
exclude_patterns = [".*", "build", "dist", "tests", "demo-results"]

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]

# The anchors of headings are GitHub's, which tests/test_docs.py checks.
myst_heading_anchors = 4
myst_heading_slug_func = "github"
nb_execution_mode = "off"  # a test executes notebooks, and compares what they print with what they hold

# A name in single backticks is a link where there is such a name, and code where there is none.
default_role = "py:obj"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_type_aliases = {"ArrayLike": "ArrayLike", "npt.ArrayLike": "ArrayLike", "Cube": "Cube"}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_attr_annotations = False
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True

html_theme = "furo"  # brings its fonts and scripts: nothing is asked of another host
html_title = project
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["site.css"]
html_css_files = ["site.css"]
pygments_style = "friendly"
pygments_dark_style = "monokai"
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

#: What the pages are about, in the order in which a newcomer meets it.
NAVIGATION = {
    "Begin": ["docs/start", "examples/first-numbers", "docs/first-row", "docs/python", "docs/choosing"],
    "The results": ["docs/board", "docs/compared", "docs/classical", "docs/networks", "docs/cost", "docs/speed"],
    "The field's questions": ["docs/cave", "docs/indexes", "docs/protocols", "docs/robustness", "docs/significance"],
    "Do it": [
        "docs/methods",
        "docs/training",
        "docs/studies",
        "docs/data",
        "docs/elsewhere",
        "docs/matlab",
        "docs/records",
        "docs/report",
        "docs/figures",
    ],
    "Reference": ["docs/api/bench", "docs/api/methods", "docs/api/metrics"],
    "The project": ["README", "CONTRIBUTING", "CHANGELOG", "results/README"],
}


def navigation() -> str:
    """Return the navigation as Sphinx wants it, at the end of the first page and hidden there."""
    parts = []
    for caption, pages in NAVIGATION.items():
        lines = [f"About it </{page}>" if page == "README" else f"/{page}" for page in pages]
        parts.append("\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *lines, "```"]))
    return "\n\n" + "\n\n".join(parts) + "\n"


def hsbench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a verb where there are no records of one's own."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "hsfusion_bench", *arguments]
        return subprocess.run(words, cwd=folder, capture_output=True, text=True)


def board(markdown: str) -> str:
    """Return leaderboards in Markdown as sections, with the notes of rows below the tables: they are long."""
    lines: list[str] = []
    notes: list[str] = []
    for line in markdown.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("|"):
            if cells[-1] not in ("note", "---", ""):
                notes.append(f"- {cells[0]}: {cells[-1]}")
            lines.append(f"| {' | '.join(cells[:6])} |")
        elif line.startswith("**"):
            lines.append(f"## {line.strip('*')}")
        elif line.startswith("- all rows are recorded"):
            lines += notes
            notes.clear()
        else:
            lines.append(line)
    return "\n".join(lines)


def tables() -> str:
    """Return the leaderboards of the committed records."""
    done = hsbench("leaderboard", "--format", "markdown")
    done.check_returncode()
    return board(done.stdout)


def titled(text: str) -> str:
    """Return a page whose links that are called like files are called by what the files are about."""
    return re.sub(r"\[[\w/.-]+\.md\]\(([\w/.-]+\.md(?:#[\w-]+)?)\)", r"[](\1)", text)


def write_report(app: Sphinx) -> None:
    """Write the report of the committed records."""
    if app.builder.name != "html":
        return
    target = Path(app.outdir) / REPORT
    target.parent.mkdir(parents=True, exist_ok=True)
    done = hsbench("report", "--out", str(target))
    if done.returncode or not target.exists():
        log.warning("hsbench report failed: %s", done.stderr.strip() or "nothing was written")


def complete(app: Sphinx, name: str, text: list[str]) -> None:
    """Add to a page what only the site has; stop where its examples print something else than it says."""
    for problem in examples.problems(text[0]):
        log.warning("%s", problem, location=str(app.env.doc2path(name)))
    text[0] = titled(text[0])
    if name == root_doc:
        text[0] += navigation()
    elif name == "docs/board":
        if (Path(app.outdir) / REPORT).exists():
            head, rest = text[0].split("\n\n", 1)
            said = "has all of this in one page, to be sorted, beside what papers printed."
            link = f'<a href="{Path(REPORT).name}">The report</a> {said}'
            text[0] = f"{head}\n\n{link}\n\n{rest}"
        text[0] += "\n" + tables()


def write_door(app: Sphinx, failure: Exception | None) -> None:
    """Write the page that leads from the site's folder to the first page."""
    first = f"{root_doc}.html"
    text = f"""<!doctype html>
<meta charset="utf-8">
<title>{project}</title>
<meta http-equiv="refresh" content="0; url={first}">
<a href="{first}">{project}</a>
"""
    if app.builder.name == "html" and failure is None:
        (Path(app.outdir) / "index.html").write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Tell Sphinx of the above."""
    app.connect("builder-inited", write_report)
    app.connect("source-read", complete)
    app.connect("build-finished", write_door)
