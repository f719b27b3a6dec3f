"""How a network is trained, as data: rates, budgets, batches, and where each number comes from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, TypeAlias, get_args

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.suggest import unknown

__all__ = ["Accumulation", "Recipe", "Schedule", "Turns", "choose_recipe"]

Schedule = Literal["cosine", "waves", "restarts", "steps", "one-cycle", "constant"]
Turns = Literal["none", "flips", "all"]
Accumulation = Literal["mean", "last"]
Value: TypeAlias = bool | int | float | str | tuple[int, ...] | None


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    A method's `recipe` follows its authors' code, which its published results come from. Where their text says
    something else, that is a variant of its own (`NetworkMethod.variants`).

    Parameters
    ----------
    supervision
        "reference": the loss compares with the HR-HSI. "none": the loader hands out no reference at all.
    optimiser
        "adam" or "adamw".
    learning_rate, final_learning_rate
        Start (of "one-cycle": the peak) and end of the schedule.
    schedule_epochs
        Length of the schedule; what comes after it depends on `schedule`.
    epochs, patches_per_epoch, batch_size, accumulate
        The published length of training; `accumulate` batches make one optimiser step.
    patch, stride
        Side of a training patch and distance of patches, HR pixels; a stride of None is half a patch.
    loss
        The loss in words.
    source
        Where the recipe is from, in a sentence.
    sources
        Where each number is from: repository, file and commit; a paper; or "ours", with the reason.
    schedule
        "cosine": half a cosine from start to end, where the rate stays. "waves": the cosine goes on, up again and down
        again, as torch's CosineAnnealingLR does beyond its `T_max`. "restarts": a cosine that starts anew at each of
        the epochs in `restarts`, from `decay` times the rate before. "steps": the rate is multiplied by `decay` every
        `decay_every` epochs, counted from `decay_offset` epochs before the first, down to its end at the least.
        "one-cycle": up to the peak in the first 30 % of the schedule, from a 25th of it, and down to the end, both by
        cosines. "constant".
    per_epoch
        Whether the rate changes between epochs only. A training cut to a budget changes it at every step.
    decay_every, decay_offset, decay, restarts
        See `schedule`.
    accumulation
        What becomes of the gradients of the `accumulate` batches: "mean" of them, or "last": only the last batch
        counts, since the authors' loop clears the gradients of those before it. Skipped batches are not computed.
    shuffle
        Whether each epoch has an order of its own; else patches come as they lie, scene by scene.
    turns
        How patches are turned at random: "none", "flips" (of rows, of columns), "all" (eight ways, quarter turns too).
    betas, eps, weight_decay, clip_norm
        Of the optimiser; None: no clipping of the gradients' norm.
    ema
        Largest decay of the exponential moving average of the weights that is kept; None: the last weights are kept.
        The average is a copy of the weights for 101 updates; its decay then grows as ``1 - (1 + k)**(-2/3)``.
    ema_clock
        Whether the average is updated after every optimiser "step" or after every "batch" of it.
    validation
        Whether a fifth of the patches is held out, on which the network is scored now and then.
    part_rates
        Learning rates of parts of the network, by prefix of their parameters' names; they follow the same schedule.
    """

    supervision: Literal["reference", "none"]
    optimiser: Literal["adam", "adamw"]
    learning_rate: float
    final_learning_rate: float
    schedule_epochs: int
    epochs: int
    patches_per_epoch: int
    batch_size: int
    patch: int
    loss: str
    source: str
    sources: Mapping[str, str] = field(default_factory=dict)
    schedule: Schedule = "cosine"
    per_epoch: bool = False
    decay_every: int | None = None
    decay_offset: int = 0
    decay: float = 1.0
    restarts: tuple[int, ...] = ()
    accumulate: int = 1
    accumulation: Accumulation = "mean"
    shuffle: bool = True
    turns: Turns = "none"
    stride: int | None = None
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    clip_norm: float | None = None
    ema: float | None = None
    ema_clock: Literal["step", "batch"] = "step"
    validation: bool = True
    part_rates: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.schedule == "steps") != (self.decay_every is not None):
            raise HsbenchError("a recipe's schedule is 'steps' if and only if decay_every is given")
        if (self.schedule == "restarts") != bool(self.restarts):
            raise HsbenchError("a recipe's schedule is 'restarts' if and only if restarts are given")
        unfounded = self.sources.keys() - {each.name for each in fields(self)}
        if unfounded:
            raise HsbenchError(f"a recipe tells the source of {', '.join(sorted(unfounded))}, which it does not have")

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole recipe."""
        return self.epochs * self.steps_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in one epoch."""
        return max(1, self.patches_per_epoch // (self.batch_size * self.accumulate))

    @property
    def counted_batches(self) -> int:
        """Batches of one optimiser step whose gradients count."""
        return self.accumulate if self.accumulation == "mean" else 1

    @property
    def pixels_per_step(self) -> int:
        """HR pixels that one optimiser step learns from."""
        return self.counted_batches * self.batch_size * self.patch**2

    def numbers(self) -> dict[str, Any]:
        """Return all that decides a training, as plain values: the recipe without where it is from."""
        return {name: value for name, value in asdict(self).items() if name not in ("source", "sources")}

    def changed(self, changes: Mapping[str, str]) -> Recipe:
        """Return the recipe with some of its numbers changed.

        Parameters
        ----------
        changes
            Texts by name: ``learning_rate``, ``schedule``, ``clip_norm``, ``part_rates.PREFIX`` and so on; "none" for
            a number that the recipe is to do without.

        Raises
        ------
        UsageError
            If there is nothing of that name, the text is not a value of it, or the changed recipe contradicts itself.
        """
        plain: dict[str, Value] = {}
        part_rates = dict(self.part_rates)
        for name, text in changes.items():
            if name.startswith("part_rates."):
                part_rates[name.removeprefix("part_rates.")] = _number(float)(name, text)
            elif name in _OPTIONAL and text == "none":
                plain[name] = None
            elif name in _READERS:
                plain[name] = _READERS[name](name, text)
            else:
                raise UsageError(unknown("number of a recipe that can be set", name, [*_READERS, "part_rates.PREFIX"]))
        if plain.get("decay_every") is not None:
            plain.setdefault("schedule", "steps")
        schedule = plain.get("schedule", self.schedule)
        if plain.get("decay_every") is not None and schedule != "steps":
            raise UsageError(f"decay_every is about the schedule 'steps', not {schedule!r}")
        if schedule != "steps":
            plain["decay_every"] = None
        if schedule != "restarts":
            plain["restarts"] = ()
        try:
            return replace(self, part_rates=part_rates, **plain)  # type: ignore[arg-type]  # the names are checked
        except HsbenchError as error:
            raise UsageError(str(error)) from error

    def differences(self, other: Recipe) -> dict[str, str]:
        """Return what this recipe has otherwise than another, as texts that `changed` reads."""
        found = {}
        for name in _READERS:
            ours = getattr(self, name)
            if ours != getattr(other, name):
                found[name] = _text(ours)
        for prefix, rate in self.part_rates.items():
            if other.part_rates.get(prefix) != rate:
                found[f"part_rates.{prefix}"] = _text(rate)
        return found


def choose_recipe(recipes: Mapping[str, Recipe], name: str, title: str) -> Recipe:
    """Return a method's recipe of some name.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    if name not in recipes:
        raise UsageError(unknown(f"recipe of {title}", name, recipes))
    return recipes[name]


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _number(kind: type[int] | type[float], *, zero: bool = False, below: float = math.inf) -> Callable[[str, str], Any]:
    what = f"{'non-negative' if zero else 'positive'}{' whole' if kind is int else ''} number"

    def read(name: str, text: str) -> int | float:
        try:
            value = kind(text)
        except ValueError:
            value = kind(-1)
        if not 0 <= value < math.inf or (value == 0 and not zero):
            raise UsageError(f"{name}: {text!r} is not a {what}")
        if value >= below:
            raise UsageError(f"{name}: {text} is too large; it must be below {below:g}")
        return value

    return read


def _one_of(choices: tuple[str, ...]) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if text not in choices:
            raise UsageError(f"{name}: {text!r} is none of {', '.join(choices)}")
        return text

    return read


def _truth(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise UsageError(f"{name}: {text!r} is neither true nor false")
    return text.lower() == "true"


_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "learning_rate": _number(float),
    "final_learning_rate": _number(float),
    "schedule": _one_of(get_args(Schedule)),
    "per_epoch": _truth,
    "decay_every": _number(int),
    "decay": _number(float),
    "batch_size": _number(int),
    "accumulate": _number(int),
    "accumulation": _one_of(get_args(Accumulation)),
    "shuffle": _truth,
    "turns": _one_of(get_args(Turns)),
    "patch": _number(int),
    "stride": _number(int),
    "weight_decay": _number(float, zero=True),
    "clip_norm": _number(float),
    "ema": _number(float, below=1.0),
    "ema_clock": _one_of(("step", "batch")),
}
#: Numbers that a recipe may do without.
_OPTIONAL = frozenset({"clip_norm", "ema", "decay_every", "stride"})
