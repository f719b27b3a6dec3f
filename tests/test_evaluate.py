"""Results made elsewhere, as a user brings them: on the demo data set."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from scipy import io

from hsfusion_bench.cli import main
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.report.html.columns import told, told_of
from hsfusion_bench.report.leaderboard import leaderboards
from hsfusion_bench.report.sources import gather
from hsfusion_bench.runs.elsewhere import require_range
from hsfusion_bench.runs.records import read_record
from hsfusion_metrics import METRICS
from support.records import make_record

Array = NDArray[np.float64]
SCENES = ("oranges", "figs", "melons")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HSBENCH_DATA", raising=False)


@pytest.fixture(scope="module")
def gt() -> Array:
    """The references of the demo's test scenes, [B, C, H, W]."""
    source = DemoSource()
    return np.stack([source.read(name) for name in SCENES]).astype(np.float64)


def hsbench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def evaluate(path: str, *more: str, name: str = "My method") -> Result:
    return hsbench("evaluate", path, "--name", name, "--dataset", "demo", "--scale", "4", *more)


def read(name: str = "my-method") -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(f"results/demo-x4-uestc/{name}.json").read_text())
    return content


def psnr(name: str = "my-method") -> list[float]:
    return [scene["psnr"] for scene in read(name)["scenes"]]


def refused(done: Result, code: int = 1) -> str:
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    assert not list(Path().rglob("my-method*.json"))
    return done.stderr


def test_what_a_run_saved_evaluates_to_the_record_of_the_run() -> None:
    run = ("run", "--methods", "bicubic", "--dataset", "demo", "--scale", "4", "--no-timing", "--save-mat", "out")
    assert hsbench(*run).exit_code == 0
    done = evaluate("out/demo-x4-uestc/bicubic.mat")
    assert done.exit_code == 0, done.output
    ours, theirs = read(), read("bicubic")
    for key in ("schema", "status", "error", "dataset", "scenes", "summary", "metrics", "environment", "weights"):
        assert ours[key] == theirs[key], key
    assert ours.keys() == theirs.keys()
    assert ours["method"]["origin"] == "external"
    assert ours["external"]["reference"] == "ours"
    assert ours["seed"] is None
    # both rows stand in one table
    table = hsbench("leaderboard").stdout
    assert "My method" in table
    assert "Bicubic" in table


def test_a_constant_error_has_the_psnr_of_the_formula(gt: Array) -> None:
    # 20 dB for each decimal place of the error, in every band alike
    errors = [0.1, 0.01, 0.001]
    np.save("x.npy", gt + np.array(errors)[:, None, None, None])
    assert evaluate("x.npy").exit_code == 0
    assert psnr() == pytest.approx([20.0, 40.0, 60.0], abs=1e-9)


@pytest.mark.parametrize("const", [1, 255, 2047, 65535])
def test_a_full_scale_divides_the_values(gt: Array, const: int) -> None:
    np.save("x.npy", const * (gt + 0.01))
    assert evaluate("x.npy", "--const", str(const)).exit_code == 0
    assert psnr() == pytest.approx([40.0] * 3, abs=1e-9)
    assert read()["external"]["const"] == const


def test_a_folder_of_files_of_all_kinds_is_scored_by_name(gt: Array) -> None:
    Path("out").mkdir()
    estimate = gt + 0.01
    io.savemat("out/oranges.mat", {"Z": estimate[0].transpose(1, 2, 0)})
    np.savez("out/figs_ours.npz", output=estimate[1])
    with h5py.File("out/MELONS.h5", "w") as file:
        file["fused"] = estimate[2][None]
    done = evaluate("out")
    assert done.exit_code == 0, done.output
    assert psnr() == pytest.approx([40.0] * 3, abs=1e-9)
    assert "axes HWC" in done.stderr
    assert [scene["name"] for scene in read()["scenes"]] == list(SCENES)


