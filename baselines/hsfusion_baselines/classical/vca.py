"""Vertex component analysis: pure pixels as the corners of the data's simplex.

J. M. P. Nascimento and J. M. B. Dias, "Vertex component analysis: a fast algorithm to unmix hyperspectral data", IEEE
Trans. Geosci. Remote Sens. 43(4), 2005.
"""

from __future__ import annotations

import math

import numpy as np

from hsfusion_baselines.classical.subspace import Array


def vca(cube: Array, endmembers: int, seed: int = 0, *, projective: bool | None = None) -> Array:
    """Return pure spectra of an image.

    Parameters
    ----------
    cube
        [bands, H, W], finite.
    endmembers
        How many, 1 to the number of bands; fewer are found where the spectra span less.
    seed
        Of the random directions.
    projective
        Divide the spectra by their brightness, so that dark pixels count as much as bright ones; None: as published,
        where there is less noise than a threshold.

    Returns
    -------
    float64 [bands, endmembers], projected onto the signal's subspace, as published; they may be slightly negative.
    """
    spectra = np.asarray(cube, np.float64).reshape(len(cube), -1)
    count = min(endmembers, int(np.linalg.matrix_rank(spectra @ spectra.T)) or 1, spectra.shape[1])
    mean = spectra.mean(1, keepdims=True)
    centred = spectra - mean
    if projective is None:
        projective = _snr(spectra, centred, mean, count) > 15 + 10 * math.log10(count)
    if projective:
        basis = np.linalg.svd(spectra @ spectra.T)[0][:, :count]
        inner = basis.T @ spectra
        scale = inner.mean(1) @ inner  # projective: onto the plane through the mean
        points = np.divide(inner, scale, out=np.zeros_like(inner), where=np.abs(scale) > 1e-12 * np.abs(scale).max())
        found: Array = basis @ inner[:, _corners(points, count, seed)]
        return found
    basis = np.linalg.svd(centred @ centred.T)[0][:, : count - 1]
    inner = basis.T @ centred
    height = np.sqrt((inner**2).sum(0).max(initial=0)) or 1.0
    points = np.vstack([inner, np.full(inner.shape[1], height)])
    found = basis @ inner[:, _corners(points, count, seed)] + mean
    return found


def _corners(points: Array, count: int, seed: int) -> list[int]:
    """Return the indices of extreme points: each in a random direction orthogonal to the corners so far."""
    random = np.random.default_rng(seed)
    found = np.zeros((count, count))
    found[-1, 0] = 1
    corners = []
    for number in range(count):
        direction = random.random(count)
        direction -= found @ (np.linalg.pinv(found) @ direction)
        corner = int(np.abs(direction @ points).argmax())
        corners.append(corner)
        found[:, number] = points[:, corner]
    return corners


def _snr(spectra: Array, centred: Array, mean: Array, count: int) -> float:
    """Estimate the ratio of signal to noise in decibels."""
    pixels = spectra.shape[1]
    basis = np.linalg.svd(centred @ centred.T / pixels)[0][:, :count]
    total = float((spectra**2).sum() / pixels)
    signal = float(((basis.T @ centred) ** 2).sum() / pixels + (mean**2).sum())
    noise = total - signal
    rest = signal - count / len(spectra) * total
    return math.inf if noise <= 1e-12 * total else -math.inf if rest <= 0 else 10 * math.log10(rest / noise)
