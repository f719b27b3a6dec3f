"""Names in HDF5 files, and where they lead: links within a file, and to files beside it, are followed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py


class Broken(str):
    """A link that leads nowhere: what it is and why, such as "a soft link to /raw/cube, which is not there"."""


def members(group: h5py.Group) -> Iterator[tuple[str, Any]]:
    """Give the names in a group, each with its group, dataset or type, or with what is wrong with its link."""
    for name in group:
        try:
            yield name, group[name]
        except (KeyError, OSError, RuntimeError) as error:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.HardLink):
                raise
            yield name, Broken(_told(group, link, circular="too many links" in str(error)))


def identity(node: Any) -> tuple[int, Any]:
    """Return what two names of one thing have in common, even where it lies in another file."""
    info = h5py.h5o.get_info(node.id)
    return info.fileno, info.addr


def _told(group: h5py.Group, link: Any, *, circular: bool) -> str:
    """Say where a broken link leads, and why that is nowhere."""
    if isinstance(link, h5py.SoftLink):
        return f"a soft link to {link.path}, which {'leads back to itself' if circular else 'is not there'}"
    if not isinstance(link, h5py.ExternalLink):
        return "a link of a kind of its own, which cannot be followed"
    beside = Path(group.file.filename).parent / link.filename
    if circular:
        reason = "which leads back to itself"
    elif not beside.is_file():
        reason = f"which is not there: put it at {beside}"
    elif not h5py.is_hdf5(beside):
        reason = "which is no HDF5 file, or damaged"
    else:
        reason = "which holds nothing of that name that can be opened"
    return f"an external link to {link.path} of {link.filename}, {reason}"
