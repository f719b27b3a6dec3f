"""NSSR: non-negative structured sparse representation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.classical.cameras import completed
from hsfusion_baselines.classical.nonlocal_means import NonlocalMeans
from hsfusion_baselines.classical.optics import Array, Optics
from hsfusion_baselines.classical.sylvester import Sylvester
from hsfusion_bench.methods import Cube, Method, Observation, option


@dataclass(frozen=True)
class NSSR(Method):
    """Non-negative structured sparse representation (Dong et al. 2016).

    A dictionary D of non-negative spectra is learned from the LR-HSI; non-negative codes A minimise ``||Y - D A G||^2 +
    ||Z - R D A||^2 + eta1*||D A - U||^2 + eta2*|A|_1``, where U is the non-local mean of the image, its weights found
    on the HR-MSI. Solved by ADMM with a copy of the image and one of the codes, the penalty growing by `growth` each
    iteration. At the end the image is changed as little as explains both observations, for which the authors project in
    turn, and which is here one closed form.

    Numbers of iterations, weights and penalties are those with which the authors' release is commonly run on CAVE, and
    alike pixels are found as there: 10 in a window of 37 x 37, by 3 x 3 neighbourhoods. Ours is the exact solution for
    the image where the release stops conjugate gradients early. Single precision. Nothing is clipped.
    """

    takes_offset = True
    card = CARDS["nssr"]
    atoms: int = option(80, "of the dictionary", at_least=1)
    eta1: float = option(1e-2, "weight of the non-local mean", at_least=0)
    eta2: float = option(1e-4, "weight of the sparsity", at_least=0)
    mu: float = option(2e-4, "first penalty of the splittings, above 0", at_least=1e-9)
    growth: float = option(1.1, "factor of the penalty in each iteration", at_least=1)
    iterations: int = option(26, "of ADMM", at_least=1)
    sparsity: float = option(1e-3, "weight of the sparsity while the dictionary is learned", at_least=0)
    seed: int = option(0, "of the dictionary's first atoms", at_least=0)

    def fuse(self, observation: Observation) -> Cube:
        """Return the fused cube."""
        observation = completed(observation)
        optics = Optics.of(observation, np.float32)
        spectra = observation.lr_hsi.reshape(len(observation.lr_hsi), -1)
        d = learned_dictionary(spectra, self.atoms, self.sparsity, self.seed)
        return projected(self.image(observation, optics, d), observation, optics)

    def image(self, observation: Observation, optics: Optics, d: Array) -> Cube:
        """Return the image [bands, H, W] that the codes over a dictionary [bands, atoms] describe."""
        assert observation.srf is not None
        bands, height, width = observation.shape
        srf = observation.srf.astype(np.float64)
        response = srf @ d
        means = nonlocal_means(observation.hr_msi)
        back = optics.adjoint(observation.lr_hsi)
        forward = (response.T @ observation.hr_msi.reshape(len(srf), -1)).astype(np.float32)
        d32, mu = d.astype(np.float32), self.mu
        image = np.zeros((bands, height * width), np.float32)
        smooth, image_multiplier = np.zeros_like(image), np.zeros_like(image)
        sparse = np.zeros((d.shape[1], height * width), np.float32)
        code_multiplier = np.zeros_like(sparse)
        for _ in range(self.iterations):
            system = response.T @ response + (self.eta1 + mu) * d.T @ d + mu * np.eye(d.shape[1])
            codes = d32.T @ (np.float32(self.eta1) * smooth + np.float32(mu) * image - image_multiplier / 2)
            codes += forward + np.float32(mu) * sparse + code_multiplier / 2
            codes = np.linalg.inv(system).astype(np.float32) @ codes
            model = d32 @ codes
            right = back + (np.float32(mu) * model + image_multiplier / 2).reshape(back.shape)
            image = Sylvester(optics, *_identity(bands, mu)).solve(right).reshape(bands, -1)
            sparse = np.maximum(codes - (code_multiplier + np.float32(self.eta2)) / np.float32(2 * mu), 0)
            code_multiplier += np.float32(mu) * (sparse - codes)
            image_multiplier += np.float32(mu) * (model - image)
            smooth = means(image)
            mu *= self.growth
        return image.reshape(observation.shape)


def nonlocal_means(hr_msi: Array) -> NonlocalMeans:
    """Return the averages of alike pixels, with the numbers of the authors' release; its spread is of values to 255."""
    return NonlocalMeans.of(hr_msi, patch=3, radius=18, neighbours=10, spread=90 / 255**2)


