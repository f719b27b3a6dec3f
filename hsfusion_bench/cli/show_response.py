"""What ``hsbench show`` tells of a camera response: its channels in numbers, and as bars."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from hsfusion_bench.data.observing.curves import Curves
    from hsfusion_bench.data.observing.responses import Response

#: Width of the drawing, and its rows; a channel gets this room at least, or the next ones stand below.
_WIDTH: Final = 80
_ROWS: Final = 31
_LEAST: Final = 8


def is_response(name: str) -> bool:
    """Whether a name is that of a camera response, or of a file that may hold one: FILE or FILE:KEY."""
    from hsfusion_bench.data.observing.named_responses import response_names
    from hsfusion_bench.data.observing.response_files import split_key

    return name in response_names() or bool(split_key(name)[0])


def show_response(name: str, *, as_json: bool) -> None:
    """Print what is known of a response, see `load_response`."""
    from hsfusion_bench.data.observing.curves import curves
    from hsfusion_bench.data.observing.named_responses import load_response
    from hsfusion_bench.terminal import json_text, print_facts

    response = load_response(name)
    found = curves(response)
    facts = _facts(response, found)
    if as_json:
        numbers = {"unit": found.unit, "places": found.places.tolist(), "values": found.values.tolist()}
        channels = [each and asdict(each) for each in found.channels]
        click.echo(json_text({**facts, "channels": channels, **numbers}))
        return
    print_facts([(key, text, "") for key, text in facts.items() if text])
    _print_channels(response, found)
    for line in drawn(found, [each.name if each else "-" for each in found.channels]):
        click.echo(line)


def _facts(response: Response, found: Curves) -> dict[str, str]:
    from hsfusion_bench.data.observing.responses import Bands, Matrix, Table

    rows, columns = found.values.shape
    own, remark = "", ""
    if isinstance(response, Table):
        nm = response.wavelengths
        kind = f"table of {len(nm)} wavelengths, {nm[0]:g} to {nm[-1]:g} nm"
        own = "interpolated linearly, 0 beyond the ends"
        own = own if response.interpolate else "as the protocol, or --off-table, says"
        remark = response.remark
    elif isinstance(response, Bands):
        shapes = {"boxcar": "1 between the edges of each band, else 0", "gaussian": "a Gaussian for each band"}
        kind = f"model: {shapes[response.model]}; computed at the wavelengths of each cube"
    else:
        assert isinstance(response, Matrix)
        kind = f"matrix [{rows}, {columns}] for a cube of {columns} bands, whose wavelengths it does not need"
        if len(response.values) != rows:
            remark = f"the file has [{columns}, {rows}]: it is turned"
    title, source = getattr(response, "title", ""), " ".join(getattr(response, "source", "").split())
    sums = "each channel is divided by its sum over the bands of the cube"
    return {
        "name": response.name,
        "title": title,
        "kind": kind,
        "other wavelengths": own,
        "sums": sums,
        "remark": remark,
        "source": source,
    }


def _print_channels(response: Response, found: Curves) -> None:
    from hsfusion_bench.terminal import print_table

    names = list(response.channels) if len(response.channels) == len(found.channels) else None
    rows = []
    for number, each in enumerate(found.channels, 1):
        if each is None:
            rows.append([names[number - 1] if names else str(number), "sees nothing", "", "", ""])
            continue
        width = f"{'≥ ' if each.cut else ''}{each.width:.1f}"
        total = "-" if each.total is None else f"{each.total:g}"
        rows.append([each.name, f"{each.centre:.1f}", width, f"{each.first:.1f}–{each.last:.1f}", total])
    unit = "nm" if found.unit == "nm" else "bands"
    heads = ["channel", f"centre ({unit})", f"FWHM ({unit})", f"range, 1 % of peak ({unit})", "sum in file"]
    if all(each is None or each.total is None for each in found.channels):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    print_table(heads, rows, right=tuple(range(1, len(heads))))


def drawn(found: Curves, names: list[str]) -> list[str]:
    """Return the lines of a drawing: wavelengths downwards, and for each channel a bar, its share of its peak.

    Shares that are too small for a mark are a dot. No line is wider than 80 columns, whatever it is drawn on.
    """
    places, shares = found.in_rows(_ROWS)
    texts = [f"{place:.0f}" if found.unit == "nm" or len(found.places) <= _ROWS else f"{place:.1f}" for place in places]
    margin = max(map(len, [found.unit, *texts]))
    together = min(len(names), (_WIDTH - margin) // (_LEAST + 2))
    room = (_WIDTH - margin) // together - 2
    lines: list[str] = []
    for first in range(0, len(names), together):
        block = range(first, min(first + together, len(names)))
        lines += [""] * bool(lines)
        lines.append(_row(found.unit.rjust(margin), [names[each][:room] for each in block], room))
        for row, text in enumerate(texts):
            bars = [_bar(shares[each, row], room) for each in block]
            lines.append(_row(text.rjust(margin), bars, room))
    return lines


def _bar(share: float, room: int) -> str:
    return "#" * round(share * room) or ("." if share > 0.001 else "")


def _row(text: str, cells: list[Any], room: int) -> str:
    return (text + "".join(f"  {cell:<{room}}" for cell in cells)).rstrip()
