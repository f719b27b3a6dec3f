"""Fusion in overlapping tiles, for images whose activations do not fit into memory.

The tiles of a network that is local agree where they overlap, but for a margin along their borders as wide as its
reach; the blending gives that margin little weight. A network that is not local (it pools, transforms, or numbers the
positions of a whole image) sees another image in each tile, and its result depends on their size: where it must be
tiled, the tile is the patch it was trained on.
"""

from __future__ import annotations

import math
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from hsfusion_bench.errors import UsageError
from hsfusion_bench.memory import available

Predict = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

#: Sides of the images on which memory is measured, LR pixels.
_PROBES = (8, 16)
#: How much of the free memory a fusion may be expected to take: estimates are rough.
_SHARE = 0.7


@dataclass(frozen=True)
class Tiles:
    """Squares of `side` HR pixels, of which neighbours share `overlap`; both are multiples of the scale."""

    side: int
    overlap: int

    @classmethod
    def of(cls, side: int, scale: int, overlap: int | None = None) -> Tiles:
        """Return tiles of about a side, with an overlap of a quarter of it unless another is given.

        Raises
        ------
        UsageError
            If the side is less than two LR pixels, or the overlap is not less than the side.
        """
        whole = side // scale * scale
        shared = (whole // 4 if overlap is None else overlap) // scale * scale
        if whole < 2 * scale or not 0 <= shared < whole:
            raise UsageError(
                f"tiles of {side} pixels that share {shared} cannot be cut at scale {scale}: a side of at least "
                f"{2 * scale} and a smaller overlap are needed"
            )
        return cls(whole, shared)

    def starts(self, size: int, scale: int) -> list[int]:
        """Return where tiles begin along an axis of `size` HR pixels, evenly spread, at multiples of the scale."""
        if size <= self.side:
            return [0]
        count = -(-(size - self.overlap) // (self.side - self.overlap))
        return [number * (size - self.side) // (count - 1) // scale * scale for number in range(count)]


def predict_tiled(predict: Predict, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, tiles: Tiles) -> torch.Tensor:
    """Fuse tile by tile and blend.

    Parameters
    ----------
    predict
        Fuses a batch: ``predict(lr_hsi, hr_msi)``.
    lr_hsi, hr_msi
        [N, bands, h, w] and [N, msi_bands, H, W].
    tiles
        Their size and overlap.

    Returns
    -------
    Tensor [N, bands, H, W]. Where tiles overlap it is their mean, weighted by the distance from their borders.
    """
    height, width = hr_msi.shape[-2:]
    scale = height // lr_hsi.shape[-2]
    total = hr_msi.new_zeros((*lr_hsi.shape[:2], height, width))
    weight = hr_msi.new_zeros((height, width))
    for row in tiles.starts(height, scale):
        for column in tiles.starts(width, scale):
            rows, columns = (slice(start, start + tiles.side) for start in (row, column))
            low = tuple(slice(part.start // scale, part.stop // scale) for part in (rows, columns))
            fused = predict(lr_hsi[..., low[0], low[1]], hr_msi[..., rows, columns])
            ramp = _ramp(fused.shape[-2], tiles.overlap, fused)[:, None] * _ramp(fused.shape[-1], tiles.overlap, fused)
            total[..., rows, columns] += fused * ramp
            weight[rows, columns] += ramp
    return total / weight


def _ramp(side: int, overlap: int, like: torch.Tensor) -> torch.Tensor:
    """Return weights along an axis of a tile: 1 in the middle, falling linearly over the overlap to both ends."""
    place = torch.arange(side, device=like.device, dtype=like.dtype) + 0.5
    distance = torch.minimum(place, side - place)
    return (distance / max(overlap, 1)).clamp(max=1.0)


def choose_tiles(
    predict: Predict, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, *, local: bool, patch: int
) -> Tiles | None:
    """Choose tiles from the memory that is free; None where the whole image fits.

    Parameters
    ----------
    predict, lr_hsi, hr_msi
        As for `predict_tiled`. Two small corners of the image are fused, and their memory is scaled to its size.
    local
        Whether the network is local: then the tiles are the largest that fit, else of the side `patch`.
    patch
        Side of the patches that the network was trained on, HR pixels.
    """
    height, width = hr_msi.shape[-2:]
    scale = height // lr_hsi.shape[-2]
    if min(lr_hsi.shape[-2:]) <= 2 * _PROBES[1]:
        return None  # hardly larger than what is tried
    estimate = _memory_model(predict, lr_hsi, hr_msi, scale)
    budget = _SHARE * free_memory(hr_msi.device)
    if estimate((height * width) ** 0.5) <= budget:
        return None
    if not local:
        return Tiles.of(patch, scale)
    side = max(height, width)
    while side > patch and estimate(side) > budget:
        side = max(side // 2, patch)
    return Tiles.of(side, scale)


def free_memory(device: torch.device) -> int:
    """Return the bytes that are free on a device; of the CPU, those that the system could hand out."""
    if device.type == "cuda":
        free: int = torch.cuda.mem_get_info(device)[0]
        return free
    return available()


def _memory_model(predict: Predict, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, scale: int) -> Callable[[float], float]:
    """Return the peak of a fusion's memory in bytes by the side of the image, as a power that fits two small images."""
    peaks = []
    for side in _PROBES:
        high = side * scale
        corner = lr_hsi[..., :side, :side].clone(), hr_msi[..., :high, :high].clone()
        with _Peak() as peak:
            predict(*corner)
        peaks.append(float(peak.bytes))
    # memory is linear in the number of pixels at least, and quadratic at most
    power = min(max(math.log2(peaks[1] / peaks[0]), 2.0), 4.0)
    return lambda side: peaks[1] * (side / (_PROBES[1] * scale)) ** power


class _Peak(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of the storages that operators make and that are alive at a time."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0
        self._alive = 0
        self._users: Counter[int] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        made = func(*args, **(kwargs or {}))
        for tensor in tree_iter(made):
            if isinstance(tensor, torch.Tensor):
                self._add(tensor)
        return made

    def _add(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        place, size = storage.data_ptr(), storage.nbytes()
        if not self._users[place]:
            self._alive += size
            self.bytes = max(self.bytes, self._alive)
        self._users[place] += 1
        weakref.finalize(tensor, self._drop, place, size)

    def _drop(self, place: int, size: int) -> None:
        self._users[place] -= 1
        if not self._users[place]:
            self._alive -= size
