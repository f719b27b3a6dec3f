"""The digest of a movement tells how far two ends are apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from support.trajectories import Movement, signs

ORDER = {"a": 0, "b": 7}


def state(seed: int, size: float = 1.0) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    return {"a": size * torch.randn(40, 50, generator=random), "b": size * torch.randn(300, generator=random)}


def test_signs_are_balanced_and_independent() -> None:
    found = signs(3, 20_000)
    assert set(np.unique(found)) == {-1.0, 1.0}
    assert np.abs(found.mean(axis=0)).max() < 5 / np.sqrt(20_000)
    products = found.T @ found / 20_000 - np.eye(64)
    assert np.abs(products).max() < 5 / np.sqrt(20_000)
    assert np.abs((found * signs(4, 20_000)).mean(axis=0)).max() < 5 / np.sqrt(20_000)


def test_signs_are_the_bits_of_splitmix64() -> None:
    # the first outputs of SplitMix64 from the seed 0, as published with it
    known = np.array([0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F], dtype=np.uint64)
    bits = np.unpackbits(known.astype("<u8").view(np.uint8).reshape(3, 8), axis=1)
    np.testing.assert_array_equal(signs(0, 3), 1.0 - 2.0 * bits)


@pytest.mark.parametrize("size", [1e-5, 0.3, 2.0])
def test_the_distance_is_that_of_the_ends(size: float) -> None:
    start, end, step = state(0), state(1), state(2, size)
    other = {name: tensor + step[name] for name, tensor in end.items()}
    ours, theirs = Movement.of(start, other, ORDER), Movement.of(start, end, ORDER)
    squared = [sum(float(step[name].square().sum()) for name in ORDER), theirs.norm**2]
    assert theirs.norm == pytest.approx(np.sqrt(sum(float((end[n] - start[n]).square().sum()) for n in ORDER)))
    assert ours.distance(theirs) == pytest.approx(np.sqrt(squared[0] / squared[1]), rel=0.3)
    assert theirs.distance(theirs) == 0
