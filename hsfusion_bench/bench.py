"""What the command line does, for a program or a notebook: the names that ``import hsfusion_bench`` gives.

Nothing is imported before it is needed: torch only when a network runs.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hsfusion_bench.data.scenes import Scene
from hsfusion_bench.data.task import Task, open_task
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods import Cube, LoadedNetwork, Method, NetworkMethod, Observation, Tile
from hsfusion_bench.scratch import TemporaryFolder

if TYPE_CHECKING:
    import pandas as pd

    from hsfusion_bench.report.sources import Entry, Which
    from hsfusion_bench.runs.records import Record, Speed
    from hsfusion_bench.runs.reproduce import Reproduction
    from hsfusion_metrics import Indexes

__all__ = [
    "HsbenchError",
    "Observation",
    "Results",
    "Scene",
    "Task",
    "UsageError",
    "evaluate",
    "fuse",
    "leaderboard",
    "load_method",
    "open_task",
    "reproduce",
    "run",
    "score",
    "train",
]


_LOG = logging.getLogger("hsfusion_bench")


def load_method(
    name: str,
    *,
    task: Task | None = None,
    weights: str | Path | None = None,
    device: str = "auto",
    tile: Tile = "auto",
    **options: bool | int | float | str,
) -> Method:
    """Return a method, and a network with its weights.

    Parameters
    ----------
    name
        As the command line calls it: ``gsa``, or ``./mine.py:MyMethod``.
    task
        What is to be fused. A network's weights are looked for as `hsbench run` does: where `hsbench train` leaves
        them, else the best of `hsbench weights list` that are here. They must be told what they fuse, so that a
        network without a task comes without weights. ``method.weights.describe()`` says which they are.
    weights
        A weights file, or a name of `hsbench weights list`, with `task`.
    device
        "auto", "cpu" or "cuda".
    tile
        In what tiles a network fuses, see `NetworkMethod.with_network`.
    **options
        Options of the method, as `hsbench show` lists them.

    Raises
    ------
    UsageError
        If there is no such method or option.
    HsbenchError
        If it cannot be imported, or a network has no weights for the task; the message says how to get some.
    """
    from hsfusion_bench.runs.contenders import Contender

    contender = Contender.of(name, {key: _text(value) for key, value in options.items()})
    if contender.error is not None:
        raise contender.error
    method = contender.method
    assert method is not None
    if contender.recipe_changes:
        raise UsageError(f"{next(iter(contender.recipe_changes))} is a number of {name}'s recipe: give it to hb.train")
    if not isinstance(method, NetworkMethod):
        if weights is not None:
            raise UsageError(f"weights {weights}: {method.card.title} has none")
        return method
    if task is None:
        if weights is not None:
            raise UsageError(f"weights {weights}: say what they fuse by task=hb.open_task(...)")
        return method
    return _loaded(contender.name, method, task, weights, device, tile)


def _loaded(
    name: str, method: NetworkMethod, task: Task, weights: str | Path | None, device: str, tile: Tile
) -> LoadedNetwork:
    from hsfusion_bench.determinism import make_deterministic
    from hsfusion_bench.devices import choose_device
    from hsfusion_bench.runs.weights.choosing import choose, named

    chosen = choose(name, method, task, None if weights is None else named(weights))
    if chosen.path.is_dir():
        raise HsbenchError(f"{chosen.path}: each scene has weights of its own there; hb.run takes them")
    make_deterministic()
    loaded = chosen.load(method, task.problem, choose_device(device), tile=tile)
    assert loaded.weights is not None
    _LOG.info("%s: %s", name, chosen.describe(loaded.weights))
    return loaded


def fuse(method: Method | Callable[[Observation], Cube], observation: Observation) -> npt.NDArray[np.floating[Any]]:
    """Fuse the two images of an observation by a method, or a function; return the cube [bands, H, W].

    Raises
    ------
    UsageError
        If it is neither, such as a name.
    HsbenchError
        If the method fails, or returns another shape, integers, NaN or Inf.
    """
    from hsfusion_bench.methods import FunctionMethod
    from hsfusion_bench.methods.fusing import fuse_checked

    if not callable(method) and not isinstance(method, Method):
        raise UsageError(f"{method!r} is no method: hb.load_method gives one by its name")
    if not isinstance(method, Method):
        method = FunctionMethod(method, getattr(method, "__name__", "function"))
    return fuse_checked(method, observation, "of this observation")


def score(scene: Scene, cube: npt.ArrayLike) -> Indexes:
    """Return the seven indexes of a fused cube [bands, H, W] of a scene, as the MATLAB script prints them.

    Raises
    ------
    HsbenchError
        If the cube does not have the shape of the reference, or is too small for the indexes.
    """
    from hsfusion_metrics import score as indexes_of

    try:
        return indexes_of(scene.hr_hsi, cube, ratio=scene.observation.scale, const=1.0, channel_axis=-3)
    except ValueError as error:
        raise HsbenchError(f"scene {scene.name} cannot be scored: {error}") from error


@dataclass(frozen=True, repr=False)
class Results:
    """Records of methods on tasks, and tables of them.

    Parameters
    ----------
    entries
        What each method scored on each scene, how long it took as far as it was measured, and whether the record came
        with the package; see `hsfusion_bench.report.sources`.
    """

    entries: tuple[Entry, ...]

    @property
    def records(self) -> tuple[Record, ...]:
        """What each method scored, see `hsfusion_bench.runs.records.Record`."""
        return tuple(entry.record for entry in self.entries)

    @property
    def speeds(self) -> tuple[Speed, ...]:
        """How long the methods took, as far as it was measured."""
        return tuple(speed for entry in self.entries for speed in entry.speeds)

    def table(self, *, sort: str = "psnr", published: bool = False, each_seed: bool = False) -> pd.DataFrame:
        """Return a line for each method: mean and deviation of the seven indexes, costs, notes; best first.

        Records that differ in the seed of the training, or of the noise, are one line, the mean over the seeds, with
        the deviation over seeds in columns of its own; `each_seed` gives each a line.
        """
        from hsfusion_bench.report.frame import frame

        return frame(self._boards(sort, published, each_seed))

    def per_scene(self) -> pd.DataFrame:
        """Return a line for each record and scene, with the seven indexes, and further ones that records have.

        The column "seed", of the training, is there where any record has another than 0.
        """
        import pandas as pd

        from hsfusion_bench.runs.records import FURTHER
        from hsfusion_metrics import METRICS

        held = {name for record in self.records for name in record.further}
        indexes = (*METRICS, *(name for name in FURTHER if name in held))
        seeded = any(record.training_seed for record in self.records)
        return pd.DataFrame(
            [
                {
                    "method": entry.record.method.name,
                    "dataset": entry.record.dataset.name,
                    "scale": entry.record.dataset.scale,
                    "protocol": entry.record.dataset.protocol,
                    "recorded": entry.recorded,
                    **({"seed": entry.record.training_seed} if seeded else {}),
                    "scene": scene.name,
                    **{index: getattr(scene, index) for index in indexes},
                }
                for entry in self.entries
                for scene in entry.record.scenes
            ]
        )

    def compare(self, *methods: str, indexes: Sequence[str] = ("psnr",)) -> pd.DataFrame:
        """Return a line for each pair of methods and index: whether they differ, as `hsbench compare` tests it.

        Parameters
        ----------
        methods
            Names of two records or more of one task; ``NAME@recorded`` is the one that came with the package,
            ``NAME.seed-1`` the training with that seed; without it, values are averaged over seeds first.
        indexes
            Any of the seven.

        Raises
        ------
        UsageError
            If there is no such record or index, or several tasks have them.
        HsbenchError
            If they have fewer than two scenes in common. What is to be known of the comparison is a warning.
        """
        import pandas as pd

        from hsfusion_bench.report.comparison import compare
        from hsfusion_bench.report.comparison_tables import pair_rows
        from hsfusion_bench.report.contestants import choose, only
        from hsfusion_metrics import METRICS

        for index in indexes:
            if index not in METRICS:
                raise UsageError(f"there is no index {index!r}; the indexes are {', '.join(METRICS)}")
        choice = only(choose(self.entries, methods), "hb.leaderboard(..., dataset=, scale=, protocol=)")
        found = [compare(choice.contestants, index) for index in indexes]
        for note in dict.fromkeys([*choice.notes, *(note for each in found for note in each.notes)]):
            warnings.warn(note, stacklevel=2)
        return pd.DataFrame(pair_rows(found))

    def to_csv(self) -> str:
        """Return the table as CSV, in full precision."""
        from hsfusion_bench.report.frame import csv

        return csv(self._boards())

    def to_latex(self) -> str:
        """Return the leaderboard as a LaTeX table."""
        from hsfusion_bench.report.latex import latex

        return latex(self._boards())

    def to_markdown(self) -> str:
        """Return the leaderboard as a Markdown table."""
        from hsfusion_bench.report.markdown import markdown

        return markdown(self._boards())

    def __len__(self) -> int:
        return len(self.entries)

    def __str__(self) -> str:
        return self.to_markdown()

    def __repr__(self) -> str:
        """Show the leaderboard at a prompt, too: the records themselves fill many screens."""
        return self.to_markdown()

    def _repr_markdown_(self) -> str:
        """Show the leaderboard in a notebook."""
        return self.to_markdown()

    def _boards(self, sort: str = "psnr", published: bool = False, each_seed: bool = False) -> list[Any]:
        from hsfusion_bench.report.leaderboard import leaderboards

        return leaderboards(self.entries, sort=sort, published=published, each_seed=each_seed)


def run(
    task: Task,
    methods: Iterable[str | Method | Callable[[Observation], Cube]],
    *,
    records: str | Path | None,
    weights: Mapping[str, str | Path] | None = None,
    device: str = "auto",
    seed: int = 0,
    timing: bool = True,
    time_again: bool = False,
    blind: bool = False,
    tile: Tile = "auto",
    also: Sequence[str] = (),
    pictures: bool = False,
) -> Results:
    """Run methods on a task, as `hsbench run` does: observe, fuse, score, count, time.

    Parameters
    ----------
    task
        From `open_task`.
    methods
        Names, methods, or functions of an observation.
    records
        Folder of records, which an interrupted run resumes from; None: nothing is written.
    weights
        Weights files, or names of `hsbench weights list`, by a network's name; else they are found as by
        `load_method`. Which were taken, the logger "hsfusion_bench" is told (INFO), and the records say.
    device, seed, timing, time_again, blind, tile, also, pictures
        As the options of `hsbench run`; `also` are "ergas_fused" and "ssim_full", or one of them; `pictures` lie beside
        the records.

    Returns
    -------
    Results
        Also of methods that failed: their record says why, and a warning does.

    Raises
    ------
    UsageError
        If there is no such method or index.
    HsbenchError
        If scenes are not here, the folder cannot be written, or another process writes the same records.
    """
    from hsfusion_bench.data.task import require_present
    from hsfusion_bench.devices import choose_device
    from hsfusion_bench.report.sources import Entry
    from hsfusion_bench.runs.account import further_indexes
    from hsfusion_bench.runs.contenders import Contender, require_apart
    from hsfusion_bench.runs.records import Store
    from hsfusion_bench.runs.runner import alone_with, run_method
    from hsfusion_bench.runs.setting import Listener, Setting
    from hsfusion_bench.runs.weights.choosing import named

    class Told(Listener):
        """Logs which weights are taken."""

        def weights_taken(self, method: str, text: str) -> None:
            _LOG.info("%s: %s", method, text)

    asked = [methods] if isinstance(methods, str) else list(methods)
    contenders = [Contender.of(method) for method in asked]
    if not contenders:
        raise UsageError("no method is given")
    require_apart([contender.name for contender in contenders])
    further = further_indexes(also)
    require_present(task.source, task.plan)
    if pictures and records is None:
        raise UsageError("pictures=True keeps pictures beside the records: name their folder by records=")
    given = weights or {}
    strangers = given.keys() - {contender.name for contender in contenders}
    if strangers:
        raise UsageError(f"weights of {min(strangers)}: it is not among the methods of this run")
    twice = [contender.name for contender in contenders if contender.loaded is not None and contender.name in given]
    if twice:
        raise UsageError(f"weights of {twice[0]}: it is loaded, and has its weights")
    files = {name: named(file) for name, file in given.items()}
    with TemporaryFolder() as scratch, task.cached() as cached:
        store = Store(scratch if records is None else Path(records).expanduser())
        store.require_writable()
        setting = Setting(
            task=cached,
            store=store,
            device=choose_device(device, networks=any(isinstance(each.method, NetworkMethod) for each in contenders)),
            seed=seed,
            timing=timing,
            time_again=time_again,
            weights=files,
            blind=blind,
            tile=tile,
            also=further,
            pictures=pictures,
            listener=Told(),
        )
        with alone_with(contenders, setting):
            results = [run_method(contender, setting) for contender in contenders]
    for result in results:
        if result.record.status != "ok":
            warnings.warn(f"{result.record.method.name}: {result.record.error}", stacklevel=2)
    return Results(tuple(Entry(result.record, (result.speed,) if result.speed else ()) for result in results))


def train(
    task: Task,
    method: str | NetworkMethod,
    *,
    steps: int | None = None,
    recipe: str = "published",
    changes: Mapping[str, bool | int | float | str] | None = None,
    weights: str | Path | None = None,
    seed: int = 0,
    device: str = "auto",
) -> Path:
    """Train a network on the training scenes of a task, as `hsbench train` does; return its weights file.

    Parameters
    ----------
    task
        From `open_task`; its training scenes are taken.
    method
        A name, or a network method.
    steps
        Optimiser steps; None: the whole recipe.
    recipe, changes
        Which of its recipes, and numbers of it that are to be others.
    weights
        Where the weights are written; None: where `load_method` finds those of seed 0, and beside them the others.
    seed, device
        Of weights and patches; "auto", "cpu" or "cuda".

    Raises
    ------
    UsageError
        If the method is not a network, or the recipe has no such number.
    HsbenchError
        If there is no training scene, or training diverges.
    """
    from hsfusion_bench.devices import choose_device
    from hsfusion_bench.methods.weights import cached_path
    from hsfusion_bench.runs.contenders import Contender
    from hsfusion_bench.training.course import Budget, Course, TrainingListener
    from hsfusion_bench.training.scenes import TrainingScenes
    from hsfusion_bench.training.session import train_weights

    contender = Contender.of(method, {name: _text(value) for name, value in (changes or {}).items()})
    if contender.error is not None:
        raise contender.error
    if not isinstance(contender.method, NetworkMethod):
        raise UsageError(f"{contender.name} is not a network: there is nothing to train")
    usual = cached_path(contender.name, contender.method, task.id, seed)
    path = usual if weights is None else Path(weights).expanduser()
    budget = Budget(steps, contender.recipe_changes, recipe)
    course = Course(seed, choose_device(device))
    return train_weights(contender.method, TrainingScenes(task.train), path, budget, course, TrainingListener()).path


def evaluate(
    task: Task,
    results: str | Path,
    *,
    name: str,
    records: str | Path | None = None,
    const: float | None = None,
    key: str | None = None,
    layout: str | None = None,
    trust_their_reference: bool = False,
    also: Sequence[str] = (),
    uses: Sequence[str] = (),
) -> Results:
    """Score fused cubes that were made elsewhere, as `hsbench evaluate` does.

    Parameters
    ----------
    task
        From `open_task`.
    results
        A file, or a folder of one file a scene.
    name
        Name of the method in tables.
    records
        Folder of records; None: nothing is written.
    const, key, layout, trust_their_reference, also, uses
        As the options of `hsbench evaluate`.

    Raises
    ------
    UsageError
        If the name is taken, axes are ambiguous, or there is no such index or truth.
    HsbenchError
        If a cube is missing, or is not what it is said to be. What is odd about cubes is a warning.
    """
    from hsfusion_bench.data.task import require_present
    from hsfusion_bench.methods.card import TRUTHS
    from hsfusion_bench.report.sources import Entry
    from hsfusion_bench.runs.account import further_indexes
    from hsfusion_bench.runs.elsewhere import Claim, score_claim
    from hsfusion_bench.runs.records import Store
    from hsfusion_bench.runs.setting import Setting
    from hsfusion_bench.suggest import unknown

    further = further_indexes(also)
    require_present(task.source, task.plan)
    for truth in uses:
        if truth not in TRUTHS:
            raise UsageError(unknown("truth of the cameras called", truth, TRUTHS))
    stated = Path(results).expanduser(), name.strip(), key, layout, const, trust_their_reference
    claim = Claim(*stated, uses=tuple(uses))
    with TemporaryFolder() as scratch:
        store = Store(scratch if records is None else Path(records).expanduser())
        result, odd = score_claim(claim, Setting(task, store, timing=False, also=further))
    for text in odd:
        warnings.warn(text, stacklevel=2)
    return Results((Entry(result.record),))


def reproduce(
    record: Record | str | Path,
    *,
    data_root: str | Path | None = None,
    scenes: Sequence[str] | None = None,
    method: str | Method | Callable[[Observation], Cube] | None = None,
    weights: str | Path | None = None,
    device: str | None = None,
    force: bool = False,
) -> Reproduction:
    """Run a recorded row again from its own account, as `hsbench reproduce` does; nothing is written.

    Parameters
    ----------
    record
        A record, its file, or the name of a row that comes with hsbench, if there is one of that name.
    data_root, scenes, weights, device, force
        As the options of `hsbench reproduce`.
    method
        The method, where the record is of one that a program or a file made.

    Returns
    -------
    Reproduction
        Its `verdict` says whether the numbers are the same; `scenes` and `differences` hold the evidence.

    Raises
    ------
    UsageError
        If there is no such record, or a scene is asked for that was not recorded.
    HsbenchError
        If the row cannot be run here, or the run fails; the message says what is missing.
    """
    from hsfusion_bench.runs.records import Record
    from hsfusion_bench.runs.reproduce import Asked, find_record
    from hsfusion_bench.runs.reproduce import reproduce as run_again

    if not isinstance(record, Record):
        _, record = find_record(str(record))
    file = None if weights is None else Path(weights).expanduser()
    asked = Asked(data_root, method=method, scenes=scenes, weights=file, device=device, force=force)
    return run_again(record, asked)


def leaderboard(
    *folders: str | Path,
    dataset: str | None = None,
    scale: int | None = None,
    protocol: str | None = None,
    only: Which = "all",
) -> Results:
    """Read records: those below folders of one's own, and those that come with the package.

    Parameters
    ----------
    folders
        Any number; none: only what comes with the package.
    dataset, scale, protocol
        Only of these.
    only
        "mine" leaves out what comes with the package, "recorded" one's own.

    Returns
    -------
    Results
        A file that is damaged is named by a warning, and keeps back no other.

    Raises
    ------
    UsageError
        If a folder is not there.
    HsbenchError
        If there are no such records.
    """
    from hsfusion_bench.report.sources import gather

    paths = [Path(folder).expanduser() for folder in folders]
    absent = next((path for path in paths if not path.is_dir()), None)
    if absent is not None:
        raise UsageError(f"{absent}: there is no such folder of records")
    found = gather(paths, only, dataset=dataset, scale=scale, protocol=protocol)
    for line in found.damaged:
        warnings.warn(line, stacklevel=2)
    if not found.entries:
        where = ", ".join(map(str, folders)) or "the package"
        raise HsbenchError(f"{where} holds no such records; hb.run and `hsbench run` make them")
    return Results(found.entries)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
