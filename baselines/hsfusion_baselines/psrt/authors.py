"""Reading PSRT checkpoints that its authors released."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from hsfusion_baselines.blocks.authors import read_state, translate
from hsfusion_baselines.psrt.network import PSRT

__all__ = ["authors_state_to_ours", "read_authors_checkpoint"]

_NAMES = (
    (r"^conv\.0\.", "output."),
    (r"^w\.conv\.", "embed."),
    (r"^w\.layers\.(\d+)\.layers\.(\d+)\.", r"pyramids.\1.\2."),
    (r"\.WA1\.", ".first."),
    (r"\.WA2\.", ".shuffled."),
    (r"\.WA3\.", ".last."),
    (r"\.norm1\.", ".attention_norm."),
    (r"\.norm2\.", ".feed_forward_norm."),
    (r"\.attn\.proj\.", ".attention.project."),
    (r"\.attn\.", ".attention."),
    (r"\.mlp\.fc1\.", ".feed_forward.0."),
    (r"\.mlp\.fc2\.", ".feed_forward.2."),
)


def read_authors_checkpoint(path: Path, network: PSRT) -> dict[str, Tensor]:
    """Read a released file for a network: its authors' ``best.pth.tar``, or one that HIFtool's script wrote.

    Raises
    ------
    ValueError
        If the file is no such file, or does not fit the network; the message says what does not fit.
    OSError
        If the file cannot be opened.
    """
    state = read_state(path, ("state_dict", "net"), "model.", "PSRT")
    try:
        return authors_state_to_ours(state, network)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def authors_state_to_ours(state: Mapping[str, Tensor], network: PSRT) -> dict[str, Tensor]:
    """Return a state of the authors' network for ``network.load_state_dict``, see `translate`."""
    return translate(state, _NAMES, network)
