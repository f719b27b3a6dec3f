"""Every verb with every option, thrown hostile values at: what was tried, and what came of it."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import click
from click.testing import CliRunner

from hsfusion_bench.cli import main
from hsfusion_bench.cli.verbs import Verbs

Outcome = Literal["ok", "error", "fault"]

#: Texts that are a value of no number.
NUMBERS = (
    "",
    " ",
    "nan",
    "-nan",
    "inf",
    "-inf",
    "-1",
    "0",
    "1e308",
    "-1e308",
    "1e-320",
    "9" * 5000,
    "-" + "9" * 400,
    "99999999999999999999",
    "1000000000",
    "1.5",
    "0x10",
    "1_000",
    "٤",
    "four",
)
#: Texts where a name, or a list of names, is expected.
NAMES = (
    "",
    " ",
    ",",
    " , ,",
    "../../x",
    "/etc/passwd",
    "..",
    "a\nb",
    "\x1b[31mred\x1b[0m",
    "\u202egnp",
    "a" * 300,
    "a" * 5000,
    "[red]x[/red]",
    "{0}",
    "%s",
    "NaN",
    "\udcff",
    "a\0b",
    "=1+1",
    "x=",
    "=x",
    "mat:",
    "mat:/",
    "h5:",
    "nowhere.toml",
    "/.toml",
    "x.py:",
    ":f",
    "/:/",
)
#: Paths that lead nowhere, with what `furnish` puts into the present folder.
PATHS = (
    "",
    " ",
    "a" * 300,
    "a/" * 3000 + "a",
    "a\0b",
    "file/below",
    "folder",
    "file",
    "empty",
    "broken-link",
    "loop",
    "loop/below",
    "closed",
    "closed/below",
    "closed-file",
    "\x1b]0;title\x07",
    "line\nbreak",
    "\udcff",
    "/dev/null/below",
    "/proc/self/nothing",
    "~nobody-at-all/x",
    "-",
    ".",
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f]")


@dataclass(frozen=True)
class Attack:
    """A command line, and which of its words is hostile."""

    kind: str
    verb: str
    parameter: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return "hsbench " + " ".join(repr(word if len(word) < 60 else f"{word[:40]}...") for word in self.words)


@dataclass
class Tally:
    """What came of attacks, by kind."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    accepted: list[Attack] = field(default_factory=list)

    def add(self, attack: Attack, outcome: Outcome, why: str) -> None:
        """Count one."""
        self.counts.setdefault(attack.kind, Counter())[outcome] += 1
        if outcome == "fault":
            self.faults.append(f"{attack}: {why}")
        if outcome == "ok":
            self.accepted.append(attack)

    def __str__(self) -> str:
        lines = [f"{'kind':10} {'tried':>6} {'ok':>6} {'errors':>6} {'faults':>6}"]
        lines += [
            f"{kind:10} {count.total():6} {count['ok']:6} {count['error']:6} {count['fault']:6}"
            for kind, count in self.counts.items()
        ]
        return "\n".join(lines)


