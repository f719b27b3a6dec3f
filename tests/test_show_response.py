"""`hsbench show` of a camera response: its numbers against closed forms, and its drawing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy.io import savemat
from scipy.stats import norm

from hsfusion_bench.cli import main
from hsfusion_bench.data.observing.curves import curves
from hsfusion_bench.data.observing.named_responses import load_response, response_names


def show(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["show", *arguments])


def write(path: Path, nm: np.ndarray, *channels: np.ndarray, head: str = "wavelength,red,green,blue") -> str:
    names = ",".join(head.split(",")[: len(channels) + 1])
    np.savetxt(path, np.column_stack([nm, *channels]), delimiter=",", header=names, comments="")
    return str(path)


def test_a_gaussian_has_its_centre_width_and_range(tmp_path: Path) -> None:
    nm = np.arange(400, 701, 1.0)
    path = write(tmp_path / "g.csv", nm, norm.pdf(nm, 550, 20))
    (channel,) = curves(load_response(path)).channels
    assert channel is not None
    assert channel.centre == pytest.approx(550, abs=1e-6)
    assert channel.width == pytest.approx(2 * np.sqrt(2 * np.log(2)) * 20, abs=1e-2)
    reach = 20 * np.sqrt(2 * np.log(100))
    assert (channel.first, channel.last) == pytest.approx((550 - reach, 550 + reach), abs=0.1)
    assert channel.total == pytest.approx(1, abs=1e-9)
    assert not channel.cut


def test_a_triangle_by_hand(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", np.array([400, 500, 700]), np.array([0, 4, 0]), np.array([4, 4, 0]))
    red, green = curves(load_response(path)).channels
    assert red is not None
    assert green is not None
    assert (red.width, red.first, red.last) == pytest.approx((150, 401, 698))
    assert red.centre == pytest.approx(500)
    # at the left end it is above half its peak, so that nobody knows how wide it is
    assert (green.width, green.cut) == (200, True)


@pytest.mark.parametrize("name", response_names())
def test_those_that_ship_are_shown_within_80_columns(name: str) -> None:
    done = show(name)
    assert done.exit_code == 0
    camera = load_response(name)
    lines = done.stdout.splitlines()
    heads = [number for number, line in enumerate(lines) if line.split()[:1] == ["nm"]]
    drawn = [line for line in lines[heads[0] :] if line]
    assert max(map(len, drawn)) <= 80
    assert all(line.isascii() for line in drawn)
    assert all(any(line.startswith(f"{channel} ") for line in lines) for channel in camera.channels)
    content = json.loads(show(name, "--json").stdout)
    values = np.array(content["values"])
    assert values.shape == (len(camera.channels), len(content["places"]))
    assert (values.max(axis=1) > 0).all()


def test_no_narrow_channel_is_missed() -> None:
    _, shares = curves(load_response("landsat")).in_rows(31)
    np.testing.assert_array_equal(shares.max(axis=1), 1)


def test_landsat_is_what_its_edges_say() -> None:
    content = json.loads(show("landsat", "--json").stdout)
    swir = content["channels"][-1]
    assert (swir["centre"], swir["width"], swir["first"], swir["last"]) == (2200.5, 187, 2107, 2294)


def test_a_head_in_micrometres_is_used_and_said(tmp_path: Path) -> None:
    nm = np.linspace(400, 700, 31)
    seen = norm.pdf(nm, 550, 20)
    stated = write(tmp_path / "stated.csv", nm / 1000, seen, head="wavelength (um),red")
    guessed = write(tmp_path / "guessed.csv", nm / 1000, seen, head="wavelength,red")
    plain = write(tmp_path / "plain.csv", nm, seen)
    for path in (stated, guessed):
        channel, expected = curves(load_response(path)).channels[0], curves(load_response(plain)).channels[0]
        assert channel is not None
        assert expected is not None
        assert channel.centre == pytest.approx(expected.centre, abs=1e-6)
        assert "table of 31 wavelengths, 400 to 700 nm" in show(path).stdout
    assert "taken for micrometres" in show(guessed).stdout
    assert "taken for micrometres" not in show(stated).stdout


@pytest.mark.parametrize("kind", ["csv", "txt", "mat", "npy"])
def test_a_table_with_heads_and_micrometres_in_a_file_of_any_kind(tmp_path: Path, kind: str) -> None:
    nm = np.linspace(400, 700, 7)
    red, blue = np.arange(1.0, 8), np.arange(7.0, 0, -1)
    path = tmp_path / f"camera.{kind}"
    if kind == "csv":
        write(path, nm / 1000, red, blue, head="wl_um,red,blue")
    elif kind == "txt":
        np.savetxt(path, np.column_stack([nm / 1000, red, blue]), header="wavelength(um) red blue")
    elif kind == "mat":
        savemat(path, {"R": np.array([red, blue]), "wl_um": nm / 1000})
    else:
        rows = [tuple(row) for row in np.column_stack([nm / 1000, red, blue])]
        np.save(path, np.array(rows, [("wl_um", "f8"), ("red", "f8"), ("blue", "f8")]))
    camera = load_response(str(path))
    np.testing.assert_allclose(camera.at([425, 700]), [[1.5 / 8.5, 7 / 8.5], [6.5 / 7.5, 1 / 7.5]], rtol=1e-9)
    assert camera.channels == (("1", "2") if kind == "mat" else ("red", "blue"))
    assert "micrometres" not in camera.remark_on(2)  # it is stated


def test_a_table_by_wavenumber_is_turned(tmp_path: Path) -> None:
    path = write(tmp_path / "w.csv", np.array([10_000, 20_000]), np.array([1, 2]), head="wavenumber,red")
    np.testing.assert_allclose(load_response(path).at([500, 1000]), [[2 / 3, 1 / 3]])


def test_a_matrix_is_shown_by_bands(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", first=np.ones((2, 5)), second=np.eye(5, 2))
    done = show(f"{tmp_path}/two.npz:second")
    assert done.exit_code == 0, done.output
    assert "matrix [2, 5] for a cube of 5 bands, whose wavelengths it does not need" in done.stdout
    assert "the file has [5, 2]: it is turned" in done.stdout
    bars = [line.split() for line in done.stdout.splitlines()[-5:]]
    assert [bar[0] for bar in bars] == ["1", "2", "3", "4", "5"]
    assert [len(bar) for bar in bars] == [2, 2, 1, 1, 1]
    missing = show(f"{tmp_path}/two.npz")
    assert missing.exit_code == 2
    assert "name its key" in missing.stderr
    assert show("none.csv").exit_code == 1


def test_a_channel_that_sees_nothing_is_said(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.array([[0.0, 0, 0], [1, 3, 2]]))
    assert "sees nothing" in show(f"{tmp_path}/m.npy").stdout
