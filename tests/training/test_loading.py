"""Patches of memory-mapped scenes and of the authors' files: what they hold, and that workers change nothing."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hsfusion_bench.data.mapped import prepare_mapped
from hsfusion_bench.data.observing.protocols import Split, load_protocol
from hsfusion_bench.data.observing.responses import WAVELENGTHS
from hsfusion_bench.data.prepare import Preparation, prepare_train
from hsfusion_bench.data.scenes import SceneSource
from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods import Batch
from hsfusion_bench.methods.recipes import Turns
from hsfusion_bench.training.loading import Draw, EpochBatches, fetch
from hsfusion_bench.training.mapped import MappedPatches
from support.loading import data_loader
from support.stored import StoredPatches

Array = NDArray[np.float64]
# the red row of camera response A, from MHF-net's table
RED = "2 1 1 1 1 1 0 0 0 0 0 0 0 0 0 0 2 6 11 17 21 22 21 20 20 19 19 18 18 17 17"
SIDES = {"a": (48, 48), "b": (48, 64)}


#: torch advises against two workers on a machine of one core.
few_cores = pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")


class Noise(SceneSource):
    name = "noise"
    title = "Noise"
    wavelengths = WAVELENGTHS
    split = Split("noise-2-0", ("a", "b"), ())

    def scene_names(self) -> tuple[str, ...]:
        return ("a", "b")

    def read(self, name: str) -> NDArray[np.float32]:
        return np.random.default_rng(ord(name)).random((31, *SIDES[name]), np.float32)


def task(scale: int = 4) -> Preparation:
    return Preparation(Task.over(Noise(), load_protocol("uestc"), scale, "train"), 16, 9)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    return {scale: prepare_mapped(task(scale), "train", tmp_path_factory.mktemp(f"x{scale}")) for scale in (4, 8)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return prepare_mapped(task(), "train", tmp_path)


def patches(folder: Path, *, turns: Turns = "all", seed: int = 0, reference: bool = True, **grid: int) -> MappedPatches:
    return MappedPatches(folder, turns=turns, seed=seed, reference=reference, **grid)


def equal(one: Iterable[Batch], other: Iterable[Batch]) -> bool:
    def tensors(batches: Iterable[Batch]) -> list[torch.Tensor]:
        return [
            tensor for batch in batches for tensor in (batch.lr_hsi, batch.hr_msi, batch.hr_hsi) if tensor is not None
        ]

    first, second = tensors(one), tensors(other)
    return len(first) == len(second) and all(map(torch.equal, first, second))


# -- what patches hold


def test_patches_that_are_not_turned_are_the_grid(folder: Path) -> None:
    dataset = patches(folder, turns="none")
    # about 9 apart: 0, 8, 20, 32 along 48, and 0, 8, 16, 28, 36, 48 along 64
    assert len(dataset) == 4 * 4 + 4 * 6
    batch = dataset.__getitems__([Draw(0, 6), Draw(5, 39)])
    assert batch.hr_hsi is not None
    np.testing.assert_array_equal(batch.hr_hsi[0], Noise().read("a")[:, 8:24, 20:36])
    np.testing.assert_array_equal(batch.hr_hsi[1], Noise().read("b")[:, 32:48, 48:64])
    np.testing.assert_array_equal(batch.lr_hsi[0], np.load(folder / "a.lr_hsi.npy")[:, 2:6, 5:9])
    np.testing.assert_array_equal(batch.hr_msi[1], np.load(folder / "b.hr_msi.npy")[:, 32:48, 48:64])
    one = dataset[6]
    assert torch.equal(one.lr_hsi, batch.lr_hsi[:1])


def samples(side: int, start: int, scale: int, count: int) -> Array:
    """Return the matrix that blurs an axis with a 3-tap Gaussian and samples it in a window from `start` on."""
    weights = np.exp(-np.array([1, 0, 1]) / (2 * 0.5**2))
    weights /= weights.sum()
    matrix = np.zeros((count, side))
    for k in range(count):
        centre = start + scale // 2 + scale * k
        matrix[k, centre - 1 : centre + 2] = weights
    return matrix


def turned_scenes() -> list[Array]:
    """Return both scenes in all eight orientations."""
    return [
        (scene.transpose(0, 2, 1) if swap else scene)[:, ::up, ::left]
        for scene in (Noise().read("a"), Noise().read("b"))
        for up, left, swap in product((1, -1), (1, -1), (False, True))
    ]


@pytest.mark.parametrize("scale", [4, 8])
def test_a_turned_patch_is_what_the_cameras_see_of_the_turned_scene(folders: dict[int, Path], scale: int) -> None:
    dataset = patches(folders[scale])
    scenes = turned_scenes()
    red = np.array(RED.split(), float)
    met = set()
    for draw in [Draw(epoch, patch) for epoch in range(5) for patch in range(len(dataset))]:
        batch = dataset[draw]
        assert batch.hr_hsi is not None
        patch = batch.hr_hsi[0].numpy()
        ((number, row, column),) = [
            (number, int(row), int(column))
            for number, scene in enumerate(scenes)
            for row, column in zip(*np.nonzero(scene[0] == patch[0, 0, 0]), strict=True)
            if np.array_equal(scene[:, row : row + 16, column : column + 16], patch)
        ]
        met.add(number)
        scene = scenes[number]
        rows = samples(scene.shape[1], row, scale, 16 // scale)
        columns = samples(scene.shape[2], column, scale, 16 // scale)
        np.testing.assert_allclose(batch.lr_hsi[0], rows @ scene @ columns.T, atol=1e-6)
        np.testing.assert_allclose(batch.hr_msi[0, 0], np.tensordot(red / red.sum(), patch, 1), atol=1e-6)
    assert met == set(range(16))


def test_a_patch_that_fills_an_axis_is_not_reversed_there(folder: Path) -> None:
    dataset = patches(folder, patch=48, stride=16)
    assert len(dataset) == 1 + 2
    wide = turned_scenes()[8:]
    for draw in [Draw(epoch, patch) for epoch in range(12) for patch in range(3)]:
        batch = dataset[draw]
        assert batch.hr_hsi is not None
        assert batch.hr_hsi.shape == (1, 31, 48, 48)
        patch = batch.hr_hsi[0].numpy()
        if draw.patch == 0:
            scene = Noise().read("a")
            assert np.array_equal(patch, scene) or np.array_equal(patch, scene.transpose(0, 2, 1))
        else:
            # the rows fill the axis of 48; the columns were cut from 64 and may be reversed
            assert any(
                np.array_equal(scene[:, :, first : first + 48], patch)
                or np.array_equal(scene[:, :, first : first + 48].transpose(0, 2, 1), patch)
                for scene in (wide[0], wide[2])
                for first in range(17)
            )


def test_without_supervision_the_reference_is_not_even_opened(folder: Path) -> None:
    for file in folder.glob("*.hr_hsi.npy"):
        file.unlink()
    batch = patches(folder, reference=False)[0]
    assert batch.hr_hsi is None
    assert batch.lr_hsi.shape == (1, 31, 4, 4)
    with pytest.raises(HsbenchError, match=r"a\.hr_hsi\.npy cannot be mapped"):
        patches(folder)


# -- who fetches them


def test_an_epoch_has_every_patch_once_and_an_order_of_its_own() -> None:
    epochs = [[draw for batch in EpochBatches(10, 4, epochs=range(e, e + 1), seed=1) for draw in batch] for e in (0, 1)]
    for number, epoch in enumerate(epochs):
        assert sorted(epoch) == [Draw(number, patch) for patch in range(10)]
    assert [draw.patch for draw in epochs[0]] != [draw.patch for draw in epochs[1]]
    both = EpochBatches(10, 4, epochs=range(2), seed=1)
    assert [draw for batch in both for draw in batch] == epochs[0] + epochs[1]
    assert [len(batch) for batch in both] == [4, 4, 2, 4, 4, 2]
    assert len(both) == 6
    assert [draw for batch in EpochBatches(10, 4, epochs=range(2), seed=2) for draw in batch] != epochs[0] + epochs[1]


@few_cores
def test_workers_and_threads_change_nothing(folder: Path) -> None:
    dataset = patches(folder)
    batches = EpochBatches(len(dataset), 8, epochs=range(2), seed=0)
    alone = list(data_loader(dataset, batches))
    assert sum(len(batch.lr_hsi) for batch in alone) == 2 * len(dataset)
    for workers in (1, 2):
        assert equal(data_loader(dataset, batches, workers=workers), alone)
    for threads in (1, 3):
        assert equal(fetch(dataset, batches, threads=threads), alone)
    # the order, the batch and the past of a patch do not matter
    first = dataset[Draw(0, 3)]
    assert equal([dataset[Draw(1, 3)], dataset[Draw(0, 3)]][1:], [first])
    assert equal([patches(folder)[Draw(0, 3)]], [first])


def test_turns_depend_on_seed_and_epoch(folder: Path) -> None:
    draws = [Draw(0, patch) for patch in range(16)]
    first = patches(folder).__getitems__(draws)
    assert not equal([first], [patches(folder, seed=1).__getitems__(draws)])
    assert not equal([first], [patches(folder).__getitems__([Draw(1, draw.patch) for draw in draws])])


def test_what_a_thread_meets_is_raised_and_threads_end(folder: Path) -> None:
    dataset = patches(folder)
    with pytest.raises(IndexError):
        list(fetch(dataset, EpochBatches(len(dataset) + 1, 4, epochs=range(1), seed=0)))
    some = fetch(dataset, EpochBatches(len(dataset), 4, epochs=range(1000), seed=0))
    next(some)
    some.close()


def test_a_pickle_carries_no_scenes(folder: Path) -> None:
    # as happens where processes are not forked
    dataset = patches(folder)
    content = pickle.dumps(dataset)
    assert len(content) < 10_000
    assert equal([pickle.loads(content)[3]], [dataset[3]])


# -- folders that are not what they should be


def rewrite(folder: Path, **changes: object) -> None:
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(index | changes))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "index.json").unlink(), r"index\.json cannot be read .*--form scenes"),
        (lambda folder: (folder / "index.json").write_text("{"), r"not an index of prepared scenes: the file: .*JSON"),
        (lambda folder: rewrite(folder, schema="hsfusion-bench/scenes/2"), "not an index of prepared scenes: schema"),
        (lambda folder: rewrite(folder, scale=0), "scale: Input should be greater than 0"),
        (
            lambda folder: rewrite(folder, bands=30),
            r"float32 \[30, 12, 12\] is needed, but it is float32 \[31, 12, 12\]",
        ),
        (
            lambda folder: (folder / "b.hr_msi.npy").write_bytes((folder / "b.hr_msi.npy").read_bytes()[:-8]),
            r"b\.hr_msi\.npy cannot be mapped",
        ),
        (lambda folder: (folder / "b.hr_msi.npy").write_bytes(b"nothing"), r"b\.hr_msi\.npy cannot be mapped"),
        (lambda folder: np.save(folder / "a.lr_hsi.npy", np.zeros((31, 12, 12))), "but it is float64"),
    ],
)
def test_a_folder_that_is_not_whole_is_explained(folder: Path, spoil: Callable[[Path], object], words: str) -> None:
    spoil(folder)
    with pytest.raises(HsbenchError, match=words):
        patches(folder)


def test_patches_that_do_not_fit_are_explained(folder: Path) -> None:
    with pytest.raises(UsageError, match="take 16"):
        patches(folder, patch=18)
    with pytest.raises(UsageError, match="larger than a scene of 48"):
        patches(folder, patch=52)


# -- the authors' files


@pytest.fixture
def authors(tmp_path: Path) -> Path:
    """A file as the authors' are: four datasets and nothing else."""
    path = tmp_path / "train_cave(with_up)x4.h5"
    random = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file["GT"] = random.random((6, 31, 16, 16), np.float32)
        file["HSI_up"] = random.random((6, 31, 16, 16), np.float32)
        file["LRHSI"] = random.random((6, 31, 4, 4), np.float32)
        file["RGB"] = random.random((6, 3, 16, 16), np.float32)
    return path


