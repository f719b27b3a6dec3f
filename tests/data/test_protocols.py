"""Protocols: what they observe, what they refuse, and digests that tell them apart."""

from dataclasses import replace

import numpy as np
import pytest

from hsfusion_bench.data import cave
from hsfusion_bench.data.protocols import Split, load_protocol, protocol_names
from hsfusion_bench.errors import HsbenchError, UsageError


@pytest.fixture
def uestc():
    return load_protocol("uestc")


@pytest.fixture
def cube():
    return np.random.default_rng(6).random((31, 16, 24)).astype(np.float32)


def test_uestc_splits_the_cave_scenes(uestc):
    split = uestc.splits["cave"]
    assert (len(split.train), len(split.test), list(split.excluded)) == (20, 11, ["watercolors"])
    assert sorted([*split.train, *split.test, *split.excluded]) == list(cave.SCENES)


@pytest.mark.parametrize(("scale", "first"), [(4, 2), (8, 4)])
def test_lr_pixel_is_a_weighted_sum_of_nine(uestc, cube, scale, first):
    observation = uestc.observe(cube, scale)
    near = np.exp(-2.0)
    weights = np.outer([near, 1, near], [near, 1, near]) / (1 + 2 * near) ** 2
    for band, k, m in np.ndindex(31, 16 // scale, 24 // scale):
        i, j = scale * k + first, scale * m + first
        around = cube[band, i - 1 : i + 2, j - 1 : j + 2].astype(float)
        assert observation.lr_hsi[band, k, m] == np.float32((weights * around).sum())
    assert (observation.scale, observation.phase) == (scale, first)
    np.testing.assert_allclose(observation.psf, weights, rtol=1e-6)


def test_hr_msi_is_the_response_times_the_scene(uestc, cube):
    observation = uestc.observe(cube, 4)
    expected = np.einsum("cb,bij->cij", uestc.srf, cube.astype(float))
    np.testing.assert_allclose(observation.hr_msi, expected, rtol=1e-6)
    np.testing.assert_allclose(observation.srf, uestc.srf, rtol=1e-7)
    arrays = (observation.lr_hsi, observation.hr_msi, observation.psf, observation.srf)
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


@pytest.mark.parametrize("boundary", ["reflect-101", "symmetric", "circular"])
@pytest.mark.parametrize("scale", [4, 8])
def test_no_sampled_pixel_reaches_the_border(uestc, cube, boundary, scale):
    # The protocol's note claims that its boundary rule cannot be told from the numbers.
    other = replace(uestc, blur=replace(uestc.blur, boundary=boundary))
    np.testing.assert_array_equal(other.observe(cube, scale).lr_hsi, uestc.observe(cube, scale).lr_hsi)


def test_observe_refuses_another_scale(uestc, cube):
    with pytest.raises(UsageError, match="uestc is defined at scale 4 and 8, not at 3"):
        uestc.observe(cube, 3)


def test_observe_refuses_a_scale_that_does_not_divide(uestc, cube):
    with pytest.raises(UsageError, match=r"16 x 20 pixels cannot be reduced by 8; .*uestc, 4 would do"):
        uestc.observe(cube[:, :, :20], 8)
    with pytest.raises(UsageError, match=r"15 x 24 pixels cannot be reduced by 4; .*none would do"):
        uestc.observe(cube[:, :15], 4)


def test_observe_refuses_another_number_of_bands(uestc, cube):
    with pytest.raises(UsageError, match=r"sees 31 bands .* but the image has 30"):
        uestc.observe(cube[:30], 4)


def test_unknown_protocol_gets_a_suggestion():
    assert "uestc" in protocol_names()
    with pytest.raises(UsageError, match="no protocol 'uetsc'; did you mean uestc"):
        load_protocol("uetsc")


def test_digest_depends_on_what_decides_an_observation_and_on_nothing_else(uestc):
    # Stored: a record made today must find its protocol again.
    assert uestc.digest(4) == "fe8bbca8e1bde8f6ce77ee86b8c5ed7bd2a150aade8de47616176b81688ea860"
    assert uestc.digest(8) == "03dffd32233cf1b40d3de968e21e45643a03e639a9c9bd87682f0a1654b21c2c"
    assert replace(uestc, title="x", source="y", patch=1, version=9, splits={}).digest(4) == uestc.digest(4)
    changed = [
        replace(uestc, blur=replace(uestc.blur, sigma=0.6)),
        replace(uestc, blur=replace(uestc.blur, boundary="circular")),
        replace(uestc, phase={4: 1, 8: 4}),
        replace(uestc, response="B"),
        replace(uestc, value_range=(0.0, 2.0)),
    ]
    assert len({protocol.digest(4) for protocol in (uestc, *changed)}) == 6
    with pytest.raises(UsageError, match="not at 16"):
        uestc.digest(16)


def test_split_digest_ignores_order_and_names_of_the_split(uestc):
    assert uestc.splits["cave"].digest == "3772a8609f52d717dee495965ad28d738ae9eda5f3d91edfe29ea25f11e816ef"
    assert Split("x", ("a", "b"), ("c",)).digest == Split("y", ("b", "a"), ("c",), {"d": "dull"}).digest
    assert Split("x", ("a", "b"), ("c",)).digest != Split("x", ("a",), ("b", "c")).digest


def test_split_refuses_a_scene_in_both_parts():
    with pytest.raises(HsbenchError, match="'x' names b more than once"):
        Split("x", ("a", "b"), ("b",))


def test_split_has_two_parts(uestc):
    with pytest.raises(UsageError, match="not 'validation'"):
        uestc.splits["cave"].scenes("validation")
