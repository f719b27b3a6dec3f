"""What files state of their values, written by other programs: no-data, bad bands, calibration."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import h5py
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hsfusion_bench.cli import main
from hsfusion_bench.data.catalog import open_dataset
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.arrays import open_arrays
from hsfusion_bench.formats.cubes import axes_of, find_cube, find_holes, greatest, read_cube
from hsfusion_bench.formats.values import Holes, holes_in
from hsfusion_bench.runs.records import read_record

Array = NDArray[Any]
#: Of what is in a cube, [bands, H, W].
Writer = Callable[[Path, Array, Mapping[str, Any]], Path]
KINDS = ("u1", "<u2", ">u2", "<i2", ">i2", "<i4", "<f4", ">f4", "<f8", ">f8")
NM = tuple(400.0 + 10 * band for band in range(31))


def scene(bands: int = 31, side: int = 32) -> Array:
    """Return smooth reflectances between 0.1 and 0.9, unlike in each band."""
    band, row, column = np.indices((bands, side, side)) / [[[[bands]]], [[[side]]], [[[side]]]]
    texture = np.random.default_rng(5).random((bands, side, side))
    smooth: Array = 0.5 + 0.3 * np.sin(6 * row + 3 * band) * np.cos(7 * column - band) + 0.1 * (texture - 0.5)
    return smooth


# -- what other programs write


def envi(path: Path, cube: Array, stated: Mapping[str, Any], interleave: str = "bsq", offset: int = 0) -> Path:
    """Write by the library spectral; `stated` are entries of the header."""
    writer = pytest.importorskip("spectral").io.envi
    order = int(cube.dtype.byteorder == ">")
    options = {"interleave": interleave, "dtype": cube.dtype, "byteorder": order, "ext": "img", "force": True}
    header = path / "x.hdr"
    writer.save_image(str(header), np.ascontiguousarray(cube.transpose(1, 2, 0)), metadata=dict(stated), **options)
    if offset:
        (path / "x.img").write_bytes(bytes(offset) + (path / "x.img").read_bytes())
        header.write_text(header.read_text().replace("header offset = 0", f"header offset = {offset}"))
    return header


def gdal(items: Mapping[str, Any]) -> str:
    """Return metadata as GDAL writes them: a list has an item for each band."""
    texts = []
    for name, value in items.items():
        role = f' role="{name.lower()}"' if name in ("SCALE", "OFFSET") else ""
        several = list(enumerate(value)) if isinstance(value, (list, tuple)) else [(None, value)]
        for band, each in several:
            sample = "" if band is None else f' sample="{band}"'
            texts.append(f'<Item name="{name}"{sample}{role}>{escape(str(each))}</Item>')
    return f"<GDALMetadata>{''.join(texts)}</GDALMetadata>\0"


def geotiff(path: Path, cube: Array, stated: Mapping[str, Any], planar: str = "separate", **options: Any) -> Path:
    """Write by tifffile; `stated` are GDAL's items, and `no_data` its tag."""
    items = {name: value for name, value in stated.items() if name != "no_data"}
    tags = [(42112, "s", 0, gdal(items), True)] if items else []
    tags += [(42113, "s", 0, str(stated["no_data"]), True)] if "no_data" in stated else []
    written = cube if planar == "separate" else cube.transpose(1, 2, 0)
    order = ">" if cube.dtype.byteorder == ">" else "<"
    with tifffile.TiffWriter(path / "x.tif", byteorder=order) as file:
        file.write(written, planarconfig=planar, photometric="minisblack", metadata=None, extratags=tags, **options)
    return path / "x.tif"


def hdf5(path: Path, cube: Array, stated: Mapping[str, Any], name: str = "x.h5") -> Path:
    """Write by h5py; `stated` are attributes of the dataset."""
    with h5py.File(path / name, "w") as file:
        held = file.create_dataset("hsi", data=cube)
        for key, value in stated.items():
            held.attrs[key] = value
    return path / name


def opened(path: Path, axes: str | None = None, **region: Any) -> Array:
    with open_arrays(path) as arrays:
        array = find_cube(arrays, path)
        return read_cube(array, axes or axes_of(array), **region)


def hsbench(*arguments: str | Path) -> Result:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert "Traceback" not in done.stderr
    return done


