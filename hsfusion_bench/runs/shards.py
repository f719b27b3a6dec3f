"""Records of parts of a split, as several machines make them by ``--scenes``, joined to those of all their scenes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hsfusion_bench.data.observing.protocols import choice_of
from hsfusion_bench.data.task import open_task
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.runs.account import summary_of
from hsfusion_bench.runs.joining import identity, joined
from hsfusion_bench.runs.records import Record, SceneResult


def join_shards(shards: Mapping[Path, Record]) -> list[Record]:
    """Join records of the same method, data, weights and versions; machines may differ, and are told by scene.

    Parameters
    ----------
    shards
        Records by their files.

    Returns
    -------
    One record of each method and task, of the scenes that any of the shards scored.

    Raises
    ------
    HsbenchError
        If two are of one method and task, and yet not of the same run; or score a scene otherwise; or none was scored.
    """
    groups: dict[tuple[object, ...], dict[Path, Record]] = {}
    for path, record in shards.items():
        told = record.dataset
        same = (record.method.name, record.method.variant, record.seed, told.name, told.scale, told.protocol)
        groups.setdefault(same, {})[path] = record
    return [_joined(members) for members in groups.values()]


def _joined(members: Mapping[Path, Record]) -> Record:
    (first_path, first), *others = members.items()
    for path, record in others:
        if (key := _difference(first, record)) is not None:
            raise HsbenchError(
                f"{path} and {first_path} are not of the same run: they differ in {key}. Only records that differ in "
                "scenes and machines can be joined"
            )
    done: dict[str, Record] = {}
    of: dict[str, Path] = {}
    for path, record in members.items():
        for name, scene in _scenes(record):
            if name in done and done[name].scenes != scene.scenes:
                raise HsbenchError(f"{path} and {of[name]} both have scene {name}, with other numbers: leave one out")
            done.setdefault(name, scene)
            of.setdefault(name, path)
    if not done:
        raise HsbenchError(f"{first_path}: no scene was scored, so that there is nothing to join")
    scenes = [SceneResult(name=name, digest=None) for name in _in_order(first, done)]
    plain = first.model.model_copy(update={"flops": None, "tiles": None})
    account = first.model_copy(update={"scenes": scenes, "model": plain, "pictures": None, "elsewhere": None})
    return joined(account, done)


def _difference(one: Record, other: Record) -> str | None:
    """Return what differs of two records beside scenes and machine, as a path of their keys; None: nothing does."""
    mine, its = (_flat(identity(record, machine=False) | {"further": record.further}) for record in (one, other))
    return next((key for key in {**mine, **its} if mine.get(key) != its.get(key)), None)


def _flat(value: object, path: str = "") -> dict[str, object]:
    if not isinstance(value, dict):
        return {path: value}
    found: dict[str, object] = {}
    for key, part in value.items():
        found |= _flat(part, f"{path}.{key}" if path else str(key))
    return found


def _scenes(record: Record) -> Iterator[tuple[str, Record]]:
    """Give each scene that was scored as a record of its own."""
    for scene in record.scenes:
        if scene.psnr is None:
            continue
        changes: dict[str, Any] = {
            "status": "ok",
            "error": None,
            "dataset": record.dataset.model_copy(update={"scenes": 1}),
            "scenes": [scene],
            "summary": summary_of([scene]),
            "environment": record.environment | (record.elsewhere or {}).get(scene.name, {}),
            "elsewhere": None,
        }
        yield scene.name, record.model_copy(update=changes)


def _in_order(record: Record, names: Mapping[str, Record]) -> Sequence[str]:
    """Return scenes in the order of the split where that is known here, else as they came."""
    told = record.dataset
    try:
        task = open_task(told.name, told.scale, protocol=choice_of(told.protocol), partial=True)
    except HsbenchError:
        return list(names)
    ordered = [name for name in task.plan.asked if name in names]
    return [*ordered, *(name for name in names if name not in ordered)]
