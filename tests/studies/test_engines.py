"""Engines: what they promise, without processes of their own."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable
from concurrent.futures import CancelledError, Future, wait
from dataclasses import replace
from typing import Any

import pytest

from hsfusion_bench import __version__
from hsfusion_bench.children.calling import DiedError
from hsfusion_bench.errors import HsbenchError, MissingDataError, UsageError
from hsfusion_bench.studies.engines import Needs, connect, local, serial
from hsfusion_bench.studies.engines.dealing import Dealing, Job, WorkerGone
from hsfusion_bench.studies.engines.packing import Origin, Outcome, pack, run


def square(number: int) -> int:
    return number * number


def absent(path: str) -> None:
    raise MissingDataError(f"{path} is not there")


def came_of(outcome: Outcome) -> Any:
    future: Future[Any] = Future()
    outcome.settle(future)
    return future.result()


class TestSerial:
    def test_it_calls_in_place_and_in_order(self) -> None:
        calls: list[int] = []
        with serial() as engine:
            assert engine.workers == 1
            futures = [engine.submit(calls.append, number, name="a", needs=Needs(gpus=1)) for number in range(3)]
            assert calls == [0, 1, 2]
        assert all(future.done() for future in futures)

    def test_what_it_raises_comes_as_itself(self) -> None:
        with serial() as engine:
            assert isinstance(engine.submit(absent, "x").exception(), MissingDataError)
            with pytest.raises(KeyboardInterrupt):
                engine.submit(_interrupt)


def _interrupt() -> None:
    raise KeyboardInterrupt


class TestPacking:
    def test_results_and_errors_of_ours_come_as_themselves(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert came_of(run(pack(square, (3,)), Origin())) == 9
        with pytest.raises(MissingDataError, match=r"^/data/cave is not there$"):
            came_of(run(pack(absent, ("/data/cave",)), Origin()))

    def test_elsewhere_what_is_missing_is_missing_there(self) -> None:
        elsewhere = Origin(host="login.example.org")
        with pytest.raises(MissingDataError, match=rf"^/data/cave is not there \(on worker {Origin().host}\)$"):
            came_of(run(pack(absent, ("/data/cave",)), elsewhere))

    @pytest.mark.parametrize(
        ("origin", "says"),
        [
            (replace(Origin(), version="0.0.1"), f"has hsfusion-bench {__version__}, and here is 0.0.1"),
            (replace(Origin(), python="2.7"), f"runs Python {Origin().python}, and here is 2.7"),
        ],
    )
    def test_another_version_is_refused_with_both(self, origin: Origin, says: str) -> None:
        with pytest.raises(HsbenchError, match=rf"^worker {Origin().host} {says}: "):
            came_of(run(b"is not even read", origin))

    def test_what_python_makes_of_a_stranger_is_never_an_end(self) -> None:
        with pytest.raises(HsbenchError, match=r"it asked Python to end \(SystemExit: 3\)"):
            came_of(run(pack(sys.exit, (3,)), Origin()))
        with pytest.raises(KeyError, match="x") as found:
            came_of(run(pack({}.__getitem__, ("x",)), Origin()))
        assert any("Traceback" in note for note in found.value.__notes__)

    def test_an_error_that_cannot_be_pickled_is_its_text(self) -> None:
        def fail() -> None:
            error = OSError("what")
            error.lock = threading.Lock()  # type: ignore[attr-defined]
            raise error

        with pytest.raises(HsbenchError, match=r"^OSError: what$"):
            came_of(run(pack(fail, ()), Origin()))

    def test_what_cannot_be_made_again_here_is_its_text(self) -> None:
        with pytest.raises(HsbenchError, match=r"^Stranger: what$"):
            came_of(Outcome(True, b"cno_such_module\nStranger\n.", "Stranger: what"))

    def test_a_result_that_cannot_be_pickled_is_an_error(self) -> None:
        with pytest.raises(TypeError, match="cannot pickle"):
            came_of(run(pack(threading.Lock, ()), Origin()))

    def test_a_call_that_cannot_be_pickled_is_refused_here(self) -> None:
        with pytest.raises(HsbenchError, match="cannot be sent to a worker: TypeError: cannot pickle"):
            pack(square, (threading.Lock(),))


class Scripted(Dealing):
    """Has two places, and does with a job what it is called."""

    def __init__(self) -> None:
        self.told: list[str] = []
        super().__init__(self.told.append)
        self.started: list[str] = []
        self.ended: list[str] = []
        self.free = threading.Event()
        self._thread.start()

    @property
    def workers(self) -> int:
        return 2

    def _start(self, job: Job) -> Any:
        if job.name == "too big":
            raise HsbenchError("nobody has so much")
        if len(self._running) >= 2:
            return None
        self.started.append(job.name)
        return job

    def _look_at(self, handle: Job) -> Outcome | None:
        if handle.name == "dies":
            raise WorkerGone
        if handle.name == "waits" and not self.free.is_set():
            return None
        if handle.name == "breaks":
            raise ZeroDivisionError
        return run(handle.call, Origin())

    def _end(self, handles: Iterable[Job]) -> None:
        self.ended += [handle.name for handle in handles]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hsfusion_bench.studies.engines.dealing._LOOK", 0.01)
    monkeypatch.setattr(os, "dup2", lambda *_: None)  # jobs run in this process here


class TestDealing:
    def test_a_death_is_of_one_job_and_counted(self) -> None:
        with Scripted() as engine:
            first = engine.submit(square, 1, name="dies", retries=3)
            others = [engine.submit(square, number, name=f"n{number}") for number in range(5)]
            assert [future.result(10) for future in others] == [0, 1, 4, 9, 16]
            with pytest.raises(DiedError, match=r"^the process that ran it was ended 4 times, for want of memory"):
                first.result(10)
        assert engine.started.count("dies") == 4
        assert [text.split(",")[0] for text in engine.told] == [
            f"dies: the process that ran it was ended {times}" for times in ("once", "twice", "3 times")
        ]

    def test_what_cannot_be_run_fails_alone(self) -> None:
        with Scripted() as engine:
            futures = [engine.submit(square, 2, name=name) for name in ("too big", "a")]
            assert futures[1].result(10) == 4
            with pytest.raises(HsbenchError, match=r"^nobody has so much$"):
                futures[0].result(10)

    def test_what_waits_is_cancelled_and_what_runs_comes_to_its_end(self) -> None:
        with Scripted() as engine:
            running = [engine.submit(square, 1, name="waits") for _ in range(2)]
            queued = engine.submit(square, 1, name="queued")
            while len(engine.started) < 2:
                time.sleep(0.01)
            engine.cancel([running[0], queued])
            assert not wait([queued], timeout=10).not_done
            assert queued.cancelled()
            assert not running[0].done()
            last = engine.submit(square, 3, name="last")
            engine.free.set()
            assert last.result(10) == 9
            assert [future.result(10) for future in running] == [1, 1]
        assert engine.started == ["waits", "waits", "last"]

    def test_what_would_be_run_again_is_not_once_it_is_cancelled(self) -> None:
        with Scripted() as engine:
            future = engine.submit(square, 1, name="dies", retries=10**9)
            while len(engine.started) < 3:
                time.sleep(0.01)
            engine.cancel([future])
            with pytest.raises(CancelledError):
                future.result(10)
            before = len(engine.started)
            time.sleep(0.1)
            assert len(engine.started) == before

    def test_leaving_cancels_and_ends(self) -> None:
        with Scripted() as engine:
            futures = [engine.submit(square, 1, name=name) for name in ("waits", "waits", "queued")]
            while len(engine.started) < 2:
                time.sleep(0.01)
        assert [future.cancelled() for future in futures] == [False, False, True]
        assert not wait(futures, timeout=0).not_done
        with pytest.raises(HsbenchError, match="this engine has ended"):
            futures[0].result()
        assert engine.ended == ["waits", "waits"]
        with pytest.raises(HsbenchError, match="has ended"):
            engine.submit(square, 1)

    def test_where_the_engine_breaks_no_job_waits_for_ever(self) -> None:
        with Scripted() as engine:
            futures = [engine.submit(square, 1, name=name) for name in ("waits", "breaks", "queued")]
            for future in futures:
                assert isinstance(future.exception(10), HsbenchError)

    def test_it_is_an_executor(self) -> None:
        with Scripted() as engine:
            assert list(engine.map(square, range(5))) == [0, 1, 4, 9, 16]


class TestConnect:
    @pytest.mark.parametrize(
        "text", ["", "8786", "tcp://", "tcp://host", "tcp:/host:1", "http://host:1", "slurm", "dask:a.toml", ":a.toml"]
    )
    def test_what_is_no_cluster_is_told_what_is(self, text: str) -> None:
        with pytest.raises(UsageError, match=r"tcp://HOST:8786.*slurm\.toml.*submitit:slurm\.toml"):
            connect(text)

    def test_where_nobody_answers_it_says_so_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("distributed")
        monkeypatch.setattr("hsfusion_bench.studies.engines.on_dask.ANSWER", 0.5)
        begun = time.monotonic()
        with pytest.raises(HsbenchError, match=r"^tcp://127.0.0.1:9: nobody answers there within 0.5 s"):
            connect("tcp://127.0.0.1:9")
        assert time.monotonic() - begun < 10

    def test_without_the_extra_it_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "distributed", None)
        for start in (lambda: local(2), lambda: connect("tcp://127.0.0.1:9")):
            with pytest.raises(HsbenchError, match=r"pip install 'hsfusion-bench\[cluster\]'"):
                start()

    def test_no_workers_are_refused(self) -> None:
        with pytest.raises(UsageError, match="at least 1"):
            local(0)


def test_needs_are_told() -> None:
    assert [str(needs) for needs in (Needs(), Needs(1), Needs(2, 500), Needs(memory_mb=1))] == [
        "one thread",
        "1 GPU",
        "2 GPUs and 500 MiB of memory",
        "1 MiB of memory",
    ]


def test_engines_import_no_libraries_of_clusters() -> None:
    import subprocess

    asked = "sorted({'dask', 'distributed', 'submitit', 'dask_jobqueue', 'torch', 'pandas'} & set(sys.modules))"
    program = f"import sys, hsfusion_bench.studies.engines; print({asked})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
