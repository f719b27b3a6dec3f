"""What a method sees of a scene, and what it must give: `Observation` in, cube out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods.card import Card, Family, Truth

if TYPE_CHECKING:
    from hsfusion_bench.methods.tiling import Tiles

__all__ = ["Card", "Cube", "Family", "FunctionMethod", "Method", "Observation", "Problem", "Truth"]

Cube: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Observation:
    """All that a method sees of a scene.

    Parameters
    ----------
    lr_hsi
        Low-resolution hyperspectral image, float32 [bands, h, w], values in [0, 1], or about it where there is noise.
    hr_msi
        High-resolution multispectral image, float32 [msi_bands, h*scale, w*scale], likewise.
    scale
        Ratio of the two resolutions.
    phase
        Where the samples lie: pixel k of `lr_hsi` sits at index ``scale*k + phase`` of `hr_msi`, in both directions.
        It is a multiple of 0.5: with an even PSF the samples lie between pixels.
    psf
        Blur of the hyperspectral camera, [size, size], sums to 1; None where it is unknown or the method has not
        declared that it uses it. Its tap (m, n) weighs the HR pixel
        ``(scale*k + phase - (size-1)/2 + m, scale*l + phase - (size-1)/2 + n)`` for LR pixel (k, l).
    srf
        Spectral response of the multispectral camera, [msi_bands, bands]; None likewise.
    offset
        What is to be added to the phase for rows and for columns, at most half a pixel of `hr_msi`: the rest of a shift
        between the images of a real pair. (0, 0) in every protocol, and for a method that does not take it.

    Raises
    ------
    HsbenchError
        If shapes disagree with each other or with the scale.
    """

    lr_hsi: Cube
    hr_msi: Cube
    scale: int
    phase: float
    psf: npt.NDArray[np.floating[Any]] | None = None
    srf: npt.NDArray[np.floating[Any]] | None = None
    offset: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if self.lr_hsi.ndim != 3 or self.hr_msi.ndim != 3:
            raise HsbenchError(
                f"an observation needs [bands, height, width] arrays, but lr_hsi has shape {self.lr_hsi.shape} "
                f"and hr_msi {self.hr_msi.shape}"
            )
        expected = tuple(self.scale * side for side in self.lr_hsi.shape[1:])
        if self.hr_msi.shape[1:] != expected:
            raise HsbenchError(
                f"at scale {self.scale} an LR-HSI of {self.lr_hsi.shape[1:]} pixels belongs to an HR-MSI of "
                f"{expected}, but the HR-MSI has {self.hr_msi.shape[1:]}"
            )
        if self.srf is not None and self.srf.shape != (len(self.hr_msi), len(self.lr_hsi)):
            raise HsbenchError(
                f"the spectral response has shape {self.srf.shape}, but {len(self.hr_msi)} multispectral and "
                f"{len(self.lr_hsi)} hyperspectral bands need {(len(self.hr_msi), len(self.lr_hsi))}"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the cube that a method must return, (bands, height, width)."""
        return (len(self.lr_hsi), self.hr_msi.shape[1], self.hr_msi.shape[2])

    @property
    def known(self) -> frozenset[Truth]:
        """The truths that come with the observation."""
        truths: dict[Truth, object] = {"psf": self.psf, "srf": self.srf}
        return frozenset(truth for truth, value in truths.items() if value is not None)

    def blind(self) -> Observation:
        """Return the two images alone, without PSF and SRF."""
        return replace(self, psf=None, srf=None)

    def seen_by(self, card: Card) -> Observation:
        """Return the observation without the PSF and SRF that the card does not declare."""
        return replace(
            self,
            psf=self.psf if "psf" in card.uses else None,
            srf=self.srf if "srf" in card.uses else None,
        )


@dataclass(frozen=True)
class Problem:
    """What a network must know before it is built: numbers of bands, and how the samples lie."""

    bands: int
    msi_bands: int
    scale: int
    phase: float

    @classmethod
    def of(cls, observation: Observation) -> Problem:
        """Return the problem that an observation poses."""
        return cls(len(observation.lr_hsi), len(observation.hr_msi), observation.scale, observation.phase)


class Method(ABC):
    """A fusion method. Derive from it, give it a `card`, and write `fuse`."""

    card: ClassVar[Card]

    takes_offset: ClassVar[bool] = False
    """Whether `fuse` takes `Observation.offset` into account; for others the LR-HSI is moved by it before."""

    network: Any = None
    """The network that `fuse` runs, with its weights; None of a method without."""

    @abstractmethod
    def fuse(self, observation: Observation) -> Cube:
        """Return the fused cube, float32 [bands, height, width], values in [0, 1]."""

    def tiles_for(self, observation: Observation) -> Tiles | None:
        """Return the tiles in which an observation is fused; None: whole, as it is by all that are not networks."""
        return None


class FunctionMethod(Method):
    """A plain function of an observation, made a method: ``hsbench run --methods ./mine.py:my_function``.

    A function that needs the true PSF or SRF says so by an attribute: ``my_function.uses = {"psf", "srf"}``.
    """

    def __init__(self, function: Callable[[Observation], Cube], name: str) -> None:
        self.function = function
        self.card = Card(  # type: ignore[misc]  # a function's card belongs to the instance
            name=name,
            title=name,
            family="custom",
            uses=frozenset(getattr(function, "uses", ())),
        )

    def fuse(self, observation: Observation) -> Cube:
        """Call the function."""
        return self.function(observation)
