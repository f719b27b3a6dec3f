"""Rows that are run again from their own account: on the demo data set."""

from __future__ import annotations

import json
import math
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import hsfusion_bench as hb
from hsfusion_bench import machine
from hsfusion_bench.cli import main
from hsfusion_bench.data.observing.named_responses import response_names
from hsfusion_bench.data.observing.protocols import ProtocolChoice, choice_of, load_protocol
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.files import sha256_file
from hsfusion_bench.runs.account import environment, summary_of
from hsfusion_bench.runs.differences import Effect, differences
from hsfusion_bench.runs.records import Record, SceneResult, dump, read_record
from hsfusion_bench.runs.reproduce import ROUNDING, Asked, SceneComparison, find_record, reproduce
from support.records import make_record

Tamper = Callable[[dict[str, Any]], None]

MINE = """\
from hsfusion_bench.methods import upsample_bicubic

def mine(observation):
    return upsample_bicubic(observation.lr_hsi, observation.scale) * {factor}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with records of a run on the demo data set."""
    folder = tmp_path_factory.mktemp("made")
    assert hsbench("run", *DEMO, "--methods", "gsa,bicubic", "--results-dir", folder).exit_code == 0
    return folder / "demo-x4-uestc"


DEMO = ("--dataset", "demo", "--scale", "4", "--no-timing", "--device", "cpu")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HSBENCH_DATA", raising=False)


def hsbench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def tampered(path: Path, change: Tamper) -> Path:
    """Write a record anew with something changed by hand."""
    content = json.loads(path.read_text())
    change(content)
    changed = Path("changed.json")
    changed.write_text(json.dumps(content))
    return changed


