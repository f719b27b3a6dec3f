"""What the two cameras do to a scene: blur, sampling, and the spectral response.

All sums are taken in float64; whoever hands the results to a method rounds them once, to float32.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.floating[Any]]
Boundary = Literal["reflect-101", "symmetric", "circular"]

_SCIPY_MODE: dict[Boundary, Literal["mirror", "reflect", "wrap"]] = {
    "reflect-101": "mirror",  # d c b | a b c d | c b a
    "symmetric": "reflect",  # c b a | a b c d | d c b
    "circular": "wrap",  # b c d | a b c d | a b c
}
BOUNDARIES = tuple(_SCIPY_MODE)


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


def blur(cube: Array, psf: Array, boundary: Boundary) -> npt.NDArray[np.float64]:
    """Blur the last two axes of an array; the size stays.

    Output pixel (i, j) is the sum over (m, n) of ``psf[m, n] * cube[i + m - k//2, j + n - k//2]``, k the side
    of the kernel: a correlation, as MATLAB's ``imfilter`` and OpenCV's ``filter2D`` compute.

    Parameters
    ----------
    cube
        [..., H, W].
    psf
        [k, k].
    boundary
        How the image continues: "reflect-101" (mirrored about the edge pixel), "symmetric" (mirrored, edge
        pixel repeated) or "circular".

    Returns
    -------
    float64 [..., H, W].
    """
    from scipy import ndimage

    blurred = np.empty(cube.shape)
    for index in np.ndindex(cube.shape[:-2]):
        ndimage.correlate(cube[index], psf, output=blurred[index], mode=_SCIPY_MODE[boundary])
    return blurred


def decimate(cube: npt.NDArray[Any], scale: int, phase: int) -> npt.NDArray[Any]:
    """Keep every scale-th pixel of the last two axes, from index `phase` (from 0) on; a view."""
    return cube[..., phase::scale, phase::scale]


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
