"""``hsbench fuse``: a method on a real pair of images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.common import chosen_device, console, settings, tile_option
from hsfusion_bench.errors import UsageError

if TYPE_CHECKING:
    from hsfusion_bench.methods import Method, NetworkMethod, Observation, Problem, Tile
    from hsfusion_bench.runs.weights.choosing import Chosen

_POSITIVE = click.FloatRange(min=0, min_open=True)


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
@click.option("--scale", type=click.IntRange(min=2), help="Ratio of the two resolutions, if the shapes do not tell.")
@click.option(
    "--phase",
    type=click.FloatRange(min=0),
    help="LR pixel k sits at index scale*k + PHASE of the HR image. Default: at the centre of its block.",
)
@click.option("--const", type=_POSITIVE, default=1.0, show_default=True, help="Full scale of the values.")
@click.option("--msi-const", type=_POSITIVE, metavar="N", help="Full scale of the HR-MSI, if another. [const]")
@click.option(
    "--counts", type=_POSITIVE, metavar="N", help="Full scale in OUTPUT; --no-reference needs whole counts. [const]"
)
@click.option("--psf", metavar="KEY", help="Array of the hyperspectral camera's blur, if it is known.")
@click.option("--srf", metavar="KEY", help="Array of the multispectral camera's response, likewise.")
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
    phase: float | None,
    const: float,
    msi_const: float | None,
    counts: float | None,
    psf: str | None,
    srf: str | None,
    changes: tuple[str, ...],
    weights: str | None,
    tile: Tile,
    device: str,
    picture: Path | None,
) -> None:
    """Run METHOD on an LR-HSI and an HR-MSI of one scene, in one file or in two, and write OUTPUT.

    The images are read from .mat, .npy, .npz, .h5, .tif and ENVI .hdr files. OUTPUT is a .mat file of sr [1, C, H, W],
    and beside it ms, lms and pan as the no-reference script wants them (pan is the mean of the HR-MSI's bands), or a
    .npy file of the result alone, float32 [C, H, W].

    \b
    Example:
      hsbench fuse bicubic pair.mat fused.mat --const 2047
      hsbench score fused.mat --ratio 4 --no-reference
      hsbench fuse ltmr pair.mat fused.mat --set dimension=5 --picture fused.png
      hsbench fuse ltmr hsi.hdr pan.tif fused.npy --const 10000
    """
    from hsfusion_bench.determinism import make_deterministic
    from hsfusion_bench.methods import NetworkMethod, Problem
    from hsfusion_bench.methods.fusing import fuse_checked
    from hsfusion_bench.methods.options import with_options
    from hsfusion_bench.registry import find
    from hsfusion_bench.runs.pairs import WRITTEN, Form, read_pair, write_fused
    from hsfusion_bench.runs.picture import write_picture

    if len(images) > 2:
        names = " ".join(map(str, (*images, output)))
        raise UsageError(f"{names}: give one file of both images, or that of the HSI and that of the MSI, then OUTPUT")
    if output.suffix.lower() not in WRITTEN:
        raise UsageError(f"{output}: the result is written to a file whose name ends in {' or '.join(WRITTEN)}")
    if any(output.resolve() == image.resolve() for image in images):
        raise UsageError(f"{output} is an image of the pair; name another file for the result")
    pair, msi = (*images, None)[:2]
    assert pair is not None
    if picture is not None and picture.suffix.lower() != ".png":
        raise UsageError(f"{picture}: a PNG file is written; give it a name that ends in .png")
    made = with_options(find(method).load(), settings(changes, "dimension=5"))
    observation = read_pair(pair, Form(lr_hsi, hr_msi, layout, scale, phase, const, msi_const, psf, srf), msi)
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
    else:
        fusing = made
    _tell_shift(observation)
    fused = fuse_checked(fusing, observation, pair.name)
    write_fused(output, observation, fused, counts=const if counts is None else counts)
    if picture is not None:
        write_picture(picture, observation, fused)
    bands, height, width = fused.shape
    estimated = " and ".join(sorted(truth.upper() for truth in made.card.uses - observation.known))
    console(stderr=True).print(
        f"{output}: {bands} bands of {height} x {width} pixels, by {made.card.title} at ×{observation.scale}, "
        f"phase {observation.phase:g}" + (f"; it estimated {estimated}" if estimated else ""),
        markup=False,
        soft_wrap=True,
    )


def _tell_shift(observation: Observation) -> None:
    """Say how well the two images lie upon each other: where they do not, the best methods fall below bicubic."""
    from hsfusion_bench.runs.registration import find_shift

    shift = find_shift(observation)
    notes = console(stderr=True)
    if shift is None:
        notes.print(
            "whether HSI and MSI are registered cannot be told: they are too small, too flat or too little alike",
            soft_wrap=True,
        )
        return
    measured = f"HSI and MSI are {shift.rows:.1f} rows and {shift.columns:.1f} columns apart, in pixels of the MSI"
    measured = measured.replace("-0.0 ", "0.0 ")
    phase = shift.right_phase
    advice = None if phase in (None, shift.phase) else f"--phase {phase:g} accounts for it"
    if shift.harmful:
        measured = (
            f"warning: {measured}, which is more than a quarter of an HSI pixel and spoils the result: "
            f"{advice or 'register them first'}"
        )
    elif advice is not None:
        measured += f" ({advice})"
    notes.print(measured, style="yellow" if shift.harmful else None, markup=False, soft_wrap=True)


def _weights(text: str | None, method: NetworkMethod, problem: Problem) -> Chosen:
    """Return the weights that are named: of a pair, nothing tells for which data set they should be."""
    from hsfusion_bench.runs.weights.choosing import choose_named, for_pair, named

    if text is not None:
        return choose_named(named(text), method, problem)
    known = ", ".join(entry.id for entry in for_pair(method, problem))
    raise UsageError(
        f"{method.card.title} is a network: name its trained weights by --weights FILE"
        + (f", or by --weights NAME of those that fit this pair: {known} (see `hsbench weights list`)" if known else "")
    )
