"""The multispectral image at the resolution of the hyperspectral one."""

from __future__ import annotations

import math

import numpy as np

from hsfusion_baselines.classical.cameras import completed
from hsfusion_baselines.classical.optics import Array, Optics
from hsfusion_bench.methods import Observation


def observed_msi(observation: Observation) -> Array:
    """Return the multispectral image as the hyperspectral camera would see it, by its PSF, known or estimated."""
    return Optics.of(completed(observation)).observe(observation.hr_msi.astype(np.float64))


def mtf_filtered_msi(observation: Observation, nyquist_gain: float) -> Array:
    """Return the same for a camera with a Gaussian modulation transfer function.

    Parameters
    ----------
    nyquist_gain
        Value of the MTF at the Nyquist frequency of the LR pixels, ``1/(2*scale)`` cycles a pixel, in (0, 1); 0.3 is
        customary where nothing is known.
    """
    sigma = observation.scale / math.pi * math.sqrt(-2 * math.log(nyquist_gain))
    half = math.ceil(4 * sigma)
    side = 2 * half + (1 if float(observation.phase).is_integer() else 0)
    taps = np.arange(side) - (side - 1) / 2
    profiles = (np.exp(-((taps - by) ** 2) / (2 * sigma**2)) for by in observation.offset)
    psf = np.outer(*profiles)
    psf /= psf.sum()
    shape = (observation.hr_msi.shape[1], observation.hr_msi.shape[2])
    optics = Optics.from_psf(psf, observation.phase, shape, observation.scale)
    return optics.observe(observation.hr_msi.astype(np.float64))
