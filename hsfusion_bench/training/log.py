"""The log of a training: a CSV file with a line for every so many steps."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import write_text

#: No log has many more lines than this.
_LINES = 1000


class Log:
    """A log that goes on where a training goes on.

    Parameters
    ----------
    path
        The CSV file.
    steps
        Of the whole training: the more there are, the fewer of them are logged.
    resumed
        Step from which the training goes on. Lines beyond it, of steps that are made again, are dropped.
    """

    def __init__(self, path: Path, *, steps: int, resumed: int) -> None:
        self.path = path
        self.every = max(1, steps // _LINES)
        rows = self._kept(resumed) if resumed else []
        self.columns = list(rows[0]) if rows else []
        write_text(path, self._text(rows, head=True) if rows else "")

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Add a line; the first one decides on the columns."""
        row = {"step": str(step), **{name: f"{value:.6g}" for name, value in values.items()}}
        head = not self.columns
        if head:
            self.columns = list(row)
        try:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(self._text([row], head=head))
        except OSError as error:
            raise HsbenchError(f"{self.path} cannot be written: {error.strerror}") from error

    def _kept(self, resumed: int) -> list[dict[str, str]]:
        if not self.path.is_file():
            return []
        with self.path.open(encoding="utf-8", newline="") as file:
            return [
                row
                for row in csv.DictReader(file)
                if (row.get("step") or "").isdecimal() and int(row["step"]) <= resumed
            ]

    def _text(self, rows: list[dict[str, str]], *, head: bool) -> str:
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n", extrasaction="ignore")
        if head:
            writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()
