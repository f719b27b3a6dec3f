"""IR-TenSR: iterative regularisation with a tensor subspace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.classical.cameras import completed
from hsfusion_baselines.classical.interpolation import INTERPOLATION_MEANING, Interpolation, enlarge
from hsfusion_baselines.classical.optics import Array, Optics
from hsfusion_baselines.classical.patches import Patches, groups
from hsfusion_baselines.classical.proximal import shrink_tubes, soft
from hsfusion_baselines.classical.sylvester import Sylvester
from hsfusion_bench.methods import Cube, Method, Observation, option

Spectrum = npt.NDArray[np.complexfloating[Any, Any]]


@dataclass(frozen=True)
class IRTenSR(Method):
    """Iterative regularisation based on a tensor subspace representation (Xu, Huang, Deng and Yokoya 2022).

    The image, as a tensor [rows, bands, columns], is a t-product ``B * C`` with B [rows, dimension, columns]
    orthogonal: at every horizontal frequency a matrix [rows, bands] of that rank. Proximal alternating minimisation of
    ``||Y - X G||^2 + ||Z - R X||^2 + mu*||X - B*C||^2 + lam * sum over groups of TNN``, where groups of alike patches
    of C have a low tensor nuclear norm: X by a Sylvester equation, B by an SVD at each frequency, C by a few iterations
    of ADMM. Then the same is done on what the result leaves of both observations, and added, `rounds` times in all.

    Parameters are those of the authors' release for Pavia; it has none for CAVE. Single precision. Nothing is clipped.
    """

    takes_offset = True
    card = CARDS["ir-tensr"]
    dimension: int = option(3, "of the tensor subspace", at_least=1)
    rounds: int = option(6, "of the iterative regularisation", at_least=1)
    iterations: int = option(17, "of a round, at most", at_least=1)
    inner: int = option(7, "of ADMM for the coefficients", at_least=1)
    mu: float = option(1e-4, "weight of the subspace, above 0", at_least=1e-12)
    beta: float = option(5e-7, "weight of the proximal terms", at_least=0)
    gamma: float = option(1e-1, "penalty of the coefficients' splitting, above 0", at_least=1e-9)
    lam: float = option(5e-3, "weight of the tensor nuclear norm", at_least=0)
    clusters: int = option(2, "groups of patches of coefficients", at_least=1)
    patch: int = option(21, "side of these patches", at_least=1)
    tolerance: float = option(1e-2, "least relative change of the coefficients in an iteration", at_least=0)
    interpolation: Interpolation = option("aligned", "of the start; " + INTERPOLATION_MEANING)

    def fuse(self, observation: Observation) -> Cube:
        """Return the fused cube."""
        observation = completed(observation)
        assert observation.srf is not None
        optics, srf = Optics.of(observation, np.float32), observation.srf.astype(np.float64)
        identity = np.eye(len(observation.lr_hsi))
        solver = Sylvester.of(identity, srf.T @ srf + (self.mu + self.beta) * identity, optics)
        rest, total = observation, np.zeros(observation.shape, np.float32)
        for _ in range(self.rounds):
            total += self._round(rest, solver)
            rest = replace(
                observation,
                lr_hsi=(observation.lr_hsi - optics.observe(total)).astype(np.float32),
                hr_msi=observation.hr_msi - np.tensordot(srf.astype(np.float32), total, 1),
            )
        return total

    def _round(self, observation: Observation, solver: Sylvester) -> Array:
        """Fuse one pair, without iterative regularisation; [bands, H, W]."""
        assert observation.srf is not None
        fixed = solver.optics.adjoint(observation.lr_hsi)
        fixed += np.tensordot(observation.srf.T.astype(np.float32), observation.hr_msi, 1)
        start = _spectrum(enlarge(observation.lr_hsi, observation, self.interpolation))
        count = min(self.dimension, *start.shape[1:])
        basis: Spectrum = np.linalg.svd(start, full_matrices=False)[0][..., :count]
        coefficients: Spectrum = _adjoint(basis) @ start
        columns = observation.shape[2]
        image = model = _image(basis @ coefficients, columns)
        for _ in range(self.iterations):
            image = solver.solve(fixed + np.float32(self.mu) * model + np.float32(self.beta) * image)
            spectrum = _spectrum(image)
            # B: nearest orthogonal matrix, at each frequency
            product = spectrum @ _adjoint(coefficients) + np.float32(self.beta / self.mu) * basis
            left, _, right = np.linalg.svd(product, full_matrices=False)
            basis = left @ right
            target = self.mu * (_adjoint(basis) @ spectrum) + self.beta * coefficients
            target = (target / (self.mu + self.beta)).astype(np.complex64)
            before = coefficients
            coefficients = _spectrum_of_coefficients(self._regularised(_coefficients(target, columns)))
            model = _image(basis @ coefficients, columns)
            if np.linalg.norm(coefficients - before) <= self.tolerance * np.linalg.norm(before):
                break
        return model

    def _regularised(self, target: Array) -> Array:
        """Return coefficients [dimension, bands, columns], as an image of alike patches, near the given ones."""
        patches = Patches((target.shape[1], target.shape[2]), self.patch, max(1, self.patch - self.patch // 2))
        by = self.lam / (self.gamma * (self.mu + self.beta))
        coefficients, multiplier = target, 0 * target
        gamma = np.float32(self.gamma)
        for _ in range(self.inner):
            cut = patches.take(coefficients - multiplier / gamma)
            for group in groups(cut.reshape(len(cut), -1), self.clusters):
                cut[group] = shrink_tubes(cut[group], soft(by))
            copy = patches.average(cut)
            coefficients = (target + gamma * copy + multiplier) / (1 + gamma)
            multiplier = multiplier + gamma * (copy - coefficients)
        return coefficients


def _spectrum(image: Array) -> Spectrum:
    """Return the tensor [rows, bands, columns] of an image [bands, H, W], transformed: [frequencies, rows, bands]."""
    return fft.rfft(image, workers=2).transpose(2, 1, 0)


def _image(spectrum: Spectrum, columns: int) -> Array:
    return np.ascontiguousarray(fft.irfft(spectrum.transpose(2, 1, 0), columns, workers=2))


def _coefficients(spectrum: Spectrum, columns: int) -> Array:
    """Return [dimension, bands, columns] of [frequencies, dimension, bands]."""
    return np.ascontiguousarray(fft.irfft(spectrum.transpose(1, 2, 0), columns))


def _spectrum_of_coefficients(coefficients: Array) -> Spectrum:
    return fft.rfft(coefficients).transpose(2, 0, 1)


def _adjoint(matrices: Spectrum) -> Spectrum:
    return np.conj(matrices.swapaxes(-1, -2))
