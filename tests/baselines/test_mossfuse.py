from __future__ import annotations

import inspect
import math
import os
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import torch

from hsfusion_baselines.mossfuse import losses
from hsfusion_baselines.mossfuse.authors import read_authors_checkpoint, translate
from hsfusion_baselines.mossfuse.degradation import BlindDegradation, degrade_spatially
from hsfusion_baselines.mossfuse.network import Analysis, MossFuse
from support import parity

# The stored keys in the order of `Analysis`, its features first.
KEYS = (
    "E_MSI_base",
    "E_MSI_detail",
    "E_HSI_base",
    "E_HSI_detail",
    "D_MSI",
    "D_HSI",
    "D_LR",
    "lr_msi_from_hsi",
    "lr_msi_from_msi",
    "srf",
    "psf",
    "HR_HSI",
    "hsi_from_HR",
    "msi_from_HR",
)


def authors_weights(fixture: parity.Fixture) -> parity.State:
    """Return the filled state with its counters, which no fixture fills."""
    counters = {name: torch.tensor(0) for name, _ in fixture.entry["manifest"] if name.endswith("_tracked")}
    return fixture.weights() | counters


def observed(network: MossFuse, hr_msi: torch.Tensor, lr_hsi: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return every tensor that the fixtures store, by their keys."""
    inner = {
        "E_MSI_level1": network.msi_encoder.blocks,
        "HR_fuse1": network.fusion_decoder.spatial,
        "HR_fuse2": network.fusion_decoder.spectral,
    }
    seen = {}
    for key, module in inner.items():
        module.register_forward_hook(lambda _, __, out, key=key: seen.update({key: out}))
    with torch.no_grad():
        analysis = network.analyse(hr_msi, lr_hsi)
    return seen | dict(zip(KEYS, (*analysis.features, *analysis[1:]), strict=True))


def assert_parity(fixture: parity.Fixture, network: MossFuse) -> None:
    ours = observed(network.eval(), *fixture.inputs().values())
    ours["HR_HSI_centre"] = ours["HR_HSI"][:, :, 40:88, 40:88]
    # The checkpoint's fixture lists its inputs among the outputs.
    keys = [key for key in fixture.entry["outputs"] if not key.startswith("in_")]
    assert {*KEYS, "E_MSI_level1", "HR_fuse1", "HR_fuse2"} <= set(keys)
    excess = {key: fixture.error(key, ours[key]) / fixture.tolerance(key) for key in keys}
    assert max(excess.values()) <= 1, excess


@pytest.fixture
def released() -> Path:
    """The checkpoint that the authors released."""
    folder = os.environ.get(parity.GOLDENS)
    if not folder:
        pytest.skip(f"{parity.GOLDENS} names no folder with the released checkpoint")
    return Path(folder) / "checkpoints" / "MossFuse_CAVE_32_model.pth"


def small(seed: int = 0, **options: float) -> MossFuse:
    """Return a narrow network with random weights everywhere, its layer scales and norms included."""
    torch.manual_seed(seed)
    network = MossFuse(**{"bands": 5, "msi_bands": 2, "scale": 4, "width": 16, "heads": 4} | options)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    torch.nn.init.uniform_(network.degradation.response, 0.1, 1)
    return network.double()


def pair(
    network: MossFuse, height: int = 4, width: int = 6, bands: int = 5, msi_bands: int = 2, batch: int = 2
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a random HR-MSI and LR-HSI in double precision."""
    generator = torch.Generator().manual_seed(1)
    shapes = (
        (batch, msi_bands, network.scale * height, network.scale * width),
        (batch, bands, height, width),
    )
    hr_msi, lr_hsi = (torch.rand(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    return hr_msi, lr_hsi


# The published network


@pytest.mark.parametrize(("blocks", "published"), [(1, 585_485), (3, 900_653)])
def test_parameter_count_is_the_published_one(blocks: int, published: int) -> None:
    assert sum(parameter.numel() for parameter in MossFuse(blocks=blocks).parameters()) == published


@pytest.mark.parametrize(("name", "scale"), [("mossfuse_x4", 4), ("mossfuse_x8", 8)])
def test_all_outputs_equal_the_authors(name: str, scale: int) -> None:
    fixture = parity.load(name)
    network = MossFuse(scale=scale)
    network.load_state_dict(translate(authors_weights(fixture), network))
    assert_parity(fixture, network)


def test_the_released_checkpoint_gives_the_authors_result(released: Path) -> None:
    network = MossFuse(scale=32)
    network.load_state_dict(read_authors_checkpoint(released, network))
    assert_parity(parity.load("mossfuse_cave_x32"), network)


def test_training_equals_the_authors() -> None:
    """Losses and gradients of the authors' code (float64, commit 878207ca) in training mode.

    The weights and inputs are those of the fixture; the batch is the pair and its mirror image. The authors'
    network ran with its two backward passes and its switched ``requires_grad``; only its float32 casts of the
    PSF were lifted.
    """
    fixture = parity.load("mossfuse_x4")
    network = MossFuse(scale=4)
    network.load_state_dict(translate(authors_weights(fixture), network))
    network.train()
    images = [torch.cat((image, image.flip(-1))) for image in fixture.inputs().values()]
    terms = losses.loss_terms(network, *images)
    torch.stack(list(terms.values())).sum().backward()
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(
        {
            "decoupling": 0.18172546711977539,
            "spatial": 1.008235323516857,
            "spectral": 0.612266277031532,
            "degradation": 0.07976054209422827,
        },
        rel=2e-6,
    )
    norms = {
        name: math.hypot(*(p.grad.norm().item() for p in part.parameters() if p.grad is not None))
        for name, part in network.named_children()
    }
    assert norms == pytest.approx(
        {
            "msi_encoder": 11.22557737834137,
            "hsi_encoder": 6.454531682123676,
            "msi_decoder": 0.0,
            "hsi_decoder": 0.0,
            "lr_msi_decoder": 0.0,
            "fusion_decoder": 11.416337341753989,
            "degradation": 0.038704885259081195,
        },
        rel=1e-5,
    )


# Sizes


@pytest.mark.parametrize(
    ("scale", "phase", "size"),
    [(8, 3, (2, 3)), (8, 4, (3, 2)), (4, 1.5, (2, 3)), (5, None, (3, 2)), (2, 0, (4, 3))],
)
def test_any_bands_scale_phase_and_size(scale: int, phase: float | None, size: tuple[int, int]) -> None:
    network = MossFuse(102, 4, scale, phase, width=16, heads=4).double().eval()
    hr_msi, lr_hsi = pair(network, *size, bands=102, msi_bands=4, batch=1)
    with torch.no_grad():
        analysis = network.analyse(hr_msi, lr_hsi)
    assert analysis.fused.shape == (1, 102, scale * size[0], scale * size[1])
    assert analysis.hr_msi_from_fused.shape == hr_msi.shape
    missing = 1 if phase == scale / 2 else 0
    assert analysis.lr_hsi_from_fused.shape == (1, 102, size[0] - missing, size[1] - missing)
    assert analysis.lr_msi_from_msi.shape == (1, 4, size[0] - missing, size[1] - missing)
    assert analysis.lr_msi_from_hsi.shape == (1, 4, *size)


def test_forward_needs_encoders_and_fusion_decoder_only() -> None:
    network = small().eval()
    images = pair(network)
    with torch.no_grad():
        fused = network.analyse(*images).fused
        for part in ("msi_decoder", "hsi_decoder", "lr_msi_decoder", "degradation"):
            delattr(network, part)
        torch.testing.assert_close(network(*images), fused, rtol=0, atol=0)


def test_sizes_that_disagree_are_refused() -> None:
    network = small()
    hr_msi, lr_hsi = pair(network)
    with pytest.raises(ValueError, match=r"at scale 4 .*\(4, 6\).*\(16, 24\), not \(15, 24\)"):
        network(hr_msi[:, :, 1:], lr_hsi)


def test_a_patch_without_a_whole_window_is_refused() -> None:
    network = small(phase=2)
    with pytest.raises(ValueError, match="4x24 pixels holds no whole window of the 5x5 PSF"):
        losses.loss_terms(network, *pair(network, height=1))


@pytest.mark.parametrize("phase", [-1, 4, 1.25])
def test_impossible_phases_are_refused(phase: float) -> None:
    with pytest.raises(ValueError, match="phase"):
        BlindDegradation(31, 3, 4, phase)


# The blind cameras

ROOT = torch.tensor([[0.9, 7.0], [-0.35, 0.6]])


def camera(scale: int, phase: float) -> BlindDegradation:
    """Return a camera with an elongated, tilted PSF."""
    model = BlindDegradation(5, 2, scale, phase)
    torch.nn.init.uniform_(model.response, 0.1, 1)
    with torch.no_grad():
        model.root.copy_(ROOT)
    return model.double()


def test_psf_is_the_gaussian_of_its_covariance() -> None:
    lower = np.tril(ROOT.double().numpy())
    density = scipy.stats.multivariate_normal([3, 3], np.linalg.inv(lower.T @ lower))
    expected = density.pdf(np.stack(np.mgrid[:7, :7], axis=-1))
    psf = camera(8, 3).psf().detach().numpy()
    np.testing.assert_allclose(psf, expected / expected.sum(), rtol=1e-12)
    assert not np.allclose(psf, psf.T)


@pytest.mark.parametrize(("scale", "phase"), [(4, 1), (4, 2), (8, 3), (8, 4), (3, 1), (2, 0), (3, 2)])
def test_sample_k_is_the_window_centred_on_its_phase(scale: int, phase: int) -> None:
    model = camera(scale, phase)
    image = np.random.default_rng(0).random((2, 3, 4 * scale, 3 * scale))
    psf = model.psf().detach()
    ours = degrade_spatially(torch.from_numpy(image), psf, scale).numpy()
    centred = scipy.ndimage.correlate(image, psf.numpy()[None, None], mode="constant")
    expected = centred[..., phase::scale, phase::scale]
    whole = [side - (2 * phase + 1) for side in image.shape[2:]]
    assert ours.shape[2:] == tuple(room // scale + 1 for room in whole)
    np.testing.assert_allclose(ours, expected[..., : ours.shape[2], : ours.shape[3]], rtol=1e-12)


@pytest.mark.parametrize(("scale", "phase"), [(4, 1), (4, 1.5), (4, 2), (8, 3.5), (5, 2), (2, 0)])
def test_a_ramp_is_sampled_at_scale_k_plus_phase(scale: int, phase: float) -> None:
    side = 4 * scale
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    ramp = (100 * rows + columns).double()[None, None]
    samples = degrade_spatially(ramp, camera(scale, phase).psf().detach(), scale)[0, 0].numpy()
    at = scale * np.arange(len(samples)) + phase
    np.testing.assert_allclose(samples, 100 * at[:, None] + at, rtol=1e-12)


def test_lr_msis_are_clamped() -> None:
    model = camera(4, 1)
    hr_msi, lr_hsi = torch.full((1, 2, 8, 8), 1.5).double(), torch.full((1, 5, 2, 2), -0.5).double()
    from_hsi, from_msi = model(hr_msi, lr_hsi)
    assert from_hsi.unique().tolist() == [0.0]
    assert from_msi.unique().tolist() == [1.0]


# The losses


def windows(image: np.ndarray, size: int, scale: int) -> np.ndarray:
    """Return the windows [..., h', w', size, size] of all LR samples."""
    view = np.lib.stride_tricks.sliding_window_view(image, (size, size), axis=(2, 3))
    return view[:, :, ::scale, ::scale]


@pytest.mark.parametrize("phase", [1, 2])
def test_loss_values_against_numpy(phase: int) -> None:
    network = small(phase=phase).eval()
    with torch.no_grad():
        network.degradation.root.copy_(ROOT)
    hr_msi, lr_hsi = pair(network)
    with torch.no_grad():
        analysis = network.analyse(hr_msi, lr_hsi)
        terms = {name: term.item() for name, term in losses.loss_terms(network, hr_msi, lr_hsi).items()}

    fused, features = analysis.fused.numpy(), [feature.numpy().ravel() for feature in analysis.features]
    response = network.degradation.response.detach().numpy()
    srf, psf, size = response / response.sum(1)[:, None], analysis.psf.numpy(), 2 * phase + 1
    msi, hsi = hr_msi.numpy(), lr_hsi.numpy()

    def cosine(a: int, b: int) -> float:
        return features[a] @ features[b] / np.linalg.norm(features[a]) / np.linalg.norm(features[b])

    positive = np.exp(cosine(0, 2))
    negative = np.exp(cosine(0, 1)) + np.exp(cosine(2, 3)) + np.exp(cosine(1, 3))
    blurred = np.einsum("nchwij,ij->nchw", windows(fused, size, 4), psf)
    from_msi = np.einsum("nchwij,ij->nchw", windows(msi, size, 4), psf).clip(0, 1)
    from_hsi = np.einsum("mb,nbhw->nmhw", srf, hsi).clip(0, 1)
    h, w = blurred.shape[2:]
    assert (h, w) == ((4, 6) if phase == 1 else (3, 5))
    expected = {
        "decoupling": -0.1 * np.log(positive / (positive + negative)),
        "spatial": np.abs(blurred - hsi[..., :h, :w]).mean(),
        "spectral": np.abs(np.einsum("mb,nbhw->nmhw", srf, fused) - msi).mean(),
        "degradation": np.abs(from_hsi[..., :h, :w] - from_msi).mean(),
    }
    assert terms == pytest.approx(expected, rel=1e-9)


def two_passes(network: MossFuse, hr_msi: torch.Tensor, lr_hsi: torch.Tensor) -> None:
    """Accumulate gradients as published: one graph, two backward passes, switched ``requires_grad``."""
    analysis: Analysis = network.analyse(hr_msi, lr_hsi)
    shared_msi, complement_msi, shared_hsi, complement_hsi = (f.reshape(1, -1) for f in analysis.features)
    similarity = torch.nn.CosineSimilarity()
    positive = similarity(shared_msi, shared_hsi).exp()
    negative = similarity(shared_msi, complement_msi).exp() + similarity(shared_hsi, complement_hsi).exp()
    negative = negative + similarity(complement_msi, complement_hsi).exp()
    h, w = analysis.lr_hsi_from_fused.shape[2:]
    first = -0.1 * torch.log(positive / (positive + negative)).sum()
    first = first + (analysis.lr_hsi_from_fused - lr_hsi[..., :h, :w]).abs().mean()
    first = first + (analysis.hr_msi_from_fused - hr_msi).abs().mean()
    second = (analysis.lr_msi_from_hsi[..., :h, :w] - analysis.lr_msi_from_msi).abs().mean()
    for objective, blind in ((first, False), (second, True)):
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.startswith("degradation.") == blind)
        objective.backward(retain_graph=True)
    network.requires_grad_()


@pytest.mark.parametrize("phase", [1, 2])
def test_gradient_of_the_sum_is_that_of_the_two_published_passes(phase: int) -> None:
    summed, published = small(phase=phase), small(phase=phase)
    for network in (summed, published):
        with torch.no_grad():
            network.degradation.root.copy_(ROOT)
    images = pair(summed)
    torch.stack(list(losses.loss_terms(summed, *images).values())).sum().backward()
    two_passes(published, *images)
    theirs = dict(published.named_parameters())
    moved = 0
    for name, parameter in summed.named_parameters():
        assert (parameter.grad is None) == (theirs[name].grad is None), name
        if parameter.grad is not None:
            torch.testing.assert_close(parameter.grad, theirs[name].grad, rtol=1e-9, atol=1e-12, msg=name)
            moved += bool(parameter.grad.abs().max() > 1e-9)
    assert summed.degradation.root.grad is not None
    assert summed.degradation.response.grad is not None
    assert moved > 200


def test_no_loss_takes_a_reference() -> None:
    for loss in (losses.network_loss_terms, losses.degradation_loss, losses.loss_terms):
        assert list(inspect.signature(loss).parameters) == ["network", "hr_msi", "lr_hsi"]


# Checkpoints that do not fit


def test_a_missing_foreign_or_misshapen_tensor_is_named() -> None:
    fixture = parity.load("mossfuse_x4")
    network = MossFuse(scale=4)
    state = authors_weights(fixture)
    with pytest.raises(ValueError, match=r"lacks degradation\.response\. "):
        translate({name: tensor for name, tensor in state.items() if name != "blind.srf"}, network)
    with pytest.raises(ValueError, match=r"has stranger\.weight, which"):
        translate(state | {"stranger.weight": torch.zeros(1)}, network)
    with pytest.raises(
        ValueError, match=r"its modelE_MSI\.patch\S+ has .*\(48, 3, 3, 3\), .* \(48, 4, 3, 3\).* 6 more"
    ):
        translate(state, MossFuse(102, 4, 4))


def test_a_checkpoint_of_another_depth_is_refused(released: Path) -> None:
    with pytest.raises(ValueError, match=r"CAVE_32_model\.pth: .* lacks .*blocks.*3 in the training script"):
        read_authors_checkpoint(released, MossFuse(blocks=3))


@pytest.mark.parametrize("content", [{"state": {}}, [1, 2], {"Model_stage1": {"epoch": 3}}])
def test_a_foreign_checkpoint_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "foreign.pth"
    torch.save(content, path)
    with pytest.raises(ValueError, match=r"foreign\.pth is not a MossFuse checkpoint.*'Model_stage1'"):
        read_authors_checkpoint(path, MossFuse())


@pytest.mark.parametrize("content", [b"", b"hello world", b"PK\x03\x04 cut short"])
def test_a_corrupt_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "corrupt.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"corrupt\.pth is not a readable torch checkpoint"):
        read_authors_checkpoint(path, MossFuse())
