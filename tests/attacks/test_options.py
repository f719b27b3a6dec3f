"""Hostile values for every option and argument of every verb: a clear message, or they are values."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hsfusion_bench.cli.verbs import Verbs
from support import attacks
from support.attacks import BASES, NAMES, NUMBERS, PATHS, Attack, attacks_on, attempt, tally, verbs, without_privileges

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and permissions of Linux")

#: What is a number of an option all the same, by what the option is about.
_GOOD = {"1.5", "٤", "1_000"}
_LARGE = {"1000000000"}
_ZERO = {"0"}
_MAY_BE_ZERO = ("seed", "noise_seed", "phase", "params", "snr_hsi", "snr_msi")
_MAY_BE_LARGE = ("seed", "noise_seed", "time_limit", "const", "msi_const", "counts", "params", "latency_ms")
_MAY_BE_LARGE += ("max_steps", "epochs")
_MAY_BE_NEGATIVE = ("snr_hsi", "snr_msi")
_MAY_BE_TINY = ("const", "msi_const", "counts", "latency_ms", "snr_hsi", "snr_msi", "max_minutes", "save_every")
_MAY_BE_TINY += ("phase", "time_limit")
#: Names that a file may well have.
_FILES = {
    "file",
    "closed-file",
    "empty",
    "broken-link",
    "loop",
    "folder",
    "\x1b]0;title\x07",
    "line\nbreak",
    "\udcff",
    "-",
    ".",
}
_FILES |= {"~nobody-at-all/x", "file/below", "loop/below", "/dev/null/below", "/proc/self/nothing"}
_VALUES = {"number": NUMBERS, "name": NAMES, "path": PATHS}
_QUICK = ("list", "show", "score", "leaderboard", "weights list", "data info", "new-method")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    attacks.furnish(tmp_path)
    attacks.furnish_inputs()
    yield tmp_path
    for closed in ("closed", "closed-file"):
        (tmp_path / closed).chmod(0o700)


def _is_value(attack: Attack) -> bool:
    """Say whether a word that was taken may have been."""
    value, about = attack.words[-1], attack.parameter
    if attack.kind == "number":
        good = (value in _GOOD, value in _ZERO and about in _MAY_BE_ZERO, value in _LARGE and about in _MAY_BE_LARGE)
        tiny = value == "1e-320" and about in _MAY_BE_TINY
        return any(good) or tiny or (value == "-1" and about in _MAY_BE_NEGATIVE)
    if (attack.verb, about) == ("evaluate", "name"):
        return value.isprintable()
    # a path that was taken led to a file that was written, or to a folder where nothing is
    return attack.kind == "path" and value in _FILES


def _require_no_fault(words: tuple[str, ...], values: dict[str, tuple[str, ...]]) -> None:
    found = dict(verbs())
    with without_privileges():
        done = tally(attacks_on(words, found[words], BASES[" ".join(words)], dict(values)))
    assert not done.faults, "\n".join([str(done), *done.faults[:5]])
    assert not [str(each) for each in done.accepted if not _is_value(each)]


@pytest.mark.parametrize("verb", _QUICK)
def test_a_few_values_for_quick_verbs(place: Path, verb: str) -> None:
    some = {
        "number": ("nan", "inf", "-1", "0", "1e308", "9" * 5000, ""),
        "name": ("", ",", "../../x", "\x1b[31mred", "a" * 5000, "[red]x[/red]", "\udcff"),
        "path": ("", "a" * 300, "a/" * 3000, "file/below", "loop/below", "closed/below", "\x1b]0;title\x07", "\udcff"),
    }
    _require_no_fault(tuple(verb.split()), some)


@pytest.mark.slow
@pytest.mark.attack
@pytest.mark.parametrize("verb", BASES)
def test_every_value_for_every_option(place: Path, verb: str) -> None:
    _require_no_fault(tuple(verb.split()), _VALUES)


def test_every_verb_has_a_good_command_line() -> None:
    assert {" ".join(path) for path, _ in verbs()} == set(BASES)


def test_the_harness_sees_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb that raises, prints an escape, or ends without a word is found out."""

    def stand_in(body: object) -> None:
        monkeypatch.setattr(Verbs, "get_command", lambda *_: click.Command("list", callback=body))  # type: ignore[arg-type]

    def raises() -> None:
        raise KeyError("x")

    stand_in(raises)
    assert attempt(["list"])[0] == "fault"
    stand_in(lambda: click.echo("\x07bell"))
    assert attempt(["list"])[0] == "fault"
    stand_in(lambda: click.get_current_context().exit(1))
    assert attempt(["list"])[0] == "fault"
    stand_in(lambda: None)
    assert attempt(["list"]) == ("ok", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="nothing to lay down")
def test_permissions_hold_for_root(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.write_text("x")
    closed.chmod(0)
    with without_privileges(), pytest.raises(PermissionError):
        closed.read_text()
    assert closed.read_text() == "x"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run --methods , --dataset demo --scale 4", "--methods names no method"),
        ("run --methods gsa --dataset demo --scale 4 --scenes ,", "--scenes names no scene"),
        ("run --methods gsa --dataset demo --scale 4 --scenes=", "--scenes is empty"),
        ("run --methods gsa --dataset demo --scale 4 --snr-hsi 1e308", "-60<=x<=200"),
        ("run --methods gsa --dataset demo --scale 4 --snr-hsi nan", "-60<=x<=200"),
        ("run --methods gsa --dataset demo --scale 1000000", "2<=x<=1024"),
        ("run --methods gsa --dataset demo --scale 4 --weights gsa=x", "gsa is not a network"),
        ("run --methods gsa --dataset demo --scale 4 --train", "--train is about networks"),
        ("run --methods gsa --dataset demo --scale 4 --tile 32", "--tile is about networks"),
        ("run --methods gsa,ssrnet --dataset demo --scale 4 --train --max-steps gsa=3", "gsa is not a network"),
        ("run --methods gsa --dataset demo --scale 4 --noise-seed 3", "--noise-seed is about noise"),
        ("run --methods gsa --dataset demo --scale 4 --data-root .", "demo needs none"),
        ("run --methods gsa --dataset demo --scale 4 --seed -1", "0<=x<="),
        ("train ssrnet --dataset demo --scale 4 --ema 2", "ema"),
        ("train ssrnet --dataset demo --scale 4 --save-every nan", "0<x<="),
        ("leaderboard --scale -4", "2<=x<=1024"),
        ("show feinfn --bands 0", "1<=x<=4096"),
        ("evaluate x.npy --name x --dataset demo --scale 4 --params 99999999999999999999", "0<=x<="),
        ("data check demo --data-root .", "demo needs none"),
    ],
)
def test_refused_with_the_range(place: Path, words: str, said: str) -> None:
    outcome, why = attempt(words.split())
    assert outcome == "error"
    assert said in why
