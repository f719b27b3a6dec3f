"""The embedded data set: the same everywhere, and a fair miniature of CAVE."""

import numpy as np
import pytest

from hsfusion_bench.data.observing.protocols import load_protocol
from hsfusion_bench.data.scenes import check_scene, scene_digest
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.errors import UsageError
from hsfusion_bench.methods.resize import upsample_bicubic

SOURCE = DemoSource()
NAMES = SOURCE.scene_names()


@pytest.fixture(scope="module")
def cubes():
    return {name: SOURCE.read(name) for name in NAMES}


def test_split_covers_the_scenes():
    assert (*SOURCE.split.train, *SOURCE.split.test) == NAMES
    assert (len(SOURCE.split.train), len(SOURCE.split.test)) == (6, 3)


def test_scenes_are_what_they_were(cubes):
    # Stored, so that a platform or a NumPy that draws another picture is noticed.
    assert scene_digest(cubes["apples"]) == "a0c924018d0e16b2822a4a01d5cd75945a52df93cd6e8a6d2d7e5def3d880933"
    assert scene_digest(cubes["figs"]) == "1ca0f536a3a7ef18b4ecd5a8d2544183b8a6e6b81517ef4e3e4bdb83a00ced99"


def test_no_two_scenes_are_alike(cubes):
    for first in NAMES:
        for second in NAMES:
            if first < second:
                assert np.corrcoef(cubes[first][15].ravel(), cubes[second][15].ravel())[0, 1] < 0.9


@pytest.mark.parametrize("name", NAMES)
def test_values_are_sixteen_bit_and_in_range(cubes, name):
    cube = cubes[name]
    assert cube.shape == (31, 128, 128)
    check_scene(name, cube, 31)
    levels = cube.astype(float) * 65535
    assert np.abs(levels - np.rint(levels)).max() < 0.01


@pytest.mark.parametrize("name", NAMES)
def test_scenes_have_dark_and_bright_areas(cubes, name):
    cube = cubes[name]
    assert 0.05 < cube.mean() < 0.2
    assert cube.max() > 0.8
    assert 0.02 < (cube.max(axis=0) < 0.05).mean() < 0.4  # dark areas
    assert cube[0].mean() < 0.5 * cube[12:].mean()  # less light at 400 nm


@pytest.mark.parametrize("name", NAMES)
def test_spectra_are_smooth(cubes, name):
    # The second difference over the bands, relative to the values; white noise would give a ratio above 1.
    cube = cubes[name].astype(float)
    bend = cube[2:] - 2 * cube[1:-1] + cube[:-2]
    assert np.sqrt((bend**2).mean() / (cube**2).mean()) < 0.05


@pytest.mark.parametrize("name", NAMES)
def test_scenes_have_edges_and_many_materials(cubes, name):
    cube = cubes[name].astype(float)
    steps = np.abs(np.diff(cube[15], axis=1))
    assert np.quantile(steps, 0.5) < 0.01 < 0.1 < steps.max()
    values = np.linalg.svd(cube.reshape(31, -1), compute_uv=False)
    assert values[5] > 0.01 * values[0]  # not a mixture of a handful of spectra


@pytest.mark.parametrize("name", SOURCE.split.test)
@pytest.mark.parametrize(("scale", "low", "high"), [(4, 28, 35), (8, 24, 33)])
def test_bicubic_scores_what_it_scores_on_cave(cubes, name, scale, low, high):
    # Ranges of the 11 test scenes of CAVE: 27.6 to 38.5 dB at x4, 23.6 to 33.4 at x8.
    cube = cubes[name].astype(float)
    observation = load_protocol("uestc").observe(cubes[name], scale)
    error = cube - upsample_bicubic(observation.lr_hsi, scale)
    psnr = np.mean(-10 * np.log10((error**2).mean(axis=(1, 2))))
    assert low < psnr < high


def test_unknown_scene():
    with pytest.raises(UsageError, match="no demo scene 'apple'; did you mean apples"):
        SOURCE.read("apple")
