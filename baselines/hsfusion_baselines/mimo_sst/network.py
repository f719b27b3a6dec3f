"""The network of MIMO-SST (Fang et al., "Multi-Input Multi-Output Spatial-Spectral Transformer", IEEE TGRS 2024)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hsfusion_baselines.blocks.restormer import ChannelLayerNorm
from hsfusion_baselines.blocks.upsampling import upsample_bicubic

__all__ = ["MIMOSST", "Mixer"]


class Mixer(nn.Module):
    """The mixture block: MSI and HSI features attend to each other across channels, then a 3x3 feed-forward.

    Norms, projections and feed-forward are one for both streams. As published, the logits of a stream are the other
    stream's keys times its own queries, and weigh the other stream's values; the MSI's logits are multiplied by a
    learned temperature and its result is projected, the HSI's are divided by another and its result is not.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention_norm = ChannelLayerNorm(channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.qkv_depthwise = nn.Conv2d(3 * channels, 3 * channels, 3, padding=1, groups=3 * channels, bias=False)
        self.msi_temperature = nn.Parameter(torch.ones(1, 1, 1))
        self.msi_project = nn.Conv2d(channels, channels, 1, bias=False)
        self.hsi_temperature = nn.Parameter(torch.ones(1, 1, 1))
        self.feed_forward_norm = ChannelLayerNorm(channels)
        self.feed_forward = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, msi: Tensor, hsi: Tensor) -> tuple[Tensor, Tensor]:
        """Return both features, [N, channels, H, W], mixed."""
        msi_query, msi_key, msi_value = self._split(msi)
        hsi_query, hsi_key, hsi_value = self._split(hsi)
        to_msi = (self.msi_temperature * (hsi_key @ msi_query.mT)).softmax(dim=-1) @ hsi_value
        to_hsi = (msi_key @ hsi_query.mT / self.hsi_temperature).softmax(dim=-1) @ msi_value
        msi = msi + self.msi_project(to_msi.reshape(msi.shape))
        hsi = hsi + to_hsi.reshape(hsi.shape)
        return self._feed(msi), self._feed(hsi)

    def _split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries and keys of unit length, and values, [N, channels, pixels]."""
        parts = self.qkv_depthwise(self.qkv(self.attention_norm(x))).flatten(2)
        query, key, value = parts.chunk(3, dim=1)
        return functional.normalize(query, dim=-1), functional.normalize(key, dim=-1), value

    def _feed(self, x: Tensor) -> Tensor:
        return x + functional.gelu(self.feed_forward(self.feed_forward_norm(x)))


def down(channels: int) -> nn.Sequential:
    """Return a layer that halves the sides and doubles the channels."""
    return nn.Sequential(nn.Conv2d(channels, channels // 2, 3, padding=1, bias=False), nn.PixelUnshuffle(2))


def up(channels: int) -> nn.Sequential:
    """Return a layer that doubles the sides and halves the channels."""
    return nn.Sequential(nn.Conv2d(channels, 2 * channels, 3, padding=1, bias=False), nn.PixelShuffle(2))


class MIMOSST(nn.Module):
    """Multi-input multi-output spatial-spectral transformer.

    The pair enters at full, half and quarter size (every second pixel), is mixed at each by the same `Mixer`, and
    goes through an encoder and a decoder of three levels, which give a result at each size: the residual to the
    enlarged LR-HSI of that size. The full-sized one passes a ReLU.

    The network is that of the Efficient-MIF collection, which takes the LR-HSI enlarged (here by MATLAB's bicubic);
    the authors' own file enlarges bilinearly, by 8 only. At 31 + 3 bands it has 1,621,984 parameters; 4,983,042 in
    the collection's code, which holds layers that it never runs.

    Parameters
    ----------
    bands, msi_bands, scale
        The problem.
    features
        Width of the first level; it doubles twice.
    """

    def __init__(self, bands: int = 31, msi_bands: int = 3, scale: int = 4, *, features: int = 48) -> None:
        super().__init__()
        self.scale = scale
        full, half, quarter = features, 2 * features, 4 * features
        self.embed = nn.Conv2d(2 * full + msi_bands + bands, full, 3, padding=1, bias=False)
        self.down_full = down(full)
        self.down_half = down(half)
        self.up_quarter = up(quarter)
        self.reduce_half = nn.Conv2d(2 * half, half, 1, bias=False)
        self.up_half = up(half)
        self.output = nn.Conv2d(half, bands, 3, padding=1)
        self.output_quarter = nn.Conv2d(quarter, bands, 3, padding=1)
        self.merge_half = nn.Conv2d(half + full, half, 3, padding=1)
        self.merge_quarter = nn.Conv2d(quarter + full, quarter, 3, padding=1)
        self.mixer = Mixer(full)
        self.embed_msi = nn.Conv2d(msi_bands, full, 3, padding=1)
        self.embed_hsi = nn.Conv2d(bands, full, 3, padding=1)

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        lr_hsi
            [N, bands, h, w], values in [0, 1].
        hr_msi
            [N, msi_bands, h*scale, w*scale], values in [0, 1]; the sides are multiples of 4.

        Returns
        -------
        Tensor
            [N, bands, h*scale, w*scale], not negative, not clipped above.
        """
        return self.fuse(upsample_bicubic(lr_hsi, self.scale), hr_msi)

    def fuse(self, hsi_up: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse an already enlarged LR-HSI, [N, bands, H, W], with an HR-MSI: what the published network does."""
        return self.pyramid(hsi_up, hr_msi)[0]

    def pyramid(self, hsi_up: Tensor, hr_msi: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the results at full, half and quarter size, which training looks at."""
        hsi = [hsi_up, hsi_up[..., ::2, ::2], hsi_up[..., ::4, ::4]]
        msi = [hr_msi, hr_msi[..., ::2, ::2], hr_msi[..., ::4, ::4]]
        full, half, quarter = (self._encode(*pair) for pair in zip(hsi, msi, strict=True))
        half = self.merge_half(torch.cat([self.down_full(full), half], dim=1))
        quarter = self.merge_quarter(torch.cat([self.down_half(half), quarter], dim=1))
        decoded_half = self.reduce_half(torch.cat([self.up_quarter(quarter), half], dim=1))
        decoded_full = torch.cat([self.up_half(decoded_half), full], dim=1)
        return (
            (hsi[0] + self.output(decoded_full)).relu(),
            hsi[1] + self.output(decoded_half),
            hsi[2] + self.output_quarter(quarter),
        )

    def _encode(self, hsi: Tensor, msi: Tensor) -> Tensor:
        mixed = self.mixer(self.embed_msi(msi), self.embed_hsi(hsi))
        encoded: Tensor = self.embed(torch.cat([*mixed, msi, hsi], dim=1))
        return encoded
