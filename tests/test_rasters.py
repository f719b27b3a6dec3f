"""ENVI and GeoTIFF: every interleave and planar configuration gives the cube, with the header's wavelengths."""

import logging
import sys

import numpy as np
import pytest
import tifffile

from hsfusion_bench.data.catalog import open_dataset
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.arrays import open_arrays
from hsfusion_bench.formats.cubes import axes_of, find_cube, read_cube
from hsfusion_bench.runs.predictions import Cubes

CUBE = np.random.default_rng(3).random((5, 20, 24)).astype(np.float32)
WAVELENGTHS = (400.5, 500, 600, 700, 800)
ORDERS = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}


def envi(folder, interleave, unit="Nanometers", factor=1.0):
    """Write an ENVI raster by hand, as ENVI's help describes it."""
    (folder / "cube.img").write_bytes(CUBE.transpose(ORDERS[interleave]).astype("<f4").tobytes())
    centres = ", ".join(str(nm * factor) for nm in WAVELENGTHS)
    (folder / "cube.hdr").write_text(
        "ENVI\nsamples = 24\nlines = 20\nbands = 5\nheader offset = 0\nfile type = ENVI Standard\ndata type = 4\n"
        f"interleave = {interleave}\nbyte order = 0\nwavelength units = {unit}\nwavelength = {{{centres}}}\n"
    )
    return folder / "cube.hdr"


@pytest.mark.parametrize("interleave", ORDERS)
@pytest.mark.parametrize(("unit", "factor"), [("Nanometers", 1), ("Micrometers", 1e-3), ("Angstroms", 10)])
def test_envi(tmp_path, interleave, unit, factor):
    pytest.importorskip("spectral")
    source = open_dataset(f"mat:{envi(tmp_path, interleave, unit, factor)}")
    np.testing.assert_array_equal(source.read("cube"), CUBE)
    assert source.wavelengths == WAVELENGTHS


def test_envi_in_a_description(tmp_path):
    pytest.importorskip("spectral")
    envi(tmp_path, "bil")
    path = tmp_path / "mine.toml"
    path.write_text('title = "m"\nfile = "cube.hdr"\nbands = 5\ndropped = [1]\nconst = "maximum"')
    source = open_dataset(str(path))
    assert source.wavelengths == WAVELENGTHS[1:]
    np.testing.assert_array_equal(source.read("mine"), (CUBE[1:] / np.float64(CUBE[1:].max())).astype(np.float32))


def test_an_envi_header_alone_is_named(tmp_path):
    pytest.importorskip("spectral")
    path = envi(tmp_path, "bsq")
    (tmp_path / "cube.img").unlink()
    with (
        pytest.raises(HsbenchError, match=r"cube\.hdr: its raster is not beside it; .*\.img.*: put it there"),
        open_arrays(path),
    ):
        pass


def opened(path, key=""):
    with open_arrays(path) as arrays:
        array = find_cube(arrays, path, [key] if key else [])
        return read_cube(array, axes_of(array))


def spectrals(folder, cube, **options):
    """Write a cube [bands, H, W] by the library spectral."""
    envi_of = pytest.importorskip("spectral").io.envi
    envi_of.save_image(str(folder / "cube.hdr"), cube.transpose(1, 2, 0), ext="img", **options)
    return folder / "cube.hdr"


@pytest.mark.parametrize("interleave", ORDERS)
@pytest.mark.parametrize(("dtype", "byteorder"), [("float32", 0), ("uint16", 1), ("float64", 1), ("uint8", 0)])
# by their sizes, the first are [bands, H, W] to anybody, and nobody can tell of the last
@pytest.mark.parametrize("shape", [(32, 40, 32), (6, 6, 6), (31, 8, 7), (189, 25, 10)])
def test_the_axes_of_envi_are_those_of_its_header(tmp_path, interleave, dtype, byteorder, shape):
    cube = np.random.default_rng(1).integers(0, 250, shape).astype(dtype)
    path = spectrals(tmp_path, cube, interleave=interleave, dtype=dtype, byteorder=byteorder)
    np.testing.assert_array_equal(opened(path), cube)


