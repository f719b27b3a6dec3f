"""What a run shows while it goes on: progress bars on a terminal, one line a method elsewhere."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from hsfusion_bench.cli.common import console
from hsfusion_bench.cli.notes import say_notes
from hsfusion_bench.runs.setting import Listener
from hsfusion_bench.training.course import StepReport


def shown(*, debug: bool = False) -> Display:
    """Return a display for a row, in whatever process runs it: what library functions say is shown as well."""
    say_notes()
    return Display(debug=debug)


class Display(Listener):
    """A listener that draws on the standard error stream.

    Parameters
    ----------
    debug
        Print the traceback of a method that fails.
    """

    def __init__(self, *, debug: bool = False) -> None:
        self.console = console(stderr=True)
        self.debug = debug
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.completed}/{task.total} {task.fields[unit]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}", markup=False),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def scene_observed(self, done: int, total: int, scene: str) -> None:
        """Move the bar of the observations that training is fed with."""
        self._move("observing the training scenes", done, total, "scenes", scene)

    def resumed(self, method: str, step: int, steps: int, path: Path) -> None:
        """Say from where a training goes on."""
        text = f"resumes after step {step} of {steps}" if step < steps else f"all {steps} steps are made already"
        self.console.print(f"{method}: {text} ({path})", markup=False, soft_wrap=True)

    def fitted(self, method: str, steps: int, minutes: float) -> None:
        """Say how many steps fit the time."""
        self.console.print(f"{method}: {steps} steps fit {minutes:g} minutes", markup=False)

    def validated(self, method: str, step: int, psnr: float, bicubic: float) -> None:
        """Say how far a network has come, as bicubic interpolation is the least."""
        text = f"{method}: step {step}, {psnr:.2f} dB on validation patches; bicubic {bicubic:.2f} dB"
        self.console.print(text, markup=False, highlight=False)

    def step_done(self, method: str, report: StepReport) -> None:
        """Move the bar of a training."""
        psnr = "" if report.psnr is None else f", PSNR {report.psnr:.2f} dB"
        text = f"loss {report.loss:.4f}{psnr}, {report.patches_per_second:.1f} patches/s"
        self._move(f"{method}: training", report.step, report.steps, "steps", text)

    def scene_done(self, method: str, scene: str, number: int, total: int) -> None:
        """Move the bar of a method."""
        self._move(f"{method}: scenes", number, total, "scenes", scene)

    def weights_taken(self, method: str, text: str) -> None:
        """Say which weights a network runs with."""
        self.console.print(f"{method}: {text}", markup=False, highlight=False, soft_wrap=True)

    def failed(self, method: str, error: BaseException) -> None:
        """Show where a method failed, to an author who wants to see it."""
        if self.debug:
            self.console.print("".join(traceback.format_exception(error)), markup=False)

    def _move(self, what: str, done: int, total: int, unit: str, text: str) -> None:
        if what not in self.tasks:
            self.tasks[what] = self.progress.add_task(what, total=total, unit=unit, text=text)
        self.progress.update(self.tasks[what], completed=done, text=text)
        if done == total and not self.console.is_terminal:
            self.console.print(f"{what} {done}/{total}{f', {text}' if text else ''}", markup=False)
