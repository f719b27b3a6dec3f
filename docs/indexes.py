"""Fill the tables of indexes.md: what each package gives for one and the same pair of images.

Run it from anywhere: ``python docs/indexes.py [DLPAN]``. The code of a row is what is run. Rows of packages that are
not installed, or in another version than the page names, keep their values, and are counted. DLPAN is a copy of
DLPan-Toolbox, whose indexes are MATLAB: GNU Octave with its package ``image`` runs them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

import hsfusion_bench as hb
from hsfusion_metrics import METRICS

PAGE = Path(__file__).with_name("indexes.md")
OURS = "hsfusion_metrics"
DLPAN = "DLPan-Toolbox"
#: Where a package has its indexes, and what the page calls that.
MODULES = {
    OURS: (OURS, "hm"),
    "scikit-image": ("skimage.metrics", "sk"),
    "torchmetrics": ("torchmetrics.functional.image", "tm"),
    "sewar": ("sewar.full_ref", "sewar"),
    "piq": ("piq", "piq"),
    "pysptools": ("pysptools.distance", "pysptools"),
    "spectral": ("spectral", "spectral"),
    "hyperbench": ("hyperbench", "hyperbench"),
}
START, END = "<!-- summary: written by indexes.py -->\n\n", "\n<!-- end of the summary -->"
_ROW = re.compile(r"^\| ([\w-]+)(?: ([\w.]+))? \| `([^`]+)` \| ([\d.]+|nan) \|", flags=re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes
    ----------
    package, version
        What computes it; ours has no version.
    code
        An expression of Python; of MATLAB for DLPan-Toolbox.
    value
        Its value as printed.
    """

    package: str
    version: str
    code: str
    value: str

    @property
    def computable(self) -> bool:
        """Whether this package, in this version, is installed."""
        try:
            return self.package == OURS or version(self.package) == self.version
        except PackageNotFoundError:
            return False


def rows(page: str) -> list[Row]:
    """Return the rows of the page's tables."""
    return [Row(*found) for found in _ROW.findall(page)]


def shown(value: float) -> str:
    """Return a value as the page prints it."""
    return f"{value:#.6g}"


@lru_cache(maxsize=1)
def pair() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the reference and the estimate [31, 128, 128]: a scene of the demo, and what bicubic makes of it at x4."""
    scene = hb.open_task("demo", 4)["figs"]
    estimate = hb.fuse(hb.load_method("bicubic"), scene.observation)
    return np.float64(scene.hr_hsi), np.float64(estimate)


def names(package: str) -> dict[str, Any]:
    """Return what the code of a package's rows may name."""
    gt, sr = pair()
    module, alias = MODULES[package]
    found: dict[str, Any] = {"np": np, "gt": gt, "sr": sr, "g": np.moveaxis(gt, 0, -1), "s": np.moveaxis(sr, 0, -1)}
    if package in ("torchmetrics", "piq"):
        torch = import_module("torch")
        found |= {"G": torch.from_numpy(gt[None]), "S": torch.from_numpy(sr[None])}
    return found | {alias: import_module(module)}


def computed(row: Row) -> float:
    """Return the value of a row in Python."""
    return float(eval(row.code, names(row.package)))


def in_octave(codes: list[str], folder: Path) -> Iterator[float]:
    """Return the values of MATLAB expressions with a copy of DLPan-Toolbox."""
    (indexes,) = folder.resolve().rglob("Quality_Indices")
    gt, sr = (np.moveaxis(image, 0, -1) for image in pair())
    with tempfile.TemporaryDirectory() as place:
        savemat(Path(place) / "pair.mat", {"gt": gt, "sr": sr})
        lines = ["pkg load image", "load pair.mat", f"addpath('{indexes}')"]
        lines += [f"printf('value %.17g\\n', {code});" for code in codes]
        (Path(place) / "program.m").write_text("\n".join(lines), encoding="utf-8")
        done = subprocess.run(["octave-cli", "-q", "program.m"], cwd=place, capture_output=True, text=True, check=True)
    return map(float, re.findall(r"^value (.+)$", done.stdout, flags=re.MULTILINE))


def filled(page: str, values: Callable[[Row], float | None]) -> str:
    """Return the page with the values that there are."""

    def line(found: re.Match[str]) -> str:
        value = values(Row(*found.groups(default="")))
        start, end = (edge - found.start() for edge in found.span(4))
        return found[0] if value is None else f"{found[0][:start]}{shown(value)}{found[0][end:]}"

    return _ROW.sub(line, page)


def sections(page: str) -> dict[str, str]:
    """Return the text of each index's section by the index's title."""
    found = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", page, flags=re.DOTALL | re.MULTILINE))
    return {metric.title: found[metric.title] for metric in METRICS.values()}


def summary(page: str) -> str:
    """Return the table of packages by indexes: the first value of each in a section, bold where it is ours."""
    found: dict[str, dict[str, str]] = {}
    titles = list(sections(page))
    for title, text in sections(page).items():
        for row in rows(text):
            found.setdefault(f"{row.package} {row.version}".strip(), {}).setdefault(title, row.value)
    ours = found[OURS]
    lines = [["package", *titles], ["---"] * (len(titles) + 1)]
    for package, values in found.items():
        cells = (values.get(title, "") for title in titles)
        bold = [f"**{cell}**" if cell == ours[title] else cell for title, cell in zip(titles, cells, strict=True)]
        lines.append([package, *bold])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Fill the page."""
    page = PAGE.read_text(encoding="utf-8")
    found = {row: computed(row) for row in rows(page) if row.computable}
    if sys.argv[1:]:
        of_matlab = [row for row in rows(page) if row.package == DLPAN]
        found |= zip(of_matlab, in_octave([row.code for row in of_matlab], Path(sys.argv[1])), strict=True)
    page = filled(page, found.get)
    start, end = page.index(START) + len(START), page.index(END)
    PAGE.write_text(page[:start] + summary(page) + page[end:], encoding="utf-8")
    print(f"{len(found)} of {len(rows(page))} values computed; those of other packages are as they were")


if __name__ == "__main__":
    main()
