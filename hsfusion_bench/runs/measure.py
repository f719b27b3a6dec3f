"""How long a method takes, how much memory, how many operations.

Wall-clock times mean something only if the device has finished: on CUDA every run is synchronised before the clock
is read, at both ends. A CPU is called a CPU.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from hsfusion_bench.machine import cpu_name
from hsfusion_bench.methods import Cube, Method, Observation
from hsfusion_bench.methods.fusing import fuse_checked
from hsfusion_bench.runs.records import Flops, Latency, Memory, TileInfo

if TYPE_CHECKING:
    import torch

MIN_RUNS = 10
MIN_SECONDS = 2.0
_LOOK_SECONDS = 0.002

COUNTER = "torch.utils.flop_counter.FlopCounterMode (2 per multiply-add)"

# Operators with real arithmetic that the counter passes over. Element-wise work is left out by every such counter.
_HEAVY = ("fft", "grid_sampler", "upsample", "cumsum", "linalg", "sort", "einsum")


def device_name(device: torch.device) -> str:
    """Return the device's name as the maker gives it."""
    if device.type == "cuda":
        import torch

        return torch.cuda.get_device_name(device)
    return cpu_name()


def synchronise(device: torch.device) -> None:
    """Wait until the device has done all it was given."""
    if device.type == "cuda":
        import torch

        torch.cuda.synchronize(device)


@dataclass(frozen=True)
class Measured:
    """One fusion: its result, and what it took."""

    cube: Cube
    flops: Flops | None
    """None of a method without a network, or where they were not counted."""
    memory: Memory | None
    """None where the system does not tell."""
    tiles: TileInfo | None
    """None: the image was fused whole."""


def measure(
    method: Method, observation: Observation, device: torch.device, scene: str, *, count: bool = True
) -> Measured:
    """Fuse once, and count operations and memory meanwhile.

    Parameters
    ----------
    method, observation, device, scene
        What fuses, what, where; the name is for messages.
    count
        Whether operations are counted. Where they are, torch takes its operators apart, and may round otherwise: the
        last bits of the cube may be others.

    Raises
    ------
    HsbenchError
        As `fuse_checked`.
    """
    _, height, width = observation.shape
    flops: list[Flops] = []
    with peak_memory(device) as memory:
        if method.network is None or not count:
            cube = fuse_checked(method, observation, scene)
        else:
            with counting_flops((height, width)) as flops:
                cube = fuse_checked(method, observation, scene)
    tiles = tiles_of(method, observation)
    return Measured(cube, flops[0] if flops else None, memory[0] if memory else None, tiles)


def tiles_of(method: Method, observation: Observation) -> TileInfo | None:
    """Return the tiles in which a method fuses an observation; None: whole."""
    tiles = method.tiles_for(observation)
    return None if tiles is None else TileInfo(side=tiles.side, overlap=tiles.overlap)


def count_parameters(network: torch.nn.Module) -> tuple[int, int]:
    """Return how many parameters a network has, and how many of them are trained."""
    parameters = list(network.parameters())
    return (
        sum(parameter.numel() for parameter in parameters),
        sum(parameter.numel() for parameter in parameters if parameter.requires_grad),
    )


def measure_latency(
    run: Callable[[], object], device: torch.device, hr_size: tuple[int, int], *, warmed_up: int = 0
) -> Latency:
    """Time a call: at least 10 runs, or as many as fit in 2 seconds if that is fewer, after a warm-up.

    Parameters
    ----------
    run
        What is timed.
    device
        Synchronised around every run.
    hr_size
        (height, width) of the image, for the report.
    warmed_up
        Runs of the same call, on the same input, that have already been made.
    """
    warmup = max(1, warmed_up)
    for _ in range(warmup - warmed_up):
        run()
    times: list[float] = []
    synchronise(device)
    while len(times) < MIN_RUNS and (not times or sum(times) < MIN_SECONDS):
        start = time.perf_counter()
        run()
        synchronise(device)
        times.append(time.perf_counter() - start)
    p90 = statistics.quantiles(times, n=10, method="inclusive")[8] if len(times) > 1 else times[0]
    return Latency(
        median_ms=1e3 * statistics.median(times),
        p90_ms=1e3 * p90,
        runs=len(times),
        warmup=warmup,
        hr_size=list(hr_size),
        precision="float32",
        synchronised=device.type == "cuda",
    )


@contextmanager
def peak_memory(device: torch.device) -> Iterator[list[Memory]]:
    """Measure the peak of memory that the block takes; the list receives one `Memory` at its end.

    On a CPU that is the growth of the process's resident memory: by the kernel's record of its peak where that can be
    set back (Linux), and else by looking often.
    """
    found: list[Memory] = []
    if device.type == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats(device)
        yield found
        synchronise(device)
        found.append(Memory(peak_mb=torch.cuda.max_memory_allocated(device) / 1e6, kind="CUDA memory allocated"))
        return
    recorded = _reset_recorded_peak()
    before = _resident_mb()
    if recorded:
        yield found
        peak = _recorded_peak_mb()
    else:
        with _watching() as seen:
            yield found
        peak = max(seen)
    found.append(Memory(peak_mb=max(0.0, peak - before), kind="growth of the process"))


@contextmanager
def counting_flops(hr_size: tuple[int, int]) -> Iterator[list[Flops]]:
    """Count the floating-point operations of the torch code in the block; the list receives one `Flops` at its end.

    The count is marked a lower bound where operators ran that torch's counter does not know, such as an FFT.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import FlopCounterMode, flop_registry, sdpa_flop_count

    def attention_flops(query: Sequence[int], key: Sequence[int], value: Sequence[int], *_: Any, **__: Any) -> int:
        count: int = sdpa_flop_count(query, key, value)  # type: ignore[no-untyped-call]
        return count

    # torch knows its fused attention on GPUs only.
    mapping = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: attention_flops}
    seen: set[str] = set()

    class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch does not annotate it
        def __torch_dispatch__(  # type: ignore[no-untyped-def]
            self, func, types, args=(), kwargs=None
        ) -> Any:
            packet = func._overloadpacket
            if packet not in flop_registry and any(word in packet.__name__ for word in _HEAVY):
                seen.add(packet.__name__)
            return func(*args, **(kwargs or {}))

    found: list[Flops] = []
    counter = FlopCounterMode(display=False, custom_mapping=mapping)
    with Watch(), counter:  # type: ignore[no-untyped-call]
        yield found
    found.append(
        Flops(
            value=counter.get_total_flops(),
            counter=COUNTER,
            lower_bound=bool(seen),
            uncounted=sorted(seen),
            hr_size=list(hr_size),
        )
    )


def _resident_mb() -> float:
    """Return how much memory of this process is resident, in MB."""
    return float(psutil.Process().memory_info().rss) / 1e6


def _reset_recorded_peak() -> bool:
    """Set the kernel's record of our peak back to now, and tell whether it has one (Linux only)."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def _recorded_peak_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return _resident_mb()


@contextmanager
def _watching() -> Iterator[list[float]]:
    """Look at the resident memory in a thread, until the block ends; the list receives what was seen, in MB."""
    seen = [_resident_mb()]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_LOOK_SECONDS):
            seen.append(_resident_mb())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
        seen.append(_resident_mb())
