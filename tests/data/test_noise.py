"""Noise: its strength by the definition, and that nothing but scene, camera and seed decides it."""

import numpy as np
import pytest

from hsfusion_bench.data.observing.noise import Noise
from hsfusion_bench.errors import UsageError


@pytest.fixture(scope="module")
def image():
    # bands of quite different brightness, one of them black
    return np.random.default_rng(0).random((4, 200, 200)) * np.array([1.0, 0.1, 0.01, 0.0])[:, None, None]


@pytest.mark.parametrize("decibels", [10, 35])
def test_every_band_has_the_ratio_that_was_asked_for(image, decibels):
    noise = Noise(decibels).add(image, "hsi", "a") - image
    power, of_noise = (image**2).mean(axis=(1, 2)), noise.var(axis=(1, 2))
    measured = 10 * np.log10(power[:3] / of_noise[:3])
    np.testing.assert_allclose(measured, decibels, atol=0.1)  # 40000 samples: 0.03 dB
    assert not noise[3].any()


def test_it_is_white_and_gaussian(image):
    noise = (Noise(20).add(image, "hsi", "a") - image)[:3]
    noise /= noise.std(axis=(1, 2), keepdims=True)
    assert abs(noise.mean()) < 0.02
    assert (noise**4).mean() == pytest.approx(3, abs=0.1)
    for moved in (np.roll(noise, 1, 0), np.roll(noise, 1, 1), np.roll(noise, 1, 2)):
        assert abs((noise * moved).mean()) < 0.02


def test_scene_camera_and_seed_decide_it(image):
    noise = Noise(30, 30)
    first = noise.add(image, "hsi", "a")
    np.testing.assert_array_equal(noise.add(image, "hsi", "a"), first)
    others = [
        noise.add(image, "hsi", "b"),
        noise.add(image, "msi", "a"),
        Noise(30, 30, seed=1).add(image, "hsi", "a"),
    ]
    for other in others:
        assert (other[0] != first[0]).mean() > 0.99


def test_a_camera_without_a_ratio_stays_clean(image):
    np.testing.assert_array_equal(Noise(30).add(image, "msi", "a"), image)


def test_names_are_as_different_as_the_noises():
    noises = [Noise(35), Noise(None, 35), Noise(35, 40), Noise(35, -40), Noise(35.000001, 40), Noise(35, 40, 7)]
    assert [noise.id for noise in noises[:4]] == ["snr35-inf", "snrinf-35", "snr35-40", "snr35-m40"]
    assert len({noise.id for noise in noises}) == len(noises)


def test_noise_of_nothing_is_refused():
    with pytest.raises(UsageError, match="needs a signal-to-noise ratio"):
        Noise()
    with pytest.raises(UsageError, match="finite number of decibels"):
        Noise(float("inf"))
