"""``hsbench evaluate``: results that were made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.common import (
    also_option,
    comma_separated,
    console,
    dataset_options,
    pictures_option,
    remark_on_camera,
    report_results,
    results_dir_option,
)
from hsfusion_bench.cli.numbers import POSITIVE
from hsfusion_bench.cli.sections import Sectioned
from hsfusion_bench.errors import UsageError
from hsfusion_bench.methods.card import TRUTHS
from hsfusion_bench.suggest import unknown

if TYPE_CHECKING:
    from hsfusion_bench.data.observing.protocols import ProtocolChoice

_LAYOUTS = ({*"CHW"}, {*"BCHW"})


def _layout(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    letters = value.upper()
    if set(letters) not in _LAYOUTS or len(letters) != len(set(letters)):
        raise UsageError(
            f"--layout {value!r}: the letters C, H and W, and B for several cubes, in the order of the axes"
        )
    return letters


def _truths(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    names = {name.lower() for name in comma_separated(context, parameter, value) or ()}
    for name in names:
        if name not in TRUTHS:
            raise UsageError(unknown("truth of the cameras called", name, TRUTHS))
    return tuple(sorted(names))


@click.command("evaluate", cls=Sectioned, short_help="Score results made elsewhere, and write a record as of a run.")
@click.argument("predictions", type=click.Path(path_type=Path))
@click.option("--name", required=True, metavar="TEXT", help="Name of the method in tables.")
@dataset_options
@click.option(
    "--const",
    type=POSITIVE,
    metavar="N",
    help="Full scale of the values: 1, 255, 2047, 65535; they are divided by it. [what the file states, else 1]",
)
@click.option("--key", metavar="NAME", help="Array in the files, where it has no usual name.")
@click.option("--layout", callback=_layout, metavar="AXES", help="Order of the axes, such as HWC or BCHW, if asked.")
@click.option(
    "--trust-their-reference",
    is_flag=True,
    help="Where a reference `gt` came with the results and is not ours, score against theirs.",
)
@also_option
@click.option(
    "--uses",
    callback=_truths,
    metavar="psf,srf",
    help="What the method was told of the cameras beyond the two images: psf, srf or both.",
)
@click.option(
    "--params", type=click.IntRange(min=0, max=10**15), metavar="N", help="Number of parameters, as reported."
)
@click.option("--latency-ms", type=POSITIVE, metavar="MS", help="Latency in milliseconds, as reported.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the table as CSV.")
@click.option("--latex", "latex_file", type=click.Path(path_type=Path, dir_okay=False), help="Write it as LaTeX.")
@pictures_option
@results_dir_option
@click.pass_context
def command(
    context: click.Context,
    predictions: Path,
    name: str,
    dataset: str,
    scale: int,
    protocol: ProtocolChoice,
    data_root: Path | None,
    scenes: list[str] | None,
    wavelengths: str | None,
    const: float | None,
    key: str | None,
    layout: str | None,
    trust_their_reference: bool,
    also: tuple[str, ...],
    uses: tuple[str, ...],
    params: int | None,
    latency_ms: float | None,
    csv_file: Path | None,
    latex_file: Path | None,
    pictures: bool,
    results_dir: Path,
) -> None:
    """Score fused cubes that were made elsewhere against our references.

    PREDICTIONS is one file with the cubes of all scenes in the split's order (`sr` [B, C, H, W]), or a folder of one
    file a scene, called after the scene or output_mulExm_0.mat, output_mulExm_1.mat, ... in the split's order. Files
    are .mat, .npy, .npz, .h5 or .tif; the order of their axes is told by the shapes. Writes the same record as a run.

    \b
    Examples:
      hsbench evaluate results.mat --name "My method" --dataset cave --scale 4
      hsbench evaluate outputs/ --name "My method" --dataset cave --scale 4 --const 255 --params 3164816
    """
    from hsfusion_bench.cli.display import Display
    from hsfusion_bench.data.task import open_task
    from hsfusion_bench.runs.elsewhere import Claim, score_claim
    from hsfusion_bench.runs.records import Store
    from hsfusion_bench.runs.setting import Setting

    task = open_task(dataset, scale, protocol=protocol, data_root=data_root, scenes=scenes, wavelengths=wavelengths)
    remark_on_camera(task)
    claim = Claim(predictions, name.strip(), key, layout, const, trust_their_reference, params, latency_ms, uses)
    notes = console(stderr=True)
    notes.print(str(task), markup=False)
    with Display(debug=context.find_root().params["debug"]) as display:
        setting = Setting(task, Store(results_dir), timing=False, also=also, pictures=pictures, listener=display)
        result, warnings = score_claim(claim, setting)
    for warning in warnings:
        notes.print(f"warning: {warning}", style="yellow", markup=False, soft_wrap=True)
    how = result.record.external
    assert how is not None
    array = how.key or "the array"
    notes.print(
        f"read    {array} of {predictions}, axes {how.axes}, divided by {how.const:g}", markup=False, soft_wrap=True
    )
    report_results([result], csv_file, latex_file)
