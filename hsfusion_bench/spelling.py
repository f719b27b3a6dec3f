"""Numbers that JSON does not know, spelled as MATLAB does: "NaN", "Inf", "-Inf"."""

from __future__ import annotations

import math

_NAMES = {"NaN": math.nan, "Inf": math.inf, "-Inf": -math.inf}


def spell(value: float) -> float | str:
    """Return a float as JSON can hold it: the number, or its name."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Inf" if value > 0 else "-Inf"


def unspell(value: object) -> object:
    """Return the float that a name stands for, and anything else as it is."""
    return _NAMES.get(value, value) if isinstance(value, str) else value
