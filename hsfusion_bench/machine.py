"""What of a machine may change the last digits of a result: its CPU, and what the libraries make of it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import numpy as np

#: Variables that say how many threads OpenBLAS takes, the first that is set.
_BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
#: Makes OpenBLAS take the kernels of another CPU.
_BLAS_CORE = "OPENBLAS_CORETYPE"


def cpu_name() -> str:
    """Return the CPU's name as the maker gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def of_numpy() -> dict[str, str]:
    """Say what NumPy and SciPy compute with: CPU, vector instructions, BLAS and its threads."""
    build = np.show_config(mode="dicts")
    assert build is not None  # as the mode asks
    blas = build.get("Build Dependencies", {}).get("blas", {})
    told = f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
    core = os.environ.get(_BLAS_CORE)
    threads = next((os.environ[name] for name in _BLAS_THREADS if os.environ.get(name)), str(cores()))
    return {
        "cpu": cpu_name(),
        "numpy-simd": " ".join(build.get("SIMD Extensions", {}).get("found", [])) or "baseline",
        "blas": f"{told}, kernels of {core}" if core else told,
        "blas-threads": threads,
    }


def of_training(device: str) -> dict[str, str]:
    """Say what the numbers of trained weights depend on, besides the versions.

    NumPy and SciPy observe the training scenes; torch trains. Both sum in an order that threads and instructions
    decide, and training amplifies the rounding.
    """
    return {**of_numpy(), **of_torch(device)}


def of_torch(device: str) -> dict[str, str]:
    """Say what torch computes with on a device: the GPU, or the instructions and threads of the CPU."""
    import torch

    if device == "cuda":
        return {"gpu": torch.cuda.get_device_name(), "cuda": str(torch.version.cuda)}
    return {"torch-simd": torch.backends.cpu.get_cpu_capability(), "torch-threads": str(torch.get_num_threads())}
