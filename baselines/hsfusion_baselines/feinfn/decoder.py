"""The spatial-frequency interactive decoder of FeINFN."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from hsfusion_baselines.blocks.sampling import by_rows

__all__ = ["Activation", "Gabor", "InteractiveDecoder"]

Activation = Literal["gabor", "relu", "gelu", "leaky_relu"]


class Gabor(nn.Module):
    """The real part of the complex Gabor wavelet exp(1j * omega * v - |scale * v|^2), omega and scale learnable.

    The decoder multiplies it by a real gate and keeps the real part, so that the imaginary part is never needed.
    """

    def __init__(self, omega: float = 30.0, scale: float = 10.0) -> None:
        super().__init__()
        self.omega = nn.Parameter(torch.tensor([omega]))
        self.scale = nn.Parameter(torch.tensor([scale]))

    def forward(self, v: Tensor) -> Tensor:
        """Return cos(omega * v) * exp(-(scale * v)^2), shape as `v`."""
        return (self.omega * v).cos() * (self.scale * v).square().neg().exp()


_ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "gabor": Gabor,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
}


class InteractionLayer(nn.Module):
    """One layer: a gate from the spatial feature times a wavelet of the frequency path."""

    def __init__(self, gate: int, previous: int, width: int, activation: Activation) -> None:
        super().__init__()
        self.gate = nn.Linear(gate, width)
        self.wave = nn.Linear(previous, width)
        self.activation = _ACTIVATIONS[activation]()

    def forward(self, gate: Tensor, previous: Tensor) -> Tensor:
        """Return ReLU(gate layer) * activation(wave layer), [..., width]."""
        product: Tensor = self.gate(gate).relu_() * self.activation(self.wave(previous))
        return product


class InteractiveDecoder(nn.Module):
    """Layers in which the spatial feature gates the frequency feature, then a linear layer to the bands.

    The first layer is gated by the spatial feature alone, the others by concat(previous, spatial feature).
    All act on single pixels.

    Parameters
    ----------
    features
        Channels of the spatial and of the frequency feature.
    width
        Channels of the layers.
    layers
        Number of layers, at least 1.
    bands
        Channels of the result.
    activation
        ``"gabor"`` is the paper's; the others are those of its ablation.
    """

    def __init__(self, features: int, width: int, layers: int, bands: int, activation: Activation) -> None:
        super().__init__()
        self.layers = nn.ModuleList([InteractionLayer(features, features, width, activation)])
        self.layers.extend(InteractionLayer(width + features, width, width, activation) for _ in range(layers - 1))
        self.output = nn.Linear(width, bands)

    def forward(self, spatial: Tensor, frequency: Tensor) -> Tensor:
        """Map two features [N, H, W, features] to [N, H, W, bands]."""
        return by_rows(lambda rows: self._decode(spatial[:, rows], frequency[:, rows]), spatial)

    def _decode(self, spatial: Tensor, frequency: Tensor) -> Tensor:
        x = self.layers[0](spatial, frequency)
        for layer in self.layers[1:]:
            x = layer(torch.cat([x, spatial], dim=-1), x)
        decoded: Tensor = self.output(x)
        return decoded
