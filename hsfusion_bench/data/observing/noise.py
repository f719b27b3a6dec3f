"""Noise of the two cameras."""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hsfusion_bench.errors import UsageError


@dataclass(frozen=True)
class Noise:
    """White Gaussian noise, added to each band of the LR-HSI and of the HR-MSI.

    The signal-to-noise ratio of a band is ``10 log10(P / s^2)``: P the mean of the squared noise-free values of
    that band, s the standard deviation of the noise. It is therefore the same for every band, dark or bright.
    Nothing is clipped: noisy values may lie outside [0, 1].

    The random numbers depend on scene, camera and seed alone, so neither the order of scenes nor a subset of them
    changes anything. They come from NumPy's `RandomState`, the generator whose stream is frozen.

    Parameters
    ----------
    snr_hsi, snr_msi
        Decibels; None: no noise.
    seed
        Another one gives other noise of the same strength.

    Raises
    ------
    UsageError
        If there is no noise at all, or a ratio is not finite.
    """

    snr_hsi: float | None = None
    snr_msi: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        given = [snr for snr in (self.snr_hsi, self.snr_msi) if snr is not None]
        if not given:
            raise UsageError("noise needs a signal-to-noise ratio, of the LR-HSI or of the HR-MSI")
        if not all(math.isfinite(snr) for snr in given):
            raise UsageError("a signal-to-noise ratio is a finite number of decibels; without noise, leave it out")

    @property
    def id(self) -> str:
        """Its part of a protocol's name: "snr35-40", "snr35-inf" (HSI alone), "snr35-40-seed7"."""
        ratios = f"snr{_spelled(self.snr_hsi)}-{_spelled(self.snr_msi)}"
        return f"{ratios}-seed{self.seed}" if self.seed else ratios

    def add(
        self, image: npt.NDArray[np.floating[Any]], camera: Literal["hsi", "msi"], scene: str
    ) -> npt.NDArray[np.float64]:
        """Return a noisy image.

        Parameters
        ----------
        image
            [bands, H, W].
        camera
            Which of the two ratios holds.
        scene
            Name of the scene.

        Returns
        -------
        float64 [bands, H, W].
        """
        clean = image.astype(np.float64)
        snr = self.snr_hsi if camera == "hsi" else self.snr_msi
        if snr is None:
            return clean
        seed = sha256(f"{camera}/{self.seed}/{scene}".encode()).digest()
        random = np.random.RandomState(np.frombuffer(seed, "<u4"))
        for band in clean:
            deviation = math.sqrt(np.mean(band**2) / 10 ** (snr / 10))
            band += deviation * random.standard_normal(band.shape)
        return clean


def _spelled(snr: float | None) -> str:
    """Return a ratio as part of a name, no two alike."""
    if snr is None:
        return "inf"
    return repr(float(snr)).removesuffix(".0").replace("-", "m")