def test_the_authors_numbers_are_the_splits_order(gt: Array) -> None:
    Path("out").mkdir()
    for number, error in enumerate([0.1, 0.01, 0.001]):
        io.savemat(f"out/output_mulExm_{number}.mat", {"sr": (gt[number] + error)[None]})
    assert evaluate("out").exit_code == 0
    assert psnr() == pytest.approx([20.0, 40.0, 60.0], abs=1e-9)


def test_a_subset_of_scenes_is_a_record_of_its_own(gt: Array) -> None:
    np.save("x.npy", gt[1:] + 0.01)
    done = evaluate("x.npy", "--scenes", "melons,figs")
    assert done.exit_code == 0, done.output
    assert "2 of 3 scenes" in done.stdout
    record = read("my-method.subset-figs-melons")
    assert [scene["psnr"] for scene in record["scenes"]] == pytest.approx([40.0] * 2, abs=1e-9)


def test_a_missing_prediction_is_named(gt: Array) -> None:
    Path("out").mkdir()
    np.save("out/figs.npy", gt[1])
    assert "no file for 2 of 3 scenes: oranges, melons. " in refused(evaluate("out"))
    np.save("x.npy", gt[:2])
    assert "holds 2 cubes, but the scenes to score are 3" in refused(evaluate("x.npy"))


# -- what is only reported


def test_parameters_and_latency_are_marked_as_reported(gt: Array) -> None:
    np.save("x.npy", gt + 0.01)
    done = evaluate("x.npy", "--params", "3164816", "--latency-ms", "12.5", "--csv", "t.csv", "--latex", "t.tex")
    assert done.exit_code == 0, done.output
    assert "3.165*" in done.stdout
    assert "12.5*" in done.stdout
    assert "*parameters and latency as reported" in done.stdout
    assert read()["model"]["parameters"] == 3164816
    assert read()["external"]["reported"] == ["parameters", "latency"]
    assert not Path("results/speed").exists()
    (row,) = csv.DictReader(Path("t.csv").read_text().splitlines())
    assert (row["parameters"], row["latency_median_ms"], row["device"]) == ("3164816", "12.5", "")
    assert row["reported"] == "parameters latency"
    (letter,) = re.findall(
        r"3\.165\\textsuperscript{(\w)} & 12\.5\\textsuperscript{\1}", table := Path("t.tex").read_text()
    )
    assert rf"\textsuperscript{{{letter}}}~As reported, not measured here." in table
    assert "{*}" not in table


def test_without_them_nothing_is_reported(gt: Array) -> None:
    np.save("x.npy", gt + 0.01)
    done = evaluate("x.npy")
    assert "*" not in done.stdout
    assert "made elsewhere" in done.stdout


def test_a_record_from_before_there_was_evaluate_is_read(tmp_path: Path) -> None:
    old = json.loads(make_record().model_dump_json(by_alias=True))
    del old["external"]
    (tmp_path / "old.json").write_text(json.dumps(old))
    assert read_record(tmp_path / "old.json").external is None


@pytest.mark.parametrize("name", ["bicubic", "FeINFN"])
def test_a_methods_own_name_is_not_given_away(gt: Array, name: str) -> None:
    np.save("x.npy", gt)
    assert "a method that hsbench runs itself" in refused(evaluate("x.npy", name=name), 2)


def test_another_record_is_not_replaced_but_ones_own_is(gt: Array) -> None:
    np.save("x.npy", gt + 0.01)
    assert evaluate("x.npy", name="my-method").exit_code == 0
    assert "is the record of 'my-method'" in evaluate("x.npy").stderr
    np.save("x.npy", gt + 0.1)
    assert evaluate("x.npy", name="my-method").exit_code == 0
    assert psnr() == pytest.approx([20.0] * 3, abs=1e-9)


# -- values that cannot be right


