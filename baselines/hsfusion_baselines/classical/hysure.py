"""HySure: total variation in a spectral subspace, by SALSA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import fft

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.classical.cameras import completed
from hsfusion_baselines.classical.optics import WORKERS, Array, Optics
from hsfusion_baselines.classical.subspace import svd_basis
from hsfusion_baselines.classical.vca import vca
from hsfusion_bench.methods import Cube, Method, Observation, option


@dataclass(frozen=True)
class HySure(Method):
    """Convex fusion with vector total variation (Simoes, Bioucas-Dias, Almeida and Chanussot 2015).

    The image is ``E A`` with E pure spectra found by VCA (projected along the mean), or singular vectors. A minimises
    ``1/2 ||Y - E A G||^2 + lambda_m/2 ||Z - R E A||^2 + lambda_phi * VTV(A)``, where VTV sums over
    pixels the length of all differences between neighbours, which couples the bands. Solved by SALSA with four
    splittings (the paper's appendix) from 0, a fixed number of iterations. Parameters as in the authors' release; where
    PSF or SRF are not known, the paper's own estimates are used. Single precision. Nothing is clipped.
    """

    takes_offset = True
    card = CARDS["hysure"]
    dimension: int = option(10, "of the spectral subspace", at_least=1)
    basis: Literal["vca", "svd"] = option("vca", "pure spectra, or singular vectors")
    lambda_m: float = option(1.0, "weight of the multispectral image", at_least=0)
    lambda_phi: float = option(5e-4, "weight of the total variation", at_least=0)
    mu: float = option(0.05, "penalty of the splittings, above 0", at_least=1e-9)
    iterations: int = option(200, "of SALSA", at_least=1)

    def fuse(self, observation: Observation) -> Cube:
        """Return the fused cube."""
        observation = completed(observation)
        low = observation.lr_hsi.astype(np.float64)
        basis = vca(low, self.dimension, projective=False) if self.basis == "vca" else svd_basis(low, self.dimension)
        return np.tensordot(basis.astype(np.float32), self.coefficients(observation, basis), 1)

    def coefficients(self, observation: Observation, basis: Array) -> Array:
        """Return A, float32 [p, H, W], for a basis E [bands, p]."""
        assert observation.srf is not None
        optics, mu, count = Optics.of(observation, np.float32), np.float32(self.mu), basis.shape[1]
        response = observation.srf.astype(np.float64) @ basis
        identity = self.mu * np.eye(count)
        hyper = np.linalg.inv(basis.T @ basis + identity).astype(np.float32)
        multi = np.linalg.inv(self.lambda_m * response.T @ response + identity).astype(np.float32)
        low = np.tensordot(basis.T, observation.lr_hsi, 1).astype(np.float32)
        high = np.tensordot(self.lambda_m * response.T, observation.hr_msi, 1).astype(np.float32)
        inverse = 1 / (np.abs(optics.transfer) ** 2 + _differences_gram(optics.shape) + 1)
        shape = (count, *optics.shape)
        # v: what A, blurred, itself, and its differences are split into; d: their scaled multipliers
        v = [np.zeros(shape, np.float32) for _ in range(4)]
        d = [np.zeros(shape, np.float32) for _ in range(4)]
        for _ in range(self.iterations):
            blurred = fft.rfft2(v[0] + d[0], workers=WORKERS) * np.conj(optics.transfer)
            plain = v[1] + d[1]
            plain += _across_adjoint(v[2] + d[2])
            plain += _down_adjoint(v[3] + d[3])
            spectrum = (blurred + fft.rfft2(plain, workers=WORKERS)) * inverse
            a = fft.irfft2(spectrum, optics.shape, workers=WORKERS)
            targets = [fft.irfft2(spectrum * optics.transfer, optics.shape, workers=WORKERS), a, _across(a), _down(a)]
            nu = [target - multiplier for target, multiplier in zip(targets, d, strict=True)]
            v[0] = nu[0].copy()
            sampled = (..., slice(None, None, optics.scale), slice(None, None, optics.scale))
            v[0][sampled] = np.tensordot(hyper, low + mu * nu[0][sampled], 1)
            v[1] = np.tensordot(multi, high + mu * nu[1], 1)
            v[2], v[3] = _shrunk(nu[2], nu[3], np.float32(self.lambda_phi / self.mu))
            d = [part - before for part, before in zip(v, nu, strict=True)]
        return a


def _across(a: Array) -> Array:
    return a - np.roll(a, -1, -1)


def _across_adjoint(a: Array) -> Array:
    return a - np.roll(a, 1, -1)


def _down(a: Array) -> Array:
    return a - np.roll(a, -1, -2)


def _down_adjoint(a: Array) -> Array:
    return a - np.roll(a, 1, -2)


def _differences_gram(shape: tuple[int, int]) -> Array:
    """Return the eigenvalues of the sum of both differences' Gram operators, float32 [H, W//2 + 1]."""
    height, width = shape
    rows, columns = fft.fftfreq(height), fft.rfftfreq(width)
    gram = 4 - 2 * np.cos(2 * np.pi * rows)[:, None] - 2 * np.cos(2 * np.pi * columns)
    return np.asarray(gram, np.float32)


def _shrunk(across: Array, down: Array, by: np.float32) -> tuple[Array, Array]:
    """Shorten, at every pixel, the vector of all differences of all bands."""
    length = np.sqrt(np.einsum("bij,bij->ij", across, across) + np.einsum("bij,bij->ij", down, down))
    factor = np.maximum(length - by, 0) / np.maximum(length, np.float32(1e-12))
    return across * factor, down * factor


def objective(a: Array, basis: Array, observation: Observation, lambda_m: float, lambda_phi: float) -> float:
    """Return the value of what is minimised, at A [p, H, W]."""
    assert observation.srf is not None
    optics = Optics.of(observation)
    hsi = observation.lr_hsi - np.tensordot(basis, optics.observe(a.astype(np.float64)), 1)
    msi = observation.hr_msi - np.tensordot(observation.srf @ basis, a, 1)
    variation = np.sqrt((_across(a) ** 2).sum(0) + (_down(a) ** 2).sum(0)).sum()
    return float((hsi**2).sum() / 2 + lambda_m * (msi**2).sum() / 2 + lambda_phi * variation)
