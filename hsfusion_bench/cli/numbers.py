"""Numbers that options take, each with its range: what lies outside is refused with it."""

from __future__ import annotations

import math
from typing import Any, Final

import click

from hsfusion_bench.data.observing.limits import LIMITS, Limits


class Number(click.FloatRange):
    """A finite number in a range; NaN, which is in none, is refused as well: `what` says what is asked for."""

    def __init__(self, *args: Any, what: str = "", **more: Any) -> None:
        super().__init__(*args, **more)
        self.what = what

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            told = f"; {self.what}" if self.what else ""
            self.fail(f"{number} is not in the range {self._describe_range()}{told}.", param, ctx)
        return number


def _limited(name: str) -> Number:
    limits: Limits = LIMITS[name]
    return Number(min=limits.least, max=limits.most, what=f"it is the {limits.title}")


def shift(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, float] | None:
    """Return (rows, columns) of "0.5", which is both, or of "0.5,0.25": a callback of an option."""
    if value is None:
        return None
    parts = value.split(",")
    if len(parts) > 2:
        raise click.BadParameter(f"{value!r} is neither one number nor two, ROWS,COLUMNS", context, parameter)
    numbers = [_limited("shift").convert(part.strip(), parameter, context) for part in parts]
    return numbers[0], numbers[-1]


POSITIVE: Final = Number(min=1e-9, max=1e12)
#: Decibels; noise of a thousandth, and of ten times, the least step of 16 bits.
DECIBELS: Final = Number(min=-60, max=200, what="a signal-to-noise ratio is a finite number of decibels")
FWHM: Final = _limited("psf_fwhm")
GAIN: Final = _limited("gain")
DEAD_LINES: Final = _limited("dead_lines")
PHASE_OFF: Final = _limited("told_phase")
MINUTES: Final = Number(min=0, min_open=True, max=1e6)
SECONDS: Final = Number(min=0, min_open=True, max=1e8)
RATIO: Final = Number(min=1, max=1024)
SCALE: Final = click.IntRange(min=2, max=1024)
#: Of NumPy's and torch's generators.
SEED: Final = click.IntRange(min=0, max=2**32 - 1)
COUNT: Final = click.IntRange(min=1, max=10**9)
BANDS: Final = click.IntRange(min=1, max=4096)
