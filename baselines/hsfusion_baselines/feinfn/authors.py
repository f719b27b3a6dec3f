"""Reading FeINFN checkpoints that its authors' code wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from hsfusion_baselines.blocks.checkpoint import load_plain
from hsfusion_baselines.feinfn.network import FeINFN

__all__ = ["authors_state_to_ours", "read_authors_checkpoint"]

_RENAMED = (
    (r"(spatial|spectral)_encoder\.head\.0", r"\1_encoder.head"),
    (r"(spatial|spectral)_encoder\.body\.([0-3])\.body\.0", r"\1_encoder.blocks.\2.conv1"),
    (r"(spatial|spectral)_encoder\.body\.([0-3])\.body\.2", r"\1_encoder.blocks.\2.conv2"),
    (r"(spatial|spectral)_encoder\.body\.4", r"\1_encoder.tail"),
    (r"imnet\.layers\.0", r"spatial_fusion.first"),
    (r"imnet\.layers\.2", r"spatial_fusion.rest.0"),
    (r"imnet\.layers\.4", r"spatial_fusion.rest.1"),
    (r"freq_query\.imnet1\.layers\.0", r"frequency_fusion.amplitude.first"),
    (r"freq_query\.imnet1\.layers\.2", r"frequency_fusion.amplitude.rest.0"),
    (r"freq_query\.imnet1\.layers\.4", r"frequency_fusion.amplitude.rest.1"),
    (r"freq_query\.imnet2\.layers\.0\.0", r"frequency_fusion.phase.layers.0.pointwise"),
    (r"freq_query\.imnet2\.layers\.0\.1", r"frequency_fusion.phase.layers.0.depthwise"),
    (r"freq_query\.imnet2\.layers\.2\.0", r"frequency_fusion.phase.layers.1.pointwise"),
    (r"freq_query\.imnet2\.layers\.2\.1", r"frequency_fusion.phase.layers.1.depthwise"),
    (r"freq_query\.imnet2\.layers\.4\.0", r"frequency_fusion.phase.layers.2.pointwise"),
    (r"freq_query\.imnet2\.layers\.4\.1", r"frequency_fusion.phase.layers.2.depthwise"),
    (r"decoder\.K\.(\d)\.0", r"decoder.layers.\1.gate"),
    (r"decoder\.Q\.(\d)\.0", r"decoder.layers.\1.wave"),
    (r"decoder\.Q\.(\d)\.1\.omega_0", r"decoder.layers.\1.activation.omega"),
    (r"decoder\.Q\.(\d)\.1\.scale_0", r"decoder.layers.\1.activation.scale"),
    (r"decoder\.last_layer", r"decoder.output"),
)

# Colour shifts that are never applied, the high-pass kernel and the position table, which are fixed.
_UNUSED = re.compile(r"(spatial|spectral)_encoder\.(sub|add)_mean\.(weight|bias)|hp\.kernel|pe\.pe")

_SHOWN = 5


def read_authors_checkpoint(path: Path) -> dict[str, Tensor]:
    """Read a file that holds the state dictionary of the authors' network.

    Parameters
    ----------
    path
        What ``torch.save`` wrote of the state.

    Returns
    -------
    dict of Tensor
        A state for `FeINFN`, on the CPU.

    Raises
    ------
    ValueError
        If the file holds no such state; the message says what does not fit.
    OSError
        If the file cannot be opened.
    """
    content = load_plain(path)
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise ValueError(f"{path} is not a FeINFN checkpoint: it is not a dictionary of tensors")
    try:
        return authors_state_to_ours(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def authors_state_to_ours(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state of the authors' network under the names of `FeINFN`.

    Numbers that the authors' state carries without effect are dropped: 48 of unused colour shifts, and two
    fixed buffers. The authors' 1x1 convolutions are linear layers here.

    Parameters
    ----------
    state
        The authors' names and tensors, for the published options and any number of bands.

    Returns
    -------
    dict of Tensor
        A state for ``FeINFN(bands, msi_bands).load_state_dict``; the tensors share memory with `state`.

    Raises
    ------
    ValueError
        If names or shapes are not those of the published network; the message gives the first of them.
    """
    ours = {_rename(name): tensor for name, tensor in state.items() if not _UNUSED.fullmatch(name)}
    expected = _expected(ours)
    problems = [f"lacks {name}" for name in expected if name not in ours]
    problems += [f"has an unknown {name}" for name in ours if name not in expected]
    for name, tensor in ours.items():
        if name in expected and _matrix(tensor).shape != expected[name].shape:
            problems.append(f"has {name} of {tuple(tensor.shape)}, not {tuple(expected[name].shape)}")
    if problems:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise ValueError(
            f"not a state of the published FeINFN (names as in this package): it {'; '.join(problems[:_SHOWN])}{more}"
        )
    return {name: _matrix(ours[name]) for name in expected}


def _rename(name: str) -> str:
    stem, dot, kind = name.rpartition(".")
    if kind not in ("weight", "bias"):
        stem, dot, kind = name, "", ""
    for theirs, ours in _RENAMED:
        match = re.fullmatch(theirs, stem)
        if match:
            return match.expand(ours) + dot + kind
    return name


def _expected(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the shapes of the published network for the bands of `state`, as tensors without memory."""
    heads = [state.get(f"{encoder}_encoder.head.weight") for encoder in ("spatial", "spectral")]
    both, bands = (head.shape[1] if head is not None and head.ndim == 4 else 0 for head in heads)
    with torch.device("meta"):
        published = FeINFN(bands, both - bands, implicit=_implicit(state)) if both > bands > 0 else FeINFN()
    return published.state_dict()


def _implicit(state: Mapping[str, Tensor]) -> int:
    """Return the width of the query's feature, one less than what its last layer gives."""
    last = state.get("spatial_fusion.rest.1.weight")
    return last.shape[0] - 1 if last is not None and last.ndim > 1 and last.shape[0] > 1 else 32


def _matrix(tensor: Tensor) -> Tensor:
    """Return a 1x1 kernel as the matrix of a linear layer, anything else as it is."""
    if tensor.ndim == 4 and tensor.shape[2:] == (1, 1):
        return tensor[:, :, 0, 0]
    return tensor
