"""The results that come with the package: records, speeds and weights that were made by its maintainers.

They are the folder ``results`` of the repository; the wheel carries a copy.
"""

from __future__ import annotations

import functools
import logging
from pathlib import Path

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import slug
from hsfusion_bench.methods import Problem
from hsfusion_bench.runs.records import Store, read_record

_LOG = logging.getLogger("hsfusion_bench")
_PACKAGE = Path(__file__).parents[1]


def recorded_root() -> Path:
    """Return the folder of the results that come with the package.

    In a wheel it lies inside the package; in a checkout, which an editable install points to, beside it.
    """
    inside = _PACKAGE / "results"
    return inside if inside.is_dir() else _PACKAGE.parent / "results"


def robustness_root() -> Path:
    """Return the folder of the results under changed conditions that come with the package."""
    return recorded_root() / "robustness"


def recorded_store() -> Store:
    """Return the store of the records that come with the package."""
    return Store(recorded_root())


def recorded_parameters(name: str, problem: Problem) -> tuple[int, int] | None:
    """Return how many parameters a shipped network has, and how many of them are trained, by the records.

    A test builds each network of a record and counts, so that records of earlier versions tell, too.

    Parameters
    ----------
    name
        Of the method, with its default options.
    problem
        What it is built for; its phase changes no network's size.

    Returns
    -------
    tuple or None
        None if no record has this network for these bands and this scale: it is to be built, then.
    """
    for path in recorded_store().record_files():
        if path.stem != slug(name):
            continue
        try:
            record = read_record(path)
        except HsbenchError:  # `leaderboard` names it
            continue
        method, dataset, model = record.method, record.dataset, record.model
        is_it = (method.name, method.origin, method.changed) == (name, "shipped", [])
        for_it = (dataset.bands, dataset.msi_bands, dataset.scale) == (problem.bands, problem.msi_bands, problem.scale)
        if is_it and for_it and model.parameters is not None and model.trainable is not None:
            return model.parameters, model.trainable
    return None


@functools.cache
def say_once(line: str) -> None:
    """Log a line about a file of the package that is damaged: once, however often it is met."""
    _LOG.warning(line)
