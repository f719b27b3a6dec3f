"""Processes of ours end with the one that started them, run no code of the folder, and cost a row when they die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from hsfusion_bench import memory
from hsfusion_bench.children.calling import DiedError, call
from hsfusion_bench.children.supervised import supervised
from hsfusion_bench.cli import main
from hsfusion_bench.errors import HsbenchError, UsageError, out_of_memory

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def abort() -> None:
    os.abort()


def leave(code: int) -> None:
    os._exit(code)


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def raises(error: BaseException) -> None:
    raise error


def leaves(code: int) -> None:
    raise SystemExit(code)  # made there: libraries of other tests may pickle it otherwise


@posix
@pytest.mark.parametrize(
    ("function", "arguments", "told"),
    [
        (abort, (), "it aborted (SIGABRT)"),
        (os.kill, (0, 0), ""),
        (leave, (0,), "it ended the process it ran in, with exit code 0"),
        (leave, (7,), "it ended the process it ran in, with exit code 7"),
        (sleep, (60.0,), "stopped after 1 s"),
    ],
)
def test_a_call_that_dies_says_how(function: Callable[..., None], arguments: tuple[object, ...], told: str) -> None:
    if not told:
        assert call(function, *arguments) is None  # the control: it comes back
        return
    with pytest.raises(DiedError) as caught:
        call(function, *arguments, time_limit=1.0 if function is sleep else None)
    assert str(caught.value) == told


def test_what_a_call_raises_comes_as_it_is_or_as_one_line() -> None:
    with pytest.raises(UsageError, match=r"^no such thing$"):
        call(raises, UsageError("no such thing"))
    with pytest.raises(HsbenchError, match=r"^it asked Python to end \(SystemExit: 0\)$"):
        call(leaves, 0)
    with pytest.raises(HsbenchError, match=r"^ValueError: two lines$"):
        call(raises, ValueError("two\nlines"))
    assert call(sleep, 0.0) == 0.0


# -- nobody is left behind


def gone(pids: list[int], seconds: float) -> list[int]:
    """Return those that still run after so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(_runs(pid) for pid in pids):
        time.sleep(0.05)
    return [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def below(pid: int, count: int, seconds: float = 60) -> list[int]:
    """Wait until a process has so many others below it, and return them."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = [child.pid for child in psutil.Process(pid).children(recursive=True)]
        if len(found) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{pid} has not started {count} processes")


def hsbench(*arguments: str, **more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "hsfusion_bench", *arguments]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)  # type: ignore[call-overload,no-any-return]


@posix
def test_killing_the_parent_ends_the_method_that_is_measured(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\ndef slow(observation):\n    time.sleep(600)\n")
    with hsbench("cost", "--methods", "./slow.py:slow", "--size", "64", "--device", "cpu", cwd=tmp_path) as process:
        children = below(process.pid, 1)
        process.kill()
    assert not gone(children, 5)


@posix
def test_killing_the_parent_ends_the_workers_that_score(tmp_path: Path) -> None:
    import h5py
    import numpy as np

    with h5py.File(tmp_path / "big.mat", "w") as file:
        values = np.random.default_rng(0).random((4, 31, 256, 256))
        for name in ("gt", "sr"):
            file[name] = values.T  # MATLAB reads it as [B, C, H, W]
    with hsbench("score", "big.mat", "--ratio", "4", "--workers", "2", cwd=tmp_path) as process:
        children = below(process.pid, 2)
        process.kill()
    assert not gone(children, 5)


@posix
@pytest.mark.parametrize("grace", [0, 5])
def test_killing_the_parent_ends_a_supervised_command_and_what_it_started(grace: int) -> None:
    code = f"""
        from hsfusion_bench.children.supervised import supervised
        with supervised(["sh", "-c", "sleep 600 & sleep 600; true"], grace={grace}) as process:
            print("started", flush=True)
            process.wait()
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        children = below(process.pid, 4)  # supervisor, shell, two of sleep
        process.kill()
    assert not gone(children, 5 + grace)


@posix
def test_a_supervised_command_ends_as_it_ends() -> None:
    for command, code in (("exit 3", 3), ("kill -9 $$", -9), ("kill -15 $$", -15), ("exit 0", 0)):
        with supervised(["sh", "-c", command]) as process:
            process.wait()
        assert process.returncode == code, command
    with pytest.raises(HsbenchError, match="no-such-program cannot be started"), supervised(["no-such-program"]):
        pass


@posix
def test_a_supervised_command_has_time_to_save_what_it_must(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    program = f"trap 'sleep 0.3; echo saved > {kept}; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    with supervised(["sh", "-c", program], grace=10, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
    assert kept.read_text() == "saved\n"


# -- no code of the current folder

_MODULES = (
    "numpy",
    "struct",
    "torch",
    "click",
    "json",
    "random",
    "scipy",
    "h5py",
    "psutil",
    "rich",
    "tempfile",
    "yaml",
)
_VERBS = (
    ("list", "methods"),
    ("list", "metrics"),
    ("show", "bicubic"),
    ("cost", "--methods", "bicubic", "--size", "32", "--device", "cpu"),
    (
        "run",
        "--methods",
        "bicubic,./mine.py:mine",
        "--dataset",
        "demo",
        "--scale",
        "4",
        "--scenes",
        "figs",
        "--no-timing",
        "--device",
        "cpu",
    ),
    ("score", "pair.mat", "--ratio", "4", "--workers", "2"),
    ("data", "list"),
    ("data", "check", "demo"),
    ("leaderboard", "--dataset", "cave", "--scale", "4"),
    ("weights", "list"),
    ("train", "ssrnet", "--dataset", "demo", "--scale", "4", "--max-steps", "1", "--device", "cpu"),
)


@pytest.mark.parametrize("verb", _VERBS, ids=" ".join)
def test_no_verb_runs_a_module_of_the_current_folder(verb: tuple[str, ...], tmp_path: Path) -> None:
    import numpy as np
    from scipy.io import savemat

    for name in _MODULES:
        hostile = f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})\nraise SystemExit(0)\n"
        (tmp_path / f"{name}.py").write_text(hostile)
    (tmp_path / "mine.py").write_text(
        "import numpy as np\ndef mine(observation):\n    return np.zeros(observation.shape, np.float32)\n"
    )
    values = np.random.default_rng(0).random((2, 4, 64, 64))
    savemat(tmp_path / "pair.mat", {"gt": values, "sr": values * 0.9})
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"}
    for start in (["-P", "-m", "hsfusion_bench"], ["-m", "hsfusion_bench"], _script()):
        command = [sys.executable, *start, *verb]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert not (tmp_path / "ran").exists(), (start, (tmp_path / "ran").read_text())
        assert done.returncode == 0, (start, done.stderr)
        if start[0] == "-P" and verb[0] not in ("score", "cost", "run"):
            break  # without processes of its own a verb does not differ from the others by how it is started


