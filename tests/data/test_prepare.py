"""Prepared data: where patches lie, what the files hold, and that nothing half-done looks whole."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from hsfusion_bench.cli import main
from hsfusion_bench.data.mapped import map_array, prepare_mapped, read_index
from hsfusion_bench.data.observing.protocols import Split, load_protocol
from hsfusion_bench.data.observing.responses import WAVELENGTHS
from hsfusion_bench.data.prepare import Preparation, file_name, prepare_test, prepare_train
from hsfusion_bench.data.scenes import SceneSource
from hsfusion_bench.data.sources.cave import CaveSource
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.data.task import Task
from hsfusion_bench.data.windows import grid, starts
from hsfusion_bench.errors import HsbenchError, UsageError

Array = NDArray[np.float64]
UESTC = load_protocol("uestc")
SIDE = 48
# response A, red and blue, from the facts of the field: MHF-net's table
RED = "2 1 1 1 1 1 0 0 0 0 0 0 0 0 0 0 2 6 11 17 21 22 21 20 20 19 19 18 18 17 17"
BLUE = "7 10 15 19 25 29 30 29 27 22 16 9 2 0 0 0 0 0 0 0 1 1 1 1 1 1 1 1 1 1 1"


class Noise(SceneSource):
    """Random scenes, three to train and two to test."""

    name = "noise"
    title = "Noise"
    wavelengths = WAVELENGTHS
    split = Split("noise-3-2", ("a", "b", "c"), ("d", "e"))
    sizes: Mapping[str, tuple[int, int]] = {}
    absent: tuple[str, ...] = ()

    def scene_names(self) -> tuple[str, ...]:
        return tuple("abcde")

    def missing(self) -> tuple[str, ...]:
        return self.absent

    def read(self, name: str) -> NDArray[np.float32]:
        size = self.sizes.get(name, (SIDE, SIDE))
        return np.random.default_rng(ord(name)).random((31, *size), np.float32)


def preparation(source: SceneSource | None = None, **changes: int | bool) -> Preparation:
    numbers = {"patch": 16, "stride": 9} | changes
    scale = int(numbers.pop("scale", 4))
    return Preparation(Task.over(source or Noise(), UESTC, scale), **numbers)  # type: ignore[arg-type]


# -- where patches lie


@pytest.mark.parametrize("scale", [4, 8])
def test_the_published_number_of_patches(scale: int) -> None:
    assert UESTC.stride is not None
    places = grid(512, 512, UESTC.patch, UESTC.stride, scale)
    assert len(UESTC.splits["cave"].train) * len(places) == 3920
    assert all(row % scale == column % scale == 0 for row, column in places)
    assert len(set(places)) == 14 * 14
    assert (places[0], places[-1]) == ((0, 0), (448, 448))


def test_no_single_stride_would_give_fourteen_patches_aligned_at_x4() -> None:
    giving = [stride for stride in range(1, 449) if (512 - 64) // stride + 1 == 14]
    assert giving == [33, 34]


def test_a_stride_that_fits_is_kept() -> None:
    assert starts(512, 128, 64, 8) == (0, 64, 128, 192, 256, 320, 384)
    assert starts(20, 16, 16, 4) == (0,)
    assert starts(16, 16, 1000, 4) == (0,)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((64, 30, 8, 4), "patch of 30 pixels is not a multiple of the scale 4; take 28"),
        ((64, 3, 8, 4), "not a multiple of the scale 4; take 4"),
        ((64, 68, 8, 4), "larger than a scene of 64; take at most 64"),
        ((64, 32, 3, 4), "stride of 3 pixels is less than one LR pixel"),
    ],
)
def test_windows_that_cannot_be_are_explained(numbers: tuple[int, int, int, int], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        starts(*numbers)


# -- what the files hold


def observe(scene: NDArray[np.float32]) -> Array:
    """Blur and sample by matrices: 3x3 Gaussian of sigma 0.5, every 4th pixel from the third one."""
    weights = np.exp(-np.array([1, 0, 1]) / (2 * 0.5**2))
    weights /= weights.sum()
    count = scene.shape[1]
    rows = np.zeros((count // 4, count))
    for k in range(count // 4):
        rows[k, 4 * k + 1 : 4 * k + 4] = weights
    return rows @ scene @ rows.T


def enlarge(samples: Array, scale: int) -> Array:
    """Enlarge the last axis by Keys' cubic, pixel by pixel, the image mirrored at its border."""
    *_, count = samples.shape
    enlarged = np.zeros((*samples.shape[:-1], count * scale))
    for place in range(count * scale):
        centre = (place + 0.5) / scale - 0.5
        for tap in range(int(np.floor(centre)) - 1, int(np.floor(centre)) + 3):
            x = abs(centre - tap)
            weight = 1.5 * x**3 - 2.5 * x**2 + 1 if x <= 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
            mirrored = -1 - tap if tap < 0 else 2 * count - 1 - tap if tap >= count else tap
            enlarged[..., place] += weight * samples[..., mirrored]
    return enlarged


