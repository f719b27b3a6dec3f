"""How fast a method is, measured once a device: while nothing else runs."""

from __future__ import annotations

from datetime import UTC, datetime

from hsfusion_bench.machine import cores
from hsfusion_bench.runs.measure import MIN_RUNS, device_name, measure_latency, tiles_of
from hsfusion_bench.runs.records import Latency, Memory, Speed
from hsfusion_bench.runs.scenes import Ready, Scenes


def known_speed(scenes: Scenes, ready: Ready) -> Speed | None:
    """Return the measurement of an earlier run of the very same thing on this machine, if that will do."""
    if scenes.setting.time_again or not scenes.equipped.contender.origin.version:  # what it computed is not known
        return None
    unmeasured = Latency(
        median_ms=0,
        p90_ms=0,
        runs=MIN_RUNS,
        warmup=1,
        hr_size=list(ready.scene.hr_hsi.shape[1:]),
        precision="float32",
        synchronised=scenes.equipped.device.type == "cuda",
    )
    return scenes.setting.store.speed(_speed(scenes, ready, unmeasured, None))


def time_scene(scenes: Scenes, ready: Ready, memory: Memory | None) -> Speed:
    """Time the fusion of a scene, which was fused once already; `memory` is what that took.

    Raises
    ------
    Exception
        Whatever the method raises.
    """
    equipped = scenes.equipped.for_scene(ready.scene.name)
    seen = scenes.seen(ready)
    size = ready.scene.hr_hsi.shape[1:]
    latency = measure_latency(lambda: equipped.fusing.fuse(seen), equipped.device, size, warmed_up=1)
    return _speed(scenes, ready, latency, memory)


def _speed(scenes: Scenes, ready: Ready, latency: Latency, memory: Memory | None) -> Speed:
    equipped, task, account = scenes.equipped, scenes.setting.task, scenes.account
    device = equipped.device
    return Speed(
        method=account.method.name,
        variant=account.method.variant,
        version=account.method.version,
        dataset=task.source.name,
        scale=task.scale,
        protocol=task.protocol.id,
        device_kind="GPU" if device.type == "cuda" else "CPU",
        device=device_name(device),
        threads=None if device.type == "cuda" else _threads(network=account.model.parameters is not None),
        latency=latency,
        memory=memory,
        measured=datetime.now(UTC).date().isoformat(),
        environment=account.environment,
        tiles=tiles_of(equipped.fusing, scenes.seen(ready)),
    )


def _threads(*, network: bool) -> int:
    if network:
        import torch

        return torch.get_num_threads()
    return cores()