def _script() -> list[str]:
    """Return what starts the console script as an installer writes it, without the current folder on the path."""
    return ["-c", "import sys; sys.path.remove(''); from hsfusion_bench.cli import main; main(prog_name='hsbench')"]


# -- strangers' methods

_STRANGERS = """
import os, sys, time
import numpy as np
from hsfusion_bench.methods import Card, Method

def good(observation):
    print("a word to the standard output")
    return np.full(observation.shape, 0.5, np.float32)

def aborts(observation):
    os.abort()

def leaves(observation):
    os._exit(0)

def asks_to_end(observation):
    sys.exit(0)

class Worst(BaseException):
    pass

def worst(observation):
    raise Worst("not an Exception")

def eats(observation):
    raise MemoryError

class Cardless(Method):
    def fuse(self, observation):
        return observation

class WrongCard(Method):
    card = {"name": "wrong"}
    def fuse(self, observation):
        return observation

class Fussy(Method):
    card = Card(name="fussy", title="Fussy", family="custom")
    def __init__(self):
        sys.exit(3)
    def fuse(self, observation):
        return observation
"""


def test_whatever_a_strangers_method_does_costs_its_row_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(_STRANGERS)
    Path("ends.py").write_text("import os\nos._exit(0)\n")
    Path("forever.py").write_text("import time\nwhile True:\n    time.sleep(1)\n")
    monkeypatch.setattr("hsfusion_bench.studies.apart.IMPORT_LIMIT", 15.0)
    told = {
        "mine:aborts": "it aborted (SIGABRT)",
        "mine:leaves": "it ended the process it ran in, with exit code 0",
        "mine:asks_to_end": "failed on scene figs: it asked Python to end (SystemExit: 0)",
        "mine:worst": "failed on scene figs: Worst: not an Exception",
        "mine:eats": "failed on scene figs: out of memory",
        "mine:Cardless": "mine.py:Cardless has no card; it needs card = hsfusion_bench.methods.Card(",
        "mine:WrongCard": "mine.py:WrongCard has a card that is a dict; it needs card = ",
        "mine:Fussy": "mine.py:Fussy cannot be made without arguments: it asked Python to end (SystemExit: 3)",
        "ends:any": "it ended the process it ran in, with exit code 0",
        "forever:any": "stopped after 15 s",
    }
    specs = [f"./{name.replace(':', '.py:')}" for name in told]
    methods = ",".join([*specs[:5], "bicubic", *specs[5:], "./mine.py:good"])
    task = ["--dataset", "demo", "--scale", "4", "--scenes", "figs", "--no-timing", "--results-dir", "results"]
    done = CliRunner().invoke(main, ["run", "--methods", methods, *task, "--device", "cpu"])
    assert done.exit_code == 1, done.output
    assert "Traceback" not in done.output
    assert "a word to the standard output" not in done.stdout
    records = {}
    for path in Path("results").glob("*/*.json"):
        record = json.loads(path.read_text())
        records[record["method"]["name"]] = record
    assert {name for name, record in records.items() if record["status"] == "ok"} == {"bicubic", "mine:good"}
    for name, reason in told.items():
        assert reason in records[name]["error"], name
        assert reason in done.stderr.replace("\n", " "), name


