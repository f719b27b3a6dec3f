"""The pictures of the recorded rows, and the program that brings them in."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from hsfusion_bench.cli import main
from hsfusion_bench.runs.pictures import REFERENCE, folder_of, load, pictures_of, read_pictures
from hsfusion_bench.runs.recorded import recorded_store
from hsfusion_bench.runs.records import Record, Store, dump, read_record
from support.pages import program_of

BOARD = [record for record in recorded_store().records() if (record.dataset.name, record.dataset.scale) == ("cave", 4)]


def test_every_row_has_pictures() -> None:
    assert len(BOARD) > 20
    assert [record.key for record in BOARD if record.pictures is None] == []


@pytest.fixture(scope="module")
def packing() -> ModuleType:
    return program_of("pictures")


@pytest.mark.parametrize("record", BOARD, ids=lambda record: record.key)
def test_the_pictures_of_a_row_are_of_all_its_scenes(record: Record) -> None:
    store = recorded_store()
    pictures = pictures_of(store, record)
    assert pictures is not None
    folder = folder_of(store, record)
    reference = read_pictures(folder.with_name(REFERENCE))
    assert pictures.alike(reference)
    assert [(name, kept.digest) for name, kept in pictures.scenes.items()] == [
        (scene.name, scene.digest) for scene in record.scenes
    ]
    for name, kept in pictures.scenes.items():
        assert kept.error is not None
        shown, error = load(folder, kept.rgb), load(folder, kept.error, grey=True)
        assert shown.shape == (256, 256, 3)
        assert error.shape == (256, 256)
        # it is a picture of this scene, and the error map is of this row: its mean is at least near the record's
        apart = shown.astype(float) - load(folder.with_name(REFERENCE), reference.scenes[name].rgb)
        assert np.abs(apart).mean() < 24
        assert kept.rmse_by_band is not None
        assert error.mean() / 255 * pictures.error_scale < max(kept.rmse_by_band) + 1e-3


def test_rows_are_brought_in_smaller_and_refused_where_they_differ(
    packing: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    here = Store(Path("recorded"))
    monkeypatch.setattr(packing, "recorded_store", lambda: here)
    command = "run --methods bicubic --dataset demo --scale 4 --no-timing"
    for more in ("--results-dir recorded", "--pictures --results-dir mine"):
        assert CliRunner().invoke(main, [*command.split(), *more.split()]).exit_code == 0

    def bring(*more: str) -> int:
        monkeypatch.setattr(sys, "argv", ["pictures.py", "mine", *more])
        return int(packing.main())

    assert bring() == 0
    path = Path("demo-x4-uestc", "bicubic.json")
    record = read_record("recorded" / path)
    assert record.model_copy(update={"pictures": None}) == read_record("mine" / path).model_copy(
        update={"pictures": None}
    )
    kept, own = pictures_of(here, record), Path("mine/demo-x4-uestc/pictures/bicubic")
    assert kept is not None
    for scene in kept.scenes.values():
        assert scene.error is not None
        for file, grey in ((scene.rgb, False), (scene.error, True)):
            packed = load(folder_of(here, record), file, grey=grey)
            with Image.open(own / Path(file.file).with_suffix(".png")) as image:
                original = np.asarray(image)
            assert packed.shape == original.shape
            assert np.abs(packed.astype(float) - original).mean() < 5
    assert (folder_of(here, record).with_name(REFERENCE) / "pictures.json").exists()

    # a row of other indexes is not taken unasked
    scenes = [scene.model_copy(update={"psnr": 99.0}) for scene in record.scenes]
    ("recorded" / path).write_text(dump(record.model_copy(update={"scenes": scenes})), encoding="utf-8")
    assert bring() == 1
    assert "bicubic: not taken" in capsys.readouterr().err
    assert read_record("recorded" / path).scenes[0].psnr == 99.0
    assert bring("--new") == 0
    assert read_record("recorded" / path) == record