def run(dataset: str | Path, folder: Path, *more: str | Path) -> Result:
    wanted = ("--dataset", dataset, "--scale", "4", "--results-dir", folder / "results", "--no-timing")
    return hsbench("run", "--methods", "bicubic", *wanted, *more)


def describe(folder: Path, text: str) -> Path:
    (folder / "mine.toml").write_text(f'title = "m"\n{text}')
    return folder / "mine.toml"


def flat(text: str) -> str:
    return " ".join(text.split())


# -- the cases that were met: each by its command, with the right value from the numbers that were written


def nodata_envi(folder: Path) -> tuple[Path, Array]:
    stored = np.rint(scene() * 10000).astype("<u2")
    stored[:, :4] = 65535
    metadata = {"data ignore value": 65535, "reflectance scale factor": 10000, "wavelength": NM}
    return envi(folder, stored, metadata | {"wavelength units": "Nanometers"}), stored


def test_no_data_of_envi_are_not_the_maximum(tmp_path: Path) -> None:
    _, stored = nodata_envi(tmp_path)
    path = describe(tmp_path, 'file = "x.hdr"\nconst = "maximum"')
    done = run(path, tmp_path)
    assert done.exit_code == 1
    said = flat(done.stderr)
    assert "12.5 % of the pixels have no value (data ignore value = 65535)" in said
    assert "within rows 0 to 3 and columns 0 to 31, counted from 0, in all 31 bands" in said
    assert 'holes = "crop" for the largest rectangle without them (rows = [4, 32], columns = [0, 32])' in said
    describe(tmp_path, 'file = "x.hdr"\nconst = "maximum"\nholes = "crop"')
    assert run(path, tmp_path).exit_code == 0
    kept = stored[:, 4:]
    due = (kept / np.float64(kept.max())).astype(np.float32)
    np.testing.assert_array_equal(open_dataset(str(path)).read("mine"), due)
    describe(tmp_path, 'file = "x.hdr"\nconst = "maximum"\nrows = [4, 32]')
    np.testing.assert_array_equal(open_dataset(str(path)).read("mine"), due)
    # a scene beside the holes is as it was, and the maximum of the whole is none of them
    text = 'file = "x.hdr"\nconst = "maximum"\n[[scene]]\nname = "a"\nrows = [8, 24]'
    np.testing.assert_array_equal(
        open_dataset(str(describe(tmp_path, text))).read("a"), (stored[:, 8:24] / kept.max()).astype(np.float32)
    )


def test_no_data_of_geotiff_do_not_become_black(tmp_path: Path) -> None:
    stored = np.rint(scene() * 9000).astype("<i2")
    stored[:, 28:, 3:] = -32768
    geotiff(tmp_path, stored, {"no_data": "-32768", "wavelength": NM})
    path = describe(tmp_path, 'file = "x.tif"\nconst = 10000\nclip = true')
    done = run(path, tmp_path)
    assert done.exit_code == 1
    assert "(GDAL_NODATA = -32768): within rows 28 to 31 and columns 3 to 31" in flat(done.stderr)
    describe(tmp_path, 'file = "x.tif"\nconst = 10000\nclip = true\nholes = "crop"')
    assert run(path, tmp_path).exit_code == 0
    due = (stored[:, :28].astype(np.float64) / 10000).astype(np.float32)
    np.testing.assert_array_equal(open_dataset(str(path)).read("mine"), due)


def test_empty_bands_of_geotiff_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stored = np.rint(scene() * 9000).astype("<i2")
    stored[10:13] = -32768
    marks = [int(band not in (10, 11, 12)) for band in range(31)]
    items = {"bbl": marks, "wavelength": NM, "SCALE": [0.0001] * 31, "OFFSET": [0] * 31, "no_data": "-32768"}
    geotiff(tmp_path, stored, items)
    path = describe(tmp_path, 'file = "x.tif"\nconst = 10000\nclip = true')
    with caplog.at_level(logging.WARNING, "hsfusion_bench"):
        done = run(path, tmp_path)
    assert done.exit_code == 0, done.stderr
    assert "3 of 31 bands are left out: bbl = 0 for bands 11-13" in caplog.text
    record = read_record(tmp_path / "results" / "mine-x4-uestc" / "bicubic.json")
    used = [band + 1 for band in range(31) if marks[band]]
    assert (record.dataset.bands, list(record.dataset.bands_used or ())) == (28, used)
    [scored] = record.scenes
    assert None not in (values := (scored.psnr, scored.ergas, scored.uqi, scored.scc))
    assert np.isfinite(np.array(values, float)).all()
    source = open_dataset(str(path))
    assert tuple(source.wavelengths) == tuple(NM[band - 1] for band in used)
    # 10000 is what the stored numbers are divided by, as the gain says as well
    due = (np.delete(stored, (10, 11, 12), 0).astype(np.float64) * 0.0001).astype(np.float32)
    np.testing.assert_array_equal(source.read("mine"), due)


