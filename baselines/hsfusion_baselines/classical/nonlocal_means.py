"""Every pixel as the mean of those around it whose neighbourhoods look alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse

from hsfusion_baselines.classical.optics import Array

#: Displacements whose distances are compared at a time, which bounds the memory.
_AT_A_TIME = 32


@dataclass(frozen=True)
class NonlocalMeans:
    """A sparse matrix [pixels, pixels] of weights; each row sums to 1."""

    weights: sparse.csr_array

    @classmethod
    def of(cls, guide: Array, patch: int, radius: int, neighbours: int, spread: float) -> NonlocalMeans:
        """Find the weights on an image.

        Parameters
        ----------
        guide
            [channels, H, W], continued by reflection.
        patch
            Side of the neighbourhoods that are compared, odd.
        radius
            How far away, in both directions, alike pixels are sought; no further than the image.
        neighbours
            How many are averaged, the pixel itself among them. Their weights are ``exp(-d/spread)``, d the mean squared
            difference of the neighbourhoods; the pixel itself weighs as much as the most alike other.
        spread
            Of the weights, in squares of the guide's units.
        """
        height, width = guide.shape[1:]
        pixels = np.arange(height * width, dtype=np.int32)
        # the most alike others, and how far they are; None found yet
        distances = np.full((neighbours - 1, pixels.size), np.inf, np.float32)
        targets = np.broadcast_to(pixels, distances.shape)
        for more, there in _compared(guide, patch, radius):
            distances, targets = np.concatenate([distances, more]), np.concatenate([targets, there])
            best = np.argpartition(distances, neighbours - 2, 0)[: neighbours - 1]
            distances, targets = (np.take_along_axis(array, best, 0) for array in (distances, targets))
        nearest = distances.min(0, keepdims=True)
        distances = np.concatenate([np.where(np.isfinite(nearest), nearest, 0), distances])
        # relative to the nearest, so that not all underflow; the ratios are the same
        weights = np.exp((distances[:1] - distances) / spread)
        weights /= weights.sum(0)
        indices = np.concatenate([pixels[None], targets])
        starts = np.arange(pixels.size + 1) * neighbours
        matrix = sparse.csr_array((weights.T.ravel(), indices.T.ravel(), starts), shape=(pixels.size, pixels.size))
        return cls(matrix)

    def __call__(self, image: Array) -> Array:
        """Return [channels, pixels], averaged."""
        averaged: Array = np.ascontiguousarray((self.weights @ image.T).T)
        return averaged


def _compared(guide: Array, patch: int, radius: int) -> Iterator[tuple[Array, Array]]:
    """Give mean squared differences of neighbourhoods and the pixels they were compared with, some displacements each.

    Both are [displacements, pixels]; beyond the image the distance is infinite.
    """
    height, width = guide.shape[1:]
    margin = patch // 2
    padded = np.pad(guide.astype(np.float32), ((0, 0), (margin, margin), (margin, margin)), mode="symmetric")
    index = np.arange(height * width, dtype=np.int32).reshape(height, width)
    down, across = min(radius, height - 1), min(radius, width - 1)
    steps = [(i, j) for i in range(-down, down + 1) for j in range(-across, across + 1) if (i, j) != (0, 0)]
    for first in range(0, len(steps), _AT_A_TIME):
        chosen = steps[first : first + _AT_A_TIME]
        distances = np.full((len(chosen), height, width), np.inf, np.float32)
        for number, (i, j) in enumerate(chosen):
            here = (slice(max(-i, 0), height - max(i, 0)), slice(max(-j, 0), width - max(j, 0)))
            one, other = (
                tuple(
                    slice(part.start + shift, part.stop + shift + 2 * margin)
                    for part, shift in zip(here, by, strict=True)
                )
                for by in ((0, 0), (i, j))
            )
            squares = ((padded[:, *one] - padded[:, *other]) ** 2).mean(0)
            means = ndimage.uniform_filter(squares, patch, mode="constant")
            inner = slice(margin, -margin or None)
            distances[number][here] = np.maximum(means[inner, inner], 0)
        targets = np.stack([np.roll(index, (-i, -j), (0, 1)) for i, j in chosen])
        yield distances.reshape(len(chosen), -1), targets.reshape(len(chosen), -1)
