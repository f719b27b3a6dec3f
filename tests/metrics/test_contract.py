"""What the indexes accept, refuse and cost."""

from __future__ import annotations

import doctest
import importlib
import math
import pkgutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

import hsfusion_metrics
from hsfusion_metrics import (
    METRICS,
    Indexes,
    ergas,
    evaluate,
    psnr,
    q2n,
    q2n_uncast,
    sam,
    scc,
    ssim,
    summarise,
    uqi,
)

INDEXES: list[Callable[..., object]] = [
    psnr,
    ssim,
    sam,
    partial(ergas, ratio=4),
    scc,
    uqi,
    q2n,
    q2n_uncast,
    partial(evaluate, ratio=4),
]
GOOD = np.random.default_rng(0).random((3, 40, 36))


@pytest.mark.parametrize("index", INDEXES)
@pytest.mark.parametrize(
    ("gt", "sr", "error", "says"),
    [
        (GOOD[0], GOOD[0], ValueError, "gt must have the axes"),
        (GOOD[None], GOOD[None], ValueError, "gt must have the axes"),
        (GOOD, GOOD[:2], ValueError, "one shape"),
        (GOOD, GOOD[:, :1], ValueError, "one shape"),
        (GOOD[:, :0], GOOD[:, :0], ValueError, "empty"),
        (GOOD, GOOD + 1j, TypeError, "sr must be real"),
        (GOOD > 0.5, GOOD, TypeError, "gt must be real"),
        (GOOD.astype(object), GOOD, TypeError, "gt must be real"),
        (GOOD, "sr.mat", TypeError, "sr must be real"),
    ],
)
def test_bad_images_are_refused(
    index: Callable[..., object], gt: object, sr: object, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        index(gt, sr)


@pytest.mark.parametrize("number", [0, -1.0, math.nan, math.inf])
def test_bad_numbers_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="const"):
        psnr(GOOD, GOOD, const=number)
    with pytest.raises(ValueError, match="const"):
        ssim(GOOD, GOOD, const=number)
    with pytest.raises(ValueError, match="ratio"):
        ergas(GOOD, GOOD, ratio=number)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint8, ">f8"])
@pytest.mark.parametrize("index", INDEXES)
def test_other_real_types_are_computed_in_float64(index: Callable[..., object], dtype: object) -> None:
    gt, sr = (255 * GOOD).astype(dtype), (255 * GOOD[::-1]).astype(dtype)
    before = gt.copy(), sr.copy()
    assert index(gt, sr) == index(gt.astype(np.float64), sr.astype(np.float64))
    assert all(np.array_equal(image, kept) for image, kept in zip((gt, sr), before, strict=True))


@pytest.mark.parametrize("index", INDEXES)
def test_the_images_are_left_alone(index: Callable[..., object]) -> None:
    gt, sr = GOOD.copy(), GOOD[::-1].copy()
    gt.flags.writeable = sr.flags.writeable = False
    index(gt, sr)
    assert np.array_equal(gt, GOOD)
    assert np.array_equal(sr, GOOD[::-1])


@pytest.mark.parametrize("index", INDEXES)
def test_the_layout_in_memory_does_not_matter(index: Callable[..., object]) -> None:
    gt, sr = GOOD, GOOD[::-1]
    turned = [np.ascontiguousarray(image.transpose(2, 1, 0)).transpose(2, 1, 0) for image in (gt, sr)]
    assert np.allclose(index(*turned), index(gt, sr), rtol=1e-13, atol=0)


def test_small_images_end_as_the_script_says() -> None:
    assert ssim(GOOD[:, :10], GOOD[:, :10]) == -math.inf
    assert ssim(GOOD[:, :11], GOOD[:, :11]) == pytest.approx(1.0)
    assert math.isnan(uqi(GOOD[:, :31], GOOD[:, :31]))
    assert uqi(GOOD[:, :32], GOOD[:, :32]) == 1.0
    assert math.isnan(scc(GOOD[:, :2], GOOD[:, :2]))
    assert q2n(GOOD[:, :16], GOOD[:, :16]) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="at least 16 x 16 pixels, these are 15 x 36"):
        q2n(GOOD[:, :15], GOOD[:, :15])


def test_deviation_is_matlabs() -> None:
    batch = [Indexes(psnr, 1.0, 0.0, math.inf, math.nan, 1.0, 1.0) for psnr in (40.0, 42.0, 47.0)]
    summary = summarise(iter(batch))
    assert list(summary) == list(METRICS) == list(Indexes._fields)
    assert summary["psnr"] == pytest.approx((43.0, math.sqrt(13.0)))
    assert summary["ssim"] == (1.0, 0.0)
    assert summary["ergas"] == pytest.approx((math.inf, math.nan), nan_ok=True)
    assert summary["scc"] == pytest.approx((math.nan, math.nan), nan_ok=True)


def test_deviation_of_one_image() -> None:
    summary = summarise([Indexes(math.inf, 0.5, 0.0, 0.0, 1.0, math.nan, 1.0)])
    assert summary["ssim"] == (0.5, 0.0)
    assert summary["psnr"] == pytest.approx((math.inf, math.nan), nan_ok=True)
    assert summary["uqi"] == pytest.approx((math.nan, math.nan), nan_ok=True)


def test_no_image_has_no_summary() -> None:
    with pytest.raises(ValueError, match="no image"):
        summarise([])


def test_memory_stays_far_under_four_times_the_pair() -> None:
    gt = np.random.default_rng(0).random((16, 512, 512))
    sr = gt[::-1].copy()
    pair = gt.nbytes + sr.nbytes
    tracemalloc.start()
    evaluate(gt, sr, ratio=4)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert pair + peak < 1.5 * pair


@pytest.mark.parametrize(
    "module",
    [
        "hsfusion_metrics",
        *(f"hsfusion_metrics.{m.name}" for m in pkgutil.iter_modules(hsfusion_metrics.__path__)),
    ],
)
def test_examples_run(module: str) -> None:
    # Modules and functions share names in the package, so the module is taken from the table of imports.
    importlib.import_module(module)
    assert doctest.testmod(sys.modules[module]).failed == 0


def test_it_stands_on_numpy_and_scipy_alone() -> None:
    program = (
        "import sys, hsfusion_metrics\n"
        "others = ('torch', 'hsfusion_bench', 'skimage', 'pandas', 'h5py')\n"
        "print([name for name in others if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
