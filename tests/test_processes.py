"""Samples dealt out to processes, and what may go wrong with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
from scipy import io

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.matlab.batches import score_file
from hsfusion_bench.matlab.processes import dealt
from hsfusion_bench.studies.engines import local, serial


def numbered(number: int) -> list[np.ndarray]:
    return [np.full((1, 2), float(number))]


def total(image: np.ndarray, workers: int) -> tuple[float, int, int]:
    return float(image.sum()), workers, os.getpid()


def refuse_the_third(image: np.ndarray, workers: int) -> None:
    if image[0, 0] == 2:
        raise ValueError("it is the third")


def end_itself(image: np.ndarray, workers: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class TestDealt:
    @pytest.mark.parametrize(("workers", "threads"), [(1, 1), (2, 1), (9, 3)])
    def test_results_come_in_order_from_other_processes(self, workers: int, threads: int) -> None:
        sums, shares, processes = zip(*dealt(Path("x"), numbered, 3, total, workers=workers), strict=True)
        assert sums == (0.0, 2.0, 4.0)
        assert set(shares) == {threads}
        assert (os.getpid() in processes) == (workers == 1)

    @pytest.mark.parametrize("workers", [1, 2])
    def test_a_refused_sample_is_named(self, workers: int) -> None:
        with pytest.raises(HsbenchError, match=r"x\.mat: sample 3 cannot be scored: it is the third"):
            list(dealt(Path("x.mat"), numbered, 4, refuse_the_third, workers=workers))

    def test_a_process_that_dies_is_a_message(self) -> None:
        with pytest.raises(HsbenchError, match="ended from outside before sample 1 was scored"):
            list(dealt(Path("x.mat"), numbered, 4, end_itself, workers=2))

    def test_any_executor_will_do(self) -> None:
        expected = list(dealt(Path("x"), numbered, 5, total, workers=1))
        with ThreadPoolExecutor(2) as threads, serial() as engine:
            for executor in (threads, engine):
                assert list(dealt(Path("x"), numbered, 5, total, workers=1, executor=executor)) == expected
                with pytest.raises(HsbenchError, match=r"x: sample 3 cannot be scored: it is the third"):
                    list(dealt(Path("x"), numbered, 5, refuse_the_third, workers=1, executor=executor))

    @pytest.mark.slow
    def test_workers_of_dask_score_what_processes_do(self) -> None:
        cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers know no tests
        try:
            with local(2, gpus=0) as engine:
                found = list(dealt(Path("x"), numbered, 5, total, workers=2, executor=engine))
                assert [row[0] for row in found] == [0.0, 2.0, 4.0, 6.0, 8.0]
                with pytest.raises(HsbenchError, match="ended from outside before sample 1 was scored"):
                    list(dealt(Path("x"), numbered, 1, end_itself, workers=2, executor=engine))
        finally:
            cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def test_without_room_for_the_samples_it_says_where(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((2, 3, 64, 64))
    io.savemat(tmp_path / "a.mat", {"gt": images, "sr": images})
    program = (
        "import resource\n"
        "from hsfusion_bench.errors import HsbenchError\n"
        "from hsfusion_bench.matlab.batches import score_file\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        f"    list(score_file({str(tmp_path / 'a.mat')!r}, ratio=4))\n"
        "except HsbenchError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "could not be written: File too large; the environment variable TMPDIR" in done.stdout


def test_processes_change_no_bit(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    gt = random.random((3, 3, 40, 35))
    io.savemat(tmp_path / "a.mat", {"gt": gt, "sr": gt + random.normal(0, 0.01, gt.shape)})
    alone = list(score_file(tmp_path / "a.mat", ratio=4))
    assert list(score_file(tmp_path / "a.mat", ratio=4, workers=2)) == alone
