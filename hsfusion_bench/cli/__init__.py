"""The command line: one verb, one module.

Verbs are imported when they are asked for, and import what they need when they run, so that ``hsbench --help`` is
quick.
"""

from __future__ import annotations

from typing import Any

import click

from hsfusion_bench import interrupts
from hsfusion_bench.__about__ import __version__
from hsfusion_bench.cli.verbs import Verbs
from hsfusion_bench.errors import HsbenchError, UsageError, out_of_memory
from hsfusion_bench.terminal import make_streams_readable

_VERBS = (
    "run",
    "train",
    "fuse",
    "evaluate",
    "reproduce",
    "submit-check",
    "score",
    "verify",
    "leaderboard",
    "compare",
    "cost",
    "data",
    "weights",
    "list",
    "show",
    "new-method",
)


class _Message(click.ClickException):
    """One clear message, and the exit code that belongs to it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click declares it for the class


class _Main(Verbs):
    """The verbs of ``hsbench``, with errors as messages, and signals as errors."""

    def main(self, *args: Any, **more: Any) -> Any:
        make_streams_readable()
        with interrupts.handled():
            return super().main(*args, **more)

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        try:
            return super().make_context(*args, **more)
        except KeyboardInterrupt as error:
            raise _interrupted(error, None) from error

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except HsbenchError as error:
            if ctx.params.get("debug"):
                raise
            raise _Message(str(error), 2 if isinstance(error, UsageError) else 1) from error
        except (MemoryError, RuntimeError) as error:
            if ctx.params.get("debug") or (reason := out_of_memory(error)) is None:
                raise
            raise _Message(f"{reason}; smaller images, fewer --workers or --tile N need less", 1) from error
        except KeyboardInterrupt as error:
            raise _interrupted(error, ctx.invoked_subcommand) from error


#: What is kept of a command that is interrupted, where it goes on with that.
_KEPT = {
    "run": "what is scored is kept, and the same command goes on there",
    "train": "the state is kept, and the same command goes on there",
    "weights": "what is reached is kept, and the same command goes on there",
}


def _interrupted(error: KeyboardInterrupt, verb: str | None) -> _Message:
    text, code = interrupts.told(error)
    return _Message(f"{text}; {_KEPT.get(verb or '', 'no file is left half written')}", code)


@click.group(
    cls=_Main,
    package=__name__,
    verbs=_VERBS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--debug", is_flag=True, help="Show Python's traceback where something fails.")
@click.version_option(__version__, prog_name="hsbench")
def main(debug: bool) -> None:
    """Benchmark hyperspectral-multispectral image fusion, with indexes that equal MATLAB's.

    \b
    Example:
      hsbench run --methods bicubic,feinfn,mossfuse --dataset cave --scale 4
    """
