"""Spectral responses of multispectral cameras: a table by wavelength, bands by their edges, or a matrix.

Those that ship are TOML files in the folder `responses` beside this module, see `named_responses`. `A` and `B` are two
digitisations of the Nikon D700 that circulate in the literature, in integer units, and their numbers are not
interchangeable: a network trained with one loses decibels on the other. `ikonos` and `landsat` are models of
satellite cameras, for remote-sensing cubes.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, field
from hashlib import sha256
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic.dataclasses import dataclass

from hsfusion_bench.data.observing.tables import STRICT
from hsfusion_bench.errors import UsageError

Array: TypeAlias = npt.NDArray[np.float64]
OffTable = Literal["refuse", "by-band", "interpolate"]

WAVELENGTHS = tuple(float(nm) for nm in range(400, 701, 10))

#: How far a band may lie from the wavelength whose number it gets under "by-band": the shift of Harvard's bands.
_FARTHEST = 20.0
#: Share of what each channel sees that must be in the bands that are left, where some of a table's are left out.
_LEAST_KEPT = 0.5


class Response(ABC):
    """What each channel of a multispectral camera sees of each hyperspectral band.

    Attributes
    ----------
    name
        Its name in those of protocols' variants.
    channels
        Names of the channels, in order.
    """

    name: str
    channels: tuple[str, ...]

    @abstractmethod
    def weights(self, wavelengths: Sequence[float], off_table: OffTable) -> Array:
        """Return the response [msi_bands, bands] before its rows are divided by their sums; see `at`."""

    def remark_on(self, bands: int) -> str:
        """Return what was done to a user's numbers for a cube of so many bands and is to be said; else nothing."""
        del bands
        return ""

    def at(self, wavelengths: Sequence[float], off_table: OffTable = "refuse") -> Array:
        """Return the response to the bands of a cube.

        Parameters
        ----------
        wavelengths
            Centres of the hyperspectral bands, nanometres; NaN where they are unknown, which serves a matrix alone.
        off_table
            What to do where a table has other wavelengths: "refuse"; "by-band" gives its numbers to the bands one
            after the other, which may lie 20 nm off; "interpolate" takes them linearly between the table's
            wavelengths, and 0 beyond its ends.

        Returns
        -------
        float64 [msi_bands, bands], every row sums to 1.

        Raises
        ------
        UsageError
            If the response is not known at these wavelengths, or a channel sees none of the bands.
        """
        weights = self.weights(tuple(float(nm) for nm in wavelengths), off_table)
        sums = weights.sum(axis=1, keepdims=True)
        # not strict: of a matrix that was turned, the channels are fewer
        blind = [channel for channel, total in zip(self.channels, sums[:, 0], strict=False) if not total > 0]
        if blind:
            raise UsageError(
                f"channel {blind[0]} of the camera response {self.name} sees none of the bands at "
                f"{_listed(wavelengths)} nm"
            )
        normalised: Array = weights / sums
        return normalised


@dataclass(frozen=True, config=STRICT)
class Table(Response):
    """A response tabulated by wavelength.

    Parameters
    ----------
    name, channels
        See `Response`.
    wavelengths
        Nanometres, rising.
    values
        A row for each channel, in any unit.
    interpolate
        Whether it is a user's own table, which is interpolated whatever `Response.at` is told.
    title, source
        What camera it is of, and how we know.
    remark
        What was done to the file's numbers and is to be said, if anything.
    """

    name: str
    channels: tuple[str, ...]
    wavelengths: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]
    _: KW_ONLY
    interpolate: bool = False
    title: str = ""
    source: str = ""
    remark: str = field(default="", repr=False, compare=False)  # the same camera, however its file was laid out

    def __post_init__(self) -> None:
        if any(b <= a for a, b in zip(self.wavelengths, self.wavelengths[1:], strict=False)):
            raise ValueError("the wavelengths must rise")
        if self.wavelengths[-1] < 100:
            raise ValueError(f"the wavelengths end at {self.wavelengths[-1]:g}: they must be in nanometres")
        _check(self.channels, self.values, len(self.wavelengths))

    def remark_on(self, bands: int) -> str:
        """Return `remark`."""
        del bands
        return self.remark

    def weights(self, wavelengths: Sequence[float], off_table: OffTable) -> Array:
        """Return the response before normalisation; see `Response.at`."""
        table = np.array(self.values, float)
        if tuple(wavelengths) == self.wavelengths:
            return table
        if not self.interpolate and set(wavelengths) < set(self.wavelengths):  # some bands were left out
            kept = table[:, [self.wavelengths.index(nm) for nm in wavelengths]]
            if (kept.sum(axis=1) >= _LEAST_KEPT * table.sum(axis=1)).all():
                return kept
        _require_known(self.name, wavelengths)
        if self.interpolate or off_table == "interpolate":
            return np.array([np.interp(wavelengths, self.wavelengths, row, left=0, right=0) for row in table])
        known = f"camera response {self.name} is tabulated for the {len(self.wavelengths)} bands at "
        known += f"{_listed(self.wavelengths)} nm, not for {len(wavelengths)} bands at {_listed(wavelengths)} nm"
        if off_table == "refuse":
            raise UsageError(f"{known}. --off-table interpolate takes it between them, --response chooses another one")
        if len(wavelengths) != len(self.wavelengths):
            raise UsageError(f"{known}: it cannot be taken band by band. --response chooses another one")
        far = np.abs(np.subtract(wavelengths, self.wavelengths)).max()
        if far > _FARTHEST:
            raise UsageError(
                f"{known}, which lie up to {far:g} nm off; {_FARTHEST:g} nm are let pass. "
                "--off-table interpolate takes it at their wavelengths, --response chooses another one"
            )
        return table


