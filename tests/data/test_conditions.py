"""Conditions that depart from a protocol: what they do to the images, what methods are told, and how they are named."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import correlate

import hsfusion_bench as hb
from hsfusion_bench.data.observing.conditions import Conditions, shifted, spelled, unspelled
from hsfusion_bench.data.observing.limits import FAMILIES, LIMITS
from hsfusion_bench.data.observing.named_responses import load_response
from hsfusion_bench.data.observing.protocols import ProtocolChoice, choice_of, load_protocol
from hsfusion_bench.data.observing.psfs import kernel
from hsfusion_bench.data.observing.telling import in_words
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.training.scenes import TrainingScenes


def under(**conditions):
    return load_protocol(ProtocolChoice("uestc", **conditions))


@pytest.fixture(scope="module")
def cube():
    return np.random.default_rng(0).random((31, 32, 48)).astype(np.float32)


@pytest.fixture(scope="module")
def plain(cube):
    return load_protocol("uestc").observe(cube, 4, scene="a")


# -- the images


def test_another_blur_is_a_correlation_with_its_kernel(cube, plain):
    seen = under(psf="moffat", psf_fwhm=2.5).observe(cube, 4)
    psf = kernel("moffat", 2.5)
    due = np.stack([correlate(band.astype(float), psf, mode="mirror")[2::4, 2::4] for band in cube])
    np.testing.assert_allclose(seen.lr_hsi, due, atol=1e-6)
    np.testing.assert_array_equal(seen.hr_msi, plain.hr_msi)
    np.testing.assert_allclose(seen.psf, psf, atol=1e-7)
    assert seen.phase == plain.phase


@pytest.mark.parametrize("name", ["uestc", "mossfuse", "xidian", "wald", "yokoya", "yokoya-toolbox"])
def test_a_ramp_lies_where_the_phase_says_under_any_blur(name):
    # far from the border, a kernel that is symmetric about its middle gives a ramp's value there
    ramp = np.broadcast_to(np.arange(128.0)[:, None], (31, 128, 128)).astype(np.float32)
    for psf, width in (("airy", 3.0), ("gabor", 2.0), ("delta", None)):
        protocol = load_protocol(ProtocolChoice(name, "A", psf=psf, psf_fwhm=width))
        seen = protocol.observe(ramp, 4)
        rows = np.arange(8, 24)
        np.testing.assert_allclose(seen.lr_hsi[0, rows, 16], 4 * rows + protocol.phase(4), atol=1e-4)


def test_a_shift_moves_what_a_camera_sees_without_blur():
    # cos(pi k (i + 1/2) / N) continues by its mirror image, so that it is known between the pixels
    places = np.arange(40) + 0.5
    for k in (0, 1, 7, 25, 39):
        wave = np.cos(np.pi * k * places / 40)
        for by in (0.5, -0.25, 3.3):
            due = np.cos(np.pi * k * (places - by) / 40)
            rows = shifted(np.tile(wave[:, None], (1, 3)), (by, 0))
            columns = shifted(np.tile(wave, (3, 1)), (0, by))
            np.testing.assert_allclose(rows, np.tile(due[:, None], (1, 3)), atol=1e-12)
            np.testing.assert_allclose(columns, np.tile(due, (3, 1)), atol=1e-12)


def test_whole_pixels_move_as_they_are(cube):
    moved = shifted(cube[:2], (2, -1))
    np.testing.assert_allclose(moved[:, 2:, :-1], cube[:2, :-2, 1:], atol=1e-12)
    np.testing.assert_allclose(moved[:, :2, :-1], cube[:2, 1::-1, 1:], atol=1e-12)  # the mirror image


def test_shift_and_gain_are_of_the_msi_alone(cube, plain):
    seen = under(shift=(0.5, 0.0), gain=1.5).observe(cube, 4, scene="a")
    np.testing.assert_array_equal(seen.lr_hsi, plain.lr_hsi)
    clean = plain.hr_msi.astype(float)
    np.testing.assert_allclose(seen.hr_msi, 1.5 * shifted(clean, (0.5, 0)), atol=1e-6)
    assert seen.hr_msi.max() > 1  # nothing is clipped


def test_noise_is_of_the_amplified_image(cube):
    seen = under(gain=4, snr_msi=20).observe(cube, 4, scene="a")
    clean = under(gain=4).observe(cube, 4, scene="a").hr_msi.astype(float)
    ratio = 10 * np.log10((clean**2).mean(axis=(1, 2)) / (seen.hr_msi - clean).var(axis=(1, 2)))
    np.testing.assert_allclose(ratio, 20, atol=0.6)


def test_dead_lines_are_columns_of_each_band(cube, plain):
    seen = under(dead_lines=2, snr_hsi=30).observe(cube, 4, scene="a").lr_hsi
    dead = (seen == 0).all(axis=1)
    assert (dead.sum(axis=1) == 2).all()
    assert len({tuple(band) for band in dead}) > 10  # in each band others
    whole = under(snr_hsi=30).observe(cube, 4, scene="a").lr_hsi
    np.testing.assert_array_equal(seen.transpose(0, 2, 1)[~dead], whole.transpose(0, 2, 1)[~dead])
    again, other, seeded = (
        (under(dead_lines=2, **more).observe(cube, 4, scene=scene).lr_hsi == 0).all(axis=1)
        for scene, more in (("a", {}), ("b", {}), ("a", {"dead_seed": 1}))
    )
    np.testing.assert_array_equal(again, dead)
    assert (other != dead).any()
    assert (seeded != dead).any()
    share = (under(dead_lines=0.1).observe(cube, 4, scene="a").lr_hsi == 0).all(axis=1)
    assert share.sum() == np.ceil(0.1 * 31 * 12)
    with pytest.raises(UsageError, match="12 dead lines of each band leave nothing"):
        under(dead_lines=12).observe(cube, 4)


# -- what methods are told


@pytest.mark.parametrize(
    "told",
    [
        {"told_psf": "airy"},
        {"told_psf_fwhm": 4.0},
        {"told_response": "B"},
        {"told_phase": -1.0},
        {"told_phase": 0.5},
    ],
)
def test_what_is_told_leaves_the_images_as_they_are(cube, plain, told):
    protocol = under(**told)
    seen = protocol.observe(cube, 4, scene="a")
    np.testing.assert_array_equal(seen.lr_hsi, plain.lr_hsi)
    np.testing.assert_array_equal(seen.hr_msi, plain.hr_msi)
    assert (seen.psf.shape, seen.phase) != (plain.psf.shape, plain.phase) or (seen.srf != plain.srf).any()
    assert protocol.digest(4) != load_protocol("uestc").digest(4)


def test_methods_are_told_what_was_asked_for(cube):
    seen = under(psf="airy", psf_fwhm=3, told_psf_fwhm=5, told_response="B").observe(cube, 4)
    np.testing.assert_allclose(seen.psf, kernel("airy", 5.0), atol=1e-7)
    np.testing.assert_allclose(seen.srf, load_response("B").at(np.arange(400, 701, 10)), atol=1e-7)
    assert under(psf="delta", told_psf_fwhm=2).told_psf(4).shape == kernel("gaussian", 2.0).shape
    np.testing.assert_array_equal(under(psf="moffat", psf_fwhm=3, told_psf="delta").told_psf(4), [[1]])


@pytest.mark.parametrize("name", ["uestc", "mossfuse", "xidian", "wald", "yokoya"])
@pytest.mark.parametrize("off", [-0.5, 0.5, 1.0])
def test_a_phase_that_is_told_has_a_kernel_whose_taps_are_pixels(name, off):
    protocol = load_protocol(ProtocolChoice(name, "A", told_phase=off))
    psf, phase = protocol.told_psf(4), protocol.told_phase(4)
    assert phase == load_protocol(name).phase(4) + off
    first = phase - (len(psf) - 1) / 2
    assert first.is_integer()  # or tap (m, n) would weigh no pixel
    places = first + np.arange(len(psf))
    assert psf.sum(axis=1) @ places == pytest.approx(phase)
    assert psf.sum() == pytest.approx(1)


def test_a_mean_half_a_pixel_off_covers_its_edges_by_half(tmp_path):
    from hsfusion_bench.data.observing.protocols import Blur

    mean = Blur("average", "scale", "zero").halfway(4)
    np.testing.assert_allclose(mean[2] / mean[2].sum(), np.array([0.5, 1, 1, 1, 0.5]) / 4)


def test_the_problem_has_the_phase_that_is_told():
    task = hb.open_task("demo", 4, protocol=ProtocolChoice(told_phase=-0.5))
    assert task.problem.phase == 1.5
    assert next(iter(task)).observation.phase == 1.5
    with pytest.raises(UsageError, match="without --told-phase"):
        TrainingScenes(task.train)
    with pytest.raises(UsageError, match="--told-phase is -2 to 2"):
        hb.open_task("demo", 4, protocol=ProtocolChoice(told_phase=2.5))


def test_a_response_of_other_channels_cannot_be_told(tmp_path):
    (tmp_path / "two.csv").write_text("wavelength,red,blue\n400,1,2\n700,2,1\n")
    with pytest.raises(UsageError, match="2 channels: the HR-MSI is of A and has 3"):
        hb.open_task("demo", 4, protocol=ProtocolChoice(told_response=str(tmp_path / "two.csv")))


# -- names and digests


def test_what_changes_nothing_is_the_protocol_itself():
    same = under(
        shift=(0, 0), gain=1, dead_lines=0, told_phase=0, psf="gaussian", told_psf="gaussian", told_response="A"
    )
    assert same == load_protocol("uestc")
    assert same.id == "uestc"
    assert same.digest(4) == load_protocol("uestc").digest(4)
    # and what is told as it is
    assert under(psf="airy", psf_fwhm=3, told_psf="airy", told_psf_fwhm=3).id == "uestc-psf-airy-fwhm3"
    # one name for one thing
    assert under(psf="gaussian", psf_fwhm=3).id == under(psf_fwhm=3).id == "uestc-fwhm3"
    assert under(told_psf="gaussian", told_psf_fwhm=3).id == "uestc-told-fwhm3"


def test_digests_of_protocols_are_what_they_were():
    # of records that were committed before there were conditions
    assert load_protocol("uestc").digest(4).startswith("fe8bbca8e1bd")


numbers = {
    name: st.floats(limits.least, limits.most, allow_nan=False).map(lambda value: float(f"{value:.6g}"))
    for name, limits in LIMITS.items()
}
families = st.none() | st.sampled_from(FAMILIES)


@st.composite
def choices(draw):
    maybe = {
        "psf": draw(families),
        "psf_fwhm": draw(st.none() | numbers["psf_fwhm"]),
        "shift": draw(st.none() | st.tuples(numbers["shift"], numbers["shift"])),
        "gain": draw(st.none() | numbers["gain"]),
        "dead_lines": draw(st.none() | st.integers(1, 40).map(float) | st.floats(1e-6, 0.99)),
        "told_psf": draw(families),
        "told_psf_fwhm": draw(st.none() | numbers["told_psf_fwhm"]),
        "told_response": draw(st.none() | st.sampled_from(["A", "B", "ikonos", "landsat"])),
        "told_phase": draw(st.none() | st.integers(-64, 64).map(lambda number: number / 2)),
        "snr_hsi": draw(st.none() | numbers["snr_hsi"]),
        "snr_msi": draw(st.none() | numbers["snr_msi"]),
        "response": draw(st.none() | st.sampled_from(["A", "B", "ikonos"])),
        "off_table": draw(st.none() | st.sampled_from(["refuse", "by-band", "interpolate"])),
    }
    for family, width in (("psf", "psf_fwhm"), ("told_psf", "told_psf_fwhm")):
        if maybe[family] == "delta":
            maybe[width] = None
    if maybe["dead_lines"]:
        maybe["dead_seed"] = draw(st.integers(0, 99))
    if maybe["snr_hsi"] is not None:
        maybe["noise_seed"] = draw(st.integers(0, 99))
    return ProtocolChoice(draw(st.sampled_from(["uestc", "wald", "yokoya", "yokoya-toolbox"])), **maybe)


@settings(deadline=None, max_examples=200)
@given(choices())
def test_names_are_read_backwards(choice):
    protocol = load_protocol(choice)
    read = load_protocol(choice_of(protocol.id))
    assert read == protocol
    assert read.id == protocol.id
    assert read.departures == protocol.departures
    in_words(protocol.departures)


@settings(deadline=None, max_examples=60)
@given(choices(), choices())
def test_two_conditions_have_one_name_only_if_they_are_the_same(one, other):
    first, second = load_protocol(one), load_protocol(other)
    assert (first.id == second.id) == (first == second)


def test_numbers_are_spelled_and_read():
    for value in (0.5, -0.25, 1e-05, 40.0, 0.1 + 0.2):
        assert unspelled(spelled(value)) == value
    assert spelled(1e-05) == "1em05"


def test_conditions_are_values(cube):
    protocol = under(psf="airy", shift=(1, 2), told_response="B")
    assert pickle.loads(pickle.dumps(protocol)) == protocol  # workers get protocols so
    with pytest.raises(AttributeError):
        protocol.conditions.gain = 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"psf": "mofat"}, "did you mean moffat"),
        ({"psf_fwhm": 40}, "0.5 to 32"),
        ({"shift": (0, 17)}, "-16 to 16"),
        ({"shift": (float("nan"), 0)}, "-16 to 16"),
        ({"gain": 0}, "0.01 to 100"),
        ({"dead_lines": 1.5}, "whole number of columns"),
        ({"dead_lines": -1}, "0 to 4096"),
        ({"dead_seed": 1}, "add --dead-lines"),
        ({"told_phase": 0.3}, "multiple of 0.5"),
        ({"psf": "delta", "psf_fwhm": 2}, "a delta has no width"),
    ],
)
def test_what_cannot_be_is_refused(given, words):
    with pytest.raises(UsageError, match=words):
        Conditions(**given)


def test_a_file_of_ones_own_has_no_conditions(tmp_path):
    (tmp_path / "mine.toml").write_text('id = "mine"\n[conditions]\npsf = "airy"\n')
    with pytest.raises(HsbenchError, match="a protocol has none of its own"):
        load_protocol(str(tmp_path / "mine.toml"))


def test_conditions_are_told_in_words():
    cameras = {"response": "B", "psf": "moffat", "psf_fwhm": 2.5, "shift": (0.5, 0), "gain": 1.05, "dead_lines": 1}
    noise = {"snr_hsi": 30, "snr_msi": 30, "noise_seed": 2}
    assert in_words(under(**cameras, **noise, told_psf_fwhm=4, told_phase=-0.5).departures).split("; ") == [
        "camera response B",
        "noise of 30 dB in both images, seed 2",
        "Moffat blur 2.5 HR pixels wide",
        "HR-MSI moved by 0.5 rows and 0 columns",
        "HR-MSI times 1.05",
        "dead in the LR-HSI: 1 column a band",
        "methods are told a Moffat blur 4 HR pixels wide and a phase -0.5 HR pixels off",
    ]
    assert in_words({"fog": "thick"}) == "fog thick"


def test_whole_numbers_have_the_digest_of_the_same_number():
    assert under(gain=2, snr_hsi=30).digest(4) == under(gain=2.0, snr_hsi=30.0).digest(4)
