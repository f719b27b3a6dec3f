"""Methods whose work is done by a torch network. No torch is imported here until a network runs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods.contract import Cube, Method, Observation, Problem
from hsfusion_bench.methods.recipes import Recipe

if TYPE_CHECKING:
    import torch

    from hsfusion_bench.methods.tiling import Tiles

__all__ = ["Batch", "NetworkMethod", "Tile"]

Tile: TypeAlias = int | Literal["auto", "none"]


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
            of `default_tile`, or where the memory that is free asks for it (`tiling.choose_tiles`).
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
        from hsfusion_bench.methods.tiling import predict_tiled

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

        from hsfusion_bench.methods.tiling import Tiles, choose_tiles

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
