"""The transformers: equal to the code of their authors, ready for any problem, and trainable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from hsfusion_baselines.psrt import authors as psrt
from hsfusion_bench.methods import Batch, NetworkMethod, Problem
from hsfusion_bench.registry import entries
from support import parity

Translate = Callable[[Mapping[str, Tensor], Any], dict[str, Tensor]]


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
