"""A synthetic scene of exactly low rank, and what two cameras see of it without noise, on the torus."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from hsfusion_bench.data.observing.degradation import gaussian_psf
from hsfusion_bench.methods import Observation

Array = npt.NDArray[np.float64]


def make_scene(bands: int = 16, shape: tuple[int, int] = (48, 32), rank: int = 3, seed: int = 0) -> Array:
    """Return [bands, H, W] in [0, 1]: patches of `rank` smooth spectra with soft edges, each pure somewhere."""
    random = np.random.default_rng(seed)
    fields = ndimage.gaussian_filter(random.standard_normal((rank, *shape)), (0, 1.2, 1.2), mode="wrap")
    shares = np.exp(12 * (fields - fields.max(0)))
    shares /= shares.sum(0)
    pure = shares.max(0) > 0.95
    shares[:, pure] = np.round(shares[:, pure])
    wavelengths = np.linspace(0, 1, bands)[:, None]
    spectra = 0.1 + 0.8 * np.exp(-((wavelengths - random.uniform(0, 1, rank)) ** 2) / random.uniform(0.02, 0.1, rank))
    return np.tensordot(spectra, shares, 1)


def make_srf(msi_bands: int, bands: int) -> Array:
    """Return overlapping bumps, rows summing to 1."""
    centres = (np.arange(msi_bands) + 0.5) * bands / msi_bands - 0.5
    srf = np.exp(-((np.arange(bands) - centres[:, None]) ** 2) / (2 * (bands / msi_bands) ** 2))
    return srf / srf.sum(1, keepdims=True)


def observe(
    scene: Array, scale: int = 4, msi_bands: int = 4, side: int = 5, sigma: float = 1.2, phase: float | None = None
) -> Observation:
    """Make the observation by SciPy's own convolution; an even kernel has its middle between pixels."""
    phase = (scale // 2 if side % 2 else (scale - 1) / 2) if phase is None else phase
    psf, srf = gaussian_psf(side, sigma), make_srf(msi_bands, len(scene))
    blurred = np.stack([ndimage.correlate(band, psf, mode="wrap") for band in scene])
    # SciPy centres an even kernel at side // 2
    first = int(phase - (side - 1) / 2 + side // 2)
    low = np.roll(blurred, (-first, -first), (1, 2))[:, ::scale, ::scale]
    return Observation(low.astype(np.float32), np.tensordot(srf, scene, 1).astype(np.float32), scale, phase, psf, srf)


def psnr(reference: Array, estimate: npt.NDArray[np.floating]) -> float:
    """Return the decibels of the mean squared error, for values in [0, 1]."""
    return float(-10 * np.log10(np.mean((reference - estimate) ** 2)))
