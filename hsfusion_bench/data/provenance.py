"""Where the originals of a data set come from, and on what terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

#: Pydantic's: of a file that describes them, keys that there are not are errors.
_STRICT = {"extra": "forbid"}


@dataclass(frozen=True)
class Download:
    """A file that the makers of a data set offer.

    Parameters
    ----------
    url
        Its official address.
    file
        Its name in the data root.
    sha256
        Digest of its content; None where nobody has recorded it yet.
    size
        Bytes; None where unknown.
    megabytes
        About how large it is, where the bytes are not known.
    """

    __pydantic_config__: ClassVar = _STRICT

    url: str
    file: str
    sha256: str | None = None
    size: int | None = None
    megabytes: int | None = None


@dataclass(frozen=True)
class Provenance:
    """Origin and terms of a data set.

    Parameters
    ----------
    homepage
        Page of its makers.
    licence
        Its terms, in one sentence.
    reference
        BibTeX entry.
    downloads
        Files to fetch; none where the makers ask for a form to be filled in, or hand the data out by hand.
    layout
        What the data root looks like once the files are unpacked, in one sentence.
    """

    __pydantic_config__: ClassVar = _STRICT

    homepage: str
    licence: str
    reference: str
    downloads: tuple[Download, ...] = ()
    layout: str = ""
