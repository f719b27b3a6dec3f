"""The transformers: equal to the code of their authors, ready for any problem, and trainable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hsfusion_baselines.blocks.authors import translate
from hsfusion_baselines.blocks.upsampling import upsample_bicubic
from hsfusion_baselines.psrt import authors as psrt
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods import Batch, NetworkMethod, Problem
from hsfusion_bench.registry import entries
from hsfusion_bench.runs.measure import counting_flops
from support import parity

Translate = Callable[[Mapping[str, Tensor], Any], dict[str, Tensor]]


def bdt(state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Return a state of BDT's authors for our network."""
    names = (
        (r"^t\.direction1\.conv\.", "embed."),
        (r"^t\.direction2\.patch_embed\.proj\.", "embed_lr."),
        # They count from 1.
        *((rf"^t\.direction1\.stage{i + 1}\.", f"down.{i}.") for i in range(3)),
        *((rf"^t\.direction1\.downsample{i + 1}\.reduction\.", f"halve.{i}.reduce.") for i in range(2)),
        *((rf"^t\.direction1\.downsample{i + 1}\.", f"halve.{i}.") for i in range(2)),
        *((rf"^t\.direction2\.stage{i + 1}\.", f"up.{i}.") for i in range(3)),
        *((rf"^t\.direction2\.up{i + 1}_{i + 2}\.body\.", f"double_up.{i}.") for i in range(2)),
        *((rf"^t\.merge{i + 1}\.", f"merge.{i}.") for i in range(3)),
        *((rf"^t\.up{i + 1}\.body\.", f"double_merged.{i}.") for i in range(2)),
        *(
            (rf"^(down\.\d)\.{theirs}\.", rf"\1.{block}.{ours}.")
            for i, block in enumerate(("first", "dilated", "last"))
            for theirs, ours in (
                (rf"attn{i + 1}\.qkv", "attention.qkv"),
                (rf"attn{i + 1}\.proj", "attention.project"),
                (rf"norm{2 * i + 1}", "attention_norm"),
                (rf"norm{2 * i + 2}", "feed_forward_norm"),
                (rf"mlp{i + 1}\.fc1", "feed_forward.0"),
                (rf"mlp{i + 1}\.fc2", "feed_forward.2"),
            )
        ),
        (r"\.norm1\.body\.", ".attention_norm."),
        (r"\.norm2\.body\.", ".feed_forward_norm."),
        (r"\.attn\.qkv_dwconv\.", ".attention.qkv_depthwise."),
        (r"\.attn\.project_out\.", ".attention.project."),
        (r"\.attn\.", ".attention."),
        (r"\.ffn\.project_in\.", ".feed_forward.expand."),
        (r"\.ffn\.dwconv\.", ".feed_forward.depthwise."),
        (r"\.ffn\.project_out\.", ".feed_forward.project."),
    )
    return translate(state, names, network)


