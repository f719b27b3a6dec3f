"""What makes a torch computation repeatable and of full precision."""

from __future__ import annotations

from functools import cache


@cache
def make_deterministic() -> None:
    """Settle, once a process and before any network runs, how torch computes.

    On CUDA: float32 proper (no TF32), and no search for the fastest algorithm of the day.

    On x86: torch calls oneMKL, which chooses the kernel of a function when that is first called. When several threads
    make the first call together, one of them may run a kernel of low accuracy: errors of 2e-4 in a float32 sine, in
    perhaps one process of thirty (PyTorch issue 188792; oneMKL before 2025.0). A call on a single number is made by
    one thread, so each function is called once on one.
    """
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    for dtype in (torch.float32, torch.float64):
        one = torch.ones(1, dtype=dtype)
        for function in (torch.cos, torch.sin, torch.exp, torch.log, torch.sqrt, torch.tanh, torch.erf):
            function(one)
