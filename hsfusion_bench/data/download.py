"""The originals of a data set, and other files: their terms, fetching them, unpacking them.

A file is fetched under a temporary name and gets its own once it is whole: of the stated length, of the known
digest, or else, if it is an archive, readable to its end. Where nobody has recorded a digest yet, the one that was
found is kept beside the file as ``FILE.sha256``, in the form that ``sha256sum --check`` reads, and later copies must
equal it. What is unpacked goes to a folder aside first, so that no file in the data root is ever half there.

A broken download goes on where it broke off, if the server can and if what is then there can be checked: by a known
digest, or because it is an archive.
"""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Protocol

import pooch
import requests

from hsfusion_bench.claims import require_disk, require_likely
from hsfusion_bench.data.provenance import Download
from hsfusion_bench.errors import HsbenchError, reason_of_system
from hsfusion_bench.files import sha256_file, user_cache, write_text
from hsfusion_bench.scratch import alone

_SECONDS = 30


class ProgressBar(Protocol):
    """What pooch tells of a download: `total` is set to the number of bytes, or 0 if the server does not say."""

    total: int

    def update(self, count: int) -> None:
        """Count further bytes."""

    def reset(self) -> None:
        """Start from 0."""

    def close(self) -> None:
        """End."""


# -- terms


def is_accepted(name: str, licence: str) -> bool:
    """Whether the user has accepted the present licence of a data set, or of other files."""
    try:
        return _acceptance(name).read_text("utf-8") == licence
    except (OSError, UnicodeDecodeError):
        return False


def accept(name: str, licence: str) -> None:
    """Remember that the user has accepted a licence, by its text."""
    write_text(_acceptance(name), licence)


def _acceptance(name: str) -> Path:
    return user_cache() / "licences" / f"{name}.txt"


# -- files


def fetch(item: Download, root: Path, progress: ProgressBar | None = None) -> str:
    """Fetch a file into the data root, or check the one that is there.

    Parameters
    ----------
    item
        The file.
    root
        Data root; it is made if need be.
    progress
        Told of the bytes that arrive.

    Returns
    -------
    The SHA-256 of the file.

    Raises
    ------
    HsbenchError
        If the server cannot be reached, what arrives is not whole or not the known file, or the file that is there is
        damaged (it is left alone), or another process fetches it.
    """
    with alone(root / item.file):
        return _fetch_or_check(item, root, progress)


def _fetch_or_check(item: Download, root: Path, progress: ProgressBar | None) -> str:
    target = root / item.file
    arriving = target.with_name(f".{target.name}.arriving")
    expected = item.sha256 or _recorded(target)
    if target.exists():
        digest = _check(target, item, expected, "remove it, and run the same command again")
        arriving.unlink(missing_ok=True)
    else:
        digest = _fetch(item, root, arriving, expected, progress)
        arriving.replace(target)
    if expected is None:
        write_text(_sidecar(target), f"{digest}  {target.name}\n")
    return digest


def _fetch(item: Download, root: Path, arriving: Path, expected: str | None, progress: ProgressBar | None) -> str:
    """Fetch a file under its temporary name, and return its digest."""
    try:
        arriving.parent.mkdir(parents=True, exist_ok=True)
        _arrive(item, arriving, progress, resume=bool(expected or _kind(item.file)))
        return _check(arriving, item, expected, by_hand(item, root))
    except requests.RequestException as error:
        if not arriving.stat().st_size:
            arriving.unlink()
        raise HsbenchError(f"{item.url} cannot be fetched: {_reason(error)}. {by_hand(item, root)}") from error
    except OSError as error:
        raise HsbenchError(f"{root / item.file} cannot be written: {reason_of_system(error)}") from error
    except HsbenchError:
        arriving.unlink()  # it came to its end, but is another file: going on with it would not mend it
        raise


def _arrive(item: Download, arriving: Path, progress: ProgressBar | None, *, resume: bool) -> None:
    """Fetch a file, or what it lacks."""
    answers: list[requests.Response] = []
    with arriving.open("ab" if resume else "wb") as file:
        have = file.tell()

        def answered(answer: requests.Response, **_: object) -> None:
            answers.append(answer)
            # not "partial content": all of it comes, or what is here is longer than the file
            if answer.status_code in (requests.codes.ok, requests.codes.requested_range_not_satisfiable):
                file.truncate(0)

        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        download = pooch.HTTPDownloader(
            progressbar=progress or False, timeout=_SECONDS, headers=headers, hooks={"response": answered}
        )
        try:
            download(item.url, file, None)
        finally:
            for answer in answers:
                answer.close()


def by_hand(item: Download, root: Path) -> str:
    """Say how to do without us."""
    return f"By hand: fetch {item.url}, put it at {root / item.file}, and run the same command again"


