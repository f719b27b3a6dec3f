"""Damaged files of other people: each ends in a message that names it, or in numbers; never in a traceback."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy import io

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.arrays import open_arrays

CUBE = np.random.default_rng(0).random((5, 12, 10))


def hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("sr", data=CUBE, compression="gzip", shuffle=True)


def tif(path: Path) -> None:
    from skimage.io import imsave

    imsave(path, CUBE, check_contrast=False)


def cell(value: object) -> np.ndarray:
    made = np.empty((1, 1), dtype=object)
    made[0, 0] = value
    return made


WRITERS: dict[str, Callable[[Path], object]] = {
    "a.mat": lambda path: io.savemat(path, {"sr": CUBE}),
    "b.mat": lambda path: io.savemat(path, {"sr": CUBE}, do_compression=True),
    "c.h5": hdf5,
    "d.npz": lambda path: np.savez(path, sr=CUBE),
    "e.npz": lambda path: np.savez_compressed(path, sr=CUBE),
    "f.npy": lambda path: np.save(path, CUBE),
    "g.tif": tif,
    "h.mat": lambda path: io.savemat(path, {"c": cell(CUBE)}),
    "i.mat": lambda path: io.savemat(path, {"s": {"c": cell({"sr": CUBE})}}, do_compression=True),
}


def read_all(path: Path) -> list[np.ndarray]:
    with open_arrays(path) as arrays:
        return [array.read(tuple(slice(None) for _ in array.shape)) for array in arrays.values()]


@pytest.fixture(params=WRITERS)
def whole(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    WRITERS[request.param](path)
    [array] = read_all(path)
    assert np.array_equal(array, CUBE)
    return path


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.9])
def test_a_file_that_is_cut_off_is_refused(whole: Path, kept: float) -> None:
    content = whole.read_bytes()
    whole.write_bytes(content[: int(kept * len(content))])
    kind = {"mat": "a MAT-file", "h5": "an HDF5 file", "npz": "a NumPy archive", "npy": "a NumPy file"}.get(
        whole.suffix[1:], "a TIFF file"
    )
    with pytest.raises(HsbenchError, match=rf"{whole.name} cannot be read as {kind}, or is damaged"):
        read_all(whole)


@pytest.mark.filterwarnings("ignore")  # what a library has to say of damage is not what is tested
@pytest.mark.parametrize("seed", range(12))
def test_flipped_bits_end_in_a_message_or_in_numbers(whole: Path, seed: int) -> None:
    content = bytearray(whole.read_bytes())
    random = np.random.default_rng(seed)
    # half of the flips hit the beginning, where a file says what it holds
    places = random.integers(0, min(len(content), 256) if seed % 2 else len(content), 3)
    for place in places:
        content[place] ^= 1 << random.integers(8)
    whole.write_bytes(content)
    with contextlib.suppress(HsbenchError):  # all but this fails the test
        assert all(array.dtype.kind in "fiu" for array in read_all(whole))


@pytest.mark.parametrize("name", ["b.mat", "d.npz", "e.npz"])
def test_a_flipped_bit_among_the_values_of_a_file_with_checksums_is_found(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(HsbenchError, match=rf"{name} cannot be read"):
        read_all(path)


def test_one_byte_of_a_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x80")
    with pytest.raises(HsbenchError, match=r"a\.npy cannot be read"):
        read_all(path)


def test_a_cube_of_nothing_is_refused(tmp_path: Path) -> None:
    from hsfusion_bench.data.sources.cube import CubeSource

    np.save(tmp_path / "a.npy", np.zeros((3, 0, 0)))
    with pytest.raises(HsbenchError, match=r"a\.npy"):
        CubeSource(str(tmp_path / "a.npy"))


def test_an_archive_of_a_file_without_a_name_is_no_fault(tmp_path: Path) -> None:
    import zipfile

    from hsfusion_bench.data.sources.archives import Archive

    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", b"1")
    # the name of the entry in the directory loses its only letter, and so its length
    content = path.read_bytes()
    at = content.index(b"PK\1\2")
    content = content[: at + 28] + b"\0\0\1\0" + content[at + 32 :]
    path.write_bytes(content)
    with contextlib.suppress(HsbenchError):
        Archive(path)


def test_a_tiff_whose_pages_have_no_end_is_refused_at_once(tmp_path: Path) -> None:
    """The directory follows itself, among bytes that are no directory."""
    import struct
    import time

    path = tmp_path / "a.tif"
    tif(path)
    content = path.read_bytes()
    at = struct.unpack_from("<I", content, 4)[0]
    count = struct.unpack_from("<H", content, at)[0]
    after = at + 2 + 12 * count
    for follows in (at + 1, 9, at + 14, len(content) - 3):
        path.write_bytes(content[:after] + struct.pack("<I", follows) + content[after + 4 :])
        begun = time.monotonic()
        with contextlib.suppress(HsbenchError):
            read_all(path)
        assert time.monotonic() - begun < 5


def test_a_nan_that_signals_is_read_without_a_warning(tmp_path: Path) -> None:
    """NumPy warns where it casts one; damaged numbers are no matter of warnings."""
    from hsfusion_bench.data.sources.cube import CubeSource

    cube = CUBE.astype(np.float32)
    cube.view(np.uint32)[2] = 0x7FA00000
    np.save(tmp_path / "a.npy", cube[:, :10])
    source = CubeSource(str(tmp_path / "a.npy"))
    with pytest.raises(HsbenchError, match="finite"):
        source.read(source.scene_names()[0])
