import numpy as np
import pytest

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods import Card, FunctionMethod, Observation, Recipe


def observation(**changes: object) -> Observation:
    parts: dict[str, object] = {
        "lr_hsi": np.zeros((5, 4, 6), np.float32),
        "hr_msi": np.zeros((3, 16, 24), np.float32),
        "scale": 4,
        "phase": 2.0,
        "psf": np.ones((1, 1)),
        "srf": np.ones((3, 5)) / 5,
    }
    return Observation(**(parts | changes))  # type: ignore[arg-type]


def test_shape_is_that_of_the_result() -> None:
    assert observation().shape == (5, 16, 24)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scale": 8}, "belongs to an HR-MSI of"),
        ({"lr_hsi": np.zeros((4, 6), np.float32)}, "[bands, height, width]"),
        ({"srf": np.ones((3, 4))}, "spectral response"),
    ],
)
def test_shapes_that_disagree_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(HsbenchError) as caught:
        observation(**changes)
    assert words in str(caught.value)


def test_blind_methods_see_neither_psf_nor_srf() -> None:
    blind = observation().seen_by(Card("a", "A", "classical"))
    assert blind.psf is None
    assert blind.srf is None
    half = observation().seen_by(Card("a", "A", "classical", uses=frozenset({"srf"})))
    assert half.psf is None
    assert half.srf is not None


def test_a_function_declares_its_truths_by_attribute() -> None:
    def function(seen: Observation) -> object:
        return seen.lr_hsi

    function.uses = {"psf"}  # type: ignore[attr-defined]
    method = FunctionMethod(function, "mine")  # type: ignore[arg-type]
    assert method.card.uses == {"psf"}
    assert method.card.name == "mine"


def test_unknown_family_is_refused() -> None:
    with pytest.raises(HsbenchError, match="classical, cnn, inr"):
        Card("a", "A", "magic")  # type: ignore[arg-type]


def test_steps_of_the_published_feinfn_recipe() -> None:
    # 3136 patches in batches of 4, two batches a step: 392 steps an epoch, 2000 epochs
    recipe = Recipe("reference", "adamw", 2e-4, 1e-5, 300, 2000, 3136, 4, 64, "", "", accumulate=2)
    assert recipe.steps_per_epoch == 392
    assert recipe.steps == 784_000
