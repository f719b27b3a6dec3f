"""The reader of the CAVE database, on tiny databases made here."""

import zipfile

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from skimage.io import imsave

from hsfusion_bench.data.scenes import scene_digest
from hsfusion_bench.data.sources.cave import CaveSource
from hsfusion_bench.errors import DamagedError, HsbenchError, MissingDataError, UsageError
from support.cave import stand_for


def pixels(bands=31, shape=(4, 6)):
    """16-bit values that use both bytes, other ones in each band."""
    values = np.random.default_rng(7).integers(0, 65536, (bands, *shape), dtype=np.uint16)
    values[:, 0, 0] = 65535
    values[:, 0, 1] = 257  # 1 if it were cut to a byte from either side
    return values


def write_scene(folder, name, values):
    folder.mkdir(parents=True)
    for band, image in enumerate(values, 1):
        imsave(folder / f"{name}_ms_{band:02d}.png", image, check_contrast=False)
    (folder / f"{name}_RGB.bmp").write_bytes(b"BM")
    (folder / "Thumbs.db").write_bytes(b"")


@pytest.fixture(autouse=True)
def known(monkeypatch):
    stand_for(monkeypatch, "clay", pixels())


@pytest.fixture
def root(tmp_path):
    write_scene(tmp_path / "complete_ms_data" / "clay_ms" / "clay_ms", "clay", pixels())
    return tmp_path


@pytest.fixture
def scene(root):
    return root / "complete_ms_data" / "clay_ms" / "clay_ms"


@pytest.mark.parametrize("folders", ["clay_ms/clay_ms", "clay_ms", "clay", "clay/clay", "clay/clay_ms", "clay_ms/clay"])
@pytest.mark.parametrize("above", ["complete_ms_data", "."])
def test_reads_sixteen_bits_in_every_layout(tmp_path, above, folders):
    write_scene(tmp_path / above / folders, "clay", pixels())
    source = CaveSource(tmp_path)
    cube = source.read("clay")
    assert cube.dtype == np.float32
    np.testing.assert_array_equal(cube, (pixels() / 65535).astype(np.float32))
    assert "clay" not in source.missing()
    assert len(source.missing()) == 31
    assert len(source.scene_names()) == 32


def test_watercolors_may_be_rgba_of_eight_bits(tmp_path, monkeypatch):
    grey = np.random.default_rng(8).integers(0, 256, (31, 4, 6), dtype=np.uint8)
    grey[0, 0, :2] = 0, 255
    stand_for(monkeypatch, "watercolors", grey, 255)
    rgba = np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=-1)
    write_scene(tmp_path / "watercolors_ms" / "watercolors_ms", "watercolors", rgba)
    cube = CaveSource(tmp_path).read("watercolors")
    np.testing.assert_array_equal(cube, (grey / 255).astype(np.float32))
    assert (cube.min(), cube.max()) == (0, 1)


def test_colours_are_no_band(tmp_path):
    rgba = np.random.default_rng(9).integers(0, 256, (31, 4, 6, 4), dtype=np.uint8)
    write_scene(tmp_path / "watercolors_ms", "watercolors", rgba)
    with pytest.raises(HsbenchError, match=r"watercolors_ms_01\.png: one band .* red, green and blue .* differ"):
        CaveSource(tmp_path).read("watercolors")


def test_other_scenes_must_have_sixteen_bits(tmp_path):
    write_scene(tmp_path / "clay_ms", "clay", (pixels() >> 8).astype(np.uint8))
    with pytest.raises(HsbenchError, match=r"clay_ms_01\.png: a 16-bit grey PNG is needed, .* are 8-bit grey;"):
        CaveSource(tmp_path).read("clay")


def test_no_root_says_how_to_give_one():
    with pytest.raises(MissingDataError, match=r"`hsbench data download cave` \(about 420 MB.*Columbia University"):
        CaveSource(None)


