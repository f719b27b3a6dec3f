"""Zarr, netCDF's classic format, and what GDAL knows: files that other libraries wrote give what was put into them."""

import json
import logging
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import netcdf_file

from hsfusion_bench.data.catalog import open_dataset
from hsfusion_bench.data.check import check_scenes
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats import gdal
from hsfusion_bench.formats.arrays import open_arrays
from hsfusion_bench.formats.cubes import axes_of, find_cube, read_cube
from hsfusion_bench.formats.geodata import files_of

CUBE = np.random.default_rng(3).random((5, 20, 24)).astype(np.float32)
WAVELENGTHS = (400.5, 500, 600, 700, 800)
ALL = (slice(None),) * 3
INDEXES = [
    ALL,
    (slice(1, 4), slice(2, 19), slice(3, 7)),
    (2, slice(None), slice(None)),
    (slice(None), -1, 4),
    (slice(None, None, 2), slice(1, None, 3), slice(None, None, -1)),
    (slice(None), slice(4, 4), slice(None)),
]


def opened(path, key=""):
    with open_arrays(path) as arrays:
        array = find_cube(arrays, path, [key] if key else [])
        return read_cube(array, axes_of(array))


def require_parts(path, cube, key=""):
    """Require that all parts of a cube are read as NumPy has them."""
    with open_arrays(path) as arrays:
        for index in INDEXES:
            np.testing.assert_array_equal(arrays[key].numbers(index), cube[index])


# Zarr


@pytest.fixture
def zarr():
    return pytest.importorskip("zarr", reason="needs the extra zarr")


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    ("order", "names"), [((0, 1, 2), "band y x"), ((1, 2, 0), "y x wavelength"), ((1, 0, 2), "lat band lon")]
)
def test_a_zarr_group_states_axes_by_names(zarr, tmp_path, version, order, names):
    group = zarr.open_group(tmp_path / "cube.zarr", mode="w", zarr_format=version)
    stored, dimensions = CUBE.transpose(order), names.split()
    named = {"dimension_names": dimensions} if version == 3 else {}
    array = group.create_array("scene/data", shape=stored.shape, dtype="float32", chunks=(2, 7, 9), **named)
    array[...] = stored
    centres = group.create_array("scene/wavelength", shape=(5,), dtype="float64")
    centres[...] = WAVELENGTHS
    if version == 2:
        array.attrs["_ARRAY_DIMENSIONS"] = dimensions
    source = open_dataset(f"mat:{tmp_path}/cube.zarr")
    np.testing.assert_array_equal(source.read("cube"), CUBE)
    assert source.wavelengths == WAVELENGTHS
    require_parts(tmp_path / "cube.zarr", stored, "scene/data")


@pytest.mark.parametrize("version", [2, 3])
def test_a_zarr_array(zarr, tmp_path, version):
    zarr.save_array(tmp_path / "cube.zarr", CUBE, zarr_format=version)
    require_parts(tmp_path / "cube.zarr", CUBE)
    with open_arrays(tmp_path / "cube.zarr") as arrays:
        assert arrays[""].axes == ""


def test_zarr_of_version_2_as_its_specification_has_it(zarr, tmp_path):
    """Written by hand: uncompressed chunks of C's order in files, their numbers joined by dots."""
    folder = tmp_path / "hand.zarr"
    folder.mkdir()
    facts = {"zarr_format": 2, "shape": [5, 20, 24], "chunks": [5, 10, 24], "dtype": "<f4", "compressor": None}
    (folder / ".zarray").write_text(json.dumps(facts | {"fill_value": 0, "order": "C", "filters": None}))
    for part in range(2):
        (folder / f"0.{part}.0").write_bytes(CUBE[:, 10 * part : 10 * part + 10].tobytes())
    require_parts(folder, CUBE)


@pytest.mark.parametrize("version", [2, 3])
def test_only_an_attribute_states_no_data_in_zarr(zarr, tmp_path, version, caplog):
    group = zarr.open_group(tmp_path / "x.zarr", mode="w", zarr_format=version)
    plain = group.create_array("plain", shape=(4, 4, 4), dtype="int16", chunks=(2, 4, 4), fill_value=7)
    plain[:2] = 1
    marked = group.create_array("marked", shape=(4, 4, 4), dtype="int16", fill_value=0)
    marked[...] = 1
    marked.attrs.update({"_FillValue": -9999, "scale_factor": 0.0001, "add_offset": 0.5})
    group.create_array("names", shape=(2,), dtype="bool")
    with caplog.at_level(logging.WARNING, "hsfusion_bench"), open_arrays(tmp_path / "x.zarr") as arrays:
        assert set(arrays) == {"plain", "marked"}
        assert arrays["plain"].stated.no_data == ()
        stated = arrays["marked"].stated
        assert (stated.no_data, stated.no_data_words) == ((-9999,), "_FillValue = -9999")
        assert (stated.gains, stated.offsets) == ((0.0001,), (0.5,))
        assert arrays["marked"].numbers(ALL).min() == 1
        assert not caplog.records
        np.testing.assert_array_equal(arrays["plain"].numbers(ALL)[2:], 7)
    [record] = caplog.records
    assert "plain of" in record.getMessage()
    assert "1 of its 2 chunks are not stored, and are taken to be its fill_value, 7" in record.getMessage()


