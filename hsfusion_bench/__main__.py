"""``python -m hsfusion_bench`` is ``hsbench``."""

from __future__ import annotations

import os
import signal
import sys


def _leave(number: int, _: object) -> None:
    os.write(2, b"Error: interrupted\n")
    os._exit(128 + number)


if not sys.flags.safe_path and sys.path and __package__ and __name__ == "__main__":
    del sys.path[0]  # the current folder, whose ./numpy.py is none of ours

# before all other imports, for they take a while, in which Ctrl-C is no reason for a traceback
if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
    signal.signal(signal.SIGINT, _leave)

from hsfusion_bench import interrupts  # noqa: E402


def main() -> None:
    """Run the command line in a process of its own."""
    interrupts.install()
    from hsfusion_bench.cli import main as command

    command(prog_name="hsbench")


if __name__ == "__main__":
    main()
