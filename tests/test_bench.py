"""The door: what the command line does, in a program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import hsfusion_bench as hb
from hsfusion_bench import bench
from hsfusion_bench.cli import main
from hsfusion_bench.methods import Observation, upsample_bicubic
from hsfusion_metrics import METRICS


@pytest.fixture(scope="module")
def task() -> hb.Task:
    return hb.open_task("demo", scale=4)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HSBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path


def enlarge(observation: Observation) -> np.ndarray:
    return upsample_bicubic(observation.lr_hsi, observation.scale).astype(np.float32)


def test_the_door_names_what_it_opens_and_imports_nothing_of_it() -> None:
    assert {"open_task", "load_method", "run", "fuse", "score", "evaluate", "leaderboard", "train"} <= set(dir(hb))
    script = (
        "import sys, hsfusion_bench as hb; dir(hb); assert 'numpy' not in sys.modules; hb.open_task('demo', 4);"
        "assert 'torch' not in sys.modules, 'torch'"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(hb.__all__) == set(bench.__all__)
    with pytest.raises(AttributeError, match="no attribute 'opentask'"):
        hb.opentask  # noqa: B018


def test_a_task_is_a_mapping_of_scenes_that_are_read_when_asked_for(task: hb.Task) -> None:
    assert task.id == "demo-x4-uestc"
    assert (len(task), task.names[0] in task, "nothing" in task) == (3, True, False)
    assert [scene.name for scene in task] == list(task.names)
    scene = task[task.names[1]]
    assert scene.observation.shape == scene.hr_hsi.shape
    assert set(task.train.names).isdisjoint(task.names)
    assert task.of("test", [task.names[0]]).names == task.names[:1]
    with pytest.raises(hb.UsageError, match="no scene of demo-x4-uestc 'nothing'"):
        task["nothing"]


def test_a_score_is_that_of_the_command(task: hb.Task, tmp_path: Path) -> None:
    results = hb.run(task, ["bicubic", hb.load_method("gsa"), enlarge], records=None, timing=False)
    done = CliRunner().invoke(
        main,
        [
            *("run", "--methods", "bicubic,gsa", "--dataset", "demo", "--scale", "4", "--no-timing"),
            *("--results-dir", str(tmp_path / "results")),
        ],
    )
    assert done.exit_code == 0, done.output
    for record in results.records[:2]:
        path = tmp_path / "results" / "demo-x4-uestc" / f"{record.method.name}.json"
        written = json.loads(path.read_text())
        assert json.loads(record.model_dump_json(by_alias=True)) == written
    # the function is bicubic interpolation, too, and its name stands for it
    assert [record.method.name for record in results.records] == ["bicubic", "gsa", "enlarge"]
    assert results.records[2].summary == results.records[0].summary

    scene = task[task.names[0]]
    indexes = hb.score(scene, hb.fuse(enlarge, scene.observation))
    assert indexes._asdict() == {name: getattr(results.records[0].scenes[0], name) for name in METRICS}
    read = hb.leaderboard(tmp_path / "results", dataset="demo", scale=4, only="mine")
    assert read.records == results.records[:2]


def test_nothing_is_written_unless_asked(task: hb.Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    hb.run(task, ["bicubic"], records=None, timing=False)
    assert list((tmp_path / "here").iterdir()) == []
    hb.run(task, ["bicubic"], records="kept", timing=False)
    assert [path.name for path in Path("kept").rglob("*.json")] == ["bicubic.json"]


def test_results_are_tables(task: hb.Task) -> None:
    results = hb.run(task, ["bicubic", "gsa"], records=None)
    table, scenes = results.table(), results.per_scene()
    assert isinstance(table, pd.DataFrame)
    assert list(table["method"]) == ["gsa", "bicubic"]
    assert (table["latency_median_ms"] > 0).all()
    assert len(scenes) == 6
    mean = scenes.groupby("method")["psnr"].mean()
    assert mean["gsa"] == pytest.approx(float(table["psnr_mean"].iloc[0]), rel=1e-12)
    assert results.to_latex().count("GSA") >= 1
    assert "| GSA" in str(results)
    assert results.to_csv().startswith("method,title")
    assert repr(results) == str(results) == results.to_markdown()


def test_options_are_values(task: hb.Task) -> None:
    sharper = hb.load_method("mtf-glp-hs", nyquist_gain=0.3)
    (record,) = hb.run(task, [sharper], records=None, timing=False).records
    assert (record.method.options["nyquist_gain"], record.method.changed) == (0.3, ["nyquist_gain"])
    assert (record.method.origin, record.method.distribution) == ("shipped", "hsfusion-bench")
    with pytest.raises(hb.UsageError, match="no option of ltmr 'dimensio'; did you mean dimension"):
        hb.load_method("ltmr", dimensio=4)
    with pytest.raises(hb.UsageError, match="no method 'gsaa'; did you mean gsa"):
        hb.load_method("gsaa")


def test_a_method_that_fails_is_a_warning_and_a_row(task: hb.Task) -> None:
    def broken(observation: Observation) -> np.ndarray:
        raise RuntimeError("out of luck")

    with pytest.warns(UserWarning, match="broken: .*out of luck"):
        results = hb.run(task, [broken, "bicubic"], records=None, timing=False)
    assert [record.status for record in results.records] == ["failed", "ok"]


@pytest.mark.slow
def test_a_network_is_trained_found_and_run(task: hb.Task, tmp_path: Path) -> None:
    with pytest.raises(hb.HsbenchError, match="no weights of SSFCNN for demo-x4-uestc"):
        hb.load_method("ssfcnn", task=task)
    path = hb.train(task, "ssfcnn", steps=3, changes={"patch": 16, "batch_size": 2}, device="cpu")
    net = hb.load_method("ssfcnn", task=task, device="cpu")
    scene = task[task.names[0]]
    cube = hb.fuse(net, scene.observation)
    assert cube.shape == scene.hr_hsi.shape
    by_value, by_name = hb.run(task, [net, "ssfcnn"], records=None, timing=False, device="cpu").records
    assert by_value == by_name
    assert by_value.weights is not None
    with pytest.raises(hb.UsageError, match="it is loaded, and has its weights"):
        hb.run(task, [net], records=None, weights={"ssfcnn": path})
    named = hb.load_method("ssfcnn", task=task, weights=path, device="cpu")
    np.testing.assert_array_equal(hb.fuse(named, scene.observation), cube)
    with pytest.raises(hb.UsageError, match="say what they fuse by task"):
        hb.load_method("ssfcnn", weights=path)
    with pytest.raises(hb.UsageError, match="gsa is not a network"):
        hb.train(task, "gsa")


def test_results_made_elsewhere_are_scored(task: hb.Task, tmp_path: Path) -> None:
    folder = tmp_path / "outputs"
    folder.mkdir()
    for scene in task:
        np.save(folder / f"{scene.name}.npy", enlarge(scene.observation))
    (record,) = hb.evaluate(task, folder, name="Mine").records
    (bicubic,) = hb.run(task, ["bicubic"], records=None, timing=False).records
    assert record.summary == bicubic.summary


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: hb.open_task("dmo", 4), "no data set 'dmo'"),
        (lambda: hb.open_task("demo", 3), "scale"),
        (lambda: hb.open_task("demo", 4, scenes=["figs", "kiwi"]), "kiwi"),
        (lambda: hb.run(hb.open_task("demo", 4), [], records=None), "no method is given"),
        (lambda: hb.run(hb.open_task("demo", 4), [3], records=None), "3 is not a method"),  # type: ignore[list-item]
        (lambda: hb.run(hb.open_task("demo", 4), ["gsa"], records=None, weights={"net": "x"}), "not among the methods"),
        (lambda: hb.load_method("gsa", weights="w.safetensors"), "GSA has none"),
        (lambda: hb.load_method("feinfn", patch=32), "is a number of feinfn's recipe"),
        (lambda: hb.fuse("gsa", None), "'gsa' is no method: hb.load_method"),  # type: ignore[arg-type]
        (lambda: hb.leaderboard("/nowhere"), "no such folder of records"),
        (lambda: hb.leaderboard(dataset="harvard"), "the package holds no such records"),
        (lambda: hb.run(hb.open_task("demo", 4), ["gsa"], records=None, device="tpu"), "no device 'tpu'"),
    ],
)
def test_what_cannot_be_done_is_told(call: object, words: str) -> None:
    with pytest.raises(hb.HsbenchError, match=words):
        call()  # type: ignore[operator]
