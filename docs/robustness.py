"""Fill robustness.md: what each method loses under each changed condition, by the records of `results/robustness`.

Run it from anywhere: ``python docs/robustness.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import parts

from hsfusion_bench.report.published import published_rows
from hsfusion_bench.runs.recorded import recorded_store, robustness_root
from hsfusion_bench.runs.records import Record, Store

PAGE = Path(__file__).with_name("robustness.md")
#: The protocol itself, whose records are those of the board.
BASE = "uestc"
#: Columns of the tables: a condition as protocols call it, and the head of its column.
TRUE = {
    "snr40-40": "40 dB",
    "snr30-30": "30 dB",
    "snr20-20": "20 dB",
    "fwhm2": "blur 2",
    "fwhm4": "blur 4",
    "fwhm8": "blur 8",
    "B": "camera B",
    "shift0.25": "shift ¼",
    "shift0.5": "shift ½",
    "shift1": "shift 1",
    "gain1.1": "gain 1.1",
    "dead1": "1 dead",
    "dead4": "4 dead",
}
TOLD = {
    "told-fwhm2": "blur 2",
    "told-fwhm4": "blur 4",
    "told-response-B": "camera B",
    "told-phasem0.5": "phase -½",
    "told-phase0.5": "phase +½",
    "told-phase1": "phase +1",
}
FAMILIES = {
    "fwhm4": "gaussian",
    **{
        f"psf-{name}-fwhm4": name
        for name in ("kolmogorov", "airy", "moffat", "sinc", "lorentzian2", "hermite", "parabolic", "gabor")
    },
    "psf-delta": "delta",
}
#: What papers print of classical methods, and what these are called here.
PRINTED = {"MTF-GLP-HS": "mtf-glp-hs", "CSTF-FUS": "cstf", "LTTR": "lttr", "LTMR": "ltmr", "IR-TenSR": "ir-tensr"}


def records() -> dict[str, dict[str, Record]]:
    """Return the records by protocol and method: of several sets of scenes, the largest."""
    found: dict[str, dict[str, Record]] = {}
    for store in (recorded_store(), Store(robustness_root())):
        for record in store.records():
            told, method = record.dataset, record.method
            if (told.name, told.scale) != ("cave", 4) or method.changed or method.estimated or record.status != "ok":
                continue
            rows = found.setdefault(told.protocol, {})
            known = rows.get(method.name)
            if known is None or len(known.scenes) < len(record.scenes):
                rows[method.name] = record
    return found


def psnr(record: Record, names: Iterable[str]) -> float:
    """Return the mean PSNR over some scenes, in dB."""
    values = {scene.name: scene.psnr for scene in record.scenes}
    wanted = [values[name] for name in names]
    return sum(value for value in wanted if value is not None) / len(wanted)


def lost(rows: Mapping[str, Mapping[str, Record]], method: str, condition: str) -> tuple[float, int] | None:
    """Return how many dB a method loses under a condition, and over how many scenes that is a mean."""
    base, changed = rows[BASE].get(method), rows.get(f"{BASE}-{condition}", {}).get(method)
    if base is None or changed is None:
        return None
    # weights of another training would be a change of two things
    if (base.weights and base.weights.sha256) != (changed.weights and changed.weights.sha256):
        return None
    names = [scene.name for scene in changed.scenes]
    return psnr(changed, names) - psnr(base, names), len(names)


def table(columns: Mapping[str, str]) -> str:
    """Return a line for each method: its PSNR, and by how much each condition changes it."""
    rows = records()
    lines = [["method", "dB", *columns.values()], ["---", "---:", *["---:"] * len(columns)]]
    for name, record in sorted(rows[BASE].items(), key=lambda item: -psnr(item[1], [s.name for s in item[1].scenes])):
        changes = [lost(rows, name, condition) for condition in columns]
        if not any(changes):
            continue
        scenes = {change[1] for change in changes if change is not None}
        told = f"{' and '.join(map(str, sorted(scenes)))} {'scene' if scenes == {1} else 'scenes'}"
        mark = "" if scenes == {11} else f" ({told})"
        cells = ["" if change is None else f"{change[0]:+.1f}" for change in changes]
        lines.append([f"{record.method.title}{mark}", f"{psnr(record, [s.name for s in record.scenes]):.1f}", *cells])
    return parts.table(lines)


def published() -> str:
    """Return what methods score that are told the truth, and another blur; and what papers print of them."""
    rows = records()
    printed = {row.method: row.values["psnr"] for row in published_rows() if (row.dataset, row.scale) == ("cave", 4)}
    lines = [["method", "told the truth", "told a blur of 4.71", "published"], ["---", "---:", "---:", "---:"]]
    for title, name in PRINTED.items():
        base, change = rows[BASE][name], lost(rows, name, "told-fwhm4.71")
        if change is not None:
            scenes = [scene.name for scene in rows[f"{BASE}-told-fwhm4.71"][name].scenes]
            told = psnr(base, scenes) + change[0]
            lines.append([base.method.title, f"{psnr(base, scenes):.2f}", f"{told:.2f}", printed[title]])
    return parts.table(lines)


PARTS = {
    "published": published,
    "told": lambda: table(TOLD),
    "true": lambda: table(TRUE),
    "families": lambda: table(FAMILIES),
}


def filled(page: str) -> str:
    """Return the page with its parts written anew."""
    return parts.filled(page, "robustness.py", PARTS)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
