"""Seeds: records that differ in a seed alone are one entry, the mean over its seeds.

There are two kinds. That of a network's training is in its weights; that of the noise ends the protocol's name
("uestc-snr35-40-seed1"), and the mean is of the protocol without it. Values are averaged over the seeds scene by scene,
so that all that is made of an entry (means and deviations over scenes, tests, ranks, figures) is made of those
averages; how far seeds spread is said apart, see `Spread`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from hsfusion_bench.methods.weights import TrainingInfo, ValidationInfo
from hsfusion_bench.report.comparable import Board
from hsfusion_bench.report.sources import NOISE_SEED, Entry
from hsfusion_bench.runs.account import summary_of
from hsfusion_bench.runs.differences import Effect, differences
from hsfusion_bench.runs.records import FURTHER, Record, SceneResult, WeightsInfo
from hsfusion_metrics import METRICS

#: The name of one seed's record in a comparison: "feinfn.seed-1", also of seed 0, whose file is called without it.
_ONE_SEED: Final = re.compile(r"(?P<stem>.+?)\.(?:training-)?seed-(?P<seed>\d{1,18})(?P<origin>@.*)?")
#: What differs between seeds as a matter of course.
_OF_SEEDS: Final = frozenset({"seed", "weights"})
_OF_NOISE: Final = frozenset({"protocol", "protocol digest"})
#: What of a training is its outcome, or of the machine, rather than its budget.
_OUTCOME: Final = frozenset(
    {"seed", "device", "first_loss", "last_loss", "validation", "identity", "machine", "earlier"}
)


@dataclass(frozen=True)
class Spread:
    """How far the means over the scenes lie apart for different seeds of one kind.

    Parameters
    ----------
    seeds
        In ascending order.
    std
        Standard deviation (N-1) of the seeds' means, by index; nothing of one seed.
    """

    seeds: tuple[int, ...]
    std: Mapping[str, float]

    @property
    def told(self) -> str:
        """The seeds: "seeds 0, 1, 2"; ranges of four and more as "seeds 0 to 9"."""
        first, last = self.seeds[0], self.seeds[-1]
        if len(self.seeds) > 3 and last - first == len(self.seeds) - 1:
            return f"seeds {first} to {last}"
        return f"seed{'s' if len(self.seeds) > 1 else ''} {', '.join(map(str, self.seeds))}"


class Means(NamedTuple):
    """Entries, each the mean over its seeds, and what is to be said of it: a line with the board that it is of."""

    entries: list[Entry]
    remarks: list[tuple[Board, str]]

    def remarks_of(self, board: Board) -> list[str]:
        """Return the lines of a board."""
        return [line for where, line in self.remarks if where == board]


def means(entries: Iterable[Entry]) -> Means:
    """Join entries of one place that differ in seeds alone; what has one seed is left as it is.

    Only records of every planned scene are joined; an unfinished one is left out, and a line says so. Records whose
    trainings had other budgets, or which differ in anything else that decides the numbers, stay apart.
    """
    return _joined(one_protocol(entries))


def means_of_seed(entries: Iterable[Entry], seed: int) -> list[Entry]:
    """Return the same of trainings with one seed: means over the noise alone."""
    of_seed = (entry for entry in one_protocol(entries) if entry.training_seeds == (seed,))
    return _joined(of_seed).entries


def split_name(name: str) -> tuple[str, int] | None:
    """Return a name such as "feinfn.seed-1@mine" as ("feinfn@mine", 1); None of a name without a seed."""
    found = _ONE_SEED.fullmatch(name)
    return None if found is None else (found["stem"] + (found["origin"] or ""), int(found["seed"]))


def one_protocol(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries with the protocols that differ in the seed of the noise as one, where a method has several seeds.

    Noise of one seed for each method stays what it is: then nothing is a mean, and the name tells the seed.
    """
    entries = list(entries)
    families: dict[_Family, list[Entry]] = {}
    for entry in entries:
        families.setdefault(_family(entry.record), []).append(entry)
    several = {family: members for family, members in families.items() if _has_several(members)}
    if not several:
        return entries
    digests = {family: _digest(members) for family, members in several.items()}
    return [_moved(entry, digests.get(_family(entry.record))) for entry in entries]