def test_an_overshoot_is_scored_as_it_is(gt: Array) -> None:
    estimate = gt + 0.01
    estimate[:, 3, 4, 5], estimate[:, 3, 4, 6] = -0.05, 1.1
    np.save("x.npy", estimate)
    done = evaluate("x.npy")
    assert done.exit_code == 0, done.output
    # PSNR is the mean of the bands' decibels: 40 in 30 bands, and in one what the overshoot leaves
    pixels = gt[0, 0].size
    error = (1e-4 * (pixels - 2) + (-0.05 - gt[:, 3, 4, 5]) ** 2 + (1.1 - gt[:, 3, 4, 6]) ** 2) / pixels
    assert psnr() == pytest.approx((30 * 40 - 10 * np.log10(error)) / 31, abs=1e-9)


def write_stated(path: str, cubes: Array, full_scale: float | None) -> None:
    """Write counts as HDF5 that states what of them is full scale, as NEON's files do."""
    with h5py.File(path, "w") as file:
        file["sr"] = cubes
        if full_scale is not None:
            file["sr"].attrs["Scale_Factor"] = full_scale


@pytest.mark.parametrize("more", [(), ("--const", "10000")])
def test_a_full_scale_that_a_file_states_is_taken(gt: Array, more: tuple[str, ...]) -> None:
    write_stated("x.h5", 10_000 * (gt + 0.01), 10_000)
    done = evaluate("x.h5", *more)
    assert done.exit_code == 0, done.output
    assert psnr() == pytest.approx([40.0] * 3, abs=1e-9)
    assert read()["external"]["const"] == 10_000
    assert "divided by 10000" in done.stderr
    assert ("its full scale is 10000 (Scale_Factor = 10000" in " ".join(done.stderr.split())) == (not more)


def test_a_full_scale_that_contradicts_the_file_is_refused(gt: Array) -> None:
    write_stated("x.h5", 10_000 * (gt + 0.01), 10_000)
    message = " ".join(refused(evaluate("x.h5", "--const", "8000")).split())
    assert "so that 10000 is full scale, but --const is 8000" in message


def test_values_that_are_not_at_the_scale_that_their_file_states_are_refused(gt: Array) -> None:
    write_stated("x.h5", gt + 0.01, 10_000)
    assert "do not fit a full scale of 10000" in refused(evaluate("x.h5"))


def test_the_files_of_a_folder_have_one_full_scale(gt: Array) -> None:
    Path("ours").mkdir()
    for name, cube, scale in zip(SCENES, gt, (10_000, 10_000, None), strict=True):
        write_stated(f"ours/{name}.h5", (scale or 1) * (cube + 0.01), scale)
    message = " ".join(refused(evaluate("ours")).split())
    assert "melons.h5: its full scale is 1, that of the files before it 10000" in message
    write_stated("ours/melons.h5", 10_000 * (gt[2] + 0.01), 10_000)
    assert evaluate("ours").exit_code == 0
    assert psnr() == pytest.approx([40.0] * 3, abs=1e-9)


@pytest.mark.parametrize(("factor", "const"), [(255, 1), (1, 255), (2047, 255), (255, 2047), (2047, 65535), (65535, 1)])
def test_values_of_another_range_are_refused_with_both_ends(gt: Array, factor: int, const: int) -> None:
    np.save("x.npy", factor * gt)
    message = refused(evaluate("x.npy", "--const", str(const)))
    low, high = factor * gt[0].min(), factor * gt[0].max()
    assert f"scene oranges: the values, from {low:g} to {high:g}, do not fit a full scale of {const}" in message
    assert f"they look like values of --const {factor}" in message


@pytest.mark.parametrize("values", [(0.0, 240.0, 1.0), (0.0, 0.9, 255.0), (-300.0, 0.5, 1.0)])
def test_a_range_is_refused_whatever_the_values_look_like(gt: Array, values: tuple[float, float, float]) -> None:
    low, high, const = values
    cube = np.linspace(low, high, gt[0].size).reshape(gt[0].shape) / const
    with pytest.raises(HsbenchError, match=rf"here: the values, from {low:g} to {high:g}"):
        require_range(cube, gt[0], const, "here")


