"""The options that choose and change a protocol, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from hsfusion_bench.cli import main
from hsfusion_bench.data.observing.protocols import load_protocol
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.runs.records import read_record

OWN = """
id = "mine"
version = 1
title = "Mine"
source = "a test"
range_note = "as it is"
value_range = [0.0, 1.0]
response = "A"
patch = 24
crop = "bottom-right"

[blur]
kind = "average"
size = 3
boundary = "symmetric"

[sampling]
scales = [3]
first = 1
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*more: str, scale: int = 4) -> Result:
    arguments = ["run", "--methods", "bicubic", "--dataset", "demo", "--scale", str(scale), "--no-timing", *more]
    return CliRunner().invoke(main, arguments)


def record(folder: str, name: str = "bicubic") -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(f"results/{folder}/{name}.json").read_text())
    return content


def test_a_variant_has_a_folder_and_a_digest_of_its_own() -> None:
    assert run().exit_code == 0
    assert run("--response", "B").exit_code == 0
    assert run("--snr-hsi", "30", "--snr-msi", "40").exit_code == 0
    folders = ["demo-x4-uestc", "demo-x4-uestc-b", "demo-x4-uestc-snr30-40"]
    digests = {record(folder)["dataset"]["protocol_digest"] for folder in folders}
    assert len(digests) == 3
    # bicubic looks at the LR-HSI alone
    assert record(folders[0])["summary"] == record(folders[1])["summary"]
    assert record(folders[0])["summary"]["psnr"]["mean"] > record(folders[2])["summary"]["psnr"]["mean"]


def test_a_record_says_its_conditions_only_where_there_are_any() -> None:
    assert run().exit_code == 0
    assert "conditions" not in record("demo-x4-uestc")["dataset"]
    done = run("--snr-hsi", "30", "--response", "B", "--psf-fwhm", "2")
    assert done.exit_code == 0
    assert record("demo-x4-uestc-b-fwhm2-snr30-inf")["dataset"]["conditions"] == {
        "response": "B",
        "snr_hsi": 30,
        "psf_fwhm": 2,
    }
    words = "3 of 3 scenes: camera response B; noise of 30 dB in the LR-HSI; Gaussian blur 2 HR pixels wide"
    assert words in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--shift x", "'x' is not a valid float"),
        ("--shift 1,2,3", "neither one number nor two"),
        ("--shift 99", "-16<=x<=16"),
        ("--shift 1,nan", "-16<=x<=16"),
        ("--psf-fwhm 0", "0.5<=x<=32"),
        ("--psf foo", "'foo' is not one of 'gaussian'"),
        ("--psf delta --psf-fwhm 2", "a delta has no width"),
        ("--psf hermite --psf-fwhm 0.5", "falls between the pixels"),
        ("--gain 0", "0.01<=x<=100"),
        ("--gain nan", "0.01<=x<=100"),
        ("--dead-lines 1.5", "whole number of columns"),
        ("--dead-seed 3", "add --dead-lines"),
        ("--told-psf-fwhm inf", "0.5<=x<=32"),
        ("--told-phase 0.3", "multiple of 0.5"),
        ("--told-phase 3", "--told-phase is -2 to 2"),
        ("--told-response Q", "there is no camera response 'Q'"),
    ],
)
def test_conditions_that_cannot_be_are_refused_before_anything_runs(options: str, words: str) -> None:
    done = run(*options.split())
    assert done.exit_code == 2, done.output
    assert words in " ".join(done.stderr.split())
    assert not Path("results").exists()


def test_help_has_conditions_under_headings() -> None:
    text = CliRunner().invoke(main, ["run", "--help"]).stdout
    places = [
        text.index(each)
        for each in ("Options:", "Conditions that", "--psf-fwhm", "What methods are told", "--told-phase")
    ]
    assert places == sorted(places)


def test_noise_is_that_of_the_scene_whatever_else_is_run() -> None:
    noise = ["--snr-hsi", "20", "--noise-seed", "5"]
    assert run(*noise).exit_code == 0
    assert run(*noise, "--scenes", "melons").exit_code == 0
    folder = "demo-x4-uestc-snr20-inf-seed5"
    every = {scene["name"]: scene for scene in record(folder)["scenes"]}
    (alone,) = record(folder, "bicubic.subset-melons")["scenes"]
    assert alone == every["melons"]


