"""Valid files of every kind that is read, small, and ways to spoil them.

A kind has its bytes, and what wraps them: where a checksum or a compression would hide every spoiled byte at once,
the bytes within are spoiled and wrapped anew.
"""

from __future__ import annotations

import functools
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from hypothesis import strategies as st
from scipy import io as matlab

CUBE = np.random.default_rng(0).random((4, 6, 6)).astype(np.float32)
PAIR = np.random.default_rng(2).random((2, 4, 6, 6))
#: Numbers that a length or a count may be taken for.
ODD = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**40, 2**63)

Wrap = Callable[[bytes], bytes]
Change = Callable[[bytearray, bytes], None]


@dataclass(frozen=True)
class Seed:
    """A valid file: its reader in `support.reading`, its name, what is spoiled, how that is wrapped, what is beside."""

    reader: str
    name: str
    content: bytes
    wrap: Wrap = bytes
    beside: tuple[tuple[str, bytes], ...] = ()

    def write(self, folder: Path, content: bytes) -> Path:
        """Write it with this content in place of its own."""
        for name, other in self.beside:
            (folder / name).write_bytes(other)
        path = folder / self.name
        path.write_bytes(self.wrap(content))
        return path


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    """Draw ways to spoil a file, one after the other."""
    return draw(
        st.lists(st.one_of(_flips(), _numbers(), _cuts(), _repeats(), _splices(), _digits()), min_size=1, max_size=4)
    )


#: A place in a file of any length, which its beginning attracts: there are the heads.
_PLACES = st.one_of(st.integers(0, 300), st.integers(0, 2**16), st.floats(0, 1))


def _at(place: float, length: int) -> int:
    if not length:
        return 0
    return min(length - 1, int(place * length)) if isinstance(place, float) else place % length


def _flips() -> st.SearchStrategy[Change]:
    def flip(place: float, byte: int, data: bytearray, other: bytes) -> None:
        if data:
            data[_at(place, len(data))] ^= byte

    return st.builds(lambda place, byte: functools.partial(flip, place, byte), _PLACES, st.integers(1, 255))


def _numbers() -> st.SearchStrategy[Change]:
    def put(place: float, number: int, code: str, data: bytearray, other: bytes) -> None:
        size = struct.calcsize(code)
        at = _at(place, len(data))
        data[at : at + size] = struct.pack(code, number % 2 ** (8 * size))

    return st.builds(
        lambda place, number, code: functools.partial(put, place, number, code),
        _PLACES,
        st.sampled_from(ODD),
        st.sampled_from(("B", "<H", ">H", "<I", ">I", "<Q", ">Q")),
    )


def _cuts() -> st.SearchStrategy[Change]:
    def cut(place: float, data: bytearray, other: bytes) -> None:
        del data[_at(place, len(data)) :]

    return st.builds(lambda place: functools.partial(cut, place), _PLACES)


def _repeats() -> st.SearchStrategy[Change]:
    def repeat(place: float, size: int, times: int, data: bytearray, other: bytes) -> None:
        at = _at(place, len(data))
        data[at:at] = data[at : at + size] * times

    return st.builds(
        lambda place, size, times: functools.partial(repeat, place, size, times),
        _PLACES,
        st.integers(1, 64),
        st.integers(1, 50),
    )


def _splices() -> st.SearchStrategy[Change]:
    def splice(here: float, there: float, size: int, data: bytearray, other: bytes) -> None:
        at, source = _at(here, len(data)), _at(there, len(other))
        data[at : at + size] = other[source : source + size]

    return st.builds(
        lambda here, there, size: functools.partial(splice, here, there, size), _PLACES, _PLACES, st.integers(0, 200)
    )


def _digits() -> st.SearchStrategy[Change]:
    """Replace the digits that come next in a text."""

    def put(place: float, text: bytes, data: bytearray, other: bytes) -> None:
        at = _at(place, len(data))
        while at < len(data) and not 48 <= data[at] <= 57:
            at += 1
        end = at
        while end < len(data) and 48 <= data[end] <= 57:
            end += 1
        data[at:end] = text

    texts = (
        b"0",
        b"-1",
        b"1e400",
        b"nan",
        b"999999999999",
        b"18446744073709551616",
        b"9" * 400,
        b"",
        b'"',
        b"[[",
        b"\\u",
    )
    return st.builds(lambda place, text: functools.partial(put, place, text), _PLACES, st.sampled_from(texts))


