"""Pairs that are corrected by a shift, on images whose pixels tell where they lie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy import io

from hsfusion_baselines.bicubic import Bicubic
from hsfusion_baselines.classical.cameras import completed
from hsfusion_baselines.classical.cstf import separable_camera
from hsfusion_baselines.classical.interpolation import enlarge
from hsfusion_baselines.classical.mtf import mtf_filtered_msi
from hsfusion_baselines.classical.optics import Optics
from hsfusion_bench.cli import main
from hsfusion_bench.data.observing.protocols import load_protocol
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.errors import UsageError
from hsfusion_bench.methods import FunctionMethod, Observation
from hsfusion_bench.registry import find
from hsfusion_bench.runs.correction import correct, for_method

SHIFTS = [(0, 0), (1, 0), (-3, 2), (4, -4), (0.3, -0.2), (2.5, -1.75), (-7.4, 5.1)]
SCALE, PHASE = 4, 1.5


def ramps(rows: float, columns: float) -> Observation:
    """Return a pair whose bands are rows and columns of the HR-MSI: where each pixel lies, and each LR pixel truly."""
    high = np.stack(np.meshgrid(np.arange(64.0), np.arange(96.0), indexing="ij"))
    sides = (SCALE * np.arange(16) + PHASE + rows, SCALE * np.arange(24) + PHASE + columns)
    low = np.stack(np.meshgrid(*sides, indexing="ij"))
    return Observation(low.astype(np.float32), high.astype(np.float32), SCALE, PHASE)


def places(observation: Observation) -> np.ndarray:
    """Return where LR pixels lie, in pixels of the given HR-MSI, by what the observation says of itself."""
    first = observation.hr_msi[:, 0, 0] + PHASE + observation.offset
    steps = np.stack(np.meshgrid(*map(np.arange, observation.lr_hsi.shape[1:]), indexing="ij"))
    return np.asarray(first[:, None, None] + SCALE * steps)


@pytest.mark.parametrize("by", SHIFTS)
def test_lr_pixels_lie_where_they_should_and_nothing_is_interpolated(by: tuple[float, float]) -> None:
    pair = ramps(*by)
    done = correct(pair, *by)
    assert done.observation.lr_hsi == pytest.approx(places(done.observation), abs=1e-4)
    assert max(map(abs, done.observation.offset)) <= 0.5
    row, column = done.origin
    _, height, width = done.observation.hr_msi.shape
    np.testing.assert_array_equal(done.observation.hr_msi, pair.hr_msi[:, row : row + height, column : column + width])
    # no more is lost than the LR pixels that are not whole in the other image
    lost = [int(np.ceil(np.floor(abs(each) + 0.5) / SCALE)) for each in by]
    assert done.observation.lr_hsi.shape == (2, 16 - lost[0], 24 - lost[1])


@pytest.mark.parametrize("by", SHIFTS)
def test_a_method_that_takes_no_offset_gets_moved_samples(by: tuple[float, float]) -> None:
    done = correct(ramps(*by), *by).observation
    plain = for_method(done, FunctionMethod(lambda observation: observation.hr_msi, "some"))
    assert plain.offset == (0, 0)
    inner = (slice(None), slice(3, -3), slice(3, -3))  # a spline sees the border as a mirror
    assert plain.lr_hsi[inner] == pytest.approx(places(plain)[inner], abs=0.02)
    assert for_method(done, Bicubic()) is done


@pytest.mark.parametrize("by", [(0.3, -0.5), (-0.2, 0.1)])
@pytest.mark.parametrize("size", [8, 12])
def test_what_methods_are_made_of_knows_of_the_offset(by: tuple[float, float], size: int) -> None:
    pair = replace(ramps(*by), offset=by, psf=np.full((size, size), size**-2.0), srf=np.eye(2))
    inner = (slice(None), slice(6, -6), slice(6, -6))
    assert enlarge(pair.lr_hsi, pair, "aligned")[:, 24:-24, 24:-24] == pytest.approx(
        pair.hr_msi[:, 24:-24, 24:-24], abs=0.01
    )
    assert Bicubic().fuse(pair)[:, 24:-24, 24:-24] == pytest.approx(pair.hr_msi[:, 24:-24, 24:-24], abs=0.02)
    seen = Optics.of(completed(pair)).observe(pair.hr_msi.astype(float))
    assert seen[inner] == pytest.approx(pair.lr_hsi[inner], abs=0.02)
    assert mtf_filtered_msi(pair, 0.3)[inner] == pytest.approx(pair.lr_hsi[inner], abs=0.02)
    down, across = separable_camera(completed(pair))
    assert (down @ pair.hr_msi @ across.T)[inner] == pytest.approx(pair.lr_hsi[inner], abs=0.02)


def test_shifts_add_up() -> None:
    twice = correct(correct(ramps(2.8, -1.3), 1.4, 0.2).observation, 1.4, -1.5).observation
    assert twice.lr_hsi == pytest.approx(places(twice), abs=1e-4)


@pytest.mark.parametrize("by", [(64, 0), (0, -95)])
def test_images_that_have_nothing_in_common(by: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="have nothing in common after a shift of"):
        correct(ramps(0, 0), *by)


def psnr(reference: np.ndarray, fused: np.ndarray) -> float:
    return float(-10 * np.log10(((reference - fused.clip(0, 1)) ** 2).mean()))


@pytest.mark.parametrize(("method", "known"), [("bicubic", False), ("gsa", False), ("fuse", False), ("fuse", True)])
@pytest.mark.parametrize("by", [(0.5, 0.5), (1.3, -0.7)])
def test_a_registered_pair_is_fused_as_well_as_one_that_was_never_shifted(
    tmp_path: Path, method: str, known: bool, by: tuple[float, float]
) -> None:
    scene = DemoSource().read("figs")
    aligned = load_protocol("xidian").observe(scene, 4)
    spectrum = [np.exp(-2j * np.pi * np.fft.fftfreq(128) * each) for each in by]

    def moved(cube: np.ndarray) -> np.ndarray:
        return np.fft.ifft2(np.fft.fft2(cube) * np.outer(*spectrum)).real.clip(0, 1)

    arrays = {"hsi": aligned.lr_hsi, "msi": moved(aligned.hr_msi), "blur": aligned.psf, "response": aligned.srf}
    io.savemat(tmp_path / "pair.mat", arrays)
    words = ["--psf", "blur", "--srf", "response"] if known else []
    done = run(method, tmp_path / "pair.mat", tmp_path / "fused.mat", "--register", *words)
    assert done.exit_code == 0, done.stderr
    found = io.loadmat(tmp_path / "fused.mat")
    assert found["shift"][0] == pytest.approx(by, abs=0.1)
    row, column = map(int, found["origin"][0])
    reference = np.full(scene.shape, np.nan)
    reference[...] = moved(scene)
    fused = np.full(scene.shape, np.nan)
    _, _, height, width = found["sr"].shape
    fused[:, row : row + height, column : column + width] = found["sr"][0]
    inner = (slice(None), slice(16, -16), slice(16, -16))
    made = find(method).load()
    best = made.fuse((aligned if known else aligned.blind()).seen_by(made.card))
    assert psnr(reference[inner], fused[inner]) > psnr(scene[inner], best[inner]) - 0.5


def run(method: str, *words: object) -> Result:
    done = CliRunner().invoke(main, ["fuse", method, *map(str, words)])
    assert "Traceback" not in done.stderr
    return done


def said(done: Result) -> str:
    return " ".join(done.stderr.split())


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    observation = load_protocol("xidian").observe(DemoSource().read("figs"), 4)
    # the camera sees columns 3 to 126 where it should see 0 to 123
    io.savemat(tmp_path / "pair.mat", {"hsi": observation.lr_hsi[:, :, :31], "msi": observation.hr_msi[:, :, 3:127]})
    return tmp_path / "pair.mat"


def test_what_is_measured_is_what_is_stated(pair: Path) -> None:
    found = []
    for words in (["--register"], ["--shift", "0,-3"], ["--phase", "1.5,2.5", "--shift", "0,-4"]):
        done = run("bicubic", pair, pair.parent / "fused.npy", *words)
        assert done.exit_code == 0, done.stderr
        assert "the result has rows 0 to 127 and columns 1 to 120 of the MSI" in said(done)
        found.append(np.load(pair.parent / "fused.npy"))
    assert found[0] == pytest.approx(found[1], abs=0.02)
    np.testing.assert_array_equal(found[1], found[2])


def test_what_register_says(pair: Path) -> None:
    done = run("bicubic", pair, pair.parent / "fused.npy", "--register")
    assert "HSI and MSI are 0.0 rows and -3.0 columns apart, in pixels of the MSI" in said(done)
    assert "--register: the pair is corrected by" in said(done)
    assert "warning" not in said(done)
    done = run("bicubic", pair, pair.parent / "fused.npy", "--shift", "0,-3")
    assert "--shift: the pair is corrected by 0.00 rows and -3.00 columns" in said(done)
    assert "HSI and MSI are 0.0 rows and 0.0 columns apart" in said(done)
    done = run("bicubic", pair, pair.parent / "fused.npy", "--shift", "0,-3", "--register")
    assert done.exit_code == 2
    assert "--register measures the shift, --shift states it: give one of them" in said(done)


def test_an_aligned_pair_is_left_as_it_is(tmp_path: Path) -> None:
    observation = load_protocol("xidian").observe(DemoSource().read("figs"), 4)
    io.savemat(tmp_path / "pair.mat", {"hsi": observation.lr_hsi, "msi": observation.hr_msi})
    done = run("bicubic", tmp_path / "pair.mat", tmp_path / "fused.mat", "--register")
    assert "0.0 rows and 0.0 columns apart, in pixels of the MSI: nothing to correct" in said(done)
    found = io.loadmat(tmp_path / "fused.mat")
    assert "shift" not in found
    assert found["sr"].shape == (1, 31, 128, 128)


def test_a_pair_that_cannot_be_told_is_not_registered(tmp_path: Path) -> None:
    io.savemat(tmp_path / "pair.mat", {"hsi": np.full((4, 4, 5), 0.5), "msi": np.full((16, 16, 2), 0.5)})
    done = run("bicubic", tmp_path / "pair.mat", tmp_path / "fused.mat", "--register")
    assert done.exit_code == 1
    assert "correct a shift that you know by --shift ROWS,COLUMNS" in said(done)
    assert not (tmp_path / "fused.mat").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--shift", "1"), "--shift '1': expected ROWS,COLUMNS, such as 1.5,-2"),
        (("--shift", "a,b"), "--shift 'a,b': expected ROWS,COLUMNS"),
        (("--shift", "nan,0"), "--shift 'nan,0': expected ROWS,COLUMNS"),
        (("--phase", "1.5,-1.5"), "a phase is from 0 to 1024; --shift takes other numbers"),
        (("--phase", "1,2,3"), "--phase '1,2,3': expected a number, or two as ROWS,COLUMNS"),
        (("--shift", "0,400"), "have nothing in common after a shift of 0 rows and 400 columns"),
    ],
)
def test_numbers_that_cannot_be(pair: Path, words: tuple[str, ...], says: str) -> None:
    done = run("bicubic", pair, pair.parent / "fused.mat", *words)
    assert done.exit_code == 2
    assert says in said(done)


class TestCameras:
    """What is known of the cameras, in files of their own."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        observation = load_protocol("xidian").observe(DemoSource().read("figs"), 4)
        images = {"hsi": observation.lr_hsi, "msi": observation.hr_msi}
        io.savemat(tmp_path / "pair.mat", images)
        io.savemat(tmp_path / "waves.mat", images | {"wavelengths": np.linspace(400, 700, 31)})
        cameras = {"B": observation.psf, "R": observation.srf, "twice": 2 * np.asarray(observation.psf)}
        io.savemat(tmp_path / "cameras.mat", cameras)
        io.savemat(tmp_path / "both.mat", images | cameras)
        np.save(tmp_path / "psf.npy", np.asarray(observation.psf))
        np.save(tmp_path / "srf.npy", np.asarray(observation.srf))
        return tmp_path

    @pytest.mark.parametrize(
        ("psf", "srf"), [("cameras.mat:B", "cameras.mat:R"), ("psf.npy", "srf.npy"), ("psf.npy", "cameras.mat:R")]
    )
    def test_they_are_as_good_as_in_the_pairs_own_file(self, folder: Path, psf: str, srf: str) -> None:
        words = ("--psf", folder / psf, "--srf", folder / srf)
        done = run("fuse", folder / "pair.mat", folder / "a.npy", *words)
        assert done.exit_code == 0, done.stderr
        assert "estimated" not in said(done)
        assert run("fuse", folder / "both.mat", folder / "b.npy", "--psf", "B", "--srf", "R").exit_code == 0
        assert np.load(folder / "a.npy") == pytest.approx(np.load(folder / "b.npy"), abs=1e-4)

    def test_a_named_camera_needs_wavelengths(self, folder: Path) -> None:
        done = run("fuse", folder / "waves.mat", folder / "a.npy", "--srf", "A")
        assert done.exit_code == 0, done.stderr
        assert "it estimated PSF" in said(done)
        done = run("fuse", folder / "pair.mat", folder / "a.npy", "--srf", "A")
        assert done.exit_code == 1
        assert "--srf A goes by wavelength, but" in said(done)

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("--psf", "{}/cameras.mat"), "which array is meant cannot be told; name it"),
            (("--psf", "{}/cameras.mat:C"), "cameras.mat has no array 'C'; it holds B [4, 4], R [3, 31]"),
            (("--psf", "{}/cameras.mat:twice"), "the PSF sums to 2, not to 1"),
            (("--psf", "{}/none.mat"), "none.mat', and there is no such file; it holds hsi [31, 32, 32]"),
            (("--srf", "nikon"), "has no array 'nikon', and there is no such file; it holds"),
            (("--srf", "{}/none.csv"), "none.csv"),
        ],
    )
    def test_what_is_not_there(self, folder: Path, words: tuple[str, ...], says: str) -> None:
        done = run("fuse", folder / "pair.mat", folder / "a.npy", *(word.format(folder) for word in words))
        assert done.exit_code in (1, 2)
        assert says in said(done)
