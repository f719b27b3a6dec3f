"""A workaround for wrong first results of vectorised functions on the CPU."""

from __future__ import annotations

from functools import cache

import torch

__all__ = ["settle_vector_math"]

_FUNCTIONS = (torch.cos, torch.sin, torch.exp, torch.log, torch.sqrt, torch.tanh, torch.erf)


@cache
def settle_vector_math() -> None:
    """Call each vectorised function once on one number, so that every later result is exact and repeatable.

    Torch on x86 calls oneMKL, which chooses the kernel of a function when the function is first called. When several
    threads make that first call together, one of them may run a kernel of low accuracy: errors of 2e-4 in a float32
    sine, in perhaps one process of thirty (PyTorch issue 188792; oneMKL before 2025.0). A single number is
    computed by one thread.
    """
    for dtype in (torch.float32, torch.float64):
        one = torch.ones(1, dtype=dtype)
        for function in _FUNCTIONS:
            function(one)
