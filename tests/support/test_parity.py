"""The fill rule and the test images equal the values recorded with the fixtures."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch

from support import parity

INDEX = json.loads((parity.COMMITTED / "index.json").read_text(encoding="utf-8"))


def test_unit_equals_the_recorded_doubles() -> None:
    # Another sine in the last place moves the value by 1e-11; a fused multiply-add by 1e-4.
    recorded = [0.740084824198675, 0.5643951276688313, 0.4547492608326138]
    assert parity.unit(0, 3).tolist() == pytest.approx(recorded, abs=1e-9)


def test_unit_holds_far_from_the_origin() -> None:
    assert parity.unit(5, 1_000_000)[-1] == pytest.approx(0.5798730729366071, abs=1e-9)


def test_image_equals_the_recorded_values() -> None:
    first = parity.image(1, 31, 16, 16)
    assert first[0, 0, 0, 0].item() == 0.7248191833496094
    assert first.double().sum().item() == pytest.approx(4047.9687860682607, rel=1e-12)
    assert parity.image(2, 3, 64, 64)[0, 1, 10, 20].item() == 0.4433059096336365


def test_fill_applies_the_first_rule_that_matches() -> None:
    # 2h - 1, by hand, from the recorded unit(0, 3).
    u = torch.tensor([0.48016964839735, 0.1287902553376626, -0.0905014783347724], dtype=torch.float64)
    expected = {
        "a.running_var": 1 + 0.25 * (u + 1),
        "a.running_mean": 0.1 * u,
        "norm.weight": 1 + 0.1 * u,
        "conv.bias": 0.1 * u,
    }
    for name, value in expected.items():
        torch.testing.assert_close(parity.fill([(name, [3])], 0.5)[name], value.float(), rtol=1e-7, atol=0)
    matrix = parity.fill([("conv.weight", [1, 3])], 0.5)["conv.weight"]
    torch.testing.assert_close(matrix, 0.5 * u.float()[None], rtol=1e-6, atol=0)


def test_fill_keeps_unfilled_and_adjusts_afterwards() -> None:
    manifest = [("slope", [1]), ("counter", []), ("x.weight", [2, 3]), ("y.weight", [2, 3]), ("z", [1])]
    unfilled = [{"name": "slope", "value": [0.25]}, {"name": "counter"}]
    plain = parity.fill(manifest, 1.0, unfilled=unfilled)
    state = parity.fill(manifest, 1.0, {"x.weight": "abs", "y.weight": "times 10", "z": 3.0}, unfilled)
    assert set(state) == {"slope", "x.weight", "y.weight", "z"}
    assert state["slope"].tolist() == [0.25]
    assert (plain["x.weight"] < 0).any()
    assert torch.equal(state["x.weight"], plain["x.weight"].abs())
    assert torch.equal(state["y.weight"], plain["y.weight"] * 10)
    assert state["z"].tolist() == [3.0]


@pytest.mark.parametrize("name", INDEX)
def test_stored_arrays_are_untouched(name: str) -> None:
    content = (parity.COMMITTED / INDEX[name]["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == INDEX[name]["sha256"]
