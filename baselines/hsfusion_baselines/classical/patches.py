"""Overlapping patches of an image, and groups of those that look alike."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.cluster.vq import kmeans2

from hsfusion_baselines.classical.optics import Array

Index = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Patches:
    """Where the patches of an image lie: every `step` pixels, and at the far borders.

    Parameters
    ----------
    shape
        (H, W) of the image.
    side
        Of a patch; cut to what the image holds.
    step
        From one patch to the next, 1 to `side`.
    """

    shape: tuple[int, int]
    side: int
    step: int

    @property
    def sides(self) -> tuple[int, int]:
        """(height, width) of a patch."""
        return min(self.side, self.shape[0]), min(self.side, self.shape[1])

    @property
    def origins(self) -> tuple[Index, Index]:
        """Rows and columns at which patches begin; there is one patch for each pair."""
        rows, columns = (
            np.unique(np.append(np.arange(0, length - side + 1, self.step), length - side))
            for length, side in zip(self.shape, self.sides, strict=True)
        )
        return rows, columns

    def take(self, image: Array) -> Array:
        """Return the patches of [channels, H, W]: [patches, channels, pixels of a patch], a copy."""
        rows, columns = self.origins
        windows = np.lib.stride_tricks.sliding_window_view(image, self.sides, (1, 2))
        found = windows[:, rows[:, None], columns].transpose(1, 2, 0, 3, 4)
        return found.reshape(len(rows) * len(columns), len(image), -1)

    def average(self, patches: Array) -> Array:
        """Put patches back, averaged where they overlap: [patches, channels, pixels] to [channels, H, W]."""
        rows, columns = self.origins
        height, width = self.sides
        grid = patches.reshape(len(rows), len(columns), -1, height, width).transpose(2, 0, 1, 3, 4)
        image = np.zeros((grid.shape[0], *self.shape), patches.dtype)
        weights = np.zeros(self.shape, patches.dtype)
        for i in range(height):
            for j in range(width):
                # origins are distinct, so that no pixel is addressed twice
                place = (rows[:, None] + i, columns + j)
                image[:, place[0], place[1]] += grid[..., i, j]
                weights[place] += 1
        image /= weights
        return image


def groups(features: Array, count: int, seed: int = 0) -> list[Index]:
    """Divide patches into groups by k-means.

    Parameters
    ----------
    features
        [patches, numbers].
    count
        Most groups; those that come out empty are left out.
    seed
        Of the first centres.

    Returns
    -------
    Indices of the patches of each group; together they are all patches.
    """
    count = min(count, len(features))
    if count <= 1:
        return [np.arange(len(features))]
    random = np.random.default_rng(seed)
    first = features[random.choice(len(features), count, replace=False)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of groups that come out empty, which is no harm here
        _, labels = kmeans2(features, first, iter=10, minit="matrix", missing="warn", check_finite=False)
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
