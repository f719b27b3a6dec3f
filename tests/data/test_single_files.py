"""A cube in a file, and files of samples, as data sets."""

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from hsfusion_bench.data.catalog import open_dataset
from hsfusion_bench.data.observing.protocols import load_protocol
from hsfusion_bench.data.observing.responses import WAVELENGTHS
from hsfusion_bench.data.scenes import scene_digest
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.data.task import Task, plan_scenes
from hsfusion_bench.errors import HsbenchError, UsageError

UESTC = load_protocol("uestc")
CUBE = np.random.default_rng(5).random((5, 20, 24)).astype(np.float32)
MATLABS = CUBE.transpose(1, 2, 0)


def matlab(path, **variables):
    savemat(path, variables, do_compression=True)


def matlab73(path, **variables):
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in variables.items():
            file.create_dataset(name, data=np.asarray(values).T).attrs["MATLAB_class"] = np.bytes_("double")


# -- mat:


@pytest.mark.parametrize("write", [matlab, matlab73])
def test_a_cube_is_one_scene_that_tests(tmp_path, write):
    write(tmp_path / "Meadow 1.mat", X=MATLABS, map=np.eye(20))
    source = open_dataset(f"mat:{tmp_path}/Meadow 1.mat")
    assert (source.name, source.bands, source.wavelengths) == ("mat:Meadow 1.mat", 5, ())
    assert (source.split.train, source.split.test) == ((), ("Meadow 1",))
    assert plan_scenes(source, UESTC).present == ("Meadow 1",)
    np.testing.assert_array_equal(source.read("Meadow 1"), CUBE)
    assert source.files("Meadow 1") == (tmp_path / "Meadow 1.mat",)
    with pytest.raises(UsageError, match="'Meadow'; did you mean Meadow 1"):
        source.read("Meadow")


def test_a_key_names_the_array(tmp_path):
    matlab(tmp_path / "two.mat", a=MATLABS / 2, b=MATLABS, c=MATLABS / 3)
    np.testing.assert_array_equal(open_dataset(f"mat:{tmp_path}/two.mat:a").read("two"), CUBE / 2)
    np.testing.assert_array_equal(open_dataset(f"mat:{tmp_path}/two.mat").read("two"), CUBE)  # "b" is a usual name
    with pytest.raises(HsbenchError, match=r"two\.mat has no array 'd'; it holds a \[20, 24, 5\], b"):
        open_dataset(f"mat:{tmp_path}/two.mat:d")


@pytest.mark.parametrize(
    ("wavelengths", "expected"),
    [
        ([400, 500, 600, 700, 800], (400, 500, 600, 700, 800)),
        ([0.4, 0.5, 0.6, 1.7, 2.5], (400, 500, 600, 1700, 2500)),  # micrometres
        ([1, 2, 3, 4, 5], ()),  # numbers of bands
        ([30, 40, 50, 60, 70], ()),  # what not
        ([400, 500, np.nan, 700, 800], ()),
        ([700, 600, 500, 450, 400], (700, 600, 500, 450, 400)),
        ([400, 500], ()),
    ],
)
@pytest.mark.parametrize("key", ["wavelength", "Wavelengths", "lambda"])
def test_wavelengths_beside_a_cube_are_its_own(tmp_path, key, wavelengths, expected):
    matlab(tmp_path / "x.mat", X=MATLABS, **{key: np.array(wavelengths, float)[None]})
    assert open_dataset(f"mat:{tmp_path}/x.mat").wavelengths == expected


def test_a_cube_with_wavelengths_is_observed(tmp_path):
    melons = DemoSource().read("melons")
    matlab(tmp_path / "melons.mat", rad=melons.transpose(1, 2, 0), wavelength=np.array(WAVELENGTHS))
    ours = Task.over(DemoSource(), UESTC, 4)["melons"]
    theirs = Task.over(open_dataset(f"mat:{tmp_path}/melons.mat"), UESTC, 4)["melons"]
    assert scene_digest(theirs.hr_hsi) == scene_digest(ours.hr_hsi)
    np.testing.assert_array_equal(theirs.observation.hr_msi, ours.observation.hr_msi)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((64, 64, 31), "HWC"),
        ((31, 64, 64), "CHW"),
        ((40, 40, 198), "HWC"),
        ((60, 50, 40), "HWC"),
        ((64, 31, 64), "HCW"),
    ],
)
def test_axes_follow_from_equal_sides_or_the_shortest_last_one(tmp_path, shape, axes):
    np.save(tmp_path / "x.npy", np.zeros(shape, np.float32))
    assert open_dataset(f"mat:{tmp_path}/x.npy").bands == shape[axes.index("C")]


