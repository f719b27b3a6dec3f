"""HDF5 files of samples, as the authors of networks publish their training and test data.

The files of the FeINFN family, ``test_cave(with_up)x4.h5`` and the like, hold ``GT``, ``HSI_up``, ``LRHSI`` and
``RGB``, each [N, C, H, W] in [0, 1].
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from hsfusion_bench.data.observing.protocols import Split
from hsfusion_bench.data.observing.responses import WAVELENGTHS
from hsfusion_bench.data.scenes import Cube, SceneSource, StoredObservation
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.formats.arrays import StoredArray, open_arrays
from hsfusion_bench.suggest import unknown

_GT, _LR_HSI, _HR_MSI = "GT", "LRHSI", "RGB"
#: Nothing in the authors' files tells the wavelengths, but a word of their names tells the data set.
_KNOWN = {"cave": WAVELENGTHS, "harvard": tuple(float(nm) for nm in range(420, 721, 10))}


class HDF5Source(SceneSource):
    """The samples of such a file, each a scene that tests; their references are read one at a time.

    Parameters
    ----------
    text
        The file.

    Raises
    ------
    UsageError
        If no file is named.
    HsbenchError
        If it is not here or damaged, or lacks one of the arrays or samples.
    """

    def __init__(self, text: str) -> None:
        if not text:
            raise UsageError("h5: needs a file, as in h5:test_cave(with_up)x4.h5")
        self._path = Path(text).expanduser()
        with self._open() as arrays:
            samples, self._bands = arrays[_GT].shape[:2]
        digits = len(str(samples))
        self._names = tuple(f"{number:0{digits}d}" for number in range(1, samples + 1))
        self.name = f"h5:{self._path.name}"
        self.title = f"{self.name}, {samples} samples of {self._bands} bands"
        self.wavelengths = self._stated()
        if not self.wavelengths:
            words = re.split("[^a-z]+", self._path.stem.lower())
            self.wavelengths = next((nm for key, nm in _KNOWN.items() if key in words and len(nm) == self._bands), ())
            self.wavelengths_guess = "the name of the file" if self.wavelengths else ""
        self.split = Split(self.name, (), self._names)

    @property
    def bands(self) -> int:
        """Number of bands of every sample."""
        return self._bands

    def scene_names(self) -> tuple[str, ...]:
        """Numbers of the samples, from 1."""
        return self._names

    def files(self, name: str) -> tuple[Path, ...]:
        """Return the file."""
        return (self._path,)

    def read(self, name: str) -> Cube:
        """Return the reference of a sample, float32 [bands, H, W].

        Raises
        ------
        UsageError
            If there is no such sample.
        HsbenchError
            If the file is damaged.
        """
        with self._open() as arrays:
            return self._sample(arrays[_GT], name)

    def stored_observation(self, name: str) -> StoredObservation:
        """Return the observation that the file has of a sample, to compare it with that of a protocol.

        Raises
        ------
        UsageError
            If there is no such sample.
        HsbenchError
            If the file is damaged.
        """
        with self._open() as arrays:
            return StoredObservation(self._sample(arrays[_LR_HSI], name), self._sample(arrays[_HR_MSI], name))

    def _stated(self) -> tuple[float, ...]:
        """Return the wavelengths that a file of `hsbench data prepare` states, nanometres."""
        with h5py.File(self._path) as file:
            stated = tuple(float(nm) for nm in np.ravel(file.attrs.get("wavelengths", ())))
        return stated if len(stated) == self._bands else ()

    def _sample(self, array: StoredArray, name: str) -> Cube:
        if name not in self._names:
            raise UsageError(unknown(f"sample of {self._path}", name, self._names))
        part = array.read((self._names.index(name), slice(None), slice(None), slice(None)))
        return np.ascontiguousarray(part, np.float32)

    @contextmanager
    def _open(self) -> Iterator[Mapping[str, StoredArray]]:
        with open_arrays(self._path) as arrays:
            holds = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items()) or "no numbers"
            for key in (_GT, _LR_HSI, _HR_MSI):
                if key not in arrays:
                    raise HsbenchError(f"{self._path} has no dataset {key!r}; it holds {holds}")
                if len(arrays[key].shape) != 4 or arrays[key].shape[0] != arrays[_GT].shape[0]:
                    raise HsbenchError(
                        f"{self._path}: {_GT}, {_LR_HSI} and {_HR_MSI} must be [N, C, H, W] of one N; it holds {holds}"
                    )
            yield arrays
