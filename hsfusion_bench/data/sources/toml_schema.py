"""What a TOML file says of a data set: files, axes, bands, full scale, scenes, split and origin.

::

    title = "Pavia University, 610 x 340 x 103, 430-860 nm"
    file = ["PaviaU.mat", "paviaU.mat"]     # usual names, the first that is there; {scene} stands for the scene
    key = ["paviaU"]                        # names of the array in it; left out: as `find_cube` tells
    join = ["series1", "series2"]           # instead of key: arrays whose bands come after each other
    layout = "HWC"                          # order of its axes; left out: as the file or the sizes tell. With N, as in
                                            # "NCHW", it holds samples, each a scene
    shape = [198, 100, 100]                 # for flat pixels: the axes to split them into, the last one fastest
    size = [610, 340]                       # height and width in the file
    bands = 103                             # in the file
    dropped = ["1-3", 103]                  # of these, from 1: bands that are left out
    wavelengths = { start = 430, stop = 860 }   # of the bands of the file
    wavelengths_unit = "nm"                 # or um, angstrom, cm-1, ...; left out: as the numbers tell
    const = 8000                            # full scale, or "maximum": the greatest value of the data set's region;
                                            # left out: what the file states, or 1
    clip = true                             # values outside [0, const] are set to the nearer end
    rows = [0, 608]                         # region that the data set is about: first, and one after the last
    columns = [0, 336]
    holes = "crop"                          # of pixels without a value; or "drop-bands"; left out: they are refused
    keep_bad_bands = true                   # also bands that the file marks as bad, or that are the same everywhere
    mask = "lbl"                            # array that is not 0 where pixels are valid
    protocol = "uestc"                      # that suits it

    [[scene]]                               # left out: one scene, of the data set's name, that tests
    name = "test"
    rows = [240, 368]                       # in the file
    columns = [104, 232]
    sample = 3                              # of the samples, from 1

    [split]
    id = "pavia-university-centre"
    train = []
    test = ["test"]

    [provenance]
    homepage = "https://..."
    licence = "..."
    reference = "@article{...}"

Wavelengths are numbers, or the name of a text file of them beside the data, or evenly spaced from ``start`` to
``stop``; of a sensor of whose ``count`` bands some are ``absent`` from the file, these are named. A list puts several
such pieces after each other, one a spectrometer. Their unit is one of `formats.wavelengths.UNITS`.
such pieces after each other, one a spectrometer.

What a file states of its values counts. Gains and offsets are applied, and ``const`` is the full scale of what results;
where it is 1 / gain, the full scale of the stored numbers, it says the same as the gain. A full scale in the file must
agree with ``const``. Pixels that stand for no value are never values: ``holes`` says whether the largest rectangle
without them is taken of each scene, or the bands without them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from hsfusion_bench.claims import BANDS, read_toml
from hsfusion_bench.data.observing.protocols import Split
from hsfusion_bench.data.provenance import Download, Provenance
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.wavelengths import UNITS, required, unit_named
from hsfusion_bench.suggest import suggestion

#: Characters of a number of a band, in a range.
_LONGEST = 12


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, (str, dict)) else value


def _named(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", value):
        raise ValueError(f"{value!r} is not a name of a data set: small letters, digits, '.', '_' and '-' are")
    return value


def _numbers(value: Any) -> Any:
    """Write out ranges such as "108-112"."""
    if not isinstance(value, list):
        return value
    numbers: list[Any] = []
    for item in value:
        first, dash, last = item.partition("-") if isinstance(item, str) else ("", "", "")
        if dash and first.strip().isdecimal() and last.strip().isdecimal() and _rising(first, last):
            if max(len(first), len(last)) > _LONGEST or int(last) - int(first) >= BANDS:
                raise ValueError(f"{item[:40]!r} stands for more bands than the {BANDS} that a file may have")
            numbers += range(int(first), int(last) + 1)
        elif isinstance(item, str):
            raise ValueError(f'{item!r} is not a range of bands such as "108-112"')
        else:
            numbers.append(item)
    return numbers


def _rising(first: str, last: str) -> bool:
    return max(len(first), len(last)) > _LONGEST or int(first) <= int(last)


def _limits(value: Any) -> Any:
    two = isinstance(value, list) and len(value) == 2 and all(isinstance(end, int) for end in value)
    if two and not 0 <= value[0] < value[1]:
        raise ValueError(f"{value} is empty: the first one, from 0, and the one after the last are needed")
    return value


def _unit(value: str) -> str:
    if not unit_named(value):
        raise ValueError(f"{value!r} is no unit of wavelengths; there are {', '.join(UNITS)}")
    return value


def _order(value: str) -> str:
    if sorted(value) not in (sorted("CHW"), sorted("NCHW")):
        raise ValueError(f"{value!r} is no order of axes such as HWC, or NHWC of samples")
    return value


_Names: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_listed)]
_Bands: TypeAlias = Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(_numbers)]
_Limits: TypeAlias = Annotated[tuple[int, int], BeforeValidator(_limits)]
_Layout = Annotated[str, AfterValidator(_order)]
_Count = Annotated[int, Field(ge=1)]
_BandCount = Annotated[int, Field(ge=1, le=BANDS)]


class EvenWavelengths(_Strict):
    """Centres from `start` to `stop` in equal steps, in the unit of the description."""

    start: float
    stop: float
    count: _BandCount | None = None
    absent: _Bands = ()

    def centres(self, bands: int | None) -> tuple[float, ...]:
        """Return the centres of the bands that are not absent; `bands` is how many there are, if that is known."""
        count = self.count or (bands and bands + len(self.absent))
        if not count:
            raise HsbenchError("wavelengths: count is needed where the number of bands is not stated")
        every = np.linspace(self.start, self.stop, count)
        return tuple(float(centre) for number, centre in enumerate(every, 1) if number not in self.absent)


_KINDS = {float: "number", int: "number", str: "file", dict: "range", EvenWavelengths: "range"}
_Wavelengths: TypeAlias = Annotated[
    tuple[
        Annotated[
            Annotated[float, Tag("number")] | Annotated[str, Tag("file")] | Annotated[EvenWavelengths, Tag("range")],
            Discriminator(lambda value: _KINDS.get(type(value))),
        ],
        ...,
    ],
    BeforeValidator(_listed),
]


#: Pydantic's names of the error that there is no such key.
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")


class SceneRegion(_Strict):
    """A scene: a file of its own, or a region or sample of one."""

    name: str
    file: _Names = ()
    rows: _Limits | None = None
    columns: _Limits | None = None
    sample: _Count | None = None


class SplitTable(_Strict):
    """The split, as in a protocol."""

    id: str
    train: tuple[str, ...] = ()
    test: tuple[str, ...]


class Description(_Strict):
    """A data set as its TOML file describes it; see the module."""

    name: Annotated[str, AfterValidator(_named)]
    title: str
    file: _Names = ()
    key: _Names = ()
    join: _Names = ()
    layout: _Layout | None = None
    shape: tuple[_Count, ...] | None = None
    size: tuple[_Count, _Count] | None = None
    bands: _BandCount | None = None
    dropped: _Bands = ()
    wavelengths: _Wavelengths = ()
    wavelengths_unit: Annotated[str, AfterValidator(_unit)] = ""
    const: Annotated[float, Field(gt=0)] | Literal["maximum"] | None = None
    clip: bool = False
    rows: _Limits | None = None
    columns: _Limits | None = None
    holes: Literal["crop", "drop-bands"] | None = None
    keep_bad_bands: bool = False
    mask: str | None = None
    protocol: str | None = None
    scene: tuple[SceneRegion, ...] = ()
    split: SplitTable | None = None
    provenance: Provenance | None = None

    @model_validator(mode="after")
    def _agree(self) -> Description:
        names = [scene.name for scene in self.scenes]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"several scenes are called {', '.join(twice)}")
        nowhere = [scene.name for scene in self.scenes if not (scene.file or self.file)]
        if nowhere:
            raise ValueError(f"no file is named for the scene {nowhere[0]}")
        if self.wavelengths_unit and not self.wavelengths:
            raise ValueError("wavelengths_unit is that of the key wavelengths, which is missing")
        if self.join and self.key:
            raise ValueError("key names one array and join several; state one of the two")
        if self.of_samples and (self.join or self.mask or self.shape):
            raise ValueError(f"layout = {self.layout}: samples go with none of join, mask and shape")
        if self.of_samples and self.scene and not all(scene.sample for scene in self.scene):
            raise ValueError(f"layout = {self.layout}: each scene needs its sample, or leave all out")
        if not self.of_samples and any(scene.sample for scene in self.scene):
            raise ValueError('a scene has a sample where layout has an N, as in layout = "NCHW"')
        split = self.as_split()
        lost = [name for name in (*split.train, *split.test) if name not in names]
        if lost and not self.every_sample:
            raise ValueError(f"the split names {', '.join(lost)}, but the scenes are {', '.join(names)}")
        if self.bands is not None and any(number > self.bands for number in self.dropped):
            raise ValueError(f"of {self.bands} bands, number {max(self.dropped)} cannot be dropped")
        return self

    @property
    def scenes(self) -> tuple[SceneRegion, ...]:
        """Its scenes."""
        return self.scene or (SceneRegion(name=self.name),)

    @property
    def of_samples(self) -> bool:
        """Whether a file holds several cubes in one array."""
        return "N" in (self.layout or "")

    @property
    def every_sample(self) -> bool:
        """Whether the scenes are all samples of the file, which has to be opened to know them."""
        return self.of_samples and not self.scene

    def with_samples(self, count: int) -> Description:
        """Return it with a scene for every sample of a file."""
        digits = len(str(count))
        scenes = tuple(SceneRegion(name=f"{number:0{digits}d}", sample=number) for number in range(1, count + 1))
        return self.model_copy(update={"scene": scenes})

    def stated_wavelengths(self) -> dict[int, float]:
        """Return the centre of each band that is kept, from 1 in the file, as far as known without the files."""
        centres: list[float] = []
        for piece in self.wavelengths:
            if isinstance(piece, str) or (isinstance(piece, EvenWavelengths) and not (piece.count or self.bands)):
                return {}
            centres += piece.centres(self.bands) if isinstance(piece, EvenWavelengths) else [piece]
        nm = required(centres, self.wavelengths_unit, f"{self.name}: wavelengths")
        return {number: nm[number - 1] for number in self.kept(len(nm))}

    def kept(self, bands: int) -> tuple[int, ...]:
        """Return which of that many bands of the file are not dropped here, from 1."""
        return tuple(number for number in range(1, bands + 1) if number not in self.dropped)

    def as_split(self) -> Split:
        """Return its split; if none is stated, every scene tests."""
        if self.split is None:
            names = () if self.every_sample else tuple(scene.name for scene in self.scenes)
            return Split(f"{self.name}-all", (), names)
        return Split(self.split.id, self.split.train, self.split.test)


def read_description(path: Path) -> Description:
    """Read the description of a data set; its name is that of the file unless it says another.

    Raises
    ------
    HsbenchError
        If there is no such file, or it is no TOML, or says something that is unknown or cannot be; the message names
        the file and the key.
    """
    try:
        content = read_toml(path)
    except OSError as error:
        raise HsbenchError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return Description.model_validate({"name": path.stem.lower()} | content)
    except ValidationError as error:
        raise HsbenchError(f"{path}: {_explain(error, content)}") from error


def _explain(error: ValidationError, content: Mapping[str, Any]) -> str:
    """Say what is wrong with a description: a key that is unknown before all else, since others may lack for it."""
    errors = sorted(error.errors(), key=lambda one: one["type"] not in _UNKNOWN)
    place = [part for part in errors[0]["loc"] if part not in _KINDS.values()]
    where = ".".join(str(part + 1 if isinstance(part, int) else part) for part in place)
    if errors[0]["type"] in _UNKNOWN:
        return f"there is no key {where!r}{suggestion(str(place[-1]), _keys(place[:-1]))}"
    if errors[0]["type"] == "missing":
        return f"the key {where!r} is missing; there are {', '.join(content) or 'none'}"
    message = errors[0]["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _keys(above: list[int | str]) -> list[str]:
    """Return the keys that a table of a description may have."""
    tables: dict[str, type[BaseModel]] = {"scene": SceneRegion, "split": SplitTable, "wavelengths": EvenWavelengths}
    if not above:
        return list(Description.model_fields)
    if above[0] == "provenance":
        return [field.name for field in fields(Download if "downloads" in above else Provenance)]
    return list(tables[str(above[0])].model_fields)
