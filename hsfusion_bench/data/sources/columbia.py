"""Whether a scene of the CAVE database is Columbia's, and what became of it where it is not.

Copies circulate that were normalised, resized, turned or saved with fewer bits, under the scenes' own names. Their
scores are other numbers, so that only Columbia's own values are the data set `cave`. ``cave.csv`` holds the SHA-256 of
the values of each scene (`hsfusion_bench.data.scenes.scene_digest`) and their maximum in 65535ths, computed from the
files that Columbia offers. Of `watercolors` these have 8 bits only; should Columbia have handed it out with 16 once,
we have never seen it, and such a copy is refused.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from hsfusion_bench.data.scenes import Cube, scene_digest
from hsfusion_bench.errors import DifferentDataError

#: Height and width of every scene.
SIZE = (512, 512)
FULL_SCALE = 65535
_TABLE = Path(__file__).with_name("cave.csv")
#: What rounding to single precision leaves of a whole number, at the most.
_ROUNDING = 0.02
#: What was done to an image whose axes were exchanged first, if they were, and rows and columns reversed then.
_TURNS: Mapping[tuple[bool, bool, bool], str] = {
    (False, False, False): "",
    (True, False, False): "its rows and columns are exchanged",
    (False, True, False): "it is upside down",
    (False, False, True): "it is mirrored, left to right",
    (False, True, True): "it is turned by 180 degrees",
    (True, True, False): "it is turned by 90 degrees anticlockwise",
    (True, False, True): "it is turned by 90 degrees clockwise",
    (True, True, True): "it is mirrored along its second diagonal",
}


@dataclass(frozen=True)
class Original:
    """A scene as Columbia hands it out: the digest of its values, and their maximum in 65535ths."""

    digest: str
    maximum: int


@cache
def originals() -> Mapping[str, Original]:
    """Return Columbia's scenes by name."""
    with _TABLE.open(encoding="ascii", newline="") as file:
        return {row["scene"]: Original(row["sha256"], int(row["maximum"])) for row in csv.DictReader(file)}


def require_original(name: str, cube: Cube, where: str) -> None:
    """Refuse a scene that is not Columbia's.

    Parameters
    ----------
    name
        The scene.
    cube
        Its values, float32 [31, H, W].
    where
        Where it is, for the message.

    Raises
    ------
    DifferentDataError
        If a value is another; the message says what was done to it, as far as that can be found out.
    """
    if scene_digest(cube) != originals()[name].digest:
        raise different(name, where, _difference(name, cube))


def different(name: str, where: str, difference: str) -> DifferentDataError:
    """Return the error of a scene that is not Columbia's, which says how it differs and what to do."""
    return DifferentDataError(
        f"{where}: this is not Columbia's {name}: {difference}. It is not taken for a scene of cave: score it as a "
        "data set of its own (`--dataset mat:FILE`, or a TOML file that describes it), or get Columbia's by "
        "`hsbench data download cave`"
    )


def _difference(name: str, cube: Cube) -> str:
    """Say how a cube differs from the scene that it is named after."""
    _, height, width = cube.shape
    if (height, width) != SIZE:
        return f"it has {height} x {width} pixels, where Columbia's has {SIZE[0]} x {SIZE[1]}"
    digests = {original.digest: scene for scene, original in originals().items()}
    ours, high = originals()[name].maximum / FULL_SCALE, float(cube.max())
    for done, counts in _rescaled(name, cube):
        for turned, way in _turned(counts):
            found = digests.get(scene_digest(np.divide(way, FULL_SCALE, dtype=np.float64).astype(np.float32)))
            if found is not None:
                said = [f"it is the scene {found}"] * (found != name) + [each for each in (turned, done) if each]
                return " and ".join(said) or "its values are rounded in another way"
    if high == 1:
        each = ", as where every band is divided by its own" if (cube.max(axis=(1, 2)) == 1).all() else ""
        return f"its maximum is exactly 1, where Columbia's is {ours:.4f}{each}"
    if np.array_equal(np.rint(cube * np.float32(255)) / np.float32(255), cube):
        return "its values have 8 bits, where Columbia's have 16"
    return f"its values are others; the greatest is {high:.4f}, where Columbia's is {ours:.4f}"


def _rescaled(name: str, cube: Cube) -> Iterator[tuple[str, Cube]]:
    """Give what people divide by, in words, and the whole numbers that the values are then, if they are."""
    maximum = originals()[name].maximum
    divided = (
        f"its values are divided by their maximum: it is exactly 1, where Columbia's is {maximum / FULL_SCALE:.4f}, "
        "and the ratio is the same in all pixels"
    )
    for scale, words in ((FULL_SCALE, ""), (maximum, divided), (65536, "its values are divided by 65536, not 65535")):
        counts = np.rint(scaled := cube * np.float32(scale))
        if np.abs(scaled - counts).max() <= _ROUNDING:
            yield words, counts


def _turned(cube: Cube) -> Iterator[tuple[str, Cube]]:
    """Give the cube as it was before each of the things that may have been done to it, in words."""
    for bands in ("", "its bands are in reverse order"):
        ordered = cube[::-1] if bands else cube
        for (exchanged, rows, columns), words in _TURNS.items():
            way = ordered[:, :: -1 if rows else 1, :: -1 if columns else 1]
            yield " and ".join(filter(None, (words, bands))), way.swapaxes(1, 2) if exchanged else way
