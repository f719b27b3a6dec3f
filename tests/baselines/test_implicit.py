"""LIIF, JIIF and EDACA-Net against their authors' networks, and what sets each apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hsfusion_baselines.blocks.edsr import EDSRTrunk
from hsfusion_baselines.edacanet.attention import ClusteredAttention, mean_run_length, pool, smoothed_entropy
from hsfusion_baselines.edacanet.method import EDACANetMethod
from hsfusion_baselines.edacanet.network import EDACANet
from hsfusion_baselines.jiif.method import JIIFMethod
from hsfusion_baselines.jiif.network import JIIF, JIIFQuery
from hsfusion_baselines.liif.method import LIIFMethod
from hsfusion_baselines.liif.network import LIIF, LIIFQuery
from hsfusion_bench.methods import Problem
from support import parity

TINY: dict[type[nn.Module], dict[str, object]] = {
    LIIF: {"features": 4, "blocks": 1, "hidden": (6, 5)},
    JIIF: {"features": 4, "blocks": 1, "hidden": (6, 5)},
    EDACANet: {"features": 4, "blocks": 1, "heads": 2, "hidden": (6, 5)},
}
NETWORKS = list(TINY)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    # On a busy machine, the threads of small operations wait for each other far longer than they work.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def tiny(network: type[nn.Module], bands: int = 3, msi_bands: int = 2, seed: int = 3) -> nn.Module:
    torch.manual_seed(seed)
    return network(bands, msi_bands, **TINY[network])


def random_inputs(bands: int, msi_bands: int, lr_size: tuple[int, int], scale: int, n: int = 1) -> list[Tensor]:
    generator = torch.Generator().manual_seed(20)
    h, w = lr_size
    return [
        torch.rand(n, msi_bands, scale * h, scale * w, generator=generator),
        torch.rand(n, bands, scale * h, scale * w, generator=generator),
        torch.rand(n, bands, h, w, generator=generator),
    ]


def renamed(state: Mapping[str, Tensor], table: Mapping[str, str]) -> dict[str, Tensor]:
    """Return those tensors of the authors' state that the patterns of `table` know, under our names."""
    ours = {}
    for name, tensor in state.items():
        for theirs, target in table.items():
            match = re.fullmatch(theirs + r"\.(weight|bias)", name)
            if match:
                ours[match.expand(target) + "." + match[match.lastindex or 1]] = tensor
    return ours


def trunk(theirs: str, ours: str, blocks: int) -> dict[str, str]:
    """Return the patterns of one of the authors' EDSR encoders."""
    return {
        rf"{theirs}\.head\.0": f"{ours}head",
        rf"{theirs}\.body\.(\d+)\.body\.0": rf"{ours}blocks.\1.conv1",
        rf"{theirs}\.body\.(\d+)\.body\.2": rf"{ours}blocks.\1.conv2",
        rf"{theirs}\.body\.{blocks}": f"{ours}tail",
    }


def mlp(ours: str, layers: int) -> dict[str, str]:
    """Return the patterns of the authors' MLP."""
    rest = {rf"imnet\.layers\.{2 * i}": f"{ours}rest.{i - 1}" for i in range(1, layers)}
    return {r"imnet\.layers\.0": f"{ours}first", **rest}


