"""Jobs of SLURM, asked for by a TOML file: as workers of Dask, or each for itself through a folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PositiveFloat, PositiveInt
from pydantic.dataclasses import dataclass

from hsfusion_bench.claims import parse_toml
from hsfusion_bench.data.observing.tables import STRICT, fill
from hsfusion_bench.errors import HsbenchError, UsageError, reason_of_system
from hsfusion_bench.interrupts import handlers_kept
from hsfusion_bench.studies.engines.contract import Engine, missing
from hsfusion_bench.studies.engines.dealing import Say
from hsfusion_bench.studies.engines.settings import OF_DASK, imported, of_process

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster
    from submitit import SlurmExecutor

_WALLTIME = r"(?:(\d+)-)?(\d{1,2}):(\d{2}):(\d{2})"
_DIRECTIVE = r"--[a-z][a-z-]*(?:=.+)?"
_MIB_OF_GIB = 1024
#: Seconds after which a job of SLURM that has lost its scheduler ends.
_DEATH = 60


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Asked:
    """What SLURM is asked for: so many jobs at a time, each of them alike. It works on one scene at a time."""

    folder: Path
    """Where scripts, logs and what is exchanged go; all nodes see it."""
    jobs: PositiveInt
    memory_gb: PositiveFloat
    """GiB of a job."""
    walltime: Annotated[str, Field(pattern=f"^{_WALLTIME}$")]
    """HH:MM:SS, or D-HH:MM:SS."""
    cores: PositiveInt = 1
    """Cores of a job, and threads that a method computes with."""
    gpus: Annotated[int, Field(ge=0)] = 0
    partition: str | None = None
    account: str | None = None
    directives: tuple[Annotated[str, Field(pattern=f"^{_DIRECTIVE}$")], ...] = ()
    """More of sbatch's options, such as --constraint=a100."""
    setup: tuple[str, ...] = ()
    """Lines of the shell that come first."""
    python: str | None = None
    """The interpreter of the nodes; None: the one that runs here, under the same path."""
    interface: str | None = None
    """The network by which workers reach this machine, such as ib0; of Dask alone."""

    @property
    def memory_mb(self) -> int:
        """MiB of a job."""
        return int(self.memory_gb * _MIB_OF_GIB)

    @property
    def minutes(self) -> int:
        """Whole minutes of `walltime`, rounded up."""
        found = re.fullmatch(_WALLTIME, self.walltime)
        assert found is not None
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return days * 1440 + hours * 60 + minutes + (seconds > 0)

    @property
    def prologue(self) -> list[str]:
        """What a job's script does first: no code of the folder it starts in, as many threads as cores."""
        return [*_exports(of_process(self.cores)), *self.setup]


def read(path: Path) -> Asked:
    """Read a file of what SLURM is asked for.

    Raises
    ------
    UsageError
        If there is no such file.
    HsbenchError
        If it cannot be read, or is not as `Asked` has it; the message names the key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"{path}: there is no such file") from error
    except OSError as error:
        raise HsbenchError(f"{path} cannot be read: {reason_of_system(error)}") from error
    except UnicodeDecodeError as error:
        raise HsbenchError(f"{path} is not a TOML file: it is not UTF-8") from error
    return fill(Asked, parse_toml(text, str(path)), str(path))


def on_jobqueue(asked: Asked, *, say: Say | None = None) -> Engine:
    """Return an engine whose workers are jobs of SLURM that connect to this machine.

    A job that ends, by its time or otherwise, is replaced by another one.

    Raises
    ------
    HsbenchError
        If dask-jobqueue is not installed, or SLURM is not here.
    """
    from hsfusion_bench.studies.engines.on_dask import OnDask

    imported()
    _require("sbatch", "scancel")
    cluster = jobqueue(asked)
    try:
        cluster.adapt(minimum_jobs=asked.jobs, maximum_jobs=asked.jobs)
        return OnDask(
            cluster, "SLURM's workers", gpus="ask for them by gpus = 1 in the file", say=say, end=cluster.close
        )
    except BaseException:
        cluster.close()
        raise


def jobqueue(asked: Asked) -> SLURMCluster:
    """Return the cluster of Dask; no job is submitted yet."""
    try:
        with handlers_kept():
            from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise missing(error) from error
    import logging

    _made(asked.folder)
    more = [] if asked.gpus == 0 else [f"--gpus-per-node={asked.gpus}"]
    resources = shlex.quote(f"GPU={asked.gpus} MEMORY={asked.memory_mb}")
    return SLURMCluster(
        # one thread that takes jobs, so one job at a time, which has all cores
        cores=1,
        processes=1,
        job_cpu=asked.cores,
        memory=f"{asked.memory_mb}MiB",
        job_mem=f"{asked.memory_mb}M",
        walltime=asked.walltime,
        queue=asked.partition,
        account=asked.account,
        job_extra_directives=[*more, *asked.directives],
        job_script_prologue=[*_exports(OF_DASK), *asked.prologue],
        python=asked.python,
        interface=asked.interface,
        job_name="hsbench",
        log_directory=str(asked.folder),
        worker_extra_args=["--resources", resources, "--no-dashboard"],
        death_timeout=_DEATH,
        scheduler_options={"dashboard": False, "dashboard_address": ":0"},
        silence_logs=logging.ERROR,
    )


def on_submitit(asked: Asked, *, say: Say | None = None) -> Engine:
    """Return an engine that submits a job of SLURM for each of its own.

    Raises
    ------
    HsbenchError
        If submitit is not installed, or SLURM is not here.
    """
    from hsfusion_bench.studies.engines.on_submitit import OnSubmitit

    _require("sbatch", "scancel", "sacct", "srun")
    return OnSubmitit(submitit(asked), asked, say=say)


def submitit(asked: Asked) -> SlurmExecutor:
    """Return the executor of submitit."""
    try:
        from submitit import SlurmExecutor
    except ImportError as error:
        raise missing(error) from error
    _made(asked.folder)
    executor = SlurmExecutor(asked.folder, python=asked.python)
    more: dict[str, Any] = {}
    for directive in asked.directives:
        key, equals, value = directive.removeprefix("--").partition("=")
        more[key] = value if equals else True
    wanted = {"partition": asked.partition, "account": asked.account, "gpus_per_node": asked.gpus or None}
    executor.update_parameters(
        job_name="hsbench",
        time=asked.minutes,
        mem=f"{asked.memory_mb}M",
        cpus_per_task=asked.cores,
        setup=asked.prologue,
        additional_parameters=more,
        **{key: value for key, value in wanted.items() if value is not None},
    )
    return executor


def _exports(variables: dict[str, str]) -> list[str]:
    return [f"export {name}={value}" for name, value in variables.items()]


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HsbenchError(f"folder: {folder} cannot be made: {reason_of_system(error)}") from error


def _require(*commands: str) -> None:
    import shutil

    for command in commands:
        if shutil.which(command) is None:
            raise HsbenchError(f"SLURM is not here: there is no command {command}. Run this where jobs are submitted")
