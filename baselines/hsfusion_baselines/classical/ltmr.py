"""LTMR: low tensor multi-rank of similar patches, in a spectral subspace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.classical.cameras import completed
from hsfusion_baselines.classical.interpolation import INTERPOLATION_MEANING, Interpolation, enlarge
from hsfusion_baselines.classical.optics import Optics
from hsfusion_baselines.classical.patches import Patches, groups
from hsfusion_baselines.classical.proximal import log_sum, shrink_tubes
from hsfusion_baselines.classical.subspace import svd_basis
from hsfusion_baselines.classical.sylvester import Sylvester
from hsfusion_bench.methods import Cube, Method, Observation, option


@dataclass(frozen=True)
class LTMR(Method):
    """Subspace-based low tensor multi-rank regularisation (Dian and Li 2019).

    The image is ``E A`` with E the leading singular vectors of the LR-HSI. Patches of the HR-MSI are grouped by
    k-means; A minimises ``||Y - E A G||^2 + ||Z - R E A||^2 + eta * sum over groups of LTMR``, where a group of A's
    patches is a tensor [patches, p, pixels], and its tensor multi-rank is replaced by the sum of the logarithms of the
    singular values of its Fourier slices. Solved by ADMM from the enlarged LR-HSI: A by a Sylvester equation, its copy
    by shrinking singular values. Parameters are those of the authors' release, which makes 100 iterations; this stops
    earlier where an iteration changes A by less than `tolerance`. Single precision. Nothing is clipped.
    """

    takes_offset = True
    card = CARDS["ltmr"]
    dimension: int = option(10, "of the spectral subspace", at_least=1)
    clusters: int = option(200, "groups of patches", at_least=1)
    patch: int = option(7, "side of a patch, pixels", at_least=1)
    step: int = option(3, "from one patch to the next, pixels, no more than the side", at_least=1)
    eta: float = option(1e-3, "weight of the rank", at_least=0)
    mu: float = option(1e-3, "penalty of the splitting, above 0", at_least=1e-9)
    iterations: int = option(100, "of ADMM, at most", at_least=1)
    tolerance: float = option(1e-3, "least relative change of an iteration", at_least=0)
    interpolation: Interpolation = option("aligned", "of the start; " + INTERPOLATION_MEANING)

    def fuse(self, observation: Observation) -> Cube:
        """Return the fused cube."""
        observation = completed(observation)
        assert observation.srf is not None
        optics = Optics.of(observation, np.float32)
        basis = svd_basis(observation.lr_hsi, self.dimension)
        response = observation.srf.astype(np.float64) @ basis
        patches = Patches(optics.shape, self.patch, min(self.step, self.patch))
        members = groups(
            patches.take(observation.hr_msi).reshape(-1, len(response) * np.prod(patches.sides)), self.clusters
        )
        shrink = log_sum(self.eta / (2 * self.mu))
        # a patch becomes a tube column by column, as in MATLAB; the Fourier transform along it depends on that
        order = np.arange(np.prod(patches.sides)).reshape(patches.sides).T.ravel()
        back = np.argsort(order)

        low = np.tensordot(basis.T, observation.lr_hsi, 1).astype(np.float32)
        fixed = optics.adjoint(low) + np.tensordot(response.T.astype(np.float32), observation.hr_msi, 1)
        identity = np.eye(basis.shape[1])
        solver = Sylvester.of(identity, response.T @ response + self.mu * identity, optics)
        copy = enlarge(low, observation, self.interpolation)
        multiplier = np.zeros_like(copy)  # the authors' G, divided by 2 mu
        before = copy
        for _ in range(self.iterations):
            a = solver.solve(fixed + np.float32(self.mu) * (copy + multiplier))
            cut = patches.take(a - multiplier)[..., order]
            for group in members:
                cut[group] = shrink_tubes(cut[group], shrink)
            copy = patches.average(cut[..., back])
            multiplier += copy - a
            if np.linalg.norm(a - before) <= self.tolerance * np.linalg.norm(a):
                break
            before = a
        return np.tensordot(basis.astype(np.float32), a, 1)
