"""Prepared data in the layout of the FeINFN family's files.

There is one file for training, validation and test each, ``train_cave(with_up)x4.h5`` and so on, with the
datasets

=======  ====================  =================================================
GT       [N, bands, H, W]      the reference
HSI_up   [N, bands, H, W]      MATLAB's bicubic enlargement of the LR-HSI
LRHSI    [N, bands, h, w]      the LR-HSI
RGB      [N, msi_bands, H, W]  the HR-MSI
patches  [N, 3]                which scene (from 0, see the attribute `scenes`), first row, first column
=======  ====================  =================================================

in float32. Values are in [0, 1], but for the enlargement, whose overshoot at edges is kept as the published Bicubic
row keeps it. Scenes are observed whole and then cut, so that a patch inside a scene knows its neighbourhood, as the
protocol's blur and the enlargement do. The attributes say what was prepared, how, and from which scenes; nothing in a
file depends on the time or on our version, so that the same data give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import h5py
import numpy as np

from hsfusion_bench.data.observing.protocols import Part
from hsfusion_bench.data.scenes import Cube, Scene, scene_digest
from hsfusion_bench.data.task import Task
from hsfusion_bench.data.windows import check_patch, grid
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import replacing
from hsfusion_bench.interrupts import uninterrupted
from hsfusion_bench.methods.resize import upsample_bicubic
from hsfusion_bench.scratch import alone

if TYPE_CHECKING:
    from typing_extensions import Buffer

PREPARED_SCHEMA = "hsfusion-bench/prepared/1"
Role = Literal["train", "validation", "test"]
#: Names of the cubes in the authors' files.
KEYS = ("GT", "HSI_up", "LRHSI", "RGB")
#: Of as many consecutive patches one is for validation: 20 %.
_ONE_IN = 5

Report = Callable[[int, int, str], None]


def no_report(done: int, total: int, name: str) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Preparation:
    """What is prepared, and how.

    Parameters
    ----------
    task
        The data set, and how its scenes are observed.
    patch, stride
        Side of a training patch and distance between patches, HR pixels; see `hsfusion_bench.data.windows.starts`.
    seed
        Of the draw of the validation patches.
    compress
        Whether to compress with gzip, which every reader of HDF5 knows. On CAVE it saves 28 %, and reading takes
        ten times as long.
    partial
        Whether scenes that are not here are left out; else one that is missing is an error.

    Raises
    ------
    UsageError
        If the protocol is not defined at the scale, or the patch is not a multiple of the scale.
    """

    task: Task
    patch: int
    stride: int
    seed: int = 0
    compress: bool = False
    partial: bool = False

    def __post_init__(self) -> None:
        self.task.protocol.first_sample(self.task.scale)
        check_patch(self.patch, self.task.scale)

    def part(self, part: Part) -> Task:
        """Return the task of the scenes of a part.

        Raises
        ------
        HsbenchError
            If one is not here and the preparation is not `partial`: a file of the others would pass for the
            protocol's. Or if there is none.
        """
        chosen, name = self.task.of(part), self.task.source.name
        plan = chosen.plan
        if not plan.asked:
            raise HsbenchError(f"split {plan.split.id} of {name} has no {part} scenes")
        if plan.missing and not (self.partial and plan.present):
            raise HsbenchError(
                f"{name} lacks {len(plan.missing)} of {len(plan.asked)} {part} scenes: "
                f"{', '.join(plan.missing)}. `hsbench data check {name}` says where to get them"
            )
        return chosen


def reported(task: Task, report: Report) -> Iterator[Scene]:
    """Read and observe the scenes of a task one by one, and report on it."""
    for number, name in enumerate(task.names):
        report(number, len(task), name)
        yield task[name]
    report(len(task), len(task), "")


def facts(task: Task, phase: float) -> dict[str, Any]:
    """Return what decides the observations, and which scenes they are of."""
    return {
        "dataset": task.source.name,
        "scale": task.scale,
        "phase": phase,
        "protocol": task.protocol.id,
        "protocol_version": task.protocol.version,
        "protocol_digest": task.protocol_digest,
        "split": task.plan.split.id,
        "split_digest": task.plan.split.digest,
        "scenes": list(task.names),
    }


def _facts(task: Task, phase: float) -> dict[str, Any]:
    """Return the same, and the wavelengths where they are known: files of samples are data sets of their own."""
    known = tuple(task.source.wavelengths)
    return facts(task, phase) | ({"wavelengths": np.array(known, "<f8")} if known else {})


def file_name(role: Role, dataset: str, scale: int) -> str:
    """Return the name that the authors' loaders look for."""
    return f"{role}_{dataset.replace('/', '-')}(with_up)x{scale}.h5"


def prepare_train(job: Preparation, folder: Path, report: Report = no_report) -> list[Path]:
    """Write the training and the validation patches.

    Of every five consecutive patches (scene by scene, row by row) one, drawn at random, is for validation. The
    patches of a scene overlap, so that those of validation are not independent of those of training.

    Parameters
    ----------
    job
        What is prepared.
    folder
        Where; it is made if need be.
    report
        Called before each scene with the number of scenes done, the number of scenes, and the scene's name, and
        once at the end.

    Returns
    -------
    The two files, each written whole or not at all.

    Raises
    ------
    UsageError
        If a scene is smaller than a patch.
    HsbenchError
        If a scene is missing or damaged, or the folder cannot be written.
    """
    task = job.part("train")
    roles: tuple[Role, Role] = ("train", "validation")
    paths = [folder / file_name(role, task.source.name, task.scale) for role in roles]
    digests: list[str] = []
    choice = validation_draws(job.seed)
    with ExitStack() as stack:
        files = [stack.enter_context(_writing(path, job.compress)) for path in paths]
        for number, scene in enumerate(reported(task, report)):
            digests.append(scene_digest(scene.hr_hsi))
            cubes = _cubes(scene)
            _, height, width = scene.hr_hsi.shape
            for row, column in grid(height, width, job.patch, job.stride, task.scale):
                files[next(choice)].add(_cut(cubes, row, column, job), (number, row, column))
        common = _facts(task, scene.observation.phase)
        common |= {"patch": job.patch, "stride": job.stride, "seed": job.seed}
        for file, role in zip(files, roles, strict=True):
            file.finish(common | {"role": role, "scene_digests": digests})
    return paths


