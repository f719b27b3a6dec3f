"""A method's visiting card. It imports nothing that takes time, so that methods are listed quickly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from hsfusion_bench.errors import HsbenchError

__all__ = ["TRUTHS", "Card", "Family", "Truth"]

Family = Literal["classical", "cnn", "inr", "transformer", "unsupervised", "custom"]
Truth = Literal["psf", "srf"]
TRUTHS: Final[tuple[Truth, ...]] = get_args(Truth)


@dataclass(frozen=True)
class Card:
    """A method's visiting card.

    Parameters
    ----------
    name
        Lower-case name by which the command line calls it.
    title
        Name as printed in tables.
    family
        One of classical, cnn, inr, transformer, unsupervised, custom.
    year
        Year of publication.
    reference
        BibTeX entry.
    uses
        Truths beyond the two images that the method needs: "psf", "srf". They are withheld from a method that
        does not name them here, and leaderboards mark one that does as non-blind. Where the observation has none
        (a real pair, or a blind run) they are None all the same; the method then estimates them or raises
        HsbenchError, and the record calls them estimated.
    """

    name: str
    title: str
    family: Family
    year: int | None = None
    reference: str = ""
    uses: frozenset[Truth] = frozenset()

    def __post_init__(self) -> None:
        if self.family not in get_args(Family):
            raise HsbenchError(f"method {self.name!r}: family {self.family!r} is none of {', '.join(get_args(Family))}")