def test_patches_are_cut_from_observed_scenes(tmp_path: Path) -> None:
    paths = prepare_train(preparation(), tmp_path)
    assert [path.name for path in paths] == ["train_noise(with_up)x4.h5", "validation_noise(with_up)x4.h5"]
    seen = []
    low = {name: observe(Noise().read(name)) for name in "abc"}
    enlarged = {name: enlarge(enlarge(cube, 4).swapaxes(1, 2), 4).swapaxes(1, 2) for name, cube in low.items()}
    for path in paths:
        with h5py.File(path) as file:
            assert {file[key].dtype for key in ("GT", "HSI_up", "LRHSI", "RGB")} == {np.dtype(np.float32)}
            for sample, (number, row, column) in enumerate(file["patches"][()]):
                name = file.attrs["scenes"][number]
                seen.append((name, row, column))
                high = np.s_[:, row : row + 16, column : column + 16]
                coarse = np.s_[:, row // 4 : row // 4 + 4, column // 4 : column // 4 + 4]
                scene = Noise().read(name)
                np.testing.assert_array_equal(file["GT"][sample], scene[high])
                np.testing.assert_allclose(file["LRHSI"][sample], low[name][coarse], atol=1e-6)
                np.testing.assert_allclose(file["HSI_up"][sample], enlarged[name][high], atol=1e-6)
                for channel, table in ((0, RED), (2, BLUE)):
                    weights = np.array(table.split(), float)
                    expected = np.tensordot(weights / weights.sum(), scene[high], 1)
                    np.testing.assert_allclose(file["RGB"][sample, channel], expected, atol=1e-6)
    # 48 pixels, patches of 16, about 9 apart: starts 0, 8, 20 and 32, in each of three scenes
    assert sorted(seen) == [
        (name, row, column) for name in "abc" for row in (0, 8, 20, 32) for column in (0, 8, 20, 32)
    ]


def test_one_patch_of_five_is_for_validation_by_the_seed(tmp_path: Path) -> None:
    def validation(seed: int) -> list[list[int]]:
        with h5py.File(prepare_train(preparation(seed=seed), tmp_path / str(seed))[1]) as file:
            table: list[list[int]] = file["patches"][()].tolist()
        return table

    first, other = validation(0), validation(1)
    assert len(first) in (9, 10)  # of 48: one of each five, and perhaps one of the last three
    assert first != other
    numbers = [
        16 * scene + 4 * (0, 8, 20, 32).index(row) + (0, 8, 20, 32).index(column) for scene, row, column in first
    ]
    assert [number // 5 for number in numbers] == list(range(len(numbers)))


def test_test_scenes_are_whole_and_in_the_splits_order(tmp_path: Path) -> None:
    (path,) = prepare_test(preparation(), tmp_path)
    assert path.name == "test_noise(with_up)x4.h5"
    with h5py.File(path) as file:
        assert list(file.attrs["scenes"]) == ["d", "e"]
        for sample, name in enumerate("de"):
            np.testing.assert_array_equal(file["GT"][sample], Noise().read(name))
            np.testing.assert_allclose(file["LRHSI"][sample], observe(Noise().read(name)), atol=1e-6)
        assert file["HSI_up"].shape == (2, 31, SIDE, SIDE)
        assert file["RGB"].shape == (2, 3, SIDE, SIDE)


def test_a_file_says_what_it_is_and_nothing_of_the_day(tmp_path: Path) -> None:
    with h5py.File(prepare_train(preparation(seed=3), tmp_path)[0]) as file:
        said = dict(file.attrs)
    assert [said[key] for key in ("schema", "role", "dataset", "split")] == [
        "hsfusion-bench/prepared/1",
        "train",
        "noise",
        "noise-3-2",
    ]
    assert [said[key] for key in ("scale", "phase", "patch", "stride", "seed")] == [4, 2, 16, 9, 3]
    assert [said[key] for key in ("protocol", "protocol_version")] == ["uestc", 1]
    assert said["protocol_digest"] == UESTC.digest(4)
    assert said["split_digest"] == Noise.split.digest
    for name, digest in zip("abc", said["scene_digests"], strict=True):
        assert digest == hashlib.sha256(b"31 48 48" + Noise().read(name).tobytes()).hexdigest()
    assert set(said) == {
        *("schema", "role", "dataset", "scale", "phase", "protocol", "protocol_version", "protocol_digest", "split"),
        *("split_digest", "scenes", "scene_digests", "patch", "stride", "seed", "wavelengths"),
    }
    np.testing.assert_array_equal(said["wavelengths"], Noise().band_centres)


def test_compression_changes_no_value(tmp_path: Path) -> None:
    plain, packed = (prepare_test(preparation(compress=on), tmp_path / str(on))[0] for on in (False, True))
    with h5py.File(plain) as one, h5py.File(packed) as other:
        assert other["GT"].compression == "gzip"
        for key in ("GT", "HSI_up", "LRHSI", "RGB"):
            np.testing.assert_array_equal(one[key][()], other[key][()])


def test_whole_scenes_as_arrays(tmp_path: Path) -> None:
    source = Noise()
    source.sizes = {"b": (SIDE, 64)}
    folder = prepare_mapped(preparation(source), "train", tmp_path)
    assert folder.name == "noise-x4-uestc-train"
    index = read_index(folder)
    assert [(scene.name, scene.height, scene.width) for scene in index.scenes] == [
        *(("a", 48, 48), ("b", 48, 64), ("c", 48, 48))
    ]
    assert (index.problem.bands, index.problem.msi_bands, index.problem.scale, index.problem.phase) == (31, 3, 4, 2.0)
    for scene in index.scenes:
        np.testing.assert_array_equal(map_array(folder, index, scene, "hr_hsi"), source.read(scene.name))
    low = np.load(folder / "a.lr_hsi.npy")
    np.testing.assert_allclose(low, observe(source.read("a")), atol=1e-6)


# -- whole or not at all


def hsbench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def prepare(out: Path, *more: str) -> Result:
    return hsbench("data", "prepare", "demo", "--scale", "4", "--out", out, *more)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def killed(out: Path, form: str, body: str, read: int = 3) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, in which something happens when a scene is read."""
    script = (
        "import os, resource, signal, sys\n"
        "from hsfusion_bench.cli import main\n"
        "from hsfusion_bench.data.sources.demo import DemoSource\n"
        "read, names = DemoSource.read, []\n"
        "def spoilt(self, name):\n"
        "    names.append(name)\n"
        f"    if len(names) == {read}: {body}\n"
        "    return read(self, name)\n"
        "DemoSource.read = spoilt\n"
        "main(sys.argv[1:])\n"
    )
    arguments = ["data", "prepare", "demo", "--scale", "4", "--part", "train", "--form", form, "--out", str(out)]
    return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("form", ["hdf5", "scenes"])
def test_twice_gives_the_same_bytes_and_a_kill_changes_nothing(tmp_path: Path, form: str) -> None:
    whole = tmp_path / "whole"
    assert prepare(whole, "--part", "train", "--form", form).exit_code == 0
    out = tmp_path / "out"
    assert killed(out, form, "os.kill(os.getpid(), signal.SIGKILL)").returncode == -9
    left = [path.name for path in out.rglob("*") if path.is_file()]
    assert left  # the kill did come amid writing
    assert not [name for name in left if name.endswith(".h5") or name == "index.json"]
    if form == "scenes":
        with pytest.raises(HsbenchError, match=r"index\.json cannot be read"):
            read_index(out / "demo-x4-uestc-train")
    assert prepare(out, "--part", "train", "--form", form).exit_code == 0
    assert digests(out) == digests(whole)


def test_preparing_scenes_anew_is_not_whole_while_it_lasts(tmp_path: Path) -> None:
    prepare(tmp_path, "--part", "train", "--form", "scenes")
    killed(tmp_path, "scenes", "os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(HsbenchError, match=r"index\.json cannot be read .*--form scenes"):
        read_index(tmp_path / "demo-x4-uestc-train")


@pytest.mark.parametrize("limit", [0, 1_000, 4_000_000, 9_999_999])
def test_a_full_disk_leaves_nothing(tmp_path: Path, limit: int) -> None:
    # a limit to the size of files makes writing fail as a full disk does, within the HDF5 library
    out = tmp_path / "out"
    done = killed(out, "hdf5", f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))", read=1 + limit % 2)
    assert done.returncode == 1, done.stderr
    assert "_demo(with_up)x4.h5 cannot be written: File too large" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(out.iterdir())


def test_a_full_disk_at_an_array_leaves_no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: object, array: NDArray[np.float32]) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hsfusion_bench.data.mapped.np.save", full)
    done = prepare(tmp_path, "--form", "scenes")
    assert done.exit_code == 1
    assert "apples.hr_hsi.npy cannot be written: No space left on device" in done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("form", ["hdf5", "scenes"])
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, form: str) -> None:
    (tmp_path / "file").write_text("")
    done = prepare(tmp_path / "file" / "out", "--form", form)
    assert done.exit_code == 1
    assert "cannot be written: " in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--scale", "5"), "not at 5"),
        (("--protocol", "nobody"), "no protocol 'nobody'"),
        (("--patch", "30"), "take 28"),
        (("--patch", "132"), "larger than a scene of 128"),
        (("--stride", "2"), "less than one LR pixel"),
        (("--compress", "--form", "scenes"), "compressed arrays cannot be mapped"),
    ],
)
def test_requests_that_make_no_sense(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    done = prepare(tmp_path / "out", *options)
    assert done.exit_code == 2
    assert words in done.stderr
    out = tmp_path / "out"
    assert not out.exists() or not list(out.iterdir())


def test_a_part_of_the_split_does_not_pass_for_the_whole(tmp_path: Path) -> None:
    source = Noise()
    source.absent = ("b", "e")
    with pytest.raises(HsbenchError, match=r"noise lacks 1 of 3 train scenes: b\. `hsbench data check noise`"):
        prepare_train(preparation(source), tmp_path)
    with pytest.raises(HsbenchError, match="lacks 1 of 2 test scenes: e"):
        prepare_mapped(preparation(source), "test", tmp_path)
    source.split = Split("noise-0-2", (), ("d",))
    with pytest.raises(HsbenchError, match="split noise-0-2 of noise has no train scenes"):
        prepare_train(preparation(source), tmp_path)
    assert not list(tmp_path.iterdir())


def test_test_scenes_of_different_sizes_do_not_fit_into_one_dataset(tmp_path: Path) -> None:
    source = Noise()
    source.sizes = {"e": (SIDE, 64)}
    with pytest.raises(HsbenchError, match=r"scene 2 has GT of \[31, 48, 64\].*--form scenes"):
        prepare_test(preparation(source), tmp_path)
    assert not list(tmp_path.iterdir())


def test_too_few_patches_for_validation_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HsbenchError, match="no validation samples"):
        prepare_train(preparation(patch=48), tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    left = f".{file_name('test', 'demo', 4)}.hsbench-0a1b2c3d"
    (tmp_path / f"{left}.part").write_bytes(b"half")
    (tmp_path / f"{left}.lock").touch()  # which nobody holds
    assert prepare(tmp_path, "--part", "test").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == [file_name("test", "demo", 4)]


def test_memory_holds_a_couple_of_scenes(tmp_path: Path) -> None:
    """The peak for many scenes is that for few: they stream."""
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from hsfusion_bench.data.sources.demo import DemoSource\n"
        "from hsfusion_bench.data.prepare import Preparation, prepare_train\n"
        "from hsfusion_bench.data.observing.protocols import Split, load_protocol\n"
        "from hsfusion_bench.data.task import Task\n"
        "class Many(DemoSource):\n"
        "    names = tuple(f's{n}' for n in range(int(sys.argv[1])))\n"
        "    split = Split('many', names, ())\n"
        "    def read(self, name): return super().read('apples')\n"
        "prepare_train(Preparation(Task.over(Many(), load_protocol('uestc'), 4, 'train'), 64, 34), Path(sys.argv[2]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )

    def peak(scenes: int) -> int:
        out = tmp_path / str(scenes)
        done = subprocess.run(
            [sys.executable, "-c", script, str(scenes), str(out)],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        return int(done.stdout)

    # 10 more scenes would be 40 MB of references and enlargements
    assert peak(12) - peak(2) < 15_000


def test_demo_is_what_the_split_says(tmp_path: Path) -> None:
    assert prepare(tmp_path, "--part", "all").exit_code == 0
    counts = {}
    for path in tmp_path.iterdir():
        with h5py.File(path) as file:
            counts[str(file.attrs["role"])] = len(file["GT"])
    assert counts["train"] + counts["validation"] == 4 * len(DemoSource.split.train)
    assert counts["test"] == len(DemoSource.split.test)


# -- real scenes


@pytest.mark.data
@pytest.mark.slow
def test_the_enlargement_of_real_scenes_has_the_published_psnr(tmp_path: Path, cave_root: Path) -> None:
    source = CaveSource(cave_root)
    if set(UESTC.splits["cave"].test) & set(source.missing()):
        pytest.skip("not all 11 test scenes of CAVE are here")
    (path,) = prepare_test(Preparation(Task.over(source, UESTC, 4), 64, 34), tmp_path)
    with h5py.File(path) as file:
        errors = [
            ((file["GT"][scene].astype(float) - file["HSI_up"][scene]) ** 2).mean(axis=(1, 2)) for scene in range(11)
        ]
    values = [(-10 * np.log10(bands)).mean() for bands in errors]
    # the Bicubic row of FeINFN's table
    assert round(float(np.mean(values)), 2) == 34.33
    assert round(float(np.std(values, ddof=1)), 2) == 3.88
