"""Shrinking singular values: proximal operators of rank surrogates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Shrink = Callable[[Array], Array]


def soft(by: float) -> Shrink:
    """Return the shrinkage of the nuclear norm: singular values are lowered by a constant, to 0 at least."""
    return lambda values: np.maximum(values - by, 0)


def log_sum(weight: float, eps: float = 1e-6) -> Shrink:
    """Return the shrinkage of ``weight * sum(log(s + eps))``: large singular values are hardly lowered.

    Dian and Li, "Hyperspectral image super-resolution via subspace-based low tensor multi-rank regularization", IEEE
    TIP 28(10), 2019: the larger root of ``(s - x)(x + eps) = weight``, and 0 where there is none.
    """

    def shrunk(values: Array) -> Array:
        below = values - eps
        discriminant = (values + eps) ** 2 - 4 * weight
        root = (below + np.sqrt(np.maximum(discriminant, 0))) / 2
        return np.where(discriminant > 0, np.maximum(root, 0), 0).astype(values.dtype)

    return shrunk


def shrink_singular_values(matrices: Array, shrink: Shrink) -> Array:
    """Shrink the singular values of matrices [..., m, n], by the eigenvectors of the smaller Gram matrix.

    Singular values below the root of the precision, relative to the largest, are noise; nothing lies along their
    vectors, and no shrinkage lengthens, so that the result does not depend on them.
    """
    wide = matrices.shape[-2] < matrices.shape[-1]
    adjoint = np.conj(np.swapaxes(matrices, -1, -2))
    gram = matrices @ adjoint if wide else adjoint @ matrices
    squares, vectors = np.linalg.eigh(gram)
    values = np.sqrt(np.maximum(squares, 0))
    factors = np.where(values > 0, shrink(values) / np.where(values > 0, values, 1), 0).astype(values.dtype)
    filter_ = (vectors * factors[..., None, :]) @ np.conj(np.swapaxes(vectors, -1, -2))
    shrunk: Array = filter_ @ matrices if wide else matrices @ filter_
    return shrunk


def shrink_tubes(tensor: Array, shrink: Shrink) -> Array:
    """Shrink the singular values of the frontal slices of the Fourier transform of [m, n, tube] along its last axis.

    This is the proximal operator of tensor rank surrogates by t-SVD (Kilmer et al., SIAM J. Matrix Anal. 34(1), 2013).
    The transform is not normalised, as in the releases of the field.
    """
    slices = np.moveaxis(np.fft.rfft(tensor), -1, 0)
    if tensor.dtype == np.float32:
        slices = slices.astype(np.complex64)
    shrunk = np.moveaxis(shrink_singular_values(slices, shrink), 0, -1)
    return np.fft.irfft(shrunk, tensor.shape[-1]).astype(tensor.dtype, copy=False)
