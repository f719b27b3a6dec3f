"""Small files that claim to be large: refused at once, in a line that says both sizes, the limit, and how to raise it.

Each is read in a process whose memory is limited, and its time and memory are measured.
"""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from support.reading import Reading

#: 10^12 elements.
SHAPE = (25, 2 * 10**5, 2 * 10**5)


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    reading = Reading(tmp_path_factory.mktemp("reading"))
    yield reading
    reading.close()


def never_written(path: Path, **more: object) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("hsi", SHAPE, "f8", **more)


def pair_never_written(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        for name in ("gt", "sr"):
            held = file.create_dataset(name, (*SHAPE[::-1], 1), "f8", chunks=True)
            held.attrs["MATLAB_class"] = np.bytes_("double")


def references(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        cells = file.create_dataset("c", (10**9, 1), h5py.ref_dtype, chunks=(1000, 1))
        cells.attrs["MATLAB_class"] = np.bytes_("cell")


def empty_of_matlab(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        sizes = file.create_dataset("x", (10**10,), "u8", chunks=(1000,))
        sizes.attrs["MATLAB_class"], sizes.attrs["MATLAB_empty"] = np.bytes_("double"), 1


def samples(path: Path, **shapes: tuple[int, ...]) -> None:
    with h5py.File(path, "w") as file:
        for name, shape in shapes.items():
            file.create_dataset(name, shape, "f4", chunks=True)


def element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + b"\0" * (-len(content) % 8)


def matrix(shape: tuple[int, ...], content: bytes, stated: int | None = None, name: bytes = b"x") -> bytes:
    """Return an array of MATLAB's version 5, whose numbers' tag may state another size than there is."""
    head = element(6, struct.pack("<II", 6, 0)) + element(5, struct.pack(f"<{len(shape)}i", *shape)) + element(1, name)
    whole = head + struct.pack("<II", 9, len(content) if stated is None else stated) + content
    return struct.pack("<II", 14, len(whole)) + whole


def mat(path: Path, *elements: bytes) -> None:
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<HH", 0x0100, 0x4D49) + b"".join(elements))


def packed_zeros(count: int, head: bytes = b"") -> bytes:
    packing, piece = zlib.compressobj(9), b"\0" * 2**20
    return packing.compress(head) + b"".join(packing.compress(piece) for _ in range(count // 2**20)) + packing.flush()


def mat_v7(path: Path) -> None:
    count = 2**28
    head = matrix((count // 2**20, 2**10, 2**7), b"", stated=count)
    packed = packed_zeros(count, struct.pack("<II", 14, len(head) - 8 + count) + head[8:])
    mat(path, struct.pack("<II", 15, len(packed)) + packed)


def pair_of_zeros(path: Path) -> None:
    count = 2**28
    packed = []
    for name in (b"gt", b"sr"):
        head = matrix((2, 2**7, 2**10, 2**10), b"", stated=count, name=name)
        packed.append(packed_zeros(count, struct.pack("<II", 14, len(head) - 8 + count) + head[8:]))
    mat(path, *(struct.pack("<II", 15, len(each)) + each for each in packed))


def mat_v7_that_goes_on(path: Path) -> None:
    """State little, and unpack to much."""
    packed = packed_zeros(2**28, matrix((2, 2, 2), bytes(64)))
    mat(path, struct.pack("<II", 15, len(packed)) + packed)


def png(path: Path, width: int, height: int, data: bytes | None = None) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    size = width * height * 2 + height
    content = packed_zeros(size + 2**20) if data is None else data
    head = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", content) + chunk(b"IEND", b""))


def zipped(path: Path, name: str, count: int = 2**28) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive, archive.open(name, "w") as file:
        for _ in range(count // 2**20):
            file.write(b"\0" * 2**20)


def npy_head(shape: tuple[int, ...]) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return file.getvalue()


def npz(path: Path, shape: tuple[int, ...], count: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("hsi.npy", "w") as file:
        file.write(npy_head(shape))
        for _ in range(count // 2**20):
            file.write(b"\0" * 2**20)


def tif(path: Path) -> None:
    """Write an image of 10^10 pixels whose strips are not there."""
    tags = [
        (256, 4, 1, 10**5), (257, 4, 1, 10**5), (258, 3, 1, 16), (259, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8),
        (277, 3, 1, 1), (278, 4, 1, 10**5), (279, 4, 1, 10),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(tags)) + entries + bytes(4))


def tif_of_huge_tags(path: Path) -> None:
    tags = [
        (256, 4, 1, 100), (257, 4, 1, 100), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1), (270, 2, 2**32 - 1, 8),
        (273, 4, 2**30, 8), (277, 3, 1, 1), (278, 4, 1, 100), (279, 4, 2**30, 8),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(tags)) + entries + bytes(4))


def envi(path: Path) -> None:
    path.write_text(
        "ENVI\nsamples = 1000\nlines = 1000000000\nbands = 10\ndata type = 4\ninterleave = bsq\nbyte order = 0\n"
    )
    path.with_suffix("").write_bytes(bytes(1000))


def long_envi(path: Path) -> None:
    path.write_text("ENVI\n" + "samples = 1000\n" * 2 * 10**6)


def zarr(path: Path) -> None:
    path.mkdir()
    (path / ".zarray").write_text(
        json.dumps({
            "zarr_format": 2, "shape": SHAPE, "chunks": [1000] * 3, "dtype": "<f8", "compressor": None,
            "fill_value": 0, "order": "C", "filters": None,
        })
    )  # fmt: skip


def toml(path: Path, text: str) -> None:
    np.save(path.with_suffix(".npy"), np.random.default_rng(0).random((4, 6, 5)))
    path.write_text(f'title = "x"\nfile = "{path.stem}.npy"\n{text}\n')


def safetensors(path: Path) -> None:
    head = json.dumps({"w": {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4 * 10**12]}}).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head)


def pth(path: Path) -> None:
    """Write a checkpoint anew with its numbers packed."""
    import torch

    torch.save({"w": torch.zeros(4)}, path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in parts.items():
            if name.endswith("data/0"):
                with archive.open(name, "w") as file:
                    for _ in range(2**8):
                        file.write(b"\0" * 2**20)
            else:
                archive.writestr(name, content)


Make = Callable[[Path], None]
BOMBS: dict[str, tuple[str, str, Make, str]] = {
    "chunks never written": ("arrays", "a.h5", lambda p: never_written(p, chunks=True), "8 TB.*HSBENCH_MEMORY=8000G"),
    "a dataset never written": ("arrays", "a.h5", never_written, "8 TB.*HSBENCH_MEMORY=8000G"),
    "fill values": ("cube", "a.h5", lambda p: never_written(p, fillvalue=0.5), "8 TB.*HSBENCH_MEMORY"),
    "gzip never written": ("cube", "a.h5", lambda p: never_written(p, compression="gzip"), "8 TB.*HSBENCH_MEMORY"),
    "as MAT 7.3": ("arrays", "a.mat", lambda p: never_written(p, chunks=True), "8 TB.*HSBENCH_MEMORY"),
    "MAT 7.3, in slabs": ("batches", "a.mat", pair_never_written, "8 TB of disk, and .* are free in .*TMPDIR"),
    "cells never written": ("arrays", "a.mat", references, "1000000000 elements, more than 1000000"),
    "a size never written": ("arrays", "a.mat", empty_of_matlab, "80 GB.*HSBENCH_MEMORY"),
    "many samples": (
        "samples",
        "a.h5",
        lambda p: samples(p, GT=(10**10, 3, 8, 8), LRHSI=(10**10, 3, 2, 2), RGB=(10**10, 3, 8, 8)),
        "10000000000 samples; more than 1000000",
    ),
    "samples never written": (
        "samples",
        "a.h5",
        lambda p: samples(p, GT=(10, 3, 80000, 80000), LRHSI=(10, 3, 20000, 20000), RGB=(10, 3, 80000, 80000)),
        "TB.*HSBENCH_MEMORY|768 GB.*HSBENCH_MEMORY",
    ),
    "MAT 7": ("arrays", "a.mat", mat_v7, "claims 268 MB, for which the file has .* HSBENCH_MEMORY=1G"),
    "MAT 7, in slabs": ("batches", "a.mat", pair_of_zeros, "claims 268 MB"),
    "MAT 7 that goes on": ("arrays", "a.mat", mat_v7_that_goes_on, "beyond the \\d+ bytes that it states"),
    "MAT 5": (
        "arrays",
        "a.mat",
        lambda p: mat(p, matrix(SHAPE, bytes(64), 64)),
        "states 1000000000000 elem",
    ),
    "PNG": ("png", "a.png", lambda p: png(p, 30000, 30000, bytes(100)), "claims 1.8 GB, for which the file has"),
    "PNG of zeros": ("png", "a.png", lambda p: png(p, 16000, 16000), "claims 512 MB, for which the file has"),
    "zip": ("archive", "a.zip", lambda p: zipped(p, "x.png"), "claims 268 MB, for which the file has "),
    "zip to unpack": ("unpacked", "a.zip", lambda p: zipped(p, "x.png"), "claims 268 MB"),
    "npz": ("arrays", "a.npz", lambda p: npz(p, (2**8, 2**10, 2**7), 2**28), "claims 268 MB, for which"),
    "npz's head": ("arrays", "a.npz", lambda p: npz(p, SHAPE, 0), "states 8000000000000 bytes"),
    "npy's head": ("arrays", "a.npy", lambda p: p.write_bytes(npy_head(SHAPE)) and None, "states 80000000001"),
    "TIFF": ("arrays", "a.tif", tif, "claims 20 GB, for which the file has"),
    "TIFF's tags": ("arrays", "a.tif", tif_of_huge_tags, "a.tif"),
    "ENVI": ("arrays", "a.hdr", envi, "states 40000000000000 bytes"),
    "ENVI's text": ("arrays", "a.hdr", long_envi, "30 MB, and a text of more than 16.8 MB is not read.*HSBENCH_MEMORY"),
    "Zarr": ("arrays", "a.zarr", zarr, "claims 8 TB, for which the file has .*HSBENCH_MEMORY"),
    "a range of bands": ("description", "a.toml", lambda p: toml(p, 'dropped = ["1-1000000000"]'), "65536"),
    "a range of digits": ("description", "a.toml", lambda p: toml(p, f'dropped = ["1-{"9" * 5000}"]'), "65536"),
    "wavelengths": (
        "description",
        "a.toml",
        lambda p: toml(p, "wavelengths = {start = 400, stop = 700, count = 1000000000}"),
        "65536",
    ),
    "bands": ("description", "a.toml", lambda p: toml(p, "bands = 1000000000000"), "65536"),
    "deep TOML": ("description", "a.toml", lambda p: toml(p, f"rows = {'[' * 10**5}"), "nested too deeply"),
    "dotted TOML": ("description", "a.toml", lambda p: toml(p, f"{'a.' * 10**5}b = 1"), "more than 100 dots"),
    "long TOML": ("description", "a.toml", lambda p: toml(p, "#\n" * 10**6), "2 MB, and a text of more than 1.05 MB"),
    "TOML's integers": ("description", "a.toml", lambda p: toml(p, f"bands = {'9' * 6000}"), "thousands of digits"),
    "TOML's hexadecimals": ("description", "a.toml", lambda p: toml(p, f"const = 0x{'f' * 6000}"), "beyond 64 bits"),
    "a protocol": ("protocol", "a.toml", lambda p: toml(p, f"rows = {'[' * 10**5}"), "nested too deeply"),
    "trainings": ("queue", "a.toml", lambda p: toml(p, f"rows = {'[' * 10**5}"), "nested too deeply"),
    "goldens": ("golden", "a.toml", lambda p: toml(p, f"rows = {'[' * 10**5}"), "nested too deeply"),
    "CSV's cells": ("response", "a.csv", lambda p: p.write_text(f"w,{'r' * 10**6}\n1,2") and None, "131072 characters"),
    "CSV's text": ("response", "a.csv", lambda p: p.write_text("1,2\n" * 10**7) and None, "40 MB, and a text of more"),
    "safetensors": ("weights", "a.safetensors", safetensors, "is not a readable safetensors file"),
    "safetensors' head": (
        "weights",
        "a.safetensors",
        lambda p: p.write_bytes(struct.pack("<Q", 2**62) + b"{}") and None,
        "is not a readable safetensors file",
    ),
    "checkpoint": ("checkpoint", "a.pth", pth, "claims 268 MB, for which the file has"),
    "state": ("state", "a.state", pth, "claims 268 MB, for which the file has"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_once(name: str, tmp_path: Path, reading: Reading) -> None:
    reader, file, make, message = BOMBS[name]
    path = tmp_path / file
    make(path)
    answer = reading.read(reader, path)
    assert answer.outcome == "refused", answer
    assert re.search(message, answer.text), answer.text
    assert answer.text.startswith(str(path)) or str(path) in answer.text
    assert "\n" not in answer.text
    assert len(answer.text) < 500
    assert answer.seconds < 5, answer
    assert answer.megabytes < 150, answer
