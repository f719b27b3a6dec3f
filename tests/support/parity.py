"""Parity fixtures: weights and inputs made from a formula, and the outputs of the authors' networks on them.

A fixture says which tensors a published network holds (its *manifest*), fills them by a rule that needs no
random generator, and stores what the network gave. `tests/baselines/parity/PROVENANCE.md` tells where the
numbers come from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

COMMITTED = Path(__file__).parents[1] / "baselines" / "parity"
GOLDENS = "HSBENCH_GOLDENS"

Manifest = Sequence[tuple[str, Sequence[int]]]
State = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Fixture:
    """One entry of the index and the arrays that go with it."""

    entry: dict[str, Any]
    arrays: dict[str, npt.NDArray[np.float32]]

    def weights(self) -> State:
        """Return the filled state of the authors' network, by their names."""
        return fill(self.entry["manifest"], self.entry["gain"], self.entry["after_fill"], self.entry["unfilled"])

    def fill(self, network: nn.Module, unused: tuple[str, ...] = ()) -> None:
        """Load the weights into a network of ours that holds the same tensors in the same order under other names.

        Entries of the manifest whose names begin with one of `unused` have no counterpart. A matrix of theirs may be a
        1x1 convolution of ours.
        """
        weights, ours = self.weights(), network.state_dict()
        theirs = [(name, shape) for name, shape in self.entry["manifest"] if not name.startswith(unused)]
        pairs = list(zip(ours.items(), theirs, strict=True))
        wrong = [(key, name) for (key, tensor), (name, shape) in pairs if _core(tensor.shape) != _core(shape)]
        assert not wrong, wrong[:3]
        network.load_state_dict(
            {key: weights.get(name, tensor).reshape(tensor.shape) for (key, tensor), (name, _) in pairs}
        )

    def inputs(self) -> State:
        """Return the network's inputs, 1 x C x H x W, by the names that the fixture gives them."""
        return {
            name: image(*source["image"]) if "image" in source else torch.from_numpy(self.arrays[source["stored"]])
            for name, source in self.entry["inputs"].items()
        }

    def error(self, key: str, full: torch.Tensor) -> float:
        """Return the relative error of our `full` tensor against the (subsampled) stored one."""
        output = self.entry["outputs"][key]
        assert list(full.shape) == output["full_shape"], f"{key}: {list(full.shape)}"
        ours = full[tuple(slice(None, None, step) for step in output["step"])]
        return relative_error(ours, self.arrays[key])

    def tolerance(self, key: str) -> float:
        """Return the largest acceptable `error`."""
        return float(self.entry["outputs"][key]["tolerance"])


def _core(shape: Sequence[int]) -> list[int]:
    """Return a shape without the ones at its end."""
    core = list(shape)
    while core and core[-1] == 1:
        core.pop()
    return core


def load(name: str) -> Fixture:
    """Return a fixture from this repository, else from the folder in HSBENCH_GOLDENS, else skip the test."""
    folders = [COMMITTED]
    if os.environ.get(GOLDENS):
        folders.append(Path(os.environ[GOLDENS]) / "parity")
    for folder in folders:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        if name in index:
            with np.load(folder / index[name]["file"]) as stored:
                return Fixture(index[name], dict(stored))
    pytest.skip(f"fixture {name!r} is not committed and {GOLDENS} names no folder that has it")


def unit(i: int, n: int) -> npt.NDArray[np.float64]:
    """Return the `n` pseudo-random numbers in [0, 1) of entry `i`, in IEEE double."""
    k = np.arange(1, n + 1, dtype=np.float64)
    # Two statements: the products are rounded before they are summed.
    angle = 12.9898 * k
    angle += 78.233 * (i + 1)
    value = np.sin(angle) * 43758.5453
    return value - np.floor(value)


def fill(
    manifest: Manifest,
    gain: float,
    after_fill: Mapping[str, str | float] | None = None,
    unfilled: Iterable[Mapping[str, Any]] = (),
) -> State:
    """Return the float32 tensors of `manifest`.

    An `unfilled` entry appears with its recorded initial value, or not at all when there is none (counters
    and large buffers): those keep what the network's constructor gave them.
    """
    kept = {entry["name"]: entry for entry in unfilled}
    state: State = {}
    for i, (name, shape) in enumerate(manifest):
        if name not in kept:
            state[name] = _filled(i, name, shape, gain)
        elif "value" in kept[name]:
            state[name] = torch.tensor(kept[name]["value"], dtype=torch.float32).reshape(tuple(shape))
    for name, rule in (after_fill or {}).items():
        state[name] = _adjusted(state[name], rule)
    return state


def _filled(i: int, name: str, shape: Sequence[int], gain: float) -> torch.Tensor:
    h = unit(i, int(np.prod(shape, dtype=np.int64)))
    u = 2 * h - 1
    if name.endswith("running_var"):
        value = 1 + 0.5 * h
    elif name.endswith("running_mean"):
        value = 0.1 * u
    elif len(shape) >= 2:
        value = gain * u * np.sqrt(3 / (h.size / shape[0]))
    elif name.endswith("weight"):
        value = 1 + 0.1 * u
    else:
        value = 0.1 * u
    return torch.from_numpy(value.astype(np.float32).reshape(tuple(shape)))


def _adjusted(tensor: torch.Tensor, rule: str | float) -> torch.Tensor:
    if rule == "abs":
        return tensor.abs()
    if isinstance(rule, str):
        return tensor * float(rule.removeprefix("times "))
    return torch.full_like(tensor, rule)


def image(i: int, c: int, h: int, w: int) -> torch.Tensor:
    """Return the smooth, slightly noisy 1 x c x h x w float32 image number `i`, in [0, 1]."""
    b, row, col = np.meshgrid(np.arange(c), np.arange(h), np.arange(w), indexing="ij")
    y, x = row / max(h, w), col / max(h, w)
    smooth = 0.5 + 0.25 * np.sin(6 * x + 0.3 * b + i) * np.cos(5 * y - 0.2 * b)
    smooth += 0.15 * np.sin(40 * x * y + 0.1 * b)
    value = 0.9 * smooth + 0.1 * unit(1000 + i, c * h * w).reshape(c, h, w)
    return torch.from_numpy(value.astype(np.float32).clip(0, 1)[None])


def relative_error(
    a: torch.Tensor | npt.NDArray[np.floating[Any]], b: torch.Tensor | npt.NDArray[np.floating[Any]]
) -> float:
    """Return ||a - b|| / ||b||, computed in float64."""
    ours, reference = (
        np.asarray(t.detach().cpu() if isinstance(t, torch.Tensor) else t, dtype=np.float64) for t in (a, b)
    )
    assert ours.shape == reference.shape, f"{ours.shape} against {reference.shape}"
    return float(np.linalg.norm(ours - reference) / np.linalg.norm(reference))
