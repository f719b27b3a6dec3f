"""``hsbench show``: a method, a camera response, a record, the schema of one, or the kinds of files that are read."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import click

from hsfusion_bench.cli.numbers import BANDS, SCALE
from hsfusion_bench.cli.show_record import is_record, show_record
from hsfusion_bench.terminal import console, echo, fold, json_text, print_facts

if TYPE_CHECKING:
    from hsfusion_bench.methods import NetworkMethod, Problem
    from hsfusion_bench.registry import Entry, FileEntry

#: Of lists that are folded, at most.
_WIDTH = 80


@click.command("show", short_help="Show a method, a camera response, a record or its schema, the files that are read.")
@click.argument("method", metavar="METHOD|RESPONSE|RECORD|schema|formats")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--bands", type=BANDS, default=31, show_default=True, help="Hyperspectral bands to count parameters for.")
@click.option("--msi-bands", type=BANDS, default=3, show_default=True, help="Multispectral bands likewise.")
@click.option("--scale", type=SCALE, default=4, show_default=True, help="Scale likewise.")
def command(method: str, as_json: bool, bands: int, msi_bands: int, scale: int) -> None:
    """Show what is known of a method, or of a camera response; or `schema`, the JSON Schema of a record; or `formats`.

    A response is one of `hsbench list responses`, or a file of yours, FILE or FILE:KEY, as --response takes it. The
    formats are the kinds of files, told by their content, and the names under which arrays are looked for in them. A
    record is a file, FILE.json: what it is of, under which conditions, and its means.

    \b
    Examples:
      hsbench show feinfn
      hsbench show ikonos
      hsbench show results/demo-x4-uestc/gsa.json
      hsbench show schema > record.schema.json
      hsbench show formats
    """
    if method == "schema":
        from hsfusion_bench.runs.records import json_schema

        echo(json_text(json_schema()))
        return
    if method == "formats":
        _show_formats(as_json)
        return
    if is_record(method):
        show_record(method, as_json=as_json)
        return
    if not _is_shipped(method):  # to know the responses takes longer
        from hsfusion_bench.cli.show_response import is_response, show_response

        if is_response(method):
            show_response(method, as_json=as_json)
            return
    facts = _facts(method, bands, msi_bands, scale)
    if as_json:
        echo(json_text(facts))
        return
    options, recipe, variants = facts.pop("options"), facts.pop("recipe"), facts.pop("variants")
    rows = [(name, value, "") for name, value in _flat(facts)]
    rows += [(f"recipe.{name}", value, source) for name, value, source in _recipe_rows(recipe or {})]
    for variant, numbers in variants.items():
        for name, value in numbers.items():
            told = (value, "") if name == "source" else (str(value["value"]), value["source"])
            rows.append((f"recipe {variant}: {name}", *told))
    rows += [(f"options.{name}", f"{each['value']}: {each['meaning']}", "") for name, each in options.items()]
    print_facts(rows)


def _is_shipped(name: str) -> bool:
    from hsfusion_bench.registry import entries

    known = entries().get(name)
    return known is not None and known.origin.kind == "shipped"


def _show_formats(as_json: bool) -> None:
    from hsfusion_bench.formats.finding import USUAL
    from hsfusion_bench.formats.kinds import READ

    if as_json:
        kinds = {kind.value: about._asdict() for kind, about in READ.items()}
        click.echo(json_text({"kinds": kinds, "names": {what: list(names) for what, names in USUAL.items()}}))
        return
    read = [(str(kind), f"{about.known_by}; {about.endings}") for kind, about in READ.items()]
    _print_list("Files that are read, told by their content; their usual endings decide nothing", read)
    names = [(what, ", ".join(names)) for what, names in USUAL.items()]
    _print_list("Names of arrays in them, in any capitals, the likeliest first", names)


def _print_list(title: str, rows: list[tuple[str, str]]) -> None:
    """Print names and texts, folded to 80 columns in a pipe, too."""
    shown = console()
    margin = max(len(name) for name, _ in rows) + 2
    lines = [title]
    for name, text in rows:
        lines += fold(text, min(shown.width, _WIDTH), first=f"  {name}".ljust(margin + 2), rest=" " * (margin + 2))
    shown.print("\n".join([*lines, ""]), soft_wrap=True)


def _facts(name: str, bands: int, msi_bands: int, scale: int) -> dict[str, Any]:
    from dataclasses import asdict

    from hsfusion_bench.methods import NetworkMethod, Problem
    from hsfusion_bench.methods.options import options_of
    from hsfusion_bench.registry import find

    entry = find(name)
    method = entry.load()
    card = method.card
    facts: dict[str, Any] = {
        "name": entry.name,
        "title": card.title,
        "family": card.family,
        "year": card.year,
        "uses": sorted(card.uses),
        "origin": {
            "kind": entry.origin.kind,
            "distribution": entry.origin.distribution,
            "version": entry.origin.version,
        },
        "description": _paragraphs(type(method)),
        "reference": card.reference,
        "options": {name: {"value": each.value, "meaning": each.meaning} for name, each in options_of(method).items()},
        "parameters": None,
        "tiles": None,
        "recipe": None,
        "variants": {},
    }
    if isinstance(method, NetworkMethod):
        problem = Problem(bands, msi_bands, scale, scale / 2)
        total, trainable = _parameters(entry, method, problem)
        facts["parameters"] = {
            "total": total,
            "trainable": trainable,
            "bands": bands,
            "msi_bands": msi_bands,
            "scale": scale,
        }
        facts["tiles"] = _tiles(method)
        facts["recipe"] = {**asdict(method.recipe), "steps": method.recipe.steps}
        facts["variants"] = {
            name: {
                "source": recipe.source,
                **{
                    number: {"value": value, "source": recipe.sources.get(number, "")}
                    for number, value in recipe.differences(method.recipe).items()
                },
            }
            for name, recipe in method.variants.items()
        }
    return facts


def _parameters(entry: Entry | FileEntry, method: NetworkMethod, problem: Problem) -> tuple[int, int]:
    """Return how many parameters a network has, and how many of them are trained.

    Where a committed record says so, nothing is built, for torch takes longer to import than all else together.
    """
    from hsfusion_bench.runs.recorded import recorded_parameters

    known = None
    if entry.origin.kind == "shipped":
        known = recorded_parameters(entry.name, problem)
    if known is not None:
        return known
    from hsfusion_bench.runs.measure import count_parameters

    return count_parameters(method.build(problem))


def _recipe_rows(recipe: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the numbers of a recipe, each with where it is from; what it does without is left out."""
    sources = recipe.get("sources", {})
    return [
        (name, ", ".join(map(str, value)) if isinstance(value, tuple) else str(value), sources.get(name, ""))
        for name, value in recipe.items()
        if name != "sources" and value not in (None, {}, ())
    ]


def _tiles(method: NetworkMethod) -> str:
    """Return in what tiles a network fuses, unless told otherwise."""
    if method.default_tile is not None:
        return f"of {method.default_tile} pixels; results depend on them"
    if method.local:
        return "none, or as large as memory allows; an output pixel depends on its neighbourhood alone"
    return f"none, or of {method.recipe.patch} pixels where memory asks for them; results depend on them"


def _paragraphs(method: type) -> str:
    """Return what a class says of itself, a line a paragraph."""
    return "\n".join(" ".join(part.split()) for part in (inspect.getdoc(method) or "").split("\n\n"))


def _flat(facts: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for key, value in facts.items():
        if isinstance(value, dict):
            lines += _flat(value, f"{prefix}{key}.")
        else:
            text = ", ".join(value) or "-" if isinstance(value, list) else "-" if value is None else str(value)
            lines.append((prefix + key, text))
    return lines
