"""The command line: one verb, one module.

Verbs are imported when they are asked for, and import what they need when they run, so that ``hsbench --help`` is
quick.
"""

from __future__ import annotations

from typing import Any

import click

from hsfusion_bench import interrupts
from hsfusion_bench.__about__ import __version__
from hsfusion_bench.cli.failures import Message, told
from hsfusion_bench.cli.notes import say_notes
from hsfusion_bench.cli.verbs import Verbs
from hsfusion_bench.terminal import make_streams_readable

_VERBS = (
    "run",
    "train",
    "fuse",
    "evaluate",
    "join",
    "reproduce",
    "submit-check",
    "score",
    "verify",
    "leaderboard",
    "compare",
    "report",
    "figure",
    "cost",
    "data",
    "weights",
    "list",
    "show",
    "new-method",
)


class _Main(Verbs):
    """The verbs of ``hsbench``, with errors as messages, and signals as errors."""

    def main(self, *args: Any, **more: Any) -> Any:
        make_streams_readable()
        say_notes()
        with interrupts.handled():
            return super().main(*args, **more)

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        try:
            return super().make_context(*args, **more)
        except click.ClickException as error:
            raise told(error) or error from error
        except KeyboardInterrupt as error:
            raise _interrupted(error, None) from error

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Exception as error:
            message = told(error)
            if message is None or (ctx.params.get("debug") and not isinstance(error, click.ClickException)):
                raise
            raise message from error
        except KeyboardInterrupt as error:
            raise _interrupted(error, ctx.invoked_subcommand) from error


#: What is kept of a command that is interrupted, where it goes on with that.
_KEPT = {
    "run": "what is scored is kept, and the same command goes on there",
    "train": "the state is kept, and the same command goes on there",
    "weights": "what is reached is kept, and the same command goes on there",
}


def _interrupted(error: KeyboardInterrupt, verb: str | None) -> Message:
    text, code = interrupts.told(error)
    return Message(f"{text}; {_KEPT.get(verb or '', 'no file is left half written')}", code)


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
