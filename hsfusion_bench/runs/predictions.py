"""Fused cubes that were made elsewhere: which file is of which scene, and how the axes of its cubes lie.

What follows from names and shapes is found out; what does not is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.data.task import ScenePlan
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.formats.arrays import SUFFIXES, StoredArray
from hsfusion_bench.formats.finding import assignments, told
from hsfusion_bench.formats.matfile import Index
from hsfusion_bench.formats.values import divisor, stated_full_scale

FloatArray = NDArray[np.float64]

_NUMBERED = re.compile(r"output_mulExm_(\d+)")
#: How much of a file is read at once: cubes may interleave in it, so that one at a time reads it again and again.
_READ_BYTES = 2**28


@dataclass(frozen=True)
class PredictionFile:
    """A file, and the scenes whose cubes it holds, in their order there."""

    path: Path
    scenes: tuple[str, ...]


def find_predictions(path: Path, plan: ScenePlan, names: Sequence[str]) -> list[PredictionFile]:
    """Say which file holds the cube of which scene.

    Parameters
    ----------
    path
        One file with the cubes of all planned scenes, or a folder of one file a scene. Files of a folder are
        matched by the scene's name, alone or within the file's name (``balloons.mat``, ``ours_balloons_x4.mat``);
        if none matches, by the numbers in ``output_mulExm_<k>.mat``, from 0: places in the split or, where there
        are just as many files as planned scenes, among these.
    plan
        Which scenes are scored, in the split's order.
    names
        All scenes of the data set; a file belongs to the longest of them that its name contains.

    Raises
    ------
    HsbenchError
        If there is no such file or folder, a scene has no file, or has several.
    """
    if path.is_file():
        return [PredictionFile(path, plan.present)]
    if not path.is_dir():
        raise HsbenchError(f"{path}: there is no such file or folder")
    files = sorted(file for file in path.iterdir() if _is_candidate(file))
    if not files:
        raise HsbenchError(f"{path} holds no file that can be read as a cube ({', '.join(SUFFIXES)})")
    matched = _by_name(files, names) or _by_number(files, plan)
    if not matched:
        raise HsbenchError(
            f"{path}: no file is named after a scene ({_some(plan.present)}) or output_mulExm_<k>; there are "
            f"{_some([file.name for file in files])}. A single file of all scenes is given itself: {files[0]}"
        )
    missing = [name for name in plan.present if name not in matched]
    if missing:
        there = [name for name in plan.present if name in matched]
        hint = f". To score those that are there: --scenes {','.join(there)}" if there else ""
        raise HsbenchError(
            f"{path} has no file for {len(missing)} of {len(plan.present)} scenes: {_some(missing)}{hint}"
        )
    for name in plan.present:
        if len(matched[name]) > 1:
            several = ", ".join(file.name for file in matched[name])
            raise HsbenchError(f"{path} has several files for scene {name}: {several}; leave one of them there")
    return [PredictionFile(matched[name][0], (name,)) for name in plan.present]


def _is_candidate(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()


def _by_name(files: Sequence[Path], names: Sequence[str]) -> dict[str, list[Path]]:
    """Return the files of each scene, those of exactly its name before others."""
    matched: dict[str, list[Path]] = {}
    exact: dict[str, list[Path]] = {}
    for file in files:
        stem = _plain(file.stem)
        # among the scenes "face" and "photo_and_face", a file photo_and_face_sr is of the second
        within = [name for name in names if f"_{_plain(name)}_" in f"_{stem}_"]
        if within:
            name = max(within, key=len)
            (exact if stem == _plain(name) else matched).setdefault(name, []).append(file)
    return matched | exact


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def _by_number(files: Sequence[Path], plan: ScenePlan) -> dict[str, list[Path]]:
    numbered: dict[int, list[Path]] = {}
    for file in files:
        match = _NUMBERED.fullmatch(file.stem)
        if match:
            numbered.setdefault(int(match[1]), []).append(file)
    split = plan.split.scenes(plan.part)
    order = plan.present if len(numbered) == len(plan.present) else split
    if numbered and len(numbered) != len(order):
        subset = "" if plan.complete else f" (of which {len(plan.present)} are scored)"
        raise HsbenchError(
            f"{files[0].parent} has {len(numbered)} files output_mulExm_<k>, but the split has {len(order)} scenes"
            f"{subset}, so which is which cannot be told. From 0, in the split's order, they are {_some(order)}"
        )
    unknown = sorted(set(numbered) - set(range(len(order))))
    if unknown:
        first = numbered[unknown[0]][0]
        raise HsbenchError(f"{first}: the files are numbered from 0 to {len(order) - 1}, in the split's order")
    return {order[number]: some for number, some in numbered.items()}


class Cubes:
    """The cubes of a file, each as [bands, H, W] in float64 and divided by the full scale.

    Parameters
    ----------
    array
        The array in the file.
    scenes
        Whose cubes it holds, in order.
    image
        (bands, H, W) of a cube.
    layout
        Order of its axes, such as "HWC" or "BCHW"; None: as the shape tells.
    const
        Full scale of the values; None: what the file states, else `otherwise`.
    otherwise
        See `const`.

    Attributes
    ----------
    const
        What the values are divided by.
    axes
        What each axis is: B, C, H, W, or 1 for one of a single place.

    Raises
    ------
    HsbenchError
        If the shape does not fit, or fits in several ways.
    """

    def __init__(
        self,
        array: StoredArray,
        scenes: Sequence[str],
        image: tuple[int, ...],
        layout: str | None,
        const: float | None,
        otherwise: float = 1.0,
    ) -> None:
        self.array = array
        if const is not None:
            self.const = divisor(array.stated, const, str(array), "--const")
        elif array.stated.full_scale is not None:
            self.const = stated_full_scale(array.stated, str(array))
        else:
            self.const = otherwise
        self.axes = _axes(array, scenes, image, layout)
        self._at_once = max(1, _READ_BYTES // (8 * int(np.prod(image))))
        self._start = 0
        self._block: FloatArray | NDArray[Any] | None = None

    def __getitem__(self, number: int) -> FloatArray:
        """Return a cube; cheap for the one after that of the last call."""
        if self._block is None or not self._start <= number < self._start + len(self._block):
            self._start = number
            self._block = self._read(slice(number, number + self._at_once))
        return np.ascontiguousarray(self._block[number - self._start], dtype=np.float64) / self.const

    def _read(self, some: slice) -> NDArray[Any]:
        """Read some cubes as [B, C, H, W], in the type of the file."""
        index: Index = tuple(some if axis == "B" else 0 if axis == "1" else slice(None) for axis in self.axes)
        part = self.array.read(index, self.axes)
        axes = self.axes.replace("1", "")
        if "B" not in axes:
            part, axes = part[None], "B" + axes
        return part.transpose([axes.index(axis) for axis in "BCHW"])


def _axes(array: StoredArray, scenes: Sequence[str], image: tuple[int, ...], layout: str | None) -> str:
    """Name the axes of an array."""
    shape, sizes = array.shape, dict[str, int | None](zip("CHW", image, strict=True))
    if len(scenes) > 1:
        sizes = {"B": len(scenes), **sizes}
    # what the file states itself is never guessed
    fitting = [axes for axes in assignments(shape, sizes) if array.axes in ("", axes)]
    if array.axes and layout is None:
        found = fitting
    elif layout is not None:
        found = [axes for axes in fitting if layout in (axes.replace("1", ""), axes.replace("1", "B"))]
    else:
        # of a square image the shape says nothing: rows before columns, and the values are looked at later
        found = [axes for axes in fitting if sizes["H"] != sizes["W"] or axes.index("H") < axes.index("W")]
    if len(found) == 1:
        return found[0]
    scene = f"bands {image[0]}, height {image[1]}, width {image[2]}"
    if found:
        ways = ", ".join(axes.replace("1", "B") for axes in found)
        raise UsageError(
            f"{array} has the shape {told(shape)}, which may be {ways} ({scene}): say which by --layout {found[0]}"
        )
    for count in _counts(shape, image):
        if count != len(scenes):
            raise HsbenchError(
                f"{array} holds {count} cube{'s' * (count > 1)}, but the scenes to score are {len(scenes)}: "
                f"{_some(scenes)}. Say by --scenes which of them it holds, in the split's order"
            )
    asked = f" of axes {layout}" if layout else ""
    if array.axes:
        asked += f" (the file states {array.axes})"
    raise HsbenchError(f"{array} has the shape {told(shape)}, which is not a cube{asked} of its scene ({scene})")


def _counts(shape: Sequence[int], image: tuple[int, ...]) -> Iterator[int]:
    """Give the numbers of cubes of a size that an array may hold."""
    sizes = dict[str, int | None](zip("CHW", image, strict=True))
    for count in dict.fromkeys([1, *shape]):
        if any(assignments(shape, sizes if count == 1 else {"B": count, **sizes})):
            yield count


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
