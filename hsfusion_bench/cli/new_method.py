"""``hsbench new-method``: a package to start from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsfusion_bench.terminal import echo

if TYPE_CHECKING:
    from hsfusion_bench.cli.scaffold import Kind


@click.command("new-method", short_help="Write a package with a method in it, to start from.")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["classical", "network"]),
    default="classical",
    show_default=True,
    help="A function of NumPy arrays, or a torch network with its recipe of training.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder to write, which must not exist.  [default: NAME]",
)
def command(name: str, kind: Kind, out: Path | None) -> None:
    """Write a package that holds a small working method, a test of it, and the entry point by which hsbench finds it.

    \b
    Examples:
      hsbench new-method my-method
      hsbench new-method my-network --kind network --out ~/code/my-network
    """
    from hsfusion_bench.cli.scaffold import write_package

    folder = (out or Path(name)).expanduser()
    for path in write_package(name, kind, folder):
        echo(folder / path)
    # pip takes a bare name for that of a distribution
    place = folder if folder.is_absolute() else f"./{folder}"
    training = " --train --max-steps 50" if kind == "network" else ""
    echo(
        f"\nNext:\n"
        f"  pip install --editable '{place}[dev]'\n"
        f"  hsbench run --methods bicubic,{name} --dataset demo --scale 4{training}\n"
        f"  pytest '{place}'"
    )
