"""A method on a real pair: read, fused, written, scored without a reference."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner, Result
from PIL import Image
from scipy import io

from hsfusion_bench.cli import main

RANDOM = np.random.default_rng(0)
#: Counts of 11 bits, [h, w, bands] and [H, W, msi_bands], as MATLAB's users keep them.
LR_HSI = RANDOM.integers(0, 2048, (16, 24, 6)).astype(np.uint16)
HR_MSI = RANDOM.integers(0, 2048, (64, 96, 2)).astype(np.uint16)

REPEAT = """
import numpy as np

def repeat(observation):
    return observation.lr_hsi.repeat(observation.scale, axis=1).repeat(observation.scale, axis=2)

def phase(observation):
    return np.full(observation.shape, observation.phase / 10, np.float32)

def truths(observation):
    return np.full(observation.shape, np.nan if observation.psf is None else 1, np.float32)
"""


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(REPEAT)
    io.savemat(tmp_path / "pair.mat", {"HSim": LR_HSI, "MSim": HR_MSI})
    return tmp_path / "pair.mat"


def fuse(pair: Path, *options: object, method: str = "repeat") -> Result:
    spec = method if method in ("bicubic", "feinfn", "fuse", "ltmr") else f"{pair.parent / 'mine.py'}:{method}"
    return CliRunner().invoke(main, ["fuse", spec, str(pair), str(pair.parent / "fused.mat"), *map(str, options)])


def said(done: Result) -> str:
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def test_what_a_method_makes_of_a_pair_lies_beside_what_the_script_needs(pair: Path) -> None:
    done = fuse(pair, "--const", 2047)
    assert done.exit_code == 0, done.stderr
    assert "6 bands of 64 x 96 pixels, by repeat at ×4, phase 1.5" in said(done)
    found = io.loadmat(pair.parent / "fused.mat")
    lr_hsi = LR_HSI.transpose(2, 0, 1).astype(float)
    assert found["sr"].shape == found["lms"].shape == (1, 6, 64, 96)
    assert found["sr"][0] == pytest.approx(np.kron(lr_hsi, np.ones((1, 4, 4))), rel=1e-6)
    assert found["ms"][0] == pytest.approx(lr_hsi, rel=1e-6)
    assert found["pan"][0, 0] == pytest.approx(HR_MSI.mean(axis=2), rel=1e-6)
    assert {found[name].dtype for name in ("sr", "ms", "lms", "pan")} == {np.dtype(float)}


def test_the_file_is_scored_without_a_reference(pair: Path) -> None:
    assert fuse(pair, "--const", 2047, method="bicubic").exit_code == 0
    options = ["--ratio", "4", "--no-reference", "--json"]
    done = CliRunner().invoke(main, ["score", str(pair.parent / "fused.mat"), *options])
    assert done.exit_code == 0, done.stderr
    values = json.loads(done.stdout)
    assert all(0 <= values[field][0] <= 1 for field in ("d_lambda", "d_s", "qnr_index"))
    found = io.loadmat(pair.parent / "fused.mat")
    # the two are rounded to single precision at different places
    assert found["sr"] == pytest.approx(found["lms"], rel=1e-5, abs=1e-3)


def test_a_file_that_is_no_counts_says_how_it_becomes_one(pair: Path) -> None:
    io.savemat(pair, {"HSim": LR_HSI / 2047, "MSim": HR_MSI / 2047})
    done = fuse(pair, method="bicubic")
    assert done.exit_code == 0
    assert "fused.mat holds no counts, which `hsbench score --no-reference` needs" in said(done)
    score = ["score", str(pair.parent / "fused.mat"), "--ratio", "4", "--no-reference"]
    assert CliRunner().invoke(main, score).exit_code == 1
    assert "no counts" not in said(fuse(pair, "--counts", 10000, method="bicubic"))
    assert CliRunner().invoke(main, score).exit_code == 0


def test_counts_are_the_scale_of_what_is_written(pair: Path) -> None:
    assert fuse(pair, "--const", 4094, "--counts", 1000).exit_code == 0
    assert io.loadmat(pair.parent / "fused.mat")["ms"].max() == pytest.approx(int(LR_HSI.max()) * 1000 / 4094, rel=1e-6)


def test_a_phase_may_be_given(pair: Path) -> None:
    assert fuse(pair, "--const", 2047, "--phase", 2, "--counts", 1, method="phase").exit_code == 0
    assert io.loadmat(pair.parent / "fused.mat")["sr"] == pytest.approx(0.2)


@pytest.mark.parametrize("layout", ["CHW", "HWC"])
def test_the_layout_is_told_by_the_shapes(pair: Path, layout: str) -> None:
    axes = ["HWC".index(axis) for axis in layout]
    io.savemat(pair, {"lr_hsi": LR_HSI.transpose(axes), "hr_msi": HR_MSI.transpose(axes)})
    assert fuse(pair, "--const", 2047).exit_code == 0
    assert io.loadmat(pair.parent / "fused.mat")["sr"].shape == (1, 6, 64, 96)


def test_an_option_is_set(pair: Path) -> None:
    few = fuse(pair, "--const", 2047, "--set", "iterations=1", method="ltmr")
    assert few.exit_code == 0, few.stderr
    first = io.loadmat(pair.parent / "fused.mat")["sr"]
    assert fuse(pair, "--const", 2047, "--set", "iterations=9", method="ltmr").exit_code == 0
    assert not np.allclose(io.loadmat(pair.parent / "fused.mat")["sr"], first)


def test_cameras_that_are_not_given_are_estimated_and_it_says_so(pair: Path) -> None:
    arrays = {"HSim": LR_HSI, "MSim": HR_MSI, "blur": np.full((4, 4), 1 / 16), "response": np.eye(2, 6)}
    io.savemat(pair, arrays)
    assert "; it estimated PSF and SRF" in said(fuse(pair, "--const", 2047, method="fuse"))
    assert "; it estimated SRF" in said(fuse(pair, "--const", 2047, "--psf", "blur", method="fuse"))
    known = fuse(pair, "--const", 2047, "--psf", "blur", "--srf", "response", method="fuse")
    assert known.exit_code == 0
    assert "it estimated" not in said(known)
    # bands that the response shows as they are must come out as the HR-MSI has them
    fused = io.loadmat(pair.parent / "fused.mat")["sr"][0, :2]
    assert np.corrcoef(fused.ravel(), HR_MSI.transpose(2, 0, 1).ravel())[0, 1] > 0.99
    assert "estimated" not in said(fuse(pair, "--const", 2047, method="bicubic"))


def test_the_picture_shows_both_images_and_the_result(pair: Path) -> None:
    picture = pair.parent / "look.png"
    done = fuse(pair, "--const", 2047, "--picture", picture)
    assert done.exit_code == 0, done.stderr
    with Image.open(picture) as opened:
        shown = np.asarray(opened).astype(int)
    # pixels are blocks of 4 x 4, so that the panels are 256 pixels high
    assert shown.shape == (256, 3 * 384 + 2 * 4, 3)
    assert (shown[:, 384:388] == 255).all()
    parts = [shown[::4, columns] for columns in np.split(np.arange(1160), [384, 388, 772, 776])]
    shown = np.concatenate([part if part.shape[1] == 4 else part[:, ::4] for part in parts], axis=1)
    low, msi, fused = shown[:, :96], shown[:, 100:196], shown[:, 200:]
    assert (shown[:, 96:100] == 255).all()
    # this method repeats the LR-HSI's pixels, as the picture does to show them
    assert (low == fused).all()
    assert (msi[..., 0] == msi[..., 2]).all()
    # red is the band at five sixths of the six, by the LR-HSI's own contrast
    assert np.corrcoef(low[::4, ::4, 0].ravel(), LR_HSI[..., 5].ravel())[0, 1] > 0.999
    assert np.corrcoef(msi[..., 0].ravel(), HR_MSI.mean(axis=2).ravel())[0, 1] > 0.99


def test_the_picture_has_the_colours_of_the_wavelengths(pair: Path) -> None:
    nm = [455.0, 700.0, 548.0, 1600.0, 645.0, 2200.0]
    io.savemat(pair, {"HSim": LR_HSI, "MSim": HR_MSI, "wavelengths": nm})
    assert fuse(pair, "--const", 2047, "--picture", pair.parent / "look.png").exit_code == 0
    with Image.open(pair.parent / "look.png") as opened:
        low = np.asarray(opened).astype(int)[::16, :384:16]
    for colour, band in enumerate((4, 2, 0)):
        assert np.corrcoef(low[..., colour].ravel(), LR_HSI[..., band].ravel())[0, 1] > 0.999


class TestTwoFiles:
    """The images in files of their own, of any kind, each with its own order of axes."""

    @staticmethod
    def fuse(folder: Path, hsi: str, msi: str, *options: object, out: str = "fused.npy") -> Result:
        (folder / "mine.py").write_text(REPEAT)
        files = [str(folder / name) for name in (hsi, msi, out)]
        return CliRunner().invoke(main, ["fuse", f"{folder / 'mine.py'}:repeat", *files, *map(str, options)])

    @staticmethod
    def write(path: Path, image: np.ndarray) -> str:
        if path.suffix == ".npy":
            np.save(path, image)
        elif path.suffix == ".tif":
            tifffile.imwrite(path, image)
        elif path.suffix == ".hdr":
            pytest.importorskip("spectral").io.envi.save_image(str(path), image, interleave="bil")
        else:
            io.savemat(path, {"of_any_name": image, "wavelengths": np.arange(6)})
        return path.name

    @pytest.mark.parametrize("hsi_axes", ["HWC", "CHW"])
    @pytest.mark.parametrize(("hsi", "msi"), [("a.npy", "b.tif"), ("a.hdr", "b.mat"), ("a.mat", "b.hdr")])
    def test_each_of_any_kind_and_order(self, tmp_path: Path, hsi: str, msi: str, hsi_axes: str) -> None:
        axes = ["HWC".index(axis) for axis in ("HWC" if hsi.endswith("hdr") else hsi_axes)]
        files = (self.write(tmp_path / hsi, LR_HSI.transpose(axes)), self.write(tmp_path / msi, HR_MSI))
        done = self.fuse(tmp_path, *files, "--const", 2047, "--counts", 1)
        assert done.exit_code == 0, done.stderr
        assert "6 bands of 64 x 96 pixels, by repeat at ×4" in said(done)
        found = np.load(tmp_path / "fused.npy")
        assert found.dtype == np.float32
        assert found == pytest.approx(np.kron(LR_HSI.transpose(2, 0, 1) / 2047, np.ones((1, 4, 4))), rel=1e-6)

    @pytest.mark.parametrize("hsi_axes", ["HWC", "CHW"])
    @pytest.mark.parametrize("msi", ["pan.npy", "pan.tif", "pan.mat"])
    def test_a_panchromatic_image_is_one_band(self, tmp_path: Path, msi: str, hsi_axes: str) -> None:
        lr_hsi = LR_HSI.transpose(["HWC".index(axis) for axis in hsi_axes])
        files = (self.write(tmp_path / "a.npy", lr_hsi), self.write(tmp_path / msi, HR_MSI[..., 1]))
        done = self.fuse(tmp_path, *files, "--const", 2047, out="fused.mat")
        assert done.exit_code == 0, done.stderr
        assert io.loadmat(tmp_path / "fused.mat")["pan"][0, 0] == pytest.approx(HR_MSI[..., 1], rel=1e-6)

    def test_each_may_have_its_own_full_scale(self, tmp_path: Path) -> None:
        files = (self.write(tmp_path / "a.npy", LR_HSI), self.write(tmp_path / "b.npy", HR_MSI / 2047))
        assert self.fuse(tmp_path, *files, "--const", 2047, "--msi-const", 1, out="fused.mat").exit_code == 0
        found = io.loadmat(tmp_path / "fused.mat")
        assert found["pan"][0, 0] == pytest.approx(HR_MSI.mean(axis=2), rel=1e-6)
        assert found["ms"][0] == pytest.approx(LR_HSI.transpose(2, 0, 1), rel=1e-6)

    def test_cubes_whose_axes_cannot_be_told_are_asked_for(self, tmp_path: Path) -> None:
        files = (self.write(tmp_path / "a.npy", LR_HSI[:6, :6]), self.write(tmp_path / "b.npy", HR_MSI[:24, :24]))
        asked = self.fuse(tmp_path, *files, "--const", 2047)
        assert asked.exit_code == 2
        assert "a.npy is (6, 6, 6)" in said(asked)
        assert "which may be CHW,HWC at scale 4, HWC at scale 4: say which by --layout" in said(asked)
        for layout, image in (("HWC", LR_HSI[:6, :6].transpose(2, 0, 1)), ("CHW,HWC", LR_HSI[:6, :6])):
            done = self.fuse(tmp_path, *files, "--const", 2047, "--layout", layout, "--counts", 2047)
            assert done.exit_code == 0, done.stderr
            assert np.load(tmp_path / "fused.npy")[:, ::4, ::4] == pytest.approx(image, rel=1e-6)

    @pytest.mark.parametrize(
        ("hsi", "msi", "options", "says"),
        [
            (LR_HSI, HR_MSI[:60], (), "a.npy is (16, 24, 6), {}/b.npy is (60, 96, 2): these are not an LR-HSI and an"),
            (HR_MSI, LR_HSI, (), "the other way round they are"),
            (LR_HSI, HR_MSI[:60, :, 0], (), "b.npy is (60, 96, 1): these are not"),
            (LR_HSI, HR_MSI, ("--scale", 2), "one scene at scale 2"),
            (LR_HSI, HR_MSI[0, :, 0], (), "has no array that could be the HR-MSI; it holds an array [96]"),
            (LR_HSI, HR_MSI, ("--msi-const", 1), "--msi-const states the full scale"),
        ],
    )
    def test_what_does_not_fit(
        self, tmp_path: Path, hsi: np.ndarray, msi: np.ndarray, options: tuple[object, ...], says: str
    ) -> None:
        files = (self.write(tmp_path / "a.npy", hsi), self.write(tmp_path / "b.npy", msi))
        done = self.fuse(tmp_path, *files, "--const", 2047, *options)
        assert done.exit_code in (1, 2)
        assert says.format(tmp_path) in said(done)
        assert not (tmp_path / "fused.npy").exists()

    def test_no_image_is_written_over(self, tmp_path: Path) -> None:
        files = (self.write(tmp_path / "a.npy", LR_HSI), self.write(tmp_path / "b.npy", HR_MSI))
        done = self.fuse(tmp_path, *files, "--const", 2047, out="b.npy")
        assert done.exit_code == 2
        assert "b.npy is an image of the pair" in said(done)
        assert (np.load(tmp_path / "b.npy") == HR_MSI).all()

    def test_three_images_and_an_unknown_ending(self, tmp_path: Path) -> None:
        done = CliRunner().invoke(main, ["fuse", "bicubic", "a.npy", "b.npy", "c.npy", "d.mat"])
        assert done.exit_code == 2
        assert "give one file of both images, or that of the HSI and that of the MSI, then OUTPUT" in said(done)
        assert "name ends in .mat or .hdr or .img or .bsq or .bil or .bip or .tif or .tiff or .npy" in said(
            self.fuse(tmp_path, "a.npy", "b.npy", out="fused.png")
        )


def test_a_panchromatic_image_beside_the_hsi(pair: Path) -> None:
    """MATLAB drops a last axis of one place."""
    io.savemat(pair, {"HSim": LR_HSI, "pan": HR_MSI[..., 0], "y": 3.0})
    assert fuse(pair, "--const", 2047).exit_code == 0
    assert io.loadmat(pair.parent / "fused.mat")["pan"][0, 0] == pytest.approx(HR_MSI[..., 0], rel=1e-6)
    io.savemat(pair, {"HSim": LR_HSI, "PCim": HR_MSI[..., 0]})
    assert "say by --hr-msi which array is the HR-MSI; it holds HSim [16, 24, 6], PCim [64, 96" in said(fuse(pair))
    assert fuse(pair, "--const", 2047, "--hr-msi", "PCim").exit_code == 0


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (("--set", "dimension"), "--set 'dimension': expected NAME=VALUE, such as --set dimension=5"),
            (("--set", "dimensio=5"), "there is no option of ltmr 'dimensio'; did you mean dimension?"),
            (("--picture", "look.jpg"), "give it a name that ends in .png"),
            (("--psf", "HSim"), "named by --psf, has shape (16, 24, 6), which is not a matrix"),
            (("--psf", "blur"), "has no array 'blur'"),
            (("--psf", "twice"), "the PSF twice sums to 2, not to 1"),
            (("--srf", "twice"), "2 multispectral and 6 hyperspectral bands need (2, 6)"),
            (("--srf", "none"), "has values that are NaN or infinite"),
        ],
    )
    def test_what_cannot_be_meant(self, pair: Path, options: tuple[str, ...], says: str) -> None:
        arrays = {"HSim": LR_HSI, "MSim": HR_MSI, "twice": np.full((2, 2), 0.5), "none": np.full((2, 6), np.nan)}
        io.savemat(pair, arrays)
        done = fuse(pair, "--const", 2047, *options, method="ltmr")
        assert done.exit_code in (1, 2)
        assert says in said(done)
        assert not (pair.parent / "fused.mat").exists()

    @pytest.mark.parametrize(
        ("arrays", "options", "says"),
        [
            ({"HSim": LR_HSI}, (), "holds one image only, HSim [16, 24, 6]; name the HSI's file and then the MSI's"),
            ({"HSim": LR_HSI, "X": HR_MSI}, (), "say by --hr-msi which array is the HR-MSI; it holds HSim [16, 24, 6]"),
            ({"HSim": LR_HSI, "ms": LR_HSI, "Z": HR_MSI}, (), "say by --lr-hsi which array is the LR-HSI"),
            ({"HSim": LR_HSI, "Z": HR_MSI}, ("--lr-hsi", "Y"), "has no array 'Y'; it holds HSim"),
            ({"HSim": LR_HSI, "Z": HR_MSI[:60]}, (), "these are not an LR-HSI and an HR-MSI of one scene"),
            ({"HSim": LR_HSI, "Z": HR_MSI}, ("--scale", 8), "not an LR-HSI and an HR-MSI of one scene at scale 8"),
            (
                {"HSim": LR_HSI[:, :6, :6], "Z": RANDOM.random((64, 24, 24))},
                (),
                "which may be CHW at scale 4, HWC at scale 4: say which by --layout and --scale",
            ),
            ({"HSim": LR_HSI, "Z": HR_MSI}, (), "values are not in [0, 1], 2047 among them; --const states"),
            (
                {"HSim": LR_HSI * np.nan, "Z": HR_MSI},
                ("--const", 2047),
                "100 % of the pixels have no value (they are NaN or infinite): within rows 0 to 15 and columns 0 to 23",
            ),
        ],
    )
    def test_pairs_that_cannot_be_read(
        self, pair: Path, arrays: dict[str, np.ndarray], options: tuple[object, ...], says: str
    ) -> None:
        io.savemat(pair, arrays)
        done = fuse(pair, *options)
        assert done.exit_code in (1, 2)
        assert says in said(done)
        assert not (pair.parent / "fused.mat").exists()

    def test_a_method_gets_no_truth_and_may_return_no_nan(self, pair: Path) -> None:
        done = fuse(pair, "--const", 2047, method="truths")
        assert done.exit_code == 1
        assert "returned 36864 values that are NaN or infinite for scene pair.mat" in said(done)

    def test_a_network_without_weights(self, pair: Path) -> None:
        done = fuse(pair, "--const", 2047, method="feinfn")
        assert done.exit_code == 2
        assert "FeINFN is a network: name its trained weights by --weights FILE" in said(done)
        assert "gsa and fuse, among others, need none" in said(done)
        assert fuse(pair, "--const", 2047, method="fuse").exit_code == 0

    def test_weights_of_a_method_that_has_none(self, pair: Path) -> None:
        done = fuse(pair, "--const", 2047, "--weights", "a.safetensors", method="bicubic")
        assert done.exit_code == 2
        assert "Bicubic has none" in said(done)


class TestResponseThatIsTold:
    """A response that does not make the MSI from the HSI ruins what is told it, and is told of."""

    #: Three channels, each the mean of two of six bands.
    RESPONSE = np.kron(np.eye(3), [0.5, 0.5])

    def fuse(self, folder: Path, response: np.ndarray, *, gain: float = 1.0, method: str = "fuse") -> str:
        rng = np.random.default_rng(1)
        # smooth over blocks of four pixels, so that any blur within them leaves the means
        low = rng.random((6, 16, 16)) * np.linspace(0.3, 0.9, 6)[:, None, None]
        high = np.stack([low[k : k + 2].mean(axis=0) for k in (0, 2, 4)]).repeat(4, axis=1).repeat(4, axis=2)
        io.savemat(folder / "told.mat", {"hsi": low, "msi": gain * high, "srf": response})
        words = ["fuse", method, str(folder / "told.mat"), str(folder / "out.mat"), "--srf", "srf"]
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.stderr
        return said(done)

    def test_the_true_one_is_not_told_of(self, tmp_path: Path) -> None:
        assert "warning: by --srf" not in self.fuse(tmp_path, self.RESPONSE)
        assert "warning: by --srf" not in self.fuse(tmp_path, self.RESPONSE, gain=0.95)

    def test_another_level(self, tmp_path: Path) -> None:
        found = self.fuse(tmp_path, self.RESPONSE, gain=0.5)
        assert "warning: by --srf the HSI does not make the MSI: its levels of bands 1-3 are 2.00 times" in found
        assert "look like" not in found

    def test_channels_in_another_order(self, tmp_path: Path) -> None:
        found = self.fuse(tmp_path, self.RESPONSE[[1, 2, 0]])
        assert "the MSI's bands look like channels 3, 1, 2 of it" in found

    def test_methods_that_use_none_are_not_warned(self, tmp_path: Path) -> None:
        assert "warning: by --srf" not in self.fuse(tmp_path, self.RESPONSE, gain=0.5, method="bicubic")
