"""The training loop: one optimiser step after the other, from a state that can be kept and taken up again.

Devices, several processes, mixed precision and the accumulation of gradients are Hugging Face Accelerate's. What a
step does depends on the recipe, the seed and the step's number alone, so that a training that was interrupted
anywhere ends in the same weights as one that was not: on the CPU in one process bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from hsfusion_bench.determinism import make_deterministic
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods import Batch, NetworkMethod, Problem, Recipe
from hsfusion_bench.methods.weights import Weights, load_into
from hsfusion_bench.training.course import Precision
from hsfusion_bench.training.loading import Draw, EpochBatches, Patches, fetch
from hsfusion_bench.training.schedules import learning_rate

if TYPE_CHECKING:
    from accelerate import Accelerator


def make_accelerator(
    device: str, *, precision: Precision = "no", accumulate: int = 1, trackers: Mapping[str, Any] | None = None
) -> Accelerator:
    """Return what places networks and batches on devices.

    Parameters
    ----------
    device
        "cpu" or "cuda". Under ``accelerate launch`` each process has its own.
    precision
        "no" is float32 throughout.
    accumulate
        Batches that make one optimiser step.
    trackers
        Further arguments of `accelerate.Accelerator`, for its trackers.

    Raises
    ------
    UsageError
        If the device cannot compute in that precision.
    """
    # it takes a second, and only trainings need it
    from accelerate import Accelerator, DistributedDataParallelKwargs
    from accelerate.state import AcceleratorState

    if precision == "fp16" and device == "cpu":
        raise UsageError("--precision fp16 needs a CUDA device; on the CPU there are no and bf16")
    make_deterministic()
    # The state is one for the whole process, and would keep the precision of an earlier training in it.
    AcceleratorState._reset_state()
    return Accelerator(
        cpu=device == "cpu",
        mixed_precision=precision,
        gradient_accumulation_steps=accumulate,
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        **(trackers or {}),
    )


class _Objective(nn.Module):
    """A network with its loss as one module.

    Accelerate wraps it, so that gradients of several processes are averaged, and mixed precision reaches the loss.
    """

    def __init__(self, network: nn.Module, method: NetworkMethod, problem: Problem) -> None:
        super().__init__()
        self.network = network
        self.method = method
        self.problem = problem

    def forward(
        self, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, hr_hsi: torch.Tensor | None
    ) -> dict[str, torch.Tensor]:
        """Return the terms of the loss."""
        return dict(self.method.loss(self.network, Batch(lr_hsi, hr_msi, hr_hsi, self.problem)))


@dataclass
class Progress:
    """What is remembered of the steps made.

    Attributes
    ----------
    step
        Optimiser steps made.
    first, last
        Sums of the loss terms over the first and the last tenth of all steps.
    """

    step: int = 0
    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)


class Training:
    """A network in training.

    The moving average of the weights, where the recipe has one, is what is trained in the end.

    Parameters
    ----------
    method, recipe
        What to train, and how.
    patches
        What to train on. Under ``supervision="none"`` its batches hold no reference. It must have `problem`.
    steps, seed
        Optimiser steps of the whole training; seed of weights, order and turning of patches.
    accelerator
        From `make_accelerator`, for the recipe's `counted_batches`.
    compiled
        Whether torch compiles the network with its loss.
    start
        Weights to begin with; None: random ones.

    Raises
    ------
    UsageError
        If the batch cannot be shared out equally to the processes.
    """

    def __init__(
        self,
        method: NetworkMethod,
        recipe: Recipe,
        patches: Patches,
        *,
        steps: int,
        seed: int,
        accelerator: Accelerator,
        compiled: bool = False,
        start: Weights | None = None,
    ) -> None:
        processes = accelerator.num_processes
        if recipe.batch_size % processes:
            raise UsageError(
                f"a batch of {recipe.batch_size} patches cannot be shared out equally to {processes} processes: "
                "choose another --batch-size"
            )
        self.method, self.recipe, self.patches = method, recipe, patches
        self.steps, self.seed, self.accelerator = steps, seed, accelerator
        self.progress = Progress()
        self._tenth = max(1, steps // 10)
        torch.manual_seed(seed)
        self.network = method.build(patches.problem).train()
        if start is not None:
            load_into(self.network, start, method)
        optimiser = _optimiser(recipe, self.network)
        objective = _Objective(self.network, method, patches.problem)
        self._objective, self.optimiser = accelerator.prepare(objective, optimiser)
        self.average = (
            torch.optim.swa_utils.AveragedModel(self.network, multi_avg_fn=_ema(recipe.ema), use_buffers=True)
            if recipe.ema
            else None
        )
        self._call = torch.compile(self._objective) if compiled else self._objective

    @property
    def trained(self) -> nn.Module:
        """The network whose weights are kept: the moving average, where there is one."""
        return self.network if self.average is None else self.average.module

    def run(self) -> Generator[dict[str, float], None, None]:
        """Train to the last step; gives the terms of the loss after every step, which may be the last one asked for.

        Raises
        ------
        HsbenchError
            If the loss is no longer finite, with the step and the patches; if memory runs out.
        """
        recipe, step = self.recipe, self.progress.step
        batches = fetch(self.patches, self._counted(self._draws(step * recipe.accumulate)))
        try:
            while self.progress.step < self.steps:
                terms = self._advance(batches)
                self.progress.step += 1
                self._remember(terms)
                yield terms
        except torch.OutOfMemoryError as error:
            raise self._without_memory() from error
        except RuntimeError as error:
            if "can't allocate memory" in str(error):  # as torch says it on the CPU
                raise self._without_memory() from error
            raise
        finally:
            batches.close()

    def mean_losses(self) -> tuple[dict[str, float], dict[str, float]]:
        """Return the means of the loss terms over the first and the last tenth of the steps, as far as made."""
        made = self.progress.step
        first = min(made, self._tenth)
        last = max(0, made - (self.steps - self._tenth))
        progress = self.progress
        return (
            {name: total / first for name, total in progress.first.items()},
            {name: total / last for name, total in progress.last.items()},
        )

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs, on the CPU: tensors, numbers and texts in dicts and lists."""
        scaler = self.accelerator.scaler
        return {
            "step": self.progress.step,
            "first": dict(self.progress.first),
            "last": dict(self.progress.last),
            "network": self.network.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": None if scaler is None else scaler.state_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state` returned."""
        self.progress = Progress(state["step"], dict(state["first"]), dict(state["last"]))
        self.network.load_state_dict(state["network"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(state["scaler"])

    def _draws(self, first: int) -> Iterator[list[Draw]]:
        """Give this process's share of one batch after the other, from number `first` on."""
        size, patches = self.recipe.batch_size, len(self.patches)
        per_epoch = max(1, patches // size)
        share = slice(self.accelerator.process_index, None, self.accelerator.num_processes)
        start = first % per_epoch
        for epoch in count(first // per_epoch):
            epochs = range(epoch, epoch + 1)
            batches = list(EpochBatches(patches, size, epochs=epochs, seed=self.seed, shuffle=self.recipe.shuffle))
            for batch in batches[start:per_epoch]:
                yield batch[share]
            start = 0

    def _counted(self, draws: Iterator[list[Draw]]) -> Iterator[list[Draw]]:
        """Leave out the batches whose gradients the recipe drops."""
        recipe = self.recipe
        return islice(
            draws, recipe.accumulate - recipe.counted_batches, None, recipe.accumulate // recipe.counted_batches
        )

    def _advance(self, batches: Iterator[Batch]) -> dict[str, float]:
        """Make one optimiser step."""
        recipe, step, accelerator = self.recipe, self.progress.step, self.accelerator
        # Whatever is random in a network depends on the step alone, not on what went before.
        torch.manual_seed((self.seed << 32) + (step << 8) + accelerator.process_index)
        rate = learning_rate(recipe, step, self.steps) / recipe.learning_rate
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"] * rate
        totals: dict[str, float] = {}
        for _ in range(recipe.accumulate - recipe.counted_batches):
            self._average("batch")
        for part in range(recipe.counted_batches):
            batch = next(batches)
            with accelerator.accumulate(self._objective):
                terms = self._call(*_on(accelerator.device, batch))
                # a dropped batch has its share in the mean all the same, which matters where gradients are clipped
                loss = torch.stack(list(terms.values())).sum() * recipe.counted_batches / recipe.accumulate
                found = accelerator.reduce(torch.stack([term.detach().double() for term in terms.values()]), "mean")
                if not torch.isfinite(found).all():
                    raise self._diverged(dict(zip(terms, found.tolist(), strict=True)), part)
                accelerator.backward(loss)
                if accelerator.sync_gradients and recipe.clip_norm is not None:
                    accelerator.clip_grad_norm_(self.network.parameters(), recipe.clip_norm)
                self.optimiser.step()
                self.optimiser.zero_grad(set_to_none=True)
            for name, value in zip(terms, found.tolist(), strict=True):
                totals[name] = totals.get(name, 0.0) + value / recipe.counted_batches
            self._average("batch")
        self._average("step")
        return totals

    def _average(self, clock: str) -> None:
        """Update the moving average of the weights, if it follows this clock."""
        if self.average is not None and self.recipe.ema_clock == clock:
            self.average.update_parameters(self.network)

    def _remember(self, terms: Mapping[str, float]) -> None:
        progress = self.progress
        if progress.step <= self._tenth:
            for name, value in terms.items():
                progress.first[name] = progress.first.get(name, 0.0) + value
        if progress.step > self.steps - self._tenth:
            for name, value in terms.items():
                progress.last[name] = progress.last.get(name, 0.0) + value

    def _diverged(self, terms: Mapping[str, float], part: int) -> HsbenchError:
        step = self.progress.step
        number = (step + 1) * self.recipe.accumulate - self.recipe.counted_batches + part
        batch = next(self._draws(number))
        where = "; ".join(self.patches.describe(draw) for draw in batch[:4]) + ("; ..." if len(batch) > 4 else "")
        return HsbenchError(
            f"training {self.method.card.title}: the loss is {sum(terms.values())} at step {step + 1} of {self.steps} "
            f"({', '.join(f'{name} {value:.3g}' for name, value in terms.items())}), on batch {number + 1}: {where}"
        )

    def _without_memory(self) -> HsbenchError:
        recipe = self.recipe
        return HsbenchError(
            f"training {self.method.card.title}: memory ran out at step {self.progress.step + 1} of {self.steps} with "
            f"batches of {recipe.batch_size} patches of {recipe.patch} x {recipe.patch}. A smaller --batch-size with "
            f"--set accumulate={2 * recipe.accumulate} makes the same steps in less memory"
        )


def _optimiser(recipe: Recipe, network: nn.Module) -> torch.optim.Optimizer:
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        rates = [rate for prefix, rate in recipe.part_rates.items() if name.startswith(prefix)]
        groups.setdefault(rates[0] if rates else recipe.learning_rate, []).append(parameter)
    kind = torch.optim.Adam if recipe.optimiser == "adam" else torch.optim.AdamW
    return kind(
        [{"params": parameters, "lr": rate, "initial_lr": rate} for rate, parameters in groups.items()],
        betas=recipe.betas,
        eps=recipe.eps,
        weight_decay=recipe.weight_decay,
    )


#: For so many updates a moving average is a copy; then its decay grows by this power of their number. Both are those of
#: ema-pytorch, which authors use.
_COPIES, _POWER = 100, -2 / 3


def _ema(decay: float) -> Callable[..., None]:
    @torch.no_grad()
    def update(averages: list[torch.Tensor], current: list[torch.Tensor], count: torch.Tensor | int) -> None:
        updates = int(count) - _COPIES
        # at the first of these updates ema-pytorch copies once more
        weight = 1 - min(decay, 1 - (1 + updates) ** _POWER) if updates > 1 else 1.0
        for average, value in zip(averages, current, strict=True):
            average.lerp_(value, weight) if average.is_floating_point() else average.copy_(value)

    return update


def _on(device: torch.device, batch: Batch) -> Iterator[torch.Tensor | None]:
    for cube in (batch.lr_hsi, batch.hr_msi, batch.hr_hsi):
        yield None if cube is None else cube.to(device, non_blocking=True)
