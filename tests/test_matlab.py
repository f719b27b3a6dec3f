"""The `.mat` exchange and the verb that scores such a file."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy import io, sparse

from hsfusion_bench.cli import main
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.matlab import batches as matlab
from hsfusion_bench.matlab.batches import open_batches, score_file, write_batches
from hsfusion_metrics import NYQUIST_GAINS, summarise
from support import goldens

GT = np.random.default_rng(0).random((3, 4, 20, 17))
SR = GT[::-1].copy()


def write_v73(path: Path, **variables: np.ndarray) -> Path:
    """Write as MATLAB's `save -v7.3`: HDF5 with the axes reversed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in variables.items():
            stored = file.create_dataset(name, data=np.asarray(values).T)
            stored.attrs["MATLAB_class"] = np.bytes_("double")
    return path


def write_v5(path: Path, **variables: object) -> Path:
    io.savemat(path, variables)
    return path


def element(kind: int, content: bytes, mark: str = "<") -> bytes:
    return struct.pack(f"{mark}II", kind, len(content)) + content + bytes(-len(content) % 8)


def opaque(name: str, class_name: str) -> bytes:
    """As MATLAB stores a table or another object: class 17, its name, its system and its class."""
    words = b"".join(element(1, word.encode()) for word in (name, "MCOS", class_name))
    return element(14, element(6, struct.pack("<II", 17, 0)) + words)


def big_or_little(mark: str, compressed: bool) -> bytes:
    """Two int16 variables [1, 1, 2, 3] by hand, in the byte order of this mark."""
    text = b"MATLAB 5.0 MAT-file".ljust(124)
    content = text + struct.pack(f"{mark}HH", 0x0100, 0x4D49)
    for name in (b"gt", b"sr"):
        # A name of up to four letters is packed into its tag.
        small = struct.pack(f"{mark}I", len(name) << 16 | 1) + name.ljust(4, b"\0")
        flags = element(6, struct.pack(f"{mark}II", 10, 0), mark)
        sizes = element(5, struct.pack(f"{mark}4i", 1, 1, 2, 3), mark)
        variable = element(14, flags + sizes + small + element(3, struct.pack(f"{mark}6h", *range(1, 7)), mark), mark)
        if compressed:
            packed = zlib.compress(variable)
            variable = struct.pack(f"{mark}II", 15, len(packed)) + packed
        content += variable
    return content


