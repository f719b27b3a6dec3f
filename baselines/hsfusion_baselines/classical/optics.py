"""What the hyperspectral camera does to a scene: blur, then sampling at the observation's phase.

The image is taken to continue as a torus, since the closed forms of the field are solved by FFT. The middle of the PSF
array lies at the phase: LR pixel k is the sum over m of ``psf[m] * image[scale*k + phase - (size - 1)/2 + m]``, in both
directions. So an odd kernel belongs to a whole phase, an even one to half a pixel, and either way the blur's middle is
where the LR pixel sits. The transfer function contains the phase, so that sampling starts at index 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from hsfusion_bench.methods import HsbenchError, Observation

Array = npt.NDArray[np.floating[Any]]

#: FFTs of a stack of bands share this many threads.
WORKERS = 2


@dataclass(frozen=True)
class Optics:
    """Blur and sampling on images of one size, with the adjoints.

    Parameters
    ----------
    transfer
        Fourier transform of the blur, as of `scipy.fft.rfft2`, complex [H, W//2 + 1].
    shape
        (H, W) of the images.
    scale
        Every scale-th pixel is kept, from index 0 on.
    """

    transfer: npt.NDArray[np.complexfloating[Any, Any]]
    shape: tuple[int, int]
    scale: int

    @classmethod
    def of(cls, observation: Observation, dtype: npt.DTypeLike = np.float64) -> Optics:
        """Return the optics behind an observation, whose PSF must be known.

        Raises
        ------
        HsbenchError
            If the PSF is none, or does not fit the phase.
        """
        if observation.psf is None:
            raise HsbenchError("the blur of the hyperspectral camera (psf) is needed, and the observation has none")
        height, width = observation.hr_msi.shape[1:]
        return cls.from_psf(observation.psf, observation.phase, (height, width), observation.scale, dtype)

    @classmethod
    def from_psf(
        cls, psf: Array, phase: float, shape: tuple[int, int], scale: int, dtype: npt.DTypeLike = np.float64
    ) -> Optics:
        """Return the optics of a PSF [k, k] whose middle lies at the phase.

        Raises
        ------
        HsbenchError
            If the PSF's pixels would lie between those of the image, is not finite, or sums to 0.
        """
        psf = np.asarray(psf, np.float64)
        if not np.isfinite(psf).all() or psf.sum() == 0:
            raise HsbenchError("the blur (psf) has values that are not finite, or sums to 0")
        kernel = np.zeros(shape)
        first = [phase - (size - 1) / 2 for size in psf.shape]
        if any(start != round(start) for start in first):
            raise HsbenchError(
                f"a blur of {psf.shape[0]} x {psf.shape[1]} pixels has its middle "
                f"{'on' if psf.shape[0] % 2 else 'between'} pixels and cannot lie at phase {phase:g}"
            )
        rows, columns = (
            (round(start) + np.arange(size)) % side for start, size, side in zip(first, psf.shape, shape, strict=True)
        )
        np.add.at(kernel, (rows[:, None], columns), psf)  # a kernel larger than the image wraps around
        transfer = np.conj(fft.rfft2(kernel))  # a correlation
        return cls(transfer.astype(np.result_type(dtype, np.complex64)), shape, scale)

    def blur(self, images: Array) -> Array:
        """Return [..., H, W] blurred: pixel i is the detector's view `phase` pixels right of and below i."""
        return self._filtered(images, self.transfer)

    def blur_adjoint(self, images: Array) -> Array:
        """Apply the transpose of `blur` to [..., H, W]."""
        return self._filtered(images, np.conj(self.transfer))

    def observe(self, images: Array) -> Array:
        """Return what the camera sees of [..., H, W]: blurred and sampled, [..., h, w]."""
        return self.blur(images)[..., :: self.scale, :: self.scale]

    def adjoint(self, low: Array) -> Array:
        """Apply the transpose of `observe` to [..., h, w]."""
        return self.blur_adjoint(self.spread(low))

    def spread(self, low: Array) -> Array:
        """Put LR pixels back where they are sampled, between zeros: [..., h, w] to [..., H, W]."""
        images = np.zeros((*low.shape[:-2], *self.shape), low.dtype)
        images[..., :: self.scale, :: self.scale] = low
        return images

    @cached_property
    def gram(self) -> Array:
        """Eigenvalues of ``observe(adjoint(.))``, a circular convolution of LR images: [h, w//2 + 1], 0 or more."""
        height, width = (side // self.scale for side in self.shape)
        impulse = np.zeros((height, width), self.transfer.real.dtype)
        impulse[0, 0] = 1
        eigenvalues: Array = fft.rfft2(self.observe(self.adjoint(impulse))).real
        return np.maximum(eigenvalues, 0)

    def _filtered(self, images: Array, transfer: npt.NDArray[Any]) -> Array:
        filtered: Array = fft.irfft2(fft.rfft2(images, workers=WORKERS) * transfer, self.shape, workers=WORKERS)
        return filtered
