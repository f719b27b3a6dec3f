"""CAVE is CAVE: a scene that is not Columbia's own is refused, and what became of it is said."""

from __future__ import annotations

import json
import os
import struct
import zipfile
import zlib
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat
from skimage.io import imsave

from hsfusion_bench.cli import main
from hsfusion_bench.data.sources import columbia
from hsfusion_bench.data.sources.cave import SCENES, CaveSource
from hsfusion_bench.data.task import open_task
from hsfusion_bench.errors import DifferentDataError
from hsfusion_bench.methods import Recipe
from hsfusion_bench.runs.recorded import recorded_store
from hsfusion_bench.training.scenes import TrainingScenes
from support.cave import stand_for

Counts = NDArray[np.uint16]
SIDE = 16


def hsbench(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    """Give a scene that stands for balloons, whose maximum is not the full scale."""
    made = np.random.default_rng(3).integers(0, 60001, (31, SIDE, SIDE), dtype=np.uint16)
    made[5, 2, 3] = 60000
    stand_for(monkeypatch, "balloons", made)
    monkeypatch.setattr(columbia, "SIZE", (SIDE, SIDE))
    return made


def save(folder: Path, values: NDArray[np.generic]) -> None:
    """Save a scene [bands, H, W] as people do."""
    savemat(folder / "balloons_ms.mat", {"hsi": values.transpose(1, 2, 0)}, do_compression=True)


def bands(folder: Path, counts: Counts, name: str = "balloons_ms_{:02d}.png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, band in enumerate(counts, 1):
        imsave(folder / name.format(number), band, check_contrast=False)


def refused(root: Path) -> str:
    with pytest.raises(DifferentDataError) as caught:
        CaveSource(root).read("balloons")
    return str(caught.value)


# -- what is known


def test_the_scenes_of_all_records_are_columbias() -> None:
    known = columbia.originals()
    assert tuple(known) == SCENES
    scenes = [
        scene for record in recorded_store().records() if record.dataset.name == "cave" for scene in record.scenes
    ]
    assert len(scenes) > 100
    assert {scene.name: scene.digest for scene in scenes if scene.cropped_from is None}.items() <= {
        name: original.digest for name, original in known.items()
    }.items()
    assert {scene.digest for scene in scenes} <= {original.digest for original in known.values()}


def by_hand(path: Path) -> NDArray[np.float64]:
    """Decode a PNG file by the specification: no library but zlib, all five filters; the first channel of it."""
    content, at, packed = path.read_bytes(), 8, b""
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
        if kind == b"IDAT":
            packed += body
        at += length + 12
    assert not interlaced
    unit = depth // 8 * {0: 1, 6: 4}[colour]
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, width * unit + 1)
    above = [0] * (width * unit)
    lines = []
    for way, *line in rows.tolist():
        match way:
            case 1:
                for place in range(unit, len(line)):
                    line[place] = (line[place] + line[place - unit]) % 256
            case 2:
                line = [(value + up) % 256 for value, up in zip(line, above, strict=True)]
            case 3:
                for place, up in enumerate(above):
                    left = line[place - unit] if place >= unit else 0
                    line[place] = (line[place] + (left + up) // 2) % 256
            case 4:
                for place, up in enumerate(above):
                    left, corner = (line[place - unit], above[place - unit]) if place >= unit else (0, 0)
                    guess = left + up - corner
                    paeth = min((left, up, corner), key=lambda value: abs(guess - value))
                    line[place] = (line[place] + paeth) % 256
        lines.append(above := line)
    stored = np.array(lines, np.uint8).reshape(height, width, unit)
    return (stored[..., 0] * 256.0 + stored[..., 1]) / 65535 if depth == 16 else stored[..., 0] / 255


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("HSBENCH_DATA"), reason="HSBENCH_DATA names no folder with CAVE scenes")
class TestOfColumbia:
    """On the real scenes, against their real digests."""

    @pytest.mark.parametrize("name", SCENES)
    def test_every_scene_that_is_here_is_columbias(self, name: str, cave_root: Path) -> None:
        source = CaveSource(cave_root)
        if name in source.missing():
            pytest.skip(f"HSBENCH_DATA lacks {name}")
        cube = source.read(name)
        assert sha256(b"31 512 512" + cube.tobytes()).hexdigest() == columbia.originals()[name].digest
        assert round(float(cube.max()) * 65535) == columbia.originals()[name].maximum

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["balloons", "watercolors"])
    def test_a_decoder_by_hand_gives_the_same_digest(self, name: str, cave_root: Path) -> None:
        source = CaveSource(cave_root)
        if name in source.missing():
            pytest.skip(f"HSBENCH_DATA lacks {name}")
        cube = np.stack([by_hand(path) for path in sorted(source.files(name))]).astype("<f4")
        assert sha256(b"31 512 512" + cube.tobytes()).hexdigest() == columbia.originals()[name].digest

    def test_a_normalised_scene_is_not_scored(self, cave_root: Path, tmp_path: Path) -> None:
        source = CaveSource(cave_root)
        if "balloons" in source.missing():
            pytest.skip("HSBENCH_DATA lacks balloons")
        cube = source.read("balloons")
        save(tmp_path, (np.rint(cube * 65535.0) / 63238).astype(np.float32))
        words = ("--methods", "bicubic", "--dataset", "cave", "--scale", "4", "--scenes", "balloons")
        done = hsbench("run", *words, "--data-root", tmp_path, "--results-dir", tmp_path / "results")
        assert done.exit_code == 1
        assert "this is not Columbia's balloons: its values are divided by their maximum" in done.stderr
        assert "it is exactly 1, where Columbia's is 0.9650" in done.stderr
        assert not list((tmp_path / "results").rglob("*.json"))


