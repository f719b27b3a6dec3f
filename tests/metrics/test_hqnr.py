"""The indexes without a reference, against what the MATLAB script returned."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hsfusion_metrics import (
    NYQUIST_GAINS,
    ScaleWarning,
    d_lambda,
    d_s,
    no_reference_doubt,
    score_no_reference,
    summarise,
)

FOLDER = Path(__file__).parent / "goldens"
CASES = json.loads((FOLDER / "unref.json").read_text())["cases"]
GOOD = np.random.default_rng(0).integers(1, 2048, (4, 64, 32)).astype(float)
PAN = GOOD.mean(axis=0, keepdims=True)


def batch(name: str) -> list[np.ndarray]:
    with np.load(FOLDER / "unref.npz") as stored:
        return [stored[f"{name}_{image}"] / CASES[name]["scale"] for image in ("sr", "lms", "pan")]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", list(CASES))
def test_mean_and_deviation_equal_the_script(name: str, workers: int) -> None:
    case = CASES[name]
    gains = NYQUIST_GAINS.get(case["sensor"], 0.3)
    found = summarise(
        score_no_reference(*images, ratio=case["ratio"], gains=gains, workers=workers)
        for images in zip(*batch(name), strict=True)
    )
    for index, field in {"d_lambda": "d_lambda", "d_s": "d_s", "hqnr": "qnr_index"}.items():
        assert list(found[index]) == pytest.approx(case[field], rel=1e-10, abs=1e-14), index


def test_of_the_scripts_indexes_d_lambda_alone_depends_on_a_common_factor() -> None:
    # The script was given values in [0, 1] here: as counts they have its D_s, and another D_lambda.
    case, pairs = CASES["unit_range"], list(zip(*batch("unit_range"), strict=True))
    counts = [[10_000 * image for image in images] for images in pairs]
    spatial, spectral = (
        np.array([index(*images) for images in counts])
        for index in (
            lambda sr, lms, pan: d_s(sr, lms, pan, ratio=case["ratio"]),
            lambda sr, lms, pan: d_lambda(sr, lms, ratio=case["ratio"]),
        )
    )
    assert spatial.mean() == pytest.approx(case["d_s"][0], rel=1e-10)
    assert abs(spectral.mean() - case["d_lambda"][0]) > 0.1
    # in counts rounding leaves the image, and so the index, as they are
    finer = np.array([d_lambda(3 * sr, 3 * lms, ratio=case["ratio"]) for sr, lms, _ in counts])
    assert finer == pytest.approx(spectral, abs=1e-3)


@pytest.mark.parametrize(
    ("factors", "says"),
    [
        ((1 / 2048, 1 / 2048, 1 / 2048), r"lms lies between 0\.0\d+ and 0\.9\d+ .*made for counts\. Multiply"),
        ((1 / 300, 1 / 300, 1 / 300), r"moves the values by 1\d % of their deviation"),
        ((1, 1, 1 / 2048), r"pan lies about \[0, 1\].* and sr in counts"),
        ((1 / 2048, 1, 1), r"sr lies about \[0, 1\].* and lms in counts"),
        ((1000, 1000, 1000), r"9\d % of lms lie beyond 0 to 65535, at which D_lambda clips"),
    ],
)
def test_values_that_are_no_counts(factors: tuple[float, float, float], says: str) -> None:
    images = [factor * image for factor, image in zip(factors, (GOOD, GOOD, PAN), strict=True)]
    with pytest.warns(ScaleWarning, match=says) as found:
        score_no_reference(*images, ratio=4)
    assert [warning.filename for warning in found] == [__file__]
    if len(set(factors)) == 1:
        with pytest.warns(ScaleWarning, match=says):
            d_lambda(*images[:2], ratio=4)


@pytest.mark.parametrize(
    "lms",
    [
        GOOD + 0.5,
        GOOD // 8 + 0.3,
        32 * GOOD,
        np.where(GOOD > 2000, 1e6, GOOD),
        np.where(GOOD > 2000, np.nan, GOOD),
        np.full_like(GOOD, 0.5),
        np.full_like(GOOD, np.nan),
    ],
)
def test_counts_are_not_doubted(lms: np.ndarray) -> None:
    assert no_reference_doubt(lms, lms, lms[:1]) is None


def test_a_pan_without_detail_shows_no_spatial_distortion() -> None:
    # Reducing and interpolating leaves it nearly as it is, so that both likenesses are the same.
    smooth = 100.0 + 50.0 * np.cos(2 * np.pi * np.arange(64) / 64)[:, None] * np.ones(32)
    found = d_s(GOOD, GOOD, smooth[None], ratio=2)
    assert 0.0 <= found < 1e-3


def test_blocks_without_contrast_have_no_value() -> None:
    flat = np.full((2, 32, 64), 5.0)
    assert np.isnan(d_s(flat, flat, flat[:1], ratio=4))


def test_one_gain_for_all_bands_is_that_gain_for_each() -> None:
    assert d_lambda(GOOD, GOOD, ratio=4, gains=0.25) == d_lambda(GOOD, GOOD, ratio=4, gains=[0.25] * 4)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"ratio": 8}, "defined for the ratios 2 and 4, not 8"),
        ({"ratio": 3}, "defined for the ratios 2 and 4, not 3"),
        ({"sr": GOOD[:3]}, r"sr and lms must have one shape: sr \(3, 64, 32\), lms \(4, 64, 32\)"),
        ({"pan": GOOD}, r"pan must be one band of the estimate's size, \(1, 64, 32\)"),
        ({"pan": PAN[:, :32]}, r"pan must be one band of the estimate's size, \(1, 64, 32\)"),
        ({"sr": GOOD[:, :40], "lms": GOOD[:, :40], "pan": PAN[:, :40]}, "multiples of 32 pixels, these are 40 x 32"),
        ({"gains": [0.3, 0.3]}, "there are 2 gains for 4 bands"),
        ({"gains": 1.0}, "lie between 0 and 1, not 1.0"),
    ],
)
def test_refusals(changed: dict, says: str) -> None:
    arguments = {"sr": GOOD, "lms": GOOD, "pan": PAN, "ratio": 4} | changed
    with pytest.raises(ValueError, match=says):
        score_no_reference(**arguments)
