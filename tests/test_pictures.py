"""What `--pictures` keeps, against what NumPy and Pillow make of the same cubes."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from scipy import io

from hsfusion_bench.cli import main
from hsfusion_bench.data.task import open_task
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.runs import painting
from hsfusion_bench.runs.pictures import load, read_pictures, stem
from hsfusion_bench.runs.records import read_record

FOLDER = Path("results/demo-x4-uestc")
PICTURES = FOLDER / "pictures"
METHODS = """
from pathlib import Path
import numpy as np
from hsfusion_bench.methods import upsample_bicubic

def plain(observation):
    log = Path("calls")
    log.write_text(log.read_text() + "x" if log.exists() else "x")
    if len(log.read_text()) == 3 and Path("stop").exists():
        raise KeyboardInterrupt
    return upsample_bicubic(observation.lr_hsi, observation.scale)

def picky(observation):
    Path("made").touch()
    if Path("spoilt").exists():
        raise ValueError("spoilt")
    return upsample_bicubic(observation.lr_hsi, observation.scale)
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(METHODS)


def hsbench(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["--debug", *arguments], catch_exceptions=True)


def demo(method: str, *more: str) -> Result:
    return hsbench("run", "--methods", method, "--dataset", "demo", "--scale", "4", "--no-timing", *more)


def picture(path: Path) -> np.ndarray[Any, Any]:
    with Image.open(path) as image:
        return np.asarray(image)


def test_pictures_are_those_of_the_cubes() -> None:
    assert demo("bicubic", "--pictures", "--save-mat", "saved").exit_code == 0
    cubes = io.loadmat("saved/demo-x4-uestc/bicubic.mat")["sr"]
    task = open_task("demo", 4)
    told = json.loads((PICTURES / "bicubic/pictures.json").read_text())
    assert told["schema"] == "hsfusion-bench/pictures/1"
    assert list(told["scenes"]) == list(task.names)
    wavelengths = told["wavelengths"]
    bands = [wavelengths.index(colour) for colour in (650, 550, 450)]
    assert told["rgb_bands"] == [band + 1 for band in bands]
    for number, scene in enumerate(task):
        fused, reference = np.asarray(cubes[number]), scene.hr_hsi.astype(float)
        if fused.shape != reference.shape:
            fused = fused.transpose(2, 0, 1)
        its = told["scenes"][scene.name]
        assert its["size"] == [128, 128]
        grey = np.abs(fused - reference).mean(axis=0) / told["error_scale"]
        expected = np.rint(np.minimum(grey, 1) * 255)
        shown = picture(PICTURES / "bicubic" / its["error"]["file"])
        assert np.array_equal(shown, expected)
        assert shown.max() > 20
        white = np.quantile(reference[bands], 0.99)
        for folder, cube in (("bicubic", fused), ("reference", reference)):
            colours = np.rint(255 * np.clip(cube[bands] / white, 0, 1) ** (1 / 2.2))
            shown = picture(PICTURES / folder / its["rgb"]["file"])
            assert np.array_equal(shown, colours.transpose(1, 2, 0))
        for one in its["spectra"]:
            assert one["values"] == pytest.approx(fused[:, one["row"], one["column"]], abs=1e-6)
        rmse = np.sqrt(((fused - reference) ** 2).mean(axis=(1, 2)))
        assert its["rmse_by_band"] == pytest.approx(rmse)


def test_the_pixels_are_the_same_for_all_methods_and_of_the_reference() -> None:
    assert demo("bicubic,sfim", "--pictures").exit_code == 0
    told = [read_pictures(PICTURES / name) for name in ("bicubic", "sfim", "reference")]
    for name, scene in told[2].scenes.items():
        assert scene.error is None
        assert len(scene.spectra) == 5
        for other in told[:2]:
            theirs = other.scenes[name].spectra
            assert [(at.row, at.column) for at in theirs] == [(at.row, at.column) for at in scene.spectra]
        cube = open_task("demo", 4)[name].hr_hsi
        at = scene.spectra[0]
        assert cube.mean(axis=0)[at.row, at.column] == cube.mean(axis=0).max()
        assert at.values == pytest.approx(cube[:, at.row, at.column], abs=1e-6)


def test_the_record_holds_the_digest_and_one_without_pictures_is_as_it_was() -> None:
    assert demo("bicubic").exit_code == 0
    plain = (FOLDER / "bicubic.json").read_text()
    assert "pictures" not in plain
    assert not PICTURES.exists()
    assert demo("bicubic", "--pictures").exit_code == 0
    held = json.loads((FOLDER / "bicubic.json").read_text())
    assert held.pop("pictures") == sha256((PICTURES / "bicubic/pictures.json").read_bytes()).hexdigest()
    assert held == json.loads(plain)


def test_the_same_run_makes_the_same_bytes() -> None:
    assert demo("bicubic", "--pictures").exit_code == 0
    first = {path: path.read_bytes() for path in FOLDER.rglob("*.*")}
    shutil.rmtree("results")
    assert demo("bicubic", "--pictures").exit_code == 0
    assert {path: path.read_bytes() for path in FOLDER.rglob("*.*")} == first
    assert not any("unfinished" in str(path) or "hsbench-" in str(path) for path in FOLDER.rglob("*"))


