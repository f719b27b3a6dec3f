"""``hsbench fuse``: a method on a real pair of images."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.common import chosen_device, console, settings, tile_option
from hsfusion_bench.cli.numbers import POSITIVE, SCALE
from hsfusion_bench.errors import HsbenchError, UsageError

if TYPE_CHECKING:
    from hsfusion_bench.methods import Method, NetworkMethod, Problem, Tile
    from hsfusion_bench.runs.pairs import Pair
    from hsfusion_bench.runs.registration import Shift
    from hsfusion_bench.runs.weights.choosing import Chosen


#: Classical methods that most pairs may begin with.
_WITHOUT_WEIGHTS = ("gsa", "fuse")
#: Pixels of the HR image; beyond it no LR pixel lies at any scale that is taken.
_GREATEST_PHASE = 1024


def _two_numbers(_context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, float] | None:
    """Read "ROWS,COLUMNS"; a phase may be one number for both, and is not negative."""
    if value is None:
        return None
    phase = parameter.name == "phase"
    try:
        numbers = [float(part) for part in value.split(",")]
    except ValueError:
        numbers = []
    if phase and len(numbers) == 1:
        numbers *= 2
    if len(numbers) != 2 or not all(map(math.isfinite, numbers)):
        wanted = "a number, or two as ROWS,COLUMNS, such as 1.5,0.5" if phase else "ROWS,COLUMNS, such as 1.5,-2"
        raise UsageError(f"--{parameter.name} {value!r}: expected {wanted}")
    if phase and not 0 <= min(numbers) <= max(numbers) <= _GREATEST_PHASE:
        raise UsageError(f"--phase {value!r}: a phase is from 0 to {_GREATEST_PHASE}; --shift takes other numbers")
    return numbers[0], numbers[1]


@click.command("fuse", short_help="Fuse a real pair of images that has no reference.")
@click.argument("method")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="{PAIR | HSI MSI}")
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--lr-hsi", metavar="KEY", help="Array of the LR-HSI, if its name is unusual.")
@click.option("--hr-msi", metavar="KEY", help="Array of the HR-MSI, likewise.")
@click.option(
    "--layout",
    type=click.Choice(["HWC", "CHW", "HWC,CHW", "CHW,HWC"]),
    help="Order of the axes, or that of HSI and that of MSI, if the shapes do not tell.",
)
@click.option("--scale", type=SCALE, help="Ratio of the two resolutions, if the shapes do not tell.")
@click.option(
    "--phase",
    callback=_two_numbers,
    metavar="PHASE[,PHASE]",
    help="LR pixel k sits at index scale*k + PHASE of the HR image; two numbers are for rows and columns. Default: at "
    "the centre of its block.",
)
@click.option("--register", is_flag=True, help="Correct the pair by the shift that is measured between HSI and MSI.")
@click.option(
    "--shift",
    callback=_two_numbers,
    metavar="ROWS,COLUMNS",
    help="Correct the pair by this shift, in pixels of the MSI and as it is measured: what the HSI shows lies so far "
    "further down and right in the MSI.",
)
@click.option("--const", type=POSITIVE, metavar="N", help="Full scale of the values. [what the file states, else 1]")
@click.option("--msi-const", type=POSITIVE, metavar="N", help="Full scale of the HR-MSI, if another. [const]")
@click.option(
    "--counts", type=POSITIVE, metavar="N", help="Full scale in OUTPUT; --no-reference needs whole counts. [the HSI's]"
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "uint16"]),
    default="float32",
    show_default=True,
    help="Type of the numbers in OUTPUT, if that is ENVI or GeoTIFF.",
)
@click.option(
    "--psf",
    metavar="WHERE",
    help="The hyperspectral camera's blur, if it is known: an array of the pair's files, or FILE[:KEY].",
)
@click.option(
    "--srf",
    metavar="WHERE",
    help="The multispectral camera's response, likewise; or a name of `hsbench list responses`.",
)
@click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change an option of METHOD (see `hsbench show`)."
)
@click.option("--weights", metavar="FILE", help="Weights of a network: a file, or a name of `hsbench weights list`.")
@tile_option
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.png",
    help="Draw LR-HSI, HR-MSI and result side by side, too.",
)
def command(
    method: str,
    images: tuple[Path, ...],
    output: Path,
    lr_hsi: str | None,
    hr_msi: str | None,
    layout: str | None,
    scale: int | None,
    phase: tuple[float, float] | None,
    register: bool,
    shift: tuple[float, float] | None,
    const: float | None,
    msi_const: float | None,
    counts: float | None,
    dtype: str,
    psf: str | None,
    srf: str | None,
    changes: tuple[str, ...],
    weights: str | None,
    tile: Tile,
    device: str,
    picture: Path | None,
) -> None:
    """Run METHOD on an LR-HSI and an HR-MSI of one scene, in one file or in two, and write OUTPUT.

    The images are read from .mat, .npy, .npz, .h5, .tif and ENVI .hdr files. OUTPUT is of the kind that its name ends
    in: .hdr (or .img, .bsq, .bil, .bip) is ENVI, .tif GeoTIFF, both float32 with the HSI's wavelengths and the MSI's
    georeference; .npy is the numbers alone, [C, H, W]; .mat has sr [1, C, H, W], and beside it ms, lms and pan as the
    no-reference script wants them (pan is the mean of the HR-MSI's bands).

    \b
    Example:
      hsbench fuse bicubic pair.mat fused.mat --const 2047
      hsbench score fused.mat --ratio 4 --no-reference
      hsbench fuse ltmr pair.mat fused.mat --set dimension=5 --picture fused.png
      hsbench fuse ltmr hsi.hdr pan.tif fused.tif --const 10000 --register
    """
    from hsfusion_bench.determinism import make_deterministic
    from hsfusion_bench.formats.geodata import files_of
    from hsfusion_bench.formats.writing import files_written
    from hsfusion_bench.methods import NetworkMethod, Problem
    from hsfusion_bench.methods.fusing import fuse_checked
    from hsfusion_bench.methods.options import with_options
    from hsfusion_bench.registry import find
    from hsfusion_bench.runs.cameras import misfit
    from hsfusion_bench.runs.correction import for_method
    from hsfusion_bench.runs.pairs import Form, read_pair, require_writable, write_fused
    from hsfusion_bench.runs.picture import write_picture

    if len(images) > 2:
        names = " ".join(map(str, (*images, output)))
        raise UsageError(f"{names}: give one file of both images, or that of the HSI and that of the MSI, then OUTPUT")
    require_writable(output, counts or const, dtype)
    if register and shift is not None:
        raise UsageError("--register measures the shift, --shift states it: give one of them")
    for image in images:
        read = files_of(image) if image.exists() else ()  # what lacks is told where it is read
        if {file.resolve() for file in (image, *read)} & {file.resolve() for file in files_written(output)}:
            raise UsageError(f"{output} is an image of the pair; name another file for the result")
    hsi, msi = (*images, None)[:2]
    assert hsi is not None
    if picture is not None and picture.suffix.lower() != ".png":
        raise UsageError(f"{picture}: a PNG file is written; give it a name that ends in .png")
    made = with_options(find(method).load(), settings(changes, "dimension=5"))
    pair = read_pair(hsi, Form(lr_hsi, hr_msi, layout, scale, phase, const, msi_const, psf, srf), msi)
    require_writable(output, counts or pair.full_scale, dtype)
    pair = _registered(pair, register, shift)
    _tell_misplaced(pair)
    observation = pair.observation
    if "srf" in made.card.uses and (wrong := misfit(observation)):
        console(stderr=True).print(
            f"warning: by --srf the HSI does not make the MSI: {wrong}. A method that is told a response believes it; "
            "without --srf it is estimated",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )
    if isinstance(made, NetworkMethod):
        make_deterministic()
        problem = Problem.of(observation)
        taken = _weights(weights, made, problem)
        loaded = taken.load(made, problem, chosen_device(device), tile=tile)
        assert loaded.weights is not None
        console(stderr=True).print(f"{made.card.name}: {taken.describe(loaded.weights)}", markup=False, soft_wrap=True)
        fusing: Method = loaded
    elif weights is not None:
        raise UsageError(f"--weights {weights}: {made.card.title} has none")
    elif tile != "auto":
        raise UsageError(f"--tile {tile} is about networks, and {made.card.title} is none")
    else:
        fusing = made
    fused = fuse_checked(fusing, for_method(observation, fusing), hsi.name)
    for note in write_fused(output, pair, fused, counts=counts, dtype=dtype, by=made.card.title):
        console(stderr=True).print(f"note: {note}", style="yellow", markup=False, soft_wrap=True)
    if picture is not None:
        write_picture(picture, observation, fused, pair.wavelengths)
    bands, height, width = fused.shape
    estimated = " and ".join(sorted(truth.upper() for truth in made.card.uses - observation.known))
    console(stderr=True).print(
        f"{output}: {bands} bands of {height} x {width} pixels, by {made.card.title} at ×{observation.scale}, "
        f"phase {observation.phase:g}" + (f"; it estimated {estimated}" if estimated else ""),
        markup=False,
        soft_wrap=True,
    )


def _registered(pair: Pair, register: bool, shift: tuple[float, float] | None) -> Pair:
    """Return the pair corrected as it is asked for, and say how well its images lie upon each other."""
    from hsfusion_bench.runs.registration import find_shift, registered

    notes = console(stderr=True)
    if any(pair.shift):
        _tell_correction(pair, "--phase")
    if shift is not None:
        pair = pair.corrected(*shift)
        _tell_correction(pair, "--shift")
    found = find_shift(pair.observation)
    if found is None:
        untold = "whether HSI and MSI are registered cannot be told: they are too small, too flat or too little alike"
        if register:
            raise HsbenchError(f"{untold}; correct a shift that you know by --shift ROWS,COLUMNS")
        notes.print(untold, soft_wrap=True)
        return pair
    _tell_shift(found, register)
    if register and found.found:
        rows, columns = registered(pair.observation, found)
        pair = pair.corrected(rows, columns)
        _tell_correction(pair, "--register")
    return pair


def _tell_shift(shift: Shift, register: bool) -> None:
    """Say how far the two images are apart, and what accounts for it."""
    measured = f"HSI and MSI are {shift} apart, in pixels of the MSI"
    phase = shift.right_phase
    harmful = shift.harmful and not register
    ways = [] if phase in (None, shift.phase) else [f"--phase {phase:g}"]
    if harmful:
        ways.append("--register")
    if harmful:
        measured = f"warning: {measured}, more than an eighth of an HSI pixel: {' or '.join(ways)} accounts for it"
    elif register:
        measured += "" if shift.found else ": nothing to correct"
    elif ways:
        measured += f" ({ways[0]} accounts for it)"
    console(stderr=True).print(measured, style="yellow" if harmful else None, markup=False, soft_wrap=True)


def _tell_misplaced(pair: Pair) -> None:
    """Warn of georeferences that do not put the two images on the same ground."""
    if pair.misplaced:
        console(stderr=True).print(
            f"warning: by their georeferences HSI and MSI do not show the same ground: {pair.misplaced}",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )


def _tell_correction(pair: Pair, option: str) -> None:
    """Say what was done to a pair."""
    _, height, width = pair.observation.hr_msi.shape
    row, column = pair.origin
    rows, columns = (f"{by:.2f}".replace("-0.00", "0.00") for by in pair.shift)
    console(stderr=True).print(
        f"{option}: the pair is corrected by {rows} rows and {columns} columns; the result has rows {row} to "
        f"{row + height - 1} and columns {column} to {column + width - 1} of the MSI",
        markup=False,
        soft_wrap=True,
    )


def _weights(text: str | None, method: NetworkMethod, problem: Problem) -> Chosen:
    """Return the weights that are named: of a pair, nothing tells for which data set they should be."""
    from hsfusion_bench.runs.weights.choosing import choose_named, for_pair, named

    if text is not None:
        return choose_named(named(text), method, problem)
    known = ", ".join(entry.id for entry in for_pair(method, problem))
    raise UsageError(
        f"{method.card.title} is a network: name its trained weights by --weights FILE"
        + (f", or by --weights NAME of those that fit this pair: {known} (see `hsbench weights list`)" if known else "")
        + f". {' and '.join(_WITHOUT_WEIGHTS)}, among others, need none (`hsbench list methods`)"
    )