def spoiled(content: bytes, ways: list[Change], other: bytes) -> bytes:
    """Return a content that is spoiled in these ways, some of which take pieces of another one."""
    data = bytearray(content)
    for way in ways:
        way(data, other)
    return bytes(data[: 2**20])


# -- seeds


def _written(write: Callable[[Path], object], name: str, folder: Path) -> bytes:
    path = folder / name
    write(path)
    return path.read_bytes()


def _cell(*values: object) -> np.ndarray:
    made = np.empty((1, len(values)), dtype=object)
    made[0, :] = values
    return made


_HELD = {"hsi": CUBE, "s": {"name": "x", "cube": CUBE, "c": _cell(CUBE[0], 3.0)}, "n": np.array([[1, 2]], np.uint16)}


def _hdf5(path: Path, **more: object) -> None:
    with h5py.File(path, "w") as file:
        held = file.create_dataset("group/hsi", data=CUBE, **more)
        held.attrs["_FillValue"] = np.float32(-9999)
        held.attrs["scale_factor"] = 1.0
        file["wavelengths"] = np.linspace(400, 700, 4)
        file["again"] = h5py.SoftLink("/group/hsi")


def _samples(path: Path) -> None:
    high = np.random.default_rng(1).random((2, 4, 8, 8), np.float32)
    with h5py.File(path, "w") as file:
        file["GT"], file["LRHSI"], file["RGB"] = high, high[..., ::2, ::2], high[:, :3]
        file.attrs["wavelengths"] = [400.0, 500, 600, 700]