@pytest.mark.parametrize("shape", [(31, 40, 50), (50, 40, 60), (20, 20, 20)])
def test_axes_that_cannot_be_told_are_asked_for(tmp_path, shape):
    np.save(tmp_path / "x.npy", np.zeros(shape, np.float32))
    with pytest.raises(
        HsbenchError, match=r'x\.npy .* may be CHW or HCW or HWC: say which in a TOML file .* layout = "'
    ):
        open_dataset(f"mat:{tmp_path}/x.npy")


@pytest.mark.parametrize(
    ("cube", "words"),
    [
        (MATLABS * 5437, r"X of .*x\.mat: the values, from .* to 543\d\.\d+, are not in \[0, 1\].*TOML.* const = "),
        (MATLABS - 0.5, r"the values, from -0\.49\d+ to 0\.\d+, are not in \[0, 1\]"),
        ((MATLABS * 65535).astype(np.uint16), r"are not in \[0, 1\]"),
        (
            np.where(MATLABS[3, 4, 1] == MATLABS, np.nan, MATLABS),
            r"X of .*: 1 values are NaN or infinite, the first \(nan\) in band 2 at row 3, column 4",
        ),
    ],
)
def test_values_that_are_no_fractions_are_not_guessed(tmp_path, cube, words):
    matlab(tmp_path / "x.mat", X=cube)
    with pytest.raises(HsbenchError, match=words):
        open_dataset(f"mat:{tmp_path}/x.mat").read("x")


def test_files_that_are_not_named_or_not_there():
    with pytest.raises(UsageError, match="needs a file, as in mat:"):
        open_dataset("mat:")
    with pytest.raises(UsageError, match="needs a file, as in h5:"):
        open_dataset("h5:")
    with pytest.raises(HsbenchError, match=r"nowhere\.mat: there is no such file"):
        open_dataset("mat:nowhere.mat:key")


# -- h5:


@pytest.fixture
def samples(tmp_path):
    """Write two of the demo's scenes as the authors of FeINFN write theirs."""
    scenes = [Task.over(DemoSource(), UESTC, 4)[name] for name in ("figs", "melons")]
    path = tmp_path / "test_cave(with_up)x4.h5"
    with h5py.File(path, "w") as file:
        file["GT"] = np.stack([scene.hr_hsi for scene in scenes]).astype(np.float64)
        file["LRHSI"] = np.stack([scene.observation.lr_hsi for scene in scenes])
        file["RGB"] = np.stack([scene.observation.hr_msi for scene in scenes])
        file["HSI_up"] = np.zeros_like(file["GT"])
    return path


def test_samples_are_scenes(samples):
    source = open_dataset(f"h5:{samples}")
    assert (source.name, source.bands) == ("h5:test_cave(with_up)x4.h5", 31)
    assert (source.wavelengths, source.split.test) == (WAVELENGTHS, ("1", "2"))
    for name, original in (("1", "figs"), ("2", "melons")):
        scene = Task.over(source, UESTC, 4)[name]
        assert scene_digest(scene.hr_hsi) == scene_digest(DemoSource().read(original))
        stored = source.stored_observation(name)
        np.testing.assert_array_equal(stored.lr_hsi, scene.observation.lr_hsi)
        np.testing.assert_array_equal(stored.hr_msi, scene.observation.hr_msi)
    with pytest.raises(UsageError, match=r"no sample of .*'3'"):
        source.read("3")


def test_only_one_sample_is_read(samples, monkeypatch):
    read = []
    original = h5py.Dataset.__getitem__
    monkeypatch.setattr(
        h5py.Dataset,
        "__getitem__",
        lambda self, index: read.append(original(self, index).nbytes) or original(self, index),
    )
    open_dataset(f"h5:{samples}").read("2")
    assert sum(read) <= 31 * 128 * 128 * 8


@pytest.mark.parametrize("key", ["GT", "LRHSI", "RGB"])
def test_a_missing_key_is_named(samples, key):
    with h5py.File(samples, "a") as file:
        del file[key]
    with pytest.raises(HsbenchError, match=rf"x4\.h5 has no dataset '{key}'; it holds .*HSI_up \[2, 31, 128, 128\]"):
        open_dataset(f"h5:{samples}")


def test_datasets_of_other_samples_are_named(samples):
    with h5py.File(samples, "a") as file:
        del file["RGB"]
        file["RGB"] = np.zeros((1, 3, 128, 128))
    with pytest.raises(HsbenchError, match=r"RGB \[1, 3, 128, 128\] do not fit each other: .* \[N, C, H, W\] of one N"):
        open_dataset(f"h5:{samples}")


def test_wavelengths_of_other_samples_are_unknown(samples):
    other = samples.rename(samples.with_name("chikusei.h5"))
    assert open_dataset(f"h5:{other}").wavelengths == ()
