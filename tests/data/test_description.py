"""TOML files that describe data sets: what they say, and what they may not."""

import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from scipy.io import loadmat, savemat

from hsfusion_bench.cli import main
from hsfusion_bench.data import catalog
from hsfusion_bench.data.catalog import open_dataset
from hsfusion_bench.data.observing.protocols import load_protocol
from hsfusion_bench.data.provenance import Download
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.data.sources.described import open_description
from hsfusion_bench.data.sources.toml_schema import read_description
from hsfusion_bench.data.task import Task, plan_scenes
from hsfusion_bench.errors import HsbenchError, MissingDataError, UsageError

#: Values that say where they stand, [5, 20, 24]; the greatest is 41925.
BAND, ROW, COLUMN = np.indices((5, 20, 24))
CUBE = (10000.0 * BAND + 100 * ROW + COLUMN + 2).astype(np.float64)
BASE = 'title = "m"\nfile = "cube.mat"\n'
MATLABS = CUBE.transpose(1, 2, 0)  # [H, W, C]


def describe(folder, text, name="mine.toml"):
    path = folder / name
    path.write_text(text)
    return str(path)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("HSBENCH_DATA", raising=False)
    savemat(tmp_path / "cube.mat", {"X": MATLABS, "gt": np.eye(4)})
    return tmp_path


def test_one_cube_is_one_scene_that_tests(folder):
    source = open_dataset(describe(folder, 'title = "Mine"\nfile = "cube.mat"\nconst = 50000\nbands = 5'))
    assert (source.name, source.title, source.bands, source.wavelengths) == ("mine", "Mine", 5, ())
    assert (source.split.train, source.split.test) == ((), ("mine",))
    np.testing.assert_array_equal(source.read("mine"), (CUBE / 50000).astype(np.float32))
    assert source.files("mine") == (folder / "cube.mat",)
    assert source.mask("mine") is None
    assert source.stored_observation("mine") is None


def test_scenes_are_regions(folder):
    text = """
        title = "Mine"
        file = ["not_here.mat", "cube.mat"]
        key = ["x", "X"]
        const = 50000
        bands = 5
        dropped = ["1-2", 4]
        wavelengths = [400, 500, 600.5, 700, 800]
        protocol = "uestc"
        scene = [{ name = "left", rows = [4, 12], columns = [0, 8] }, { name = "right", columns = [8, 24] }]
        [split]
        id = "halves"
        train = ["left"]
        test = ["right"]
        [provenance]
        homepage = "https://example.org"
        licence = "free"
        reference = "@misc{mine}"
        downloads = [{ url = "https://example.org/cube.mat", file = "cube.mat", size = 1 }]
    """
    source = open_dataset(describe(folder, text))
    assert source.scene_names() == ("left", "right")
    assert (source.split.id, source.split.train, source.split.test) == ("halves", ("left",), ("right",))
    assert (source.wavelengths, source.bands, source.protocol) == ((600.5, 800.0), 2, "uestc")
    assert source.provenance.downloads == (Download("https://example.org/cube.mat", "cube.mat", None, 1),)
    expected = (CUBE[[2, 4]] / 50000).astype(np.float32)
    np.testing.assert_array_equal(source.read("left"), expected[:, 4:12, :8])
    np.testing.assert_array_equal(source.read("right"), expected[:, :, 8:])


