"""What the two cameras do to a scene: blur and sampling, and the spectral response.

All sums are taken in float64; whoever hands the results to a method rounds them once, to float32.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.floating[Any]]
Boundary = Literal["reflect-101", "symmetric", "circular", "zero"]

_PAD_MODE: dict[Boundary, Literal["reflect", "symmetric", "wrap", "constant"]] = {
    "reflect-101": "reflect",  # d c b | a b c d | c b a
    "symmetric": "symmetric",  # c b a | a b c d | d c b
    "circular": "wrap",  # b c d | a b c d | a b c
    "zero": "constant",  # 0 0 0 | a b c d | 0 0 0
}


def gaussian_psf(size: int, sigma: float) -> npt.NDArray[np.float64]:
    """Return a Gaussian blur kernel, sampled at pixel centres about the middle of the kernel.

    Parameters
    ----------
    size
        Side of the kernel, pixels. For an even side the peak lies between the four middle pixels.
    sigma
        Standard deviation, pixels.

    Returns
    -------
    float64 [size, size], sums to 1.
    """
    offset = np.arange(size) - (size - 1) / 2
    profile = np.exp(-(offset**2) / (2 * sigma**2))
    psf: npt.NDArray[np.float64] = np.outer(profile, profile)
    psf /= psf.sum()
    return psf


def downsample(cube: Array, psf: Array, boundary: Boundary, scale: int, first: int) -> npt.NDArray[np.float64]:
    """Blur the last two axes of an array, and keep every scale-th pixel from index `first` on.

    Output pixel (i, j) is the sum over (m, n) of ``psf[m, n] * cube[scale*i + first + m - c, scale*j + first + n - c]``
    with ``c = (k - 1) // 2``, k the side of the kernel: a correlation, as MATLAB's ``imfilter`` computes, whose centre
    is ``floor((k + 1) / 2)`` counted from 1. A symmetric kernel gives the same under MATLAB's ``psf2otf`` and FFTs.
    The window of an even kernel reaches one pixel further down and right than up and left, so that the sample lies
    half a pixel below and to the right of pixel (scale*i + first, scale*j + first).

    Parameters
    ----------
    cube
        [..., H, W].
    psf
        [k, k].
    boundary
        How the image continues: "reflect-101" (mirrored about the edge pixel), "symmetric" (mirrored, edge
        pixel repeated), "circular" or "zero".
    scale
        Distance of two samples, pixels.
    first
        Index of the first sampled pixel, from 0.

    Returns
    -------
    float64 [..., h, w].
    """
    side = len(psf)
    around = ((side - 1) // 2, side // 2)
    height, width = (len(range(first, size, scale)) for size in cube.shape[-2:])
    samples = np.zeros((*cube.shape[:-2], height, width))
    for index in np.ndindex(cube.shape[:-2]):
        image = np.pad(cube[index].astype(np.float64), (around, around), _PAD_MODE[boundary])
        for m, n in np.ndindex(psf.shape):  # tap by tap, in this order: the last bit of recorded values depends on it
            rows = slice(first + m, first + m + scale * height, scale)
            columns = slice(first + n, first + n + scale * width, scale)
            samples[index] += psf[m, n] * image[rows, columns]
    return samples


def apply_srf(cube: Array, srf: Array) -> npt.NDArray[np.float64]:
    """Look at a hyperspectral image with a multispectral camera.

    Parameters
    ----------
    cube
        [bands, H, W].
    srf
        Spectral response [msi_bands, bands].

    Returns
    -------
    float64 [msi_bands, H, W].
    """
    seen = np.zeros((len(srf), *cube.shape[1:]))
    for band, weights in zip(cube, srf.T, strict=True):  # band by band: no second cube in float64
        seen += weights[:, None, None] * band
    return seen
