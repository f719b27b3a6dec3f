import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate
from torch import nn

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods import Batch, Card, NetworkMethod, Observation, Problem, Recipe
from hsfusion_bench.training.loop import learning_rate, train
from hsfusion_bench.training.patches import Example, PatchSampler

RECIPE = Recipe(
    supervision="reference",
    optimiser="adam",
    learning_rate=1e-2,
    final_learning_rate=1e-4,
    schedule_epochs=10,
    epochs=20,
    patches_per_epoch=40,
    batch_size=2,
    patch=16,
    loss="L1",
    source="a test",
)
CPU = torch.device("cpu")


class Tiny(NetworkMethod):
    """One convolution on the HR-MSI."""

    card = Card("tiny", "Tiny", "cnn")
    recipe = RECIPE

    def build(self, problem: Problem) -> nn.Module:
        return nn.Conv2d(problem.msi_bands, problem.bands, 1)

    def predict(self, network: nn.Module, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, problem: Problem) -> torch.Tensor:
        fused: torch.Tensor = network(hr_msi)
        return fused

    def loss(self, network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        assert batch.hr_hsi is not None
        fused = self.predict(network, batch.lr_hsi, batch.hr_msi, batch.problem)
        return {"l1": (fused - batch.hr_hsi).abs().mean()}


def make_example(phase: int, *, side: int = 48, scale: int = 4, seed: int = 0) -> Example:
    """Observe a random scene: a 3x3 blur, every `scale`-th sample from `phase`."""
    hr_hsi = np.random.default_rng(seed).random((5, side, side), np.float32)
    kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    blurred = np.stack([correlate(band, kernel, mode="mirror") for band in hr_hsi])
    lr_hsi = np.ascontiguousarray(blurred[:, phase::scale, phase::scale])
    return Example(Observation(lr_hsi, hr_hsi[:3].copy(), scale, float(phase)), hr_hsi)


@pytest.mark.parametrize("phase", [1, 2])
def test_every_patch_obeys_the_protocol_flipped_or_not(phase: int) -> None:
    sampler = PatchSampler([make_example(phase)], 16, flips=True, seed=1)
    kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    batch = sampler.draw(64)
    assert batch.hr_hsi is not None
    assert batch.lr_hsi.shape == (64, 5, 4, 4)
    for lr_hsi, hr_msi, hr_hsi in zip(batch.lr_hsi.numpy(), batch.hr_msi.numpy(), batch.hr_hsi.numpy(), strict=True):
        np.testing.assert_array_equal(hr_msi, hr_hsi[:3])
        for low, high in zip(lr_hsi, hr_hsi, strict=True):
            # every sample's 3x3 window lies in the patch, for phases 1 and 2 of scale 4
            expected = correlate(high, kernel, mode="mirror")[phase::4, phase::4]
            np.testing.assert_allclose(low, expected, atol=1e-6)


def test_flips_give_all_eight_orientations() -> None:
    ramp = np.add.outer(np.arange(24) * 100, np.arange(24)).astype(np.float32)[None]
    example = Example(Observation(ramp[:, 2::4, 2::4].copy(), ramp.copy(), 4, 2.0), None)
    patches = PatchSampler([example], 8, flips=True, seed=0).draw(200).hr_msi.numpy()[:, 0]
    steps = {(float(patch[1, 0] - patch[0, 0]), float(patch[0, 1] - patch[0, 0])) for patch in patches}
    assert steps == {(a, b) for one in (100, -100) for other in (1, -1) for a, b in ((one, other), (other, one))}


def test_a_patch_larger_than_the_scene_becomes_the_scene() -> None:
    sampler = PatchSampler([make_example(2, side=24)], 64, flips=True, seed=0)
    assert sampler.draw(1).hr_msi.shape == (1, 3, 24, 24)


def test_a_patch_must_be_a_multiple_of_the_scale() -> None:
    with pytest.raises(UsageError, match="take 28"):
        PatchSampler([make_example(2)], 30, flips=False, seed=0)


def test_learning_rate_is_a_cosine_compressed_to_the_budget() -> None:
    # 20 steps an epoch, a schedule of 200 steps
    assert learning_rate(RECIPE, 0, 400) == pytest.approx(1e-2)
    assert learning_rate(RECIPE, 100, 400) == pytest.approx((1e-2 + 1e-4) / 2)
    assert learning_rate(RECIPE, 300, 400) == pytest.approx(1e-4)
    assert learning_rate(RECIPE, 25, 50) == pytest.approx((1e-2 + 1e-4) / 2)
    assert learning_rate(RECIPE, 0, 1) == pytest.approx(1e-2)


def test_learning_rate_may_decay_in_steps() -> None:
    # 20 steps an epoch, halved every 3 of 10 epochs: 1e-2, 5e-3, 2.5e-3 and no less than 2e-3
    recipe = replace(RECIPE, decay_every=3, decay=0.5, final_learning_rate=2e-3)
    rates = [learning_rate(recipe, step, 400) for step in (0, 59, 60, 119, 120, 179, 180, 399)]
    assert rates == pytest.approx([1e-2, 1e-2, 5e-3, 5e-3, 2.5e-3, 2.5e-3, 2e-3, 2e-3])
    # a budget of a tenth of the schedule
    assert [learning_rate(recipe, step, 20) for step in (0, 5, 6, 12)] == pytest.approx([1e-2, 1e-2, 5e-3, 2.5e-3])


def run(method: NetworkMethod, steps: int = 60, seed: int = 0) -> dict[str, torch.Tensor]:
    outcome = train(method, [make_example(2)], method.recipe, steps=steps, seed=seed, device=CPU)
    return outcome.network.state_dict()


def test_training_finds_the_bands_that_the_msi_shows() -> None:
    class Quick(Tiny):
        recipe = replace(RECIPE, learning_rate=0.1)

    outcome = train(Quick(), [make_example(2)], Quick.recipe, steps=200, seed=0, device=CPU)
    assert outcome.last_loss["l1"] < 0.7 * outcome.first_loss["l1"]
    # the first three bands are the HR-MSI itself
    weight = outcome.network.state_dict()["weight"][:3, :, 0, 0]
    np.testing.assert_allclose(weight.numpy(), np.eye(3), atol=0.05)


def test_training_is_reproducible_and_depends_on_the_seed() -> None:
    first, again, other = run(Tiny(), seed=3), run(Tiny(), seed=3), run(Tiny(), seed=4)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["weight"], other["weight"])


