"""Names of scenes and data sets come from files and plugins of others; nothing is written by them outside a folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from click.testing import CliRunner, Result

from hsfusion_bench.cli import main
from hsfusion_bench.data.catalog import open_dataset
from hsfusion_bench.data.mapped import read_index
from hsfusion_bench.data.observing.protocols import Split, load_protocol
from hsfusion_bench.data.scenes import Cube, SceneSource
from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.runs.records import SceneResult, Store
from support.records import make_record

NAMES = {
    "up": "../../x",
    "absolute": "/tmp/x",
    "separator": "a/b",
    "other separator": "a\\b",
    "dots": "..",
    "dot": ".",
    "empty": "",
    "blank": "  ",
    "NUL": "a\0b",
    "line break": "a\nb",
    "escape": "a\x1b[31m",
    "direction": "a\u202eb",
    "long": "n" * 300,
    "long in bytes": "张" * 100,
    "device": "NUL",
    "device with a suffix": "com1.mat",
    "dot at the end": "a.",
    "space at the end": "a ",
}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return NAMES[request.param]


class Stranger(SceneSource):
    """A data set of a plugin."""

    name = "stranger"
    title = "Stranger"
    wavelengths = tuple(np.linspace(400, 700, 31))

    def __init__(self, *names: str, split: Split | None = None) -> None:
        self._names = names
        self.split = split or Split("s", (), names)

    def scene_names(self) -> tuple[str, ...]:
        return self._names

    def read(self, name: str) -> Cube:
        return np.full((31, 32, 32), 0.5, np.float32)


def hsbench(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_of_a_plugin(name: str) -> None:
    with pytest.raises(HsbenchError, match="scene called"):
        Task.over(Stranger("fine", name), load_protocol("uestc"), 4)


def test_of_a_split(name: str) -> None:
    source = Stranger("fine", split=Split("s", (name,), ("fine",)))
    with pytest.raises(HsbenchError, match="scene called"):
        Task.over(source, load_protocol("uestc"), 4)


def test_that_differ_in_capitals_alone() -> None:
    with pytest.raises(HsbenchError, match="not every system"):
        Task.over(Stranger("Scene", "scene"), load_protocol("uestc"), 4)


@pytest.mark.parametrize("fine", ["balloons_ms", "0001", "Pavia (centre)", "张", "a.b", "a-b", "console", "été"])
def test_that_are_fine(fine: str) -> None:
    assert Task.over(Stranger(fine), load_protocol("uestc"), 4).names == (fine,)


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/../../b", "a\nb", "", "a\\b", "x" * 300])
def test_of_the_data_set_itself(name: str) -> None:
    source = Stranger("fine")
    source.name = name
    with pytest.raises(HsbenchError, match="data set is called"):
        Task.over(source, load_protocol("uestc"), 4)


@pytest.mark.parametrize("name", ["../../x", "/tmp/hsbench-attack-x", "..", "a\nb", "n" * 300, ""])
def test_of_a_description(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """No verb writes anything but its messages."""
    work = tmp_path / "a" / "b" / "work"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    random = np.random.default_rng(0)
    scipy.io.savemat("cube.mat", {"cube": random.random((64, 64, 31))})
    told = json.dumps(name)
    text = f'title = "T"\nfile = "cube.mat"\nwavelengths = {{ start = 400, stop = 700 }}\n[[scene]]\nname = {told}\n'
    Path("d.toml").write_text(f'{text}[split]\nid = "s"\ntrain = [{told}]\ntest = [{told}]\n')
    before = sorted(tmp_path.rglob("*"))
    base = ("--scale", 4)
    for words in (
        ("run", "--methods", "bicubic", "--dataset", "d.toml", *base, "--results-dir", "r", "--save-mat", "m"),
        ("data", "prepare", "d.toml", *base, "--out", "p", "--form", "scenes"),
        ("data", "prepare", "d.toml", *base, "--out", "p"),
        ("data", "check", "d.toml"),
        ("train", "mossfuse", "--dataset", "d.toml", *base, "--per-scene", "--out", "w", "--max-steps", 1),
    ):
        done = hsbench(*words)
        assert done.exit_code in (1, 2), done.output
        assert isinstance(done.exception, SystemExit)
        assert done.stderr.count("\n") < 4
    assert sorted(tmp_path.rglob("*")) == before
    assert not Path("/tmp/hsbench-attack-x").exists()


def test_of_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "a\nb.npy", np.zeros((31, 32, 32)))
    with pytest.raises(HsbenchError, match="no name at all"):
        open_dataset(f"mat:{tmp_path}/a\nb.npy")


@pytest.mark.parametrize("name", ["../x", "/x", "a/b"])
def test_of_prepared_scenes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert (
        hsbench(
            *["data", "prepare", "demo", "--scale", "4", "--out", "p", "--form", "scenes", "--part", "test"]
        ).exit_code
        == 0
    )
    (index,) = tmp_path.rglob("index.json")
    content = json.loads(index.read_text())
    content["scenes"][0]["name"] = name
    index.write_text(json.dumps(content))
    with pytest.raises(HsbenchError, match="is a path"):
        read_index(index.parent)


def test_records_of_strange_scenes_stay_in_their_folder(tmp_path: Path, name: str) -> None:
    record = make_record()
    record.scenes = [SceneResult(name=name, digest=None)]
    path = Store(tmp_path).path(record)
    assert path.parent == tmp_path / "cave-x4-uestc"
    assert path.resolve().parent == path.parent
    assert path.name.isprintable()
    assert len(path.name) < 200


def test_methods_whose_records_would_be_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("a.py", "A.py"):
        Path(file).write_text("def f(observation):\n    return observation.hr_msi\n")
    done = hsbench(*["run", "--methods", "a.py:f,A.py:f", "--dataset", "demo", "--scale", "4"])
    assert done.exit_code == 2
    assert "would be recorded as a-f" in done.stderr


def test_the_package_s_own(tmp_path: Path) -> None:
    assert open_dataset("demo").scene_names()