def test_a_strangers_setting_is_refused_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(_STRANGERS)
    task = ["--dataset", "demo", "--scale", "4", "--no-timing", "--results-dir", "results"]
    done = CliRunner().invoke(main, ["run", "--methods", "bicubic,./mine.py:good", "--set", "mine:good.x=1", *task])
    assert done.exit_code == 2, done.output
    assert "'x'" in done.output
    assert not Path("results").exists()


# -- memory


def test_out_of_memory_is_one_line_with_what_was_asked_for() -> None:
    import numpy as np
    import torch

    with pytest.raises(MemoryError) as caught:
        np.empty((2**40, 31), np.float64)
    assert out_of_memory(caught.value) == (
        "out of memory: Unable to allocate 248. TiB for an array with shape (1099511627776, 31) and data type float64"
    )
    with pytest.raises(RuntimeError) as of_torch:
        torch.empty(2**45)
    assert out_of_memory(of_torch.value) == "out of memory: 140737488355328 bytes were asked for at once"
    assert out_of_memory(RuntimeError("shapes cannot be multiplied")) is None


def test_free_memory_is_what_the_control_groups_leave(tmp_path: Path) -> None:
    def group(folder: str, most: str, used: int, cached: int, names: tuple[str, str, str]) -> None:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for name, text in zip(names, (most, str(used), f"anon 1\n{names[2]} {cached}"), strict=True):
            (tmp_path / folder / ("memory.stat" if name == names[2] else name)).write_text(f"{text}\n")

    second = ("memory.max", "memory.current", "inactive_file")
    group("two/job/step", "max", 500, 0, second)
    group("two/job", "1000", 700, 100, second)
    proc = tmp_path / "cgroup"
    proc.write_text("0::/job/step\n")
    assert list(memory.of_cgroups(proc, tmp_path / "two")) == [400]
    first = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    group("one/memory/a", "3000", 1000, 5, first)
    proc.write_text("4:memory:/a\n3:cpuset:/\n0::/\n")
    assert list(memory.of_cgroups(proc, tmp_path / "one")) == [2005]
    assert list(memory.of_cgroups(tmp_path / "none", tmp_path)) == []


@posix
def test_free_memory_is_what_the_rlimits_leave() -> None:
    code = """
        import resource
        from hsfusion_bench.memory import available
        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
        print(available())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert 2**28 < int(done.stdout) < 2**30


@posix
def test_a_run_short_of_memory_says_so_in_one_line(tmp_path: Path) -> None:
    cost = "cost --size 16384 --methods bicubic --device cpu"
    command = f"ulimit -v 3000000; exec {sys.executable} -P -m hsfusion_bench {cost}"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert "Traceback" not in done.stderr + done.stdout
    assert "out of memory: Unable to allocate" in done.stderr


# -- plugins in the list


def test_a_plugin_that_ends_the_process_costs_one_line_of_the_list(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("import os\nprint('noise')\nos.abort()\n")
    (tmp_path / "fine.py").write_text(
        "from hsfusion_bench.methods import Card, Method\n"
        "class Fine(Method):\n"
        "    card = Card(name='fine', title='Fine One', family='custom')\n"
        "    def fuse(self, observation):\n"
        "        return observation\n"
    )
    about = tmp_path / "evil-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[hsfusion_bench.methods]\nevil = evil:Evil\nfine = fine:Fine\n")
    paths = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-P", "-m", "hsfusion_bench", "list", "methods", "--json"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    listed = {each["name"]: each for each in json.loads(done.stdout)}
    assert listed["fine"]["title"] == "Fine One"
    assert listed["evil"]["error"] == "method 'evil' of evil 1.0: it aborted (SIGABRT)"
    assert listed["bicubic"]["error"] is None
    assert "noise" not in done.stderr