def test_root_that_is_not_there(tmp_path):
    with pytest.raises(
        HsbenchError, match=r"nowhere: there is no such folder.*hsbench data download cave --data-root .*nowhere`"
    ):
        CaveSource(tmp_path / "nowhere")


def test_root_without_scenes(tmp_path):
    (tmp_path / "holidays").mkdir()
    with pytest.raises(HsbenchError, match=r"holds no scene .* balloons_ms .*Columbia University"):
        CaveSource(tmp_path)


def test_missing_bands_are_named(root, scene):
    (scene / "clay_ms_07.png").unlink()
    (scene / "clay_ms_31.png").unlink()
    with pytest.raises(HsbenchError, match=r"clay lacks clay_ms_07\.png, clay_ms_31\.png$"):
        CaveSource(root).read("clay")


def test_an_empty_folder_of_a_scene_is_none(root, scene):
    scene.rename(scene.with_name("beads_ms"))
    for path in scene.with_name("beads_ms").iterdir():
        path.rename(path.with_name(path.name.replace("clay", "beads")))
    scene.mkdir()
    source = CaveSource(root)
    assert "clay" in source.missing()
    assert "beads" not in source.missing()


@pytest.mark.parametrize("kept", [0, 4, 20, 60, -1, -13, -20, -40])
def test_truncated_file_is_named(root, scene, kept):
    path = scene / "clay_ms_05.png"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(HsbenchError, match=r"clay_ms_05\.png is (not a PNG file, or is )?damaged or cut short"):
        CaveSource(root).read("clay")


def test_every_flipped_bit_is_found(root, scene):
    path = scene / "clay_ms_01.png"
    content = path.read_bytes()
    for position in range(len(content)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0x10]) + content[position + 1 :])
        with pytest.raises(HsbenchError, match=r"clay_ms_01\.png"):
            CaveSource(root).read("clay")


def test_whole_file_that_cannot_be_decoded_is_named(root, scene):
    signature, end = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
    (scene / "clay_ms_05.png").write_bytes(signature + end)
    with pytest.raises(HsbenchError, match=r"clay_ms_05\.png is damaged: a checksum in it is wrong, or a part"):
        CaveSource(root).read("clay")


def test_what_is_no_file_is_named(root, scene):
    (scene / "clay_ms_05.png").unlink()
    (scene / "clay_ms_05.png").mkdir()
    with pytest.raises(DamagedError, match=r"the scene clay lacks clay_ms_05\.png$"):
        CaveSource(root).read("clay")


def test_band_of_another_size_is_named(root, scene):
    imsave(scene / "clay_ms_12.png", pixels(1, (4, 5))[0], check_contrast=False)
    with pytest.raises(HsbenchError, match=r"clay_ms_12\.png: 4 x 5 pixels, where clay_ms_01\.png has 4 x 6"):
        CaveSource(root).read("clay")


def test_hidden_copies_of_a_file_system_are_no_bands(root, scene):
    (scene / "._clay_ms_05.png").write_bytes(b"resource fork")
    np.testing.assert_array_equal(CaveSource(root).read("clay")[4], (pixels()[4] / 65535).astype(np.float32))


def test_scene_that_is_not_here(root):
    with pytest.raises(HsbenchError, match="no folder of the CAVE scene feathers"):
        CaveSource(root).read("feathers")


def test_scene_that_does_not_exist(root):
    with pytest.raises(UsageError, match="'feather'; did you mean feathers"):
        CaveSource(root).read("feather")


def test_an_eight_bit_file_among_others_is_named(root, scene):
    imsave(scene / "clay_ms_09.png", (pixels(1)[0] >> 8).astype(np.uint8), check_contrast=False)
    with pytest.raises(HsbenchError, match=r"clay_ms_09\.png: a 16-bit grey PNG is needed"):
        CaveSource(root).read("clay")


