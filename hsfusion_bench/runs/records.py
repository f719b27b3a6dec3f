"""The record of one run: its schema, and the store of records.

A record is one JSON file for a (method, dataset, scale, protocol). It holds what depends on the inputs, seeds and
versions alone, so that the same run writes the same bytes; times lie in files of their own, by device. Numbers that
JSON does not know are the strings "NaN", "Inf" and "-Inf". The schema is `Record`; ``hsbench show schema`` prints it as
JSON Schema.
"""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import slug, write_text
from hsfusion_bench.jsonfile import read_json
from hsfusion_bench.methods.options import short_value
from hsfusion_bench.methods.weights import TrainingInfo
from hsfusion_bench.spelling import spell, unspell

RECORD_SCHEMA: Final = "hsfusion-bench/record/1"
SPEED_SCHEMA: Final = "hsfusion-bench/speed/1"

#: The indexes beyond the seven that a scene may have: the names of `hsfusion_metrics.PUBLISHED_METRICS`, which is not
#: imported for them, for it brings SciPy.
FURTHER: Final = ("ergas_fused", "ssim_full")

Number = Annotated[
    float,
    BeforeValidator(unspell),
    PlainSerializer(spell, return_type=float | str, when_used="json"),
]


_Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
_Positive = Annotated[int, Field(ge=1, le=2**31 - 1)]
_Duration = Annotated[float, Field(ge=0)]

