"""Camera responses against published numbers, closed forms, and tables written out by hand."""

import numpy as np
import pytest
from scipy.io import savemat

from hsfusion_bench.data.observing.named_responses import load_response, response, response_names
from hsfusion_bench.data.observing.response_files import read_response, response_csv
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
    with pytest.raises(UsageError, match=r"2 x 3 .* looks transposed"):
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
    with pytest.raises(HsbenchError, match=r"two\.mat: which matrix .* two\.mat:R\. .* holds R \[2, 3\], S \[2, 3\]"):
        read_response(tmp_path / "two.mat")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("wavelength,red\n400,1\n410\n", "row 3 has 1 cells"),
        ("wavelength,red\n400,1\n410,x\n", "'x' in row 3 is not a number"),
        ("wavelength,red\n410,1\n400,1\n", "wavelengths must rise"),
        ("wavelength,red\n0.01,1\n0.02,1\n", "neither nanometres nor micrometres.* name their unit in the head"),
        ("index,red\n1,1\n2,1\n", "count from 1 to 2, without a unit"),
        ("wavelength (um),red\n4000,1\n4100,1\n", r"wavelength \(um\): 4000 um of band 1 is no wavelength"),
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


NM = [400, 450, 500, 550, 600]
SEEN = np.array([[0, 1, 2, 3, 4], [8, 6, 4, 2, 0.0]])
#: At 425, 600 nm by hand: red 0.5 and 4, blue 7 and 0.
AT_425_600 = [[0.5 / 4.5, 4 / 4.5], [1, 0]]


def save(path, numbers):
    """Write one array without wavelengths of its own to a file of the kind that the path says."""
    writers = {
        ".mat": lambda: savemat(path, {"R": numbers}),
        ".npy": lambda: np.save(path, numbers),
        ".npz": lambda: np.savez(path, R=numbers),
        ".csv": lambda: np.savetxt(path, numbers, delimiter=","),
        ".txt": lambda: np.savetxt(path, numbers, header="from my lab, 2020"),
    }
    writers[path.suffix]()
    return path


@pytest.mark.parametrize("suffix", [".mat", ".npy", ".npz", ".csv", ".txt"])
@pytest.mark.parametrize("unit", [1, 1000])
@pytest.mark.parametrize("turned", [False, True])
def test_a_first_row_or_column_of_wavelengths_is_no_channel(tmp_path, suffix, unit, turned):
    rows = np.vstack([np.array(NM) / unit, SEEN])
    camera = read_response(save(tmp_path / f"cam{suffix}", rows.T if turned else rows))
    assert len(camera.channels) == 2
    np.testing.assert_allclose(camera.at([425, 600]), AT_425_600, rtol=1e-14)
    assert ("micrometres" in camera.remark_on(2)) == (unit == 1000)


@pytest.mark.parametrize("row", [[0.25, 0.3, 0.9, 1, 1.1], [100, 2000, 65535, 65536, 70000]])
def test_numbers_that_may_be_wavelengths_or_a_channel_are_refused(tmp_path, row):
    for suffix in (".mat", ".npy", ".csv"):
        path = save(tmp_path / f"cam{suffix}", np.array([row, [5, 4, 3, 2, 1]], float))
        with pytest.raises(HsbenchError, match=r"cam\.\w+: the first row rises from .* cannot be told; write a CSV"):
            read_response(path)


def test_counts_that_rise_are_a_channel(tmp_path):
    path = save(tmp_path / "cam.npy", np.array([[1, 2, 3, 4, 5], [5, 4, 3, 2, 1]]))
    np.testing.assert_allclose(read_response(path).at([np.nan] * 5)[0], np.arange(1, 6) / 15)


def test_a_matrix_is_turned_where_its_rows_alone_are_the_bands(tmp_path):
    table = np.vstack([SEEN, [3, 1, 4, 1, 5]])
    table[:, 3] = 0  # a band that no channel sees is no reason to refuse
    camera = read_response(save(tmp_path / "cam.mat", table.T))
    np.testing.assert_allclose(camera.at([np.nan] * 5), table / table.sum(axis=1, keepdims=True), rtol=1e-14)
    assert "is [5, 3], and the image has 5 bands: it was turned to [msi_bands, bands] = [3, 5]" in camera.remark_on(5)
    as_it_is = read_response(save(tmp_path / "same.mat", table))
    np.testing.assert_array_equal(as_it_is.at([np.nan] * 5), camera.at([np.nan] * 5))
    assert as_it_is.remark_on(5) == ""
    with pytest.raises(UsageError, match=r"5 x 3 \[msi_bands, bands\], but the image has 4 bands"):
        camera.at([np.nan] * 4)
    square = read_response(save(tmp_path / "square.npy", np.array([[1, 3], [1, 1.0]])))
    np.testing.assert_allclose(square.at([np.nan] * 2), [[0.25, 0.75], [0.5, 0.5]])
    assert square.remark_on(2) == ""


