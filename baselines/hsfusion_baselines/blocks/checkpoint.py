"""Reading files that ``torch.save`` wrote, without running what is in them."""

from __future__ import annotations

from pathlib import Path

import torch

from hsfusion_bench.claims import require_packed
from hsfusion_bench.errors import HsbenchError, out_of_memory

__all__ = ["load_plain"]


def load_plain(path: Path) -> object:
    """Return the content of a checkpoint of tensors and plain values, on the CPU.

    Raises
    ------
    ValueError
        If the file is damaged, is no such file, or holds pickled objects of other kinds, which are never loaded.
    HsbenchError
        If it claims more than it can have, or memory runs out.
    OSError
        If the file cannot be opened.
    """
    require_packed(path)
    with path.open("rb") as file:
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # an unpickler fed with garbage raises anything
            if reason := out_of_memory(error):
                raise HsbenchError(f"{path} cannot be read: {reason}") from error
            raise ValueError(f"{path} is not a readable torch checkpoint of plain tensors") from error
