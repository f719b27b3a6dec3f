"""Commands that are ended at random moments, and what is found afterwards.

Run as a program, it counts by class what was tried::

    python tests/attacks/endings.py --tries 20 [--classes interrupt,terminate] [--verbs run,train]

An attack starts a verb in a process, sends signals after a random time, and judges: the exit code, the lines on the
error stream, what is left in the folders, and whether the same command then ends as one that nobody disturbed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

DEMO = ("--dataset", "demo", "--scale", "4")
SHORT = ("--set", "patch=16", "--set", "stride=16", "--batch-size", "2", "--device", "cpu")
QUEUE = """
[common]
dataset = "demo"
scale = 4
[[training]]
method = "ssfcnn"
steps = 60
keep = "float32"
set = { patch = 16, stride = 16, batch_size = 2 }
"""
#: Verbs by name: their arguments, and files that must then be the same as of an undisturbed command.
VERBS: dict[str, tuple[str, ...]] = {
    "run": ("run", "--methods", "bicubic,sfim", *DEMO, "--no-timing"),
    "save-mat": ("run", "--methods", "bicubic", *DEMO, "--no-timing", "--save-mat", "saved"),
    "train": ("train", "ssfcnn", *DEMO, "--max-steps", "60", *SHORT, "--out", "w/w.safetensors"),
    "make": ("weights", "make", "queue.toml", "--device", "cpu", "--work", "work"),
    "prepare": ("data", "prepare", "demo", "--scale", "4", "--out", "prepared"),
    "scenes": ("data", "prepare", "demo", "--scale", "4", "--out", "prepared", "--form", "scenes"),
    "fuse": ("fuse", "bicubic", "pair.npz", "fused.mat", "--scale", "4"),
    "score": ("score", "given/demo-x4-uestc/bicubic.mat", "--ratio", "4", "--workers", "2"),
    "evaluate": ("evaluate", "given/demo-x4-uestc/bicubic.mat", "--name", "Mine", *DEMO),
    "reproduce": ("reproduce", "given/demo-x4-uestc/bicubic.json"),
    "cost": ("cost", "--methods", "ssrnet", "--size", "64", "--json", "cost.json"),
    "verify": ("verify", "--golden"),
}
#: Verbs whose files depend on times or versions of nothing, and are compared.
COMPARED = ("run", "save-mat", "train", "prepare", "scenes", "fuse", "evaluate")
#: What is left on purpose, to go on from.
KEPT = (".unfinished", ".state", ".mat.unfinished", ".csv", ".arriving")


@dataclass
class Verdict:
    """What an attack found: "ok" (as if undisturbed), "clear" (ended with its line), or a fault."""

    kind: str
    what: str = ""


@dataclass
class Field:
    """A folder in which commands run, with a cache and temporary files of its own."""

    root: Path
    given: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.place = self.root / "place"
        self.temporary = self.root / "tmp"
        for folder in (self.place, self.temporary):
            folder.mkdir(parents=True)
        (self.place / "queue.toml").write_text(QUEUE)
        if self.given.is_dir():
            for path in self.given.iterdir():
                (self.place / path.name).symlink_to(path)
        self.environment = os.environ | {
            "TMPDIR": str(self.temporary),
            "HSBENCH_CACHE": str(self.root / "cache"),
            "XDG_DATA_HOME": str(self.root / "data"),
            "OMP_NUM_THREADS": "1",
        }

    def start(self, verb: str) -> subprocess.Popen[str]:
        """Start a verb, in a group of processes of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "hsfusion_bench", *VERBS[verb]],
            cwd=self.place,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def files(self) -> dict[str, str]:
        """Return the digests of what the commands made, but for times: in logs, and in the head of MAT-files."""
        return {
            str(path.relative_to(self.place)): hashlib.sha256(
                path.read_bytes()[116 if path.suffix == ".mat" else 0 :]
            ).hexdigest()
            for path in sorted(self.place.rglob("*"))
            if path.is_file()
            and path.suffix != ".csv"
            and "given" not in path.parts
            and "speed" not in path.parts
            and not path.is_symlink()
        }

    def left(self) -> list[str]:
        """Return what commands left that belongs to nobody."""
        cache = self.root / "cache"
        found = [path for path in self.temporary.iterdir() if not path.name.startswith("torch")]
        for folder in (self.place, cache):
            found += [path for path in folder.rglob(".*") if path.name.startswith(".")]
        return [path.name for path in found if not path.name.endswith(KEPT)]


