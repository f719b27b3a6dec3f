"""Pictures that `hsbench run --pictures` keeps of each scene beside a record, so that reports need no cubes.

They lie in ``TASK/pictures/METHOD/``, called as the record is, and the reference's own in ``TASK/pictures/reference/``.
A file `pictures.json` there tells what they are, with a digest of each; the record holds the digest of that file, so
that pictures of another run are never taken for the record's.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import slug
from hsfusion_bench.runs.painting import LONGEST
from hsfusion_bench.runs.records import Record, Store

PICTURES_SCHEMA: Final = "hsfusion-bench/pictures/1"
INDEX: Final = "pictures.json"
#: Name of the reference's folder, which no method's may have.
REFERENCE: Final = "reference"
#: Names of files are no longer, without what follows.
_LONGEST_STEM: Final = 100

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Picture: TypeAlias = npt.NDArray[np.uint8]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class PictureFile(_Strict):
    """A picture beside `pictures.json`: PNG, as runs write them, or WebP, as those that come with the package are."""

    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$", description="its name")
    sha256: str


class KeptSpectrum(_Strict):
    """The spectrum of a pixel."""

    name: str = Field(default="", description="what the pixel was chosen for, of the reference")
    row: int = Field(ge=0, description="of the scene, not of the picture, from 0")
    column: int = Field(ge=0)
    values: list[_Finite]


class ScenePictures(_Strict):
    """What is kept of a scene."""

    digest: str = Field(description="SHA-256 of the reference cube, as in the record")
    rgb: PictureFile
    error: PictureFile | None = Field(default=None, description="None: of the reference itself")
    size: tuple[int, int] = Field(description="[height, width] of the scene, pixels")
    block: int = Field(ge=1, description="a picture's pixel is the mean of block x block of the scene's")
    white: _Finite = Field(description="value that the reference's picture and all others show as 255")
    spectra: list[KeptSpectrum]
    rmse_by_band: list[_Finite] | None = Field(default=None, description="None: of the reference itself")


class Pictures(_Strict):
    """The pictures of a record, or of the references of a task."""

    schema_: Literal["hsfusion-bench/pictures/1"] = Field(default=PICTURES_SCHEMA, alias="schema")
    error_scale: _Finite = Field(gt=0, description="mean absolute error over the bands that error maps show as 255")
    rgb_nm: tuple[_Finite, _Finite, _Finite] | None = Field(description="wavelengths of red, green, blue, if known")
    rgb_bands: tuple[int, int, int] = Field(description="the same bands by number, from 1")
    gamma: _Finite = Field(gt=0, description="a value v is shown as 255 (v / white)^(1 / gamma)")
    wavelengths: list[_Finite] | None = Field(description="of the bands, nanometres, if known")
    scenes: dict[str, ScenePictures]

    def text(self) -> str:
        """Return the text of `pictures.json`."""
        held = self.model_dump(mode="json", by_alias=True)
        return json.dumps(held, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def alike(self, other: Pictures) -> bool:
        """Whether pictures of both are made in one way."""
        return self.model_dump(exclude={"scenes"}) == other.model_dump(exclude={"scenes"})


def folder_of(store: Store, record: Record) -> Path:
    """Return the folder of a record's pictures."""
    path = store.path(record)
    return path.parent / "pictures" / path.stem


def stem(scene: str, names: Sequence[str]) -> str:
    """Return what the files of a scene are called by: its slug, and a digest where that would not tell it from others.

    Parameters
    ----------
    scene, names
        The scene, and all of the data set's split.
    """
    short = slug(scene)
    alone = all(slug(name) != short for name in names if name != scene)
    if short and not short.startswith(".") and alone and len(short) <= _LONGEST_STEM:
        return short
    return f"{short[:_LONGEST_STEM].strip('.-') or 'scene'}-{sha256(scene.encode()).hexdigest()[:8]}"


def read_pictures(folder: Path, digest: str | None = None) -> Pictures:
    """Read the `pictures.json` of a folder.

    Parameters
    ----------
    folder
        Of a record's pictures, or of the reference's.
    digest
        SHA-256 that the file must have, which is the record's `pictures`; None: any.

    Raises
    ------
    HsbenchError
        If it is not there, is another or no such file.
    """
    path = folder / INDEX
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HsbenchError(f"{path} cannot be read: {error.strerror}") from error
    if digest is not None and sha256(content).hexdigest() != digest:
        raise HsbenchError(f"{path} is not the one that the record is of (SHA-256): run it again with --pictures")
    try:
        return Pictures.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise HsbenchError(f"{path} tells of no pictures ({PICTURES_SCHEMA}): {place}: {first['msg']}") from error


def pictures_of(store: Store, record: Record) -> Pictures | None:
    """Return what is kept of a record; None where it says that no pictures were made.

    Raises
    ------
    HsbenchError
        If it says that some were, and they are not here; as `read_pictures`.
    """
    return None if record.pictures is None else read_pictures(folder_of(store, record), record.pictures)


def load(folder: Path, picture: PictureFile, *, grey: bool = False) -> _Picture:
    """Return a picture, uint8 [h, w, 3] or, if it is grey, as error maps are, [h, w].

    Raises
    ------
    HsbenchError
        If the file is not here, or not the one of that digest.
    """
    from PIL import Image

    path = folder / picture.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HsbenchError(f"{path} cannot be read: {error.strerror}") from error
    if sha256(content).hexdigest() != picture.sha256:
        raise HsbenchError(f"{path} has been changed (SHA-256): run it again with --pictures")
    try:
        with Image.open(io.BytesIO(content), formats=["PNG", "WEBP"]) as image:
            if max(image.size) > LONGEST or image.mode not in ("L", "RGB"):
                raise HsbenchError(f"{path} is no picture of ours: {image.size} pixels, mode {image.mode}")
            # WebP has no grey: its three channels are one
            return np.array(image.convert("L" if grey else "RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise HsbenchError(f"{path} is damaged: {error}") from error


def png(picture: _Picture) -> bytes:
    """Return a picture as the bytes of a PNG."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(picture).save(out, format="png")
    return out.getvalue()


def entry(content: bytes, name: str) -> PictureFile:
    """Return a file as `pictures.json` tells of it."""
    return PictureFile(file=name, sha256=sha256(content).hexdigest())


def parsed_scene(content: Any) -> ScenePictures | None:
    """Return what is told of a scene; None if nothing is."""
    try:
        return ScenePictures.model_validate(content)
    except ValidationError:
        return None
