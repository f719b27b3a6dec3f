"""The shift between the images of a pair, against shifts made by Fourier's theorem."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import io, ndimage

from hsfusion_bench.cli import main
from hsfusion_bench.data.observing.protocols import load_protocol
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.methods import Observation
from hsfusion_bench.runs.registration import Shift, find_shift


def observe(scene: str, protocol: str = "uestc", scale: int = 4) -> Observation:
    return load_protocol(protocol).observe(DemoSource().read(scene), scale)


def moved(observation: Observation, rows: float, columns: float) -> Observation:
    """Return the pair with its HR-MSI's content that many pixels further down and right."""
    bands = [np.fft.ifft2(ndimage.fourier_shift(np.fft.fft2(band), (rows, columns))) for band in observation.hr_msi]
    return replace(observation, hr_msi=np.stack(bands).real.astype(np.float32))


@pytest.mark.parametrize("protocol", ["uestc", "wald", "mossfuse", "xidian"])
@pytest.mark.parametrize("scene", ["oranges", "figs"])
@pytest.mark.parametrize("by", [(0, 0), (0.5, -0.8), (2.3, 1.7), (6, -5)])
def test_a_shift_is_found_to_a_tenth_of_a_pixel(protocol: str, scene: str, by: tuple[float, float]) -> None:
    shift = find_shift(moved(observe(scene, protocol), *by))
    assert shift is not None
    assert (shift.rows, shift.columns) == pytest.approx(by, abs=0.1)
    assert shift.harmful == (max(map(abs, by)) > 0.5)


def test_a_panchromatic_image_and_noise_are_enough() -> None:
    whole = moved(observe("figs"), 1.5, -0.5)
    noisy = whole.hr_msi[1:2] + np.random.default_rng(0).normal(0, 0.01, whole.hr_msi[1:2].shape).astype(np.float32)
    shift = find_shift(replace(whole, hr_msi=noisy, srf=None))
    assert shift is not None
    assert (shift.rows, shift.columns) == pytest.approx((1.5, -0.5), abs=0.1)


@pytest.mark.parametrize("kind", ["small", "flat HSI", "flat MSI", "unlike"])
def test_what_cannot_be_told_is_not_told(kind: str) -> None:
    pair = observe("figs").blind()
    unlike = np.random.default_rng(0).random(pair.hr_msi.shape, np.float32)
    changed = {
        "small": replace(pair, lr_hsi=pair.lr_hsi[:, :13], hr_msi=pair.hr_msi[:, : 13 * 4]),
        "flat HSI": replace(pair, lr_hsi=np.full_like(pair.lr_hsi, 0.5)),
        "flat MSI": replace(pair, hr_msi=np.zeros_like(pair.hr_msi)),
        "unlike": replace(pair, hr_msi=unlike),
    }
    assert find_shift(changed[kind]) is None


def test_the_phase_that_accounts_for_a_shift() -> None:
    assert Shift(0.5, 0.6, 4, 1.5).right_phase == 2
    assert Shift(-1.5, -1.4, 4, 1.5).right_phase == 0
    assert Shift(-2, -2, 4, 1.5).right_phase is None  # no phase is negative
    assert Shift(1, 0, 4, 1.5).right_phase is None
    assert Shift(0.25, 0.25, 4, 1.5).right_phase is None


def said_of(folder: Path, observation: Observation, *options: str) -> str:
    files = [str(folder / name) for name in ("hsi.npy", "msi.npy", "fused.npy")]
    np.save(files[0], observation.lr_hsi)
    np.save(files[1], observation.hr_msi.clip(0, 1))
    done = CliRunner().invoke(main, ["fuse", "bicubic", *files, *options])
    assert done.exit_code == 0, done.stderr
    return " ".join(done.stderr.split())


def test_fuse_says_it(tmp_path: Path) -> None:
    pair = observe("figs", "xidian")  # whose LR pixels are the centres of blocks
    said = said_of(tmp_path, pair)
    assert "HSI and MSI are 0.0 rows and 0.0 columns apart, in pixels of the MSI" in said
    assert "warning" not in said
    said = said_of(tmp_path, moved(pair, 0, 2))
    assert "warning: HSI and MSI are 0.0 rows and 2.0 columns apart" in said
    assert "more than an eighth of an HSI pixel: --register accounts for it" in said
    said = said_of(tmp_path, moved(pair, 1.5, 1.5))
    assert "more than an eighth of an HSI pixel: --phase 3 or --register accounts for it" in said
    said = said_of(tmp_path, moved(pair, 1.5, 1.5), "--phase", "3")
    assert "warning" not in said
    said = said_of(tmp_path, moved(pair, 0.4, 0.4))
    assert "(--phase 2 accounts for it)" in said
    assert "warning" not in said


def test_fuse_says_where_it_cannot_tell(tmp_path: Path) -> None:
    io.savemat(tmp_path / "pair.mat", {"hsi": np.full((4, 4, 5), 0.5), "msi": np.full((16, 16, 2), 0.5)})
    done = CliRunner().invoke(main, ["fuse", "bicubic", str(tmp_path / "pair.mat"), str(tmp_path / "fused.mat")])
    assert done.exit_code == 0, done.stderr
    assert "whether HSI and MSI are registered cannot be told" in done.stderr
