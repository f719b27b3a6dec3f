"""What may be asked of changed conditions: the families of blur, and each number's range.

For command lines and sweeps; nothing is imported, so that help and lists do not wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Families of point spread functions, see `psfs`.
FAMILIES: Final = (
    "gaussian",
    "kolmogorov",
    "airy",
    "moffat",
    "sinc",
    "lorentzian2",
    "hermite",
    "parabolic",
    "gabor",
    "delta",
)


@dataclass(frozen=True)
class Limits:
    """A number that a condition takes.

    Parameters
    ----------
    title
        What it is, with its unit.
    least, most
        Its range, ends included.
    """

    title: str
    least: float
    most: float

    def __contains__(self, value: float) -> bool:
        return self.least <= value <= self.most  # which NaN is not

    def __str__(self) -> str:
        return f"{self.least:g} to {self.most:g}"


DECIBELS: Final = (-60.0, 200.0)
"""Noise of ten times the values, and of a thousandth of the least step of 16 bits."""

LIMITS: Final = {
    "snr_hsi": Limits("signal-to-noise ratio of the LR-HSI (dB)", *DECIBELS),
    "snr_msi": Limits("signal-to-noise ratio of the HR-MSI (dB)", *DECIBELS),
    "psf_fwhm": Limits("width of the PSF at half maximum (HR pixels)", 0.5, 32),
    "shift": Limits("shift of the HR-MSI (HR pixels)", -16, 16),
    "gain": Limits("gain of the HR-MSI", 0.01, 100),
    "dead_lines": Limits("dead columns of each band of the LR-HSI", 0, 4096),
    "told_psf_fwhm": Limits("width of the PSF that methods are told (HR pixels)", 0.5, 32),
    "told_phase": Limits("phase that methods are told, off the true one (HR pixels)", -32, 32),
}
