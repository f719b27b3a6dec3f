"""Whether the two images of a real pair lie upon each other, told from the images alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.methods import Observation
from hsfusion_bench.runs.correction import correct

_Array: TypeAlias = NDArray[np.float64]

#: LR pixels at each side that are left out, since what lies beyond the edge is unknown.
_MARGIN = 2
_INSIDE = (slice(_MARGIN, -_MARGIN), slice(_MARGIN, -_MARGIN))
#: The fewest LR pixels a side, without the margins, and the most, which bound time and memory.
_FEWEST, _MOST = 10, 128
#: The most HR pixels a side, likewise.
_MOST_HR = 1024
#: Standard deviations of the blurs that are tried, LR pixels; under the first the width at half height is one LR pixel.
_SIGMAS = (0.42, 0.2, 0.25, 0.3, 0.35, 0.5, 0.6, 0.75)
#: How many principal components of the LR-HSI stand for its spectra.
_COMPONENTS = 6
#: Share of the HR-MSI's variance that the LR-HSI leaves unexplained above which their shift is not believed.
_UNLIKE = 0.5
#: How far apart images that lie upon each other are found at worst, LR pixels; see docs/elsewhere.md.
_NOISE = 0.04


@dataclass(frozen=True)
class Shift:
    """How far an HR-MSI lies from where the phase says that it lies under the LR-HSI.

    Parameters
    ----------
    rows, columns
        HR pixels: LR pixel (k, l) sits at ``(scale*k + phase + rows, scale*l + phase + columns)`` of the HR-MSI, to
        which the offset comes that is known already.
    scale
        HR pixels of an LR pixel.
    phase
        What the shift is counted from.
    """

    rows: float
    columns: float
    scale: int
    phase: float

    @property
    def harmful(self) -> bool:
        """Whether it is more than an eighth of an LR pixel, in either direction."""
        return max(abs(self.rows), abs(self.columns)) > self.scale / 8

    @property
    def found(self) -> bool:
        """Whether it is more than aligned images seem to be apart, in either direction."""
        return max(abs(self.rows), abs(self.columns)) > _NOISE * self.scale

    def __str__(self) -> str:
        """Return it with its units, rounded."""
        rows, columns = (f"{by:.1f}".replace("-0.0", "0.0") for by in (self.rows, self.columns))
        return f"{rows} rows and {columns} columns"

    @property
    def right_phase(self) -> float | None:
        """The phase, a multiple of 0.5, that leaves no more than 0.2 HR pixels of the shift; None: there is none."""
        phase = round(2 * self.phase + self.rows + self.columns) / 2
        apart = max(abs(self.phase + shift - phase) for shift in (self.rows, self.columns))
        return phase if phase >= 0 and apart <= 0.2 else None


def find_shift(observation: Observation) -> Shift | None:
    """Return how far the two images of a pair are shifted against each other.

    The HR-MSI is blurred and sampled where the LR-HSI's pixels would lie after a shift; of all shifts and of several
    blurs, those are taken under which the LR-HSI's spectra, by linear regression, explain it best. Phase correlation
    finds where to begin.

    Parameters
    ----------
    observation
        The pair. Neither its PSF nor its SRF is needed; the blur is taken for symmetric about its sample.

    Returns
    -------
    The shift; None where it cannot be told, since the images are too small, too flat, or too little alike.
    """
    from scipy import optimize

    scale, whole = observation.scale, observation.lr_hsi.shape[1:]
    sides = [min(side, _MOST, _MOST_HR // scale) for side in whole]
    if min(sides) < _FEWEST + 2 * _MARGIN:
        return None
    # the middle of a large image
    low = [slice((all_ - side) // 2, (all_ - side) // 2 + side) for all_, side in zip(whole, sides, strict=True)]
    high = [slice(scale * part.start, scale * part.stop) for part in low]
    lr_hsi, hr_msi = observation.lr_hsi[:, *low], observation.hr_msi[:, *high].astype(np.float64)
    if min(float(np.ptp(image, axis=(1, 2)).max()) for image in (lr_hsi, hr_msi)) == 0:
        return None
    known = _components(lr_hsi[:, *_INSIDE])
    centres = [
        scale * np.arange(side) + observation.phase + offset
        for side, offset in zip(sides, observation.offset, strict=True)
    ]
    start: _Array = np.zeros(2)
    found: list[tuple[float, _Array]] = []
    for sigma in _SIGMAS:
        fit = _Fit.of(hr_msi, sigma * scale, centres, known)
        if not found:
            start = min(start, scale * _roughly(lr_hsi, fit.sampled(start)), key=fit.unexplained)
        best = optimize.minimize(
            fit.unexplained, list(start), method="Nelder-Mead", options={"xatol": 0.01, "fatol": 1e-9}
        )
        found.append((float(best.fun), best.x))
        start = found[0][1]
    unexplained, (rows, columns) = min(found, key=lambda each: each[0])
    return None if unexplained > _UNLIKE else Shift(float(rows), float(columns), scale, observation.phase)


def registered(observation: Observation, first: Shift) -> tuple[float, float]:
    """Return by how many rows and columns, HR pixels, a pair is to be corrected.

    Parameters
    ----------
    observation
        The pair.
    first
        What `find_shift` finds of it. It is found once more where the pair is corrected by it in whole pixels, since
        then all that is compared lies in both images.
    """
    whole = (round(first.rows), round(first.columns))
    if not any(whole):
        return first.rows, first.columns
    second = find_shift(correct(observation, *whole).observation)
    if second is None:
        return first.rows, first.columns
    return whole[0] + second.rows, whole[1] + second.columns


@dataclass(frozen=True)
class _Fit:
    """How well an HR-MSI of one blur fits an LR-HSI: coefficients of its splines, where samples lie, the spectra."""

    splines: list[_Array]
    centres: list[_Array]
    known: _Array

    @classmethod
    def of(cls, hr_msi: _Array, sigma: float, centres: list[_Array], known: _Array) -> _Fit:
        """Blur an HR-MSI by a Gaussian of `sigma` HR pixels."""
        from scipy import ndimage

        blurred = (ndimage.gaussian_filter(band, sigma, mode="nearest") for band in hr_msi)
        return cls([ndimage.spline_filter(band, mode="nearest") for band in blurred], centres, known)

    def sampled(self, shift: _Array) -> _Array:
        """Return the blurred HR-MSI where the LR pixels lie after a shift, [msi_bands, h, w]."""
        from scipy import ndimage

        places = np.meshgrid(*(centre + by for centre, by in zip(self.centres, shift, strict=True)), indexing="ij")
        return np.stack(
            [ndimage.map_coordinates(each, places, mode="nearest", prefilter=False) for each in self.splines]
        )

    def unexplained(self, shift: _Array) -> float:
        """Return the share of the samples' variance that the LR-HSI does not explain."""
        bands = self.sampled(shift)[:, *_INSIDE].reshape(len(self.splines), -1).T
        bands = bands - bands.mean(axis=0)
        rest = bands - self.known @ (self.known.T @ bands)
        variance = float((bands**2).sum())
        return float((rest**2).sum()) / variance if variance > 0 else 1.0


