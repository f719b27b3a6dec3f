"""PSRT with the weights that its authors released."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from hsfusion_baselines.psrt.authors import read_authors_checkpoint
from hsfusion_baselines.psrt.method import PSRTMethod
from hsfusion_baselines.psrt.network import PSRT
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods import Problem
from support import parity


@pytest.fixture
def released() -> Path:
    """Return the authors' weights for CAVE x4."""
    goldens = os.environ.get(parity.GOLDENS)
    path = Path(goldens or "", "checkpoints", "PSRT_cave_x4_best.pth.tar")
    if not goldens or not path.is_file():
        pytest.skip(f"{parity.GOLDENS} names no folder with checkpoints/PSRT_cave_x4_best.pth.tar")
    return path


def test_released_weights_give_the_authors_output_on_a_real_image(released: Path) -> None:
    fixture = parity.load("psrt_cave_x4")
    problem = Problem(31, 3, 4, 2.0)
    loaded = PSRTMethod().load(released, problem)
    assert loaded.weights is not None
    assert loaded.weights.sha256 == fixture.entry["checkpoint"]["sha256"]
    images = [fixture.inputs()[name].float() / 32768 for name in ("LMS", "RGB")]
    with torch.inference_mode():
        out = loaded.network.fuse(*images)
    assert fixture.error("out", out) <= fixture.tolerance("out")


def test_weights_of_other_bands_are_refused(released: Path) -> None:
    with pytest.raises(HsbenchError, match=r"best\.pth\.tar: .* it has embed\.weight of .*34, 3, 3.*\(and 2 more"):
        PSRTMethod().read_authors_weights(released, Problem(102, 4, 4, 2.0))


@pytest.mark.parametrize("content", [[1, 2], {"state_dict": 3}, {"net": 3}, {"model": {"a": torch.zeros(1)}}])
def test_a_foreign_checkpoint_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "foreign.pth"
    torch.save(content, path)
    with pytest.raises(ValueError, match=r"foreign\.pth is not a PSRT checkpoint.*'state_dict' or 'net'"):
        read_authors_checkpoint(path, PSRT())


def test_a_state_under_the_key_of_hiftool_is_read(tmp_path: Path, released: Path) -> None:
    """HIFtool saves ``{"net": state}`` of the same names, without the prefix of the authors' wrapper."""
    theirs = torch.load(released, map_location="cpu", weights_only=True)["state_dict"]
    path = tmp_path / "1750.pth"
    torch.save({"net": {name.removeprefix("model."): value for name, value in theirs.items()}, "epoch": 1750}, path)
    expected = read_authors_checkpoint(released, PSRT())
    state = read_authors_checkpoint(path, PSRT())
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in state)


def test_a_state_that_lacks_a_tensor_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "part.pth"
    torch.save({"state_dict": {"model.conv.0.bias": torch.zeros(31)}}, path)
    with pytest.raises(ValueError, match=r"part\.pth: .* it lacks embed\.weight \(and \d+ more differences"):
        read_authors_checkpoint(path, PSRT())
