"""Sweeps: a protocol under one condition after the other, such as ``psf-fwhm=1,2,4``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias

from hsfusion_bench.data.observing.limits import FAMILIES, LIMITS
from hsfusion_bench.data.observing.named_responses import load_response
from hsfusion_bench.data.observing.protocols import ProtocolChoice, load_protocol
from hsfusion_bench.errors import UsageError
from hsfusion_bench.suggest import unknown

Value: TypeAlias = float | str

#: No sweep has more points: each is a run of every method.
MOST: Final = 100


@dataclass(frozen=True)
class Sweep:
    """A protocol under one condition after the other.

    Parameters
    ----------
    axis, title
        What changes: its name, and in words with its unit.
    points
        Each value, a number or a name, with the protocol that has it. A value that changes nothing is the protocol as
        it was, so that its records are shared.
    """

    axis: str
    title: str
    points: tuple[tuple[Value, ProtocolChoice], ...]

    @property
    def categorical(self) -> bool:
        """Whether the values are names."""
        return any(isinstance(value, str) for value, _ in self.points)


@dataclass(frozen=True)
class Axis:
    """Something that a sweep can change.

    Parameters
    ----------
    name, title
        What it is called by on the command line, and in words with its unit.
    fields
        Fields of `ProtocolChoice` that it sets.
    shipped
        Values that are taken where none are given.
    nothing
        The value that changes nothing; None: there is none.
    names
        Whether its values are names.
    also
        What else the shipped values need, unless the protocol says otherwise.
    """

    name: str
    title: str
    fields: tuple[str, ...]
    shipped: str
    nothing: Value | None = None
    names: bool = False
    also: tuple[tuple[str, Any], ...] = ()

    def parse(self, text: str) -> Value:
        """Read a value.

        Raises
        ------
        UsageError
            If it is none of this axis; the message names axis, value and range.
        """
        if self.names:
            self._require_name(text)
            return text
        number = math.inf if text == "inf" and self.nothing == math.inf else _number(text)
        limits = LIMITS[self.fields[0]]
        if number is None or (number not in limits and number != self.nothing):
            also = ", or inf for none" if self.nothing == math.inf else ""
            raise UsageError(f"--sweep {self.name}: {text[:40]!r} is no {limits.title} in the range {limits}{also}")
        return number

    def apply(self, value: Value, base: ProtocolChoice) -> ProtocolChoice:
        """Return the protocol with a value of this axis.

        Raises
        ------
        UsageError
            If the conditions cannot be.
        """
        changes: dict[str, Any] = dict.fromkeys(self.fields, None if value == self.nothing else value)
        if changes.get("shift") is not None:
            changes["shift"] = (value, value)
        if value == "delta":  # it has no width
            changes[f"{self.fields[0]}_fwhm"] = None
        made = replace(base, **changes)
        if self.nothing == math.inf and made.snr_hsi is None and made.snr_msi is None:
            made = replace(made, noise_seed=0)
        if self.name == "dead-lines" and not made.dead_lines:
            made = replace(made, dead_seed=0)
        try:
            protocol = load_protocol(made)
            protocol.psf(protocol.scales[-1])  # that the blurs can be; at the largest scale, where most phases can
            protocol.told_psf(protocol.scales[-1])
        except UsageError as error:
            raise UsageError(f"--sweep {self.name}: {value}: {error}") from error
        return made

    def _require_name(self, text: str) -> None:
        if "response" in self.name:
            try:
                load_response(text)
            except UsageError as error:
                raise UsageError(f"--sweep {self.name}: {error}") from error
        elif text not in FAMILIES:
            raise UsageError(f"--sweep {self.name}: {unknown('family of PSFs', text, FAMILIES)}")


_FAMILIES: Final = ",".join(FAMILIES)

_ALL: Final = (
    Axis("snr", "signal-to-noise ratio of both images (dB)", ("snr_hsi", "snr_msi"), "15,20,25,30,35,40,inf", math.inf),
    Axis("snr-hsi", LIMITS["snr_hsi"].title, ("snr_hsi",), "10,15,20,25,30,35,40,inf", math.inf),
    Axis("snr-msi", LIMITS["snr_msi"].title, ("snr_msi",), "10,15,20,25,30,35,40,inf", math.inf),
    Axis("psf", "PSF", ("psf",), _FAMILIES, names=True, also=(("psf_fwhm", 4.0),)),
    Axis("psf-fwhm", LIMITS["psf_fwhm"].title, ("psf_fwhm",), "1,2,3,4,6,8"),
    Axis("response", "camera response", ("response",), "A,B", names=True),
    Axis("shift", "shift of the HR-MSI down and right (HR pixels)", ("shift",), "0,0.125,0.25,0.5,1,2", 0.0),
    Axis("gain", LIMITS["gain"].title, ("gain",), "0.8,0.9,0.95,1,1.05,1.1,1.2", 1.0),
    Axis("dead-lines", LIMITS["dead_lines"].title, ("dead_lines",), "0,1,2,4,8", 0.0),
    Axis("told-psf", "PSF that methods are told", ("told_psf",), _FAMILIES, names=True),
    Axis("told-psf-fwhm", LIMITS["told_psf_fwhm"].title, ("told_psf_fwhm",), "0.6,0.9,1.2,1.5,2,3,4,6"),
    Axis("told-response", "camera response that methods are told", ("told_response",), "A,B", names=True),
    Axis("told-phase", LIMITS["told_phase"].title, ("told_phase",), "-1,-0.5,0,0.5,1", 0.0),
)

#: What a sweep can change, by name.
AXES: Final = {axis.name: axis for axis in _ALL}
#: Other names of them.
ALIASES: Final = {"blur": "psf-fwhm", "noise": "snr", "told-blur": "told-psf-fwhm"}


def parse_sweep(text: str, base: ProtocolChoice) -> Sweep:
    """Return the sweep that a command line asks for.

    Parameters
    ----------
    text
        "AXIS=VALUE,...", where a value may be a range of numbers "FIRST:LAST:STEP", ends included; or an axis alone,
        for the values of `AXES` that ship.
    base
        The protocol, and what every point of the sweep has in common.

    Raises
    ------
    UsageError
        If there is no such axis, or a value is outside its range, given twice over by `base`, or makes conditions that
        cannot be; the message names axis, value and range.

    Examples
    --------
    >>> [value for value, _ in parse_sweep("shift=0:1:0.25", ProtocolChoice("uestc")).points]
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    name, equals, values = (part.strip() for part in text.partition("="))
    name = ALIASES.get(name, name)
    if name not in AXES:
        raise UsageError(f"--sweep: {unknown('axis', name, (*AXES, *ALIASES))}")
    axis = AXES[name]
    if equals and not values:
        raise UsageError(f"--sweep {name}: no values; such as {name}={axis.shipped}")
    held = [field for field in axis.fields if getattr(base, field) is not None]
    if held:
        options = " and ".join(f"--{field.replace('_', '-')}" for field in held)
        raise UsageError(f"--sweep {name} and {options} both state it: leave {options} out")
    if not equals:
        base = replace(base, **{field: value for field, value in axis.also if getattr(base, field) is None})
    found = dict.fromkeys(value for part in (values or axis.shipped).split(",") for value in _values(part, axis))
    if not found:
        raise UsageError(f"--sweep {name}: no values; such as {name}={axis.shipped}")
    if len(found) > MOST:
        raise UsageError(f"--sweep {name}: {len(found)} values are more than {MOST}, each of which runs every method")
    return Sweep(axis.name, axis.title, tuple((value, axis.apply(value, base)) for value in found))


def _values(part: str, axis: Axis) -> list[Value]:
    """Return what a part of a list stands for: a value, or those of a range."""
    part = part.strip()
    if axis.names or ":" not in part:
        return [axis.parse(part)] if part else []
    texts = part.split(":")
    try:
        first, last, step = map(Decimal, texts)
        steps = (last - first) / step
        in_order = steps >= 0 and steps.is_finite()
    except (ValueError, InvalidOperation, ArithmeticError):
        in_order = False
    if not in_order:
        raise UsageError(
            f"--sweep {axis.name}: {part[:60]!r} is no range: FIRST:LAST:STEP, such as 1:4:0.5, with a step that leads "
            "from the first to the last"
        )
    if steps >= MOST:
        raise UsageError(f"--sweep {axis.name}: {part[:60]!r} has more than {MOST} values")
    # in decimal: a step of 0.1 ends where it says, and gives the numbers that people write
    return [axis.parse(str(first + number * step)) for number in range(int(steps) + 1)]


def _number(text: str) -> float | None:
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", text):
        return None
    return float(text)
