"""What kind a file is follows from its content; what is no array of numbers is named, and what to do with it."""

from __future__ import annotations

import gzip
import pickle
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
import torch
from scipy import io

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats import gdal
from hsfusion_bench.formats.arrays import open_arrays
from hsfusion_bench.formats.kinds import READ, Kind, kind_of
from hsfusion_bench.formats.matfile import open_matfile

CUBE = np.random.default_rng(1).random((5, 12, 10))
#: Words of other libraries, which tell a user nothing.
THEIRS = (
    "Unable to",
    "synchronously",
    "signature",
    "axes don't match",
    "memmap",
    "reshape",
    "allow_pickle",
    "buffer",
    "not a zip",
    "EOF",
    "Errno",
    "codec",
    "expected",
    "KeyError",
    "bytes-like",
)


def hdf5(path: Path, user_block: int = 0) -> None:
    with h5py.File(path, "w", userblock_size=user_block) as file:
        file["sr"] = CUBE


def matlab73(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("sr", data=CUBE.T).attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + bytes((0, 2)) + b"IM")


def npz(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, sr=CUBE)


def npy(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, CUBE)


WRITERS: dict[Kind, Callable[[Path], object]] = {
    Kind.MAT: lambda path: io.savemat(path, {"sr": CUBE}, appendmat=False),
    Kind.MAT73: matlab73,
    Kind.HDF5: hdf5,
    Kind.NPY: npy,
    Kind.NPZ: npz,
    Kind.TIFF: lambda path: tifffile.imwrite(path, CUBE, photometric="minisblack"),
}
ENDINGS = ("", ".mat", ".nc", ".he5", ".img", ".dat", ".npy", ".npz", ".zip", ".tif", ".h5", ".hdf", ".pth", ".hdr")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_is_read_whatever_its_ending(tmp_path: Path, kind: Kind, ending: str) -> None:
    path = tmp_path / f"x{ending}"
    WRITERS[kind](path)
    # HDF5 alone does not say who wrote it; called .mat, it is a MAT-file
    assert kind_of(path) == (Kind.MAT73 if kind == Kind.HDF5 and ending == ".mat" else kind)
    with open_arrays(path) as arrays:
        [array] = arrays.values()
        read = array.read((slice(None),) * 3)
    np.testing.assert_array_equal(read, CUBE.T if kind == Kind.HDF5 and ending == ".mat" else CUBE)


@pytest.mark.parametrize("user_block", [512, 1024, 2048, 8192])
def test_hdf5_after_a_user_block_is_hdf5(tmp_path: Path, user_block: int) -> None:
    hdf5(tmp_path / "x.nc", user_block)
    assert kind_of(tmp_path / "x.nc") == Kind.HDF5


def read_all(path: Path) -> dict[str, np.ndarray]:
    with open_arrays(path) as arrays:
        return {name: array.read((slice(None),) * len(array.shape)) for name, array in arrays.items()}


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
OTHERS: dict[str, tuple[bytes, str]] = {
    "pointer of Git LFS": (POINTER, "git lfs pull"),
    "HDF4": (b"\x0e\x03\x13\x01" + bytes(300), "h4toh5"),
    "classic netCDF file of 64-bit data": (b"CDF\x05" + bytes(300), "nccopy"),
    "gzip": (gzip.compress(CUBE.tobytes()), "gunzip"),
    "pickle": (pickle.dumps({"sr": CUBE}), "never unpickled.*numpy.save"),
    "web page": (b"\n<!DOCTYPE html>\n<html><head><title>Google Drive</title>" + b" " * 900, "get the file anew"),
    "web page saved": (b"<HTML lang='en'>", "get the file anew"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(50), "name the file of the cube"),
    "JPEG": (b"\xff\xd8\xff\xe0" + bytes(50), "name the file of the cube"),
    "PDF": (b"%PDF-1.7\n" + bytes(50), "name the file"),
    "version 4": (struct.pack("<5i", 0, 2, 2, 0, 3) + b"sr\0" + np.eye(2).tobytes(), "-v7"),
    "version 4, which": (struct.pack(">5i", 1000, 2, 2, 0, 3) + b"sr\0" + np.eye(2).tobytes(), "-v7"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c" + bytes(50), "unpack"),
    "0 bytes": (b"", "get it again"),
    "are 0": (bytes(5000), "get it again"),
}


@pytest.mark.parametrize("ending", [".mat", ".h5", ".npy", ".npz", ".zip", ".tif", ".img", ".pth", ""])
@pytest.mark.parametrize("what", OTHERS)
def test_what_is_not_read_is_named_with_what_to_do(
    tmp_path: Path, what: str, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gdal, "is_installed", lambda: False)
    content, advice = OTHERS[what]
    path = tmp_path / f"x{ending}"
    path.write_bytes(content)
    what = "weights" if what == "pickle" and ending == ".pth" else what
    advice = "name the file of the cube" if what == "weights" else advice
    with pytest.raises(HsbenchError, match=rf"(?s){path.name} .*{what}.*{advice}") as caught, open_arrays(path):
        pass
    assert not any(words in str(caught.value) for words in THEIRS)


def test_weights_and_archives_are_named(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "net.mat")
    with zipfile.ZipFile(tmp_path / "cubes.mat", "w") as archive:
        archive.writestr("x.mat", "nothing")
    with pytest.raises(HsbenchError, match="is weights of a network"):
        kind_of(tmp_path / "net.mat")
    with pytest.raises(HsbenchError, match="is a zip archive; unpack it"):
        kind_of(tmp_path / "cubes.mat")


def test_a_pointer_is_named_beside_an_envi_header(tmp_path: Path) -> None:
    (tmp_path / "x.hdr").write_text("ENVI\nsamples = 1\n")
    (tmp_path / "x.img").write_bytes(POINTER)
    with pytest.raises(HsbenchError, match=r"x\.img is a pointer of Git LFS.*git lfs pull"):
        kind_of(tmp_path / "x.img")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (POINTER, "is a pointer of Git LFS.*git lfs pull"),
        (gzip.compress(CUBE.tobytes()), "is a gzip archive; unpack it"),
        (b"II*\0" + bytes(99), "is a file of another kind, a TIFF file; name it itself"),
    ],
)
def test_what_lies_in_place_of_a_raster_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    pytest.importorskip("spectral")
    stated = "samples = 10\nlines = 12\nbands = 5\ndata type = 4\ninterleave = bsq\nbyte order = 0\n"
    (tmp_path / "x.hdr").write_text(f"ENVI\n{stated}")
    (tmp_path / "x.img").write_bytes(content)
    with pytest.raises(HsbenchError, match=rf"x\.img {words}"):
        read_all(tmp_path / "x.hdr")


