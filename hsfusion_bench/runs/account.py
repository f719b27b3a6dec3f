"""The parts of a record, from what a run, or an evaluation of results made elsewhere, knows."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from hsfusion_bench import machine
from hsfusion_bench.__about__ import __version__
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods import Method, Truth
from hsfusion_bench.methods.code import code_of
from hsfusion_bench.methods.options import options_of
from hsfusion_bench.runs.records import DatasetInfo, MethodInfo, Number, SceneResult, Statistic, Status, WeightsInfo
from hsfusion_metrics import (
    METRICS,
    PUBLISHED_METRICS,
    SUITE_VERSION,
    Indexes,
    ergas_fused,
    score,
    ssim_full,
    summarise,
)

if TYPE_CHECKING:
    from hsfusion_bench.data.task import Task
    from hsfusion_bench.methods.weights import Weights
    from hsfusion_bench.runs.contenders import Contender

PEAK = 1.0  # values lie in [0, 1]: the constant that the MATLAB script is given


def method_info(entry: Contender, method: Method | None, known: frozenset[Truth]) -> MethodInfo:
    """Describe a method, to which the truths `known` were open; None is one that could not be imported."""
    card = method.card if method is not None else None
    options = options_of(method) if method is not None else {}
    return MethodInfo(
        name=entry.name,
        title=card.title if card else entry.name,
        family=card.family if card else "custom",
        year=card.year if card else None,
        uses=sorted(card.uses & known) if card else [],
        estimated=sorted(card.uses - known) if card else [],
        options={name: option.value for name, option in options.items()},
        changed=[name for name, option in options.items() if option.value != option.default],
        origin=entry.origin.kind,
        distribution=entry.origin.distribution,
        version=entry.origin.version,
        code=code_of(method) if method is not None and entry.origin.kind != "shipped" else None,
    )


def dataset_info(task: Task, scored: int) -> DatasetInfo:
    """Describe the data, of which `scored` scenes were scored."""
    split, problem = task.plan.split, task.problem
    return DatasetInfo(
        name=task.source.name,
        scale=task.scale,
        protocol=task.protocol.id,
        protocol_version=task.protocol.version,
        protocol_digest=task.protocol_digest,
        split=split.id,
        split_digest=split.digest,
        scenes=scored,
        scenes_in_split=len(split.test),
        bands=problem.bands,
        msi_bands=problem.msi_bands,
        wavelengths=task.source.wavelengths_given,
        bands_used=task.source.bands_used or None,
        conditions=task.protocol.departures or None,
    )


def weights_info(weights: Weights | None) -> WeightsInfo | None:
    """Describe the weights; None where there are none."""
    if weights is None:
        return None
    card = weights.card
    return WeightsInfo(
        sha256=weights.sha256,
        file=weights.file,
        origin="hsbench" if card else "authors",
        trained_on=f"{card.dataset} x{card.scale} {card.protocol}" if card else None,
        training=card.training if card else None,
        catalogue=weights.catalogue,
    )


def metrics_info(scale: int) -> dict[str, Number | str]:
    """Describe the index suite, and the constants it is given."""
    return {"suite": SUITE_VERSION, "const": PEAK, "ratio": float(scale)}


def further_indexes(names: Iterable[str]) -> tuple[str, ...]:
    """Return the indexes that are asked for beyond the seven, in the order of `PUBLISHED_METRICS`.

    Raises
    ------
    UsageError
        If there is no such index, or it is one of the seven.
    """
    asked = list(names)
    for name in asked:
        if name in METRICS:
            raise UsageError(f"{name} is one of the seven indexes, which every record has")
        if name not in PUBLISHED_METRICS:
            raise UsageError(f"there is no further index {name!r}; there are {', '.join(PUBLISHED_METRICS)}")
    return tuple(name for name in PUBLISHED_METRICS if name in asked)


def scene_result(
    name: str,
    digest: str,
    reference: ArrayLike,
    estimate: ArrayLike,
    scale: int,
    cropped_from: tuple[int, int] | None = None,
    also: Sequence[str] = (),
) -> SceneResult:
    """Score the estimate of a scene, both cubes [bands, H, W] with values in [0, 1]; `also` by further indexes.

    Raises
    ------
    HsbenchError
        If the cubes are too small for the indexes.
    """
    try:
        indexes = score(reference, estimate, ratio=scale, const=PEAK, channel_axis=-3)
    except ValueError as error:
        raise HsbenchError(f"scene {name} cannot be scored: {error}") from error
    scores = {index: getattr(indexes, index) for index in METRICS}
    if "ergas_fused" in also:
        scores["ergas_fused"] = ergas_fused(reference, estimate, ratio=scale, channel_axis=-3)
    if "ssim_full" in also:
        scores["ssim_full"] = ssim_full(reference, estimate, const=PEAK, channel_axis=-3)
    return SceneResult(name=name, digest=digest, **scores, cropped_from=cropped_from)


def status_of(scenes: Sequence[SceneResult]) -> Status:
    """Say how far a run came."""
    scored = sum(scene.psnr is not None for scene in scenes)
    return "failed" if not scored else "ok" if scored == len(scenes) else "incomplete"


def summary_of(scenes: Sequence[SceneResult]) -> dict[str, Statistic] | None:
    """Return mean and MATLAB's deviation over the scenes that were scored; None if none was.

    A further index is among them if every scene that was scored has it.
    """
    scored = [scene for scene in scenes if scene.psnr is not None]
    if not scored:
        return None
    found = summarise(Indexes(**{name: getattr(scene, name) for name in METRICS}) for scene in scored)
    summary = {name: Statistic(mean=mean, std=std) for name, (mean, std) in found.items()}
    for name in PUBLISHED_METRICS:
        if all(name in scene.further for scene in scored):
            summary[name] = _statistic([getattr(scene, name) for scene in scored])
    return summary


@np.errstate(invalid="ignore")
def _statistic(values: Sequence[float]) -> Statistic:
    """Return mean and deviation as `summarise` has them."""
    std = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return Statistic(mean=float(np.mean(values)), std=std)


def environment(network_on: str | None = None) -> dict[str, str]:
    """Return the versions that a result may depend on, and what of the machine its last digits may.

    Parameters
    ----------
    network_on
        "cpu" or "cuda", where a network computes; None: NumPy and SciPy alone do.
    """
    return {
        "hsfusion-bench": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "scipy", "torch")},
        "platform": f"{platform.system()} {platform.machine()}",
        **machine.of_numpy(),
        **(machine.of_torch(network_on) if network_on else {}),
    }
