"""Wavelengths of bands: in which units files state them, and how people do; everywhere else they are nanometres.

A unit that is stated is converted, be it of length, wavenumber or frequency; bands keep their order, so that
wavelengths may fall. ``Index`` and ``Unknown``, as ENVI has them, state that there are none. Without a unit, numbers
from 0.2 to 20 are taken for micrometres, which is said, those from 100 to 20000 for nanometres, and what counts from 0
or 1 for numbers of bands; of others no wavelengths are known. No number is taken for a wavelength that is not finite,
below 10 nm or above 1 mm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.claims import read_text
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.formats.notes import note

_Numbers: TypeAlias = NDArray[np.float64]

#: Metres a second, exact by definition.
_LIGHT: Final = 299_792_458.0
#: What light may be called; X-rays and radio waves are no bands of these images.
_SHORTEST, _LONGEST = 10.0, 1e6
#: Without a unit, nanometres and micrometres lie between these.
_NANOMETRES: Final = (100.0, 20_000.0)
_MICROMETRES: Final = (0.2, 20.0)
#: Up to here, numbers without a unit are what all cameras for reflected light have: not worth a word.
_USUAL: Final = 3000.0


def _length(metres: float) -> Callable[[_Numbers], _Numbers]:
    # nanometres a unit, a whole number wherever there is one, so that 0.4 micrometres are 400
    factor = metres / 1e-9
    return lambda numbers: numbers * (round(factor) if factor > 1 else factor)


def _frequency(hertz: float) -> Callable[[_Numbers], _Numbers]:
    return lambda numbers: _LIGHT * 1e9 / hertz / numbers


_TO_NANOMETRES: Final[Mapping[str, Callable[[_Numbers], _Numbers]]] = {
    "nm": lambda numbers: numbers,
    "um": _length(1e-6),
    "mm": _length(1e-3),
    "cm": _length(1e-2),
    "m": _length(1.0),
    "angstrom": lambda numbers: numbers / 10,
    "cm-1": lambda numbers: 1e7 / numbers,
    "MHz": _frequency(1e6),
    "GHz": _frequency(1e9),
    "THz": _frequency(1e12),
}
#: Units in which what rises in nanometres falls.
_TURNING: Final = ("cm-1", "MHz", "GHz", "THz")
_NONE: Final = ("index", "unknown")
_SPELLINGS: Final[Mapping[str, str]] = {
    **{unit.lower(): unit for unit in _TO_NANOMETRES},
    **{
        f"{prefix}{metre}": unit
        for prefix, unit in (("nano", "nm"), ("micro", "um"), ("milli", "mm"), ("centi", "cm"), ("", "m"))
        for metre in ("meter", "metre")
    },
    **dict.fromkeys(("micron", "mu", "mum"), "um"),
    **dict.fromkeys(("å", "ångstrom", "ångström", "angström"), "angstrom"),
    **dict.fromkeys(("wavenumber", "cm^-1", "cm**-1", "cm⁻¹", "1/cm"), "cm-1"),
    **dict.fromkeys(("megahertz",), "MHz"),
    **dict.fromkeys(("gigahertz",), "GHz"),
    **dict.fromkeys(("terahertz",), "THz"),
}
UNITS: Final = tuple(_TO_NANOMETRES)
"""The units that are known, as messages list them."""


class Told(NamedTuple):
    """Wavelengths in nanometres, none where they are not known, and what is to be said of that, if anything."""

    nm: tuple[float, ...]
    remark: str = ""


def unit_named(text: str) -> str:
    """Return which of `UNITS` a text names, such as "Micrometers" or "µm"; empty if none."""
    plain = text.strip().casefold().replace("\u00b5", "u").replace("\u03bc", "u").replace("\u212b", "å")
    return _SPELLINGS.get(plain) or _SPELLINGS.get(plain.removesuffix("s"), "")


def unit_in(head: str) -> str:
    """Return the unit in the head of a column, such as "wavelength (um)" or "wl_nm"; empty if there is none."""
    named = (unit_named(word) for word in re.split(r"[\s_()\[\],;:]+", head))
    return next((unit for unit in named if unit), "")


def turns(unit: str) -> bool:
    """Whether wavelengths fall where numbers in this unit rise."""
    return unit_named(unit) in _TURNING


def convert(numbers: Sequence[float] | _Numbers, unit: str, where: str) -> Told:
    """Return wavelengths in nanometres.

    Parameters
    ----------
    numbers
        As they are stated.
    unit
        As it is stated; empty: it is not, see the module's text.
    where
        What states them, for messages, such as "cube.hdr: 'wavelength'".

    Raises
    ------
    HsbenchError
        If a number is no wavelength in that unit.
    """
    values = np.asarray(numbers, np.float64)
    if not values.size:
        return Told(())
    stated, known = unit.strip(), unit_named(unit)
    if stated.casefold() in _NONE:
        return Told((), f"{where}: the unit is {stated}: the wavelengths of the bands are unknown")
    if stated and not known:
        units = ", ".join(UNITS)
        return Told((), f"{where}: {stated!r} is none of the units {units}: the wavelengths of the bands are unknown")
    if not stated and _counts(values):
        counted = f"count from {values[0]:g} to {values[-1]:g}"
        return Told((), f"{where}: the numbers {counted}, without a unit: the wavelengths of the bands are unknown")
    _require(values, np.isfinite(values) & (values > 0), where, unit)
    if not stated:
        return _without_unit(values, where)
    nm = _TO_NANOMETRES[known](values)
    _require(values, (nm >= _SHORTEST) & (nm <= _LONGEST), where, known)
    return _in_order(nm if known == "nm" else nm.round(6), where)


def in_nanometres(numbers: Sequence[float], unit: str, where: str) -> tuple[float, ...]:
    """Return wavelengths in nanometres, none where they are not known, and log what is to be said; see `convert`."""
    found = convert(numbers, unit, where)
    if found.remark:
        note(found.remark)
    return found.nm


def required(numbers: Sequence[float], unit: str, where: str) -> tuple[float, ...]:
    """Return wavelengths in nanometres of somebody who states them: as `in_nanometres`, but they must be some.

    Raises
    ------
    HsbenchError
        Also where the numbers, or the unit, are of none.
    """
    nm = in_nanometres(numbers, unit, where) if (found := convert(numbers, unit, where)).nm else ()
    if len(numbers) and not nm:
        raise HsbenchError(f"{found.remark}; state them in one of {', '.join(UNITS)}")
    return nm


def stated_by(given: str | Sequence[float], bands: int, option: str = "--wavelengths") -> tuple[float, ...]:
    """Return the wavelengths that a person states for the bands of a cube, nanometres.

    Parameters
    ----------
    given
        ``400:700``, evenly spaced from the first band to the last; ``400:10:700``, with the step; ``400,410,420``;
        each with a unit behind it or none, as in ``0.9:1.7um``. Or a text file of numbers, whose first line may be a
        head with the unit. Or numbers.
    bands
        Of the cube.
    option
        Where it was said, for messages.

    Raises
    ------
    UsageError
        If it is nothing of that, or of another number of bands.
    HsbenchError
        If a file cannot be read, or the numbers are no wavelengths.
    """
    if not isinstance(given, str):
        numbers, unit, where = [float(number) for number in given], "", option
    elif Path(given).expanduser().is_file():
        numbers, unit = _in_file(Path(given).expanduser())
        where = f"{option} {given}"
    else:
        numbers, unit = _spelled(given, bands, option)
        where = f"{option} {given}"
    if len(numbers) != bands:
        raise UsageError(f"{where}: {len(numbers)} wavelengths are stated, but the cube has {bands} bands")
    return required(numbers, unit, where)


def short(nm: Sequence[float], *, even: bool = True) -> str:
    """Return wavelengths as a text that `stated_by` takes for the very same ones: "400:700" if `even`, or all."""
    spaced = np.linspace(nm[0], nm[-1], len(nm)).tolist()
    texts = [repr(float(each)).removesuffix(".0") for each in nm]
    return (f"{texts[0]}:{texts[-1]}" if even and list(nm) == spaced and len(nm) > 1 else ",".join(texts)) + "nm"


def _spelled(text: str, bands: int, option: str) -> tuple[list[float], str]:
    """Read "400:700", "400:10:700" or "400,410,420", with a unit or none."""
    match = re.fullmatch(r"([-+\d.,:eE\s]*[\d.])\s*(.*)", text.strip())
    plain, unit = match.groups() if match else ("", "")
    try:
        if unit and not unit_named(unit):
            raise ValueError
        parts = [float(part) for part in re.split("[:,]", plain)]
        if ":" not in plain:
            return parts, unit
        if "," in plain or len(parts) > 3:
            raise ValueError
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is neither FIRST:LAST, such as 400:700, nor FIRST:STEP:LAST, nor numbers with commas "
            f"between them, in nanometres or with one of the units {', '.join(UNITS)} behind them; and there is no "
            "such text file"
        ) from None
    if len(parts) == 2:
        return np.linspace(parts[0], parts[1], bands).tolist(), unit
    first, step, last = parts
    if not step or (last - first) / step < 0:
        raise UsageError(f"{option} {text}: steps of {step:g} do not lead from {first:g} to {last:g}")
    return (first + step * np.arange(int((last - first) / step + 1e-6) + 1)).tolist(), unit


def _in_file(path: Path) -> tuple[list[float], str]:
    """Read a text file of numbers, with a head or none; lines that begin with # are skipped."""
    try:
        lines = [line.strip() for line in read_text(path, "utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise HsbenchError(f"{path} cannot be read: {reason}") from error
    lines = [line for line in lines if line and not line.startswith("#")]
    unit = ""
    if lines and not re.match(r"[\d.+-]", lines[0]):
        unit = unit_in(lines.pop(0))
    try:
        return [float(number) for line in lines for number in line.replace(",", " ").split()], unit
    except ValueError as error:
        raise HsbenchError(f"{path} is not a text file of wavelengths: something in it is no number") from error


def _counts(values: _Numbers) -> bool:
    """Whether these are numbers of bands."""
    return len(values) > 1 and values[0] in (0, 1) and bool((np.diff(values) == 1).all())


def _require(values: _Numbers, sound: NDArray[np.bool_], where: str, unit: str) -> None:
    if not sound.all():
        band = int(sound.argmin())
        number = f"{values[band]:g} {unit_named(unit)}".strip()
        raise HsbenchError(
            f"{where}: {number} of band {band + 1} is no wavelength, which are from {_SHORTEST:g} nm to 1 mm; correct "
            "that entry or its unit, or remove it"
        )


def _without_unit(values: _Numbers, where: str) -> Told:
    lowest, highest = float(values.min()), float(values.max())
    numbers = f"{where}: without a unit, the numbers from {lowest:g} to {highest:g}"
    if _NANOMETRES[0] <= lowest and highest <= _NANOMETRES[1]:
        found = _in_order(values, where)
        return found if highest <= _USUAL else _said(found, f"{numbers} are taken for nanometres")
    if _MICROMETRES[0] <= lowest and highest <= _MICROMETRES[1]:
        found = _in_order(_TO_NANOMETRES["um"](values).round(6), where)
        return _said(found, f"{numbers} are taken for micrometres")
    return Told((), f"{numbers} are neither nanometres nor micrometres: the wavelengths of the bands are unknown")


def _in_order(nm: _Numbers, where: str) -> Told:
    """Return wavelengths, with a remark where they do not go one way: overlapping spectrometers, or a mistake."""
    steps = np.diff(nm) * (1 if nm[-1] >= nm[0] else -1)
    wrong = np.flatnonzero(steps <= 0)
    remark = ""
    if wrong.size:
        band = int(wrong[0])
        remark = (
            f"{where}: after {nm[band]:g} nm of band {band + 1} comes {nm[band + 1]:g} nm, against the order of the "
            "others; bands are left as they are"
        )
    return Told(tuple(nm.tolist()), remark)


def _said(found: Told, text: str) -> Told:
    return found._replace(remark=f"{text}; {found.remark}" if found.remark else text)
