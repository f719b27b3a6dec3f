"""What tables are made of: the records of one's own folders, and those that come with the package."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, TypeVar

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.runs.differences import of_summary
from hsfusion_bench.runs.recorded import recorded_root, robustness_root
from hsfusion_bench.runs.records import Record, Speed, Store, read_record, read_speed

_Read = TypeVar("_Read", Record, Speed)

Which: TypeAlias = Literal["all", "mine", "recorded"]

#: What ends the name of a protocol whose noise has another seed than 0, see `hsfusion_bench.data.observing.noise`.
NOISE_SEED: Final = re.compile(r"-seed(\d{1,18})$")

#: Where an entry is from, if it came with the package.
RECORDED: Final = "recorded"


@dataclass(frozen=True)
class Entry:
    """A record, and where it is from.

    Parameters
    ----------
    record
        What a method scored.
    speeds
        How fast it was, on every device where that was measured beside the record.
    origin
        `RECORDED` for one that came with the package; else the folder, or nothing where there is one folder only.
    members
        Entries of single seeds that it is the mean of, see `hsfusion_bench.report.seeds`; nothing: it is as recorded.
    """

    record: Record
    speeds: tuple[Speed, ...] = ()
    origin: str = ""
    members: tuple[Entry, ...] = ()

    @property
    def records(self) -> tuple[Record, ...]:
        """The records behind it, one a seed."""
        return tuple(member.record for member in self.members) or (self.record,)

    @property
    def training_seeds(self) -> tuple[int, ...]:
        """Seeds of the trainings, in ascending order; nothing where no training of ours decides its numbers."""
        return tuple(sorted({record.training_seed for record in self.records if record.trained}))

    @property
    def noise_seeds(self) -> tuple[int, ...]:
        """Seeds of the noise, in ascending order; 0 also where the protocol has none."""
        found = (NOISE_SEED.search(record.dataset.protocol) for record in self.records)
        return tuple(sorted({int(each[1]) if each else 0 for each in found}))

    @property
    def recorded(self) -> bool:
        """Whether the record came with the package."""
        return self.origin == RECORDED


@dataclass(frozen=True)
class Gathered:
    """Entries of some folders, and what could not be read there.

    Parameters
    ----------
    entries
        One's own first.
    damaged
        A line for each file that is no record or measurement: where, what, what to do.
    """

    entries: tuple[Entry, ...]
    damaged: tuple[str, ...] = ()


def entries_of(records: Iterable[Record], speeds: Iterable[Speed] = (), origin: str = "") -> list[Entry]:
    """Return records as entries, each with the speeds that belong to it."""
    found: dict[tuple[str, str, str, int, str], list[Speed]] = {}
    for speed in speeds:
        where = (speed.method, speed.variant, speed.dataset, speed.scale, speed.protocol)
        found.setdefault(where, []).append(speed)
    entries = []
    for record in records:
        method, dataset = record.method, record.dataset
        where = (method.name, method.variant, dataset.name, dataset.scale, dataset.protocol)
        # nobody timed here what was made elsewhere, even if a method of ours has its name
        entries.append(Entry(record, () if record.external else tuple(found.get(where, ())), origin))
    return entries


def gather(
    folders: Sequence[Path],
    which: Which = "all",
    *,
    dataset: str | None = None,
    scale: int | None = None,
    protocol: str | None = None,
    swept: bool = False,
) -> Gathered:
    """Read the records of folders, and those that come with the package.

    Parameters
    ----------
    folders
        One's own; a folder that is not there has none.
    which
        "mine" leaves out those of the package, "recorded" one's own.
    dataset, scale, protocol
        Only records of these; None: of all. A protocol with noise stands for all seeds of it, where a method has
        several.
    swept
        Whether those of the package under changed conditions are among them where no protocol is named.

    Returns
    -------
    Gathered
        Files that are damaged are named in it, and keep back no other.
    """
    own = list(dict.fromkeys(folder.resolve() for folder in folders))
    packaged = recorded_root().resolve()
    places: list[tuple[Path, str]] = []
    if which != "recorded":
        named = dict(zip((folder.resolve() for folder in reversed(folders)), reversed(folders), strict=True))
        places += [(folder, str(named[folder]) if len(own) > 1 else "") for folder in own if folder != packaged]
    if which != "mine" or packaged in own:
        places.append((packaged, RECORDED))
        if swept or protocol is not None:
            places.append((robustness_root().resolve(), RECORDED))
    entries: list[Entry] = []
    damaged: list[str] = []
    for folder, origin in places:
        store = Store(folder)
        damaged += [
            f"{closed} may not be read: what records are there is not known" for closed in store.closed_folders()
        ]
        # one's own folders may have been renamed; those of the package are as they were made
        files = store.record_files(dataset, scale, protocol) if origin == RECORDED else store.record_files()
        records = [record for path in files if (record := _try(_sound_record, path, damaged))]
        speeds = [speed for path in store.speed_files() if (speed := _try(read_speed, path, damaged))]
        asked = [record for record in records if _is_of(record, dataset, scale, protocol)]
        entries += entries_of(asked, speeds, origin)
    if protocol is not None and any(entry.record.dataset.protocol != protocol for entry in entries):
        from hsfusion_bench.report.seeds import one_protocol

        pairs = zip(entries, one_protocol(entries), strict=True)
        entries = [entry for entry, joined in pairs if joined.record.dataset.protocol == protocol]
    return Gathered(tuple(entries), tuple(damaged))


def _is_of(record: Record, dataset: str | None, scale: int | None, protocol: str | None) -> bool:
    wanted = ((dataset, record.dataset.name), (scale, record.dataset.scale))
    protocols = (None, record.dataset.protocol, NOISE_SEED.sub("", record.dataset.protocol))
    return all(asked in (None, said) for asked, said in wanted) and protocol in protocols


def _sound_record(path: Path) -> Record:
    """Read a record whose means are those of its scenes."""
    record = read_record(path)
    wrong = next(of_summary(record), None)
    if wrong is not None:
        raise HsbenchError(
            f"{path} is not shown: {wrong.what} is {wrong.recorded}, but its scenes give {wrong.here}; was it "
            "changed by hand? Make it anew with `hsbench run`"
        )
    return record


def _try(read: Callable[[Path], _Read], path: Path, damaged: list[str]) -> _Read | None:
    try:
        return read(path)
    except HsbenchError as error:
        damaged.append(str(error))
        return None
