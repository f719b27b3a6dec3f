"""Options and output that several verbs share."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from hsfusion_bench.cli.numbers import DEAD_LINES, DECIBELS, FWHM, GAIN, PHASE_OFF, POSITIVE, SCALE, SEED, shift
from hsfusion_bench.cli.sections import SectionOption
from hsfusion_bench.data.observing.limits import FAMILIES
from hsfusion_bench.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from hsfusion_bench.data.task import Task
    from hsfusion_bench.devices import Device
    from hsfusion_bench.runs.records import Record
    from hsfusion_bench.runs.setting import Result

#: Where one's own records are looked for, if no folder is named.
DEFAULT_FOLDERS: Final = (Path("results"),)

_Function = TypeVar("_Function", bound=Callable[..., Any])


def results_dir_option(function: _Function) -> _Function:
    """Add ``--results-dir``."""
    return click.option(
        "--results-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("results"),
        show_default=True,
        envvar="HSBENCH_RESULTS",
        help="Folder of the records.",
    )(function)


def folders_option(function: _Function) -> _Function:
    """Add ``--results-dir`` that may be given again, as `folders`; without it, `DEFAULT_FOLDERS` is meant."""
    return click.option(
        "--results-dir",
        "folders",
        type=click.Path(path_type=Path, file_okay=False),
        multiple=True,
        envvar="HSBENCH_RESULTS",
        metavar="FOLDER",
        help=f"Folder of one's own records; may be given again.  [default: {DEFAULT_FOLDERS[0]}]",
    )(function)


def require_folders(context: click.Context, folders: tuple[Path, ...]) -> None:
    """Refuse folders of the command line that are not there; the default one, and HSBENCH_RESULTS, may not be yet."""
    if context.get_parameter_source("folders") is not click.core.ParameterSource.COMMANDLINE:
        return
    absent = next((folder for folder in folders if not folder.is_dir()), None)
    if absent is not None:
        raise UsageError(f"--results-dir {absent}: there is no such folder of records")


def console(*, stderr: bool = False) -> Console:
    """Return the console of `hsfusion_bench.terminal`, which is imported when something is drawn."""
    from hsfusion_bench.terminal import console

    return console(stderr=stderr)


def comma_separated(_context: click.Context, parameter: click.Parameter, value: str | None) -> list[str] | None:
    """Split "a, b" into its parts, without empty and repeated ones; none at all is refused."""
    if value is None:
        return None
    parts = list(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    if not parts:
        option, name = parameter.opts[0], str(parameter.name)
        what = {"scenes": "scene", "only": "method", "methods": "method", "columns": "column"}.get(name, "index")
        raise UsageError(f"{option} names no {what}")
    return parts


def chosen_device(wanted: str) -> Device:
    """Return "cpu" or "cuda" for ``--device``, whose "auto" takes CUDA where it is."""
    from hsfusion_bench.devices import choose_device

    return choose_device(wanted)


def tile_option(function: _Function) -> _Function:
    """Add ``--tile``: whether networks fuse in tiles, see `hsfusion_bench.methods.NetworkMethod.ready`."""
    return click.option(
        "--tile",
        callback=_tile,
        default="auto",
        show_default=True,
        metavar="auto|none|N",
        help="Networks fuse in overlapping tiles of N pixels; auto: where their authors do, or memory asks for it.",
    )(function)


def _tile(_context: click.Context, _parameter: click.Parameter, value: str) -> int | str:
    if value in ("auto", "none"):
        return value
    if not re.fullmatch(r"[0-9]{1,6}", value) or not int(value):
        raise UsageError(f"--tile {value[:40]!r}: auto, none, or the side of a tile in pixels, 1 to 999999")
    return int(value)


def pictures_option(function: _Function) -> _Function:
    """Add ``--pictures``, see `hsfusion_bench.runs.pictures`."""
    return click.option(
        "--pictures",
        is_flag=True,
        help="Keep a small picture, an error map and a few spectra of each scene beside the record, for figures.",
    )(function)


def also_option(function: _Function) -> _Function:
    """Add ``--also``: indexes beyond the seven, see `hsfusion_bench.runs.account.further_indexes`."""
    return click.option(
        "--also",
        callback=_also,
        metavar="INDEX,...",
        help="Record further indexes: ergas_fused, ssim_full, which papers print as ERGAS and SSIM.",
    )(function)


def _also(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    names = comma_separated(context, parameter, value)
    if names is None:
        return ()
    from hsfusion_bench.runs.account import further_indexes

    try:
        return further_indexes(names)
    except UsageError as error:
        raise UsageError(f"--also: {error}") from error


def settings(texts: tuple[str, ...], example: str) -> dict[str, str]:
    """Return what ``--set NAME=VALUE`` was given, by name.

    Raises
    ------
    UsageError
        If a text has another form; the message shows the example.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(f"--set {text!r}: expected NAME=VALUE, such as --set {example}")
        found[name] = value
    return found


