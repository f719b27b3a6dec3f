"""The embedded data set: little still lifes, drawn by formulas, for trying things out without a download.

Each scene is drawn back to front in front of a lit wall on a wooden table: a colour chart, balls, a mug with
a label, a striped cloth, a bundle of quills, with their shadows. A surface is a mixture of two smooth
reflectances whose proportions vary over it, so texture is spectral as well as spatial. Illuminant and camera
fall off towards the blue end, so the first bands are the darkest. Under the protocol `uestc` bicubic
enlargement scores 30 dB at x4 and 26 dB at x8, within the range of the scenes of CAVE.

A scene is a function of its seed alone. Random numbers are uniform doubles of PCG64, whose stream NumPy
keeps, and the result is rounded to 16 bits as a camera would, so that the last bit of a platform's `exp` does
not matter.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hsfusion_bench.data.observing.protocols import Split
from hsfusion_bench.data.observing.responses import WAVELENGTHS
from hsfusion_bench.data.scenes import Cube, SceneSource
from hsfusion_bench.errors import UsageError
from hsfusion_bench.suggest import unknown

Array: TypeAlias = npt.NDArray[np.float64]

SIDE = 128
_TRAIN = ("apples", "pears", "plums", "cherries", "apricots", "quinces")
_TEST = ("oranges", "figs", "melons")
_SEEDS = {name: 2017 + number for number, name in enumerate((*_TRAIN, *_TEST))}
_NM = np.array(WAVELENGTHS)


class DemoSource(SceneSource):
    """Nine made-up still lifes; needs no files."""

    name = "demo"
    title = f"Demo, {len(_SEEDS)} made-up still lifes of {SIDE} x {SIDE} x 31, needs no download"
    wavelengths = WAVELENGTHS
    split = Split("demo-6-3", _TRAIN, _TEST)

    def __init__(self, data_root: object = None) -> None:
        del data_root  # every source is opened with one

    def scene_names(self) -> tuple[str, ...]:
        """Names of the scenes, training ones first."""
        return tuple(_SEEDS)

    def size(self, name: str) -> tuple[int, int]:
        """Return height and width of a scene, pixels."""
        return SIDE, SIDE

    def read(self, name: str) -> Cube:
        """Draw a scene, float32 [31, 128, 128], values in [0, 1].

        Raises
        ------
        UsageError
            If there is no scene of that name.
        """
        if name not in _SEEDS:
            raise UsageError(unknown("demo scene", name, _SEEDS))
        return _draw(_SEEDS[name])


def _draw(seed: int) -> Cube:
    """Draw the scene of a seed."""
    canvas = _Canvas(np.random.Generator(np.random.PCG64(seed)))
    canvas.wall_and_table()
    canvas.colour_chart()
    canvas.cloth()
    left, right = (0.2, 0.78) if canvas.uniform(0, 1) < 0.5 else (0.78, 0.2)
    canvas.mug(left)
    canvas.quills(right)
    for column in (0.3, 0.55, 0.75):
        canvas.ball(column)
    radiance = canvas.reflectance * _camera()[:, None, None]
    return (np.rint(np.clip(radiance, 0, 1) * 65535) / 65535).astype(np.float32)


def _camera() -> Array:
    """Return illuminant times sensitivity [bands]: half at 400 nm, full in the green, less at 700 nm."""
    rise = 1 / (1 + np.exp(-(_NM - 455) / 22))
    fall = 1 - 0.25 / (1 + np.exp(-(_NM - 670) / 15))
    curve: Array = (0.45 + 0.55 * rise) * fall
    return curve


class _Canvas:
    """A picture in the making: light [bands, y, x], x to the right and y downwards, both in [0, 1]."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.reflectance = np.zeros((len(_NM), SIDE, SIDE))
        centres = (np.arange(SIDE) + 0.5) / SIDE
        self.y, self.x = np.meshgrid(centres, centres, indexing="ij")

    # What is in the picture

    def wall_and_table(self) -> None:
        """Paint a wall lit from one upper corner, and a wooden table below two thirds of the height."""
        corner = self.uniform(-0.2, 1.2)
        light = 0.06 + 0.4 * np.exp(-((self.x - corner) ** 2 + (self.y + 0.1) ** 2) / 0.5)
        everywhere = np.ones_like(self.x)
        self._paint(everywhere, light, self._material(0.5), self._material(0.5), 0.5 * self.noise(9))
        grain = 0.4 + 0.25 * np.sin(2 * np.pi * (14 * self.y**1.5 + 2 * self.noise(5) + 0.5 * self.noise(17)))
        brown, dark = self._material(0.55, peak=640), self._material(0.25, peak=620)
        table_light = 0.35 + 0.5 * self.y * np.exp(-((self.x - corner) ** 2) / 1.2)
        self._paint(self._edge(self.y - 0.66), table_light, brown, dark, grain)

    def colour_chart(self) -> None:
        """Paint six by four colours in a black frame, hung on the wall."""
        left, top = self.uniform(0.06, 0.48), self.uniform(0.05, 0.1)
        width, height = 0.45, 0.3
        u, v = (self.x - left) / width, (self.y - top) / height
        inside = self._edge((0.5 - abs(u - 0.5)) * width) * self._edge((0.5 - abs(v - 0.5)) * height)
        self._paint(inside, np.full_like(u, 0.02), self._material(0.5))
        across, down = 6 * u, 4 * v
        patch = self._edge((0.38 - abs(across % 1 - 0.5)) * width / 6)
        patch = patch * self._edge((0.38 - abs(down % 1 - 0.5)) * height / 4) * inside
        for row in range(4):
            for column in range(6):
                here = patch * (np.floor(across) == column) * (np.floor(down) == row)
                grey = np.full_like(_NM, 0.9 * 0.6**column)
                colour = grey if row == 3 else self._material(self.uniform(0.5, 0.95))
                self._paint(here, np.full_like(u, 0.55), colour)

    def cloth(self) -> None:
        """Paint a cloth on the table, with stripes that get finer, and folds."""
        left = self.uniform(0.05, 0.4)
        skew = self.uniform(-0.3, 0.3) * (self.y - 0.8)
        u, v = (self.x - left - skew) / 0.5, (self.y - 0.74) / 0.24
        inside = self._edge((0.5 - abs(u - 0.5)) * 0.5) * self._edge((0.5 - abs(v - 0.5)) * 0.24)
        folds = 0.4 + 0.15 * np.sin(9 * u + 4 * self.noise(4)) + 0.02 * np.sin(2 * np.pi * 40 * self.y)
        stripes = 0.5 + 0.4 * np.tanh(3 * np.sin(2 * np.pi * (2.5 * u + 3 * u**2)))
        self._paint(inside, folds, self._material(0.8), self._material(0.6), stripes)

    def mug(self, column: float) -> None:
        """Paint a mug, lit from the side, with a checked label."""
        width, top, bottom = self.uniform(0.2, 0.26), self.uniform(0.36, 0.46), 0.84
        u = (self.x - column) / (width / 2)
        rim = 0.025 * np.sqrt(np.clip(1 - u**2, 0, 1))
        self._shadow(column + 0.08, bottom, width * 0.8)
        inside = self._edge((1 - abs(u)) * width / 2) * self._edge(self.y - top + rim)
        inside = inside * self._edge(bottom + rim - self.y)
        light = 0.08 + 0.55 * np.clip(0.75 * np.sqrt(np.clip(1 - u**2, 0, 1)) - 0.5 * u, 0, 1)
        glaze = self._material(0.85)
        self._paint(inside, light, glaze, self._material(0.6), 0.3 * self.noise(20))
        v = (self.y - top - 0.1) / 0.2
        angle = np.arcsin(np.clip(u, -1, 1))
        checks = 0.5 + 0.4 * np.tanh(3 * np.sin(8 * angle) * np.sin(2 * np.pi * 2.5 * v))
        label = inside * self._edge((0.5 - abs(v - 0.5)) * 0.2) * self._edge(0.9 - abs(angle))
        self._paint(label, light, self._material(0.9), self._material(0.2), checks)
        mouth = self._edge((1 - u**2 - ((self.y - top) / 0.025) ** 2) * 0.02)
        self._paint(mouth, np.full_like(u, 0.04), glaze)

    def quills(self, column: float) -> None:
        """Paint a fan of thin barbed quills."""
        foot = 0.86
        for _ in range(4):
            lean, length = self.uniform(-0.35, 0.35), self.uniform(0.4, 0.62)
            t = (foot - self.y) / length
            shaft = self.x - column - lean * t * (0.6 + 0.4 * t)
            half_width = 0.04 * np.sqrt(np.clip(t * (1 - t), 0, 1)) * 2
            inside = self._edge(half_width - abs(shaft)) * self._edge((0.5 - abs(t - 0.5)) * length)
            barbs = 0.4 + 0.35 * np.sin(2 * np.pi * (26 * self.y - 24 * abs(shaft)))
            light = 0.2 + 0.3 * (1 - abs(shaft) / 0.06).clip(0, 1)
            self._paint(inside, light, self._material(0.9), self._material(0.35), barbs)
            core = self._edge(0.004 - abs(shaft)) * self._edge((0.5 - abs(t - 0.5)) * length)
            self._paint(0.5 * core, np.full_like(t, 0.6), np.full_like(_NM, 0.8))

    def ball(self, column: float) -> None:
        """Paint a fruit: shaded as a sphere, mottled, with a highlight."""
        centre, radius = column + self.uniform(-0.07, 0.07), self.uniform(0.07, 0.12)
        height = 0.9 - radius + self.uniform(-0.08, 0.04)
        u, v = (self.x - centre) / radius, (self.y - height) / radius
        depth = np.sqrt(np.clip(1 - u**2 - v**2, 0, 1))
        self._shadow(centre + 0.05, height + 0.9 * radius, radius)
        inside = self._edge((1 - np.hypot(u, v)) * radius)
        light = 0.04 + 0.7 * np.clip(-0.5 * u - 0.55 * v + 0.67 * depth, 0, 1)
        mottle = np.clip(0.7 * self.noise(20) + 0.4 * self.noise(48) - 0.1, 0, 1)
        self._paint(inside, light, self._material(0.9), self._material(0.6), mottle)
        gloss = inside * np.exp(-((u + 0.4) ** 2 + (v + 0.45) ** 2) / 0.02)
        self._paint(0.9 * gloss, np.full_like(u, 0.95), np.ones_like(_NM))

    # How it is drawn

    def uniform(self, low: float, high: float) -> float:
        """Draw a number."""
        return low + (high - low) * float(self._rng.random())

    def noise(self, cells: int) -> Array:
        """Draw smooth noise in [0, 1], [y, x]: random values on a lattice, eased between its points."""
        lattice = self._rng.random((cells + 1, cells + 1))
        where = self.x[0] * cells
        cell = where.astype(np.intp)
        ease = (where - cell) ** 2 * (3 - 2 * (where - cell))
        rows = lattice[cell] * (1 - ease[:, None]) + lattice[cell + 1] * ease[:, None]
        values: Array = rows[:, cell] * (1 - ease) + rows[:, cell + 1] * ease
        return values

    def _material(self, albedo: float, peak: float | None = None) -> Array:
        """Draw a reflectance [bands] up to `albedo`: two smooth bumps, one at `peak`, on a low floor."""
        first = self.uniform(420, 690) if peak is None else peak
        second = self.uniform(420, 690)
        broad, narrow = self.uniform(50, 90), self.uniform(28, 45)
        bumps = np.exp(-(((_NM - first) / broad) ** 2))
        bumps += 0.5 * np.exp(-(((_NM - second) / narrow) ** 2))
        reflectance: Array = albedo * (0.08 + 0.92 * bumps / bumps.max())
        return reflectance

    def _edge(self, distance: npt.NDArray[np.floating[Any]]) -> Array:
        """Return the cover of pixels [y, x] at a signed distance from an edge, in widths of the picture.

        An edge is as wide as two pixels, for no lens is sharper.
        """
        return np.clip(0.5 + distance * SIDE / 2, 0, 1)

    def _paint(
        self,
        cover: Array,
        light: Array,
        first: Array,
        second: Array | None = None,
        share: Array | None = None,
    ) -> None:
        """Lay a lit surface over the picture.

        `cover` and `light` are [y, x]; the surface reflects `first` [bands], mixed with a `share` [y, x] of
        `second`.
        """
        rows, columns = (np.flatnonzero(cover.any(axis=axis)) for axis in (1, 0))
        if not rows.size:
            return
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        here = self.reflectance[(slice(None), *box)]
        surface = first[:, None, None]
        if second is not None and share is not None:
            surface = surface + (second - first)[:, None, None] * share[box]
        here += cover[box] * (light[box] * surface - here)

    def _shadow(self, x: float, y: float, radius: float) -> None:
        """Darken the table under a thing."""
        distance = np.hypot((self.x - x) / (1.3 * radius), (self.y - y) / (0.4 * radius))
        self.reflectance *= 1 - 0.85 / (1 + np.exp((distance - 1) * 9))
