"""Torch's loader of the same batches as ours, to compare with."""

from __future__ import annotations

from typing import Any

from torch.utils.data import DataLoader, Dataset

from hsfusion_bench.methods import Batch
from hsfusion_bench.training.loading import EpochBatches


def data_loader(dataset: Dataset[Batch], batches: EpochBatches, *, workers: int = 0) -> DataLoader[Batch]:
    """Return torch's loader of some batches, fetched by `workers` processes."""
    return DataLoader(dataset, batch_sampler=batches, num_workers=workers, collate_fn=_as_it_is)


def _as_it_is(batch: Any) -> Any:
    return batch