# -- what is refused


def test_each_form_of_the_scene_is_the_scene(tmp_path: Path, counts: Counts) -> None:
    expected = (counts / 65535).astype(np.float32)
    for number, values in enumerate((counts, counts.astype(np.float64), counts / 65535, expected)):
        (tmp_path / str(number)).mkdir()
        save(tmp_path / str(number), values)
        np.testing.assert_array_equal(CaveSource(tmp_path / str(number)).read("balloons"), expected)


TURNS = {
    "its rows and columns are exchanged": lambda cube: cube.swapaxes(1, 2),
    "it is upside down": lambda cube: np.flip(cube, 1),
    "it is mirrored, left to right": lambda cube: np.flip(cube, 2),
    "it is turned by 180 degrees": lambda cube: np.rot90(cube, 2, (1, 2)),
    "it is turned by 90 degrees anticlockwise": lambda cube: np.rot90(cube, 1, (1, 2)),
    "it is turned by 90 degrees clockwise": lambda cube: np.rot90(cube, -1, (1, 2)),
    "it is mirrored along its second diagonal": lambda cube: np.flip(cube, (1, 2)).swapaxes(1, 2),
    "its bands are in reverse order": lambda cube: cube[::-1],
    "it is upside down and its bands are in reverse order": lambda cube: cube[::-1, ::-1],
}


@pytest.mark.parametrize("words", TURNS)
def test_a_turned_scene_is_refused(tmp_path: Path, counts: Counts, words: str) -> None:
    save(tmp_path, TURNS[words](counts))
    assert f"balloons_ms.mat: this is not Columbia's balloons: {words}. It is not taken" in refused(tmp_path)


DIFFERENT = {
    "its values are divided by their maximum: it is exactly 1, where Columbia's is 0.9155": lambda c: c / c.max(),
    "its values are divided by 65536, not 65535": lambda c: c / 65536,
    "its values are rounded in another way": lambda c: np.nextafter((c / 65535).astype(np.float32), np.float32(0)),
    "its values have 8 bits, where Columbia's have 16": lambda c: (c >> 8) / 255,
    "its maximum is exactly 1, where Columbia's is 0.9155, as where every band": lambda c: (
        c / c.max((1, 2), keepdims=True)
    ),
    "its maximum is exactly 1, where Columbia's is 0.9155. ": lambda c: np.sqrt(c / c.max()),
    "its values are others; the greatest is 0.8": lambda c: np.sqrt(c / c.max()) * 0.8,
    "from 0 to 234, are neither": lambda c: c >> 8,
    f"it has 8 x {SIDE} pixels, where Columbia's has {SIDE} x {SIDE}": lambda c: c[:, ::2],
}


@pytest.mark.parametrize("words", DIFFERENT)
def test_another_scene_is_refused_and_told_how_it_differs(tmp_path: Path, counts: Counts, words: str) -> None:
    save(tmp_path, DIFFERENT[words](counts))
    message = refused(tmp_path)
    assert words in message
    assert "`--dataset mat:FILE`" in message


