"""The loop: what a step does, and what ends it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hsfusion_bench.data.mapped import prepare_mapped
from hsfusion_bench.data.prepare import Preparation
from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods import Batch, NetworkMethod, Problem, Recipe
from hsfusion_bench.training.loop import Training, make_accelerator
from hsfusion_bench.training.mapped import MappedPatches
from hsfusion_bench.training.schedules import learning_rate
from support.training import PROTOCOL, RECIPE, Noise, Tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("noise")
    return prepare_mapped(Preparation(Task.over(Noise(root), PROTOCOL, 4, "train"), 16, 16), "train", root)


def training(
    method: NetworkMethod,
    folder: Path,
    steps: int,
    *,
    seed: int = 0,
    precision: str = "no",
    recipe: Recipe | None = None,
) -> Training:
    recipe = recipe or method.recipe
    # 4 x 4 patches of a scene: 16 of each
    patches = MappedPatches(
        folder, patch=16, stride=10, turns="none", seed=seed, reference=recipe.supervision != "none"
    )
    accelerator = make_accelerator("cpu", precision=precision, accumulate=recipe.counted_batches)  # type: ignore[arg-type]
    return Training(method, recipe, patches, steps=steps, seed=seed, accelerator=accelerator)


def run(method: NetworkMethod, folder: Path, steps: int, **options: object) -> dict[str, torch.Tensor]:
    made = training(method, folder, steps, **options)  # type: ignore[arg-type]
    assert sum(1 for _ in made.run()) == steps
    return made.trained.state_dict()


# -- the learning rate


def test_learning_rate_is_a_cosine_compressed_to_the_budget() -> None:
    # 20 steps an epoch, a schedule of 200 steps
    assert learning_rate(RECIPE, 0, 400) == pytest.approx(1e-2)
    assert learning_rate(RECIPE, 100, 400) == pytest.approx((1e-2 + 1e-4) / 2)
    assert learning_rate(RECIPE, 300, 400) == pytest.approx(1e-4)
    assert learning_rate(RECIPE, 25, 50) == pytest.approx((1e-2 + 1e-4) / 2)
    assert learning_rate(RECIPE, 0, 1) == pytest.approx(1e-2)


def test_learning_rate_may_decay_in_steps() -> None:
    # 20 steps an epoch, halved every 3 of 10 epochs: 1e-2, 5e-3, 2.5e-3 and no less than 2e-3
    recipe = replace(RECIPE, schedule="steps", decay_every=3, decay=0.5, final_learning_rate=2e-3)
    rates = [learning_rate(recipe, step, 400) for step in (0, 59, 60, 119, 120, 179, 180, 399)]
    assert rates == pytest.approx([1e-2, 1e-2, 5e-3, 5e-3, 2.5e-3, 2.5e-3, 2e-3, 2e-3])
    # a budget of a tenth of the schedule
    assert [learning_rate(recipe, step, 20) for step in (0, 5, 6, 12)] == pytest.approx([1e-2, 1e-2, 5e-3, 2.5e-3])


# -- steps


def test_training_lowers_the_loss_below_that_of_the_best_constant(folder: Path) -> None:
    recipe = replace(RECIPE, learning_rate=0.1, final_learning_rate=1e-4)
    made = training(Tiny(), folder, 200, recipe=recipe)
    for _ in made.run():
        pass
    first, last = made.mean_losses()
    # uniform noise has the mean absolute deviation 1/4 about its median; the HR-MSI tells a little of it
    assert first["l1"] > 0.26
    assert 0.2 < last["l1"] < 0.25


def test_training_is_reproducible_and_depends_on_the_seed(folder: Path) -> None:
    first, again, other = (run(Tiny(), folder, 20, seed=seed) for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["weight"], other["weight"])


def test_a_step_is_adams(folder: Path) -> None:
    """The first step of Adam moves every weight by the learning rate, against the sign of its gradient."""
    torch.manual_seed(0)
    fresh = Tiny().build(Problem(31, 3, 4, 2.0)).state_dict()
    after = run(Tiny(), folder, 1)
    for name, value in fresh.items():
        moved = (after[name] - value).abs()
        torch.testing.assert_close(moved, torch.full_like(moved, 1e-2), atol=1e-5, rtol=0)


def test_moving_average_follows_its_definition(folder: Path) -> None:
    seen: list[torch.Tensor] = []

    class Spy(Tiny):
        def loss(self, network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
            seen.append(network.weight.detach().clone())  # type: ignore[operator, union-attr]
            return super().loss(network, batch)

    # a copy for 100 updates and at the first of those whose decay grows, then decays of 0.52, 0.60, ... up to 0.9
    final = run(Tiny(), folder, 140, recipe=replace(RECIPE, ema=0.9))["weight"]
    last = run(Spy(), folder, 140)["weight"]
    # what step k + 1 sees are the weights after step k
    after_steps = [*seen[1:], last]
    average = after_steps[0]
    for step, weights in enumerate(after_steps[1:], start=1):
        decay = 0.0 if step <= 101 else min(0.9, 1 - (1 + step - 100) ** (-2 / 3))
        average = decay * average + (1 - decay) * weights
    torch.testing.assert_close(final, average)


def test_accumulated_batches_equal_one_large_batch(folder: Path) -> None:
    two = run(Tiny(), folder, 5, recipe=replace(RECIPE, batch_size=2, accumulate=2, clip_norm=1e-3))
    four = run(Tiny(), folder, 5, recipe=replace(RECIPE, batch_size=4, clip_norm=1e-3))
    torch.testing.assert_close(two["weight"], four["weight"], atol=1e-5, rtol=1e-4)


def test_the_gradients_norm_is_clipped(folder: Path) -> None:
    norms: list[float] = []

    class Spy(Tiny):
        def loss(self, network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
            for parameter in network.parameters():
                parameter.register_hook(lambda gradient: norms.append(float(gradient.norm())))
            return super().loss(network, batch)

    # SGD's step would show the norm itself; Adam's second moment after one step holds the squared gradient
    made = training(Spy(), folder, 1, recipe=replace(RECIPE, clip_norm=1e-3))
    for _ in made.run():
        pass
    states = made.optimiser.state_dict()["state"].values()
    squared = sum(float(state["exp_avg_sq"].sum()) for state in states) / (1 - 0.999)
    assert math.hypot(*norms) > 1e-2
    assert math.sqrt(squared) == pytest.approx(1e-3, rel=1e-3)


def test_parts_have_rates_of_their_own(folder: Path) -> None:
    frozen = RECIPE.changed({"part_rates.weight": "1e-30", "learning_rate": "0.5"})
    torch.manual_seed(0)
    fresh = Tiny().build(Problem(31, 3, 4, 2.0)).state_dict()
    after = run(Tiny(), folder, 3, recipe=frozen)
    assert torch.equal(after["weight"], fresh["weight"])
    assert (after["bias"] - fresh["bias"]).abs().min() > 0.05


def test_mixed_precision_trains_nearly_the_same(folder: Path) -> None:
    full, mixed = run(Tiny(), folder, 20), run(Tiny(), folder, 20, precision="bf16")
    assert not torch.equal(full["weight"], mixed["weight"])
    assert {tensor.dtype for tensor in mixed.values()} == {torch.float32}
    torch.testing.assert_close(full["weight"], mixed["weight"], atol=0.03, rtol=0)
    with pytest.raises(UsageError, match="fp16 needs a CUDA device"):
        run(Tiny(), folder, 1, precision="fp16")


# -- going on


@pytest.mark.parametrize("stopped", [1, 7, 19])
def test_a_training_that_goes_on_ends_in_the_same_bits(folder: Path, stopped: int) -> None:
    class Random(Tiny):
        """Also what is random in a network must be the same."""

        def build(self, problem: Problem) -> nn.Module:
            return nn.Sequential(nn.Dropout(0.3), nn.BatchNorm2d(problem.msi_bands), super().build(problem))

    recipe = replace(RECIPE, ema=0.9, accumulate=2, clip_norm=0.1)
    whole = training(Random(), folder, 20, recipe=recipe)
    first = training(Random(), folder, 20, recipe=recipe)
    losses = [terms["l1"] for terms in whole.run()]
    steps = first.run()
    begun = [next(steps)["l1"] for _ in range(stopped)]
    steps.close()
    second = training(Random(), folder, 20, recipe=recipe)
    second.restore(first.state())
    rest = [terms["l1"] for terms in second.run()]
    assert begun + rest == losses
    assert second.mean_losses() == whole.mean_losses()
    for name, tensor in whole.trained.state_dict().items():
        assert torch.equal(second.trained.state_dict()[name], tensor), name


# -- what ends it


def test_a_loss_that_is_no_number_is_named_with_its_step_and_patches(folder: Path) -> None:
    class Bad(Tiny):
        calls = 0

        def loss(self, network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
            self.calls += 1
            terms = dict(super().loss(network, batch))
            return terms | {"extra": terms["l1"] * (math.nan if self.calls == 3 else 0)}

    with pytest.raises(HsbenchError) as caught:
        run(Bad(), folder, 10)
    message = str(caught.value)
    assert "the loss is nan at step 3 of 10 (l1 0." in message
    assert "extra nan), on batch 3: " in message
    # two patches, whose values the loss saw
    assert message.count(" rows ") == message.count(" columns ") == 2


def test_memory_that_runs_out_is_a_message(folder: Path) -> None:
    class Large(Tiny):
        def loss(self, network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
            torch.empty(2**60)
            return super().loss(network, batch)

    with pytest.raises(HsbenchError, match=r"memory ran out at step 1 of 3 with batches of 2 patches of 16 x 16"):
        run(Large(), folder, 3)


def test_a_self_supervised_method_is_never_handed_a_reference(folder: Path) -> None:
    handed: list[object] = []

    class Blind(Tiny):
        def loss(self, network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
            handed.append(batch.hr_hsi)
            return {"l1": network(batch.hr_msi).abs().mean()}

    run(Blind(), folder, 3, recipe=replace(RECIPE, supervision="none"))
    assert handed == [None, None, None]


# -- recipes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"speed": "3"}, "no number of a recipe that can be set 'speed'"),
        ({"patch": "3.5"}, "whole number"),
        ({"learning_rate": "-1"}, "positive"),
        ({"patch": "none"}, "positive whole number"),
    ],
)
def test_changes_of_a_recipe_are_checked(changes: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        RECIPE.changed(changes)


def test_a_recipe_may_do_without_some_numbers() -> None:
    assert replace(RECIPE, ema=0.9).changed({"ema": "none"}).ema is None
    assert np.isclose(RECIPE.changed({"ema": "0.5"}).ema or 0, 0.5)
