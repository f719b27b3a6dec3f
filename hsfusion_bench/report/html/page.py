"""What the page says, gathered: boards of records, with pictures, courses of trainings and their accounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hsfusion_bench.__about__ import __version__
from hsfusion_bench.report.html.boards import View, view_of
from hsfusion_bench.report.html.galleries import gallery_data, gallery_of
from hsfusion_bench.report.html.logs import courses
from hsfusion_bench.report.html.pictures import Embedding
from hsfusion_bench.report.html.places import Places
from hsfusion_bench.report.html.safe import plain
from hsfusion_bench.report.leaderboard import Leaderboard
from hsfusion_bench.report.sources import Entry

#: Boards of a page, rows of a board, and rows of all boards together: more can neither be read nor tested in seconds.
MOST_BOARDS: Final = 60
MOST_ROWS: Final = 100
MOST_ROWS_IN_ALL: Final = 480


@dataclass(frozen=True)
class Page:
    """Everything that the template shows.

    Parameters
    ----------
    title, version
        Of the page, and of what made it.
    command
        That made it.
    boards
        One for each table of the leaderboard.
    faults
        Records and pictures that could not be read, and what is left out: a line each.
    data
        For the script.
    """

    title: str
    version: str
    command: str
    boards: list[View]
    faults: list[str]
    data: dict[str, Any]


def gather_page(
    boards: Sequence[Leaderboard], entries: Iterable[Entry], places: Places, damaged: Iterable[str], command: str
) -> Page:
    """Gather what the page says.

    Parameters
    ----------
    boards
        Of `hsfusion_bench.report.leaderboard.leaderboards`.
    entries
        What they were made of.
    places
        Where these were gathered.
    damaged
        Lines on records that could not be read.
    command
        That the page was asked for by.
    """
    origins = {id(entry.record): entry.origin for entry in entries}
    shown = list(boards[:MOST_BOARDS])
    faults = list(damaged)
    if len(shown) < len(boards):
        faults.append(
            f"the first {len(shown)} of {len(boards)} tables are shown: --dataset, --scale, --protocol choose others"
        )
    most = max(3, min(MOST_ROWS, MOST_ROWS_IN_ALL // max(1, len(shown))))
    wanted = [
        record.weights.sha256
        for board in shown
        for row in board.rows[:most]
        for record in row.records
        if record.weights is not None
    ]
    curves = courses(places.weights, wanted)
    views = [view_of(board, number, most, places, curves, origins) for number, board in enumerate(shown, 1)]
    galleries = [
        gallery_of(view, board.rows[:most], places, origins, faults) for view, board in zip(views, shown, strict=True)
    ]
    embedding = Embedding(picture for gallery in galleries for picture in gallery.pictures())
    if embedding.left_out:
        faults.append(f"{embedding.left_out} pictures are left out, for the page would be too large: --methods chooses")
    for view, gallery in zip(views, galleries, strict=True):
        view.data["pictures"] = gallery_data(gallery, embedding)
        view.data["without"] = gallery.without if view.data["pictures"] else []
    titles = list(dict.fromkeys(view.title for view in views))
    return Page(
        title=titles[0] if len(titles) == 1 else "Hyperspectral image fusion",
        version=__version__,
        command=plain(command, 400),
        boards=views,
        faults=[plain(fault, 600) for fault in faults],
        data={"boards": [view.data for view in views]},
    )