def parameters(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


# -- parity


def liif_query(fixture: parity.Fixture) -> tuple[LIIFQuery, Tensor, Tensor]:
    query = LIIFQuery(64, 0, (256, 256, 256, 256), 31)
    query.load_state_dict(renamed(fixture.weights(), mlp("", 5)))
    return query, fixture.inputs()["feature"], torch.zeros(1, 0, 64, 64)


@pytest.mark.parametrize(("dtype", "worst"), [(torch.float32, None), (torch.float64, 1e-7)])
def test_liifs_query_equals_the_authors(dtype: torch.dtype, worst: float | None) -> None:
    fixture = parity.load("liif_query")
    query, feature, no_guide = liif_query(fixture)
    assert parameters(query) == fixture.entry["parameters"]
    with torch.inference_mode():
        out = query.to(dtype)(feature.to(dtype), no_guide.to(dtype))
    assert fixture.error("out", out.flatten(1, 2)) <= (worst or fixture.tolerance("out"))


def test_jiif_equals_the_authors() -> None:
    # Published for one band of depth: the same parts, put together as for a cube.
    fixture = parity.load("jiif")
    state, inputs = fixture.weights(), fixture.inputs()
    colours, depth, query = EDSRTrunk(3, 128, 16), EDSRTrunk(1, 128, 16), JIIFQuery(128, (1024, 512, 256, 128), 1)
    colours.load_state_dict(renamed(state, trunk("image_encoder", "", 16)))
    depth.load_state_dict(renamed(state, trunk("depth_encoder", "", 16)))
    query.load_state_dict(renamed(state, mlp("", 5)))
    assert parameters(colours, depth, query) == fixture.entry["trainable"]
    with torch.inference_mode():
        lr = torch.cat([depth(inputs["depth_lr"]), colours(inputs["image_lr"])], dim=1)
        out = query(lr, colours(inputs["image"])).flatten(1, 2) + inputs["lr_pixel"][..., 0].mT
    assert fixture.error("out", out) <= fixture.tolerance("out")


def edacanet(fixture: parity.Fixture) -> EDACANet:
    network = EDACANet()
    table = (
        trunk("image_encoder", "spatial_encoder.", 3)
        | trunk("depth_encoder", "spectral_encoder.", 3)
        | mlp("query.", 3)
        | {"w_q": "attention.query", "w_k": "attention.key", "w_v": "attention.value", "W_prob": "attention.score"}
    )
    state = renamed(fixture.weights(), table)
    # their MLP sees the LR feature, the attended feature and the guide in this order, and so does ours
    network.load_state_dict(state)
    return network.eval()


@pytest.mark.parametrize(("dtype", "worst"), [(torch.float32, None), (torch.float64, 1e-7)])
def test_edacanet_equals_the_authors(dtype: torch.dtype, worst: float | None) -> None:
    fixture = parity.load("edacanet")
    network = edacanet(fixture).to(dtype)
    unused = sum(int(np.prod(shape)) for name, shape in fixture.entry["manifest"] if name.startswith("W_o"))
    assert parameters(network) == 2_684_577 == fixture.entry["trainable"] - unused
    lengths: list[Tensor] = []
    network.attention.score.register_forward_hook(
        lambda _module, _inputs, score: lengths.append(mean_run_length(smoothed_entropy(score.squeeze(-1))))
    )
    with torch.inference_mode():
        out = network(*(fixture.inputs()[name].to(dtype) for name in ("HR_MSI", "LMS", "LR_HSI")))
    assert fixture.error("out", out) <= (worst or fixture.tolerance("out"))
    assert fixture.error("mean_region_length", lengths[0]) <= fixture.tolerance("mean_region_length")


# -- all three


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    ("bands", "msi_bands", "lr_size", "scale"),
    [(31, 3, (8, 8), 4), (102, 4, (3, 5), 4), (198, 4, (4, 4), 8), (2, 1, (5, 3), 3), (1, 1, (1, 1), 2)],
)
def test_any_bands_and_sizes(
    network: type[nn.Module], bands: int, msi_bands: int, lr_size: tuple[int, int], scale: int
) -> None:
    hr_msi, hsi_up, lr_hsi = random_inputs(bands, msi_bands, lr_size, scale)
    with torch.inference_mode():
        out = tiny(network, bands, msi_bands)(hr_msi, hsi_up, lr_hsi)
    assert out.shape == hsi_up.shape
    assert out.isfinite().all()


@pytest.mark.parametrize("network", NETWORKS)
def test_every_parameter_learns(network: type[nn.Module]) -> None:
    made = tiny(network).double()
    images = [image.double() for image in random_inputs(3, 2, (4, 6), 4)]
    (made(*images) - images[1]).square().mean().backward()
    for name, parameter in made.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        # a bias of all logits of a softmax changes nothing
        assert name == "attention.score.bias" or parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("network", NETWORKS)
