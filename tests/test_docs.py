"""The documentation: its programs run, and its links, names, paths and commands exist."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import hsfusion_bench
import hsfusion_metrics
from hsfusion_baselines import METHODS
from hsfusion_bench.cli import main
from hsfusion_bench.data import catalog
from hsfusion_bench.data.observing.protocols import load_protocol
from support import pages, verbs
from support.pages import PAGES, ROOT, blocks, name_of, text_of

PAGE = text_of(ROOT / "docs" / "methods.md")
PROGRAMS = re.findall(r"```python\n(# (\w+\.py)\n.*?)```", PAGE, flags=re.DOTALL)
README = text_of(ROOT / "README.md")

#: Names of entry points that are no modules.
GROUPS = frozenset({catalog.GROUP})

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def run(program: int, attribute: str, *more: str) -> dict[str, object]:
    text, file = PROGRAMS[program]
    return run_text(text, file, attribute, *more)


def run_text(text: str, file: str, attribute: str, *more: str) -> dict[str, object]:
    Path(file).write_text(text)
    arguments = ["--methods", f"./{file}:{attribute}", "--dataset", "demo", "--scale", "4", "--no-timing", *more]
    done = CliRunner().invoke(main, ["run", *arguments, "--results-dir", attribute])
    assert done.exit_code == 0, done.output
    (record,) = Path(attribute).glob("demo-x4-uestc/*.json")
    content: dict[str, object] = json.loads(record.read_text())
    return content


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# Programs of docs/methods.md


def test_every_program_is_tested() -> None:
    assert [file for _, file in PROGRAMS] == ["mine.py", "mine.py", "tuned.py", "net.py"]


def test_the_function_runs() -> None:
    assert run(0, "my_function")["method"]["name"] == "mine:my_function"  # type: ignore[index]


def test_the_class_runs_and_is_better_than_the_function() -> None:
    results = [run(0, "my_function"), run(1, "MyMethod")]
    bicubic, mine = (record["summary"]["psnr"]["mean"] for record in results)  # type: ignore[index]
    assert mine > bicubic


@pytest.mark.skipif(
    importlib.util.find_spec("hsfusion_bench.methods.options") is None, reason="methods have no options yet"
)
def test_an_option_is_set_and_recorded() -> None:
    record = run(2, "Tuned", "--set", "tuned:Tuned.pull=0.5")
    assert record["method"]["options"]["pull"] == 0.5  # type: ignore[index]


def test_the_network_trains_and_runs() -> None:
    record = run(3, "MyNetwork", "--train", "--max-steps", "3", "--device", "cpu")
    assert record["weights"]["training"]["steps"] == 3  # type: ignore[index]


# Programs of other pages


def test_the_function_of_the_readme_runs_and_is_bicubic() -> None:
    (text,) = [block for block in blocks(README, "python") if block.startswith("# mine.py\n")]
    record = run_text(text, "mine.py", "my_method")
    # the demo's table, there and on the page of first steps
    summary = record["summary"]
    values = [
        f"{summary[name]['mean']:.{digits}f}±{summary[name]['std']:.{digits}f}"  # type: ignore[index]
        for name, digits in (("psnr", 2), ("sam", 2), ("ergas", 2), ("ssim", 4))
    ]
    for page in (README, text_of(ROOT / "docs" / "start.md")):
        (line,) = [line.split() for line in page.splitlines() if line.startswith("Bicubic   29.97")]
        assert line[1:5] == values


@pytest.mark.skipif(not hasattr(hsfusion_bench, "open_task"), reason="hsfusion_bench has no door yet")
@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_ten_lines_of_python_run(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    (text,) = [block for block in blocks(text_of(ROOT / page), "python") if "hb.open_task" in block]
    exec(compile(text, page, "exec"), {})
    assert "gsa" in capsys.readouterr().out.lower()
    assert not list(Path().iterdir())


@pytest.mark.skipif(not hasattr(hsfusion_metrics, "score"), reason="the indexes are not called score yet")
def test_the_indexes_alone(capsys: pytest.CaptureFixture[str]) -> None:
    python = blocks(text_of(ROOT / "docs" / "python.md"), "python")
    text, on_tensors = [block for block in python if "hsfusion_metrics" in block]
    exec(compile(text, "python.md", "exec"), {})
    psnr, ergas, std = capsys.readouterr().out.split()
    assert (float(psnr), float(ergas), float(std)) == (pytest.approx(40), pytest.approx(0.5), 0)
    exec(compile(on_tensors, "python.md", "exec"), {})
    assert capsys.readouterr().out.startswith("tensor([40.0000, 40.0000]")


def test_the_protocol_of_ones_own_is_read() -> None:
    (text,) = blocks(text_of(ROOT / "docs" / "protocols.md"), "toml")
    Path("mine.toml").write_text(text)
    protocol = load_protocol("mine.toml")
    assert (protocol.title, protocol.scales) == ("Block means", (2, 4, 8))


# Links, names, paths, commands


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    assert pages.broken_links(page) == []


def test_the_source_distribution_has_what_the_readme_links_to() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packed = set(project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])
    targets = [link for link in pages.links(README) if not link.startswith("https:")]
    assert "LICENSE" in targets
    assert {target.partition("/")[0] for target in targets} <= packed


def test_the_index_names_every_page() -> None:
    listed = set(pages.links(text_of(ROOT / "docs" / "README.md")))
    assert listed >= {page.name for page in ROOT.glob("docs/*.md")} - {"README.md"}


@every_page
def test_names_exist(page: Path) -> None:
    missing = {name for name in {*dotted(text_of(page)), *imported(text_of(page))} if not exists(name)}
    assert missing - GROUPS == set()


def dotted(text: str) -> set[str]:
    """Return the dotted names of our packages, and those of ``hb``."""
    names = set(re.findall(r"(?<![\w/.])(hsfusion_(?:bench|metrics|baselines)(?:\.[A-Za-z_]\w*)+)(?![\w/])", text))
    return names | {f"hsfusion_bench.{name}" for name in re.findall(r"(?<![\w.])hb\.([A-Za-z_]\w*)", text)}


def imported(text: str) -> Iterator[str]:
    """Return the names that blocks of Python, and spans of one statement, import from our packages."""
    code = [*blocks(text, "python"), *(span for span in pages.spans(text) if span.startswith(("from ", "import ")))]
    for node in (node for block in code for node in ast.walk(ast.parse(block))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hsfusion_"):
            yield from (f"{node.module}.{each.name}" for each in node.names)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.startswith("hsfusion_"))


def exists(name: str) -> bool:
    """Whether a name is a module, or an attribute of one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@every_page
