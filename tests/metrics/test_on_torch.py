"""The indexes on torch tensors: the values of those in NumPy, and gradients that are those of finite differences."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

import hsfusion_metrics
from hsfusion_metrics import METRICS, on_torch
from support import goldens

FOLDER = Path(__file__).parent / "goldens"
CORNERS = json.loads((FOLDER / "corners.json").read_text())["cases"]


def batch(shape: tuple[int, ...], seed: int = 0, noise: float = 0.1) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    gt = rng.uniform(0.1, 1.0, shape)
    return torch.from_numpy(gt), torch.from_numpy(gt + noise * rng.standard_normal(shape))


def near(values: object) -> object:
    return pytest.approx(values, rel=1e-10, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("shape", [(3, 5, 70, 45), (2, 2, 33, 97), (1, 31, 40, 64), (2, 3, 20, 18)])
def test_a_batch_has_the_values_of_numpy(shape: tuple[int, ...]) -> None:
    gt, sr = batch(shape)
    gt, sr = 3.0 * gt, 3.0 * sr
    found = on_torch.score(gt, sr, ratio=4, const=3.0)
    assert list(found) == list(METRICS)
    for number, (x, y) in enumerate(zip(gt.numpy(), sr.numpy(), strict=True)):
        expected = hsfusion_metrics.score(x, y, ratio=4, const=3.0)
        assert {name: values[number].item() for name, values in found.items()} == near(expected._asdict())
        assert on_torch.q2n_uncast(gt, sr)[number].item() == near(hsfusion_metrics.q2n_uncast(x, y))


@pytest.mark.parametrize("name", goldens.edge_names())
def test_edge_cases_equal_the_script(name: str) -> None:
    golden = goldens.edge(name)
    gt, sr = (torch.from_numpy(np.asarray(images, dtype=np.float64)) for images in (golden.gt, golden.sr))
    found = on_torch.score(gt, sr, ratio=golden.ratio, const=golden.const)
    assert {index: values.item() for index, values in found.items()} == near(golden.per_image[0])


@pytest.mark.parametrize("name", [name for name, case in CORNERS.items() if "expected" in case])
def test_corners_equal_the_script(name: str) -> None:
    case = CORNERS[name]
    with np.load(FOLDER / "corners.npz") as stored:
        gt, sr = (torch.from_numpy(stored[f"{name}_{which}"].astype(np.float64))[None] for which in ("gt", "sr"))
    found = on_torch.score(gt, sr, ratio=case["ratio"], const=case["const"])
    for index, field in goldens.FIELDS.items():
        assert found[index].item() == near(float(case["expected"][field])), index


GRADIENTS: list[tuple[Callable[..., torch.Tensor], tuple[int, ...]]] = [
    (on_torch.psnr, (2, 3, 4, 5)),
    (on_torch.sam, (2, 3, 4, 5)),
    (partial(on_torch.ergas, ratio=4), (2, 3, 4, 5)),
    (on_torch.scc, (2, 2, 6, 5)),
    (on_torch.ssim, (2, 2, 12, 13)),
    (on_torch.uqi, (1, 2, 33, 34)),
    (on_torch.q2n_uncast, (1, 3, 32, 40)),
]


@pytest.mark.parametrize(("index", "shape"), GRADIENTS)
def test_gradients_are_those_of_finite_differences(index: Callable[..., torch.Tensor], shape: tuple[int, ...]) -> None:
    gt, sr = batch(shape, seed=1)
    inputs = (gt.requires_grad_(), sr.requires_grad_())
    few = math.prod(shape) < 1000
    assert torch.autograd.gradcheck(index, inputs, fast_mode=not few, atol=1e-6 if few else 1e-5)


@pytest.mark.parametrize("index", [on_torch.sam, partial(on_torch.ergas, ratio=4), on_torch.scc, on_torch.ssim])
def test_identical_images_leave_a_network_as_it_is(index: Callable[..., torch.Tensor]) -> None:
    gt, _ = batch((2, 3, 20, 20))
    gt[:, :, 5, 5] = 0.0
    sr = gt.clone().requires_grad_()
    index(gt, sr).sum().backward()
    assert sr.grad is not None
    # SSIM has a maximum there, which rounding shows as a slope of nearly 0
    assert sr.grad.abs().max() < 1e-9


@pytest.mark.parametrize("index", [on_torch.uqi, on_torch.q2n_uncast])
def test_flat_windows_have_finite_gradients(index: Callable[..., torch.Tensor]) -> None:
    gt, sr = batch((1, 2, 64, 64))
    gt[..., :40], sr[..., :40] = 0.3, 0.6
    gt[..., :36, :36] = sr[..., :36, :36] = 0.0
    sr.requires_grad_()
    index(gt, sr).sum().backward()
    assert sr.grad is not None
    assert sr.grad.isfinite().all()


def test_the_cast_has_no_gradient() -> None:
    gt, sr = batch((1, 2, 32, 32))
    assert not on_torch.q2n(gt, sr.requires_grad_()).requires_grad


@pytest.mark.parametrize("index", [on_torch.psnr, on_torch.ssim, on_torch.sam, on_torch.scc])
def test_single_precision_stays_single(index: Callable[..., torch.Tensor]) -> None:
    gt, sr = batch((2, 3, 40, 40))
    single = index(gt.float(), sr.float())
    assert single.dtype == torch.float32
    assert single.double().tolist() == pytest.approx(index(gt, sr).tolist(), rel=1e-4)


def test_what_is_no_pair_of_batches_is_refused() -> None:
    gt, sr = batch((1, 2, 32, 32))
    with pytest.raises(ValueError, match=r"\[N, C, H, W\], not of shape \(2, 32, 32\)"):
        on_torch.psnr(gt[0], sr[0])
    with pytest.raises(ValueError, match="one shape"):
        on_torch.uqi(gt, sr[:, :1])
    with pytest.raises(TypeError, match=r"floating point, not torch\.int64"):
        on_torch.sam(gt.long(), sr)
    with pytest.raises(ValueError, match="at least 16 x 16"):
        on_torch.score(gt[..., :12, :12], sr[..., :12, :12], ratio=4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_has_the_same_values() -> None:
    gt, sr = batch((2, 5, 70, 45))
    expected = on_torch.score(gt, sr, ratio=4)
    for name, values in on_torch.score(gt.cuda(), sr.cuda(), ratio=4).items():
        assert values.device.type == "cuda"
        assert values.tolist() == near(expected[name].tolist()), name


def test_the_package_itself_imports_no_torch() -> None:
    program = "import sys, hsfusion_metrics; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
