"""The loop trains as the authors' own code does: same losses, and same weights after many steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from torch import nn

from hsfusion_baselines.feinfn.authors import authors_state_to_ours
from hsfusion_baselines.mossfuse import authors as mossfuse
from hsfusion_baselines.psrt import authors as psrt
from hsfusion_bench.methods import Batch, NetworkMethod, Problem
from hsfusion_bench.registry import entries
from hsfusion_bench.training import loop
from hsfusion_bench.training.loading import Draw
from hsfusion_bench.training.loop import Training, make_accelerator
from support import parity, trajectories
from support.trajectories import Movement, Trajectory


def in_order(state: parity.State, network: nn.Module) -> parity.State:
    """Return the authors' state under the names of ours, where the tensors come in the same order."""
    theirs = [tensor for name, tensor in state.items() if "rescale8" not in name and "pos_embedding" not in name]
    ours = network.state_dict().items()
    return {name: tensor.reshape(like.shape) for (name, like), tensor in zip(ours, theirs, strict=True)}


@dataclass(frozen=True)
class Case:
    """A method, how the authors' state is brought under our names, and which numbers their script takes from its data.

    The recipe is the method's own but for the batches, which are few, small and come in their order.
    """

    method: str
    translate: Callable[[parity.State, Any], parity.State] = in_order
    changes: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.method


CASES = (
    Case("feinfn", lambda state, _: authors_state_to_ours(state), {"ema": 0.7}),
    # T_max is 200 times the batches of an epoch
    Case("mossfuse", mossfuse.translate, {"schedule_epochs": 2000}),
    Case("dspnet"),
    Case("psrt", psrt.authors_state_to_ours),
    Case("fusformer"),
)


class FixedPatches:
    """The patches of a trajectory, made by formula."""

    def __init__(self, entry: Mapping[str, Any], problem: Problem, *, reference: bool) -> None:
        self.problem, self.reference = problem, reference
        patches = range(entry["batch_size"] * entry["batches_per_epoch"])
        self.patches = [trajectories.patch(number, entry["side"], entry["scale"]) for number in patches]

    def __len__(self) -> int:
        return len(self.patches)

    def __getitems__(self, draws: Sequence[Draw]) -> Batch:
        images = zip(*(self.patches[draw.patch] for draw in draws), strict=True)
        lr_hsi, hr_msi, hr_hsi = (torch.cat(each) for each in images)
        return Batch(lr_hsi, hr_msi, hr_hsi if self.reference else None, self.problem)

    def describe(self, draw: Draw) -> str:
        return f"patch {draw.patch}"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    # On a busy machine, the threads of small operations wait for each other far longer than they work.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def errors(case: Case, trajectory: Trajectory, **changes: Any) -> dict[str, float]:
    """Train by our loop and recipe, some numbers of which may be changed; return how far we are from the authors.

    "loss" is the largest relative difference of a term of a step from the step's whole loss; the others are distances
    of tensors as shares of the authors' movement.
    """
    entry = trajectory.entry
    method = entries()[case.method].load()
    assert isinstance(method, NetworkMethod)
    recipe = replace(method.recipe, shuffle=False, batch_size=entry["batch_size"], **{**case.changes, **changes})
    patches = entry["batch_size"] * entry["batches_per_epoch"]
    epochs = entry["steps"] * recipe.accumulate // entry["batches_per_epoch"]
    recipe = replace(recipe, patches_per_epoch=patches, epochs=epochs)
    # the phase of the authors' cameras in MossFuse, and without a meaning for the others
    problem = Problem(31, 3, entry["scale"], entry["scale"] / 2 - 1)
    training = Training(
        method,
        recipe,
        FixedPatches(entry, problem, reference=recipe.supervision == "reference"),
        steps=entry["steps"],
        seed=0,
        accelerator=make_accelerator("cpu", accumulate=recipe.counted_batches),
    )
    network, state = training.network, trajectory.state()
    start = case.translate(state, network)
    network.load_state_dict(start)
    start = {name: tensor.clone() for name, tensor in start.items()}
    numbered = {name: torch.full_like(tensor, i) for i, (name, tensor) in enumerate(state.items())}
    places = {ours: int(tensor.flatten()[0]) for ours, tensor in case.translate(numbered, network).items()}
    theirs = list(state)

    terms = list(training.run())

    def distance(kind: str, end: nn.Module, names: list[str]) -> float:
        order = {name: places[name] for name in names if trajectory.compared(theirs[places[name]])}
        return Movement.of(start, end.state_dict(), order).distance(trajectory.movement(kind))

    weights = [name for name, _ in network.named_parameters()]
    buffers = [name for name, tensor in network.named_buffers() if tensor.is_floating_point() and name in places]
    found = {"weights": distance("weights", network, weights)}
    if "buffers" in entry["movements"]:
        found["buffers"] = distance("buffers", network, buffers)
    if training.average is not None:
        found["average"] = distance("average", training.trained, weights)
    # Of the batches of a step, the authors' loop of FeINFN drops all but the last.
    losses = entry["losses"][recipe.accumulate - 1 :: recipe.accumulate]
    found["loss"] = max(
        abs(ours[name] - loss[name]) / sum(loss.values())
        for ours, loss in zip(terms, losses, strict=True)
        for name in loss
    )
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_weights_and_losses_follow_the_authors(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    trajectory = trajectories.load(case.method)
    if "ema" in trajectory.entry:
        monkeypatch.setattr(loop, "_COPIES", trajectory.entry["ema"]["update_after"])
    found = errors(case, trajectory)
    assert found.pop("loss") <= 1e-5
    assert max(found.values()) <= 1e-4, found


@pytest.mark.parametrize(
    ("method", "changes", "least"),
    [
        ("psrt", {"learning_rate": 1.01e-4, "final_learning_rate": 1.01e-4}, 5e-3),
        ("psrt", {"clip_norm": None}, 5e-2),
        ("psrt", {"optimiser": "adam"}, 0.2),
        ("fusformer", {"learning_rate": 1.01e-3}, 5e-3),
    ],
    ids=str,
)
def test_a_wrong_number_is_found(method: str, changes: Mapping[str, Any], least: float) -> None:
    case = next(case for case in CASES if case.method == method)
    assert errors(case, trajectories.load(method), **changes)["weights"] > least
