"""Pictures beside records, made small enough to stand in one page; `hsfusion_bench.runs.pictures` reads them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.runs.pictures import Pictures, ScenePictures, load, read_pictures
from hsfusion_bench.runs.records import Record

Pixels: TypeAlias = npt.NDArray[np.uint8]

#: All pictures of a page together, as they stand in it.
MOST_BYTES: Final = 7_000_000
#: Sides of pictures in pixels and qualities of WebP that are tried one after the other until all fit.
_SIZES: Final = ((256, 80), (192, 70), (144, 60), (96, 50))


@dataclass(frozen=True)
class Shown:
    """What is shown of a scene, and what `pictures.json` tells of it; `error` is None for the reference."""

    told: ScenePictures
    rgb: Pixels
    error: Pixels | None


@dataclass(frozen=True)
class Album:
    """The pictures of one folder, by scene."""

    told: Pictures
    scenes: dict[str, Shown]


def album_of(folder: Path, record: Record, digest: str | None, faults: list[str]) -> Album | None:
    """Read those pictures of a folder that are of the references a record was scored on.

    Parameters
    ----------
    folder
        Of a method's pictures, or of the reference's.
    record
        Whose scenes are shown.
    digest
        SHA-256 that `pictures.json` must have; None: any.
    faults
        Gets a line for everything that is not shown.

    Returns
    -------
    Album or None
        None if nothing is left.
    """
    try:
        told = read_pictures(folder, digest)
    except HsbenchError as error:
        faults.append(f"pictures are not shown: {error}")
        return None
    digests = {scene.name: scene.digest for scene in record.scenes}
    scenes = {}
    for name, said in told.scenes.items():
        if digests.get(name) != said.digest:
            if name in digests:
                faults.append(f"{folder}: {name} is not shown, for its reference is another than the record's (digest)")
            continue
        try:
            rgb = load(folder, said.rgb)
            error_map = None if said.error is None else load(folder, said.error, grey=True)
        except HsbenchError as error:
            faults.append(f"a picture is not shown: {error}")
            continue
        scenes[name] = Shown(said, rgb, error_map)
    return Album(told, scenes) if scenes else None


class Embedding:
    """Pictures as data URLs, all in one size: the largest in which they fit into a page together.

    Where not even the smallest does, the last ones are left out.
    """

    def __init__(self, pictures: Iterable[Pixels], most: int = MOST_BYTES) -> None:
        distinct = {id(picture): picture for picture in pictures}
        self._kept = distinct  # so that no id is given to another
        self._urls: dict[int, str] = {}
        for side, quality in _SIZES:
            self._urls, total = {}, 0
            for key, picture in distinct.items():
                url = _webp(picture, side, quality)
                total += len(url)
                if total > most:
                    break
                self._urls[key] = url
            if len(self._urls) == len(distinct):
                break
        self.left_out = len(distinct) - len(self._urls)

    def url(self, picture: Pixels | None) -> str | None:
        """Return a picture, or None if it did not fit."""
        return None if picture is None else self._urls.get(id(picture))


def _webp(picture: Pixels, side: int, quality: int) -> str:
    from PIL import Image

    small: Any = Image.fromarray(picture)
    small.thumbnail((side, side))
    out = io.BytesIO()
    small.save(out, "WEBP", quality=quality)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")
