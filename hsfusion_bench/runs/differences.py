"""Two accounts of one row held against each other: what differs, and whether that can leave the numbers as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from math import isclose
from typing import Any

from hsfusion_bench.data.observing.telling import in_words
from hsfusion_bench.runs.records import Record, SceneResult, Statistic

#: Mean and deviation of the same numbers, computed on two machines, agree to this, relatively.
_SAME_SUMMARY = 1e-12
#: What of the environment is part of the program rather than of the machine.
_PROGRAM = "hsfusion-bench"


class Effect(Enum):
    """What a difference of two accounts can do to the numbers; the value is what people are told."""

    OTHER = "not the same thing"
    """The data, how they are observed, scored or fused are others: equal numbers would prove nothing."""
    PERHAPS = "may change the numbers"
    """Another program, which may compute the same or not."""
    ROUNDING = "may change the last digits"
    """The same computation by other means."""
    UNKNOWN = "not recorded"
    """An older record does not say."""


@dataclass(frozen=True)
class Difference:
    """One thing that differs: what, how it was recorded, how it is here."""

    what: str
    recorded: str
    here: str
    effect: Effect


def differences(recorded: Record, here: Record) -> list[Difference]:
    """Return what differs between the account of a record and that of a run of the same here.

    Scenes are compared as far as they are in both; their indexes are not, nor are times.

    Parameters
    ----------
    recorded
        What is to be reproduced.
    here
        The run, which may not have been made yet: then it has no indexes.
    """
    return [
        *_of_data(recorded, here),
        *_of_method(recorded, here),
        *_of_weights(recorded, here),
        *_of_scoring(recorded, here),
        *_of_machine(recorded, here),
    ]


def _of_data(recorded: Record, here: Record) -> Iterator[Difference]:
    theirs, ours = recorded.dataset, here.dataset
    for name in ("name", "scale", "protocol", "protocol_digest", "split", "split_digest", "bands", "msi_bands"):
        what = f"data set {name}" if name in ("name", "scale", "bands", "msi_bands") else name.replace("_", " ")
        yield from _unequal(what, getattr(theirs, name), getattr(ours, name), Effect.OTHER)
    yield from _unequal("wavelengths", theirs.wavelengths, ours.wavelengths, Effect.OTHER)
    if theirs.bands_used != ours.bands_used:
        from hsfusion_bench.formats.statements import told_bands

        were, are = (
            told_bands([band - 1 for band in used]) if used else "all" for used in (theirs.bands_used, ours.bands_used)
        )
        yield Difference("bands used", were, are, Effect.OTHER)
    if theirs.conditions is not None and theirs.conditions != ours.conditions:  # an older record has none
        yield Difference("conditions", in_words(theirs.conditions), in_words(ours.conditions or {}), Effect.OTHER)
    # a version is a name: what it stands for is in the digest
    yield from _unequal("protocol version", theirs.protocol_version, ours.protocol_version, Effect.PERHAPS)
    known = {scene.name: scene for scene in recorded.scenes}
    for scene in here.scenes:
        before = known.get(scene.name)
        if before is None:
            yield Difference(f"scene {scene.name}", "not there", "there", Effect.OTHER)
            continue
        yield from _unequal(f"reference of scene {scene.name}", before.digest, scene.digest, Effect.OTHER)
        crop = f"crop of scene {scene.name}"
        yield from _unequal(crop, before.cropped_from, scene.cropped_from, Effect.OTHER)


def _of_method(recorded: Record, here: Record) -> Iterator[Difference]:
    theirs, ours = recorded.method, here.method
    yield from _unequal("method", theirs.name, ours.name, Effect.OTHER)
    for name in theirs.options.keys() | ours.options.keys():
        if name not in ours.options:
            yield Difference(f"option {name}", _said(theirs.options[name]), "no longer an option", Effect.OTHER)
        elif name not in theirs.options:
            yield Difference(f"option {name}", "not an option yet", _said(ours.options[name]), Effect.PERHAPS)
        else:
            yield from _unequal(f"option {name}", theirs.options[name], ours.options[name], Effect.OTHER)
    yield from _unequal("truths given", sorted(theirs.uses), sorted(ours.uses), Effect.OTHER)
    yield from _unequal("truths estimated", sorted(theirs.estimated), sorted(ours.estimated), Effect.OTHER)
    yield from _unequal("distribution", theirs.distribution, ours.distribution, Effect.PERHAPS)
    what = f"the file {theirs.distribution}" if theirs.origin == "file" else f"version of {theirs.distribution}"
    yield from _unequal(what, theirs.version, ours.version, Effect.PERHAPS)
    if theirs.code is not None:  # an older record does not say
        yield from _unequal("code of the method", theirs.code, ours.code, Effect.PERHAPS)
    yield from _unequal("seed", recorded.training_seed, here.training_seed, Effect.OTHER)


def _of_weights(recorded: Record, here: Record) -> Iterator[Difference]:
    theirs, ours = recorded.weights, here.weights
    yield from _unequal("weights", theirs and theirs.sha256, ours and ours.sha256, Effect.OTHER)
    yield from _unequal("parameters", recorded.model.parameters, here.model.parameters, Effect.OTHER)
    if here.summary is not None:  # only a run tells in what tiles it fused
        yield from _unequal("tiles", recorded.model.tiles, here.model.tiles, Effect.OTHER)


def _of_scoring(recorded: Record, here: Record) -> Iterator[Difference]:
    for name in sorted(recorded.metrics.keys() | here.metrics.keys()):
        what = "version of the index suite" if name == "suite" else f"{name} of the indexes"
        yield from _unequal(what, recorded.metrics.get(name), here.metrics.get(name), Effect.OTHER)
    yield from of_summary(recorded)


def of_summary(record: Record) -> Iterator[Difference]:
    """Tell where the summary of a record is not that of its scenes."""
    from hsfusion_bench.runs.account import summary_of

    due, told = summary_of(record.scenes) or {}, record.summary or {}
    for name in due.keys() | told.keys():
        if name not in due or name not in told or not _same_statistic(due[name], told[name]):
            what = f"the record's own {name} over the scenes"
            yield Difference(what, _statistic(told.get(name)), _statistic(due.get(name)), Effect.OTHER)


def _same_statistic(due: Statistic, told: Statistic) -> bool:
    return all(
        a == b or (a != a and b != b) or isclose(a, b, rel_tol=_SAME_SUMMARY, abs_tol=_SAME_SUMMARY)
        for a, b in ((due.mean, told.mean), (due.std, told.std))
    )


def _statistic(found: Statistic | None) -> str:
    return "none" if found is None else f"{found.mean!r} ± {found.std!r}"


def _of_machine(recorded: Record, here: Record) -> Iterator[Difference]:
    yield from _unequal("device", recorded.device, here.device, Effect.ROUNDING)
    theirs, ours = recorded.environment, here.environment
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        if name not in theirs:
            yield Difference(name, "-", ours[name], Effect.UNKNOWN)
        elif name == _PROGRAM:
            yield from _unequal(name, theirs[name], ours.get(name), Effect.PERHAPS)
        else:
            yield from _unequal(name, theirs[name], ours.get(name), Effect.ROUNDING)


def _unequal(what: str, recorded: Any, here: Any, effect: Effect) -> Iterator[Difference]:
    if recorded != here:
        yield Difference(what, _said(recorded), _said(here), effect)


def _said(value: Any) -> str:
    """Return a value as people are told it."""
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def scenes_of(record: Record) -> Mapping[str, SceneResult]:
    """Return the scenes of a record that have indexes, by name."""
    return {scene.name: scene for scene in record.scenes if scene.psnr is not None}
