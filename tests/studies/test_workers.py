"""Workers that are processes: real ones, real signals."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import psutil
import pytest

from hsfusion_bench.children.calling import DiedError
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.studies.engines import Engine, Needs, connect, local

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers know no tests


def square(number: int) -> tuple[int, int]:
    print("what a method says")
    return number * number, os.getpid()


def end_itself() -> None:
    os._exit(3)


def eat() -> None:
    eaten = []
    while True:
        eaten.append(bytearray(os.urandom(1000)) * 20_000)


def state() -> dict[str, Any]:
    import torch

    def in_a_child() -> int:
        return subprocess.run([sys.executable, "-c", "pass"], check=True).returncode

    return {
        "folder": str(Path.cwd()),
        "threads": torch.get_num_threads(),
        "path": bool({"", str(Path.cwd())} & set(sys.path)),
        "child": in_a_child(),
        "gpu": os.environ["CUDA_VISIBLE_DEVICES"],
        "trim": os.environ.get("MALLOC_TRIM_THRESHOLD_"),
    }


def refuse(path: str) -> None:
    raise UsageError(f"{path}: no")


def wait_for(folder: str, number: int) -> int:
    (Path(folder) / f"{number}.runs.{os.getpid()}").touch()
    while not (Path(folder) / "go").exists():
        time.sleep(0.02)
    return number


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with a module that nobody shall import, and an empty one for temporary files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "struct.py").write_text("raise SystemExit('code of the folder')")
    return tmp_path


def test_workers_of_this_machine(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    before, others = dict(os.environ), set(psutil.Process().children(recursive=True))
    with local(2, gpus=0, memory_mb=1000, say=told.append) as engine:
        assert engine.workers == 2
        dead = engine.submit(end_itself, name="dead", retries=1)
        results = [engine.submit(square, number).result(60) for number in range(4)]
        assert [result[0] for result in results] == [0, 1, 4, 9]
        assert os.getpid() not in {result[1] for result in results}
        with pytest.raises(UsageError, match=r"^/data: no$"):
            engine.submit(refuse, "/data").result(60)
        with pytest.raises(DiedError, match=r"^the process that ran it was ended twice, for want of memory perhaps$"):
            dead.result(60)
        children = [child for child in psutil.Process().children(recursive=True) if child not in others]
        sockets = [socket for child in children for socket in child.net_connections()]
        listening = {socket.laddr.ip for socket in sockets if socket.status == psutil.CONN_LISTEN}
        assert listening == {"127.0.0.1"}
    assert told == ["dead: the process that ran it was ended once, for want of memory perhaps; it is run again"]
    psutil.wait_procs(children, timeout=10)
    assert not any(is_alive(child) for child in children)
    assert dict(os.environ) == before
    assert sorted(path.name for path in place.iterdir()) == ["struct.py", "tmp"]
    assert list((place / "tmp").iterdir()) == []
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err == "what a method says\n" * 4


@pytest.mark.slow
def test_they_are_in_this_folder_with_one_thread_each(place: Path) -> None:
    with local(1, gpus=0) as engine:
        found = engine.submit(state).result(120)
    assert found["folder"] == str(place)
    assert (found["threads"], found["path"], found["child"], found["gpu"]) == (1, False, 0, "")
    assert found["trim"] == "67108864"  # Dask's own is 65536, by which arrays are given back at every chance


@pytest.mark.slow
def test_a_method_that_eats_its_memory_is_one_failed_job(place: Path) -> None:
    with local(2, gpus=0, memory_mb=700) as engine:
        eater = engine.submit(eat, retries=0)
        others = [engine.submit(square, number) for number in range(20)]
        assert [future.result(120)[0] for future in others] == [number**2 for number in range(20)]
        with pytest.raises(DiedError, match="was ended once, for want of memory perhaps"):
            eater.result(120)


@pytest.mark.slow
def test_each_gpu_is_one_workers(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hsfusion_bench.studies.engines.on_dask._PATIENCE", 0.5)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")

    def card() -> str:
        time.sleep(0.5)
        return os.environ["CUDA_VISIBLE_DEVICES"]

    with local(3) as engine:
        assert {engine.submit(card, needs=Needs(gpus=1)).result(60) for _ in range(4)} <= {"4", "7"}
        futures = [engine.submit(card) for _ in range(3)]
        assert sorted(future.result(60) for future in futures) == ["", "4", "7"]
        with pytest.raises(HsbenchError, match=r"of this machine: of 3 workers none has 2 GPUs; torch sees 2 here$"):
            engine.submit(card, needs=Needs(gpus=2)).result(60)
        with pytest.raises(HsbenchError, match=r"of 3 workers none has 99999999 MiB of memory$"):
            engine.submit(card, needs=Needs(memory_mb=99_999_999)).result(60)


STUDY = """
import os, time
from pathlib import Path
from hsfusion_bench.studies.engines import local

with local(2, gpus=0) as engine:
    future = engine.submit(time.sleep, 600)
    while not engine._running:
        time.sleep(0.01)
    Path("up").touch()
    try:
        future.result()
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_the_command(place: Path, number: int) -> None:
    (place / "study.py").write_text(STUDY)
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-P", "study.py"], stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )
    until((place / "up").exists)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 5
    begun = time.monotonic()
    os.killpg(process.pid, number)  # as a terminal does
    out, err = process.communicate(timeout=60)
    until(lambda: not any(is_alive(child) for child in children))
    assert time.monotonic() - begun < 10
    assert (out, err) == (("interrupted\n", "") if number == signal.SIGINT else ("", ""))


