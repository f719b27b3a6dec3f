"""Where the record of an entry lies, and what lies beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hsfusion_bench.report.sources import RECORDED
from hsfusion_bench.runs.recorded import recorded_root
from hsfusion_bench.runs.records import Record, Store


@dataclass(frozen=True)
class Places:
    """The folders that records were gathered from.

    Parameters
    ----------
    own
        One's own, as `hsfusion_bench.report.sources.gather` was given them.
    """

    own: tuple[Path, ...]

    def folder(self, origin: str) -> Path:
        """Return the folder that an entry's `origin` means."""
        if origin == RECORDED:
            return recorded_root()
        if origin:
            return Path(origin)
        packaged = recorded_root().resolve()
        return next((folder for folder in self.own if folder.resolve() != packaged), recorded_root())

    def file(self, record: Record, origin: str) -> Path:
        """Return where a record lies; those of older versions are called without the seed of their training."""
        path = Store(self.folder(origin)).path(record)
        if record.training_seed and not path.is_file():
            older = path.with_name(path.name.replace(f"seed-{record.training_seed}.", "", 1))
            return older if older.is_file() else path
        return path

    @property
    def weights(self) -> Sequence[Path]:
        """Folders where weights and the logs of their trainings may lie."""
        from hsfusion_bench.files import user_cache

        roots = [recorded_root(), *self.own, user_cache()]
        return list(dict.fromkeys(root.resolve() / "weights" for root in roots))