@pytest.mark.parametrize("at_once", [1, 2**25])
def test_the_maximum_is_of_the_region_and_the_bands_that_are_kept(folder, at_once, monkeypatch):
    monkeypatch.setattr("hsfusion_bench.formats.cubes._READ_BYTES", at_once)
    text = f'{BASE}key = "X"\nconst = "maximum"\nrows = [0, 16]\ncolumns = [0, 16]\ndropped = [5]\n'
    whole = open_dataset(describe(folder, text, "whole.toml")).read("whole")
    greatest = 30000 + 1500 + 15 + 2
    np.testing.assert_array_equal(whole, (CUBE[:4, :16, :16] / greatest).astype(np.float32))
    part = describe(folder, text + 'scene = [{ name = "a", rows = [2, 6], columns = [2, 6] }]', "part.toml")
    np.testing.assert_array_equal(open_dataset(part).read("a"), whole[:, 2:6, 2:6])


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (CUBE.reshape(5, 480), 'shape = [5, 20, 24]\nlayout = "CHW"'),  # pixels row by row
        (CUBE.transpose(0, 2, 1).reshape(5, 480), 'shape = [5, 24, 20]\nlayout = "CWH"'),  # column by column
        (MATLABS.reshape(480, 5), "shape = [20, 24, 5]\nsize = [20, 24]"),
        (CUBE.transpose(1, 0, 2), "bands = 5"),
        (CUBE.transpose(0, 2, 1), "size = [20, 24]"),
        (CUBE.transpose(2, 0, 1), 'layout = "WCH"'),
    ],
)
def test_axes_are_told_or_stated(folder, stored, text):
    savemat(folder / "other.mat", {"Y": stored})
    source = open_dataset(describe(folder, f'title = "m"\nfile = "other.mat"\nkey = "Y"\nconst = 5e4\n{text}'))
    np.testing.assert_array_equal(source.read("mine"), (CUBE / 5e4).astype(np.float32))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wavelengths = { start = 400, stop = 800 }", (400, 500, 600, 700, 800)),
        ('wavelengths = { start = 400, stop = 900, count = 6, absent = ["2-2"] }', (400, 600, 700, 800, 900)),
        (
            "wavelengths = [{ start = 401, stop = 402, count = 2 }, { start = 407, stop = 409, count = 3 }]",
            (401, 402, 407, 408, 409),
        ),
        ('wavelengths = { start = 4000, stop = 8000 }\nwavelengths_unit = "Angstroms"', (400, 500, 600, 700, 800)),
        ('wavelengths = { start = 10000, stop = 2000 }\nwavelengths_unit = "cm-1"', (1e3, 1250, 1e4 / 6, 2500, 5e3)),
        ("wavelengths = { start = 0.9, stop = 1.7 }", (900, 1100, 1300, 1500, 1700)),
        ('wavelengths = "wave.txt"', (401, 402, 403, 404, 405.5)),
        ("", ()),
    ],
)
def test_wavelengths_are_stated_in_several_ways(folder, text, expected):
    (folder / "wave.txt").write_text("401 402\n403, 404\n405.5\n")
    source = open_dataset(describe(folder, f'title = "m"\nfile = "cube.mat"\nconst = 5e4\nbands = 5\n{text}'))
    np.testing.assert_allclose(source.wavelengths, expected, rtol=0, atol=1e-6)


def test_files_of_several_scenes_are_found_below_the_root(folder, tmp_path):
    root = tmp_path / "root"
    for place, name in (("", "one"), ("mine/", "two")):
        (root / place).mkdir(parents=True, exist_ok=True)
        savemat(root / place / f"{name}_v2.mat", {"ref": MATLABS, "lbl": (MATLABS[..., 0] > 500).astype(np.uint8)})
    text = """
        title = "m"
        file = "{scene}_v2.mat"
        const = 50000
        mask = "lbl"
        rows = [2, 10]
        scene = [{ name = "one" }, { name = "two", columns = [0, 4] }, { name = "three" }]
    """
    source = open_dataset(describe(folder, text), root)
    assert source.missing() == ("three",)
    assert source.files("two") == (root / "mine" / "two_v2.mat",)
    np.testing.assert_array_equal(source.read("two"), (CUBE[:, 2:10, :4] / 50000).astype(np.float32))
    np.testing.assert_array_equal(source.mask("two"), CUBE[0, 2:10, :4] > 500)
    with pytest.raises(HsbenchError, match=r"scene three of mine is not here: three_v2\.mat was looked for in .*root"):
        source.read("three")
    with pytest.raises(UsageError, match="no scene of mine 'too'; did you mean two"):
        source.read("too")