@pytest.mark.parametrize("kept", [20, 100, 200, 900, 3000])
@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_that_is_cut_short_is_told_in_words_of_ours(tmp_path: Path, kind: Kind, kept: int) -> None:
    path = tmp_path / "x.mat" if kind in (Kind.MAT, Kind.MAT73) else tmp_path / "x"
    WRITERS[kind](path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(HsbenchError) as caught:
        read_all(path)
    said = str(caught.value)
    assert "cut short" in said or "cannot be read" in said
    assert not any(words in said for words in THEIRS)


def test_both_sizes_of_a_file_that_is_cut_short_are_told(tmp_path: Path) -> None:
    for kind, stated in ((Kind.NPY, 128 + CUBE.nbytes), (Kind.HDF5, None), (Kind.MAT, None)):
        path = tmp_path / str(kind)
        WRITERS[kind](path)
        whole = path.read_bytes()
        path.write_bytes(whole[:3000])
        words = rf"{stated or len(whole)} bytes, but it has 3000"
        with pytest.raises(HsbenchError, match=words) as caught, open_arrays(path):
            pass
        assert caught.value.__cause__ is not None


def test_a_compression_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        stored = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        stored.set_chunk(CUBE.shape)
        stored.set_filter(32999, h5py.h5z.FLAG_OPTIONAL)
        made = h5py.h5d.create(file.id, b"sr", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple(CUBE.shape), stored)
        made.write_direct_chunk((0, 0, 0), CUBE.tobytes(), 0)
    with pytest.raises(HsbenchError, match=r"sr of .*x\.h5 is compressed by the filter .*32999.*h5repack"):
        read_all(tmp_path / "x.h5")


def test_pickled_objects_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.array([{}], dtype=object))
    np.savez(tmp_path / "y.npz", a=np.array([{}], dtype=object), sr=CUBE)
    with (
        pytest.raises(HsbenchError, match="Python objects, which only unpickling could read"),
        open_arrays(tmp_path / "x.npz"),
    ):
        pass
    with open_arrays(tmp_path / "y.npz") as arrays:
        assert (list(arrays), arrays.others) == (["sr"], {"a": "Python objects"})


def test_a_matlab_reader_names_another_kind(tmp_path: Path) -> None:
    npy(tmp_path / "x.mat")
    with pytest.raises(HsbenchError, match="is a NumPy file; a MAT-file is needed"), open_matfile(tmp_path / "x.mat"):
        pass


def test_every_kind_is_listed() -> None:
    assert set(READ) == set(Kind)


SCIPYS = sorted((Path(io.__file__).parent / "matlab" / "tests" / "data").glob("*"))


@pytest.mark.skipif(not SCIPYS, reason="SciPy was installed without its tests")
@pytest.mark.filterwarnings("ignore")
def test_files_of_many_versions_are_read_as_scipy_does_or_refused_in_words_of_ours(tmp_path: Path) -> None:
    said, read = [], 0
    for original in SCIPYS:
        path = Path(shutil.copy(original, tmp_path))
        try:
            with open_arrays(path) as arrays:
                whole = {
                    name: array.read((slice(None),) * len(array.shape))
                    for name, array in arrays.items()
                    if array.kind != "complex"
                }
        except HsbenchError as error:
            said.append(str(error))
            continue
        for name, values in whole.items():
            # not within a struct or a cell, nor what SciPy does not read
            if name.isidentifier() and kind_of(path) == Kind.MAT:
                np.testing.assert_array_equal(values, io.loadmat(path)[name], err_msg=path.name)
                read += 1
    assert read > 20
    for words in said:
        assert words.startswith(str(tmp_path))
        assert not any(theirs in words for theirs in THEIRS), words
