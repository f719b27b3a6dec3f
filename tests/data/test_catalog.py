"""Data sets by name, plugins, plans of scenes, and scenes that stream."""

import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import numpy as np
import pytest

from hsfusion_bench.data import catalog
from hsfusion_bench.data import task as tasks
from hsfusion_bench.data.home import data_home
from hsfusion_bench.data.observing.protocols import Split, load_protocol
from hsfusion_bench.data.observing.responses import WAVELENGTHS
from hsfusion_bench.data.scenes import SceneSource, check_scene, scene_digest
from hsfusion_bench.data.sources.cave import CaveSource
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError, MissingDataError, UsageError

UESTC = load_protocol("uestc")


class Toy(SceneSource):
    """A plugin's data set: three scenes, the last of which is not here."""

    name = "toy"
    title = "Toy"
    wavelengths = WAVELENGTHS
    split = Split("toy-1-2", ("a",), ("b", "c"))

    def __init__(self, data_root=None):
        self.data_root = data_root
        self.reads = []

    def scene_names(self):
        return ("a", "b", "c")

    def missing(self):
        return ("c",)

    def read(self, name):
        self.reads.append(name)
        return np.full((31, 16, 16), 0.25, np.float32)


def broken(data_root):
    raise RuntimeError("no luck")


@pytest.fixture
def plugins(monkeypatch):
    """Pretend that distributions with these entry points are installed."""

    def install(**targets):
        points = [EntryPoint(name, target, catalog.GROUP) for name, target in targets.items()]
        monkeypatch.setattr(catalog, "entry_points", lambda group: [p for p in points if p.group == group])

    module = ModuleType("toys")
    vars(module).update(Toy=Toy, broken=broken, number=lambda data_root: 3)
    monkeypatch.setitem(sys.modules, "toys", module)
    return install


def scene_of_cave(root, name):
    """Make a scene that is found, but cannot be read."""
    (root / f"{name}_ms").mkdir(parents=True)
    (root / f"{name}_ms" / f"{name}_ms_01.png").touch()


@pytest.fixture
def cave(tmp_path):
    for name in ("balloons", "feathers", "stuffed_toys"):
        scene_of_cave(tmp_path, name)
    return CaveSource(tmp_path)


def test_shipped_data_sets_have_titles():
    assert list(catalog.dataset_names())[:2] == ["demo", "cave"]
    assert all(catalog.dataset_names().values())


def test_demo_opens_without_a_root(monkeypatch):
    monkeypatch.delenv("HSBENCH_DATA", raising=False)
    assert isinstance(catalog.open_dataset("demo"), DemoSource)


def test_the_environment_gives_the_root(monkeypatch, tmp_path):
    scene_of_cave(tmp_path, "clay")
    monkeypatch.setenv("HSBENCH_DATA", str(tmp_path))
    assert "clay" not in catalog.open_dataset("cave").missing()
    with pytest.raises(HsbenchError, match="elsewhere: there is no such folder"):
        catalog.open_dataset("cave", tmp_path / "elsewhere")
    monkeypatch.delenv("HSBENCH_DATA")
    with pytest.raises(MissingDataError, match="--data-root"):
        catalog.open_dataset("cave")


def test_data_sets_have_a_home_of_their_own(monkeypatch, tmp_path):
    monkeypatch.delenv("HSBENCH_DATA", raising=False)
    home = data_home("cave")
    scene_of_cave(home, "clay")
    assert "clay" not in catalog.open_dataset("cave").missing()
    # what is named goes before it
    scene_of_cave(tmp_path, "beads")
    monkeypatch.setenv("HSBENCH_DATA", str(tmp_path))
    assert "clay" in catalog.open_dataset("cave").missing()


@pytest.mark.parametrize("name", ["cave", "harvard", "pavia-university", "chikusei", "houston-2013"])
def test_without_files_the_next_step_is_told(monkeypatch, name):
    """Checked against what the data set says of itself, which the message must repeat."""
    monkeypatch.delenv("HSBENCH_DATA", raising=False)
    origin = catalog.about(name).provenance
    with pytest.raises(MissingDataError) as told:
        catalog.open_dataset(name)
    assert origin.licence in str(told.value)
    assert origin.homepage in str(told.value)
    command = f"`hsbench data download {name}`" if origin.downloads else str(data_home(name))
    assert command in str(told.value)


def test_unknown_data_set_gets_a_suggestion():
    with pytest.raises(UsageError, match=r"no data set 'Caves'; did you mean cave\? There are: demo, cave"):
        catalog.open_dataset("Caves")


def test_plugin_is_listed_and_opened(plugins, tmp_path):
    plugins(toy="toys:Toy")
    assert catalog.dataset_names()["toy"] == "plugin of an unnamed distribution"
    assert catalog.open_dataset("toy", tmp_path).data_root == tmp_path


