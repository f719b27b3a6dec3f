"""A run's results as the `.mat` file that the MATLAB script scores."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import replacing
from hsfusion_bench.matlab.batches import write_batches
from hsfusion_bench.methods import Cube


class MatExport:
    """Collect the samples of a run, one by one, and write them as one file of `sr` and `gt` once they are all there.

    Until then samples wait in a folder beside the file, ``METHOD.mat.unfinished``: a test set is never held in memory,
    and a run that goes on where it was interrupted finds those it has.

    Parameters
    ----------
    path
        The `.mat` file, written whole or not at all.
    names
        The scenes, in their order.
    run
        All that the samples depend on, as plain JSON; samples of another run are not taken.
    """

    def __init__(self, path: Path, names: Sequence[str], run: Mapping[str, Any]) -> None:
        self.path, self.names = path, tuple(names)
        self.waiting = path.with_name(f"{path.name}.unfinished")
        self._run = sha256(json.dumps(run, sort_keys=True, default=str).encode()).hexdigest()
        self._added: set[str] = set()

    def has(self, name: str, digest: str) -> bool:
        """Whether the sample of a scene waits, of this very run and of the reference of that digest."""
        try:
            with np.load(self._file(name)) as sample:
                fits = [str(sample[key]) for key in ("run", "scene", "digest")] == [self._run, name, digest]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return False
        if fits:
            self._added.add(name)
        return fits

    def add(self, name: str, digest: str, gt: Cube, sr: Cube) -> None:
        """Add the sample of a scene, both cubes [bands, H, W].

        Raises
        ------
        HsbenchError
            If it cannot be written.
        """
        with replacing(self._file(name)) as temporary, temporary.open("wb") as file:
            np.savez(file, gt=gt, sr=sr, run=self._run, scene=name, digest=digest)
        self._added.add(name)

    @property
    def missing(self) -> tuple[str, ...]:
        """The scenes whose samples are not there."""
        return tuple(name for name in self.names if name not in self._added)

    def finish(self) -> None:
        """Write the file.

        Raises
        ------
        HsbenchError
            If samples are missing or differ in shape, or the file cannot be written: what stood there is untouched, and
            the samples stay.
        """
        if self.missing:
            there = len(self.names) - len(self.missing)
            kept = f"; those wait in {self.waiting}" if there else ""
            stands = ", which is of an earlier run and stays as it is" if self.path.exists() else ""
            raise HsbenchError(
                f"cubes of {there} of {len(self.names)} scenes are here (not of {self.missing[0]}), so that they are "
                f"not written to {self.path}{stands}{kept}"
            )
        write_batches(self.path, self._samples(), count=len(self.names))
        shutil.rmtree(self.waiting, ignore_errors=True)

    def _samples(self) -> Iterator[tuple[Cube, Cube]]:
        for name in self.names:
            with np.load(self._file(name)) as sample:
                yield sample["gt"], sample["sr"]

    def _file(self, name: str) -> Path:
        return self.waiting / f"{self.names.index(name)}.npz"