def refuse_data_root(context: click.Context, dataset: str | None) -> None:
    """Refuse ``--data-root`` on the command line where the data set has no files, or is one itself."""
    given = context.get_parameter_source("data_root") is click.core.ParameterSource.COMMANDLINE
    if given and dataset is not None and (dataset == "demo" or dataset.startswith(("mat:", "h5:"))):
        raise UsageError(f"--data-root names the folder of a data set's files, and {dataset} needs none")


def file_options(function: _Function) -> _Function:
    """Add ``--key`` and ``--const``, of a data set that is one file; see `with_key`."""
    const = click.option("--const", type=POSITIVE, help="With --dataset h5:FILE: full scale of its values.")
    return click.option("--key", metavar="NAME", help="With --dataset mat:FILE: the array in it, if asked.")(
        const(function)
    )


def with_key(dataset: str, key: str | None, const: float | None = None) -> str:
    """Return the name of a data set with the key and the full scale that its file was given."""
    if key is not None:
        if not dataset.startswith("mat:"):
            raise UsageError(f"--key {key}: it goes with --dataset mat:FILE, not with {dataset}")
        return f"{dataset}:{key}"
    if const is not None:
        if not dataset.startswith("h5:"):
            raise UsageError(
                f"--const {const:g}: it goes with --dataset h5:FILE, not with {dataset}; for another file, "
                "state const in a TOML file that describes it"
            )
        options = dataset.rpartition(":")[2]
        return f"{dataset}{',' if '=' in options else ':'}const={const:.12g}"
    return dataset


def wavelengths_option(function: _Function) -> _Function:
    """Add ``--wavelengths``, see `hsfusion_bench.formats.wavelengths.stated_by`."""
    return click.option(
        "--wavelengths",
        metavar="FIRST:LAST",
        help="Of the bands, where the dataset states none: evenly spaced, as 400:700 or 0.9:1.7um; or a text file of "
        "them, or numbers with commas between them. In nm, or with a unit.",
    )(function)


#: Headings of the help.
CONDITIONS: Final = "Conditions that depart from the protocol's"
_TOLD: Final = "What methods are told, where it is not the truth"


def _condition(option: str, section: str = CONDITIONS, **more: Any) -> Callable[[Any], Any]:
    return click.option(option, cls=SectionOption, section=section, **more)


