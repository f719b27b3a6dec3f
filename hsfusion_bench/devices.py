"""Where networks compute."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Final, Literal, TypeAlias

from hsfusion_bench.errors import UsageError

Device: TypeAlias = Literal["cpu", "cuda"]

#: The library of NVIDIA's driver, and what AMD's driver is reached by, which torch calls CUDA, too.
_NVIDIA: Final = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}
_AMD: Final = Path("/dev/kfd")


def choose_device(wanted: str, *, networks: bool = True) -> Device:
    """Return "cpu" or "cuda"; "auto" takes CUDA where it is.

    Parameters
    ----------
    wanted
        "auto", "cpu" or "cuda".
    networks
        Whether a network may be among what is to be computed. Where none is, "auto" is the CPU, and torch, which alone
        knows of CUDA, is not imported.

    Raises
    ------
    UsageError
        If the device is not one of these, or torch sees no CUDA device where one is asked for.
    """
    if wanted == "cpu":
        return "cpu"
    if wanted not in ("auto", "cuda"):
        raise UsageError(f"there is no device {wanted!r}; there are auto, cpu and cuda")
    if wanted == "auto" and not (networks and _has_driver()):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise UsageError("device cuda: torch sees no CUDA device here; cpu runs everywhere")
    return "cpu"


def _has_driver() -> bool:
    """Whether a GPU's driver is here: without one torch sees no device, and to import torch takes a second."""
    if _AMD.exists():
        return True
    try:
        ctypes.CDLL(_NVIDIA[sys.platform])
    except (KeyError, OSError):
        return False
    return True