def test_a_cube_of_zeros_is_bad_but_in_range(gt: Array) -> None:
    require_range(np.zeros_like(gt[0]), gt[0], 255, "here")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_found(gt: Array, value: float) -> None:
    estimate = gt.copy()
    estimate[1, 3, 4, 5] = estimate[1, 7, 0, 0] = value
    np.save("x.npy", estimate)
    message = refused(evaluate("x.npy"))
    assert f"scene figs: 2 values are NaN or infinite, the first ({value}) in band 4 at row 4, column 5" in message


def test_rows_and_columns_that_are_swapped_are_seen(gt: Array) -> None:
    np.save("x.npy", (gt + 0.01).swapaxes(2, 3))
    message = refused(evaluate("x.npy"))
    assert "scene oranges: with rows and columns swapped (BCWH) the cube fits the reference far better" in message
    assert evaluate("x.npy", "--layout", "bcwh").exit_code == 0
    assert psnr() == pytest.approx([40.0] * 3, abs=1e-9)
    insisted = evaluate("x.npy", "--layout", "BCHW")
    assert insisted.exit_code == 0
    assert "warning" in insisted.stderr
    assert max(psnr()) < 30


def test_scenes_in_another_order_are_refused(gt: Array) -> None:
    # as MATLAB's dir() gives files: by the alphabet
    np.save("x.npy", gt[[1, 2, 0]] + 0.01)
    message = refused(evaluate("x.npy"))
    assert "scene oranges: it is of scene figs (correlation 1.000, not 0.4" in message
    assert "in the split's order: oranges, figs, melons" in message
    Path("out").mkdir()
    for number, place in enumerate([1, 2, 0]):
        io.savemat(f"out/output_mulExm_{number}.mat", {"sr": gt[place].transpose(1, 2, 0)})
    assert "output_mulExm_0.mat, scene oranges: it is of scene figs" in refused(evaluate("out"))


def test_a_cube_that_resembles_no_scene_is_warned_of(gt: Array) -> None:
    np.save("x.npy", np.random.default_rng(0).uniform(size=gt.shape))
    done = evaluate("x.npy")
    assert done.exit_code == 0
    assert "scene figs: the cube hardly resembles the reference" in done.stderr
    np.save("x.npy", gt)
    done = evaluate("x.npy")
    assert "in the split's order?" not in done.stderr
    assert done.stderr.count("the cube is the reference itself") == 3


# -- a reference that came with the results


def test_a_reference_that_is_ours_to_single_precision_changes_nothing(gt: Array) -> None:
    io.savemat("x.mat", {"sr": gt + 0.01, "gt": (gt * (1 + 1e-7)).astype(np.float32)})
    assert evaluate("x.mat").exit_code == 0
    assert psnr() == pytest.approx([40.0] * 3, abs=1e-9)
    assert read()["external"]["reference"] == "ours"


def test_a_reference_that_is_not_ours_is_refused_with_the_difference(gt: Array) -> None:
    theirs = gt.copy()
    theirs[1, 3, 4, 5] += 0.25
    io.savemat("x.mat", {"sr": gt + 0.01, "gt": theirs})
    message = refused(evaluate("x.mat"))
    assert "scene figs: their reference is not ours: values differ by up to 0.25" in message
    assert "at band 3, row 4, column 5" in message
    assert "--trust-their-reference" in message


@pytest.mark.parametrize("counts", [np.round, np.floor])
def test_a_reference_in_whole_counts_is_ours(gt: Array, counts: Any) -> None:
    estimate = np.round(255 * (gt + 0.01)).astype(np.uint8)
    io.savemat("x.mat", {"sr": estimate, "gt": counts(255 * gt).astype(np.uint8)})
    done = evaluate("x.mat", "--const", "255")
    assert done.exit_code == 0, done.output
    assert "scene figs: their reference is ours in whole counts of 255; scored against ours" in done.stderr
    assert read()["external"]["reference"] == "ours"
    errors = ((estimate / 255 - gt) ** 2).mean((2, 3))
    assert psnr() == pytest.approx(list(-10 * np.log10(errors).mean(1)), rel=1e-9)


