"""Folders of one result a file, against the goldens of the batched scripts: both call the same functions."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy import io

from hsfusion_bench.cli import main
from support import goldens

LAYOUTS = {"HWCB": (2, 3, 1, 0), "BHWC": (0, 2, 3, 1)}
UNREF = json.loads((goldens.FOLDER / "unref.json").read_text())["cases"]["ikonos"]
AXES = {"HWC": lambda image: image.transpose(1, 2, 0), "CHW": lambda image: image, "1CHW": lambda image: image[None]}


def score(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["score", *map(str, arguments)])


def message(done: Result) -> str:
    assert done.exit_code in (1, 2)
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    """The golden `small_48x40` as the authors keep such a thing."""
    batch = goldens.batch("small_48x40")
    with h5py.File(tmp_path / "test(with_up)x4.h5", "w") as file:
        file["GT"] = batch.gt
    (tmp_path / "outputs").mkdir()
    for number, (image, order) in enumerate(zip(batch.sr, AXES.values(), strict=True)):
        io.savemat(tmp_path / "outputs" / f"output_mulExm_{number}.mat", {"sr": order(image)})
    return tmp_path


@pytest.mark.parametrize("workers", [1, 2])
def test_a_folder_scores_as_the_script_scores_the_batch(golden: Path, workers: int) -> None:
    expected = goldens.batch("small_48x40").summary
    done = score(
        *(golden / "outputs", "--gt", golden / "test(with_up)x4.h5", "--ratio", 4, "--json", "--workers", workers)
    )
    assert (done.exit_code, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert [found[field] for field in ("psnr", "ssim", "sam", "ergas", "scc", "qave", "qn")] == [
        pytest.approx(expected[index], rel=1e-10) for index in ("psnr", "ssim", "sam", "ergas", "scc", "uqi", "q2n")
    ]


def test_references_in_a_mat_file_and_a_key(golden: Path) -> None:
    batch = goldens.batch("small_48x40")
    io.savemat(golden / "gt.mat", {"gt": batch.gt})
    for number, image in enumerate(batch.sr):
        content = {"mine": image, "other": np.zeros_like(image)}
        io.savemat(golden / "outputs" / f"output_mulExm_{number}.mat", content)
    done = score(golden / "outputs", "--gt", golden / "gt.mat", "--key", "mine", "--ratio", 4, "--json")
    assert json.loads(done.stdout)["psnr"] == pytest.approx(batch.summary["psnr"], rel=1e-10)


def test_a_folder_without_a_reference_needs_counts(tmp_path: Path) -> None:
    with np.load(goldens.FOLDER / "unref.npz") as stored:
        sr, lms, pan = (stored[f"ikonos_{name}"] / 2047 for name in ("sr", "lms", "pan"))
    with h5py.File(tmp_path / "inputs.h5", "w") as file:
        file["lms"], file["pan"] = lms, pan
    for number, image in enumerate(sr):
        io.savemat(tmp_path / f"output_mulExm_{number}.mat", {"sr": image})
    options = (tmp_path, "--inputs", tmp_path / "inputs.h5", "--no-reference", "--ratio", 4, "--json")
    done = score(*options)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "sample 1 cannot be scored: D_lambda rounds to whole numbers" in done.stderr
    assert score(*options, "--any-scale").exit_code == 0


def test_a_folder_without_a_reference(tmp_path: Path) -> None:
    with np.load(goldens.FOLDER / "unref.npz") as stored:
        sr, lms, pan = (stored[f"ikonos_{name}"].astype(float) for name in ("sr", "lms", "pan"))
    with h5py.File(tmp_path / "inputs.h5", "w") as file:
        file["lms"], file["pan"] = lms, pan
    for number, image in enumerate(sr):
        io.savemat(tmp_path / f"output_mulExm_{number}.mat", {"sr": AXES["HWC"](image)})
    done = score(
        *(tmp_path, "--inputs", tmp_path / "inputs.h5", "--no-reference", "--sensor", "QB", "--ratio", 4, "--json")
    )
    found = json.loads(done.stdout)
    assert found == {field: pytest.approx(UNREF[field], rel=1e-10) for field in ("d_lambda", "d_s", "qnr_index")}


class TestRefusals:
    def test_a_missing_file(self, golden: Path) -> None:
        (golden / "outputs" / "output_mulExm_1.mat").unlink()
        said = message(score(golden / "outputs", "--gt", golden / "test(with_up)x4.h5", "--ratio", 4))
        assert "lacks 1 of 3 files, one an image of" in said
        assert said.endswith(": output_mulExm_1.mat")

    def test_a_file_too_many(self, golden: Path) -> None:
        io.savemat(golden / "outputs" / "output_mulExm_3.mat", {"sr": np.ones((4, 4, 4))})
        said = message(score(golden / "outputs", "--gt", golden / "test(with_up)x4.h5", "--ratio", 4))
        assert "holds output_mulExm_3.mat, but" in said

    def test_another_number_of_bands(self, golden: Path) -> None:
        io.savemat(golden / "outputs" / "output_mulExm_2.mat", {"sr": np.ones((48, 40, 5))})
        said = message(score(golden / "outputs", "--gt", golden / "test(with_up)x4.h5", "--ratio", 4))
        assert "output_mulExm_2.mat has the shape (48, 40, 5); an image of 31 bands is needed" in said

    def test_another_size(self, golden: Path) -> None:
        io.savemat(golden / "outputs" / "output_mulExm_2.mat", {"sr": np.ones((48, 44, 31))})
        said = message(score(golden / "outputs", "--gt", golden / "test(with_up)x4.h5", "--ratio", 4))
        assert "sample 3 cannot be scored: gt and sr must have one shape" in said

    def test_a_damaged_file(self, golden: Path) -> None:
        path = golden / "outputs" / "output_mulExm_1.mat"
        path.write_bytes(path.read_bytes()[:1000])
        said = message(score(golden / "outputs", "--gt", golden / "test(with_up)x4.h5", "--ratio", 4, "--workers", 2))
        assert "output_mulExm_1.mat cannot be read as a MAT-file, or is damaged" in said

    def test_references_without_the_key(self, golden: Path) -> None:
        with h5py.File(golden / "other.h5", "w") as file:
            file["LRHSI"] = np.ones((3, 4, 4, 4))
        said = message(score(golden / "outputs", "--gt", golden / "other.h5", "--ratio", 4))
        assert "other.h5 has no array 'GT' or 'gt'; it holds LRHSI" in said

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("--ratio", 4), "is a folder: name by --gt the file"),
            (("--ratio", 4, "--no-reference"), "is a folder: name by --inputs the file"),
            (("--ratio", 4, "--inputs", "a.h5"), "--inputs a.h5: it goes with --no-reference"),
            (("--ratio", 4, "--gt", "a.h5", "--no-reference"), "--gt a.h5: --no-reference has none"),
        ],
    )
    def test_options_that_do_not_fit(self, golden: Path, arguments: tuple[object, ...], says: str) -> None:
        assert says in message(score(golden / "outputs", *arguments))

    def test_references_beside_a_file_of_both(self, golden: Path) -> None:
        said = message(score(golden / "test(with_up)x4.h5", "--gt", "a.h5", "--ratio", 4))
        assert "--gt and --key go with a folder of results" in said


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_file_beside_a_folder_may_have_another_order(golden: Path, layout: str) -> None:
    batch = goldens.batch("small_48x40")
    io.savemat(golden / "gt.mat", {"gt": batch.gt.transpose(LAYOUTS[layout])})
    straight = score(golden / "outputs", "--gt", golden / "test(with_up)x4.h5", "--ratio", 4)
    done = score(golden / "outputs", "--gt", golden / "gt.mat", "--ratio", 4, "--layout", layout)
    assert done.exit_code == 0, done.output
    assert done.stdout == straight.stdout


@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_a_reference_another_order_is_read(tmp_path: Path, layout: str) -> None:
    random = np.random.default_rng(0)
    sr, lms = random.integers(100, 900, (2, 2, 4, 64, 64)).astype(float)
    pan = random.integers(100, 900, (2, 1, 64, 64)).astype(float)
    arrays = {"sr": sr, "lms": lms, "pan": pan}
    io.savemat(tmp_path / "a.mat", arrays)
    io.savemat(tmp_path / "b.mat", {name: array.transpose(LAYOUTS[layout]) for name, array in arrays.items()})
    straight = score(tmp_path / "a.mat", "--no-reference", "--ratio", 4)
    assert straight.exit_code == 0, straight.output
    assert score(tmp_path / "b.mat", "--no-reference", "--ratio", 4, "--layout", layout).stdout == straight.stdout
