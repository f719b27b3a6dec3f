"""Engines by what the user calls them."""

from __future__ import annotations

import re
from pathlib import Path

from hsfusion_bench.errors import UsageError
from hsfusion_bench.studies.engines.contract import Engine
from hsfusion_bench.studies.engines.dealing import Say

_ADDRESS = re.compile(r"tcp://[^\s:/]+:\d{1,5}|tcp://\[[0-9a-fA-F:]+\]:\d{1,5}")


def connect(text: str, *, say: Say | None = None) -> Engine:
    """Return an engine on a cluster.

    Parameters
    ----------
    text
        ``tcp://HOST:PORT``, a scheduler of Dask that runs; ``FILE.toml``, jobs of SLURM that are Dask's workers;
        ``submitit:FILE.toml``, jobs of SLURM that are reached through a folder alone.
    say
        What is told of workers, in lines.

    Raises
    ------
    UsageError
        If it is none of these.
    HsbenchError
        If the scheduler does not answer, a worker has another version, or the file is not right.
    """
    if _ADDRESS.fullmatch(text):
        from hsfusion_bench.studies.engines.on_dask import OnDask

        return OnDask(text, text, gpus="start some with --resources GPU=1", say=say)
    kind, colon, name = text.rpartition(":")
    if name.endswith(".toml") and kind in ("", "submitit") and bool(kind) == bool(colon):
        from hsfusion_bench.studies.engines import slurm

        asked = slurm.read(Path(name))
        return slurm.on_submitit(asked, say=say) if kind else slurm.on_jobqueue(asked, say=say)
    raise UsageError(
        f"{text!r} is no cluster: give the address of a Dask scheduler (tcp://HOST:8786), a file of how to ask SLURM "
        "for workers (slurm.toml), or submitit: and that file (submitit:slurm.toml)"
    )
