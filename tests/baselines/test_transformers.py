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
from hsfusion_bench.methods import Batch, NetworkMethod, Problem
from hsfusion_bench.registry import entries
from support import parity

Translate = Callable[[Mapping[str, Tensor], Any], dict[str, Tensor]]


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
    they hold.
    """

    method: str
    fixture: str
    images: tuple[str, str] = ("LR_HSI", "HR_MSI")
    call: str = "forward"
    translate: Translate | None = None
    unused: tuple[str, ...] = ()
    unused_parameters: int = 0
    scale: int = 4

    def __str__(self) -> str:
        return self.method


U2NET_UNUSED = ("down0.maxpool_conv", "down1.maxpool_conv", "up0.up0", "up1.up0")
CASES = [
    Case("fusformer", "fusformer", unused=("T_E.pos", "T_D.pos"), unused_parameters=2 * 4096 * 48),
    Case("lformer", "lformer", ("LMS", "HR_MSI"), "residual"),
    Case("mimo-sst", "mimo_sst", ("LMS", "HR_MSI"), "fuse", mimo_sst, unused_parameters=3_361_058),
    Case("psrt", "psrt", ("LMS", "RGB"), "fuse", psrt.authors_state_to_ours),
    Case("u2net", "u2net", unused=U2NET_UNUSED, unused_parameters=105_760),
]
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


@pytest.mark.parametrize("case", CASES, ids=str)
def test_output_and_size_equal_the_authors(case: Case) -> None:
    fixture = parity.load(case.fixture)
    network = build(case.method, Problem(31, 3, case.scale, case.scale // 2)).eval()
    if case.translate:
        network.load_state_dict(case.translate(fixture.weights(), network))
    else:
        fixture.fill(network, case.unused)
    inputs = fixture.inputs()
    with torch.inference_mode():
        out = getattr(network, case.call)(*(inputs[name] for name in case.images))
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


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_few_steps_lower_the_loss(case: Case) -> None:
    method = load(case.method)
    images = pair(5, 3, 4, (4, 4), batch=2)
    smooth = nn.functional.interpolate(images[0], scale_factor=4, mode="bilinear")
    batch = Batch(*images, smooth, problem_of(*images))
    network = build(case.method, batch.problem).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-4)
    losses = []
    for _ in range(6):
        loss = torch.stack(list(method.loss(network, batch).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
