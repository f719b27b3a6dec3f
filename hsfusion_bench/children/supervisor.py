"""Runs a command, and ends it when the process that asked for it is gone, whatever ended that one.

Started as a file, by the standard library alone, so that it costs a few milliseconds: ``supervisor.py LIFELINE GRACE
COMMAND...``. LIFELINE is the number of the reading end of a pipe whose writing end only the asking process holds. When
that closes, the command and all that it started are asked to end, by SIGTERM, and killed after GRACE seconds. The exit
code, or the signal, is that of the command.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys

#: Exit code where there is no command to be supervised, as shells have it.
CANNOT_START = 126


def _main(lifeline: int, grace: float, command: list[str]) -> int:
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.set_wakeup_fd(waking)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        # not for this process, which ends with its command; a handler, since what is ignored stays so in a command
        signal.signal(number, lambda *_: None)
    try:
        child = subprocess.Popen(command, process_group=0)  # all that it starts ends with it
    except OSError as error:
        print(error.strerror or error, file=sys.stderr)
        return CANNOT_START
    while child.poll() is None:
        ready, _, _ = select.select([lifeline, woken], [], [])
        if woken in ready:
            os.read(woken, 1024)
        if lifeline in ready:
            _end(child, grace)
    return child.returncode


def _end(child: "subprocess.Popen[bytes]", grace: float) -> None:
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, None)):
        if grace or number == signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(patience)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # what it started and did not end


if __name__ == "__main__":
    code = _main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)
