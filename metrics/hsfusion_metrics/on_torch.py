"""The seven indexes on torch tensors: a batch at a time, on any device, with gradients.

Each function takes a reference and an estimate, ``(gt, sr)``, both [N, C, H, W] and floating point, and returns one
value an image, [N], on their device and in their precision; in float64 it equals its namesake in `hsfusion_metrics` to
1e-10. Single precision has its limits, UQI's above all, which takes differences of large sums. So has SAM's arccosine
in any precision: of parallel spectra it is 1e-8 as well as 0.

All but `q2n` have gradients, those of the definitions, and 0 where a root or an angle of 0 has none: for identical
images SAM, ERGAS and SCC have the gradient 0; PSNR is infinite and has none. Where UQI finds a window flat, or Q2n a
block, the value jumps, and the gradient is that of the branch taken. `q2n` rounds the images to integers, which leaves
nothing to differentiate; `q2n_uncast` can be a loss.

Nothing else of `hsfusion_metrics` imports torch.

Examples
--------
>>> import torch
>>> from hsfusion_metrics import on_torch
>>> gt = torch.full((2, 3, 64, 64), 0.5, dtype=torch.float64)
>>> sr = (gt + 0.01).requires_grad_()
>>> [round(value, 6) for value in on_torch.psnr(gt, sr).tolist()]
[40.0, 40.0]
>>> on_torch.ergas(gt, sr, ratio=4).mean().backward()
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from hsfusion_metrics._pair import as_ratio, positive
from hsfusion_metrics.q2n import _EPS, _UNDER_HALF, _hypercomplex_size, _seen_as_flat, _signs
from hsfusion_metrics.ssim import _TAPS
from hsfusion_metrics.uqi import _DOUBLINGS

_WINDOW = 32
_PIXELS = _WINDOW**2


def psnr(gt: Tensor, sr: Tensor, *, const: float = 1.0) -> Tensor:
    """Mean over bands of each band's PSNR, in dB, see `hsfusion_metrics.psnr`.

    Parameters
    ----------
    gt, sr
        Reference and estimate, [N, C, H, W], floating point.
    const
        The value that stands for full scale.

    Returns
    -------
    torch.Tensor
        One value an image, [N].

    Raises
    ------
    TypeError, ValueError
        For images that are not floating point, or not of one shape with four axes; for a `const` that is not positive.
    """
    _check(gt, sr)
    errors = (gt - sr).square().mean(dim=(2, 3))
    return (10.0 * torch.log10(positive(const, "const") ** 2 / errors)).mean(dim=1)


def sam(gt: Tensor, sr: Tensor) -> Tensor:
    """Mean over pixels of the angle between the two spectra, in degrees, see `hsfusion_metrics.sam`.

    Parameters, results and errors are those of `psnr`, without `const`.
    """
    _check(gt, sr)
    norm = _root(gt.square().sum(dim=1) * sr.square().sum(dim=1))
    seen = norm != 0
    cosine = (gt * sr).sum(dim=1) / torch.where(seen, norm, 1.0)
    straight = cosine.abs() >= 1.0
    bent = torch.arccos(torch.where(straight, 0.0, cosine))
    angle = torch.where(straight, torch.where(cosine > 0, 0.0, math.pi).to(bent), bent)
    return torch.rad2deg(torch.where(seen, angle, 0.0).sum(dim=(1, 2)) / seen.sum(dim=(1, 2)))


def ergas(gt: Tensor, sr: Tensor, *, ratio: float) -> Tensor:
    """ERGAS, see `hsfusion_metrics.ergas`.

    Parameters, results and errors are those of `psnr`, with the resolution `ratio` in the place of `const`, at least 1.
    """
    _check(gt, sr)
    relative = (gt - sr).square().mean(dim=(2, 3)) / gt.mean(dim=(2, 3)).square()
    return 100.0 / as_ratio(ratio) * _root(relative.mean(dim=1))


def ssim(gt: Tensor, sr: Tensor, *, const: float = 1.0) -> Tensor:
    """Mean over bands of Wang's SSIM, see `hsfusion_metrics.ssim`: -Inf when a side has fewer than 11 pixels.

    Parameters, results and errors are those of `psnr`.
    """
    _check(gt, sr)
    full_scale = positive(const, "const")
    if min(gt.shape[2:]) < len(_TAPS):
        return gt.new_full((len(gt),), -math.inf)
    c1, c2 = (0.01 * full_scale) ** 2, (0.03 * full_scale) ** 2
    mean_x, mean_y = _smooth(gt), _smooth(sr)
    product, squares = mean_x * mean_y, mean_x.square() + mean_y.square()
    covariance = _smooth(gt * sr) - product
    variances = _smooth(gt.square() + sr.square()) - squares
    quality = (2.0 * product + c1) * (2.0 * covariance + c2) / ((squares + c1) * (variances + c2))
    return quality.mean(dim=(1, 2, 3))


def scc(gt: Tensor, sr: Tensor) -> Tensor:
    """Cosine between the Sobel gradient magnitudes of the two images, see `hsfusion_metrics.scc`.

    Parameters, results and errors are those of `psnr`, without `const`.
    """
    _check(gt, sr)
    if min(gt.shape[2:]) < 3:
        return gt.new_full((len(gt),), math.nan)
    edges_gt, edges_sr = _squared_gradient(gt), _squared_gradient(sr)
    product, energy_gt, energy_sr = (
        each.sum(dim=(1, 2, 3)) for each in (_root(edges_gt * edges_sr), edges_gt, edges_sr)
    )
    return product / _root(energy_sr) / _root(energy_gt)


def uqi(gt: Tensor, sr: Tensor) -> Tensor:
    """Mean over bands of the universal quality index, see `hsfusion_metrics.uqi`: NaN when a side is under 32 pixels.

    Parameters, results and errors are those of `psnr`, without `const`.
    """
    _check(gt, sr)
    if min(gt.shape[2:]) < _WINDOW:
        return gt.new_full((len(gt),), math.nan)
    sum_x, sum_y = _window_sums(gt), _window_sums(sr)
    product, squares = sum_x * sum_y, sum_x.square() + sum_y.square()
    covariance = _PIXELS * _window_sums(gt * sr) - product
    variances = _PIXELS * _window_sums(gt.square() + sr.square()) - squares
    denominator = variances * squares
    flat, black = (variances == 0) & (squares != 0), squares == 0
    textured = 4.0 * covariance * product / torch.where(denominator == 0, 1.0, denominator)
    of_means = torch.where(flat, 2.0 * product / torch.where(black, 1.0, squares), 1.0)
    return torch.where(denominator == 0, of_means, textured).mean(dim=(1, 2, 3))


def q2n(gt: Tensor, sr: Tensor) -> Tensor:
    """Q2n of the images cast to 16-bit integers, see `hsfusion_metrics.q2n`. It has no gradient.

    Parameters, results and errors are those of `psnr`, without `const`; images under 16 pixels are a ValueError.
    """
    with torch.no_grad():
        return q2n_uncast(*(torch.floor(image.nan_to_num(0.0).clamp(0.0, 65535.0) + _UNDER_HALF) for image in (gt, sr)))


def q2n_uncast(gt: Tensor, sr: Tensor) -> Tensor:
    """Q2n of the data themselves, see `hsfusion_metrics.q2n_uncast`.

    Parameters, results and errors are those of `psnr`, without `const`; images under 16 pixels are a ValueError.
    """
    _check(gt, sr)
    count, bands, height, width = gt.shape
    if min(height, width) < _WINDOW // 2:
        raise ValueError(f"Q2n needs images of at least 16 x 16 pixels, these are {height} x {width}")
    size = _hypercomplex_size(bands)
    x, y = _blocks(gt), _blocks(sr)
    mean_x, mean_y = _exact_mean(x), _exact_mean(y)
    x, y = x - mean_x[..., None], y - mean_y[..., None]

    deviation = _root(x.square().sum(dim=-1) / (_PIXELS - 1))
    varies = deviation != 0
    scale_x = torch.where(varies, deviation, _EPS)
    scale_y = torch.where(mean_x == 0, 1.0, scale_x)
    variances = varies.sum(dim=1) + (y.square().sum(dim=-1) / scale_y.square()).sum(dim=1) / (_PIXELS - 1)
    covariances = x @ y.transpose(1, 2) / (_PIXELS - 1) / (scale_x[:, :, None] * scale_y[:, None, :])

    signed = pad(covariances * torch.from_numpy(_signs(size)[:bands, :bands]).to(x), (0, size - bands) * 2)
    unit = torch.arange(size, device=x.device)
    components = signed[:, unit[:, None], unit[:, None] ^ unit].sum(dim=1)
    covariance = _root(components.square().sum(dim=1))

    power = (((mean_y - mean_x) / scale_y + 1.0).square()).sum(dim=1) + (size - bands)
    bias = 2.0 * math.sqrt(size) * _root(power) / (size + power)
    flat = variances == 0
    values = bias * 2.0 * covariance / torch.where(flat, 1.0, variances)
    if flat.any():
        seen = torch.zeros_like(flat)
        powers = power[flat].detach().double().cpu().numpy()
        seen[flat] = torch.from_numpy(_seen_as_flat(np.full_like(powers, size), powers)).to(seen.device)
        values = torch.where(flat, torch.where(seen, bias, 0.0), values)
    return values.reshape(count, -1).mean(dim=1)


def score(gt: Tensor, sr: Tensor, *, ratio: float, const: float = 1.0) -> dict[str, Tensor]:
    """All seven indexes by name, in the order of `hsfusion_metrics.METRICS`, each [N].

    Parameters
    ----------
    gt, sr
        Reference and estimate, [N, C, H, W], floating point.
    ratio
        Resolution ratio; only ERGAS depends on it.
    const
        Full scale of the data; only PSNR and SSIM depend on it.

    Raises
    ------
    TypeError, ValueError
        As `psnr`; for sides under 16 pixels.
    """
    return {
        "psnr": psnr(gt, sr, const=const),
        "ssim": ssim(gt, sr, const=const),
        "sam": sam(gt, sr),
        "ergas": ergas(gt, sr, ratio=ratio),
        "scc": scc(gt, sr),
        "uqi": uqi(gt, sr),
        "q2n": q2n(gt, sr),
    }


def _check(gt: Tensor, sr: Tensor) -> None:
    for name, image in (("gt", gt), ("sr", sr)):
        if not image.is_floating_point():
            raise TypeError(f"{name} must be floating point, not {image.dtype}")
        if image.ndim != 4 or image.numel() == 0:
            raise ValueError(f"{name} must be images [N, C, H, W], not of shape {tuple(image.shape)}")
    if gt.shape != sr.shape:
        raise ValueError(f"gt and sr must have one shape: gt {tuple(gt.shape)}, sr {tuple(sr.shape)}")


def _root(values: Tensor) -> Tensor:
    """Square root whose gradient at 0 is 0 rather than infinite."""
    zero = values == 0
    return torch.where(zero, 0.0, torch.where(zero, 1.0, values).sqrt())


def _smooth(images: Tensor) -> Tensor:
    """Gaussian-weighted mean of every window inside images, [N, C, H, W] -> [N, C, H-10, W-10].

    By matrix products, for a convolution of torch's may have fewer digits on a GPU than the tensors.
    """
    down, across = (_gaussian_weights(length).to(images) for length in images.shape[2:])
    return down @ images @ across.T


def _gaussian_weights(length: int) -> Tensor:
    """Weights of the pixels of a line in its windows' means, [length - 10, length]."""
    windows = length - len(_TAPS) + 1
    return torch.stack([pad(torch.from_numpy(_TAPS), (start, windows - 1 - start)) for start in range(windows)])


