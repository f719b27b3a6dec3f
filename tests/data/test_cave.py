"""The reader of the CAVE database, on tiny databases made here."""

import shutil

import numpy as np
import pytest
from skimage.io import imsave

from hsfusion_bench.data.cave import CaveSource
from hsfusion_bench.errors import HsbenchError, UsageError


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


def test_watercolors_may_be_rgba_of_eight_bits(tmp_path):
    grey = np.random.default_rng(8).integers(0, 256, (31, 4, 6), dtype=np.uint8)
    grey[0, 0, :2] = 0, 255
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
    with pytest.raises(HsbenchError, match=r"clay_ms_01\.png: a 16-bit grey PNG is needed, .* uint8 \[4, 6\]"):
        CaveSource(tmp_path).read("clay")


def test_no_root_says_how_to_give_one():
    with pytest.raises(UsageError, match=r"--data-root.*HSBENCH_DATA.*Columbia University"):
        CaveSource(None)


def test_root_that_is_not_there(tmp_path):
    with pytest.raises(HsbenchError, match="nowhere: there is no such folder"):
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


def test_empty_scene_folder_lacks_every_band(root, scene):
    shutil.rmtree(scene)
    with pytest.raises(HsbenchError, match=r"lacks clay_ms_01\.png, .*clay_ms_31\.png$"):
        CaveSource(root).read("clay")


@pytest.mark.parametrize("kept", [0, 4, 20, 60, -1, -13, -20, -40])
def test_truncated_file_is_named(root, scene, kept):
    path = scene / "clay_ms_05.png"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(HsbenchError, match=r"clay_ms_05\.png is no PNG file, or is damaged or cut short"):
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
    with pytest.raises(HsbenchError, match=r"clay_ms_05\.png cannot be decoded as PNG"):
        CaveSource(root).read("clay")


def test_what_is_no_file_is_named(root, scene):
    (scene / "clay_ms_05.png").unlink()
    (scene / "clay_ms_05.png").mkdir()
    with pytest.raises(HsbenchError, match=r"clay_ms_05\.png cannot be read: Is a directory"):
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
