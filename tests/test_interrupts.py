"""Signals end a command alike: real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import io

from hsfusion_bench.interrupts import uninterrupted

SLOW = """
import time
from pathlib import Path
from hsfusion_bench.methods import upsample_bicubic

def slow(observation):
    "Waits at the third scene, unless it may go on."
    calls = Path("calls")
    calls.write_text(calls.read_text() + "x" if calls.exists() else "x")
    if len(calls.read_text()) == 3 and not Path("go").exists():
        Path("waiting").touch()
        time.sleep(60)
    return upsample_bicubic(observation.lr_hsi, observation.scale)
"""
#: On a named device: to look for a better one, torch would be imported.
RUN = ("run", "--methods", "slow.py:slow", "--dataset", "demo", "--scale", "4", "--no-timing", "--device", "cpu")
SAVING = (*RUN, "--save-mat", "saved", "--results-dir", "saved")
CUBES = Path("saved/demo-x4-uestc/slow-slow.mat")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    Path("tmp").mkdir()
    Path("slow.py").write_text(SLOW)


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hsfusion_bench", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def code_of(*arguments: str) -> int:
    process = start(*arguments)
    process.communicate(timeout=300)
    return process.returncode


def wait_for(path: str) -> None:
    deadline = time.monotonic() + 120
    while not list(Path().glob(path)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def ended(signals: Sequence[int], *arguments: str) -> tuple[int, list[str]]:
    """Signal a run that waits at its third scene; return its exit code and what it says at the end."""
    Path("waiting").unlink(missing_ok=True)
    process = start(*arguments)
    wait_for("waiting")
    wait_for("*/demo-x4-uestc/slow-slow.unfinished/figs.json")  # the second scene is scored beside the third
    for number in signals:
        process.send_signal(number)
        time.sleep(0.02)
    _, said = process.communicate(timeout=60)
    assert "Traceback" not in said
    return process.returncode, [line for line in said.splitlines() if line.startswith("Error: ")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signals", "code", "says"),
    [
        ([signal.SIGINT], 130, "interrupted"),
        ([signal.SIGINT, signal.SIGINT], 130, "interrupted"),
        ([signal.SIGTERM], 143, "ended by SIGTERM"),
        ([signal.SIGHUP, signal.SIGTERM], 129, "ended by SIGHUP"),
    ],
)
def test_a_signal_is_one_line_and_its_code_and_the_run_goes_on(signals: list[int], code: int, says: str) -> None:
    found = ended(signals, *RUN)
    assert found == (code, [f"Error: {says}; what is scored is kept, and the same command goes on there"])
    assert list(Path("tmp").iterdir()) == []
    assert len(list(Path("results/demo-x4-uestc/slow-slow.unfinished").glob("*.json"))) == 2
    assert not list(Path().rglob("*.lock"))
    Path("go").touch()
    assert code_of(*RUN) == 0
    # three calls before; then the third scene
    assert len(Path("calls").read_text()) == 4


@pytest.mark.slow
def test_what_nohup_ignores_stays_ignored() -> None:
    command = [sys.executable, "-m", "hsfusion_bench", *RUN]
    process = subprocess.Popen(
        ["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for("waiting")
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_cubes_outlive_a_run_that_is_ended(number: int) -> None:
    Path("go").touch()
    assert code_of(*SAVING) == 0
    whole, written = io.loadmat(CUBES), CUBES.read_bytes()
    Path("go").unlink()
    Path("calls").unlink()
    assert ended([number], *SAVING)[0] == (143 if number == signal.SIGTERM else -9)
    assert CUBES.read_bytes() == written  # no part takes its place
    assert len(list(CUBES.with_name(f"{CUBES.name}.unfinished").glob("[0-9].npz"))) == 2
    Path("go").touch()
    assert code_of(*SAVING) == 0
    assert len(Path("calls").read_text()) == 4
    again = io.loadmat(CUBES)
    assert np.array_equal(again["sr"], whole["sr"])
    assert np.array_equal(again["gt"], whole["gt"])
    assert not list(Path("saved").rglob("*.unfinished*"))
    assert not list(Path("saved").rglob(".*"))
    assert list(Path("tmp").iterdir()) == []


@pytest.mark.slow
def test_a_scene_without_its_cube_is_fused_again() -> None:
    ended([signal.SIGTERM], *SAVING)
    (CUBES.with_name(f"{CUBES.name}.unfinished") / "1.npz").write_bytes(b"PK damaged")
    Path("go").touch()
    assert code_of(*SAVING) == 0
    assert len(Path("calls").read_text()) == 5
    assert io.loadmat(CUBES)["sr"].shape[0] == 3


@pytest.mark.slow
def test_two_at_once_one_is_refused_and_told_of_the_other() -> None:
    first = start(*RUN)
    wait_for("waiting")
    second = start(*RUN)
    _, said = second.communicate(timeout=60)
    assert second.returncode == 1
    assert "slow-slow.json is being written by another process: hsbench run --methods slow.py:slow" in said
    assert f"(process {first.pid} on " in said
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=60)
    assert first.returncode == 143


def test_ctrl_c_while_it_starts_is_a_line() -> None:
    for after in (0.08, 0.15, 0.25):
        process = start("list", "methods")
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        if process.returncode == 0:
            continue
        # before our first line runs, it is Python's own affair
        if "__main__.py" in said or "Error: " in said:
            assert "Traceback" not in said
            assert process.returncode == 130


def test_an_import_is_not_interrupted() -> None:
    Path("sticky.py").write_text(
        "import os, signal, time\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(0.3)\n"
        "except KeyboardInterrupt as error:\n"
        "    raise ImportError('as code in C does') from error\n"
        "def method(observation): raise AssertionError\n"
    )
    process = start("--debug", "run", "--methods", "sticky.py:method", "--dataset", "demo", "--scale", "4")
    _, said = process.communicate(timeout=60)
    assert (process.returncode, "as code in C does" in said) == (143, False), said
    assert "Error: ended by SIGTERM" in said


def test_what_is_uninterrupted_is_done_wholly() -> None:
    done = []

    def work() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")
        done.append("more")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_children_end_with_their_command(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSBENCH_DATA", str(tmp_path))  # of other data sets than this one, which needs none
    Path("queue.toml").write_text(
        '[common]\ndataset = "demo"\nscale = 4\n[[training]]\nmethod = "ssfcnn"\nsteps = 4000\nkeep = "float32"\n'
        "set = { patch = 16, stride = 16, batch_size = 2 }\n"
    )
    process = start("weights", "make", "queue.toml", "--device", "cpu", "--work", "work")
    wait_for("work/ssfcnn/demo-x4.csv")
    while len(Path("work/ssfcnn/demo-x4.csv").read_text().splitlines()) < 2:  # a step is made
        time.sleep(0.05)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == (143 if number == signal.SIGTERM else -9)
    deadline = time.monotonic() + 60
    while True:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        assert time.monotonic() < deadline, "a child lives on"
        time.sleep(0.1)
    assert Path("work/ssfcnn/demo-x4.state").is_file()
