"""SFIM: smoothing-filter-based intensity modulation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.classical.hypersharpening import SYNTHESIS_MEANING, Synthesis, Synthetic, ratio
from hsfusion_baselines.classical.interpolation import INTERPOLATION_MEANING, Interpolation, enlarge
from hsfusion_baselines.classical.mtf import observed_msi
from hsfusion_bench.methods import Cube, Method, Observation, option


@dataclass(frozen=True)
class SFIM(Method):
    """Smoothing-filter-based intensity modulation (Liu 2000), in hypersharpening form (Selva et al. 2015).

    Band k has a sharp image P of its own, made of the multispectral bands; the result is ``Y_up * P/P_smooth``.
    P_smooth is P at the low resolution, enlarged like the band itself, as in the HS-MS review of
    Yokoya et al. (2017); Liu averages P over a window instead. P is a single multispectral band by default, which is
    never negative; a combination may come near 0 where it should not. Where P_smooth is near 0 the ratio is 1. Nothing
    is clipped.
    """

    takes_offset = True
    card = CARDS["sfim"]
    interpolation: Interpolation = option("aligned", INTERPOLATION_MEANING)
    synthesis: Synthesis = option("selection", SYNTHESIS_MEANING)

    def fuse(self, observation: Observation) -> Cube:
        """Return the fused cube."""
        synthetic = Synthetic.of(observation, observed_msi(observation), self.synthesis)
        fused = enlarge(observation.lr_hsi.astype(np.float64), observation, self.interpolation)
        fused *= ratio(synthetic.sharp, synthetic.smooth(self.interpolation))
        return fused.astype(np.float32)
