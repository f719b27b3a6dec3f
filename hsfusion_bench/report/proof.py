"""The proof of protocol `uestc`: published Bicubic rows made again, and what other protocols would give.

A published Bicubic row depends on the scenes, on how the LR-HSI was made, on the indexes, and on nothing else: no
weights, no training, not even the camera response. It therefore tells which blur and which sampling a paper used, and
by which indexes it scored: its ERGAS and SSIM are not those of the MATLAB script.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hsfusion_bench.data.observing.degradation import Boundary, downsample, gaussian_psf
from hsfusion_bench.data.observing.protocols import load_protocol
from hsfusion_bench.data.task import open_task
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods.resize import upsample_bicubic
from hsfusion_bench.report.published import MEANT, PROTOCOL, PublishedRow, published_rows
from hsfusion_bench.report.rows import KNOWN
from hsfusion_bench.report.sheets import Sheet
from hsfusion_metrics import ergas, ergas_fused, psnr, sam, ssim, ssim_full

#: By what candidates are told apart.
DECISIVE = ("psnr", "sam")
#: What a row must agree in, by the names of our indexes.
WHOLE = (*DECISIVE, *MEANT.values())
#: What is made of a row: beside its indexes those of the script that are called like them.
_INDEXES = (*WHOLE, *MEANT)


@dataclass(frozen=True)
class Candidate:
    """A way to make an LR-HSI: a kernel [k, k], sampled from HR index `first` on, as `downsample` does."""

    kernel: str
    psf: npt.NDArray[np.float64]
    first: int
    boundary: Boundary = "reflect-101"

    @property
    def phase(self) -> float:
        """Where the samples lie, see `Protocol.phase`."""
        return self.first + (0.0 if len(self.psf) % 2 else 0.5)


def candidates(scale: int) -> dict[str, list[Candidate]]:
    """Return the candidates of a scale: other kernels, other phases, and the other protocols."""
    chosen = gaussian_psf(3, 0.5)
    half = scale // 2
    named: list[tuple[str, npt.NDArray[np.float64]]] = [("none", np.ones((1, 1)))]
    named += [(f"Gaussian 3x3, sigma {sigma:g}", gaussian_psf(3, sigma)) for sigma in (0.4, 0.45, 0.5, 0.55, 0.6, 1.0)]
    named += [
        (f"Gaussian {size}x{size}, sigma {sigma:g}", gaussian_psf(size, sigma))
        for size, sigma in ((5, 0.5), (7, 0.5), (5, 1.0), (7, 2.0))
    ]
    named.append(("average 3x3", np.full((3, 3), 1 / 9)))
    return {
        f"kernels, sampled from {half} on": [Candidate(name, psf, half) for name, psf in named],
        "first samples, Gaussian 3x3, sigma 0.5": [
            Candidate("Gaussian 3x3, sigma 0.5", chosen, first) for first in range(scale)
        ],
        "other protocols": [
            *(_of_protocol(name, scale) for name in ("mossfuse", "xidian", "wald", "yokoya")),
            Candidate("mean of the block", np.full((scale, scale), 1 / scale**2), half - 1),
        ],
    }


def _of_protocol(name: str, scale: int) -> Candidate:
    protocol = load_protocol(name)
    boundary = protocol.blur.boundary
    assert boundary != "block"
    return Candidate(f"`{name}`", protocol.blur.psf(scale), protocol.first_sample(scale), boundary)


@dataclass(frozen=True)
class Score:
    """Mean and standard deviation (N-1) of an index over scenes."""

    mean: float
    std: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Score:
        """Return the score of the values of scenes."""
        return cls(float(np.mean(values)), float(np.std(values, ddof=1)))


def agrees(row: PublishedRow, scores: Mapping[str, Score], indexes: Sequence[str] = DECISIVE) -> bool:
    """Return whether every number that is printed of these indexes, rounded as printed, is ours."""
    pairs = [(row.values.get(_printed_as(index)), scores[index].mean) for index in indexes]
    pairs += [(row.values.get(f"{_printed_as(index)}_std"), scores[index].std) for index in indexes]
    return all(printed is None or rounded(ours, printed) == printed for printed, ours in pairs)


def _printed_as(index: str) -> str:
    """Return under which name papers print an index."""
    return next((name for name, meant in MEANT.items() if meant == index), index)


def rounded(value: float, printed: str) -> str:
    """Return a number with as many decimals as a printed one."""
    return f"{value:.{len(printed.partition('.')[2])}f}"


@dataclass
class Proof:
    """A published Bicubic row and what became of it.

    Attributes
    ----------
    row
        What was published.
    obstacle
        Why it could not be made again; None if it was.
    split
        The scenes that were taken.
    published_split
        Whether those are the published ones.
    scores
        Ours, by index.
    evidence
        For each group of candidates, each with its scores.
    """

    row: PublishedRow
    obstacle: str | None = None
    split: str = ""
    published_split: bool = False
    scores: dict[str, Score] = field(default_factory=dict)
    evidence: dict[str, list[tuple[Candidate, dict[str, Score]]]] = field(default_factory=dict)

    @property
    def fails(self) -> bool:
        """Whether a row whose scenes are known is not ours, in any of its numbers."""
        return self.published_split and not agrees(self.row, self.scores, WHOLE)


def bicubic_rows() -> list[PublishedRow]:
    """Return the published rows that the proof is about."""
    return [row for row in published_rows() if row.method == "Bicubic"]


def prove(row: PublishedRow, data_root: Path | None, report: Callable[[str, int, int], None]) -> Proof:
    """Make a published Bicubic row again, and try the candidates on the same scenes.

    Parameters
    ----------
    row
        One of `bicubic_rows`.
    data_root
        Folder of the data set.
    report
        Called with a scene, its number and the number of scenes, before each.
    """
    try:
        task = open_task(row.dataset, row.scale, protocol=PROTOCOL, data_root=data_root)
    except HsbenchError as error:
        return Proof(row, obstacle=str(error))
    known = row.dataset in task.protocol.splits
    groups = candidates(row.scale) if known else {}
    ours: dict[str, list[float]] = {index: [] for index in _INDEXES}
    tried: dict[str, list[tuple[Candidate, dict[str, list[float]]]]] = {
        group: [(candidate, {index: [] for index in DECISIVE}) for candidate in members]
        for group, members in groups.items()
    }
    for number, name in enumerate(task.names, 1):
        report(name, number, len(task))
        scene = task[name]
        enlarged = upsample_bicubic(scene.observation.lr_hsi, row.scale)
        for index, values in ours.items():
            values.append(_index(index, scene.hr_hsi, enlarged, row.scale))
        for members in tried.values():
            for candidate, found in members:
                low = downsample(scene.hr_hsi, candidate.psf, candidate.boundary, row.scale, candidate.first)
                enlarged = upsample_bicubic(low.astype(np.float32), row.scale)
                for index, values in found.items():
                    values.append(_index(index, scene.hr_hsi, enlarged, row.scale))
    return Proof(
        row,
        split=task.plan.split.id,
        published_split=known,
        scores={index: Score.of(values) for index, values in ours.items()},
        evidence={
            group: [
                (candidate, {index: Score.of(values) for index, values in found.items()})
                for candidate, found in members
            ]
            for group, members in tried.items()
        },
    )


def _index(name: str, reference: npt.NDArray[np.float32], estimate: npt.NDArray[np.float32], scale: int) -> float:
    if name in ("ergas", "ergas_fused"):
        return float({"ergas": ergas, "ergas_fused": ergas_fused}[name](reference, estimate, ratio=scale))
    return float({"psnr": psnr, "sam": sam, "ssim": ssim, "ssim_full": ssim_full}[name](reference, estimate))


def sheets(proofs: Sequence[Proof]) -> list[Sheet]:
    """Return the tables of the proof: the rows first, then the evidence for each."""
    heads = ("data set", "index", "published", "ours", "ours, more digits", "difference of means", "verdict")
    lines = [line for proof in proofs for line in _lines(proof)]
    found = [Sheet("Published Bicubic rows, made again", heads, lines)]
    for proof in proofs:
        found += _evidence(proof)
    return found


def _lines(proof: Proof) -> Sequence[tuple[str, ...]]:
    row = proof.row
    title = f"{row.dataset} ×{row.scale}"
    if proof.obstacle is not None:
        return [(title, "all", "", "", "", "", "not made again: its scenes are not here")]
    lines = []
    for index in _INDEXES:
        mean, std = row.values[_printed_as(index)], row.values[f"{_printed_as(index)}_std"]
        ours = proof.scores[index]
        if agrees(row, proof.scores, [index]):
            verdict = "equal"
        elif index in MEANT:
            verdict = "another index"
        elif proof.published_split:
            verdict = "not matched"
        else:
            verdict = f"not matched: its scenes were never published, ours are {proof.split}"
        lines.append(
            (
                title,
                KNOWN[index].title,
                f"{mean} ± {std}",
                f"{rounded(ours.mean, mean)} ± {rounded(ours.std, std)}",
                f"{ours.mean:.4f} ± {ours.std:.4f}",
                f"{ours.mean - float(mean):+.4f}",
                verdict,
            )
        )
    return lines


def _evidence(proof: Proof) -> list[Sheet]:
    row = proof.row
    heads = ("kernel", "first sample", "phase", "PSNR", "SAM", "PSNR - published", "SAM - published", "verdict")
    found = []
    for group, members in proof.evidence.items():
        lines = []
        for candidate, scores in members:
            psnr_, sam_ = scores["psnr"], scores["sam"]
            lines.append(
                (
                    candidate.kernel,
                    str(candidate.first),
                    f"{candidate.phase:g}",
                    f"{psnr_.mean:.3f} ± {psnr_.std:.3f}",
                    f"{sam_.mean:.3f} ± {sam_.std:.3f}",
                    f"{psnr_.mean - float(row.values['psnr']):+.3f}",
                    f"{sam_.mean - float(row.values['sam']):+.3f}",
                    "equal" if agrees(row, scores) else "",
                )
            )
        found.append(Sheet(f"{row.dataset} ×{row.scale}: {group}", heads, lines))
    return found


def markdown(tables: Sequence[Sheet]) -> str:
    """Return the tables as Markdown."""
    return "\n".join(_markdown(table) for table in tables)


def _markdown(sheet: Sheet) -> str:
    lines = [list(sheet.heads), ["---"] * len(sheet.heads), *sheet.rows]
    body = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    return f"**{sheet.title}**\n\n{body}\n"
