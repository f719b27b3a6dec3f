"""The weights that are known: ours, which come with the package, and their authors', which can be fetched.

What is said of ours is read from the files themselves; ``authors.toml`` beside this module says where others' lie, and
what they are. What each scored is looked up in the records that come with the package, by the digest of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, NamedTuple
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hsfusion_bench.claims import read_toml
from hsfusion_bench.data.provenance import Download
from hsfusion_bench.errors import HsbenchError, UsageError, reason_of_system
from hsfusion_bench.files import sha256_file, slug, user_cache
from hsfusion_bench.methods import Problem
from hsfusion_bench.methods.options import Value, told_options
from hsfusion_bench.methods.weights import WeightsCard, read_card
from hsfusion_bench.runs.recorded import recorded_root, recorded_store, say_once
from hsfusion_bench.runs.records import Record, read_record
from hsfusion_bench.suggest import unknown

#: The files of others.
AUTHORS = Path(__file__).with_name("authors.toml")

#: Of ours: that of the package they come with.
_OURS = "MIT"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_Text = Annotated[str, Field(min_length=1)]
_Count = Annotated[int, Field(ge=1)]


class SourceTable(_Strict):
    """Who offers files, where, and on what terms."""

    title: _Text
    homepage: Annotated[str, Field(pattern=r"^https?://\S+$")]
    base: Annotated[str, Field(pattern=r"^https?://\S+[^/\s]$")] = Field(
        description="address that paths begin with, of one state of the repository, so that digests stay true"
    )
    licence: _Text = Field(description='as the repository states it; "none stated" where it states none')
    terms: _Text = Field(description="what is to be known of it, in one sentence")
    only_if_named: _Text | None = Field(default=None, description="as of a file, of all of them")


class FileTable(_Strict):
    """A file of weights, and the problem that they were trained for."""

    source: str
    path: _Text
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: _Count
    method: str
    options: dict[str, bool | int | float | str] = {}
    dataset: str
    scale: Annotated[int, Field(ge=2)]
    protocol: str | None = Field(default=None, description="None: it was trained by none of ours")
    bands: _Count
    msi_bands: _Count
    only_if_named: _Text | None = Field(
        default=None, description="why it is never taken without being asked for by its name"
    )


class AuthorsFile(_Strict):
    """The content of ``authors.toml``."""

    source: dict[str, SourceTable] = {}
    file: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")], FileTable] = {}

    @model_validator(mode="after")
    def _agree(self) -> AuthorsFile:
        for name, file in self.file.items():
            if file.source not in self.source:
                raise ValueError(f"{name}: there is no source {file.source!r}")
            if file.protocol is None and self.reason(file) is None:
                raise ValueError(f"{name}: without a protocol, only_if_named has to say how it was trained")
        return self

    def reason(self, file: FileTable) -> str | None:
        """Return why a file is never taken without being asked for by its name; None: it may be."""
        return file.only_if_named or self.source[file.source].only_if_named


class Digests(NamedTuple):
    """Of a protocol and of a split; None where they are not known."""

    protocol: str | None
    split: str | None


@dataclass(frozen=True)
class Entry:
    """Weights that are known.

    Parameters
    ----------
    id
        What they are called by, such as "psrt-cave-x4-uestc-authors".
    method, options
        Of which they are; options whose values are not the defaults.
    dataset, scale, protocol
        What they were trained for; protocol None: none of ours.
    bands, msi_bands
        Likewise; None where the file does not tell.
    sha256, size
        Digest of the file, and its bytes.
    path
        Where it lies, or will lie once it is fetched.
    budget
        What they were trained with.
    licence, terms
        Name of the licence, and what is to be known of it.
    origin
        Whose they are, such as "PSRT's authors".
    homepage
        Of whoever offers them; "" for ours.
    download
        Where they are fetched from; None: they come with the package.
    only_if_named
        Why they are never taken without being asked for; None: they may be.
    card
        Of ours.
    record
        What they scored on the whole test split; None: nobody has run them.
    """

    id: str
    method: str
    options: Mapping[str, Value]
    dataset: str
    scale: int
    protocol: str | None
    bands: int | None
    msi_bands: int | None
    sha256: str
    size: int
    path: Path
    budget: str
    licence: str
    terms: str
    origin: str
    homepage: str = ""
    download: Download | None = None
    only_if_named: str | None = None
    card: WeightsCard | None = field(default=None, repr=False)
    record: Record | None = field(default=None, repr=False)

    @property
    def state(self) -> Literal["here", "not here", "changed"]:
        """Whether the file is here, and still what it was; the whole of it is read."""
        if not self.path.is_file():
            return "not here"
        same = self.path.stat().st_size == self.size and sha256_file(self.path) == self.sha256
        return "here" if same else "changed"

    @property
    def made(self) -> Digests:
        """What they were trained with, by the card, or else were scored with."""
        if self.card is not None:
            return Digests(self.card.protocol_digest, self.card.split_digest)
        if self.record is not None:
            return Digests(self.record.dataset.protocol_digest, self.record.dataset.split_digest)
        return Digests(None, None)

    @property
    def psnr(self) -> float | None:
        """Mean PSNR on the test split, dB; None where it is not known."""
        return self.record.summary["psnr"].mean if self.record and self.record.summary else None

    @property
    def score(self) -> str:
        """PSNR on the test split as tables print it, or a dash."""
        if self.record is None or self.record.summary is None:
            return "-"
        psnr = self.record.summary["psnr"]
        return f"{psnr.mean:.2f}±{psnr.std:.2f}"

    @property
    def task(self) -> str:
        """What they were trained for, in words."""
        return f"{self.dataset} ×{self.scale}" + (f", protocol {self.protocol}" if self.protocol else "")

    @property
    def place(self) -> str:
        """Where they come from, in a word or two."""
        return "package" if self.download is None else self.origin

    @property
    def command(self) -> str:
        """How to get them: the literal command, and what it brings."""
        scored = "" if self.record is None else f"; {self.score} dB on its test split"
        return f"`hsbench weights download {self.id}` ({printed_size(self.size)}; licence: {self.licence}{scored})"

    def require_here(self) -> None:
        """Refuse a file that is not here, or that is not what it was.

        Raises
        ------
        HsbenchError
            The message says what to do.
        """
        if self.state == "not here":
            raise HsbenchError(f"the weights {self.id} are not here: {self.command} fetches them")
        if self.state == "changed":
            raise HsbenchError(
                f"{self.path} is not what {self.id} was: its SHA-256 is {sha256_file(self.path)}, but should be "
                f"{self.sha256}. Remove it, and {self.command} fetches it again"
            )

    def require_fits(self, method: str, options: Mapping[str, Value], problem: Problem) -> None:
        """Refuse another method, other options, scale or bands; a file of others does not tell its scale itself.

        Raises
        ------
        HsbenchError
            The message names both.
        """
        asked = {"scale": problem.scale, "bands": problem.bands, "msi_bands": problem.msi_bands}
        if self.method != method:
            raise HsbenchError(f"the weights {self.id} are of {self.method!r}, not of {method!r}")
        if dict(self.options) != dict(options):
            raise HsbenchError(
                f"the weights {self.id} were trained with {told_options(self.options)}, "
                f"not with {told_options(options)}"
            )
        for name, wanted in asked.items():
            trained = getattr(self, name)
            if trained not in (None, wanted):
                raise HsbenchError(f"the weights {self.id} were trained for {name} {trained}, not for {wanted}")


def catalogue() -> dict[str, Entry]:
    """Return all weights that are known, by their ids: ours first.

    A file of ours, or a record of the package, that is damaged is left out, and logged.
    """
    return {entry.id: _with_record(entry) for entry in (*_ours(), *_of_others())}


def find(name: str) -> Entry:
    """Return the weights of an id.

    Raises
    ------
    UsageError
        If there are none.
    """
    known = catalogue()
    if name not in known:
        raise UsageError(unknown("set of weights", name, known))
    return known[name]


def of_content(digest: str) -> Entry | None:
    """Return what is known of a file of weights, by its SHA-256."""
    return next((_with_record(entry) for entry in (*_ours(), *_of_others()) if entry.sha256 == digest), None)


def select(method: str | None = None, dataset: str | None = None, scale: int | None = None) -> dict[str, Entry]:
    """Return the weights of a method, for a data set, at a scale; None takes all.

    Raises
    ------
    UsageError
        If there are none of a method or a data set of that name.
    """
    found = catalogue()
    for what, name in (("method", method), ("dataset", dataset)):
        there = dict.fromkeys(getattr(entry, what) for entry in found.values())
        if name is not None and name not in there:
            raise UsageError(unknown(f"set of weights of the {what}", name, there))
    wanted = {"method": method, "dataset": dataset, "scale": scale}
    return {
        entry.id: entry
        for entry in found.values()
        if all(value is None or getattr(entry, name) == value for name, value in wanted.items())
    }


def read_authors(path: Path = AUTHORS) -> AuthorsFile:
    """Read the list of the files of others.

    Raises
    ------
    HsbenchError
        If it is no TOML, or says something that is unknown or cannot be; the message names the file and the key.
    """
    try:
        return AuthorsFile.model_validate(read_toml(path))
    except OSError as error:
        raise HsbenchError(f"{path} cannot be read: {reason_of_system(error)}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise HsbenchError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}") from error


def download_root() -> Path:
    """Return the folder that fetched files are put into, each in one of its id."""
    return user_cache() / "weights" / "authors"


def printed_size(size: int) -> str:
    """Return a number of bytes as people say it."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _ours() -> list[Entry]:
    found = []
    for path in sorted(recorded_root().glob("weights/*/*.safetensors")):
        try:
            if not path.is_file():
                raise HsbenchError(f"{path} is no file.")
            card = read_card(path)
        except (HsbenchError, OSError) as error:
            say_once(f"{error} These weights are left out")
            continue
        said = card.model_dump(include={"method", "options", "dataset", "scale", "protocol", "bands", "msi_bands"})
        found.append(
            Entry(
                id=f"{path.parent.name}-{path.stem}",
                **said,
                sha256=sha256_file(path),
                size=path.stat().st_size,
                path=path,
                budget=f"trained {card.training.describe()}",
                licence=_OURS,
                terms="That of this package, which they come with.",
                origin="hsfusion-bench",
                card=card,
            )
        )
    return _least_seeds_first(found)


