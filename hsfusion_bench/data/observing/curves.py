"""What the channels of a camera response are, in numbers: centre, width, range; and as curves to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from hsfusion_bench.data.observing.responses import Array, Bands, Matrix, Response, Table

#: A channel sees where it has this part of its peak.
SEEN: Final = 0.01


@dataclass(frozen=True)
class Channel:
    """A channel of a camera, in nanometres, or in bands of the cube, from 1, where wavelengths are not known.

    Parameters
    ----------
    name
        Its name.
    centre
        Mean, weighted by what it sees.
    width
        Full width at half maximum, between the outermost places of half the peak.
    first, last
        Where it begins and ends to have `SEEN` of its peak.
    cut
        Whether the numbers end above half the peak, so that the width is at least that.
    total
        Sum of its numbers, by which they are divided for a cube at these very bands; None of a model.
    """

    name: str
    centre: float
    width: float
    first: float
    last: float
    cut: bool = False
    total: float | None = None


@dataclass(frozen=True)
class Curves:
    """The channels of a camera.

    Parameters
    ----------
    unit
        Of `places`: "nm", or "band".
    places, values
        Where the response is known [places], and what it is there [channels, places], in the unit of its file; a model
        is computed at every nanometre.
    channels
        Each of them in numbers; None for one that sees nothing.
    """

    unit: Literal["nm", "band"]
    places: Array
    values: Array
    channels: tuple[Channel | None, ...]

    def in_rows(self, most: int) -> tuple[Array, Array]:
        """Return the curves at no more than so many places, as shares of their peaks [channels, places].

        Where there are more places, each row is the greatest of those that are nearest to it, so that no narrow channel
        is missed.
        """
        peaks = self.values.max(axis=1, keepdims=True)
        shares = self.values / np.where(peaks > 0, peaks, 1)
        if len(self.places) <= most:
            return self.places, shares
        rows = np.linspace(self.places[0], self.places[-1], most)
        nearest = np.abs(self.places[:, None] - rows).argmin(axis=1)
        greatest = np.zeros((len(shares), most))
        for row in np.unique(nearest):
            greatest[:, row] = shares[:, nearest == row].max(axis=1)
        return rows, greatest


def curves(response: Response) -> Curves:
    """Return the channels of a camera response; a matrix with more rows than columns is turned."""
    if isinstance(response, Bands):
        return _of_model(response)
    assert isinstance(response, Table | Matrix)
    values = np.array(response.values, float)
    if isinstance(response, Table):
        places, unit = np.array(response.wavelengths), "nm"
        names: Sequence[str] = response.channels
    else:
        values = values.T if len(values) > len(values[0]) else values
        places, unit = np.arange(1.0, len(values[0]) + 1), "band"
        names = [str(number) for number in range(1, len(values) + 1)]
    channels = tuple(_measured(name, places, row) for name, row in zip(names, values, strict=True))
    return Curves("nm" if unit == "nm" else "band", places, values, channels)


def _of_model(response: Bands) -> Curves:
    """Return the curves of bands that are known by their edges, at half of the maximum."""
    channels, rows = [], []
    widest = max(band.upper - band.lower for band in response.bands) if response.model == "gaussian" else 0.0
    lowest, highest = min(band.lower for band in response.bands), max(band.upper for band in response.bands)
    places = np.arange(np.floor(lowest - widest / 2), np.ceil(highest + widest / 2) + 1)
    for band in response.bands:
        middle, width = (band.lower + band.upper) / 2, band.upper - band.lower
        if response.model == "gaussian":
            rows.append(np.exp(-4 * np.log(2) * ((places - middle) / width) ** 2))
            reach = width / 2 * np.sqrt(np.log2(1 / SEEN))
        else:
            rows.append(((band.lower <= places) & (places <= band.upper)).astype(float))
            reach = width / 2
        channels.append(Channel(band.name, middle, width, float(middle - reach), float(middle + reach)))
    return Curves("nm", places, np.array(rows), tuple(channels))


def _measured(name: str, places: Array, values: Array) -> Channel | None:
    """Measure a channel whose numbers are joined by straight lines."""
    peak = values.max()
    if not peak > 0:
        return None
    steps = np.diff(places)
    weights = values * (np.append(steps, 0) + np.append(0, steps) if len(places) > 1 else 1)
    low, high = _extent(places, values, peak / 2)
    first, last = _extent(places, values, peak * SEEN)
    cut = bool(max(values[0], values[-1]) > peak / 2)
    return Channel(name, float(weights @ places / weights.sum()), high - low, first, last, cut, float(values.sum()))


def _extent(places: Array, values: Array, level: float) -> tuple[float, float]:
    """Return the outermost places of a level; the ends, where the numbers end above it."""
    above = np.flatnonzero(values >= level)
    ends = []
    for inner, step in ((int(above[0]), -1), (int(above[-1]), 1)):
        outer = inner + step
        if not 0 <= outer < len(places):
            ends.append(float(places[inner]))
            continue
        share = (values[inner] - level) / (values[inner] - values[outer])
        ends.append(float(places[inner] + share * (places[outer] - places[inner])))
    return ends[0], ends[1]
