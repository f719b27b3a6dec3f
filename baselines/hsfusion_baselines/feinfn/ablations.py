"""The ablations of FeINFN's paper as methods of their own: ``feinfn:relu`` and so on.

The paper's tables compare activations of the decoder, the two branches alone, and ways of enlarging the LR features.
Where it names a variant without its formula, the formula is ours: see the options of `FeINFN`. All are trained by the
published recipe. No torch is imported here until a network is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hsfusion_baselines.feinfn.method import FeINFNMethod
from hsfusion_bench.methods import Card, NetworkMethod, Problem

if TYPE_CHECKING:
    import torch


def _card(name: str, title: str) -> Card:
    return replace(FeINFNMethod.card, name=f"feinfn:{name}", title=f"FeINFN, {title}")


class _Ablation(FeINFNMethod):
    """FeINFN with other options than the published ones; its authors released no weights of it."""

    def read_authors_weights(self, path: Path, problem: Problem) -> Mapping[str, torch.Tensor]:
        """Refuse: the authors' files are of the published network."""
        return NetworkMethod.read_authors_weights(self, path, problem)


class ReLU(_Ablation):
    """FeINFN with ReLU for the Gabor wavelet."""

    card = _card("relu", "ReLU")
    architecture: ClassVar[Mapping[str, str]] = {"activation": "relu"}


class GELU(_Ablation):
    """FeINFN with GELU for the Gabor wavelet."""

    card = _card("gelu", "GELU")
    architecture: ClassVar[Mapping[str, str]] = {"activation": "gelu"}


class LeakyReLU(_Ablation):
    """FeINFN with leaky ReLU, slope 0.01, for the Gabor wavelet."""

    card = _card("leaky-relu", "leaky ReLU")
    architecture: ClassVar[Mapping[str, str]] = {"activation": "leaky_relu"}


class NoFrequency(_Ablation):
    """FeINFN with the spatial branch alone."""

    card = _card("no-frequency", "no frequency branch")
    architecture: ClassVar[Mapping[str, str]] = {"branches": "spatial"}


class NoSpatial(_Ablation):
    """FeINFN with the frequency branch alone."""

    card = _card("no-spatial", "no spatial branch")
    architecture: ClassVar[Mapping[str, str]] = {"branches": "frequency"}


class Bilinear(_Ablation):
    """FeINFN with bilinear interpolation of the LR features for the implicit query."""

    card = _card("bilinear", "bilinear")
    architecture: ClassVar[Mapping[str, str]] = {"upsampling": "bilinear"}


class Bicubic(_Ablation):
    """FeINFN with bicubic interpolation of the LR features for the implicit query."""

    card = _card("bicubic", "bicubic")
    architecture: ClassVar[Mapping[str, str]] = {"upsampling": "bicubic"}
