"""Observed scenes as plain arrays in a folder, to be memory-mapped by training.

A window of such an array is read without reading the rest, no pixel is stored twice, and a flipped window can be
moved to where its samples belong (see `hsfusion_bench.training.mapped.MappedPatches`), which a patch that was cut
beforehand cannot. A folder ``cave-x4-uestc-train`` holds, for each scene, ``beads.hr_hsi.npy``, ``beads.lr_hsi.npy``
and ``beads.hr_msi.npy``, float32 [bands, H, W], and ``index.json``, which is written last: a folder without it is not
whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hsfusion_bench.data.observing.protocols import Part
from hsfusion_bench.data.prepare import Preparation, Report, facts, no_report, reported
from hsfusion_bench.data.scenes import Cube, require_names, scene_digest
from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import replacing, write_text
from hsfusion_bench.methods import Problem
from hsfusion_bench.scratch import alone

MAPPED_SCHEMA: Final = "hsfusion-bench/scenes/1"
Kind = Literal["hr_hsi", "lr_hsi", "hr_msi"]
Positive = Annotated[int, Field(gt=0)]


class MappedScene(BaseModel):
    """A scene of a folder: its name, its size in HR pixels, and the SHA-256 of the reference."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    height: Positive
    width: Positive
    digest: str


class MappedIndex(BaseModel):
    """What ``index.json`` says of a folder of scenes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal["hsfusion-bench/scenes/1"] = Field(MAPPED_SCHEMA, alias="schema")
    dataset: str
    part: Part
    scale: Positive
    phase: float = Field(description="LR pixel k sits at HR index scale*k + phase")
    protocol: str
    protocol_version: int
    protocol_digest: str
    split: str
    split_digest: str
    patch: Positive = Field(description="side of a training patch, HR pixels")
    stride: Positive = Field(description="distance of training patches, HR pixels")
    bands: Positive
    msi_bands: Positive
    scenes: list[MappedScene]

    @property
    def problem(self) -> Problem:
        """The problem that every scene poses."""
        return Problem(self.bands, self.msi_bands, self.scale, self.phase)

    def shape(self, kind: Kind, height: int, width: int) -> tuple[int, int, int]:
        """Return the shape of an array of a scene or patch of a size in HR pixels."""
        if kind == "lr_hsi":
            return self.bands, height // self.scale, width // self.scale
        return self.bands if kind == "hr_hsi" else self.msi_bands, height, width


def prepare_mapped(job: Preparation, part: Part, folder: Path, report: Report = no_report) -> Path:
    """Write the scenes of a part, observed.

    Parameters
    ----------
    job, part
        What is prepared.
    folder
        Where the folder of scenes is made.
    report
        As for `hsfusion_bench.data.prepare.prepare_train`.

    Returns
    -------
    The folder of scenes.

    Raises
    ------
    HsbenchError
        If a scene is missing or damaged, the folder cannot be written, or another process writes it.
    """
    task = job.part(part)
    target = mapped_folder(folder, job, part)
    with alone(target):
        _write(job, part, task, target, report)
    return target


def _write(job: Preparation, part: Part, task: Task, target: Path, report: Report) -> None:
    index_file = target / "index.json"
    try:
        index_file.unlink(missing_ok=True)  # while arrays are exchanged the folder is not whole
    except OSError as error:
        raise HsbenchError(f"{target} cannot be written: {error.strerror}") from error
    scenes = []
    for scene in reported(task, report):
        seen = scene.observation
        arrays: dict[Kind, Cube] = {"hr_hsi": scene.hr_hsi, "lr_hsi": seen.lr_hsi, "hr_msi": seen.hr_msi}
        for kind, cube in arrays.items():
            with replacing(array_path(target, scene.name, kind)) as temporary, temporary.open("wb") as file:
                np.save(file, np.ascontiguousarray(cube, "<f4"))
        _, height, width = seen.shape
        scenes.append(MappedScene(name=scene.name, height=height, width=width, digest=scene_digest(scene.hr_hsi)))
    index = MappedIndex(
        **(facts(task, seen.phase) | {"scenes": scenes}),
        part=part,
        patch=job.patch,
        stride=job.stride,
        bands=task.source.bands,
        msi_bands=len(seen.hr_msi),
    )
    write_text(index_file, index.model_dump_json(by_alias=True, indent=2) + "\n")


def mapped_folder(folder: Path, job: Preparation, part: Part) -> Path:
    """Return where `prepare_mapped` writes."""
    task = job.task
    return folder / f"{task.source.name.replace('/', '-')}-x{task.scale}-{task.protocol.id}-{part}"


def array_path(folder: Path, scene: str, kind: Kind) -> Path:
    """Return the place of an array."""
    return folder / f"{scene}.{kind}.npy"


def read_index(folder: Path) -> MappedIndex:
    """Return what a folder of scenes holds.

    Raises
    ------
    HsbenchError
        If it is not there, is not whole, or is of another program or version.
    """
    file = folder / "index.json"
    try:
        content = file.read_bytes()
    except OSError as error:
        raise HsbenchError(
            f"{file} cannot be read ({error.strerror}): a folder of scenes has one once it is whole; make it by "
            "`hsbench data prepare NAME --form scenes`"
        ) from error
    try:
        index = MappedIndex.model_validate_json(content)
        require_names((scene.name for scene in index.scenes), str(file))
        return index
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise HsbenchError(f"{file} is not an index of prepared scenes: {where}: {first['msg']}") from error


def map_array(folder: Path, index: MappedIndex, scene: MappedScene, kind: Kind) -> Cube:
    """Memory-map an array of a scene, read-only.

    Raises
    ------
    HsbenchError
        If it is not there, is cut short, or has another type or shape than the index says.
    """
    path = array_path(folder, scene.name, kind)
    try:
        cube: Cube = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, SyntaxError, TypeError, OverflowError, EOFError) as error:
        raise HsbenchError(f"{path} cannot be mapped, or is damaged. Prepare the folder anew") from error
    shape = index.shape(kind, scene.height, scene.width)
    if cube.dtype != np.float32 or cube.shape != shape:
        raise HsbenchError(
            f"{path}: float32 {list(shape)} is needed, but it is {cube.dtype} {list(cube.shape)}. "
            "Prepare the folder anew"
        )
    return cube
