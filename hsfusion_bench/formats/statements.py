"""The statements of a file on its values, as each kind of file writes them: ENVI's header, GDAL's metadata, attributes.

Numbers are read with care, since a wrong one spoils an image without a sign: what is no number, is not finite where it
must be, or is not there for every band is refused, with what the file has and what it should.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import h5py
import numpy as np

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.stated import Stated

#: Keys of ENVI's header.
_IGNORED, _BAD, _FULL = "data ignore value", "bbl", "reflectance scale factor"
_GAINS = ("data gain values", "data reflectance gain values")
_OFFSETS = ("data offset values", "data reflectance offset values")
_OF_ENVI = (_IGNORED, _BAD, _FULL, *_GAINS, *_OFFSETS)
#: Names of attributes, in small letters and without anything between them.
_NO_DATA_ATTRIBUTES = ("fillvalue", "missingvalue", "dataignorevalue", "nodata", "nodatavalue", "ignorevalue")


@dataclass(frozen=True)
class _Numbers:
    """Numbers that a file states: of all bands, or of each."""

    where: str
    key: str
    values: tuple[float, ...]
    listed: bool

    @property
    def words(self) -> str:
        """The statement as people write it, in short."""
        low, high = min(self.values, default=0), max(self.values, default=0)
        if len(self.values) > 3 and low != high:
            return f"{self.key} from {_told(low)} to {_told(high)}"
        return f"{self.key} = {', '.join(_told(value) for value in dict.fromkeys(self.values))}"

    def of_bands(self, bands: int | None) -> tuple[float, ...]:
        """Return one number for all, or one for each band; finite."""
        wrong = next((value for value in self.values if not math.isfinite(value)), None)
        if wrong is not None:
            raise HsbenchError(f"{self.where}: {self.key} has {wrong}, which is not finite; correct or remove it")
        if self.listed and bands is not None and len(self.values) != bands:
            raise HsbenchError(
                f"{self.where}: {self.key} has {len(self.values)} numbers for {bands} bands; correct or remove it"
            )
        return self.values

    def nonzero(self) -> _Numbers:
        """Return them, if none is 0."""
        if 0 in self.values:
            raise HsbenchError(f"{self.where}: {self.key} has 0, which leaves nothing of a band; correct or remove it")
        return self


def of_envi(path: Path, header: Mapping[str, Any], bands: int) -> Stated:
    """Return what an ENVI header states.

    Parameters
    ----------
    path
        Its file, for messages.
    header
        Its entries by keys in small letters; those in braces are lists.
    bands
        Their number.

    Raises
    ------
    HsbenchError
        If an entry is no number, gains are 0 or not finite, or there are not as many as bands.
    """
    known = {_plain(key): key for key in _OF_ENVI}
    named = {known[_plain(key)]: value for key, value in header.items() if _plain(key) in known}
    found = {key: _numbers(str(path), key, value) for key, value in named.items()}
    return _assembled(str(path), {key: numbers for key, numbers in found.items() if numbers.values}, bands)


def of_gdal(path: Path, no_data: str | None, metadata: str | None, bands: int | None) -> Stated:
    """Return what the tags of GDAL in a TIFF file state: GDAL_NODATA, and of the metadata `bbl`, SCALE and OFFSET.

    Entries of an ENVI header, which GDAL and others carry along for the whole image, count as there.

    Parameters
    ----------
    path
        The file, for messages.
    no_data, metadata
        Texts of the tags 42113 and 42112; None: there is no such tag.
    bands
        Their number; None: not known.

    Raises
    ------
    HsbenchError
        As `of_envi` does.
    """
    of_image: dict[str, str] = {}
    of_band: dict[str, dict[int, str]] = {}
    for item in ElementTree.fromstring(metadata.strip("\0")).iter("Item") if metadata else ():
        name, text = _plain(item.get("name", "")), (item.text or "").strip()
        if "sample" in item.attrib:
            of_band.setdefault(name, {})[int(item.attrib["sample"])] = text
        else:
            of_image[name] = text
    known = {_plain(key): key for key in _OF_ENVI}
    found = {known[name]: _numbers(str(path), known[name], text) for name, text in of_image.items() if name in known}
    ways: dict[str, tuple[str, str]] = {
        "bbl": (_BAD, "bbl"),
        "scale": (_GAINS[0], "SCALE"),
        "offset": (_OFFSETS[0], "OFFSET"),
    }
    for name, (key, written) in ways.items():
        if texts := of_band.get(name):
            if sorted(texts) != list(range(len(texts) if bands is None else bands)):
                raise HsbenchError(
                    f"{path}: its metadata have {written} for {len(texts)} of {bands or 'more'} bands; correct or "
                    "remove them"
                )
            found[key] = _numbers(str(path), written, [texts[band] for band in sorted(texts)])
    if no_data is not None and no_data.strip("\0 "):
        found[_IGNORED] = _numbers(str(path), "GDAL_NODATA", no_data)
    return _assembled(str(path), {key: numbers for key, numbers in found.items() if numbers.values}, bands)


def of_attributes(where: str, attributes: Mapping[str, Any]) -> Stated:
    """Return what attributes beside an array state, in any capitals: those of CF and NetCDF, and those of ENVI's keys.

    ``scale_factor`` and ``add_offset`` are a gain and an offset, as CF defines them. ``Scale_Factor`` in capitals,
    above 1 and without an offset, is what the numbers are divided by, as NEON's reflectances have it.

    Parameters
    ----------
    where
        The array, for messages.
    attributes
        As h5py has them, or any other mapping.

    Raises
    ------
    HsbenchError
        If one is no number, or a gain is 0 or not finite.
    """
    known = {_plain(key): key for key in _OF_ENVI if key != _IGNORED}
    known |= {"scalefactor": _GAINS[0], "addoffset": _OFFSETS[0]}
    # the others may be of any type, also of one that is not read
    names = [name for name in attributes if _plain(name) in known]
    found = {known[_plain(name)]: _numbers(where, name, attributes[name]) for name in names}
    gain = found.get(_GAINS[0])
    if (
        gain is not None
        and _plain(gain.key) == "scalefactor"
        and gain.key != gain.key.lower()
        and not gain.listed
        and gain.values
        and gain.values[0] > 1
        and not (_OFFSETS[0] in found or _FULL in found)
    ):
        found[_FULL] = found.pop(_GAINS[0])
    stated = _assembled(where, {key: numbers for key, numbers in found.items() if numbers.values}, None)
    return no_data_of(where, attributes, stated)


def no_data_of(where: str, attributes: Mapping[str, Any], stated: Stated) -> Stated:
    """Add to a statement what attributes say is no value, if they do; as `of_attributes`, whose parameters it has."""
    names = [name for name in attributes if _plain(name) in _NO_DATA_ATTRIBUTES]
    given = [numbers for name in names if (numbers := _numbers(where, name, attributes[name])).values]
    if not given:
        return stated
    values = tuple(dict.fromkeys(value for numbers in given for value in numbers.values))
    return replace(stated, no_data=values, no_data_words=", ".join(numbers.words for numbers in given))


def _assembled(where: str, found: Mapping[str, _Numbers], bands: int | None) -> Stated:
    """Check the numbers, by the keys of ENVI, and make one statement of them."""
    stated = Stated()
    if ignored := found.get(_IGNORED):
        stated = replace(stated, no_data=ignored.values, no_data_words=ignored.words)
    if bad := found.get(_BAD):
        marks = bad.of_bands(bands)
        if not bad.listed and bands != 1:
            raise HsbenchError(f"{where}: {bad.key} has 1 number, which is not one for each band; correct or remove it")
        strange = next((mark for mark in marks if mark not in (0, 1)), None)
        if strange is not None:
            raise HsbenchError(
                f"{where}: {bad.key} has {_told(strange)}, where 1 marks a good band and 0 a bad one; correct or "
                "remove it"
            )
        numbers = tuple(band for band, mark in enumerate(marks) if mark == 0)
        words = f"{bad.key} = 0 for {told_bands(numbers)}" if numbers else ""
        stated = replace(stated, bad_bands=numbers, bad_bands_words=words)
    gains, offsets = (_either(where, found, keys) for keys in (_GAINS, _OFFSETS))
    full = found.get(_FULL)
    if gains is not None and set(gains.nonzero().of_bands(bands)) != {1}:
        stated = replace(stated, gains=gains.of_bands(bands))
    if offsets is not None and set(offsets.of_bands(bands)) != {0}:
        stated = replace(stated, offsets=offsets.of_bands(bands))
    if full is not None:
        (scale, *others) = full.nonzero().of_bands(None)
        if scale < 0 or any(other != scale for other in others):
            raise HsbenchError(f"{where}: {full.words}: one number above 0 is needed; correct or remove it")
        stated = replace(stated, full_scale=float(scale))
    told = [(gains, stated.gains), (offsets, stated.offsets), (full, stated.full_scale is not None)]
    words = ", ".join(numbers.words for numbers, taken in told if numbers is not None and taken)
    return replace(stated, calibration_words=words)


def _either(where: str, found: Mapping[str, _Numbers], keys: Sequence[str]) -> _Numbers | None:
    """Return the one of several entries for the same purpose that there is."""
    given = [found[key] for key in keys if key in found]
    if len({numbers.values for numbers in given}) > 1:
        raise HsbenchError(
            f"{where}: {' and '.join(numbers.key for numbers in given)} are both stated, and differ; remove those that "
            "lead to another quantity than you want"
        )
    return given[0] if given else None


def told_bands(bands: Sequence[int]) -> str:
    """Return bands, given from 0, as people count them: "band 7" or "bands 6-8, 12"."""
    texts = []
    first = 0
    for place, band in enumerate(bands):
        if place + 1 == len(bands) or bands[place + 1] != band + 1:
            texts.append(f"{bands[first] + 1}-{band + 1}" if place > first else f"{band + 1}")
            first = place + 1
    return f"band{'s' * (len(bands) != 1)} {', '.join(texts)}"


def _told(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.9g}"


def _plain(name: str) -> str:
    return re.sub(r"[\s_]+", "", name).lower()


def _numbers(where: str, key: str, value: Any) -> _Numbers:
    """Read a statement: a number, a text of one or of several in braces, or a list of either."""
    if isinstance(value, (bytes, np.bytes_)):
        value = value.decode("utf-8", "replace")
    if isinstance(value, h5py.Empty):
        return _Numbers(where, key, (), False)
    listed = not isinstance(value, str) and np.ndim(value) > 0 and np.size(value) > 1
    if isinstance(value, str):
        text = value.strip("\0 \t\r\n")
        listed = text.startswith(("{", "[", "(")) or "," in text
        parts: list[Any] = [part for part in re.split(r"[,;\s]+", text.strip("{}[]()")) if part]
    else:
        listed = listed or isinstance(value, (list, tuple))
        parts = [part for part in np.asarray(value, dtype=object).ravel() if str(part).strip()]
    return _Numbers(where, key, tuple(_number(where, key, part) for part in parts), listed)


def _number(where: str, key: str, part: Any) -> float:
    """Read a number; whole ones stay whole, since 64 bits do not fit into a float."""
    if isinstance(part, (int, float, np.number, np.bool_)):
        number: float = np.asarray(part).item()
        return number
    if isinstance(part, bytes):
        part = part.decode("utf-8", "replace")
    text = str(part).strip()
    lowered = text.lower()
    if "#ind" in lowered or "#qnan" in lowered or "#snan" in lowered or lowered.lstrip("+-").startswith("nan"):
        return math.nan
    if "#inf" in lowered:
        return -math.inf if lowered.startswith("-") else math.inf
    truths: Mapping[str, float] = {"true": 1, "false": 0}
    readers: tuple[Callable[[str], float], ...] = (int, float, lambda word: truths[word.lower()])
    for read in readers:
        try:
            return read(text)
        except (ValueError, KeyError):
            continue
    raise HsbenchError(f"{where}: {key} has {text!r}, which is no number; correct or remove it")
