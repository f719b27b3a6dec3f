"""What is shown where a run cannot begin: the recorded rows of its methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hsfusion_bench.cli.common import console
from hsfusion_bench.data.catalog import about
from hsfusion_bench.data.observing.protocols import ProtocolChoice, load_protocol
from hsfusion_bench.report.leaderboard import leaderboards
from hsfusion_bench.report.sources import Entry, gather
from hsfusion_bench.report.terminal import show
from hsfusion_bench.runs.account import method_info
from hsfusion_bench.runs.contenders import Contender


def show_recorded(contenders: Sequence[Contender], dataset: str, scale: int, choice: ProtocolChoice) -> None:
    """Print the rows that come with the package of methods that were to run, and say that these are not of a run.

    Nothing is printed if no row is known, as of a camera or noise of one's own.

    Raises
    ------
    UsageError
        If there is no such protocol.
    """
    protocol = load_protocol(replace(choice, name=choice.name or about(dataset).protocol)).id
    entries = gather([], "recorded", dataset=dataset, scale=scale, protocol=protocol).entries
    found = {contender.name: [each for each in entries if _is_of(each, contender)] for contender in contenders}
    rows = [entry for each in found.values() for entry in each]
    if not rows:
        return
    said = console()
    said.print("Nothing was run. Recorded before, and come with hsbench:", "", sep="\n", markup=False)
    show(said, leaderboards(rows))
    without = [name for name, each in found.items() if not each]
    if without:
        said.print(f"no recorded row: {', '.join(without)}", "", sep="\n", markup=False)


def _is_of(entry: Entry, contender: Contender) -> bool:
    """Whether a record is of a method with the options that were asked for."""
    if contender.method is None or contender.origin.kind != "shipped":
        return False
    known = frozenset(contender.method.card.uses)
    asked = method_info(contender, contender.method, known)
    return (entry.record.method.name, entry.record.method.variant) == (asked.name, asked.variant)