def training_spread(entry: Entry) -> Spread | None:
    """Return how far trainings lie apart, each with its mean over the seeds of the noise; None where there is none."""
    if not entry.training_seeds:
        return None
    return _spread(entry, lambda record: record.training_seed)


def noise_spread(entry: Entry) -> Spread:
    """Return how far the seeds of the noise lie apart, each with its mean over trainings."""
    return _spread(entry, noise_seed)


def noise_seed(record: Record) -> int:
    """Return the seed of the noise that a protocol's name ends in; 0 where it ends in none."""
    found = NOISE_SEED.search(record.dataset.protocol)
    return int(found[1]) if found else 0


# -- the seed of the noise

_Family: TypeAlias = tuple[str, int, str, str | None]


def _family(record: Record) -> _Family:
    dataset = record.dataset
    return dataset.name, dataset.scale, NOISE_SEED.sub("", dataset.protocol), dataset.wavelengths


def _has_several(entries: Sequence[Entry]) -> bool:
    """Whether a row of a family has several seeds of the noise, and each seed had one content of the protocol."""
    seeds: dict[tuple[str, ...], set[int]] = {}
    digests: dict[int, set[tuple[str, int]]] = {}
    for entry in entries:
        record = entry.record
        seeds.setdefault(_row(entry), set()).add(noise_seed(record))
        content = (record.dataset.protocol_digest, record.dataset.protocol_version)
        digests.setdefault(noise_seed(record), set()).add(content)
    versions = {version for each in digests.values() for _, version in each}
    return (
        any(len(each) > 1 for each in seeds.values())
        and all(len(each) == 1 for each in digests.values())
        and len(versions) == 1
    )


def _digest(entries: Sequence[Entry]) -> str:
    """Return the digest that stands for those of all seeds: that of the least."""
    return min(entries, key=lambda entry: noise_seed(entry.record)).record.dataset.protocol_digest


def _moved(entry: Entry, digest: str | None) -> Entry:
    """Return an entry under the protocol without the seed of its noise, if its family has a digest for all seeds."""
    record = entry.record
    told = {"protocol": NOISE_SEED.sub("", record.dataset.protocol), "protocol_digest": digest}
    if digest is None or all(getattr(record.dataset, name) == value for name, value in told.items()):
        return entry
    moved = record.model_copy(update={"dataset": record.dataset.model_copy(update=told)})
    return replace(entry, record=moved, members=(entry,))


# -- joining


def _row(entry: Entry) -> tuple[str, ...]:
    """Return what entries of one row share, as far as names tell it."""
    method = entry.record.method
    return entry.origin, method.name, method.variant


def _joined(entries: Iterable[Entry]) -> Means:
    groups: dict[Any, list[Entry]] = {}
    for number, entry in enumerate(entries):
        record = entry.record
        # without values there is nothing to average, and what is joined already is not joined again
        alone = record.summary is None or len(entry.members) > 1
        where = (record.dataset.name, record.dataset.scale, record.dataset.protocol)
        planned = frozenset(scene.name for scene in record.scenes)
        groups.setdefault(number if alone else (where, _row(entry), planned), []).append(entry)
    found: list[Entry] = []
    remarks: list[tuple[Board, str]] = []
    for members in groups.values():
        if len(members) > 1 and len({_seeds_of(entry) for entry in members}) > 1:
            joined, said = _join(members)
            dataset = members[0].record.dataset
            found += joined
            remarks += [((dataset.name, dataset.scale, dataset.protocol), line) for line in said]
        else:
            found += members
    return Means(found, remarks)


_Seeds: TypeAlias = tuple[int | None, int]
"""Of the training, None where none decides, and of the noise."""


def _seeds_of(entry: Entry) -> _Seeds:
    return (entry.training_seeds or (None,))[0], entry.noise_seeds[0]


