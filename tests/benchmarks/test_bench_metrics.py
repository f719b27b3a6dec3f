"""The seven indexes beside the MATLAB script in Octave, on one pair of the size of a CAVE scene.

Run `pytest tests/benchmarks/test_bench_metrics.py -s` with HSBENCH_MATLAB_PACKAGE naming the folder of
`analysis_ref_batched_images.m`, and octave-cli with its image package installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

import hsfusion_metrics
from hsfusion_bench.matlab.batches import score_file, write_batches
from hsfusion_metrics import ergas, on_torch, psnr, q2n, sam, scc, score, ssim, uqi

SHAPE = (31, 512, 512)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

pytestmark = pytest.mark.benchmark(group="the seven indexes, 512 x 512 x 31")


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    gt = gaussian_filter(rng.random(SHAPE), (3, 4, 4))
    gt = (gt - gt.min()) / (gt.max() - gt.min())
    return gt, gt + 0.01 * rng.standard_normal(SHAPE)


@pytest.fixture(scope="module")
def package() -> Path:
    folder = os.environ.get("HSBENCH_MATLAB_PACKAGE")
    if not folder:
        pytest.skip("HSBENCH_MATLAB_PACKAGE does not name the folder of the MATLAB test package")
    if not (Path(folder) / "analysis_ref_batched_images.m").is_file():
        pytest.skip(f"there is no analysis_ref_batched_images.m in {folder}")
    if shutil.which("octave-cli") is None:
        pytest.skip("octave-cli is not installed")
    return Path(folder)


@pytest.fixture(scope="module")
def octave(
    package: Path, pair: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], tuple[float, list[float]]]]:
    """Run the script in a warm Octave; gives its seconds, without the start of Octave and a first run."""
    folder = tmp_path_factory.mktemp("octave")
    small = tuple(image[:, :32, :32] for image in pair)
    write_batches(folder / "small.mat", [small], count=1)
    write_batches(folder / "pair.mat", [pair], count=1)
    program = f"""
        pkg load image
        warning off
        analysis_ref_batched_images('{folder}/small.mat', 4, 0, 1);
        tic
        r = analysis_ref_batched_images('{folder}/pair.mat', 4, 0, 1);
        printf('%.17g ', toc, r.psnr(1), r.ssim(1), r.sam(1), r.ergas(1), r.scc(1), r.qave(1), r.qn(1))
    """

    def run() -> tuple[float, list[float]]:
        done = subprocess.run(
            ["octave-cli", "--eval", program], cwd=package, capture_output=True, text=True, check=True
        )
        seconds, *indexes = (float(word) for word in done.stdout.splitlines()[-1].split())
        return seconds, indexes

    return run


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_evaluate(benchmark: object, pair: tuple[np.ndarray, np.ndarray], workers: int) -> None:
    benchmark.pedantic(score, args=pair, kwargs={"ratio": 4, "workers": workers}, rounds=5, warmup_rounds=1)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_file_of_eleven_scenes(
    benchmark: object, pair: tuple[np.ndarray, np.ndarray], tmp_path: Path, workers: int
) -> None:
    path = tmp_path / "eleven.mat"
    write_batches(path, (pair for _ in range(11)), count=11)
    benchmark.pedantic(lambda: list(score_file(path, ratio=4, workers=workers)), rounds=1)


@pytest.mark.parametrize(
    "index",
    [psnr, ssim, sam, partial(ergas, ratio=4), scc, uqi, q2n],
    ids=["psnr", "ssim", "sam", "ergas", "scc", "uqi", "q2n"],
)
def test_one_index(benchmark: object, index: Callable[..., float], pair: tuple[np.ndarray, np.ndarray]) -> None:
    benchmark.pedantic(index, args=pair, rounds=3, warmup_rounds=1)


@pytest.mark.parametrize("index", ["psnr", "ssim", "sam", "scc", "uqi", "q2n"])
def test_one_index_on_tensors(benchmark: object, index: str, pair: tuple[np.ndarray, np.ndarray]) -> None:
    tensors = [torch.from_numpy(image)[None].to(DEVICE) for image in pair]
    found = benchmark.pedantic(lambda: getattr(on_torch, index)(*tensors).item(), rounds=3, warmup_rounds=1)
    assert found == pytest.approx(getattr(hsfusion_metrics, index)(*pair), rel=1e-10)


def test_beside_the_script(
    benchmark: object,
    octave: Callable[[], tuple[float, list[float]]],
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    seconds, expected = octave()
    found = benchmark.pedantic(score, args=pair, kwargs={"ratio": 4}, rounds=5, warmup_rounds=1)
    ratio = seconds / benchmark.stats.stats.median
    benchmark.extra_info.update(octave_seconds=seconds, times_faster=ratio)
    print(f"\nscript in Octave {seconds:.2f} s, score {seconds / ratio:.2f} s: {ratio:.1f} times")
    assert list(found) == pytest.approx(expected, rel=1e-10)


def test_eleven_scenes_beside_the_script(
    benchmark: object, package: Path, pair: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    """The whole command, start and reading included, on a test split of CAVE's size."""
    path = tmp_path / "eleven.mat"
    write_batches(path, (pair for _ in range(11)), count=11)
    ours = [sys.executable, "-m", "hsfusion_bench", "score", str(path), "--ratio", "4", "--workers", "2", "--json"]
    theirs = (
        f"pkg load image; warning off; r = analysis_ref_batched_images('{path}', 4, 0, 1); printf('%.17g', r.psnr(1))"
    )
    started = time.perf_counter()
    script = subprocess.run(["octave-cli", "--eval", theirs], cwd=package, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started
    done = benchmark.pedantic(
        subprocess.run, args=(ours,), kwargs={"capture_output": True, "text": True, "check": True}, rounds=3
    )
    ratio = seconds / benchmark.stats.stats.median
    benchmark.extra_info.update(octave_seconds=seconds, times_faster=ratio)
    print(f"\neleven scenes: Octave {seconds:.1f} s, hsbench score {seconds / ratio:.1f} s: {ratio:.1f} times")
    assert json.loads(done.stdout)["psnr"][0] == pytest.approx(float(script.stdout.splitlines()[-1]), rel=1e-10)


def test_memory(pair: tuple[np.ndarray, np.ndarray]) -> None:
    held = sum(image.nbytes for image in pair)
    tracemalloc.start()
    score(*pair, ratio=4)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"\npair {held / 1e6:.0f} MB, peak with it {(held + peak) / held:.2f} times that")
    assert held + peak < 1.13 * held