@pytest.mark.parametrize("ending", [".img", ".dat", ".bsq", ".bil", ".bip", ".raw", ".lan", ".cube", ".RAW", ""])
@pytest.mark.parametrize("header", ["cube.hdr", "cube{}.hdr", "cube.HDR"])
def test_a_raster_that_is_named_itself_is_read_by_its_header(tmp_path, ending, header):
    pytest.importorskip("spectral")
    envi(tmp_path, "bil")
    (tmp_path / "cube.img").rename(tmp_path / f"cube{ending}")
    path = (tmp_path / "cube.hdr").rename(tmp_path / header.format(ending))
    for named in (tmp_path / f"cube{ending}", path):
        source = open_dataset(f"mat:{named}")
        np.testing.assert_array_equal(source.read(named.stem), CUBE)
        assert source.wavelengths == WAVELENGTHS


def test_of_two_rasters_the_one_that_is_named_is_read(tmp_path):
    pytest.importorskip("spectral")
    path = envi(tmp_path, "bil")
    (tmp_path / "cube.dat").write_bytes((CUBE / 2).transpose(ORDERS["bil"]).astype("<f4").tobytes())
    np.testing.assert_array_equal(opened(tmp_path / "cube.dat"), CUBE / 2)
    np.testing.assert_array_equal(opened(tmp_path / "cube.img"), CUBE)
    with pytest.raises(HsbenchError, match=r"cube\.dat and cube\.img may both be its raster"):
        opened(path)


def test_a_description_may_not_contradict_an_envi_header(tmp_path):
    cube = np.random.default_rng(1).random((32, 40, 32)).astype(np.float32)
    spectrals(tmp_path, cube)
    path = tmp_path / "mine.toml"
    path.write_text('title = "m"\nfile = "cube.hdr"\nconst = 1')
    np.testing.assert_array_equal(open_dataset(str(path)).read("mine"), cube)
    np.testing.assert_array_equal(open_dataset(f"mat:{tmp_path}/cube.hdr").read("cube"), cube)
    path.write_text('title = "m"\nfile = "cube.hdr"\nlayout = "CHW"\nconst = 1')
    with pytest.raises(
        HsbenchError, match=r"cube\.hdr: the file states that its axes are HWC, \[40, 32, 32\], .*leave it out"
    ):
        open_dataset(str(path))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (1, r"cube\.hdr states 9600 bytes, .*20 lines x 24 samples x 5 bands x 4 bytes .*, but cube\.img has 9601 b"),
        (1000, r"cube\.img has 10600 bytes; .*1000 bytes more .*header offset = 1000"),
        (-1, r"cube\.img has 9599 bytes; correct the header, or get the raster again"),
    ],
)
def test_a_raster_of_another_length_than_its_header_states_is_refused(tmp_path, more, said):
    path = spectrals(tmp_path, CUBE)
    content = (tmp_path / "cube.img").read_bytes()
    (tmp_path / "cube.img").write_bytes(bytes(max(more, 0)) + content[: len(content) + min(more, 0)])
    with pytest.raises(HsbenchError, match=said):
        opened(path)


def test_an_offset_that_the_header_states_is_passed_over(tmp_path):
    path = spectrals(tmp_path, CUBE)
    (tmp_path / "cube.img").write_bytes(bytes(1001) + (tmp_path / "cube.img").read_bytes())
    path.write_text(path.read_text().replace("header offset = 0", "header offset = 1001"))
    np.testing.assert_array_equal(opened(path), CUBE)


