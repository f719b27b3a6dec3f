"""Learning rates: against torch's own schedulers, and compressed to a budget."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods import NetworkMethod, Recipe
from hsfusion_bench.registry import find
from hsfusion_bench.training.schedules import learning_rate
from support.training import RECIPE

#: An epoch of 20 steps, as the recipe has them.
EPOCH = RECIPE.steps_per_epoch


def recipe(**changes: object) -> Recipe:
    return replace(RECIPE, **changes)  # type: ignore[arg-type]


def torchs(rate: float, count: int, make: type[LRScheduler], **options: object) -> list[float]:
    """Return what a scheduler of torch gives, stepped `count` times."""
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    schedule = make(optimiser, **options)
    rates = []
    for _ in range(count):
        rates.append(float(schedule.get_last_lr()[0]))
        optimiser.step()
        schedule.step()
    return rates


def test_waves_are_torchs_cosine_stepped_beyond_its_length() -> None:
    waves = recipe(schedule="waves", schedule_epochs=3, epochs=14, per_epoch=True)
    ours = [learning_rate(waves, epoch * EPOCH + 7, waves.steps) for epoch in range(14)]
    theirs = torchs(1e-2, 14, CosineAnnealingLR, T_max=3, eta_min=1e-4)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert ours[6] == pytest.approx(1e-2)  # back at its start


def test_feinfns_rate_is_back_at_its_start_at_epochs_601_1201_and_1801() -> None:
    method = find("feinfn").load()
    assert isinstance(method, NetworkMethod)
    whole = method.recipe
    rates = [learning_rate(whole, epoch * whole.steps_per_epoch, whole.steps) for epoch in range(whole.epochs)]
    assert [epoch + 1 for epoch, rate in enumerate(rates) if math.isclose(rate, 2e-4)] == [1, 601, 1201, 1801]
    assert np.mean(rates) == pytest.approx(1.09e-4, abs=1e-6)
    assert rates[-1] == pytest.approx(5.8e-5, abs=1e-6)


def test_mossfuses_rate_hardly_falls() -> None:
    method = find("mossfuse").load()
    assert isinstance(method, NetworkMethod)
    whole = method.recipe
    rates = [learning_rate(whole, epoch * whole.steps_per_epoch, whole.steps) for epoch in (0, 499)]
    assert rates[0] == 9e-5
    assert 8.999e-5 < rates[1] < 9e-5
    text = method.recipes["text"]
    assert learning_rate(text, 250 * text.steps_per_epoch, text.steps) == pytest.approx(1e-6)


def test_falls_in_steps_are_torchs() -> None:
    steps = recipe(schedule="steps", decay_every=3, decay=0.5, final_learning_rate=1e-9, schedule_epochs=14, epochs=14)
    ours = [learning_rate(steps, epoch * EPOCH, steps.steps) for epoch in range(14)]
    np.testing.assert_allclose(ours, torchs(1e-2, 14, StepLR, step_size=3, gamma=0.5))
    shifted = replace(steps, decay_offset=2)
    assert [learning_rate(shifted, epoch * EPOCH, steps.steps) for epoch in (0, 1, 3, 4)] == pytest.approx(
        [1e-2, 5e-3, 5e-3, 2.5e-3]
    )


def test_one_cycle_is_torchs() -> None:
    cycle = recipe(schedule="one-cycle", final_learning_rate=1e-2 / 25 / 1e4)
    count = 1001
    theirs = torchs(1.0, count - 1, OneCycleLR, max_lr=1e-2, total_steps=count)
    ours = [learning_rate(cycle, step, count) for step in range(count - 1)]
    # theirs reaches its ends a step earlier
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-2 * 5e-3)
    assert max(ours) == pytest.approx(1e-2, rel=1e-5)


def test_restarts_begin_each_cycle_at_a_share_of_the_rate_before() -> None:
    cycles = recipe(schedule="restarts", restarts=(4, 12), decay=0.5, schedule_epochs=20, epochs=20)
    rates = [learning_rate(cycles, epoch * EPOCH, cycles.steps) for epoch in (0, 2, 4, 8, 12, 16, 20)]
    low = 1e-4
    assert rates == pytest.approx([1e-2, (1e-2 + low) / 2, 5e-3, (5e-3 + low) / 2, 2.5e-3, (2.5e-3 + low) / 2, low])


def test_a_constant_rate_stays() -> None:
    assert {learning_rate(recipe(schedule="constant"), step, 400) for step in range(400)} == {1e-2}


@pytest.mark.parametrize(
    ("changes", "steps", "half_waves"),
    [
        ({"schedule": "waves", "schedule_epochs": 3, "epochs": 20}, 30, 1),  # half a half-wave
        ({"schedule": "waves", "schedule_epochs": 3, "epochs": 20}, 3 * EPOCH * 2, 1),
        ({"schedule": "waves", "schedule_epochs": 3, "epochs": 20}, 3 * EPOCH * 4, 3),
        ({"schedule": "cosine", "schedule_epochs": 3, "epochs": 20}, 30, 1),
        ({"schedule": "restarts", "restarts": (1,), "schedule_epochs": 3, "epochs": 3}, 30, 2),
    ],
)
def test_a_cut_schedule_ends_at_its_final_rate(changes: dict[str, object], steps: int, half_waves: int) -> None:
    cut = recipe(**changes)
    rates = np.array([learning_rate(cut, step, steps) for step in range(steps)])
    assert rates[0] == pytest.approx(1e-2)
    assert rates[-1] < 2e-4
    turns = np.count_nonzero(np.diff(np.sign(np.diff(rates)))) // (2 if changes["schedule"] == "restarts" else 1)
    assert turns == half_waves - 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schedule": "steps"}, "if and only if decay_every"),
        ({"schedule": "restarts"}, "if and only if restarts"),
        ({"schedule": "cosine", "decay_every": "3"}, "decay_every is about the schedule 'steps', not 'cosine'"),
        ({"schedule": "linear"}, "'linear' is none of cosine, waves"),
        ({"shuffle": "perhaps"}, "neither true nor false"),
        ({"ema": "1"}, "below 1"),
        ({"weight_decay": "-1"}, "not a non-negative number"),
    ],
)
def test_changes_that_contradict_the_recipe_are_refused(changes: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        RECIPE.changed(changes)


def test_a_decay_makes_the_schedule_one_of_steps() -> None:
    assert RECIPE.changed({"decay_every": "3", "decay": "0.5"}).schedule == "steps"
    steps = recipe(schedule="steps", decay_every=3)
    assert steps.changed({"schedule": "cosine"}).decay_every is None


def test_differences_are_what_changed_reads() -> None:
    changes = {"patch": "32", "ema": "0.9", "schedule": "one-cycle", "shuffle": "false", "part_rates.a": "0.001"}
    changed = RECIPE.changed({**changes, "batch_size": str(RECIPE.batch_size)})
    assert changed.differences(RECIPE) == changes  # what is as before is not a difference
    assert RECIPE.changed(changed.differences(RECIPE)) == changed


def test_a_recipe_does_not_tell_the_source_of_what_it_does_not_have() -> None:
    with pytest.raises(HsbenchError, match="source of speed"):
        recipe(sources={"speed": "nowhere"})
