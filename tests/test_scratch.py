"""What dead processes leave goes, what living ones own stays, and a target has one writer: with real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hsfusion_bench import scratch
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import write_text
from hsfusion_bench.scratch import TemporaryFolder, alone, sweep

OWNER = """
import sys, time
from pathlib import Path
from hsfusion_bench.files import replacing
from hsfusion_bench.scratch import TemporaryFolder, alone
folder = Path(sys.argv[1])
made = TemporaryFolder(folder)
(made.path / "big").write_text("x")
with replacing(folder / "row.json") as part, alone(folder / "target"):
    part.write_text("half")
    print("ready", flush=True)
    time.sleep(600)
"""


@contextmanager
def owner(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that owns a temporary folder, a file half written, and a target."""
    with subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_process_left_goes_and_what_a_living_one_owns_stays(tmp_path: Path) -> None:
    for other in ("hsbench-results", "hsbench-deadbeef", ".row.json.abc.part", "notes.lock", "row.json.lock"):
        (tmp_path / other).mkdir()  # of nobody, as far as we know
    strangers = names(tmp_path)
    with owner(tmp_path) as process:
        owned = set(names(tmp_path)) - set(strangers)
        assert len(owned) == 5  # a folder, a part, the lock of each, and the lock of the target
        sweep(tmp_path)
        assert set(names(tmp_path)) == {*strangers, *owned}
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert set(names(tmp_path)) == {*strangers, *owned}
    write_text(tmp_path / "other.json", "{}")  # any command that writes there
    assert names(tmp_path) == sorted([*strangers, "other.json"])


def test_a_target_has_one_writer_and_the_other_is_told_who_it_is(tmp_path: Path) -> None:
    with owner(tmp_path) as process:
        told = rf"target is being written by another process: .*process {process.pid} "
        with pytest.raises(HsbenchError, match=told), alone(tmp_path / "target"):
            pass
        with alone(tmp_path / "another"):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        with alone(tmp_path / "target"):
            pass
    assert not [name for name in names(tmp_path) if "writing" in name]


def test_no_link_is_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    place = tmp_path / "place"
    place.mkdir()
    (place / "hsbench-00000000.lock").touch()
    (place / "hsbench-00000000").symlink_to(precious)
    (place / "hsbench-11111111.lock").symlink_to(precious / "file")
    sweep(place)
    assert names(precious) == ["file"]
    assert names(place) == ["hsbench-11111111.lock"]


def test_a_temporary_folder_goes_with_its_block(tmp_path: Path) -> None:
    with TemporaryFolder(tmp_path) as folder:
        (folder / "file").touch()
        assert len(names(tmp_path)) == 2
    assert names(tmp_path) == []


def test_without_locks_nothing_is_refused_and_nothing_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hsbench-00000000.lock").touch()
    monkeypatch.setattr(scratch, "_fcntl", None)
    with alone(tmp_path / "a"), alone(tmp_path / "a"), TemporaryFolder(tmp_path) as folder:
        write_text(tmp_path / "row.json", "{}")
        assert folder.is_dir()
    assert names(tmp_path) == ["hsbench-00000000.lock", "row.json"]
