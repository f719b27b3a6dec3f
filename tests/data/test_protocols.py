"""Protocols: what they observe, what they refuse, and digests that tell them apart."""

import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from hsfusion_bench.data.observing.named_responses import load_response
from hsfusion_bench.data.observing.noise import Noise
from hsfusion_bench.data.observing.protocols import ProtocolChoice, Split, load_protocol, protocol_names
from hsfusion_bench.data.observing.responses import WAVELENGTHS
from hsfusion_bench.data.scenes import SceneSource
from hsfusion_bench.data.sources import cave
from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.runs.records import read_record, slug

# What the authors' code does, in numbers of its own: for scale r the kernel's side and sigma, the HR index where the
# window of LR pixel 0 begins, how the image continues (None: no window leaves it), and where the LR pixel lies.
RULES = {
    "uestc": lambda r: (3, 0.5, r // 2 - 1, "reflect", r / 2),
    "mossfuse": lambda r: (r - 1, 2.0, 0, None, r / 2 - 1),
    "xidian": lambda r: (r, 2.0, 0, None, (r - 1) / 2),
    "wald": lambda r: (8, 2.0, r // 2 - 3, "zero", (r + 1) / 2),
    "yokoya": lambda r: (r, r / 2.35482, 0, None, (r - 1) / 2),
    "yokoya-toolbox": lambda r: (2 * r, r / 2.35482, -r // 2, "block", (r - 1) / 2),
}
SCALES = (2, 4, 8, 16, 32)
EVERY = list(itertools.product(RULES, SCALES))


NM = (450, 550, 650)  # few bands, so that the tests are quick


def visible(name):
    """Return a protocol with a response that bands between 400 and 700 nm can have."""
    return load_protocol(ProtocolChoice(name, response="A", off_table="interpolate"))


def observe(name, cube, scale):
    return visible(name).observe(cube, scale, NM)


def gaussian(side, sigma):
    weights = [[0.0] * side for _ in range(side)]
    for m in range(side):
        for n in range(side):
            squared = (m - (side - 1) / 2) ** 2 + (n - (side - 1) / 2) ** 2
            weights[m][n] = math.exp(-squared / (2 * sigma**2))
    total = sum(map(sum, weights))
    return [[weight / total for weight in row] for row in weights]


def downsampling_matrix(name, r, height, width):
    """Dense [LR pixels, HR pixels], by loops."""
    side, sigma, begin, border, _ = RULES[name](r)
    matrix = np.zeros((height // r * (width // r), height * width))
    psf, block = gaussian(side, sigma), gaussian(r, sigma)
    for number, (k, m) in enumerate(itertools.product(range(height // r), range(width // r))):
        weights, start = psf, begin
        if border == "block" and (k in (0, height // r - 1) or m in (0, width // r - 1)):
            weights, start = block, 0
        for i, line in enumerate(weights):
            for j, weight in enumerate(line):
                row, column = k * r + start + i, m * r + start + j
                if border == "reflect":
                    row, column = (2 * (n - 1) - p if p >= n else abs(p) for p, n in ((row, height), (column, width)))
                if 0 <= row < height and 0 <= column < width:
                    matrix[number, row * width + column] += weight
                else:
                    assert border == "zero"
    return matrix


def scene(height, width, bands=3):
    return np.random.default_rng(6).random((bands, height, width)).astype(np.float32)


@pytest.fixture
def uestc():
    return load_protocol("uestc")


@pytest.fixture
def cube():
    return scene(16, 24, bands=31)


def test_the_protocols_are_those_tested_here():
    assert set(protocol_names()) == set(RULES)
    for name in RULES:
        assert load_protocol(name).scales == SCALES


@pytest.mark.parametrize(("name", "scale"), EVERY)
def test_lr_hsi_is_the_downsampling_matrix_times_the_scene(name, scale):
    height, width = 3 * scale, 4 * scale
    cube = scene(height, width)
    expected = downsampling_matrix(name, scale, height, width) @ cube.reshape(3, -1).T.astype(float)
    observed = observe(name, cube, scale)
    np.testing.assert_allclose(observed.lr_hsi, expected.T.reshape(3, 3, 4), rtol=3e-7)
    assert observed.lr_hsi.dtype == np.float32


@pytest.mark.parametrize(("name", "scale"), EVERY)
def test_lr_pixels_lie_at_the_stated_phase(name, scale):
    # On a ramp the mean of a window is the value at its centre: LR pixel k shows the ramp at scale*k + phase.
    side = max(4 * scale, 24)
    ramp = np.add.outer(2 * np.arange(side), np.arange(side)) / (3 * side)
    observed = observe(name, np.broadcast_to(ramp, (3, side, side)).astype(np.float32), scale)
    expected = RULES[name](scale)[-1]
    assert observed.phase == visible(name).phase(scale) == expected
    at = scale * np.arange(side // scale) + expected
    near = -(-4 // scale)  # LR pixels whose 8 x 8 window may leave the image
    inside = slice(near, side // scale - near)
    due = np.add.outer(2 * at, at) / (3 * side)
    np.testing.assert_allclose(observed.lr_hsi[2][inside, inside], due[inside, inside], atol=2e-7)


@pytest.mark.parametrize(("name", "scale"), EVERY)
def test_a_constant_scene_stays_constant(name, scale):
    side = max(2 * scale, 12)
    side += -side % scale
    observed = observe(name, np.full((3, side, side), 0.5, np.float32), scale)
    np.testing.assert_allclose(observed.hr_msi, 0.5, rtol=1e-6)
    assert observed.psf.sum() == pytest.approx(1, rel=1e-6)
    kept = np.ones(side // scale)
    if name == "wald":  # beyond its border there is no light: what is left of a row of eight weights, one way
        weights = np.exp(-((np.arange(8) - 3.5) ** 2) / 8)
        begin = scale * np.arange(side // scale) + scale // 2 - 3
        kept = np.array([weights[max(0, -b) : max(0, side - b)].sum() for b in begin]) / weights.sum()
        assert (kept.min() < 1) == (scale <= 8)
    np.testing.assert_allclose(observed.lr_hsi[0], 0.5 * np.outer(kept, kept), rtol=1e-6)


@pytest.mark.parametrize(("name", "scale"), EVERY)
def test_psf_and_phase_say_which_pixels_are_weighed(name, scale):
    # The formula of `Observation`: for a method that uses the PSF, and knows nothing of protocols.
    side = 8 * max(scale, 4)
    cube = scene(side, side)
    observed = observe(name, cube, scale)
    size, k = len(observed.psf), side // scale // 2
    start = scale * k + observed.phase - (size - 1) / 2
    assert start.is_integer()
    window = cube[2, int(start) : int(start) + size, int(start) : int(start) + size].astype(float)
    assert observed.lr_hsi[2, k, k] == pytest.approx((observed.psf * window).sum(), rel=1e-6)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", ["uestc", "mossfuse"])
def test_odd_kernels_are_scipys_gaussian_filter(name, scale):
    side, sigma, _, _, phase = RULES[name](scale)
    cube = scene(64, 96)
    radius = (side - 1) // 2
    blurred = gaussian_filter(cube.astype(float), sigma, mode="mirror", radius=(0, radius, radius), axes=(0, 1, 2))
    first = int(phase)
    expected = blurred[:, first::scale, first::scale]
    np.testing.assert_allclose(observe(name, cube, scale).lr_hsi, expected, rtol=3e-7)


@pytest.mark.parametrize("scale", SCALES)
def test_xidian_is_a_product_of_fourier_transforms(scale):
    # As its authors compute it: psf2otf (kernel in the corner, moved by half its side), a product, samples.
    cube = scene(64, 96)
    profile = np.exp(-((np.arange(scale) - (scale - 1) / 2) ** 2) / (2 * 2.0**2))
    corner = np.zeros((64, 96))
    corner[:scale, :scale] = np.outer(profile, profile) / profile.sum() ** 2
    otf = np.fft.fft2(np.roll(corner, (-(scale // 2), -(scale // 2)), (0, 1)))
    expected = np.fft.ifft2(np.fft.fft2(cube) * otf).real[:, scale // 2 - 1 :: scale, scale // 2 - 1 :: scale]
    np.testing.assert_allclose(observe("xidian", cube, scale).lr_hsi, expected, rtol=1e-6)


@pytest.mark.parametrize("boundary", ["reflect-101", "symmetric", "circular", "zero"])
@pytest.mark.parametrize(("name", "scale"), [("uestc", 4), ("uestc", 8), ("mossfuse", 8), ("xidian", 4), ("yokoya", 8)])
def test_no_window_leaves_the_image(name, scale, boundary):
    # The protocols' notes claim that their boundary rules have no effect.
    protocol, cube = visible(name), scene(3 * scale, 4 * scale)
    other = replace(protocol, blur=replace(protocol.blur, boundary=boundary))
    np.testing.assert_array_equal(other.observe(cube, scale, NM).lr_hsi, protocol.observe(cube, scale, NM).lr_hsi)


def test_hr_msi_is_the_response_times_the_scene(uestc, cube):
    observation = uestc.observe(cube, 4)
    srf = load_response("A").at(WAVELENGTHS)
    expected = np.einsum("cb,bij->cij", srf, cube.astype(float))
    np.testing.assert_allclose(observation.hr_msi, expected, rtol=1e-6)
    np.testing.assert_allclose(observation.srf, srf, rtol=1e-7)
    arrays = (observation.lr_hsi, observation.hr_msi, observation.psf, observation.srf)
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", [name for name in RULES if name.startswith("yokoya")])
def test_remote_sensing_cubes_get_four_bands_by_their_wavelengths(name):
    nm = np.linspace(380, 2500, 198)
    cube = np.random.default_rng(1).random((198, 8, 8)).astype(np.float32)
    observation = load_protocol(name).observe(cube, 4, nm)
    assert observation.hr_msi.shape == (4, 8, 8)
    blue = np.exp(-4 * np.log(2) * ((nm - 480.5) / 71) ** 2)
    np.testing.assert_allclose(observation.hr_msi[0], np.tensordot(blue / blue.sum(), cube, 1), rtol=1e-5)


# Splits


def test_uestc_splits_the_cave_scenes(uestc):
    split = uestc.splits["cave"]
    assert (len(split.train), len(split.test), list(split.excluded)) == (20, 11, ["watercolors"])
    assert sorted([*split.train, *split.test, *split.excluded]) == list(cave.SCENES)


def test_xidian_splits_the_cave_scenes_alphabetically():
    split = load_protocol("xidian").splits["cave"]
    names = sorted(cave.SCENES)
    assert (split.train, split.test) == (tuple(names[:20]), tuple(names[20:]))
    # Data/Test/Test.txt of DHIF-Net and DSPNet
    published = """superballs thread_spools oil_painting paints photo_and_face pompoms real_and_fake_apples
        real_and_fake_peppers sponges stuffed_toys jelly_beans watercolors"""
    assert set(split.test) == set(published.split())


def test_mossfuse_splits_the_cave_scenes():
    split = load_protocol("mossfuse").splits["cave"]
    # valid_name_list of its authors' dataset.py
    published = """hairs balloons real_and_fake_peppers stuffed_toys thread_spools fake_and_real_tomatoes
        fake_and_real_lemons egyptian_statue clay real_and_fake_apples fake_and_real_beers fake_and_real_peppers"""
    assert set(split.test) == set(published.split())
    assert sorted([*split.train, *split.test]) == list(cave.SCENES)


def test_wald_and_yokoya_bring_no_split():
    assert not any(load_protocol(name).splits for name in ("wald", "yokoya", "yokoya-toolbox"))


def test_split_digest_ignores_order_and_names_of_the_split(uestc):
    assert uestc.splits["cave"].digest == "3772a8609f52d717dee495965ad28d738ae9eda5f3d91edfe29ea25f11e816ef"
    assert Split("x", ("a", "b"), ("c",)).digest == Split("y", ("b", "a"), ("c",), {"d": "dull"}).digest
    assert Split("x", ("a", "b"), ("c",)).digest != Split("x", ("a",), ("b", "c")).digest


def test_split_refuses_a_scene_in_both_parts():
    with pytest.raises(HsbenchError, match="'x' names b more than once"):
        Split("x", ("a", "b"), ("b",))


def test_split_has_two_parts(uestc):
    with pytest.raises(UsageError, match="not 'validation'"):
        uestc.splits["cave"].scenes("validation")


# What is refused


def test_observe_refuses_another_scale(uestc, cube):
    with pytest.raises(UsageError, match="uestc is defined at scale 2, 4, 8, 16 and 32, not at 3"):
        uestc.observe(cube, 3)


def test_observe_refuses_a_scale_that_does_not_divide(uestc, cube):
    with pytest.raises(UsageError, match=r"16 x 20 pixels cannot be reduced by 8; .*uestc, 2 and 4 would do"):
        uestc.observe(cube[:, :, :20], 8)
    with pytest.raises(UsageError, match=r"15 x 24 pixels cannot be reduced by 4; .*none would do"):
        uestc.observe(cube[:, :15], 4)


def test_observe_refuses_another_number_of_bands(uestc, cube):
    with pytest.raises(UsageError, match=r"sees 31 bands .* but the image has 30"):
        uestc.observe(cube[:30], 4)


def test_observe_refuses_other_wavelengths(cube):
    nm = [nm + 10 for nm in WAVELENGTHS]
    with pytest.raises(UsageError, match="not for 31 bands at 410, 420, "):
        load_protocol(ProtocolChoice("uestc", off_table="refuse")).observe(cube, 4, nm)
    with pytest.raises(UsageError, match=r"band NIR \(757 to 853 nm\)"):
        load_protocol("yokoya").observe(cube, 4)


def test_unknown_protocol_gets_a_suggestion():
    with pytest.raises(UsageError, match="no protocol 'uetsc'; did you mean uestc"):
        load_protocol("uetsc")


# Crops


class Odd(SceneSource):
    """One scene of 19 x 26 pixels."""

    name, title, wavelengths = "odd", "Odd", NM
    split = Split("odd-0-1", (), ("a",))

    def scene_names(self):
        return ("a",)

    def read(self, name):
        return scene(19, 26)


def test_a_scene_is_cropped_only_where_the_protocol_says_so():
    with pytest.raises(UsageError, match="19 x 26 pixels cannot be reduced by 8"):
        Task.over(Odd(), visible("uestc"), 8)["a"]
    cropped = Task.over(Odd(), visible("yokoya"), 8)["a"]
    np.testing.assert_array_equal(cropped.hr_hsi, scene(19, 26)[:, :16, :24])
    assert cropped.cropped_from == (19, 26)
    whole = scene(16, 24)
    assert cropped.observation.lr_hsi.shape == (3, 2, 3)
    np.testing.assert_array_equal(visible("yokoya").cropped(whole, 8), whole)
    with pytest.raises(UsageError, match="19 x 26 pixels cannot be reduced by 32"):
        Task.over(Odd(), visible("yokoya"), 32)["a"]


def test_a_scene_that_fits_is_not_marked():
    class Even(Odd):
        def read(self, name):
            return scene(16, 24)

    assert Task.over(Even(), visible("yokoya"), 8)["a"].cropped_from is None


# Digests and variants

DIGESTS = {  # a record made today must find its protocol again
    ("uestc", 4): "fe8bbca8e1bde8f6ce77ee86b8c5ed7bd2a150aade8de47616176b81688ea860",
    ("uestc", 8): "03dffd32233cf1b40d3de968e21e45643a03e639a9c9bd87682f0a1654b21c2c",
}


def test_digests_of_records_that_exist_stay_what_they_are():
    for (name, scale), digest in DIGESTS.items():
        assert load_protocol(name).digest(scale) == digest


def test_committed_records_find_their_protocol():
    paths = sorted((Path(__file__).parents[2] / "results").glob("*-uestc/*.json"))
    if not paths:
        pytest.skip("no committed results beside the tests")
    for path in paths:
        dataset = read_record(path).dataset
        assert load_protocol(dataset.protocol).digest(dataset.scale) == dataset.protocol_digest


def test_digest_depends_on_what_decides_an_observation_and_on_nothing_else(uestc):
    same = replace(uestc, title="x", source="y", patch=1, version=9, splits={}, off_table="refuse")
    assert same.digest(4) == uestc.digest(4)
    changed = [
        replace(uestc, blur=replace(uestc.blur, sigma=0.6)),
        replace(uestc, blur=replace(uestc.blur, size=5)),
        replace(uestc, blur=replace(uestc.blur, kind="average", sigma=None)),
        replace(uestc, blur=replace(uestc.blur, boundary="circular")),
        replace(uestc, sampling=replace(uestc.sampling, first=1)),
        replace(uestc, response="B"),
        replace(uestc, value_range=(0.0, 2.0)),
        replace(uestc, crop="bottom-right"),
        replace(uestc, noise=Noise(30)),
        replace(uestc, noise=Noise(30, 30)),
        replace(uestc, noise=Noise(30, 30, 1)),
    ]
    digests = {protocol.digest(4) for protocol in (uestc, *changed)}
    digests |= {visible(name).digest(scale) for name, scale in EVERY}
    # uestc x4 is in both
    assert len(digests) == 1 + len(changed) + len(EVERY) - 1
    with pytest.raises(UsageError, match="not at 3"):
        uestc.digest(3)


def test_digest_holds_the_response_to_the_bands():
    protocol, nm = load_protocol("yokoya"), np.linspace(400, 1000, 100)
    assert protocol.digest(4, nm) != protocol.digest(4, nm + 1)


def test_a_variant_is_named_and_kept_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("HSBENCH_CACHE", str(tmp_path))
    (tmp_path / "a.csv").write_text("wavelength,red\n400,1\n700,2\n")
    choices = [
        ProtocolChoice("uestc"),
        ProtocolChoice("uestc", response="B"),
        ProtocolChoice("uestc", response=str(tmp_path / "a.csv")),
        ProtocolChoice("uestc", off_table="interpolate"),
        ProtocolChoice("uestc", response="B", off_table="interpolate"),
        ProtocolChoice("uestc", snr_hsi=35),
        ProtocolChoice("uestc", snr_hsi=35, snr_msi=40),
        ProtocolChoice("uestc", snr_hsi=35, snr_msi=-40),
        ProtocolChoice("uestc", snr_hsi=35, snr_msi=40, noise_seed=2),
        ProtocolChoice("uestc", response="ikonos", snr_msi=40),
        ProtocolChoice("wald", response="B"),
    ]
    protocols = [load_protocol(choice) for choice in choices]
    assert protocols[6].id == "uestc-snr35-40"
    assert protocols[9].id == "uestc-ikonos-snrinf-40"
    assert len({slug(protocol.id) for protocol in protocols}) == len(choices)
    tasks = [Task.over(Odd(), protocol, 4) for protocol in protocols]
    assert len({task.id for task in tasks}) == len(choices)
    assert protocols[1].splits == protocols[0].splits


def test_a_variant_that_changes_nothing_is_the_protocol():
    choice = ProtocolChoice("uestc", response="A", off_table="by-band")
    assert load_protocol(choice) == load_protocol("uestc")
    with pytest.raises(UsageError, match="add --snr-hsi"):
        load_protocol(ProtocolChoice("uestc", noise_seed=3))


def test_noise_lies_on_what_is_observed_without(uestc, cube):
    noisy = replace(uestc, noise=Noise(20, 30)).observe(cube, 4, scene="a")
    clean = uestc.observe(cube, 4)
    for camera, decibels in (("lr_hsi", 20), ("hr_msi", 30)):
        before, after = getattr(clean, camera).astype(float), getattr(noisy, camera).astype(float)
        ratio = 10 * np.log10((before**2).mean() / ((after - before) ** 2).mean())
        assert ratio == pytest.approx(decibels, abs=1)
    np.testing.assert_array_equal(noisy.psf, clean.psf)


# Files of one's own

OWN = """
id = "mine"
version = 1
title = "Mine"
source = "a test"
range_note = "as it is"
value_range = [0.0, 1.0]
response = "A"
patch = 64

[blur]
kind = "average"
size = "scale"
boundary = "symmetric"

[sampling]
scales = [3, 4]
first = "scale/2-1"
"""


@pytest.fixture
def own(tmp_path):
    def write(text, name="mine.toml"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_a_protocol_of_ones_own(own, cube):
    protocol = load_protocol(own(OWN.replace("[3, 4]", "[4]")))
    blocks = cube.astype(float).reshape(31, 4, 4, 6, 4).mean(axis=(2, 4))
    observed = protocol.observe(cube, 4)
    np.testing.assert_allclose(observed.lr_hsi, blocks, rtol=1e-6)
    assert observed.phase == 1.5


def test_its_name_tells_it_from_others(own):
    text = OWN.replace("[3, 4]", "[4]").replace('"mine"', '"uestc"')
    names = [load_protocol(own(text)).id, load_protocol(own(text.replace("symmetric", "circular"))).id]
    assert len({"uestc", *names}) == 3
    # a comment, or another title, makes no other protocol
    assert load_protocol(own("# a comment" + text.replace('"Mine"', '"My own"'))).id == names[0]


def test_its_response_lies_beside_it(own, cube):
    own("wavelength,red,blue\n400,0,1\n700,1,0\n", "cam.csv")
    protocol = load_protocol(own(OWN.replace("[3, 4]", "[4]").replace('"A"', '"cam.csv"')))
    ramp = np.arange(31) / 30
    np.testing.assert_allclose(protocol.srf_at(WAVELENGTHS), [ramp / ramp.sum(), ramp[::-1] / ramp.sum()], rtol=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("patch = 64", "path = 64", r"path: there is no key 'path'; did you mean patch"),
        ("size = ", "sise = ", r"blur\.sise: there is no key 'sise'; did you mean size"),
        ("scales = ", "scale = ", r"sampling\.scale: there is no key 'scale'; did you mean scales"),
        ("[sampling]", "[splits.cave]\nid='x'\ntrain=[]\ntest=[]\nexclude={}\n[sampling]", r"did you mean excluded"),
        ("version = 1\n", "", "the key version is missing"),
        ("first = ", "# first = ", r"the key sampling\.first is missing"),
        ('"average"', '"avarage"', r"blur\.kind: .*'gaussian' or 'average'"),
        ('"symmetric"', '"mirror"', r"blur\.boundary: "),
        ('"scale"', '"__import__(1)"', r"blur\.size: '__import__\(1\)' is neither a number nor a rule"),
        ('"scale"', '"scale/0"', r"blur\.size: 'scale/0' is neither a number"),
        ('"scale"', "true", r"blur\.size: True is neither a number"),
        ('"scale"', "0", r"blur\.size: at scale 3 it would be 0"),
        ('"scale/2-1"', '"scale/2"', r"sampling\.first: at scale 3 it would be 1\.5, which is not a whole number"),
        ('"scale/2-1"', '"scale"', r"sampling\.first: at scale 3 it would be 3, not one of 0 to 2"),
        ("[3, 4]", "[1]", r"sampling\.scales: 1 is not a scale"),
        ("[3, 4]", '["x"]', r"sampling\.scales: .*integer"),
        ('"average"', '"gaussian"', "blur: a blur of the kind 'gaussian' needs a sigma"),
        ("size = ", "sigma = 1\nsize = ", "blur: a blur of the kind 'average' takes no sigma"),
        ('"A"', '"AA"', "no camera response 'AA'"),
        ('id = "mine"', 'id = "my own"', "id: "),
        ("[blur]", "[blur", "is not a TOML file"),
    ],
)
def test_a_mistake_in_it_is_named_with_file_and_key(own, old, new, words):
    assert old in OWN
    with pytest.raises(HsbenchError, match=words) as raised:
        load_protocol(own(OWN.replace(old, new)))
    assert "mine.toml" in str(raised.value)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(HsbenchError, match=r"nowhere\.toml cannot be read: No such file"):
        load_protocol("nowhere.toml")
