"""Trajectories: what training in the authors' own code did to the weights, and whether ours does the same.

A trajectory starts from weights and patches that are made by formula, so that nothing but its outcome need be kept:
the losses, and a digest of each movement of the weights. `tests/training/trajectories/PROVENANCE.md` tells where the
numbers come from.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from support import parity

FOLDER = Path(__file__).parents[1] / "training" / "trajectories"
SIGNS = 64


@dataclass(frozen=True)
class Movement:
    """Where tensors went: the norm of their movement, and its inner products with vectors of random signs."""

    norm: float
    products: tuple[float, ...]

    @classmethod
    def of(cls, start: parity.State, end: parity.State, order: Mapping[str, int]) -> Movement:
        """Return the movement of the tensors that `order` numbers; the number alone decides on the signs."""
        squares, products = 0.0, np.zeros(SIGNS)
        for name, number in order.items():
            moved = (end[name].double() - start[name].double()).flatten().numpy()
            squares += float(moved @ moved)
            products += moved @ signs(number, moved.size)
        return cls(math.sqrt(squares), tuple(products.tolist()))

    def distance(self, other: Movement) -> float:
        """Return an estimate of how far apart the two ends are, as a share of the other's movement.

        The squared product of a vector with random signs is the squared norm of the vector on average; the mean of 64
        of them is right to 18 % (one standard deviation).
        """
        difference = np.subtract(self.products, other.products)
        return float(np.sqrt(np.mean(difference**2))) / other.norm


def signs(number: int, n: int) -> npt.NDArray[np.float64]:
    """Return the 64 sign vectors of tensor `number`, [n, 64]: the bits of SplitMix64 at the places of its entries."""
    z = np.arange(1, n + 1, dtype=np.uint64) + np.uint64(number << 32)
    z *= np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    bits = np.unpackbits(z.astype("<u8").view(np.uint8).reshape(n, 8), axis=1)
    return 1.0 - 2.0 * bits


def patch(number: int, side: int, scale: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return LR-HSI, HR-MSI and HR-HSI of patch `number`, 1 x C x H x W: 31 bands, and 3 that are means of them."""
    hr_hsi = parity.image(number, 31, side, side)
    hr_msi = torch.stack([hr_hsi[:, part].mean(dim=1) for part in (slice(11), slice(11, 21), slice(21, 31))], dim=1)
    return torch.nn.functional.avg_pool2d(hr_hsi, scale), hr_msi, hr_hsi


@dataclass(frozen=True)
class Trajectory:
    """One entry of the index."""

    entry: dict[str, Any]

    def movement(self, kind: str) -> Movement:
        """Return a stored movement: "weights", "buffers" or "average"."""
        stored = self.entry["movements"][kind]
        return Movement(stored["norm"], tuple(stored["products"]))

    def state(self) -> parity.State:
        """Return the state in which the authors' network started, by their names; counters are 0."""
        published = parity.load(self.entry["parity"]).entry
        after_fill = {**published["after_fill"], **self.entry["after_fill"]}
        filled = parity.fill(published["manifest"], self.entry["gain"], after_fill, published["unfilled"])
        return {
            name: filled[name] if name in filled else torch.zeros(tuple(shape)) for name, shape in published["manifest"]
        }

    def compared(self, name: str) -> bool:
        """Whether one of the authors' tensors is compared.

        Not compared are those on which no loss depends: an optimiser that divides gradients by their size either
        leaves them alone or moves them by rounding errors.
        """
        return not re.search(self.entry["left_out"] or "(?!)", name)


def load(name: str) -> Trajectory:
    """Return a trajectory."""
    return Trajectory(json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))[name])