def answer(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    done = hsbench("reproduce", *arguments, "--json")
    assert done.stdout, done.output
    return done.exit_code, json.loads(done.stdout)


# The same


def test_a_row_is_reproduced_bit_for_bit(made: Path) -> None:
    done = hsbench("reproduce", made / "gsa.json")
    assert done.exit_code == 0, done.output
    assert "identical: every index of 3 of 3 scenes is the same, bit for bit" in done.stdout
    assert "what that means" not in done.stdout  # nothing in the account differs
    assert not list(Path().iterdir())  # nothing is written


def test_changed_conditions_and_what_was_told_are_in_the_account() -> None:
    cameras = ("--psf", "moffat", "--psf-fwhm", "3", "--shift", "0.5,-0.25", "--gain", "1.05", "--dead-lines", "0.02")
    told = (
        "--told-psf-fwhm",
        "5",
        "--told-response",
        "B",
        "--told-phase",
        "-0.5",
        "--dead-seed",
        "2",
        "--snr-msi",
        "30",
    )
    done = hsbench("run", *DEMO, "--methods", "hysure", "--scenes", "figs", *cameras, *told)
    assert done.exit_code == 0, done.output
    (path,) = Path("results").glob("*/*.json")
    assert json.loads(path.read_text())["dataset"]["conditions"] == {
        "snr_msi": 30, "psf": "moffat", "psf_fwhm": 3, "shift_rows": 0.5, "shift_columns": -0.25, "gain": 1.05,
        "dead_lines": 0.02, "dead_seed": 2, "told_psf_fwhm": 5, "told_response": "B", "told_phase": -0.5,
    }  # fmt: skip
    code, again = answer(path)
    assert (code, again["verdict"], again["differences"]) == (0, "identical", [])
    shown = " ".join(hsbench("show", path).stdout.split())
    assert "HR-MSI moved by 0.5 rows and -0.25 columns; HR-MSI times 1.05" in shown
    assert (
        "methods are told a Moffat blur 5 HR pixels wide and camera response B and a phase -0.5 HR pixels off" in shown
    )

    def change(content: dict[str, Any]) -> None:
        content["dataset"]["conditions"]["gain"] = 1.5

    code, again = answer(tampered(path, change))
    assert (code, again["verdict"]) == (1, "not run")
    assert [each["what"] for each in again["differences"]] == ["conditions"]


def test_part_of_the_scenes(made: Path) -> None:
    code, told = answer(made / "gsa.json", "--scenes", "figs")
    assert (code, told["verdict"]) == (0, "identical")
    (scene,) = told["scenes"]
    recorded = json.loads((made / "gsa.json").read_text())["scenes"][1]
    assert scene["here"] == {index: recorded[index] for index in scene["here"]}
    wrong = hsbench("reproduce", made / "gsa.json", "--scenes", "balloons")
    assert wrong.exit_code == 2
    assert "not among those of the record: oranges, figs, melons" in wrong.stderr


def test_all_that_was_asked_of_a_run_is_in_its_account() -> None:
    run = ("--methods", "gsa", "--blind", "--snr-hsi", "30", "--noise-seed", "7", "--response", "B")
    more = ("--set", "gsa.interpolation=block", "--scenes", "figs", "--off-table", "interpolate")
    done = hsbench("run", *DEMO, *run, *more)
    assert done.exit_code == 0, done.output
    (path,) = Path("results").glob("*/*.json")
    assert json.loads(path.read_text())["method"]["estimated"] == ["psf"]
    code, told = answer(path)
    assert (code, told["verdict"], told["differences"]) == (0, "identical", [])


def test_a_network_runs_with_the_recorded_weights(own_cache: Path) -> None:
    run = ("run", *DEMO, "--methods", "ssfcnn", "--scenes", "figs", "--train", "--max-steps", "2")
    assert hsbench(*run, "--set", "ssfcnn.patch=32").exit_code == 0
    (path,) = Path("results").glob("*/*.json")
    code, told = answer(path)
    assert (code, told["verdict"]) == (0, "identical")
    weights = Path(told["weights"])
    assert own_cache in weights.parents
    # without them it says which they are, and does not train others
    digest = sha256_file(weights)
    kept = Path(shutil.copy(weights, "kept.safetensors"))
    shutil.rmtree(own_cache / "weights")
    done = hsbench("reproduce", path)
    assert done.exit_code == 1
    assert digest in done.stderr
    assert "training amplifies the rounding" in done.stderr
    assert "This machine is such a one" in " ".join(done.stderr.split())
    account = json.loads(path.read_text())
    threads = account["weights"]["training"]["machine"]["torch-threads"]
    account["weights"]["training"]["machine"]["torch-threads"] = "64"
    other = path.with_name("other.json")
    other.write_text(json.dumps(account))
    told_of = hsbench("reproduce", other).stderr
    assert f"They were trained with torch-threads 64 (here {threads})" in " ".join(told_of.split())
    other.unlink()
    assert answer(path, "--weights", kept)[1]["verdict"] == "identical"
    # others are others
    assert hsbench(*run[:-1], "3", "--set", "ssfcnn.patch=32", "--results-dir", "more").exit_code == 0
    (others,) = (own_cache / "weights").rglob("*.safetensors")
    code, told = answer(path, "--weights", others)
    assert (code, told["verdict"]) == (1, "not run")
    assert [each["what"] for each in told["differences"]] == ["weights"]
    assert hsbench("reproduce", path, "--weights", "gone.safetensors").exit_code == 1


def test_a_network_with_weights_for_each_scene(own_cache: Path) -> None:
    train = ("train", "mossfuse", "--dataset", "demo", "--scale", "4", "--per-scene", "--max-steps", "1")
    done = hsbench(*train, "--set", "patch=32", "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert hsbench("run", *DEMO, "--methods", "mossfuse").exit_code == 0
    code, told = answer("results/demo-x4-uestc/mossfuse.json", "--scenes", "figs")
    assert (code, told["verdict"], told["differences"]) == (0, "identical", [])
    assert told["weights"].endswith(".scenes")


def test_a_method_in_a_file_is_named(tmp_path: Path) -> None:
    Path("mine.py").write_text(MINE.format(factor=0.99))
    assert hsbench("run", *DEMO, "--methods", "./mine.py:mine", "--scenes", "figs").exit_code == 0
    (path,) = Path("results").glob("*/*.json")
    missing = hsbench("reproduce", path)
    assert missing.exit_code == 1
    assert "a method in a file, mine.py" in missing.stderr
    assert answer(path, "--method", "./mine.py:mine")[1]["verdict"] == "identical"
    Path("mine.py").write_text(MINE.format(factor=0.98))
    done = hsbench("reproduce", path, "--method", "./mine.py:mine")
    assert done.exit_code == 1
    assert "Another program ran: the file mine.py" in done.stdout


def test_a_program_reproduces(made: Path) -> None:
    done = hb.reproduce(made / "gsa.json", scenes=["figs"])
    assert (done.verdict, done.reproduced) == ("identical", True)

    def twice(observation: hb.Observation) -> Any:
        return np.repeat(np.repeat(observation.lr_hsi, 4, 1), 4, 2)

    mine = hb.run(hb.open_task("demo", scale=4, scenes=["figs"]), [twice], records="mine", timing=False)
    assert hb.reproduce(mine.records[0], method=twice).verdict == "identical"


# What differs


def test_an_index_that_was_changed_is_found(made: Path) -> None:
    def change(record: dict[str, Any]) -> None:
        record["scenes"][1]["psnr"] += 0.01

    done = hsbench("reproduce", tampered(made / "gsa.json", change))
    assert done.exit_code == 1
    assert "differs" in done.stdout or "not run" in done.stdout

    def consistently(record: dict[str, Any]) -> None:
        change(record)
        scenes = [SceneResult.model_validate(scene) for scene in record["scenes"]]
        record["summary"] = {name: each.model_dump() for name, each in (summary_of(scenes) or {}).items()}

    code, told = answer(tampered(made / "gsa.json", consistently))
    assert (code, told["verdict"]) == (1, "differs")
    assert [scene["identical"] for scene in told["scenes"]] == [True, False, True]
    assert "psnr of figs" in told["explanation"]
    assert "Nothing in the account differs: the record was changed" in told["explanation"]


def set_to(*path: str | int, value: object) -> Tamper:
    def change(record: Any) -> None:
        for part in path[:-1]:
            record = record[part]
        record[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (set_to("scenes", 2, "digest", value="0" * 64), "reference of scene melons"),
        (set_to("dataset", "protocol_digest", value="0" * 64), "protocol digest"),
        (set_to("dataset", "split_digest", value="0" * 64), "split digest"),
        (set_to("metrics", "suite", value="0.9"), "version of the index suite"),
        (set_to("metrics", "const", value=255.0), "const of the indexes"),
        (set_to("method", "options", "gone", value=3), "option gone"),
        (set_to("summary", "sam", "mean", value=1.0), "the record's own sam over the scenes"),
        (set_to("scenes", 0, "cropped_from", value=[999, 999]), "crop of scene oranges"),
    ],
)
def test_what_cannot_be_the_same_is_named_and_not_run(made: Path, change: Tamper, named: str) -> None:
    path = tampered(made / "gsa.json", change)
    code, told = answer(path)
    assert (code, told["verdict"], told["scenes"]) == (1, "not run", [])
    assert [each["what"] for each in told["differences"]] == [named]
    assert named in told["explanation"]
    # it runs by force, and equal numbers do not make it the same
    code, told = answer(path, "--force")
    assert (code, told["verdict"]) == (1, "differs")
    assert all(scene["identical"] for scene in told["scenes"])


def test_other_libraries_are_named_and_run(made: Path) -> None:
    def change(record: dict[str, Any]) -> None:
        record["environment"] |= {"numpy": "1.0", "cpu": "Z80"}
        record["method"]["version"] = "0.0.1"
        del record["environment"]["blas"]

    code, told = answer(tampered(made / "gsa.json", change))
    assert (code, told["verdict"]) == (0, "identical")
    effects = {each["what"]: each["effect"] for each in told["differences"]}
    assert effects == {
        "numpy": Effect.ROUNDING.value,
        "cpu": Effect.ROUNDING.value,
        "blas": Effect.UNKNOWN.value,
        "version of hsfusion-bench": Effect.PERHAPS.value,
    }


@pytest.mark.skipif(
    platform.machine() != "x86_64" or "openblas" not in machine.of_numpy()["blas"], reason="OpenBLAS on x86 is needed"
)
def test_another_instruction_set_is_equal_within_rounding(made: Path) -> None:
    changed = {"OPENBLAS_CORETYPE": "Nehalem", "ATEN_CPU_CAPABILITY": "default", "HSBENCH_RESULTS": "other"}
    command = [sys.executable, "-m", "hsfusion_bench", "run", *DEMO, "--methods", "gsa"]
    subprocess.run(command, env=dict(os.environ) | changed, check=True, capture_output=True)
    path = Path("other/demo-x4-uestc/gsa.json")
    assert path.read_text() != (made / "gsa.json").read_text()
    done = hsbench("reproduce", path)
    assert done.exit_code == 0, done.output
    assert "equal within rounding: 3 of 3 scenes" in done.stdout
    assert "what differs: blas" in done.stdout
    told = answer(path)[1]
    largest = max(value for scene in told["scenes"] for value in scene["relative"].values())
    assert 0 < largest < 1e-8 < ROUNDING


def test_the_tolerance_is_relative_and_kind_to_zero() -> None:
    def compared(recorded: float, here: float) -> SceneComparison:
        def scene(value: float) -> SceneResult:
            return SceneResult(name="a", digest=None, psnr=value, ssim=1, sam=1, ergas=1, scc=1, uqi=1, q2n=1)

        return SceneComparison("a", scene(recorded), scene(here))

    assert compared(50.0, 50.0049).within_rounding
    assert not compared(50.0, 50.0051).within_rounding
    assert compared(0.0, 9e-7).within_rounding
    assert not compared(0.0, 2e-6).within_rounding
    for odd in (math.nan, math.inf, -math.inf):
        assert compared(odd, odd).identical
        assert not compared(odd, 1.0).within_rounding
        assert not compared(1.0, odd).within_rounding


# What cannot be reproduced


def test_results_made_elsewhere_are_not_reproduced(made: Path) -> None:
    np.save("x.npy", np.stack([scene.hr_hsi for scene in hb.open_task("demo", scale=4)]) * 0.99)
    assert hsbench("evaluate", "x.npy", "--name", "Theirs", *DEMO[:4]).exit_code == 0
    done = hsbench("reproduce", "results/demo-x4-uestc/theirs.json")
    assert done.exit_code == 1
    assert "made elsewhere" in done.stderr


@pytest.mark.parametrize("method", ["feinfn", "./broken.py:broken"])
def test_a_run_that_failed_is_not_reproduced(method: str) -> None:
    Path("broken.py").write_text("def broken(observation):\n    raise ValueError('no')\n")
    assert hsbench("run", *DEMO, "--methods", method).exit_code == 1
    (path,) = Path("results").glob("*/*.json")
    done = hsbench("reproduce", path, "--method", method)
    assert done.exit_code == 1
    assert "no indexes that could be reproduced: " in done.stderr


def test_a_method_of_a_package_that_is_not_here(made: Path) -> None:
    def change(record: dict[str, Any]) -> None:
        record["method"] |= {"name": "theirs", "origin": "plugin", "distribution": "their-package", "version": "2"}

    done = hsbench("reproduce", tampered(made / "gsa.json", change))
    assert done.exit_code == 1
    assert "the package their-package 2, which is not installed here" in done.stderr


@pytest.mark.parametrize("protocol", ["mine-1234", "uestc-mycamera"])
def test_a_protocol_of_ones_own_is_named(made: Path, protocol: str) -> None:
    done = hsbench("reproduce", tampered(made / "gsa.json", set_to("dataset", "protocol", value=protocol)))
    assert done.exit_code == 1
    assert f"protocol {protocol}, digest" in done.stderr
    assert "--protocol FILE.toml" in done.stderr


def test_a_damaged_record_is_named() -> None:
    Path("bad.json").write_text('{"schema": "hsfusion-bench/record/1"')
    done = hsbench("reproduce", "bad.json")
    assert done.exit_code == 1
    assert "bad.json is not a valid record" in done.stderr


# Rows that come with hsbench


def test_committed_rows_are_found_by_name() -> None:
    path, record = find_record("gsa", "cave", 4, "uestc")
    assert (path.name, record.dataset.scale) == ("gsa.json", 4)
    with pytest.raises(UsageError, match="--dataset cave --scale 8 --protocol uestc"):
        find_record("gsa")
    with pytest.raises(UsageError, match="no record of that name comes with hsbench"):
        find_record("nothing")
    with pytest.raises(UsageError, match="of that data set, scale and protocol"):
        find_record("gsa", scale=3)
    with pytest.raises(HsbenchError, match="cannot be read"):
        find_record("gone.json")


def test_what_contradicts_the_record_is_refused(made: Path) -> None:
    assert "the record is of scale 4" in hsbench("reproduce", made / "gsa.json", "--scale", "8").stderr
    assert "the record is of protocol uestc" in hsbench("reproduce", made / "gsa.json", "--protocol", "wald").stderr


@pytest.mark.data
def test_a_committed_row_of_cave_is_reproduced(cave_root: Path) -> None:
    scene = hb.open_task("cave", scale=4, data_root=cave_root, partial=True).names[0]
    code, told = answer("bicubic", "--dataset", "cave", "--scale", "4", "--scenes", scene, "--data-root", cave_root)
    assert (code, told["reproduced"]) == (0, True)


# Parts


@pytest.mark.parametrize("response", [None, *response_names()])
@pytest.mark.parametrize("off_table", [None, "by-band", "interpolate"])
@pytest.mark.parametrize("noise", [(None, None, 0), (35.0, 40.0, 0), (None, -3.5, 7), (0.25, None, 0)])
def test_the_name_of_a_protocol_tells_how_it_was_chosen(response: str | None, off_table: Any, noise: Any) -> None:
    for name in ("uestc", "yokoya", "yokoya-toolbox"):
        protocol = load_protocol(ProtocolChoice(name, response, off_table, *noise))
        assert load_protocol(choice_of(protocol.id)) == protocol


def test_the_environment_says_what_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = environment()
    assert {"cpu", "numpy-simd", "blas", "blas-threads"} <= plain.keys()
    assert not {"torch-simd", "torch-threads"} & plain.keys()
    assert environment("cpu").keys() - plain.keys() == {"torch-simd", "torch-threads"}
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "5")
    assert environment()["blas"] == f"{plain['blas']}, kernels of Haswell"
    assert environment()["blas-threads"] == "5"


def test_records_of_before_remain_valid() -> None:
    record: Record = make_record()
    Path("old.json").write_text(dump(record))
    assert read_record(Path("old.json")) == record
    found = differences(record, record.model_copy(update={"environment": {"cpu": "Z80"}}))
    assert ("cpu", "-", Effect.UNKNOWN) in [(each.what, each.recorded, each.effect) for each in found]


def test_nothing_that_was_asked_is_passed_over(made: Path) -> None:
    record = read_record(made / "gsa.json")
    with pytest.raises(UsageError, match="recorded without weights"):
        reproduce(record, Asked(weights=Path("x.safetensors")))