def test_gradient_of_the_weights_equals_finite_differences(network: type[nn.Module]) -> None:
    made = tiny(network, 2, 1).double()
    images = [image.double() for image in random_inputs(2, 1, (2, 3), 2)]
    target = torch.rand(images[1].shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def loss() -> Tensor:
        return (made(*images) - target).square().sum()

    loss().backward()
    weight = made.query.first.weight
    for index in [(0, 0), (1, weight.shape[1] // 2), (2, weight.shape[1] - 1)]:
        ours = weight.grad[index].item()
        values = []
        for step in (1e-6, -1e-6):
            with torch.no_grad():
                weight[index] += step
                values.append(loss().item())
                weight[index] -= step
        assert ours == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-7)


def linear(*widths: int) -> int:
    return sum(a * b + b for a, b in pairwise(widths))


@pytest.mark.parametrize(
    ("method", "mlp_parameters"),
    [
        (LIIFMethod(), linear(9 * 128 + 128 + 2 + 2, 256, 256, 256, 256, 31)),
        (JIIFMethod(), linear(3 * 128 + 2, 1024, 512, 256, 128, 32)),
    ],
)
def test_carried_over_networks_have_the_encoders_of_feinfn(
    method: LIIFMethod | JIIFMethod, mlp_parameters: int
) -> None:
    network = method.build(Problem(31, 3, 4, 2.0))
    # from the authors' state of FeINFN, without the colour shifts
    encoders = sum(
        int(np.prod(shape))
        for name, shape in parity.load("feinfn").entry["manifest"]
        if "_encoder." in name and "_mean." not in name
    )
    assert parameters(network) == encoders + mlp_parameters


@pytest.mark.parametrize("network", [LIIF, JIIF])
@pytest.mark.parametrize("scale", [3, 4])
def test_liif_may_be_cut_at_any_cell_and_jiif_inside(network: type[nn.Module], scale: int) -> None:
    made = tiny(network).double()
    images = [image.double() for image in random_inputs(3, 2, (24, 20), scale)]

    def cut(image: Tensor, row: int, column: int) -> Tensor:
        step = image.shape[-1] // 20
        return image[..., step * row :, step * column :]

    expected = cut(made(*images), 12, 11)
    ours = made(*(cut(image, 3, 2) for image in images))[..., 9 * scale :, 9 * scale :]
    # an outside cell of JIIF has coordinate (0, 0): the outermost half cell depends on the image's size
    rim = 0 if network is LIIF else (scale + 1) // 2
    inside = slice(0, expected.shape[-2] - rim), slice(0, expected.shape[-1] - rim)
    torch.testing.assert_close(ours[..., *inside], expected[..., *inside], rtol=1e-12, atol=1e-12)
    assert torch.allclose(ours, expected, rtol=1e-12, atol=1e-12) == (network is LIIF)


@pytest.mark.parametrize("method", [LIIFMethod, JIIFMethod, EDACANetMethod])
def test_what_is_local_says_so(method: type[LIIFMethod]) -> None:
    assert method.local == (method is LIIFMethod)


# -- LIIF


@pytest.mark.parametrize("scale", [3, 4])
def test_liif_repeats_the_border_and_weighs_by_opposite_areas(scale: int) -> None:
    # Where the MLP returns a neighbour's value alone, LIIF is bilinear interpolation between cell centres, the border
    # repeated: what torch calls so, too.
    query = LIIFQuery(1, 0, (2,), 1).double()
    with torch.no_grad():
        for parameter in query.parameters():
            parameter.zero_()
        query.first.weight[0, 4], query.first.weight[1, 4] = 1, -1  # the middle of the 3x3 cells
        query.rest[0].weight[:] = torch.tensor([[1.0, -1.0]])
    lr = torch.rand(1, 1, 5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.5
    with torch.inference_mode():
        out = query(lr, torch.zeros(1, 0, 5 * scale, 3 * scale, dtype=torch.float64))
    expected = nn.functional.interpolate(lr, (5 * scale, 3 * scale), mode="bilinear", align_corners=False)
    torch.testing.assert_close(out.permute(0, 3, 1, 2), expected, rtol=0, atol=1e-7)


def test_liif_knows_the_size_of_a_pixel() -> None:
    query = LIIFQuery(1, 0, (2,), 1)
    with torch.no_grad():
        for parameter in query.parameters():
            parameter.zero_()
        query.first.weight[0, 9 + 2 + 0], query.first.weight[1, 9 + 2 + 1] = 1, 1  # height and width, in half cells
        query.rest[0].weight[:] = torch.tensor([[1.0, 10.0]])
    out = query(torch.zeros(1, 1, 4, 4), torch.zeros(1, 0, 16, 32))
    torch.testing.assert_close(out, torch.full((1, 16, 32, 1), 2 / 4 + 10 * 2 / 8))


# -- JIIF


def test_jiif_sees_the_guide_and_its_difference() -> None:
    # The columns as published, on the concatenation as published, for one pixel with four equal neighbours.
    torch.manual_seed(0)
    query = JIIFQuery(2, (5,), 3).double()
    lr, guide_lr, guide = torch.rand(3, 2, dtype=torch.float64)
    spread: Callable[[Tensor, int], Tensor] = lambda value, side: value[None, :, None, None].expand(1, -1, side, side)  # noqa: E731
    out = query(torch.cat([spread(lr, 3), spread(guide_lr, 3)], dim=1), spread(guide, 9))[0, 4, 4]
    candidates = []
    for corner in ((0.0, 0.0), (0.0, -2.0), (-2.0, 0.0), (-2.0, -2.0)):
        seen = torch.cat([lr, guide, guide - guide_lr, torch.tensor(corner, dtype=torch.float64)])
        candidates.append(query.rest[0]((query.first(seen)).relu()))
    stacked = torch.stack(candidates)
    expected = (stacked[:, :-1] * stacked[:, -1:].softmax(dim=0)).sum(dim=0)
    torch.testing.assert_close(out, expected)


# -- EDACA-Net


def test_runs_are_those_of_the_sign_of_the_second_difference() -> None:
    # second differences -y[i-1] + 2y[i] - y[i+1], zeros beyond: 1, -1, -4, 6, 6 -> signs + - - + +
    assert mean_run_length(torch.tensor([[1.0, 1.0, 2.0, 7.0, 6.5]])).tolist() == pytest.approx([5 / 3])
    assert mean_run_length(torch.tensor([[1.0, 1.0], [3.0, -1.0]])).tolist() == [2, 1]


def test_entropy_of_equal_scores_is_that_of_a_uniform_distribution() -> None:
    entropy = smoothed_entropy(torch.full((1, 64), 3.0, dtype=torch.float64))
    gaussian = np.exp(-(np.arange(-8, 9) ** 2) / 18) / (3 * np.sqrt(2 * np.pi))
    share = 1 / 64 + 1e-8
    np.testing.assert_allclose(entropy[0, 8:-8], -share * np.log2(share) * gaussian.sum(), rtol=1e-12)
    np.testing.assert_allclose(entropy[0, 0], -share * np.log2(share) * gaussian[8:].sum(), rtol=1e-12)


def test_clusters_leave_out_half_of_the_rest_at_either_end() -> None:
    tokens = torch.arange(11.0, dtype=torch.float64)[None, :, None]
    means = pool(tokens, torch.zeros(1, 11, dtype=torch.float64), 4)  # 3 are left: 1 in front, 2 behind
    assert means.flatten().tolist() == [(1 + 2 + 3 + 4) / 4, (5 + 6 + 7 + 8) / 4]
    weight = torch.tensor([[0, 0, 0, np.log(3), 0, 0, 0, 0, 0, 0, 0]])
    assert pool(tokens, weight, 4)[0, 0, 0].item() == pytest.approx((1 + 2 + 3 * 3 + 4) / 6)


def test_attention_from_cells_is_attention_from_pixels() -> None:
    # As published, from every HR pixel, written out with softmax and matrix products.
    torch.manual_seed(1)
    attention = ClusteredAttention(6, 2).double()
    lr, size = torch.rand(1, 6, 4, 5, dtype=torch.float64), (16, 20)
    repeat = lambda x: x.repeat_interleave(4, 2).repeat_interleave(4, 3).flatten(2)[0].T  # noqa: E731
    query, key, value = (repeat(convolution(lr)) for convolution in (attention.query, attention.key, attention.value))
    entropy = smoothed_entropy(attention.score(key).T)
    length = round(mean_run_length(entropy).item())
    assert 1 < length < 40
    key, value = (pool(tokens[None], entropy, length)[0] for tokens in (key, value))
    heads = [
        (query[:, part] @ key[:, part].T).softmax(dim=-1) / 3 @ value[:, part] for part in (slice(0, 3), slice(3, 6))
    ]
    expected = torch.cat(heads, dim=1).T.reshape(1, 6, *size)
    torch.testing.assert_close(attention(lr, size).repeat_interleave(4, 2).repeat_interleave(4, 3), expected)
