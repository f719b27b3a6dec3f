"""Brovey's transform: every band is multiplied by the ratio of a sharp to a blurred intensity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.classical.hypersharpening import affine_fit, ratio
from hsfusion_baselines.classical.interpolation import INTERPOLATION_MEANING, Interpolation, enlarge
from hsfusion_baselines.classical.mtf import observed_msi
from hsfusion_bench.methods import Cube, Method, Observation, option


@dataclass(frozen=True)
class Brovey(Method):
    """The Brovey transform (Gillespie, Kahle and Walker 1987), with one intensity for all bands.

    The sharp intensity P is the mean of the multispectral bands, I the combination of the hyperspectral bands that
    comes nearest to it at the low resolution; the result is ``Y_up * P/I_up``. Where I_up is near 0 the ratio is 1.
    Nothing is clipped.
    """

    takes_offset = True
    card = CARDS["brovey"]
    interpolation: Interpolation = option("aligned", INTERPOLATION_MEANING)

    def fuse(self, observation: Observation) -> Cube:
        """Return the fused cube."""
        hsi = observation.lr_hsi.astype(np.float64)
        low = observed_msi(observation).mean(0)
        weights, offsets = affine_fit(hsi.reshape(len(hsi), -1), low.reshape(1, -1))
        fused = enlarge(hsi, observation, self.interpolation)
        intensity = np.tensordot(weights[0], fused, 1) + offsets[0]
        fused *= ratio(observation.hr_msi.astype(np.float64).mean(0), intensity)
        return fused.astype(np.float32)
