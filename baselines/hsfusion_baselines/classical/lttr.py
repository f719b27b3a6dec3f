"""LTTR: low tensor-train rank of similar patches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.classical.cameras import completed
from hsfusion_baselines.classical.interpolation import INTERPOLATION_MEANING, Interpolation, enlarge
from hsfusion_baselines.classical.optics import Array, Optics
from hsfusion_baselines.classical.patches import Patches, groups
from hsfusion_baselines.classical.proximal import log_sum, shrink_singular_values
from hsfusion_baselines.classical.subspace import svd_basis
from hsfusion_baselines.classical.sylvester import Sylvester
from hsfusion_bench.methods import Cube, Method, Observation, option


@dataclass(frozen=True)
class LTTR(Method):
    """Low tensor-train rank representation (Dian, Li and Fang 2019).

    Patches of the HR-MSI are grouped by k-means; a group of the image's patches is a tensor [rows, columns, bands,
    patches], whose tensor-train ranks are those of its three unfoldings. The image X minimises ``||Y - X G||^2 +
    ||Z - R X||^2 + tau * sum over groups of LTTR``, the ranks replaced by a weighted sum of the logarithms of singular
    values. Solved by ADMM with a copy for each unfolding, from the enlarged LR-HSI. Parameters are those of the
    authors' release for CAVE.

    A turn of the spectral axes changes no singular value of an unfolding, and X is sought in the space that the LR-HSI
    spans, by its singular vectors; with `dimension` no less than its rank this is the paper's method. Single precision.
    Nothing is clipped.
    """

    takes_offset = True
    card = CARDS["lttr"]
    dimension: int = option(31, "of the spectral space, at most", at_least=1)
    clusters: int = option(160, "groups of patches", at_least=1)
    patch: int = option(8, "side of a patch, pixels", at_least=1)
    step: int = option(4, "from one patch to the next, pixels, no more than the side", at_least=1)
    tau: float = option(1e-2, "weight of the ranks", at_least=0)
    mu: float = option(1e-3, "penalty of the splittings, above 0", at_least=1e-9)
    iterations: int = option(25, "of ADMM", at_least=1)
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

        low = np.tensordot(basis.T, observation.lr_hsi, 1).astype(np.float32)
        fixed = optics.adjoint(low) + np.tensordot(response.T.astype(np.float32), observation.hr_msi, 1)
        identity = np.eye(basis.shape[1])
        solver = Sylvester.of(identity, response.T @ response + 3 * self.mu * identity, optics)
        start = enlarge(low, observation, self.interpolation)
        copies = [start, start, start]
        multipliers = [np.zeros_like(start) for _ in copies]  # the authors' G, divided by 2 mu
        for _ in range(self.iterations):
            x = solver.solve(fixed + np.float32(self.mu) * (sum(copies) + sum(multipliers)))
            for number, multiplier in enumerate(multipliers):
                cut = patches.take(x - multiplier)
                for group in members:
                    cut[group] = self._shrunk(cut[group], number, patches.sides)
                copies[number] = patches.average(cut)
                multiplier += copies[number] - x
        return np.tensordot(basis.astype(np.float32), x, 1)

    def _shrunk(self, group: Array, number: int, sides: tuple[int, int]) -> Array:
        """Shrink one unfolding of a group [patches, p, pixels]: rows and columns, or with the bands, or rows alone."""
        count, bands, pixels = group.shape
        rows = sides[0]
        # the authors' weights: the root of the smaller side of each unfolding, the three summing to 1
        roots = np.sqrt([min(pixels, bands * count), min(pixels * bands, count), rows])
        shrink = log_sum(self.tau * float(roots[number] / roots.sum()) / (2 * self.mu))
        if number == 1:
            return shrink_singular_values(group.reshape(count, -1), shrink).reshape(group.shape)
        if number == 0:
            return shrink_singular_values(group.reshape(-1, pixels), shrink).reshape(group.shape)
        by_row = np.moveaxis(group.reshape(count, bands, *sides), 2, -1)
        shrunk = shrink_singular_values(by_row.reshape(-1, rows), shrink).reshape(by_row.shape)
        return np.moveaxis(shrunk, -1, 2).reshape(group.shape)
