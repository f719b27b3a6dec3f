"""Training patches from memory-mapped scenes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from hsfusion_bench.data.mapped import Kind, map_array, read_index
from hsfusion_bench.data.windows import grid
from hsfusion_bench.methods import Batch, Cube
from hsfusion_bench.methods.recipes import Turns
from hsfusion_bench.training.loading import Draw


class _Window(NamedTuple):
    """Where a patch lies along an axis, in LR and HR pixels, and whether it is reversed."""

    lr: slice
    hr: slice
    flipped: bool


class MappedPatches(Dataset[Batch]):
    """The patches of a folder of scenes, in a grid.

    With `turns` each axis is reversed by chance, and where they are "all" the axes are swapped, too. A flip reverses
    the order of the samples, and with it the phase: LR pixel k of a flipped axis sits at
    ``scale*k + scale-1-phase``. The HR window of a flipped axis is therefore moved by ``2*phase - (scale-1)`` pixels,
    so that a flipped patch obeys the same protocol
    as any other, and by one LR pixel inwards where it would leave the scene. An axis that one patch fills cannot be
    moved, and is reversed only where the phase asks for no move.

    Parameters
    ----------
    folder
        As `hsfusion_bench.data.mapped.prepare_mapped` makes it.
    patch, stride
        Side and distance of the patches in HR pixels, see `hsfusion_bench.data.windows.starts`; None: as the folder
        was prepared for.
    turns
        How patches are turned, see `hsfusion_bench.methods.recipes.Recipe`.
    seed
        Of the turning, which is drawn anew for each patch of each epoch.
    reference
        Whether batches hold the reference; without, its files are not opened.

    Raises
    ------
    UsageError
        If the patch is not a multiple of the scale or larger than a scene.
    HsbenchError
        If the folder is not whole or an array is not what it should be.
    """

    def __init__(
        self,
        folder: Path,
        *,
        patch: int | None = None,
        stride: int | None = None,
        turns: Turns,
        seed: int,
        reference: bool,
    ) -> None:
        self.folder = folder
        self.index = read_index(folder)
        self.problem = self.index.problem
        self.patch = patch or self.index.patch
        self.turns = turns
        self.seed = seed
        self.kinds: tuple[Kind, ...] = ("lr_hsi", "hr_msi", *(("hr_hsi",) if reference else ()))
        self.places = [
            (number, row, column)
            for number, scene in enumerate(self.index.scenes)
            for row, column in grid(
                scene.height, scene.width, self.patch, stride or self.index.stride, self.index.scale
            )
        ]
        self._maps = self._map()

    def _map(self) -> list[dict[Kind, Cube]]:
        return [
            {kind: map_array(self.folder, self.index, scene, kind) for kind in self.kinds}
            for scene in self.index.scenes
        ]

    def __getstate__(self) -> dict[str, Any]:
        # a map would be pickled with all that it maps
        return {**self.__dict__, "_maps": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._maps = self._map()

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, draw: Draw | int) -> Batch:
        """Return a batch of one patch; a plain number is of epoch 0."""
        return self.__getitems__([draw if isinstance(draw, Draw) else Draw(0, draw)])

    def __getitems__(self, draws: Sequence[Draw]) -> Batch:
        """Return a batch of some patches."""
        batch = {kind: torch.empty(len(draws), *self.index.shape(kind, self.patch, self.patch)) for kind in self.kinds}
        targets = {kind: tensor.numpy() for kind, tensor in batch.items()}
        spare = {kind: np.empty_like(target[0]) for kind, target in targets.items()}
        for place, draw in enumerate(draws):
            rows, columns, swapped = self._window(draw)
            cubes = self._maps[self.places[draw.patch][0]]
            for kind, cube in cubes.items():
                where = (rows.lr, columns.lr) if kind == "lr_hsi" else (rows.hr, columns.hr)
                turns = (rows.flipped, columns.flipped, swapped)
                _cut(cube[:, where[0], where[1]], turns, targets[kind][place], spare[kind])
        return Batch(batch["lr_hsi"], batch["hr_msi"], batch.get("hr_hsi"), self.problem)

    def describe(self, draw: Draw) -> str:
        """Say where a patch is from, in HR pixels from 0; a turned one may be moved by a few."""
        number, row, column = self.places[draw.patch]
        rows, columns = (f"{start} to {start + self.patch - 1}" for start in (row, column))
        return f"{self.index.scenes[number].name} rows {rows}, columns {columns}"

    def _window(self, draw: Draw) -> tuple[_Window, _Window, bool]:
        """Return where a patch lies and how it is turned."""
        number, row, column = self.places[draw.patch]
        scene = self.index.scenes[number]
        vertical = horizontal = swapped = False
        if self.turns != "none":
            bits = np.random.PCG64([self.seed, draw.epoch, draw.patch]).random_raw()
            vertical, horizontal, swapped = (bool(bits >> place & 1) for place in (63, 62, 61))
            swapped = swapped and self.turns == "all"
        return self._axis(row, scene.height, vertical), self._axis(column, scene.width, horizontal), swapped

    def _axis(self, start: int, side: int, flipped: bool) -> _Window:
        scale = self.problem.scale
        shift = round(2 * self.problem.phase - (scale - 1)) if flipped else 0
        first, count = start // scale, self.patch // scale
        if shift and side == self.patch:
            shift, flipped = 0, False
        if first * scale + shift < 0:
            first += 1
        if (first + count) * scale + shift > side:
            first -= 1
        high = first * scale + shift
        return _Window(slice(first, first + count), slice(high, high + self.patch), flipped)


def _cut(
    piece: npt.NDArray[np.float32],
    turns: tuple[bool, bool, bool],
    target: npt.NDArray[np.float32],
    spare: npt.NDArray[np.float32],
) -> None:
    """Write a piece of a map, turned, to its place in a batch."""
    vertical, horizontal, swapped = turns
    if any(turns):
        spare[...] = piece  # turning within the processor's cache is twice as fast as turning what lies far apart
        piece = spare[:, :: -1 if vertical else 1, :: -1 if horizontal else 1]
    target[...] = piece.transpose(0, 2, 1) if swapped else piece
