"""Spoiled files of every kind: each is read, or refused in words of ours; nothing else happens.

The readers run in a process of their own, with limits of time and memory, which an example may end without ending the
tests. ``make fuzz`` tries for an hour: ``HSBENCH_FUZZ`` is how many spoiled files of each kind there are.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from support.mutations import Seed, changes, seeds, spoiled
from support.reading import Answer, Reading

COUNT = int(os.environ.get("HSBENCH_FUZZ", "40"))
#: What libraries say, and no message of ours does.
FOREIGN = re.compile(
    r"weights_only|Traceback|object at 0x|requested and|Error\(|<class|Unable to|synchronously|H5[A-Z][a-z]|"
    r"validation error|pydantic|unpack requires|codec can't|invalid literal|NoneType|PytorchStream|MetadataIncomplete"
)
KINDS = (
    "MAT v5", "MAT v7", "MAT v7, within", "MAT v7, in slabs", "MAT v7.3", "MAT v7.3, in slabs", "NPY", "NPZ",
    "NPZ, within", "HDF5", "HDF5, chunked", "HDF5 of samples", "netCDF", "TIFF", "TIFF, packed", "ENVI", "PNG",
    "PNG, checksums right", "zip", "TOML", "TOML of a protocol", "TOML of trainings", "TOML of goldens", "record",
    "safetensors", "safetensors' card", "pth", "pth, within", "pth, old", "state", "response CSV", "response TXT",
    "response NPY",
)  # fmt: skip


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    reading = Reading(tmp_path_factory.mktemp("reading"))
    yield reading
    reading.close()


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seed]:
    found = seeds(tmp_path_factory.mktemp("seeds"))
    assert set(found) == set(KINDS)
    return found


def fault(answer: Answer) -> str:
    """Say what is wrong with how a reading ended; nothing, if it is as it should be."""
    if answer.outcome not in ("ok", "refused"):
        return f"{answer.outcome}: {answer.text}"
    if answer.seconds > 10:
        return f"{answer.seconds:.1f} s: {answer.text}"
    if answer.megabytes > 500:
        return f"{answer.megabytes:.0f} MB: {answer.text}"
    if "\n" in answer.text or FOREIGN.search(answer.text):
        return f"words of another program: {answer.text}"
    return ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_valid_file_is_read(kind: str, valid: dict[str, Seed], reading: Reading, tmp_path: Path) -> None:
    answer = reading.read(valid[kind].reader, valid[kind].write(tmp_path, valid[kind].content))
    assert not fault(answer)
    assert answer.outcome == "ok", answer


@pytest.mark.parametrize("kind", KINDS)
def test_a_spoiled_file_is_read_or_refused(
    kind: str, valid: dict[str, Seed], reading: Reading, tmp_path: Path, record_property: pytest.FixtureRequest
) -> None:
    seed = valid[kind]
    others = [other.content for other in valid.values()]
    counted: Counter[str] = Counter()

    @settings(
        max_examples=COUNT,
        deadline=None,
        database=None,
        derandomize="HSBENCH_FUZZ" not in os.environ,
        report_multiple_bugs=False,
        phases=[Phase.generate] if "HSBENCH_FUZZ_ALL" in os.environ else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(ways=changes(), other=st.sampled_from(others))
    def attempt(ways, other) -> None:  # type: ignore[no-untyped-def]
        folder = tmp_path / "file"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        path = seed.write(folder, spoiled(seed.content, ways, other))
        answer = reading.read(seed.reader, path)
        wrong = fault(answer)
        counted["fault" if wrong else answer.outcome] += 1
        if wrong and "HSBENCH_FUZZ_ALL" in os.environ:  # count on, and keep what is found
            kept = Path(os.environ["HSBENCH_FUZZ_ALL"]) / re.sub(r"\W+", "-", kind)
            kept.mkdir(parents=True, exist_ok=True)
            shutil.copytree(folder, kept / str(counted["fault"]), dirs_exist_ok=True)
            (kept / "faults.txt").open("a").write(f"{counted['fault']} {wrong}\n")
            return
        assert not wrong, wrong

    attempt()
    record_property(kind, dict(counted))  # type: ignore[operator]
    if "HSBENCH_FUZZ_ALL" in os.environ:
        with (Path(os.environ["HSBENCH_FUZZ_ALL"]) / "counts.txt").open("a") as file:
            file.write(
                f"{kind:<24}{counted['ok']:>6} ok {counted['refused']:>6} refused {counted['fault']:>6} faults\n"
            )
