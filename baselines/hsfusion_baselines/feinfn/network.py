"""The network of FeINFN (Liang et al., "Fourier-enhanced Implicit Neural Fusion Network", NeurIPS 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from hsfusion_baselines.blocks.edsr import EDSRTrunk
from hsfusion_baselines.feinfn.decoder import Activation, InteractiveDecoder
from hsfusion_baselines.feinfn.frequency import FrequencyFusion
from hsfusion_baselines.feinfn.implicit import PixelQuery, Upsampling

__all__ = ["Branches", "FeINFN"]

Branches = Literal["both", "spatial", "frequency"]


class FeINFN(nn.Module):
    """Fourier-enhanced implicit neural fusion network (arXiv 2404.15174).

    Two EDSR trunks encode the HR pair and the LR-HSI. The LR features are queried at every HR pixel with the
    HR features as a guide, in space and among the amplitudes and phases of the spectra, and a decoder lets
    the one gate the other. Its output is a residual to the enlarged LR-HSI.

    The defaults are the published network: 3,164,816 parameters at 31 + 3 bands. The paper's ablations are
    options; where the paper names an ablation without its formula, the formula is ours and is marked so.

    Parameters
    ----------
    bands
        Bands of the HSI.
    msi_bands
        Bands of the MSI.
    features
        Width of the encoders.
    hidden
        Hidden widths of the three query networks.
    implicit
        Channels of the spatial and of the frequency feature.
    blocks
        Residual blocks in each encoder.
    decoder_width, decoder_layers
        Width and number of the decoder's layers.
    branches
        ``"both"`` (the paper), ``"spatial"`` or ``"frequency"`` alone. Ours: the feature of the branch that
        is left takes both places in the decoder.
    upsampling
        ``"implicit"`` (the paper), ``"bilinear"`` or ``"bicubic"``. Ours: LR features, amplitudes and phases
        are interpolated to HR size and pass the same query networks once, without coordinates and weights.
    activation
        Of the decoder's frequency path: ``"gabor"`` (the paper), ``"relu"``, ``"gelu"`` or ``"leaky_relu"``.

    Raises
    ------
    ValueError
        If an option is unknown.

    Notes
    -----
    Any size works for which the LR-HSI is not empty, square or not; HR sides are multiples of LR sides in the
    benchmark, though the network does not need it.
    """

    def __init__(
        self,
        bands: int = 31,
        msi_bands: int = 3,
        *,
        features: int = 128,
        hidden: Sequence[int] = (256, 128),
        implicit: int = 32,
        blocks: int = 4,
        decoder_width: int = 128,
        decoder_layers: int = 3,
        branches: Branches = "both",
        upsampling: Upsampling = "implicit",
        activation: Activation = "gabor",
    ) -> None:
        super().__init__()
        _check("branches", branches, get_args(Branches))
        _check("upsampling", upsampling, get_args(Upsampling))
        _check("activation", activation, get_args(Activation))
        self.spatial_encoder = EDSRTrunk(bands + msi_bands, features, blocks)
        self.spectral_encoder = EDSRTrunk(bands, features, blocks)
        self.spatial_fusion = (
            PixelQuery(features, hidden, implicit, upsampling, detail=True) if branches != "frequency" else None
        )
        self.frequency_fusion = (
            FrequencyFusion(features, hidden, implicit, upsampling) if branches != "spatial" else None
        )
        self.decoder = InteractiveDecoder(implicit, decoder_width, decoder_layers, bands, activation)

    def forward(self, hr_msi: Tensor, hsi_up: Tensor, lr_hsi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        hr_msi
            [N, msi_bands, H, W], values in [0, 1].
        hsi_up
            [N, bands, H, W]: the LR-HSI enlarged by bicubic interpolation.
        lr_hsi
            [N, bands, h, w], values in [0, 1].

        Returns
        -------
        Tensor
            [N, bands, H, W], **not** clipped: the authors clip to [0, 1] at inference only.
        """
        guide = self.spatial_encoder(torch.cat([hr_msi, hsi_up], dim=1))
        lr = self.spectral_encoder(lr_hsi)
        spatial = self.spatial_fusion(lr, guide) if self.spatial_fusion is not None else None
        frequency = self.frequency_fusion(lr, guide) if self.frequency_fusion is not None else None
        residual = self.decoder(
            spatial if spatial is not None else frequency, frequency if frequency is not None else spatial
        )
        fused: Tensor = hsi_up + residual.permute(0, 3, 1, 2)
        return fused


def _check(option: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(f"{option} is {value!r}; FeINFN knows {', '.join(known)}")