def mimo_sst(state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Return a state of MIMO-SST's code for our network, without the layers that the code never runs."""
    names = (
        (r"^patch_embed\.proj\.", "embed."),
        (r"^down1_2\.body\.", "down_full."),
        (r"^down2_3\.body\.", "down_half."),
        (r"^up3_2\.body\.", "up_quarter."),
        (r"^up2_1\.body\.", "up_half."),
        (r"^reduce_chan_level2\.", "reduce_half."),
        (r"^Conv96_31\.", "output."),
        (r"^Conv192_31\.", "output_quarter."),
        (r"^Conv144_96\.", "merge_half."),
        (r"^Conv240_192\.", "merge_quarter."),
        (r"^Conv3_64\.", "embed_msi."),
        (r"^Conv31_64\.", "embed_hsi."),
        (r"^encoder_level11\.0\.", "mixer."),
        (r"norm1\.body\.", "attention_norm."),
        (r"norm2\.body\.", "feed_forward_norm."),
        (r"attn1\.qkv_dwconv\.", "qkv_depthwise."),
        (r"attn1\.qkv\.", "qkv."),
        (r"attn2\.temperature", "msi_temperature"),
        (r"attn2\.project_out\.", "msi_project."),
        (r"attn3\.temperature", "hsi_temperature"),
        (r"ffn\.dwconv\.0\.", "feed_forward."),
    )
    block = r"encoder_level11\.0\."
    unused = (
        rf"(down3_4|up4_3|reduce_chan_level3|Conv1|{block}attn|{block}ffn\.dwconv1)\..*"
        rf"|{block}attn[13]\.project_out\..*|{block}attn[23]\.qkv.*|{block}attn1\.temperature"
    )
    return translate(state, names, network, unused)


@dataclass(frozen=True)
class Case:
    """A method, its fixture, and how the two differ.

    `images` are the fixture's inputs in the order of our network's `call`. The authors' state is brought under our
    names by `translate`; without one, its tensors come in the order of ours. `unused` are those that no output
    depends on, by the beginning of their names, where our network leaves them out, and how many trainable numbers
    they hold. `slow` says whether the fixture takes seconds.
    """

    method: str
    fixture: str
    images: tuple[str, ...] = ("LR_HSI", "HR_MSI")
    call: str = "forward"
    translate: Translate | None = None
    unused: tuple[str, ...] = ()
    unused_parameters: int = 0
    scale: int = 4
    slow: bool = False

    def __str__(self) -> str:
        return self.method


U2NET_UNUSED = ("down0.maxpool_conv", "down1.maxpool_conv", "up0.up0", "up1.up0")
# Numbers of steps that are never made, and buffers that ours computes.
NET_3DT_UNUSED = (
    *(f"{number}_{step}" for number in ("delta", "eta") for step in (1, 2, 4, 5, 6)),
    *(f"spatial.body.layers.0.residual_group.blocks.{i}.attn_mask" for i in range(6)),
    *(f"spatial.body.layers.0.residual_group.blocks.{i}.attn.relative_position_index" for i in range(6)),
    "acti",
)
CASES = [
    Case("3dt-net", "3dt_net", unused=NET_3DT_UNUSED, unused_parameters=11, scale=8, slow=True),
    Case("bdt", "bdt", ("LR_HSI", "LMS", "RGB"), "fuse", bdt),
    Case("fusformer", "fusformer", unused=("T_E.pos", "T_D.pos"), unused_parameters=2 * 4096 * 48),
    Case("lformer", "lformer", ("LMS", "HR_MSI"), "residual"),
    Case("mimo-sst", "mimo_sst", ("LMS", "HR_MSI"), "fuse", mimo_sst, unused_parameters=3_361_058),
    Case("psrt", "psrt", ("LMS", "RGB"), "fuse", psrt.authors_state_to_ours),
    Case("u2net", "u2net", unused=U2NET_UNUSED, unused_parameters=105_760),
]
LARGE = [pytest.param(case, id=str(case), marks=[pytest.mark.slow] if case.slow else []) for case in CASES]
PROBLEMS = [(31, 3, 4), (102, 4, 4), (198, 4, 8)]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    # On a busy machine, the threads of small operations wait for each other far longer than they work.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def load(name: str) -> NetworkMethod:
    method = entries()[name].load()
    assert isinstance(method, NetworkMethod)
    return method


def build(name: str, problem: Problem) -> nn.Module:
    torch.manual_seed(0)
    return load(name).build(problem)


def problem_of(lr_hsi: Tensor, hr_msi: Tensor) -> Problem:
    scale = hr_msi.shape[-1] // lr_hsi.shape[-1]
    return Problem(lr_hsi.shape[1], hr_msi.shape[1], scale, scale // 2)


def pair(bands: int, msi_bands: int, scale: int, size: tuple[int, int], batch: int = 1) -> tuple[Tensor, Tensor]:
    """Return random images of one scene: LR-HSI and HR-MSI."""
    random = torch.Generator().manual_seed(7)
    h, w = size
    return (
        torch.rand(batch, bands, h, w, generator=random),
        torch.rand(batch, msi_bands, scale * h, scale * w, generator=random),
    )


@pytest.mark.parametrize("case", LARGE)
def test_output_size_and_work_equal_the_authors(case: Case) -> None:
    fixture = parity.load(case.fixture)
    network = build(case.method, Problem(31, 3, case.scale, case.scale // 2)).eval()
    if case.translate:
        network.load_state_dict(case.translate(fixture.weights(), network))
    else:
        fixture.fill(network, case.unused)
    inputs = fixture.inputs()
    with torch.inference_mode(), counting_flops((64, 64)) as flops:
        out = getattr(network, case.call)(*(inputs[name] for name in case.images))
    assert flops[0].value == fixture.entry["flops_total"]
    match = fixture.entry["match"]
    assert fixture.error(match, out) <= fixture.tolerance(match)
    ours = sum(parameter.numel() for parameter in network.parameters())
    assert ours + case.unused_parameters == fixture.entry["trainable"]


def test_mimo_sst_is_trained_at_three_sizes() -> None:
    lr_hsi, hr_msi = pair(5, 3, 2, (8, 4))
    batch = Batch(lr_hsi, hr_msi, pair(5, 3, 2, (16, 8))[0], problem_of(lr_hsi, hr_msi))
    network = build("mimo-sst", batch.problem)
    assert batch.hr_hsi is not None
    with torch.inference_mode():
        terms = load("mimo-sst").loss(network, batch)
        results = network.pyramid(upsample_bicubic(lr_hsi, 2), hr_msi)
    differences = [
        (result - batch.hr_hsi[..., ::step, ::step]).numpy() for result, step in zip(results, (1, 2, 4), strict=True)
    ]
    spectra = [np.abs(np.fft.fft2(difference)).mean() for difference in differences]
    assert [result.shape[2:] for result in results] == [(16, 8), (8, 4), (4, 2)]
    assert terms["l1"].item() == pytest.approx(sum(np.abs(difference).mean() for difference in differences))
    assert terms["fourier"].item() == pytest.approx(0.01 * sum(spectra))


@pytest.mark.parametrize(("bands", "msi_bands", "scale"), PROBLEMS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_any_problem(case: Case, bands: int, msi_bands: int, scale: int) -> None:
    images = pair(bands, msi_bands, scale, (2, 2))
    problem = problem_of(*images)
    network = build(case.method, problem).eval()
    with torch.inference_mode():
        out = load(case.method).predict(network, *images, problem)
    assert out.shape == (1, bands, 2 * scale, 2 * scale)
    assert out.isfinite().all()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_any_size(case: Case) -> None:
    images = pair(5, 3, 4, (3, 5))
    network = build(case.method, problem_of(*images)).eval()
    with torch.inference_mode():
        out = load(case.method).predict(network, *images, problem_of(*images))
    assert out.shape == (1, 5, 12, 20)
    assert out.isfinite().all()


@pytest.mark.parametrize("case", LARGE)
def test_a_few_steps_lower_the_loss(case: Case) -> None:
    method = load(case.method)
    images = pair(5, 3, 4, (4, 4))
    smooth = nn.functional.interpolate(images[0], scale_factor=4, mode="bilinear")
    batch = Batch(*images, smooth, problem_of(*images))
    network = build(case.method, batch.problem).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-4)
    losses = []
    for _ in range(4):
        loss = torch.stack(list(method.loss(network, batch).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("scale", [1, 3, 12])
def test_bdt_needs_a_power_of_two(scale: int) -> None:
    with pytest.raises(HsbenchError, match=f"power of 2, not {scale}"):
        load("bdt").build(Problem(31, 3, scale, 0.0))


def test_bdt_at_x8_has_a_fourth_stage_and_less_spectral_width() -> None:
    # The numbers of the authors' x8 file: widths 48, 96, 192, 192 down, 32 up, two activated merges.
    network = build("bdt", Problem(31, 3, 8, 4.0))
    assert sum(parameter.numel() for parameter in network.parameters()) == 3_952_209
    assert sum(isinstance(module, nn.LeakyReLU) for module in network.modules()) == 2
    state = network.state_dict()
    assert [tuple(state[f"halve.{i}.reduce.weight"].shape) for i in range(3)] == [(96, 192), (192, 384), (192, 768)]
    assert tuple(state["embed_lr.weight"].shape) == (32, 31, 3, 3)
    assert [state[f"merge.{i}.0.weight"].shape[1] for i in range(4)] == [224, 256, 160, 112]
