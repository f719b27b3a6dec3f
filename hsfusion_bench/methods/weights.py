"""Trained weights: where they lie, how they are written, how a method gets them.

A file of ours is one safetensors file whose metadata holds a `WeightsCard`, so that weights and the account of their
making cannot drift apart. Files of a method's authors are read by the method itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Protocol

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from hsfusion_bench.claims import require_room
from hsfusion_bench.errors import HsbenchError, out_of_memory, reason_of_system
from hsfusion_bench.files import replacing, sha256_file, slug, user_cache, write_text
from hsfusion_bench.methods.code import code_of
from hsfusion_bench.methods.contract import Card, Problem
from hsfusion_bench.methods.options import changed_options, short_value, told_options

if TYPE_CHECKING:
    import torch

_KEY = "hsfusion-bench"

OTHER_CODE: Final = "by code of the method that has changed since"
"""What is said of weights that were trained by other code than they run with."""


class NetworkLike(Protocol):
    """A network method, as far as its weights are concerned."""

    card: ClassVar[Card]

    def read_authors_weights(self, path: Path, problem: Problem) -> Mapping[str, torch.Tensor]:
        """Read a checkpoint in the authors' own format."""


class ValidationInfo(BaseModel):
    """A network's PSNR on patches of the training split, in dB: of those held out, where some are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    best_psnr: float
    best_step: int
    last_psnr: float
    last_step: int
    bicubic_psnr: float | None = Field(default=None, description="of bicubic interpolation, on the same patches")

    def describe(self) -> str:
        """Say how far the network is above bicubic interpolation."""
        if self.bicubic_psnr is None:
            return f"{self.last_psnr:.2f} dB on validation patches"
        gain = self.last_psnr - self.bicubic_psnr
        if gain <= 0:
            return f"NOT above bicubic on validation patches: {self.last_psnr:.2f} dB against {self.bicubic_psnr:.2f}"
        return f"{gain:.2f} dB above bicubic on validation patches"


class EarlierTraining(BaseModel):
    """The weights that a training began with, and what they had been trained with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    steps: int | None = Field(default=None, description="optimiser steps, in all; None: not known")
    pixels: int | None = Field(default=None, description="HR pixels learned from, in all")


