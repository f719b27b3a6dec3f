"""PRISMA, EnMAP and EMIT: files of their layouts, built by hand, give the values that were put into them."""

import logging
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from hsfusion_bench.data.catalog import open_dataset
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.arrays import open_arrays
from hsfusion_bench.formats.finding import CUBE, find_array
from hsfusion_bench.formats.geodata import files_of

RNG = np.random.default_rng(5)
ALL = (slice(None),) * 3

# PRISMA: as stored, from long waves to short ones; 0 where there is no band
VNIR = (0.0, 0.0, 977.5, 962.0, 700.0, 402.5)
SWIR = (2497.0, 1300.0, 985.0, 977.5, 943.25, 0.0)
#: What comes of it, by hand: wavelength, cube, place.
JOINED = (
    (402.5, "VNIR", 5),
    (700.0, "VNIR", 4),
    (962.0, "VNIR", 3),
    (977.5, "VNIR", 2),
    (985.0, "SWIR", 2),
    (1300.0, "SWIR", 1),
    (2497.0, "SWIR", 0),
)


def prisma(
    folder: Path, level: str = "L2D", kinds: str = "HP", **attributes: object
) -> tuple[Path, dict[str, np.ndarray]]:
    """Write a PRISMA product; return it and what is stored in it."""
    path = folder / f"PRS_{level}_STD.he5"
    stored = {
        "VNIR": RNG.integers(1, 65536, (6, 6, 8)).astype(np.uint16),
        "SWIR": RNG.integers(1, 65536, (6, 6, 8)).astype(np.uint16),
        "PAN": RNG.integers(1, 65536, (36, 48)).astype(np.uint16),
    }
    scales = {f"ScaleFactor_{part}": np.float32(100) for part in ("Vnir", "Swir", "Pan")}
    scales |= {"Offset_Vnir": np.float32(0.5), "Offset_Swir": np.float32(0), "Offset_Pan": np.float32(0)}
    if level != "L1":
        scales = {f"L2Scale{part}Min": np.float32(0.0) for part in ("Vnir", "Swir", "Pan")}
        scales |= {
            "L2ScaleVnirMax": np.float32(0.5),
            "L2ScaleSwirMax": np.float32(1.25),
            "L2ScalePanMax": np.float32(0.75),
        }
        scales |= {"L2ScaleSwirMin": np.float32(0.25)}
    with h5py.File(path, "w") as file:
        for kind in ("CO", "RC") if level == "L1" else ("CO",):
            fields = file.create_group(f"HDFEOS/SWATHS/PRS_{level}_H{kind}/Data Fields")
            fields["VNIR_Cube"], fields["SWIR_Cube"] = stored["VNIR"], stored["SWIR"]
            if "P" in kinds:
                file[f"HDFEOS/SWATHS/PRS_{level}_P{kind}/Data Fields/Cube"] = stored["PAN"]
        file["HDFEOS INFORMATION/StructMetadata.0"] = "text"
        for name, value in ({"List_Cw_Vnir": VNIR, "List_Cw_Swir": SWIR} | scales | attributes).items():
            if value is not None:
                file.attrs[name] = value
    return path, stored


def test_the_cubes_of_prisma_are_joined_ascending_in_wavelength(tmp_path, caplog):
    path, stored = prisma(tmp_path)
    by_hand = np.stack([stored[cube][:, place] for _, cube, place in JOINED], axis=1)
    with caplog.at_level(logging.WARNING, "hsfusion_bench"), open_arrays(path) as arrays:
        assert set(arrays) == {"hsi", "pan"}
        hsi = find_array(arrays, path, CUBE)
        assert (hsi.name, hsi.axes, hsi.shape) == ("hsi", "HCW", (6, 7, 8))
        assert hsi.wavelengths == tuple(wavelength for wavelength, _, _ in JOINED)
        np.testing.assert_array_equal(hsi.numbers(ALL), by_hand)
        np.testing.assert_array_equal(arrays["pan"].numbers((slice(None),) * 2), stored["PAN"])
    [record] = caplog.records
    assert record.getMessage() == (
        f"{path}: VNIR_Cube has no band in 2 of its 6 places; SWIR_Cube has no band in 1 of its 6 places; 2 SWIR "
        "bands are left out, up to 977.5 nm, the last VNIR band: where both have bands, those of the VNIR are kept"
    )


@pytest.mark.parametrize(
    "index",
    [
        (slice(1, 4), slice(2, 6), slice(3, 5)),
        (2, slice(None), slice(None)),
        (slice(None), 3, slice(None)),
        (slice(None), -1, 4),
        (slice(None, None, 2), slice(1, None, 3), slice(5, None, 2)),
        (slice(None, None, -1), slice(None, None, -2), slice(None)),
        (slice(3, 3), slice(None), slice(None)),
    ],
)
def test_parts_of_a_joined_cube(tmp_path, index):
    path, stored = prisma(tmp_path)
    by_hand = np.stack([stored[cube][:, place] for _, cube, place in JOINED], axis=1)
    with open_arrays(path) as arrays:
        np.testing.assert_array_equal(arrays["hsi"].numbers(index), by_hand[index])


