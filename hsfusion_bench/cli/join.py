"""``hsbench join``: records of parts of a split, to records of all their scenes."""

from __future__ import annotations

from pathlib import Path

import click

from hsfusion_bench.cli.common import console, results_dir_option


@click.command("join", short_help="Join records of some scenes each, made by --scenes.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@results_dir_option
@click.pass_context
def command(context: click.Context, files: tuple[Path, ...], results_dir: Path) -> None:
    """Join records that were made of some scenes each, by `hsbench run --scenes`, perhaps on several machines.

    FILES are records of any number of methods and tasks. Those of one method and task must agree in all but scenes and
    machines: method, options, weights, data, protocol, versions of hsbench and of the indexes. The record of all their
    scenes is written below --results-dir, where `run` would put it, and says which scenes are of another machine. Times
    are measured machine by machine, and are not joined.

    \b
    Examples:
      hsbench join results/cave-x4-uestc/gsa.subset-*.json
      hsbench join node1/cave-x4-uestc/*.json node2/cave-x4-uestc/*.json --results-dir all
    """
    from hsfusion_bench.runs.records import Store, read_record
    from hsfusion_bench.runs.shards import join_shards
    from hsfusion_bench.scratch import alone

    said = console(stderr=True)
    store = Store(results_dir)
    store.require_writable()
    kept = False
    for record in join_shards({file: read_record(file) for file in dict.fromkeys(files)}):
        with alone(store.path(record)):
            written = store.write(record)
        count = f"{record.dataset.scenes} of {record.dataset.scenes_in_split} scenes"
        others = f", {len(record.elsewhere)} of another machine" if record.elsewhere else ""
        more = " (an earlier one of more scenes, kept)" if written.kept else ""
        said.print(f"record  {written.path}: {count}{others}{more}", markup=False, soft_wrap=True)
        kept = kept or written.kept
    if kept:
        context.exit(1)
