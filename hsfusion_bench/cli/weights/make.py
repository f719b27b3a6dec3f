"""``hsbench weights make``: the trainings of a file, one after the other."""

from __future__ import annotations

from pathlib import Path

import click

from hsfusion_bench.cli.common import chosen_device, comma_separated, console, results_dir_option
from hsfusion_bench.errors import UsageError
from hsfusion_bench.terminal import echo


@click.command("make", short_help="Make the trainings that a file lists, one after the other.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--only", callback=comma_separated, metavar="METHOD,...", help="Only the trainings of these methods.")
@click.option(
    "--data-root",
    type=click.Path(path_type=Path),
    envvar="HSBENCH_DATA",
    help="Folder of the data set.",
)
@results_dir_option
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of trainings under way, from which they resume. Default: in the cache.",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--dry-run", is_flag=True, help="Print the commands, and do nothing.")
@click.pass_context
def command(
    context: click.Context,
    file: Path,
    only: list[str] | None,
    data_root: Path | None,
    results_dir: Path,
    work: Path | None,
    device: str,
    dry_run: bool,
) -> None:
    """Make the trainings that FILE lists, one after the other, and score each on the test scenes.

    Each leaves a record in --results-dir, and its card, log and, where the file says so, its weights below weights/.
    The same command resumes what was interrupted and leaves alone what is there; what fails is reported, and the next
    training starts. The module hsfusion_bench.training.queue tells the form of the file.

    \b
    Examples:
      hsbench weights make results/trainings.toml --data-root ~/CAVE
      hsbench weights make results/trainings.toml --only ssrnet --dry-run
    """
    from hsfusion_bench.suggest import unknown
    from hsfusion_bench.training.queue import Queue, read_queue

    items = read_queue(file)
    methods = list(dict.fromkeys(item.method for item in items))
    for name in only or []:
        if name not in methods:
            raise UsageError(unknown(f"training in {file} of the method", name, methods))
    items = [item for item in items if only is None or item.method in only]
    if dry_run:
        for item in items:
            echo(" ".join(["hsbench", *item.command()]))
        return
    notes = console(stderr=True)

    def say(line: str) -> None:
        notes.print(line, markup=False, soft_wrap=True)

    queue = Queue(results_dir, work or Queue.default_work(), data_root, chosen_device(device), say)
    outcomes = queue.run(items)
    for title, outcome in outcomes.items():
        echo(f"{outcome:9}  {title}")
    if "failed" in outcomes.values():
        context.exit(1)
