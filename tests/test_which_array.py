"""Which array of a file is meant: in cells, structs, groups and behind links, of several, and joined from several."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from numpy.typing import NDArray
from scipy import io

from hsfusion_bench.cli import main
from hsfusion_bench.data.catalog import open_dataset
from hsfusion_bench.data.scenes import Cube
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.formats.arrays import open_arrays

Array = NDArray[Any]

CUBE = np.random.default_rng(2).random((31, 32, 32)).astype(np.float32)
HWC = CUBE.transpose(1, 2, 0)
MSI = HWC[..., :3].copy()


def cube_of(name: str) -> Cube:
    source = open_dataset(name)
    return source.read(source.scene_names()[0])


def cells(*values: Any, shape: tuple[int, ...] | None = None) -> Array:
    """Return a cell, as SciPy takes it."""
    made = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        made[place] = value
    return made.reshape(shape or (1, -1), order="F")


class Matlab73:
    """Writes MAT-files of version 7.3 as MATLAB does: cells and arrays of structs by references to #refs#."""

    def __init__(self, path: Path, variables: dict[str, Any]) -> None:
        self.numbers = count()
        with h5py.File(path, "w", userblock_size=512) as file:
            self.references = file.create_group("#refs#")
            for name, value in variables.items():
                self.write(file, name, value)
        with path.open("r+b") as stream:
            stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + bytes((0, 2)) + b"IM")

    def write(self, group: h5py.Group, name: str, value: Any) -> h5py.HLObject:
        if isinstance(value, dict):
            made: h5py.HLObject = group.create_group(name)
            for field, inner in value.items():
                self.write(made, field, inner)
            made.attrs["MATLAB_class"] = np.bytes_("struct")
        elif isinstance(value, list):  # an array of structs
            made = group.create_group(name)
            for field in value[0]:
                made.create_dataset(field, data=self.refer([each[field] for each in value])[:, None])
            made.attrs["MATLAB_class"] = np.bytes_("struct")
        elif value.dtype == object:
            references = self.refer(value.ravel(order="F")).reshape(value.shape[::-1])
            made = group.create_dataset(name, data=references)
            made.attrs["MATLAB_class"] = np.bytes_("cell")
        else:
            made = group.create_dataset(name, data=value.T)
            made.attrs["MATLAB_class"] = np.bytes_({"f": "single", "d": "double"}[value.dtype.char])
        return made

    def refer(self, values: Any) -> Array:
        every = [self.write(self.references, f"r{next(self.numbers)}", value).ref for value in values]
        return np.array(every, dtype=h5py.ref_dtype)


