"""Every pixel as the mean of those around it whose neighbourhoods look alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse

from hsfusion_baselines.classical.optics import Array


@dataclass(frozen=True)
class NonlocalMeans:
    """A sparse matrix [pixels, pixels] of weights; each row sums to 1."""

    weights: sparse.csr_array

    @classmethod
    def of(cls, guide: Array, patch: int, radius: int, neighbours: int) -> NonlocalMeans:
        """Find the weights on an image.

        Parameters
        ----------
        guide
            [channels, H, W].
        patch
            Side of the neighbourhoods that are compared.
        radius
            How far away, in both directions, alike pixels are sought; no further than the image.
        neighbours
            How many are taken. Their weights are ``exp(-d/h)``, d the mean squared difference of the neighbourhoods and
            h its mean over the pixel's neighbours.
        """
        height, width = guide.shape[1:]
        steps = [
            (i, j)
            for i in range(-min(radius, height - 1), min(radius, height - 1) + 1)
            for j in range(-min(radius, width - 1), min(radius, width - 1) + 1)
            if (i, j) != (0, 0)
        ]
        pixels = np.arange(height * width).reshape(height, width)
        if not steps:
            return cls(sparse.csr_array(sparse.eye_array(height * width, format="csr")))
        distances = np.empty((len(steps), height * width), np.float32)
        for number, (i, j) in enumerate(steps):
            shifted = np.roll(guide, (-i, -j), (1, 2))
            squares = ((guide - shifted) ** 2).mean(0)
            distances[number] = ndimage.uniform_filter(squares, patch, mode="wrap").ravel()
        count = min(neighbours, len(steps))
        nearest = np.argpartition(distances, count - 1, 0)[:count]
        found = np.maximum(np.take_along_axis(distances, nearest, 0), 0)
        scale = found.mean(0)
        weights = np.exp(-found / np.where(scale > 0, scale, 1))
        weights /= weights.sum(0)
        rows, columns = np.array(steps).T[:, nearest]
        targets = (pixels // width).ravel() + rows, (pixels % width).ravel() + columns
        indices = (targets[0] % height) * width + targets[1] % width
        starts = np.arange(height * width + 1) * count
        matrix = sparse.csr_array((weights.T.ravel(), indices.T.ravel(), starts), shape=(pixels.size, pixels.size))
        return cls(matrix)

    def __call__(self, image: Array) -> Array:
        """Return [channels, pixels], averaged."""
        averaged: Array = np.ascontiguousarray((self.weights @ image.T).T)
        return averaged
