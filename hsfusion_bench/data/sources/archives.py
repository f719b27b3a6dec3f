"""Zip archives of others: read without unpacking, refused where they are not whole or reach out of their folder."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from hsfusion_bench.errors import HsbenchError


class Archive:
    """An open zip file.

    Parameters
    ----------
    path
        The file.

    Attributes
    ----------
    path
        The file.
    names
        Names of the files in it.

    Raises
    ------
    HsbenchError
        If it is not a zip file or only a part of one, or holds a file whose path leads out of the folder into which
        it would be unpacked.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise HsbenchError(
                f"{path} ({path.stat().st_size} bytes) is not a zip file, or was not downloaded to its end ({error}); "
                "download it again, or remove it"
            ) from error
        self.names = tuple(entry.filename for entry in self._zip.infolist() if not entry.is_dir())
        for entry in self._zip.infolist():
            if _climbs(entry.orig_filename):
                raise HsbenchError(
                    f"{path} is refused: the path {entry.orig_filename!r} in it leads out of the folder it would be "
                    "unpacked to, which no copy from its makers does; download it from them"
                )

    def read(self, name: str) -> bytes:
        """Return the content of a file in it, its checksum verified; may be called from several threads.

        Raises
        ------
        HsbenchError
            If it is damaged; the message names it.
        """
        try:
            return self._zip.read(name)
        except Exception as error:  # zlib, zipfile and the system each have errors of their own
            raise HsbenchError(f"{self.path}: {name} in it is damaged ({error}); download the file again") from error


def _climbs(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or (bool(path.parts) and path.parts[0].endswith(":"))
