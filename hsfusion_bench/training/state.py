"""The state of a training on disk: all that is needed to go on, and for which training it was.

It is written by torch without pickled objects, whole or not at all, and read with `weights_only`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import torch

from hsfusion_bench.claims import require_packed
from hsfusion_bench.errors import HsbenchError, out_of_memory
from hsfusion_bench.files import replacing

SCHEMA: Final = "hsfusion-bench/training/1"

_ADVICE = "--resume never starts anew, in its place"

Identity = Mapping[str, Any]
"""All that decides a training's outcome, as plain JSON."""


def identity_digest(identity: Identity) -> str:
    """Return the SHA-256 of an identity."""
    return sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def write_state(path: Path, identity: Identity, state: Mapping[str, Any]) -> None:
    """Write a state.

    Raises
    ------
    HsbenchError
        If it cannot be written; the state that lay there is untouched.
    """
    content = {"schema": SCHEMA, "identity": json.dumps(identity, sort_keys=True), "state": dict(state)}
    with replacing(path) as temporary:
        try:
            torch.save(content, temporary)
        except RuntimeError as error:  # torch's word for a full disk
            raise OSError("it could not be written") from error


def read_state(path: Path, identity: Identity) -> dict[str, Any]:
    """Read a state of the very same training.

    Raises
    ------
    HsbenchError
        If it is damaged, of another version, or of another training; the message names what differs.
    """
    content = _read(path)
    kept = json.loads(content["identity"])
    wanted = json.loads(json.dumps(identity))
    differing = [
        "the method's code has changed" if name == "code" else f"{name} was {kept.get(name)!r}, is {wanted.get(name)!r}"
        for name in sorted({*kept, *wanted})
        if kept.get(name) != wanted.get(name)
    ]
    if differing:
        raise HsbenchError(f"{path} is the state of another training: {'; '.join(differing)}. {_ADVICE}")
    state: dict[str, Any] = content["state"]
    return state


def read_identity(path: Path) -> Identity:
    """Return for which training a state is; raises as `read_state`."""
    identity: Identity = json.loads(_read(path)["identity"])
    return identity


def _read(path: Path) -> dict[str, Any]:
    require_packed(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files make torch raise anything
        if reason := out_of_memory(error):
            raise HsbenchError(f"{path} cannot be read: {reason}") from error
        raise HsbenchError(f"{path} is not the state of a training, or is damaged. {_ADVICE}") from error
    kept = content if isinstance(content, dict) else {}
    if kept.get("schema") != SCHEMA or [type(kept.get(key)) for key in ("identity", "state")] != [str, dict]:
        raise HsbenchError(f"{path} is not the state of a training that this version can read. {_ADVICE}")
    return kept
