"""Which methods a run is about, and what may not be said of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.run_options import given_options
from hsfusion_bench.errors import UsageError

if TYPE_CHECKING:
    from hsfusion_bench.runs.contenders import Contender
    from hsfusion_bench.studies.roster import Member
    from hsfusion_bench.studies.study import Study


def members_of(words: Sequence[str], where: Path | None, *, apart: bool) -> list[Member]:
    """Return the methods that words of the command line, or of a file, stand for; raises as `chosen_methods`."""
    from hsfusion_bench.studies.roster import chosen_methods

    try:
        return chosen_methods(words, apart=apart)
    except UsageError as error:
        if where is None:
            raise
        raise UsageError(f"{where}: methods: {error}") from error


def looked_at(study: Study, members: Sequence[Member]) -> tuple[list[Contender], set[str]]:
    """Set the options of the methods, to refuse wrong ones; return them, and which are known to be no networks.

    Those of others are imported in processes of their own, and only if something is said of them.
    """
    from hsfusion_bench.methods import NetworkMethod
    from hsfusion_bench.runs.contenders import Contender
    from hsfusion_bench.studies.apart import check_apart

    contenders, classical = [], set[str]()
    about_networks = study.train or study.seeds != (0,)
    for member in members:
        settings = study.settings.get(member.name)
        if not member.apart:
            contenders.append(Contender.of(member.spec, settings))
            continue
        contenders.append(Contender(member.name, member.origin, None))
        asked = about_networks or member.name in study.weights or member.name in study.max_steps
        if (settings or asked) and not check_apart(member.spec, settings or {}, train=study.train):
            classical.add(member.name)
    for contender in contenders:
        if contender.recipe_changes and not study.train:
            number = next(iter(contender.recipe_changes))
            raise UsageError(f"--set {contender.name}.{number} is about training: add --train")
    classical |= {each.name for each in contenders if each.method and not isinstance(each.method, NetworkMethod)}
    return contenders, classical


def refuse_without_effect(context: click.Context, study: Study, names: Sequence[str], classical: set[str]) -> None:
    """Refuse options about networks where none, or not that method, is one; of what was not imported nobody knows."""
    told = study.observing
    if not study.sweeps:  # which may state what a seed is of, and look themselves
        if study.noise_seeds != (0,) and told.snr_hsi is None and told.snr_msi is None:
            raise UsageError("--noise-seed is about noise: add --snr-hsi or --snr-msi")
        if told.dead_seed and not told.dead_lines:
            raise UsageError("--dead-seed is about dead lines: add --dead-lines")
    if study.max_steps and not study.train:
        raise UsageError("--max-steps is about training: add --train")
    for option, table in (("--weights", study.weights), ("--max-steps", study.max_steps)):
        for name, value in table.items():
            if name in classical:
                raise UsageError(f"{option} {name}={value}: {name} is not a network, and has no weights")
    if study.train and (both := [name for name in names if name in study.weights]):
        raise UsageError(
            f"--weights {both[0]}=... and --train: weights are given to a method, or trained; leave one out"
        )
    seeded = "seed" in given_options(context) or study.seeds != (0,)
    if len(classical) < len(names):
        if seeded and not study.train and len(study.seeds) == 1:
            raise UsageError("--seed is that of a training: add --train")
        return  # of several seeds the plan says what becomes of them
    tiled = "tile" in given_options(context) or study.tile != "auto"
    for option, given in (("--train", study.train), ("--tile", tiled), ("--seed", seeded)):
        if given:
            raise UsageError(
                f"{option} is about networks, and none is among the methods ({', '.join(sorted(classical))})"
            )