def living(group: int) -> list[int]:
    """Return the processes of a group that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                state, _, its_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            except (OSError, ValueError):
                continue
            if int(its_group) == group and state != "Z":
                found.append(int(entry.name))
    return found


def attack(place: Field, verb: str, signals: Sequence[int], after: float, *, group: bool) -> Verdict:
    """Send signals to a verb, a time after its start, and judge how it ends; `group`: to its children, too."""
    process = place.start(verb)
    time.sleep(after)
    for number in signals:
        if process.poll() is None:
            (os.killpg if group else os.kill)(process.pid, number)
            time.sleep(random.uniform(0, 0.05))
    try:
        _, said = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        for each in living(process.pid):
            os.kill(each, signal.SIGKILL)
        process.communicate()
        return Verdict("fault", "does not end")
    deadline = time.monotonic() + 10
    while living(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    if left := living(process.pid):
        for each in left:
            os.kill(each, signal.SIGKILL)
        return Verdict("fault", f"{len(left)} children live on")
    if process.returncode == 0 and "Traceback" not in said:
        return Verdict("ok")
    if signals[0] == signal.SIGKILL:
        return Verdict("clear")
    if "Traceback" in said or "Exception ignored" in said:
        return Verdict("fault", f"a traceback ({said.strip().splitlines()[-1][:80]})")
    wanted = 128 + signals[0]
    if process.returncode != wanted:
        return Verdict("fault", f"exit code {process.returncode} for {wanted}: {said.strip()[-120:]}")
    last = [line for line in said.splitlines() if line.startswith("Error: ")]
    if len(last) != 1:
        return Verdict("fault", f"{len(last)} lines say so")
    if leftovers := place.left():
        return Verdict("fault", f"left behind: {leftovers[:3]}")
    return Verdict("clear")


def resumed(place: Field, verb: str, whole: dict[str, str]) -> Verdict:
    """Run the same command undisturbed, and compare with what it makes if it always was."""
    process = place.start(verb)
    _, said = process.communicate(timeout=300)
    if process.returncode:
        return Verdict("fault", f"the same command again: {said.strip().splitlines()[-1][:100]}")
    if left := place.left():
        return Verdict("fault", f"left behind by the one before: {left[:3]}")
    made = place.files()
    if verb in COMPARED and made != whole:
        differing = sorted(name for name in {*made, *whole} if made.get(name) != whole.get(name))
        return Verdict("fault", f"other files than undisturbed: {differing[:3]}")
    return Verdict("ok")


#: Classes of attacks: the signals, whether children get them, and the latest moment (None: any, early: seconds).
CLASSES: dict[str, tuple[tuple[int, ...], bool, float | None]] = {
    "interrupt": ((signal.SIGINT,), True, None),
    "interrupt early": ((signal.SIGINT,), True, 0.3),
    "interrupt twice": ((signal.SIGINT, signal.SIGINT), True, None),
    "terminate": ((signal.SIGTERM,), False, None),
    "hang up": ((signal.SIGHUP,), True, None),
    "kill": ((signal.SIGKILL,), False, None),
}


def given_files(root: Path) -> Path:
    """Make what verbs are given."""
    folder = root / "for-all"
    folder.mkdir(parents=True)
    script = (
        "import numpy as np, sys\n"
        "import hsfusion_bench as hb\n"
        "scene = hb.open_task('demo', scale=4)['figs']; seen = scene.observation\n"
        "np.savez('pair.npz', hsi=seen.lr_hsi, msi=seen.hr_msi)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=True)
    run = ["run", "--methods", "bicubic", *DEMO, "--no-timing", "--results-dir", "given", "--save-mat", "given"]
    subprocess.run([sys.executable, "-m", "hsfusion_bench", *run], cwd=folder, check=True, capture_output=True)
    for early in (folder / "given").glob("*.mat"):  # as versions before this one named it
        shutil.move(early, folder / "given" / "demo-x4-uestc" / early.name)
    return folder


def campaign(
    root: Path, tries: int, verbs: Sequence[str], classes: Sequence[str], say: Callable[[str], None]
) -> Iterator[tuple[str, str, Verdict]]:
    """Attack in a random order; give class, verb and verdict of each attack and of the command after it."""
    given = given_files(root)
    calm: dict[str, tuple[float, dict[str, str]]] = {}
    plan = [(verb, name, number) for number in range(tries) for verb in verbs for name in classes]
    random.shuffle(plan)
    for verb, name, number in plan:
        if verb not in calm:
            calm[verb] = undisturbed(Field(root / f"{verb}-calm", given), verb)
        lasts, whole = calm[verb]
        signals, group, latest = CLASSES[name]
        place = Field(root / f"{verb}-{name}-{number}", given)
        after = random.uniform(0.06, latest or lasts)
        first = attack(place, verb, signals, after, group=group)
        if first.kind == "fault":
            say(f"{name}, {verb}, after {after:.2f} of {lasts:.2f} s: {first.what}")
        yield name, verb, first
        if latest is None:
            then = resumed(place, verb, whole)
            if then.kind == "fault":
                say(f"{name}, {verb}, after {after:.2f} of {lasts:.2f} s, then again: {then.what}")
            yield f"{name}, then again", verb, then
        shutil.rmtree(place.root)


def undisturbed(place: Field, verb: str) -> tuple[float, dict[str, str]]:
    """Return how long a verb takes if nobody disturbs it, and the files it makes."""
    begun = time.monotonic()
    process = place.start(verb)
    _, said = process.communicate(timeout=300)
    if process.returncode:
        raise RuntimeError(f"{verb} fails: {said.strip()[-200:]}")
    return time.monotonic() - begun, place.files()


def main() -> None:
    """Attack, and print the counts by class."""
    options = argparse.ArgumentParser(description="Commands that are ended at random moments.")
    options.add_argument("--tries", type=int, default=3, help="of each verb in each class")
    options.add_argument("--minutes", type=float, default=60, help="after which no further attack starts")
    options.add_argument("--verbs", default=",".join(VERBS))
    options.add_argument("--classes", default=",".join(CLASSES))
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    random.seed(asked.seed)
    end = time.monotonic() + 60 * asked.minutes

    def say(line: str) -> None:
        print(line, flush=True)

    counts: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        made = campaign(Path(folder), asked.tries, asked.verbs.split(","), asked.classes.split(","), say)
        for name, _, verdict in made:
            counts.setdefault(name, Counter())[verdict.kind] += 1
            if time.monotonic() > end:
                break
    print(f"{'class':28} {'tried':>6} {'ok':>6} {'clear':>6} {'faults':>6}")
    for name, found in sorted(counts.items()):
        print(f"{name:28} {found.total():6} {found['ok']:6} {found['clear']:6} {found['fault']:6}")


if __name__ == "__main__":
    main()