def verbs(group: Verbs = main, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Give every verb that does something, with the words it is called by."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, Verbs):
            yield from verbs(command, (*path, name))
        else:
            yield (*path, name), command


def kind_of(parameter: click.Parameter) -> str:
    """Say what values a parameter takes: number, path, choice, name; nothing for a flag."""
    if isinstance(parameter, click.Option) and (parameter.is_flag or parameter.count):
        return ""
    if isinstance(parameter.type, click.Path):
        return "path"
    if isinstance(parameter.type, click.Choice):
        return "choice"
    if isinstance(parameter.type, (click.types.IntParamType, click.types.FloatParamType)):
        return "number"
    return "name"


def attacks_on(
    path: tuple[str, ...], command: click.Command, base: Sequence[str], values: dict[str, Sequence[str]]
) -> Iterator[Attack]:
    """Give a good command line of a verb with one hostile word after the other.

    Parameters
    ----------
    path, command
        The verb.
    base
        Its arguments and options where nothing is wrong; ``{name}`` marks the place of an argument.
    values
        Hostile ones, by `kind_of`.
    """
    verb = " ".join(path)
    plain = [word.partition("}")[2] if word.startswith("{") else word for word in base]
    for parameter in command.params:
        kind = kind_of(parameter)
        for value in values.get(kind, ()):
            if isinstance(parameter, click.Argument):
                places = [n for n, word in enumerate(base) if word.startswith(f"{{{parameter.name}}}")]
                if not places:
                    continue
                words = [*plain]
                words[places[0]] = value
                if value.startswith("-"):
                    continue
            else:
                option = max(parameter.opts, key=len)
                words = [*_without(plain, option), option, value]
            yield Attack(kind, verb, str(parameter.name), (*path, *words))


def _without(words: Sequence[str], option: str) -> list[str]:
    kept, skip = [], False
    for word in words:
        if skip or word == option:
            skip = word == option
            continue
        kept.append(word)
    return kept


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


@contextmanager
def without_privileges() -> Iterator[None]:
    """Let permissions hold for this thread, even if it is root's, whose right to pass over them is laid down."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = _Header(0x20080522, 0), (_Sets * 2)()
    if libc.capget(ctypes.byref(header), sets):
        raise OSError(ctypes.get_errno(), "capget")
    before = sets[0].effective
    sets[0].effective = before & ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    if libc.capset(ctypes.byref(header), sets):
        raise OSError(ctypes.get_errno(), "capset")
    try:
        yield
    finally:
        sets[0].effective = before
        libc.capset(ctypes.byref(header), sets)


def furnish(folder: Path) -> None:
    """Put into a folder what `PATHS` speak of."""
    (folder / "file").write_text("no such thing\n")
    (folder / "empty").touch()
    (folder / "folder").mkdir()
    (folder / "broken-link").symlink_to(folder / "nowhere" / "at" / "all")
    (folder / "loop").symlink_to("loop")
    (folder / "closed").mkdir()
    (folder / "closed").chmod(0)
    (folder / "closed-file").touch()
    (folder / "closed-file").chmod(0)


#: Seconds that any of them may take.
LIMIT = 20


class Late(BaseException):
    """Raised where a command line takes too long."""


def _late(*_: object) -> None:
    raise Late


def attempt(words: Sequence[str]) -> tuple[Outcome, str]:
    """Run a command line in this process, and say whether it did what it should, or clearly said why not."""
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(LIMIT)
    try:
        result = CliRunner().invoke(main, list(words))
    except Late:
        return "ok", "was taken, and is at work"
    finally:
        signal.alarm(0)
    error = result.exception
    if error is not None and not isinstance(error, SystemExit):
        return "fault", "".join(traceback.format_exception(error)[-3:])
    if result.exit_code not in (0, 1, 2):
        return "fault", f"exit code {result.exit_code}"
    if "Traceback" in result.stderr:
        return "fault", result.stderr
    for name, text in (("output", result.stdout), ("error", result.stderr)):
        if found := _CONTROL.search(text):
            return "fault", f"{found[0]!r} on the standard {name} stream"
    if result.exit_code == 0:
        return "ok", ""
    said = len(re.findall("^Error: ", result.stderr, re.MULTILINE))
    if said > 1 or not (result.stderr.strip() or result.stdout.strip()):
        return "fault", f"{said} messages: {result.stderr!r}"
    if said and not re.search(r"^Error: .*\S", result.stderr, re.MULTILINE):
        return "fault", f"an empty message: {result.stderr!r}"
    if len(result.stderr) > 12_000:
        return "fault", f"a message of {len(result.stderr)} characters"
    return "error", result.stderr


def tally(attacks: Iterable[Attack], tell: Callable[[Attack, Outcome, str], None] = lambda *_: None) -> Tally:
    """Try attacks one after the other, in the present folder."""
    found = Tally()
    for attack in attacks:
        before = set(Path().iterdir())
        outcome, why = attempt(attack.words)
        found.add(attack, outcome, why)
        tell(attack, outcome, why)
        for made in set(Path().iterdir()) - before:
            _remove(made)
    return found


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


_ONE = ("--scenes", "oranges")
#: Of each verb a command line where nothing is wrong, of what `furnish_inputs` makes; ``{name}`` marks an argument.
BASES: dict[str, tuple[str, ...]] = {
    "run": ("--methods", "bicubic", "--dataset", "demo", "--scale", "4", "--scenes", "oranges", "--no-timing"),
    "train": ("{method}ssrnet", "--dataset", "demo", "--scale", "4", "--max-steps", "1", "--set", "patch=16"),
    "fuse": ("{method}bicubic", "{images}pair.mat", "{output}fused.npy"),
    "evaluate": ("{predictions}cubes.npy", "--name", "mine", "--dataset", "demo", "--scale", "4", *_ONE),
    "join": ("{files}record.json",),
    "reproduce": ("{record}bicubic", "--dataset", "demo", "--scenes", "oranges"),
    "submit-check": ("{folder}folder",),
    "score": ("{results}batch.mat", "--ratio", "4"),
    "verify": ("{file}batch.mat", "--package", "folder"),
    "leaderboard": ("--dataset", "demo"),
    "compare": ("{methods}bicubic", "gsa", "--dataset", "demo"),
    "report": ("--dataset", "demo", "--out", "report.html"),
    "figure": ("{kind}scenes", "--dataset", "demo", "--out", "figure.svg"),
    "cost": ("--methods", "bicubic", "--size", "32", "--time-limit", "60"),
    "data list": (),
    "data info": ("{name}demo",),
    "data download": ("{name}demo",),
    "data check": ("{name}demo", "--quick"),
    "data prepare": ("{name}demo", "--scale", "4", "--out", "prepared", "--part", "test", "--form", "scenes"),
    "weights list": (),
    "weights info": ("{name}psrt-cave-x4-uestc-authors",),
    "weights download": ("{names}nothing-of-the-kind",),
    "weights make": ("{file}trainings.toml", "--dry-run"),
    "list": ("{what}methods",),
    "show": ("{method}bicubic",),
    "new-method": ("{name}my-method", "--out", "made"),
}


def furnish_inputs() -> None:
    """Write the files of `BASES` into the present folder."""
    import numpy as np
    import scipy.io

    from hsfusion_bench.data.sources.demo import DemoSource
    from hsfusion_bench.runs.recorded import recorded_root

    scene = DemoSource().read("oranges")
    random = np.random.default_rng(1)
    np.save("cubes.npy", np.clip(scene + 0.01 * random.standard_normal(scene.shape), 0, 1))
    pair = {"lr_hsi": random.random((8, 8, 6)), "hr_msi": random.random((32, 32, 3))}
    scipy.io.savemat("pair.mat", pair)
    gt = random.random((1, 4, 32, 32))
    scipy.io.savemat("batch.mat", {"gt": gt, "sr": np.clip(gt + 0.01, 0, 1)})
    Path("trainings.toml").write_text("")
    shutil.copyfile(recorded_root() / "demo-x4-uestc/bicubic.json", "record.json")
