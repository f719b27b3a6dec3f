"""The pictures that runs kept, of the methods that a figure shows, beside the reference's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.report.choosing import place_of, row_name
from hsfusion_bench.report.comparable import board_of
from hsfusion_bench.report.contestants import task_title
from hsfusion_bench.report.figures.canvas import plain
from hsfusion_bench.report.figures.choosing import Asked, method_title
from hsfusion_bench.report.sources import Entry
from hsfusion_bench.runs.pictures import REFERENCE, Pictures, ScenePictures, folder_of, load, pictures_of, read_pictures
from hsfusion_bench.suggest import unknown

#: So many methods have room.
MOST = 12


@dataclass(frozen=True)
class Kept:
    """What was kept of a method's scenes; of the reference's, the title is "Reference"."""

    title: str
    folder: Path
    pictures: Pictures

    def rgb(self, scene: str) -> npt.NDArray[np.uint8]:
        """Return the picture of a scene, uint8 [h, w, 3]."""
        return load(self.folder, self.pictures.scenes[scene].rgb)

    def error(self, scene: str) -> npt.NDArray[np.float64]:
        """Return the mean absolute error over the bands, [h, w]; not above the scale that it was kept with."""
        picture = self.pictures.scenes[scene].error
        if picture is None:
            raise HsbenchError(f"{self.folder} keeps no error map of {scene}")
        return load(self.folder, picture, grey=True).astype(np.float64) / 255 * self.pictures.error_scale


@dataclass(frozen=True)
class Album:
    """The reference and methods that have pictures of the same scenes."""

    task: str
    reference: Kept
    methods: tuple[Kept, ...]
    scenes: tuple[str, ...]

    def scene(self, name: str) -> ScenePictures:
        """Return what is kept of the reference of a scene.

        Raises
        ------
        UsageError
            If there is none of that name.
        """
        if name not in self.scenes:
            raise UsageError(unknown("scene with pictures of all methods", name, list(self.scenes)))
        return self.reference.pictures.scenes[name]


def album(asked: Asked) -> Album:
    """Return the pictures of the methods that are asked for.

    Raises
    ------
    UsageError
        If they are of several tasks, or too many.
    HsbenchError
        If none has pictures, or they have no scene in common.
    """
    entries = asked.chosen()
    entries = once([entry for entry in entries if entry.record.pictures is not None], asked) or entries
    boards = list(dict.fromkeys(board_of(entry.record) for entry in entries))
    if len(boards) > 1:
        told = "; ".join(map(task_title, sorted(boards)[:8]))
        raise UsageError(f"records of {len(boards)} tasks: {told}. Choose by --dataset, --scale and --protocol")
    with_some = [entry for entry in entries if entry.record.pictures is not None]
    if not with_some:
        dataset, scale, _ = boards[0]
        names = ",".join(dict.fromkeys(entry.record.method.name for entry in entries[:3]))
        raise HsbenchError(
            f"none of these {len(entries)} records has pictures; `hsbench run --methods {names} --dataset {dataset} "
            f"--scale {scale} --pictures` makes some"
        )
    if len(with_some) > MOST:
        raise UsageError(
            f"{len(with_some)} methods are too many for one figure, which shows {MOST}: name some by --methods"
        )
    store = asked.store(with_some[0])
    reference = folder_of(store, with_some[0].record).parent / REFERENCE
    theirs = read_pictures(reference)
    methods = []
    for entry in with_some:
        found = _of(asked, entry)
        if found is not None:
            methods.append(found)
    if not methods:
        raise HsbenchError("the pictures of these records cannot be read: " + "; ".join(asked.notes))
    scenes = [
        name
        for name, scene in theirs.scenes.items()
        if all(name in each.pictures.scenes and each.pictures.scenes[name].digest == scene.digest for each in methods)
    ]
    if not scenes:
        raise HsbenchError(
            f"{', '.join(each.title for each in methods)} have no scene in common, of the reference that is here: run "
            "them on the same scenes with --pictures"
        )
    titles = [each.title for each in methods]
    named = [each if titles.count(each.title) == 1 else replace(each, title=_with_place(each)) for each in methods]
    return Album(task_title(boards[0]), Kept("Reference", reference, theirs), tuple(named), tuple(scenes))


def _with_place(kept: Kept) -> str:
    """Return a title that tells in which folder of records the pictures lie."""
    return plain(f"{kept.title} [{kept.folder.parent.parent.parent.name}]")


def _of(asked: Asked, entry: Entry) -> Kept | None:
    store = asked.store(entry)
    try:
        pictures = pictures_of(store, entry.record)
    except HsbenchError as error:
        asked.notes.append(f"left out: {entry.record.method.title}: {error}")
        return None
    if pictures is None:
        return None
    return Kept(method_title(entry.record.method), folder_of(store, entry.record), pictures)


def once(entries: Sequence[Entry], asked: Asked) -> list[Entry]:
    """Return one entry for each row's name, that of most scenes, worst first or in the order of the names."""
    first: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda each: -each.record.dataset.scenes):
        first.setdefault(f"{board_of(entry.record)} {row_name(entry.record)} {entry.origin}", entry)
    left_out = len(entries) - len(first)
    if left_out:
        asked.notes.append(f"left out: {left_out} records of fewer scenes, or of other seeds, of the same methods")
    if asked.methods is not None:
        names = asked.names
        return sorted(first.values(), key=lambda each: place_of(each.record, names))
    return sorted(first.values(), key=lambda each: each.record.summary["psnr"].mean if each.record.summary else 0.0)
