"""What every method costs on one image: parameters, operations, time and memory.

Each is measured in a process of its own, so that one that fails, takes too long or runs out of memory is a row with its
reason and stops nobody else. Networks have random weights: what they compute is not looked at. The image is a mosaic
of scenes of the data set `demo`, whose spectra are interpolated to another number of bands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from hsfusion_bench.children.calling import call
from hsfusion_bench.data.observing.protocols import load_protocol
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods import NetworkMethod, Observation, Problem
from hsfusion_bench.registry import find
from hsfusion_bench.runs.account import environment
from hsfusion_bench.runs.records import Flops, Latency, Memory, TileInfo

COSTS_SCHEMA: Final = "hsfusion-bench/costs/1"


class Workload(BaseModel):
    """What is fused, and where: an image of `size` x `size` HR pixels, by default of the demo's 31 + 3 bands."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int
    scale: int
    bands: int = 31
    msi_bands: int = 3
    device: Literal["cpu", "cuda"] = "cpu"


class Cost(BaseModel):
    """What one method costs."""

    model_config = ConfigDict(extra="forbid")

    method: str
    title: str
    family: str
    parameters: int | None = Field(default=None, description="None for a method without a network")
    flops: Flops | None = None
    latency: Latency | None = None
    memory: Memory | None = None
    tiles: TileInfo | None = Field(default=None, description="None: the image was fused whole")
    error: str | None = Field(default=None, description="why there are no values")


class Costs(BaseModel):
    """The costs of several methods on one device."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    schema_: Literal["hsfusion-bench/costs/1"] = Field(default=COSTS_SCHEMA, alias="schema")
    workload: Workload = Field(alias="task")
    device: str = Field(description="name of the device")
    threads: int | None = Field(description="of torch, on a CPU")
    measured: str = Field(description="date, UTC")
    environment: dict[str, str]
    rows: list[Cost]


def measure_all(names: Sequence[str], workload: Workload, *, time_limit: float) -> Iterator[Cost]:
    """Measure methods one after the other, each in a process of its own.

    Parameters
    ----------
    names
        Methods, as `hsfusion_bench.registry.find` takes them.
    workload
        What is fused, and where.
    time_limit
        Seconds after which a method is stopped.

    Yields
    ------
    Cost
        Of each method, with an error where it failed.
    """
    for name in names:
        try:
            yield call(cost_of, name, workload, time_limit=time_limit, quiet=True)
        except HsbenchError as error:
            entry = find(name)
            title, family = entry.name, "custom"
            if entry.origin.kind == "shipped":
                card = entry.load().card
                title, family = card.title, card.family
            yield Cost(method=name, title=title, family=family, error=str(error))


def empty_table(workload: Workload) -> Costs:
    """Return a table without rows that tells what they will be measured on."""
    import torch

    from hsfusion_bench.runs.measure import device_name

    return Costs(
        workload=workload,
        device=device_name(workload.device),
        threads=torch.get_num_threads() if workload.device == "cpu" else None,
        measured=datetime.now(UTC).date().isoformat(),
        environment=environment(),
        rows=[],
    )


def cost_of(name: str, workload: Workload) -> Cost:
    """Measure one method in this process.

    Raises
    ------
    Exception
        Whatever the method raises.
    """
    from hsfusion_bench.determinism import make_deterministic
    from hsfusion_bench.runs.measure import count_parameters, measure, measure_latency

    entry = find(name)
    method = entry.load()
    cost = Cost(method=entry.name, title=method.card.title, family=method.card.family)
    observation = _observation(workload)
    device = workload.device if isinstance(method, NetworkMethod) else "cpu"
    if isinstance(method, NetworkMethod):
        import torch

        make_deterministic()
        torch.manual_seed(0)
        problem = Problem.of(observation)
        network = method.build(problem)
        cost.parameters, _ = count_parameters(network)
        method = method.with_network(network, problem, device)
    measured = measure(method, observation, device, "the image")
    cost.flops, cost.memory, cost.tiles = measured.flops, measured.memory, measured.tiles
    seen = observation.seen_by(method.card)
    cost.latency = measure_latency(lambda: method.fuse(seen), device, (workload.size, workload.size), warmed_up=1)
    return cost


def _observation(workload: Workload) -> Observation:
    source = DemoSource()
    scene = np.concatenate([source.read(name) for name in ("oranges", "figs")], axis=1)
    times = -(-workload.size // min(scene.shape[1:]))
    mosaic = np.tile(scene, (1, times, times))[:, : workload.size, : workload.size]
    observation = load_protocol("uestc").observe(np.ascontiguousarray(mosaic), workload.scale)
    own = (*observation.lr_hsi.shape[:1], *observation.hr_msi.shape[:1])
    if own == (workload.bands, workload.msi_bands):
        return observation
    # spectra at other wavelengths of the same range; the MSI's channels are boxcars side by side
    places = np.linspace(0, own[0] - 1, workload.bands)
    spectra = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(own[0]))).astype(np.float32)
    channels = np.arange(workload.bands) * workload.msi_bands // workload.bands
    srf = (channels == np.arange(workload.msi_bands)[:, None]).astype(np.float64)
    srf /= srf.sum(axis=1, keepdims=True)
    seen = (srf @ spectra).astype(np.float32)
    return replace(
        observation,
        lr_hsi=np.tensordot(spectra, observation.lr_hsi, axes=1),
        hr_msi=np.tensordot(seen, mosaic, axes=1),
        srf=srf,
    )
