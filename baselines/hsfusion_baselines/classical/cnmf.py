"""CNMF: coupled unmixing of both images by non-negative matrix factorisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.classical.cameras import completed
from hsfusion_baselines.classical.interpolation import INTERPOLATION_MEANING, Interpolation, enlarge
from hsfusion_baselines.classical.nmf import Unmixing, Update
from hsfusion_baselines.classical.optics import Optics
from hsfusion_baselines.classical.vca import vca
from hsfusion_bench.methods import Cube, Method, Observation, option


@dataclass(frozen=True)
class CNMF(Method):
    """Coupled non-negative matrix factorisation (Yokoya, Yairi and Iwasaki 2012).

    The LR-HSI is unmixed, ``Y = W H`` from VCA's endmembers W and equal shares; the HR-MSI is, from ``R W`` and the
    enlarged H; then W once more, from the shares that the camera would see of the sharp ones. The result is W times the
    sharp shares, 0 or more. Multiplicative updates with a row of constants that pulls the shares of a pixel to a sum of
    1. With three multispectral bands or fewer their spectra stay as the response gives them, and the shares that the
    camera would see stay as they are, since so few bands do not tell one from the other.

    Endmembers, iterations, stopping rules and the constant are those of the author's release of 2015. VCA projects
    along the mean, not from the origin: that would make the darkest pixels endmembers, whose shares then have no bounds
    (CAVE's `balloons` at x4: 25 dB in place of 46). Single precision at the high resolution.
    """

    takes_offset = True
    card = CARDS["cnmf"]
    endmembers: int = option(30, "how many; no more than the LR-HSI's spectra span", at_least=1)
    inner: int = option(200, "most iterations of an unmixing", at_least=1)
    outer: int = option(1, "most rounds of unmixing both images", at_least=1)
    tolerance: float = option(1e-8, "least relative gain of an iteration of an unmixing", at_least=0)
    outer_tolerance: float = option(1e-2, "least relative gain of a round", at_least=0)
    interpolation: Interpolation = option("aligned", "of the first sharp shares; " + INTERPOLATION_MEANING)
    seed: int = option(0, "of VCA's directions", at_least=0)

    def fuse(self, observation: Observation) -> Cube:
        """Return the fused cube."""
        observation = completed(observation)
        assert observation.srf is not None
        optics = Optics.of(observation, np.float32)
        (height, width), low_shape = observation.hr_msi.shape[1:], observation.lr_hsi.shape[1:]
        msi_bands = len(observation.hr_msi)
        # the release's constant, tuned on images whose mean was 0.7455
        pull = 2 * max(float(observation.hr_msi.mean()) / 0.7455, 0) ** 0.5 / msi_bands**3
        pure = vca(observation.lr_hsi, self.endmembers, self.seed, projective=False)
        count = pure.shape[1]
        hsi = observation.lr_hsi.astype(np.float64).reshape(len(pure), -1)
        low = Unmixing(hsi, pure, np.full((count, hsi.shape[1]), 1 / count), pull)
        low.repeat("shares", most=3 * self.inner, tolerance=self.tolerance)
        low.repeat("spectra", "shares", most=self.inner, tolerance=self.tolerance)

        first = enlarge(low.shares.reshape(count, *low_shape), observation, self.interpolation)
        shares = np.maximum(first, 0).astype(np.float32).reshape(count, -1)
        msi = observation.hr_msi.astype(np.float32).reshape(msi_bands, -1)
        srf, many_bands = observation.srf.astype(np.float64), msi_bands > 3
        for round_ in range(self.outer):
            high = Unmixing(msi, srf @ low.spectra, shares, pull)
            high.repeat("shares", most=self.inner, tolerance=self.tolerance)
            updates: tuple[Update, ...] = ("spectra", "shares") if many_bands else ("shares",)
            high.repeat(*updates, most=self.inner, tolerance=self.tolerance)
            shares, before = high.shares, low.error
            low.set_shares(optics.observe(shares.reshape(count, height, width)).reshape(count, -1))
            low.repeat("spectra", most=self.inner, tolerance=self.tolerance)
            if many_bands:
                low.repeat("shares", "spectra", most=self.inner, tolerance=self.tolerance)
            if round_ and before - low.error <= self.outer_tolerance * before:
                break
        return (low.spectra.astype(np.float32) @ shares).reshape(observation.shape)
