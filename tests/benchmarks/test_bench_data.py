"""Reading CAVE: one scene with one thread and with several, and the eleven test scenes, from folders and the archive.

Run `pytest tests/benchmarks/test_bench_data.py -s` with HSBENCH_DATA naming the folder of the database.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

from hsfusion_bench.data.cached import CachedSource
from hsfusion_bench.data.observing.protocols import load_protocol
from hsfusion_bench.data.sources.cave import CaveSource
from hsfusion_bench.data.sources.pngs import BandFile, read_bands
from hsfusion_bench.data.task import plan_scenes

pytestmark = pytest.mark.benchmark(group="reading CAVE")
SCENE_BYTES = 31 * 512 * 512 * 4


@pytest.fixture(scope="module")
def root() -> Path:
    folder = os.environ.get("HSBENCH_DATA")
    if not folder:
        pytest.skip("HSBENCH_DATA names no folder of CAVE scenes")
    return Path(folder)


@pytest.fixture(scope="module")
def names(root: Path) -> tuple[str, ...]:
    found = plan_scenes(CaveSource(root), load_protocol("uestc")).present
    if not found:
        pytest.skip("HSBENCH_DATA has none of the test scenes")
    return found


@pytest.fixture(scope="module")
def bands(root: Path, names: tuple[str, ...]) -> list[BandFile]:
    paths = CaveSource(root).files(names[0])
    return [BandFile(str(path), path.name, path.read_bytes) for path in paths]


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_threads(benchmark: object, bands: list[BandFile], workers: int) -> None:
    benchmark.pedantic(
        read_bands, args=(bands,), kwargs={"eight_bit": False, "workers": workers}, rounds=7, warmup_rounds=1
    )


def test_two_threads_are_faster_than_one(bands: list[BandFile]) -> None:
    """Take turns, so that whatever else runs on the machine slows both."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two processors")
    busy = os.getloadavg()[0]
    times: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(9):
        for workers, seconds in times.items():
            start = perf_counter()
            read_bands(bands, eight_bit=False, workers=workers)
            seconds.append(perf_counter() - start)
    ratio = min(times[1]) / min(times[2])
    print(
        f"\none scene: {1e3 * min(times[1]):.0f} ms with one thread, {ratio:.2f} times faster with two; load {busy:.1f}"
    )
    if busy > 1:
        pytest.skip(f"other processes use the processors (load {busy:.1f}), which leaves none to a second thread")
    assert ratio > 1.2


def test_the_test_scenes(root: Path, names: tuple[str, ...]) -> None:
    source = CaveSource(root)
    for again in ("decoded", "mapped again"):
        with CachedSource(source) as kept:
            for name in names if again == "mapped again" else ():
                kept.read(name)
            start = perf_counter()
            for name in names:
                float(kept.read(name).sum())  # touches every value
            print(f"\n{len(names)} test scenes, {again}: {perf_counter() - start:.2f} s")


def test_reading_holds_less_than_three_scenes(root: Path, names: tuple[str, ...]) -> None:
    tracemalloc.start()
    with CachedSource(CaveSource(root)) as kept:
        for name in (*names, *names):
            kept.read(name)
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"\npeak of reading {len(names)} scenes twice: {peak / SCENE_BYTES:.2f} scenes")
    assert peak < 3 * SCENE_BYTES


def test_a_process_that_reads_all_stays_small(root: Path, names: tuple[str, ...]) -> None:
    """The system's own count, which knows of decoders' memory, too."""
    if not Path("/proc/self/status").exists():
        pytest.skip("needs Linux")
    program = (
        "import re, sys; from pathlib import Path; from hsfusion_bench.data.sources.cave import CaveSource\n"
        "source = CaveSource(Path(sys.argv[1]))\n"
        "for name in sys.argv[2:]: source.read(name)\n"
        "print(re.search(r'VmHWM:\\s*(\\d+) kB', Path('/proc/self/status').read_text())[1])"
    )
    peaks = [
        1024 * int(subprocess.run([sys.executable, "-c", program, root, *some], capture_output=True, check=True).stdout)
        for some in ((), names)
    ]
    print(f"\npeak of a process that reads {len(names)} scenes: {(peaks[1] - peaks[0]) / SCENE_BYTES:.2f} scenes more")
    assert 0.5 * SCENE_BYTES < peaks[1] - peaks[0] < 3 * SCENE_BYTES


def test_the_archive_beside_the_folder(root: Path, names: tuple[str, ...], tmp_path: Path) -> None:
    source = CaveSource(root)
    with zipfile.ZipFile(tmp_path / "complete_ms_data.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in source.files(names[0]):
            archive.write(path, f"{names[0]}_ms/{names[0]}_ms/{path.name}")
    archived = CaveSource(tmp_path)
    times: dict[str, list[float]] = {"folder": [], "archive": []}
    for _ in range(5):
        for kind, one in (("folder", source), ("archive", archived)):
            start = perf_counter()
            one.read(names[0])
            times[kind].append(perf_counter() - start)
    ratio = np.median(times["archive"]) / np.median(times["folder"])
    print(f"\na scene from the archive takes {ratio:.2f} times as long as from its folder")
    assert ratio < 2