@few_cores
def test_authors_samples_come_as_they_lie(authors: Path) -> None:
    dataset = StoredPatches(authors, phase=2, reference=True)
    assert len(dataset) == 6
    assert (dataset.problem.bands, dataset.problem.msi_bands, dataset.problem.scale) == (31, 3, 4)
    batches = EpochBatches(6, 4, epochs=range(2), seed=0)
    alone = list(data_loader(dataset, batches))
    with h5py.File(authors) as file:
        for draws, batch in zip(batches, alone, strict=True):
            numbers = [draw.patch for draw in draws]
            assert batch.hr_hsi is not None
            np.testing.assert_array_equal(batch.hr_hsi, file["GT"][()][numbers])
            np.testing.assert_array_equal(batch.lr_hsi, file["LRHSI"][()][numbers])
            np.testing.assert_array_equal(batch.hr_msi, file["RGB"][()][numbers])
    for workers in (1, 2):
        assert equal(data_loader(dataset, batches, workers=workers), alone)
    assert equal(fetch(dataset, batches), alone)
    assert equal([pickle.loads(pickle.dumps(dataset))[3]], [dataset[3]])


def test_our_own_file_says_its_phase(tmp_path: Path) -> None:
    train, _ = prepare_train(task(), tmp_path)
    dataset = StoredPatches(train, reference=True)
    assert dataset.problem.phase == 2
    assert len(dataset) == 32


