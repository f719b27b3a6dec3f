"""Tiles: where they lie, what they change, and when they are chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hsfusion_bench.errors import UsageError
from hsfusion_bench.methods import Batch, Card, NetworkMethod, Observation, Problem, tiling
from hsfusion_bench.methods.tiling import Tiles, choose_tiles, predict_tiled
from support.training import RECIPE

SCALE = 4


def images(height: int = 20, width: int = 28) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return (
        torch.rand(1, 5, height, width, generator=generator),
        torch.rand(1, 3, SCALE * height, SCALE * width, generator=generator),
    )


class Local(nn.Module):
    """Three convolutions of 3x3 on both images: a pixel sees 3 HR pixels and one LR pixel around it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.low = nn.Conv2d(5, 5, 3, padding=1)
        self.high = nn.Sequential(*(nn.Conv2d(8 if layer == 0 else 5, 5, 3, padding=1) for layer in range(3)))

    def forward(self, lr_hsi: torch.Tensor, hr_msi: torch.Tensor) -> torch.Tensor:
        enlarged = self.low(lr_hsi).repeat_interleave(SCALE, dim=2).repeat_interleave(SCALE, dim=3)
        fused: torch.Tensor = self.high(torch.cat([enlarged, hr_msi], dim=1))
        return fused


@pytest.mark.parametrize(("size", "side", "overlap"), [(512, 128, 32), (80, 32, 8), (112, 64, 60), (64, 64, 16)])
def test_tiles_cover_an_axis(size: int, side: int, overlap: int) -> None:
    starts = Tiles(side, overlap).starts(size, SCALE)
    assert starts[0] == 0
    assert starts[-1] == size - side
    assert all(start % SCALE == 0 for start in starts)
    assert all(second - first <= side - overlap + SCALE for first, second in pairwise(starts))


def test_a_tile_larger_than_the_image_is_the_image() -> None:
    lr_hsi, hr_msi = images()
    network = Local()
    torch.testing.assert_close(
        predict_tiled(network, lr_hsi, hr_msi, Tiles(512, 64)), network(lr_hsi, hr_msi), atol=1e-6, rtol=0
    )


def test_a_local_network_in_tiles_equals_itself_away_from_the_seams() -> None:
    lr_hsi, hr_msi = images(40, 56)
    network = Local()
    tiles = Tiles(64, 16)
    with torch.no_grad():
        difference = (predict_tiled(network, lr_hsi, hr_msi, tiles) - network(lr_hsi, hr_msi)).abs().amax(dim=(0, 1))
    height, width = hr_msi.shape[-2:]
    reach = 8  # three HR pixels, and the one LR pixel beyond them

    def near_a_seam(size: int) -> np.ndarray:
        near = np.zeros(size, bool)
        for start in tiles.starts(size, SCALE):
            for border in (start, start + tiles.side):
                if 0 < border < size:
                    near[max(0, border - reach) : border + reach] = True
        return near

    seams = near_a_seam(height)[:, None] | near_a_seam(width)
    assert (~seams).mean() > 0.1
    assert difference.numpy()[~seams].max() < 1e-5
    assert difference.numpy()[seams].max() > 1e-4  # else nothing was tiled


def test_blending_is_a_mean_of_the_tiles_with_weights_of_one() -> None:
    lr_hsi, hr_msi = images()
    fused = predict_tiled(lambda low, high: torch.ones(1, 5, *high.shape[-2:]), lr_hsi, hr_msi, Tiles(24, 8))
    torch.testing.assert_close(fused, torch.ones(1, 5, 80, 112))


def test_the_peak_of_memory_is_that_of_tensors_that_live_together() -> None:
    image = torch.zeros(1000)
    with torch.no_grad(), tiling._Peak() as peak:
        first = image + 1  # 4000 bytes
        second = first.reshape(10, 100) * 2  # 8000; the view takes none
        del first
        third = second.t().contiguous()  # 8000
        del second
        _ = third + 1  # 8000
    assert peak.bytes == 8000


@pytest.mark.parametrize(
    ("free", "local", "expected"),
    [
        (1e12, True, None),
        (1e12, False, None),
        (4e6, True, Tiles(128, 32)),
        (4e6, False, Tiles(64, 16)),
        (1, True, Tiles(64, 16)),
    ],
)
def test_tiles_are_chosen_from_free_memory(
    monkeypatch: pytest.MonkeyPatch, free: float, local: bool, expected: Tiles | None
) -> None:
    monkeypatch.setattr(tiling, "free_memory", lambda device: free)

    def twenty_maps(low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
        # 20 maps of 4 bytes at each of 512 x 512 pixels are 21 MB, of 256 x 256 5 MB, of 128 x 128 1.3 MB
        return torch.zeros(1, 20, *high.shape[-2:]).clone()[:, :5]

    chosen = choose_tiles(twenty_maps, *images(128, 128), local=local, patch=64)
    assert chosen == expected


def test_free_memory_is_told_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("there is no /proc")

    monkeypatch.setattr(Path, "read_text", refuse)
    assert 0 < tiling.free_memory(torch.device("cpu")) < 2**50


@pytest.mark.parametrize(("side", "overlap"), [(4, None), (64, 64), (64, 100)])
def test_tiles_that_cannot_be_cut_are_refused(side: int, overlap: int | None) -> None:
    with pytest.raises(UsageError, match="cannot be cut at scale 4"):
        Tiles.of(side, SCALE, overlap)


class Method(NetworkMethod):
    card = Card("tiled", "Tiled", "cnn")
    recipe = RECIPE
    local = True

    def build(self, problem: Problem) -> nn.Module:
        return Local()

    def predict(self, network: nn.Module, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, problem: Problem) -> torch.Tensor:
        fused: torch.Tensor = network(lr_hsi, hr_msi)
        return fused

    def loss(self, network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        raise NotImplementedError


@pytest.mark.parametrize(("tile", "expected"), [("none", None), ("auto", None), (32, Tiles(32, 8)), (33, Tiles(32, 8))])
def test_a_method_fuses_as_it_is_told(tile: int | str, expected: Tiles | None) -> None:
    lr_hsi, hr_msi = (image[0].numpy() for image in images())
    observation = Observation(lr_hsi, hr_msi, SCALE, 2.0)
    method = Method().with_network(Local(), Problem.of(observation), tile=tile)  # type: ignore[arg-type]
    fused = method.fuse(observation)
    assert method.tiles_for(observation) == expected
    whole: Callable[..., torch.Tensor] = Local()
    with torch.no_grad():
        plain = whole(*images())[0].clamp(0, 1).numpy()
    assert np.array_equal(fused, plain) == (expected is None)


class Patchwise(Method):
    default_tile = 32


@pytest.mark.parametrize(("tile", "expected"), [("auto", Tiles(32, 8)), ("none", None), (16, Tiles(16, 4))])
def test_a_method_has_tiles_of_its_own_unless_told_otherwise(tile: int | str, expected: Tiles | None) -> None:
    lr_hsi, hr_msi = (image[0].numpy() for image in images())
    observation = Observation(lr_hsi, hr_msi, SCALE, 2.0)
    method = Patchwise().with_network(Local(), Problem.of(observation), tile=tile)  # type: ignore[arg-type]
    method.fuse(observation)
    assert method.tiles_for(observation) == expected
    small = Observation(lr_hsi[:, :8, :8], hr_msi[:, :32, :32], SCALE, 2.0)
    method = Patchwise().with_network(Local(), Problem.of(small))
    method.fuse(small)
    assert method.tiles_for(small) is None