def _matlab73(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("hsi", data=CUBE, chunks=(2, 3, 5), compression="gzip").attrs["MATLAB_class"] = b"single"
        file["#refs#/a"] = CUBE[0]
        cells = file.create_dataset("c", (1, 1), h5py.ref_dtype)
        cells[0, 0] = file["#refs#/a"].ref
        cells.attrs["MATLAB_class"] = np.bytes_("cell")
        group = file.create_group("s")
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        group["x"] = 1.0
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM")


def _pair73(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        for name in ("gt", "sr"):
            held = file.create_dataset(name, data=PAIR.T, chunks=(3, 6, 2, 2), compression="gzip")
            held.attrs["MATLAB_class"] = np.bytes_("double")


def _packed_matlab(content: bytes) -> bytes:
    """Compress the elements of a file of version 5, as version 7 has them."""
    made, at = content[:128], 128
    while at + 8 <= len(content):
        size = 8 + struct.unpack_from("<I", content, at + 4)[0]
        if size > len(content) - at:
            size = len(content) - at
        packed = zlib.compress(content[at : at + size])
        made += struct.pack("<II", 15, len(packed)) + packed
        at += size
    return made


def _zipped(names: list[str], sizes: list[int], method: int) -> Wrap:
    """Return what puts a content into a zip file again, as files of these names and sizes."""

    def wrap(content: bytes) -> bytes:
        file, at = io.BytesIO(), 0
        with zipfile.ZipFile(file, "w", method) as archive:
            for number, (name, size) in enumerate(zip(names, sizes, strict=True)):
                archive.writestr(name, content[at : at + size] if number < len(names) - 1 else content[at:])
                at += size
        return file.getvalue()

    return wrap


def _unzipped(content: bytes, method: int) -> tuple[bytes, Wrap]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return b"".join(parts.values()), _zipped(list(parts), [len(part) for part in parts.values()], method)


def _png() -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray((CUBE[0] * 65535).astype(np.uint16)).save(file, "PNG")
    return file.getvalue()


def _checked_png(content: bytes) -> bytes:
    """Give the chunks of a spoiled PNG file checksums that are right."""
    made, at = content[:8], 8
    while at + 12 <= len(content):
        size = struct.unpack_from(">I", content, at)[0]
        if size > len(content) - at - 12:
            break
        made += content[at : at + 8 + size] + struct.pack(">I", zlib.crc32(content[at + 4 : at + 8 + size]))
        at += 12 + size
    return made + content[at:]


def _tif(path: Path, **more: object) -> None:
    import tifffile

    tifffile.imwrite(path, CUBE, metadata={"axes": "CYX"}, photometric="minisblack", **more)


def _card() -> object:
    from hsfusion_bench.methods.weights import TrainingInfo, WeightsCard

    training = TrainingInfo(
        steps=1,
        recipe_steps=2,
        batch_size=1,
        patch=8,
        learning_rate=1e-3,
        changes={},
        supervision="reference",
        scenes=["a"],
        seed=0,
        device="cpu",
        first_loss={"l1": 1.0},
        last_loss={"l1": 0.5},
    )
    return WeightsCard(
        method="feinfn", dataset="demo", scale=4, protocol="uestc", protocol_digest="0", training=training, versions={}
    )


def _safetensors(path: Path) -> None:
    import torch

    from hsfusion_bench.methods.weights import write_weights

    write_weights(path, {"a": torch.ones(2, 3), "b": torch.ones(4)}, _card())  # type: ignore[arg-type]


def _headed_safetensors(content: bytes) -> bytes:
    """Give a spoiled file a head whose length is right."""
    end = content.rfind(b"}") + 1
    return struct.pack("<Q", max(0, end - 8)) + content[8:]


def _checkpoint(path: Path, *, packed: bool = True) -> None:
    import torch

    torch.save({"a": torch.ones(2, 3), "b": [1, 2.5, "x"]}, path, _use_new_zipfile_serialization=packed)


def _state(path: Path) -> None:
    import torch

    from hsfusion_bench.training.state import write_state

    write_state(path, {}, {"step": 1, "w": torch.ones(3)})


_ENVI = (
    b"ENVI\nsamples = 6\nlines = 6\nbands = 4\nheader offset = 0\ndata type = 4\ninterleave = bsq\nbyte order = 0\n"
    b"wavelength units = nm\nwavelength = {400, 500, 600, 700}\nbbl = {1, 1, 1, 0}\ndata ignore value = -9999\n"
    b"data gain values = {1, 1, 1, 1}\nmap info = {UTM, 1, 1, 500000, 4000000, 1, 1, 33, North}\n"
)
_DESCRIPTION = (
    b'title = "A scene"\nfile = "cube.npy"\nlayout = "CHW"\nbands = 4\ndropped = [1, "2-2"]\nconst = 1.0\n'
    b"clip = true\n"
    b'wavelengths = {start = 400.0, stop = 700.0, count = 4}\nwavelengths_unit = "nm"\n'
    b"rows = [0, 6]\ncolumns = [1, 5]\n"
    b'holes = "crop"\n[[scene]]\nname = "a"\n[[scene]]\nname = "b"\nrows = [1, 4]\n'
    b'[split]\nid = "mine"\ntrain = ["a"]\ntest = ["b"]\n'
)


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def seeds(folder: Path) -> dict[str, Seed]:
    """Return the valid files by the names of their kinds; `folder` is for writing them once."""
    from hsfusion_bench.data.observing.protocols import _folder as protocols
    from hsfusion_bench.matlab.goldens import SHIPPED
    from hsfusion_bench.runs.recorded import recorded_root

    root = Path(__file__).parents[2]
    mat5 = _written(lambda path: matlab.savemat(path, _HELD), "a.mat", folder)
    mat7 = _written(lambda path: matlab.savemat(path, _HELD, do_compression=True), "b.mat", folder)
    pair = _written(lambda path: matlab.savemat(path, {"gt": PAIR, "sr": PAIR + 0.1}), "o.mat", folder)
    pair73 = _written(_pair73, "p.mat", folder)
    mat73 = _written(_matlab73, "c.mat", folder)
    hdf5 = _written(_hdf5, "d.h5", folder)
    chunked = _written(lambda path: _hdf5(path, chunks=(2, 3, 5), compression="gzip"), "e.h5", folder)
    tif = _written(_tif, "f.tif", folder)
    packed_tif = _written(lambda path: _tif(path, compression="zlib"), "g.tif", folder)
    npz = _written(lambda path: np.savez(path, hsi=CUBE, n=CUBE[0]), "h.npz", folder)
    inner_npz, wrap_npz = _unzipped(npz, zipfile.ZIP_DEFLATED)
    netcdf = _written(_netcdf, "i.nc", folder)
    weights = _written(_safetensors, "j.safetensors", folder)
    pth = _written(_checkpoint, "k.pth", folder)
    inner_pth, wrap_pth = _unzipped(pth, zipfile.ZIP_STORED)
    old_pth = _written(lambda path: _checkpoint(path, packed=False), "l.pth", folder)
    state = _written(_state, "m.state", folder)
    zipped = _zipped(["a.png", "b.png"], [60, 60], zipfile.ZIP_DEFLATED)(_png() * 2)
    record = next(path for path in sorted(recorded_root().glob("*-x*-*/*.json")))
    beside = (("cube.npy", _npy(CUBE)),)
    table = b"wavelength,red,green\n400,0.1,0.5\n500,0.3,0.25\n600,1.0,0\n"
    return {
        "MAT v5": Seed("arrays", "a.mat", mat5),
        "MAT v7": Seed("arrays", "a.mat", mat7),
        "MAT v7, within": Seed("arrays", "a.mat", mat5, _packed_matlab),
        "MAT v7, in slabs": Seed("batches", "a.mat", pair, _packed_matlab),
        "MAT v7.3": Seed("arrays", "a.mat", mat73),
        "MAT v7.3, in slabs": Seed("batches", "a.mat", pair73),
        "NPY": Seed("arrays", "a.npy", _npy(CUBE)),
        "NPZ": Seed("arrays", "a.npz", npz),
        "NPZ, within": Seed("arrays", "a.npz", inner_npz, wrap_npz),
        "HDF5": Seed("arrays", "a.h5", hdf5),
        "HDF5, chunked": Seed("cube", "a.h5", chunked),
        "HDF5 of samples": Seed("samples", "a.h5", _written(_samples, "n.h5", folder)),
        "netCDF": Seed("arrays", "a.nc", netcdf),
        "TIFF": Seed("arrays", "a.tif", tif),
        "TIFF, packed": Seed("arrays", "a.tif", packed_tif),
        "ENVI": Seed("arrays", "a.hdr", _ENVI, beside=(("a.img", CUBE.tobytes()),)),
        "PNG": Seed("png", "a.png", _png()),
        "PNG, checksums right": Seed("png", "a.png", _png(), _checked_png),
        "zip": Seed("archive", "a.zip", zipped),
        "TOML": Seed("description", "a.toml", _DESCRIPTION, beside=beside),
        "TOML of a protocol": Seed("protocol", "a.toml", (protocols() / "uestc.toml").read_bytes()),
        "TOML of trainings": Seed("queue", "a.toml", (root / "results" / "trainings.toml").read_bytes()),
        "TOML of goldens": Seed("golden", "a.toml", SHIPPED.read_bytes()),
        "record": Seed("record", "a.json", record.read_bytes()),
        "safetensors": Seed("weights", "a.safetensors", weights),
        "safetensors' card": Seed("weights", "a.safetensors", weights, _headed_safetensors),
        "pth": Seed("checkpoint", "a.pth", pth),
        "pth, within": Seed("checkpoint", "a.pth", inner_pth, wrap_pth),
        "pth, old": Seed("checkpoint", "a.pth", old_pth),
        "state": Seed("state", "a.state", state),
        "response CSV": Seed("response", "a.csv", table),
        "response TXT": Seed("response", "a.txt", table.replace(b",", b" ")),
        "response NPY": Seed("response", "a.npy", _npy(np.array([(400, 0.5), (500, 1)], [("nm", "f8"), ("r", "f8")]))),
    }


def _netcdf(path: Path) -> None:
    file = matlab.netcdf_file(path, "w")
    for name, size in (("band", 4), ("y", 6), ("x", 6)):
        file.createDimension(name, size)
    variable = file.createVariable("hsi", "f4", ("band", "y", "x"))
    variable[:] = CUBE
    variable.scale_factor = 1.0
    file.close()
