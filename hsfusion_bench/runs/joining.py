"""One record from those of its scenes, wherever they were computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hsfusion_bench.methods.weights import joined_digest
from hsfusion_bench.runs.account import status_of, summary_of
from hsfusion_bench.runs.records import Record, SceneResult, WeightsInfo

#: What of the environment is the program, and not the machine.
_PROGRAM: Final = "hsfusion-bench"


def identity(record: Record, *, machine: bool = True) -> dict[str, Any]:
    """Return all of a record that must agree before scenes of one run may be taken over into another.

    Parameters
    ----------
    record
        Of scenes, or of none.
    machine
        Whether they must be of one machine, too.
    """
    held = record.model_dump(exclude={"scenes", "summary", "status", "error", "model", "pictures", "elsewhere"})
    held["dataset"] = record.dataset.model_dump(exclude={"scenes"})
    if not machine:
        held["environment"] = held["environment"][_PROGRAM]
    return held


def joined(account: Record, done: Mapping[str, Record], *, error: str | None = None) -> Record:
    """Join the records of single scenes to that of the run.

    Parameters
    ----------
    account
        The record before any scene; it names them all, in their order.
    done
        Those that were scored, or could not be read.
    error
        Why the run stopped.
    """
    names = [scene.name for scene in account.scenes]
    parts = {name: done[name] for name in names if name in done}
    scenes = [parts[name].scenes[0] if name in parts else SceneResult(name=name, digest=None) for name in names]
    scored = {name: part for name, part in parts.items() if part.summary is not None}
    bad = next((f"{scene.name}: {scene.error}" for scene in scenes if scene.error is not None), None)
    first = next(iter(scored.values()), account)
    told = next((part.model for part in scored.values() if part.model != account.model), account.model)
    others = {
        name: {key: text for key, text in part.environment.items() if first.environment.get(key) != text}
        for name, part in scored.items()
        if part.environment != first.environment
    }
    return account.model_copy(
        update={
            "status": status_of(scenes),
            "error": error or bad,
            "dataset": account.dataset.model_copy(update={"scenes": len(scored)}),
            "scenes": scenes,
            "summary": summary_of(scenes),
            "model": told,
            "weights": _weights(account, scored),
            "environment": first.environment,
            "elsewhere": others or None,
        }
    )


def _weights(account: Record, scored: Mapping[str, Record]) -> WeightsInfo | None:
    """Return what the run has to say of its weights, also where each scene has its own."""
    own = {name: part.weights for name, part in scored.items() if part.weights is not None}
    first = next(iter(own.values()), None)
    if first is None or "/" not in first.file:
        return first or account.weights
    digest = joined_digest({name: each.sha256 for name, each in own.items()})
    return first.model_copy(update={"sha256": digest, "file": first.file.partition("/")[0]})
