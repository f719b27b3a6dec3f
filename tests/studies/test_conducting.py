"""Rows on workers: the same records as of one process, whatever becomes of the workers and of the one that asks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from hsfusion_bench.cli.planned import Progress
from hsfusion_bench.data.observing.protocols import ProtocolChoice
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.registry import find
from hsfusion_bench.runs.records import Record, read_record
from hsfusion_bench.runs.setting import Listener, Result
from hsfusion_bench.scratch import alone
from hsfusion_bench.studies import jobs
from hsfusion_bench.studies.asked import Asked, Row
from hsfusion_bench.studies.conducting import conduct
from hsfusion_bench.studies.engines import Engine, serial
from hsfusion_bench.studies.executing import execute
from hsfusion_bench.studies.listening import Lost, Outcome, Watcher

MINE = """
import os
import time
from pathlib import Path
from hsfusion_bench.methods import upsample_bicubic

def fine(observation):
    with Path("calls").open("a") as file:
        file.write(f"{os.getpid()} {time.time()}\\n")
    return upsample_bicubic(observation.lr_hsi, observation.scale)

def waits(observation):
    "Waits where nobody has said that it may go on."
    Path(f"fusing-{os.getpid()}").touch()
    while not Path("go").exists():
        time.sleep(0.02)
    return fine(observation)

def second_waits(observation):
    "Waits from the second call on."
    if Path("calls").exists():
        return waits(observation)
    return fine(observation)

def dies(observation):
    os._exit(7)

def leaves(observation):
    raise SystemExit("enough")