def _join(entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """Join entries of one row and the same planned scenes; return what there is then, and what is to be said."""
    title = entries[0].record.method.title
    told = _Told(entries)
    whole = sorted((entry for entry in entries if entry.record.status == "ok"), key=_order)
    if not whole:
        return list(entries), []
    lines = [
        f"{title}: {told(entry)} is left out, for it is {entry.record.status}: {entry.record.dataset.scenes} of "
        f"{len(entry.record.scenes)} scenes"
        for entry in entries
        if entry.record.status != "ok"
    ]
    parts: list[list[Entry]] = []
    for entry in whole:
        part = next((part for part in parts if not _unlike(part[0], entry)), None)
        if part is None:
            if parts:
                reason = _unlike(parts[0][0], entry)
                lines.append(f"{title}: {told(entry)} stands apart from {told(parts[0][0])}: {reason}")
            parts.append([entry])
        else:
            part.append(entry)
    joined = []
    for part in parts:
        kept, left = _grid(part)
        lines += [f"{title}: {told(entry)} is left out, for {why}" for entry, why in left]
        joined.append(_mean(kept) if len(kept) > 1 else kept[0])
    return joined, lines


class _Told:
    """Says which seeds an entry has, as far as those of a row differ."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        trainings, noises = zip(*map(_seeds_of, entries), strict=True)
        self._kinds = [
            kind for kind, seeds in (("training seed", set(trainings)), ("noise seed", set(noises))) if len(seeds) > 1
        ]

    def __call__(self, entry: Entry) -> str:
        """Return "training seed 1"."""
        seeds = dict(zip(("training seed", "noise seed"), _seeds_of(entry), strict=True))
        return ", ".join(f"{kind} {seeds[kind]}" for kind in self._kinds)


def _order(entry: Entry) -> tuple[int, int]:
    training, noise = _seeds_of(entry)
    return -1 if training is None else training, noise


def _unlike(one: Entry, other: Entry) -> str:
    """Say what besides seeds decides the numbers of two entries and differs; nothing where they may be averaged."""
    first, second = (_without_noise_seed(entry.records[0]) for entry in (one, other))
    usual = _OF_SEEDS | (_OF_NOISE if noise_seed(first) != noise_seed(second) else frozenset())
    found = [
        f"{each.what} {each.here}, not {each.recorded}"
        for each in differences(first, second)
        if each.effect is Effect.OTHER and each.what not in usual
    ]
    if first.weights is not None and second.weights is not None:
        found += _unlike_weights(first.weights, second.weights)
    more = f" and {len(found) - 2} more" if len(found) > 2 else ""
    return "; ".join(found[:2]) + more


def _without_noise_seed(record: Record) -> Record:
    """Return a record whose conditions say nothing of the seed of the noise, which its protocol's name has, too."""
    dataset = record.dataset
    kept = {name: value for name, value in (dataset.conditions or {}).items() if name != "noise_seed"} or None
    return record.model_copy(update={"dataset": dataset.model_copy(update={"conditions": kept})})


def _unlike_weights(first: WeightsInfo, second: WeightsInfo) -> list[str]:
    if first.training is None or second.training is None:
        # nothing is known of a seed: other weights are another training
        return [] if first.sha256 == second.sha256 else [f"other weights, {second.file}"]
    one, other = _budget(first), _budget(second)
    return [f"{name} {_cut(other[name])}, not {_cut(one[name])}" for name in one if one[name] != other[name]]


def _budget(weights: WeightsInfo) -> dict[str, Any]:
    """Return what decides a training beside its seed."""
    training = weights.training
    assert training is not None
    told = training.model_dump(exclude=set(_OUTCOME))
    earlier = training.earlier
    told["earlier steps"] = None if earlier is None else (earlier.steps, earlier.pixels)
    told["trained on"] = None if weights.trained_on is None else NOISE_SEED.sub("", weights.trained_on)
    return told


def _cut(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _grid(entries: Sequence[Entry]) -> tuple[list[Entry], list[tuple[Entry, str]]]:
    """Return the entries that have every training with every seed of the noise, and why each of the others is not one.

    Else the mean of a training would be one over other noise than that of the next.
    """
    held: dict[_Seeds, Entry] = {}
    left = []
    for entry in entries:
        if held.setdefault(_seeds_of(entry), entry) is not entry:
            left.append((entry, "it is there twice"))
    noises: dict[int | None, set[int]] = {}
    for training, noise in held:
        noises.setdefault(training, set()).add(noise)
    ways = [set(each) for each in noises.values()] + [set.intersection(*noises.values())]
    best: set[_Seeds] = set()
    for way in ways:
        grid = {(training, noise) for training, its in noises.items() if way <= its for noise in way}
        best = grid if len(grid) > len(best) else best
    why = "not every training has every seed of the noise"
    left += [(entry, why) for seeds, entry in held.items() if seeds not in best]
    return [entry for seeds, entry in held.items() if seeds in best], left


# -- the mean


def _mean(entries: Sequence[Entry]) -> Entry:
    """Return the mean over entries of one row: values averaged scene by scene, all else as in the first."""
    members = tuple(member for entry in entries for member in (entry.members or (entry,)))
    records = [entry.record for entry in entries]
    first = records[0]
    by_name = [{scene.name: scene for scene in record.scenes} for record in records]
    scenes = [_mean_scene([scenes[scene.name] for scenes in by_name]) for scene in first.scenes]
    # named without a seed, for it is of none of them
    changed: dict[str, Any] = {"scenes": scenes, "summary": summary_of(scenes), "seed": 0, "pictures": None}
    if first.weights is not None and first.weights.training is not None:
        trainings = [record.weights.training for record in records if record.weights and record.weights.training]
        told = first.weights.training.model_copy(update={"seed": 0, "validation": _mean_validation(trainings)})
        changed["weights"] = first.weights.model_copy(update={"training": told})
    speeds = {(speed.device, speed.device_kind): speed for entry in reversed(entries) for speed in entry.speeds}
    return replace(entries[0], record=first.model_copy(update=changed), speeds=tuple(speeds.values()), members=members)


def _mean_scene(scenes: Sequence[SceneResult]) -> SceneResult:
    names = [*METRICS, *(name for name in FURTHER if all(name in scene.further for scene in scenes))]
    lost = {name: None for name in FURTHER if name not in names}
    values = {name: average([getattr(scene, name) for scene in scenes]) for name in names}
    return scenes[0].model_copy(update={**lost, **values})


def _mean_validation(trainings: Sequence[TrainingInfo]) -> ValidationInfo | None:
    found = [training.validation for training in trainings if training.validation is not None]
    if len(found) < len(trainings):
        return None
    bicubic = [each.bicubic_psnr for each in found if each.bicubic_psnr is not None]
    return found[0].model_copy(
        update={
            "best_psnr": average([each.best_psnr for each in found]),
            "last_psnr": average([each.last_psnr for each in found]),
            "bicubic_psnr": average(bicubic) if len(bicubic) == len(found) else None,
        }
    )


def average(values: Sequence[float]) -> float:
    """Return a mean that does not depend on the order of finite values; Inf and -Inf have none."""
    if all(map(math.isfinite, values)):
        return math.fsum(values) / len(values)
    with np.errstate(invalid="ignore"):
        return float(np.mean(values))


def _spread(entry: Entry, seed_of: Callable[[Record], int]) -> Spread:
    # over the scenes of the entry, which may be restricted to those that others have
    kept = {(scene.name, scene.digest) for scene in entry.record.scenes if scene.psnr is not None}
    by_seed: dict[int, list[Record]] = {}
    for record in entry.records:
        by_seed.setdefault(seed_of(record), []).append(record)
    seeds = tuple(sorted(by_seed))
    if len(seeds) < 2 or entry.record.summary is None:
        return Spread(seeds, {})
    std = {}
    for index in entry.record.summary:
        of_seeds = [average([_mean_over(record, index, kept) for record in by_seed[seed]]) for seed in seeds]
        std[index] = deviation(of_seeds)
    return Spread(seeds, std)


def _mean_over(record: Record, index: str, kept: set[tuple[str, str | None]]) -> float:
    values = [getattr(scene, index) for scene in record.scenes if (scene.name, scene.digest) in kept]
    return average(values)


def deviation(values: Sequence[float]) -> float:
    """Return the standard deviation (N-1); NaN where a value is not finite."""
    if not all(map(math.isfinite, values)):
        return math.nan
    mean = average(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
