"""FUSE: the maximum a posteriori estimate under a Gaussian prior, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.classical.cameras import completed
from hsfusion_baselines.classical.interpolation import INTERPOLATION_MEANING, Interpolation, enlarge
from hsfusion_baselines.classical.optics import Array, Optics
from hsfusion_baselines.classical.subspace import svd_basis
from hsfusion_baselines.classical.sylvester import Sylvester
from hsfusion_bench.methods import Cube, Method, Observation, option


@dataclass(frozen=True)
class FUSE(Method):
    """Fast fusion by a Sylvester equation (Wei, Dobigeon and Tourneret 2015), with a Gaussian prior.

    The image is ``E A`` with E the leading singular vectors of the LR-HSI. A minimises
    ``||Y - E A G||^2 + ||Z - R E A||^2 + noise^2 * ||S^(-1/2) (A - M)||^2`` (noise of the same variance in all bands),
    where the prior's mean M is the enlarged LR-HSI in the subspace; the solution is that of the Sylvester equation
    ``A G'G + Q A = C``. Nothing is clipped.

    The paper takes the prior's covariance S as given. Here it is that of the LR-HSI's details, what a mean of 3 x 3
    pixels takes away: so the directions that the multispectral image sees tell of those that it does not. With
    `covariance` "identity" they do not.
    """

    takes_offset = True
    card = CARDS["fuse"]
    dimension: int = option(10, "of the spectral subspace", at_least=1)
    noise: float = option(1e-3, "standard deviation of the noise in both images, above 0", at_least=1e-9)
    covariance: Literal["details", "identity"] = option(
        "details", "of the prior: that of the LR-HSI's details, or as much in every direction"
    )
    interpolation: Interpolation = option("aligned", "of the prior's mean; " + INTERPOLATION_MEANING)

    def fuse(self, observation: Observation) -> Cube:
        """Return the fused cube."""
        observation = completed(observation)
        assert observation.srf is not None
        hsi, msi = observation.lr_hsi.astype(np.float64), observation.hr_msi.astype(np.float64)
        basis, optics = svd_basis(hsi, self.dimension), Optics.of(observation)
        response = observation.srf.astype(np.float64) @ basis
        low = np.tensordot(basis.T, hsi, 1)
        right = optics.adjoint(low)
        right += np.tensordot(response.T, msi, 1)
        precision = self._precision(low)
        right += np.tensordot(precision, enlarge(low, observation, self.interpolation), 1)
        solver = Sylvester.of(np.eye(len(low)), response.T @ response + precision, optics)
        return np.tensordot(basis, solver.solve(right), 1).astype(np.float32)

    def _precision(self, low: Array) -> Array:
        """Return the prior's precision times the noise's variance, [p, p]."""
        if self.covariance == "identity":
            return self.noise**2 * np.eye(len(low))
        details = (low - ndimage.uniform_filter(low, (1, 3, 3))).reshape(len(low), -1)
        covariance = details @ details.T / details.shape[1]
        # an image without details still has a prior; a direction without any still has some variance
        least = 1e-6 * float(np.trace(covariance)) / len(low) or self.noise**2
        return self.noise**2 * np.linalg.inv(covariance + least * np.eye(len(low)))
