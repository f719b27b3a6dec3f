"""The learning rate of every step."""

from __future__ import annotations

import math

from hsfusion_bench.methods.recipes import Recipe

#: What a one-cycle schedule begins with, and where its peak lies, as in torch's OneCycleLR.
_BEGIN, _PEAK = 1 / 25, 0.3


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Return the learning rate of a step, counted from 0.

    Where the budget of `steps` is smaller than the recipe's schedule, the schedule is compressed to it, so that
    training still ends at the final rate. Of "waves", as many half-waves are kept as there is time for, an odd number;
    of "restarts", all cycles; "one-cycle" always fills the budget.
    """
    at = _epoch(recipe, step, steps)
    start, end, length = recipe.learning_rate, recipe.final_learning_rate, recipe.schedule_epochs
    match recipe.schedule:
        case "constant":
            return start
        case "cosine":
            return _cosine(start, end, min(at / length, 1.0))
        case "waves":
            return _cosine(start, end, at / length)
        case "restarts":
            begun = [0, *(epoch for epoch in recipe.restarts if epoch <= at)]
            over = next((epoch for epoch in recipe.restarts if epoch > at), length)
            peak = start * recipe.decay ** (len(begun) - 1)
            return _cosine(peak, end, min((at - begun[-1]) / (over - begun[-1]), 1.0))
        case "steps":
            assert recipe.decay_every is not None
            return max(end, start * recipe.decay ** int((min(at, length) + recipe.decay_offset) // recipe.decay_every))
        case "one-cycle":
            share = at / length
            if share < _PEAK:
                return _cosine(start * _BEGIN, start, share / _PEAK)
            return _cosine(start, end, min((share - _PEAK) / (1 - _PEAK), 1.0))


def _cosine(start: float, end: float, share: float) -> float:
    """Return what half a cosine has come to, from start to end, after a share of its length; beyond, it goes on."""
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * share))


def _epoch(recipe: Recipe, step: int, steps: int) -> float:
    """Return the epoch of the recipe's schedule that a step of the budget stands for."""
    made, length = step / recipe.steps_per_epoch, recipe.schedule_epochs
    if recipe.schedule == "one-cycle":
        return step / steps * length
    if steps >= recipe.steps:
        return math.floor(made) if recipe.per_epoch else made
    budget = steps / recipe.steps_per_epoch
    if recipe.schedule == "waves":
        half_waves = max(1, 2 * int((budget / length + 1) / 2) - 1)
        return step / steps * half_waves * length
    whole = min(length, recipe.epochs)  # what follows a schedule needs no compressing, what a recipe never reaches none
    return made if budget >= whole else step / steps * whole
