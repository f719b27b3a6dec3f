"""The filters of DHIF-Net against a filter written out voxel by voxel."""

import numpy as np
import pytest
import torch

from hsfusion_baselines.dhif.filters import FilterGenerator, filter_along
from hsfusion_baselines.dhif.network import DHIF


@pytest.mark.parametrize("axis", [-1, -2, -3])
def test_filter_equals_a_sum_over_taps(axis: int) -> None:
    random = np.random.default_rng(4)
    image, filters = random.random((1, 5, 4, 6)), random.random((1, 7, 5, 4, 6))
    size = image.shape[axis]
    expected = np.zeros_like(image)
    for voxel in np.ndindex(*image.shape):
        for tap in range(7):
            place = list(voxel)
            place[axis] += tap - 3
            if axis == -3 and not 0 <= place[axis] < size:
                continue  # beyond the first and the last band there are zeros
            place[axis] = min(max(place[axis], 0), size - 1)
            expected[voxel] += filters[0, tap, *voxel[1:]] * image[tuple(place)]
    ours = filter_along(torch.from_numpy(image), torch.from_numpy(filters), axis)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-12)


def test_filters_have_unit_length() -> None:
    torch.manual_seed(0)
    with torch.inference_mode():
        filters = FilterGenerator(2)(torch.rand(1, 64, 16, 16))
    for filter_ in filters:
        torch.testing.assert_close(filter_.square().sum(dim=1), torch.ones(1, 2, 16, 16))


@pytest.mark.parametrize(("scale", "kernels"), [(4, [6]), (8, [12]), (16, [6, 6]), (2, [4]), (3, [5])])
def test_kernels_of_the_blur(scale: int, kernels: list[int]) -> None:
    with torch.device("meta"):
        network = DHIF(3, 2, scale)
        blurred = network.blur(torch.rand(1, 3, 2 * scale, 3 * scale))
        assert blurred.shape == (1, 3, 2, 3)
        assert network.unblur(blurred).shape == (1, 3, 2 * scale, 3 * scale)
    assert [layer.kernel_size[0] for layer in network.blur if isinstance(layer, torch.nn.Conv2d)] == kernels
