"""Batches of map-style data sets of patches: their order, and who fetches them.

What a batch holds depends on the seed and on the epoch and number of each patch alone, so that neither threads nor
processes change a bit of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, Protocol

import numpy as np
from torch.utils.data import Sampler

from hsfusion_bench.methods import Batch, Problem


class Draw(NamedTuple):
    """Which patch, in which epoch: a patch may be turned another way in each."""

    epoch: int
    patch: int


class Patches(Protocol):
    """A data set that fetches many patches at once.

    Attributes
    ----------
    problem
        The problem that every patch poses.
    patch
        Side of the patches, HR pixels.
    """

    problem: Problem
    patch: int

    def __len__(self) -> int: ...

    def __getitems__(self, draws: Sequence[Draw]) -> Batch:
        """Return a batch of some patches."""

    def describe(self, draw: Draw) -> str:
        """Say where a patch is from, for messages."""


class Chosen:
    """Some patches of a data set, renumbered from 0.

    Parameters
    ----------
    patches
        The data set.
    numbers
        Which of its patches, in order.
    """

    def __init__(self, patches: Patches, numbers: Sequence[int]) -> None:
        self.patches, self.numbers = patches, numbers
        self.problem, self.patch = patches.problem, patches.patch

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitems__(self, draws: Sequence[Draw]) -> Batch:
        """Return a batch of some patches."""
        return self.patches.__getitems__([self._of(draw) for draw in draws])

    def describe(self, draw: Draw) -> str:
        """Say where a patch is from, for messages."""
        return self.patches.describe(self._of(draw))

    def _of(self, draw: Draw) -> Draw:
        return Draw(draw.epoch, self.numbers[draw.patch])


class EpochBatches(Sampler[list[Draw]]):
    """Batches of draws; the last batch of an epoch may be smaller.

    Parameters
    ----------
    patches
        Number of patches in an epoch.
    batch_size
        Patches in a batch.
    epochs
        Numbers of the epochs; ``range(5, 10)`` goes on where ``range(5)`` ended.
    seed
        Of the orders.
    shuffle
        Whether each epoch has an order of its own; else patches come in the order of their numbers.
    """

    def __init__(self, patches: int, batch_size: int, *, epochs: range, seed: int, shuffle: bool = True) -> None:
        self.patches, self.batch_size, self.epochs, self.seed = patches, batch_size, epochs, seed
        self.shuffle = shuffle

    def __len__(self) -> int:
        return len(self.epochs) * -(-self.patches // self.batch_size)

    def __iter__(self) -> Iterator[list[Draw]]:
        for epoch in self.epochs:
            order = self._order(epoch) if self.shuffle else list(range(self.patches))
            for start in range(0, self.patches, self.batch_size):
                yield [Draw(epoch, patch) for patch in order[start : start + self.batch_size]]

    def _order(self, epoch: int) -> list[int]:
        keys = np.random.Generator(np.random.PCG64([self.seed, epoch])).random(self.patches)
        order: list[int] = np.argsort(keys, kind="stable").tolist()
        return order


def fetch(dataset: Patches, batches: Iterable[Sequence[Draw]], *, threads: int = 2) -> Generator[Batch, None, None]:
    """Fetch batches ahead in threads, and give them in order.

    The work is copying, during which NumPy lets other threads run; nothing is carried from one process to another,
    which for patches of a megabyte takes longer than fetching them.
    """
    waiting: deque[Future[Batch]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for draws in batches:
            waiting.append(pool.submit(dataset.__getitems__, draws))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
