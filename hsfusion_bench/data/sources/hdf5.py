"""Files of samples, as the authors of networks publish their training and test data.

The files of the FeINFN family, ``test_cave(with_up)x4.h5`` and the like, hold ``GT``, ``HSI_up``, ``LRHSI`` and
``RGB``; those of the DLPan and PanCollection families ``gt``, ``lms``, ``ms`` and ``pan``. `finding.BATCHES` has
the names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from hsfusion_bench.claims import PARTS
from hsfusion_bench.data.observing.protocols import Split
from hsfusion_bench.data.observing.responses import WAVELENGTHS
from hsfusion_bench.data.scenes import Cube, SceneSource, StoredObservation
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.formats.arrays import StoredArray, open_arrays
from hsfusion_bench.formats.cubes import divide, with_wavelengths
from hsfusion_bench.formats.finding import BATCHES, held, last, told
from hsfusion_bench.formats.values import require_filled
from hsfusion_bench.suggest import unknown

_GT, _LR_HSI, _HR_MSI = "GT", "LRHSI", "RGB"
#: Nothing in the authors' files tells the wavelengths, but a word of their names tells the data set.
_KNOWN = {"cave": WAVELENGTHS, "harvard": tuple(float(nm) for nm in range(420, 721, 10))}
#: How the axes may lie: as networks take them, or as images are stored; and, in MAT-files, as MATLAB stacks images.
_LAYOUTS, _MATLABS = ("NCHW", "NHWC"), ("HWCN",)
#: Full scales that are usual: of bytes, of 10, 11, 12, 14 and 16 bits, and of reflectance.
_FULL_SCALES = (255, 1023, 2047, 4095, 10000, 16383, 65535)


class HDF5Source(SceneSource):
    """The samples of such a file, each a scene that tests; their references are read one at a time.

    Parameters
    ----------
    text
        ``FILE``, or ``FILE:NAME=VALUE,...``, where NAME is ``const``, the full scale of all its values, 1 by default;
        or ``gt``, ``lrhsi`` or ``rgb``, and VALUE the name in the file, in place of the usual ones.

    Raises
    ------
    UsageError
        If no file is named, or a NAME is unknown.
    HsbenchError
        If it is not here or damaged, or lacks one of the arrays, or their shapes do not fit each other.
    """

    def __init__(self, text: str) -> None:
        if not text:
            raise UsageError("h5: needs a file, as in h5:test_cave(with_up)x4.h5")
        file, options = _split(text)
        self._path = Path(file).expanduser()
        self._const, self._keys = _told(text, options)
        with self._open() as (arrays, layout):
            references = arrays[_GT]
            samples, self._bands = (references.shape[layout.index(axis)] for axis in "NC")
            if samples > PARTS:
                raise HsbenchError(f"{references} has {samples} samples; more than {PARTS} are not read")
            stated = self._stated() or with_wavelengths(arrays, references).wavelengths
        digits = len(str(samples))
        self._names = tuple(f"{number:0{digits}d}" for number in range(1, samples + 1))
        self.name = f"h5:{self._path.name}" + (f":{options}" if options else "")
        self.title = f"{self.name}, {samples} samples of {self._bands} bands"
        self.wavelengths = stated if len(stated) == self._bands else ()
        if not self.wavelengths:
            words = re.split("[^a-z]+", self._path.stem.lower())
            self.wavelengths = next((nm for key, nm in _KNOWN.items() if key in words and len(nm) == self._bands), ())
            self.wavelengths_guess = "the name of the file" if self.wavelengths else ""
        self.split = Split(self.name, (), self._names)

    @property
    def bands(self) -> int:
        """Number of bands of every sample."""
        return self._bands

    def scene_names(self) -> tuple[str, ...]:
        """Numbers of the samples, from 1."""
        return self._names

    def files(self, name: str) -> tuple[Path, ...]:
        """Return the file."""
        return (self._path,)

    def read(self, name: str) -> Cube:
        """Return the reference of a sample, float32 [bands, H, W], values in [0, 1].

        Raises
        ------
        UsageError
            If there is no such sample.
        HsbenchError
            If the file is damaged, or values are not within 0 and the full scale.
        """
        with self._open() as (arrays, layout):
            cube = self._sample(arrays[_GT], layout, name)
            low, high = float(np.nanmin(cube, initial=0)), float(np.nanmax(cube, initial=0))
            if low < 0 or high > self._const:
                raise HsbenchError(f"{arrays[_GT]}: {self._beyond(low, high)}")
            require_filled(arrays[_GT].stated, high, self._const, str(arrays[_GT]))
        divide(cube, self._const)
        return cube

    def stored_observation(self, name: str) -> StoredObservation:
        """Return the observation that the file has of a sample, to compare it with that of a protocol.

        Raises
        ------
        UsageError
            If there is no such sample.
        HsbenchError
            If the file is damaged.
        """
        with self._open() as (arrays, layout):
            images = [self._sample(arrays[key], layout, name) for key in (_LR_HSI, _HR_MSI)]
        for image in images:
            divide(image, self._const)
        return StoredObservation(*images)

    def _stated(self) -> tuple[float, ...]:
        """Return the wavelengths that a file of `hsbench data prepare` states, nanometres."""
        if not h5py.is_hdf5(self._path):
            return ()
        with h5py.File(self._path) as file:
            return tuple(float(nm) for nm in np.ravel(file.attrs.get("wavelengths", ())))

    def _sample(self, array: StoredArray, layout: str, name: str) -> Cube:
        if name not in self._names:
            raise UsageError(unknown(f"sample of {self._path}", name, self._names))
        number = self._names.index(name)
        part = array.read(tuple(number if axis == "N" else slice(None) for axis in layout), layout)
        places = [layout.replace("N", "").index(axis) for axis in "CHW"]
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is told where it is scored
            return np.array(part.transpose(places), np.float32, order="C")

    def _beyond(self, low: float, high: float) -> str:
        values = f"the values, from {low:g} to {high:g}, are not within 0 and the full scale, {self._const:g}"
        if low < 0:
            return f"{values}; correct them"
        likely = next((scale for scale in _FULL_SCALES if scale >= high), None)
        if likely is None:
            return f"{values}; state it: --const N, or h5:{self._path.name}:const=N"
        return f"{values}; {likely} is likely: state it by --const {likely}, or h5:{self._path.name}:const={likely}"

    @contextmanager
    def _open(self) -> Iterator[tuple[Mapping[str, StoredArray], str]]:
        """Give the arrays GT, LRHSI and RGB, besides all that the file has, and what their axes are."""
        with open_arrays(self._path) as arrays:
            found = {key: self._find(arrays, key) for key in (_GT, _LR_HSI, _HR_MSI)}
            yield {**arrays, **found}, self._layout(found)

    def _find(self, arrays: Mapping[str, StoredArray], key: str) -> StoredArray:
        """Return an array by the name that was given, or the first of its usual ones, in any capitals."""
        names = (self._keys[key],) if key in self._keys else BATCHES[key]
        if key in self._keys and names[0] in arrays:
            return arrays[names[0]]
        for usual in names:
            named = {array.link or name: array for name, array in arrays.items() if last(name).lower() == usual.lower()}
            if len(named) > 1:
                raise HsbenchError(
                    f"{self._path}: which is {key} cannot be told, {' or '.join(named)}; say which: "
                    f"h5:{self._path.name}:{key.lower()}=NAME"
                )
            if named:
                return next(iter(named.values()))
        if key in self._keys:
            raise HsbenchError(f"{self._path} has no dataset {self._keys[key]!r}; it holds {held(arrays)}")
        raise HsbenchError(
            f"{self._path} has no dataset {key!r}; it holds {held(arrays)}. Usual names of {key} are "
            f"{', '.join(names)}; another one is stated by h5:{self._path.name}:{key.lower()}=NAME"
        )

    def _layout(self, found: Mapping[str, StoredArray]) -> str:
        """Return the only order of axes under which the shapes fit each other."""
        shapes = [array.shape for array in found.values()]
        layouts = _LAYOUTS + _MATLABS * all(array.kind for array in found.values())
        fitting = [way for way in layouts if _fit(way, *shapes)]
        if len(fitting) == 1:
            return fitting[0]
        listed = ", ".join(f"{array.name} {told(array.shape)}" for array in found.values())
        if fitting:
            raise HsbenchError(
                f"{self._path}: the axes of {listed} may be {' or '.join(fitting)}; describe the file in a TOML file "
                f'with key = "{found[_GT].name}" and layout = "{fitting[0]}"'
            )
        raise HsbenchError(
            f"{self._path}: {listed} do not fit each other: they must be [N, C, H, W] of one N, or [N, H, W, C], the "
            "first two of one C, the first and last of one H and W, and these whole multiples of the second's. If only "
            f'the first is meant, describe it in a TOML file with key = "{found[_GT].name}" and layout = "NCHW"'
        )


def _fit(layout: str, gt: tuple[int, ...], lr_hsi: tuple[int, ...], hr_msi: tuple[int, ...]) -> bool:
    """Tell whether three shapes may be those of references and their observations."""
    if {len(gt), len(lr_hsi), len(hr_msi)} != {4} or 0 in (*gt, *lr_hsi, *hr_msi):
        return False
    whole, low, high = (dict(zip(layout, shape, strict=True)) for shape in (gt, lr_hsi, hr_msi))
    scale = whole["H"] // low["H"]
    return (
        whole["N"] == low["N"] == high["N"]
        and whole["C"] == low["C"]
        and all(whole[side] == high[side] == scale * low[side] for side in "HW")
        and scale > 1
    )


def _split(text: str) -> tuple[str, str]:
    """Return the file and what is stated after it."""
    file, colon, options = text.rpartition(":")
    if not colon or "=" not in options or Path(text).expanduser().exists():
        return text, ""
    return file, options


def _told(text: str, options: str) -> tuple[float, dict[str, str]]:
    """Return the full scale and the names in the file that are stated."""
    names = {name.lower(): name for name in (_GT, _LR_HSI, _HR_MSI)}
    const, keys = 1.0, {}
    for option in filter(None, options.split(",")):
        name, _, value = (part.strip() for part in option.partition("="))
        if name.lower() in names and value:
            keys[names[name.lower()]] = value
            continue
        if name.lower() != "const":
            raise UsageError(unknown(f"option of h5:{text}", name, ["const", *names]))
        try:
            const = float(value)
        except ValueError:
            const = 0.0
        if not 0 < const < float("inf"):
            raise UsageError(f"h5:{text}: const={value} is no full scale, such as const=2047")
    return const, keys
