"""Fused images in files that others read: what rasterio and spectral find in them, and what our own reader does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner, Result
from scipy import io

from hsfusion_bench.cli import main
from hsfusion_bench.files import replacing
from hsfusion_bench.formats.arrays import open_arrays
from hsfusion_bench.formats.georeference import read_georeference
from hsfusion_bench.formats.writing import Image, files_written, write_image

rasterio = pytest.importorskip("rasterio")
spectral = pytest.importorskip("spectral")

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

RANDOM = np.random.default_rng(0)
LR_HSI = RANDOM.random((6, 16, 24), np.float32)
HR_MSI = RANDOM.random((2, 64, 96), np.float32)
NM = (400.0, 450.5, 500.25, 612.3456, 700.0, 1000 / 3)
#: A square pixel of 30 m, and one of which north is not up.
NORTH_UP = rasterio.Affine(30, 0, 500000, 0, -30, 4000020)
TURNED = rasterio.Affine(20, 10, 500000, 10, -20, 4000020)
METHOD = """
import numpy as np

def repeat(observation):
    return observation.lr_hsi.repeat(observation.scale, axis=1).repeat(observation.scale, axis=2)

def over(observation):
    return 2 * repeat(observation) - 0.5
"""


def write_pair(folder: Path, kind: str, transform: Any = NORTH_UP, epsg: int = 32632, **more: Any) -> tuple[Path, Path]:
    """Write a pair whose MSI lies on the ground, the MSI by rasterio, the HSI by spectral."""
    (folder / "mine.py").write_text(METHOD)
    hsi, msi = folder / "hsi.hdr", folder / ("msi.hdr" if kind == "ENVI" else "msi.tif")
    header = {"wavelength": list(NM), "wavelength units": "Nanometers"}
    spectral.io.envi.save_image(str(hsi), LR_HSI.transpose(1, 2, 0), metadata=header, interleave="bil")
    raster = msi.with_suffix(".img") if kind == "ENVI" else msi
    shape = {"count": 2, "height": 64, "width": 96, "dtype": "float32"}
    driver = "ENVI" if kind == "ENVI" else "GTiff"
    crs = rasterio.CRS.from_epsg(epsg)
    with rasterio.open(raster, "w", driver=driver, crs=crs, transform=transform, **shape, **more) as file:
        file.write(HR_MSI)
    return hsi, msi


def fuse(folder: Path, *words: object, method: str = "repeat") -> Result:
    done = CliRunner().invoke(main, ["fuse", f"{folder / 'mine.py'}:{method}", *map(str, words)])
    assert "Traceback" not in done.stderr
    return done


def said(done: Result) -> str:
    return " ".join(done.stderr.split())


def raster_of(path: Path) -> Path:
    return files_written(path)[-1]


@pytest.mark.parametrize("transform", [NORTH_UP, TURNED], ids=["north up", "turned"])
@pytest.mark.parametrize("kind", ["ENVI", "GeoTIFF"])
@pytest.mark.parametrize("out", ["out.hdr", "out.bil", "out.bip", "out.bsq", "out.img", "out.tif"])
def test_whoever_reads_it_finds_cube_wavelengths_and_place(tmp_path: Path, kind: str, out: str, transform: Any) -> None:
    hsi, msi = write_pair(tmp_path, kind, transform)
    done = fuse(tmp_path, hsi, msi, tmp_path / out)
    assert done.exit_code == 0, done.stderr
    assert "note" not in said(done)
    expected = LR_HSI.repeat(4, axis=1).repeat(4, axis=2)
    with rasterio.open(msi.with_suffix(".img") if kind == "ENVI" else msi) as source:
        place, crs = source.transform, source.crs
    with rasterio.open(raster_of(tmp_path / out)) as read:
        np.testing.assert_array_equal(read.read(), expected)
        assert read.dtypes == ("float32",) * 6
        assert read.transform.almost_equals(place, 1e-6)
        assert read.crs == crs
        assert [float(read.tags(band)["wavelength"]) for band in range(1, 7)] == list(NM)
        assert {read.tags(band)["wavelength_units"].lower() for band in range(1, 7)} == {"nanometers"}
    ours = tmp_path / out if out.endswith("tif") else tmp_path / "out.hdr"
    with open_arrays(ours) as arrays:
        (array,) = arrays.values()
        assert array.wavelengths == pytest.approx(NM, abs=1e-9)
        values = array.read((slice(None),) * 3).transpose([array.axes.index(letter) for letter in "CHW"])
        np.testing.assert_array_equal(values, expected)
    if ours.suffix == ".hdr":
        opened = spectral.open_image(str(ours))
        np.testing.assert_array_equal(np.asarray(opened.load()), expected.transpose(1, 2, 0))
        assert opened.bands.centers == list(NM)


@pytest.mark.parametrize("kind", ["ENVI", "GeoTIFF"])
@pytest.mark.parametrize("out", ["out.hdr", "out.tif"])
def test_what_is_cut_off_moves_the_origin(tmp_path: Path, kind: str, out: str) -> None:
    hsi, msi = write_pair(tmp_path, kind)
    done = fuse(tmp_path, hsi, msi, tmp_path / out, "--shift", "2,-3")
    assert done.exit_code == 0, done.stderr
    assert "corrected by 2.00 rows and -3.00 columns; the result has rows 2 to 61 and columns 1 to 92" in said(done)
    with rasterio.open(raster_of(tmp_path / out)) as read:
        assert read.shape == (60, 92)
        # the pixel at row 2, column 1
        assert read.transform.almost_equals(rasterio.Affine(30, 0, 500030, 0, -30, 3999960), 1e-6)
        assert read.crs.to_epsg() == 32632
        expected = LR_HSI[:, :15, 1:].repeat(4, axis=1).repeat(4, axis=2)
        np.testing.assert_array_equal(read.read(), expected)


def test_the_file_says_what_was_done_to_the_pair(tmp_path: Path) -> None:
    hsi, msi = write_pair(tmp_path, "GeoTIFF")
    text = "repeat at x4; pair corrected by 2.00 rows and -3.00 columns of the MSI, of which it begins at "
    text += "row 2 and column 1"
    for out in ("out.hdr", "out.tif", "out.mat"):
        assert fuse(tmp_path, hsi, msi, tmp_path / out, "--shift", "2,-3").exit_code == 0
    assert spectral.io.envi.read_envi_header(str(tmp_path / "out.hdr"))["description"] == text
    with rasterio.open(tmp_path / "out.tif") as read:
        assert read.tags()["TIFFTAG_IMAGEDESCRIPTION"] == text
    found = io.loadmat(tmp_path / "out.mat")
    assert found["shift"].tolist() == [[2, -3]]
    assert found["origin"].tolist() == [[2, 1]]
    assert found["wavelengths"][0].tolist() == list(NM)


def test_an_envi_map_info_is_kept_word_for_word(tmp_path: Path) -> None:
    """A header of another program, whose projection no library of ours knows."""
    hsi, _ = write_pair(tmp_path, "ENVI")
    header = tmp_path / "msi.hdr"
    text = header.read_text()
    start = text.index("map info")
    words = "map info = {Own Grid,  1.5, 1.5, 12.25, -7.125,\n 0.5, 0.5, units=Meters, rotation=12.5}"
    header.write_text(text[:start] + words + "\nprojection info = {9, 6378137.0, Own, units=Meters}\n")
    assert fuse(tmp_path, hsi, header, tmp_path / "out.hdr", "--shift", "2,-3").exit_code == 0
    found = (tmp_path / "out.hdr").read_text().splitlines()
    assert "map info = {Own Grid, 0.5, -0.5, 12.25, -7.125, 0.5, 0.5, units=Meters, rotation=12.5}" in found
    assert "projection info = {9, 6378137.0, Own, units=Meters}" in found


@pytest.mark.parametrize("out", ["out.hdr", "out.tif"])
def test_ground_control_points(tmp_path: Path, out: str) -> None:
    points = [
        rasterio.control.GroundControlPoint(row, col, 10 + col, 50 - row) for row, col in ((0, 0), (5, 9), (9, 3))
    ]
    hsi, msi = write_pair(tmp_path, "GeoTIFF", rasterio.Affine.identity())
    with rasterio.open(msi, "r+") as file:
        file.gcps = (points, rasterio.CRS.from_epsg(4326))
    done = fuse(tmp_path, hsi, msi, tmp_path / out, "--shift", "4,0")
    assert done.exit_code == 0, done.stderr
    if out == "out.hdr":
        assert "does not keep the MSI's ground control points" in said(done)
        return
    with rasterio.open(tmp_path / out) as read:
        assert [(each.row, each.col, each.x, each.y) for each in read.gcps[0]] == [
            (each.row - 4, each.col, each.x, each.y) for each in points
        ]


@pytest.mark.parametrize("out", ["out.hdr", "out.tif"])
def test_rpcs(tmp_path: Path, out: str) -> None:
    hsi, msi = write_pair(tmp_path, "GeoTIFF", rasterio.Affine.identity())
    ones = [1.0] + [0.0] * 19
    rpcs = rasterio.rpc.RPC(1, 1, 50, 1, ones, ones, 20, 30, 10, 1, ones, ones, 40, 50, 0.0, 0.0)
    with rasterio.open(msi, "r+") as file:
        file.rpcs = rpcs
    done = fuse(tmp_path, hsi, msi, tmp_path / out, "--shift", "4,-8")
    assert done.exit_code == 0, done.stderr
    if out == "out.hdr":
        assert "does not keep the MSI's RPCs" in said(done)
        return
    with rasterio.open(tmp_path / out) as read:
        assert (read.rpcs.line_off, read.rpcs.samp_off) == (rpcs.line_off - 4, rpcs.samp_off)


@pytest.mark.parametrize(("kind", "out"), [("ENVI", "out.tif"), ("GeoTIFF", "out.hdr")])
def test_without_rasterio_a_georeference_is_not_translated_and_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, out: str
) -> None:
    hsi, msi = write_pair(tmp_path, kind)
    monkeypatch.setitem(sys.modules, "rasterio", None)
    done = fuse(tmp_path, hsi, msi, tmp_path / out)
    assert done.exit_code == 0, done.stderr
    assert "out.tif has no georeference" in said(done) or "out.hdr has no georeference" in said(done)
    assert "pip install 'hsfusion-bench[geo]'" in said(done)
    assert read_georeference(tmp_path / out) is None


@pytest.mark.parametrize(("kind", "out"), [("ENVI", "out.hdr"), ("GeoTIFF", "out.tif")])
def test_within_a_kind_rasterio_is_not_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, out: str
) -> None:
    hsi, msi = write_pair(tmp_path, kind)
    with monkeypatch.context() as context:
        context.setitem(sys.modules, "rasterio", None)
        done = fuse(tmp_path, hsi, msi, tmp_path / out)
    assert "note" not in said(done)
    with rasterio.open(raster_of(tmp_path / out)) as read:
        assert read.transform == NORTH_UP
        assert read.crs.to_epsg() == 32632


def test_what_envi_cannot_say_is_left_out_with_a_word(tmp_path: Path) -> None:
    hsi, msi = write_pair(tmp_path, "GeoTIFF", rasterio.Affine(20, 3, 500000, 10, -20, 4000020))
    done = fuse(tmp_path, hsi, msi, tmp_path / "out.hdr")
    assert done.exit_code == 0, done.stderr
    assert "out.hdr has no georeference: a file of kind ENVI cannot say the same of it" in said(done)


@pytest.mark.parametrize("out", ["out.npy", "out.mat"])
def test_files_that_keep_no_georeference_say_so(tmp_path: Path, out: str) -> None:
    hsi, msi = write_pair(tmp_path, "GeoTIFF")
    done = fuse(tmp_path, hsi, msi, tmp_path / out)
    assert done.exit_code == 0
    lost = "the MSI's georeference" + " and the wavelengths" * (out == "out.npy")
    assert f"{out} does not keep {lost}; name the result .hdr or .tif" in said(done)


def write_bright_pair(folder: Path, kind: str, *, stated: bool = True) -> tuple[Path, Path, np.ndarray]:
    """Write a pair of counts whose HSI says that 10000 is a reflectance of 1 and goes to 1.4; return that, too."""
    reflectance = np.rint(14000 * LR_HSI.astype(float)) / 10000
    hsi, msi = folder / f"bright.{'tif' if kind == 'GeoTIFF' else 'hdr'}", folder / "msi.tif"
    counts = np.rint(10000 * reflectance).astype(np.uint16)
    place = {"height": counts.shape[1], "width": counts.shape[2], "count": len(counts), "dtype": "uint16"}
    if kind == "GeoTIFF":
        with rasterio.open(hsi, "w", driver="GTiff", **place) as file:
            file.write(counts)
            if stated:
                file.scales = [1e-4] * len(counts)
    else:
        header = {"reflectance scale factor": 10000}
        spectral.envi.save_image(str(hsi), counts.transpose(1, 2, 0), metadata=header, force=True)
    tifffile.imwrite(msi, HR_MSI, photometric="minisblack", planarconfig="separate")
    (folder / "mine.py").write_text(METHOD)
    return hsi, msi, reflectance.repeat(4, axis=1).repeat(4, axis=2)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("out", ["out.hdr", "out.tif"])
@pytest.mark.parametrize(("kind", "const"), [("GeoTIFF", 1.5), ("ENVI", 15000)])
def test_reflectance_stays_reflectance_whatever_the_full_scale(
    tmp_path: Path, kind: str, const: float, out: str, dtype: str
) -> None:
    hsi, msi, reflectance = write_bright_pair(tmp_path, kind)
    refused = fuse(tmp_path, hsi, msi, tmp_path / out, "--msi-const", 1)
    assert refused.exit_code == 1
    assert "--const states the full scale" in said(refused)
    words = ("--const", const, "--msi-const", 1, "--dtype", dtype, "--counts", 20000)
    done = fuse(tmp_path, hsi, msi, tmp_path / out, *words)
    assert done.exit_code == 0, done.stderr
    with rasterio.open(raster_of(tmp_path / out)) as read:
        stored = read.read().astype(float)
        scale = read.scales[0]
    if out == "out.hdr":
        scale = 1 / float(spectral.open_image(str(tmp_path / out)).metadata["reflectance scale factor"])
    assert scale == pytest.approx(1.5 / 20000)
    assert np.abs(stored * scale - reflectance).max() <= 0.5001 * scale


def test_of_numbers_without_a_unit_it_is_said_what_1_is(tmp_path: Path) -> None:
    hsi, msi, reflectance = write_bright_pair(tmp_path, "GeoTIFF", stated=False)
    words = (hsi, msi, tmp_path / "out.tif", "--const", 20000, "--msi-const", 1, "--dtype", "uint16")
    done = fuse(tmp_path, *words, "--counts", 10000)
    assert "states that its 10000 are 1, the full scale, which the HSI's numbers have at 20000" in said(done)
    assert "the full scale, which" not in said(fuse(tmp_path, *words))
    assert np.abs(tifffile.imread(tmp_path / "out.tif") - 10000 * reflectance).max() <= 0.5001


@pytest.mark.parametrize("out", ["out.hdr", "out.tif"])
def test_whole_numbers_state_their_full_scale(tmp_path: Path, out: str) -> None:
    hsi, msi = write_pair(tmp_path, "GeoTIFF")
    done = fuse(tmp_path, hsi, msi, tmp_path / out, "--dtype", "uint16", "--counts", 10000)
    assert done.exit_code == 0, done.stderr
    expected = LR_HSI.repeat(4, axis=1).repeat(4, axis=2)
    with rasterio.open(raster_of(tmp_path / out)) as read:
        assert read.dtypes == ("uint16",) * 6
        assert np.abs(read.read() / 10000 - expected).max() <= 0.5001 / 10000
        if out == "out.tif":
            assert (read.scales, read.offsets) == ((1e-4,) * 6, (0.0,) * 6)
    if out == "out.hdr":
        opened = spectral.open_image(str(tmp_path / out))
        assert np.abs(np.asarray(opened.load()).transpose(2, 0, 1) - expected).max() <= 0.5001 / 10000


def test_whole_numbers_that_do_not_fit_are_told(tmp_path: Path) -> None:
    hsi, msi = write_pair(tmp_path, "GeoTIFF")
    words = (hsi, msi, tmp_path / "out.tif", "--dtype", "uint16")
    done = fuse(tmp_path, *words, "--counts", 60000, method="over")
    over = 2 * LR_HSI.astype(float) - 0.5
    number = 16 * np.count_nonzero((over * 60000 < -0.5) | (over * 60000 > 65535.5))
    assert f"note: {number} of 36864 values were below 0 or above 65535, and were clipped" in said(done)
    assert "state the full scale, such as --counts 10000" in said(fuse(tmp_path, *words))
    refused = fuse(tmp_path, hsi, msi, tmp_path / "out.mat", "--dtype", "uint16", "--counts", 255)
    assert refused.exit_code == 2
    assert "uint16 is for files that state what 1 is: ENVI and GeoTIFF" in said(refused)


def test_another_raster_beside_a_header_is_not_left_there_in_silence(tmp_path: Path) -> None:
    hsi, msi = write_pair(tmp_path, "GeoTIFF")
    (tmp_path / "out.dat").write_bytes(b"something")
    done = fuse(tmp_path, hsi, msi, tmp_path / "out.hdr")
    assert done.exit_code == 1
    assert "out.dat beside it would be taken for the raster of out.hdr, too" in said(done)
    assert not (tmp_path / "out.hdr").exists()


@pytest.mark.parametrize("out", ["msi.img", "msi.hdr", "msi.bil", "hsi.img"])
def test_no_image_of_the_pair_is_written_over(tmp_path: Path, out: str) -> None:
    hsi, msi = write_pair(tmp_path, "ENVI")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert fuse(tmp_path, hsi, msi, tmp_path / out).exit_code in (1, 2)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_header_and_raster_are_written_both_or_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image(LR_HSI, NM)
    write_image(tmp_path / "a.hdr", image)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def broken(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", broken)
    with pytest.raises(Exception, match="No space left on device"):
        write_image(tmp_path / "a.hdr", Image(1 - LR_HSI, NM))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_one_band(tmp_path: Path) -> None:
    for out in ("a.tif", "a.hdr"):
        write_image(tmp_path / out, Image(LR_HSI[:1], NM[:1]))
        with rasterio.open(raster_of(tmp_path / out)) as read:
            np.testing.assert_array_equal(read.read(), LR_HSI[:1])
    assert tifffile.imread(tmp_path / "a.tif").shape == (16, 24)
    with replacing(tmp_path / "b"):
        pass


def test_the_raster_of_an_input_is_never_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the header of a pair's image is called: here x.img.hdr, as GDAL names it."""
    monkeypatch.chdir(tmp_path)
    low, high = np.full((8, 8, 5), 0.5, "<f4"), np.full((32, 32, 3), 0.5, "<f4")
    for name, image in (("hs", low), ("ms", high)):
        height, width, bands = image.shape
        Path(f"{name}.img").write_bytes(image.tobytes())
        Path(f"{name}.img.hdr").write_text(
            f"ENVI\nsamples = {width}\nlines = {height}\nbands = {bands}\ndata type = 4\ninterleave = bip\n"
            "byte order = 0\nheader offset = 0\n"
        )
    before = Path("ms.img").read_bytes()
    for named in ("ms.img.hdr", "ms.img"):
        done = CliRunner().invoke(main, ["fuse", "bicubic", "hs.img.hdr", named, "ms.img"])
        assert done.exit_code == 2, done.output
        assert "ms.img is an image of the pair" in done.output
    assert Path("ms.img").read_bytes() == before
