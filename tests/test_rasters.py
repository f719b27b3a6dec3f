"""ENVI and GeoTIFF: every interleave and planar configuration gives the cube, with the header's wavelengths."""

import sys

import numpy as np
import pytest
import tifffile

from hsfusion_bench.data.catalog import open_dataset
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.arrays import open_arrays

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
@pytest.mark.parametrize(("unit", "factor"), [("Nanometers", 1), ("Micrometers", 1e-3), ("Unknown", 1)])
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
    with pytest.raises(HsbenchError, match=r"cube\.hdr cannot be read as a \.hdr file"), open_arrays(path):
        pass


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
    with pytest.raises(HsbenchError, match=r"cube\.tif cannot be read as a \.tif file"):
        open_dataset(f"mat:{path}").read("cube")