def matlab5(path: Path, variables: dict[str, Any]) -> None:
    def structs(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        made = np.zeros((1, len(value)), dtype=[(name, object) for name in value[0]])
        for place, each in enumerate(value):
            for name, inner in each.items():
                made[0, place][name] = inner
        return made

    io.savemat(path, {name: structs(value) for name, value in variables.items()}, do_compression=True)


WRITERS: list[Callable[[Path, dict[str, Any]], Any]] = [matlab5, Matlab73]


# -- cells and structs


@pytest.mark.parametrize("write", WRITERS)
def test_an_element_of_a_cell_is_named_as_in_matlab(tmp_path: Path, write: Callable[..., Any]) -> None:
    write(tmp_path / "x.mat", {"hsi": cells(HWC, HWC / 2)})
    np.testing.assert_array_equal(cube_of(f"mat:{tmp_path}/x.mat:hsi{{1}}"), CUBE)
    np.testing.assert_array_equal(cube_of(f"mat:{tmp_path}/x.mat:HSI{{ 2 }}"), CUBE / 2)
    for key in ("", ":hsi"):
        with pytest.raises(HsbenchError, match=r"hsi is a cell of 2 cubes: name one, hsi\{1\} or hsi\{2\}"):
            open_dataset(f"mat:{tmp_path}/x.mat{key}")
    with pytest.raises(HsbenchError, match=r"there is no hsi\{3\}; hsi is a cell of 2 cubes: name one"):
        open_dataset(f"mat:{tmp_path}/x.mat:hsi{{3}}")


@pytest.mark.parametrize("write", WRITERS)
def test_a_cell_of_one_cube_is_that_cube(tmp_path: Path, write: Callable[..., Any]) -> None:
    write(tmp_path / "x.mat", {"hsi": cells(HWC), "other": np.eye(3)})
    for key in ("", ":hsi", ":hsi{1}"):
        np.testing.assert_array_equal(cube_of(f"mat:{tmp_path}/x.mat{key}"), CUBE)


@pytest.mark.parametrize("write", WRITERS)
def test_elements_of_matrices_of_cells_and_structs_within_them(tmp_path: Path, write: Callable[..., Any]) -> None:
    inner = cells(cells({"cube": HWC / 4, "n": np.eye(2)}), HWC / 8)
    write(
        tmp_path / "x.mat",
        {
            "c": cells(np.eye(2), HWC, HWC / 2, np.eye(3), shape=(2, 2)),
            "s": [{"cube": HWC / 3, "n": np.eye(1)}, {"cube": HWC / 5, "n": np.eye(1)}],
            "deep": {"inner": inner},
        },
    )
    with open_arrays(tmp_path / "x.mat") as arrays:
        assert {name for name, array in arrays.items() if len(array.shape) == 3} == {
            "c{2,1}",
            "c{1,2}",
            "s(1).cube",
            "s(2).cube",
            "deep.inner{1}{1}.cube",
            "deep.inner{2}",
        }
        assert arrays.others["s"] == "an array of 2 structs"
    for key, scale in {
        "c{2,1}": 1,
        "c{1,2}": 2,
        "s(1).cube": 3,
        "s(2)/cube": 5,
        "deep.inner{1}{1}.cube": 4,
        "deep/inner{2}": 8,
    }.items():
        np.testing.assert_array_equal(cube_of(f"mat:{tmp_path}/x.mat:{key}"), CUBE / np.float32(scale), err_msg=key)
    with pytest.raises(HsbenchError, match=r"s is an array of 2 structs: name one, s\(1\)\.cube or s\(1\)\.n or"):
        open_dataset(f"mat:{tmp_path}/x.mat:s")


def test_what_a_file_holds_besides_numbers_is_said(tmp_path: Path) -> None:
    io.savemat(tmp_path / "x.mat", {"notes": "ours", "names": cells("a", "b")})
    with pytest.raises(HsbenchError, match=r"it holds notes \(text\).*names \(a cell of 2 elements\)"):
        open_dataset(f"mat:{tmp_path}/x.mat")
    with pytest.raises(HsbenchError, match=r"notes is text; it holds"):
        open_dataset(f"mat:{tmp_path}/x.mat:notes")


# -- links


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "beside.h5", "w") as file:
        file["there"] = HWC / 2
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["raw/cube_inner"] = HWC
        file["raw/up"] = h5py.SoftLink("/raw")
        file["hsi"] = h5py.SoftLink("/raw/cube_inner")
        file["outside"] = h5py.ExternalLink("beside.h5", "/there")
        file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")
        file["gone"] = h5py.SoftLink("/raw/gone")
        file["lost"] = h5py.ExternalLink("lost.h5", "/there")
        file["lost_in"] = h5py.ExternalLink("beside.h5", "/gone")
    return tmp_path / "x.h5"


def test_links_are_followed(linked: Path) -> None:
    for key in (":hsi", ":raw/cube_inner", ":/raw/cube_inner", ":raw"):
        np.testing.assert_array_equal(cube_of(f"mat:{linked}{key}"), CUBE)
    np.testing.assert_array_equal(cube_of(f"mat:{linked}:outside"), CUBE / 2)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("a", "a is a soft link to /b, which leads back to itself"),
        ("gone", "gone is a soft link to /raw/gone, which is not there"),
        ("lost", r"lost is an external link to /there of lost\.h5, which is not there: put it at .*lost\.h5"),
        ("lost_in", r"an external link to /gone of beside\.h5, which holds nothing of that name"),
        ("raw/up", "raw/up is a link to a group that it is in"),
    ],
)
def test_links_that_lead_nowhere_are_refused_by_name(linked: Path, key: str, words: str) -> None:
    with pytest.raises(HsbenchError, match=words):
        open_dataset(f"mat:{linked}:{key}")