def test_the_first_bad_band_is_named_whichever_thread_finds_it(root, scene):
    for band in (4, 11, 30):
        (scene / f"clay_ms_{band:02d}.png").write_bytes(b"")
    with pytest.raises(HsbenchError, match=r"clay_ms_04\.png"):
        CaveSource(root).read("clay")


# -- the archive


def pack(root, path, folder="", name="clay"):
    scene = root / "complete_ms_data" / "clay_ms" / "clay_ms"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(scene.iterdir()):
            archive.write(file, f"{folder}{name}_ms/{name}_ms/{file.name.replace('clay', name)}")
            archive.writestr(f"__MACOSX/{name}_ms/._{file.name}", b"resource fork")
    return path


@pytest.mark.parametrize("file", ["complete_ms_data.zip", "clay_ms.zip"])
@pytest.mark.parametrize("folder", ["", "complete_ms_data/"])
def test_the_archive_is_read_without_unpacking(root, tmp_path, file, folder):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = pack(root, elsewhere / file, folder)
    for place in (elsewhere, path):
        source = CaveSource(place)
        np.testing.assert_array_equal(source.read("clay"), (pixels() / 65535).astype(np.float32))
        assert source.files("clay") == (path,)
        assert len(source.missing()) == 31
    assert [entry.name for entry in elsewhere.iterdir()] == [file]


def test_folders_come_before_the_archive(root):
    with zipfile.ZipFile(root / "complete_ms_data.zip", "w") as archive:
        archive.writestr("clay_ms/clay_ms_01.png", b"other")
    pack(root, root / "clay_ms.zip", name="feathers")
    source = CaveSource(root)
    assert [len(source.files(name)) for name in ("clay", "feathers")] == [31, 0]
    assert source.files("clay")[0].name == "clay_ms_01.png"


@pytest.mark.parametrize("kept", [0, 100, -30])
def test_a_half_downloaded_archive_is_named(root, tmp_path, kept):
    path = pack(root, tmp_path / "complete_ms_data.zip")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(
        HsbenchError, match=r"complete_ms_data\.zip \(\d+ bytes\) is not a zip file, .* download it again"
    ):
        CaveSource(root)


@pytest.mark.parametrize("climbing", ["../clay_ms_01.png", "/clay_ms_01.png", "a/../../b.png", "C:\\b.png", "..\\b"])
def test_an_archive_that_reaches_out_of_its_folder_is_refused(root, climbing):
    path = pack(root, root / "complete_ms_data.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(climbing, b"")
    with pytest.raises(HsbenchError, match=r"complete_ms_data\.zip is refused: the path .* leads out of the folder"):
        CaveSource(root)


def test_a_damaged_file_of_an_archive_is_named(root, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = pack(root, elsewhere / "complete_ms_data.zip")
    content = bytearray(path.read_bytes())
    content[content.index(b"clay_ms_01.png") + 40] ^= 1
    path.write_bytes(content)
    with pytest.raises(HsbenchError, match=r"complete_ms_data\.zip: clay_ms/clay_ms/clay_ms_01\.png in it is damaged"):
        CaveSource(elsewhere).read("clay")


def test_bands_that_an_archive_lacks_are_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "complete_ms_data.zip", "w") as archive:
        archive.writestr("clay_ms/clay_ms/clay_ms_01.png", b"")
    with pytest.raises(
        HsbenchError,
        match=r"complete_ms_data\.zip: clay_ms/clay_ms/clay_ms_\*\.png: .* lacks clay_ms_02",
    ):
        CaveSource(tmp_path).read("clay")


# -- MAT-files


def matlab73(path, **variables):
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in variables.items():
            kind = {"uint16": "uint16", "float64": "double", "float32": "single"}[values.dtype.name]
            file.create_dataset(name, data=values.T, compression="gzip").attrs["MATLAB_class"] = np.bytes_(kind)


VALUES = {
    "16 bits": pixels(),
    "fractions": pixels() / 65535,
    "single fractions": (pixels() / 65535).astype(np.float32),
    "counts": pixels().astype(np.float64),
}


@pytest.fixture
def digest_of_pngs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pngs")
    write_scene(folder / "clay_ms", "clay", pixels())
    return scene_digest(CaveSource(folder).read("clay"))


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("key", ["rad", "b", "msi", "hsi", "hyperimg", "ref", "data", "my_own"])
@pytest.mark.parametrize("write", [savemat, matlab73])
def test_every_form_of_a_scene_is_the_same_cube(tmp_path, digest_of_pngs, write, key, kind):
    cube = VALUES[kind].transpose(1, 2, 0)
    if write is savemat:
        savemat(tmp_path / "clay_ms.mat", {key: cube}, do_compression=key == "msi")
    else:
        matlab73(tmp_path / "clay_ms.mat", **{key: cube})
    assert scene_digest(CaveSource(tmp_path).read("clay")) == digest_of_pngs


@pytest.mark.parametrize(
    "file", ["clay_ms.mat", "clay.mat", "clay_ms/clay_ms.mat", "clay_ms/clay.mat", "clay/clay.mat"]
)
@pytest.mark.parametrize("above", ["complete_ms_data", "."])
def test_mat_files_are_found_where_people_keep_them(tmp_path, above, file):
    path = tmp_path / above / file
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"msi": pixels(), "RGB": pixels(3)})  # [bands, height, width]
    source = CaveSource(tmp_path)
    np.testing.assert_array_equal(source.read("clay"), (pixels() / 65535).astype(np.float32))
    assert [file.samefile(path) for file in source.files("clay")] == [True]


