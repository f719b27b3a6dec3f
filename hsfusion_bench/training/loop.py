"""The training loop: one process, one device, the method's recipe cut to a budget of steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hsfusion_bench.determinism import make_deterministic
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods import Batch, NetworkMethod, Recipe
from hsfusion_bench.training.patches import Example, PatchSampler

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Outcome:
    """A trained network's state, and how its loss went."""

    network: torch.nn.Module
    first_loss: dict[str, float]
    last_loss: dict[str, float]


def train(
    method: NetworkMethod,
    examples: Sequence[Example],
    recipe: Recipe,
    *,
    steps: int,
    seed: int,
    device: torch.device,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> Outcome:
    """Train a fresh network by a recipe, cut to `steps` optimiser steps.

    Where the budget is shorter than the recipe's schedule, the cosine is compressed to the budget, so that training
    still ends at the final learning rate. The moving average of the weights, where the recipe has one, is warmed up
    as ``min(ema, (1 + step) / (10 + step))``, and is what is returned.

    Parameters
    ----------
    method, examples, recipe
        What to train, on what, how. Under ``supervision="none"`` the examples must hold no reference.
    steps, seed, device
        Budget, seed of weights and patches, where to compute.
    report
        Called after each step with its number, from 1, and its loss.

    Raises
    ------
    HsbenchError
        If the loss is no longer finite; the message names the step.
    """
    import torch

    if recipe.supervision == "none" and any(example.hr_hsi is not None for example in examples):
        raise HsbenchError(f"{method.card.title} is self-supervised, but was handed references")
    make_deterministic()
    torch.manual_seed(seed)
    sampler = PatchSampler(examples, recipe.patch, flips=recipe.flips, seed=seed)
    network = method.build(sampler.problem).to(device).train()
    average = (
        torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=_ema(recipe.ema), use_buffers=True)
        if recipe.ema
        else None
    )
    optimiser = _optimiser(recipe, network)
    history: list[dict[str, float]] = []
    for step in range(1, steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = group["initial_lr"] * learning_rate(recipe, step - 1, steps) / recipe.learning_rate
        optimiser.zero_grad(set_to_none=True)
        totals: dict[str, float] = {}
        for _ in range(recipe.accumulate):
            terms = method.loss(network, _to(sampler.draw(recipe.batch_size), device))
            loss = torch.stack(list(terms.values())).sum()
            if not torch.isfinite(loss):
                raise HsbenchError(
                    f"training {method.card.title}: the loss is {loss.item()} at step {step} of {steps} "
                    f"({', '.join(f'{name} {term.item():.3g}' for name, term in terms.items())}); nothing was saved"
                )
            (loss / recipe.accumulate).backward()  # type: ignore[no-untyped-call]
            for name, term in terms.items():
                totals[name] = totals.get(name, 0.0) + term.item() / recipe.accumulate
        if recipe.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip_norm)
        optimiser.step()
        if average is not None:
            average.update_parameters(network)
        history.append(totals)
        report(step, sum(totals.values()))
    trained = network if average is None else average.module
    tenth = max(1, len(history) // 10)
    return Outcome(trained.eval(), _mean(history[:tenth]), _mean(history[-tenth:]))


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Return the learning rate of a step, counted from 0.

    Where the budget of `steps` is shorter than the recipe's schedule, the schedule is compressed to it.
    """
    schedule = recipe.schedule_epochs * recipe.steps_per_epoch
    length = max(1, min(steps, schedule))
    start, end = recipe.learning_rate, recipe.final_learning_rate
    if recipe.decay_every is not None:
        epoch = step * schedule / length / recipe.steps_per_epoch
        return max(end, start * recipe.decay ** int(min(epoch, recipe.schedule_epochs) // recipe.decay_every))
    cosine = 0.5 * (1 + math.cos(math.pi * min(step, length) / length))
    return end + (start - end) * cosine


def _optimiser(recipe: Recipe, network: torch.nn.Module) -> torch.optim.Optimizer:
    import torch

    groups: dict[float, list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        rates = [rate for prefix, rate in recipe.part_rates.items() if name.startswith(prefix)]
        groups.setdefault(rates[0] if rates else recipe.learning_rate, []).append(parameter)
    kind = torch.optim.Adam if recipe.optimiser == "adam" else torch.optim.AdamW
    return kind(
        [{"params": parameters, "lr": rate, "initial_lr": rate} for rate, parameters in groups.items()],
        weight_decay=recipe.weight_decay,
    )


def _ema(decay: float) -> Callable[..., None]:
    import torch

    @torch.no_grad()
    def update(averages: list[torch.Tensor], current: list[torch.Tensor], count: torch.Tensor | int) -> None:
        step = int(count)
        weight = 1 - min(decay, (1 + step) / (10 + step))
        for average, value in zip(averages, current, strict=True):
            average.lerp_(value, weight) if average.is_floating_point() else average.copy_(value)

    return update


def _to(batch: Batch, device: torch.device) -> Batch:
    return replace(
        batch,
        lr_hsi=batch.lr_hsi.to(device),
        hr_msi=batch.hr_msi.to(device),
        hr_hsi=None if batch.hr_hsi is None else batch.hr_hsi.to(device),
    )


def _mean(history: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(entry[name] for entry in history) / len(history) for name in history[0]}
