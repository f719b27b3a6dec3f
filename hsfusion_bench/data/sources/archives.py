"""Zip archives of others: read without unpacking, refused where they are not whole or reach out of their folder."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from hsfusion_bench.claims import require_likely, require_room
from hsfusion_bench.errors import DamagedError, HsbenchError, out_of_memory

#: Flag of a file in a zip file that needs a password.
_ENCRYPTED = 1


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
    DamagedError
        If it is not a zip file or only a part of one.
    HsbenchError
        If it holds a file whose path leads out of the folder into which it would be unpacked.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except Exception as error:  # of a damaged one it raises what its own parts do
            if reason := out_of_memory(error):
                raise HsbenchError(f"{path} cannot be read: {reason}") from error
            raise DamagedError(
                f"{path} ({path.stat().st_size} bytes) is not a zip file, or was not downloaded to its end; download "
                "it again, or remove it"
            ) from error
        self.names = tuple(entry.filename for entry in self._zip.infolist() if not entry.filename.endswith("/"))
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
        DamagedError
            If it is damaged; the message names it.
        HsbenchError
            If it is encrypted, or compressed in a way that Python's library does not know.
        """
        where, kept = f"{self.path}: {name} in it", self._zip.getinfo(name)
        if kept.flag_bits & _ENCRYPTED:
            raise HsbenchError(f"{where} is encrypted; unpack the archive with its password, and name the folder")
        require_likely(where, kept.file_size, kept.compress_size)
        require_room(where, kept.file_size)
        try:
            return self._zip.read(kept)
        except NotImplementedError as error:
            raise HsbenchError(
                f"{where} is compressed in a way that is not read (method {kept.compress_type}); unpack the archive, "
                "and name the folder"
            ) from error
        except Exception as error:  # zlib, zipfile and the system each have errors of their own
            if reason := out_of_memory(error):
                raise HsbenchError(f"{where} cannot be read: {reason}") from error
            raise DamagedError(f"{where} is damaged; download the archive again") from error


def _climbs(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or (bool(path.parts) and path.parts[0].endswith(":"))