def test_an_own_protocol_crops_and_the_record_says_so() -> None:
    Path("mine.toml").write_text(OWN)
    done = run("--protocol", "mine.toml", scale=3)
    assert done.exit_code == 0, done.output
    (path,) = Path("results").glob("demo-x3-mine.*/bicubic.json")
    (figs,) = (scene for scene in read_record(path).scenes if scene.name == "figs")
    assert figs.cropped_from == (128, 128)
    # 126 x 126 pixels, means of 3 x 3, and back: against a mean written out here
    cube = DemoSource().read("figs")[:, :126, :126].astype(float)
    assert figs.psnr is not None
    blocks = cube.reshape(31, 42, 3, 42, 3).mean(axis=(2, 4))
    nearest = blocks.repeat(3, axis=1).repeat(3, axis=2)
    worse = -10 * np.log10(((nearest - cube) ** 2).mean(axis=(1, 2))).mean()
    assert worse < figs.psnr < worse + 3


def test_a_record_of_before_crops_is_readable(tmp_path: Path) -> None:
    assert run("--scenes", "figs").exit_code == 0
    content = record("demo-x4-uestc", "bicubic.subset-figs")
    assert content["scenes"][0].pop("cropped_from") is None
    old = tmp_path / "old.json"
    old.write_text(json.dumps(content))
    assert read_record(old).scenes[0].cropped_from is None


def test_evaluate_knows_the_same_options() -> None:
    np.savez("mine.npz", sr=np.stack([DemoSource().read("figs") * np.float32(0.99)]))
    arguments = ["evaluate", "mine.npz", "--name", "Mine", "--dataset", "demo", "--scale", "4", "--scenes", "figs"]
    done = CliRunner().invoke(main, [*arguments, "--snr-hsi", "35", "--response", "B"])
    assert done.exit_code == 0, done.output
    assert Path("results/demo-x4-uestc-b-snr35-inf").is_dir()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--response", "ikonso"], 2, "did you mean ikonos"),
        (["--response", "landsat"], 2, "band NIR (851 to 879 nm)"),
        (["--protocol", "yokoya"], 2, "--response chooses another one"),
        (["--response", "none.csv"], 1, "none.csv cannot be read"),
        (["--protocol", "none.toml"], 1, "none.toml cannot be read"),
        (["--protocol", "xidan"], 2, "did you mean xidian"),
        (["--noise-seed", "2"], 2, "add --snr-hsi or --snr-msi"),
        (["--snr-hsi", "nan"], 2, "finite number of decibels"),
        (["--off-table", "guess"], 2, "'interpolate'"),
    ],
)
def test_a_bad_request_is_one_clear_message(arguments: list[str], code: int, words: str) -> None:
    done = run(*arguments)
    assert done.exit_code == code
    assert words in done.stderr
    assert "Traceback" not in done.output
    assert not Path("results").exists()


@pytest.mark.parametrize("name", ["uestc", "mossfuse", "xidian", "wald", "yokoya", "yokoya-toolbox"])
def test_list_tells_what_a_protocol_is(name: str) -> None:
    done = CliRunner().invoke(main, ["list", "protocols"])
    (line,) = (line for line in done.stdout.splitlines() if line.strip().startswith(f"{name} "))
    expected = {
        "uestc": ["×2, ×4, ×8, ×16, ×32", "gaussian 3, σ 0.5", "1, 2, 4, 8, 16", " A "],
        "mossfuse": ["gaussian r-1, σ 2", "0, 1, 3, 7, 15"],
        "xidian": ["gaussian r, σ 2", "0.5, 1.5, 3.5, 7.5, 15.5"],
        "wald": ["gaussian 8, σ 2", "1.5, 2.5, 4.5, 8.5, 16.5", "zero"],
        "yokoya": ["gaussian r, σ r/2.35482", "bottom-right", "ikonos"],
        "yokoya-toolbox": ["gaussian 2r, σ r/2.35482", "block"],
    }
    assert all(word in line for word in expected[name]), line


def test_a_protocol_of_ones_own_names_one_of_several_matrices_beside_it(tmp_path: Path) -> None:
    (tmp_path / "cameras").mkdir()
    first, second = np.eye(3, 31), np.eye(3, 31, 5)
    np.savez(tmp_path / "cameras" / "lab.npz", first=first, second=second)
    (tmp_path / "cameras" / "mine.toml").write_text(OWN.replace('response = "A"', 'response = "lab.npz:second"'))
    protocol = load_protocol(str(tmp_path / "cameras" / "mine.toml"))
    np.testing.assert_array_equal(protocol.srf_at([float("nan")] * 31), second)
