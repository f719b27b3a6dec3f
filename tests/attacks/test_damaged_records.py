"""Files that stand where a record belongs and are none: named, set aside, and no hindrance to others."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hsfusion_bench.cli import main
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.runs import recorded
from hsfusion_bench.runs.records import Store, dump, read_record, read_speed
from hsfusion_bench.runs.weights.catalogue import catalogue
from support.attacks import without_privileges
from support.records import make_record, make_speed

Damage = Callable[[Path], object]


def _changed(**changes: object) -> Damage:
    def damage(path: Path) -> None:
        content = json.loads(dump(make_record()))
        for place, value in changes.items():
            part, *keys = place.split("__")
            at = content
            for key in (part, *keys)[:-1]:
                at = at[key]
            at[(part, *keys)[-1]] = value
        path.write_text(json.dumps(content))

    return damage


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "kept").touch()


DAMAGES: dict[str, Damage] = {
    "no utf-8": lambda path: path.write_bytes(b"\xff\xfe{}"),
    "empty": lambda path: path.touch(),
    "cut": lambda path: path.write_text(dump(make_record())[:400]),
    "folder": _folder,
    "no json": lambda path: path.write_text("=1+1"),
    "list": lambda path: path.write_text("[]"),
    "null": lambda path: path.write_text("null"),
    "wrong type": _changed(dataset__scale="4"),
    "truth for a number": _changed(dataset__scale=True),
    "number for a text": _changed(method__name=5),
    "negative": _changed(dataset__scenes=-1),
    "zero": _changed(dataset__scale=0),
    "huge": lambda path: path.write_text(dump(make_record()).replace('"scale": 4', f'"scale": {"9" * 5000}')),
    "too large": _changed(dataset__scale=10**18),
    "exponent": lambda path: path.write_text(dump(make_record()).replace("30.0", "1e999")),
    "NaN": lambda path: path.write_text(dump(make_record()).replace("30.0", "NaN")),
    "Infinity": lambda path: path.write_text(dump(make_record()).replace("30.0", "-Infinity")),
    "twice": lambda path: path.write_text(dump(make_record()).replace('"seed": 0', '"seed": 1, "seed": 0')),
    "deep": lambda path: path.write_text("[" * 200_000),
    "deep objects": lambda path: path.write_text('{"a":' * 100_000),
    "other schema": _changed(schema="hsfusion-bench/record/9"),
    "loop": lambda path: path.symlink_to(path.name),
    "broken link": lambda path: path.symlink_to("nowhere"),
    "closed": lambda path: (path.touch(), path.chmod(0)),
    "pipe": os.mkfifo,
}


@pytest.fixture(params=DAMAGES)
def damage(request: pytest.FixtureRequest) -> Damage:
    return DAMAGES[request.param]


def hsbench(*words: object) -> Result:
    with without_privileges():
        return CliRunner().invoke(main, [str(word) for word in words])


def test_read(tmp_path: Path, damage: Damage) -> None:
    damage(tmp_path / "x.json")
    for read in (read_record, read_speed):
        with without_privileges(), pytest.raises(HsbenchError) as caught:
            read(tmp_path / "x.json")
        assert "x.json" in str(caught.value)
        assert len(str(caught.value)) < 500 + len(str(tmp_path))


def test_a_store_sets_it_aside(tmp_path: Path, damage: Damage) -> None:
    said: list[str] = []
    store = Store(tmp_path, said.append)
    record = make_record()
    path = store.path(record)
    path.parent.mkdir()
    damage(path)
    with without_privileges():
        written = store.write(record)
    assert read_record(written.path) == record
    assert os.path.lexists(path.with_name(path.name + ".damaged"))
    assert len(said) == 1
    assert str(path) in said[0]
    assert f"{path.name}.damaged" in said[0]


def test_another_is_not_overwritten(tmp_path: Path) -> None:
    store = Store(tmp_path, lambda _: None)
    path = store.path(make_record())
    for number in range(3):
        path.unlink(missing_ok=True)
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"damage {number}")
        store.write(make_record())
    kept = sorted(each.read_text() for each in path.parent.glob("*.damaged*"))
    assert kept == ["damage 0", "damage 1", "damage 2"]


def test_unfinished_and_speed(tmp_path: Path, damage: Damage) -> None:
    store = Store(tmp_path, lambda _: None)
    record, speed = make_record(), make_speed("mine", 3.0)
    scene = record.scenes[0].name
    unfinished = store.path(record).with_name("mine.unfinished") / f"{scene}.json"
    for path in (unfinished, store.speed_path(speed)):
        path.parent.mkdir(parents=True)
        damage(path)
    with without_privileges():
        assert store.scene(record, scene) is None
        assert store.write(record).path.exists()
        assert read_speed(store.write_speed(speed)) == speed
    assert os.path.lexists(unfinished.with_name(unfinished.name + ".damaged"))


@pytest.mark.parametrize("kind", ["no utf-8", "folder", "deep", "loop", "closed", "empty"])
def test_run_goes_on(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "r" / "demo-x4-uestc"
    folder.mkdir(parents=True)
    names = ("bicubic.subset-oranges.json", "bicubic.subset-oranges.unfinished/oranges.json")
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        DAMAGES[kind](folder / name)
    base = ("--dataset", "demo", "--scale", 4, "--scenes", "oranges", "--no-timing", "--results-dir", tmp_path / "r")
    done = hsbench("run", "--methods", "bicubic,brovey", *base)
    assert done.exit_code == 0, done.output
    assert {read_record(path).method.name for path in folder.glob("*.json")} == {"bicubic", "brovey"}
    assert all(f"set aside as {Path(name).name}.damaged" in done.stderr for name in names)
    assert all(os.path.lexists(folder / f"{name}.damaged") for name in names)


def test_tables_name_it(tmp_path: Path, damage: Damage) -> None:
    store = Store(tmp_path)
    for name in ("one", "two"):
        store.write(make_record(name, scenes={"a": 30.0 + len(name), "b": 31.0, "c": 29.0}, of=3))
    damage(tmp_path / "cave-x4-uestc" / "bad.json")
    board = hsbench("leaderboard", "--only", "mine", "--results-dir", tmp_path)
    assert board.exit_code == 1
    assert "bad.json" in board.stderr
    assert "One" in board.stdout
    compared = hsbench("compare", "one", "two", "--results-dir", tmp_path)
    assert compared.exit_code == 1
    assert "bad.json" in compared.stderr
    assert "One" in compared.stdout
    checked = hsbench("submit-check", tmp_path)
    assert checked.exit_code == 1
    assert checked.exception is None or isinstance(checked.exception, SystemExit)
    assert "bad.json" in checked.stdout
    again = hsbench("reproduce", tmp_path / "cave-x4-uestc" / "bad.json")
    assert again.exit_code in (1, 2)
    assert "bad.json" in again.stderr


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    Store(tmp_path).write(make_record())
    (tmp_path / "cave-x4-uestc").chmod(0)
    board = hsbench("leaderboard", "--results-dir", tmp_path)
    (tmp_path / "cave-x4-uestc").chmod(0o700)
    assert board.exit_code == 1
    assert "may not be read" in board.stderr


def test_records_and_weights_of_the_package(tmp_path: Path, damage: Damage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the package that is damaged is left out with a word, and the other weights are known all the same."""
    whole = catalogue()
    (tmp_path / "cave-x4-uestc").mkdir()
    (tmp_path / "weights" / "x-x4").mkdir(parents=True)
    damage(tmp_path / "cave-x4-uestc" / "bad.json")
    damage(tmp_path / "weights" / "x-x4" / "bad.safetensors")
    monkeypatch.setattr(recorded, "recorded_root", lambda: tmp_path)
    monkeypatch.setattr("hsfusion_bench.runs.weights.catalogue.recorded_root", lambda: tmp_path)
    recorded.say_once.cache_clear()
    with without_privileges():
        assert set(catalogue()) == {name for name, entry in whole.items() if entry.download is not None}
    listed = hsbench("weights", "list")
    assert listed.exit_code == 0


def test_a_record_names_methods_and_no_files(tmp_path: Path) -> None:
    """What a record calls its method is never run as a file."""
    (tmp_path / "evil.py").write_text("raise SystemExit('run')\n")
    record = make_record()
    record.method.name = f"{tmp_path}/evil.py:f"
    (tmp_path / "r.json").write_text(dump(record))
    done = hsbench("reproduce", tmp_path / "r.json")
    assert done.exit_code == 2
    assert "there is no method" in done.stderr