def test_the_scale_of_each_spectrometer_goes_with_its_bands(tmp_path):
    path, _ = prisma(tmp_path)
    with open_arrays(path) as arrays:
        stated, pan = arrays["hsi"].stated, arrays["pan"].stated
    # 65535 is the maximum: 0.5 in the VNIR, 1.25 in the SWIR, which begins at 0.25
    assert stated.gains == pytest.approx([0.5 / 65535] * 4 + [1 / 65535] * 3)
    assert stated.offsets == (0,) * 4 + (0.25,) * 3
    assert stated.full_scale == 1
    assert stated.no_data == (0,)
    assert "L2ScaleSwirMin = 0.25, L2ScaleSwirMax = 1.25" in stated.calibration_words
    assert pan.gains == pytest.approx([0.75 / 65535])
    assert pan.full_scale == 1


def test_level_1_is_radiance_of_no_full_scale(tmp_path):
    path, stored = prisma(tmp_path, "L1")
    with open_arrays(path) as arrays:
        assert set(arrays) == {"hsi", "pan", "hrc", "prc"}
        assert find_array(arrays, path, CUBE).name == "hsi"
        stated = arrays["hsi"].stated
        np.testing.assert_array_equal(arrays["hsi"].numbers(ALL)[:, 0], stored["VNIR"][:, 5])
    # radiance = stored / scale factor - offset
    assert stated.gains == pytest.approx([0.01] * 7)
    assert stated.offsets == (-0.5,) * 4 + (0,) * 3
    assert (stated.full_scale, stated.no_data) == (None, ())


def test_bands_that_prisma_flags_are_left_out(tmp_path):
    path, _ = prisma(tmp_path, List_Cw_Vnir_Flags=[0, 0, 1, 0, 1, 1])
    with open_arrays(path) as arrays:
        assert arrays["hsi"].wavelengths == (402.5, 700.0, 977.5, 985.0, 1300.0, 2497.0)


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"List_Cw_Vnir": None}, r"he5 has no attribute List_Cw_Vnir, which a PRISMA product has"),
        ({"List_Cw_Swir": SWIR[:5]}, r"List_Cw_Swir has 5 wavelengths for the 6 bands of SWIR_Cube"),
        ({"L2ScaleSwirMax": None}, r"no attribute L2ScaleSwirMax"),
        ({"L2ScaleVnirMax": "one"}, r"attribute L2ScaleVnirMax is 'one', where numbers are needed"),
        ({"List_Cw_Vnir": (0.0,) * 6, "List_Cw_Swir": (0.0,) * 6}, r"no band has a wavelength"),
    ],
)
def test_a_prisma_file_that_lacks_something_is_refused(tmp_path, attributes, said):
    path, _ = prisma(tmp_path, **attributes)
    with pytest.raises(HsbenchError, match=said), open_arrays(path):
        pass


def test_cubes_of_prisma_of_different_sizes_are_refused(tmp_path):
    path, stored = prisma(tmp_path)
    with h5py.File(path, "a") as file:
        fields = file["HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields"]
        del fields["SWIR_Cube"]
        fields["SWIR_Cube"] = stored["SWIR"][:, :, :7]
    with (
        pytest.raises(HsbenchError, match=r"VNIR_Cube of PRS_L2D_HCO has 6 x 8 pixels and SWIR_Cube has 6 x 7"),
        open_arrays(path),
    ):
        pass
    with h5py.File(path, "a") as file:
        del file["HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/SWIR_Cube"]
    with pytest.raises(HsbenchError, match=r"no SWIR_Cube of 3 axes in PRS_L2D_HCO"), open_arrays(path):
        pass


# EnMAP

CENTRES = (500.0, 900.0, 910.5, 2400.0)


