"""A data set whose scenes are decoded once, however many methods of a run ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import numpy as np

from hsfusion_bench.data.scenes import Cube, Mask, SceneSource, StoredObservation
from hsfusion_bench.scratch import TemporaryFolder


class CachedSource(SceneSource):
    """Keep each scene that was read in a temporary file, from which it is mapped when it is asked for again.

    No more than one scene is held here at a time; what is mapped is the system's cache of a file, which it gives up
    when memory runs short. Where the file cannot be written, scenes are decoded anew. A context manager, which removes
    the files at its end.

    Parameters
    ----------
    source
        Where scenes are read from at first.
    """

    def __init__(self, source: SceneSource) -> None:
        self.name = source.name
        self.title = source.title
        self.wavelengths = source.wavelengths
        self.wavelengths_given = source.wavelengths_given
        self.split = source.split
        self.protocol = source.protocol
        self.provenance = source.provenance
        self.bands_used = source.bands_used
        self.bands_kept, self.bands_stored = source.bands_kept, source.bands_stored
        self._source = source
        self._folder = TemporaryFolder()
        self._kept: dict[str, Path] = {}

    def __enter__(self) -> CachedSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    @property
    def bands(self) -> int:
        """Number of bands of every scene."""
        return self._source.bands

    def scene_names(self) -> Sequence[str]:
        """Names of all scenes."""
        return self._source.scene_names()

    def missing(self) -> Sequence[str]:
        """Names of the scenes whose files are not here."""
        return self._source.missing()

    def size(self, name: str) -> tuple[int, int] | None:
        """Return height and width of a scene, if they are known without reading it."""
        return self._source.size(name)

    def files(self, name: str) -> Sequence[Path]:
        """Return the files that hold a scene."""
        return self._source.files(name)

    def known_digest(self, name: str) -> str | None:
        """Return the digest of the only values that a scene may have."""
        return self._source.known_digest(name)

    def read(self, name: str) -> Cube:
        """Return a scene, float32 [bands, H, W]; changes to it are the caller's own.

        Raises
        ------
        HsbenchError
            As the source does.
        """
        if name not in self._kept:
            cube = self._source.read(name)
            path = self._folder.path / f"{len(self._kept)}.npy"
            try:
                np.save(path, cube)
            except OSError:  # a full disk costs time only
                with suppress(OSError):
                    path.unlink()
                return cube
            self._kept[name] = path
        mapped: Cube = np.load(self._kept[name], mmap_mode="c")  # what is written to it never reaches the file
        return np.asarray(mapped)

    def mask(self, name: str) -> Mask | None:
        """Return which pixels of a scene the data set vouches for."""
        return self._source.mask(name)

    def stored_observation(self, name: str) -> StoredObservation | None:
        """Return the observation of a scene that came with it."""
        return self._source.stored_observation(name)