def test_a_row_that_sees_nothing_is_refused_once_the_bands_are_known(tmp_path):
    camera = read_response(save(tmp_path / "cam.npy", np.array([[1, 2, 3], [0, 0, 0.0]])))
    with pytest.raises(UsageError, match=r"channel 2 .* sees none of the bands"):
        camera.at([400, 500, 600])


@pytest.mark.parametrize("suffix", [".mat", ".npz"])
def test_of_several_matrices_one_is_asked_for(tmp_path, suffix):
    path = tmp_path / f"cams{suffix}"
    held = {"one": SEEN[:, ::-1], "two": SEEN.T, "nm": np.array(NM), "fwhm": np.array([5.1, 5.2, 5.3, 5.4, 5.5])}
    if suffix == ".mat":
        savemat(path, held)
    else:
        np.savez(path, **held)
    with pytest.raises(UsageError, match=rf"as in cams\{suffix}:one\. The file holds one \[2, 5\], two \[5, 2\], nm"):
        load_response(str(path))
    camera = load_response(f"{path}:two")
    np.testing.assert_allclose(camera.at([425, 600]), AT_425_600, rtol=1e-14)
    assert "two is [5, 2], a row for each of 5 wavelengths: it was turned" in camera.remark_on(2)
    np.testing.assert_allclose(load_response(f"{path}:one").at([575, 400]), [[0.5 / 4.5, 4 / 4.5], [1, 0]], rtol=1e-14)
    with pytest.raises(HsbenchError, match="has no array 'three'; it holds one"):
        load_response(f"{path}:three")


def test_wavelengths_that_do_not_fit_are_refused_with_both_shapes(tmp_path):
    savemat(tmp_path / "cam.mat", {"R": SEEN, "nm": NM[:4]})
    with pytest.raises(HsbenchError, match=r"R is \[2, 5\], but of wavelengths nm has 4: neither side"):
        read_response(tmp_path / "cam.mat")
    savemat(tmp_path / "both.mat", {"R": np.vstack([NM, SEEN]), "nm": np.array(NM) + 1})
    with pytest.raises(HsbenchError, match="R begins with wavelengths, but nm has others"):
        read_response(tmp_path / "both.mat")


def test_keys_are_for_files_that_have_names(tmp_path):
    for name in ("cam.npy", "cam.csv"):
        path = save(tmp_path / name, SEEN)
        with pytest.raises(UsageError, match="leave out :R"):
            load_response(f"{path}:R")


def test_nothing_is_unpickled(tmp_path):
    np.save(tmp_path / "cam.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(HsbenchError, match=r"cam\.npy cannot be read"):
        read_response(tmp_path / "cam.npy")


@pytest.mark.parametrize("text", ["nm red blue\n400 0 4\n500 1 2\n600\t3 0\n", "nm, red, blue\n400, 0, 4\n600, 3, 0\n"])
def test_a_text_is_split_at_spaces_or_commas(tmp_path, text):
    (tmp_path / "cam.txt").write_text("% measured\n" + text)
    camera = read_response(tmp_path / "cam.txt")
    assert camera.channels == ("red", "blue")
    np.testing.assert_allclose(camera.at([400, 600]), [[0, 1], [1, 0]])


def test_a_csv_of_a_response_reads_back_exactly(tmp_path):
    back = tmp_path / "back.csv"
    for name in ("A", "B"):
        back.write_text(response_csv(load_response(name)))
        np.testing.assert_array_equal(read_response(back).at(WAVELENGTHS), response(name))
        assert read_response(back).channels == ("red", "green", "blue")
    numbers = np.vstack([NM, np.random.default_rng(0).random((2, 5)) / 3])
    # a head of counts, or a row 400, 1000, 2000, would be read as wavelengths
    numbers[1:, 0] = 1000, 2000
    own = read_response(save(tmp_path / "own.npy", numbers))
    back.write_text(response_csv(own))
    assert read_response(back).values == own.values == tuple(map(tuple, numbers[1:].tolist()))
    assert read_response(back).wavelengths == tuple(NM)
    assert read_response(back).channels == ("band 1", "band 2")
    bare = read_response(save(tmp_path / "bare.npy", SEEN / 3))
    back.write_text(response_csv(bare))
    assert read_response(back).values == bare.values
    with pytest.raises(UsageError, match="ikonos is a model"):
        response_csv(load_response("ikonos"))