def enmap(
    folder: Path, centres=CENTRES, *, axes: str = "CHW", level: str = "L2A", **lines: str
) -> tuple[Path, np.ndarray]:
    """Write an EnMAP product; return its image and what is stored in it, [bands, H, W]."""
    name = f"ENMAP01-____{level}-DT0000000001_20220724T104526Z_001_V010303_20230628T165614Z"
    stored = RNG.integers(0, 10000, (len(centres), 6, 8)).astype(np.int16)
    stored[:, 0, 0] = -32768
    options = {"planarconfig": "separate"} if axes == "CHW" else {"planarconfig": "contig"}
    pixels = stored if axes == "CHW" else stored.transpose(1, 2, 0)
    tifffile.imwrite(folder / f"{name}-SPECTRAL_IMAGE.TIF", pixels, photometric="minisblack", **options)
    bands = "".join(
        f'<bandID number="{number}"><wavelengthCenterOfBand>{centre}</wavelengthCenterOfBand><FWHMOfBand>7</FWHMOfBand>'
        f"<GainOfBand>{lines.get('gain', '0.0001')}</GainOfBand>"
        f"<OffsetOfBand>{lines.get('offset', '0')}</OffsetOfBand></bandID>"
        for number, centre in enumerate(centres, 1)
    )
    (folder / f"{name}-METADATA.XML").write_text(
        f'<?xml version="1.0" encoding="UTF-8"?><level_X><base><level>{level}</level></base><specific>'
        f"<backgroundValue>-32768</backgroundValue><bandCharacterisation>{bands}</bandCharacterisation>"
        f"<vnirProductQuality><expectedChannelsList>{lines.get('vnir', '1,3')}</expectedChannelsList>"
        "</vnirProductQuality><swirProductQuality><expectedChannelsList>2,4</expectedChannelsList></swirProductQuality>"
        "</specific>"
        '<product><bandStatistics><bandID number="1"><mean>1</mean></bandID></bandStatistics></product></level_X>'
    )
    return folder / f"{name}-SPECTRAL_IMAGE.TIF", stored


@pytest.mark.parametrize("axes", ["CHW", "HWC"])
def test_enmap_is_described_by_its_metadata(tmp_path, axes):
    path, stored = enmap(tmp_path, axes=axes)
    for named in (path, path.with_name(path.name.replace("SPECTRAL_IMAGE.TIF", "METADATA.XML"))):
        with open_arrays(named) as arrays:
            image = arrays[""]
            assert (image.axes, image.wavelengths) == (axes, CENTRES)
            values = image.numbers(ALL).transpose([axes.index(letter) for letter in "CHW"])
            np.testing.assert_array_equal(values, stored)
            stated = image.stated
            assert (stated.no_data, stated.no_data_words) == ((-32768,), "backgroundValue = -32768")
            assert (stated.gains, stated.offsets, stated.full_scale) == ((0.0001,) * 4, (0,) * 4, 1)
            assert stated.bad_bands == ()
        assert set(files_of(named)) == set(tmp_path.iterdir())


@pytest.mark.parametrize("axes", ["CHW", "HWC"])
def test_bands_of_enmap_that_are_ordered_by_detector_are_put_in_order(tmp_path, axes, caplog):
    path, stored = enmap(tmp_path, (500.0, 910.5, 900.0, 2400.0), axes=axes, vnir="1")
    with caplog.at_level(logging.WARNING, "hsfusion_bench"), open_arrays(path) as arrays:
        image = arrays[""]
        assert image.wavelengths == CENTRES
        by_hand = stored[[0, 2, 1, 3]].transpose(["CHW".index(letter) for letter in axes])
        np.testing.assert_array_equal(image.numbers(ALL), by_hand)
        for index in ((slice(1, 3), 2, slice(None)), (slice(0, 2), slice(1, 5), slice(1, 3)), (1, slice(None), 1)):
            np.testing.assert_array_equal(image.numbers(index), by_hand[index])
        # channel 3 is expected in neither detector's list
        assert image.stated.bad_bands == (1,)
    assert "in the order of their wavelengths, which is not that of the file" in caplog.text


def test_enmap_of_level_1c_has_no_full_scale(tmp_path):
    path, _ = enmap(tmp_path, level="L1C", gain="0.00002", offset="-0.25")
    with open_arrays(path) as arrays:
        stated = arrays[""].stated
    assert (stated.gains, stated.offsets, stated.full_scale) == ((2e-5,) * 4, (-0.25,) * 4, None)