def test_paths_exist(page: Path) -> None:
    text = text_of(page)
    paths = re.findall(r"(?<![\w/~.-])((?:hsfusion_bench|baselines|metrics|tests|results|docs)/[\w./-]*\w/?)", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []


@every_page
def test_commands_exist(page: Path) -> None:
    text = text_of(page)
    problems = []
    for lines, whole in ((pages.typed(text), True), (pages.mentioned(text), False)):
        for words in lines:
            arguments = pages.hsbench_words(words)
            if arguments is not None:
                problems += verbs.wrong(arguments, whole=whole)
    assert problems == []


def test_every_shipped_method_is_named() -> None:
    compared = set(pages.spans(text_of(ROOT / "docs" / "compared.md")))
    assert set(METHODS) - compared == {name for name in METHODS if name.startswith("feinfn:")} - {"feinfn:relu"}
    assert {f":{name.partition(':')[2]}" for name in METHODS if name.startswith("feinfn:")} - compared == {":relu"}
    assert {name for name in METHODS if ":" not in name} <= set(pages.spans(README))


@every_page
def test_targets_of_make_exist(page: Path) -> None:
    text = text_of(page)
    lines = [*(" ".join(words) for words in pages.typed(text)), *pages.spans(text)]
    named = {line.split()[1] for line in lines if re.match(r"make \w", line)}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert named <= set(re.findall(r"^([\w-]+):", makefile, flags=re.MULTILINE))


# What these tests find


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("hsbench scroe x.mat --ratio 4", "no verb 'scroe'"),
        ("hsbench data lits", "no verb 'data lits'"),
        ("hsbench score x.mat --ratio 4 --worker 2", "no --worker"),
        ("hsbench score x.mat", "lacks --ratio"),
        ("hsbench score --ratio 4", "takes 1 to 1 arguments"),
        ("hsbench score x.mat --ratio four", "'four'"),
        ("hsbench score x.mat --ratio", "lacks a value"),
        ("hsbench list method", "'method' is not one of"),
        ("torchrun -m hsfusion_bench train feinfn --dataset cave --scael 4", "no --scael"),
    ],
)
def test_a_wrong_command_is_found(line: str, problem: str) -> None:
    (words,) = pages.typed(f"```console\n$ {line}  # a comment\n```\n")
    arguments = pages.hsbench_words(words)
    assert arguments is not None
    assert problem in "; ".join(verbs.wrong(arguments, whole=True))


def test_a_wrong_name_is_found() -> None:
    text = "`hsfusion_bench.methods.Crad` and\n```python\nfrom hsfusion_metrics import psrn\nhb.fsue()\n```\n"
    found = {*dotted(text), *imported(text)}
    assert found == {"hsfusion_bench.methods.Crad", "hsfusion_metrics.psrn", "hsfusion_bench.fsue"}
    assert not any(exists(name) for name in found)
    assert exists("hsfusion_bench.methods.Card")


def test_a_wrong_link_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "# One `head`, *two*\n[a](#one-head-two) [b](#three) [c](no.md) [d](../x) [e](https://a.b) `[f](g)`\n"
    )
    assert pages.broken_links(page) == ["#three", "no.md", "../x"]
