"""Hypersharpening: pansharpening in which every hyperspectral band has a panchromatic image of its own.

M. Selva, B. Aiazzi, F. Butera, L. Chiarantini and S. Baronti, "Hyper-sharpening: a first approach on SIM-GA data", IEEE
J. Sel. Topics Appl. Earth Observ. Remote Sens. 8(6), 2015: the band's image is synthesised from the multispectral ones,
either as the combination that comes nearest to it in the mean square, or as the one that correlates best with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hsfusion_baselines.classical.interpolation import Interpolation, enlarge
from hsfusion_baselines.classical.optics import Array
from hsfusion_bench.methods import Observation

Synthesis = Literal["combination", "selection"]
SYNTHESIS_MEANING = "of a band's sharp image: a combination of all MS bands, or the selection of the best"


@dataclass(frozen=True)
class Synthetic:
    """The sharp images of all hyperspectral bands: ``weights @ hr_msi + offsets``.

    Parameters
    ----------
    weights, offsets
        [bands, msi_bands] and [bands].
    msi_low
        The multispectral image as the hyperspectral camera would see it, [msi_bands, h, w].
    """

    observation: Observation
    weights: Array
    offsets: Array
    msi_low: Array

    @classmethod
    def of(cls, observation: Observation, msi_low: Array, synthesis: Synthesis) -> Synthetic:
        """Synthesise the images, by regression at the low resolution."""
        hsi = observation.lr_hsi.astype(np.float64).reshape(len(observation.lr_hsi), -1)
        msi = msi_low.reshape(len(msi_low), -1)
        if synthesis == "combination":
            weights, offsets = affine_fit(msi, hsi)
            return cls(observation, weights, offsets, msi_low)
        best = np.abs(_correlation(hsi, msi)).argmax(1)
        weights = np.zeros((len(hsi), len(msi)))
        offsets = np.zeros(len(hsi))
        for band, chosen in enumerate(best):
            gain, offset = affine_fit(msi[chosen : chosen + 1], hsi[band : band + 1])
            weights[band, chosen], offsets[band] = gain[0, 0], offset[0]
        return cls(observation, weights, offsets, msi_low)

    @property
    def sharp(self) -> Array:
        """The images, [bands, H, W]."""
        return self._combined(self.observation.hr_msi)

    @property
    def low(self) -> Array:
        """The images as the hyperspectral camera would see them, [bands, h, w]."""
        return self._combined(self.msi_low)

    def smooth(self, interpolation: Interpolation) -> Array:
        """Return `low`, enlarged to [bands, H, W]."""
        return self._combined(enlarge(self.msi_low, self.observation, interpolation))

    def _combined(self, msi: Array) -> Array:
        return np.tensordot(self.weights, msi, 1) + self.offsets[:, None, None]


def affine_fit(inputs: Array, targets: Array) -> tuple[Array, Array]:
    """Return (weights, offsets) with ``weights @ inputs + offsets`` nearest to the targets in the mean square.

    Parameters
    ----------
    inputs, targets
        [n, pixels] and [m, pixels]. Inputs that repeat each other share their weight.
    """
    centre_in, centre_out = inputs.mean(1), targets.mean(1)
    centred = inputs - centre_in[:, None]
    gram, cross = centred @ centred.T, centred @ (targets - centre_out[:, None]).T
    weights: Array = np.linalg.lstsq(gram, cross, rcond=1e-10)[0].T
    return weights, centre_out - weights @ centre_in


def ratio(numerator: Array, denominator: Array) -> Array:
    """Divide, where the denominator is well above 0; elsewhere the ratio is 1, so that nothing is injected."""
    least = 1e-3 * float(np.abs(denominator).max(initial=1e-30))
    return np.divide(numerator, denominator, out=np.ones_like(numerator), where=denominator > least)


def _correlation(first: Array, second: Array) -> Array:
    """Return correlation coefficients [n, m]; 0 with a constant."""
    first, second = (rows - rows.mean(1, keepdims=True) for rows in (first, second))
    norms = np.outer(np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1))
    return np.divide(first @ second.T, norms, out=np.zeros_like(norms), where=norms > 0)