def test_bands_that_envi_marks_as_bad_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cube = scene().astype("<f4")
    cube[5:8] = np.random.default_rng(1).random((3, 32, 32))
    marks = [int(band not in (5, 6, 7)) for band in range(31)]
    path = envi(tmp_path, cube, {"bbl": marks, "wavelength": NM, "wavelength units": "Nanometers"})
    with caplog.at_level(logging.WARNING, "hsfusion_bench"):
        done = run(f"mat:{path}", tmp_path)
    assert done.exit_code == 0, done.stderr
    [note] = [record.getMessage() for record in caplog.records]
    assert "x.hdr: 3 of 31 bands are left out: bbl = 0 for bands 6-8 (keep_bad_bands = true" in note
    np.testing.assert_array_equal(open_dataset(f"mat:{path}").read("x"), np.delete(cube, (5, 6, 7), 0))
    (file,) = (tmp_path / "results").glob("*/bicubic.json")
    assert json.loads(file.read_text())["dataset"]["bands_used"] == [band + 1 for band in range(31) if marks[band]]
    assert hsbench("reproduce", file, "--dataset", f"mat:{path}").exit_code == 0
    kept = describe(tmp_path, 'file = "x.hdr"\nkeep_bad_bands = true')
    np.testing.assert_array_equal(open_dataset(str(kept)).read("mine"), cube)
    assert open_dataset(str(kept)).bands_used == ()