def _identity(bands: int, value: float) -> tuple[Array, Array]:
    """Return eigenvectors and eigenvalues of a multiple of the identity."""
    return np.eye(bands, dtype=np.float32), np.full(bands, value, np.float32)


def projected(image: Array, observation: Observation, optics: Optics, weight: float = 1e-4) -> Cube:
    """Return the cube nearest to an image that explains both observations.

    It minimises ``||Y - X G||^2 + ||Z - R X||^2 + weight*||X - image||^2``, whose limit for small weights alternating
    projections approach.
    """
    assert observation.srf is not None
    srf = observation.srf.astype(np.float64)
    right = optics.adjoint(observation.lr_hsi) + np.float32(weight) * image
    right += np.tensordot(srf.T.astype(np.float32), observation.hr_msi, 1)
    identity = np.eye(len(image))
    solver = Sylvester.of(identity, srf.T @ srf + weight * identity, optics)
    return solver.solve(right.astype(np.float32, copy=False))


def learned_dictionary(spectra: Array, atoms: int, sparsity: float, seed: int, iterations: int = 10) -> Array:
    """Return non-negative spectra of length 1 at most, of which few describe each of the given ones.

    Codes (`nonnegative_codes`) and atoms are updated in turn, to lower ``||spectra - D codes||^2 +
    sparsity*|codes|_1``: atoms one by one in closed form, from pixels taken at random.

    Parameters
    ----------
    spectra
        [bands, pixels].
    atoms
        How many; no more than there are pixels that are not 0, and one at least.
    sparsity, seed, iterations
        Weight; of the pixels that the atoms start from; of updates in turn.

    Returns
    -------
    float64 [bands, atoms].
    """
    random = np.random.default_rng(seed)
    spectra = np.maximum(spectra.astype(np.float64), 0)
    spectra = spectra[:, np.linalg.norm(spectra, axis=0) > 1e-6]
    if not spectra.shape[1]:
        return np.full((len(spectra), 1), len(spectra) ** -0.5)
    spectra = spectra[:, random.permutation(spectra.shape[1])[:4096]]  # more pixels teach little more
    d = spectra[:, : min(atoms, spectra.shape[1])].copy()
    d /= np.linalg.norm(d, axis=0)
    for _ in range(iterations):
        codes = nonnegative_codes(spectra, d, sparsity)
        rest = spectra - d @ codes
        for atom in np.flatnonzero((codes**2).sum(1) > 1e-12):
            row, before = codes[atom], d[:, atom].copy()
            new = np.maximum(before + rest @ row / (row @ row), 0)
            d[:, atom] = new / max(float(np.linalg.norm(new)), 1.0)
            rest -= np.outer(d[:, atom] - before, row)
    return d


def nonnegative_codes(spectra: Array, d: Array, sparsity: float) -> Array:
    """Lower ``||spectra - d codes||^2 + sparsity*|codes|_1`` over non-negative codes, as the authors' release does.

    ADMM of 100 iterations, whose penalty grows from 0.005 by 7 % in each, so that the codes come to rest before they
    are as sparse as the minimum.
    """
    gram, cross = d.T @ d, d.T @ spectra
    identity = np.eye(len(gram))
    codes = multiplier = np.zeros_like(cross)
    penalty = 0.005
    for _ in range(100):
        dense = np.linalg.inv(gram + penalty * identity) @ (cross + penalty * codes - multiplier / 2)
        codes = np.maximum(dense + (multiplier - sparsity) / (2 * penalty), 0)
        multiplier = multiplier + penalty * (dense - codes)
        penalty *= 1.07
    return codes