def _least_seeds_first(entries: list[Entry]) -> list[Entry]:
    """Return the same; of trainings for one thing with several seeds, that of the least is taken without being named.

    Taking the one that scored best would be a choice by the test scenes.
    """
    least: dict[object, int] = {}
    made = [(entry, _made_for(entry), entry.card.training.seed if entry.card else 0) for entry in entries]
    for _, what, seed in made:
        least[what] = min(seed, least.get(what, seed))
    return [
        entry
        if seed == least[what]
        else replace(
            entry, only_if_named=f"They are of training seed {seed}, and those of seed {least[what]} are taken."
        )
        for entry, what, seed in made
    ]


def _made_for(entry: Entry) -> object:
    options = tuple(sorted(entry.options.items()))
    return entry.method, options, entry.dataset, entry.scale, entry.protocol, entry.bands, entry.msi_bands, entry.made


def _of_others() -> list[Entry]:
    listed = read_authors(AUTHORS)
    found = []
    for name, file in listed.file.items():
        source = listed.source[file.source]
        place = f"{name}/{PurePosixPath(file.path).name}"
        found.append(
            Entry(
                id=name,
                **file.model_dump(exclude={"source", "path", "only_if_named"}),
                only_if_named=listed.reason(file),
                path=download_root() / place,
                budget=f"trained by {source.title}",
                licence=source.licence,
                terms=source.terms,
                origin=source.title,
                homepage=source.homepage,
                download=Download(f"{source.base}/{quote(file.path)}", place, file.sha256, file.size),
            )
        )
    return found


def _with_record(entry: Entry) -> Entry:
    """Add the record of weights on the whole test split of what they were trained for, if there is one."""
    if entry.protocol is None:
        return entry
    for path in recorded_store().record_files(entry.dataset, entry.scale, entry.protocol):
        if not path.name.startswith(slug(entry.method)):
            continue
        try:
            record = read_record(path)
        except HsbenchError as error:
            say_once(str(error))
            continue
        data = record.dataset
        if (
            record.weights is not None
            and record.weights.sha256 == entry.sha256
            and record.status == "ok"
            and data.scenes == data.scenes_in_split
            and record.method.name == entry.method
            and (data.name, data.scale, data.protocol) == (entry.dataset, entry.scale, entry.protocol)
        ):
            return replace(entry, record=record)
    return entry