def _window_sums(images: Tensor) -> Tensor:
    """Sum of every 32 x 32 window inside images, two equal halves at a time, so that flat windows are found."""
    for axis in (2, 3):
        for step in _DOUBLINGS:
            length = images.shape[axis] - step
            images = images.narrow(axis, 0, length) + images.narrow(axis, step, length)
    return images


def _squared_gradient(images: Tensor) -> Tensor:
    """Squared Sobel gradient magnitude inside images whose outermost pixels count as 0, a pixel less all round."""
    framed = pad(images[..., 1:-1, 1:-1], (1, 1, 1, 1))
    down = framed[..., :-2, :] + 2.0 * framed[..., 1:-1, :] + framed[..., 2:, :]
    across = framed[..., :-2] + 2.0 * framed[..., 1:-1] + framed[..., 2:]
    horizontal, vertical = down[..., 2:] - down[..., :-2], across[..., 2:, :] - across[..., :-2, :]
    return horizontal.square() + vertical.square()


def _blocks(images: Tensor) -> Tensor:
    """Cut images, mirrored to whole blocks, into blocks of 32 x 32, [N, C, H, W] -> [N blocks, C, 1024]."""
    for axis in (2, 3):
        length = images.shape[axis]
        mirrored = np.pad(np.arange(length), (0, -length % _WINDOW), mode="symmetric")
        images = images.index_select(axis, torch.from_numpy(mirrored).to(images.device))
    count, bands, height, width = images.shape
    cut = images.reshape(count, bands, height // _WINDOW, _WINDOW, width // _WINDOW, _WINDOW)
    return cut.permute(0, 2, 4, 1, 3, 5).reshape(-1, bands, _PIXELS)


def _exact_mean(blocks: Tensor) -> Tensor:
    """Mean over the last axis, summed by halves: a constant comes back without rounding, hence as flat."""
    while blocks.shape[-1] > 1:
        half = blocks.shape[-1] // 2
        blocks = blocks[..., :half] + blocks[..., half:]
    return blocks[..., 0] / _PIXELS