def test_gains_of_envi_are_applied(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    gains = [1e-5 + 3e-6 * band for band in range(31)]
    stored = np.rint(scene() / np.reshape(gains, (-1, 1, 1))).astype("<u4")
    metadata = {"data gain values": gains, "wavelength": NM, "wavelength units": "Nanometers"}
    envi(tmp_path, stored, metadata)
    path = describe(tmp_path, 'file = "x.hdr"\nconst = "maximum"')
    with caplog.at_level(logging.WARNING, "hsfusion_bench"):
        done = run(path, tmp_path)
    assert done.exit_code == 0, done.stderr
    assert "its calibration is applied: data gain values from 1e-05 to 0.0001" in caplog.text
    quantity = (stored.astype(np.float64) * np.reshape(gains, (-1, 1, 1))).astype(np.float32)
    due = (quantity.astype(np.float64) / float(quantity.max())).astype(np.float32)
    np.testing.assert_array_equal(open_dataset(str(path)).read("mine"), due)


# -- exactly, whoever wrote it


@st.composite
def cubes(draw: st.DrawFn) -> tuple[Array, Array, Any]:
    """Draw a cube as it is stored, where it has no value, and the number that says so."""
    kind = np.dtype(draw(st.sampled_from(KINDS)))
    shape = draw(st.tuples(st.integers(2, 5), st.integers(2, 7), st.integers(2, 7)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    if kind.kind == "f":
        no_data = draw(st.sampled_from([-9999.0, -3.4e38, -32768.0, math.nan, 0.1, -1e34]))
        stored = random.random(shape).astype(kind)
    else:
        limits = np.iinfo(kind)
        no_data = draw(st.sampled_from([int(limits.max), int(limits.min)]))
        stored = random.integers(1, 120, shape).astype(kind)
    holes = random.random(shape) < draw(st.sampled_from([0, 0.1, 0.5]))
    stored[holes] = no_data
    return stored, holes, no_data


WRITERS: Sequence[tuple[str, Writer]] = (
    *(
        (f"envi {way} {offset}", lambda path, cube, has, w=way, o=offset: envi(path, cube, _for_envi(has), w, o))
        for way in ("bsq", "bil", "bip")
        for offset in (0, 13)
    ),
    *(
        (f"tiff {planar}", lambda path, cube, has, p=planar: geotiff(path, cube, _for_gdal(has, len(cube)), p))
        for planar in ("separate", "contig")
    ),
    ("tiff zlib", lambda path, cube, has: geotiff(path, cube, _for_gdal(has, len(cube)), compression="zlib")),
    ("hdf5", lambda path, cube, has: hdf5(path, cube, _for_hdf5(has, cube.dtype))),
)


def _for_envi(has: Mapping[str, Any]) -> dict[str, Any]:
    names = {"no_data": "data ignore value", "gains": "data gain values", "offsets": "data offset values", "bbl": "bbl"}
    return {names[key]: value for key, value in has.items()}


def _for_gdal(has: Mapping[str, Any], bands: int) -> dict[str, Any]:
    names = {"no_data": "no_data", "gains": "SCALE", "offsets": "OFFSET", "bbl": "bbl"}
    del bands
    return {names[key]: value for key, value in has.items()}


def _for_hdf5(has: Mapping[str, Any], kind: np.dtype[Any]) -> dict[str, Any]:
    del kind
    names = {"no_data": "_FillValue", "gains": "scale_factor", "offsets": "add_offset", "bbl": "bbl"}
    return {names[key]: value for key, value in has.items()}


@pytest.mark.parametrize("writer", [writer for _, writer in WRITERS], ids=[name for name, _ in WRITERS])
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=cubes(), data=st.data())
def test_values_are_those_of_the_formula(tmp_path: Path, writer: Writer, drawn: Any, data: st.DataObject) -> None:
    stored, holes, no_data = drawn
    numbers = st.lists(st.sampled_from([1e-4, 0.5, 1.0, 3.25, 1 / 3, -2.0]), min_size=len(stored), max_size=len(stored))
    gains, offsets = data.draw(numbers), data.draw(numbers)
    has = {"no_data": no_data}
    has |= {"gains": gains} if data.draw(st.booleans()) else {}
    has |= {"offsets": offsets} if data.draw(st.booleans()) else {}
    path = writer(tmp_path, stored, has)
    quantity = stored.astype(np.float64)
    for name, values, way in (("gains", gains, np.multiply), ("offsets", offsets, np.add)):
        quantity = way(quantity, np.reshape(values, (-1, 1, 1))) if name in has else quantity
    with open_arrays(path) as arrays:
        array = find_cube(arrays, path)
        axes = array.axes or "CHW"
        found = find_holes(array, axes)
        if not holes.any():
            assert found is None
            np.testing.assert_array_equal(read_cube(array, axes), quantity.astype(np.float32))
            return
        assert found is not None
        np.testing.assert_array_equal(found.pixels, holes.any(axis=0))
        assert found.counts == tuple(holes.sum(axis=(1, 2)))
        with pytest.raises(HsbenchError, match="of the pixels have no value"):
            read_cube(array, axes)
        with pytest.raises(HsbenchError, match="of the pixels have no value"):
            array.read((slice(None),) * 3, axes)
        if not holes.all():
            assert greatest(array, axes) == quantity[~holes].max()
        if found.free is not None:
            rows, columns = found.free
            cut = quantity[:, slice(*rows), slice(*columns)].astype(np.float32)
            np.testing.assert_array_equal(read_cube(array, axes, rows=rows, columns=columns), cut)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 2**32), st.sampled_from([0.05, 0.3, 0.7]))
def test_the_largest_rectangle_is_that_of_trying_all(height: int, width: int, seed: int, share: float) -> None:
    pixels = np.random.default_rng(seed).random((height, width)) < share
    areas = [
        (bottom - top) * (right - left)
        for top in range(height)
        for bottom in range(top + 1, height + 1)
        for left in range(width)
        for right in range(left + 1, width + 1)
        if not pixels[top:bottom, left:right].any()
    ]
    free = Holes(pixels, (1,), 10, 20, "").free
    if not areas:
        assert free is None
        return
    assert free is not None
    (top, bottom), (left, right) = free
    assert not pixels[top - 10 : bottom - 10, left - 20 : right - 20].any()
    assert (bottom - top) * (right - left) == max(areas)


