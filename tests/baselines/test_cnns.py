"""The convolutional networks: equal to the code of their authors, ready for any problem, and trainable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from hsfusion_bench.methods import Batch, NetworkMethod, Problem
from hsfusion_bench.registry import entries
from support import parity


@dataclass(frozen=True)
class Case:
    """A method, its fixture, and how the two differ.

    `unused` are the entries of the authors' state that no output depends on, by the beginning of their names, where
    our network leaves them out, and how many trainable numbers they hold.
    """

    method: str
    fixture: str | None
    unused: tuple[str, ...] = ()
    unused_parameters: int = 0

    def __str__(self) -> str:
        return self.method


UNUSED_STEPS = (
    *(f"{kind}_{stage}" for kind in ("delta", "eta") for stage in (1, 2, 4, 5, 6)),
    "acti.",
    "spatial.acti.",
)
CASES = [
    Case("ssrnet", "ssrnet_concat", ("weight",), 1),
    Case("ssrnet:overwrite", "ssrnet_overwrite", ("weight",), 1),
    Case("restfnet", "restfnet"),
    Case("tfnet", "tfnet"),
    Case("msdcnn", "msdcnn"),
    Case("ssfcnn", "ssfcnn"),
    Case("conssfcnn", "conssfcnn"),
    Case("conssfcnn:paper", None),
    Case("hsrnet", "hsrnet"),
    Case("dcfnet", "dcfnet", ("stage2.0.transition_layers.2.0.0.b2_conv_out.",), 128 * 128 * 9 + 2 * 128),
    Case("guidednet", "guidednet"),
    Case("guidednet:shared", None),
    Case("mog-dcn", "mogdcn", UNUSED_STEPS, 12),
    Case("dhif", "dhif"),
    Case("dspnet", "dspnet", tuple(f"mls{level}.blocks.0.0.rescale8" for level in (1, 2, 3)), 1 + 2 + 4),
]
SLOW = {"dhif", "mog-dcn"}
COMPARED = [case for case in CASES if case.fixture]
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


def problem_of(lr_hsi: Tensor, hr_msi: Tensor) -> Problem:
    scale = hr_msi.shape[-1] // lr_hsi.shape[-1]
    return Problem(lr_hsi.shape[1], hr_msi.shape[1], scale, (scale - 1) / 2)


def problem_of_fixture(fixture: parity.Fixture) -> Problem:
    sources = fixture.entry["inputs"]
    bands, msi_bands = (sources[name]["image"][1] for name in ("LMS" if "LMS" in sources else "LR_HSI", "HR_MSI"))
    scale = sources["HR_MSI"]["image"][3] // sources["LR_HSI"]["image"][3] if "LR_HSI" in sources else 4
    return Problem(bands, msi_bands, scale, (scale - 1) / 2)


def published(case: Case) -> tuple[nn.Module, parity.Fixture, Problem]:
    assert case.fixture is not None
    fixture = parity.load(case.fixture)
    problem = problem_of_fixture(fixture)
    network = load(case.method).build(problem)
    fixture.fill(network, case.unused)
    return network.eval(), fixture, problem


def pair(bands: int, msi_bands: int, scale: int, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return random images of one scene: LR-HSI and HR-MSI."""
    random = torch.Generator().manual_seed(7)
    h, w = size
    return (
        torch.rand(1, bands, h, w, generator=random),
        torch.rand(1, msi_bands, scale * h, scale * w, generator=random),
    )


@pytest.mark.parametrize("case", COMPARED, ids=str)
def test_size_and_output_equal_the_authors(case: Case) -> None:
    network, fixture, problem = published(case)
    size = sum(parameter.numel() for parameter in network.parameters())
    assert size + case.unused_parameters == fixture.entry["trainable"]
    inputs = fixture.inputs()
    with torch.inference_mode():
        if "LMS" in inputs:  # the network takes an enlarged HSI that is no enlargement of the fixture's LR-HSI
            images = [inputs[name] for name in ("LR_HSI", "MMS", "LMS", "HR_MSI") if name in inputs]
            out = network(*images)
        else:
            out = load(case.method).predict(network, inputs["LR_HSI"], inputs["HR_MSI"], problem)
    match = fixture.entry["match"]
    assert fixture.error(match, out) <= fixture.tolerance(match)


@pytest.mark.parametrize(
    ("case", "bands", "msi_bands", "scale"),
    [
        # DHIF's last layers grow with the square of the bands: many of them take seconds to be made.
        pytest.param(case, *problem, marks=pytest.mark.slow if case.method == "dhif" and problem[0] > 31 else ())
        for case in CASES
        for problem in PROBLEMS
    ],
    ids=str,
)
def test_any_problem(case: Case, bands: int, msi_bands: int, scale: int) -> None:
    method = load(case.method)
    images = pair(bands, msi_bands, scale, (2, 2))
    problem = problem_of(*images)
    torch.manual_seed(0)
    network = method.build(problem).eval()
    with torch.inference_mode():
        out = method.predict(network, *images, problem)
    assert out.shape == (1, bands, 2 * scale, 2 * scale)
    assert out.isfinite().all()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_any_size(case: Case) -> None:
    method = load(case.method)
    images = pair(5, 3, 4, (5, 7))
    problem = problem_of(*images)
    network = method.build(problem).eval()
    with torch.inference_mode():
        out = method.predict(network, *images, problem)
    assert out.shape == (1, 5, 20, 28)
    assert out.isfinite().all()


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=pytest.mark.slow if case.method in SLOW else ()) for case in CASES],
    ids=str,
)
def test_a_few_steps_lower_the_loss(case: Case) -> None:
    method = load(case.method)
    images = pair(5, 3, 4, (4, 4))
    smooth = torch.nn.functional.interpolate(images[0], scale_factor=4, mode="bicubic").clamp(0, 1)
    batch = Batch(*images, smooth, problem_of(*images))
    torch.manual_seed(1)
    network = method.build(batch.problem).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-4)
    losses = []
    for _ in range(3):
        loss = torch.stack(list(method.loss(network, batch).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("case", [case for case in CASES if load(case.method).local], ids=str)
def test_local_networks_may_be_cut_anywhere(case: Case) -> None:
    method = load(case.method)
    lr_hsi, hr_msi = pair(5, 3, 2, (28, 40))
    problem = problem_of(lr_hsi, hr_msi)
    torch.manual_seed(0)
    network = method.build(problem).double().eval()
    with torch.inference_mode():
        whole = method.predict(network, lr_hsi.double(), hr_msi.double(), problem)
        part = method.predict(network, lr_hsi[..., 1:29].double(), hr_msi[..., 2:58].double(), problem)
    middle = slice(26, 30)
    torch.testing.assert_close(part[..., middle, middle], whole[..., middle, 28:32], rtol=1e-12, atol=1e-12)