def test_values_outside_are_cut_off_only_if_that_is_asked_for(folder):
    savemat(folder / "cube.mat", {"X": MATLABS - 1000})
    text = 'title = "m"\nfile = "cube.mat"\nbands = 5\nconst = 40000\n'
    with pytest.raises(HsbenchError, match=r"X of .*cube\.mat: the values, from -998 to 40925, .* 40000; .*mine\.toml"):
        open_dataset(describe(folder, text)).read("mine")
    cube = open_dataset(describe(folder, text + "clip = true")).read("mine")
    np.testing.assert_array_equal(cube, (np.clip(CUBE - 1000, 0, 40000) / 40000).astype(np.float32))


def test_a_protocol_needs_wavelengths(folder):
    source = open_dataset(describe(folder, 'title = "m"\nfile = "cube.mat"\nbands = 5\nconst = 5e4'))
    with pytest.raises(UsageError, match="response A needs the wavelengths of the image's 5 bands, which are unknown"):
        Task.over(source, load_protocol("uestc"), 4)["mine"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BASE + "wavelenghts = [1]", r"no key 'wavelenghts'; did you mean wavelengths or wavelengths_unit\?"),
        ('titel = "m"\nfile = "cube.mat"', r"no key 'titel'; did you mean title\?"),
        (BASE + "[split]\nid = 's'\ntests = ['mine']", r"no key 'split.tests'; did you mean test"),
        (BASE + "scene = [{ name = 'a', row = [0, 1] }]", r"no key 'scene.1.row'; did you mean rows"),
        (BASE + "wavelengths = { start = 1, end = 2 }", r"no key 'wavelengths.1.end'"),
        (
            BASE + "[provenance]\nhomepage = ''\nlicense = ''\nreference = ''",
            r"'provenance.license'; did you mean licence",
        ),
        ('file = "cube.mat"', "the key 'title' is missing; there are file"),
        (BASE + "const = 0", "const"),
        (BASE + 'const = "greatest"', "const"),
        (BASE + "rows = [4, 4]", r"rows: \[4, 4\] is empty"),
        (BASE + 'dropped = ["3-1"]', "dropped: '3-1' is not a range of bands"),
        (BASE + "bands = 5\ndropped = [6]", "of 5 bands, number 6 cannot be dropped"),
        (BASE + 'layout = "HWB"', "layout: "),
        (BASE + "[split]\nid = 's'\ntest = ['other']", "the split names other, but the scenes are mine"),
        (BASE + "scene = [{ name = 'a' }, { name = 'a' }]", "several scenes are called a"),
        ('title = "m"', "no file is named for the scene mine"),
        (BASE + "wavelengths = [1, 2, 3]\nbands = 5", r"3 wavelengths are stated, from 1 to 3, but the file has 5"),
        (BASE + "wavelengths = [1, 2, 3, 4, 5]\nbands = 5", "count from 1 to 5, without a unit: .* in one of nm"),
        (BASE + "wavelengths_unit = 'um'", "wavelengths_unit is that of the key wavelengths, which is missing"),
        (BASE + "wavelengths = [400]\nwavelengths_unit = 'ell'", "'ell' is no unit of wavelengths; there are nm, um"),
        (BASE + "wavelengths = 'w.txt'\nbands = 5", r"the file of wavelengths, w\.txt, is not in"),
        (BASE + "= 3", "is not a TOML file"),
        (BASE + 'name = "cave"', "'cave' is a data set that we ship"),
        (BASE + 'name = "My Data"', "name: 'My Data' is not a name of a data set"),
        (BASE + 'name = "harvard"', "'harvard' is a data set that we ship"),
    ],
)
def test_a_bad_description_is_explained(folder, text, words):
    with pytest.raises(HsbenchError, match=rf"mine\.toml.*{words}"):
        open_dataset(describe(folder, text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bands = 6", r"X of .*cube\.mat has the shape \[20, 24, 5\], which is not a cube of 6 bands"),
        ("bands = 5\nsize = [20, 25]", "not a cube of 5 bands, height 20, width 25"),
        ('key = "Y"\nbands = 5', r"cube\.mat has no array 'Y'; it holds X \[20, 24, 5\], gt \[4, 4\]"),
        ("bands = 5\nrows = [0, 21]", r"X of .*cube\.mat has 20 rows, so that 0 to 21 are not within it"),
        ("shape = [2, 2]\nbands = 5", r"cannot be taken for \[2, 2\]"),
        ('bands = 5\nmask = "lbl"', r"cube\.mat has no array 'lbl', the mask; it holds X, gt"),
    ],
)
def test_a_file_that_is_not_as_described_is_explained(folder, text, words):
    def use():
        source = open_dataset(describe(folder, f"{BASE}const = 5e4\n{text}"))
        source.read("mine")
        source.mask("mine")

    with pytest.raises(HsbenchError, match=words):
        use()