@pytest.mark.parametrize(
    ("attributes", "ascending", "noted"),
    [
        ({"standard_name": "projection_y_coordinate", "units": "m"}, True, True),
        ({"units": "degrees_north"}, True, True),
        ({"units": "degrees_north"}, False, False),
        ({}, True, False),  # numbers of rows
    ],
)
@pytest.mark.parametrize("kind", ["zarr", "netcdf"])
def test_rows_from_south_to_north_are_noted(tmp_path, caplog, kind, attributes, ascending, noted):
    centres = np.arange(20.0) if ascending else np.arange(20.0)[::-1]
    if kind == "zarr":
        zarr = pytest.importorskip("zarr", reason="needs the extra zarr")
        path = tmp_path / "x.zarr"
        group = zarr.open_group(path, mode="w", zarr_format=3)
        for name, names, values in (("in/cube", ("c", "y", "x"), CUBE), ("in/y", ("y",), centres)):
            array = group.create_array(name, shape=values.shape, dtype=values.dtype, dimension_names=names)
            array[...] = values
        array.attrs.update(attributes)
    else:
        path = tmp_path / "x.nc"
        with netcdf_file(path, "w") as file:
            for name, size in zip("cyx", CUBE.shape, strict=True):
                file.createDimension(name, size)
            file.createVariable("cube", "f4", ["c", "y", "x"])[:] = CUBE
            variable = file.createVariable("y", "f8", ["y"])
            variable[:] = centres
            for name, value in attributes.items():
                setattr(variable, name, value)
    with caplog.at_level(logging.WARNING, "hsfusion_bench"):
        np.testing.assert_array_equal(opened(path), CUBE)
    assert ("its rows go from south to north, as its y has them" in caplog.text) is noted


def test_a_zarr_folder_that_is_damaged_is_refused(zarr, tmp_path):
    zarr.save_array(tmp_path / "cube.zarr", CUBE, zarr_format=3)
    chunk = next(file for file in (tmp_path / "cube.zarr" / "c").rglob("*") if file.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-9])
    with pytest.raises(HsbenchError, match=r"cube\.zarr cannot be read .*or is damaged"):
        require_parts(tmp_path / "cube.zarr", CUBE)
    (tmp_path / "cube.zarr" / "zarr.json").write_text("{")
    with pytest.raises(HsbenchError, match=r"cube\.zarr cannot be read as a Zarr folder, or is damaged"):
        opened(tmp_path / "cube.zarr")


def test_a_zarr_folder_in_a_description(zarr, tmp_path):
    zarr.save_array(tmp_path / "cube.zarr", CUBE)
    (tmp_path / "mine.toml").write_text('title = "m"\nfile = "cube.zarr"\nlayout = "CHW"\nconst = 2')
    np.testing.assert_array_equal(open_dataset(str(tmp_path / "mine.toml")).read("mine"), CUBE / 2)


def test_a_zarr_folder_is_as_large_as_its_files(zarr, tmp_path):
    zarr.save_array(tmp_path / "cube.zarr", CUBE.transpose(1, 2, 0), zarr_format=2)
    [scene] = check_scenes(open_dataset(f"mat:{tmp_path}/cube.zarr"))
    assert scene.condition == "ok"
    assert scene.size == sum(file.stat().st_size for file in (tmp_path / "cube.zarr").rglob("*") if file.is_file())
    # what tells that an original has changed looks at all of them
    assert set(files_of(tmp_path / "cube.zarr")) == set((tmp_path / "cube.zarr").rglob("*"))


def test_without_the_package_zarr_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "x.zarr").mkdir()
    (tmp_path / "x.zarr" / "zarr.json").write_text("{}")
    monkeypatch.setitem(__import__("sys").modules, "zarr", None)
    with pytest.raises(HsbenchError, match=r"need the package zarr: pip install 'hsfusion-bench\[zarr\]'"):
        opened(tmp_path / "x.zarr")


def test_a_folder_that_is_none_of_zarrs_is_refused(tmp_path):
    with pytest.raises(HsbenchError, match=r"no (such )?file"):
        opened(tmp_path)


