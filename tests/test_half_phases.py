"""Samples that lie between pixels, in what methods and their training make of the phase."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hsfusion_baselines.mossfuse.degradation import BlindDegradation, degrade_spatially
from hsfusion_bench.data.mapped import prepare_mapped
from hsfusion_bench.data.observing.protocols import ProtocolChoice, Split, load_protocol
from hsfusion_bench.data.prepare import Preparation
from hsfusion_bench.data.scenes import SceneSource
from hsfusion_bench.data.task import Task
from hsfusion_bench.methods import Observation
from hsfusion_bench.training.loading import Draw
from hsfusion_bench.training.mapped import MappedPatches

NM = (450.0, 550.0, 650.0)


class One(SceneSource):
    """A scene of three bands."""

    name = "one"
    title = "One"
    wavelengths = NM
    split = Split("one", ("it",), ())

    def __init__(self, cube: np.ndarray) -> None:
        self.cube = cube

    def scene_names(self) -> tuple[str, ...]:
        return ("it",)

    def read(self, name: str) -> np.ndarray:
        return self.cube


def choice(name: str) -> ProtocolChoice:
    return ProtocolChoice(name, response="A", off_table="interpolate")


def observed(name: str, scale: int, cube: np.ndarray) -> Observation:
    return load_protocol(choice(name)).observe(cube, scale, NM)


@pytest.mark.parametrize(
    ("name", "scale", "begin"),
    # where the window of LR pixel 0 begins, in HR pixels
    [("xidian", 4, 0), ("yokoya", 8, 0), ("wald", 8, 1), ("wald", 16, 5), ("yokoya-toolbox", 4, -2)],
)
def test_every_patch_obeys_the_protocol_flipped_or_not(tmp_path: Path, name: str, scale: int, begin: int) -> None:
    cube = np.random.default_rng(0).random((3, 8 * scale, 9 * scale), np.float32)
    observation = observed(name, scale, cube)
    assert observation.psf is not None
    assert observation.phase % 1 == 0.5
    psf, size = observation.psf.astype(float), len(observation.psf)
    task = Preparation(Task.over(One(cube), load_protocol(choice(name)), scale, "train"), 4 * scale, scale)
    patches = MappedPatches(prepare_mapped(task, "train", tmp_path), turns="all", seed=1, reference=True)
    batch = patches.__getitems__([Draw(number // len(patches), number % len(patches)) for number in range(64)])
    assert batch.hr_hsi is not None
    checked = 0
    for low, high in zip(batch.lr_hsi.numpy(), batch.hr_hsi.numpy(), strict=True):
        row, column = scale + begin, 2 * scale + begin  # of LR pixel (1, 2), whose window lies in the patch
        window = high[:, row : row + size, column : column + size].astype(float)
        expected = (psf * window).sum(axis=(1, 2))
        if name != "yokoya-toolbox" or np.isin(low[:, 1, 2], observation.lr_hsi[:, 1:-1, 1:-1]).all():
            np.testing.assert_allclose(low[:, 1, 2], expected, rtol=1e-5)
            checked += 1
    assert checked > 20


@pytest.mark.parametrize("scale", [2, 4, 8, 16, 32])
@pytest.mark.parametrize("name", ["uestc", "mossfuse", "xidian", "wald", "yokoya", "yokoya-toolbox"])
def test_mossfuse_places_its_samples_where_the_protocol_does(name: str, scale: int) -> None:
    phase = load_protocol(name).phase(scale)
    psf = BlindDegradation(3, 1, scale, phase).psf().detach().double()
    side = 6 * scale
    ramp = torch.arange(side, dtype=torch.float64).expand(1, 1, side, side)
    samples = degrade_spatially(ramp, psf, scale)[0, 0, 0].numpy()
    # a symmetric window on a ramp shows its centre, and the protocol's own samples do, too
    np.testing.assert_allclose(samples, scale * np.arange(len(samples)) + phase, rtol=1e-5)
    cube = (ramp[0].expand(3, side, side).numpy() / side).astype(np.float32)
    ours = observed(name, scale, cube).lr_hsi[0, 2] * side
    inner = slice(-(-4 // scale), len(samples) - 1)
    np.testing.assert_allclose(samples[inner], ours[: len(samples)][inner], rtol=1e-4)