def test_of_two_rasters_the_one_of_the_right_length_is_taken(tmp_path):
    path = spectrals(tmp_path, CUBE)
    (tmp_path / "cube.dat").write_bytes(b"something else")
    np.testing.assert_array_equal(opened(path), CUBE)
    (tmp_path / "cube.dat").write_bytes((tmp_path / "cube.img").read_bytes())
    with pytest.raises(HsbenchError, match=r"cube\.dat and cube\.img may both be its raster"):
        opened(path)


@pytest.mark.skipif(sys.byteorder != "little", reason="writes little-endian numbers")
def test_without_a_byte_order_that_of_the_machine_is_taken_and_said(tmp_path, caplog):
    path = spectrals(tmp_path, CUBE, byteorder=0)
    path.write_text(path.read_text().replace("byte order = 0\n", ""))
    with caplog.at_level(logging.WARNING, "hsfusion_bench"):
        np.testing.assert_array_equal(opened(path), CUBE)
        opened(path)
    [record] = caplog.records
    assert "cube.hdr has no 'byte order': that of this machine is taken" in record.getMessage()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"ENVI\n", b"\xef\xbb\xbfENVI\n"),
        (b"ENVI\n", b"ENVI\nsensor type = Kamera 5 \xb5m\n"),
        (b"samples =", b"Samples  ="),
        (b"interleave = bsq", b"interleave = BSQ"),
        (b"header offset = 0\n", b""),
        (b"wavelength units = Nanometers", b"wavelength units = Wavenumber"),
    ],
)
def test_unusual_headers_are_read(tmp_path, old, new):
    pytest.importorskip("spectral")
    path = envi(tmp_path, "bsq")
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    np.testing.assert_array_equal(opened(path), CUBE)
    with open_arrays(path) as arrays:
        expected = [1e7 / number for number in WAVELENGTHS] if b"Wavenumber" in new else WAVELENGTHS
        np.testing.assert_allclose(arrays[""].wavelengths, expected, rtol=1e-9)


def test_micrometres_by_their_sign(tmp_path):
    pytest.importorskip("spectral")
    path = envi(tmp_path, "bsq", "\u00b5m", 1e-3)
    for encoding in ("utf-8", "latin-1"):
        path.write_bytes(path.read_text().encode(encoding))
        with open_arrays(path) as arrays:
            assert arrays[""].wavelengths == WAVELENGTHS
        path = envi(tmp_path, "bsq", "\u00b5m", 1e-3)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ENVI\n", "BYTEORDER I\n", "is no ENVI header: its first line is not ENVI"),
        ("ENVI Standard", "ENVI Spectral Library", "file type = ENVI Spectral Library: it holds spectra"),
        ("lines = 20\n", "", "has no 'lines', which an ENVI header must state; add it"),
        ("lines = 20", "lines = twenty", "lines = twenty: a whole number from 1 is needed"),
        ("bands = 5", "bands = 0", "bands = 0: a whole number from 1 is needed"),
        ("header offset = 0", "header offset = -8", "header offset = -8: a whole number from 0"),
        ("data type = 4", "data type = 7", "data type = 7 is none that ENVI has"),
        ("data type = 4\n", "", "has no 'data type'"),
        ("interleave = bsq", "interleave = tiled", r"interleave = tiled is none that ENVI has \(bsq, bil, bip\)"),
        ("byte order = 0", "byte order = 2", r"byte order = 2 is none that ENVI has \(0, 1\)"),
        ("byte order = 0", "file compression = 1", "file compression = 1: save the raster uncompressed"),
        ("byte order = 0", "major frame offsets = {4, 4}", "major frame offsets are not read"),
        ("800.0}", "800.0", "a list in braces has no end"),
        (", 800.0}", "}", "'wavelength' has 4 numbers, but bands = 5"),
        (", 800.0}", ", red}", "'wavelength' has something that is no number"),
    ],
)
def test_a_header_that_is_wrong_is_named_with_its_key(tmp_path, old, new, said):
    pytest.importorskip("spectral")
    path = envi(tmp_path, "bsq")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(HsbenchError, match=rf"cube\.hdr:? {said}"):
        opened(path)


