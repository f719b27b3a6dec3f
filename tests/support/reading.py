"""Readers of every kind of file, run in a process of their own, which tells how each reading ended.

A reader may kill its process, take all memory or never end; the process that asks sees that, and starts another. It
serves as ``python reading.py MEGABYTES SECONDS``: a line of JSON for each request, and a line for the answer.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


def arrays(path: Path) -> None:
    """Read every array whole, and as data sets of one cube and of samples are read."""
    from hsfusion_bench.errors import HsbenchError
    from hsfusion_bench.formats.arrays import open_arrays

    with open_arrays(path) as found:
        refused = []
        for array in found.values():
            try:
                array.read(tuple(slice(None) for _ in array.shape))
            except HsbenchError as error:
                refused.append(error)
    if refused:
        raise refused[0]
    cube(path)


def cube(path: Path) -> None:
    from hsfusion_bench.data.sources.cube import CubeSource

    source = CubeSource(str(path))
    source.read(source.scene_names()[0])


def samples(path: Path) -> None:
    from hsfusion_bench.data.sources.hdf5 import HDF5Source

    source = HDF5Source(str(path))
    source.read(source.scene_names()[0])
    source.stored_observation(source.scene_names()[0])


def batches(path: Path) -> None:
    """Read a file as MATLAB's script does."""
    from hsfusion_bench.matlab.batches import open_batches

    with open_batches(path) as pairs:
        for _ in pairs:
            pass


def description(path: Path) -> None:
    from hsfusion_bench.data.sources.described import open_description

    source = open_description(path, path.parent)
    source.read(source.scene_names()[0])


def protocol(path: Path) -> None:
    from hsfusion_bench.data.observing.protocols import load_protocol

    load_protocol(str(path))


def queue(path: Path) -> None:
    from hsfusion_bench.training.queue import read_queue

    read_queue(path)


def golden(path: Path) -> None:
    from hsfusion_bench.matlab.goldens import read

    read(path)


def response(path: Path) -> None:
    from hsfusion_bench.data.observing.response_files import read_response

    read_response(path)


def record(path: Path) -> None:
    from hsfusion_bench.runs.records import read_record

    read_record(path)


def weights(path: Path) -> None:
    from hsfusion_bench.methods.weights import _open_ours

    _open_ours(path)


def checkpoint(path: Path) -> None:
    from hsfusion_baselines.blocks.checkpoint import load_plain
    from hsfusion_bench.errors import HsbenchError

    try:
        load_plain(path)
    except ValueError as error:  # as methods turn it into a message
        raise HsbenchError(str(error)) from error


def state(path: Path) -> None:
    from hsfusion_bench.training.state import read_state

    read_state(path, {})


def png(path: Path) -> None:
    from hsfusion_bench.data.sources.pngs import BandFile, read_bands

    read_bands([BandFile(str(path), path.name, path.read_bytes)], eight_bit=True, workers=1)


def archive(path: Path) -> None:
    from hsfusion_bench.data.sources.archives import Archive

    opened = Archive(path)
    for name in opened.names:
        opened.read(name)


def unpacked(path: Path) -> None:
    from hsfusion_bench.data.download import unpack

    root = path.parent / "unpacked"
    root.mkdir()
    unpack(path, root)


READERS: dict[str, Callable[[Path], None]] = {
    reader.__name__: reader
    for reader in (
        arrays,
        cube,
        samples,
        batches,
        description,
        protocol,
        queue,
        golden,
        response,
        record,
        weights,
        checkpoint,
        state,
        png,
        archive,
        unpacked,
    )
}


class Answer(NamedTuple):
    """How a reading ended.

    Attributes
    ----------
    outcome
        "ok", "refused" by a message of ours, or the fault: an exception, a signal, "time" or "left behind".
    text
        The message.
    seconds, megabytes
        What it took.
    """

    outcome: str
    text: str
    seconds: float
    megabytes: float


class Reading:
    """The process of readers, from the side that asks.

    Parameters
    ----------
    folder
        Where it keeps its temporary files.
    megabytes, seconds
        Memory that may be taken beyond what the libraries have, and time of one reading.
    """

    def __init__(self, folder: Path, megabytes: int = 2000, seconds: float = 20, **environment: str) -> None:
        self._folder, self._limits = folder, (megabytes, seconds)
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None

    def read(self, reader: str, path: Path) -> Answer:
        """Let a reader read a file."""
        if self._process is None:
            temporary = self._folder / "temporary"
            temporary.mkdir(exist_ok=True)
            self._process = subprocess.Popen(
                [sys.executable, __file__, *map(str, self._limits)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1", **self._environment},
                text=True,
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([reader, str(path)]) + "\n")
        process.stdin.flush()
        begun = time.monotonic()
        # what a library in C does not end by a signal, is ended
        ready, _, _ = select.select([process.stdout], [], [], 90 + 3 * self._limits[1])
        line = process.stdout.readline() if ready else ""
        if not line:
            self.close(kill=True)
            return Answer(f"process ended ({process.returncode})", "", time.monotonic() - begun, 0)
        return Answer(*json.loads(line))

    def close(self, *, kill: bool = False) -> None:
        """End the process."""
        if self._process is None:
            return
        if kill:
            self._process.kill()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()
        self._process = None


class _LateError(BaseException):
    pass


def _late(*_: object) -> None:
    raise _LateError


def _of_status(name: str) -> float:
    """Return a size of this process in megabytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def _listed(*folders: Path) -> set[Path]:
    return {path for folder in folders for path in folder.rglob("*")}


def _answer(reader: str, path: Path, seconds: float) -> Answer:
    from hsfusion_bench.errors import HsbenchError

    temporary = Path(tempfile.gettempdir())
    there = _listed(path.parent, temporary)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, begun = _of_status("VmRSS"), time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        READERS[reader](path)
        outcome, text = "ok", ""
    except HsbenchError as error:
        outcome, text = "refused", str(error)
    except _LateError:
        outcome, text = "time", f"more than {seconds} s"
    except BaseException as error:
        frame = error.__traceback__
        places = []
        while frame is not None:
            places.append(f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}")
            frame = frame.tb_next
        outcome, text = type(error).__name__, f"{error} at {' < '.join(places[::-1][:6])}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    took = time.monotonic() - begun
    left = _listed(path.parent, temporary) - there
    if left and reader != "unpacked" and outcome in ("ok", "refused"):
        outcome, text = "left behind", ", ".join(map(str, left))
    return Answer(outcome, text, took, _of_status("VmHWM") - before)


def _serve(megabytes: int, seconds: float) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import torch  # noqa: F401
    import zarr  # noqa: F401
    from scipy import io  # noqa: F401

    import hsfusion_bench.data.sources.described
    import hsfusion_bench.training.queue  # noqa: F401

    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("error")
    signal.signal(signal.SIGALRM, _late)
    limit = int((_of_status("VmSize") + megabytes) * 2**20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for line in sys.stdin:
        reader, path = json.loads(line)
        answers.write(json.dumps(_answer(reader, Path(path), seconds)) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), float(sys.argv[2]))
