"""Datasets of HDF5: what one claims, and reading it whole. HDF5 stores nothing of what was never written."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.claims import Claim


def claim_of(node: Any) -> Claim:
    """Return what a dataset takes when it is read.

    Parameters
    ----------
    node
        An `h5py.Dataset`. Of one whose values lie in other files nothing is known.
    """
    elsewhere = node.is_virtual or node.external
    block = int(np.prod(node.chunks, dtype=object)) * node.dtype.itemsize if node.chunks else 0
    # of a small one the chunk is hardly larger than the whole
    return Claim(node.dtype.itemsize, None if elsewhere else node.id.get_storage_size, min(block, 2**32))


def read_whole(node: h5py.Dataset) -> NDArray[Any]:
    """Return all values of a dataset.

    Raises
    ------
    RoomError
        If it claims more than the file can have, or there is memory for.
    """
    shape = node.shape or ()
    claim_of(node).require(f"{node.name} of {node.file.filename}", shape, shape)
    return np.asarray(node[()])