class TrainingInfo(BaseModel):
    """The budget that a network was trained with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int = Field(description="optimiser steps made")
    planned_steps: int | None = Field(
        default=None, description="optimiser steps asked for; more than those made where training was stopped"
    )
    recipe_name: str = Field(default="published", description="which of the method's recipes")
    recipe_steps: int = Field(description="optimiser steps of the whole recipe")
    recipe_pixels: int | None = Field(
        default=None, description="HR pixels that the whole recipe learns from; batches and patches may be changed"
    )
    pixels: int | None = Field(default=None, description="HR pixels learned from")
    earlier: EarlierTraining | None = Field(default=None, description="where it did not begin with random weights")
    batch_size: int
    patch: int = Field(description="side of a training patch, HR pixels")
    learning_rate: float
    changes: dict[str, str] = Field(description="numbers of the published recipe that were changed")
    recipe: dict[str, Any] | None = Field(default=None, description="the whole recipe, as changed")
    supervision: Literal["reference", "none"]
    scenes: list[str] = Field(description="names of the scenes trained on")
    per_scene: bool = Field(
        default=False, description="whether each test scene has weights of its own, from its images"
    )
    seed: int
    device: str = Field(description="cpu or cuda")
    precision: str = Field(default="no", description="no: float32 throughout; bf16 or fp16: mixed")
    processes: int = 1
    first_loss: dict[str, float] = Field(description="terms of the loss, mean of the first tenth of the steps")
    last_loss: dict[str, float] = Field(description="terms of the loss, mean of the last tenth of the steps")
    validation: ValidationInfo | None = None
    identity: str | None = Field(default=None, description="SHA-256 of all that decides the weights in the end")
    code: str | None = Field(default=None, description="SHA-256 of the code of a method that does not ship")
    machine: dict[str, str] | None = Field(
        default=None,
        description="CPU or GPU, vector instructions, BLAS and threads, which the last digits of the weights depend "
        "on, and of one that went on elsewhere both; None: an older card does not say",
    )

    @model_serializer(mode="wrap")
    def _without_what_is_not_known(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out machine and code where they are not known: the account of older weights is as it always was."""
        held: dict[str, Any] = handler(self)
        return {name: value for name, value in held.items() if name not in ("machine", "code") or value is not None}

    @property
    def all_steps(self) -> int:
        """Steps, with those of the weights that it began with."""
        return self.steps + (self.earlier.steps or 0 if self.earlier else 0)

    @property
    def share(self) -> float:
        """Part of the recipe: of its pixels where they were counted, else of its steps."""
        if self.pixels is None or not self.recipe_pixels:
            return self.all_steps / self.recipe_steps
        return (self.pixels + (self.earlier.pixels or 0 if self.earlier else 0)) / self.recipe_pixels

    @property
    def whole(self) -> bool:
        """Whether it was the whole recipe, with no number changed."""
        return math.isclose(self.share, 1) and not self.changes

    def describe(self) -> str:
        """Return the budget in a few words."""
        # beside steps of another size, the recipe's number says nothing
        comparable = math.isclose(self.share, self.all_steps / self.recipe_steps, rel_tol=1e-3)
        of, pixels = (f" of {self.recipe_steps}", "") if comparable else ("", "pixels of the ")
        part = f"{percent(self.share)} of the" if not math.isclose(self.share, 1) else "all" if pixels else "the whole"
        recipe = "recipe" if self.recipe_name == "published" else f"recipe {self.recipe_name!r}"
        changes = "".join(f", {name} {text}" for name, text in self.changes.items())
        unfinished = self.planned_steps is not None and self.steps < self.planned_steps
        cut = f", stopped before the {self.planned_steps} asked for" if unfinished else ""
        alone = " on each scene by itself" if self.per_scene else ""
        after = ""
        if self.earlier is not None:
            count = (
                "weights of unknown training" if self.earlier.steps is None else f"{self.earlier.steps} earlier ones"
            )
            after = f" after {count}"
        steps = f"{self.steps}{of} steps{after}{alone} ({part} {pixels}{recipe}){cut}{changes}"
        return steps if self.validation is None else f"{steps}; {self.validation.describe()}"


def percent(share: float) -> str:
    """Return a share in per cent, with two digits that say something."""
    hundred = 100 * share
    return f"{hundred:.0f} %" if hundred >= 10 else f"{hundred:.2g} %"


class WeightsCard(BaseModel):
    """What a weights file says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str
    dataset: str
    scale: int
    protocol: str
    protocol_digest: str
    split_digest: str | None = None
    dataset_digest: str | None = Field(default=None, description="SHA-256 of those of the scenes trained on, in order")
    bands: int | None = None
    msi_bands: int | None = None
    options: dict[str, bool | int | float | str] = Field(
        default={}, description="options of the method whose values were not the defaults"
    )
    stored: Literal["float32", "float16"] = Field(default="float32", description="how the numbers are kept")
    training: TrainingInfo
    versions: dict[str, str]


@dataclass(frozen=True)
class Weights:
    """A state read from a file, and where it came from."""

    state: Mapping[str, torch.Tensor]
    sha256: str
    file: str
    card: WeightsCard | None
    """None for a file of the method's authors."""
    source: str = ""
    """Where they were found, such as "from the package (feinfn-cave-x4-uestc)"."""
    catalogue: str | None = None
    """What the catalogue calls weights of just this content; None: it does not know them."""
    trained: str = ""
    """By whom, where no card tells it, such as "trained by PSRT's authors"."""
    other_code: bool = False
    """Whether the method's code has changed since they were trained."""

    def describe(self) -> str:
        """Say which weights these are, where they are from, and what budget they had, in one line."""
        where = f"weights {self.source or self.file}"
        if self.card is None:
            made = self.trained or "trained by others, the file does not tell how"
        else:
            made = f"trained {self.card.training.describe()}"
            if self.catalogue is None:  # whose names tell it
                where += f", of {self.card.dataset} x{self.card.scale} {self.card.protocol}"
        return f"{where}; {made}{f'; {OTHER_CODE}' if self.other_code else ''}"


