"""Shrinking of singular values against plain SVDs and scalar minimisation; patches against their definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg, optimize

from hsfusion_baselines.classical.patches import Patches, groups
from hsfusion_baselines.classical.proximal import log_sum, shrink_singular_values, shrink_tubes, soft


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (3, 4, 6)])
def test_singular_values_are_shrunk_as_by_a_plain_svd(shape):
    matrices = np.random.default_rng(0).standard_normal(shape)
    left, values, right = np.linalg.svd(matrices, full_matrices=False)
    expected = (left * np.maximum(values - 0.7, 0)[..., None, :]) @ right
    np.testing.assert_allclose(shrink_singular_values(matrices, soft(0.7)), expected, atol=1e-10)


def test_a_small_singular_value_survives_in_single_precision():
    # a two-hundredth of the largest, in a matrix as large as those of many alike patches
    random = np.random.default_rng(0)
    left, right = (np.linalg.qr(random.standard_normal((side, 2)))[0] for side in (400, 1500))
    matrix = ((left * [300.0, 1.5]) @ right.T).astype(np.float32)
    expected = (left * [299.5, 1.0]) @ right.T
    np.testing.assert_allclose(shrink_singular_values(matrix, soft(0.5)), expected, atol=5e-4)


@pytest.mark.parametrize("value", [0.5, 1.9, 2.1, 3.0, 10.0])
def test_the_log_sum_is_the_minimum_of_its_scalar_problem(value):
    weight, eps = 1.0, 1e-6
    (found,) = log_sum(weight, eps)(np.array([value]))

    def cost(x):
        return (x - value) ** 2 / 2 + weight * np.log(x + eps)

    # two candidates: 0, and the local minimum away from it
    best = optimize.minimize_scalar(cost, bounds=(1.0, value + 1), method="bounded", options={"xatol": 1e-10}).x
    assert found == (0 if value**2 < 4 * weight else pytest.approx(best, abs=1e-5))


def test_tubes_are_shrunk_as_the_block_circulant_matrix():
    # the singular values of the Fourier slices are those of the block-circulant matrix (Kilmer and Martin, 2011)
    tensor = np.random.default_rng(1).standard_normal((4, 3, 5))
    blocks = np.block([[tensor[:, :, (i - j) % 5] for j in range(5)] for i in range(5)])
    left, values, right = np.linalg.svd(blocks, full_matrices=False)
    expected = ((left * np.maximum(values - 1.5, 0)) @ right)[:, :3].reshape(5, 4, 3).transpose(1, 2, 0)
    np.testing.assert_allclose(shrink_tubes(tensor, soft(1.5)), expected, atol=1e-10)


@pytest.mark.parametrize("tensor", [np.zeros((4, 3, 5)), np.ones((1, 1, 1)), np.ones((2, 7, 4), np.float32)])
def test_degenerate_tensors_stay_finite(tensor):
    shrunk = shrink_tubes(tensor, log_sum(0.1))
    assert np.isfinite(shrunk).all()
    assert shrunk.dtype == tensor.dtype


@pytest.mark.parametrize(("shape", "side", "step"), [((11, 14), 4, 3), ((6, 5), 8, 4), ((8, 8), 3, 3)])
def test_patches_come_back_as_they_were_taken(shape, side, step):
    image = np.random.default_rng(2).random((2, *shape))
    patches = Patches(shape, side, step)
    cut = patches.take(image)
    rows, columns = patches.origins
    height, width = patches.sides
    i, j = len(rows) - 1, len(columns) // 2
    expected = image[:, rows[i] : rows[i] + height, columns[j] : columns[j] + width]
    np.testing.assert_array_equal(cut[i * len(columns) + j].reshape(expected.shape), expected)
    np.testing.assert_allclose(patches.average(cut), image, atol=1e-14)


def test_groups_are_a_partition_of_what_is_alike():
    random = np.random.default_rng(3)
    features = np.concatenate([random.normal(centre, 0.01, (20, 4)) for centre in (0, 1, 2)])
    found = groups(features, 3, seed=1)
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(60))
    assert len(groups(features, 1)) == 1
    assert sum(map(len, groups(np.zeros((7, 4)), 3))) == 7


def test_shrinking_is_the_proximal_operator_of_the_nuclear_norm():
    matrix = np.random.default_rng(4).standard_normal((4, 6))
    shrunk = shrink_singular_values(matrix, soft(0.5))

    def cost(x):
        return np.sum((x - matrix) ** 2) / 2 + 0.5 * linalg.svdvals(x).sum()

    random = np.random.default_rng(5)
    assert all(cost(shrunk + 1e-2 * random.standard_normal((4, 6))) > cost(shrunk) for _ in range(30))
