"""The network of 3DT-Net (Ma et al., "Learning a 3D-CNN and Transformer prior", Information Fusion 2023)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hsfusion_baselines.net_3dt.prior import SpatialSpectralPrior

__all__ = ["Net3DT"]

_STEP, _WEIGHT = 0.1, 0.9  # where the learned numbers of the optimisation start


class Net3DT(nn.Module):
    """Unfolded optimisation with a learned prior.

    Starting from the enlarged LR-HSI (PyTorch's bicubic, a = -0.75), the network alternates gradient steps of two
    splitting variables with a prior of the image, six times in all, with learned operators for both cameras: a
    strided convolution and its transpose, and two 3x3 convolutions between HSI and MSI. One prior and one pair of
    step and weight for each of the two kinds of step serve all iterations. The features of earlier calls of the prior
    are fed to later ones.

    The published network is for x8: 3,463,525 parameters at 31 + 3 bands (the authors count 11 more, which their code
    never uses), kernels of 13x13 for the spatial camera. For other scales the stride is the scale and the kernel as
    much larger than it as there, the next odd number up to scale + 5: ours.

    Parameters
    ----------
    bands, msi_bands, scale
        The problem.
    features
        Width of the image's features.
    dense
        Channels that a call of the prior leaves for later ones.
    """

    def __init__(
        self, bands: int = 31, msi_bands: int = 3, scale: int = 8, *, features: int = 64, dense: int = 128
    ) -> None:
        super().__init__()
        self.scale = scale
        self.inner_step = nn.Parameter(torch.tensor(_STEP))
        self.inner_weight = nn.Parameter(torch.tensor(_WEIGHT))
        self.outer_step = nn.Parameter(torch.tensor(_STEP))
        self.outer_weight = nn.Parameter(torch.tensor(_WEIGHT))
        self.prior = SpatialSpectralPrior(bands, in_features=features, dense=dense)
        self.embed = nn.Conv2d(bands, features, 3, padding=1)
        earlier = (1, 1, 1, 2, 1)  # calls of the prior that each of the second to sixth call sees
        merges = (nn.Conv2d(features + calls * dense, features, 3, padding=1) for calls in earlier)
        self.merge = nn.ModuleList([nn.Identity(), *merges])
        kernel = scale + 5 - scale % 2
        self.shrink = nn.Conv2d(bands, bands, kernel, stride=scale, padding=kernel // 2)
        self.enlarge = nn.ConvTranspose2d(
            bands, bands, kernel, stride=scale, padding=kernel // 2, output_padding=scale - 1
        )
        self.to_msi = nn.Conv2d(bands, msi_bands, 3, padding=1)
        self.to_hsi = nn.Conv2d(msi_bands, bands, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_normal_(module.weight)

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        lr_hsi
            [N, bands, h, w], values in [0, 1].
        hr_msi
            [N, msi_bands, h*scale, w*scale], values in [0, 1]; the sides are multiples of 8.

        Returns
        -------
        Tensor
            [N, bands, h*scale, w*scale], not clipped.
        """
        image = result = functional.interpolate(lr_hsi, scale_factor=self.scale, mode="bicubic")
        seen: list[Tensor] = []
        for first, second in zip(self.merge[::2], self.merge[1::2], strict=True):
            if seen:
                image = self._outer(image, result, lr_hsi, hr_msi)
            correction, dense = self.prior(first(torch.cat([self.embed(image), *seen], dim=1)))
            auxiliary = self._inner(image, correction, hr_msi)
            result = auxiliary + self.prior(second(torch.cat([self.embed(auxiliary), dense], dim=1)))[0]
            seen.append(dense)
        return result

    def _inner(self, image: Tensor, correction: Tensor, hr_msi: Tensor) -> Tensor:
        """Return the auxiliary image: a gradient step from the image that knows the HR-MSI and the prior."""
        step, weight = self.inner_step, self.inner_weight
        pull = image - weight * (image + correction)
        auxiliary: Tensor = (1 - step - step * weight) * image + step * (self._msi_gradient(image, hr_msi) + pull)
        return auxiliary

    def _outer(self, image: Tensor, result: Tensor, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Return the image after a gradient step that knows both observations and the prior's result."""
        step, weight = self.outer_step, self.outer_weight
        gradients = self._msi_gradient(image, hr_msi) + self.enlarge(self.shrink(image) - lr_hsi)
        stepped: Tensor = (1 - step * weight) * image + step * gradients + step * weight * result
        return stepped

    def _msi_gradient(self, image: Tensor, hr_msi: Tensor) -> Tensor:
        gradient: Tensor = self.to_hsi(hr_msi - self.to_msi(image))
        return gradient
