"""Methods whose work is done by a torch network. No torch is imported here until a network runs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods.contract import Card, Cube, Method, Observation, Problem
from hsfusion_bench.methods.recipes import Recipe

if TYPE_CHECKING:
    import torch

    from hsfusion_bench.methods.tiling import Tiles
    from hsfusion_bench.methods.weights import Weights

__all__ = ["Batch", "LoadedNetwork", "NetworkMethod", "Tile"]

Tile: TypeAlias = int | Literal["auto", "none"]


@dataclass(frozen=True)
class Batch:
    """A training batch: float32 tensors [N, C, H, W]; `hr_hsi` is None under a recipe without supervision."""

    lr_hsi: torch.Tensor
    hr_msi: torch.Tensor
    hr_hsi: torch.Tensor | None
    problem: Problem


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
    """Side of the tiles in which larger images are fused unless told otherwise, in HR pixels; that in which authors
    evaluate, or on which they train if a network's work grows with the square of the pixels. None: whole images."""

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

    def load(
        self, weights: Path, problem: Problem, device: str | torch.device = "cpu", *, tile: Tile = "auto"
    ) -> LoadedNetwork:
        """Return the method with the weights of a file, ready to fuse.

        Parameters
        ----------
        weights
            A file of ours (.safetensors), or one of the authors' that `read_authors_weights` knows.
        problem
            What is to be fused.
        device
            Where.
        tile
            As for `with_network`.

        Raises
        ------
        HsbenchError
            If the file is not there, is damaged, or does not fit the method, its options or the problem.
        """
        from hsfusion_bench.methods.weights import load_into, read_weights

        read = read_weights(weights, self, problem)
        network = self.build(problem)
        load_into(network, read, self)
        return replace(self.with_network(network, problem, device, tile=tile), weights=replace(read, state={}))

    def with_network(
        self,
        network: torch.nn.Module,
        problem: Problem,
        device: str | torch.device = "cpu",
        *,
        tile: Tile = "auto",
    ) -> LoadedNetwork:
        """Return the method with a network of its kind, ready to fuse.

        Parameters
        ----------
        network, problem, device
            What fuses, what, where.
        tile
            "none": images are fused whole; a number: in overlapping tiles of that side, HR pixels; "auto": in tiles
            of `default_tile`, or where the memory that is free asks for it (`tiling.choose_tiles`).
        """
        import torch

        place = torch.device(device)
        return LoadedNetwork(self, network.to(place).eval(), problem, place, tile)

    def fuse(self, observation: Observation) -> Cube:
        """Refuse: random weights are never run; `load` gives a method that fuses.

        Raises
        ------
        HsbenchError
            Always.
        """
        raise HsbenchError(f"{self.card.title} has no weights yet: `load` gives it those of a file")


@dataclass(frozen=True)
class LoadedNetwork(Method):
    """A network method with its weights: a value that fuses, made by `NetworkMethod.load`.

    Parameters
    ----------
    method, network, problem, device
        What fuses, what it was built for, where.
    tile
        In what tiles, see `NetworkMethod.with_network`.
    weights
        What is told of the weights, without the numbers; None where the network came from elsewhere.
    """

    method: NetworkMethod
    network: torch.nn.Module = field(repr=False)
    problem: Problem
    device: torch.device
    tile: Tile = "auto"
    weights: Weights | None = field(default=None, repr=False)
    _tiles: dict[tuple[int, int, int], Tiles | None] = field(default_factory=dict, repr=False, compare=False)
    """Those chosen, by shape of the result: to choose takes two small fusions."""

    @property
    def card(self) -> Card:  # type: ignore[override]  # that of the method, which is a class's
        """The card of the method."""
        return self.method.card

    def fuse(self, observation: Observation) -> Cube:
        """Run the network on one observation, in float32, and clip to [0, 1].

        Raises
        ------
        HsbenchError
            If the network is for another problem.
        """
        import torch

        from hsfusion_bench.methods.tiling import predict_tiled

        self._require(observation)
        tiles = self.tiles_for(observation)
        with torch.inference_mode():
            lr_hsi, hr_msi = self._tensors(observation)
            fused = (
                self._predict(lr_hsi, hr_msi) if tiles is None else predict_tiled(self._predict, lr_hsi, hr_msi, tiles)
            )
            cube: Cube = fused[0].clamp(0, 1).float().cpu().numpy()
        return cube

    def tiles_for(self, observation: Observation) -> Tiles | None:
        """Return the tiles in which an observation of this size is fused; None: whole.

        To decide by memory takes two small fusions; whoever counts or times a fusion asks before.
        """
        self._require(observation)
        shape = observation.shape
        if shape not in self._tiles:
            self._tiles[shape] = self._choose(observation)
        return self._tiles[shape]

    def _choose(self, observation: Observation) -> Tiles | None:
        import torch

        from hsfusion_bench.methods.tiling import Tiles, choose_tiles

        if self.tile == "none":
            return None
        if self.tile != "auto":
            return Tiles.of(self.tile, observation.scale)
        side = self.method.default_tile
        if side is not None:
            return Tiles.of(side, observation.scale) if max(observation.shape[1:]) > side else None
        with torch.inference_mode():
            lr_hsi, hr_msi = self._tensors(observation)
            return choose_tiles(self._predict, lr_hsi, hr_msi, local=self.method.local, patch=self.method.recipe.patch)

    def _predict(self, lr_hsi: torch.Tensor, hr_msi: torch.Tensor) -> torch.Tensor:
        return self.method.predict(self.network, lr_hsi, hr_msi, self.problem)

    def _tensors(self, observation: Observation) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        images = (observation.lr_hsi, observation.hr_msi)
        lr_hsi, hr_msi = (torch.from_numpy(image).to(self.device)[None] for image in images)
        return lr_hsi, hr_msi

    def _require(self, observation: Observation) -> None:
        problem = Problem.of(observation)
        if problem != self.problem:
            raise HsbenchError(f"{self.card.title} was built for {self.problem}, not for {problem}")
