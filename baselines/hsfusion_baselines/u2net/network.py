"""The network of U2Net (Peng et al., "U2Net: A General Framework with Spatial-Spectral-Integrated Double U-Net")."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from hsfusion_baselines.blocks.tokens import TokenFeedForward, to_image, to_tokens

__all__ = ["IntegratingAttention", "U2Net"]


class IntegratingAttention(nn.Module):
    """Attention in which each of two streams is weighted by the other.

    Spatial weights (pixels x pixels) come from the guide and mix the signal; spectral weights (channels x channels of
    a head) come from the signal and mix the guide. The two results are multiplied.

    Parameters
    ----------
    channels
        Width of both streams.
    head
        Width of a head; it divides `channels`.
    """

    def __init__(self, channels: int, head: int) -> None:
        super().__init__()
        self.head = head
        self.guide_query = nn.Linear(channels, channels, bias=False)
        self.guide_key = nn.Linear(channels, channels, bias=False)
        self.signal_query = nn.Linear(channels, channels, bias=False)
        self.signal_key = nn.Linear(channels, channels, bias=False)
        self.project = nn.Linear(channels, channels)

    def forward(self, signal: Tensor, guide: Tensor) -> Tensor:
        """Return the integrated tokens of two streams, all [N, tokens, channels]."""

        def heads(layer: nn.Linear, tokens: Tensor) -> Tensor:
            split: Tensor = layer(tokens).unflatten(2, (-1, self.head))
            return split.transpose(1, 2)

        guide_query, guide_key = heads(self.guide_query, guide), heads(self.guide_key, guide)
        signal_query, signal_key = heads(self.signal_query, signal), heads(self.signal_key, signal)
        spatial = functional.scaled_dot_product_attention(guide_query, guide_key, signal_query)
        # The logits are sums over all pixels; the factor makes them independent of the image's size.
        factor = self.head**0.5 / signal.shape[1]
        spectral = guide_query @ (factor * (signal_query.mT @ signal_key)).softmax(dim=-1)
        out: Tensor = self.project((spatial * spectral).transpose(1, 2).flatten(2))
        return out


class IntegratingBlock(nn.Module):
    """The S2 block: `IntegratingAttention` after one layer norm for both streams, then a feed-forward; residual."""

    def __init__(self, channels: int, head: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.attention = IntegratingAttention(channels, head)
        self.feed_forward = TokenFeedForward(channels, channels // 2)

    def forward(self, signal: Tensor, guide: Tensor) -> Tensor:
        """Return the signal with the guide integrated, [N, channels, H, W] as both."""
        tokens, guide_tokens = to_tokens(signal), to_tokens(guide)
        tokens = tokens + self.attention(self.norm(tokens), self.norm(guide_tokens))
        return to_image(self.feed_forward(tokens), signal.shape[2])


class Residual(nn.Module):
    """Two 3x3 convolutions through half the width, a leaky ReLU between, and the input added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels // 2, 3, padding=1)
        self.conv2 = nn.Conv2d(channels // 2, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the refined features, shape as `x`."""
        out: Tensor = x + self.conv2(functional.leaky_relu(self.conv1(x)))
        return out


class Down(nn.Sequential):
    """Half the sides and twice the channels: 2x2 convolution of stride 2, then a separable 3x3 one."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            nn.Conv2d(channels, channels, 2, stride=2),
            nn.LeakyReLU(),
            nn.Conv2d(channels, 2 * channels, 1),
            nn.Conv2d(2 * channels, 2 * channels, 3, padding=1, groups=2 * channels),
            nn.LeakyReLU(),
        )


class Up(nn.Module):
    """Twice the sides and half the channels, the skip connection added, a 3x3 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enlarge = nn.ConvTranspose2d(channels, channels // 2, 2, stride=2)
        self.conv = nn.Conv2d(channels // 2, channels // 2, 3, padding=1)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return features of the skip connection's shape."""
        return functional.leaky_relu(self.conv(functional.leaky_relu(self.enlarge(x)) + skip))


Streams = tuple[Tensor, Tensor]


class DownLevel(nn.Module):
    """A level of both encoders: integrate the spatial features into the spectral, refine them, halve both."""

    def __init__(self, channels: int, head: int) -> None:
        super().__init__()
        self.integrate = IntegratingBlock(channels, head)
        self.resize = Down(channels)
        self.refine = Residual(channels)

    def forward(self, streams: Streams) -> tuple[Streams, Streams]:
        """Return the spectral and the spatial features of the next level, and those of this one for the decoder."""
        spectral, spatial = streams
        kept = self.integrate(spectral, spatial), self.refine(spatial)
        return (self.resize(kept[0]), self.resize(kept[1])), kept


class UpLevel(nn.Module):
    """A level of both decoders: integrate, refine, and enlarge both onto the skip connections."""

    def __init__(self, channels: int, head: int) -> None:
        super().__init__()
        self.integrate = IntegratingBlock(channels, head)
        self.resize = Up(channels)
        self.refine = Residual(channels)

    def forward(self, streams: Streams, skips: Streams) -> Streams:
        """Return the spectral and the spatial features at the size of the skip connections."""
        spectral, spatial = streams
        integrated = self.integrate(spectral, spatial)
        return self.resize(integrated, skips[0]), self.resize(self.refine(spatial), skips[1])


class U2Net(nn.Module):
    """Double U-net: a spectral one whose features the features of a spatial one are integrated into at every level.

    The LR-HSI is enlarged by a learned convolution and a pixel shuffle, to which the result is a residual. The
    integration is global: work grows with the square of the number of pixels.

    The defaults are the published network at 31 + 3 bands and x4: 679,263 parameters. The authors count 785,023,
    with branches for the changes of size that their code holds and never runs. Other scales are ours: the learned
    enlargement has the factor of the problem.

    Parameters
    ----------
    bands, msi_bands, scale
        The problem.
    features
        Width of the first level; it doubles twice.
    head
        Width of an attention head.
    """

    def __init__(
        self, bands: int = 31, msi_bands: int = 3, scale: int = 4, *, features: int = 32, head: int = 16
    ) -> None:
        super().__init__()
        self.enlarge = nn.Sequential(
            nn.Conv2d(bands, bands * scale**2, 3, padding=1, bias=False), nn.PixelShuffle(scale)
        )
        self.embed_hsi = nn.Sequential(nn.Conv2d(bands, features, 3, padding=1), nn.LeakyReLU())
        self.embed_msi = nn.Sequential(nn.Conv2d(msi_bands, features, 3, padding=1), nn.LeakyReLU())
        self.output = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1), nn.LeakyReLU(), nn.Conv2d(features, bands, 3, padding=1)
        )
        widths = (features, 2 * features, 4 * features)
        self.encoder = nn.ModuleList(DownLevel(width, head) for width in widths[:2])
        self.decoder = nn.ModuleList(UpLevel(width, head) for width in widths[:0:-1])
        self.last = IntegratingBlock(features, head)

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
            [N, bands, h*scale, w*scale], not clipped.
        """
        hsi_up = self.enlarge(lr_hsi)
        streams = self.embed_hsi(hsi_up), self.embed_msi(hr_msi)
        skips = []
        for level in self.encoder:
            streams, kept = level(streams)
            skips.append(kept)
        for level in self.decoder:
            streams = level(streams, skips.pop())
        fused: Tensor = hsi_up + self.output(self.last(*streams))
        return fused