def samples(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    with open_batches(path) as batches:
        return list(batches)


def score(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["score", *map(str, arguments)])


@pytest.fixture
def forced_v73(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matlab, "_V7_BYTES", 1)


#: How a batch [B, C, H, W] is turned into other orders; of one image alone, the first.
ORDERS = {
    "BCHW": lambda batch: batch,
    "BHWC": lambda batch: batch.transpose(0, 2, 3, 1),
    "HWCB": lambda batch: batch.transpose(2, 3, 1, 0),
    "HWC": lambda batch: batch[0].transpose(1, 2, 0),
    "CHW": lambda batch: batch[0],
}


class TestOrdersOfAxes:
    @pytest.mark.parametrize("write", [write_v5, write_v73])
    @pytest.mark.parametrize("layout", ORDERS)
    def test_a_layout_that_is_said_is_read(self, tmp_path: Path, write: object, layout: str) -> None:
        turned = ORDERS[layout]
        path = write(tmp_path / "a.mat", gt=turned(GT), sr=turned(SR))
        with open_batches(path, layout) as batches:
            count = 3 if "B" in layout else 1
            assert batches.shape == (count, 4, 20, 17)
            pairs = list(batches)
        assert np.array_equal([gt for gt, _ in pairs], GT[:count])
        assert np.array_equal([sr for _, sr in pairs], SR[:count])

    def test_a_last_axis_of_one_place_that_matlab_left_out_is_read(self, tmp_path: Path) -> None:
        path = write_v5(tmp_path / "a.mat", gt=GT[0].transpose(1, 2, 0), sr=SR[0].transpose(1, 2, 0))
        with open_batches(path, "HWCB") as batches:
            assert np.array_equal([gt for gt, _ in batches], GT[:1])

    @pytest.mark.parametrize("layout", ["BHWC", "HWCB"])
    def test_a_shape_that_looks_like_another_order_is_refused(self, tmp_path: Path, layout: str) -> None:
        # a constant error of 0.01 has 40 dB in any order, and an angle only over the bands
        gt = np.random.default_rng(1).uniform(size=(3, 20, 64, 64))
        sr = gt * np.array([1, 1.1] * 10)[:, None, None]
        path = write_v5(tmp_path / "a.mat", gt=ORDERS[layout](gt), sr=ORDERS[layout](sr))
        refused = score(path, "--ratio", 4)
        assert refused.exit_code == 1
        assert f"which looks like [{', '.join(layout)}]" in refused.stderr
        assert f"--layout {layout} reads it" in refused.stderr
        straight = score(write_v5(tmp_path / "b.mat", gt=gt, sr=sr), "--ratio", 4)
        assert score(path, "--ratio", 4, "--layout", layout.lower()).stdout == straight.stdout
        angles = np.degrees(np.arccos((gt * sr).sum(1) / np.sqrt((gt**2).sum(1) * (sr**2).sum(1)))).mean((1, 2))
        assert f"{angles.mean():.6f}" in straight.stdout

    def test_the_script_s_order_can_be_insisted_on(self, tmp_path: Path) -> None:
        gt = np.random.default_rng(1).uniform(size=(2, 64, 64, 20))
        path = write_v5(tmp_path / "a.mat", gt=gt, sr=gt + 0.01)
        assert score(path, "--ratio", 4).exit_code == 1
        assert "40.000000" in score(path, "--ratio", 4, "--layout", "BCHW").stdout

    @pytest.mark.parametrize("shape", [(128, 128, 32, 32), (2, 198, 100, 100), (4, 31, 64, 20)])
    def test_batches_of_many_bands_or_samples_are_no_other_order(self, shape: tuple[int, ...]) -> None:
        matlab.require_axes(shape, "gt", None)

    def test_a_layout_that_does_not_fit_is_refused(self, tmp_path: Path) -> None:
        path = write_v5(tmp_path / "a.mat", gt=GT, sr=SR)
        assert (
            "(3, 4, 20, 17), which is not [H, W, C], as --layout says"
            in score(path, "--ratio", 4, "--layout", "HWC").stderr
        )

    def test_one_image_names_the_layout_to_say(self, tmp_path: Path) -> None:
        gt = np.ones((64, 64, 5))
        path = write_v5(tmp_path / "a.mat", gt=gt, sr=gt)
        assert "if it is [H, W, C], say --layout HWC" in score(path, "--ratio", 4).stderr


class TestReading:
    @pytest.mark.parametrize("write", [write_v5, write_v73])
    @pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16])
    def test_any_version_and_type(self, tmp_path: Path, write: object, dtype: type) -> None:
        gt, sr = (1000 * GT).astype(dtype), (1000 * SR).astype(dtype)
        path = write(tmp_path / "a.mat", gt=gt, sr=sr)
        with open_batches(path) as batches:
            assert (len(batches), batches.shape) == (3, (3, 4, 20, 17))
            for number, (reference, estimate) in enumerate(batches):
                assert reference.dtype == estimate.dtype == np.float64
                assert np.array_equal(reference, gt[number])
                assert np.array_equal(estimate, sr[number])
        assert number == 2

    def test_compressed_and_with_other_variables(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mat"
        io.savemat(path, {"gt": GT, "sr": SR, "note": "bicubic", "lr": np.ones((2, 2))}, do_compression=True)
        assert np.array_equal([gt for gt, _ in samples(path)], GT)

    @pytest.mark.parametrize("write", [write_v5, write_v73])
    def test_a_single_image(self, tmp_path: Path, write: object) -> None:
        [(gt, sr)] = samples(write(tmp_path / "a.mat", gt=GT[:1], sr=SR[:1]))
        assert np.array_equal(gt, GT[0])
        assert np.array_equal(sr, SR[0])

    @pytest.mark.parametrize("write", [write_v5, write_v73])
    @pytest.mark.parametrize("columns", [1, 5])
    def test_in_slabs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: object, columns: int) -> None:
        monkeypatch.setattr("hsfusion_bench.matlab.interleaved._SLAB_BYTES", columns * GT[..., 0].nbytes)
        path = write(tmp_path / "a.mat", gt=GT, sr=SR)
        assert np.array_equal([gt for gt, _ in samples(path)], GT)
        assert np.array_equal([sr for _, sr in samples(path)], SR)

    def test_in_slabs_of_whole_chunks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("hsfusion_bench.matlab.interleaved._SLAB_BYTES", 1)
        path = write_v73(tmp_path / "a.mat", sr=SR)
        with h5py.File(path, "a") as file:
            stored = file.create_dataset("gt", data=GT.T, chunks=(3, 7, 2, 2), compression="gzip")
            stored.attrs["MATLAB_class"] = np.bytes_("double")
        assert np.array_equal([gt for gt, _ in samples(path)], GT)

    @pytest.mark.parametrize("compressed", [False, True])
    @pytest.mark.parametrize("mark", ["<", ">"])
    def test_byte_orders(self, tmp_path: Path, compressed: bool, mark: str) -> None:
        path = tmp_path / "a.mat"
        path.write_bytes(big_or_little(mark, compressed))
        [(gt, sr)] = samples(path)
        assert gt.tolist() == [[[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]]
        assert np.array_equal(gt, sr)

    @pytest.mark.parametrize("compressed", [False, True])
    def test_logical(self, tmp_path: Path, compressed: bool) -> None:
        io.savemat(tmp_path / "a.mat", {"gt": GT > 0.5, "sr": SR}, do_compression=compressed)
        assert np.array_equal([gt for gt, _ in samples(tmp_path / "a.mat")], GT > 0.5)

    @pytest.mark.parametrize("compressed", [False, True])
    def test_fields_of_a_struct(self, tmp_path: Path, compressed: bool) -> None:
        path = tmp_path / "a.mat"
        # The names differ in length, since their places in the file have one width.
        run = {"sr": SR.astype(np.float32), "a_longer_name": "bicubic", "gt": GT, "empty": []}
        io.savemat(path, {"ratio": 4, "run": run}, do_compression=compressed)
        assert np.array_equal([gt for gt, _ in samples(path)], GT)
        assert np.array_equal([sr for _, sr in samples(path)], SR.astype(np.float32))

    def test_fields_of_a_struct_in_v73(self, tmp_path: Path) -> None:
        path = write_v73(tmp_path / "a.mat", ratio=np.ones((1, 1)))
        with h5py.File(path, "a") as file:
            group = file.create_group("run")
            group.attrs["MATLAB_class"] = np.bytes_("struct")
            for name, values in (("gt", GT), ("sr", SR)):
                group[name] = values.T
                group[name].attrs["MATLAB_class"] = np.bytes_("double")
        assert np.array_equal([sr for _, sr in samples(path)], SR)

    @pytest.mark.parametrize("compressed", [False, True])
    def test_memory_is_that_of_a_sample(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compressed: bool
    ) -> None:
        path = tmp_path / "a.mat"
        gt = np.random.default_rng(0).random((12, 8, 128, 128))
        monkeypatch.setattr("hsfusion_bench.matlab.interleaved._SLAB_BYTES", 1)
        io.savemat(path, {"gt": gt, "sr": gt}, do_compression=compressed)
        tracemalloc.start()
        with open_batches(path) as batches:
            assert sum(1 for _ in batches) == 12
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        # A sample of two images, the one before it, and a copy; a whole variable would be 12 images.
        assert peak < 6 * gt[0].nbytes


needs_octave = pytest.mark.skipif(shutil.which("octave-cli") is None, reason="octave-cli is not installed")


def octave(program: str, folder: Path) -> None:
    subprocess.run(["octave-cli", "--eval", program], cwd=folder, check=True, capture_output=True)


@needs_octave
class TestFromOctave:
    """gt(b, c, h, w) = 1000 b + 100 c + 10 h + w, and sr is one more."""

    MAKE = """
        [b, c, h, w] = ndgrid (1:2, 1:3, 1:5, 1:4);
        gt = 1000 * b + 100 * c + 10 * h + w;  sr = gt + 1;  clear b c h w;
    """

    @pytest.mark.parametrize("version", ["-v6", "-v7"])
    @pytest.mark.parametrize("convert", ["double", "single", "uint16", "int16", "int32", "uint64"])
    def test_numbers(self, tmp_path: Path, version: str, convert: str) -> None:
        octave(f"{self.MAKE} gt = {convert} (gt);  sr = {convert} (sr);  save {version} a.mat gt sr", tmp_path)
        self.check(tmp_path / "a.mat")

    @pytest.mark.parametrize("version", ["-v6", "-v7"])
    def test_fields_of_a_struct(self, tmp_path: Path, version: str) -> None:
        program = "run.note = 'bicubic';  run.sr = uint16 (sr);  run.gt = single (gt);  x.y = {}; "
        octave(f"{self.MAKE} {program} save {version} a.mat run x", tmp_path)
        self.check(tmp_path / "a.mat")

    @pytest.mark.parametrize("version", ["-v6", "-v7"])
    @pytest.mark.parametrize(
        ("value", "says"),
        [
            ("{gt}", "sr is cell"),
            ("'text'", "sr is char"),
            ("sparse (eye (3))", "sr is sparse"),
            ("gt + i", "sr is complex"),
            ("single (gt) + i", "sr is complex"),
            ("struct ('a', 1)", "sr is struct"),
        ],
    )
    def test_refused(self, tmp_path: Path, version: str, value: str, says: str) -> None:
        octave(f"{self.MAKE} sr = {value};  save {version} a.mat gt sr", tmp_path)
        with pytest.raises(HsbenchError, match=f"a.mat: {says}; real numbers are needed"):
            samples(tmp_path / "a.mat")

    @pytest.mark.parametrize("form", ["-hdf5", "-text", "-binary"])
    def test_octaves_own_formats_are_refused(self, tmp_path: Path, form: str) -> None:
        octave(f"{self.MAKE} save {form} a.mat gt sr", tmp_path)
        with pytest.raises(HsbenchError, match=r"a\.mat has a format of Octave's own; save it with the option -v7"):
            samples(tmp_path / "a.mat")

    @staticmethod
    def check(path: Path) -> None:
        b, c, h, w = np.meshgrid(*(np.arange(side) + 1.0 for side in (2, 3, 5, 4)), indexing="ij")
        expected = 1000 * b + 100 * c + 10 * h + w
        assert np.array_equal([gt for gt, _ in samples(path)], expected)
        assert np.array_equal([sr for _, sr in samples(path)], expected + 1)


class TestBadFiles:
    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(HsbenchError, match=r"nothing\.mat: there is no such file"):
            samples(tmp_path / "nothing.mat")

    @pytest.mark.parametrize("content", [b"", b"gt,sr\n1,2\n", bytes(500), b"\x89HDF\r\n\x1a\n" + bytes(100)])
    def test_not_a_mat_file(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "a.mat"
        path.write_bytes(content)
        with pytest.raises(HsbenchError, match=r"a\.mat cannot be read as a MAT-file, or is damaged"):
            samples(path)

    @pytest.mark.parametrize("write", [write_v5, write_v73])
    @pytest.mark.parametrize("kept", [0.1, 0.4, 0.9])
    def test_truncated(self, tmp_path: Path, write: object, kept: float) -> None:
        path = write(tmp_path / "a.mat", gt=GT, sr=SR)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(kept * len(whole))])
        with pytest.raises(HsbenchError, match=r"a\.mat"):
            samples(path)

    def test_corrupt(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mat"
        io.savemat(path, {"gt": GT, "sr": SR}, do_compression=True)
        content = bytearray(path.read_bytes())
        content[400:3000] = bytes(2600)
        path.write_bytes(content)
        with pytest.raises(HsbenchError, match=r"a\.mat"):
            samples(path)

    @pytest.mark.parametrize("write", [write_v5, write_v73])
    @pytest.mark.parametrize(
        ("variables", "says"),
        [
            ({"gt": GT, "output": SR}, "no variable sr; it holds gt, output"),
            ({"lr": GT}, "no variable gt and no sr; it holds lr"),
            ({"gt": GT[0], "sr": SR[0]}, r"gt has the shape \(4, 20, 17\); \[B, C, H, W\] is needed"),
            ({"gt": GT, "sr": SR[:2]}, r"differ in shape: gt \(3, 4, 20, 17\), sr \(2, 4, 20, 17\)"),
        ],
    )
    def test_wrong_contents(self, tmp_path: Path, write: object, variables: dict[str, np.ndarray], says: str) -> None:
        with pytest.raises(HsbenchError, match=says):
            samples(write(tmp_path / "a.mat", **variables))

    @pytest.mark.parametrize(
        ("sr", "says"),
        [
            (SR + 1j, "sr is complex"),
            ("an estimate", "sr is char"),
            ({"data": SR}, "sr is struct"),
            (np.array([SR, "text"], dtype=object), "sr is cell"),
            (sparse.csc_array(SR[0, 0]), "sr is sparse"),
        ],
    )
    @pytest.mark.parametrize("compressed", [False, True])
    def test_not_numbers(self, tmp_path: Path, sr: object, says: str, compressed: bool) -> None:
        io.savemat(tmp_path / "a.mat", {"gt": GT, "sr": sr}, do_compression=compressed)
        with pytest.raises(HsbenchError, match=rf"a\.mat: {says}; real numbers are needed"):
            samples(tmp_path / "a.mat")
        io.savemat(tmp_path / "b.mat", {"run": {"gt": GT, "sr": sr}}, do_compression=compressed)
        with pytest.raises(HsbenchError, match=rf"b\.mat: run\.{says}; real numbers are needed"):
            samples(tmp_path / "b.mat")

    @pytest.mark.parametrize("class_name", ["table", "datetime"])
    @pytest.mark.parametrize("compressed", [False, True])
    def test_tables_and_objects(self, tmp_path: Path, class_name: str, compressed: bool) -> None:
        io.savemat(tmp_path / "a.mat", {"gt": GT}, do_compression=compressed)
        element = opaque("sr", class_name)
        if compressed:
            packed = zlib.compress(element)
            element = struct.pack("<II", 15, len(packed)) + packed
        with (tmp_path / "a.mat").open("ab") as file:
            file.write(element)
        with pytest.raises(HsbenchError, match=rf"a\.mat: sr is {class_name}; real numbers are needed"):
            samples(tmp_path / "a.mat")

    @pytest.mark.parametrize("class_name", ["table", "cell", "char", "function_handle"])
    def test_not_numbers_in_v73(self, tmp_path: Path, class_name: str) -> None:
        # What stands for them in HDF5 are numbers or references, and the class says what they mean.
        path = write_v73(tmp_path / "a.mat", gt=GT, sr=SR.astype(np.uint16))
        with h5py.File(path, "a") as file:
            file["sr"].attrs["MATLAB_class"] = np.bytes_(class_name)
        with pytest.raises(HsbenchError, match=f"sr is {class_name}; real numbers are needed"):
            samples(path)

    def test_sparse_in_v73(self, tmp_path: Path) -> None:
        path = write_v73(tmp_path / "a.mat", gt=GT)
        with h5py.File(path, "a") as file:
            group = file.create_group("sr")
            group.attrs["MATLAB_class"] = np.bytes_("double")
            group.attrs["MATLAB_sparse"] = np.uint64(4)
            group["data"] = SR[0, 0, 0]
        with pytest.raises(HsbenchError, match="sr is sparse"):
            samples(path)

    @pytest.mark.parametrize("write", [write_v5, write_v73])
    def test_empty_batches(self, tmp_path: Path, write: object) -> None:
        if write is write_v5:
            path = write_v5(tmp_path / "a.mat", gt=GT[:0], sr=SR[:0])
        else:
            # MATLAB stores the size of what is empty, and marks it.
            path = write_v73(tmp_path / "a.mat", gt=np.uint64([0, 4, 20, 17]), sr=np.uint64([0, 4, 20, 17]))
            with h5py.File(path, "a") as file:
                for node in file.values():
                    node.attrs["MATLAB_empty"] = np.uint8(1)
        with pytest.raises(HsbenchError, match=r"gt has the shape \(0, 4, 20, 17\); \[B, C, H, W\] is needed"):
            samples(path)

    def test_a_struct_array(self, tmp_path: Path) -> None:
        runs = np.zeros(2, dtype=[("gt", object), ("sr", object)])
        runs["gt"], runs["sr"] = [GT, GT], [SR, SR]
        with pytest.raises(HsbenchError, match="no variable gt and no sr; it holds runs"):
            samples(write_v5(tmp_path / "a.mat", runs=runs))

    def test_two_structs(self, tmp_path: Path) -> None:
        path = write_v5(tmp_path / "a.mat", x4={"gt": GT, "sr": SR}, x8={"gt": GT, "sr": SR})
        with pytest.raises(HsbenchError, match="x4 and x8 all have the fields gt, sr; keep one of them"):
            samples(path)

    @pytest.mark.parametrize("kind", ["v6", "v7", "v7.3"])
    @pytest.mark.parametrize("seed", range(12))
    def test_flipped_bits_end_in_a_message_or_in_numbers(self, tmp_path: Path, kind: str, seed: int) -> None:
        path = tmp_path / "a.mat"
        if kind == "v7.3":
            write_v73(path, gt=GT, sr=SR)
        else:
            io.savemat(path, {"gt": GT, "sr": SR}, do_compression=kind == "v7")
        content = bytearray(path.read_bytes())
        rng = np.random.default_rng(seed)
        for position in rng.integers(0, 4096, 8):
            content[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(content)
        with contextlib.suppress(HsbenchError):
            assert all(gt.shape == sr.shape and gt.ndim == 3 for gt, sr in samples(path))

    def test_a_flipped_bit_in_compressed_data_is_found(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mat"
        io.savemat(path, {"gt": GT, "sr": SR}, do_compression=True)
        content = bytearray(path.read_bytes())
        content[len(content) // 4] ^= 1
        path.write_bytes(content)
        with pytest.raises(HsbenchError, match=r"a\.mat cannot be read as a MAT-file, or is damaged"):
            samples(path)

    def test_complex_numbers_in_v73(self, tmp_path: Path) -> None:
        path = write_v73(tmp_path / "a.mat", gt=GT)
        with h5py.File(path, "a") as file:
            file["sr"] = np.zeros(SR.T.shape, dtype=[("real", "f8"), ("imag", "f8")])
        with pytest.raises(HsbenchError, match="sr is complex"):
            samples(path)

    def test_structure_in_v73(self, tmp_path: Path) -> None:
        path = write_v73(tmp_path / "a.mat", gt=GT)
        with h5py.File(path, "a") as file:
            file["sr/data"] = SR.T
        with pytest.raises(HsbenchError, match="sr is struct"):
            samples(path)


class TestWriting:
    def test_small_files_are_v5(self, tmp_path: Path) -> None:
        path = tmp_path / "new" / "a.mat"
        write_batches(path, zip(GT, SR, strict=True), count=3)
        assert path.read_bytes()[:10] == b"MATLAB 5.0"
        read = io.loadmat(path)
        assert read["gt"].dtype == np.float64
        assert np.array_equal(read["gt"], GT)
        assert np.array_equal(read["sr"], SR)

    @pytest.mark.usefixtures("forced_v73")
    def test_large_files_are_v73(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mat"
        write_batches(path, zip(GT, SR, strict=True), count=3)
        header = path.read_bytes()[:128]
        assert header.startswith(b"MATLAB 7.3 MAT-file")
        assert header[124:] == b"\x00\x02IM"
        with h5py.File(path) as file:
            assert file.userblock_size == 512
            for name, expected in (("gt", GT), ("sr", SR)):
                assert file[name].attrs["MATLAB_class"] == b"double"
                assert file[name].dtype == np.float64
                assert np.array_equal(file[name][()].transpose(3, 2, 1, 0), expected)

    @pytest.mark.usefixtures("forced_v73")
    def test_large_files_are_read_again(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mat"
        write_batches(path, zip(GT, SR, strict=True), count=3)
        assert np.array_equal([sr for _, sr in samples(path)], SR)

    @pytest.mark.parametrize(
        ("pairs", "count", "says"),
        [
            ([], 0, "0 samples were announced"),
            ([(GT[0], SR[0])], 2, "2 samples were announced, 1 "),
            ([(GT[0], SR[0])] * 3, 2, "2 samples were announced, 3 or more came"),
            ([(GT[0], SR[0]), (GT[1], SR[1][:2])], 2, "sample 2 does not fit"),
            ([(GT, SR)], 1, "sample 1 does not fit"),
        ],
    )
    def test_samples_that_do_not_fit(self, tmp_path: Path, pairs: list, count: int, says: str) -> None:
        with pytest.raises(HsbenchError, match=says):
            write_batches(tmp_path / "a.mat", iter(pairs), count=count)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("limit", [1, 2**31])
    def test_nothing_is_half_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
        monkeypatch.setattr(matlab, "_V7_BYTES", limit)

        def interrupted() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            yield GT[0], SR[0]
            raise KeyboardInterrupt

        path = tmp_path / "a.mat"
        path.write_text("the older file")
        with pytest.raises(KeyboardInterrupt):
            write_batches(path, interrupted(), count=2)
        assert path.read_text() == "the older file"
        assert list(tmp_path.iterdir()) == [path]


@pytest.fixture(scope="module")
def golden_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    golden = goldens.batch("small_48x40")
    return write_v5(tmp_path_factory.mktemp("scored") / "small.mat", gt=golden.gt, sr=golden.sr)


UNREF = json.loads((goldens.FOLDER / "unref.json").read_text())["cases"]


@pytest.fixture(scope="module")
def real_pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with np.load(goldens.FOLDER / "unref.npz") as stored:
        images = {name: stored[f"ikonos_{name}"].astype(float) for name in ("sr", "lms", "pan")}
    return write_v5(tmp_path_factory.mktemp("scored") / "real.mat", **images)


@needs_octave
@pytest.mark.skipif("HSBENCH_MATLAB_PACKAGE" not in os.environ, reason="HSBENCH_MATLAB_PACKAGE names no folder")
class TestBothWays:
    def test_the_script_reads_what_we_write_and_prints_our_numbers(self, tmp_path: Path) -> None:
        path = tmp_path / "ours.mat"
        rng = np.random.default_rng(5)
        gt = rng.uniform(0.1, 1.0, (2, 5, 40, 33))
        write_batches(path, [(x, x + 0.05 * rng.standard_normal(x.shape)) for x in gt], count=2)
        program = f"""
            pkg load image;  warning off;
            r = analysis_ref_batched_images ('{path}', 4, 0, 1);
            printf ('%.17g ', r.psnr, r.ssim, r.sam, r.ergas, r.scc, r.qave, r.qn);
        """
        done = subprocess.run(
            ["octave-cli", "--eval", program],
            cwd=os.environ["HSBENCH_MATLAB_PACKAGE"],
            check=True,
            capture_output=True,
            text=True,
        )
        printed = [float(word) for word in done.stdout.splitlines()[-1].split()]
        ours = summarise(score_file(path, ratio=4))
        assert [value for pair in ours.values() for value in pair] == pytest.approx(printed, rel=1e-10)


class TestScoring:
    def test_equals_the_script(self, golden_file: Path) -> None:
        golden = goldens.batch("small_48x40")
        per_image = list(score_file(golden_file, ratio=4))
        assert [indexes._asdict() for indexes in per_image] == [
            pytest.approx(expected, rel=1e-10) for expected in golden.per_image
        ]
        assert {index: list(pair) for index, pair in summarise(per_image).items()} == {
            index: pytest.approx(pair, rel=1e-10) for index, pair in golden.summary.items()
        }

    def test_ratio_and_const_arrive(self, tmp_path: Path) -> None:
        golden = goldens.batch("gf2_like")
        path = write_v5(tmp_path / "a.mat", gt=golden.gt, sr=golden.sr)
        found = next(score_file(path, ratio=golden.ratio, const=golden.const))
        assert found._asdict() == pytest.approx(golden.per_image[0], rel=1e-10)

    def test_images_too_small(self, tmp_path: Path) -> None:
        path = write_v5(tmp_path / "a.mat", gt=GT[..., :12], sr=SR[..., :12])
        with pytest.raises(HsbenchError, match=r"a\.mat: sample 1 cannot be scored: .* at least 16 x 16"):
            list(score_file(path, ratio=4))


class TestVerb:
    def test_json_is_the_scripts_result_and_nothing_else(self, golden_file: Path) -> None:
        done = score(golden_file, "--ratio", 4, "--const", 1, "--json")
        assert done.exit_code == 0
        assert done.stderr == ""
        found = json.loads(done.stdout)
        assert list(found) == ["sam", "ergas", "scc", "qn", "qave", "psnr", "ssim"]
        expected = goldens.batch("small_48x40").summary
        assert found == {field: pytest.approx(expected[index], rel=1e-10) for index, field in goldens.FIELDS.items()}

    def test_json_spells_what_json_lacks(self, tmp_path: Path) -> None:
        golden = goldens.edge("inf_in_sr")
        path = write_v5(tmp_path / "a.mat", gt=golden.gt, sr=golden.sr)
        found = json.loads(score(path, "--ratio", 4, "--json").stdout)
        assert score(path, "--ratio", 4).stdout.split()[9:13] == ["-Inf", "NaN", "NaN", "Inf"]
        assert (found["psnr"], found["ergas"], found["sam"]) == (
            ["-Inf", "NaN"],
            ["Inf", "NaN"],
            ["NaN", "NaN"],
        )

    def test_a_line_for_each_sample_then_mean_and_std(self, golden_file: Path) -> None:
        done = score(golden_file, "--ratio", 4)
        head, *rows = [line.split() for line in done.stdout.splitlines()]
        assert head == ["sample", "PSNR", "SSIM", "SAM", "ERGAS", "SCC", "UQI", "Q2n"]
        assert [row[0] for row in rows] == ["1", "2", "3", "mean", "std"]
        golden = goldens.batch("small_48x40")
        assert [float(cell) for cell in rows[0][1:]] == pytest.approx(list(golden.per_image[0].values()), abs=5.1e-7)
        assert [float(cell) for cell in rows[3][1:]] == pytest.approx(
            [mean for mean, _ in golden.summary.values()], abs=5.1e-7
        )
        assert len({len(line) for line in done.stdout.splitlines()}) == 1
        assert "\x1b" not in done.stdout

    def test_integers_are_told_and_computed_in_their_class_on_request(self, tmp_path: Path) -> None:
        cases = json.loads((goldens.FOLDER / "classes.json").read_text())["cases"]["reference"]
        with np.load(goldens.FOLDER / "classes.npz") as stored:
            images = {name: stored[f"reference_uint8_{name}"][None] for name in ("gt", "sr")}
        path = write_v5(tmp_path / "a.mat", **images)
        told = score(path, "--ratio", 4, "--const", 255, "--json")
        assert told.exit_code == 0, told.output
        assert told.stderr.splitlines() == [
            f"{path} holds uint8: computed in float64; the script computes in the file's class, with other values: "
            "--as-matlab"
        ]
        doubles = write_v5(tmp_path / "b.mat", **{name: image.astype(float) for name, image in images.items()})
        assert told.stdout == score(doubles, "--ratio", 4, "--const", 255, "--json").stdout
        expected = {
            field: [pytest.approx(value, rel=1e-10), 0.0] for field, value in cases["uint8"]["expected"].items()
        }
        # a MAT-file may store doubles in bytes: what counts is the variable's class
        for options in ((), ("--workers", 2)):
            done = score(path, "--ratio", 4, "--const", 255, "--json", "--as-matlab", *options)
            assert json.loads(done.stdout) == expected
            assert "in MATLAB it stops at SAM" in done.stderr
        plain, as_matlab = (score(doubles, "--ratio", 4, "--const", 255, "--json", *o) for o in ((), ("--as-matlab",)))
        assert as_matlab.stderr == ""
        assert json.loads(as_matlab.stdout) == {
            field: pytest.approx(pair, rel=1e-10) for field, pair in json.loads(plain.stdout).items()
        }

    def test_a_folder_is_scored_in_its_class_too(self, tmp_path: Path) -> None:
        cases = json.loads((goldens.FOLDER / "classes.json").read_text())["cases"]["reference"]
        with np.load(goldens.FOLDER / "classes.npz") as stored:
            gt, sr = (stored[f"reference_uint16_{name}"] for name in ("gt", "sr"))
        write_v5(tmp_path / "gt.mat", gt=gt[None])
        (tmp_path / "out").mkdir()
        write_v5(tmp_path / "out" / "output_mulExm_0.mat", sr=sr)
        options = (tmp_path / "out", "--gt", tmp_path / "gt.mat", "--ratio", 4, "--const", 2047, "--json")
        assert "holds uint16: computed in float64" in score(*options).stderr
        found = json.loads(score(*options, "--as-matlab").stdout)
        assert found == {f: [pytest.approx(v, rel=1e-10), 0.0] for f, v in cases["uint16"]["expected"].items()}

    def test_two_classes_of_integers_and_logical_arrays_are_refused(self, tmp_path: Path) -> None:
        gt = np.random.default_rng(0).integers(0, 255, (1, 3, 40, 36))
        path = write_v5(tmp_path / "a.mat", gt=gt.astype(np.uint8), sr=gt.astype(np.uint16))
        done = score(path, "--ratio", 4, "--const", 255, "--as-matlab")
        assert done.exit_code == 1
        assert "gt and sr are uint8 and uint16, which the script cannot combine" in done.stderr
        path = write_v5(tmp_path / "b.mat", gt=gt > 100, sr=gt > 90)
        assert "gt is logical" in score(path, "--ratio", 4, "--as-matlab").stderr
        assert "holds logical: computed in float64" in score(path, "--ratio", 4).stderr

    def test_integers_without_a_reference(self, tmp_path: Path) -> None:
        case = json.loads((goldens.FOLDER / "classes.json").read_text())["cases"]["no_reference"]["uint8"]
        with np.load(goldens.FOLDER / "classes.npz") as stored:
            images = {name: stored[f"no_reference_uint8_{name}"][None] for name in ("sr", "lms", "pan")}
        path = write_v5(tmp_path / "a.mat", **images)
        sensor = [] if case["sensor"] == "none" else ["--sensor", case["sensor"]]
        options = (path, "--no-reference", "--ratio", case["ratio"], *sensor, "--json")
        assert "holds uint8" in score(*options).stderr
        found = json.loads(score(*options, "--as-matlab").stdout)
        assert found == {field: [pytest.approx(value, rel=1e-10), 0.0] for field, value in case["expected"].items()}

    @pytest.mark.parametrize(
        ("gt_scale", "sr_scale", "const", "says"),
        [
            (65535, 65535, 1, "65535 is the likely full scale"),
            (2047, 2047, 1, "2047 is the likely full scale"),
            (4095, 4095, 255, "4095 is the likely full scale"),
            (1, 255, 1, "gt lies about [0, 1]"),
            (1023, 1, 1023, "sr lies about [0, 1]"),
            (1, 1, 2047, "1 is the likely full scale"),
        ],
    )
    def test_a_full_scale_that_is_hardly_meant(
        self, tmp_path: Path, gt_scale: float, sr_scale: float, const: float, says: str
    ) -> None:
        gt = np.random.default_rng(0).random((1, 3, 40, 36))
        path = write_v5(tmp_path / "a.mat", gt=gt_scale * gt, sr=sr_scale * gt[..., ::-1])
        done = score(path, "--ratio", 4, "--const", const, "--json")
        assert (done.exit_code, done.stdout) == (1, "")
        assert says in done.stderr
        assert "--any-scale" in done.stderr
        scored = score(path, "--ratio", 4, "--const", const, "--json", "--any-scale")
        assert (scored.exit_code, scored.stderr) == (0, "")

    def test_values_somewhat_above_the_full_scale_pass(self, tmp_path: Path) -> None:
        gt = 1.3 * np.random.default_rng(0).random((1, 3, 40, 36))
        done = score(write_v5(tmp_path / "a.mat", gt=gt, sr=1.2 * gt), "--ratio", 4)
        assert (done.exit_code, done.stderr) == (0, "")

    def test_workers_change_no_digit(self, golden_file: Path) -> None:
        alone = score(golden_file, "--ratio", 4, "--json")
        assert score(golden_file, "--ratio", 4, "--json", "--workers", 3).stdout == alone.stdout

    @pytest.mark.parametrize("options", [(), ("--json",)])
    def test_a_missing_file_is_one_message(self, tmp_path: Path, options: tuple[str, ...]) -> None:
        done = score(tmp_path / "nothing.mat", "--ratio", 4, *options)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.strip().endswith("nothing.mat: there is no such file")
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize(
        "arguments",
        [
            ("a.mat",),
            ("a.mat", "--ratio", "0"),
            ("a.mat", "--ratio", "4", "--const", "-1"),
            ("a.mat", "--ratio", "4", "--workers", "0"),
            ("a.mat", "--ratio", "4", "--sensor", "WV3"),
            ("a.mat", "--ratio", "8", "--no-reference"),
            ("a.mat", "--ratio", "0.25"),
        ],
    )
    def test_bad_usage_exits_with_2(self, arguments: tuple[str, ...]) -> None:
        assert score(*arguments).exit_code == 2

    def test_no_reference_json_is_the_scripts_result(self, real_pair: Path) -> None:
        done = score(real_pair, "--ratio", 4, "--no-reference", "--sensor", "QB", "--json")
        assert (done.exit_code, done.stderr) == (0, "")
        found, expected = json.loads(done.stdout), UNREF["ikonos"]
        assert list(found) == ["d_lambda", "qnr_index", "d_s"]
        assert found == {field: pytest.approx(expected[field], rel=1e-10) for field in found}

    def test_without_a_reference_counts_are_needed(self, tmp_path: Path) -> None:
        case = UNREF["unit_range"]
        with np.load(goldens.FOLDER / "unref.npz") as stored:
            images = {name: stored[f"unit_range_{name}"] / case["scale"] for name in ("sr", "lms", "pan")}
        options = (write_v5(tmp_path / "a.mat", **images), "--ratio", case["ratio"], "--no-reference", "--json")
        done = score(*options)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "it is made for counts. Multiply sr, lms and pan by one and the same factor" in done.stderr
        assert "--counts 10000" in done.stderr
        assert "--any-scale" in done.stderr
        assert case["sensor"] not in NYQUIST_GAINS  # all of its gains are 0.3, as without one
        scored = score(*options, "--any-scale")
        assert (scored.exit_code, scored.stderr) == (0, "")
        found = json.loads(scored.stdout)
        assert found == {field: pytest.approx(case[field], rel=1e-10) for field in found}

    def test_no_reference_prints_a_line_for_each_sample(self, real_pair: Path) -> None:
        head, *rows = [
            line.split()
            for line in score(real_pair, "--ratio", 4, "--no-reference", "--sensor", "QB").stdout.splitlines()
        ]
        assert head == ["sample", "D_lambda", "D_s", "HQNR"]
        assert [row[0] for row in rows] == ["1", "2", "mean", "std"]
        expected = [UNREF["ikonos"][field][0] for field in ("d_lambda", "d_s", "qnr_index")]
        assert [float(cell) for cell in rows[2][1:]] == pytest.approx(expected, abs=5.1e-7)

    @pytest.mark.parametrize(
        ("changed", "sensor", "says"),
        [
            ({}, "WV9", "there is no sensor WV9; known are IKONOS, QB"),
            ({}, "WV3", "sample 1 cannot be scored: there are 8 gains for 4 bands"),
            ({"pan": np.ones((2, 4, 64, 96))}, "QB", r"sample 1 cannot be scored: pan must be one band"),
            ({"pan": np.ones((1, 1, 64, 96))}, "QB", r"differ in their number of samples: sr \(2, 4, 64, 96\)"),
            ({"lms": None}, "QB", "has no variable lms; it holds pan, sr"),
        ],
    )
    def test_no_reference_refusals(
        self, tmp_path: Path, real_pair: Path, changed: dict[str, object], sensor: str, says: str
    ) -> None:
        images = {name: image for name, image in io.loadmat(real_pair).items() if not name.startswith("__")}
        images = {name: image for name, image in (images | changed).items() if image is not None}
        done = score(write_v5(tmp_path / "b.mat", **images), "--ratio", 4, "--no-reference", "--sensor", sensor)
        assert done.exit_code == 1
        assert re.search(says, " ".join(done.stderr.split()))
        assert "Traceback" not in done.stderr

    def test_scoring_imports_no_torch(self, golden_file: Path) -> None:
        program = (
            "import sys\n"
            "from hsfusion_bench.cli import main\n"
            f"main(['score', {str(golden_file)!r}, '--ratio', '4', '--json'], standalone_mode=False)\n"
            "sys.exit('torch' in sys.modules)"
        )
        assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0

    def test_help_imports_nothing_heavy(self) -> None:
        program = (
            "import sys\n"
            "from hsfusion_bench.cli import main\n"
            "main(['score', '--help'], standalone_mode=False)\n"
            "sys.exit(any(name in sys.modules for name in ('numpy', 'scipy', 'h5py', 'torch')))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.returncode == 0
        assert "hsbench score feinfn_cave_x4.mat --ratio 4" in done.stdout
