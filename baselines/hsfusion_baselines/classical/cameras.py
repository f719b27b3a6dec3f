"""The two cameras' responses, estimated from the pair itself where they are not known.

As HySure does it: M. Simoes, J. Bioucas-Dias, L. B. Almeida and J. Chanussot, "A convex formulation for hyperspectral
image superresolution via subspace-based regularization", IEEE Trans. Geosci. Remote Sens. 53(6), 2015, section IV. The
spectral response is found first, on images so strongly blurred that the camera's own blur no longer matters (eqs. 15
and 16); then the blur, by which the multispectral image becomes the hyperspectral one seen through that response
(eq. 14). Both are least squares with a penalty on differences of neighbours. The paper is told which hyperspectral
bands a multispectral one covers; here all may be, and the response is held to 0 or more instead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hsfusion_baselines.classical.optics import Array, Optics
from hsfusion_baselines.classical.subspace import svd_basis
from hsfusion_bench.methods import HsbenchError, Observation

#: Weights of the penalties on the spectral response and on the blur, and the dimension of the data in between.
LAMBDA_SRF = 10.0
LAMBDA_PSF = 10.0
DIMENSION = 10


def completed(observation: Observation) -> Observation:
    """Return the observation with estimates of the PSF and SRF that it lacks.

    An offset of the samples is in the PSF: in one that is estimated, since the images show it there, and one that is
    known is moved by it.

    Raises
    ------
    HsbenchError
        If the images do not determine them.
    """
    if observation.psf is not None and any(observation.offset):
        observation = replace(observation, psf=_moved(observation.psf, observation.offset))
    if observation.psf is not None and observation.srf is not None:
        return observation
    srf = np.asarray(observation.srf, np.float64) if observation.srf is not None else estimate_srf(observation)
    if observation.psf is not None:
        return replace(observation, srf=srf)
    psf = estimate_psf(observation, srf)
    total = float(psf.sum())
    if not np.isfinite(total) or abs(total) < 1e-6:
        raise HsbenchError("the blur cannot be estimated: the two images have nothing in common")
    # a blur keeps the mean; whatever it found beyond that is the spectral response's
    return replace(observation, psf=psf / total, srf=srf / total if observation.srf is None else srf)


def _moved(psf: Array, by: tuple[float, float]) -> Array:
    """Return a PSF moved by a part of a pixel: two taps more each way, which leaves its middle on or between pixels."""
    from scipy import ndimage

    moved: Array = ndimage.shift(np.pad(np.asarray(psf, np.float64), 2), by, order=3)
    moved *= psf.sum() / moved.sum()
    return moved


def estimate_srf(observation: Observation, weight: float = LAMBDA_SRF) -> Array:
    """Return the spectral response, float64 [msi_bands, bands].

    The blur is a box of three LR pixels, on either side; `weight` is that of the squared differences of neighbours.
    """
    scale, phase = observation.scale, observation.phase
    side = 3 * scale
    side += (side % 2 == 1) != float(phase).is_integer()  # its middle must fall on the phase
    shape = (observation.hr_msi.shape[1], observation.hr_msi.shape[2])
    high = Optics.from_psf(np.full((side, side), side**-2.0), phase, shape, scale)
    low = Optics.from_psf(np.full((3, 3), 1 / 9), 0, (observation.lr_hsi.shape[1], observation.lr_hsi.shape[2]), 1)
    msi = high.observe(observation.hr_msi.astype(np.float64)).reshape(len(observation.hr_msi), -1)
    hsi = low.observe(observation.lr_hsi.astype(np.float64)).reshape(len(observation.lr_hsi), -1)
    differences = np.diff(np.eye(len(hsi)), axis=0)
    system = hsi @ hsi.T + weight * differences.T @ differences
    return np.stack([_nonnegative_solution(system, right) for right in (hsi @ msi.T).T])


def _nonnegative_solution(system: Array, right: Array) -> Array:
    """Minimise ``x' system x - 2 right' x`` over x of 0 or more, the system being positive semi-definite."""
    values, vectors = np.linalg.eigh(system)
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
    root = np.sqrt(values[kept])
    if not kept.any() or values[-1] <= 0:
        return np.zeros(len(right))
    # the same problem as least squares: root of the system, and what it must meet
    from scipy import optimize  # it takes long to import, and only who estimates a camera needs it

    found: Array = optimize.nnls(root[:, None] * vectors[:, kept].T, vectors[:, kept].T @ right / root)[0]
    return found


def estimate_psf(observation: Observation, srf: Array, weight: float = LAMBDA_PSF) -> Array:
    """Return the blur, float64 [k, k], k about twice the scale, its middle at the phase; its sum is whatever fits best.

    LR pixels whose blur would reach beyond the image take no part.
    """
    scale, phase = observation.scale, observation.phase
    side = 2 * scale + (1 if float(phase).is_integer() else 0)
    basis = svd_basis(observation.lr_hsi, DIMENSION)
    height, width = observation.lr_hsi.shape[1:]
    seen = ((srf @ basis) @ (basis.T @ observation.lr_hsi.reshape(len(basis), -1))).reshape(-1, height, width)
    first = round(phase - (side - 1) / 2)
    rows, columns = (_whole(count, scale, first, side) for count in (height, width))
    if not (len(rows) and len(columns)):
        raise HsbenchError(f"images of {height} x {width} LR pixels are too small to estimate a blur at scale {scale}")
    patches = np.stack(
        [
            observation.hr_msi[:, scale * rows[:, None] + first + m, scale * columns + first + n].ravel()
            for m in range(side)
            for n in range(side)
        ]
    ).astype(np.float64)
    differences = np.diff(np.eye(side), axis=0)
    roughness = differences.T @ differences
    penalty = np.kron(roughness, np.eye(side)) + np.kron(np.eye(side), roughness)
    system = patches @ patches.T + weight * penalty
    right = patches @ seen[:, rows[:, None], columns].ravel()
    found: Array = np.linalg.lstsq(system, right, rcond=None)[0].reshape(side, side)
    return found


def _whole(count: int, scale: int, first: int, side: int) -> npt.NDArray[np.integer[Any]]:
    """Return the LR pixels, along one side, whose blur lies within the image."""
    pixels = np.arange(count)
    return pixels[(scale * pixels + first >= 0) & (scale * pixels + first + side <= scale * count)]
