"""``hsbench cost``: parameters, operations, time and memory of every method."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.common import chosen_device, comma_separated, console
from hsfusion_bench.cli.numbers import SCALE, Number
from hsfusion_bench.errors import UsageError

if TYPE_CHECKING:
    from hsfusion_bench.runs.costs import Cost

#: What a reader must know of the table.
_HOW = (
    "Fused once to warm up and then for 2 seconds or 10 times, once at least: the median. FLOPs "
    "are two a multiply-add, and a lower bound (≥) where an FFT or the like is not counted. Memory is what a fusion "
    "adds to the process at its peak; on CUDA, what it allocates there. Networks have random weights."
)
_HEADS = ("method", "params (M)", "GFLOPs", "latency (ms)", "memory (MB)", "note")


@click.command("cost", short_help="Measure what methods cost: parameters, operations, time, memory.")
@click.option("--methods", default="all", show_default=True, callback=comma_separated, metavar="NAME,...")
@click.option(
    "--size",
    type=click.IntRange(min=32, max=16384),
    default=512,
    show_default=True,
    help="Side of the image, HR pixels.",
)
@click.option("--bands", type=click.IntRange(1, 4096), default=31, show_default=True, help="Bands of the LR-HSI.")
@click.option("--msi-bands", type=click.IntRange(1, 64), default=3, show_default=True, help="Bands of the HR-MSI.")
@click.option("--scale", type=SCALE, default=4, show_default=True, help="Ratio of the two resolutions.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option(
    "--time-limit", type=Number(min=1, max=1e8), default=600.0, show_default=True, metavar="S", help="For each method."
)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the measurements.")
@click.option("--markdown", "markdown_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the table.")
def command(
    methods: list[str],
    size: int,
    bands: int,
    msi_bands: int,
    scale: int,
    device: str,
    time_limit: float,
    json_file: Path | None,
    markdown_file: Path | None,
) -> None:
    """Measure what methods cost on one image: parameters, operations, latency, memory.

    Each runs in a process of its own, networks with random weights: nothing is scored. One that fails or takes too long
    is a row with its reason.

    \b
    Examples:
      hsbench cost
      hsbench cost --methods feinfn,psrt --size 256 --markdown cost.md
      hsbench cost --methods gsa,fuse --size 1024 --bands 128 --msi-bands 9
    """
    from hsfusion_bench.data.observing.protocols import load_protocol
    from hsfusion_bench.files import write_text
    from hsfusion_bench.registry import entries, find
    from hsfusion_bench.runs.costs import Workload, empty_table, measure_all

    load_protocol("uestc").first_sample(scale)
    if size % scale:
        raise UsageError(f"--size {size} is not a multiple of --scale {scale}; take {size // scale * scale}")
    if bands < msi_bands:
        raise UsageError(f"--bands {bands} are fewer than --msi-bands {msi_bands}; the LR-HSI has as many at least")
    names = list(entries()) if methods == ["all"] else methods
    for name in names:
        find(name)
    workload = Workload(size=size, scale=scale, bands=bands, msi_bands=msi_bands, device=chosen_device(device))
    notes = console(stderr=True)
    found = empty_table(workload)
    where = f"{size} x {size} pixels, {bands} + {msi_bands} bands, ×{scale}, {found.device}"
    where += f", {found.threads} thread{'s' * (found.threads != 1)}" if found.threads else ""
    for cost in measure_all(names, workload, time_limit=time_limit):
        found.rows.append(cost)
        notes.print(f"{cost.method}: {cost.error or _cells(cost)[3] + ' ms'}", markup=False, soft_wrap=True)
        # after every method, for a table takes long, and may be interrupted
        if json_file is not None:
            write_text(json_file, found.model_dump_json(by_alias=True, indent=2) + "\n")
        if markdown_file is not None:
            write_text(markdown_file, _markdown(where, found.rows))
    _show(where, found.rows)


def _cells(cost: Cost) -> list[str]:
    flops = cost.flops
    counted = "-" if flops is None else f"{'≥ ' if flops.lower_bound else ''}{flops.value / 1e9:.1f}"
    note = cost.error or ""
    if cost.tiles is not None:
        note = f"in tiles of {cost.tiles.side} pixels"
    return [
        cost.title,
        "-" if cost.parameters is None else f"{cost.parameters / 1e6:.3f}",
        counted,
        "-" if cost.latency is None else f"{cost.latency.median_ms:.0f}",
        "-" if cost.memory is None else f"{cost.memory.peak_mb:.0f}",
        note,
    ]


def _show(where: str, rows: list[Cost]) -> None:
    from hsfusion_bench.terminal import print_table

    print_table(_HEADS, [_cells(cost) for cost in rows], right=(1, 2, 3, 4), title=where)


def _markdown(where: str, rows: list[Cost]) -> str:
    from hsfusion_bench.report.cells import markdown_row, markdown_text

    lines = ["# What the methods cost", "", f"{markdown_text(where)}. {_HOW}", ""]
    lines += [f"| {' | '.join(_HEADS)} |", "|---|---:|---:|---:|---:|---|"]
    lines += [markdown_row(map(markdown_text, _cells(cost))) for cost in rows]
    return "\n".join(lines) + "\n"