def test_enmap_without_its_other_file_asks_for_it(tmp_path):
    path, _ = enmap(tmp_path)
    metadata = path.with_name(path.name.replace("SPECTRAL_IMAGE.TIF", "METADATA.XML"))
    content = metadata.read_bytes()
    metadata.unlink()
    with (
        pytest.raises(HsbenchError, match=r"-METADATA\.XML, which states its wavelengths .* is not beside it: put it"),
        open_arrays(path),
    ):
        pass
    # another product's does not stand in for it
    (tmp_path / "ENMAP01-other-METADATA.XML").write_bytes(content)
    with pytest.raises(HsbenchError, match="is not beside it"), open_arrays(path):
        pass
    metadata.write_bytes(content)
    path.unlink()
    with (
        pytest.raises(HsbenchError, match=r"its image, ENMAP01.*SPECTRAL_IMAGE\.TIF, is not beside it"),
        open_arrays(metadata),
    ):
        pass
    with pytest.raises(HsbenchError, match="there is no such file"):
        open_dataset(f"mat:{path}")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("</level_X>", "", "METADATA.XML is no XML file, or damaged"),
        ('<bandID number="4"><wave', '<bandID number="5"><wave', "does not describe bands from 1 on"),
        ("2400.0", "far", "wavelengthCenterOfBand is 'far', where a number is needed"),
        ("GainOfBand>0.0001<", "GainOfBand><", "GainOfBand is '', where a number is needed"),
    ],
)
def test_metadata_of_enmap_that_are_damaged_are_refused(tmp_path, old, new, said):
    path, _ = enmap(tmp_path)
    metadata = path.with_name(path.name.replace("SPECTRAL_IMAGE.TIF", "METADATA.XML"))
    assert old in metadata.read_text()
    metadata.write_text(metadata.read_text().replace(old, new))
    with pytest.raises(HsbenchError, match=said), open_arrays(path):
        pass


def test_an_image_of_enmap_of_other_bands_than_its_metadata_is_refused(tmp_path):
    path, stored = enmap(tmp_path)
    tifffile.imwrite(path, stored[:3], photometric="minisblack", planarconfig="separate")
    with pytest.raises(HsbenchError, match=r"has 3 bands, but ENMAP.*METADATA\.XML describes 4"), open_arrays(path):
        pass


# EMIT


def emit(folder: Path, name: str = "reflectance", good=(1, 0, 1, 1, 0)) -> tuple[Path, np.ndarray]:
    """Write an EMIT product; return it and its values [downtrack, crosstrack, bands]."""
    path = folder / "EMIT_L2A_RFL_001.nc"
    values = RNG.random((8, 12, 5)).astype(np.float32)
    with h5py.File(path, "w") as file:
        file[name] = values
        file[name].attrs["_FillValue"] = np.array([-9999], np.float32)
        file[name].attrs["long_name"] = "Surface Reflectance"
        bands = file.create_group("sensor_band_parameters")
        bands["wavelengths"] = np.array([381, 1400, 1500, 1900.5, 2490], np.float32)
        bands["wavelengths"].attrs["units"] = "nm"
        bands["fwhm"] = np.full(5, 8.5, np.float32)
        if good:
            bands["good_wavelengths"] = np.array(good, np.uint8)
        file["location/lat"], file["location/lon"] = np.zeros((2, 8, 12))
        file["location/glt_x"] = np.zeros((9, 13), np.int32)
    return path, values


def test_emit(tmp_path):
    path, values = emit(tmp_path)
    with open_arrays(path) as arrays:
        assert list(arrays) == ["reflectance"]
        image = arrays["reflectance"]
        assert (image.axes, image.wavelengths) == ("HWC", (381, 1400, 1500, 1900.5, 2490))
        np.testing.assert_array_equal(image.numbers(ALL), values)
        stated = image.stated
    assert (stated.no_data, stated.no_data_words) == ((-9999,), "_FillValue = -9999")
    assert (stated.bad_bands, stated.full_scale) == ((1, 4), 1)
    assert stated.bad_bands_words == "sensor_band_parameters/good_wavelengths = 0"


def test_emits_radiance_has_no_full_scale(tmp_path):
    path, _ = emit(tmp_path, "radiance", good=())
    with open_arrays(path) as arrays:
        stated = arrays["radiance"].stated
    assert (stated.bad_bands, stated.full_scale) == ((), None)


def test_emits_marks_must_be_as_many_as_its_bands(tmp_path):
    path, _ = emit(tmp_path, good=(1, 0, 1))
    with pytest.raises(HsbenchError, match=r"good_wavelengths has 3 values for 5 bands"), open_arrays(path):
        pass


def test_other_files_of_hdf5_are_no_product(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["HDFEOS/SWATHS/OTHER/Data Fields/Cube"] = np.zeros((2, 3, 4))
        file["reflectance"] = np.zeros((2, 3, 4))
    with open_arrays(tmp_path / "x.h5") as arrays:
        assert set(arrays) == {"HDFEOS/SWATHS/OTHER/Data Fields/Cube", "reflectance"}


def test_names_of_prisma_alone_are_no_product(tmp_path, caplog):
    """A part that somebody saved on under the same names is an HDF5 file like any."""
    path = tmp_path / "part.nc"
    cube = RNG.integers(0, 4000, (8, 31, 8)).astype(np.uint16)
    name = "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/VNIR_Cube"
    with h5py.File(path, "w") as file:
        file[name] = cube
    with caplog.at_level("WARNING", "hsfusion_bench"), open_arrays(path) as arrays:
        np.testing.assert_array_equal(arrays[name].numbers(ALL), cube)
    assert "it is read as any HDF5 file" in caplog.text
