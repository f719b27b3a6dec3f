"""States of the authors' networks under the names of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from hsfusion_baselines.blocks.checkpoint import load_plain

__all__ = ["read_state", "translate"]


def read_state(path: Path, keys: Sequence[str], prefix: str, title: str) -> dict[str, Tensor]:
    """Read the state that a training script saved as ``{key: state}``.

    Parameters
    ----------
    path
        What ``torch.save`` wrote.
    keys
        Where in the file's dictionary the state may be; the first that is there is read.
    prefix
        What stands before every name, and is removed where it does.
    title
        The network's name, for messages.

    Returns
    -------
    dict of Tensor
        The authors' names and tensors, on the CPU.

    Raises
    ------
    ValueError
        If the file is no such file.
    OSError
        If the file cannot be opened.
    """
    content = load_plain(path)
    state = next((content[key] for key in keys if key in content), None) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        told = " or ".join(repr(key) for key in keys)
        raise ValueError(f"{path} is not a {title} checkpoint: it holds no tensors under the key {told}")
    return {name.removeprefix(prefix): tensor for name, tensor in state.items()}


def translate(
    state: Mapping[str, Tensor], names: Sequence[tuple[str, str]], network: nn.Module, unused: str = ""
) -> dict[str, Tensor]:
    """Return a state of the authors' network under the names of ours.

    Parameters
    ----------
    state
        The authors' names and tensors.
    names
        Regular expressions of the authors' names and what replaces them, applied one after the other.
    network
        The network that the state is for.
    unused
        Regular expression of the authors' names that do not reach the result and that ours has not; empty: none.

    Returns
    -------
    dict of Tensor
        A state for ``network.load_state_dict``; the tensors share memory with `state`.

    Raises
    ------
    ValueError
        If names or shapes do not fit the network; the message gives the first of them and their number.
    """
    ours = {_rename(name, names): tensor for name, tensor in state.items() if not re.fullmatch(unused, name)}
    expected = network.state_dict()
    problems = [f"lacks {name}" for name in expected if name not in ours]
    problems += [f"has {name}, which the network does not" for name in ours if name not in expected]
    problems += [
        f"has {name} of {tuple(ours[name].shape)} where the network's is {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in ours and ours[name].shape != tensor.shape
    ]
    if problems:
        more = f" (and {len(problems) - 1} more differences)" if len(problems) > 1 else ""
        raise ValueError(f"the state does not fit (names as in this package): it {problems[0]}{more}")
    return {name: ours[name] for name in expected}


def _rename(name: str, names: Sequence[tuple[str, str]]) -> str:
    for theirs, ours in names:
        name = re.sub(theirs, ours, name)
    return name
