"""MTF-GLP-HS: a generalised Laplacian pyramid, its filter matched to the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.classical.hypersharpening import SYNTHESIS_MEANING, Synthesis, Synthetic
from hsfusion_baselines.classical.interpolation import INTERPOLATION_MEANING, Interpolation, enlarge
from hsfusion_baselines.classical.mtf import mtf_filtered_msi, observed_msi
from hsfusion_bench.methods import Cube, HsbenchError, Method, Observation, option


@dataclass(frozen=True)
class MTFGLPHS(Method):
    """Hypersharpening by a generalised Laplacian pyramid (Aiazzi et al. 2006, Selva et al. 2015).

    Band k has a sharp image P of its own, made of the multispectral bands; what P loses on its way through the
    hyperspectral camera is added: ``Y_up + g*(P - up(down(P)))``. Its gain, ``g = cov(down(P), Y)/var(down(P))``,
    is 1, since P is itself a regression on Y. Nothing is clipped.

    The camera is the observation's PSF, to which an MTF-matched filter comes near; `nyquist_gain` puts the customary
    Gaussian in its place.
    """

    takes_offset = True
    card = CARDS["mtf-glp-hs"]
    interpolation: Interpolation = option("aligned", INTERPOLATION_MEANING)
    synthesis: Synthesis = option("combination", SYNTHESIS_MEANING)
    nyquist_gain: float = option(
        0.0, "of a Gaussian MTF in place of the PSF, below 1 (customary: 0.3); 0: the PSF", at_least=0
    )

    def fuse(self, observation: Observation) -> Cube:
        """Return the fused cube."""
        if self.nyquist_gain >= 1:
            raise HsbenchError(f"mtf-glp-hs.nyquist_gain is {self.nyquist_gain:g}; a gain below 1 is needed")
        low = mtf_filtered_msi(observation, self.nyquist_gain) if self.nyquist_gain else observed_msi(observation)
        synthetic = Synthetic.of(observation, low, self.synthesis)
        fused = enlarge(observation.lr_hsi.astype(np.float64), observation, self.interpolation)
        fused += synthetic.sharp
        fused -= synthetic.smooth(self.interpolation)
        return fused.astype(np.float32)
