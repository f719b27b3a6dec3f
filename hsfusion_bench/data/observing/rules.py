"""Numbers that may depend on the scale, as a protocol's file writes them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator

_FORM = re.compile(r"(?:(?P<times>\d+)\*)?scale(?:/(?P<over>\d+(?:\.\d+)?))?(?P<plus>[+-]\d+)?")


@dataclass(frozen=True)
class Rule:
    """A number for every scale: ``times * scale / over + plus``.

    A plain number is the case ``times = 0``.
    """

    times: int = 0
    over: float = 1.0
    plus: float = 0.0

    @classmethod
    def of(cls, written: object) -> Rule:
        """Read a rule: a number, or a text such as "scale", "scale-1", "2*scale" or "scale/2-1".

        Raises
        ------
        ValueError
            If it is neither.
        """
        if isinstance(written, Rule):
            return written
        if isinstance(written, int | float) and not isinstance(written, bool) and math.isfinite(written):
            return cls(plus=float(written))
        match = _FORM.fullmatch(written.replace(" ", "")) if isinstance(written, str) else None
        if match is None or float(match["over"] or 1) == 0:
            raise ValueError(
                f"{written!r} is neither a number nor a rule such as 'scale', 'scale-1', '2*scale' or 'scale/2-1'"
            )
        return cls(int(match["times"] or 1), float(match["over"] or 1), float(match["plus"] or 0))

    def at(self, scale: int) -> float:
        """Return the number that holds at a scale."""
        return self.times * scale / self.over + self.plus

    def whole(self, scale: int) -> int:
        """Return the number that holds at a scale, which must be a whole one.

        Raises
        ------
        ValueError
            If it is not.
        """
        value = self.at(scale)
        if not value.is_integer():
            raise ValueError(f"at scale {scale} it would be {value:g}, which is not a whole number")
        return int(value)

    def __str__(self) -> str:
        """Return it as written in tables: "r", "r/2-1", "0.5"."""
        if not self.times:
            return f"{self.plus:g}"
        times = f"{self.times}" if self.times > 1 else ""
        over = f"/{self.over:g}" if self.over != 1 else ""
        return f"{times}r{over}{self.plus:+g}" if self.plus else f"{times}r{over}"


Scaled = Annotated[Rule, BeforeValidator(Rule.of)]
"""A field that a file may fill with a number or a rule."""
