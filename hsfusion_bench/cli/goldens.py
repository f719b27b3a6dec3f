"""``hsbench goldens``: the golden file, built anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hsfusion_bench.cli.engine_options import engine_options, required_package


@click.command("goldens", short_help="Build the file of golden values anew from the MATLAB test package.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@engine_options
def command(file: Path, package: Path | None, engine: Any, time_limit: float) -> None:
    """Run both scripts of the MATLAB test package on the golden cases and write FILE, in TOML.

    The images are built from seeds; FILE holds their SHA-256, what the scripts returned with 17 digits, the engine's
    version, and which functions of MATLAB it lacked, so that ours stood in. `hsbench verify --golden FILE` compares
    us with it; the one we ship was made by this command.

    \b
    Example:
      hsbench goldens matlab.toml --package ~/Matlab_Test_Package --engine matlab
      hsbench verify --golden matlab.toml
    """
    package = required_package(package)

    from hsfusion_bench.cli.common import console
    from hsfusion_bench.files import write_text
    from hsfusion_bench.matlab import goldens
    from hsfusion_bench.matlab.engine import find_engine

    found = find_engine(engine)
    with console(stderr=True).status(f"{found.title} runs the test package on {len(goldens.CASES)} cases"):
        text = goldens.make(found, package, time_limit=time_limit)
    write_text(file, text)
    click.echo(f"{file}: {len(goldens.CASES)} cases")