# netCDF's classic format


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("order", "names"), [((0, 1, 2), "band y x"), ((1, 2, 0), "y x band")])
def test_netcdf_classic(tmp_path, version, order, names):
    path, stored = tmp_path / "cube.nc", CUBE.transpose(order)
    with netcdf_file(path, "w", version=version) as file:
        for name, size in zip(names.split(), stored.shape, strict=True):
            file.createDimension(name, size)
        variable = file.createVariable("reflectance", "f4", names.split())
        variable[:] = stored
        variable._FillValue = np.float32(-9999)
        variable.scale_factor = 0.5
        centres = file.createVariable("wavelength", "f8", ["band"])
        centres[:] = WAVELENGTHS
    with open_arrays(path) as arrays:
        assert set(arrays) == {"reflectance", "wavelength"}
        cube = find_cube(arrays, path)
        assert cube.wavelengths == WAVELENGTHS
        assert (cube.stated.no_data, cube.stated.gains) == ((-9999,), (0.5,))
    require_parts(path, stored, "reflectance")


def test_netcdf_classic_that_is_cut_off_is_refused(tmp_path):
    path = tmp_path / "cube.nc"
    with netcdf_file(path, "w") as file:
        file.createDimension("x", 100)
        file.createVariable("a", "f8", ["x"])[:] = 1
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(HsbenchError, match=r"cube\.nc cannot be read as a \.nc file, or is damaged"), open_arrays(path):
        pass


def test_unsigned_numbers_of_netcdf_classic(tmp_path):
    path = tmp_path / "cube.nc"
    with netcdf_file(path, "w") as file:
        file.createDimension("x", 4)
        for name, kind in (("bytes", "i1"), ("shorts", "i2")):
            variable = file.createVariable(name, kind, ["x"])
            variable[:], variable._Unsigned = (-1, -2, 0, 1), "true"
            variable._FillValue = np.array(-1, kind)
    with open_arrays(path) as arrays:
        assert list(arrays["bytes"].numbers((slice(None),))) == [255, 254, 0, 1]
        assert list(arrays["shorts"].numbers((slice(None),))) == [65535, 65534, 0, 1]
        assert arrays["bytes"].stated.no_data == (255,)
        assert arrays["shorts"].stated.no_data == (65535,)


# GDAL


@pytest.fixture
def rasterio():
    return pytest.importorskip("rasterio", reason="needs the extra geo")


def write(rasterio, path: Path, cube: np.ndarray, driver: str, **options) -> Path:
    """Write a cube [bands, H, W] by GDAL."""
    about = {"count": cube.shape[0], "height": cube.shape[1], "width": cube.shape[2], "dtype": cube.dtype}
    georeferenced = rasterio.Affine(30, 0, 500000, 0, -30, 5600000)
    with rasterio.open(path, "w", driver=driver, transform=georeferenced, **about, **options) as file:
        file.write(cube)
    return path


@pytest.mark.parametrize(
    ("name", "driver", "dtype", "options"),
    [
        ("cube.img", "HFA", "float32", {}),
        ("cube.img", "HFA", "uint16", {"COMPRESSED": "YES"}),
        ("cube.jp2", "JP2OpenJPEG", "uint16", {"REVERSIBLE": "YES", "QUALITY": "100"}),
        ("cube.pix", "PCIDSK", "int16", {}),
    ],
)
def test_formats_of_gdal(rasterio, tmp_path, name, driver, dtype, options):
    cube = (CUBE * 1000).astype(dtype)
    path = write(rasterio, tmp_path / name, cube, driver, **options)
    with open_arrays(path) as arrays:
        assert (arrays[""].axes, arrays[""].shape) == ("CHW", (5, 20, 24))
        assert arrays[""].read(ALL).dtype == dtype
    require_parts(path, cube)


def test_a_virtual_raster_states_everything(rasterio, tmp_path):
    """Written by hand, as GDAL's help describes it, over a raster of bare numbers."""
    stored = (CUBE * 10000).astype("<i2")
    (tmp_path / "cube.raw").write_bytes(stored.tobytes())
    bands = "".join(
        f'<VRTRasterBand dataType="Int16" band="{band + 1}" subClass="VRTRawRasterBand">'
        f"<NoDataValue>-9999</NoDataValue><Offset>{0.1 * band}</Offset><Scale>0.0001</Scale>"
        '<SourceFilename relativeToVRT="1">cube.raw</SourceFilename>'
        f"<ImageOffset>{band * 960}</ImageOffset><PixelOffset>2</PixelOffset><LineOffset>48</LineOffset>"
        f'<ByteOrder>LSB</ByteOrder><Metadata><MDI key="wavelength">{WAVELENGTHS[band] / 1000}</MDI>'
        '<MDI key="wavelength_units">Micrometers</MDI></Metadata></VRTRasterBand>'
        for band in range(5)
    )
    path = tmp_path / "cube.vrt"
    path.write_text(f'<VRTDataset rasterXSize="24" rasterYSize="20">{bands}</VRTDataset>')
    with open_arrays(path) as arrays:
        image = arrays[""]
        np.testing.assert_array_equal(image.numbers(ALL), stored)
        assert image.wavelengths == WAVELENGTHS
        assert (image.stated.no_data, image.stated.no_data_words) == ((-9999,), "nodata = -9999")
        assert image.stated.gains == (0.0001,) * 5
        assert image.stated.offsets == pytest.approx((0, 0.1, 0.2, 0.3, 0.4))
        assert image.stated.calibration_words == "scale = 0.0001, offset = 0 to 0.4"


