"""Camera responses against published numbers, closed forms, and tables written out by hand."""

import numpy as np
import pytest
from scipy.io import savemat

from hsfusion_bench.data.observing.named_responses import load_response, response, response_names
from hsfusion_bench.data.observing.response_files import read_response
from hsfusion_bench.data.observing.responses import WAVELENGTHS
from hsfusion_bench.errors import HsbenchError, UsageError

HARVARD = [float(nm) for nm in range(420, 721, 10)]
AVIRIS = np.linspace(380, 2500, 198)


@pytest.mark.parametrize("name", ["A", "B"])
def test_responses_are_normalised_and_in_the_order_red_green_blue(name):
    srf = response(name)
    assert srf.shape == (3, 31)
    np.testing.assert_allclose(srf.sum(axis=1), 1, rtol=1e-14)
    red, green, blue = np.array(WAVELENGTHS)[srf.argmax(axis=1)]
    assert blue < 480 < green < 560 < 590 < red < 640


@pytest.mark.parametrize(
    ("name", "nm", "channel", "value"),
    [
        # Read off the published tables by hand, in units / sum of the row.
        ("A", 610, 0, 22 / 255),
        ("A", 530, 1, 21 / 203),
        ("A", 460, 2, 30 / 251),
        ("A", 400, 0, 2 / 255),
        ("A", 700, 1, 2 / 203),
        ("B", 610, 0, 22 / 209),
        ("B", 550, 1, 20 / 164),
        ("B", 460, 2, 30 / 200),
        ("B", 700, 2, 0),
        ("B", 560, 0, 1 / 209),
    ],
)
def test_response_values(name, nm, channel, value):
    assert response(name)[channel, WAVELENGTHS.index(nm)] == pytest.approx(value, rel=1e-14)


def test_unknown_responses_and_wavelengths_are_refused():
    assert response_names() == ("A", "B", "ikonos", "landsat")
    with pytest.raises(UsageError, match="no camera response 'ikonso'; did you mean ikonos"):
        load_response("ikonso")
    with pytest.raises(UsageError, match="not for 2 bands at 420, 430 nm"):
        response("A", [420, 430])
    with pytest.raises(UsageError, match=r"31 bands at 420, 430, \.\.\., 720 nm"):
        response("A", HARVARD)


def test_by_band_gives_the_numbers_to_the_bands_in_order():
    np.testing.assert_array_equal(load_response("A").at(HARVARD, "by-band"), response("A"))
    with pytest.raises(UsageError, match=r"lie up to 21 nm off"):
        load_response("A").at([nm + 21 for nm in WAVELENGTHS], "by-band")
    with pytest.raises(UsageError, match="cannot be taken band by band"):
        load_response("A").at(HARVARD[:30], "by-band")


def test_interpolation_is_linear_and_zero_beyond_the_ends():
    seen = load_response("A").at([405, 610, 613, 700, 710, 390], "interpolate")
    # red: 2 and 1 at 400 and 410; 22 at 610, 21 at 620; 17 at 700
    red = np.array([1.5, 22, 0.7 * 22 + 0.3 * 21, 17, 0, 0])
    np.testing.assert_allclose(seen[0], red / red.sum(), rtol=1e-14)
    with pytest.raises(UsageError, match="channel red of the camera response A sees none of the bands at 900, 1000 nm"):
        load_response("A").at([900, 1000], "interpolate")


def test_a_boxcar_is_the_mean_of_the_bands_between_its_edges():
    srf = load_response("landsat").at(AVIRIS)
    edges = [(435, 451), (452, 512), (533, 590), (636, 673), (851, 879), (1566, 1651), (2107, 2294)]
    assert srf.shape == (7, 198)
    for row, (low, high) in zip(srf, edges, strict=True):
        inside = [low <= nm <= high for nm in AVIRIS]
        np.testing.assert_allclose(row, np.array(inside) / sum(inside), rtol=1e-14)


def test_a_gaussian_has_half_its_peak_at_its_edges():
    # blue: middle 480.5, edges 445 and 516; a quarter of the width off, 2^(-1/4)
    srf = load_response("ikonos").at([445, 462.75, 480.5, 516, 550.5, 665, 805])
    np.testing.assert_allclose(srf[0, :4] / srf[0, 2], [0.5, 2**-0.25, 1, 0.5], rtol=1e-12)
    np.testing.assert_allclose(srf.sum(axis=1), 1, rtol=1e-14)


