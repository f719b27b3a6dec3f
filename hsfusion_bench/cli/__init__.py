"""The command line: one verb, one module.

Verbs are imported when they are asked for, and import what they need when they run, so that ``hsbench --help`` is
quick.
"""

from __future__ import annotations

import importlib

import click

from hsfusion_bench import __version__
from hsfusion_bench.errors import HsbenchError, UsageError

_VERBS = (
    "run",
    "fuse",
    "evaluate",
    "score",
    "verify",
    "goldens",
    "leaderboard",
    "list",
    "show",
    "new-method",
    "schema",
)
# `list` names a verb, not a module that hides a builtin
_MODULES = {"list": "list_", "new-method": "new_method"}


class _Message(click.ClickException):
    """One clear message, and the exit code that belongs to it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click declares it for the class


class _Verbs(click.Group):
    """A group whose commands lie in modules of this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        module = importlib.import_module(f"{__name__}.{_MODULES.get(cmd_name, cmd_name)}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except HsbenchError as error:
            if ctx.params.get("debug"):
                raise
            raise _Message(str(error), 2 if isinstance(error, UsageError) else 1) from error
        except KeyboardInterrupt as error:
            text = "interrupted; a run keeps what it has scored, and the same command goes on from there"
            raise _Message(text, 130) from error


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show Python's traceback where something fails.")
@click.version_option(__version__, prog_name="hsbench")
def main(debug: bool) -> None:
    """Benchmark hyperspectral-multispectral image fusion, with indexes that equal MATLAB's.

    \b
    Example:
      hsbench run --methods bicubic,feinfn,mossfuse --dataset cave --scale 4
    """