def test_failing_plugin_is_named_and_stops_only_itself(plugins):
    plugins(bad="toys:broken", gone="toys:nothing", number="toys:number")
    with pytest.raises(HsbenchError, match=r"'bad' of an unnamed distribution .*RuntimeError: no luck"):
        catalog.open_dataset("bad")
    with pytest.raises(HsbenchError, match=r"'gone' .*toys:nothing.*AttributeError"):
        catalog.open_dataset("gone")
    with pytest.raises(HsbenchError, match="toys:number gives a int"):
        catalog.open_dataset("number")
    assert isinstance(catalog.open_dataset("demo"), DemoSource)


def test_shipped_names_win_and_the_clash_is_told(plugins):
    plugins(demo="toys:Toy")
    assert isinstance(catalog.open_dataset("demo"), DemoSource)
    assert catalog.dataset_clashes() == ["data set 'demo' of an unnamed distribution is hidden by another of that name"]


def test_plan_of_the_whole_split(cave):
    plan = tasks.plan_scenes(cave, UESTC)
    assert len(plan.asked) == 11
    assert plan.present == ("balloons", "feathers")
    assert not plan.complete
    assert str(plan).startswith("2 of 11 scenes (missing: cd, chart_and_stuffed_toy, clay, fake_and_real_beers,")


def test_plan_of_a_subset(cave):
    plan = tasks.plan_scenes(cave, UESTC, names=["feathers", "balloons"])
    assert plan.asked == plan.present == ("balloons", "feathers")
    assert plan.missing == ()
    assert not plan.complete
    assert str(plan) == "2 of 11 scenes"


def test_plan_names_the_absent_scene_of_a_subset(cave):
    plan = tasks.plan_scenes(cave, UESTC, names=["balloons", "clay"])
    assert plan.missing == ("clay",)
    assert str(plan) == "1 of 11 scenes (missing: clay)"


def test_plan_is_complete_when_every_scene_is_here():
    assert tasks.plan_scenes(DemoSource(), UESTC).complete


def test_plan_of_training_scenes(cave):
    assert tasks.plan_scenes(cave, UESTC, "train").present == ("stuffed_toys",)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "ballons",
            r"no test scene 'ballons'; did you mean balloons\? There are: balloons, cd, .*jelly_beans",
        ),
        ("stuffed_toys", "stuffed_toys is not one of the test scenes of split feinfn-20-11: balloons, cd"),
        ("watercolors", "watercolors is left out of split feinfn-20-11: stored with 8 bits"),
    ],
)
def test_plan_refuses_scenes_that_are_not_in_the_split(cave, name, message):
    with pytest.raises(UsageError, match=message):
        tasks.plan_scenes(cave, UESTC, names=["balloons", name])


def test_data_set_without_a_split():
    source = Toy()
    source.split = None
    with pytest.raises(UsageError, match=r"no split of the data set toy \(it splits cave\)"):
        tasks.split_of(source, UESTC)


def test_reading_a_scene_observes_it():
    scene = Task.over(Toy(), UESTC, 4)["b"]
    assert scene.name == "b"
    # A constant scene stays what it is under a blur and a response that sum to 1.
    np.testing.assert_allclose(scene.observation.lr_hsi, np.full((31, 4, 4), 0.25), rtol=1e-7)
    np.testing.assert_allclose(scene.observation.hr_msi, np.full((3, 16, 16), 0.25), rtol=1e-7)
    with pytest.raises(UsageError, match="not at 5"):
        Task.over(Toy(), UESTC, 5)["b"]


def test_other_wavelengths_than_the_cameras_are_refused():
    source = Toy()
    source.wavelengths = tuple(range(500, 801, 10))
    with pytest.raises(UsageError, match="not for 31 bands at 500, 510"):
        Task.over(source, UESTC, 4, "train")["a"]


@pytest.mark.parametrize(("value", "shown"), [(np.nan, "nan"), (np.inf, "inf"), (-0.25, r"-0\.25"), (1.5, r"1\.5")])
def test_a_bad_value_is_named(value, shown):
    source = Toy()
    cube = source.read("a")
    cube[6, 3, 5] = value
    source.read = lambda name: cube
    with pytest.raises(HsbenchError, match=f"scene a, band 7: the value {shown} at row 3, column 5 "):
        Task.over(source, UESTC, 4, "train")["a"]


@pytest.mark.parametrize("cube", [np.zeros((30, 4, 4), np.float32), np.zeros((31, 4, 4))])
def test_a_bad_array_is_named(cube):
    with pytest.raises(HsbenchError, match=r"scene a: float32 \[31, height, width\] is needed, but it is"):
        check_scene("a", cube, 31)


def test_scene_digest_is_that_of_shape_and_bytes():
    cube = np.arange(8, dtype=np.float32).reshape(2, 2, 2) / 8
    # printf '2 2 2' and the eight floats, little-endian, through sha256sum
    assert scene_digest(cube) == "13ba7af0093ea24a7e5277961ac399ab2f48be6f3caaa4eea5b5f5fd6b8547db"
    assert scene_digest(cube.astype(">f4")) == scene_digest(cube)
    assert scene_digest(np.asfortranarray(cube)) == scene_digest(cube)
    assert scene_digest(cube.reshape(2, 4, 1)) != scene_digest(cube)
