"""Records that differ in one condition: found by what they say of their conditions, or by their protocol's name."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from hsfusion_bench.data.observing.limits import FAMILIES
from hsfusion_bench.data.observing.protocols import Protocol, choice_of, load_protocol
from hsfusion_bench.data.observing.sweeps import AXES
from hsfusion_bench.data.observing.telling import in_words
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.runs.records import DatasetInfo

Value: TypeAlias = float | str
Conditions: TypeAlias = Mapping[str, Value]

#: What can change, as records say it: by the name of the sweep.
_KEYS: Final = {
    "snr": ("snr_hsi", "snr_msi"),
    "snr-hsi": ("snr_hsi",),
    "snr-msi": ("snr_msi",),
    "noise-seed": ("noise_seed",),
    "response": ("response",),
    "psf": ("psf",),
    "psf-fwhm": ("psf_fwhm",),
    "shift": ("shift_rows", "shift_columns"),
    "shift-rows": ("shift_rows",),
    "shift-columns": ("shift_columns",),
    "gain": ("gain",),
    "dead-lines": ("dead_lines",),
    "dead-seed": ("dead_seed",),
    "told-psf": ("told_psf",),
    "told-psf-fwhm": ("told_psf_fwhm",),
    "told-response": ("told_response",),
    "told-phase": ("told_phase",),
}
_TITLES: Final = {name: axis.title for name, axis in AXES.items()} | {
    "noise-seed": "seed of the noise",
    "dead-seed": "seed of the dead lines",
    "shift-rows": "shift of the HR-MSI down (HR pixels)",
    "shift-columns": "shift of the HR-MSI to the right (HR pixels)",
}
#: What is meant where a record says nothing.
_NOTHING: Final[Mapping[str, float]] = {
    "snr_hsi": math.inf, "snr_msi": math.inf, "noise_seed": 0.0, "shift_rows": 0.0, "shift_columns": 0.0, "gain": 1.0,
    "dead_lines": 0.0, "dead_seed": 0.0, "told_phase": 0.0,
}  # fmt: skip
#: The name of a user's own protocol, before those of its changes.
_OWN: Final = re.compile(r"[A-Za-z0-9._-]*?\.[0-9a-f]{8}(?=-|$)")


@dataclass(frozen=True)
class Swept:
    """Protocols that differ in one condition.

    Parameters
    ----------
    axis, title
        What changes, by name and in words with its unit.
    base
        The protocol, and in words what else departs from it in all of them.
    values
        By name of the protocol, a number or a name.
    """

    axis: str
    title: str
    base: str
    values: dict[str, Value]

    @property
    def names(self) -> list[str]:
        """The values in their order, if they are names; nothing if they are numbers."""
        found = dict.fromkeys(value for value in self.values.values() if isinstance(value, str))
        return sorted(found, key=lambda name: (FAMILIES.index(name) if name in FAMILIES else len(FAMILIES), name))


@dataclass(frozen=True)
class _Place:
    """A protocol among its variants."""

    base: str
    protocol: Protocol | None
    conditions: Conditions
    scale: int

    def value(self, key: str) -> Value | None:
        """Return the value of a condition; None where it is not known, or has none."""
        if key in self.conditions:
            return self.conditions[key]
        if key in _NOTHING:
            return _NOTHING[key]
        if key == "told_psf":
            return self.value("psf")
        if key == "told_response":
            return self.value("response")
        if key == "told_psf_fwhm":
            told_delta = self.conditions.get("told_psf", self.conditions.get("psf")) == "delta"
            return None if told_delta else self.value("psf_fwhm")
        if key == "psf" and "psf_fwhm" in self.conditions:
            return "gaussian"  # the family of a width alone
        if self.protocol is None or (key == "psf_fwhm" and self.conditions.get("psf") == "delta"):
            return None
        if key == "psf_fwhm":
            return self.protocol.blur.fwhm(self.scale)
        return self.protocol.blur.kind if key == "psf" else self.protocol.response.name


def find(datasets: Iterable[DatasetInfo]) -> list[Swept]:
    """Find the sweeps among records of one data set and scale, the longest first."""
    places: dict[str, _Place] = {}
    for each in datasets:
        if each.protocol not in places and (place := _place(each)) is not None:
            places[each.protocol] = place
    found = []
    for axis, keys in _KEYS.items():
        groups: dict[tuple[str, frozenset[tuple[str, Value]]], dict[str, Value]] = {}
        for name, place in places.items():
            values = {place.value(key) for key in keys}
            [value] = values if len(values) == 1 else [None]
            if value is None or (isinstance(value, float | int) and not math.isfinite(value)):
                continue
            rest = {key: held for key, held in place.conditions.items() if key not in keys}
            groups.setdefault((place.base, frozenset(rest.items())), {})[name] = value
        if axis in ("psf", "told-psf"):
            _spread_deltas(groups, f"{keys[0]}_fwhm")
        for (base, common), members in groups.items():
            if len(set(members.values())) > 1:
                same = dict(sorted(common))
                if f"{keys[0]}_fwhm" in same:
                    same[keys[0]] = ""  # a width of any family
                told = in_words(same)
                found.append(Swept(axis, _TITLES[axis], f"{base}; {told}" if told else base, members))
    return sorted(_without_parts(found), key=lambda each: (-len(each.values), each.base, each.title))


def _place(told: DatasetInfo) -> _Place | None:
    """Say where a protocol stands among its variants; None where its name does not tell."""
    try:
        choice = choice_of(told.protocol)
        protocol = load_protocol(choice)
    except HsbenchError:  # a user's own, or one with a camera response of the user's own
        if told.conditions is None and told.protocol != _base_of(told.protocol):
            return None
        base = _base_of(told.protocol)
        return None if base is None else _Place(base, None, told.conditions or {}, told.scale)
    original = protocol.original or protocol
    said = told.conditions if told.conditions is not None else protocol.departures
    return _Place(original.id, original, said, told.scale)


def _base_of(name: str) -> str | None:
    match = _OWN.match(name)
    return match[0] if match else None


def _spread_deltas(groups: dict[tuple[str, frozenset[tuple[str, Value]]], dict[str, Value]], width: str) -> None:
    """Put a delta, which has no width, among the families of any width."""
    for (base, rest), members in list(groups.items()):
        deltas = {name: value for name, value in members.items() if value == "delta"}
        for (other, more), family in groups.items():
            if other == base and more != rest and {item for item in more if item[0] != width} == set(rest):
                family |= deltas


def _without_parts(found: list[Swept]) -> list[Swept]:
    """Leave out what is one of several that change together, or of the same records."""
    kept: dict[frozenset[str], Swept] = {}
    for each in found:  # in the order of `_KEYS`: what moves together comes first
        kept.setdefault(frozenset(each.values), each)
    return list(kept.values())
