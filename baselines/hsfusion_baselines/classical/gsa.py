"""GSA: adaptive Gram-Schmidt, the component substitution whose intensity is found by regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.classical.hypersharpening import SYNTHESIS_MEANING, Synthesis, Synthetic, affine_fit
from hsfusion_baselines.classical.interpolation import INTERPOLATION_MEANING, Interpolation, enlarge
from hsfusion_baselines.classical.mtf import observed_msi
from hsfusion_bench.methods import Cube, Method, Observation, option


@dataclass(frozen=True)
class GSA(Method):
    """Gram-Schmidt adaptive (Aiazzi, Baronti and Selva 2007), in hypersharpening form (Selva et al. 2015).

    Band k has a sharp image P of its own, made of the multispectral bands, and an intensity I, the combination of all
    hyperspectral bands that comes nearest to P at the low resolution. The result is
    ``Y_up + g*(P - I_up)`` with the gain ``g = cov(I, Y)/var(I)``. Nothing is clipped.

    Where the LR-HSI and the degraded HR-MSI agree exactly, and P is a combination of all bands, I equals the degraded
    P, and the result is that of MTF-GLP-HS.
    """

    takes_offset = True
    card = CARDS["gsa"]
    interpolation: Interpolation = option("aligned", INTERPOLATION_MEANING)
    synthesis: Synthesis = option("combination", SYNTHESIS_MEANING)

    def fuse(self, observation: Observation) -> Cube:
        """Return the fused cube."""
        synthetic = Synthetic.of(observation, observed_msi(observation), self.synthesis)
        hsi = observation.lr_hsi.astype(np.float64).reshape(len(observation.lr_hsi), -1)
        weights, offsets = affine_fit(hsi, synthetic.low.reshape(len(hsi), -1))
        intensity = weights @ hsi
        intensity -= intensity.mean(1, keepdims=True)
        variance = (intensity**2).sum(1)
        gains = np.divide((intensity * hsi).sum(1), variance, out=np.zeros(len(hsi)), where=variance > 0)
        fused = enlarge(observation.lr_hsi.astype(np.float64), observation, self.interpolation)
        detail = synthetic.sharp
        detail -= np.tensordot(weights, fused, 1)
        detail -= offsets[:, None, None]
        fused += gains[:, None, None] * detail
        return fused.astype(np.float32)