def test_numbers_that_are_none_are_named(folder):
    broken = MATLABS.copy()
    broken[3, 4, 1] = np.nan
    savemat(folder / "cube.mat", {"X": broken})
    for const in ("5e4", '"maximum"'):
        source = open_dataset(describe(folder, f"{BASE}bands = 5\nconst = {const}"))
        with pytest.raises(
            HsbenchError,
            match=r"X of .*cube\.mat: 1 values .* the first \(nan\) in band 2 at row 3, column 4",
        ):
            source.read("mine")


def test_files_that_are_not_here(folder):
    origin = '[provenance]\nhomepage = "https://x.org"\nlicence = "l"\nreference = "r"'
    text = f'title = "m"\nfile = ["a.mat", "b.mat"]\n{origin}'
    with pytest.raises(
        HsbenchError, match=r"no file of the data set mine: a\.mat or b\.mat was .* themselves: https://x\.org"
    ):
        open_dataset(describe(folder, text))
    with pytest.raises(HsbenchError, match=r"nowhere\.toml cannot be read: No such file"):
        open_dataset(str(folder / "nowhere.toml"))


def test_a_folder_of_descriptions(folder, monkeypatch):
    describe(folder, BASE + "const = 5e4\nbands = 5", "meadow.toml")
    describe(folder, BASE, "cave.toml")
    monkeypatch.setenv("HSBENCH_DATASETS", str(folder))
    assert catalog.dataset_names()["meadow"] == str(folder / "meadow.toml")
    assert open_dataset("meadow").read("meadow").shape == (5, 20, 24)
    assert catalog.dataset_clashes() == [f"data set 'cave' of {folder / 'cave.toml'} is hidden by another of that name"]
    with pytest.raises(UsageError, match="did you mean meadow"):
        open_dataset("meadows")


def test_a_plugin_may_bring_a_description(folder, tmp_path):
    path = Path(describe(folder, BASE + "const = 5e4\nbands = 5", "meadow.toml"))
    assert open_description(path, None, folder).read("meadow").shape == (5, 20, 24)
    with pytest.raises(
        MissingDataError, match=r"meadow \(cube\.mat\) is not here; give the folder of its files by --data-root"
    ):
        open_description(path, None)


def test_a_run_on_a_description_is_that_of_its_scene(folder):
    savemat(folder / "still.mat", {"cube": DemoSource().read("melons").transpose(1, 2, 0)})
    text = 'title = "m"\nfile = "still.mat"\nwavelengths = { start = 400, stop = 700 }\nbands = 31\n'
    described = describe(folder, text + 'scene = [{ name = "melons" }]')
    records = []
    for name, more in (("demo", ["--scenes", "melons"]), (described, [])):
        options = ["--scale", "4", "--no-timing", "--results-dir", str(folder / "results"), *more]
        done = CliRunner().invoke(main, ["run", "--methods", "bicubic", "--dataset", name, *options])
        assert done.exit_code == 0, done.output
    for path in sorted((folder / "results").rglob("bicubic*.json")):
        records.append(json.loads(path.read_text())["scenes"])
    assert len(records) == 2
    assert records[0] == records[1]


# -- what we ship