@pytest.mark.parametrize(
    ("kind", "stored", "no_data", "due"),
    [
        ("f4", [np.float32(-3.4e38), 1], -3.4e38, [1, 0]),
        ("f4", [np.finfo("f4").min, 1], -3.40282e38, [1, 0]),
        ("f4", [np.finfo("f4").min, 1], -1.7976931348623157e308, [0, 0]),
        ("f4", [0.1, 1], 0.1, [1, 0]),
        ("f4", [np.nan, 1], math.nan, [1, 0]),
        ("f8", [np.inf, 1], math.inf, [1, 0]),
        ("u2", [65535, 1], 65535.0, [1, 0]),
        ("u1", [255, 241], -9999, [0, 0]),
        ("i2", [-1, 1], 65535, [0, 0]),
        ("i2", [1, 2], 1.5, [0, 0]),
        ("i2", [0, 2], math.nan, [0, 0]),
        ("u8", [2**64 - 1, 2**64 - 2], 2**64 - 1, [1, 0]),
        ("i8", [2**53, 2**53 + 1], 2**53 + 1, [0, 1]),
    ],
)
def test_no_data_are_compared_in_the_type_of_the_file(kind: str, stored: Any, no_data: float, due: list[int]) -> None:
    for order in "<>":
        part = np.array(stored, order + kind)
        np.testing.assert_array_equal(holes_in(part, [no_data]), np.array(due, bool))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_FillValue", np.int16(-9999)),
        ("missing_value", [-5, -9999]),
        ("Data_Ignore_Value", "-9999"),
        ("NO_DATA", b"-9999.0"),
        ("No_Data", -9999.0),
        ("nodata_value", np.array([-9999])),
    ],
)
def test_attributes_that_declare_no_data(tmp_path: Path, name: str, value: Any) -> None:
    stored = np.random.default_rng(0).integers(0, 100, (3, 8, 9)).astype("i2")
    stored[1, 2, 3] = -9999
    path = hdf5(tmp_path, stored, {name: value})
    with pytest.raises(HsbenchError, match=rf"1\.39 % .* \({name} = .*-9999\): within rows 2 to 2 and columns 3 to 3"):
        opened(path, "CHW")
    # which a program other than MATLAB may write into its files, too
    with h5py.File(tmp_path / "x.mat", "w", userblock_size=512) as file:
        file.create_dataset("hsi", data=stored.T).attrs[name] = value
    header = b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\0\2IM"
    (tmp_path / "x.mat").write_bytes(header + (tmp_path / "x.mat").read_bytes()[len(header) :])
    with pytest.raises(HsbenchError, match="within rows 2 to 2 and columns 3 to 3"):
        opened(tmp_path / "x.mat", "CHW")
    # what is said of a group is said of what it holds
    with h5py.File(tmp_path / "group.h5", "w") as file:
        file.create_dataset("cubes/hsi", data=stored)
        file["cubes"].attrs[name] = value
    with pytest.raises(HsbenchError, match=name):
        opened(tmp_path / "group.h5", "CHW")


def test_numbers_that_are_nan_without_a_word_are_refused_as_ever(tmp_path: Path) -> None:
    cube = scene(4).astype("f4")
    cube[2, 3, 1] = np.nan
    hdf5(tmp_path, cube, {})
    with pytest.raises(HsbenchError, match=r"1 values are NaN or infinite, the first \(nan\) in band 3 at row 3"):
        open_dataset(f"mat:{tmp_path}/x.h5").read("x")
    hdf5(tmp_path, cube, {"_FillValue": np.float32(np.nan)})
    with pytest.raises(HsbenchError, match=r"\(_FillValue = nan\): within rows 3 to 3 and columns 1 to 1.*in 1 of 4"):
        open_dataset(f"mat:{tmp_path}/x.h5").read("x")


# -- what is refused


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("data gain values = {1, 2}", "data gain values has 2 numbers for 4 bands"),
        ("data gain values = {1, 2, 0, 1}", "data gain values has 0, which leaves nothing"),
        ("data gain values = {1, 2, nan, 1}", "data gain values has nan, which is not finite"),
        ("data offset values = {1, 2, 3, 4, 5}", "data offset values has 5 numbers for 4 bands"),
        ("data offset values = {1, inf, 3, 4}", "data offset values has inf, which is not finite"),
        ("bbl = {1, 0, 1}", "bbl has 3 numbers for 4 bands"),
        ("bbl = {1, 0, 1, 7}", "bbl has 7, where 1 marks a good band"),
        ("reflectance scale factor = 0", "reflectance scale factor has 0"),
        ("data ignore value = none", "data ignore value has 'none', which is no number"),
        ("data gain values = {1, 2, 3, 4}\ndata reflectance gain values = {1, 1, 1, 2}", "are both stated, and differ"),
    ],
)
def test_statements_that_cannot_be_are_refused(tmp_path: Path, entry: str, said: str) -> None:
    path = envi(tmp_path, scene(4).astype("f4"), {})
    path.write_text(path.read_text() + entry + "\n")
    with pytest.raises(HsbenchError, match=said):
        opened(path)


