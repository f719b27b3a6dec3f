"""Rows that somebody sends: on the demo data set."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy import io

import hsfusion_bench as hb
from hsfusion_bench.cli import main
from hsfusion_bench.runs import submission
from hsfusion_bench.runs.account import summary_of
from hsfusion_bench.runs.records import SceneResult, Store
from hsfusion_bench.runs.submission import check_submission

Tamper = Callable[[dict[str, Any]], None]

DEMO = ("--dataset", "demo", "--scale", "4")
TASK = "demo-x4-uestc"
MINE = """\
from hsfusion_bench.methods import upsample_bicubic


def mine(observation):
    return 0.99 * upsample_bicubic(observation.lr_hsi, observation.scale)
"""


def hsbench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def no_rows_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the references of the data set alone to decide."""
    monkeypatch.setattr(submission, "recorded_store", lambda: Store(tmp_path / "none"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the documented commands make, with two methods."""
    folder = tmp_path_factory.mktemp("made") / "sent"
    run = ("run", "--methods", "gsa,bicubic", *DEMO, "--device", "cpu", "--results-dir", folder)
    done = hsbench(*run, "--save-mat", folder)
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def sent(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to be spoilt."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HSBENCH_DATA", raising=False)
    shutil.copytree(made, "sent")
    return Path("sent")


@pytest.fixture
def only_gsa(sent: Path) -> Path:
    """The same with one row."""
    for file in (sent / TASK).glob("bicubic.*"):
        file.unlink()
    return sent


def change(path: Path, tamper: Tamper) -> None:
    content = json.loads(path.read_text())
    tamper(content)
    path.write_text(json.dumps(content))


def resummed(record: dict[str, Any]) -> None:
    """Make the summary fit the scenes again."""
    scenes = [SceneResult.model_validate(scene) for scene in record["scenes"]]
    record["summary"] = {name: each.model_dump() for name, each in (summary_of(scenes) or {}).items()}


def bad(folder: Path) -> dict[str, tuple[str, str]]:
    """Return state and finding of what is not ok."""
    return {check.what: (check.state, check.found) for check in check_submission(folder).checks if check.state != "ok"}


def test_an_untouched_folder_is_accepted(sent: Path) -> None:
    done = hsbench("submit-check", sent)
    assert done.exit_code == 0, done.output
    assert "acceptable: 2 records" in done.stdout
    assert "cubes, scored again" in done.stdout
    # measurements of speed lie there too, and are no records
    assert list(sent.glob("speed/*/*/*.json"))


def test_an_index_that_was_changed_is_found(only_gsa: Path) -> None:
    def tamper(record: dict[str, Any]) -> None:
        record["scenes"][1]["psnr"] += 0.01
        resummed(record)

    change(only_gsa / TASK / "gsa.json", tamper)
    found = bad(only_gsa)
    assert list(found) == ["cubes, scored again"]
    state, text = found["cubes, scored again"]
    assert state == "wrong"
    assert text.startswith("the cube of figs has PSNR ")
    assert "oranges" not in text
    assert hsbench("submit-check", only_gsa).exit_code == 1


def test_a_summary_that_was_changed_is_found(only_gsa: Path) -> None:
    def tamper(record: dict[str, Any]) -> None:
        record["summary"]["sam"]["mean"] -= 0.01

    change(only_gsa / TASK / "gsa.json", tamper)
    found = bad(only_gsa)
    assert list(found) == ["summary"]
    assert "sam" in found["summary"][1]


def set_to(*path: str | int, value: object) -> Tamper:
    def tamper(record: Any) -> None:
        for part in path[:-1]:
            record = record[part]
        record[path[-1]] = value

    return tamper


def without_a_scene(record: dict[str, Any]) -> None:
    record["scenes"].pop()
    record["dataset"]["scenes"] = 2
    resummed(record)


def failed(record: dict[str, Any]) -> None:
    record |= {"status": "incomplete", "error": "melons: no"}


@pytest.mark.parametrize(
    ("tamper", "what", "text"),
    [
        (set_to("dataset", "protocol_digest", value="0" * 64), "protocol", "digest is 000000000000…"),
        (set_to("dataset", "protocol_version", value=9), "protocol", "version is 9, not 1"),
        (set_to("dataset", "split_digest", value="0" * 64), "split", "digest is 000000000000…"),
        (set_to("dataset", "split", value="mine"), "split", "name is mine"),
        (set_to("dataset", "bands", value=30), "protocol", "30 bands, where the data set has 31"),
        (set_to("dataset", "protocol", value="nothing"), "data set and protocol", "no protocol 'nothing'"),
        (set_to("dataset", "name", value="nothing"), "data set and protocol", "no data set 'nothing'"),
        (set_to("scenes", 2, "digest", value="0" * 64), "references", "that of melons is not ours"),
        (set_to("metrics", "suite", value="0.9"), "index suite", "suite is 0.9"),
        (set_to("metrics", "const", value=255.0), "index suite", "const is 255.0, not 1.0"),
        (set_to("metrics", "ratio", value=8.0), "index suite", "ratio is 8.0, not 4.0"),
        (set_to("scenes", 0, "q2n", value="NaN"), "scenes", "oranges has no q2n"),
        (set_to("scenes", 0, "q2n", value=None), "scenes", "oranges has no q2n"),
        (without_a_scene, "scenes", "lacks melons"),
        (failed, "status", "incomplete: melons: no"),
        (set_to("model", "parameters", value=5), "network", "weights"),
        (set_to("method", "name", value="gsa2"), "place", "it belongs to demo-x4-uestc/gsa2.json"),
    ],
)
def test_what_is_wrong_is_named(only_gsa: Path, tamper: Tamper, what: str, text: str) -> None:
    change(only_gsa / TASK / "gsa.json", tamper)
    found = bad(only_gsa)
    assert found[what][0] in ("wrong", "missing")
    assert text in found[what][1]


def test_cubes_that_were_swapped_are_found(only_gsa: Path) -> None:
    path = only_gsa / TASK / "gsa.mat"
    content = {key: value for key, value in io.loadmat(path).items() if not key.startswith("__")}
    content["sr"] = content["sr"][[1, 0, 2]]
    io.savemat(path, content)
    found = bad(only_gsa)
    assert list(found) == ["cubes"]
    assert "scene oranges: it is of scene figs" in found["cubes"][1]


def test_cubes_of_another_method_are_found(sent: Path) -> None:
    shutil.copy(sent / TASK / "bicubic.mat", sent / TASK / "gsa.mat")
    done = hsbench("submit-check", sent)
    assert done.exit_code == 1
    assert "not acceptable as it is: 2 records, 1 wrong" in done.stdout


def test_cubes_that_are_missing_or_damaged_are_named(sent: Path) -> None:
    (sent / TASK / "gsa.mat").unlink()
    (sent / TASK / "bicubic.mat").write_bytes(b"nothing")
    checks = [check for check in check_submission(sent).checks if check.state != "ok"]
    assert [(check.state, check.what, check.where) for check in checks] == [
        ("wrong", "cubes", f"{TASK}/bicubic.mat"),
        ("missing", "cubes", f"{TASK}/gsa.json"),
    ]
    assert "--save-mat" in checks[1].advice


def test_a_damaged_record_is_named_and_the_others_are_checked(sent: Path) -> None:
    (sent / TASK / "bicubic.json").write_text('{"schema": ')
    (sent / "notes.json").write_text("[]")
    done = hsbench("submit-check", sent)
    assert done.exit_code == 1
    assert "not acceptable as it is: 1 record, 2 wrong" in done.stdout
    submitted = check_submission(sent)
    assert [check.where for check in submitted.checks if check.state != "ok"] == [f"{TASK}/bicubic.json", "notes.json"]
    assert [record.method.name for record in submitted.records] == ["gsa"]
    assert any(check.what == "cubes, scored again" and check.state == "ok" for check in submitted.checks)


def test_folders_without_records_are_refused(tmp_path: Path) -> None:
    empty = hsbench("submit-check", tmp_path)
    assert empty.exit_code == 1
    assert "holds no record" in empty.stderr
    assert "no such folder" in hsbench("submit-check", tmp_path / "gone").stderr


def test_results_made_elsewhere(sent: Path) -> None:
    shutil.rmtree(sent)
    Path("outputs").mkdir()
    for scene in hb.open_task("demo", scale=4):
        np.save(f"outputs/{scene.name}.npy", 255 * np.clip(scene.hr_hsi + 0.01, 0, 1).transpose(1, 2, 0))
    done = hsbench("evaluate", "outputs", "--name", "My method", *DEMO, "--const", "255", "--results-dir", "sent")
    assert done.exit_code == 0, done.output
    found = bad(sent)
    assert {what: state for what, (state, _) in found.items()} == {
        "reference of the method": "missing",
        "cubes": "missing",
    }
    shutil.copytree("outputs", sent / TASK / "my-method")
    (sent / "README.md").write_text("My method: A. Author, https://example.org/mine. Trained for an hour.\n")
    assert bad(sent) == {}
    # a cube that is another
    cube = np.load(sent / TASK / "my-method" / "figs.npy")
    np.save(sent / TASK / "my-method" / "figs.npy", cube * 0.999)
    assert bad(sent)["cubes, scored again"][1].startswith("the cube of figs has ")


def test_results_scored_against_their_own_reference_are_refused(sent: Path) -> None:
    shutil.rmtree(sent)
    gt = np.stack([scene.hr_hsi for scene in hb.open_task("demo", scale=4)]).astype(np.float64)
    np.savez("mine.npz", gt=0.99 * gt, sr=0.98 * gt)
    evaluate = ("evaluate", "mine.npz", "--name", "Mine", *DEMO, "--results-dir", "sent", "--trust-their-reference")
    assert hsbench(*evaluate).exit_code == 0
    shutil.copy("mine.npz", sent / TASK)
    found = bad(sent)
    assert found["reference used"][0] == "wrong"
    assert "references" in found
    assert "their reference is not ours" in found["cubes"][1]


def test_a_method_in_a_file_brings_its_file(sent: Path) -> None:
    shutil.rmtree(sent)
    Path("mine.py").write_text(MINE)
    run = ("run", "--methods", "./mine.py:mine", *DEMO, "--no-timing", "--results-dir", sent)
    assert hsbench(*run, "--save-mat", sent).exit_code == 0
    assert bad(sent).keys() == {"file of the method", "reference of the method"}
    (sent / "README.md").write_text("mine:mine is bicubic interpolation, doi:10.1109/TASSP.1981.1163711\n")
    shutil.copy("mine.py", sent)
    assert bad(sent) == {}
    (sent / "mine.py").write_text(MINE.replace("0.99", "0.98"))
    assert bad(sent)["file of the method"][0] == "wrong"


def test_without_the_data_the_cubes_are_not_said_to_be_good(only_gsa: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_data(*_: object, **__: object) -> None:
        raise hb.HsbenchError("the files are not here")

    monkeypatch.setattr(submission, "open_task", no_data)
    found = bad(only_gsa)
    assert found["cubes"] == ("not checked", "the cubes were NOT scored: the files are not here")
    assert found["references"][0] == "not checked"
    assert hsbench("submit-check", only_gsa).exit_code == 1


def test_references_are_compared_with_committed_rows(only_gsa: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed = Path("committed")
    shutil.copytree(only_gsa, committed)
    change(committed / TASK / "gsa.json", set_to("scenes", 0, "digest", value="f" * 64))
    monkeypatch.setattr(submission, "recorded_store", lambda: Store(committed))
    assert "that of oranges is" in bad(only_gsa)["references"][1]


def test_the_card_of_weights_is_no_record(only_gsa: Path) -> None:
    (only_gsa / TASK / "net.json").write_text('{"sha256": ""}')
    assert bad(only_gsa).keys() == {"record"}
    (only_gsa / TASK / "net.safetensors").write_bytes(b"")
    assert bad(only_gsa) == {}


@pytest.mark.slow
def test_weights_that_were_trained_come_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    train = ("run", "--methods", "ssfcnn", *DEMO, "--device", "cpu", "--no-timing", "--train", "--max-steps", "2")
    assert hsbench(*train, "--results-dir", "sent", "--save-mat", "sent").exit_code == 0
    (weights,) = Path(os.environ["HSBENCH_CACHE"]).rglob("demo-*.safetensors")
    state, advice = bad(Path("sent"))["weights file"]
    assert "no file has SHA-256" in state + advice
    shutil.copy(weights, f"sent/{TASK}/whatever.safetensors")
    assert "weights file" not in bad(Path("sent"))
    Path(f"sent/{TASK}/whatever.safetensors").write_bytes(b"another")
    assert "weights file" in bad(Path("sent"))


def test_the_saved_cubes_are_matlabs(made: Path) -> None:
    path = made / TASK / "gsa.mat"
    opened: Any = h5py.File(path) if h5py.is_hdf5(path) else io.loadmat(path)
    assert {"sr", "gt"} <= set(opened)