def test_two_names_of_one_array_are_one_array(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["one"] = HWC
        file["two"], file["three"] = file["one"], h5py.SoftLink("/one")
    np.testing.assert_array_equal(cube_of(f"mat:{tmp_path}/x.h5"), CUBE)


def test_a_usual_name_may_be_that_of_a_link(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a/x"], file["a/y"] = HWC, MSI
        file["hsi"], file["msi"] = h5py.SoftLink("/a/x"), h5py.SoftLink("/a/y")
        for name, values in SAMPLES.items():
            file[f"stored/{name[0]}"] = values
            file[f"z/{name}"] = h5py.SoftLink(f"/stored/{name[0]}")
    np.testing.assert_array_equal(cube_of(f"mat:{tmp_path}/x.h5"), CUBE)
    np.testing.assert_array_equal(cube_of(f"h5:{tmp_path}/x.h5"), CUBE)


def test_no_other_array_is_taken_for_one_whose_link_is_broken(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["msi"], file["hsi"] = MSI, h5py.SoftLink("/gone")
    with pytest.raises(HsbenchError, match="hsi is a soft link to /gone, which is not there"):
        open_dataset(f"mat:{tmp_path}/x.h5")
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file["msi"], file["hsi"], file["gt"], file["none"] = MSI, HWC.astype("c8"), "a text", h5py.Empty("f4")
    with pytest.raises(HsbenchError, match=r"hsi is of type complex64; it holds msi \[32, 32, 3\]"):
        open_dataset(f"mat:{tmp_path}/y.h5")
    np.testing.assert_array_equal(cube_of(f"mat:{tmp_path}/y.h5:msi"), CUBE[:3])


def test_scales_of_netcdf_are_no_cubes(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.nc", "w") as file:
        file["radiance"], file["wavelength"] = HWC, np.linspace(400, 700, 31)
        file["wavelength"].make_scale("wavelength")
        file["radiance"].dims[2].attach_scale(file["wavelength"])
        file["odd"] = np.zeros((2, 3, 4))
        file["odd"].make_scale("This is a netCDF dimension but not a netCDF variable.        24")
    source = open_dataset(f"mat:{tmp_path}/x.nc")
    assert source.wavelengths == tuple(np.linspace(400, 700, 31))
    np.testing.assert_array_equal(source.read("x"), CUBE)


# -- the one that is meant


@pytest.mark.parametrize(
    "variables",
    [
        {"hsi": HWC, "msi": MSI},
        {"MSI": HWC, "rgb": MSI},
        {"Hsi": MSI, "MSI": HWC},
        {"gt": HWC, "hsi": HWC[::4, ::4], "msi": MSI},
        {"X": HWC, "Y": MSI, "wavelengths": np.linspace(400, 700, 31)},
        {"cubic": HWC, "msi": MSI, "Wavelength": np.linspace(400, 700, 31)},
        {"rad": HWC, "spectra": np.zeros((7, 9, 200))},
    ],
)
def test_the_hyperspectral_image_is_meant_and_the_choice_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, variables: dict[str, Array]
) -> None:
    io.savemat(tmp_path / "x.mat", variables)
    with caplog.at_level(logging.WARNING, "hsfusion_bench"):
        np.testing.assert_array_equal(cube_of(f"mat:{tmp_path}/x.mat"), CUBE)
    assert "[32, 32, 31] is taken; it holds" in caplog.text


@pytest.mark.parametrize(
    "variables",
    [{"X": HWC, "Y": MSI}, {"cubic": HWC, "msi": MSI}, {"hsi": HWC, "HSI": HWC[..., :5]}, {"a": HWC, "b1": HWC}],
)
def test_what_names_and_bands_do_not_tell_is_asked_for(tmp_path: Path, variables: dict[str, Array]) -> None:
    np.savez(tmp_path / "x.npz", **variables)
    with pytest.raises(HsbenchError, match="which array is the cube cannot be told; name its key"):
        open_dataset(f"mat:{tmp_path}/x.npz")


# -- joined


def series(path: Path, *parts: Array) -> Path:
    with tifffile.TiffWriter(path) as file:
        for part in parts:
            file.write(part, photometric="minisblack")
    return path


def test_series_of_a_tiff_are_asked_for_or_joined(tmp_path: Path) -> None:
    path = series(tmp_path / "x.tif", CUBE[:3], CUBE[3:])
    with pytest.raises(HsbenchError, match=r"cannot be told; .*series1 \[3, 32, 32\], series2 \[28, 32, 32\]"):
        open_dataset(f"mat:{path}")
    np.testing.assert_array_equal(cube_of(f"mat:{path}:series2"), CUBE[3:])
    np.testing.assert_array_equal(cube_of(f"mat:{path}:series1+series2"), CUBE)
    np.testing.assert_array_equal(cube_of(f"mat:{path}:series2+series1"), np.concatenate([CUBE[3:], CUBE[:3]]))
    described = tmp_path / "mine.toml"
    described.write_text(
        'title = "x"\nfile = "x.tif"\njoin = ["series1", "series2"]\ndropped = [2, 31]\nrows = [4, 20]'
    )
    np.testing.assert_array_equal(cube_of(str(described)), np.delete(CUBE, [1, 30], 0)[:, 4:20])


def test_joined_arrays_bring_their_wavelengths_and_may_be_single_bands(tmp_path: Path) -> None:
    nm = np.linspace(400, 2500, 31)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["VNIR/cube"], file["VNIR/wavelength"] = HWC[:20, :, :10], nm[:10]
        file["SWIR/cube"], file["SWIR/wavelength"] = CUBE[10:, :20], nm[10:]
        for band in range(3):
            file[f"B{band}"] = CUBE[band, :20]
    source = open_dataset(f"mat:{tmp_path}/x.h5:VNIR/cube+SWIR/cube")
    assert source.wavelengths == pytest.approx(tuple(nm))
    np.testing.assert_array_equal(source.read("x"), CUBE[:, :20])
    np.testing.assert_array_equal(cube_of(f"mat:{tmp_path}/x.h5:B2+B0+B1"), CUBE[[2, 0, 1], :20])


def test_arrays_of_other_sizes_do_not_join(tmp_path: Path) -> None:
    path = series(tmp_path / "x.tif", CUBE[:3], CUBE[3:, :20, :25])
    with pytest.raises(HsbenchError, match=r"series1 \[3, 32, 32\] and series2 \[28, 20, 25\] cannot be joined"):
        open_dataset(f"mat:{path}:series1+series2")
    (tmp_path / "mine.toml").write_text('title = "x"\nfile = "x.tif"\nkey = "series1"\njoin = ["series1"]')
    with pytest.raises(HsbenchError, match="cannot be joined: one of them is named twice"):
        open_dataset(f"mat:{path}:series1+series1")
    with pytest.raises(HsbenchError, match="key names one array and join several"):
        open_dataset(str(tmp_path / "mine.toml"))


# -- samples

SAMPLES = {
    "GT": np.stack([CUBE, CUBE / 2]),
    "LRHSI": np.stack([CUBE, CUBE / 2])[:, :, ::4, ::4],
    "RGB": np.stack([CUBE, CUBE / 2])[:, :3],
}


def samples(path: Path, names: list[str], *, order: str = "NCHW", const: float = 1) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in zip(names, SAMPLES.values(), strict=True):
            file[name] = const * values.transpose(["NCHW".index(axis) for axis in order])
    return path


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize(
    "names", [["GT", "LRHSI", "RGB"], ["gt", "ms", "pan"], ["Gt", "lrHSI", "HRMSI"], ["data/gt", "data/MS", "data/pan"]]
)
def test_samples_are_found_under_usual_names_and_in_either_order(tmp_path: Path, names: list[str], order: str) -> None:
    source = open_dataset(f"h5:{samples(tmp_path / 'x.h5', names, order=order)}")
    assert (source.bands, source.scene_names()) == (31, ("1", "2"))
    np.testing.assert_array_equal(source.read("2"), CUBE / 2)
    stored = source.stored_observation("1")
    assert stored is not None
    np.testing.assert_array_equal(stored.lr_hsi, CUBE[:, ::4, ::4])
    np.testing.assert_array_equal(stored.hr_msi, CUBE[:3])


def test_a_full_scale_that_the_values_hardly_fill_is_refused(tmp_path: Path) -> None:
    path = samples(tmp_path / "x.h5", ["gt", "ms", "pan"])
    with pytest.raises(HsbenchError, match=r"the values reach .*hardly fills the full scale of 2047"):
        open_dataset(f"h5:{path}:const=2047").read("1")
    io.savemat(tmp_path / "x.mat", {"hsi": CUBE.transpose(1, 2, 0)})
    (tmp_path / "mine.toml").write_text('title = "m"\nfile = "x.mat"\nbands = 31\nconst = 2047')
    with pytest.raises(HsbenchError, match=r"the values reach .*hardly fills the full scale of 2047"):
        open_dataset(str(tmp_path / "mine.toml")).read("mine")


def test_samples_of_a_mat_file_may_be_stacked_as_matlab_does(tmp_path: Path) -> None:
    io.savemat(tmp_path / "x.mat", {name: values.transpose(2, 3, 1, 0) for name, values in SAMPLES.items()})
    np.testing.assert_array_equal(open_dataset(f"h5:{tmp_path}/x.mat").read("2"), CUBE / 2)


def test_the_full_scale_of_samples_is_stated_and_not_guessed(tmp_path: Path) -> None:
    path = samples(tmp_path / "x.h5", ["gt", "ms", "pan"], const=1800)
    with pytest.raises(HsbenchError, match=r"not within 0 and the full scale, 1; 2047 is likely: .*--const 2047"):
        open_dataset(f"h5:{path}").read("1")
    source = open_dataset(f"h5:{path}:const=2047")
    assert source.name == "h5:x.h5:const=2047"
    np.testing.assert_allclose(source.read("1"), CUBE * 1800 / 2047, rtol=1e-6)
    stored = source.stored_observation("1")
    assert stored is not None
    np.testing.assert_allclose(stored.hr_msi, CUBE[:3] * 1800 / 2047, rtol=1e-6)
    for text in ("const=0", "const=many", "scale=4"):
        with pytest.raises(UsageError, match=text.partition("=")[0]):
            open_dataset(f"h5:{path}:{text}")


def test_samples_are_run_with_their_full_scale(tmp_path: Path) -> None:
    path = samples(tmp_path / "cave_x4.h5", ["gt", "ms", "pan"], const=1800)
    asked = ["run", "--methods", "bicubic", "--scale", "4", "--no-timing", "--results-dir", str(tmp_path / "r")]
    done = CliRunner().invoke(main, [*asked, "--dataset", f"h5:{path}", "--const", "2047"])
    assert done.exit_code == 0, done.output
    assert "h5:cave_x4.h5:const=2047" in done.output
    done = CliRunner().invoke(main, [*asked, "--dataset", "demo", "--const", "2047"])
    assert done.exit_code == 2
    assert "goes with --dataset h5:FILE" in done.output


def test_names_of_samples_may_be_stated(tmp_path: Path) -> None:
    path = samples(tmp_path / "x.h5", ["truth", "low", "high"])
    with pytest.raises(
        HsbenchError, match=r"no dataset 'GT'; it holds .*truth \[2, 31, 32, 32\]\. Usual names of GT are"
    ):
        open_dataset(f"h5:{path}")
    np.testing.assert_array_equal(open_dataset(f"h5:{path}:gt=truth,lrhsi=low,rgb=high").read("1"), CUBE)


def test_samples_that_disagree_are_refused_with_their_shapes(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["GT"], file["LRHSI"], file["RGB"] = (
            np.ones((1, 31, 32, 32)),
            np.ones((1, 30, 8, 8)),
            np.ones((1, 3, 32, 32)),
        )
    done = CliRunner().invoke(main, ["data", "check", f"h5:{tmp_path}/x.h5"])
    assert done.exit_code == 1
    assert "GT [1, 31, 32, 32], LRHSI [1, 30, 8, 8], RGB [1, 3, 32, 32] do not fit each other" in done.output


@pytest.mark.parametrize("order", ["NCHW", "NHWC", "HWCN"])
def test_a_description_makes_scenes_of_samples(tmp_path: Path, order: str) -> None:
    values = SAMPLES["GT"].transpose(["NCHW".index(axis) for axis in order])
    np.save(tmp_path / "x.npy", (values * 2000).astype(np.float32))
    said = f'title = "x"\nfile = "x.npy"\nlayout = "{order}"\nconst = 2000\n'
    (tmp_path / "mine.toml").write_text(said)
    source = open_dataset(str(tmp_path / "mine.toml"))
    assert (source.scene_names(), source.split.test if source.split else ()) == (("1", "2"), ("1", "2"))
    np.testing.assert_allclose(source.read("2"), CUBE / 2, rtol=1e-6)
    (tmp_path / "mine.toml").write_text(f'{said}[[scene]]\nname = "second"\nsample = 2\n')
    np.testing.assert_allclose(open_dataset(str(tmp_path / "mine.toml")).read("second"), CUBE / 2, rtol=1e-6)
    (tmp_path / "mine.toml").write_text(f'{said}[[scene]]\nname = "third"\nsample = 3\n')
    with pytest.raises(HsbenchError, match="holds 2 samples, so that there is no sample 3"):
        open_dataset(str(tmp_path / "mine.toml"))


def test_names_and_kinds_are_shown() -> None:
    done = CliRunner().invoke(main, ["show", "formats"])
    assert done.exit_code == 0
    assert all(len(line) <= 80 for line in done.output.splitlines())
    assert "lrhsi, lr_hsi, ms" in done.output
    assert "MAT-file of version 7.3" in done.output