def cached_path(name: str, method: NetworkLike, task: str, seed: int = 0) -> Path:
    """Return the place where weights of a method for a task are kept.

    Parameters
    ----------
    name
        What the method is called by.
    method
        With its options.
    task
        Id of the task.
    seed
        Of the training. Those of seed 0 are taken where none are named.
    """
    options = [f"{option}-{short_value(value)}" for option, value in changed_options(method).items()]
    file = f"{task}.seed-{seed}.safetensors" if seed else f"{task}.safetensors"
    return user_cache() / "weights" / ".".join(slug(part) for part in (name, *options)) / file


def write_weights(path: Path, state: Mapping[str, torch.Tensor], card: WeightsCard) -> None:
    """Write a state and its card as one safetensors file, whole or not at all.

    For people, the card and the file's SHA-256 are written beside it as JSON; nothing reads that.

    Raises
    ------
    HsbenchError
        If a number is not finite, the card could not be read again, or the file cannot be written: what stood there
        stays.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    if card.stored == "float16":
        tensors = {name: tensor.half() if tensor.dtype == torch.float32 else tensor for name, tensor in tensors.items()}
    wrong = next((name for name, tensor in tensors.items() if not bool(tensor.isfinite().all())), None)
    if wrong is not None:
        raise HsbenchError(f"{path} is not written: {wrong} has numbers that are not finite")
    with replacing(path) as temporary:
        try:
            save_file(tensors, temporary, metadata={_KEY: card.model_dump_json()})
        except SafetensorError as error:  # its word for a full disk
            raise OSError("it could not be written") from error
        try:
            read_card(temporary)
        except HsbenchError as error:
            raise HsbenchError(f"{path} is not written, since nothing could read it: {error}") from error
    text = json.dumps({"sha256": sha256_file(path), **card.model_dump(mode="json")}, indent=2, ensure_ascii=False)
    write_text(path.with_suffix(".json"), text + "\n")


def halve(path: Path, target: Path) -> None:
    """Write a weights file of ours anew with float16 numbers, half as large; they are read as float32.

    Raises
    ------
    HsbenchError
        If the file is not one of ours, or a number is too large for float16.
    """
    state, card = _open_ours(path)
    large = [name for name, tensor in state.items() if not bool(tensor.half().isfinite().all())]
    if large:
        raise HsbenchError(f"{path}: {large[0]} has numbers that float16 cannot hold")
    write_weights(target, state, card.model_copy(update={"stored": "float16"}))


def read_weights(path: Path, method: NetworkLike, problem: Problem) -> Weights:
    """Read a weights file for a method: ours (.safetensors), else by the method's reader of its authors' files.

    Raises
    ------
    HsbenchError
        If the file is absent, corrupt, of another program or of another method.
    """
    if not path.is_file():
        raise HsbenchError(f"{path}: there is no such weights file (for method {method.card.name!r})")
    if path.suffix == ".safetensors":
        state, card = _read_ours(path, method, problem)
        known = card.training.code if card is not None else None
        return Weights(state, sha256_file(path), path.name, card, other_code=known not in (None, code_of(method)))
    try:
        return Weights(method.read_authors_weights(path, problem), sha256_file(path), path.name, None)
    except OSError as error:
        raise HsbenchError(f"{path} cannot be read: {reason_of_system(error)}") from error


def load_into(network: torch.nn.Module, weights: Weights, method: NetworkLike) -> None:
    """Load a state into a network, every tensor of it.

    Raises
    ------
    HsbenchError
        If names or shapes do not fit; the message names the first of them.
    """
    expected = network.state_dict()
    problems = [f"lacks {name}" for name in expected.keys() - weights.state.keys()]
    problems += [f"has {name}, which the network does not" for name in weights.state.keys() - expected.keys()]
    problems += [
        f"has {name} of shape {tuple(weights.state[name].shape)} where the network's is {tuple(expected[name].shape)}"
        for name in expected.keys() & weights.state.keys()
        if weights.state[name].shape != expected[name].shape
    ]
    if problems:
        more = f" (and {len(problems) - 1} more differences)" if len(problems) > 1 else ""
        raise HsbenchError(
            f"{weights.file} does not fit {method.card.title} for this dataset: it {min(problems)}{more}. "
            "Weights fit only the numbers of bands and the options they were trained with."
        )
    network.load_state_dict(dict(weights.state))


def scenes_folder(path: Path) -> Path:
    """Return the folder of weights that each test scene has of its own, beside a weights file for all."""
    return path.with_suffix(".scenes")


def joined_digest(of_scenes: Mapping[str, str]) -> str:
    """Return the digest by which a record knows weights that each scene has of its own, from theirs by scene."""
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(of_scenes.items()))
    return sha256(lines.encode()).hexdigest()


def training_seed(path: Path) -> int:
    """Return the seed that weights were trained with: of a file, or of a folder of one file a scene.

    0 where it is not known: a file of the method's authors, or none that could be read.
    """
    file = min(path.glob("*.safetensors"), default=path) if path.is_dir() else path
    try:
        return read_card(file).training.seed if file.suffix == ".safetensors" else 0
    except HsbenchError:
        return 0


def read_card(path: Path) -> WeightsCard:
    """Return the card of a file of ours, without its numbers; no torch is imported.

    Raises
    ------
    HsbenchError
        If the file is not one of ours.
    """
    from safetensors import safe_open

    try:
        with path.open("rb") as plain:  # what the system says of a file, the library does not
            plain.read(1)
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
    except OSError as error:
        raise HsbenchError(f"{path} cannot be read: {reason_of_system(error)}") from error
    except Exception as error:  # SafetensorError, and what a head of another kind makes Python raise
        raise _unreadable(path, error) from error
    if _KEY not in metadata:
        raise HsbenchError(f"{path} was not written by hsbench: it carries no card of its training")
    try:
        return WeightsCard.model_validate_json(metadata[_KEY])
    except ValidationError as error:
        raise HsbenchError(f"{path}: the card in the file is not valid: {_first(error)}") from error


def _unreadable(path: Path, error: Exception) -> HsbenchError:
    """Return what is said of a safetensors file that cannot be read."""
    if reason := out_of_memory(error):
        return HsbenchError(f"{path} cannot be read: {reason}")
    return HsbenchError(f"{path} is not a readable safetensors file: it is damaged, cut short or of another kind")


def _first(error: ValidationError) -> str:
    """Say in our words which entry of a card is wrong."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    kinds = {"missing": "is missing", "extra_forbidden": "is unknown to this version", "json_invalid": "it is no JSON"}
    said = kinds.get(first["type"], "is not what it should be")
    return f"{place} {said}" if place else said