"""
DEMO = ("--dataset", "demo", "--scale", "4", "--no-timing")
FOLDER = Path("results/demo-x4-uestc")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OMP", "OPENBLAS", "MKL"):  # as workers have it, and records say it
        monkeypatch.setenv(f"{name}_NUM_THREADS", "1")
    Path("mine.py").write_text(MINE)


def rows(*specs: str, folder: str = "results", timing: bool = False, scenes: list[str] | None = None) -> list[Row]:
    asked = Asked(
        dataset="demo",
        scale=4,
        protocol=ProtocolChoice(),
        data_root=None,
        scenes=scenes,
        wavelengths=None,
        results_dir=Path(folder),
        device="cpu",
        seed=0,
        timing=timing,
        train=False,
        steps={},
        changes={},
        weights={},
        blind=False,
        tile="auto",
        also=(),
        save_mat=None,
        pictures=False,
    )
    entries = [find(spec) for spec in specs]
    return [
        Row(spec, entry.name, entry.origin, entry.origin.kind != "shipped", asked)
        for spec, entry in zip(specs, entries, strict=True)
    ]


def conducted(*specs: str, folder: str = "results", timing: bool = False) -> list[Outcome]:
    """Run methods job by job, in this process."""
    return conduct(rows(*specs, folder=folder, timing=timing), serial(), Watcher())


def record_of(outcome: Outcome) -> Record:
    assert isinstance(outcome, Result)
    return outcome.record


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hsfusion_bench", "run", "--device", "cpu", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def run(*arguments: str) -> tuple[int, str]:
    process = start(*arguments)
    _, said = process.communicate(timeout=300)
    assert "Traceback" not in said
    return process.returncode, said


def wait_for(pattern: str, count: int = 1) -> list[Path]:
    deadline = time.monotonic() + 120
    while len(found := sorted(Path().glob(pattern))) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def files(folder: str) -> dict[str, bytes]:
    """Return the records below a folder, which alone may be there."""
    found = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


# -- jobs, in this process


def test_the_records_are_those_of_one_run_after_the_other() -> None:
    specs = ("bicubic", "gsa", "mine.py:leaves", "mine.py:nothing")
    one = execute(rows(*specs, folder="one"), silent, Watcher())
    many = conducted(*specs, folder="many")
    assert [record_of(outcome).status for outcome in many] == ["ok", "ok", "failed", "failed"]
    for before, after in zip(one, many, strict=True):
        assert str(record_of(after).error).endswith(str(record_of(before).error))  # the file has its whole path
        assert record_of(before).scenes == record_of(after).scenes
    assert {name: text for name, text in files("one").items() if "mine" not in name} == {
        name: text for name, text in files("many").items() if "mine" not in name
    }


@contextmanager
def silent() -> Iterator[Listener]:
    yield Listener()


def test_a_method_without_weights_says_so() -> None:
    [outcome] = conducted("psrt")
    record = record_of(outcome)
    assert record.status == "no weights"
    assert record.model.parameters is not None
    assert round(record.model.parameters / 1e6, 3) == 0.247  # as its paper has it
    assert "train it with --train" in str(record.error)


def test_speed_is_measured_at_the_end_and_not_again() -> None:
    outcomes = conducted("bicubic", "mine.py:fine", timing=True)
    assert all(isinstance(each, Result) and each.speed is not None and not each.timed_before for each in outcomes)
    again = conducted("bicubic", "mine.py:fine", timing=True)
    assert all(isinstance(each, Result) and each.timed_before for each in again)
    assert [each.speed for each in again if isinstance(each, Result)] == [
        each.speed for each in outcomes if isinstance(each, Result)
    ]


def test_a_record_that_another_process_writes_is_lost_and_the_others_are_not() -> None:
    with alone(FOLDER / "gsa.json"):
        lost, done = conducted("gsa", "bicubic")
    assert isinstance(lost, Lost)
    assert "gsa.json is being written by another process" in lost.reason
    assert record_of(done).status == "ok"
    assert not (FOLDER / "gsa.json").exists()


def test_a_task_that_cannot_be_opened_costs_its_rows() -> None:
    [bad] = rows("bicubic")
    missing = Row(bad.spec, bad.name, bad.origin, bad.apart, Asked(**{**bad.asked.__dict__, "dataset": "cave"}))
    outcomes = conduct([missing, bad], serial(), Progress(None))
    assert {type(outcome) for outcome in outcomes} == {Result, Lost}


def test_a_job_whose_time_is_over_is_for_the_engine_to_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    utils = pytest.importorskip("submitit.core.utils", reason="the extra `cluster` is not installed")

    def over(*_: object, **__: object) -> object:
        try:
            raise utils.UncompletedJobError("timed out")
        except utils.UncompletedJobError as error:  # as it comes from a method that was being run
            raise HsbenchError("failed on scene oranges") from error

    monkeypatch.setattr("hsfusion_bench.runs.scenes.fuse_checked", over)
    row, *_ = rows("bicubic")
    content = jobs.packed(row, row.asked.open())
    with pytest.raises(utils.UncompletedJobError, match="timed out"):
        jobs.fuse(content, "oranges", True)


def test_a_worker_may_be_in_another_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Elsewhere:
        """An engine whose jobs are done in another folder."""

        def submit(self, function: Any, /, *arguments: Any, **more: Any) -> Future[Any]:
            (tmp_path / "elsewhere").mkdir(exist_ok=True)
            monkeypatch.chdir(tmp_path / "elsewhere")
            try:
                return serial().submit(function, *arguments)
            finally:
                monkeypatch.chdir(tmp_path)

    [outcome] = conduct(rows("mine.py:fine"), cast("Engine", Elsewhere()), Watcher())
    assert record_of(outcome).status == "ok"
    assert {path.name for path in (tmp_path / "elsewhere").iterdir()} == {"calls"}
    assert (tmp_path / FOLDER / "mine-fine.json").is_file()


def test_a_worker_without_the_data_is_named_with_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(source: DemoSource, name: str) -> object:
        raise HsbenchError(f"/data/{name}.png cannot be read: No such file or directory")

    monkeypatch.setattr(DemoSource, "read", without)
    hosts = iter(["here"])
    monkeypatch.setattr("hsfusion_bench.studies.jobs.gethostname", lambda: next(hosts, "node7"))
    [outcome] = conducted("bicubic")
    record = record_of(outcome)
    assert record.status == "failed"
    said = "/data/figs.png cannot be read: No such file or directory (on worker node7)"
    assert said in {scene.error for scene in record.scenes}


# -- workers


@pytest.mark.slow
def test_two_workers_leave_the_same_bytes_as_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    methods = ("--methods", "bicubic,gsa,conssfcnn,mine.py:fine", "--train", "--max-steps", "2", *DEMO)
    monkeypatch.setenv("HSBENCH_CACHE", "one.cache")
    assert run(*methods, "--results-dir", "one")[0] == 0
    monkeypatch.setenv("HSBENCH_CACHE", "two.cache")
    assert run(*methods, "--results-dir", "two", "--workers", "2")[0] == 0
    assert files("one") == files("two")
    assert len(files("two")) == 4


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing() -> None:
    process = start("--methods", "mine.py:waits,bicubic", *DEMO, "--workers", "2")
    [first, *_] = wait_for("fusing-*", 2)
    os.kill(int(first.name.partition("-")[2]), signal.SIGKILL)
    wait_for("fusing-*", 3)  # a new one has joined, and was given work
    Path("go").touch()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "the process that ran it was ended once" in said
    assert read_record(FOLDER / "mine-waits.json").status == "ok"
    assert read_record(FOLDER / "mine-waits.json").elsewhere is None


@pytest.mark.slow
def test_after_the_death_of_the_one_that_asks_the_run_goes_on() -> None:
    arguments = ("--methods", "mine.py:second_waits", *DEMO, "--workers", "1")
    process = start(*arguments)
    wait_for("fusing-*")
    wait_for(f"{FOLDER}/mine-second-waits.unfinished/*.json")
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 3  # a scheduler, a nanny, a worker
    process.kill()
    process.communicate(timeout=60)
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
    Path("go").touch()
    code, said = run(*arguments)
    assert code == 0, said
    assert len(Path("calls").read_text().splitlines()) == 3  # no scene was fused twice
    assert not list(Path("results").rglob("*.unfinished*"))


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_scored_and_leaves_nobody() -> None:
    process = start("--methods", "mine.py:second_waits", *DEMO, "--workers", "1")
    wait_for("fusing-*")
    wait_for(f"{FOLDER}/mine-second-waits.json")
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert psutil.wait_procs(children, timeout=30)[1] == []
    record = read_record(FOLDER / "mine-second-waits.json")
    assert (record.status, record.error, record.dataset.scenes) == ("incomplete", "interrupted", 1)


@pytest.mark.slow
def test_a_method_that_ends_its_process_is_one_failed_row() -> None:
    code, said = run("--methods", "mine.py:dies,bicubic,gsa", *DEMO, "--workers", "2")
    assert code == 1
    assert "mine:dies: the process that ran it was ended 3 times" in said
    failed = read_record(FOLDER / "mine-dies.json")
    assert (failed.status, failed.dataset.scenes) == ("failed", 0)
    assert {read_record(FOLDER / f"{name}.json").status for name in ("bicubic", "gsa")} == {"ok"}
