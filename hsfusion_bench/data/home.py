"""Where the files of data sets lie unless somebody says otherwise, and how to get them there."""

from __future__ import annotations

from pathlib import Path

from hsfusion_bench.data.provenance import Provenance
from hsfusion_bench.files import user_data


def data_home(name: str) -> Path:
    """Return the folder of a data set's files where neither an option nor ``HSBENCH_DATA`` names one."""
    return user_data() / "data" / name


def how_to_get(name: str, origin: Provenance | None, root: Path | None = None) -> str:
    """Say how to get the files of a data set: the next command, how much it fetches, and the terms.

    Parameters
    ----------
    name, origin
        The data set, and where its originals come from; None: nobody has told.
    root
        Where the files are wanted; None: at their home.
    """
    if origin is None:
        return "give the folder of its files by --data-root, or by the environment variable HSBENCH_DATA"
    option = "" if root is None else f" --data-root {root}"
    if origin.downloads:
        megabytes = [item.size / 1e6 if item.size is not None else item.megabytes for item in origin.downloads]
        size = "size unknown" if None in megabytes else f"about {sum(filter(None, megabytes)):.0f} MB"
        get = (
            f"next: `hsbench data download {name}{option}` ({size}, from {origin.homepage}); or, if you have them, "
            "name their folder by --data-root or HSBENCH_DATA"
        )
    else:
        get = (
            f"its makers hand it out themselves: {origin.homepage}. Put the files into {root or data_home(name)}, or "
            f"name their folder by --data-root or HSBENCH_DATA"
            + (f"; layout: {origin.layout}" if origin.layout else "")
        )
    return f"{get}. Licence: {origin.licence}"