@dataclass(frozen=True, config=STRICT)
class Band:
    """A band of a multispectral camera: its name, and its edges at half of the maximum, nanometres."""

    name: str
    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not 100 <= self.lower < self.upper:
            raise ValueError(f"{self.lower:g} to {self.upper:g} is not a range in nanometres")


@dataclass(frozen=True, config=STRICT)
class Bands(Response):
    """A response modelled by the edges of its bands.

    Parameters
    ----------
    name
        See `Response`.
    model
        "boxcar": 1 for a hyperspectral band whose centre lies between the edges, edges included, else 0. "gaussian":
        a Gaussian about the middle of the edges whose full width at half maximum is their distance.
    bands
        The channels.
    title, source
        What camera it is of, and how we know.
    """

    name: str
    model: Literal["boxcar", "gaussian"]
    bands: tuple[Band, ...]
    _: KW_ONLY
    title: str = ""
    source: str = ""

    @property
    def channels(self) -> tuple[str, ...]:  # type: ignore[override]  # follows from the bands
        """Names of the bands."""
        return tuple(band.name for band in self.bands)

    def weights(self, wavelengths: Sequence[float], off_table: OffTable) -> Array:
        """Return the response before normalisation; see `Response.at`."""
        _require_known(self.name, wavelengths)
        nm = np.asarray(wavelengths, float)
        rows = []
        for band in self.bands:
            inside = (band.lower <= nm) & (nm <= band.upper)
            if not inside.any():
                raise UsageError(
                    f"band {band.name} ({band.lower:g} to {band.upper:g} nm) of the camera response {self.name} is "
                    f"covered by none of the image's bands at {_listed(wavelengths)} nm. --response chooses another one"
                )
            middle, width = (band.lower + band.upper) / 2, band.upper - band.lower
            bell = np.exp(-4 * np.log(2) * ((nm - middle) / width) ** 2)
            rows.append(bell if self.model == "gaussian" else inside.astype(float))
        return np.array(rows)


@dataclass(frozen=True, config=STRICT)
class Matrix(Response):
    """A response that is given for the very bands of a cube, without their wavelengths: [msi_bands, bands].

    A matrix whose rows alone are as many as the cube's bands, and more than its columns, is turned.
    """

    name: str
    channels: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        # a row of zeros may be a band that no channel sees, until the number of bands is known
        _check(self.channels, self.values, len(self.values[0]), zeros=True)

    def _turned_for(self, bands: int) -> bool:
        rows, columns = len(self.values), len(self.values[0])
        return rows == bands and columns < rows

    def remark_on(self, bands: int) -> str:
        """Say whether the matrix is turned."""
        if not self._turned_for(bands):
            return ""
        rows, columns = len(self.values), len(self.values[0])
        return (
            f"the camera response {self.name} is [{rows}, {columns}], and the image has {bands} bands: it was turned "
            f"to [msi_bands, bands] = [{columns}, {rows}]"
        )

    def weights(self, wavelengths: Sequence[float], off_table: OffTable) -> Array:
        """Return the response before normalisation; see `Response.at`."""
        matrix = np.array(self.values, float)
        if self._turned_for(len(wavelengths)):
            return np.ascontiguousarray(matrix.T)
        if matrix.shape[1] == len(wavelengths):
            return matrix
        hint = "; it looks transposed" if matrix.shape[0] == len(wavelengths) else ""
        raise UsageError(
            f"the camera response {self.name} is {matrix.shape[0]} x {matrix.shape[1]} [msi_bands, bands], but the "
            f"image has {len(wavelengths)} bands{hint}"
        )


def _check(channels: Sequence[str], values: Sequence[Sequence[float]], bands: int, *, zeros: bool = False) -> None:
    """Refuse values that are no response."""
    if len(values) != len(channels) or not values:
        raise ValueError(f"there are {len(channels)} channels, but {len(values)} rows of values")
    for channel, row in zip(channels, values, strict=True):
        if len(row) != bands:
            raise ValueError(f"channel {channel} has {len(row)} values, not {bands}")
        wrong = next((value for value in row if not 0 <= value < np.inf), None)
        if wrong is not None:
            raise ValueError(f"channel {channel} has the value {wrong:g}: a response is a number from 0 on")
        if not any(row) and not zeros:
            raise ValueError(f"channel {channel} is zero at all wavelengths")


def _require_known(name: str, wavelengths: Sequence[float]) -> None:
    if np.isnan(wavelengths).any():
        raise UsageError(
            f"camera response {name} needs the wavelengths of the image's {len(wavelengths)} bands, which are unknown: "
            "state them, as in --wavelengths 400:700 (from the first band to the last, nm) or by wavelengths = "
            "{ start = 400, stop = 700 } in a TOML file that describes the data set; or give by --response FILE the "
            "camera's matrix [msi_bands, bands]"
        )


def _listed(wavelengths: Sequence[float]) -> str:
    """Return "420, 430 nm" or, of a longer list, its ends."""
    texts = [f"{nm:g}" for nm in wavelengths]
    return ", ".join(texts if len(texts) <= 4 else [*texts[:2], "...", texts[-1]])


def own_name(stem: str, values: object) -> str:
    """Return the name of what a user's file holds: its stem, and eight digits that tell it from any other."""
    return f"{re.sub('[^A-Za-z0-9_]+', '-', stem)}.{sha256(repr(values).encode()).hexdigest()[:8]}"
