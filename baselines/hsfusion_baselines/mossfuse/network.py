"""MossFuse, the network (Du et al., arXiv 2412.04802).

Each image is encoded into a *shared* and a *complementary* feature; the HR-HSI is decoded from the four. A
blind model of the two cameras (`degradation`) makes training possible without any reference (`losses`).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from hsfusion_baselines.blocks.restormer import (
    ChannelAttention,
    ChannelLayerNorm,
    GatedFeedForward,
    TransformerBlock,
)
from hsfusion_baselines.blocks.unireplknet import LargeKernelBlock
from hsfusion_baselines.mossfuse.degradation import BlindDegradation, degrade_spatially, degrade_spectrally

__all__ = ["Analysis", "Features", "MossFuse"]


class Features(NamedTuple):
    """The four features of an image pair, each [N, width, H, W]."""

    shared_msi: Tensor
    complement_msi: Tensor
    shared_hsi: Tensor
    complement_hsi: Tensor


class Analysis(NamedTuple):
    """Everything that the published network computes of an image pair."""

    features: Features
    rebuilt_msi: Tensor
    """HR-MSI decoded from its own features, [N, msi_bands, H, W]."""
    rebuilt_hsi: Tensor
    """Upsampled LR-HSI decoded from its own features, [N, bands, H, W]."""
    rebuilt_lr_msi: Tensor
    """Upsampled LR-MSI decoded from the two shared features, [N, msi_bands, H, W]."""
    lr_msi_from_hsi: Tensor
    """LR-MSI by the learnt SRF, [N, msi_bands, h, w]."""
    lr_msi_from_msi: Tensor
    """LR-MSI by the learnt PSF, [N, msi_bands, h, w] or less at the far edges."""
    srf: Tensor
    """[msi_bands, bands]."""
    psf: Tensor
    """[2*phase + 1, 2*phase + 1]."""
    fused: Tensor
    """HR-HSI, [N, bands, H, W], not clipped."""
    lr_hsi_from_fused: Tensor
    """`fused` through the PSF, [N, bands, h, w] or less at the far edges."""
    hr_msi_from_fused: Tensor
    """`fused` through the SRF, [N, msi_bands, H, W]."""


class SpatialGate(nn.Sequential):
    """A number in (0, 1) for every pixel: [N, C, H, W] to [N, 1, H, W]."""

    def __init__(self, width: int) -> None:
        super().__init__(
            nn.Conv2d(width, width // 8, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(width // 8, width // 8, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(width // 8, 1, 1, bias=False),
            nn.Sigmoid(),
        )


class SpectralGate(nn.Sequential):
    """A number in (0, 1) for every channel, from the channels' means: [N, C, H, W] to [N, C, 1, 1]."""

    def __init__(self, width: int) -> None:
        super().__init__(
            nn.Conv2d(width, width // 8, 1, bias=False),
            nn.GELU(),
            nn.Conv2d(width // 8, width // 8, 1, bias=False),
            nn.GELU(),
            nn.Conv2d(width // 8, width, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the gate."""
        x = x.mean(dim=(2, 3), keepdim=True)
        for layer in self:
            x = layer(x)
        return x


class GuidedAttention(ChannelAttention):
    """Channel attention on one feature, guided by another.

    One gate of the guide scales the queries. The other kind of gate, of the attention's result, scales a
    convolution of the guide, which is added to the result before the last projection.
    """

    def __init__(self, width: int, heads: int, guide_convolution: nn.Module) -> None:
        super().__init__(width, heads)
        self.spatial_gate = SpatialGate(width)
        self.spectral_gate = SpectralGate(width)
        self.guide_convolution = guide_convolution

    def guided(self, x: Tensor, guide: Tensor, query_gate: nn.Module, guide_gate: nn.Module) -> Tensor:
        """Return the attended feature, with the gates in their places."""
        query, key, value = self.split(x)
        attended = self.attend(query * query_gate(guide), key, value)
        out: Tensor = self.project(attended + self.guide_convolution(guide) * guide_gate(attended))
        return out


class SpatialGuidedAttention(GuidedAttention):
    """The guide says which pixels the queries look at; it is mixed within channels, and gated by channel."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads, nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False))

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:  # type: ignore[override]  # it takes two features
        """Return the attended feature, shape as `x`."""
        return self.guided(x, guide, self.spatial_gate, self.spectral_gate)


class SpectralGuidedAttention(GuidedAttention):
    """The guide says which channels the queries take; it is mixed across channels, and gated by pixel.

    Queries are normalised over pixels after they are gated, so that a gate by channel cancels: as published,
    it has no effect on the result.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads, nn.Conv2d(width, width, 1, bias=False))

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:  # type: ignore[override]  # it takes two features
        """Return the attended feature, shape as `x`."""
        return self.guided(x, guide, self.spectral_gate, self.spatial_gate)


class Aggregation(nn.Module):
    """Bring a guide into a feature: a transformer block with guided attention."""

    def __init__(self, width: int, attention: GuidedAttention) -> None:
        super().__init__()
        self.attention_norm = ChannelLayerNorm(width)
        self.attention = attention
        self.feed_forward_norm = ChannelLayerNorm(width)
        self.feed_forward = GatedFeedForward(width)

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        """Return the aggregated feature, shape as `x`."""
        x = x + self.attention(self.attention_norm(x), guide)
        out: Tensor = x + self.feed_forward(self.feed_forward_norm(x))
        return out


def transformer_blocks(width: int, heads: int, count: int) -> nn.Sequential:
    """Return a chain of transformer blocks; none is the identity."""
    return nn.Sequential(*(TransformerBlock(width, heads) for _ in range(count)))


def large_kernel_blocks(width: int) -> list[LargeKernelBlock]:
    """Return the chain of three that the branches use; only its first looks at neighbouring pixels."""
    return [LargeKernelBlock(width, spatial=spatial) for spatial in (True, False, False)]


def image_head(width: int, bands: int) -> nn.Sequential:
    """Return the two 3x3 convolutions that turn a feature into an image of so many bands."""
    return nn.Sequential(
        nn.Conv2d(width, width // 2, 3, padding=1, bias=False),
        nn.LeakyReLU(0.01),
        nn.Conv2d(width // 2, bands, 3, padding=1, bias=False),
    )


class Encoder(nn.Module):
    """Embed an image, refine it, and split it into its shared and its complementary feature."""

    def __init__(
        self, bands: int, width: int, heads: int, blocks: int, shared: nn.Module, complement: nn.Module
    ) -> None:
        super().__init__()
        self.embed = nn.Conv2d(bands, width, 3, padding=1, bias=False)
        self.blocks = transformer_blocks(width, heads, blocks)
        self.shared = shared
        self.complement = complement

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return the two features of an image [N, bands, H, W], each [N, width, H, W]."""
        feature = self.blocks(self.embed(image))
        return self.shared(feature), self.complement(feature)


class OwnDecoder(nn.Module):
    """Rebuild an image from its own two features. No loss reaches it.

    `unused_merge` is not even called: the published network counts and stores it, so this one does.
    """

    def __init__(self, bands: int, width: int, heads: int, blocks: int, attention: GuidedAttention) -> None:
        super().__init__()
        self.unused_merge = nn.Conv2d(2 * width, width, 1, bias=False)
        self.aggregation = Aggregation(width, attention)
        self.blocks = transformer_blocks(width, heads, blocks - 1)
        self.head = image_head(width, bands)

    def forward(self, shared: Tensor, complement: Tensor) -> Tensor:
        """Return the image [N, bands, H, W]."""
        image: Tensor = self.head(self.blocks(self.aggregation(shared, complement)))
        return image


class SharedDecoder(nn.Module):
    """Rebuild the upsampled LR-MSI from the two shared features. No loss reaches it."""

    def __init__(self, bands: int, width: int, heads: int, blocks: int) -> None:
        super().__init__()
        self.merge = nn.Conv2d(2 * width, width, 1, bias=False)
        self.blocks = transformer_blocks(width, heads, blocks)
        self.head = image_head(width, bands)

    def forward(self, shared_msi: Tensor, shared_hsi: Tensor) -> Tensor:
        """Return the image [N, bands, H, W]."""
        merged = self.merge(torch.cat((shared_msi, shared_hsi), dim=1))
        image: Tensor = self.head(self.blocks(merged))
        return image


class FusionDecoder(nn.Module):
    """Decode the HR-HSI from all four features."""

    def __init__(self, bands: int, width: int, heads: int, blocks: int) -> None:
        super().__init__()
        self.merge = nn.Conv2d(2 * width, width, 1, bias=False)
        self.spatial = Aggregation(width, SpatialGuidedAttention(width, heads))
        self.spectral = Aggregation(width, SpectralGuidedAttention(width, heads))
        self.blocks = transformer_blocks(width, heads, blocks)
        self.head = image_head(width, bands)

    def forward(self, features: Features) -> Tensor:
        """Return the fused image [N, bands, H, W]."""
        merged = self.merge(torch.cat((features.shared_msi, features.shared_hsi), dim=1))
        feature = self.spectral(self.spatial(merged, features.complement_msi), features.complement_hsi)
        image: Tensor = self.head(self.blocks(feature))
        return image


class MossFuse(nn.Module):
    """MossFuse.

    585,485 parameters with one block a stage (the released checkpoint), 900,653 with three (the authors'
    training script), at 31 + 3 bands. The count includes what reaches neither the result nor a loss: the
    three decoders that rebuild the inputs, and in two of them a convolution that is never called. They are
    kept because the published network counts them and its checkpoints hold them.

    Parameters
    ----------
    bands, msi_bands
        Numbers of bands of the HSI and of the MSI.
    scale
        Ratio of the two resolutions.
    phase
        HR index of LR pixel 0, an integer or half of one; None: ``(scale - 1) // 2``, as published.
    width
        Channels of every feature; a multiple of `heads`, at least 8.
    blocks
        Transformer blocks a stage, at least 1.
    heads
        Attention heads.

    Raises
    ------
    ValueError
        If `phase`, `width` or `blocks` cannot be.
    """

    def __init__(
        self,
        bands: int = 31,
        msi_bands: int = 3,
        scale: int = 32,
        phase: float | None = None,
        width: int = 48,
        blocks: int = 1,
        heads: int = 8,
    ) -> None:
        super().__init__()
        if width < 8 or blocks < 1:
            raise ValueError(f"MossFuse needs a width of at least 8 and 1 block, not {width} and {blocks}")
        self.scale = scale
        self.msi_encoder = Encoder(
            msi_bands,
            width,
            heads,
            blocks,
            shared=nn.Sequential(*large_kernel_blocks(width), TransformerBlock(width, heads)),
            complement=nn.Sequential(*large_kernel_blocks(width)),
        )
        self.hsi_encoder = Encoder(
            bands,
            width,
            heads,
            blocks,
            shared=nn.Sequential(TransformerBlock(width, heads), *large_kernel_blocks(width)),
            complement=TransformerBlock(width, heads),
        )
        self.msi_decoder = OwnDecoder(msi_bands, width, heads, blocks, SpatialGuidedAttention(width, heads))
        self.hsi_decoder = OwnDecoder(bands, width, heads, blocks, SpectralGuidedAttention(width, heads))
        self.lr_msi_decoder = SharedDecoder(msi_bands, width, heads, blocks)
        self.fusion_decoder = FusionDecoder(bands, width, heads, blocks)
        self.degradation = BlindDegradation(bands, msi_bands, scale, (scale - 1) // 2 if phase is None else phase)

    def encode(self, hr_msi: Tensor, lr_hsi: Tensor) -> Features:
        """Return the four features of an image pair.

        Raises
        ------
        ValueError
            If the sizes of the two images do not differ by the scale.
        """
        expected = tuple(self.scale * side for side in lr_hsi.shape[-2:])
        if hr_msi.shape[-2:] != expected:
            raise ValueError(
                f"at scale {self.scale} an LR-HSI of {tuple(lr_hsi.shape[-2:])} pixels belongs to an HR-MSI "
                f"of {expected}, not {tuple(hr_msi.shape[-2:])}"
            )
        upsampled = functional.interpolate(lr_hsi, size=expected, mode="bilinear", align_corners=False)
        return Features(*self.msi_encoder(hr_msi), *self.hsi_encoder(upsampled))

    def forward(self, hr_msi: Tensor, lr_hsi: Tensor) -> Tensor:
        """Return the fused image; nothing else is computed.

        Parameters
        ----------
        hr_msi
            [N, msi_bands, h*scale, w*scale], values in [0, 1].
        lr_hsi
            [N, bands, h, w], values in [0, 1].

        Returns
        -------
        Tensor
            [N, bands, h*scale, w*scale], not clipped.
        """
        fused: Tensor = self.fusion_decoder(self.encode(hr_msi, lr_hsi))
        return fused

    def analyse(self, hr_msi: Tensor, lr_hsi: Tensor) -> Analysis:
        """Return everything that the published network returns; arguments as of `forward`."""
        features = self.encode(hr_msi, lr_hsi)
        fused = self.fusion_decoder(features)
        lr_msi_from_hsi, lr_msi_from_msi = self.degradation(hr_msi, lr_hsi)
        psf, srf = self.degradation.psf(), self.degradation.srf()
        return Analysis(
            features=features,
            rebuilt_msi=self.msi_decoder(features.shared_msi, features.complement_msi),
            rebuilt_hsi=self.hsi_decoder(features.shared_hsi, features.complement_hsi),
            rebuilt_lr_msi=self.lr_msi_decoder(features.shared_msi, features.shared_hsi),
            lr_msi_from_hsi=lr_msi_from_hsi,
            lr_msi_from_msi=lr_msi_from_msi,
            srf=srf,
            psf=psf,
            fused=fused,
            lr_hsi_from_fused=degrade_spatially(fused, psf, self.scale),
            hr_msi_from_fused=degrade_spectrally(fused, srf),
        )