def prepare_test(job: Preparation, folder: Path, report: Report = no_report) -> list[Path]:
    """Write the test scenes, whole and in the split's order; as `prepare_train`.

    Raises
    ------
    HsbenchError
        Also if the scenes differ in size, which the authors' layout cannot hold.
    """
    task = job.part("test")
    path = folder / file_name("test", task.source.name, task.scale)
    digests: list[str] = []
    with _writing(path, job.compress) as file:
        for number, scene in enumerate(reported(task, report)):
            digests.append(scene_digest(scene.hr_hsi))
            file.add(_cubes(scene), (number, 0, 0))
        file.finish(_facts(task, scene.observation.phase) | {"role": "test", "scene_digests": digests})
    return [path]


def validation_draws(seed: int) -> Iterator[bool]:
    """Say of one patch after the other whether it is for validation."""
    # uniform doubles of PCG64 are a stream that NumPy keeps from version to version
    draws = np.random.Generator(np.random.PCG64(seed))
    while True:
        chosen = int(_ONE_IN * draws.random())
        for place in range(_ONE_IN):
            yield place == chosen


def _cubes(scene: Scene) -> dict[str, Cube]:
    """Return the four cubes of a whole scene."""
    seen = scene.observation
    enlarged = upsample_bicubic(seen.lr_hsi, seen.scale)
    return dict(zip(KEYS, (scene.hr_hsi, enlarged, seen.lr_hsi, seen.hr_msi), strict=True))


def _cut(cubes: dict[str, Cube], row: int, column: int, job: Preparation) -> dict[str, Cube]:
    """Cut the patch that starts at a row and column of the HR image."""
    cut = {}
    for key, cube in cubes.items():
        ratio = job.task.scale if key == "LRHSI" else 1
        top, left, side = row // ratio, column // ratio, job.patch // ratio
        cut[key] = cube[:, top : top + side, left : left + side]
    return cut


class _Writer:
    """An HDF5 file that grows by one sample at a time."""

    def __init__(self, file: h5py.File, sink: _SteadyFile, compress: bool) -> None:
        self._file, self._sink = file, sink
        self._filters = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if compress else {}
        self._places: list[tuple[int, int, int]] = []

    def add(self, cubes: dict[str, Cube], place: tuple[int, int, int]) -> None:
        """Append a sample, and its scene, row and column."""
        with uninterrupted():
            self._add(cubes, place)

    def _add(self, cubes: dict[str, Cube], place: tuple[int, int, int]) -> None:
        count = len(self._places)
        for key, cube in cubes.items():
            if key not in self._file:
                # a sample is a chunk, so that one is read without its neighbours
                self._file.create_dataset(
                    *(key, (0, *cube.shape), "<f4"),
                    maxshape=(None, *cube.shape),
                    chunks=(1, *cube.shape),
                    track_times=False,
                    **self._filters,
                )
            stored = self._file[key]
            if stored.shape[1:] != cube.shape:
                raise HsbenchError(
                    f"scene {place[0] + 1} has {key} of {list(cube.shape)}, where those before it have "
                    f"{list(stored.shape[1:])}: scenes of different sizes do not fit into one HDF5 dataset; "
                    "--form scenes takes them"
                )
            stored.resize(count + 1, axis=0)
            stored[count] = cube
        self._sink.check()
        self._places.append(place)

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Write the table of samples, and what the file is, as attributes."""
        if not self._places:
            raise HsbenchError(f"there are no {facts['role']} samples: too few patches; take a smaller stride")
        with uninterrupted():
            self._file.create_dataset("patches", data=np.array(self._places, "<i4"), track_times=False)
            self._file.attrs["schema"] = PREPARED_SCHEMA
            for name, fact in facts.items():
                self._file.attrs[name] = np.array(fact, h5py.string_dtype()) if isinstance(fact, list) else fact


class _SteadyFile(io.FileIO):
    """A file that remembers a failure to write, and tells it when asked.

    The HDF5 library crashes the process when it cannot write, on closing a file, what it has held back.
    """

    _failure: OSError | None = None

    def write(self, content: Buffer) -> int:
        rest = memoryview(content).cast("B")
        size = len(rest)
        try:
            while rest:
                rest = rest[super().write(rest) :]
        except OSError as error:
            self._failure = self._failure or error
        return size

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self._failure = self._failure or error
            return size or 0

    def check(self) -> None:
        """Raise the first failure, if there was one."""
        if self._failure is not None:
            raise self._failure


@contextmanager
def _writing(path: Path, compress: bool) -> Iterator[_Writer]:
    """Give a writer of a file that gets its name only when it is whole."""
    with alone(path), replacing(path) as temporary, _SteadyFile(temporary, "w+") as sink:
        file: h5py.File | None = None
        try:
            with uninterrupted():  # no exception leads out of what the HDF5 library calls
                file = h5py.File(sink, "w", libver=("earliest", "v110"))
            yield _Writer(file, sink, compress)
        finally:
            if file is not None:
                with uninterrupted():
                    file.close()
        sink.check()
