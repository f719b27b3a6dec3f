"""Our stand-ins for functions of MATLAB, against other people's code and the definitions, in GNU Octave."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from scipy import io
from scipy.signal import get_window

from hsfusion_bench.matlab import octave

pytestmark = pytest.mark.skipif(shutil.which("octave-cli") is None, reason="octave-cli is not installed")

RANDOM = np.random.default_rng(5)
X, Y = RANDOM.random((2, 64))
IMAGE = RANDOM.random((96, 70))
# As the script has it: a Gaussian's samples, symmetric about the middle
OFFSET = np.arange(41) - 20
RESPONSE = np.exp(-(OFFSET**2 + OFFSET[:, None] ** 2) / 50.0)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What the functions return, all from one start of Octave; those of Octave's own where it has them."""
    folder = tmp_path_factory.mktemp("octave")
    io.savemat(folder / "in.mat", {"x": X[:, None], "y": Y[:, None], "image": IMAGE, "response": RESPONSE})
    program = f"""
        load('in.mat');
        try, pkg('load', 'image'); theirs_blocks = blockproc(image, [32 32], @(block) block * 2 + mean2(block));
        catch, theirs_blocks = []; end
        try, pkg('load', 'signal'); theirs_kaiser = [kaiser(41), kaiser(41, 3)]; pkg('unload', 'signal');
        catch, theirs_kaiser = []; end
        warning('off', 'Octave:shadowed-function');
        addpath('{octave.FOLDER}');
        kaisers = [kaiser(41), kaiser(41, 3)];
        filter = fwind1(response, kaiser(41));
        narrow = fwind1(ones(3), [0.25; 1; 0.25]);
        blocks = blockproc(image, [32 32], @(block) block.data * 2 + mean(block.data(:)));
        places = blockproc(image, [32 32], @(block) block.location);
        covariance = cov(x, y);
        save('-v7', 'out.mat', 'theirs_blocks', 'theirs_kaiser', 'kaisers', 'filter', 'narrow', 'blocks', ...
             'places', 'covariance');
    """
    (folder / "program.m").write_text(program)
    done = subprocess.run(
        ["octave-cli", "--quiet", "--no-init-file", "program.m"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return io.loadmat(folder / "out.mat")


def test_there_is_a_file_for_each_test() -> None:
    assert {path.stem for path in octave.FOLDER.glob("*.m")} == set(octave.TESTS)


def test_kaiser_is_that_of_numpy_and_of_scipy(found: dict[str, np.ndarray]) -> None:
    for column, beta in zip(found["kaisers"].T, (0.5, 3.0), strict=True):
        np.testing.assert_allclose(column, np.kaiser(41, beta), rtol=1e-13)
        np.testing.assert_allclose(column, get_window(("kaiser", beta), 41, fftbins=False), rtol=1e-13)


def test_kaiser_is_that_of_octaves_signal_package(found: dict[str, np.ndarray]) -> None:
    if not found["theirs_kaiser"].size:
        pytest.skip("Octave's package signal is not installed")
    np.testing.assert_allclose(found["kaisers"], found["theirs_kaiser"], rtol=1e-13)


def test_fwind1_is_the_transforms_sum_times_the_round_window(found: dict[str, np.ndarray]) -> None:
    # The sum over the frequencies, written out: those of 41 samples from -20/41 to 20/41 of the sampling rate
    phase = np.exp(2j * np.pi * np.outer(OFFSET, OFFSET) / 41)
    ideal = (phase @ RESPONSE @ phase).real / 41**2
    radius = np.hypot(OFFSET, OFFSET[:, None]) / 20
    window = np.where(radius <= 1, np.interp(radius, OFFSET / 20, np.kaiser(41, 0.5)), 0.0)
    np.testing.assert_allclose(found["filter"].real, ideal * window, rtol=1e-12, atol=1e-16)
    assert np.abs(found["filter"].imag).max() < 1e-17


def test_fwind1_lets_all_pass_at_the_middle_only(found: dict[str, np.ndarray]) -> None:
    # A flat response is a single one; the window of the middle is 1.
    np.testing.assert_allclose(found["narrow"], [[0, 0, 0], [0, 1, 0], [0, 0, 0]], atol=1e-16)


def test_blockproc_gives_what_octaves_own_gives_for_matrices(found: dict[str, np.ndarray]) -> None:
    if not found["theirs_blocks"].size:
        pytest.skip("Octave's package image is not installed")
    np.testing.assert_allclose(found["blocks"][:, :64], found["theirs_blocks"][:, :64], rtol=1e-14)


def test_blockproc_passes_what_there_is_of_a_block(found: dict[str, np.ndarray]) -> None:
    # as MATLAB does unless told to pad; Octave's own pads
    strip = IMAGE[:32, 64:]
    np.testing.assert_allclose(found["blocks"][:32, 64:], strip * 2 + strip.mean(), rtol=1e-14)


def test_blockproc_tells_where_a_block_begins(found: dict[str, np.ndarray]) -> None:
    rows, columns = found["places"][:, ::2], found["places"][:, 1::2]
    assert rows.tolist() == [[1] * 3, [33] * 3, [65] * 3]
    assert columns.tolist() == [[1, 33, 65]] * 3


def test_cov_is_that_of_numpy(found: dict[str, np.ndarray]) -> None:
    np.testing.assert_allclose(found["covariance"], np.cov(X, Y), rtol=1e-13)


def test_the_stand_ins_pass_the_tests_that_call_for_them() -> None:
    program = f"warning('off', 'all'); addpath('{octave.FOLDER}'); disp([{', '.join(octave.TESTS.values())}]);"
    done = subprocess.run(
        ["octave-cli", "--quiet", "--no-init-file", "--eval", program], capture_output=True, text=True, timeout=100
    )
    assert done.stdout.split() == ["1"] * len(octave.TESTS), done.stderr
