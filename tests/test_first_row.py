"""A researcher's path, docs/first-row.md, command by command as it is written there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "first-row.md").read_text(encoding="utf-8")
COMMANDS = [line[2:] for block in re.findall(r"```console\n(.*?)```", PAGE, re.S) for line in block.splitlines()]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the page in a folder, in which packages are installed to `site`."""
    program, *rest = shlex.split(command)
    if program == "pip":
        assert rest[:2] == ["install", "--editable"]
        options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
        words = ["-m", "pip", "install", *options, "--target", str(folder / "site"), rest[2]]
    else:
        assert program == "hsbench"
        words = ["-m", "hsfusion_bench", *(word.replace("300", "12") for word in rest)]
    environment = os.environ | {"PYTHONPATH": str(folder / "site"), "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=900
    )


@pytest.mark.slow
def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    said: dict[str, str] = {}
    readme = "My net, https://doi.org/10.1/x: trained as its recipe says.\n"
    for command in COMMANDS:
        if "submit-check" in command:
            (tmp_path / "sent" / "README.md").write_text(readme)
            (weights,) = re.findall(r"^weights +(\S+\.safetensors)$", said["hsbench train"], re.M)
            shutil.copy(weights, tmp_path / "sent")
        done = run(command, tmp_path)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        verb = " ".join(command.split()[:2])
        said[verb] = said.get(verb, "") + done.stdout + done.stderr
    assert len(COMMANDS) == 11
    assert "equal to the recorded rows, within rounding: Bicubic" in said["hsbench leaderboard"]
    assert "no difference can be significant" in said["hsbench compare"]
    assert "identical: every index of 3 of 3 scenes is the same" in said["hsbench reproduce"]
    assert "weights from your own training" in said["hsbench run"]
    assert "acceptable: 1 record" in said["hsbench submit-check"]
    _see_the_table(tmp_path / "paper")


def _see_the_table(folder: Path) -> None:
    """See that the table holds the rows that were asked for, and the paper compiles where LaTeX is at hand."""
    table = (folder / "table.tex").read_text()
    for title in ("My net", "GSA", "LTMR", "Bicubic"):
        assert re.search(rf"^{title}", table, re.M), title
    assert "CNMF" not in table
    keys = set(re.findall(r"\\cite\{(.*?)\}", table))
    assert keys == set(re.findall(r"^@\w+\{(.*?),", (folder / "table.bib").read_text(), re.M))
    (example,) = re.findall(r"```latex\n(.*?)```", PAGE, re.S)
    if shutil.which("pdflatex") is None or shutil.which("bibtex") is None:
        return
    preamble = r"\documentclass{article}\usepackage{booktabs}\begin{document}"
    ending = r"\bibliographystyle{plain}\bibliography{table}\end{document}"
    (folder / "paper.tex").write_text(f"{preamble}\n{example}\n{ending}\n")
    pdflatex = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "paper.tex"]
    for words in (pdflatex, ["bibtex", "paper"], pdflatex, pdflatex):
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout[-2000:]
    log = (folder / "paper.log").read_text(errors="replace")
    assert "undefined" not in log
    assert "Overfull \\hbox" not in log
