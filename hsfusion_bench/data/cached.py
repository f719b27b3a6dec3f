"""A data set whose scenes are decoded once, however many methods of a run ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np

from hsfusion_bench.data.scenes import Cube, Mask, SceneSource, StoredObservation
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import replacing
from hsfusion_bench.scratch import TemporaryFolder


class CachedSource(SceneSource):
    """Keep each scene that was read in a temporary file, from which it is mapped when it is asked for again.

    No more than one scene is held here at a time; what is mapped is the system's cache of a file, which it gives up
    when memory runs short. Where the file cannot be written, scenes are decoded anew. A context manager, which removes
    the files at its end.

    A copy that is sent to another process shares the files, as long as they are there and it sees them.

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
        self._owned: TemporaryFolder | None = TemporaryFolder()
        self._folder: Final = self._owned.path

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy in another process has: not the removal of the files."""
        return self.__dict__ | {"_owned": None}

    def __enter__(self) -> CachedSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._owned is not None:
            self._owned.cleanup()

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
        path = self._folder / f"{name}.npy"
        if not path.is_file():
            cube = self._source.read(name)
            if not self._folder.is_dir():  # of a machine that does not share it, or it is gone
                return cube
            try:
                with replacing(path) as temporary, temporary.open("wb") as file:  # others may look for it meanwhile
                    np.save(file, cube)
            except HsbenchError:  # a full disk costs time only
                return cube
        mapped: Cube = np.load(path, mmap_mode="c")  # what is written to it never reaches the file
        return np.asarray(mapped)

    def mask(self, name: str) -> Mask | None:
        """Return which pixels of a scene the data set vouches for."""
        return self._source.mask(name)

    def stored_observation(self, name: str) -> StoredObservation | None:
        """Return the observation of a scene that came with it."""
        return self._source.stored_observation(name)
