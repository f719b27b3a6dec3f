"""Scenes, and the sources they stream from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from hsfusion_bench.data.observing.protocols import Split
from hsfusion_bench.data.provenance import Provenance
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods import Observation

Cube: TypeAlias = npt.NDArray[np.float32]
Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scene:
    """A scene of a test: the reference, float32 [bands, H, W] in [0, 1], and what a method sees of it.

    `cropped_from` is the size (height, width) that it had in the data set, if the protocol left out a part of it.
    """

    name: str
    hr_hsi: Cube
    observation: Observation
    cropped_from: tuple[int, int] | None = None


class StoredObservation(NamedTuple):
    """The two images of a scene as others made them: float32 [bands, h, w] and [msi_bands, H, W], in [0, 1]."""

    lr_hsi: Cube
    hr_msi: Cube


class SceneSource(ABC):
    """A data set that hands out its scenes one at a time.

    Derive from it to add a data set, and register a callable ``(data_root: Path | None) -> SceneSource``
    under the entry-point group ``hsfusion_bench.datasets``; the class itself will do.

    Attributes
    ----------
    name
        Lower-case name by which the command line calls it.
    title
        Name in tables.
    wavelengths
        Centres of the bands, nanometres; empty where they are unknown, and then `bands` must be overridden.
    wavelengths_guess
        What wavelengths are guessed from that nothing states, such as "its name"; else empty.
    wavelengths_given
        Those that the user stated, as `formats.wavelengths.short` writes them, for records; None if none did.
    split
        The data set's own split, for protocols that bring none for it; None if it has none.
    protocol
        Name of the protocol that suits it; None if it recommends none.
    provenance
        Where its originals come from; None for one that is made by code, or is a user's own.
    bands_used
        Which bands of its files these are, from 1, where some were left out for what the file says or holds of them;
        else empty.
    bands_kept, bands_stored
        Which bands of its files these are, from 1, and how many the files have, where any were left out, also by the
        description; else empty and 0.
    """

    name: str
    title: str
    wavelengths: Sequence[float] = ()
    wavelengths_guess: str = ""
    wavelengths_given: str | None = None
    split: Split | None = None
    protocol: str | None = None
    provenance: Provenance | None = None
    bands_used: tuple[int, ...] = ()
    bands_kept: tuple[int, ...] = ()
    bands_stored: int = 0

    @property
    def bands(self) -> int:
        """Number of bands of every scene."""
        return len(self.wavelengths)

    @property
    def band_centres(self) -> tuple[float, ...]:
        """Wavelength of every band, nanometres; NaN where they are unknown."""
        return tuple(self.wavelengths) or (float("nan"),) * self.bands

    @abstractmethod
    def scene_names(self) -> Sequence[str]:
        """Names of all scenes of the data set, whether their files are here or not."""

    def missing(self) -> Sequence[str]:
        """Names of the scenes whose files are not here."""
        return ()

    def size(self, name: str) -> tuple[int, int] | None:
        """Return height and width of a scene, pixels, if they are known without reading it: to plan by, no more."""
        return None

    def files(self, name: str) -> Sequence[Path]:
        """Return the files that hold a scene, as far as they are here."""
        return ()

    def known_digest(self, name: str) -> str | None:
        """Return the `scene_digest` of the only values that a scene may have, which `read` asks for; None: any may be.

        Of data sets whose altered copies circulate under the same names.
        """
        return None

    @abstractmethod
    def read(self, name: str) -> Cube:
        """Return a scene, float32 [bands, H, W], values in [0, 1].

        Raises
        ------
        HsbenchError
            If its files are not here, or not what they should be.
        """

    def mask(self, name: str) -> Mask | None:
        """Return which pixels of a scene the data set vouches for, bool [H, W]; None if it vouches for all.

        Indexes are of whole images nevertheless, as in the field.
        """
        return None

    def stored_observation(self, name: str) -> StoredObservation | None:
        """Return the observation of a scene that came with it; None if none did.

        Runs do not use it: they observe the scene by a protocol.
        """
        return None


#: Bytes of a scene's name: what is written of it has some more in its own.
_LONGEST: Final = 200
#: What Windows opens as a device, in any folder and with any suffix.
_RESERVED: Final = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))]
)


def require_names(names: Iterable[str], where: str) -> None:
    """Refuse scenes' names that are not names: they come from files of others, and files are called by them.

    Parameters
    ----------
    names
        Of all scenes.
    where
        Of what they are, for the message.

    Raises
    ------
    HsbenchError
        If one is empty, a path, or longer than 200 bytes, holds what is not printed, or is reserved by a system; or if
        two differ in capitals alone.
    """
    known: dict[str, str] = {}
    for name in names:
        told = f"{where} has a scene called {name[:80]!r}"
        if wrong := _wrong_of(name):
            raise HsbenchError(f"{told}, which {wrong}; scenes need names that can be names of files")
        same = known.setdefault(name.casefold(), name)
        if same != name:
            raise HsbenchError(f"{told} and one called {same[:80]!r}: not every system tells such files apart")


def require_names_of(source: SceneSource) -> None:
    """Refuse a data set whose own name, or a scene's, is none; raises as `require_names`."""
    name = source.name
    parts = name.split("/")  # an array's place in a file may have some
    if not name.isprintable() or any(part in ("", ".", "..") for part in parts) or "\\" in name or len(name) > _LONGEST:
        raise HsbenchError(f"a data set is called {name[:80]!r}, which is a path or no name at all")
    require_names(source.scene_names(), f"the data set {name}")


def _wrong_of(name: str) -> str:
    """Say what keeps a text from being the name of a file on any system; nothing where nothing does."""
    if not name.strip():
        return "is empty"
    if "/" in name or "\\" in name or name in (".", ".."):
        return "is a path"
    if not name.isprintable():
        return "holds characters that are not printed"
    if len(name.encode(errors="replace")) > _LONGEST:
        return f"is longer than {_LONGEST} bytes"
    if name.partition(".")[0].strip().casefold() in _RESERVED:
        return "is the name of a device on Windows"
    return "begins or ends with a space, or ends with a dot" if name != name.strip().rstrip(".") else ""


def scene_digest(hr_hsi: Cube) -> str:
    """Return the sha256 of a scene: its shape in decimal, then its float32 values, little-endian."""
    digest = sha256(" ".join(map(str, hr_hsi.shape)).encode())
    digest.update(np.ascontiguousarray(hr_hsi, "<f4").data)
    return digest.hexdigest()


def check_scene(name: str, hr_hsi: Cube, bands: int) -> None:
    """Refuse a scene that no index could be computed of.

    Raises
    ------
    HsbenchError
        If the array is not float32 [bands, H, W], or a value is not a number or outside [0, 1]; the message
        names the scene, the band (from 1) and the value.
    """
    if hr_hsi.ndim != 3 or len(hr_hsi) != bands or hr_hsi.dtype != np.float32:
        raise HsbenchError(
            f"scene {name}: float32 [{bands}, height, width] is needed, but it is {hr_hsi.dtype} {list(hr_hsi.shape)}"
        )
    for number, band in enumerate(hr_hsi, 1):
        wrong = ~((band >= 0) & (band <= 1))  # written so that NaN is wrong, too
        if wrong.any():
            row, column = np.unravel_index(wrong.argmax(), wrong.shape)
            raise HsbenchError(
                f"scene {name}, band {number}: the value {band[row, column]} at row {row}, column {column} "
                f"is not in [0, 1] ({np.count_nonzero(wrong)} such values in this band)"
            )