def test_a_file_without_references_serves_where_none_is_handed_out(authors: Path) -> None:
    with h5py.File(authors, "a") as file:
        del file["GT"]
    assert StoredPatches(authors, phase=2, reference=False)[0].hr_hsi is None
    with pytest.raises(HsbenchError, match="no dataset GT; it holds HSI_up, LRHSI, RGB"):
        StoredPatches(authors, phase=2, reference=True)


def put(path: Path, key: str, values: NDArray[np.generic]) -> None:
    with h5py.File(path, "a") as file:
        del file[key]
        file[key] = values


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: put(path, "RGB", np.zeros((5, 3, 16, 16))), r"RGB has the shape \[5, 3, 16, 16\], but \[6, 3,"),
        (lambda path: put(path, "RGB", np.zeros((6, 3, 16, 12))), r"but \[6, 3, 16, 16\] goes with LRHSI"),
        (lambda path: put(path, "GT", np.zeros((6, 30, 16, 16))), r"GT has the shape \[6, 30, 16, 16\], but \[6, 31,"),
        (lambda path: put(path, "LRHSI", np.zeros((6, 31, 16))), r"LRHSI must hold .* but is float64 \[6, 31, 16\]"),
        (lambda path: put(path, "GT", np.zeros((6, 31, 16, 16), np.uint16)), "GT must hold .* but is uint16"),
        (lambda path: put(path, "RGB", np.zeros((0, 3, 16, 16))), "RGB must hold"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "cannot be read as HDF5"),
        (lambda path: path.write_bytes(b"nothing of the kind"), "cannot be read as HDF5"),
        (lambda path: path.unlink(), "cannot be read as HDF5"),
    ],
)
def test_a_file_of_another_kind_is_explained(authors: Path, spoil: Callable[[Path], object], words: str) -> None:
    spoil(authors)
    with pytest.raises(HsbenchError, match=words):
        StoredPatches(authors, phase=2, reference=True)


def test_a_file_that_does_not_say_its_phase_needs_one(authors: Path) -> None:
    with pytest.raises(UsageError, match="does not say which pixel was sampled first"):
        StoredPatches(authors, reference=True)


def test_a_damaged_sample_is_told(authors: Path, tmp_path: Path) -> None:
    path = tmp_path / "packed.h5"
    with h5py.File(authors) as file, h5py.File(path, "w") as packed:
        for key in ("GT", "LRHSI", "RGB"):
            packed.create_dataset(key, data=file[key][()], chunks=(1, *file[key].shape[1:]), fletcher32=True)
        place = packed["GT"].id.get_chunk_info(2).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 100] ^= 1
    path.write_bytes(content)
    dataset = StoredPatches(path, phase=2, reference=True)
    assert dataset[1].hr_hsi is not None
    with pytest.raises(HsbenchError, match=r"packed\.h5: GT cannot be read, the file is damaged"):
        dataset[2]
