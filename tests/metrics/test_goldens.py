"""Every index against what the MATLAB script printed."""

from __future__ import annotations

import pytest

from hsfusion_metrics import METRICS, Indexes, score, summarise
from support import goldens

DOUBLE = [name for name in goldens.batch_names() if name != "cave_like_single"]

# Of a single-precision file the script itself computes PSNR, SAM, SCC and UQI in single precision, 6e-8 a
# step and worst where UQI takes differences of sums; the other values are double, but noted down as single.
SINGLE = {"psnr": 1e-5, "ssim": 1e-7, "sam": 1e-5, "ergas": 1e-7, "scc": 1e-6, "uqi": 1e-4, "q2n": 1e-7}


def near(value: float, relative: float = 1e-10) -> object:
    # The absolute part is for zeros that one engine meets exactly and the other within its rounding.
    return pytest.approx(value, rel=relative, abs=1e-12, nan_ok=True)


def scored(golden: goldens.Golden) -> list[Indexes]:
    return [score(gt, sr, ratio=golden.ratio, const=golden.const) for gt, sr in zip(golden.gt, golden.sr, strict=True)]


@pytest.mark.parametrize("name", DOUBLE)
def test_each_image_equals_the_script(name: str) -> None:
    golden = goldens.batch(name)
    for found, expected in zip(scored(golden), golden.per_image, strict=True):
        assert found._asdict() == {index: near(value) for index, value in expected.items()}


@pytest.mark.parametrize("name", DOUBLE)
def test_mean_and_deviation_equal_the_script(name: str) -> None:
    golden = goldens.batch(name)
    for index, pair in summarise(scored(golden)).items():
        assert list(pair) == [near(value) for value in golden.summary[index]], index


@pytest.mark.parametrize("name", goldens.edge_names())
def test_edge_cases_equal_the_script(name: str) -> None:
    golden = goldens.edge(name)
    [found], [expected] = scored(golden), golden.per_image
    assert found._asdict() == {index: near(value) for index, value in expected.items()}


def test_single_precision_files_agree_loosely() -> None:
    golden = goldens.batch("cave_like_single")
    for found, expected in zip(scored(golden), golden.per_image, strict=True):
        assert found._asdict() == {index: near(value, SINGLE[index]) for index, value in expected.items()}


def test_the_table_names_the_fields_of_the_script() -> None:
    assert {name: metric.matlab_field for name, metric in METRICS.items()} == goldens.FIELDS


def test_an_ideal_estimate_scores_the_ideal() -> None:
    golden = goldens.batch("identical")
    [expected] = golden.per_image
    assert {name: metric.ideal for name, metric in METRICS.items()} == {
        index: pytest.approx(value, abs=1e-12) for index, value in expected.items()
    }
