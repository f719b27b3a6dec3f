"""FeINFN against the authors' network, and its options, gradients and checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from hsfusion_baselines.blocks import sampling
from hsfusion_baselines.blocks.sampling import CORNERS, Neighbourhood
from hsfusion_baselines.feinfn.authors import authors_state_to_ours, read_authors_checkpoint
from hsfusion_baselines.feinfn.frequency import polar_spectrum
from hsfusion_baselines.feinfn.method import FeINFNMethod
from hsfusion_baselines.feinfn.network import FeINFN
from hsfusion_bench.methods import Problem
from support import parity

TINY = {"features": 4, "hidden": (6, 5), "implicit": 3, "blocks": 1, "decoder_width": 4, "decoder_layers": 2}

OPTIONS = [
    {"branches": "spatial"},
    {"branches": "frequency"},
    {"upsampling": "bilinear"},
    {"upsampling": "bicubic"},
    {"activation": "relu"},
    {"activation": "gelu"},
    {"activation": "leaky_relu"},
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    # On a busy machine, the threads of small operations wait for each other far longer than they work.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def published(fixture: parity.Fixture, device: str = "cpu", dtype: torch.dtype = torch.float32) -> FeINFN:
    network = FeINFN()
    network.load_state_dict(authors_state_to_ours(fixture.weights()))
    return network.eval().to(device, dtype)


def inputs(fixture: parity.Fixture) -> list[Tensor]:
    return [fixture.inputs()[name] for name in ("HR_MSI", "LMS", "LR_HSI")]


def channels_first(output: Tensor) -> Tensor:
    return output.permute(0, 3, 1, 2)


def random_inputs(bands: int, msi_bands: int, lr_size: tuple[int, int], scale: int, n: int = 1) -> list[Tensor]:
    generator = torch.Generator().manual_seed(20)
    h, w = lr_size
    return [
        torch.rand(n, msi_bands, scale * h, scale * w, generator=generator),
        torch.rand(n, bands, scale * h, scale * w, generator=generator),
        torch.rand(n, bands, h, w, generator=generator),
    ]


def tiny(**options: object) -> FeINFN:
    torch.manual_seed(3)
    return FeINFN(3, 2, **TINY, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["feinfn", "feinfn_24x40"])
def test_output_equals_the_authors_in_float32(name: str) -> None:
    fixture = parity.load(name)
    with torch.inference_mode():
        out = published(fixture)(*inputs(fixture))
    assert fixture.error("out_phase_fixed", out) <= fixture.tolerance("out_phase_fixed")


@pytest.mark.parametrize("name", ["feinfn", "feinfn_24x40"])
def test_every_stage_equals_the_authors_in_float64(name: str) -> None:
    # In float64 the difference is what storing the fixture as float32 costs.
    fixture = parity.load(name)
    network = published(fixture, dtype=torch.float64)
    stages: dict[str, Tensor] = {}

    def keep(module: nn.Module, key: str, shape: Callable[[Tensor], Tensor] = lambda output: output) -> None:
        # Of a module that runs several times, the first call counts.
        def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            stages.setdefault(key, shape(output))

        module.register_forward_hook(hook)

    assert network.spatial_fusion is not None
    assert network.frequency_fusion is not None
    keep(network.spatial_encoder, "spatial_encoder")
    keep(network.spectral_encoder, "spectral_encoder")
    keep(network.spatial_fusion, "spatial_feature", channels_first)
    keep(network.frequency_fusion, "frequency_feature_phase_fixed", channels_first)
    keep(network.frequency_fusion.amplitude.rest[-1], "amplitude_mlp_call0", lambda output: output.flatten(0, -2))
    keep(network.frequency_fusion.phase.layers[-1], "phase_mlp_call0_phase_fixed", channels_first)
    with torch.inference_mode():
        stages["out_phase_fixed"] = network(*(image.double() for image in inputs(fixture)))
    assert len(stages) == 7
    errors = {key: fixture.error(key, stage) for key, stage in stages.items()}
    assert max(errors.values()) <= 1e-7, errors


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", ["feinfn", "feinfn_24x40"])
def test_output_equals_the_authors_on_cuda(name: str) -> None:
    # In float64, where neither TF32 nor another FFT can move a phase across the cut.
    fixture = parity.load(name)
    network = published(fixture, "cuda", torch.float64)
    with torch.inference_mode():
        out = network(*(image.to("cuda", torch.float64) for image in inputs(fixture)))
    assert fixture.error("out_phase_fixed", out) <= fixture.tolerance("out_phase_fixed")


def test_published_size() -> None:
    assert sum(p.numel() for p in FeINFN().parameters() if p.requires_grad) == 3_164_816


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options.values())))
def test_every_option_runs_and_learns(options: dict[str, str]) -> None:
    network = tiny(**options)
    hr_msi, hsi_up, lr_hsi = random_inputs(3, 2, (4, 6), 4, n=2)
    out = network(hr_msi, hsi_up, lr_hsi)
    assert out.shape == hsi_up.shape
    assert not torch.equal(out, tiny()(hr_msi, hsi_up, lr_hsi))
    (out - hsi_up).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("option", ["branches", "upsampling", "activation"])
def test_unknown_option_is_named(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} is 'nonesuch'"):
        FeINFN(**{option: "nonesuch"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bands", "msi_bands", "lr_size", "scale"),
    [(31, 3, (8, 8), 8), (102, 4, (3, 5), 4), (2, 1, (5, 3), 3), (1, 1, (1, 1), 2)],
)
def test_any_bands_and_sizes(bands: int, msi_bands: int, lr_size: tuple[int, int], scale: int) -> None:
    hr_msi, hsi_up, lr_hsi = random_inputs(bands, msi_bands, lr_size, scale)
    with torch.inference_mode():
        out = FeINFN(bands, msi_bands, **TINY)(hr_msi, hsi_up, lr_hsi)  # type: ignore[arg-type]
    assert out.shape == hsi_up.shape
    assert out.isfinite().all()


@pytest.mark.parametrize("n", [1, 2])
def test_bands_of_rows_do_not_show(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network, images = tiny().double(), [image.double() for image in random_inputs(3, 2, (4, 6), 4, n=n)]
    whole = network(*images)
    monkeypatch.setattr(sampling, "_PIXELS", {"cpu": 5 * 24 * n})  # 16 rows in bands of 5, the last of 1
    torch.testing.assert_close(network(*images), whole, rtol=1e-12, atol=1e-12)


def test_images_of_a_batch_are_independent() -> None:
    network, images = tiny().double(), [image.double() for image in random_inputs(3, 2, (4, 6), 4, n=3)]
    alone = torch.cat([network(*(image[i : i + 1] for image in images)) for i in range(3)])
    torch.testing.assert_close(network(*images), alone, rtol=1e-12, atol=1e-12)


def test_same_input_gives_the_same_bits() -> None:
    network, images = tiny(), random_inputs(3, 2, (8, 8), 4)
    assert torch.equal(network(*images), network(*images))


@pytest.mark.parametrize("upsampling", ["implicit", "bilinear"])
def test_gradient_equals_finite_differences(upsampling: str) -> None:
    torch.manual_seed(5)
    network = FeINFN(
        2, 1, features=2, hidden=(3, 2), implicit=2, blocks=1, decoder_width=2, decoder_layers=2,
        upsampling=upsampling,  # type: ignore[arg-type]
    ).double()  # fmt: skip
    names = [name for name, _ in network.named_parameters()]
    parameters = [parameter.detach().requires_grad_() for parameter in network.parameters()]
    images = [image.double().requires_grad_() for image in random_inputs(2, 1, (2, 3), 2)]

    def run(*tensors: Tensor) -> Tensor:
        state = dict(zip(names, tensors[3:], strict=True))
        out: Tensor = functional_call(network, state, tensors[:3])
        return out

    assert torch.autograd.gradcheck(run, (*images, *parameters))


def test_gradient_is_finite_where_spectra_vanish() -> None:
    # Constant features have zeros at all bins but one: amplitude and phase have no derivative there.
    network = tiny()
    assert network.frequency_fusion is not None
    lr, guide = torch.ones(1, 4, 4, 4, requires_grad=True), torch.zeros(1, 4, 8, 8, requires_grad=True)
    network.frequency_fusion(lr, guide).sum().backward()
    assert lr.grad is not None
    assert guide.grad is not None
    assert lr.grad.isfinite().all()
    assert guide.grad.isfinite().all()


@pytest.mark.parametrize("size", [(8, 8), (6, 10), (5, 8), (8, 7), (1, 1)])
def test_spectrum_equals_numpys(size: tuple[int, int]) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, *size))
    amplitude, phase = polar_spectrum(torch.from_numpy(x))
    expected = np.fft.fft2(x)
    np.testing.assert_allclose(amplitude.numpy() * np.exp(1j * phase.numpy()), expected, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_phase_of_a_negative_real_bin_is_plus_pi(dtype: torch.dtype) -> None:
    x = torch.from_numpy(np.random.default_rng(1).standard_normal((4, 64, 24, 40))).to(dtype)
    _, phase = polar_spectrum(x)
    mirrored = phase[..., ::12, ::20]
    assert set(mirrored.unique().tolist()) == {0.0, torch.tensor(torch.pi, dtype=dtype).item()}


@pytest.mark.parametrize(("lr_size", "scale"), [((4, 4), 4), ((3, 5), 2), ((6, 10), 8), ((2, 1), 32)])
def test_neighbours_equal_nearest_sampling_with_zero_padding(lr_size: tuple[int, int], scale: int) -> None:
    h, w = lr_size
    size = (scale * h, scale * w)
    y, x = (((2 * torch.arange(n, dtype=torch.float64) + 1) / n - 1) for n in size)
    centre_y, centre_x = (((2 * torch.arange(n, dtype=torch.float64) + 1) / n - 1) for n in lr_size)
    centres = torch.stack(torch.meshgrid(centre_y, centre_x, indexing="ij"))[None]
    cells = torch.arange(1.0, h * w + 1, dtype=torch.float64).reshape(1, 1, h, w)

    near = Neighbourhood(lr_size, size, cells)
    padded = functional.pad(cells, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    for corner in CORNERS:
        down, right = (2 * step - 1 for step in corner)
        grid = torch.stack(torch.meshgrid(y + down / h, x + right / w, indexing="ij")[::-1], dim=-1)[None]
        sampled, centre = (
            functional.grid_sample(image, grid, mode="nearest", align_corners=False).permute(0, 2, 3, 1)
            for image in (cells, centres)
        )
        assert torch.equal(near.gather(padded, corner), sampled)
        query = torch.stack(torch.meshgrid(y, x, indexing="ij"), dim=-1)
        expected = (query - centre) * torch.tensor([h, w])
        ours = near.relative(corner)
        torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)


def authors_state() -> dict[str, Tensor]:
    fixture = parity.load("feinfn")
    return {name: torch.zeros(*shape) for name, shape in fixture.entry["manifest"]}


def test_authors_state_fills_our_network_and_nothing_else() -> None:
    state = authors_state()
    dropped = {name for name in state if "_mean." in name} | {"hp.kernel", "pe.pe"}
    ours = authors_state_to_ours(state)
    assert len(ours) == len(state) - len(dropped)
    assert sum(state[name].numel() for name in dropped if "_mean." in name) == 48
    FeINFN().load_state_dict(ours, strict=True)


def test_authors_state_of_other_bands_is_read() -> None:
    state = authors_state()
    state["spatial_encoder.head.0.weight"] = torch.zeros(128, 106, 3, 3)
    state["spectral_encoder.head.0.weight"] = torch.zeros(128, 102, 3, 3)
    state["decoder.last_layer.weight"] = torch.zeros(102, 128, 1, 1)
    state["decoder.last_layer.bias"] = torch.zeros(102)
    FeINFN(102, 4).load_state_dict(authors_state_to_ours(state), strict=True)


def test_authors_state_as_wide_as_its_bands_is_read() -> None:
    state = authors_state()
    for name, tensor in state.items():
        wider = {31: 102, 32: 103, 33: 104, 34: 106, 160: 231}
        state[name] = torch.zeros([wider.get(size, size) for size in tensor.shape])
    ours = authors_state_to_ours(state)
    FeINFNMethod().build(Problem(102, 4, 4, 2.0)).load_state_dict(ours, strict=True)


def test_foreign_states_are_refused_by_name() -> None:
    state = authors_state()
    with pytest.raises(ValueError, match=r"lacks decoder\.output\.bias"):
        authors_state_to_ours({name: tensor for name, tensor in state.items() if name != "decoder.last_layer.bias"})
    with pytest.raises(ValueError, match=r"unknown decoder\.K\.7\.1\.weight"):
        authors_state_to_ours(state | {"decoder.K.7.1.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"decoder\.output\.bias of \(4,\), not \(31,\)"):
        authors_state_to_ours(state | {"decoder.last_layer.bias": torch.zeros(4)})
    with pytest.raises(ValueError, match=r"not a state of the published FeINFN.*more"):
        authors_state_to_ours({"weight": torch.zeros(3)})


def test_authors_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "authors.pth"
    state = authors_state()
    state["decoder.last_layer.bias"] = torch.arange(31.0)
    torch.save(state, file)
    assert torch.equal(read_authors_checkpoint(file)["decoder.output.bias"], torch.arange(31.0))


@pytest.mark.parametrize("content", [b"no checkpoint", b""])
def test_garbage_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "garbage.pth"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"garbage\.pth is not a readable torch checkpoint"):
        read_authors_checkpoint(file)


def test_another_structure_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "list.pth"
    torch.save([torch.zeros(2)], file)
    with pytest.raises(ValueError, match=r"list\.pth is not a FeINFN checkpoint"):
        read_authors_checkpoint(file)


@pytest.mark.parametrize(("bands", "width"), [(31, 33), (102, 104), (128, 130)])
def test_the_queries_are_as_wide_as_the_authors_configuration_makes_them(bands: int, width: int) -> None:
    network = FeINFNMethod().build(Problem(bands, 4, 4, 2.0))
    state = network.state_dict()
    assert len(state["spatial_fusion.rest.1.weight"]) == width