def test_envi_without_its_library_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "spectral.io", None)
    with pytest.raises(HsbenchError, match=r"cube\.hdr: .* spectral: pip install 'hsfusion-bench\[remote\]'"):
        open_dataset(f"mat:{envi(tmp_path, 'bsq')}")


def gdal_metadata(unit):
    items = "".join(f'<Item name="wavelength" sample="{band}">{nm}</Item>' for band, nm in enumerate(WAVELENGTHS))
    return f"<GDALMetadata>{items}<Item name='wavelength_units'>{unit}</Item></GDALMetadata>"


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
def test_geotiff(tmp_path, planar, compression):
    if compression == "lzw":
        pytest.importorskip("imagecodecs")
    path = tmp_path / "cube.tif"
    stored = CUBE if planar == "separate" else CUBE.transpose(1, 2, 0)
    text = gdal_metadata("Nanometers")
    tifffile.imwrite(
        path,
        stored,
        photometric="minisblack",
        planarconfig=planar,
        compression=compression,
        metadata=None,
        extratags=[(42112, "s", len(text) + 1, text, True)],
    )
    source = open_dataset(f"mat:{path}")
    np.testing.assert_array_equal(source.read("cube"), CUBE)
    assert source.wavelengths == WAVELENGTHS


@pytest.mark.parametrize(
    ("item", "factor", "expected"),
    [
        ("{} nm", 1, WAVELENGTHS),
        ("{} (um)", 1e-3, WAVELENGTHS),
        ("{}</Item><Item name='wavelength_units'>Angstroms", 10, WAVELENGTHS),
        ("{}</Item><Item name='wavelength_units'>Unknown", 1, ()),
        ("{}", 1, WAVELENGTHS),
    ],
)
def test_wavelengths_of_a_geotiff_in_any_unit(tmp_path, item, factor, expected):
    texts = (item.format(nm * factor) for nm in WAVELENGTHS)
    items = "".join(f'<Item name="WAVELENGTH" sample="{band}">{text}</Item>' for band, text in enumerate(texts))
    text = f"<GDALMetadata>{items}</GDALMetadata>"
    tags = [(42112, "s", len(text) + 1, text, True)]
    tifffile.imwrite(tmp_path / "x.tif", CUBE, photometric="minisblack", planarconfig="separate", extratags=tags)
    np.testing.assert_allclose(open_dataset(f"mat:{tmp_path}/x.tif").wavelengths, expected)


def test_geotiff_without_wavelengths(tmp_path):
    tifffile.imwrite(tmp_path / "cube.tif", CUBE.transpose(1, 2, 0), photometric="minisblack", planarconfig="contig")
    assert open_dataset(f"mat:{tmp_path}/cube.tif:").wavelengths == ()


def test_geotiff_without_its_library_says_how_to_get_it(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "cube.tif", CUBE[:4].transpose(1, 2, 0), photometric="minisblack", compression="zlib")

    def refuse(*_, **__):
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile, "imread", refuse)
    with pytest.raises(HsbenchError, match=r"cube\.tif: .* imagecodecs: pip install 'hsfusion-bench\[remote\]'"):
        open_dataset(f"mat:{tmp_path}/cube.tif").read("cube")