def _components(lr_hsi: NDArray[np.float32]) -> _Array:
    """Return the first principal components of the bands, orthonormal [pixels, components]."""
    pixels = lr_hsi.reshape(len(lr_hsi), -1).T.astype(np.float64)
    left, strengths, _ = np.linalg.svd(pixels - pixels.mean(axis=0), full_matrices=False)
    kept: _Array = left[:, :_COMPONENTS][:, strengths[:_COMPONENTS] > 1e-6 * strengths[0]]
    return kept


def _roughly(lr_hsi: NDArray[np.float32], sampled: _Array) -> _Array:
    """Return how far the samples of the HR-MSI that show the same lie from the LR-HSI's pixels, LR pixels."""
    from skimage.registration import phase_cross_correlation

    # edges that do not continue on the other side would be taken for content that has not moved
    faded = np.outer(*map(np.hanning, lr_hsi.shape[1:]))
    means = (image.mean(axis=0, dtype=np.float64) for image in (lr_hsi, sampled))
    images = [(mean - mean.mean()) * faded for mean in means]
    if not all(image.any() for image in images):
        return np.zeros(2)
    shift = phase_cross_correlation(*images, upsample_factor=10)[0]  # type: ignore[no-untyped-call]
    return -np.asarray(shift, dtype=np.float64)