def _conditions() -> list[Callable[[Any], Any]]:
    """Return the options that make a variant of a protocol, see `hsfusion_bench.data.observing.conditions`."""
    families = click.Choice(FAMILIES)
    return [
        _condition(
            "--response",
            metavar="NAME",
            help="Another camera response, see `hsbench list responses`; or a file of your own, FILE or FILE:KEY "
            "(.csv, .txt, .mat, .npy, .npz).",
        ),
        _condition(
            "--off-table",
            type=click.Choice(["refuse", "by-band", "interpolate"]),
            help="What to do where the response is tabulated at other wavelengths than the dataset's.",
        ),
        _condition("--snr-hsi", type=DECIBELS, metavar="DB", help="Add noise to the LR-HSI: signal-to-noise ratio."),
        _condition("--snr-msi", type=DECIBELS, metavar="DB", help="Add noise to the HR-MSI: signal-to-noise ratio."),
        _condition("--noise-seed", type=SEED, default=0, show_default=True, help="Seed of the noise."),
        _condition(
            "--psf", type=families, metavar="FAMILY", help=f"Another blur of the LR-HSI: {', '.join(FAMILIES)}."
        ),
        _condition(
            "--psf-fwhm",
            type=FWHM,
            metavar="PIXELS",
            help="Its full width at half maximum, HR pixels; without --psf, a Gaussian's.",
        ),
        _condition(
            "--shift",
            callback=shift,
            metavar="ROWS,COLUMNS",
            help="Move the HR-MSI down and right, by HR pixels or parts of them; one number for both.",
        ),
        _condition("--gain", type=GAIN, metavar="FACTOR", help="Multiply the HR-MSI, and not the LR-HSI."),
        _condition(
            "--dead-lines",
            type=DEAD_LINES,
            metavar="N",
            help="Columns of the LR-HSI that read 0: N of each band, or, below 1, a share of all bands'.",
        ),
        _condition("--dead-seed", type=SEED, default=0, show_default=True, help="Seed of which they are."),
        _condition("--told-psf", _TOLD, type=families, metavar="FAMILY", help="Another blur than the LR-HSI's."),
        _condition("--told-psf-fwhm", _TOLD, type=FWHM, metavar="PIXELS", help="Another width of it."),
        _condition("--told-response", _TOLD, metavar="NAME", help="Another camera response than the HR-MSI's."),
        _condition(
            "--told-phase",
            _TOLD,
            type=PHASE_OFF,
            metavar="PIXELS",
            help="A phase so far off, HR pixels, a multiple of 0.5.",
        ),
    ]


def dataset_parameters() -> list[Callable[[Any], Any]]:
    """Return the options that say which scenes are meant, and how they are made, as decorators in their order."""
    return [
        click.option(
            "--dataset",
            required=True,
            metavar="NAME",
            help="Dataset; `demo` needs no files. Or a file: FILE.toml describes one, mat:FILE[:KEY] is one cube, "
            "h5:FILE holds samples of GT, LRHSI and RGB.",
        ),
        click.option("--scale", required=True, type=SCALE, help="Ratio of the two resolutions."),
        click.option(
            "--protocol",
            metavar="NAME",
            help="How observations are made; FILE.toml for one of your own. Default: what suits the dataset.",
        ),
        click.option(
            "--data-root",
            type=click.Path(path_type=Path),
            envvar="HSBENCH_DATA",
            help="Folder of the dataset's files. Default: where `hsbench data download` puts them.",
        ),
        click.option(
            "--scenes", callback=comma_separated, metavar="NAME,...", help="Only these scenes of the test split."
        ),
        wavelengths_option,
        *_conditions(),
    ]


def dataset_options(function: _Function) -> _Function:
    """Add `dataset_parameters`.

    The function gets `dataset`, `scale`, `data_root`, `scenes`, `wavelengths`, and as `protocol` a `ProtocolChoice`.
    """

    @functools.wraps(function)
    def with_choice(*args: Any, protocol: str | None, **given: Any) -> Any:
        from dataclasses import fields

        from hsfusion_bench.data.observing.protocols import ProtocolChoice

        refuse_data_root(click.get_current_context(), given["dataset"])
        if given["noise_seed"] and given["snr_hsi"] is None and given["snr_msi"] is None:
            raise UsageError("--noise-seed is about noise: add --snr-hsi or --snr-msi")
        if given["dead_seed"] and not given["dead_lines"]:
            raise UsageError("--dead-seed is about dead lines: add --dead-lines")
        changes = {field.name: given.pop(field.name) for field in fields(ProtocolChoice) if field.name != "name"}
        return function(*args, protocol=ProtocolChoice(protocol, **changes), **given)

    decorated: Any = with_choice
    for option in reversed(dataset_parameters()):  # decorators are applied from the last to the first
        decorated = option(decorated)
    made: _Function = decorated
    return made


