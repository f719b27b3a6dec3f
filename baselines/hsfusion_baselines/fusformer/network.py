"""The network of Fusformer (Hu et al., "Fusformer: A Transformer-based Fusion Network", IEEE GRSL 2022)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hsfusion_baselines.blocks.tokens import TokenFeedForward, to_image, to_tokens

__all__ = ["Fusformer"]


class GlobalAttention(nn.Module):
    """Layer norm, multi-head self-attention among all tokens, and the input added; queries, keys, values unbiased."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(features)
        self.qkv = nn.Linear(features, 3 * features, bias=False)
        self.project = nn.Linear(features, features)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the attended tokens, [N, tokens, features]."""
        qkv = self.qkv(self.norm(tokens)).unflatten(2, (3, self.heads, -1))
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        # No matrix of tokens x tokens is ever held: it would take 64 MiB a head for 64x64 pixels.
        mixed = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = tokens + self.project(mixed.transpose(1, 2).flatten(2))
        return out


class Fusformer(nn.Module):
    """Transformer on single pixels.

    Every pixel of the enlarged LR-HSI with the HR-MSI is a token and attends to all others, in two encoder layers
    (attention, feed-forward) and two decoder layers (attention, attention, feed-forward). Two convolutions make the
    residual to the enlarged LR-HSI. Both the enlargement (PyTorch's bicubic, a = -0.75) and the result are clipped
    to [0, 1], in training too.

    The defaults are the published network at 31 + 3 bands: 111,247 parameters. The authors count 504,463, with two
    tables of 4096 x 48 positions that their code holds and never adds.

    Parameters
    ----------
    bands, msi_bands, scale
        The problem.
    features, heads
        Width, and number of attention heads.
    depth
        Layers of the encoder, and of the decoder.
    """

    def __init__(
        self, bands: int = 31, msi_bands: int = 3, scale: int = 4, *, features: int = 48, heads: int = 3, depth: int = 2
    ) -> None:
        super().__init__()
        self.scale = scale

        def layer(attentions: int) -> nn.Sequential:
            parts = [GlobalAttention(features, heads) for _ in range(attentions)]
            return nn.Sequential(*parts, TokenFeedForward(features, features))

        self.encoder = nn.Sequential(*(layer(1) for _ in range(depth)))
        self.decoder = nn.Sequential(*(layer(2) for _ in range(depth)))
        self.embed = nn.Linear(bands + msi_bands, features)
        self.refine = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1), nn.LeakyReLU(), nn.Conv2d(features, bands, 3, padding=1)
        )

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        lr_hsi
            [N, bands, h, w], values in [0, 1].
        hr_msi
            [N, msi_bands, h*scale, w*scale], values in [0, 1].

        Returns
        -------
        Tensor
            [N, bands, h*scale, w*scale], in [0, 1].
        """
        hsi_up = functional.interpolate(lr_hsi, scale_factor=self.scale, mode="bicubic").clamp(0, 1)
        tokens = self.embed(to_tokens(torch.cat([hsi_up, hr_msi], dim=1)))
        decoded = self.decoder(self.encoder(tokens))
        residual = self.refine(to_image(decoded, hr_msi.shape[2]))
        fused: Tensor = (hsi_up + residual).clamp(0, 1)
        return fused
