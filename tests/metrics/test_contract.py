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
from fractions import Fraction
from functools import partial

import numpy as np
import pytest

import hsfusion_metrics
from hsfusion_metrics import (
    METRICS,
    Indexes,
    NoReference,
    ScaleWarning,
    d_lambda,
    d_s,
    ergas,
    ergas_fused,
    psnr,
    q2n,
    q2n_uncast,
    sam,
    scc,
    score,
    score_no_reference,
    ssim,
    ssim_full,
    summarise,
    uqi,
)

INDEXES: list[Callable[..., object]] = [
    psnr,
    ssim,
    sam,
    partial(ergas, ratio=4),
    partial(ergas_fused, ratio=4),
    ssim_full,
    scc,
    uqi,
    q2n,
    q2n_uncast,
    partial(score, ratio=4),
]


def _no_reference(index: Callable[..., object], sr: np.ndarray, lms: np.ndarray, channel_axis: int = 0) -> object:
    """Call an index of three images, with a band of one for the sharp image."""
    sharp = lms.take([0], channel_axis) if type(channel_axis) is int and -3 <= channel_axis <= 2 else lms
    return index(sr, lms, sharp, ratio=4, channel_axis=channel_axis)


GOOD = np.random.default_rng(0).random((3, 40, 36))


@pytest.mark.parametrize("index", INDEXES)
@pytest.mark.parametrize(
    ("gt", "sr", "error", "says"),
    [
        (GOOD[0], GOOD[0], ValueError, "gt must have three axes"),
        (GOOD[None], GOOD[None], ValueError, "gt must have three axes"),
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


@pytest.mark.parametrize("number", ["4", True, np.True_, None, 4 + 0j, [4.0], np.array([4.0])])
def test_what_is_no_number_is_refused(number: object) -> None:
    lms = 500.0 * np.ones((2, 32, 32))
    with pytest.raises(TypeError, match="const must be a number"):
        psnr(GOOD, GOOD, const=number)
    with pytest.raises(TypeError, match="ratio must be a number"):
        score(GOOD, GOOD, ratio=number)
    with pytest.raises(TypeError, match="ratio must be a number"):
        score_no_reference(lms, lms, lms[:1], ratio=number)


@pytest.mark.parametrize("number", [4, 4.0, np.int8(4), np.float32(4), np.array(4), Fraction(4)])
def test_numbers_of_any_kind_are_taken(number: float) -> None:
    lms = np.random.default_rng(0).integers(1, 2048, (4, 32, 64))
    assert ergas(GOOD, GOOD[::-1], ratio=number) == ergas(GOOD, GOOD[::-1], ratio=4)
    assert score_no_reference(lms, lms, lms[:1], ratio=number) == score_no_reference(lms, lms, lms[:1], ratio=4)


def test_numbers_beyond_float64_are_refused() -> None:
    with pytest.raises(ValueError, match="const must be a positive finite number"):
        psnr(GOOD, GOOD, const=10**400)


def test_an_inverted_ratio_is_refused() -> None:
    with pytest.raises(ValueError, match=r"4 rather than 1/4, not 0\.25"):
        ergas(GOOD, GOOD, ratio=0.25)
    assert ergas(GOOD, GOOD, ratio=1) == 0.0


@pytest.mark.parametrize("count", [1.5, "2", True, None])
def test_workers_are_counted(count: object) -> None:
    with pytest.raises(TypeError, match="workers must be an integer"):
        score(GOOD, GOOD, ratio=4, workers=count)


@pytest.mark.parametrize("index", INDEXES)
def test_masks_are_not_dropped_in_silence(index: Callable[..., object]) -> None:
    masked = np.ma.masked_less(GOOD, 0.5)
    for gt, sr, name in ((masked, GOOD, "gt"), (GOOD, masked, "sr"), (GOOD, list(masked), "sr")):
        with pytest.raises(TypeError, match=f"{name} has masked elements.*crop both images.*filled"):
            index(gt, sr)
    assert index(np.ma.masked_array(GOOD), GOOD[::-1]) == index(GOOD, GOOD[::-1])


def test_masks_are_not_dropped_without_a_reference() -> None:
    lms = np.random.default_rng(0).integers(1, 2048, (4, 32, 64))
    masked = np.ma.masked_less(lms, 9)
    for sr, other, pan, name in (
        (masked, lms, lms[:1], "sr"),
        (lms, masked, lms[:1], "lms"),
        (lms, lms, masked[:1], "pan"),
    ):
        with pytest.raises(TypeError, match=f"{name} has masked elements"):
            score_no_reference(sr, other, pan, ratio=4)


@pytest.mark.parametrize(("value", "dtype"), [(2**53 + 1, np.int64), (-(2**53) - 1, np.int64), (2**63, np.uint64)])
def test_integers_that_float64_does_not_hold_are_refused(value: int, dtype: type) -> None:
    image = np.full((2, 32, 32), value, dtype)
    with pytest.raises(ValueError, match="gt holds integers beyond 2"):
        psnr(image, image)
    assert psnr(np.full_like(image, 2**53), np.full_like(image, 2**53), const=2**53) == math.inf


@pytest.mark.parametrize(
    ("gains", "error", "says"),
    [
        ("0.3", TypeError, "gains must be a number or a sequence"),
        (True, TypeError, "gains must be a number or a sequence"),
        ([[0.3] * 4], TypeError, "gains must be a number or a sequence"),
        (np.array([0.3, 0.3]), ValueError, "2 gains for 4 bands"),
        (np.array([0.3, 0.3, 0.3, np.nan]), ValueError, "between 0 and 1"),
    ],
)
def test_gains(gains: object, error: type[Exception], says: str) -> None:
    lms = np.random.default_rng(0).integers(1, 2048, (4, 32, 64))
    with pytest.raises(error, match=says):
        d_lambda(lms, lms, ratio=4, gains=gains)
    each = [0.3, 0.25, 0.3, 0.2]
    expected = d_lambda(lms, lms, ratio=4, gains=each)
    assert (
        d_lambda(lms, lms, ratio=4, gains=np.array(each)) == d_lambda(lms, lms, ratio=4, gains=tuple(each)) == expected
    )


def test_the_callers_error_state_is_left_alone() -> None:
    lms = np.random.default_rng(0).integers(1, 2048, (4, 32, 64)).astype(float)
    lms[0] = 0.0
    with np.errstate(all="raise"):
        before = np.geterr()
        score_no_reference(lms, lms, lms[1:2], ratio=4, workers=2)
        assert np.geterr() == before
        score(lms, lms, ratio=4, workers=2)
        assert np.geterr() == before
        with pytest.raises(ValueError, match="must have three axes"):
            score(lms[0], lms[0], ratio=4)
        assert np.geterr() == before


COUNTS = np.round(65535 * GOOD)


@pytest.mark.parametrize("index", [psnr, ssim, partial(score, ratio=4)])
@pytest.mark.parametrize(
    ("gt", "sr", "const", "says"),
    [
        (
            COUNTS,
            COUNTS,
            1,
            r"gt reaches 65\d\d\d, far beyond the full scale const = 1,.*: 65535 is the likely full scale",
        ),
        (COUNTS // 16, COUNTS // 16, 255, "4095 is the likely"),
        (COUNTS // 32, COUNTS // 32, 1, "2047 is the likely"),
        (COUNTS // 256, COUNTS // 256, 1, "255 is the likely"),
        (GOOD, COUNTS, 1, r"gt lies about \[0, 1\].* and sr in counts"),
        (COUNTS, GOOD, 65535, r"sr lies about \[0, 1\].* and gt in counts"),
        (GOOD, GOOD, 2047, "far below the full scale const = 2047.*: 1 is the likely"),
    ],
)
def test_a_full_scale_that_is_hardly_meant(
    index: Callable[..., object], gt: np.ndarray, sr: np.ndarray, const: float, says: str
) -> None:
    with pytest.warns(ScaleWarning, match=says) as found:
        index(gt, sr, const=const)
    assert [warning.filename for warning in found] == [__file__]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("gt", "sr", "const"),
    [
        (1.4 * GOOD, GOOD, 1),
        (GOOD, 1e6 * (GOOD > 0.9999), 1),
        (GOOD, 0.001 * GOOD, 1),
        (np.where(GOOD > 0.999, 8.0, GOOD), GOOD, 1),
        (COUNTS // 64, COUNTS // 64, 2047),
        (COUNTS // 16, COUNTS // 16, 65535),
        (0.0 * GOOD, GOOD, 255),
        (np.where(GOOD > 0.999, np.nan, GOOD), np.where(GOOD > 0.999, np.inf, GOOD), 1),
        (np.full_like(GOOD, np.nan), GOOD, 1),
    ],
)
def test_full_scales_that_may_be_meant(gt: np.ndarray, sr: np.ndarray, const: float) -> None:
    score(np.asarray(gt, dtype=float), sr, ratio=4, const=const)


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


MOVED = [*INDEXES, partial(d_lambda, ratio=4), partial(_no_reference, d_s), partial(_no_reference, score_no_reference)]


@pytest.mark.parametrize("axis", [-3, -2, -1, 0, 1, 2])
@pytest.mark.parametrize("index", MOVED)
def test_bands_may_lie_on_any_axis(index: Callable[..., object], axis: int) -> None:
    rng = np.random.default_rng(1)
    gt, sr = 500.0 * rng.random((2, 3, 32, 64))
    moved = [np.ascontiguousarray(np.moveaxis(image, 0, axis)) for image in (gt, sr)]
    before = [image.copy() for image in moved]
    assert index(*moved, channel_axis=axis) == index(gt, sr)
    assert index(*(image.astype(np.float32) for image in moved), channel_axis=axis) == index(
        gt.astype(np.float32), sr.astype(np.float32)
    )
    assert all(np.array_equal(image, kept) for image, kept in zip(moved, before, strict=True))


@pytest.mark.parametrize("index", MOVED)
@pytest.mark.parametrize(
    ("axis", "error"),
    [(3, ValueError), (-4, ValueError), (True, TypeError), (np.False_, TypeError), (1.0, TypeError), (None, TypeError)],
)
def test_bad_axes_are_refused(index: Callable[..., object], axis: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="channel_axis must be"):
        index(np.ones((3, 32, 64)), np.ones((3, 32, 64)), channel_axis=axis)


@pytest.mark.parametrize("index", INDEXES)
def test_images_in_the_other_order_are_refused(index: Callable[..., object]) -> None:
    image = np.zeros((64, 64, 31))
    with pytest.raises(ValueError, match=r"\(64, 64, 31\), which looks like \[H, W, C\].* channel_axis=-1, or .*=-3"):
        index(image, image)
    index(image, image, channel_axis=-1)
    with pytest.raises(ValueError, match=r"\(31, 64, 64\), which looks like \[C, H, W\].* channel_axis=0, or .*=2"):
        index(image.T, image.T, channel_axis=-1)
    index(image.T, image.T)


@pytest.mark.parametrize(
    "shape",
    [(198, 100, 100), (31, 8, 512), (3, 512, 512), (102, 1096, 715), (128, 128, 64), (224, 512, 32), (32, 32, 4)],
)
def test_shapes_that_images_have_are_taken(shape: tuple[int, int, int]) -> None:
    gt = np.full(shape, 0.5)
    assert psnr(gt, gt + 0.01) == pytest.approx(40.0)
    turned = np.moveaxis(gt, 0, -1)
    assert psnr(turned, turned + 0.01, channel_axis=-1) == pytest.approx(40.0)


@pytest.mark.parametrize(("shape", "axis"), [((100, 100, 40), -3), ((40, 100, 100), 2)])
def test_an_axis_by_its_other_number_is_taken_at_its_word(shape: tuple[int, int, int], axis: int) -> None:
    gt = np.random.default_rng(0).random(shape)
    moved = np.moveaxis(gt, axis, 0)
    assert score(gt, 0.9 * gt, ratio=4, channel_axis=axis) == score(
        np.ascontiguousarray(moved), np.ascontiguousarray(0.9 * moved), ratio=4, channel_axis=-3
    )


def test_the_older_names_go_on() -> None:
    assert hsfusion_metrics.evaluate is score
    assert hsfusion_metrics.evaluate_no_reference is score_no_reference


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


def test_what_has_no_common_mean_is_refused() -> None:
    one = Indexes(*range(7))
    with pytest.raises(TypeError, match="in a list"):
        summarise(one)
    with pytest.raises(TypeError, match="no common mean"):
        summarise([one, NoReference(0.1, 0.1, 0.8)])


def test_memory_stays_far_under_four_times_the_pair() -> None:
    gt = np.random.default_rng(0).random((16, 512, 512))
    sr = gt[::-1].copy()
    pair = gt.nbytes + sr.nbytes
    tracemalloc.start()
    score(gt, sr, ratio=4)
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
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("hsfusion"):
            raise
        pytest.skip(f"{module} needs {error.name}, which is not here")
    assert doctest.testmod(sys.modules[module]).failed == 0


def test_it_stands_on_numpy_and_scipy_alone() -> None:
    program = (
        "import sys, hsfusion_metrics\n"
        "others = ('torch', 'hsfusion_bench', 'skimage', 'pandas', 'h5py')\n"
        "print([name for name in others if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
