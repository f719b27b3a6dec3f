"""``hsbench list``: what there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from hsfusion_bench.cli.verbs import refuse_renamed
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.terminal import echo

if TYPE_CHECKING:
    from hsfusion_bench.methods import Card
    from hsfusion_bench.registry import Entry


class _What(click.Choice[str]):
    """What can be listed; what is listed elsewhere by now says where."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        refuse_renamed(f"list {value}")
        return super().convert(value, param, ctx)


@click.command("list", short_help="List methods, protocols, metrics or camera responses.")
@click.argument("what", type=_What(["methods", "protocols", "metrics", "responses"]))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "exported", metavar="NAME", help="Print one of the responses, or a FILE[:KEY] of yours, as CSV.")
def command(what: str, as_json: bool, exported: str | None) -> None:
    """List the methods, protocols, metrics or camera responses that can be used here.

    `hsbench data list` has the data sets.

    \b
    Examples:
      hsbench list methods
      hsbench list metrics --json
      hsbench list responses --csv A > camera.csv
    """
    from hsfusion_bench.terminal import json_text, print_table

    if exported is not None:
        if what != "responses" or as_json:
            raise UsageError("--csv NAME goes with `hsbench list responses`, and without --json")
        _print_response(exported)
        return
    listed = {"methods": _methods, "protocols": _protocols, "metrics": _metrics, "responses": _responses}
    found, heads, row = listed[what]()
    if as_json:
        echo(json_text(found))
    else:
        print_table(heads, [row(each) for each in found])


_Fact = dict[str, Any]
#: Seconds that a stranger's import may take; what it prints is not part of the list.
_IMPORT_LIMIT = 60.0
_Listed = tuple[list[_Fact], list[str], Callable[[_Fact], list[str]]]


def _methods() -> _Listed:
    from hsfusion_bench.registry import clashes, entries

    found: list[_Fact] = []
    for entry in entries().values():
        origin = {"kind": entry.origin.kind, "distribution": entry.origin.distribution, "version": entry.origin.version}
        try:
            card = entry.card or _card_apart(entry)
        except HsbenchError as error:
            what = dict.fromkeys(("title", "family", "year", "uses"))
            found.append({"name": entry.name, **what, "origin": origin, "error": str(error)})
            echo(f"warning: {error}", err=True)
            continue
        what = {"title": card.title, "family": card.family, "year": card.year, "uses": sorted(card.uses)}
        found.append({"name": entry.name, **what, "origin": origin, "error": None})
    for entry in clashes():
        echo(f"warning: method {entry.name!r} of {entry.origin} is hidden by another of that name", err=True)

    def row(each: _Fact) -> list[str]:
        origin = each["origin"]
        # what is shipped is most of the list, and of one version
        place = "hsbench" if origin["kind"] == "shipped" else f"{origin['distribution']} {origin['version']}"
        if each["error"]:
            return [each["name"], "(cannot be imported)", "", "", "", place]
        year, uses = str(each["year"] or ""), ", ".join(each["uses"]) or "-"
        return [each["name"], each["title"], each["family"], year, uses, place]

    return found, ["name", "title", "family", "year", "uses", "from"], row


def _card_apart(entry: Entry) -> Card:
    """Import a stranger's method in a process of its own, whose end or endless import costs one line."""
    from hsfusion_bench.children.calling import DiedError, call

    try:
        return call(_card_of, entry.name, time_limit=_IMPORT_LIMIT, quiet=True)
    except DiedError as error:
        raise HsbenchError(f"method {entry.name!r} of {entry.origin}: {error}") from error


def _card_of(name: str) -> Card:
    from hsfusion_bench.registry import find

    return find(name).load().card


def _protocols() -> _Listed:
    from hsfusion_bench.data.observing.protocols import load_protocol, protocol_names

    found: list[_Fact] = []
    for name in protocol_names():
        protocol = load_protocol(name)
        blur = protocol.blur
        sigma = str(blur.sigma) if blur.sigma else None
        found.append(
            {
                "name": name,
                "title": protocol.title,
                "scales": list(protocol.scales),
                "blur": {"kind": blur.kind, "size": str(blur.size), "sigma": sigma, "boundary": blur.boundary},
                "phases": [protocol.phase(scale) for scale in protocol.scales],
                "response": protocol.response.name,
                "crop": protocol.crop,
                "splits": sorted(protocol.splits),
            }
        )

    def row(each: _Fact) -> list[str]:
        blur = each["blur"]
        kernel = f"{blur['kind']} {blur['size']}" + (f", σ {blur['sigma']}" if blur["sigma"] else "")
        scales = ", ".join(f"×{scale}" for scale in each["scales"])
        phases = ", ".join(f"{phase:g}" for phase in each["phases"])
        splits = ", ".join(each["splits"]) or "-"
        told = [scales, kernel, blur["boundary"], phases, each["response"], each["crop"], splits]
        return [each["name"], each["title"], *told]

    heads = ["name", "title", "scales", "blur (r = scale)", "border", "phases", "response", "crop", "splits of"]
    return found, heads, row


def _metrics() -> _Listed:
    from hsfusion_metrics import METRICS, PUBLISHED_METRICS

    found: list[_Fact] = [
        {
            "name": name,
            "title": metric.title,
            "unit": metric.unit or None,
            "better": metric.better,
            "matlab_field": metric.matlab_field or None,
            "description": metric.description,
        }
        for name, metric in (*METRICS.items(), *PUBLISHED_METRICS.items())
    ]

    def row(each: _Fact) -> list[str]:
        return [text or "-" for text in each.values()]

    return found, ["name", "title", "unit", "better", "in MATLAB", "what it is"], row


def _responses() -> _Listed:
    from hsfusion_bench.data.observing.named_responses import load_response, response_names
    from hsfusion_bench.data.observing.responses import Bands, Table

    found: list[_Fact] = []
    for name in response_names():
        camera = load_response(name)
        assert isinstance(camera, Bands | Table)  # what ships
        if isinstance(camera, Table):
            kind, nm = "table", camera.wavelengths
            edges = None
        else:
            kind, nm = camera.model, tuple(edge for band in camera.bands for edge in (band.lower, band.upper))
            edges = [[band.lower, band.upper] for band in camera.bands]
        found.append(
            {
                "name": name,
                "title": camera.title,
                "kind": kind,
                "channels": list(camera.channels),
                "wavelengths": {"first": min(nm), "last": max(nm), "count": len(nm) if edges is None else None},
                "edges": edges,
                "source": " ".join(camera.source.split()),
            }
        )

    def row(each: _Fact) -> list[str]:
        nm = each["wavelengths"]
        kind = f"table of {nm['count']}" if nm["count"] else each["kind"]
        reach = f"{nm['first']:g}–{nm['last']:g}"
        return [each["name"], each["title"], ", ".join(each["channels"]), reach, kind, each["source"]]

    return found, ["name", "title", "channels", "nm", "kind", "source"], row


def _print_response(name: str) -> None:
    from hsfusion_bench.data.observing.named_responses import load_response
    from hsfusion_bench.data.observing.response_files import response_csv

    echo(response_csv(load_response(name)), nl=False)