def test_an_interrupted_run_goes_on_with_the_pictures_it_has() -> None:
    Path("stop").touch()
    assert demo("mine.py:plain", "--pictures").exit_code == 130
    assert not (PICTURES / "mine-plain").exists()
    Path("stop").unlink()
    before = len(Path("calls").read_text())
    assert demo("mine.py:plain", "--pictures").exit_code == 0
    # the first two scenes are taken over, the third is fused
    assert len(Path("calls").read_text()) - before == 1 + (before - 3)
    assert list(read_pictures(PICTURES / "mine-plain").scenes) == list(open_task("demo", 4).names)
    assert not (PICTURES / "mine-plain.unfinished").exists()


def test_scenes_scored_without_pictures_are_fused_again_for_them() -> None:
    Path("stop").touch()
    assert demo("mine.py:plain").exit_code == 130
    Path("stop").unlink()
    before = len(Path("calls").read_text())
    assert demo("mine.py:plain", "--pictures").exit_code == 0
    assert len(Path("calls").read_text()) - before >= 3
    assert len(read_pictures(PICTURES / "mine-plain").scenes) == 3


def test_a_failed_run_leaves_the_pictures_of_the_record_that_is_kept() -> None:
    assert demo("mine.py:picky", "--pictures").exit_code == 0
    record = read_record(FOLDER / "mine-picky.json")
    Path("spoilt").touch()
    assert demo("mine.py:picky", "--pictures").exit_code == 1
    assert read_record(FOLDER / "mine-picky.json") == record
    assert record.pictures is not None
    read_pictures(PICTURES / "mine-picky", record.pictures)


def test_a_picture_that_was_changed_is_refused() -> None:
    assert demo("bicubic", "--pictures").exit_code == 0
    folder = PICTURES / "bicubic"
    told = read_pictures(folder)
    kept = told.scenes["figs"].rgb
    assert load(folder, kept).shape == (128, 128, 3)
    Image.new("RGB", (8, 8)).save(folder / kept.file)
    with pytest.raises(HsbenchError, match="has been changed"):
        load(folder, kept)
    (folder / "pictures.json").write_text((folder / "pictures.json").read_text() + " ")
    with pytest.raises(HsbenchError, match="is not the one that the record is of"):
        read_pictures(folder, read_record(FOLDER / "bicubic.json").pictures)
    (folder / "pictures.json").write_text(told.text().replace(kept.file, "../../../etc/passwd"))
    with pytest.raises(HsbenchError, match="tells of no pictures"):
        read_pictures(folder)


def test_results_made_elsewhere_have_the_same_pictures() -> None:
    assert demo("bicubic", "--pictures", "--save-mat", "saved").exit_code == 0
    cubes = "saved/demo-x4-uestc/bicubic.mat"
    asked = ("evaluate", cubes, "--dataset", "demo", "--scale", "4", "--pictures", "--name")
    assert hsbench(*asked, "Other").exit_code == 0
    for path in sorted((PICTURES / "bicubic").glob("*.png")):
        assert path.read_bytes() == (PICTURES / "other" / path.name).read_bytes()
    refused = hsbench(*asked, "Theirs", "--trust-their-reference")
    assert "does not go with --trust-their-reference" in str(refused.exception)
    taken = hsbench(*asked, "Reference")
    assert "would take the place" in str(taken.exception)


def test_submissions_may_bring_pictures_and_rows_with_some_are_reproduced() -> None:
    assert demo("bicubic", "--pictures", "--save-mat", "sent", "--results-dir", "sent").exit_code == 0
    assert hsbench("submit-check", "sent").exit_code == 0
    assert hsbench("reproduce", "sent/demo-x4-uestc/bicubic.json").exit_code == 0


@pytest.mark.parametrize(("height", "width", "block"), [(128, 128, 1), (256, 200, 1), (512, 512, 2), (300, 700, 3)])
def test_pictures_are_means_of_blocks(height: int, width: int, block: int) -> None:
    image = np.random.default_rng(0).random((3, height, width))
    assert painting.block_of(height, width) == block
    found = painting.block_mean(image, block)
    assert max(found.shape[1:]) <= 256
    for row, column in ((0, 0), (1, 2), (-1, -1)):
        rows = range(height)[::block][row], range(width)[::block][column]
        part = image[:, rows[0] : rows[0] + block, rows[1] : rows[1] + block]
        assert found[:, row, column] == pytest.approx(part.mean(axis=(1, 2)))


def test_colours_are_the_bands_nearest_to_them_or_thirds_of_the_spectrum() -> None:
    assert painting.rgb_bands([400, 455, 548, 652, 900], 5) == (3, 2, 1)
    assert painting.rgb_bands([1000, 1200, 1400, 1600, 1800, 2000], 6) == (5, 3, 1)
    assert painting.rgb_bands(None, 12) == (10, 6, 2)


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_a_scene_of_one_value_has_pictures_too(value: float) -> None:
    cube = np.full((4, 6, 5), value, np.float32)
    places = painting.places(cube)
    assert places
    assert len({(at.row, at.column) for at in places}) == len(places)
    assert painting.colours(cube, (3, 2, 1), painting.white_of(cube, (3, 2, 1))).shape == (6, 5, 3)
    assert painting.errors(cube, cube).max() == 0


def test_files_of_scenes_have_names_of_their_own() -> None:
    names = ["a b", "a-b", "蝶", "x" * 300, "figs", "../.."]
    stems = [stem(name, names) for name in names]
    assert len(set(stems)) == len(names)
    assert stems[4] == "figs"
    assert all(len(each) < 130 and "/" not in each and each[0].isalnum() for each in stems)
