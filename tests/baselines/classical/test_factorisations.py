"""The tensor and sparse-coding methods: their sub-problems densely, their promises on scenes of low rank."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from hsfusion_baselines.classical.cstf import CSTF, Core, separable_camera, updated_dictionary
from hsfusion_baselines.classical.ir_tensr import IRTenSR
from hsfusion_baselines.classical.ltmr import LTMR
from hsfusion_baselines.classical.lttr import LTTR
from hsfusion_baselines.classical.nonlocal_means import NonlocalMeans
from hsfusion_baselines.classical.nssr import NSSR, learned_dictionary, projected
from hsfusion_baselines.classical.optics import Optics
from support.fusion import make_scene, observe, psnr

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("method", "decibels"),
    [
        (LTMR(dimension=3, clusters=10, iterations=40, eta=1e-6), 55),
        (LTTR(dimension=3, clusters=10, iterations=25, tau=1e-6), 50),
        (NSSR(atoms=30), 36),
        (IRTenSR(iterations=8, inner=2, lam=1e-6), 34),
        (CSTF(spatial=1, spectral=3), 40),
    ],
    ids=lambda value: value.card.name if hasattr(value, "card") else "",
)
def test_a_scene_of_low_rank_is_recovered(method, decibels):
    scene = make_scene()
    assert psnr(scene, method.fuse(observe(scene))) > decibels


# -- CSTF


def test_a_dictionary_is_the_minimum_of_its_dense_problem():
    before, camera = RANDOM.random((6, 3)), RANDOM.random((2, 6))
    plain, design = RANDOM.random((6, 8)), RANDOM.random((3, 8))
    seen, blurred = RANDOM.random((2, 9)), RANDOM.random((3, 9))
    system = np.vstack([np.kron(np.eye(6), design.T), np.kron(camera, blurred.T), np.sqrt(0.1) * np.eye(18)])
    right = np.concatenate([plain.ravel(), seen.ravel(), np.sqrt(0.1) * before.ravel()])
    expected = np.linalg.lstsq(system, right, rcond=None)[0].reshape(6, 3)
    np.testing.assert_allclose(
        updated_dictionary(before, plain, design, seen, blurred, camera, 0.1), expected, atol=1e-9
    )


def test_the_core_without_sparsity_is_that_of_least_squares():
    low = [RANDOM.random(shape) for shape in ((3, 2), (3, 2), (5, 2))]
    high = [RANDOM.random(shape) for shape in ((6, 2), (6, 2), (2, 2))]
    hsi, msi = RANDOM.random((3, 3, 5)), RANDOM.random((6, 6, 2))
    core = Core(hsi, msi, lam=0.0, penalty=0.1)
    core.update(low, high, 3000)
    system = np.vstack([np.kron(np.kron(a, b), c) for a, b, c in (low, high)])
    expected = np.linalg.lstsq(system, np.concatenate([hsi.ravel(), msi.ravel()]), rcond=None)[0]
    np.testing.assert_allclose(core.value.ravel(), expected, atol=1e-4)


def test_a_sparse_core_is_a_minimum():
    low = [RANDOM.random(shape) for shape in ((3, 2), (3, 2), (5, 2))]
    high = [RANDOM.random(shape) for shape in ((6, 2), (6, 2), (2, 2))]
    hsi, msi = RANDOM.random((3, 3, 5)), RANDOM.random((6, 6, 2))
    core = Core(hsi, msi, lam=3.0, penalty=0.1)
    core.update(low, high, 3000)
    system = np.vstack([np.kron(np.kron(a, b), c) for a, b, c in (low, high)])
    data = np.concatenate([hsi.ravel(), msi.ravel()])

    def cost(value):
        return np.sum((system @ value - data) ** 2) + 3.0 * np.abs(value).sum()

    found = optimize.minimize(cost, core.value.ravel(), method="Powell", options={"maxiter": 2000, "xtol": 1e-8})
    assert cost(core.value.ravel()) <= found.fun + 1e-4


def test_a_separable_camera_is_the_camera():
    scene = make_scene(bands=2)
    observation = observe(scene)
    down, across = separable_camera(observation)
    seen = np.einsum("ij,bjk,lk->bil", down, scene, across)
    np.testing.assert_allclose(seen, Optics.of(observation).observe(scene), atol=1e-12)


# -- NSSR


def test_a_dictionary_describes_the_spectra_it_was_learned_from():
    spectra = make_scene().reshape(16, -1)
    d = learned_dictionary(spectra, 12, 1e-4, seed=0)
    assert d.min() >= 0
    assert np.linalg.norm(d, axis=0).max() <= 1 + 1e-12
    error = [optimize.nnls(d, spectrum)[1] for spectrum in spectra.T[::40]]
    assert np.max(error) < 0.02


def test_what_is_projected_explains_both_images():
    observation = observe(make_scene())
    found = projected(np.zeros(observation.shape, np.float32), observation, Optics.of(observation, np.float32), 1e-5)
    again = observe(found.astype(float))
    np.testing.assert_allclose(again.hr_msi, observation.hr_msi, atol=2e-3)
    np.testing.assert_allclose(again.lr_hsi, observation.lr_hsi, atol=2e-3)


def test_the_nonlocal_mean_finds_what_is_alike():
    guide = np.zeros((1, 12, 12), np.float32)
    guide[:, :, 6:] = 1
    means = NonlocalMeans.of(guide, patch=3, radius=3, neighbours=5, spread=1e-3)
    np.testing.assert_allclose(means.weights.sum(1), 1, atol=1e-6)
    # far from the edge all neighbours are of the pixel's own kind
    averaged = means(guide.reshape(1, -1)).reshape(12, 12)
    np.testing.assert_allclose(averaged[:, [2, 3, 8, 9]], [[0, 0, 1, 1]] * 12, atol=1e-6)
    # the pixel itself is one of them, and weighs as much as the next
    np.testing.assert_allclose(means.weights.diagonal().reshape(12, 12)[:, [2, 3, 8, 9]], 1 / 5, atol=1e-6)


# -- IR-TenSR, LTTR


def test_each_round_leaves_less_of_the_observations():
    observation = observe(make_scene())
    left = []
    for rounds in (1, 2, 4):
        fused = IRTenSR(rounds=rounds, iterations=4, inner=2).fuse(observation).astype(float)
        again = observe(fused)
        left.append(
            np.linalg.norm(again.lr_hsi - observation.lr_hsi) + np.linalg.norm(again.hr_msi - observation.hr_msi)
        )
    assert left[0] > left[1] > left[2]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_unfoldings_are_those_of_the_tensor_train(number):
    # [rows, columns, bands, patches], unfolded after one, two and three axes
    group = RANDOM.random((7, 3, 12)).astype(np.float32)
    tensor = group.reshape(7, 3, 4, 3).transpose(2, 3, 1, 0)
    unfolding = tensor.reshape({0: (12, 21), 1: (36, 7), 2: (4, 63)}[number])
    method = LTTR(tau=0.5, mu=0.1)
    shrunk = method._shrunk(group, number, (4, 3))
    left, values, right = np.linalg.svd(unfolding, full_matrices=False)
    roots = np.sqrt([12, 7, 4])
    weight = 0.5 * roots[number] / roots.sum() / 0.2
    kept = np.where(values**2 > 4 * weight, (values + np.sqrt(np.maximum(values**2 - 4 * weight, 0))) / 2, 0)
    expected = ((left * kept) @ right).reshape(4, 3, 3, 7).transpose(3, 2, 0, 1).reshape(7, 3, 12)
    np.testing.assert_allclose(shrunk, expected, atol=1e-4)