def test_a_reference_a_count_off_is_not_ours(gt: Array) -> None:
    theirs = np.round(255 * gt) + 1
    io.savemat("x.mat", {"sr": np.round(255 * gt), "gt": theirs})
    assert "their reference is not ours" in refused(evaluate("x.mat", "--const", "255"))


def test_a_trusted_reference_is_scored_against_and_said_everywhere(gt: Array) -> None:
    theirs = 0.9 * gt
    io.savemat("x.mat", {"sr": 255 * (theirs + 0.01), "gt": 255 * theirs})
    done = evaluate("x.mat", "--trust-their-reference", "--const", "255")
    assert done.exit_code == 0, done.output
    assert psnr() == pytest.approx([40.0] * 3, abs=1e-9)
    assert read()["external"]["reference"] == "theirs"
    assert "scored against a reference of its own" in done.stdout
    assert "scored against theirs" in done.stderr


def test_a_reference_of_another_scene_tells_that_the_order_is_another(gt: Array) -> None:
    io.savemat("x.mat", {"sr": gt, "gt": gt[[1, 2, 0]]})
    assert "it is the one of scene figs, so the order is not the split's" in refused(evaluate("x.mat"))


def test_trust_needs_a_reference(gt: Array) -> None:
    np.save("x.npy", gt)
    assert "no reference (gt) came with x.npy" in refused(evaluate("x.npy", "--trust-their-reference"), 2)


# -- its row among others


def test_the_cameras_that_a_method_was_told_are_said_or_not_known(gt: Array) -> None:
    np.save("x.npy", gt + 0.01)
    assert evaluate("x.npy").exit_code == 0
    assert evaluate("x.npy", "--uses", "SRF,psf", name="Told").exit_code == 0
    assert read("told")["method"]["uses"] == ["psf", "srf"]
    assert "Told (uses psf, srf)" in hsbench("leaderboard", "--methods", "told").stdout
    boards = leaderboards(gather([Path("results")], "mine").entries)
    columns = {row.record.method.title: (told_of(row), told(row)) for board in boards for row in board.rows}
    assert columns == {"My method": ("unknown", "not said"), "Told": ("given", "PSF, SRF")}
    assert "did you mean psf" in evaluate("x.npy", "--uses", "pfs").stderr


@pytest.mark.parametrize("name", ["My method", "my-method", "my METHOD"])
def test_a_row_is_chosen_by_its_name_its_title_or_its_file(gt: Array, name: str) -> None:
    np.save("x.npy", gt + 0.01)
    assert evaluate("x.npy").exit_code == 0
    done = hsbench("leaderboard", "--dataset", "demo", "--methods", f"{name},GSA", "--format", "csv")
    assert done.exit_code == 0, done.output
    assert sorted(line.partition(",")[0] for line in done.stdout.splitlines()) == ["My method", "gsa", "method"]


# -- requests that make no sense


@pytest.mark.parametrize(
    ("more", "words", "code"),
    [
        (["--key", "fused"], "has no array 'fused'; it holds sr [3, 31, 128, 128]", 1),
        (["--layout", "HWX"], "the letters C, H and W", 2),
        (["--layout", "HWC"], "which is not a cube of axes HWC", 1),
        (["--scenes", "pears"], "not one of the test scenes", 2),
        (["--protocol", "west"], "did you mean uestc", 2),
        (["--name", "!?"], "no letter or digit", 2),
    ],
)
def test_a_bad_request_is_one_clear_message(gt: Array, more: list[str], words: str, code: int) -> None:
    io.savemat("x.mat", {"sr": gt})
    assert words in refused(evaluate("x.mat", *more), code)
    assert not Path("results").exists() or not list(Path("results").rglob("*.json"))


def test_the_verb_helps_with_an_example() -> None:
    shown = hsbench("evaluate", "--help")
    assert shown.exit_code == 0
    assert "hsbench evaluate" in shown.stdout.partition("Example")[2]


def test_all_seven_indexes_are_in_the_record(gt: Array) -> None:
    np.save("x.npy", gt + 0.01)
    assert evaluate("x.npy").exit_code == 0
    assert set(read()["summary"]) == set(METRICS)