SHIPPED = catalog._shipped()


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_descriptions_are_sound(name):
    description = read_description(SHIPPED[name])
    origin = description.provenance
    assert origin.homepage.startswith("http")
    assert origin.licence
    assert origin.reference.startswith("@")
    centres = [nm for piece in description.wavelengths for nm in piece.centres(description.bands)]
    assert len(centres) in (0, description.bands)
    height, width = description.size
    regions = []
    for scene in description.scenes:
        rows, columns = (
            scene.rows or description.rows or (0, height),
            scene.columns or description.columns or (0, width),
        )
        assert rows[1] <= height
        assert columns[1] <= width
        assert (rows[1] - rows[0]) % 4 == (columns[1] - columns[0]) % 4 == 0
        regions.append((scene.name, rows, columns))
    if len(description.file) and "{scene}" not in description.file[0]:
        for number, (_, rows, columns) in enumerate(regions):
            for _, other_rows, other_columns in regions[:number]:  # no pixel is in two scenes
                apart = rows[0] >= other_rows[1] or other_rows[0] >= rows[1]
                assert apart or columns[0] >= other_columns[1] or other_columns[0] >= columns[1]


#: Band numbers of Hyperion and their centres, as USGS states them.
HYPERION = {10: 447.17, 31: 660.85, 55: 905.05, 82: 962.91, 119: 1336.15, 134: 1487.53, 220: 2355.21}


def test_wavelengths_of_botswana_are_hyperions():
    description = read_description(SHIPPED["botswana"])
    numbers = [*range(10, 56), *range(82, 98), *range(102, 120), *range(134, 165), *range(187, 221)]
    centres = [nm for piece in description.wavelengths for nm in piece.centres(description.bands)]
    for number, nm in HYPERION.items():
        assert centres[numbers.index(number)] == pytest.approx(nm, abs=0.15)


@pytest.mark.parametrize("version", ["v5", "v7.3"])
def test_harvard_takes_the_upper_left_and_tells_what_moved(tmp_path, version):
    ref = np.zeros((1040, 1392, 31), np.uint8, order="F")
    for band in range(31):
        ref[..., band] = np.add.outer(np.arange(1040) * 3 % 101, np.arange(1392) * 7 % 89) + band
    ref[1030, 1380] = 255  # outside of the region
    lbl = np.ones((1040, 1392), np.uint8)
    lbl[10, 20:30] = 0
    (tmp_path / "CZ_hsdb").mkdir()
    path = tmp_path / "CZ_hsdb" / "imgb0.mat"
    if version == "v5":
        savemat(path, {"ref": ref, "lbl": lbl})
    else:
        with h5py.File(path, "w", userblock_size=512) as file:
            for name, values, kind in (("ref", ref, "uint8"), ("lbl", lbl, "logical")):
                file.create_dataset(name, data=values.T).attrs["MATLAB_class"] = np.bytes_(kind)
    source = open_dataset("harvard", tmp_path)
    assert source.wavelengths == tuple(range(420, 721, 10))
    assert (len(source.scene_names()), len(source.split.train), len(source.split.test)) == (50, 10, 10)
    assert plan_scenes(source, load_protocol("uestc")).present == ("imgb0",)
    region = ref[:1000, :1000].transpose(2, 0, 1).astype(np.float64)
    cube = source.read("imgb0")
    np.testing.assert_array_equal(cube, (region / region.max()).astype(np.float32))
    mask = source.mask("imgb0")
    assert mask.shape == (1000, 1000)
    assert sorted(map(tuple, np.argwhere(~mask))) == [(10, column) for column in range(20, 30)]


@pytest.fixture
def remote():

    root = os.environ.get("HSBENCH_REMOTE_DATA")
    if not root or not (Path(root) / "jasperRidge2_R198.mat").is_file():
        pytest.skip("HSBENCH_REMOTE_DATA names no folder with jasperRidge2_R198.mat")
    return root


def test_jasper_ridge_lies_as_matlab_reshapes_it(remote):
    cube = open_dataset("jasper-ridge", remote).read("jasper-ridge")
    # reshape(Y', nRow, nCol, nBand) in MATLAB
    theirs = loadmat(f"{remote}/jasperRidge2_R198.mat")["Y"].T.reshape(100, 100, 198, order="F").transpose(2, 0, 1)
    np.testing.assert_array_equal(cube, (theirs / 5437).astype(np.float32))
