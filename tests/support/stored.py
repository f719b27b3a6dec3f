"""Training patches from an HDF5 file in the layout of the FeINFN family, ours or the authors' own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import torch
from torch.utils.data import Dataset

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods import Batch, Problem
from hsfusion_bench.training.loading import Draw


class StoredPatches(Dataset[Batch]):
    """The samples of a file, as they lie there.

    They are not turned: to turn a patch that is already cut would move its samples from `phase` to
    ``scale - 1 - phase``, which is another protocol. `hsfusion_bench.training.mapped.MappedPatches` turns.

    Parameters
    ----------
    path
        A file with LRHSI [N, bands, h, w], RGB [N, msi_bands, H, W] and, for supervision, GT [N, bands, H, W].
    phase
        Index of the first sampled HR pixel; None: as the file says, if it is ours.
    reference
        Whether batches hold the reference; without, GT is not read.

    Raises
    ------
    UsageError
        If the phase is neither given nor in the file.
    HsbenchError
        If the file is not an HDF5 file, lacks a dataset, or the shapes disagree.
    """

    def __init__(self, path: Path, *, phase: float | None = None, reference: bool) -> None:
        self.path = path
        self.keys = {"lr_hsi": "LRHSI", "hr_msi": "RGB", **({"hr_hsi": "GT"} if reference else {})}
        try:
            with h5py.File(path, "r") as file:
                shapes = {key: self._shape(file, key) for key in self.keys.values()}
                stated = file.attrs.get("phase")
        except OSError as error:
            raise HsbenchError(f"{path} cannot be read as HDF5: {error}") from error
        (count, bands, height, width), (_, msi_bands, *high) = shapes["LRHSI"], shapes["RGB"]
        scale = max(1, high[0] // height)
        expected = {"RGB": (count, msi_bands, scale * height, scale * width)}
        expected["GT"] = (count, bands, scale * height, scale * width)
        for key, shape in shapes.items():
            if shape != expected.get(key, shape):
                raise HsbenchError(
                    f"{path}: {key} has the shape {list(shape)}, but {list(expected[key])} goes with LRHSI "
                    f"{list(shapes['LRHSI'])}"
                )
        if phase is None and stated is None:
            raise UsageError(
                f"{path} does not say which pixel was sampled first: give the phase (2 at x4 and 4 at x8 under the "
                "protocol uestc)"
            )
        self.problem = Problem(bands, msi_bands, scale, float(stated if phase is None else phase))
        self._count, self._shapes = count, shapes
        self._opened: tuple[int, h5py.File] | None = None

    def _shape(self, file: h5py.File, key: str) -> tuple[int, ...]:
        stored = file.get(key)
        if not isinstance(stored, h5py.Dataset):
            holds = ", ".join(file) or "nothing"
            raise HsbenchError(f"{self.path} has no dataset {key}; it holds {holds}")
        if stored.ndim != 4 or 0 in stored.shape or stored.dtype.kind != "f":
            raise HsbenchError(
                f"{self.path}: {key} must hold floating-point numbers [N, C, H, W], but is {stored.dtype} "
                f"{list(stored.shape)}"
            )
        shape: tuple[int, ...] = stored.shape
        return shape

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, draw: Draw | int) -> Batch:
        """Return a batch of one sample."""
        return self.__getitems__([draw if isinstance(draw, Draw) else Draw(0, draw)])

    def __getitems__(self, draws: Sequence[Draw]) -> Batch:
        """Return a batch of some samples; the epoch of a draw plays no part."""
        file = self._file()
        batch = {name: torch.empty(len(draws), *self._shapes[key][1:]) for name, key in self.keys.items()}
        try:
            for name, key in self.keys.items():
                target = batch[name].numpy()
                for place, draw in enumerate(draws):
                    file[key].read_direct(target[place], draw.patch)
        except OSError as error:
            raise HsbenchError(f"{self.path}: {key} cannot be read, the file is damaged: {error}") from error
        return Batch(batch["lr_hsi"], batch["hr_msi"], batch.get("hr_hsi"), self.problem)

    def describe(self, draw: Draw) -> str:
        """Say which sample a patch is, from 0."""
        return f"sample {draw.patch} of {self.path}"

    def _file(self) -> h5py.File:
        # a handle of HDF5 must not be used in a forked process
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = os.getpid(), h5py.File(self.path, "r")
        return self._opened[1]
