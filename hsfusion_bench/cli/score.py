"""``hsbench score``: the MATLAB script's numbers for a `.mat` file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click

from hsfusion_bench.spelling import spell

_POSITIVE = click.FloatRange(min=0, min_open=True)
_WIDTH = 12
# In the order of the script's result.
_FIELDS = ("sam", "ergas", "scc", "qn", "qave", "psnr", "ssim")


@click.command("score", short_help="Score a .mat file as the MATLAB test package does.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--ratio", type=_POSITIVE, required=True, help="Resolution ratio of the two inputs; ERGAS needs it.")
@click.option("--const", type=_POSITIVE, default=1.0, show_default=True, help="Full scale of the data: 1, 2047, ...")
@click.option("--json", "as_json", is_flag=True, help="Print only the mean and deviation of each index, as JSON.")
def command(file: Path, ratio: float, const: float, as_json: bool) -> None:
    """Score FILE, a MAT-file with `gt` and `sr`, each [B, C, H, W].

    Prints what analysis_ref_batched_images(FILE, ratio, 0, const) prints: the seven indexes of each sample,
    their mean and their standard deviation.

    \b
    Example:
      hsbench score feinfn_cave_x4.mat --ratio 4
      hsbench score feinfn_cave_x4.mat --ratio 4 --json > scores.json
    """
    from hsfusion_bench.matlab import score_file
    from hsfusion_metrics import METRICS, Indexes, summarise

    per_image: list[Indexes] = []
    for indexes in score_file(file, ratio=ratio, const=const):
        if not as_json:
            if not per_image:
                click.secho(_line("sample", (metric.title for metric in METRICS.values())), bold=True)
            click.echo(_line(str(len(per_image) + 1), indexes))
        per_image.append(indexes)
    summary = summarise(per_image)
    if as_json:
        fields = {METRICS[name].matlab_field: [spell(value) for value in pair] for name, pair in summary.items()}
        click.echo(json.dumps({field: fields[field] for field in _FIELDS}))
        return
    for row in ("mean", "std"):
        click.secho(_line(row, (getattr(pair, row) for pair in summary.values())), bold=True)


def _line(head: str, cells: Iterable[float | str]) -> str:
    texts = (spell(cell) if isinstance(cell, float) else cell for cell in cells)
    return head.rjust(6) + "".join((text if isinstance(text, str) else f"{text:.6f}").rjust(_WIDTH) for text in texts)
