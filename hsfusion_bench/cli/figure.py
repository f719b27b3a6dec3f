"""``hsbench figure``: figures for papers, from records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from hsfusion_bench.cli.common import DEFAULT_FOLDERS, comma_separated, console, folders_option, require_folders
from hsfusion_bench.errors import HsbenchError, UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hsfusion_bench.report.figures.canvas import Width
    from hsfusion_bench.report.figures.choosing import Asked
    from hsfusion_bench.report.figures.tradeoff import Cost

KINDS: Final = ("tradeoff", "errors", "spectra", "scenes", "training", "sweep", "ranks")
#: Options that only some kinds have.
_OF: Final = {
    "--against": ("tradeoff",),
    "--area": ("tradeoff",),
    "--device": ("tradeoff",),
    "--scene": ("errors", "spectra"),
    "--window": ("errors",),
    "--log": ("training",),
    "--axis": ("sweep",),
    "--index": ("tradeoff", "scenes", "sweep", "ranks"),
    "--common": ("tradeoff", "scenes", "ranks"),
}


@click.command("figure", short_help="Draw records: trade-offs, error maps, spectra, ranks, trainings.")
@click.argument("kind", type=click.Choice(KINDS))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help=".pdf, .svg or .png."
)
@click.option(
    "--width",
    type=click.Choice(["column", "page"]),
    default="page",
    show_default=True,
    help="One column of a two-column journal (3.5 in), or both (7.16 in).",
)
@click.option(
    "--methods",
    callback=comma_separated,
    metavar="NAME,...",
    help="Only these, in this order: methods, or variants as their records are called.",
)
@click.option("--dataset", "datasets", multiple=True, metavar="NAME", help="Only this dataset; a trade-off takes two.")
@click.option("--scale", type=int, help="Only this scale.")
@click.option(
    "--protocol", "protocols", multiple=True, metavar="NAME", help="Only this protocol; may be given again for a sweep."
)
@click.option(
    "--only",
    type=click.Choice(["mine", "recorded"]),
    help="Only records below --results-dir, or that come with hsbench.",
)
@click.option("--index", metavar="INDEX", help="One of the seven.  [default: psnr]")
@click.option("--common", is_flag=True, help="Compare over the scenes that all methods have.")
@click.option("--against", type=click.Choice(["params", "flops", "latency"]), help="tradeoff: the horizontal axis.")
@click.option("--area", type=click.Choice(["params", "flops", "latency"]), help="tradeoff: what circles' areas show.")
@click.option("--device", metavar="NAME", help="tradeoff: latencies of this device, by part of its name.")
@click.option("--axis", metavar="NAME", help="sweep: what changes, as `hsbench run --sweep` calls it.")
@click.option("--scene", metavar="NAME", help="errors, spectra: which scene.")
@click.option("--window", metavar="ROW,COLUMN,SIDE", help="errors: what is magnified.  [default: most telling]")
@click.option(
    "--log",
    "logs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.csv",
    help="training: this log; may be given again.  [default: those beside weights]",
)
@folders_option
@click.pass_context
def command(
    context: click.Context,
    kind: str,
    out: Path,
    width: Width,
    methods: list[str] | None,
    datasets: tuple[str, ...],
    scale: int | None,
    protocols: tuple[str, ...],
    only: Literal["mine", "recorded"] | None,
    index: str | None,
    common: bool,
    against: Cost | None,
    area: Cost | None,
    device: str | None,
    axis: str | None,
    scene: str | None,
    window: str | None,
    logs: tuple[Path, ...],
    folders: tuple[Path, ...],
) -> None:
    """Draw a figure from one's own records and those that come with hsbench.

    \b
    KIND is one of
      tradeoff   an index against parameters, FLOPs or latency; or one dataset against another
      errors     results and error maps, with a window magnified (hsbench run --pictures)
      spectra    spectra of a few pixels, and the error of each band (hsbench run --pictures)
      scenes     methods by scenes, as a heat map
      training   loss and validation of trainings
      sweep      an index against a condition, such as --snr-hsi or --psf
      ranks      average ranks, and which methods do not differ significantly

    \b
    Examples:
      hsbench figure tradeoff --dataset cave --scale 4 --protocol uestc --out tradeoff.pdf
      hsbench figure errors --dataset demo --methods bicubic,gsa --out errors.pdf --width column
      hsbench figure ranks --dataset cave --scale 4 --protocol uestc --index sam --out ranks.svg
    """
    from hsfusion_bench.report.figures import canvas
    from hsfusion_bench.report.figures.choosing import Asked
    from hsfusion_bench.report.sources import gather
    from hsfusion_metrics import METRICS

    canvas.check_file(out)
    given: dict[str, object] = {"--against": against, "--area": area, "--device": device, "--scene": scene}
    given |= {"--axis": axis, "--window": window, "--log": logs or None, "--index": index, "--common": common or None}
    for option, value in given.items():
        if value is not None and kind not in _OF[option]:
            raise UsageError(f"{option} is for {' and '.join(_OF[option])}, not for {kind}")
    if methods == []:
        raise UsageError("--methods names no method")
    if index is not None and index not in METRICS:
        raise UsageError(f"there is no index {index!r}; the indexes are {', '.join(METRICS)}")
    if len(datasets) > (2 if kind == "tradeoff" else 1):
        raise UsageError("--dataset: a trade-off takes two, another figure one")
    if len(protocols) > 1 and kind != "sweep":
        raise UsageError("--protocol may be given again for a sweep only")
    require_folders(context, folders)
    notes: list[str] = []
    own = list(folders or DEFAULT_FOLDERS)
    damaged: tuple[str, ...] = ()
    if kind == "training":
        draw = _training(own, methods, datasets, scale, protocols, logs, width)
    else:
        found = gather(own, only or "all", scale=scale, swept=kind == "sweep")
        damaged = found.damaged
        entries = [
            entry
            for entry in found.entries
            if (not datasets or entry.record.dataset.name in datasets)
            and (not protocols or entry.record.dataset.protocol in protocols)
        ]
        if not entries:
            asked_for = [*datasets, *([f"×{scale}"] if scale else []), *protocols]
            raise HsbenchError(
                f"there are no records{' of ' + ', '.join(asked_for) if asked_for else ''}; `hsbench run` makes some"
            )
        asked = Asked(entries, own, methods, index or "psnr", common, notes)
        draw = _of_records(kind, asked, width, against, area, device, axis, scene, window)
    said = console(stderr=True)
    try:
        with canvas.drawing():
            canvas.save(draw(), out)
    finally:
        for line in damaged:
            said.print(line, style="red", markup=False, soft_wrap=True)
        for note in dict.fromkeys(notes):
            said.print(note, markup=False, soft_wrap=True)
    said.print(f"wrote {out}", markup=False, soft_wrap=True)
    if damaged:
        context.exit(1)


def _of_records(
    kind: str,
    asked: Asked,
    width: Width,
    against: Cost | None,
    area: Cost | None,
    device: str | None,
    axis: str | None,
    scene: str | None,
    window: str | None,
) -> Callable[[], Figure]:
    from hsfusion_bench.report.figures import errors, ranks, scenes, spectra, sweep, tradeoff

    place = None if window is None else errors.Window.parse(window)
    kinds: dict[str, Callable[[], Figure]] = {
        "tradeoff": lambda: tradeoff.draw(asked, width, against, area, device),
        "errors": lambda: errors.draw(asked, width, scene, place),
        "spectra": lambda: spectra.draw(asked, width, scene),
        "scenes": lambda: scenes.draw(asked, width),
        "sweep": lambda: sweep.draw(asked, width, axis),
        "ranks": lambda: ranks.draw(asked, width),
    }
    return kinds[kind]


def _training(
    folders: list[Path],
    methods: list[str] | None,
    datasets: tuple[str, ...],
    scale: int | None,
    protocols: tuple[str, ...],
    logs: tuple[Path, ...],
    width: Width,
) -> Callable[[], Figure]:
    from hsfusion_bench.report.figures import canvas, training

    files = list(logs)
    if not files:
        dataset, protocol = (several[0] if several else None for several in (datasets, protocols))
        files = training.find_logs(folders, methods, dataset, scale, protocol)
    if not files:
        raise HsbenchError(
            "there is no log of such a training; `hsbench train` writes one beside the weights, see --log"
        )
    names = [canvas.plain(path.parent.name or path.stem) for path in files]
    titles = [
        name if names.count(name) == 1 else canvas.plain(f"{name}, {path.stem}")
        for name, path in zip(names, files, strict=True)
    ]
    return lambda: training.draw(
        [training.read_log(path, title) for path, title in zip(files, titles, strict=True)], width
    )
