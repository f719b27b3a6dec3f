"""CSTF: coupled sparse Tucker factorisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.classical.cameras import completed
from hsfusion_baselines.classical.optics import Array
from hsfusion_baselines.classical.vca import vca
from hsfusion_bench.methods import Cube, HsbenchError, Method, Observation, option


@dataclass(frozen=True)
class CSTF(Method):
    """Coupled sparse tensor factorisation (Li, Dian, Fang and Bioucas-Dias 2018).

    The image is a Tucker product ``C x1 W x2 H x3 S`` of a sparse core with dictionaries of its rows, columns and
    spectra. Proximal alternating minimisation of ``||Y - C x1 P1 W x2 P2 H x3 S||^2 + ||Z - C x1 W x2 H x3 R S||^2 +
    lam*|C|_1``, P1 and P2 the blur and sampling along columns and rows: each dictionary by a Sylvester equation,
    where the paper uses conjugate gradients, the core by ADMM.

    Numbers of atoms (260, 260, 15), weights and iterations are those of the authors' release for CAVE; other images
    have as many atoms in proportion. The dictionaries of rows and columns start from the singular vectors of the
    HR-MSI's unfoldings, where the release learns them by DUC-KSVD, that of spectra from VCA, as there; the core goes on
    from its last value with few iterations of ADMM, where the release starts anew with 60. The blur must be separable:
    of one that is not, the separable blur that comes nearest is taken. Nothing is clipped.
    """

    takes_offset = True
    card = CARDS["cstf"]
    spatial: float = option(
        260 / 512, "atoms of rows and of columns, as a part of their length, at most 1", at_least=0.01
    )
    spectral: int = option(15, "atoms of spectra", at_least=1)
    lam: float = option(1e-5, "weight of the core's sparsity", at_least=0)
    proximal: float = option(1e-3, "weight of the proximal terms, above 0", at_least=1e-9)
    penalty: float = option(1e-2, "of the core's splitting, above 0", at_least=1e-9)
    iterations: int = option(15, "of alternating minimisation", at_least=1)
    inner: int = option(10, "of ADMM for the core in each", at_least=1)

    def fuse(self, observation: Observation) -> Cube:
        """Return the fused cube."""
        if self.spatial > 1:
            raise HsbenchError(f"cstf.spatial is {self.spatial:g}; at most 1 is possible")
        observation = completed(observation)
        assert observation.srf is not None
        srf = observation.srf.astype(np.float64)
        # the image's axes in the order of the paper: rows, columns, bands
        hsi = np.ascontiguousarray(observation.lr_hsi.transpose(1, 2, 0), np.float64)
        msi = np.ascontiguousarray(observation.hr_msi.transpose(1, 2, 0), np.float64)
        cameras = [*separable_camera(observation), srf]
        sharp = [
            *(_leading(_unfolded(msi, axis), max(1, round(self.spatial * msi.shape[axis]))) for axis in (0, 1)),
            vca(observation.lr_hsi, self.spectral, projective=False),
        ]
        core = Core(hsi, msi, self.lam, self.penalty)
        core.update(*_factors(sharp, cameras), self.inner)
        for _ in range(self.iterations):
            for axis in range(3):
                low, high = _factors(sharp, cameras)
                # along the two spatial axes the camera blurs the HSI, along the spectral one it mixes the MSI
                plain, seen = (msi, hsi) if axis < 2 else (hsi, msi)
                factors = (high, low) if axis < 2 else (low, high)
                design, blurred = (
                    _unfolded(_product(core.value, [None if a == axis else each[a] for a in range(3)]), axis)
                    for each in factors
                )
                sharp[axis] = updated_dictionary(
                    sharp[axis],
                    _unfolded(plain, axis),
                    design,
                    _unfolded(seen, axis),
                    blurred,
                    cameras[axis],
                    self.proximal,
                )
            core.update(*_factors(sharp, cameras), self.inner)
        fused = _product(core.value, sharp).transpose(2, 0, 1)
        return np.ascontiguousarray(fused, np.float32)


class Core:
    """The sparse core: minimises ``||Y - C x low||^2 + ||Z - C x high||^2 + lam*|C|_1`` by ADMM.

    Each data term has a copy of the core, which its own eigenvectors along each axis make diagonal.
    """

    def __init__(self, hsi: Array, msi: Array, lam: float, penalty: float) -> None:
        self.images = hsi, msi
        self.lam = lam
        self.penalty = penalty
        self.value: Array = np.zeros(0)
        self._multipliers: list[Array] = []

    def update(self, low: list[Array], high: list[Array], iterations: int) -> None:
        """Make iterations from the last value, for dictionaries as each camera sees them."""
        shape = tuple(factor.shape[1] for factor in low)
        if not self.value.size:
            self.value = np.zeros(shape)
            self._multipliers = [np.zeros(shape), np.zeros(shape)]
        terms = []
        for image, factors in zip(self.images, (low, high), strict=True):
            pairs = [np.linalg.eigh(factor.T @ factor) for factor in factors]
            weights = pairs[0][0][:, None, None] * pairs[1][0][:, None] * pairs[2][0]
            vectors = [vectors for _, vectors in pairs]
            seen = _product(image, [(factor @ v).T for factor, v in zip(factors, vectors, strict=True)])
            terms.append((seen, weights + self.penalty, vectors))
        for _ in range(iterations):
            copies = []
            for (seen, weights, vectors), multiplier in zip(terms, self._multipliers, strict=True):
                inside = _product(self.value - multiplier, [v.T for v in vectors])
                copies.append(_product((seen + self.penalty * inside) / weights, vectors))
            mean = sum(copy + m for copy, m in zip(copies, self._multipliers, strict=True)) / 2
            by = self.lam / (4 * self.penalty)
            self.value = np.sign(mean) * np.maximum(np.abs(mean) - by, 0)
            for copy, multiplier in zip(copies, self._multipliers, strict=True):
                multiplier += copy - self.value


def updated_dictionary(
    before: Array, plain: Array, design: Array, seen: Array, blurred: Array, camera: Array, weight: float
) -> Array:
    """Return D that minimises ``||plain - D design||^2 + ||seen - camera D blurred||^2 + weight*||D - before||^2``.

    It solves ``D Q2 + P D Q1 = C`` by the eigenvectors of P and those of Q1 with respect to Q2.
    """
    right = plain @ design.T + camera.T @ (seen @ blurred.T) + weight * before
    q2 = design @ design.T + weight * np.eye(before.shape[1])
    values, vectors = np.linalg.eigh(camera.T @ camera)
    small, turned = linalg.eigh(blurred @ blurred.T, q2)
    inside = (vectors.T @ right @ turned) / (1 + np.maximum(values, 0)[:, None] * np.maximum(small, 0))
    updated: Array = vectors @ inside @ turned.T
    return updated


def separable_camera(observation: Observation) -> tuple[Array, Array]:
    """Return blur and sampling as matrices along columns [h, H] and along rows [w, W].

    The PSF's nearest product of two profiles is taken, on the torus, its middle at the phase.
    """
    assert observation.psf is not None
    left, values, right = np.linalg.svd(observation.psf.astype(np.float64))
    profiles = left[:, 0] * values[0] ** 0.5, right[0] * values[0] ** 0.5
    cameras = []
    for profile, length in zip(profiles, observation.hr_msi.shape[1:], strict=True):
        first = observation.phase - (len(profile) - 1) / 2
        if first != round(first):
            raise HsbenchError(
                f"a blur of {len(profile)} pixels has its middle {'on' if len(profile) % 2 else 'between'} pixels and "
                f"cannot lie at phase {observation.phase:g}"
            )
        profile = profile * np.sign(profile.sum())
        camera = np.zeros((length // observation.scale, length))
        rows = np.arange(len(camera))
        taps = observation.scale * rows[:, None] + round(first) + np.arange(len(profile))
        np.add.at(camera, (rows[:, None], taps % length), profile)
        cameras.append(camera)
    return cameras[0], cameras[1]


def _factors(sharp: list[Array], cameras: list[Array]) -> tuple[list[Array], list[Array]]:
    """Return the dictionaries as the hyperspectral and as the multispectral camera see them."""
    low = [cameras[0] @ sharp[0], cameras[1] @ sharp[1], sharp[2]]
    high = [sharp[0], sharp[1], cameras[2] @ sharp[2]]
    return low, high


def _product(core: Array, factors: list[Array] | list[Array | None]) -> Array:
    """Multiply a tensor of three axes by a matrix along each that has one."""
    for axis, factor in enumerate(factors):
        if factor is not None:
            core = np.moveaxis(np.tensordot(factor, core, (1, axis)), 0, axis)
    return core


def _unfolded(tensor: Array, axis: int) -> Array:
    return np.moveaxis(tensor, axis, 0).reshape(tensor.shape[axis], -1)


def _leading(matrix: Array, count: int) -> Array:
    """Return the leading left singular vectors."""
    return np.linalg.eigh(matrix @ matrix.T)[1][:, ::-1][:, :count]