each_seed_option = click.option(
    "--each-seed", is_flag=True, help="Give each seed of a training, or of the noise, a row of its own."
)


def remark_on_camera(task: Task) -> None:
    """Say what was done to the numbers of a user's own camera response, if anything."""
    remark = task.protocol.response.remark_on(task.source.bands)
    if remark:
        console(stderr=True).print(f"note: {remark}", markup=False, soft_wrap=True)


def report_results(
    results: Sequence[Result], csv_file: Path | None, latex_file: Path | None, known: Sequence[Result] = ()
) -> None:
    """Print the leaderboard of each task, write the tables that were asked for, and point to the recorded rows.

    Parameters
    ----------
    results
        Of this run.
    csv_file, latex_file
        Where the tables are written as well.
    known
        Of earlier runs, which stand in the tables, too.
    """
    from hsfusion_bench.files import write_text
    from hsfusion_bench.report.frame import csv
    from hsfusion_bench.report.latex import Choice, typeset
    from hsfusion_bench.report.leaderboard import leaderboards
    from hsfusion_bench.report.sources import Entry, gather
    from hsfusion_bench.report.terminal import show

    made = [*results, *known]
    boards = leaderboards(Entry(result.record, (result.speed,) if result.speed else ()) for result in made)
    notes = console(stderr=True)
    show(console(), boards)
    tasks = list(dict.fromkeys(_task_of(result.record) for result in made))
    for result in results:
        if result.record.status != "ok":
            task = f" on {' '.join(_task_of(result.record))}" if len(tasks) > 1 else ""
            notes.print(f"{result.record.method.name}{task}: {result.record.error}", style="red", markup=False)
    for result in results:
        path, kept = result.written
        more = " (an earlier one of more scenes, kept)" if kept else ""
        notes.print(f"record  {path}{more}", markup=False, soft_wrap=True)
        if result.lost is not None:
            notes.print(f"{result.record.method.name}: {result.lost}", style="red", markup=False, soft_wrap=True)
        elif result.cubes is not None:
            notes.print(f"cubes   {result.cubes}", markup=False, soft_wrap=True)
        if result.pictures is not None:
            notes.print(f"shown   {result.pictures}", markup=False, soft_wrap=True)
    before = [result.record.method.name for result in results if result.timed_before]
    if before:
        told = f"timed   {', '.join(before)}: before, on this device; --time-again times anew"
        notes.print(told, markup=False, soft_wrap=True)
    if csv_file is not None:
        write_text(csv_file, csv(boards))
        notes.print(f"csv     {csv_file}", markup=False, soft_wrap=True)
    if latex_file is not None:
        text, remarks = typeset(boards, Choice())
        write_text(latex_file, text)
        for remark in remarks:
            notes.print(remark, markup=False, soft_wrap=True)
        notes.print(f"latex   {latex_file}", markup=False, soft_wrap=True)
    folder = made[0].written.path.parent.parent
    where = [] if folder == Path("results") else ["--results-dir", str(folder)]
    for dataset, scale, protocol in tasks:
        chosen = ["--dataset", dataset, "--scale", scale.removeprefix("×"), "--protocol", protocol]
        recorded = gather([], "recorded", dataset=dataset, scale=int(chosen[3]), protocol=protocol).entries
        if recorded:
            verb = shlex.join(["hsbench", "leaderboard", *chosen, *where])
            notes.print(f"beside {len(recorded)} recorded rows: {verb}", markup=False, soft_wrap=True)
    chosen = chosen if len(tasks) == 1 else []
    notes.print(f"as a page: {shlex.join(['hsbench', 'report', *chosen, *where])}", markup=False, soft_wrap=True)


def _task_of(record: Record) -> tuple[str, str, str]:
    """Return data set, scale and protocol in words."""
    told = record.dataset
    return told.name, f"×{told.scale}", told.protocol
