"""Where networks compute."""

from __future__ import annotations

from typing import Literal, TypeAlias

from hsfusion_bench.errors import UsageError

Device: TypeAlias = Literal["cpu", "cuda"]


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
    if wanted == "auto" and not networks:
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise UsageError("device cuda: torch sees no CUDA device here; cpu runs everywhere")
    return "cpu"