def test_watercolors_as_mat_has_eight_bits(tmp_path, monkeypatch):
    grey = pixels() >> 8
    stand_for(monkeypatch, "watercolors", grey, 255)
    savemat(tmp_path / "watercolors_ms.mat", {"msi": grey})
    np.testing.assert_array_equal(CaveSource(tmp_path).read("watercolors"), (grey / 255).astype(np.float32))


@pytest.mark.parametrize(
    ("cube", "words"),
    [
        (pixels() >> 8, "from 0 to 255, are neither"),
        (pixels() >> 4, "from 10 to 4095, are neither"),
        (pixels() / 65536 / 4, "are neither fractions"),
        (pixels() - 700.0, "from -.* to 64835, are neither"),
        (pixels() + 0.5, "from .* to 65535.5, are neither"),
        (
            np.where(pixels() == 65535, np.nan, pixels()),
            "values are NaN or infinite, the first .nan. in band 1 at row 0, column 0",
        ),
        (pixels(30), r"\[30, 4, 6\], which is not a cube of 31 bands"),
    ],
)
def test_values_that_cannot_be_told_are_named(tmp_path, cube, words):
    savemat(tmp_path / "clay_ms.mat", {"msi": cube})
    with pytest.raises(HsbenchError, match=rf"msi of .*clay_ms\.mat.*{words}"):
        CaveSource(tmp_path).read("clay")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"one": pixels(), "two": pixels()}, r"which array is the cube.*one \[31, 4, 6\], two \[31, 4, 6\]"),
        ({"label": np.eye(3)}, r"no array that could be a cube, of three axes.*it holds label \[3, 3\]"),
        ({"msi": np.zeros((31, 31, 6))}, r"\[31, 31, 6\], whose axes may be CHW or HCW"),
    ],
)
def test_mat_files_without_a_clear_cube_are_named(tmp_path, variables, words):
    savemat(tmp_path / "clay.mat", variables)
    with pytest.raises(HsbenchError, match=rf"clay\.mat.*{words}"):
        CaveSource(tmp_path).read("clay")


def test_provenance_says_where_from():
    assert CaveSource.provenance.homepage == "https://www.cs.columbia.edu/CAVE/databases/multispectral/"
    assert [download.file for download in CaveSource.provenance.downloads] == ["complete_ms_data.zip"]
