"""``hsbench new-method``: what it writes works as it stands, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hsfusion_bench.cli import main

KINDS = ["classical", "network"]


def hsbench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def run(*arguments: str | Path, path: Path | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ) | ({"PYTHONPATH": str(path)} if path else {})
    command = [sys.executable, *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, timeout=300)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_package_is_named_after_the_method(kind: str) -> None:
    done = hsbench("new-method", "sharp-one", "--kind", kind)
    assert done.exit_code == 0, done.output
    assert "pip install --editable './sharp-one[dev]'" in done.stdout
    folder = Path("sharp-one")
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "sharp-one"
    assert project["entry-points"] == {"hsfusion_bench.methods": {"sharp-one": "sharp_one.method:SharpOne"}}
    assert (folder / "README.md").read_text().startswith("# Sharp one\n")
    assert (folder / "tests/test_sharp_one.py").is_file()
    assert not [path for path in folder.rglob("*") if path.is_file() and "$" in path.read_text()]
    assert [path.name for path in Path().iterdir()] == ["sharp-one"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_clean(kind: str) -> None:
    assert hsbench("new-method", "sharp_one", "--kind", kind, "--out", "deep/er").exit_code == 0
    options = ["--isolated", "--line-length", "120"]
    checked = run("-m", "ruff", "check", *options, "--extend-select", "I,UP,B,W", "deep")
    assert checked.returncode == 0, checked.stdout
    formatted = run("-m", "ruff", "format", *options, "--check", "deep")
    assert formatted.returncode == 0, formatted.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("My-Method", "such as my-method"),
        ("3d", "such as my-method"),
        ("a--b", "such as my-method"),
        ("a.b", "such as my-method"),
        ("../a", "such as my-method"),
        ("", "an argument is empty"),
        ("bicubic", "there is a method 'bicubic' already, of hsfusion-bench"),
        ("feinfn-relu", "there is a method 'feinfn:relu' already"),  # their records would have one name
        ("schema", "`hsbench show schema`"),
        ("lambda", "a word of Python"),
        ("none", "a word of Python"),
        ("numpy", "in the way of another"),
        ("tests", "in the way of another"),
    ],
)
def test_bad_and_taken_names_are_refused(name: str, words: str) -> None:
    done = hsbench("new-method", name)
    assert done.exit_code == 2
    assert words in done.output
    assert not list(Path().iterdir())


def test_nothing_that_exists_is_touched() -> None:
    Path("mine").mkdir()
    done = hsbench("new-method", "sharp-one", "--out", "mine")
    assert done.exit_code == 2
    assert "mine exists already" in done.output
    assert not list(Path("mine").iterdir())


def test_a_folder_that_cannot_be_made_is_explained() -> None:
    Path("file").write_text("")
    done = hsbench("new-method", "sharp-one", "--out", "file/inside")
    assert done.exit_code == 1
    assert "cannot be written" in done.output
    assert Path("file").read_text() == ""


@pytest.mark.slow
def test_packages_build_install_are_found_and_pass_their_own_tests(tmp_path: Path) -> None:
    names = {"classical": "sharp-one", "network": "deep-one"}
    told = []
    for kind, name in names.items():
        done = hsbench("new-method", name, "--kind", kind)
        assert done.exit_code == 0
        told += [line.split()[1:] for line in done.stdout.splitlines() if line.strip().startswith("hsbench run")]
    folders = [tmp_path / name for name in names.values()]
    site = tmp_path / "site"
    installed = run(
        *("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"),
        *("--disable-pip-version-check", "--target", site, *folders),
    )
    assert installed.returncode == 0, installed.stderr
    listed = run("-m", "hsfusion_bench", "list", "methods", path=site)
    for name, title in [("sharp-one", "Sharp one"), ("deep-one", "Deep one")]:
        (line,) = [line for line in listed.stdout.splitlines() if line.strip().startswith(name)]
        assert title in line
        assert f"{name} 0.1.0" in line
    for command in told:  # what it says to try next
        tried = run("-m", "hsfusion_bench", *command, path=site, cwd=tmp_path)
        assert tried.returncode == 0, tried.stdout + tried.stderr
        assert "one" in tried.stdout
    tested = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, *folders, path=site)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "2 passed" in tested.stdout