@pytest.mark.slow
def test_where_the_processes_are_ended_from_outside_no_job_waits_for_ever(place: Path) -> None:
    with local(1, gpus=0) as engine:
        future = engine.submit(time.sleep, 600)
        for child in psutil.Process().children(recursive=True):
            if is_alive(child) and "distributed.cli.dask_scheduler" in child.cmdline():
                child.kill()
        with pytest.raises(HsbenchError, match="have ended, or were ended from outside"):
            future.result(60)


@pytest.fixture
def started(place: Path) -> Iterator[Callable[..., psutil.Popen]]:
    """Start programs of Dask by command, as somebody else does."""
    (place / "struct.py").unlink()
    processes: list[psutil.Popen] = []

    def start(kind: str, *arguments: str, **variables: str) -> psutil.Popen:
        environment = {**os.environ, "PYTHONSAFEPATH": "1", **variables}
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *arguments]
        with (place / f"{kind}.log").open("a") as log:
            processes.append(psutil.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True))
        return processes[-1]

    yield start
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def scheduler(place: Path, started: Callable[..., psutil.Popen]) -> str:
    """Return the address of a scheduler that runs."""
    file = place / "scheduler.json"
    started(
        "scheduler", "--host", "tcp://127.0.0.1", "--port", "0", "--no-dashboard", "--dashboard-address", "127.0.0.1:0",
        "--scheduler-file", str(file),
    )  # fmt: skip
    until(lambda: file.exists() and file.read_text().endswith("}"))
    return str(json.loads(file.read_text())["address"])


def worker(started: Callable[..., psutil.Popen], scheduler: str, *more: str, **variables: str) -> psutil.Popen:
    common = ("--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1")
    return started("worker", scheduler, *common, "--no-nanny", *more, **variables)


def joined(engine: Engine, count: int) -> None:
    until(lambda: engine.workers == count)


@pytest.mark.slow
def test_one_of_two_workers_is_killed_and_another_joins(
    place: Path, started: Callable[..., psutil.Popen], scheduler: str
) -> None:
    told: list[str] = []
    with connect(scheduler, say=told.append) as engine:
        assert engine.workers == 0
        futures = [engine.submit(wait_for, str(place), number, name=f"scene {number}") for number in range(8)]
        first = worker(started, scheduler)
        worker(started, scheduler)
        joined(engine, 2)
        until(lambda: len(list(place.glob("*.runs.*"))) == 2)
        first.kill()  # in the middle of a job
        joined(engine, 1)
        worker(started, scheduler)
        joined(engine, 2)
        until(lambda: len(list(place.glob("*.runs.*"))) == 3)
        (place / "go").touch()
        assert [future.result(60) for future in futures] == list(range(8))
    assert len(told) == 1
    assert "the process that ran it was ended once" in told[0]
    assert len(list(place.glob("*.runs.*"))) == 9  # eight, and one twice


@pytest.mark.slow
def test_workers_of_another_version_are_refused(
    place: Path, started: Callable[..., psutil.Popen], scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hsfusion_bench.studies.engines.on_dask._PATIENCE", 0.5)
    other = place / "other" / "hsfusion_bench-9.9.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: hsfusion-bench\nVersion: 9.9\n")
    before = os.pathsep.join([str(other.parent), os.environ.get("PYTHONPATH", "")])
    told: list[str] = []
    with connect(scheduler, say=told.append) as engine:
        worker(started, scheduler, PYTHONPATH=before)
        until(lambda: told)
        assert "has hsfusion-bench 9.9, and here is " in told[0]
        with pytest.raises(HsbenchError, match=r"worker tcp://127.0.0.1:\d+ has hsfusion-bench 9.9, and here is"):
            engine.submit(square, 1).result(60)
        worker(started, scheduler)  # one that is right is taken
        joined(engine, 1)
        assert engine.submit(square, 3).result(60)[0] == 9
    with pytest.raises(HsbenchError, match=rf"^{scheduler}: worker tcp://\S+ has hsfusion-bench 9.9, and here is"):
        connect(scheduler)


@pytest.mark.slow
def test_a_gpu_that_no_worker_declares_is_told(
    started: Callable[..., psutil.Popen], scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hsfusion_bench.studies.engines.on_dask._PATIENCE", 0.5)
    worker(started, scheduler)
    with connect(scheduler) as engine:
        joined(engine, 1)
        with pytest.raises(HsbenchError, match="of 1 workers none has 1 GPU; start some with --resources GPU=1"):
            engine.submit(square, 1, needs=Needs(gpus=1)).result(60)
        worker(started, scheduler, "--resources", "GPU=1")
        joined(engine, 2)
        assert engine.submit(square, 3, needs=Needs(gpus=1)).result(60)[0] == 9


@pytest.mark.slow
def test_a_scheduler_that_goes_is_told(started: Callable[..., psutil.Popen], scheduler: str) -> None:
    worker(started, scheduler)
    with connect(scheduler) as engine:
        joined(engine, 1)
        future = engine.submit(time.sleep, 600)
        port = int(scheduler.rpartition(":")[2])
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if any(c.laddr.port == port and c.status == psutil.CONN_LISTEN for c in process.net_connections()):
                    process.kill()
        with pytest.raises(HsbenchError, match="the scheduler is gone"):
            future.result(90)
