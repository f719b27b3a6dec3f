"""Whether rows that somebody sends are complete, of the right data, and scored as we score.

A submission is a folder of records as `hsbench run` or `hsbench evaluate` writes them, with the cubes beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isclose, isnan
from pathlib import Path
from typing import Literal

from hsfusion_bench.data.catalog import about
from hsfusion_bench.data.observing.protocols import Protocol, Split, choice_of, load_protocol
from hsfusion_bench.data.scenes import scene_digest
from hsfusion_bench.data.task import Task, open_task
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import sha256_file, slug
from hsfusion_bench.formats.arrays import SUFFIXES
from hsfusion_bench.formats.wavelengths import stated_by
from hsfusion_bench.jsonfile import read_json
from hsfusion_bench.methods.contract import Card
from hsfusion_bench.registry import entries
from hsfusion_bench.runs.account import metrics_info
from hsfusion_bench.runs.differences import of_summary
from hsfusion_bench.runs.elsewhere import Claim, score_cubes
from hsfusion_bench.runs.pictures import PICTURES_SCHEMA
from hsfusion_bench.runs.recorded import recorded_store, say_once
from hsfusion_bench.runs.records import SPEED_SCHEMA, Record, SceneResult, Store, WeightsInfo, read_record
from hsfusion_bench.runs.reproduce import weights_digest
from hsfusion_bench.runs.setting import Listener, Setting
from hsfusion_metrics import METRICS, PUBLISHED_METRICS

State = Literal["ok", "missing", "wrong", "not checked"]

#: Indexes of the same cube, scored on two machines, agree to this, relatively (measured: 3e-16).
SAME_CUBE = 1e-9
#: What a text says that tells where a method is described.
_REFERENCE = re.compile(r"https?://|doi[:. ]|arxiv", re.IGNORECASE)
_KNOWN = {**METRICS, **PUBLISHED_METRICS}
_TEXTS = ("README.md", "README.txt", "README")


@dataclass(frozen=True)
class Check:
    """One line of the checklist.

    Parameters
    ----------
    state
        "ok", "missing", "wrong", or "not checked", which is not accepted either.
    what
        Is checked.
    where
        File, below the folder.
    found
        What was found, where it is not ok.
    advice
        What to do.
    """

    state: State
    what: str
    where: str
    found: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Submission:
    """A folder that somebody sends, and all that was checked of it."""

    folder: Path
    records: tuple[Record, ...]
    checks: tuple[Check, ...]

    @property
    def acceptable(self) -> bool:
        """Whether every record can be taken over as it is."""
        return bool(self.records) and all(check.state == "ok" for check in self.checks)


def check_submission(folder: Path, data_root: str | Path | None = None, listener: Listener | None = None) -> Submission:
    """Check the records of a folder and the cubes beside them.

    A damaged record is named, and the others are checked all the same.

    Parameters
    ----------
    folder
        With records somewhere below it.
    data_root
        Folder of the data set's files, without which cubes cannot be scored.
    listener
        Is told how the scoring goes.

    Raises
    ------
    HsbenchError
        If there is no such folder, or nothing in it is a record.
    """
    if not folder.is_dir():
        raise HsbenchError(f"{folder}: there is no such folder")
    records: list[tuple[Path, Record]] = []
    checks: list[Check] = []
    for path in sorted(folder.rglob("*.json")):
        where = str(path.relative_to(folder))
        if _is_something_else(path):
            continue
        try:
            records.append((path, read_record(path)))
        except HsbenchError as error:
            text = str(error).removeprefix(f"{path} ")
            checks.append(Check("wrong", "record", where, text, "send the file as hsbench wrote it"))
    if not records and not checks:
        raise HsbenchError(
            f"{folder} holds no record; `hsbench run --results-dir {folder}` and `hsbench evaluate --results-dir "
            f"{folder}` write them there"
        )
    known = _recorded_digests()
    for path, record in records:
        checks += _Examination(folder, path, record, data_root, known, listener or Listener()).checks()
    return Submission(folder, tuple(record for _, record in records), tuple(checks))


def _is_something_else(path: Path) -> bool:
    """Tell a measurement of speed, what tells of pictures, or the card beside weights from what should be a record."""
    if path.with_suffix(".safetensors").exists():
        return True
    try:
        _, content = read_json(path, "record")
    except HsbenchError:
        return False  # reading it as a record says what it is
    return isinstance(content, dict) and content.get("schema") in (SPEED_SCHEMA, PICTURES_SCHEMA)


def _recorded_digests() -> dict[tuple[str, int, str], dict[str, str]]:
    """Return the digests of the scenes of every task that has a committed row."""
    found: dict[tuple[str, int, str], dict[str, str]] = {}
    for record in recorded_store().records(say_once):
        scenes = {scene.name: scene.digest for scene in record.scenes if scene.digest and scene.psnr is not None}
        if record.external is None or record.external.reference == "ours":
            found.setdefault(_task_of(record), {}).update(scenes)
    return found


def _task_of(record: Record) -> tuple[str, int, str]:
    return record.dataset.name, record.dataset.scale, record.dataset.protocol


class _Examination:
    """The checks of one record."""

    def __init__(
        self,
        folder: Path,
        path: Path,
        record: Record,
        data_root: str | Path | None,
        known: dict[tuple[str, int, str], dict[str, str]],
        listener: Listener,
    ) -> None:
        self.folder, self.path, self.record = folder, path, record
        self.data_root = data_root
        self.known = known.get(_task_of(record), {})
        self.listener = listener
        self.where = str(path.relative_to(folder))

    def checks(self) -> Iterator[Check]:
        """Give the lines of the checklist."""
        yield self._check("record", [])
        yield self._check("place", self._place(), advice="keep the names that hsbench gives to folder and file")
        yield self._check("status", self._status(), advice="finish the run; the same command resumes it")
        yield from self._data()
        yield self._check("scenes", self._scenes(), advice="run the whole test split, without --scenes")
        yield self._check("index suite", self._suite(), advice="score again with this version of hsbench")
        yield self._check(
            "summary",
            [f"{each.what} is {each.here}, not {each.recorded}" for each in of_summary(self.record)],
            advice="send the record as hsbench wrote it",
        )
        yield from self._program()
        yield from self._network()
        yield from self._reference()
        yield from self._cubes()

    def _check(self, what: str, wrong: Sequence[str], *, advice: str = "") -> Check:
        return Check("wrong", what, self.where, "; ".join(wrong), advice) if wrong else Check("ok", what, self.where)

    # -- the record by itself

    def _place(self) -> list[str]:
        due = Store(self.folder).path(self.record)
        here = Path(self.path.parent.name) / self.path.name
        belongs = Path(due.parent.name) / due.name
        return [] if here == belongs else [f"it belongs to {belongs}"]

    def _status(self) -> list[str]:
        record = self.record
        return [] if record.status == "ok" else [f"{record.status}: {record.error or 'no reason is given'}"]

    def _scenes(self) -> list[str]:
        told, scenes = self.record.dataset, self.record.scenes
        wrong = [
            f"{scene.name} has no {index}" + (f" ({scene.error})" if scene.error else "")
            for scene in scenes
            for index in (*METRICS, *self.record.further)
            if getattr(scene, index) is None or isnan(getattr(scene, index))
        ]
        if told.scenes != len(scenes):
            wrong.append(f"the record counts {told.scenes} scenes, but lists {len(scenes)}")
        split = self._split()
        if split is not None:
            names = [scene.name for scene in scenes]
            lacking = [name for name in split.test if name not in names]
            strange = [name for name in names if name not in split.test]
            wrong += [f"lacks {', '.join(lacking)}"] if lacking else []
            wrong += [f"{', '.join(strange)}: not a test scene of the split"] if strange else []
            wrong += ["a scene is listed twice"] if len(set(names)) < len(names) else []
        return wrong

    def _suite(self) -> list[str]:
        due, told = metrics_info(self.record.dataset.scale), self.record.metrics
        return [
            f"{name} is {told.get(name, 'not stated')}, not {due.get(name, 'one of ours')}"
            for name in sorted(due.keys() | told.keys())
            if due.get(name) != told.get(name)
        ]

    # -- data and protocol

    def _protocol(self) -> Protocol:
        return load_protocol(choice_of(self.record.dataset.protocol))

    def _split(self) -> Split | None:
        try:
            return self._protocol().splits.get(self.record.dataset.name) or about(self.record.dataset.name).split
        except HsbenchError:
            return None  # said where the protocol is checked

    def _data(self) -> Iterator[Check]:
        told = self.record.dataset
        try:
            protocol, described = self._protocol(), about(told.name)
            given = stated_by(told.wavelengths, told.bands) if told.wavelengths else ()
            wavelengths = described.wavelengths or given or (float("nan"),) * told.bands
            if told.bands_used is not None and described.bands:
                of_file = zip(described.bands, described.wavelengths, strict=True)
                wavelengths = tuple(nm for band, nm in of_file if band in told.bands_used)
            due = protocol.digest(told.scale, wavelengths)
        except HsbenchError as error:
            advice = "send the description of data set or protocol, too; it must ship first"
            yield Check("wrong", "data set and protocol", self.where, str(error), advice)
            return
        wrong = _other("digest", told.protocol_digest, due) + _other("version", told.protocol_version, protocol.version)
        if told.conditions is not None:
            wrong += _other("conditions", told.conditions, protocol.departures or None)
        if len(wavelengths) != told.bands:
            wrong.append(f"{told.bands} bands, where the data set has {len(wavelengths)}")
        yield self._check("protocol", wrong, advice="run again with this version of hsbench, and the protocol it ships")
        split = self._split()
        if split is None:
            yield Check("wrong", "split", self.where, f"{protocol.id} has no split of {told.name}", "use one that has")
            return
        wrong = _other("name", told.split, split.id) + _other("digest", told.split_digest, split.digest)
        wrong += _other("number of scenes", told.scenes_in_split, len(split.test))
        yield self._check("split", wrong, advice="run again with this version of hsbench")
        yield self._digests()

    def _digests(self) -> Check:
        """Compare the references with those of the rows that are here."""
        what, told = "references", {scene.name: scene.digest for scene in self.record.scenes}
        wrong = [
            f"that of {name} is {str(told[name])[:12]}…, in our rows {digest[:12]}…"
            for name, digest in self.known.items()
            if name in told and told[name] != digest
        ]
        unknown = [name for name in told if name not in self.known]
        if wrong or not unknown:
            return self._check(what, wrong, advice="compare your files by `hsbench data check`")
        try:
            ours = {scene.name: scene_digest(scene.hr_hsi) for scene in self._task(unknown)}
        except HsbenchError as error:
            advice = "name the data by --data-root; no row of that task is committed to compare with"
            return Check("not checked", what, self.where, str(error), advice)
        wrong = [f"that of {name} is not ours" for name in unknown if told[name] != ours.get(name)]
        return self._check(what, wrong, advice="compare your files by `hsbench data check`")

    def _task(self, names: Sequence[str]) -> Task:
        told = self.record.dataset
        choice = choice_of(told.protocol)
        given = told.wavelengths
        return open_task(
            told.name, told.scale, protocol=choice, data_root=self.data_root, scenes=names, wavelengths=given
        )

    # -- the method

    def _card(self) -> Card | None:
        """Return the card of a method that is here; None of one that is not."""
        entry = entries().get(self.record.method.name)
        if entry is None or self.record.method.origin == "external":
            return None
        try:
            return entry.card or entry.load().card
        except HsbenchError:
            return None

    def _program(self) -> Iterator[Check]:
        """See that a method in a file came along, and is the one that ran."""
        told, what = self.record.method, "file of the method"
        if told.origin != "file":
            return
        if Path(told.distribution).name != told.distribution:
            yield self._check(what, [f"{told.distribution} is no name of a file"], advice="send the record as it was")
            return
        files = [place / told.distribution for place in (self.path.parent, self.folder)]
        file = next((each for each in files if each.is_file()), None)
        if file is None:
            yield Check("missing", what, self.where, "", f"put {told.distribution} into the folder")
            return
        digest = sha256_file(file)[: len(told.version)]
        wrong = [] if digest == told.version else [f"its SHA-256 begins with {digest}, in the record {told.version}"]
        yield self._check(what, wrong, advice="send the file that the record is of")

    def _network(self) -> Iterator[Check]:
        record, wrong = self.record, []
        if record.external is not None:
            if record.external.reference != "ours":
                wrong.append("scored against a reference that came with the cubes")
            yield self._check("reference used", wrong, advice="score against ours, without --trust-their-reference")
            return
        weights = record.weights
        if record.model.parameters is None and weights is None:
            return
        lacking = [] if weights else ["weights"]
        lacking += [] if record.model.parameters is not None else ["number of parameters"]
        lacking += ["training"] if weights and weights.origin == "hsbench" and weights.training is None else []
        advice = "run again with weights that carry their card, as `hsbench train` writes them"
        if lacking:
            yield Check("missing", "network", self.where, ", ".join(lacking), advice)
        else:
            yield Check("ok", "network", self.where)
        if weights and weights.origin == "hsbench" and weights.catalogue is None:
            yield self._weights_file(weights)

    def _weights_file(self, weights: WeightsInfo) -> Check:
        """See that the weights of a network that was trained with hsbench came along: a file, or one for each scene."""
        scenes = [scene.name for scene in self.record.scenes]
        files = sorted(self.folder.rglob("*.safetensors"))
        for path in (*files, *dict.fromkeys(file.parent for file in files)):
            if weights_digest(path, scenes) == weights.sha256:
                return Check("ok", "weights file", self.where)
        advice = f"put {Path(weights.file).name} into the folder, so that the row can be run again"
        return Check("missing", "weights file", self.where, f"no file has SHA-256 {weights.sha256[:12]}...", advice)

    def _reference(self) -> Iterator[Check]:
        """See that a reader can find out what the method is."""
        card, method = self._card(), self.record.method
        if card is not None and card.reference:
            yield Check("ok", "reference of the method", self.where)
            return
        for text in (place / name for place in (self.path.parent, self.folder) for name in _TEXTS):
            if text.is_file():
                told = text.read_text(encoding="utf-8", errors="replace")
                named = method.title.lower() in told.lower() or method.name.lower() in told.lower()
                if named and _REFERENCE.search(told):
                    yield Check("ok", "reference of the method", self.where)
                    return
        advice = f"write a README.md that names {method.title}, its paper and code by link or DOI, and its training"
        yield Check("missing", "reference of the method", self.where, "", advice)

    # -- the cubes

    def _cubes(self) -> Iterator[Check]:
        record, what = self.record, "cubes"
        path = self._find_cubes()
        if path is None:
            stem = slug(record.method.name)
            advice = f"run with --save-mat {self.path.parent.parent}"
            if record.external is not None:
                kept = record.external.file
                suffix = Path(kept).suffix if Path(kept).suffix.lower() in SUFFIXES else ""
                advice = f"copy {kept}, which was evaluated, to {self.path.parent / stem}{suffix}"
            yield Check("missing", what, self.where, "", advice)
            return
        where = str(path.relative_to(self.folder))
        names = [scene.name for scene in record.scenes if scene.psnr is not None]
        if not names:
            return  # said already
        try:
            task = self._task(names)
        except HsbenchError as error:
            advice = "name the data by --data-root, so that the cubes can be scored"
            yield Check("not checked", what, where, f"the cubes were NOT scored: {error}", advice)
            return
        told = record.external
        claim = Claim(path, record.method.name, const=1.0)
        if told is not None:
            claim = Claim(path, record.method.name, told.key or None, told.axes.replace("1", ""), float(told.const))
        store, also = Store(self.folder), self.record.further
        setting = Setting(task, store, timing=False, also=also, listener=self.listener)
        try:
            scored = score_cubes(claim, setting)
        except HsbenchError as error:
            yield Check("wrong", what, where, str(error), "send the cubes that the record is of")
            return
        here = {scene.name: scene for scene in scored.scenes}
        wrong = [text for scene in record.scenes if scene.name in here for text in _unlike(scene, here[scene.name])]
        if not wrong and told is not None and told.sha256 != scored.sha256:
            wrong = [f"their SHA-256 is {scored.sha256[:12]}…, in the record {told.sha256[:12]}…"]
        wrong += scored.warnings if wrong else []
        yield self._check_cubes(where, wrong)

    def _check_cubes(self, where: str, wrong: Sequence[str]) -> Check:
        if not wrong:
            return Check("ok", "cubes, scored again", where)
        return Check("wrong", "cubes, scored again", where, "; ".join(wrong), "send the cubes that the record is of")

    def _find_cubes(self) -> Path | None:
        """Return the file, or folder of one file a scene, with the cubes of the record."""
        for place in (self.path.parent, self.folder):
            for stem in dict.fromkeys((self.path.stem, slug(self.record.method.name))):
                for path in (place / stem, *(place / f"{stem}{suffix}" for suffix in SUFFIXES)):
                    if path.exists():
                        return path
        return None


def _other(what: str, told: object, due: object) -> list[str]:
    return [] if told == due else [f"{what} is {_short(told)}, not {_short(due)}"]


def _short(value: object) -> str:
    text = str(value)
    return f"{text[:12]}…" if len(text) == 64 else text


def _unlike(told: SceneResult, here: SceneResult) -> Iterator[str]:
    """Say which indexes of a scene are not those of its cube."""
    if told.digest != here.digest:
        yield f"{told.name}: its reference is another than ours"
    wrong = [
        (index, theirs, ours)
        for index in _KNOWN
        for theirs, ours in [(getattr(told, index), getattr(here, index))]
        if theirs is not None and not _same(theirs, ours)  # that there is none is said elsewhere
    ]
    if wrong:
        index, theirs, ours = wrong[0]
        more = f" (and {len(wrong) - 1} more indexes differ)" if len(wrong) > 1 else ""
        title = _KNOWN[index].title
        yield f"the cube of {told.name} has {title} {ours:.10g}, where the record says {theirs:.10g}{more}"


def _same(told: float, here: float) -> bool:
    return (isnan(told) and isnan(here)) or isclose(told, here, rel_tol=SAME_CUBE, abs_tol=SAME_CUBE)
