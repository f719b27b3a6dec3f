"""What the verbs of ``hsbench weights`` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hsfusion_bench.cli.numbers import SCALE

if TYPE_CHECKING:
    from hsfusion_bench.runs.weights.catalogue import Entry

_Function = TypeVar("_Function", bound=Callable[..., Any])


def selection_options(function: _Function) -> _Function:
    """Add ``--method``, ``--dataset`` and ``--scale``."""
    for option in (
        click.option("--scale", type=SCALE, help="Only those for this ratio."),
        click.option("--dataset", metavar="NAME", help="Only those for this data set."),
        click.option("--method", metavar="NAME", help="Only those of this method."),
    ):
        function = option(function)
    return function


def facts_of(entry: Entry) -> dict[str, Any]:
    """Return all that is known of weights, as JSON tells it."""
    record = entry.record
    return {
        "id": entry.id,
        "method": entry.method,
        "options": dict(entry.options),
        "dataset": entry.dataset,
        "scale": entry.scale,
        "protocol": entry.protocol,
        "bands": entry.bands,
        "msi_bands": entry.msi_bands,
        "from": entry.origin,
        "in_package": entry.download is None,
        "homepage": entry.homepage or None,
        "url": entry.download.url if entry.download else None,
        "sha256": entry.sha256,
        "size": entry.size,
        "budget": entry.budget,
        "licence": entry.licence,
        "terms": entry.terms,
        "only_if_named": entry.only_if_named,
        "psnr_mean": record.summary["psnr"].mean if record and record.summary else None,
        "psnr_std": record.summary["psnr"].std if record and record.summary else None,
        "scenes": record.dataset.scenes if record else None,
        "state": entry.state,
        "path": str(entry.path),
    }
