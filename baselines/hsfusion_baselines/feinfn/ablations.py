"""The ablations of FeINFN's paper by names of their own: ``feinfn:relu`` is ``feinfn`` with ``activation=relu``.

The paper's tables compare activations of the decoder, the two branches alone, and ways of enlarging the LR features.
Where it names a variant without its formula, the formula is ours: see the options of `FeINFN`. All are trained by the
published recipe. No torch is imported here until a network is built.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hsfusion_baselines.feinfn.method import (
    ACTIVATION,
    BRANCHES,
    UPSAMPLING,
    Activation,
    Branches,
    FeINFNMethod,
    Upsampling,
)
from hsfusion_bench.methods import Card, option


def _card(name: str, title: str) -> Card:
    return replace(FeINFNMethod.card, name=f"feinfn:{name}", title=f"FeINFN, {title}")


@dataclass(frozen=True)
class ReLU(FeINFNMethod):
    """FeINFN with ReLU for the Gabor wavelet."""

    card = _card("relu", "ReLU")
    activation: Activation = option("relu", ACTIVATION)


@dataclass(frozen=True)
class GELU(FeINFNMethod):
    """FeINFN with GELU for the Gabor wavelet."""

    card = _card("gelu", "GELU")
    activation: Activation = option("gelu", ACTIVATION)


@dataclass(frozen=True)
class LeakyReLU(FeINFNMethod):
    """FeINFN with leaky ReLU, slope 0.01, for the Gabor wavelet."""

    card = _card("leaky-relu", "leaky ReLU")
    activation: Activation = option("leaky_relu", ACTIVATION)


@dataclass(frozen=True)
class NoFrequency(FeINFNMethod):
    """FeINFN with the spatial branch alone."""

    card = _card("no-frequency", "no frequency branch")
    branches: Branches = option("spatial", BRANCHES)


@dataclass(frozen=True)
class NoSpatial(FeINFNMethod):
    """FeINFN with the frequency branch alone."""

    card = _card("no-spatial", "no spatial branch")
    branches: Branches = option("frequency", BRANCHES)


@dataclass(frozen=True)
class Bilinear(FeINFNMethod):
    """FeINFN with bilinear interpolation of the LR features for the implicit query."""

    card = _card("bilinear", "bilinear")
    upsampling: Upsampling = option("bilinear", UPSAMPLING)


@dataclass(frozen=True)
class Bicubic(FeINFNMethod):
    """FeINFN with bicubic interpolation of the LR features for the implicit query."""

    card = _card("bicubic", "bicubic")
    upsampling: Upsampling = option("bicubic", UPSAMPLING)