def test_a_band_that_nothing_covers_is_named_with_its_range():
    with pytest.raises(UsageError, match=r"band NIR \(757 to 853 nm\) of the camera response ikonos .* 400, 410, "):
        response("ikonos")
    with pytest.raises(UsageError, match=r"band SWIR-1 \(1566 to 1651 nm\)"):
        load_response("landsat").at(np.arange(430, 1000, 5))


TABLES = {
    "column": "wavelength,red,blue\n400,0,4\n500,1,2\n600,3,0\n",
    "head": "channel,400,500,600\nred,0,1,3\nblue,4,2,0\n",
    "spaces and a mark": "\ufeffnm, red, blue\r\n\r\n400, 0, 4\r\n500, 1, 2\r\n600, 3, 0\r\n",
    "head without names": "400,500,600\n0,1,3\n4,2,0\n",
    "column without names": "400,0,4\n500,1,2\n600,3,0\n",
}


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
def test_a_table_of_ones_own_is_interpolated(tmp_path, text):
    path = tmp_path / "my cam.csv"
    path.write_text(text)
    srf = load_response(str(path)).at([450, 600, 400, 700])
    np.testing.assert_allclose(srf, [[0.5 / 3.5, 3 / 3.5, 0, 0], [3 / 7, 0, 4 / 7, 0]], rtol=1e-14)


def test_a_bare_matrix_needs_as_many_bands(tmp_path):
    path = tmp_path / "cam.csv"
    path.write_text("1,1,2\n0,5,5\n")
    np.testing.assert_allclose(read_response(path).at([1, 2, 3]), [[0.25, 0.25, 0.5], [0, 0.5, 0.5]])
    with pytest.raises(UsageError, match=r"2 x 3 .* the image has 4 bands"):
        read_response(path).at([1, 2, 3, 4])
    with pytest.raises(UsageError, match="looks transposed"):
        read_response(path).at([1, 2])


def test_matfiles_hold_a_matrix_and_perhaps_wavelengths(tmp_path):
    values = np.array([[0, 1, 3], [4, 2, 0.0]])
    savemat(tmp_path / "bare.mat", {"R": values})
    np.testing.assert_allclose(read_response(tmp_path / "bare.mat").at([1, 2, 3])[1], [4 / 6, 2 / 6, 0])
    for name, matrix in (("rows", values), ("columns", values.T)):
        savemat(tmp_path / f"{name}.mat", {"R": matrix, "wl": [400, 500, 600]})
        seen = read_response(tmp_path / f"{name}.mat").at([450, 600])
        np.testing.assert_allclose(seen, [[0.5 / 3.5, 3 / 3.5], [1, 0]])
    savemat(tmp_path / "two.mat", {"R": values, "S": values})
    with pytest.raises(HsbenchError, match=r"two\.mat: one matrix .* holds R, S"):
        read_response(tmp_path / "two.mat")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("wavelength,red\n400,1\n410\n", "row 3 has 1 cells"),
        ("wavelength,red\n400,1\n410,x\n", "'x' in row 3 is not a number"),
        ("wavelength,red\n410,1\n400,1\n", "wavelengths must rise"),
        ("wavelength,red\n0.41,1\n0.42,1\n", "must be in nanometres"),
        ("wavelength,red\n400,1\n410,-1\n", "channel red has the value -1"),
        ("wavelength,red,green\n400,1,0\n410,1,0\n", "channel green is zero"),
        ("wavelength,red\n400,nan\n", "'nan' in row 2 is not a number"),
        ("red\ngreen\n", "a head, rows of numbers"),
    ],
)
def test_a_bad_file_is_named_with_the_place(tmp_path, text, words):
    path = tmp_path / "cam.csv"
    path.write_text(text)
    with pytest.raises(HsbenchError, match=words) as raised:
        read_response(path)
    assert "cam.csv" in str(raised.value)


def test_files_that_are_not_there(tmp_path):
    for name in ("none.csv", "none.mat"):
        with pytest.raises(HsbenchError, match=name):
            load_response(str(tmp_path / name))


def test_the_name_tells_files_with_other_values_apart(tmp_path):
    names = set()
    for folder, text in (("a", "1,2\n"), ("b", "1,3\n"), ("c", "1.0,2.0\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "cam.csv").write_text(text)
        names.add(read_response(tmp_path / folder / "cam.csv").name)
    assert len(names) == 2
    assert all(name.startswith("cam.") for name in names)
