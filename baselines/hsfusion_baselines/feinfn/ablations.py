"""The ablations of FeINFN's paper by names of their own: ``feinfn:relu`` is ``feinfn`` with ``activation=relu``.

The paper's tables compare activations of the decoder, the two branches alone, and ways of enlarging the LR features.
Where it names a variant without its formula, the formula is ours: see the options of `FeINFN`. All are trained by the
published recipe. No torch is imported here until a network is built.
"""

from __future__ import annotations

from dataclasses import dataclass

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.feinfn.method import (
    ACTIVATION,
    BRANCHES,
    UPSAMPLING,
    Activation,
    Branches,
    FeINFNMethod,
    Upsampling,
)
from hsfusion_bench.methods import option


@dataclass(frozen=True)
class ReLU(FeINFNMethod):
    """FeINFN with ReLU for the Gabor wavelet."""

    card = CARDS["feinfn:relu"]
    activation: Activation = option("relu", ACTIVATION)


@dataclass(frozen=True)
class GELU(FeINFNMethod):
    """FeINFN with GELU for the Gabor wavelet."""

    card = CARDS["feinfn:gelu"]
    activation: Activation = option("gelu", ACTIVATION)


@dataclass(frozen=True)
class LeakyReLU(FeINFNMethod):
    """FeINFN with leaky ReLU, slope 0.01, for the Gabor wavelet."""

    card = CARDS["feinfn:leaky-relu"]
    activation: Activation = option("leaky_relu", ACTIVATION)


@dataclass(frozen=True)
class NoFrequency(FeINFNMethod):
    """FeINFN with the spatial branch alone."""

    card = CARDS["feinfn:no-frequency"]
    branches: Branches = option("spatial", BRANCHES)


@dataclass(frozen=True)
class NoSpatial(FeINFNMethod):
    """FeINFN with the frequency branch alone."""

    card = CARDS["feinfn:no-spatial"]
    branches: Branches = option("frequency", BRANCHES)


@dataclass(frozen=True)
class Bilinear(FeINFNMethod):
    """FeINFN with bilinear interpolation of the LR features for the implicit query."""

    card = CARDS["feinfn:bilinear"]
    upsampling: Upsampling = option("bilinear", UPSAMPLING)


@dataclass(frozen=True)
class Bicubic(FeINFNMethod):
    """FeINFN with bicubic interpolation of the LR features for the implicit query."""

    card = CARDS["feinfn:bicubic"]
    upsampling: Upsampling = option("bicubic", UPSAMPLING)
