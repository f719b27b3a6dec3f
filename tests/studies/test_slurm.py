"""What SLURM is asked for, and jobs of it, on a stand-in of its commands."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cloudpickle
import psutil
import pytest

from hsfusion_bench.children.calling import DiedError
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.studies.engines import Needs, connect, slurm
from support import slurm as slurm_stub

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers know no tests

FULL = """
folder = "{folder}/jobs"
jobs = 4
memory_gb = 32
walltime = "1-04:00:30"
cores = 8
gpus = 1
partition = "gpu"
account = "p123"
directives = ["--constraint=a100", "--exclusive"]
setup = ["module load cuda/12.4", "source env/bin/activate"]
python = "/opt/env/bin/python"
"""
SMALL = """
folder = "{folder}/jobs"
jobs = 2
memory_gb = 1
walltime = "00:10:00"
"""


def written(folder: Path, content: str) -> Path:
    file = folder / "slurm.toml"
    file.write_text(content.format(folder=folder))
    return file


def options(script: str) -> dict[str, str]:
    """Return what a script asks sbatch for, by the long names of its options."""
    long = {"-J": "--job-name", "-p": "--partition", "-A": "--account", "-t": "--time", "-n": "--ntasks"}
    found = {}
    for line in script.splitlines():
        if line.startswith("#SBATCH "):
            name, _, value = line.removeprefix("#SBATCH ").replace("=", " ").partition(" ")
            found[long.get(name, name)] = value
    return found


class TestFile:
    def test_signals_end_us_as_before(self, tmp_path: Path) -> None:
        """Dask-jobqueue takes Ctrl-C for itself when it is imported, and ends Python with 0."""
        code = (
            "import signal; from pathlib import Path; from hsfusion_bench.studies.engines import slurm\n"
            "before = signal.getsignal(signal.SIGINT)\n"
            "asked = slurm.Asked(folder=Path('logs'), jobs=1, memory_gb=1, walltime='00:10:00')\n"
            "slurm.jobqueue(asked).close()\n"
            "assert signal.getsignal(signal.SIGINT) is before, signal.getsignal(signal.SIGINT)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr

    def test_dask_jobqueue_asks_for_it(self, tmp_path: Path) -> None:
        cluster = slurm.jobqueue(slurm.read(written(tmp_path, FULL)))
        try:
            script = cluster.job_script()
        finally:
            cluster.close()
        asked = options(script)
        assert {name: asked[name] for name in asked if name not in ("-e", "-o")} == {
            "--job-name": "hsbench",
            "--partition": "gpu",
            "--account": "p123",
            "--ntasks": "1",
            "--cpus-per-task": "8",
            "--mem": "32768M",
            "--time": "1-04:00:30",
            "--gpus-per-node": "1",
            "--constraint": "a100",
            "--exclusive": "",
        }
        assert asked["-e"].startswith(f"{tmp_path}/jobs/")
        lines = script.splitlines()
        assert lines.index("export PYTHONSAFEPATH=1") < lines.index("module load cuda/12.4")
        assert "export OMP_NUM_THREADS=8" in lines
        command = lines[-1] or lines[-2]
        assert command.startswith("/opt/env/bin/python -m distributed.cli.dask_worker tcp://")
        assert "--nthreads 1 " in command
        assert "--resources 'GPU=1 MEMORY=32768'" in command

    def test_submitit_asks_for_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        slurm_stub.install(tmp_path, monkeypatch)
        executor = slurm.submitit(slurm.read(written(tmp_path, FULL)))
        script = executor._make_submission_file_text(executor._submitit_command_str, "x")
        asked = options(script)
        for name in ("--output", "--error", "--signal", "--open-mode", "--wckey"):
            asked.pop(name)
        assert asked == {
            "--job-name": "hsbench",
            "--partition": "gpu",
            "--account": "p123",
            "--nodes": "1",
            "--cpus-per-task": "8",
            "--mem": "32768M",
            "--time": str(28 * 60 + 1),
            "--gpus-per-node": "1",
            "--constraint": "a100",
            "--exclusive": "",
        }
        lines = script.splitlines()
        assert lines.index("export OMP_NUM_THREADS=8") < lines.index("module load cuda/12.4")
        assert any("/opt/env/bin/python -u -m submitit.core._submit" in line for line in lines)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (("jobs = 2", "jbos = 2"), "jbos: there is no key 'jbos'; did you mean jobs?"),
            (("jobs = 2", ""), "the key jobs is missing"),
            (("jobs = 2", "jobs = 0"), "jobs: "),
            (("00:10:00", "10 minutes"), "walltime: "),
            (("memory_gb = 1", 'memory_gb = "1 GB"'), "memory_gb: "),
            (("jobs = 2", 'jobs = 2\ndirectives = ["-C a100"]'), "directives: "),
        ],
    )
    def test_what_is_wrong_is_named(self, tmp_path: Path, change: tuple[str, str], says: str) -> None:
        file = written(tmp_path, SMALL.replace(*change))
        with pytest.raises(HsbenchError) as found:
            connect(str(file))
        assert f"{file}: {says}" in str(found.value)

    def test_a_file_that_is_not_there_is_a_wrong_request(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"slurm\.toml: there is no such file"):
            connect(f"submitit:{tmp_path}/slurm.toml")

    @pytest.mark.parametrize("kind", ["", "submitit:"])
    def test_without_slurm_it_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(HsbenchError, match="SLURM is not here: there is no command sbatch"):
            connect(f"{kind}{written(tmp_path, SMALL)}")


def square(number: int) -> tuple[int, int, str]:
    print("what a method says")
    return number * number, os.getpid(), os.environ["OMP_NUM_THREADS"]


def end_itself() -> None:
    os._exit(3)


def wait_for(path: str) -> str:
    Path(f"{path}.waits.{os.getpid()}").touch()
    while not Path(path).exists():
        time.sleep(0.05)
    return "went on"


def groups_of(folder: Path) -> list[int]:
    """Return the processes of jobs that still run."""
    jobs = slurm_stub.submitted(folder)
    found = []
    for process in psutil.process_iter(["pid", "status"]):
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(process.pid) in jobs and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def until(condition: Any) -> None:
    deadline = time.monotonic() + 25
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("_ASK", "_LATE"):
        monkeypatch.setattr(f"hsfusion_bench.studies.engines.on_submitit.{name}", 0.5)
    return slurm_stub.install(tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["", "submitit:"])
def test_scenes_are_jobs_of_slurm(stub: Path, kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    (stub / "json.py").write_text("raise SystemExit('code of the folder')")
    with connect(f"{kind}{written(stub, SMALL)}") as engine:
        futures = [engine.submit(square, number) for number in range(4)]
        results = [future.result(120) for future in futures]
        dead = engine.submit(end_itself, retries=0)
        with pytest.raises(DiedError, match="was ended once"):
            dead.result(120)
        assert [result[0] for result in results] == [0, 1, 4, 9]
        assert {result[2] for result in results} == {"1"}
        assert (len({result[1] for result in results}) == 4) == (kind == "submitit:")
    until(lambda: not groups_of(stub))
    assert capfd.readouterr().out == ""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["", "submitit:"])
def test_a_job_of_slurm_that_is_killed_is_replaced(stub: Path, kind: str) -> None:
    told: list[str] = []
    with connect(f"{kind}{written(stub, SMALL)}", say=told.append) as engine:
        futures = [engine.submit(wait_for, str(stub / "go"), name=f"wait {number}") for number in range(2)]
        until(lambda: len(list(stub.glob("go.waits.*"))) == 2)
        os.killpg(slurm_stub.submitted(stub)[0], signal.SIGKILL)
        until(lambda: len(list(stub.glob("go.waits.*"))) == 3)
        (stub / "go").touch()
        assert [future.result(120) for future in futures] == ["went on"] * 2
        assert len(slurm_stub.submitted(stub)) == 3
    assert len(told) == 1
    assert "the process that ran it was ended once, " in told[0]
    until(lambda: not groups_of(stub))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["", "submitit:"])
def test_leaving_cancels_the_jobs(stub: Path, kind: str) -> None:
    with connect(f"{kind}{written(stub, SMALL)}") as engine:
        engine.submit(wait_for, str(stub / "never"))
        until(lambda: len(list(stub.glob("never.waits.*"))) == 1)
    until(lambda: not groups_of(stub))
    assert (stub / "cancelled").read_text().split()


def test_sbatch_that_refuses_is_quoted(stub: Path) -> None:
    (stub / "bin" / "sbatch").write_text("#!/bin/sh\necho 'invalid partition specified: gpu' >&2\nexit 1\n")
    with connect(f"submitit:{written(stub, SMALL)}") as engine:
        with pytest.raises(HsbenchError, match="invalid partition specified: gpu"):
            engine.submit(square, 2).result(60)
        with pytest.raises(HsbenchError, match=r"it needs 1 GPU, and the file asks SLURM for gpus = 0"):
            engine.submit(square, 2, needs=Needs(gpus=1)).result(60)
