"""One cube in a file as a data set of one scene."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hsfusion_bench.data.observing.protocols import Split
from hsfusion_bench.data.scenes import Cube, SceneSource
from hsfusion_bench.data.sources.usable import usable_bands
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.formats.arrays import StoredArray, open_arrays
from hsfusion_bench.formats.cubes import axes_of, divide, find_cube, find_joined, read_cube
from hsfusion_bench.formats.finding import require_finite
from hsfusion_bench.formats.geodata import files_of
from hsfusion_bench.formats.values import HolesError, require_filled, stated_full_scale
from hsfusion_bench.suggest import unknown


class CubeSource(SceneSource):
    """A cube in a file that `open_arrays` reads, with values in [0, 1], or a full scale that it states; it tests.

    Bands that the file marks as bad, or that say nothing, are left out; see `usable_bands`.

    Parameters
    ----------
    text
        ``FILE`` or ``FILE:KEY``. Without a key it is the only array of three axes, or has a usual name. The bands of
        several arrays come after each other by ``FILE:A+B``.

    Raises
    ------
    UsageError
        If no file is named.
    HsbenchError
        If it is not here or damaged, or which array is the cube, or what its axes are, cannot be told.
    """

    def __init__(self, text: str) -> None:
        if not text:
            raise UsageError("mat: needs a file, as in mat:cube.mat, or mat:cube.mat:KEY")
        file, colon, key = text.rpartition(":")
        if not colon or Path(text).expanduser().exists():
            file, key = text, ""
        self._path, self._keys = Path(file).expanduser(), (key,) if key else ()
        self._scene = self._path.stem
        with open_arrays(self._path) as arrays:
            array = self._find(arrays)
            self._axes = self._tell_axes(array)
            bands = array.shape[self._axes.index("C")]
            self._keep = usable_bands(array, self._axes, range(bands))
        if len(self._keep) < bands:
            self.bands_used = self.bands_kept = tuple(band + 1 for band in self._keep)
            self.bands_stored = bands
        self.name = f"mat:{self._path.name}" + (f":{key}" if key else "")
        self.title = f"{self.name}, {' x '.join(map(str, array.shape))}"
        self._size = array.shape[self._axes.index("H")], array.shape[self._axes.index("W")]
        self.wavelengths = tuple(array.wavelengths[band] for band in self._keep) if array.wavelengths else ()
        self.split = Split(self.name, (), (self._scene,))

    def _find(self, arrays: Mapping[str, StoredArray]) -> StoredArray:
        """Return the array, or the bands of several, named A+B."""
        keys = self._keys
        parts = keys[0].split("+") if keys and keys[0] not in arrays else []
        if len(parts) > 1:
            return find_joined(arrays, self._path, parts)
        return find_cube(arrays, self._path, keys)

    @staticmethod
    def _tell_axes(array: StoredArray) -> str:
        return axes_of(array, bands=len(array.wavelengths) or None)

    @property
    def bands(self) -> int:
        """Number of bands of the cube, without those that are left out."""
        return len(self._keep)

    def scene_names(self) -> tuple[str, ...]:
        """Name of the one scene: that of the file."""
        return (self._scene,)

    def size(self, name: str) -> tuple[int, int]:
        """Return height and width of the cube, pixels."""
        return self._size

    def files(self, name: str) -> tuple[Path, ...]:
        """Return the file, and the others that it is read with, such as the raster of an ENVI header."""
        return files_of(self._path)

    def read(self, name: str) -> Cube:
        """Return the cube, float32 [bands, H, W], values in [0, 1].

        Raises
        ------
        UsageError
            If the name is not that of its scene.
        HsbenchError
            If a value is not in [0, 1], or pixels stand for no value; the message names file and key.
        """
        if name != self._scene:
            raise UsageError(unknown("scene", name, self.scene_names()))
        with open_arrays(self._path) as arrays:
            array = self._find(arrays)
            try:
                cube = read_cube(array, self._axes, keep=self._keep)
            except HolesError as error:
                raise HolesError(str(array), error.holes, self._described(error.holes.remedies)) from error
        require_finite(cube, str(array))
        stated, full_scale = array.stated, stated_full_scale(array.stated, str(array))
        require_filled(stated, float(cube.max()), full_scale, str(array))
        divide(cube, full_scale)
        low, high = float(cube.min()), float(cube.max())
        if low < 0 or high > 1:
            words = stated.calibration_words
            by, keys = "", "const = ..."
            if words:
                by, keys = f" by what the file states ({words})", "const = ..., or clip = true"
            if stated.full_scale is not None:
                keys = f"clip = true, which cuts off what is beyond {stated.full_scale:g}"
            raise HsbenchError(
                f"{array}: the values, from {low:g} to {high:g}{by}, are not in [0, 1], and what to divide them by is "
                f"for you to say: {self._described(keys)}, and give that as the data set"
            )
        return cube

    def _described(self, keys: str) -> str:
        return f'describe the file in a TOML file with file = "{self._path.name}" and {keys}'