def _sidecar(target: Path) -> Path:
    return target.with_name(f"{target.name}.sha256")


def _recorded(target: Path) -> str | None:
    """Return the digest that was found when the file was first fetched."""
    sidecar = _sidecar(target)
    if not sidecar.is_file():
        return None
    digest = sidecar.read_text("utf-8", errors="replace").partition(" ")[0].strip().lower()
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise HsbenchError(f"{sidecar} holds no SHA-256; remove it to record one anew")
    return digest


def _check(path: Path, item: Download, expected: str | None, remedy: str) -> str:
    """Return the digest of a file that is what it should be."""
    size = path.stat().st_size
    if item.size is not None and size != item.size:
        raise HsbenchError(f"{item.file} is not whole: it has {size} bytes, but should have {item.size}; {remedy}")
    digest = sha256_file(path)
    if expected is not None and digest != expected:
        raise HsbenchError(f"{item.file} is another file: its SHA-256 is {digest}, but should be {expected}; {remedy}")
    kind = _kind(item.file)
    if kind is not None and item.sha256 is None:  # a digest that is stated proves more, and not all .tar are archives
        try:
            _require_room(path, kind, path.parent)
            _read_through(path, kind)
            _require_inside(path, kind)
        except HsbenchError:
            raise
        except Exception as error:  # decompressors have errors of their own
            raise HsbenchError(
                f"{item.file} is not a {kind} archive, or only a part of one ({size} bytes); {remedy}"
            ) from error
    return digest


def _reason(error: requests.RequestException) -> str:
    if error.response is not None:
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "the server does not answer"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke before the end (the same command goes on)"
    return "the server cannot be reached"


# -- archives


def _kind(name: str) -> str | None:
    if name.lower().endswith(".zip"):
        return "zip"
    return "tar" if name.lower().endswith((".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")) else None


def _read_through(path: Path, kind: str) -> None:
    """Read an archive to its end, its checksums verified."""
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            if damaged is not None:
                raise zipfile.BadZipFile(f"{damaged} is damaged")
    else:
        with tarfile.open(path) as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isfile() else None
                while content is not None and content.read(2**20):
                    pass


def unpack(path: Path, root: Path) -> int:
    """Unpack an archive into the data root; files of the same names are replaced.

    Parameters
    ----------
    path
        A zip or tar file; of any other file nothing is done.
    root
        Data root.

    Returns
    -------
    The number of files unpacked.

    Raises
    ------
    HsbenchError
        If a path in it leads out of the data root or it holds a link, in which case nothing is unpacked; if it is
        damaged; if the data root cannot be written; or if another process fetches or unpacks the file.
    """
    kind = _kind(path.name)
    if kind is None:
        return 0
    with alone(path):
        return _unpack(path, kind, root)


def _unpack(path: Path, kind: str, root: Path) -> int:
    aside = root / f".{path.name}.unpacking"
    try:
        shutil.rmtree(aside, ignore_errors=True)  # of a run that was killed
        aside.mkdir(parents=True)
        _require_inside(path, kind)
        _require_room(path, kind, root)
        if kind == "zip":
            with zipfile.ZipFile(path) as archive:
                archive.extractall(aside)
        else:
            with tarfile.open(path) as tar:
                tar.extractall(aside, filter="data")
        files = [file for file in sorted(aside.rglob("*")) if file.is_file()]
        for file in files:
            place = root / file.relative_to(aside)
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
    except OSError as error:
        raise HsbenchError(f"{path} cannot be unpacked to {root}: {reason_of_system(error)}") from error
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise HsbenchError(f"{path} is damaged; fetch it again") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return len(files)


def _require_room(path: Path, kind: str, root: Path) -> None:
    """Refuse an archive that would be very much larger when it is unpacked, or than what is free."""
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    else:
        with tarfile.open(path) as tar:
            size = sum(member.size for member in tar)
    require_likely(str(path), size, path.stat().st_size)
    require_disk(str(path), size, root)


def _require_inside(path: Path, kind: str) -> None:
    """Refuse an archive with a link, or with a path that leads out of the folder it is unpacked to."""
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            entries = [(entry.orig_filename, entry.external_attr >> 28 == 0o12) for entry in archive.infolist()]
    else:
        with tarfile.open(path) as tar:
            entries = [(member.name, not (member.isfile() or member.isdir())) for member in tar]
    for name, link in entries:
        if link or _climbs(name):
            raise HsbenchError(
                f"{path} is refused: {name!r} in it is a link, or leads out of the folder it would be unpacked to, "
                "which no copy from its makers does. Nothing was unpacked"
            )


def _climbs(name: str) -> bool:
    """Whether a path leads out of the folder it is unpacked to, on any system."""
    windows = PureWindowsPath(name)
    return ".." in windows.parts or bool(windows.drive or windows.root) or PurePosixPath(name).is_absolute()
