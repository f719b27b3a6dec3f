"""Files of other people: which scene, which array, which axes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import io

from hsfusion_bench.data.observing.protocols import Split
from hsfusion_bench.data.task import ScenePlan
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.formats.arrays import StoredArray, open_arrays
from hsfusion_bench.formats.finding import RESULT, find_array
from hsfusion_bench.runs.elsewhere import brought
from hsfusion_bench.runs.predictions import Cubes, find_predictions

Array = NDArray[np.float64]
ALL = ("face", "photo_and_face", "beads", "cd")
SPLIT = Split("s", ("beads",), ("face", "photo_and_face", "cd"))
IMAGE = (5, 20, 24)


def plan(*names: str) -> ScenePlan:
    return ScenePlan(SPLIT, "test", names or SPLIT.test, ())


@pytest.fixture
def cube() -> Array:
    """Values that say where they stand: band, row and column in decimal places."""
    band, row, column = np.indices(IMAGE)
    return 1e-1 * band + 1e-3 * row + 1e-5 * column


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


# -- which file is of which scene


def places(path: Path, asked: ScenePlan) -> dict[str, str]:
    return {file.scenes[0]: file.path.name for file in find_predictions(path, asked, ALL)}


def test_one_file_holds_all_scenes_in_the_splits_order(tmp_path: Path) -> None:
    touch(tmp_path, "x.mat")
    (file,) = find_predictions(tmp_path / "x.mat", plan(), ALL)
    assert file.scenes == ("face", "photo_and_face", "cd")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("cd.mat", "face.npy", "photo_and_face.h5"), ("face.npy", "photo_and_face.h5", "cd.mat")),
        # the longest name wins, so that the face of another scene is not taken for "face"
        (
            ("ours-face-x4.mat", "Photo_And_Face_ms.MAT", "cd_SR.tif"),
            ("ours-face-x4.mat", "Photo_And_Face_ms.MAT", "cd_SR.tif"),
        ),
        # an exact name before others, other scenes' and other files do not matter
        (
            ("face.mat", "face_gt.mat", "photo_and_face.mat", "cd.mat", "beads.mat", "log.txt", "._cd.mat"),
            ("face.mat", "photo_and_face.mat", "cd.mat"),
        ),
        # the authors' numbers are places in the split
        (
            ("output_mulExm_2.mat", "output_mulExm_0.mat", "output_mulExm_1.mat"),
            ("output_mulExm_0.mat", "output_mulExm_1.mat", "output_mulExm_2.mat"),
        ),
    ],
)
def test_files_of_a_folder_find_their_scenes(tmp_path: Path, names: tuple[str, ...], expected: tuple[str, ...]) -> None:
    found = places(touch(tmp_path, *names), plan())
    assert found == dict(zip(SPLIT.test, expected, strict=True))


def test_numbers_are_places_in_the_split_or_among_the_scored_scenes(tmp_path: Path) -> None:
    touch(tmp_path, "output_mulExm_0.mat", "output_mulExm_1.mat")
    both = plan("face", "cd")
    assert places(tmp_path, both) == {"face": "output_mulExm_0.mat", "cd": "output_mulExm_1.mat"}
    touch(tmp_path, "output_mulExm_2.mat")
    assert places(tmp_path, both) == {"face": "output_mulExm_0.mat", "cd": "output_mulExm_2.mat"}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), "holds no file that can be read"),
        (("cd.mat", "beads.mat"), r"no file for 2 of 3 scenes: face, photo_and_face.*--scenes cd"),
        (("face.mat", "photo_and_face.mat", "cd.mat", "cd.npy"), "several files for scene cd: cd.mat, cd.npy"),
        (("all.mat",), "no file is named after a scene.*given itself: .*all.mat"),
        (("output_mulExm_0.mat",), "has 1 files output_mulExm_<k>, but the split has 3 scenes.*face, photo_and_face"),
        (tuple(f"output_mulExm_{k}.mat" for k in (1, 2, 3)), "output_mulExm_3.mat: .* from 0 to 2"),
    ],
)
def test_files_that_cannot_be_matched_are_named(tmp_path: Path, names: tuple[str, ...], words: str) -> None:
    with pytest.raises(HsbenchError, match=words):
        find_predictions(touch(tmp_path, *names), plan(), ALL)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HsbenchError, match="nowhere: there is no such file or folder"):
        find_predictions(tmp_path / "nowhere", plan(), ALL)


# -- files of every kind give the same cube


def matlab(path: Path, **variables: Array) -> None:
    io.savemat(path, variables)


def matlab73(path: Path, **variables: Array) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in variables.items():
            file.create_dataset(name, data=values.T).attrs["MATLAB_class"] = np.bytes_("double")
        file.create_group("#refs#").create_dataset("a", data=np.zeros((3, 3, 3)))


def hdf5(path: Path, **variables: Array) -> None:
    with h5py.File(path, "w") as file:
        for name, values in variables.items():
            file[f"results/{name}"] = values


def zipped(path: Path, **variables: Array) -> None:
    np.savez(path, **variables, notes=np.array([{"a": 1}], dtype=object))


def bare(path: Path, **variables: Array) -> None:
    np.save(path, variables["sr"])


def tif(path: Path, **variables: Array) -> None:
    from skimage.io import imsave

    imsave(path, variables["sr"], check_contrast=False)


KINDS = {
    "a.mat": matlab,
    "b.mat": matlab73,
    "c.h5": hdf5,
    "d.npz": zipped,
    "e.npy": bare,
    "f.tif": tif,
    "g.h5": matlab73,
}


ORDERS = ("CHW", "HWC", "WCH", "1CHW", "HWC1")


# a TIFF file has no axes of one place
@pytest.mark.parametrize(
    ("kind", "order"), [(kind, order) for kind in KINDS for order in (ORDERS[:3] if kind == "f.tif" else ORDERS)]
)
def test_every_kind_of_file_and_order_of_axes_gives_the_cube(
    tmp_path: Path, cube: Array, kind: str, order: str
) -> None:
    places = order.replace("1", "")
    stored = cube.transpose(["CHW".index(axis) for axis in places])
    stored = stored.reshape([1 if axis == "1" else stored.shape[places.index(axis)] for axis in order])
    KINDS[kind](tmp_path / kind, sr=stored, psnr=np.array([[40.0]]))
    with open_arrays(tmp_path / kind) as arrays:
        cubes = Cubes(find_array(arrays, tmp_path / kind, RESULT), ("cd",), IMAGE, None, 1.0)
        assert cubes.axes == order
        np.testing.assert_array_equal(cubes[0], cube)


@pytest.mark.parametrize("order", ["BCHW", "HWCB", "CBWH"])
@pytest.mark.parametrize("kind", ["a.mat", "b.mat", "c.h5", "e.npy"])
def test_cubes_of_several_scenes_come_one_by_one(
    tmp_path: Path, cube: Array, kind: str, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hsfusion_bench.runs.predictions._READ_BYTES", 2 * cube.nbytes)
    several = np.stack([cube + number for number in range(3)])
    KINDS[kind](tmp_path / kind, sr=several.transpose(["BCHW".index(axis) for axis in order]))
    with open_arrays(tmp_path / kind) as arrays:
        cubes = Cubes(find_array(arrays, tmp_path / kind, RESULT), SPLIT.test, IMAGE, None, 2.0)
        assert cubes.axes == order
        for number in (0, 1, 2, 0):
            np.testing.assert_array_equal(cubes[number], (cube + number) / 2)


@pytest.mark.skipif(shutil.which("octave-cli") is None, reason="needs GNU Octave")
@pytest.mark.parametrize("option", ["-v6", "-v7"])
def test_what_octave_saves_is_read(tmp_path: Path, cube: Array, option: str) -> None:
    # values by Octave's own formula, in MATLAB's usual order [H, W, C]
    text = (
        "[row, column, band] = ndgrid(0:19, 0:23, 0:4);"
        f"Z = 1e-1 * band + 1e-3 * row + 1e-5 * column; save('{option}', '{tmp_path}/o.mat', 'Z');"
    )
    subprocess.run(["octave-cli", "--norc", "--eval", text], check=True, capture_output=True)
    with open_arrays(tmp_path / "o.mat") as arrays:
        cubes = Cubes(find_array(arrays, tmp_path / "o.mat", RESULT), ("cd",), IMAGE, None, 1.0)
        assert cubes.axes == "HWC"
        np.testing.assert_allclose(cubes[0], cube, rtol=0, atol=1e-15)


@pytest.mark.parametrize("kind", ["a.mat", "b.mat", "c.h5", "d.npz", "e.npy", "f.tif"])
@pytest.mark.parametrize("content", [b"", b"nothing of the kind" * 40])
def test_a_damaged_file_is_named(tmp_path: Path, kind: str, content: bytes) -> None:
    (tmp_path / kind).write_bytes(content)
    with pytest.raises(HsbenchError, match=rf"{kind} cannot be read"), open_arrays(tmp_path / kind):
        pass


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with (
        pytest.raises(HsbenchError, match=r"x\.npy cannot be read: it holds Python objects, .* never done"),
        open_arrays(tmp_path / "x.npy"),
    ):
        pass


def test_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "x.pth")
    with pytest.raises(HsbenchError, match=r"x\.pth is weights of a network"), open_arrays(tmp_path / "x.pth"):
        pass


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    io.savemat(tmp_path / "x.mat", {"sr": np.full(IMAGE, 1j)})
    with (
        open_arrays(tmp_path / "x.mat") as arrays,
        pytest.raises(HsbenchError, match="holds complex numbers; real numbers"),
    ):
        _ = Cubes(arrays["sr"], ("cd",), IMAGE, None, 1.0)[0]


def test_a_file_of_version_4_is_refused_with_a_remedy(tmp_path: Path) -> None:
    io.savemat(tmp_path / "x.mat", {"sr": np.eye(3)}, format="4")
    with pytest.raises(HsbenchError, match=r"x\.mat is a MAT-file of version 4.*-v7"), open_arrays(tmp_path / "x.mat"):
        pass


@pytest.mark.parametrize("compressed", [False, True])
def test_fields_of_a_struct_are_found(tmp_path: Path, cube: Array, compressed: bool) -> None:
    io.savemat(tmp_path / "x.mat", {"results": {"sr": cube, "notes": "ours"}}, do_compression=compressed)
    with open_arrays(tmp_path / "x.mat") as arrays:
        assert list(arrays) == ["results.sr"]
        np.testing.assert_array_equal(arrays["results/sr"].read((2, slice(3, 9), slice(None))), cube[2, 3:9])


@pytest.mark.parametrize("index", [(3,), (slice(1, 3), 4), (slice(None), slice(2, 7), slice(5, 6)), (0, 1, 2)])
def test_parts_of_every_version_are_those_of_the_array(tmp_path: Path, cube: Array, index: tuple[int | slice]) -> None:
    io.savemat(tmp_path / "old.mat", {"sr": cube}, do_compression=True)
    matlab73(tmp_path / "new.mat", sr=cube)
    for name in ("old.mat", "new.mat"):
        with open_arrays(tmp_path / name) as arrays:
            np.testing.assert_array_equal(arrays["sr"].read(index), cube[index])


# -- which array


def held(*names: str, **shapes: tuple[int, ...]) -> dict[str, StoredArray]:
    def never(_: object) -> Array:
        raise AssertionError("nothing need be read")

    wanted = dict.fromkeys(names, IMAGE) | shapes
    return {name: StoredArray(Path("x.mat"), name, shape, never) for name, shape in wanted.items()}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("my_own_name",), "my_own_name"),
        (("my_own_name", "gt"), "my_own_name"),
        (("lms", "ms", "gt", "sr"), "sr"),
        (("a", "output"), "output"),
        (("a", "z"), "z"),
        (("a", "group/fused"), "group/fused"),
        (("output", "sr"), "sr"),
    ],
)
def test_the_result_is_the_only_array_or_has_a_usual_name(names: tuple[str, ...], expected: str) -> None:
    assert find_array(held(*names, psnr=(1, 1)), Path("x.mat"), RESULT).name == expected


def test_a_key_names_the_array() -> None:
    assert find_array(held("a", "sr"), Path("x.mat"), RESULT, ["a"]).name == "a"
    with pytest.raises(HsbenchError, match=r"x\.mat has no array 'b'; it holds a \[5, 20, 24\], sr"):
        find_array(held("a", "sr"), Path("x.mat"), RESULT, ["b"])


@pytest.mark.parametrize(
    ("names", "words"), [(("a", "b"), "say by --key"), (("gt",), "no array that could be a result"), ((), "no numbers")]
)
def test_an_array_that_cannot_be_told_is_asked_for(names: tuple[str, ...], words: str) -> None:
    with pytest.raises(HsbenchError, match=words):
        find_array(held(*names), Path("x.mat"), RESULT)


def test_a_reference_beside_the_result_is_found() -> None:
    found = brought(held("sr", "gt"))
    assert found is not None
    assert found.name == "gt"
    assert brought(held("sr", gt=(1, 1))) is None


# -- which axes


def axes(shape: tuple[int, ...], image: tuple[int, ...], scenes: int = 1, layout: str | None = None) -> str:
    return Cubes(held(sr=shape)["sr"], ALL[:scenes], image, layout, 1.0).axes


def test_of_a_square_image_rows_come_first_unless_said_otherwise() -> None:
    assert axes((31, 64, 64), (31, 64, 64)) == "CHW"
    assert axes((64, 64, 31), (31, 64, 64)) == "HWC"
    assert axes((64, 64, 31), (31, 64, 64), layout="WHC") == "WHC"
    assert axes((1, 64, 64, 31), (31, 64, 64), layout="BWHC") == "1WHC"
    assert axes((64, 64, 31, 2), (31, 64, 64), 2, layout="HWCB") == "HWCB"


@pytest.mark.parametrize(
    ("shape", "image", "scenes", "ways"),
    [((31, 31, 64), (31, 31, 64), 1, "CHW, HCW"), ((3, 3, 64, 64), (3, 64, 64), 3, "BCHW, CBHW")],
)
def test_ambiguous_axes_are_asked_for(shape: tuple[int, ...], image: tuple[int, ...], scenes: int, ways: str) -> None:
    with pytest.raises(UsageError, match=rf"may be {ways} .*--layout"):
        axes(shape, image, scenes)
    for way in ways.split(", "):
        assert axes(shape, image, scenes, way) == way


@pytest.mark.parametrize(
    ("shape", "scenes", "layout", "words"),
    [
        ((31, 64, 60), 1, None, r"\[31, 64, 60\], which is not a cube of its scene \(bands 31, height 64, width 64\)"),
        ((64, 64), 1, None, "which is not a cube"),
        ((31, 64, 64), 1, "HWC", "not a cube of axes HWC"),
        ((2, 31, 64, 64), 3, None, "holds 2 cubes, but the scenes to score are 3: face, photo_and_face, beads"),
        ((31, 64, 64), 3, None, "holds 1 cube, but"),
        ((4, 31, 64, 64), 1, None, "holds 4 cubes, but"),
    ],
)
def test_a_shape_that_does_not_fit_is_explained(
    shape: tuple[int, ...], scenes: int, layout: str | None, words: str
) -> None:
    with pytest.raises(HsbenchError, match=words):
        axes(shape, (31, 64, 64), scenes, layout)