def test_metadata_of_some_bands_only_are_refused(tmp_path: Path) -> None:
    path = geotiff(tmp_path, scene(4).astype("f4"), {"SCALE": [1, 2, 3]})
    with pytest.raises(HsbenchError, match="SCALE for 3 of 4 bands"):
        opened(path)
    path = hdf5(tmp_path, scene(4).astype("f4"), {"scale_factor": [1.0, 2.0, 3.0]})
    with pytest.raises(HsbenchError, match=r"3 gains are stated \(scale_factor = 1, 2, 3\) for 4 bands"):
        opened(path, "CHW")


def test_an_entry_of_envi_that_gdal_carries_along_counts(tmp_path: Path) -> None:
    cube = scene(4).astype("f4")
    path = geotiff(tmp_path, cube, {"data_gain_values": "{ 1, 2, 3, 4 }", "bbl": "{1, 1, 0, 1}"})
    np.testing.assert_array_equal(
        opened(path), (cube.astype(np.float64) * np.arange(1, 5).reshape(4, 1, 1)).astype(np.float32)
    )
    assert open_dataset(str(describe(tmp_path, 'file = "x.tif"\nconst = 4'))).bands_used == (1, 2, 4)


def test_a_full_scale_in_the_file_is_used_and_must_agree(tmp_path: Path) -> None:
    stored = np.rint(scene(4) * 10000).astype("<u2")
    path = envi(tmp_path, stored, {"reflectance scale factor": 10000})
    due = (stored.astype(np.float64) / 10000).astype(np.float32)
    np.testing.assert_array_equal(open_dataset(f"mat:{path}").read("x"), due)
    for const in ("", "const = 10000"):
        mine = describe(tmp_path, f'file = "x.hdr"\n{const}')
        np.testing.assert_array_equal(open_dataset(str(mine)).read("mine"), due)
    for const in (4095, 1):
        mine = describe(tmp_path, f'file = "x.hdr"\nconst = {const}\nclip = true')
        with pytest.raises(
            HsbenchError, match=rf"factor = 10000, so that 10000 is .* const in .*mine\.toml is {const}:"
        ):
            open_dataset(str(mine)).read("mine")
    mine = describe(tmp_path, 'file = "x.hdr"\nconst = "maximum"')
    np.testing.assert_array_equal(open_dataset(str(mine)).read("mine"), (stored / float(stored.max())).astype("f4"))


def test_scale_factors_of_hdf5(tmp_path: Path) -> None:
    stored = np.rint(scene(4) * 10000).astype("<i2")
    due = (stored.astype(np.float64) / 10000).astype(np.float32)
    neon = hdf5(tmp_path, stored, {"Scale_Factor": 10000.0, "Data_Ignore_Value": -9999.0})
    np.testing.assert_array_equal(open_dataset(f"mat:{neon}").read("x"), due)
    packed = hdf5(tmp_path, stored, {"scale_factor": 5e-5, "add_offset": 0.25})
    due = (stored.astype(np.float64) * 5e-5 + 0.25).astype(np.float32)
    np.testing.assert_array_equal(open_dataset(f"mat:{packed}").read("x"), due)


def test_calibration_of_values_that_are_calibrated_already_is_refused(tmp_path: Path) -> None:
    statements: list[dict[str, Any]] = [{"reflectance scale factor": 10000}, {"data gain values": [0.0001] * 4}]
    for stated in statements:
        path = envi(tmp_path, scene(4).astype("f4"), stated)
        with pytest.raises(HsbenchError, match=r"the file states .*000.*, by which its values reach .* full scale of"):
            open_dataset(f"mat:{path}").read("x")
        with pytest.raises(HsbenchError, match="by which its values reach"):
            open_dataset(str(describe(tmp_path, 'file = "x.hdr"'))).read("mine")


