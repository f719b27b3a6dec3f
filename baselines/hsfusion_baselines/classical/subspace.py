"""The spectral subspace in which a hyperspectral image lives."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]


def svd_basis(cube: Array, dimension: int) -> Array:
    """Return the leading left singular vectors of the spectra, without subtracting their mean.

    Parameters
    ----------
    cube
        [bands, H, W].
    dimension
        How many; no more than the numerical rank of the spectra are given, and one at least.

    Returns
    -------
    float64 [bands, p], orthonormal columns.
    """
    spectra = np.asarray(cube, np.float64).reshape(len(cube), -1)
    values, vectors = np.linalg.eigh(spectra @ spectra.T)
    # eigenvalues are squared singular values, exact to eps times the largest
    rank = int((values > values[-1] * len(cube) * np.finfo(np.float64).eps).sum())
    return vectors[:, ::-1][:, : max(1, min(dimension, rank))]
