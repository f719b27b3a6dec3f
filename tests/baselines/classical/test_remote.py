"""Remote-sensing cubes: a part of Jasper Ridge seen by two cameras, and HySure's pair of Paris, without its cameras.

HSBENCH_REMOTE_DATA names the folder of `jasperRidge2_R198.mat` and `paris_data_hs_ms.mat`.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy import io, ndimage

from hsfusion_bench.data.observing.degradation import gaussian_psf
from hsfusion_bench.methods import Observation, upsample_bicubic
from hsfusion_bench.methods.options import with_options
from hsfusion_bench.registry import find
from support.fusion import psnr

NAMES = ["brovey", "gsa", "sfim", "mtf-glp-hs", "fuse", "cnmf", "hysure", "nssr", "cstf", "ltmr", "lttr", "ir-tensr"]
#: Less than the defaults, which are for larger images.
QUICK = {
    "nssr": {"iterations": "15"},
    "ltmr": {"iterations": "20", "clusters": "10"},
    "lttr": {"clusters": "10"},
    "ir-tensr": {"iterations": "8", "inner": "2"},
}
#: On the pair of Paris, whose images do not agree, a subspace as large as the defaults' fits their noise.
CAUTIOUS = {
    "ltmr": {"dimension": "5", "iterations": "20"},
    "cstf": {"spectral": "5"},
    "nssr": {"iterations": "10"},
    "ir-tensr": {"rounds": "1", "iterations": "8", "inner": "2"},
}


def load(file: str) -> dict[str, np.ndarray]:
    root = os.environ.get("HSBENCH_REMOTE_DATA")
    if not root or not (Path(root) / file).is_file():
        pytest.skip(f"HSBENCH_REMOTE_DATA names no folder with {file}")
    content: dict[str, np.ndarray] = io.loadmat(Path(root) / file)
    return content


@pytest.mark.parametrize("name", NAMES)
def test_jasper_ridge(name):
    content = load("jasperRidge2_R198.mat")
    cube = content["Y"].reshape(198, 100, 100)[:, :64, 20:72] / float(content["maxValue"].squeeze())
    cube = np.clip(cube.astype(float), 0, 1)
    psf = gaussian_psf(4, 4 / 2.35482)
    low = np.einsum("bikjl,kl->bij", cube.reshape(198, 16, 4, 13, 4), psf)
    srf = np.zeros((6, 198))  # about Landsat's bands
    for row, (first, last) in zip(srf, [(7, 15), (15, 24), (26, 33), (41, 55), (105, 125), (145, 170)], strict=True):
        row[first:last] = 1 / (last - first)
    msi = np.tensordot(srf, cube, 1)
    observation = Observation(low.astype(np.float32), msi.astype(np.float32), 4, 1.5, psf, srf)
    method = with_options(find(name).load(), QUICK.get(name, {}))
    fused = method.fuse(observation.seen_by(method.card))
    assert psnr(cube, fused) > psnr(cube, upsample_bicubic(observation.lr_hsi, 4)) + 1


@pytest.mark.parametrize("name", NAMES)
def test_paris_without_its_cameras(name):
    content = load("paris_data_hs_ms.mat")
    hsi, msi = (content[key].transpose(2, 0, 1).astype(float) for key in ("HSim", "MSim"))
    hsi, msi = (cube / np.quantile(cube, 0.999, axis=(1, 2), keepdims=True) for cube in (hsi, msi))
    profile = np.array([1, 4, 6, 4, 1]) / 16  # as in HySure's demonstration
    low = np.stack([ndimage.correlate(band, np.outer(profile, profile), mode="wrap")[1::3, 1::3] for band in hsi])
    observation = Observation(low.astype(np.float32), msi.astype(np.float32), 3, 1.0)
    fused = with_options(find(name).load(), CAUTIOUS.get(name, {})).fuse(observation)
    assert np.isfinite(fused).all()
    bicubic = upsample_bicubic(observation.lr_hsi, 3)
    # sharper: its differences of neighbours follow the original's better than those of an enlarged image
    assert likeness(fused, hsi) > likeness(bicubic, hsi) + 0.05


def likeness(image: np.ndarray, original: np.ndarray) -> float:
    """Return the correlation of the differences of neighbouring pixels, averaged over bands."""
    pairs = zip(np.diff(image, axis=2), np.diff(original, axis=2), strict=True)
    return float(np.mean([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs]))
