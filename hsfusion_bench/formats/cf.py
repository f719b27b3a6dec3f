"""What netCDF's variables, and arrays of Zarr, state by attributes and by names of their dimensions.

Source: NetCDF Climate and Forecast (CF) Metadata Conventions 1.11, sections 2.5 (missing data) and 8.1 (packed data).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.notes import note
from hsfusion_bench.formats.stated import Stated

#: Names of dimensions, in small letters.
_AXES = {
    "H": {
        "h",
        "y",
        "row",
        "rows",
        "line",
        "lines",
        "height",
        "lat",
        "latitude",
        "northing",
        "downtrack",
        "along_track",
    },
    "W": {
        *{"w", "x", "col", "cols", "column", "columns", "sample", "samples", "width", "lon", "longitude", "easting"},
        *{"crosstrack", "across_track"},
    },
    "C": {"c", "band", "bands", "channel", "channels", "wavelength", "wavelengths", "wl", "wave", "lambda", "spectral"},
}


def axes_of_names(names: Sequence[str | None]) -> str:
    """Name the axes of a cube by C, H and W, from the names of its dimensions; empty where these do not tell them."""
    letters = "".join(
        next((letter for letter, known in _AXES.items() if (name or "").lower() in known), "?") for name in names
    )
    return letters if sorted(letters) == ["C", "H", "W"] else ""


def note_northward(
    where: str,
    names: Sequence[str | None],
    coordinate: Callable[[str], tuple[Mapping[str, Any], Sequence[float]] | None],
) -> None:
    """Log a note if the rows of a cube go from south to north: most images of the same scene lie the other way up.

    Parameters
    ----------
    where
        The cube, for messages.
    names
        Of its dimensions.
    coordinate
        Returns attributes of the variable that has a dimension's name, and its first and last value; None: it is none.
    """
    rows = next((name for name in names if name and name.lower() in _AXES["H"]), None)
    found = coordinate(rows) if rows else None
    if found is None:
        return
    attributes, (first, last) = found
    meant = f"{text(attributes.get('standard_name'))} {text(attributes.get('units'))}"
    if first < last and any(word in meant for word in ("projection_y_coordinate", "latitude", "degrees_north")):
        note(f"{where}: its rows go from south to north, as its {rows} has them, and are read in that order")


def text(value: Any) -> str:
    """Return an attribute as text; empty if there is none."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def cf_stated(where: str, attributes: Mapping[str, Any]) -> Stated:
    """Return what the attributes of an array state of its values.

    Parameters
    ----------
    where
        The array, for messages.
    attributes
        Its attributes: `_FillValue` and `missing_value` are numbers without a value, `scale_factor` and `add_offset`
        make of a stored number what it stands for.

    Raises
    ------
    HsbenchError
        If one of them is no number, or the numbers are unsigned in disguise.
    """
    if text(attributes.get("_Unsigned")).lower() == "true":
        raise HsbenchError(f"{where}: _Unsigned = true: its numbers are to be taken for unsigned ones; store them so")
    found = {name: numbers(where, name, attributes[name]) for name in _USED if name in attributes}
    no_data = [name for name in ("_FillValue", "missing_value") if name in found]
    packing = [name for name in ("scale_factor", "add_offset") if name in found]
    return Stated(
        no_data=tuple(dict.fromkeys(number for name in no_data for number in found[name])),
        no_data_words=_words(found, no_data),
        gains=found.get("scale_factor", ()),
        offsets=found.get("add_offset", ()),
        calibration_words=_words(found, packing),
    )


_USED = ("_FillValue", "missing_value", "scale_factor", "add_offset")


def numbers(where: str, name: str, value: Any) -> tuple[float, ...]:
    """Return the numbers of an attribute.

    Raises
    ------
    HsbenchError
        If it has none, or something else.
    """
    try:
        found = np.atleast_1d(np.asarray(value, dtype=np.float64)).ravel()
    except (TypeError, ValueError):
        raise HsbenchError(f"{where}: its attribute {name} is {value!r}, where numbers are needed") from None
    return tuple(float(number) for number in found)


def _words(found: Mapping[str, tuple[float, ...]], names: Sequence[str]) -> str:
    return ", ".join(f"{name} = {', '.join(f'{number:g}' for number in found[name])}" for name in names)