def test_a_full_scale_of_the_stored_numbers_beside_a_gain(tmp_path: Path) -> None:
    stored = np.rint(scene(4) * 4000).astype("<i2")
    geotiff(tmp_path, stored, {"SCALE": [0.0001] * 4, "OFFSET": [0] * 4})
    due = (stored.astype(np.float64) * 0.0001).astype(np.float32)
    for const in ("", "const = 1", "const = 10000"):
        mine = describe(tmp_path, f'file = "x.tif"\n{const}')
        np.testing.assert_array_equal(open_dataset(str(mine)).read("mine"), due)
    mine = describe(tmp_path, 'file = "x.tif"\nconst = 4095')
    with pytest.raises(HsbenchError, match=r"SCALE = 0\.0001, by which its values reach 0\..*full scale of 4095"):
        open_dataset(str(mine)).read("mine")


# -- bands


def test_bands_without_values_and_constant_ones_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cube = scene(6).astype("<f4")
    cube[1] = -1
    cube[3] = 0.5
    cube[4, 2:4, 5] = -1
    hdf5(tmp_path, cube, {"_FillValue": np.float32(-1)})
    path = describe(
        tmp_path, 'file = "x.h5"\nlayout = "CHW"\nwavelengths = [401, 402, 403, 404, 405, 406]\nholes = "drop-bands"'
    )
    with caplog.at_level(logging.WARNING, "hsfusion_bench"):
        source = open_dataset(str(path))
    assert (source.bands_used, source.wavelengths) == ((1, 3, 6), (401, 403, 406))
    np.testing.assert_array_equal(source.read("mine"), cube[[0, 2, 5]])
    [note] = [record.getMessage() for record in caplog.records]
    assert "band 2 without any value (_FillValue = -1); band 4 the same everywhere; band 5 with pixels without" in note
    describe(tmp_path, 'file = "x.h5"\nlayout = "CHW"')
    with pytest.raises(HsbenchError, match=r'in 1 of 4 bands; .*"crop" .*"drop-bands" for the 3 bands without them'):
        open_dataset(str(path)).read("mine")
    describe(tmp_path, 'file = "x.h5"\nlayout = "CHW"\nkeep_bad_bands = true')
    with pytest.raises(HsbenchError, match=r"100 % .* in 2 of 6 bands \(1 of them wholly\)"):
        open_dataset(str(path)).read("mine")


def test_wavelengths_that_are_given_are_of_the_bands_of_the_file(tmp_path: Path) -> None:
    envi(tmp_path, scene(6).astype("<f4"), {"bbl": [1, 1, 0, 1, 1, 0]})
    name = f"mat:{tmp_path / 'x.hdr'}"
    source = open_dataset(name, wavelengths="400:500")
    assert source.wavelengths == (400, 420, 460, 480)
    assert source.wavelengths_given is not None
    again = open_dataset(name, wavelengths=source.wavelengths_given)  # as a record has them
    assert again.wavelengths == source.wavelengths
    with pytest.raises(HsbenchError, match="5 wavelengths are stated, but the cube has 4 bands"):
        open_dataset(name, wavelengths="400,420,440,460,480")


def test_dropped_bands_are_counted_in_the_file(tmp_path: Path) -> None:
    cube = scene(6).astype("<f4")
    envi(tmp_path, cube, {"bbl": [1, 1, 0, 1, 1, 1]})
    path = describe(tmp_path, 'file = "x.hdr"\ndropped = [1, "3-4"]')
    np.testing.assert_array_equal(open_dataset(str(path)).read("mine"), cube[[1, 4, 5]])
    assert open_dataset(str(path)).bands_used == ()  # the description says them all
    describe(tmp_path, 'file = "x.hdr"\ndropped = [1]')
    np.testing.assert_array_equal(open_dataset(str(path)).read("mine"), cube[[1, 3, 4, 5]])
    assert open_dataset(str(path)).bands_used == (2, 4, 5, 6)


def test_a_further_file_that_marks_other_bands_is_refused(tmp_path: Path) -> None:
    cube = scene(6).astype("<f4")
    for name, bad in (("a", 2), ("b", 4)):
        (tmp_path / name).mkdir()
        envi(tmp_path / name, cube, {"bbl": [int(band != bad) for band in range(6)]})
    text = 'file = "{scene}/x.hdr"\nscene = [{ name = "a" }, { name = "b" }]'
    source = open_dataset(str(describe(tmp_path, text)))
    np.testing.assert_array_equal(source.read("a"), cube[[0, 1, 3, 4, 5]])
    with pytest.raises(
        HsbenchError, match=r"bbl = 0 for band 5\) that the first file of mine does not: .*dropped = \[5"
    ):
        source.read("b")


