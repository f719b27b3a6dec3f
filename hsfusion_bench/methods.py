"""What a fusion method is.

A method turns an `Observation` (a low-resolution hyperspectral and a high-resolution multispectral image
of one scene) into a high-resolution hyperspectral cube. That is all of the contract::

    from hsfusion_bench.methods import Card, Method, upsample_bicubic

    class Mine(Method):
        card = Card(name="mine", title="My method", family="classical", year=2026)

        def fuse(self, observation):
            return upsample_bicubic(observation.lr_hsi, observation.scale)

A network derives from `NetworkMethod` instead: it says how it is built, what it predicts and what its loss is,
and inherits weights, devices and inference. This module imports no torch, so that a listing of methods stays
quick; keep torch out of the module that holds your card, too, and import your network inside `build`. What can be
tuned of a method, it declares as options: see `hsfusion_bench.options`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.options import option
from hsfusion_bench.recipes import Recipe
from hsfusion_bench.resize import bicubic_matrix, upsample_bicubic

if TYPE_CHECKING:
    import torch

    from hsfusion_bench.tiling import Tiles

__all__ = [
    "Batch",
    "Card",
    "FunctionMethod",
    "HsbenchError",
    "Method",
    "NetworkMethod",
    "Observation",
    "Problem",
    "Recipe",
    "bicubic_matrix",
    "option",
    "upsample_bicubic",
]

Cube: TypeAlias = npt.NDArray[np.float32]
Family = Literal["classical", "cnn", "inr", "transformer", "unsupervised", "custom"]
Truth = Literal["psf", "srf"]
Tile: TypeAlias = int | Literal["auto", "none"]


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
        """Shape of the cube that a method must return: (bands, height, width)."""
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


@dataclass(frozen=True)
class Card:
    """A method's visiting card.

    Parameters
    ----------
    name
        Lower-case name by which the command line calls it.
    title
        Name as printed in tables.
    family
        One of classical, cnn, inr, transformer, unsupervised, custom.
    year
        Year of publication.
    reference
        BibTeX entry.
    uses
        Truths beyond the two images that the method needs: "psf", "srf". They are withheld from a method that
        does not name them here, and leaderboards mark one that does as non-blind. Where the observation has none
        (a real pair, or a blind run) they are None all the same; the method then estimates them or raises
        HsbenchError, and the record calls them estimated.
    """

    name: str
    title: str
    family: Family
    year: int | None = None
    reference: str = ""
    uses: frozenset[Truth] = frozenset()

    def __post_init__(self) -> None:
        if self.family not in get_args(Family):
            raise HsbenchError(f"method {self.name!r}: family {self.family!r} is none of {', '.join(get_args(Family))}")


class Method(ABC):
    """A fusion method. Derive from it, give it a `card`, and write `fuse`."""

    card: ClassVar[Card]

    @abstractmethod
    def fuse(self, observation: Observation) -> Cube:
        """Return the fused cube, float32 [bands, height, width], values in [0, 1]."""


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


@dataclass(frozen=True)
class Batch:
    """A training batch: float32 tensors [N, C, H, W]; `hr_hsi` is None under a recipe without supervision."""

    lr_hsi: torch.Tensor
    hr_msi: torch.Tensor
    hr_hsi: torch.Tensor | None
    problem: Problem


@dataclass
class _Loaded:
    """A network that is ready to run, and the problem it was built for."""

    network: torch.nn.Module
    problem: Problem
    device: torch.device = field(repr=False)
    tile: Tile = "auto"
    tiles: Tiles | None = None
    """Those that were chosen; None: images are fused whole."""
    chosen_for: tuple[int, int, int] | None = None
    """Shape of the result that they were chosen for."""


class NetworkMethod(Method):
    """A method whose work is done by a torch network.

    A subclass gives `card` and `recipe` and writes `build`, `predict` and `loss`; `read_authors_weights` where the
    authors released files of their own.
    """

    recipe: ClassVar[Recipe]
    """How the authors' code trains, which their published results come from."""
    variants: ClassVar[Mapping[str, Recipe]] = {}
    """Other recipes by name, such as "text" for what the paper says where the code does something else."""
    local: ClassVar[bool] = False
    """Whether an output pixel depends on inputs of a bounded neighbourhood only, wherever the image is cut."""
    default_tile: ClassVar[int | None] = None
    """Side of the tiles in which larger images are fused unless told otherwise, HR pixels: that in which its authors
    evaluate, or on which they train if a network's work grows with the square of the pixels. None: whole images."""
    _loaded: _Loaded | None = None

    @abstractmethod
    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh network for a problem, on the CPU, with random weights."""

    @abstractmethod
    def predict(
        self, network: torch.nn.Module, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, problem: Problem
    ) -> torch.Tensor:
        """Return the fused batch [N, bands, H, W], unclipped."""

    @abstractmethod
    def loss(self, network: torch.nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        """Return the named terms of the loss, scalars already weighted; their sum is minimised."""

    def read_authors_weights(self, path: Path, problem: Problem) -> Mapping[str, torch.Tensor]:
        """Read a checkpoint in the authors' own format; return a state for `build(problem)`.

        Raises
        ------
        HsbenchError
            If there is no such format, or the file is not one of it.
        """
        raise HsbenchError(
            f"{path}: {self.card.title} reads weights written by hsbench (.safetensors) only; "
            "no format of its authors is known"
        )

    @property
    def recipes(self) -> Mapping[str, Recipe]:
        """All recipes by name; that of the class is called "published"."""
        return {"published": self.recipe, **self.variants}

    def ready(self, network: torch.nn.Module, problem: Problem, device: torch.device, *, tile: Tile = "auto") -> None:
        """Take a network with its weights, move it to a device, and be ready to fuse.

        Parameters
        ----------
        network, problem, device
            What fuses, what, where.
        tile
            "none": images are fused whole; a number: in overlapping tiles of that side, HR pixels; "auto": in tiles
            of `default_tile`, or where the memory that is free asks for it (`hsfusion_bench.tiling.choose_tiles`).
        """
        self._loaded = _Loaded(network.to(device).eval(), problem, device, tile)

    @property
    def network(self) -> torch.nn.Module | None:
        """The network that `fuse` runs; None before `ready`."""
        return self._loaded.network if self._loaded else None

    @property
    def tiles(self) -> Tiles | None:
        """The tiles of the last fusion; None if the image was fused whole."""
        return self._loaded.tiles if self._loaded else None

    def fuse(self, observation: Observation) -> Cube:
        """Run the network on one observation, in float32, and clip to [0, 1].

        Raises
        ------
        HsbenchError
            If there are no weights yet (random ones are never run), or if the network is for another problem.
        """
        import torch

        if self._loaded is None:
            raise HsbenchError(f"{self.card.title} has no weights yet: call `ready` with a trained network")
        problem = Problem.of(observation)
        if problem != self._loaded.problem:
            raise HsbenchError(f"{self.card.title} was built for {self._loaded.problem}, not for {problem}")
        from hsfusion_bench.tiling import predict_tiled

        loaded, device = self._loaded, self._loaded.device

        def predict(lr_hsi: torch.Tensor, hr_msi: torch.Tensor) -> torch.Tensor:
            return self.predict(loaded.network, lr_hsi, hr_msi, problem)

        self.choose_tiles(observation)
        with torch.inference_mode():
            lr_hsi = torch.from_numpy(observation.lr_hsi).to(device)[None]
            hr_msi = torch.from_numpy(observation.hr_msi).to(device)[None]
            fused = predict_tiled(predict, lr_hsi, hr_msi, self.tiles) if self.tiles else predict(lr_hsi, hr_msi)
            cube: Cube = fused[0].clamp(0, 1).float().cpu().numpy()
        return cube

    def choose_tiles(self, observation: Observation) -> None:
        """Decide whether an observation of this size is fused in tiles; `fuse` does so where it is not done yet.

        To decide takes two small fusions, which whoever counts or times a fusion makes before.
        """
        import torch

        from hsfusion_bench.tiling import Tiles, choose_tiles

        loaded = self._loaded
        if loaded is None or loaded.chosen_for == observation.shape:
            return
        loaded.chosen_for = observation.shape
        if loaded.tile == "auto" and self.default_tile is not None:
            larger = max(observation.shape[1:]) > self.default_tile
            loaded.tiles = Tiles.of(self.default_tile, observation.scale) if larger else None
        elif loaded.tile == "auto":
            problem = Problem.of(observation)
            with torch.inference_mode():
                loaded.tiles = choose_tiles(
                    lambda lr_hsi, hr_msi: self.predict(loaded.network, lr_hsi, hr_msi, problem),
                    torch.from_numpy(observation.lr_hsi).to(loaded.device)[None],
                    torch.from_numpy(observation.hr_msi).to(loaded.device)[None],
                    local=self.local,
                    patch=self.recipe.patch,
                )
        elif loaded.tile != "none":
            loaded.tiles = Tiles.of(loaded.tile, observation.scale)
