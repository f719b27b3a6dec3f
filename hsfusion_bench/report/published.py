"""Numbers that papers print, with their sources, kept beside measured ones and never in their place.

They lie in ``published.csv`` beside this module, one row for each method, data set and scale of a table; a note says
where a row is suspect. All are of the papers whose observations protocol `uestc` describes.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

#: What they print as ERGAS and SSIM, by the names of those two of the seven: see `hsfusion_metrics.PUBLISHED_METRICS`.
MEANT: Final[Mapping[str, str]] = {"ergas": "ergas_fused", "ssim": "ssim_full"}

#: The protocol of these papers; how far that is proven is what `hsbench verify --published` tells.
PROTOCOL = "uestc"

_WHAT = ("dataset", "scale", "method", "source", "note")


@dataclass(frozen=True)
class PublishedRow:
    """A row of a published table.

    Parameters
    ----------
    dataset, scale, method
        Whose numbers these are.
    values
        The numbers as printed, digit by digit, by name: "psnr", "psnr_std", ..., "params_m"; only those that are there.
    source
        Paper and table.
    note
        Why the row is suspect; empty if it is not.
    """

    dataset: str
    scale: int
    method: str
    values: Mapping[str, str]
    source: str
    note: str


def published_rows() -> tuple[PublishedRow, ...]:
    """Return all published rows, in the order of the file."""
    text = (files("hsfusion_bench.report") / "published.csv").read_text("utf-8")
    return tuple(
        PublishedRow(
            dataset=row["dataset"],
            scale=int(row["scale"]),
            method=row["method"],
            values={name: value for name, value in row.items() if value and name not in _WHAT},
            source=row["source"],
            note=row["note"] or "",
        )
        for row in csv.DictReader(text.splitlines())
    )


def boards_of(
    dataset: str | None = None, scale: int | None = None, protocol: str | None = None
) -> list[tuple[str, int, str]]:
    """Return data set, scale and protocol of every published table, or of those that are asked for."""
    boards = dict.fromkeys((row.dataset, row.scale, PROTOCOL) for row in published_rows())
    asked = (dataset, scale, protocol)
    return [board for board in boards if all(want in (None, said) for want, said in zip(asked, board, strict=True))]
