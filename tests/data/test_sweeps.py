"""Sweeps, as a command line asks for them."""

from __future__ import annotations

import math

import pytest

from hsfusion_bench.data.observing.limits import FAMILIES
from hsfusion_bench.data.observing.protocols import ProtocolChoice, load_protocol
from hsfusion_bench.data.observing.sweeps import ALIASES, AXES, parse_sweep
from hsfusion_bench.errors import UsageError

BASE = ProtocolChoice("uestc")


def ids(text: str, base: ProtocolChoice = BASE) -> list[str]:
    return [load_protocol(choice).id.removeprefix("uestc-") for _, choice in parse_sweep(text, base).points]


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("snr-hsi=10,20", ["snr10-inf", "snr20-inf"]),
        ("snr-msi=40,inf", ["snrinf-40", "uestc"]),
        ("snr=30", ["snr30-30"]),
        ("psf=airy,moffat,delta", ["psf-airy", "psf-moffat", "psf-delta"]),
        ("psf-fwhm=1:2:0.5", ["fwhm1", "fwhm1.5", "fwhm2"]),
        ("blur=2", ["fwhm2"]),
        ("shift=0,0.25", ["uestc", "shift0.25"]),
        ("gain=0.9:1.1:0.1", ["gain0.9", "uestc", "gain1.1"]),
        ("dead-lines=0,0.05,2", ["uestc", "dead0.05", "dead2"]),
        ("response=A,B", ["uestc", "B"]),
        ("told-psf=gaussian,airy", ["uestc", "told-psf-airy"]),
        ("told-psf-fwhm=3", ["told-fwhm3"]),
        ("told-response=A,B", ["uestc", "told-response-B"]),
        ("told-phase=1:-1:-0.5", ["told-phase1", "told-phase0.5", "uestc", "told-phasem0.5", "told-phasem1"]),
    ],
)
def test_points_are_variants_of_the_protocol(text, due):
    assert ids(text) == due


def test_a_value_that_changes_nothing_is_what_the_base_is():
    base = ProtocolChoice("wald", snr_hsi=30, noise_seed=3)
    sweep = parse_sweep("shift=0,1", base)
    assert sweep.points[0] == (0.0, base)
    assert sweep.points[1][1].noise_seed == 3
    assert (sweep.axis, sweep.categorical) == ("shift", False)
    # the seed of noise that a point has not is not of it
    sweep = parse_sweep("snr=20,inf", ProtocolChoice("uestc", noise_seed=3))
    assert [choice.noise_seed for _, choice in sweep.points] == [3, 0]
    assert sweep.points[1][0] == math.inf


@pytest.mark.parametrize("name", [*AXES, *ALIASES])
def test_every_axis_has_values_that_ship(name):
    sweep = parse_sweep(name, BASE)
    assert len(sweep.points) > 1
    assert len({load_protocol(choice).id for _, choice in sweep.points}) == len(sweep.points)


def test_shipped_families_have_a_width_at_which_they_differ():
    sweep = parse_sweep("psf", BASE)
    assert sweep.categorical
    assert [value for value, _ in sweep.points] == list(FAMILIES)
    assert {choice.psf_fwhm for value, choice in sweep.points if value != "delta"} == {4.0}
    assert {c.psf_fwhm for v, c in parse_sweep("psf", ProtocolChoice(psf_fwhm=2.0)).points if v != "delta"} == {2.0}


def test_ranges_end_where_they_say_in_numbers_that_people_write():
    values = [value for value, _ in parse_sweep("gain=0.1:2:0.1", BASE).points]
    assert values == [float(f"{number / 10:g}") for number in range(1, 21)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("blr=1", "did you mean blur"),
        ("", "there is no axis ''"),
        ("psf-fwhm=0:4:1", "'0' is no width of the PSF at half maximum .* 0.5 to 32"),
        ("psf-fwhm=wide", "'wide' is no width"),
        ("psf-fwhm=nan", "'nan' is no width"),
        ("psf-fwhm=inf", "'inf' is no width"),
        ("psf-fwhm=", "no values; such as psf-fwhm=1,2,3"),
        ("psf-fwhm=,,", "no values"),
        ("psf-fwhm=1:4", "FIRST:LAST:STEP"),
        ("psf-fwhm=1:4:0", "FIRST:LAST:STEP"),
        ("psf-fwhm=4:1:1", "FIRST:LAST:STEP"),
        ("psf-fwhm=1:a:1", "FIRST:LAST:STEP"),
        ("psf-fwhm=1:nan:1", "FIRST:LAST:STEP"),
        ("psf-fwhm=1:2:0.001", "more than 100"),
        ("snr-hsi=500", "'500' is no signal-to-noise ratio .* -60 to 200, or inf for none"),
        ("psf=gausian", "did you mean gaussian"),
        ("psf=hermite", "between the pixels"),
        ("told-response=Q", "there is no camera response 'Q'"),
        ("dead-lines=1.5", "whole number of columns"),
        ("told-phase=0.3", "multiple of 0.5"),
    ],
)
def test_what_is_no_sweep_is_told(text, words):
    base = ProtocolChoice("uestc", psf_fwhm=0.5) if text == "psf=hermite" else BASE
    with pytest.raises(UsageError, match=words) as caught:
        parse_sweep(text, base)
    assert "--sweep" in str(caught.value)


def test_what_the_base_states_is_not_swept():
    with pytest.raises(UsageError, match="--sweep shift and --shift both state it"):
        parse_sweep("shift=0,1", ProtocolChoice(shift=(1, 1)))
    with pytest.raises(UsageError, match="--snr-hsi"):
        parse_sweep("snr=10", ProtocolChoice(snr_hsi=30.0))