def test_a_record_without_bad_bands_may_be_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSBENCH_DATASETS", str(tmp_path))
    envi(tmp_path, scene().astype("<f4"), {"bbl": [int(band != 6) for band in range(31)]})
    describe(tmp_path, 'file = "x.hdr"\nbands = 31\nwavelengths = { start = 400, stop = 700 }')
    folder = tmp_path / "results" / "mine-x4-uestc"
    done = run("mine", tmp_path, "--save-mat", folder.parent)
    assert done.exit_code == 0, done.stderr
    done = hsbench("submit-check", tmp_path / "results")
    assert done.exit_code == 0, done.stdout
    record = folder / "bicubic.json"
    record.write_text(record.read_text().replace('"bands_used": [\n      1,', '"bands_used": [\n      7,'))
    done = hsbench("submit-check", tmp_path / "results")
    assert done.exit_code == 1
    assert "wrong" in done.stdout


# -- pairs, and results made elsewhere


def test_fuse_refuses_no_data_in_either_image_and_reads_what_is_stated(tmp_path: Path) -> None:
    hsi, msi = np.rint(scene(5, 16) * 10000).astype("<i2"), np.rint(scene(2, 64) * 4000).astype("<u2")
    for folder in ("hsi", "msi"):
        (tmp_path / folder).mkdir()
    lr, hr = envi(tmp_path / "hsi", hsi, {"reflectance scale factor": 10000}), tmp_path / "msi" / "x.tif"
    geotiff(tmp_path / "msi", msi, {"SCALE": [0.00025, 0.0002], "OFFSET": [0, 0.1], "no_data": "0"})
    out = tmp_path / "fused.npy"
    done = hsbench("fuse", "bicubic", lr, hr, out, "--const", "1")
    assert (done.exit_code, out.exists()) == (1, False)
    assert "reflectance scale factor = 10000, so that 10000 is full scale, but --const is 1" in flat(done.stderr)
    done = hsbench("fuse", "bicubic", lr, hr, tmp_path / "as-stated.npy")
    assert done.exit_code == 0, done.stderr
    done = hsbench("fuse", "bicubic", lr, hr, out, "--const", "10000", "--msi-const", "1")
    assert done.exit_code == 0, done.stderr
    assert (np.load(out) == np.load(tmp_path / "as-stated.npy")).all()
    msi[1, 5:8, 60] = 0
    geotiff(tmp_path / "msi", msi, {"SCALE": [0.00025, 0.0002], "OFFSET": [0, 0.1], "no_data": "0"})
    done = hsbench("fuse", "bicubic", lr, hr, tmp_path / "other.npy", "--const", "10000", "--msi-const", "1")
    assert (done.exit_code, (tmp_path / "other.npy").exists()) == (1, False)
    place = "0.0732 % of the pixels have no value (GDAL_NODATA = 0): within rows 5 to 7 and columns 60 to 60"
    assert place in flat(done.stderr)
    assert "in 1 of 2 bands" in flat(done.stderr)


def test_results_made_elsewhere_are_calibrated_and_have_no_holes(tmp_path: Path) -> None:
    scene_ = open_dataset("demo").read("oranges")
    stored = np.rint(scene_ * 10000).astype("<i4")
    arguments = ("--name", "Mine", "--dataset", "demo", "--scale", "4", "--scenes", "oranges")
    where = ("--results-dir", tmp_path / "results")
    path = hdf5(tmp_path, stored, {"scale_factor": 1e-4, "_FillValue": -1})
    done = hsbench("evaluate", path, *arguments, *where, "--key", "hsi")
    assert done.exit_code == 0, done.stderr
    (file,) = (tmp_path / "results").glob("*/*.json")
    error = stored * 1e-4 - scene_.astype(np.float64)
    due = np.mean([10 * np.log10(1 / np.mean(band**2)) for band in error])
    assert read_record(file).scenes[0].psnr == pytest.approx(due, rel=1e-9)
    stored[3, 7, 8] = -1
    done = hsbench("evaluate", hdf5(tmp_path, stored, {"_FillValue": -1}), *arguments, *where, "--key", "hsi")
    assert done.exit_code == 1
    assert "(_FillValue = -1): within rows 7 to 7 and columns 8 to 8, counted from 0, in 1 of 31" in flat(done.stderr)
