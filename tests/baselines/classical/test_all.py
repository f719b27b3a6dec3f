"""What every classical method owes: more than bicubic, on any scene; a clear word, and never NaN, on bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods import Observation, upsample_bicubic
from hsfusion_bench.methods.options import options_of, with_options
from hsfusion_bench.registry import find
from support.fusion import make_scene, observe, psnr

NAMES = [
    *("brovey", "gsa", "sfim", "mtf-glp-hs", "fuse", "cnmf", "hysure"),
    *("nssr", "cstf", "ltmr", "lttr", "ir-tensr"),
]
#: Small enough for the small images of these tests.
QUICK: dict[str, dict[str, str]] = {
    "cnmf": {"inner": "60"},
    "hysure": {"iterations": "60"},
    "nssr": {"iterations": "12", "atoms": "20"},
    "cstf": {"iterations": "4", "spectral": "6", "spatial": "1"},
    "ltmr": {"iterations": "8", "clusters": "8"},
    "lttr": {"iterations": "8", "clusters": "8"},
    "ir-tensr": {"rounds": "2", "iterations": "6", "inner": "2"},
}


def fused(name: str, observation: Observation, **options: str) -> np.ndarray:
    method = with_options(find(name).load(), QUICK.get(name, {}) | options)
    return method.fuse(observation.seen_by(method.card))


#: Brovey's one intensity for all bands tells nothing of materials that differ in colour alone, as here.
BETTER = [name for name in NAMES if name != "brovey"]


@pytest.mark.parametrize("name", BETTER)
def test_beats_bicubic_on_a_scene_of_low_rank(name):
    scene = make_scene()
    observation = observe(scene)
    before = observation.lr_hsi.copy(), observation.hr_msi.copy()
    result = fused(name, observation)
    assert result.dtype == np.float32
    assert result.shape == scene.shape
    bicubic = upsample_bicubic(observation.lr_hsi, 4, observation.phase)
    assert psnr(scene, result) > psnr(scene, bicubic) + 3
    np.testing.assert_array_equal(before[0], observation.lr_hsi)
    np.testing.assert_array_equal(before[1], observation.hr_msi)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_input_gives_the_same_bits(name):
    observation = observe(make_scene())
    np.testing.assert_array_equal(fused(name, observation), fused(name, observation))


@pytest.mark.parametrize("name", NAMES)
def test_an_even_blur_between_pixels_is_as_good(name):
    scene = make_scene()
    odd, even = observe(scene, side=5), observe(scene, side=4)
    assert even.phase == 1.5
    assert psnr(scene, fused(name, even)) > psnr(scene, fused(name, odd)) - 4


@pytest.mark.parametrize("name", BETTER)
def test_blind_it_still_beats_bicubic(name):
    scene = make_scene(shape=(64, 64))
    observation = observe(scene, msi_bands=3).blind()
    bicubic = upsample_bicubic(observation.lr_hsi, 4, observation.phase)
    assert psnr(scene, fused(name, observation)) > psnr(scene, bicubic) + 1


BAD = {
    "all zero": observe(0 * make_scene()),
    "constant": observe(0 * make_scene() + 0.4),
    "constant bands": observe(make_scene() * (np.arange(16) % 3 > 0)[:, None, None]),
    "one spectrum": observe(make_scene(rank=1)),
    "fewer bands than the other": observe(make_scene(bands=3), msi_bands=5),
    "one band": observe(make_scene(bands=1), msi_bands=1),
    "scale 1": observe(make_scene(), scale=1, side=3, sigma=0.5, phase=0),
    "narrow": observe(make_scene(shape=(64, 8))),
    "tiny": observe(make_scene(shape=(8, 8))),
    "values beyond 1": observe(3 * make_scene() - 0.5),
}


@pytest.mark.parametrize("blind", [False, True], ids=["given", "blind"])
@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("name", NAMES)
def test_bad_input_has_a_defined_answer_or_a_clear_message(name, kind, blind):
    observation = BAD[kind].blind() if blind else BAD[kind]
    try:
        result = fused(name, observation)
    except HsbenchError:
        if not blind:
            raise  # only the cameras may be beyond what such images tell
        return
    assert result.shape == observation.shape
    assert np.isfinite(result).all()
    if kind in {"all zero", "constant"} and not blind:
        np.testing.assert_allclose(result, observation.lr_hsi.mean(), atol=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_every_option_has_a_meaning(name):
    method = find(name).load()
    assert all(len(option.meaning) > 4 for option in options_of(method).values())
    assert "@article" in method.card.reference or "@inproceedings" in method.card.reference


def test_a_blur_that_is_not_finite_is_refused():
    observation = observe(make_scene())
    assert observation.psf is not None
    bad = replace(observation, psf=observation.psf * np.nan)
    with pytest.raises(HsbenchError, match="not finite"):
        fused("fuse", bad)