Status = Literal["ok", "incomplete", "no weights", "failed"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class MethodInfo(_Strict):
    """Which method, and from where."""

    name: str
    title: str
    family: str
    year: int | None
    uses: list[str] = Field(description="truths the method was given beyond the two images: psf, srf")
    estimated: list[str] = Field(default=[], description="truths it needs, was not given, and estimated from the pair")
    options: dict[str, bool | int | float | str] = Field(default={}, description="values of all its options")
    changed: list[str] = Field(default=[], description="options whose value is not the default")
    origin: Literal["shipped", "plugin", "file", "external"]
    distribution: str
    version: str
    code: str | None = Field(
        default=None,
        description="SHA-256 of the code of a method that does not ship: its version may stay the same",
    )

    @model_serializer(mode="wrap")
    def _without_unknown_code(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the code where the version tells it, or nobody knows: such a record is the file it always was."""
        held: dict[str, Any] = handler(self)
        return {name: value for name, value in held.items() if name != "code" or value is not None}

    @property
    def variant(self) -> str:
        """What sets the run apart from the method's ordinary one, as part of a file name; empty for that one."""
        parts = ["blind"] if self.estimated else []
        parts += [f"{name}-{short_value(self.options[name])}" for name in self.changed]
        return ".".join(parts)

    @property
    def details(self) -> list[str]:
        """What a reader must know beside the title: changed options, truths given, truths estimated."""
        parts = [f"{name} {short_value(self.options[name])}" for name in self.changed]
        parts += [f"uses {', '.join(sorted(self.uses))}"] if self.uses else []
        parts += [f"estimates {', '.join(sorted(self.estimated))}"] if self.estimated else []
        return parts


#: Families of methods without a network, or, the latter, often without one; and what records of networks alone say of
#: the machine.
_UNTRAINED: Final = frozenset({"classical", "custom"})
_OF_NETWORKS: Final = frozenset({"torch-threads", "gpu"})

#: Keys of a data set that are there only where there is something to say.
_ONLY_WHERE_SAID = frozenset({"wavelengths", "bands_used", "conditions"})


class DatasetInfo(_Strict):
    """Which data, made how."""

    name: str
    scale: _Positive
    protocol: str
    protocol_version: int
    protocol_digest: str
    split: str
    split_digest: str
    scenes: _Count = Field(description="scenes that were scored")
    scenes_in_split: _Count
    bands: _Positive
    msi_bands: _Positive
    wavelengths: str | None = Field(
        default=None, description="as --wavelengths takes them, where they were given so; None: the data set's own"
    )
    bands_used: tuple[_Positive, ...] | None = Field(
        default=None,
        description="bands of the files, from 1, where some were left out for what the file says or holds of them",
    )
    conditions: dict[str, float | str] | None = Field(
        default=None,
        description="what departs from the protocol, by name: response, noise, blur, shift, gain, dead lines, and what "
        "methods were told; None: nothing, or an older record, whose protocol's name tells",
    )

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is not said: a record of the data set's own wavelengths and all bands is as it always was."""
        held: dict[str, Any] = handler(self)
        return {name: value for name, value in held.items() if value is not None or name not in _ONLY_WHERE_SAID}


class SceneResult(_Strict):
    """The seven indexes of one scene, or why there are none; and those of `FURTHER` that were asked for."""

    name: str
    digest: str | None = Field(description="SHA-256 of the reference cube")
    psnr: Number | None = None
    ssim: Number | None = None
    sam: Number | None = None
    ergas: Number | None = None
    scc: Number | None = None
    uqi: Number | None = None
    q2n: Number | None = None
    ergas_fused: Number | None = Field(default=None, description="ERGAS as papers print it, if it was asked for")
    ssim_full: Number | None = Field(default=None, description="SSIM as papers print it, if it was asked for")
    error: str | None = None
    cropped_from: tuple[int, int] | None = Field(
        default=None, description="[height, width] in the data set, if the protocol left out a part of the scene"
    )

    @property
    def further(self) -> tuple[str, ...]:
        """Those of `FURTHER` that it has."""
        return tuple(name for name in FURTHER if getattr(self, name) is not None)

    @model_serializer(mode="wrap")
    def _without_unasked(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out indexes that were not asked for: a record without them is the same file that it always was."""
        held: dict[str, Any] = handler(self)
        return {name: value for name, value in held.items() if value is not None or name not in FURTHER}


class Statistic(_Strict):
    """Mean and standard deviation over the scenes, the latter as MATLAB's script has it (N-1; 0 for one scene)."""

    mean: Number
    std: Number


class Flops(_Strict):
    """Floating-point operations of one forward pass."""

    value: _Count
    counter: str
    lower_bound: bool = Field(description="whether operators ran that the counter does not know")
    uncounted: list[str] = Field(description="those operators")
    hr_size: list[int] = Field(description="[height, width] of the fused image")


class TileInfo(_Strict):
    """Squares in which images were fused, HR pixels."""

    side: _Positive
    overlap: _Count


class ModelInfo(_Strict):
    """The network; all None for a method without one."""

    parameters: _Count | None = None
    trainable: _Count | None = None
    flops: Flops | None = None
    tiles: TileInfo | None = Field(default=None, description="None: images were fused whole")


class WeightsInfo(_Strict):
    """The weights a network ran with."""

    sha256: str
    file: str
    origin: Literal["hsbench", "authors"]
    trained_on: str | None = Field(description="dataset, scale and protocol of the training, where known")
    training: TrainingInfo | None
    catalogue: str | None = Field(
        default=None, description="what `hsbench weights list` calls weights of this content, if it knows them"
    )


class ExternalInfo(_Strict):
    """Where results lay that were made elsewhere, how they were read, and what is only reported of them."""

    file: str = Field(description="name of the file or folder")
    sha256: str = Field(description="SHA-256 of the cubes as scored: float64, [bands, H, W], one after the other")
    key: str = Field(description="name of the array, of the first scene; empty where arrays have no names")
    axes: str = Field(description="its axes, such as HWC or BCHW; 1 is one of a single place")
    const: Number = Field(description="full scale that its values were divided by")
    reference: Literal["ours", "theirs"] = Field(description="whether a reference was scored against that came with it")
    reported: list[Literal["parameters", "latency"]] = Field(
        description="what the makers of the results state, and nobody counted or measured here"
    )
    latency_ms: Number | None = None


#: Keys of a record that are there only where there is something to say.
_RECORD_ONLY_WHERE_SAID = frozenset({"pictures", "elsewhere"})


class Record(_Strict):
    """What one method scored on one dataset at one scale under one protocol."""

    schema_: Literal["hsfusion-bench/record/1"] = Field(default=RECORD_SCHEMA, alias="schema")
    status: Status
    error: str | None = None
    method: MethodInfo
    dataset: DatasetInfo
    scenes: list[SceneResult]
    summary: dict[str, Statistic] | None
    model: ModelInfo
    weights: WeightsInfo | None
    metrics: dict[str, Number | str] = Field(description="version of the index suite, and the constants it was given")
    seed: int | None = Field(
        description="of the training that decides the numbers, 0 where none does; None: made elsewhere"
    )
    device: str = Field(description="cpu or cuda; unknown for results made elsewhere")
    environment: dict[str, str]
    external: ExternalInfo | None = Field(default=None, description="of results made elsewhere only")
    pictures: str | None = Field(
        default=None, description="SHA-256 of the `pictures.json` beside the record, where pictures were made"
    )
    elsewhere: dict[str, dict[str, str]] | None = Field(
        default=None, description="by scene, what differs from `environment`, where scenes are of several machines"
    )

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is not said: a record of one machine without pictures is the same file that it always was."""
        held: dict[str, Any] = handler(self)
        return {name: value for name, value in held.items() if value is not None or name not in _RECORD_ONLY_WHERE_SAID}

    @property
    def further(self) -> tuple[str, ...]:
        """Those of `FURTHER` that any of its scenes has."""
        held = {name for scene in self.scenes for name in scene.further}
        return tuple(name for name in FURTHER if name in held)

    @property
    def trained(self) -> bool:
        """Whether a training of ours decides its numbers, or would have; one of the method's authors is not known."""
        if self.weights is not None:
            return self.weights.training is not None
        network = self.method.family not in _UNTRAINED or bool(self.environment.keys() & _OF_NETWORKS)
        return network and self.external is None and self.status != "no weights"

    @property
    def training_seed(self) -> int:
        """Seed of the training that decides its numbers; 0 where none does, as of classical methods."""
        if not self.trained:
            return 0
        if self.weights is not None and self.weights.training is not None:
            return self.weights.training.seed
        return self.seed or 0

    @property
    def key(self) -> str:
        """File stem under which the record is kept.

        The method, its variant, the seed of the training where it is not 0, and the scenes if not the whole split.
        """
        return _stem(_with_seed(_with_variant(self.method.name, self.method.variant), self), self)


class Latency(_Strict):
    """Wall-clock time of one fusion, device synchronised before and after."""

    median_ms: _Duration
    p90_ms: _Duration
    runs: _Count
    warmup: _Count
    batch: _Count = 1
    hr_size: list[int]
    precision: str
    synchronised: bool


class Memory(_Strict):
    """Peak memory of one fusion."""

    peak_mb: _Duration
    kind: Literal["CUDA memory allocated", "growth of the process"]


class Speed(_Strict):
    """How fast one method ran on one device."""

    schema_: Literal["hsfusion-bench/speed/1"] = Field(default=SPEED_SCHEMA, alias="schema")
    method: str
    variant: str = Field(default="", description="as in the record's file name; empty for the ordinary run")
    version: str
    dataset: str
    scale: _Positive
    protocol: str
    device_kind: Literal["CPU", "GPU"]
    device: str = Field(description="name of the device")
    threads: _Count | None
    latency: Latency
    memory: Memory | None
    measured: str = Field(description="date, UTC")
    environment: dict[str, str]
    tiles: TileInfo | None = Field(default=None, description="None: the image was fused whole")

    @model_serializer(mode="wrap")
    def _without_tiles(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out tiles where there are none: such a file is as it always was."""
        held: dict[str, Any] = handler(self)
        return {name: value for name, value in held.items() if value is not None or name != "tiles"}


_Model = TypeVar("_Model", Record, Speed)


#: Ends the name of the folder of what is scored of an unfinished run, one record a scene.
_UNFINISHED = ".unfinished"
#: Ended the name of the file that earlier versions kept for it.
_UNFINISHED_ONCE = ".unfinished.json"
#: Ends the name of what stood where a record belongs and was none.
DAMAGED: Final = ".damaged"

_LOG = logging.getLogger("hsfusion_bench")


class Written(NamedTuple):
    """Where a record lies; `kept` if an earlier one with more scenes still stands there."""

    path: Path
    kept: bool


class Store:
    """A folder of records: ``<root>/<dataset>-x<scale>-<protocol>/<method>.json``, times under ``speed/<device>/``.

    What stands where a record belongs and cannot be read is set aside, as ``<method>.json.damaged``: it keeps no run
    from its work, and nothing is deleted.

    Parameters
    ----------
    root
        The folder.
    say
        Is told in one line of what was set aside.
    """

    def __init__(self, root: Path, say: Callable[[str], None] = _LOG.warning) -> None:
        self.root = root
        self.say = say

    def require_writable(self) -> None:
        """Make the folder, and see that files can be written there: before a long run, not after it.

        Raises
        ------
        HsbenchError
            If not.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
        except OSError as error:
            raise HsbenchError(f"{self.root}: results cannot be written there: {error.strerror}") from error

    def path(self, record: Record) -> Path:
        """Return where a record belongs."""
        return (
            self.root
            / _folder(record.dataset.name, record.dataset.scale, record.dataset.protocol)
            / f"{record.key}.json"
        )

    def speed(self, expected: Speed) -> Speed | None:
        """Return the measurement that stands where one belongs, and is of the very same thing on the same machine.

        Parameters
        ----------
        expected
            One whose times, memory and date do not matter.
        """
        standing = self._standing(self.speed_path(expected), read_speed)
        if standing is None:
            return None
        measured = {"latency", "memory", "measured"}
        same = standing.model_dump(exclude=measured) == expected.model_dump(exclude=measured)
        return standing if same and standing.latency.hr_size == expected.latency.hr_size else None

    def speed_path(self, speed: Speed) -> Path:
        """Return where a measurement of speed belongs."""
        folder = _folder(speed.dataset, speed.scale, speed.protocol)
        stem = slug(_with_variant(speed.method, speed.variant))
        return self.root / "speed" / slug(speed.device) / folder / f"{stem}.json"

    def write(self, record: Record) -> Written:
        """Write a record whole.

        One that did not end well does not replace a record that scored more scenes. Once all are scored, what
        `write_scene` wrote of them goes.
        """
        path = self.path(record)
        if self.keeps(record):
            return Written(path, kept=True)
        write_text(path, dump(record))
        if record.status == "ok":
            for scene in record.scenes:
                self._scene_path(record, scene.name).unlink(missing_ok=True)
            with suppress(OSError):  # there is none, or something else in it
                self._unfinished_folder(record).rmdir()
        return Written(path, kept=False)

    def write_scene(self, record: Record, scene: Record) -> None:
        """Write the record of one scene of an unfinished run, for the next run to resume from.

        Parameters
        ----------
        record
            Of the run, as far as it is known.
        scene
            Of the scene alone.
        """
        path = self._scene_path(record, scene.scenes[0].name)
        self._standing(path, read_record)
        write_text(path, dump(scene))

    def scene(self, record: Record, name: str) -> Record | None:
        """Return what an unfinished run of the same method on the same data left of a scene."""
        return self._standing(self._scene_path(record, name), read_record)

    def keeps(self, record: Record) -> bool:
        """Whether an earlier record is kept in the place of this one, which did not end well: it has more scenes."""
        standing = self.standing(record)
        return record.status != "ok" and standing is not None and standing.dataset.scenes > record.dataset.scenes

    def standing(self, record: Record) -> Record | None:
        """Return the record that stands where this one belongs; None if none does, or it had to be set aside."""
        return self._standing(self.path(record), read_record)

    def write_speed(self, speed: Speed) -> Path:
        """Write a measurement of speed."""
        path = self.speed_path(speed)
        self._standing(path, read_speed)
        write_text(path, dump(speed))
        return path

    def record_files(
        self, dataset: str | None = None, scale: int | None = None, protocol: str | None = None
    ) -> list[Path]:
        """Return where records lie below the root, in the order of their paths; those of unfinished runs are left out.

        A file is not read here, and may be none.

        Parameters
        ----------
        dataset, scale, protocol
            Only in the folders where records of these belong, and of a protocol also those of the seeds of its noise;
            None: of all.
        """
        data = "*" if dataset is None else slug(dataset)
        ratio = "*" if scale is None else str(scale)
        names = ["*"] if protocol is None else [slug(protocol), f"{slug(protocol)}-seed*"]
        found = {path for name in names for path in self.root.glob(f"{data}-x{ratio}-{name}/*.json")}
        return sorted(path for path in found if not path.name.endswith(_UNFINISHED_ONCE))

    def speed_files(self) -> list[Path]:
        """Return where measurements of speed lie below the root, likewise."""
        return sorted(self.root.glob("speed/*/*/*.json"))

    def records(self, damaged: Callable[[str], None] | None = None) -> Iterator[Record]:
        """Read all records below the root.

        Parameters
        ----------
        damaged
            Is told of each that cannot be read, and the others are given; None: raises as `read_record`.
        """
        for path in self.record_files():
            try:
                yield read_record(path)
            except HsbenchError as error:
                if damaged is None:
                    raise
                damaged(str(error))

    def closed_folders(self) -> list[Path]:
        """Return the folders where records may lie that may not be looked into: a glob passes over them in silence."""
        folders = [self.root, self.root / "speed", *self.root.glob("*-x*-*"), *self.root.glob("speed/*")]
        return [folder for folder in folders if folder.is_dir() and not _opens(folder)]

    def _standing(self, path: Path, read: Callable[[Path], _Model]) -> _Model | None:
        """Return what stands at a path; what cannot be read is moved out of the way, and kept."""
        if not os.path.lexists(path):
            return None
        try:
            return read(path)
        except HsbenchError as error:
            aside = path.with_name(path.name + DAMAGED)
            number = 1
            while os.path.lexists(aside):
                number += 1
                aside = path.with_name(f"{path.name}{DAMAGED}-{number}")
            path.rename(aside)
            self.say(f"{error} It was set aside as {aside.name}, and a new one is made")
            return None

    def _unfinished_folder(self, record: Record) -> Path:
        path = self.path(record)
        return path.with_name(path.stem + _UNFINISHED)

    def _scene_path(self, record: Record, name: str) -> Path:
        return self._unfinished_folder(record) / f"{name}.json"

    def speeds(self) -> Iterator[Speed]:
        """Read all measurements of speed below the root; raises as `read_speed`."""
        return map(read_speed, self.speed_files())


def read_record(path: Path) -> Record:
    """Read and validate a record.

    Raises
    ------
    HsbenchError
        If the file is not a record, or one of a schema that this version does not know.
    """
    return _read(path, Record)


def read_speed(path: Path) -> Speed:
    """Read and validate a measurement of speed; raises as `read_record`."""
    return _read(path, Speed)


def dump(model: Record | Speed) -> str:
    """Return the JSON text of a record or speed file, ending in a newline."""
    return json.dumps(model.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False) + "\n"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a record."""
    return Record.model_json_schema(by_alias=True)


def _with_variant(method: str, variant: str) -> str:
    return f"{method}.{variant}" if variant else method


def _with_seed(stem: str, record: Record) -> str:
    if record.training_seed == 0:
        return stem
    # an option that is called so has its value in the variant
    word = "training-seed" if "seed" in record.method.options else "seed"
    return f"{stem}.{word}-{record.training_seed}"


def _folder(dataset: str, scale: int, protocol: str) -> str:
    return f"{slug(dataset)}-x{scale}-{slug(protocol)}"


def _stem(method: str, record: Record) -> str:
    if len(record.scenes) == record.dataset.scenes_in_split:
        return slug(method)
    # other subsets of the same split must not overwrite each other
    names = "-".join(sorted(scene.name for scene in record.scenes))
    fit = len(names) <= 80 and re.fullmatch(r"[\w.()+-]+", names)
    return f"{slug(method)}.subset-{names if fit else _short(names)}"


def _opens(folder: Path) -> bool:
    try:
        os.scandir(folder).close()
    except OSError:
        return False
    return True


def _short(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]


def _read(path: Path, model: type[_Model]) -> _Model:
    what = model.__name__.lower()
    text, _ = read_json(path, what)
    try:
        # strictly: a text is no number, and a truth value neither
        return model.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part)[:40] for part in first["loc"][:8]) or "the file"
        raise HsbenchError(
            f"{path} is not a valid {what} of schema {model.model_fields['schema_'].default}: "
            f"{place}: {first['msg']}. Move it away, or make it anew with `hsbench run`."
        ) from error