def test_moving_average_follows_its_definition() -> None:
    class Averaged(Tiny):
        recipe = replace(RECIPE, ema=0.9)

    seen: list[torch.Tensor] = []

    class Spy(Tiny):
        def loss(self, network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
            seen.append(network.weight.detach().clone())  # type: ignore[operator, union-attr]
            return super().loss(network, batch)

    final = run(Averaged(), steps=12)["weight"]
    last = run(Spy(), steps=12)["weight"]
    # what step k + 1 sees are the weights after step k
    after_steps = [*seen[1:], last]
    average = after_steps[0]
    for step, weights in enumerate(after_steps[1:], start=1):
        decay = min(0.9, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * weights
    torch.testing.assert_close(final, average)


def test_accumulated_batches_equal_one_large_batch() -> None:
    class Two(Tiny):
        recipe = replace(RECIPE, batch_size=2, accumulate=2)

    class Four(Tiny):
        recipe = replace(RECIPE, batch_size=4)

    two, four = run(Two(), steps=5), run(Four(), steps=5)
    torch.testing.assert_close(two["weight"], four["weight"], atol=1e-5, rtol=1e-4)


def test_a_loss_that_is_no_number_is_named_with_its_step() -> None:
    class Bad(Tiny):
        calls = 0

        def loss(self, network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
            self.calls += 1
            terms = dict(super().loss(network, batch))
            return terms | {"extra": terms["l1"] * (math.nan if self.calls == 3 else 0)}

    with pytest.raises(HsbenchError, match=r"nan at step 3 of 10 \(l1 .*extra nan\)"):
        run(Bad(), steps=10)


def test_a_self_supervised_method_is_never_handed_a_reference() -> None:
    class Blind(Tiny):
        recipe = replace(RECIPE, supervision="none")

    with pytest.raises(HsbenchError, match="self-supervised"):
        run(Blind())
    example = replace(make_example(2), hr_hsi=None)
    assert PatchSampler([example], 16, flips=True, seed=0).draw(2).hr_hsi is None


def test_parts_have_rates_of_their_own() -> None:
    frozen = RECIPE.changed({"part_rates.weight": "1e-30", "learning_rate": "0.5"})
    start = run(Tiny(), steps=1)
    outcome = train(Tiny(), [make_example(2)], frozen, steps=3, seed=0, device=CPU)
    torch.manual_seed(0)
    fresh = Tiny().build(Problem(5, 3, 4, 2.0)).state_dict()
    after = outcome.network.state_dict()
    assert torch.equal(after["weight"], fresh["weight"])
    assert (after["bias"] - fresh["bias"]).abs().min() > 0.05
    assert not torch.equal(start["weight"], fresh["weight"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"speed": "3"}, "no number 'speed'"), ({"patch": "3.5"}, "whole number"), ({"learning_rate": "-1"}, "positive")],
)
def test_changes_of_a_recipe_are_checked(changes: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        RECIPE.changed(changes)
