"""Training patches: aligned crops of LR-HSI, HR-MSI and, under supervision, HR-HSI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hsfusion_bench.data.windows import check_patch
from hsfusion_bench.methods import Batch, Cube, Observation, Problem

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Example:
    """What the loader holds of a training scene; `hr_hsi` is None for a method that must not see references."""

    observation: Observation
    hr_hsi: Cube | None


def flip_shift(problem: Problem) -> int:
    """Return by how many HR pixels the HR window of a flipped axis is moved; see `PatchSampler`."""
    return round(2 * problem.phase - (problem.scale - 1))


class PatchSampler:
    """Draws random batches of aligned patches.

    A flip reverses the order of the samples, and with it the phase: LR pixel k of a flipped axis sits at
    ``scale*k + scale-1-phase``. The HR window of a flipped axis is therefore moved by ``2*phase - (scale-1)`` pixels,
    so that a flipped patch obeys the same protocol as any other.

    Parameters
    ----------
    examples
        Training scenes, all of one `Problem`.
    patch
        Side of a patch in HR pixels, a multiple of the scale.
    flips
        Whether to flip each axis, and to swap the axes, at random.
    seed
        Of the random draws.
    """

    def __init__(self, examples: Sequence[Example], patch: int, *, flips: bool, seed: int) -> None:
        self.examples = examples
        self.problem = Problem.of(examples[0].observation)
        self.flips = flips
        self.random = np.random.default_rng(seed)
        scale = self.problem.scale
        check_patch(patch, scale)
        smallest = min(min(example.observation.hr_msi.shape[1:]) for example in examples)
        self.patch = min(patch, smallest // scale * scale)

    def draw(self, size: int) -> Batch:
        """Return a random batch of `size` patches, as float32 tensors on the CPU."""
        import torch

        drawn = [self._one() for _ in range(size)]

        def stack(arrays: Sequence[npt.NDArray[np.float32]]) -> torch.Tensor:
            return torch.from_numpy(np.stack(arrays))

        return Batch(
            lr_hsi=stack([lr_hsi for lr_hsi, _, _ in drawn]),
            hr_msi=stack([hr_msi for _, hr_msi, _ in drawn]),
            hr_hsi=None if drawn[0][2] is None else stack([hr_hsi for _, _, hr_hsi in drawn if hr_hsi is not None]),
            problem=self.problem,
        )

    def _one(self) -> tuple[Cube, Cube, Cube | None]:
        example = self.examples[int(self.random.integers(len(self.examples)))]
        lr_hsi, hr_msi = example.observation.lr_hsi, example.observation.hr_msi
        vertical, lr_rows, hr_rows = self._window(lr_hsi.shape[1])
        horizontal, lr_columns, hr_columns = self._window(lr_hsi.shape[2])
        swap = self.flips and bool(self.random.integers(2))

        def cut(cube: Cube, rows: slice, columns: slice) -> Cube:
            piece = cube[:, rows, columns]
            piece = piece[:, ::-1] if vertical else piece
            piece = piece[:, :, ::-1] if horizontal else piece
            return np.ascontiguousarray(piece.transpose(0, 2, 1) if swap else piece)

        return (
            cut(lr_hsi, lr_rows, lr_columns),
            cut(hr_msi, hr_rows, hr_columns),
            None if example.hr_hsi is None else cut(example.hr_hsi, hr_rows, hr_columns),
        )

    def _window(self, lr_side: int) -> tuple[bool, slice, slice]:
        """Draw whether an axis is flipped, its LR window, and the HR window that belongs to it."""
        scale, count = self.problem.scale, self.patch // self.problem.scale
        flipped = self.flips and bool(self.random.integers(2))
        shift = flip_shift(self.problem) if flipped else 0
        # a shifted HR window must stay inside the image
        first = 1 if shift < 0 else 0
        last = lr_side - count - (1 if shift > 0 else 0)
        if last < first:  # the patch is the whole image: there is no room to shift
            flipped, shift, first, last = False, 0, 0, lr_side - count
        start = int(self.random.integers(first, last + 1))
        return flipped, slice(start, start + count), slice(start * scale + shift, (start + count) * scale + shift)
