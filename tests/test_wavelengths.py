"""Wavelengths: units against closed forms with SciPy's constants, what files say, and what a user states."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from scipy.constants import c, giga, mega, micro, milli, nano, tera
from scipy.io import savemat

import hsfusion_bench as hb
from hsfusion_bench.cli import main
from hsfusion_bench.data.catalog import open_dataset
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.formats.wavelengths import (
    UNITS,
    convert,
    in_nanometres,
    short,
    stated_by,
    turns,
    unit_in,
    unit_named,
)
from hsfusion_bench.runs.records import read_record

#: What a light of so many metres is called in each unit.
SAID = {
    "nm": lambda metres: metres / nano,
    "um": lambda metres: metres / micro,
    "mm": lambda metres: metres / milli,
    "cm": lambda metres: metres / 0.01,
    "m": lambda metres: metres,
    "angstrom": lambda metres: metres / 1e-10,
    "cm-1": lambda metres: 0.01 / metres,
    "MHz": lambda metres: c / metres / mega,
    "GHz": lambda metres: c / metres / giga,
    "THz": lambda metres: c / metres / tera,
}
CUBE = np.random.default_rng(2).random((31, 16, 16)).astype(np.float32)


def test_every_unit_has_a_closed_form() -> None:
    assert tuple(SAID) == UNITS
    assert [unit for unit in UNITS if turns(unit)] == ["cm-1", "MHz", "GHz", "THz"]


@pytest.mark.parametrize("unit", UNITS)
@given(nm=st.lists(st.floats(10.001, 999_999), min_size=1, max_size=9))
def test_every_unit_is_converted(unit: str, nm: list[float]) -> None:
    numbers = [SAID[unit](each * nano) for each in nm]
    found = convert(numbers, unit, "here").nm
    np.testing.assert_allclose(found, nm, rtol=1e-12, atol=6e-7)  # six digits behind the point are kept


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        *(("Nanometers", "nm"), ("nm", "nm"), ("nanometre", "nm"), ("Micrometers", "um"), ("um", "um"), ("µm", "um")),
        *(("microns", "um"), ("μm", "um"), ("Millimeters", "mm"), ("Centimeters", "cm"), ("Meters", "m")),
        *(("Angstroms", "angstrom"), ("Å", "angstrom"), ("Wavenumber", "cm-1"), ("cm^-1", "cm-1"), ("1/cm", "cm-1")),
        *(
            ("GHz", "GHz"),
            ("MHz", "MHz"),
            ("terahertz", "THz"),
            ("parsec", ""),
            ("Index", ""),
            ("Unknown", ""),
            ("", ""),
        ),
    ],
)
def test_units_as_people_spell_them(text: str, unit: str) -> None:
    assert unit_named(text) == unit_named(f" {text.upper()} ") == unit
    assert unit_in(f"wavelength ({text})") == unit_in(f"wl [{text}]") == unit_in(f"Wavelength_{text}") == unit


def test_the_light_of_sodium_and_of_a_laser() -> None:
    assert convert([16_973.37], "cm-1", "").nm == pytest.approx([589.158], abs=1e-3)  # in vacuo
    assert convert([5893], "Angstroms", "").nm == (589.3,)
    assert convert([473.612353604], "THz", "").nm == pytest.approx([632.991212], abs=1e-6)  # He-Ne, CIPM


@pytest.mark.parametrize(
    ("numbers", "expected", "words"),
    [
        ([400, 410], [400, 410], ""),
        ([0.4, 2.5], [400, 2500], "from 0.4 to 2.5 are taken for micrometres"),
        ([8, 12.5], [8000, 12500], "are taken for micrometres"),
        ([4000, 7000], [4000, 7000], "are taken for nanometres"),
        ([30, 40], [], "neither nanometres nor micrometres"),
        ([25_000, 14_000], [], "neither nanometres nor micrometres"),
        ([0.4, 700], [], "neither nanometres nor micrometres"),
        ([0, 1, 2, 3], [], "count from 0 to 3"),
        ([1, 2, 3], [], "count from 1 to 3"),
        ([], [], ""),
    ],
)
def test_without_a_unit_a_rule_says_what_is_taken_for_what(
    numbers: list[float], expected: list[float], words: str
) -> None:
    nm, remark = convert(numbers, "", "x.hdr")
    assert list(nm) == expected
    assert words in remark
    assert bool(remark) == bool(words)


@pytest.mark.parametrize("unit", ["Index", "unknown", "parsec"])
def test_a_unit_of_none_is_said(unit: str) -> None:
    nm, remark = convert([400, 410], unit, "x.hdr")
    assert nm == ()
    assert unit in remark
    assert "unknown" in remark


@pytest.mark.parametrize(
    ("number", "unit"),
    [
        (-1, "nm"),
        (0, "um"),
        (np.nan, "nm"),
        (np.inf, ""),
        (-5, ""),
        (1.1, "mm"),
        (0.4, "nm"),
        (8, "cm-1"),
        (2e9, "THz"),
    ],
)
def test_nonsense_is_refused_with_its_band(number: float, unit: str) -> None:
    with pytest.raises(HsbenchError, match=r"x\.hdr: .* of band 2 is no wavelength, .*10 nm to 1 mm; correct"):
        convert([convert_back(500, unit), number], unit, "x.hdr")


def convert_back(nm: float, unit: str) -> float:
    return float(SAID[unit or "nm"](nm * nano))


def test_overlapping_spectrometers_are_allowed_and_said() -> None:
    nm = [400.0, 500, 600, 590, 700]
    found = convert(nm, "nm", "x.hdr")
    assert found.nm == tuple(nm)
    assert "after 600 nm of band 3 comes 590 nm" in found.remark
    assert "after 500 nm of band 2 comes 500 nm" in convert([400, 500, 500], "nm", "").remark
    assert convert([700, 600, 500], "nm", "").remark == ""


# -- ENVI


@pytest.mark.parametrize("unit", ["Angstroms", "GHz", "MHz", "Wavenumber", "Micrometers", "Meters"])
def test_a_header_in_any_unit_is_the_same_data_set(tmp_path: Path, unit: str) -> None:
    nm = np.linspace(400, 700, 31)
    path = envi(tmp_path, unit, SAID[unit_named(unit)](nm * nano))
    np.testing.assert_allclose(open_dataset(f"mat:{path}").wavelengths, nm, rtol=1e-9)
    np.testing.assert_array_equal(open_dataset(f"mat:{path}").read("cube"), CUBE)


@pytest.mark.parametrize(("unit", "first"), [("Index", 0), ("Unknown", 400)])
def test_a_header_without_wavelengths_is_one(
    tmp_path: Path, unit: str, first: float, caplog: pytest.LogCaptureFixture
) -> None:
    path = envi(tmp_path, unit, first + np.arange(31.0))
    with caplog.at_level(logging.WARNING):
        assert open_dataset(f"mat:{path}").wavelengths == ()
    assert f"cube.hdr: 'wavelength': the unit is {unit}: the wavelengths of the bands are unknown" in caplog.text


def envi(folder: Path, unit: str, numbers: Any) -> Path:
    pytest.importorskip("spectral")
    (folder / "cube.img").write_bytes(CUBE.tobytes())
    (folder / "cube.hdr").write_text(
        "ENVI\nsamples = 16\nlines = 16\nbands = 31\ndata type = 4\ninterleave = bsq\nbyte order = 0\n"
        f"wavelength units = {unit}\nwavelength = {{{', '.join(map(repr, map(float, numbers)))}}}\n"
    )
    return folder / "cube.hdr"


def test_a_vector_beside_a_cube_may_have_the_unit_in_its_name(tmp_path: Path) -> None:
    savemat(tmp_path / "x.mat", {"X": CUBE.transpose(1, 2, 0), "wavelengths_um": np.linspace(1, 1.3, 31)})
    np.testing.assert_allclose(open_dataset(f"mat:{tmp_path}/x.mat").wavelengths, np.linspace(1000, 1300, 31))


# -- what a user states


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("400:700", (400, 550, 700)),
        ("700:400", (700, 550, 400)),
        ("400:150:700", (400, 550, 700)),
        ("400,550, 700", (400, 550, 700)),
        ("0.9:1.7um", (900, 1300, 1700)),
        ("0.9:1.7", (900, 1300, 1700)),
        ("4000:7000 Å", (400, 550, 700)),
        ("25000:5000cm-1", (400, 1e4 / 15, 2000)),
        ("4e2:7e2", (400, 550, 700)),
    ],
)
def test_what_a_user_states(text: str, expected: tuple[float, ...]) -> None:
    nm = stated_by(text, 3)
    np.testing.assert_allclose(nm, expected, rtol=0, atol=1e-6)
    assert stated_by(short(nm), 3) == nm


@given(st.lists(st.floats(10, 1e6), min_size=1, max_size=9))
def test_what_records_keep_is_taken_for_the_very_same(nm: list[float]) -> None:
    assert stated_by(short(nm), len(nm)) == tuple(nm)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("400 550\n700\n", (400, 550, 700)),
        ("# by hand\nwavelength (um)\n0.4\n0.55\n0.7\n", (400, 550, 700)),
        ("0.4,0.55,0.7", (400, 550, 700)),
    ],
)
def test_a_text_file_of_wavelengths(tmp_path: Path, content: str, expected: tuple[float, ...]) -> None:
    (tmp_path / "w.txt").write_text(content)
    np.testing.assert_allclose(stated_by(str(tmp_path / "w.txt"), 3), expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("400:700:", "neither FIRST:LAST, such as 400:700"),
        ("w.txt", "there is no such text file"),
        ("400:700 parsec", "or with one of the units nm, um"),
        ("400,700", "2 wavelengths are stated, but the cube has 3 bands"),
        ("400:-10:700", "do not lead from 400 to 700"),
        ("", "neither FIRST:LAST"),
    ],
)
def test_what_cannot_be_told_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        stated_by(text, 3)


@pytest.mark.parametrize(
    ("text", "words"), [("-5:700", "-5 of band 1"), ("1:3", "count from 1 to 3"), ("1:9m", "1 m of")]
)
def test_what_is_no_wavelength_is_refused(text: str, words: str) -> None:
    with pytest.raises(HsbenchError, match=words):
        stated_by(text, 3)


# -- runs: 31 bands are no reason for a camera of 400 to 700 nm


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    savemat("nir.mat", {"rad": DemoSource().read("figs").transpose(1, 2, 0)})
    return tmp_path


def run(*more: str, dataset: str = "mat:nir.mat") -> Result:
    arguments = ["run", "--methods", "bicubic", "--dataset", dataset, "--scale", "4", "--no-timing", *more]
    return CliRunner().invoke(main, arguments)


def recorded(name: str = "mat-nir.mat-x4-uestc") -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(f"results/{name}/bicubic.json").read_text())
    return content


@pytest.mark.usefixtures("here")
def test_31_bands_of_unknown_wavelengths_are_refused_before_anything_runs() -> None:
    for verb in (["run", "--methods", "bicubic"], ["train", "ssfcnn"], ["evaluate", "nir.mat", "--name", "x"]):
        arguments = [*verb, "--dataset", "mat:nir.mat", "--scale", "4", "--off-table", "by-band"]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 2, done.output
        assert "wavelengths of the image's 31 bands, which are unknown: state them, as in --wavelengths" in done.stderr
    assert not Path("results").exists()
    Path("mine.toml").write_text('title = "x"\nfile = "nir.mat"\n')
    assert run(dataset="mine.toml").exit_code == 2
    with pytest.raises(UsageError, match="--wavelengths 400:700"):
        hb.open_task("mat:nir.mat", 4)


@pytest.mark.usefixtures("here")
def test_wavelengths_that_are_stated_once_are_in_the_record() -> None:
    done = run("--wavelengths", "400:700")
    assert done.exit_code == 0, done.output
    first = recorded()
    assert first["dataset"]["wavelengths"] == "400:700nm"
    assert run("--wavelengths", "0.41:0.71um").exit_code == 0
    second = recorded()
    assert second["dataset"]["wavelengths"] == "410:710nm"
    # by band, the camera's numbers are the same
    assert second["dataset"]["protocol_digest"] == first["dataset"]["protocol_digest"]
    assert second["summary"] == first["summary"]
    again = CliRunner().invoke(main, ["reproduce", "results/mat-nir.mat-x4-uestc/bicubic.json"])
    assert again.exit_code == 0, again.output
    assert "identical" in again.output
    near_infrared = run("--wavelengths", "900:1700")
    assert near_infrared.exit_code == 2
    assert "lie up to 1000 nm off" in near_infrared.stderr


@pytest.mark.usefixtures("here")
def test_records_of_data_sets_that_state_theirs_are_as_they_were() -> None:
    assert run("--scenes", "figs", dataset="demo").exit_code == 0
    path = Path("results/demo-x4-uestc/bicubic.subset-figs.json")
    assert "wavelengths" not in json.loads(path.read_text())["dataset"]
    assert read_record(path).dataset.wavelengths is None


@pytest.mark.usefixtures("here")
def test_a_matrix_needs_no_wavelengths() -> None:
    np.savetxt("camera.csv", np.eye(3, 31) + 0.5, delimiter=",")
    assert run("--response", "camera.csv").exit_code == 0


@pytest.mark.usefixtures("here")
def test_a_data_set_that_states_its_wavelengths_is_not_contradicted() -> None:
    assert run("--scenes", "figs", "--wavelengths", "400:700", dataset="demo").exit_code == 0
    done = run("--scenes", "figs", "--wavelengths", "900:1700", dataset="demo")
    assert done.exit_code == 2
    assert "the data set demo states its own, 400 to 700 nm, and others; leave the option out" in done.stderr
    Path("mine.toml").write_text('title = "x"\nfile = "nir.mat"\n')
    assert run("--wavelengths", "400:700", dataset="mine.toml").exit_code == 0


@pytest.mark.usefixtures("here")
def test_info_and_prepare_take_them_too() -> None:
    done = CliRunner().invoke(main, ["data", "info", "mat:nir.mat", "--wavelengths", "900:1700"])
    assert done.exit_code == 0
    assert "900 to 1700 nm" in done.stdout
    assert CliRunner().invoke(main, ["data", "info", "mat:nir.mat", "--wavelengths", "9"]).exit_code == 2
    prepare = ["data", "prepare", "mat:nir.mat", "--scale", "4", "--out", "prepared", "--part", "test"]
    assert CliRunner().invoke(main, prepare).exit_code == 2
    done = CliRunner().invoke(main, [*prepare, "--wavelengths", "410:710"])
    assert done.exit_code == 0, done.output
    (path,) = Path("prepared").glob("*.h5")
    # what was prepared states its wavelengths, whatever it is called
    assert open_dataset(f"h5:{path}").wavelengths == tuple(np.linspace(410, 710, 31))


def test_the_authors_files_of_samples_are_told_by_their_name_which_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def samples(name: str) -> Path:
        with h5py.File(tmp_path / name, "w") as file:
            for key, shape in (("GT", (1, 31, 8, 8)), ("LRHSI", (1, 31, 2, 2)), ("RGB", (1, 3, 8, 8))):
                file[key] = np.zeros(shape)
        return tmp_path / name

    with caplog.at_level(logging.WARNING):
        theirs = open_dataset(f"h5:{samples('test_harvard(with_up)x4.h5')}")
    assert theirs.wavelengths == tuple(range(420, 721, 10))
    assert "420 to 720 nm, are guessed from the name of the file; --wavelengths states others" in caplog.text
    for name in ("excavations.h5", "test_chikusei.h5", "x.h5"):
        assert open_dataset(f"h5:{samples(name)}").wavelengths == ()
    given = open_dataset(f"h5:{samples('test_cave(with_up)x4.h5')}", None, "900:1700")
    assert given.wavelengths == tuple(np.linspace(900, 1700, 31))
    assert given.wavelengths_given is not None


def test_a_note_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            in_nanometres([0.4, 0.7], "", "once.hdr")
    assert caplog.text.count("taken for micrometres") == 1
