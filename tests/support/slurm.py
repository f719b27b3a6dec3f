"""A SLURM of one machine, as commands in a folder: what is submitted runs at once, in the background."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_COMMANDS = {
    # the script goes away once it is submitted
    "sbatch": r"""cp "$1" "$SLURM_STUB/$$.job"
setsid sh -c 'export SLURM_JOB_ID=$$; exec bash "$1"' sh "$SLURM_STUB/$$.job" </dev/null >>"$SLURM_STUB/log" 2>&1 &
echo "Submitted batch job $!"
echo "$!" >>"$SLURM_STUB/submitted"
""",
    "scancel": r"""for job; do kill -9 -- "-$job" 2>/dev/null; echo "$job" >>"$SLURM_STUB/cancelled"; done
exit 0
""",
    "sacct": r"""echo "JobID|State|NodeList"
while [ $# -gt 0 ]; do
    if [ "$1" = -j ]; then
        if ps -o stat= -g "$2" | grep -qv Z; then state=RUNNING; else state=FAILED; fi
        echo "$2|$state|here"
        shift
    fi
    shift
done
""",
    "srun": r"""while :; do
    case $1 in
    --output) out=$2; shift 2 ;;
    --error) err=$2; shift 2 ;;
    --*) shift ;;
    *) break ;;
    esac
done
export SLURM_PROCID=0 SLURM_NTASKS=1
name() { echo "$1" | sed "s/%j/$SLURM_JOB_ID/g; s/%t/0/g"; }
exec "$@" >"$(name "$out")" 2>"$(name "$err")"
""",
}


def install(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Put the commands on the path; return the folder where they note what they did."""
    commands = folder / "bin"
    commands.mkdir()
    for name, script in _COMMANDS.items():
        file = commands / name
        file.write_text(f"#!/bin/bash\n{script}")
        file.chmod(0o755)
    patch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    patch.setenv("SLURM_STUB", str(folder))
    return folder


def submitted(folder: Path) -> list[int]:
    """Return the numbers of the jobs that were submitted; each is that of its group of processes."""
    file = folder / "submitted"
    return [int(line) for line in file.read_text().split()] if file.exists() else []
