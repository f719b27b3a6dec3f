"""Memory that runs out, or would: one line that says what was asked for, whatever the verb; under a real limit."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from hsfusion_bench.claims import parse_toml, require_likely, require_room, require_text, stated_memory
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.reading import readable


def sparse(path: Path, shape: tuple[int, ...]) -> None:
    """Write an array of zeros that takes no disk."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        file.truncate(file.tell() + 4 * int(np.prod(shape, dtype=object)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "data check mat:big.npy",
        "fuse gsa big.npy small.npy out.npy",
        "run --methods gsa --dataset mat:big.npy --scale 4",
    ],
)
def test_a_verb_says_what_there_is_no_memory_for(command: str, tmp_path: Path) -> None:
    sparse(tmp_path / "big.npy", (31, 20000, 20000))
    sparse(tmp_path / "small.npy", (3, 80, 80))
    limited = f"ulimit -v 6000000; exec {sys.executable} -m hsfusion_bench {command}"
    done = subprocess.run(
        ["bash", "-c", limited], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 1
    said = " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in said
    assert "big.npy" in said
    assert "out of memory; it has 49.6 GB" in said or "it would take 49.6 GB of memory" in said, said
    assert {path.name for path in tmp_path.iterdir()} <= {"big.npy", "small.npy", "results"}


def test_what_the_user_states_takes_the_place_of_all_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = tmp_path / "a.csv"
    text.write_bytes(bytes(2**24 + 1))
    asked = [
        partial(require_room, "x", 10**15),
        partial(require_likely, "x", 10**10, 10**4),
        partial(require_text, text),
    ]
    for ask in asked:
        with pytest.raises(HsbenchError, match="HSBENCH_MEMORY=SIZE, as in HSBENCH_MEMORY="):
            ask()
    monkeypatch.setenv("HSBENCH_MEMORY", "2000T")
    for ask in asked:
        ask()
    monkeypatch.setenv("HSBENCH_MEMORY", "1G")
    with pytest.raises(HsbenchError, match=r"x: it would take 2 GB of memory, and 1 GB are allowed by HSBENCH_MEMORY;"):
        require_room("x", 2 * 10**9)
    with pytest.raises(HsbenchError, match=r"it claims 10 GB, for which the file has 10 KB; more than 1 GB"):
        require_likely("x", 10**10, 10**4)


@pytest.mark.parametrize(("text", "size"), [("8G", 8 * 10**9), ("500 MB", 5 * 10**8), ("1.5GiB", 15 * 10**8), ("7", 7)])
def test_sizes_are_stated_in_units(text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSBENCH_MEMORY", text)
    assert stated_memory() == size


def test_what_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSBENCH_MEMORY", "much")
    with pytest.raises(HsbenchError, match="HSBENCH_MEMORY = 'much' is no size, such as 8G or 500M"):
        stated_memory()


def test_no_memory_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    path.write_bytes(bytes(1500))

    def read() -> None:
        raise MemoryError("Unable to allocate 7.28 TiB for an array")

    with pytest.raises(HsbenchError) as caught:
        readable(path, lambda: "MAT-file", read)
    asked = "out of memory: Unable to allocate 7.28 TiB for an array; it has 1.5 KB"
    assert str(caught.value) == f"{path} cannot be read: {asked}"


def test_lists_of_numbers_with_points_are_no_keys() -> None:
    numbers = [number / 10 for number in range(4000, 7000)]
    assert parse_toml(f"wavelengths = {numbers}", "a.toml") == {"wavelengths": numbers}
