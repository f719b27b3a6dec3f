"""Whether the scenes of a data set are here, and whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hsfusion_bench.data.scenes import SceneSource, check_scene, scene_digest
from hsfusion_bench.errors import DamagedError, DifferentDataError, HsbenchError

Condition = Literal["ok", "here", "missing", "damaged", "unusable", "differs"]
#: Of a scene that can be scored, or may be.
GOOD: tuple[Condition, ...] = ("ok", "here")


@dataclass(frozen=True)
class SceneCheck:
    """What was found of a scene.

    Parameters
    ----------
    name
        The scene.
    condition
        "ok"; "here" if it was not decoded; "missing"; "damaged" if it cannot be read, or is cut short; "unusable" if it
        can, but not be scored as it is, such as values out of [0, 1]; or "differs" if it is not the scene of its name.
    files, size
        Number of its files by suffix, and their bytes altogether; empty and 0 for a data set that does not tell
        its files.
    shape
        [bands, H, W]; None unless "ok".
    digest
        `scene_digest` of the values; None unless "ok".
    error
        What is wrong with it, and what to do.
    """

    name: str
    condition: Condition
    files: dict[str, int]
    size: int = 0
    shape: tuple[int, ...] | None = None
    digest: str | None = None
    error: str | None = None


def check_scenes(source: SceneSource, *, decode: bool = True) -> Iterator[SceneCheck]:
    """Look at every scene of a data set in turn.

    Parameters
    ----------
    source
        The data set.
    decode
        Whether each scene is read, its values checked and its digest computed; else only its files are looked at.
    """
    missing = set(source.missing())
    for name in source.scene_names():
        yield SceneCheck(name, "missing", {}) if name in missing else _check(source, name, decode)


def _check(source: SceneSource, name: str, decode: bool) -> SceneCheck:
    kinds: dict[str, int] = {}
    size = 0
    try:
        files = source.files(name)
        kinds = dict(Counter(path.suffix.lower() for path in files))
        size = sum(path.stat().st_size for path in files)
        if not decode:
            return SceneCheck(name, "here", kinds, size)
        cube = source.read(name)
        check_scene(name, cube, source.bands)
    except HsbenchError as error:
        return SceneCheck(name, _condition(error), kinds, size, error=str(error))
    except Exception as error:  # a stranger's reader may raise anything, and the other scenes are to be checked
        said = f"scene {name}: its reader fails ({type(error).__name__}: {error})"
        return SceneCheck(name, "damaged", kinds, size, error=said)
    return SceneCheck(name, "ok", kinds, size, cube.shape, scene_digest(cube))


def _condition(error: HsbenchError) -> Condition:
    if isinstance(error, DifferentDataError):
        return "differs"
    return "damaged" if isinstance(error, DamagedError) else "unusable"
