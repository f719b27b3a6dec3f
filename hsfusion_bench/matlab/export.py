"""A run's results as the `.mat` file that the MATLAB script scores."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.matlab.batches import write_batches
from hsfusion_bench.methods import Cube


class MatExport:
    """Collect samples one by one; on leaving the block, write those there are as one file of `sr` and `gt`.

    Samples wait in files beside the target, so that a test set is never held in memory by a run.

    Parameters
    ----------
    path
        The `.mat` file, written whole or not at all.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HsbenchError(f"{self.path.parent} cannot be made: {error.strerror}") from error
        self._waiting = tempfile.TemporaryDirectory(dir=self.path.parent, prefix=f".{self.path.name}.")
        return self

    def add(self, gt: Cube, sr: Cube) -> None:
        """Add the sample of a scene, both cubes [bands, H, W]."""
        np.savez(Path(self._waiting.name) / f"{self.count}.npz", gt=gt, sr=sr)
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._waiting:
            if self.count:
                write_batches(self.path, self._samples(), count=self.count)

    def _samples(self) -> Iterator[tuple[Cube, Cube]]:
        for number in range(self.count):
            with np.load(Path(self._waiting.name) / f"{number}.npz") as sample:
                yield sample["gt"], sample["sr"]