def test_what_was_done_is_told_together(tmp_path: Path, counts: Counts) -> None:
    save(tmp_path, counts.swapaxes(1, 2) / counts.max())
    assert "its rows and columns are exchanged and its values are divided by their maximum" in refused(tmp_path)


def test_a_scene_under_another_name_is_told(tmp_path: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_for(monkeypatch, "beads", counts[:, ::-1] // 2 + 20000)
    save(tmp_path, counts[:, ::-1] // 2 + 20000)
    assert "this is not Columbia's balloons: it is the scene beads. " in refused(tmp_path)


def test_no_verb_takes_it_for_cave(tmp_path: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bands(tmp_path / "balloons_ms", counts[:, ::-1])
    bands(tmp_path / "beads_ms", counts[:, ::-1], "beads_ms_{:02d}.png")
    common = ("--dataset", "cave", "--scale", "4", "--scenes", "balloons", "--data-root", tmp_path)
    np.save("sr.npy", (counts / 65535).astype(np.float32))
    said = "balloons_ms_*.png: this is not Columbia's balloons: it is upside down."
    for words in (
        ("run", "--methods", "bicubic,gsa", *common),
        ("evaluate", "sr.npy", "--name", "mine", *common),
        ("data", "prepare", "cave", "--scale", "4", "--data-root", tmp_path, "--out", "prepared", "--part", "test"),
    ):
        done = hsbench(*words)
        assert done.exit_code == 1, words
        assert said in done.stderr or "lacks 10 of 11" in done.stderr, (words, done.output)
    done = hsbench("train", "ssfcnn", "--dataset", "cave", "--scale", "4", "--data-root", tmp_path, "--max-steps", "1")
    assert done.exit_code == 1
    assert "this is not Columbia's beads: it is the scene balloons and it is upside down." in done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".json", ".h5", ".safetensors")]


def test_scenes_that_were_observed_before_are_compared_too(
    tmp_path: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    bands(tmp_path / "beads_ms", counts, "beads_ms_{:02d}.png")
    stand_for(monkeypatch, "beads", counts)
    scenes = TrainingScenes(open_task("cave", 4, data_root=tmp_path, partial=True).train)
    recipe = Recipe("reference", "adam", 1e-3, 0, 1, 1, 1, 1, patch=8, loss="l1", source="nowhere")
    scenes.patches(recipe, 0, reference=True)
    stand_for(monkeypatch, "beads", counts[::-1])  # as if they had been observed by a version that did not compare
    with pytest.raises(DifferentDataError, match="this is not Columbia's beads: it is the scene balloons"):
        scenes.patches(recipe, 0, reference=True)


def test_check_says_that_it_differs(tmp_path: Path, counts: Counts) -> None:
    bands(tmp_path / "balloons_ms", counts[:, ::-1])
    done = hsbench("data", "check", "cave", "--data-root", tmp_path, "--json")
    assert done.exit_code == 1
    (found,) = [scene for scene in json.loads(done.stdout)["scenes"] if scene["condition"] != "missing"]
    assert (found["condition"], "it is upside down" in found["error"]) == ("differs", True)
    said = hsbench("data", "check", "cave", "--data-root", tmp_path).stdout
    assert f"differs: {tmp_path}/balloons_ms/balloons_ms_*.png: this is not Columbia's balloons" in said


# -- where scenes are found


@pytest.mark.parametrize(
    "place",
    [
        "balloons_ms/balloons_ms/balloons_ms_{:02d}.png",
        "CAVE/complete_ms_data/balloons_ms/balloons_ms/balloons_ms_{:02d}.png",
        "a/b/c/d/e/balloons_ms_{:02d}.png",
        "Balloons_ms/Balloons_MS_{:02d}.PNG",
        "CAVE/test/balloons/balloons_{:02d}.png",
    ],
)
def test_any_nesting_and_capitals(tmp_path: Path, counts: Counts, place: str) -> None:
    folder, name = (tmp_path / "here" / place).parent, Path(place).name
    bands(folder, counts, name)
    for junk in ("Thumbs.db", "balloons_RGB.bmp", "._balloons_ms_01.png", "__MACOSX/balloons_ms_01.png"):
        (folder / junk).parent.mkdir(exist_ok=True)
        (folder / junk).write_bytes(b"junk")
    expected = (counts / 65535).astype(np.float32)
    for file in ("CAVE.zip", "cave_ms.zip", "complete_ms_data (1).zip", "balloons_ms.zip", "Balloons (2).zip"):
        with zipfile.ZipFile(tmp_path / file, "w") as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(tmp_path / "here"))
        (tmp_path / "zipped").mkdir(exist_ok=True)
        (tmp_path / file).rename(tmp_path / "zipped" / file)
        np.testing.assert_array_equal(CaveSource(tmp_path / "zipped").read("balloons"), expected)
        (tmp_path / "zipped" / file).unlink()
    np.testing.assert_array_equal(CaveSource(tmp_path / "here").read("balloons"), expected)


def test_two_copies_that_differ_are_named(tmp_path: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    bands(root / "test" / "balloons_ms", counts)
    bands(root / "x4_bicubic" / "balloons_ms", counts[:, ::4, ::4])
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        for path in sorted(root.rglob("*.png")):
            archive.write(path, path.relative_to(tmp_path))
    for place in (root, tmp_path / "archive.zip"):
        message = refused(place)
        assert "the scene balloons is here twice, and the two differ" in message
        for folder in ("test", "x4_bicubic"):
            assert f"{folder}/balloons_ms/balloons_ms_*.png" in message
    monkeypatch.chdir(tmp_path)
    words = ("--methods", "bicubic", "--dataset", "cave", "--scale", "4", "--scenes", "balloons")
    assert hsbench("run", *words, "--data-root", "archive.zip").exit_code == 1
    assert not list(tmp_path.rglob("*.json"))


def test_two_archives_and_two_mat_files_that_differ_are_named(tmp_path: Path, counts: Counts) -> None:
    for file, values in (("CAVE.zip", counts), ("complete_ms_data (1).zip", counts[:, ::-1])):
        bands(tmp_path / "bands", values)
        with zipfile.ZipFile(tmp_path / file, "w") as archive:
            for path in sorted((tmp_path / "bands").iterdir()):
                archive.write(path, path.name)
                path.unlink()
    message = refused(tmp_path)
    assert "CAVE.zip: balloons_ms_*.png" in message
    assert "complete_ms_data (1).zip: balloons_ms_*.png" in message
    (tmp_path / "mat").mkdir()
    save(tmp_path / "mat", counts)
    savemat(tmp_path / "mat" / "balloons.mat", {"hsi": counts[:, ::-1]})
    message = refused(tmp_path / "mat")
    assert "balloons_ms.mat" in message
    assert "balloons.mat" in message


def test_two_copies_of_one_content_are_harmless(tmp_path: Path, counts: Counts) -> None:
    expected = (counts / 65535).astype(np.float32)
    bands(tmp_path / "one" / "balloons_ms", counts)
    bands(tmp_path / "two" / "balloons_ms", counts)
    np.testing.assert_array_equal(CaveSource(tmp_path).read("balloons"), expected)


def test_a_link_into_itself_ends(tmp_path: Path, counts: Counts) -> None:
    bands(tmp_path / "balloons_ms", counts)
    (tmp_path / "again").symlink_to(tmp_path)
    assert len(CaveSource(tmp_path).files("balloons")) == 31


def test_cubes_of_methods_far_below_are_no_scenes(tmp_path: Path, counts: Counts) -> None:
    save(tmp_path, counts)
    far = tmp_path / "results" / "cave-x4-uestc" / "bicubic"
    far.mkdir(parents=True)
    savemat(far / "balloons.mat", {"sr": counts / 65536})
    CaveSource(tmp_path).read("balloons")


# -- PNG files and archives of other kinds


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(path: Path, depth: int, colour: int, rows: bytes, *, interlaced: int = 0, more: bytes = b"") -> None:
    """Write a PNG of SIDE x SIDE pixels by the specification."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, depth, colour, 0, 0, interlaced))
    end = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + more + end)


def rows_of(values: NDArray[np.generic]) -> bytes:
    return b"".join(b"\0" + row.tobytes() for row in values)


@pytest.mark.parametrize(
    ("depth", "colour", "shape", "words"),
    [
        (16, 2, (SIDE, SIDE, 3), "16-bit RGB"),
        (16, 4, (SIDE, SIDE, 2), "16-bit grey with transparency"),
        (16, 6, (SIDE, SIDE, 4), "16-bit RGBA"),
        (8, 0, (SIDE, SIDE), "8-bit grey"),
        (8, 3, (SIDE, SIDE), "8-bit palette"),
        (1, 0, (SIDE, SIDE // 8), "1-bit grey"),
    ],
)
@pytest.mark.parametrize("name", ["balloons", "watercolors"])
def test_pngs_of_other_kinds_are_refused_in_our_words(
    tmp_path: Path, counts: Counts, depth: int, colour: int, shape: tuple[int, ...], words: str, name: str
) -> None:
    bands(tmp_path / f"{name}_ms", counts, name + "_ms_{:02d}.png")
    values = np.full(shape, 7, ">u2" if depth == 16 else ">u1")
    palette = chunk(b"PLTE", bytes(range(24))) if colour == 3 else b""
    png(tmp_path / f"{name}_ms" / f"{name}_ms_03.png", depth, colour, rows_of(values), more=palette)
    with pytest.raises(DifferentDataError) as caught:
        CaveSource(tmp_path).read(name)
    if (name, words) != ("watercolors", "8-bit grey"):  # which that scene may have
        said = f"{name}_ms_03.png: a 16-bit grey PNG is needed, but its pixels are {words}; a copy that was converted"
        assert said in str(caught.value)


def test_an_animation_is_refused(tmp_path: Path, counts: Counts) -> None:
    bands(tmp_path, counts)
    more = chunk(b"acTL", struct.pack(">II", 2, 0))
    png(tmp_path / "balloons_ms_03.png", 16, 0, rows_of(counts[2].astype(">u2")), more=more)
    assert "balloons_ms_03.png: one image is needed, but it is an animation of 2" in refused(tmp_path)


def test_an_interlaced_png_is_read(tmp_path: Path, counts: Counts) -> None:
    bands(tmp_path, counts)
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    big = counts[2].astype(">u2")
    rows = b"".join(rows_of(big[row::down, column::right]) for row, column, down, right in passes)
    png(tmp_path / "balloons_ms_03.png", 16, 0, rows, interlaced=1)
    with Image.open(tmp_path / "balloons_ms_03.png") as image:
        np.testing.assert_array_equal(np.asarray(image), counts[2])
    np.testing.assert_array_equal(CaveSource(tmp_path).read("balloons"), (counts / 65535).astype(np.float32))


FOREIGN = ("broken PNG", "checksum", "image file", "cannot identify", "BytesIO", "password required", "CRC-32", "Errno")


def test_no_library_speaks(tmp_path: Path, counts: Counts) -> None:
    bands(tmp_path / "balloons_ms", counts)
    path = tmp_path / "balloons_ms" / "balloons_ms_03.png"
    whole = path.read_bytes()
    for content in (b"", whole[:20], whole[:-30], whole[:60] + b"?" + whole[61:], b"<html>", whole[:8] + whole[-12:]):
        path.write_bytes(content)
        done = hsbench("data", "check", "cave", "--data-root", tmp_path)
        assert done.exit_code == 1
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("damaged: ")]
        assert "balloons_ms_03.png" in line
        assert not [words for words in set(FOREIGN) - {"checksum"} if words in line], line


@pytest.mark.parametrize(
    ("flag", "words"),
    [("encrypted", "is encrypted; unpack the archive with its password"), ("method", r"is compressed in a way")],
)
def test_archives_that_cannot_be_read_say_why(tmp_path: Path, counts: Counts, flag: str, words: str) -> None:
    bands(tmp_path / "bands", counts)
    file = tmp_path / "zip" / "CAVE.zip"
    file.parent.mkdir()
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted((tmp_path / "bands").iterdir()):
            archive.write(path, path.name)
    content = bytearray(file.read_bytes())
    local, central = content.index(b"PK\3\4"), content.index(b"PK\1\2")
    if flag == "encrypted":
        content[local + 6] |= 1
        content[central + 8] |= 1
    else:
        content[local + 8] = content[central + 10] = 97
    file.write_bytes(content)
    done = hsbench("data", "check", "cave", "--data-root", file.parent)
    assert f"unusable: {file}: balloons_ms_01.png in it {words}" in done.stdout
    assert not [foreign for foreign in FOREIGN if foreign in done.stdout]