def test_wavelengths_that_gdal_itself_knows(rasterio, tmp_path):
    path = write(rasterio, tmp_path / "cube.vrt.img", CUBE, "HFA")
    bands = "".join(
        f'<VRTRasterBand dataType="Float32" band="{band}"><Metadata domain="IMAGERY"><MDI key="CENTRAL_WAVELENGTH_UM">'
        f'{WAVELENGTHS[band - 1] / 1000}</MDI></Metadata><SimpleSource><SourceFilename relativeToVRT="1">{path.name}'
        f"</SourceFilename><SourceBand>{band}</SourceBand></SimpleSource></VRTRasterBand>"
        for band in range(1, 6)
    )
    (tmp_path / "cube.vrt").write_text(f'<VRTDataset rasterXSize="24" rasterYSize="20">{bands}</VRTDataset>')
    source = open_dataset(f"mat:{tmp_path}/cube.vrt")
    assert source.wavelengths == WAVELENGTHS
    np.testing.assert_array_equal(source.read("cube"), CUBE)


def test_transparency_is_no_band(rasterio, tmp_path, caplog):
    pixels = (CUBE[:4] * 255).astype(np.uint8)
    path = write(rasterio, tmp_path / "x.png", pixels, "PNG")
    with caplog.at_level(logging.WARNING, "hsfusion_bench"), open_arrays(path) as arrays:
        np.testing.assert_array_equal(arrays[""].read(ALL), pixels[:3])
    assert "its band of transparency is left out" in caplog.text


def test_a_table_of_colours_is_refused(rasterio, tmp_path):
    path = tmp_path / "x.png"
    picture = Image.new("P", (4, 4))
    picture.putpalette([1, 2, 3])
    picture.save(path)
    with pytest.raises(HsbenchError, match="places in a table of colours"), open_arrays(path):
        pass


def test_what_gdal_does_not_know_is_refused(rasterio, tmp_path):
    (tmp_path / "x.docx").write_bytes(b"some text")
    with pytest.raises(HsbenchError, match=r"x\.docx.* read") as refused, open_arrays(tmp_path / "x.docx"):
        pass
    assert "[geo]" not in str(refused.value)


def test_a_file_of_gdals_that_is_cut_off_is_refused(rasterio, tmp_path):
    path = write(rasterio, tmp_path / "x.jp2", (CUBE * 1000).astype(np.uint16), "JP2OpenJPEG")
    path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 3])
    with pytest.raises(HsbenchError, match=r"x\.jp2 cannot be read .*or is damaged"):
        opened(path)


def test_without_rasterio_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "x.jp2").write_bytes(b"\x00\x00\x00\x0cjP  ")
    monkeypatch.setattr(gdal, "is_installed", lambda: False)
    with pytest.raises(HsbenchError, match=r"x\.jp2.*pip install 'hsfusion-bench\[geo\]'"):
        opened(tmp_path / "x.jp2")


@pytest.mark.data
def test_every_raster_of_a_folder_is_read_as_rasterio_reads_it(rasterio):
    """The folder may be `tests/data` of rasterio's own sources, which the variable names."""
    folder = os.environ.get("HSBENCH_RASTERS")
    if not folder:
        pytest.skip("HSBENCH_RASTERS does not name a folder of rasters")
    compared = 0
    for path in sorted(Path(folder).iterdir()):
        try:
            with warnings.catch_warnings(action="ignore"), rasterio.open(path) as file:
                theirs, lossy = file.read(), file.profile.get("compress") == "jpeg"
        except (rasterio.errors.RasterioError, ValueError):  # none, damaged, or only subdatasets
            continue
        if lossy:  # whose decoders differ
            continue
        with open_arrays(path) as arrays:
            image = arrays[""]
            ours = image.numbers((slice(None),) * len(image.shape))
            if len(image.shape) == 2:
                ours = ours[None]
            elif image.axes:
                ours = ours.transpose([image.axes.index(letter) for letter in "CHW"])
            np.testing.assert_array_equal(ours, theirs, err_msg=str(path))
            compared += 1
    assert compared