def test_a_truncated_tiff_is_named(tmp_path):
    path = tmp_path / "cube.tif"
    tifffile.imwrite(path, CUBE.transpose(1, 2, 0), photometric="minisblack", planarconfig="contig")
    path.write_bytes(path.read_bytes()[: 4 * CUBE.size // 2])
    with pytest.raises(HsbenchError, match=r"cube\.tif cannot be read as a TIFF file"):
        open_dataset(f"mat:{path}").read("cube")


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("tagged", [True, False])
@pytest.mark.parametrize("shape", [(32, 40, 32), (6, 6, 6), (31, 8, 7)])
def test_the_bands_of_a_tiff_are_its_samples(tmp_path, planar, tagged, shape):
    cube = np.random.default_rng(1).random(shape).astype(np.float32)
    stored = cube if planar == "separate" else cube.transpose(1, 2, 0)
    more = {} if tagged else {"metadata": None}
    tifffile.imwrite(tmp_path / "cube.tif", stored, photometric="minisblack", planarconfig=planar, **more)
    np.testing.assert_array_equal(opened(tmp_path / "cube.tif"), cube)


@pytest.mark.parametrize(
    "how",
    [{"metadata": None}, {"imagej": True}, {"metadata": {"axes": "CYX"}}, {"metadata": {"axes": "CYX"}, "ome": True}],
)
def test_the_bands_of_a_tiff_are_its_pages(tmp_path, how):
    cube = np.random.default_rng(1).random((32, 40, 32)).astype(np.float32)
    tifffile.imwrite(tmp_path / "cube.tif", cube, photometric="minisblack", **how)
    np.testing.assert_array_equal(opened(tmp_path / "cube.tif"), cube)


def test_axes_that_a_tiff_does_not_state_are_asked_for(tmp_path):
    # written without a word, the pages of [H, W, bands] are its rows
    tifffile.imwrite(tmp_path / "cube.tif", np.zeros((20, 24, 31), np.float32), photometric="minisblack")
    with pytest.raises(HsbenchError, match="say which in a TOML file"):
        opened(tmp_path / "cube.tif")


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_of_several_images_in_a_tiff_one_is_asked_for(tmp_path, compression):
    path, cubes = tmp_path / "cube.tif", {"series1": CUBE[:3], "series2": CUBE}
    with tifffile.TiffWriter(path) as file:
        for cube in cubes.values():
            file.write(cube, photometric="minisblack", planarconfig="separate", compression=compression)
    with pytest.raises(HsbenchError, match=r"cannot be told; .* series1 \[3, 20, 24\], series2 \[5, 20, 24\]"):
        open_dataset(f"mat:{path}")
    for key, cube in cubes.items():
        np.testing.assert_array_equal(open_dataset(f"mat:{path}:{key}").read("cube"), cube)


def test_smaller_copies_in_a_tiff_are_passed_over(tmp_path):
    path = tmp_path / "cube.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(CUBE, photometric="minisblack", planarconfig="separate", metadata=None)
        file.write(CUBE[:, ::2, ::2], photometric="minisblack", planarconfig="separate", subfiletype=1, metadata=None)
    np.testing.assert_array_equal(opened(path), CUBE)


def test_wavelengths_of_other_bands_are_refused(tmp_path):
    text = gdal_metadata("Nanometers")
    tags = [(42112, "s", len(text) + 1, text, True)]
    tifffile.imwrite(tmp_path / "cube.tif", CUBE[:4], photometric="minisblack", planarconfig="separate", extratags=tags)
    with pytest.raises(HsbenchError, match=r"cube\.tif: its metadata have 5 wavelengths for 4 bands"):
        opened(tmp_path / "cube.tif")


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_results_made_elsewhere_have_the_axes_that_their_file_states(tmp_path, planar):
    cube = np.random.default_rng(1).random((6, 6, 6))
    stored = cube if planar == "separate" else cube.transpose(1, 2, 0)
    tifffile.imwrite(tmp_path / "sr.tif", stored, photometric="minisblack", planarconfig=planar)
    with open_arrays(tmp_path / "sr.tif") as arrays:
        np.testing.assert_array_equal(Cubes(arrays[""], ("a",), cube.shape, None, 1.0)[0], cube)
        other = "CHW" if planar == "contig" else "HWC"
        with pytest.raises(HsbenchError, match=rf"not a cube of axes {other} \(the file states"):
            Cubes(arrays[""], ("a",), cube.shape, other, 1.0)
