"""Integers, singles, NaN, Inf and the ends of float64: what the scripts returned in Octave, class by class."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hsfusion_metrics import NYQUIST_GAINS, d_lambda, in_class, score, score_no_reference, uqi
from support.goldens import FIELDS

FOLDER = Path(__file__).parent / "goldens"
CASES = json.loads((FOLDER / "classes.json").read_text())["cases"]
NO_REFERENCE_FIELDS = {"d_lambda": "d_lambda", "d_s": "d_s", "hqnr": "qnr_index"}
SCALES_ARE_MEANT = pytest.mark.filterwarnings("ignore::hsfusion_metrics.ScaleWarning")


def images(group: str, name: str, *which: str) -> list[np.ndarray]:
    with np.load(FOLDER / "classes.npz") as stored:
        return [stored[f"{group}_{name}_{image}"] for image in which]


def expected(case: dict, fields: dict[str, str], rel: float) -> dict:
    return {
        index: pytest.approx(float(case["expected"][field]), rel=rel, abs=1e-12, nan_ok=True)
        for index, field in fields.items()
    }


@SCALES_ARE_MEANT
@pytest.mark.parametrize("name", CASES["reference"])
def test_each_class_equals_the_script(name: str) -> None:
    case = CASES["reference"][name]
    gt, sr = images("reference", name, "gt", "sr")
    found = score(gt, sr, ratio=case["ratio"], const=case["const"], as_matlab=True)
    # Singles are summed in Octave's order, too, but arc cosine and the BLAS have a last digit of their own.
    rel = 2e-6 if np.float32 in (gt.dtype, sr.dtype) else 1e-10
    assert found._asdict() == expected(case, FIELDS, rel)


@SCALES_ARE_MEANT
@pytest.mark.parametrize(
    "name", [name for name in CASES["reference"] if name.startswith(("tiny", "va", "const", "one_ulp", "float64"))]
)
def test_doubles_at_the_ends_of_float64_equal_the_script(name: str) -> None:
    case = CASES["reference"][name]
    found = score(*images("reference", name, "gt", "sr"), ratio=case["ratio"], const=case["const"])
    assert found._asdict() == expected(case, FIELDS, 1e-10)


@pytest.mark.parametrize("name", CASES["no_reference"])
def test_without_a_reference_each_class_equals_the_script(name: str) -> None:
    case = CASES["no_reference"][name]
    given = images("no_reference", name, "sr", "lms", "pan")
    gains = NYQUIST_GAINS.get(case["sensor"], 0.3)
    found = score_no_reference(*given, ratio=case["ratio"], gains=gains, as_matlab=True)
    # a pixel of singles near a half may round to the other side
    rel = 1e-4 if given[0].dtype == np.float32 else 1e-10
    assert found._asdict() == expected(case, NO_REFERENCE_FIELDS, rel)
    if given[0].dtype == np.float64:
        plain = score_no_reference(*given, ratio=case["ratio"], gains=gains)
        assert plain._asdict() == expected(case, NO_REFERENCE_FIELDS, 1e-10)


def test_integers_are_another_number_than_in_float64() -> None:
    gt, sr = images("reference", "uint8", "gt", "sr")
    plain, as_script = (score(gt, sr, ratio=4, const=255, as_matlab=wanted) for wanted in (False, True))
    assert plain == score(gt.astype(float), sr.astype(float), ratio=4, const=255)
    assert (plain.ergas, plain.q2n) == (as_script.ergas, as_script.q2n)
    assert abs(plain.psnr - as_script.psnr) > 1


def test_flat_windows_are_right_in_float64_and_the_scripts_as_matlab() -> None:
    gt, sr = images("reference", "double_flat", "gt", "sr")
    flat = 2 * 0.3 * 0.5 / (0.3**2 + 0.5**2)
    assert uqi(gt[:1], sr[:1]) == pytest.approx(flat, rel=1e-14)
    script = float(CASES["reference"]["double_flat"]["expected"]["qave"])
    assert abs(score(gt, sr, ratio=4).uqi - script) > 1e-3
    assert score(gt, sr, ratio=4, as_matlab=True).uqi == pytest.approx(script, rel=1e-12)


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e16, -3.4e38])
def test_d_lambda_refuses_what_rounding_decides(value: float) -> None:
    sr, lms = images("no_reference", "nan_in_sr", "sr", "lms")
    sr[1, 2, 3] = value
    with pytest.raises(ValueError, match=r"sr holds Inf, or values beyond 1e9.*mark them by NaN"):
        d_lambda(sr, lms, ratio=4)


@pytest.mark.parametrize(
    ("gt", "sr", "says"),
    [
        ("uint8", "uint16", "gt and sr are uint8 and uint16, which the script cannot combine"),
        ("float16", "float64", "gt is float16"),
        ("float64", "longdouble", "sr is "),
    ],
)
def test_classes_that_the_script_does_not_compute_in_are_refused(gt: str, sr: str, says: str) -> None:
    one = np.ones((2, 32, 32))
    with pytest.raises(TypeError, match=says):
        score(one.astype(gt), one.astype(sr), ratio=4, as_matlab=True)


@pytest.mark.parametrize(
    ("of", "value", "kept"),
    [
        ("uint8", 2.5, 3.0),
        ("uint8", 0.49999999999999994, 0.0),
        ("uint8", -7.0, 0.0),
        ("uint8", 300.0, 255.0),
        ("uint8", np.nan, 0.0),
        ("int8", -2.5, -3.0),
        ("int8", -np.inf, -128.0),
        ("float64", 2.5, 2.5),
    ],
)
def test_what_is_left_of_a_number_in_a_class(of: str, value: float, kept: float) -> None:
    # by MATLAB's documentation: to the nearest, halves away from zero, saturated, NaN to zero
    assert in_class.NumberClass(of).stored(np.array([value])) == kept
