"""``hsbench data prepare``: files to train from."""

from __future__ import annotations

from pathlib import Path

import click

from hsfusion_bench.cli.common import console, refuse_data_root, wavelengths_option
from hsfusion_bench.cli.data.common import data_root_option, scene_bar
from hsfusion_bench.cli.numbers import SCALE, SEED
from hsfusion_bench.errors import UsageError

_POSITIVE = click.IntRange(min=1, max=65536)


@click.command("prepare", short_help="Observe the scenes, and write files to train from.")
@click.argument("name")
@click.option("--scale", required=True, type=SCALE, help="Ratio of the two resolutions.")
@click.option("--protocol", metavar="NAME", help="How observations are made; else as suits the data set.")
@data_root_option
@wavelengths_option
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where files are written.",
)
@click.option("--part", type=click.Choice(["train", "test", "all"]), default="all", show_default=True)
@click.option(
    "--form",
    type=click.Choice(["hdf5", "scenes"]),
    default="hdf5",
    show_default=True,
    help="hdf5: the authors' files of patches. scenes: whole scenes as plain arrays, for our loader.",
)
@click.option("--patch", type=_POSITIVE, metavar="N", help="Side of a training patch, HR pixels; else the protocol's.")
@click.option("--stride", type=_POSITIVE, metavar="S", help="Distance of patches, HR pixels; else the protocol's.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the validation patches.")
@click.option("--compress", is_flag=True, help="Compress HDF5 with gzip: smaller by a quarter, read 10 times slower.")
def command(
    name: str,
    scale: int,
    protocol: str | None,
    data_root: Path | None,
    wavelengths: str | None,
    out: Path,
    part: str,
    form: str,
    patch: int | None,
    stride: int | None,
    seed: int,
    compress: bool,
) -> None:
    """Observe the scenes of a data set by a protocol, and write files to train from.

    With --form hdf5: train_NAME(with_up)x4.h5, validation_... and test_..., with GT, HSI_up, LRHSI and RGB, each
    [N, C, H, W]. The same data give the same bytes. A file gets its name when it is whole; an interrupted command
    starts its file anew.

    \b
    Example:
      hsbench data prepare cave --scale 4 --data-root ~/CAVE --out ~/prepared
      hsbench data prepare cave --scale 4 --data-root ~/CAVE --out ~/prepared --form scenes --part train
    """
    refuse_data_root(click.get_current_context(), name)
    if compress and form == "scenes":
        raise UsageError("--compress goes with --form hdf5: compressed arrays cannot be mapped")

    from hsfusion_bench.data.mapped import prepare_mapped
    from hsfusion_bench.data.prepare import Preparation, prepare_test, prepare_train
    from hsfusion_bench.data.task import open_task

    task = open_task(name, scale, protocol=protocol, data_root=data_root, partial=True, wavelengths=wavelengths)
    chosen = task.protocol
    side = patch or chosen.patch
    distance = stride or (chosen.stride if chosen.stride and not patch else max(side // 2, scale))
    job = Preparation(task, side, distance, seed, compress)
    for each in ("train", "test") if part == "all" else (part,):
        with scene_bar(f"{name}: {each} scenes") as report:
            if form == "scenes":
                written = [prepare_mapped(job, "train" if each == "train" else "test", out, report)]
            elif each == "train":
                written = prepare_train(job, out, report)
            else:
                written = prepare_test(job, out, report)
        for path in written:
            console(stderr=True).print(f"written {path}", markup=False, soft_wrap=True)
