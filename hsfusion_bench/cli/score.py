"""``hsbench score``: the MATLAB scripts' numbers for a `.mat` file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.numbers import POSITIVE, RATIO
from hsfusion_bench.spelling import spell
from hsfusion_bench.terminal import echo

if TYPE_CHECKING:
    from hsfusion_metrics import Indexes, NoReference

_WIDTH = 12
# By index, in the order of the script's result.
_FIELDS = {
    "sam": "sam",
    "ergas": "ergas",
    "scc": "scc",
    "q2n": "qn",
    "uqi": "qave",
    "psnr": "psnr",
    "ssim": "ssim",
}
_NO_REFERENCE_FIELDS = {"d_lambda": "d_lambda", "hqnr": "qnr_index", "d_s": "d_s"}
_NO_REFERENCE_TITLES = ("D_lambda", "D_s", "HQNR")


@click.command("score", short_help="Score a .mat file or a folder, as the MATLAB package does.")
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--ratio", type=RATIO, required=True, help="Resolution ratio of the two inputs.")
@click.option("--const", type=POSITIVE, default=1.0, show_default=True, help="Full scale of the data: 1, 2047, ...")
@click.option("--no-reference", is_flag=True, help="There is no gt but lms and pan: D_lambda, D_s and HQNR.")
@click.option("--sensor", help="With --no-reference: the sensor's name in the script, such as WV3. Default: none.")
@click.option(
    "--gt",
    "references",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="If RESULTS is a folder: file of the references, GT or gt [B, C, H, W].",
)
@click.option(
    "--inputs",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="If RESULTS is a folder, with --no-reference: file of lms [B, C, H, W] and pan [B, 1, H, W].",
)
@click.option("--key", metavar="NAME", help="If RESULTS is a folder: array in its files, if it has no usual name.")
@click.option(
    "--layout",
    type=click.Choice(["BCHW", "BHWC", "HWCB", "HWC", "CHW"], case_sensitive=False),
    metavar="AXES",
    help="Order of the axes in a file of batches, if it is not the script's, BCHW: BHWC, HWCB, HWC or CHW.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1, max=256),
    default=1,
    show_default=True,
    help="Samples scored at a time; they change no value.",
)
@click.option(
    "--as-matlab",
    is_flag=True,
    help="Compute in the class of the file's numbers, as the script does in GNU Octave: integers round and saturate. "
    "Default: in float64.",
)
@click.option(
    "--any-scale",
    is_flag=True,
    help="Score values far from --const, no counts with --no-reference, or images at different scales, all the same.",
)
@click.option("--json", "as_json", is_flag=True, help="Print only the mean and deviation of each index, as JSON.")
def command(
    results: Path,
    ratio: float,
    const: float,
    no_reference: bool,
    sensor: str | None,
    references: Path | None,
    inputs: Path | None,
    key: str | None,
    layout: str | None,
    workers: int,
    as_matlab: bool,
    any_scale: bool,
    as_json: bool,
) -> None:
    """Score RESULTS, a MAT-file with `gt` and `sr`, each [B, C, H, W], or a folder of one result a file.

    Prints what analysis_ref_batched_images(RESULTS, ratio, 0, const) prints: the seven indexes of each sample,
    their mean and their standard deviation. With --no-reference, what analysis_unref_batched_images(RESULTS, ratio,
    sensor) prints; its file has `sr` and `lms`, each [B, C, H, W], and `pan` [B, 1, H, W].
    --layout reads files of another order of axes, such as [H, W, C, B].

    A folder holds output_mulExm_0.mat, output_mulExm_1.mat, ..., as for analysis_ref_unbatched_images and
    analysis_unref_unbatched_images; --gt or --inputs names the file that goes with them.

    \b
    Examples:
      hsbench score feinfn_cave_x4.mat --ratio 4 --workers 2
      hsbench score feinfn_cave_x4.mat --ratio 4 --json > scores.json
      hsbench score outputs/ --gt "test_cave(with_up)x4.h5" --ratio 4
      hsbench score real_wv3.mat --ratio 4 --no-reference --sensor WV3
    """
    if sensor is not None and not no_reference:
        raise click.UsageError("--sensor goes with --no-reference")
    if no_reference and ratio not in (2, 4):
        raise click.UsageError("--no-reference needs --ratio 2 or 4")
    if no_reference:
        _refuse(references, "--gt", "--no-reference has none")
        _require_if_folder(results, inputs, "--inputs", key)
        _tell_classes(results, inputs, key, layout, no_reference=True, as_matlab=as_matlab)
        scores: Iterator[Indexes] | Iterator[NoReference]
        scores = _without_reference(results, inputs, int(ratio), sensor, key, layout, workers, as_matlab, any_scale)
        _print(scores, _NO_REFERENCE_TITLES, _NO_REFERENCE_FIELDS, as_json)
    else:
        from hsfusion_metrics import METRICS

        _refuse(inputs, "--inputs", "it goes with --no-reference")
        _require_if_folder(results, references, "--gt", key)
        _tell_classes(results, references, key, layout, no_reference=False, as_matlab=as_matlab)
        scores = _with_reference(results, references, ratio, const, key, layout, workers, as_matlab, any_scale)
        _print(scores, [metric.title for metric in METRICS.values()], _FIELDS, as_json)


def _refuse(given: Path | None, option: str, why: str) -> None:
    if given is not None:
        raise click.UsageError(f"{option} {given}: {why}")


def _require_if_folder(results: Path, beside: Path | None, option: str, key: str | None) -> None:
    if results.is_dir() and beside is None:
        raise click.UsageError(f"{results} is a folder: name by {option} the file that its results are scored with")
    if not results.is_dir() and (beside is not None or key is not None):
        raise click.UsageError(f"{option} and --key go with a folder of results; {results} is none")


def _tell_classes(
    results: Path, beside: Path | None, key: str | None, layout: str | None, *, no_reference: bool, as_matlab: bool
) -> None:
    """Say in one line where the script computes in something else than we do, or MATLAB does not compute at all."""
    from hsfusion_bench.matlab import batches, folders

    if beside is None:
        classes = batches.number_classes(results, no_reference=no_reference, layout=layout)
    else:
        classes = folders.number_classes(results, beside, no_reference=no_reference, key=key, layout=layout)
    other = sorted(set(classes.values()) - {"double"})
    holds = f"{results} holds {' and '.join(other)}"
    if other and not as_matlab:
        echo(
            f"{holds}: computed in float64; the script computes in the file's class, with other values: --as-matlab",
            err=True,
        )
    elif not no_reference and any("int" in name for name in other):
        echo(
            f"{holds}: computed as by the script in GNU Octave; in MATLAB it stops at SAM, as dot takes no integers",
            err=True,
        )


def _with_reference(
    results: Path,
    references: Path | None,
    ratio: float,
    const: float,
    key: str | None,
    layout: str | None,
    workers: int,
    as_matlab: bool,
    any_scale: bool,
) -> Iterator[Indexes]:
    from hsfusion_bench.matlab.batches import score_file
    from hsfusion_bench.matlab.folders import score_folder

    if references is None:
        return score_file(
            results,
            ratio=ratio,
            const=const,
            workers=workers,
            as_matlab=as_matlab,
            any_scale=any_scale,
            layout=layout,
        )
    return score_folder(
        results,
        references,
        ratio=ratio,
        const=const,
        key=key,
        workers=workers,
        as_matlab=as_matlab,
        any_scale=any_scale,
        layout=layout,
    )


def _without_reference(
    results: Path,
    inputs: Path | None,
    ratio: int,
    sensor: str | None,
    key: str | None,
    layout: str | None,
    workers: int,
    as_matlab: bool,
    any_scale: bool,
) -> Iterator[NoReference]:
    from hsfusion_bench.matlab.batches import score_no_reference
    from hsfusion_bench.matlab.folders import score_folder_no_reference

    if inputs is None:
        return score_no_reference(
            results,
            ratio=ratio,
            sensor=sensor,
            workers=workers,
            as_matlab=as_matlab,
            any_scale=any_scale,
            layout=layout,
        )
    return score_folder_no_reference(
        results,
        inputs,
        ratio=ratio,
        sensor=sensor,
        key=key,
        workers=workers,
        as_matlab=as_matlab,
        any_scale=any_scale,
        layout=layout,
    )


def _print(
    scores: Iterator[Indexes] | Iterator[NoReference], titles: Iterable[str], fields: Mapping[str, str], as_json: bool
) -> None:
    from hsfusion_metrics import summarise

    per_image: list[Indexes | NoReference] = []
    for indexes in scores:
        if not as_json:
            if not per_image:
                echo(_line("sample", titles), bold=True)
            echo(_line(str(len(per_image) + 1), indexes))
        per_image.append(indexes)
    summary = summarise(per_image)
    if as_json:
        echo(json.dumps({field: [spell(value) for value in summary[name]] for name, field in fields.items()}))
        return
    for row in ("mean", "std"):
        echo(_line(row, (getattr(pair, row) for pair in summary.values())), bold=True)


def _line(head: str, cells: Iterable[float | str]) -> str:
    texts = (spell(cell) if isinstance(cell, float) else cell for cell in cells)
    return head.rjust(6) + "".join((text if isinstance(text, str) else f"{text:.6f}").rjust(_WIDTH) for text in texts)
