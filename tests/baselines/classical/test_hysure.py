"""HySure against a general optimiser on a tiny image, and its promise on a scene of low rank."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from hsfusion_baselines.classical.hysure import HySure, objective
from hsfusion_baselines.classical.subspace import svd_basis
from support.fusion import make_scene, observe, psnr


def test_salsa_reaches_the_minimum_that_a_general_optimiser_finds():
    observation = observe(make_scene(bands=5, shape=(4, 6)), scale=2, msi_bands=2, side=3)
    basis = svd_basis(observation.lr_hsi, 2)
    weights = {"lambda_m": 0.8, "lambda_phi": 0.02}
    method = HySure(dimension=2, basis="svd", iterations=400, **weights)
    reached = objective(method.coefficients(observation, basis).astype(float), basis, observation, **weights)

    def value(a):
        return objective(a.reshape(2, 4, 6), basis, observation, **weights)

    start = np.zeros(48)
    found = optimize.minimize(value, start, method="L-BFGS-B", options={"maxiter": 60, "maxfun": 4000})
    assert reached < value(start)
    assert reached <= found.fun * 1.002
    # no direction leads down from there
    random = np.random.default_rng(0)
    a = method.coefficients(observation, basis).astype(float).ravel()
    assert all(value(a + 1e-2 * random.standard_normal(48)) > reached for _ in range(20))


def test_more_iterations_come_nearer():
    observation = observe(make_scene())
    basis = svd_basis(observation.lr_hsi, 3)
    values = [
        objective(
            HySure(iterations=count).coefficients(observation, basis).astype(float), basis, observation, 1.0, 5e-4
        )
        for count in (10, 40, 160)
    ]
    assert values[0] > values[1] > values[2]


def test_without_variation_to_pay_a_scene_of_low_rank_is_recovered():
    scene = make_scene()
    assert psnr(scene, HySure(dimension=3, lambda_phi=0, iterations=300).fuse(observe(scene))) > 50