def _open_ours(path: Path) -> tuple[dict[str, torch.Tensor], WeightsCard]:
    """Return state, float32, and card of a file of ours."""
    import torch
    from safetensors import safe_open

    card = read_card(path)
    require_room(str(path), 2 * path.stat().st_size)  # numbers are not packed; float16 become float32
    try:
        with safe_open(path, framework="pt") as file:
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    except Exception as error:  # a type that torch lacks, no memory, and what else the library raises
        raise _unreadable(path, error) from error
    state = {name: tensor.float() if tensor.dtype == torch.float16 else tensor for name, tensor in stored.items()}
    return state, card


def _read_ours(path: Path, method: NetworkLike, problem: Problem) -> tuple[dict[str, torch.Tensor], WeightsCard]:
    state, card = _open_ours(path)
    name, options = method.card.name, changed_options(method)
    if card.method != name:
        raise HsbenchError(f"{path} holds weights of {card.method!r}, not of {name!r}")
    if card.options != options:
        raise HsbenchError(
            f"{path} was trained with {told_options(card.options)}, not with {told_options(options)}; options, set by "
            "--set, belong to a network's weights"
        )
    asked = {"scale": problem.scale, "bands": problem.bands, "msi_bands": problem.msi_bands}
    for name, wanted in asked.items():
        trained = getattr(card, name)
        if trained not in (None, wanted):  # None: a card that does not say
            raise HsbenchError(f"{path} was trained for {name} {trained}, not for {wanted}")
    return state, card
