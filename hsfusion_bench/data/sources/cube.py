"""One cube in a file as a data set of one scene."""

from __future__ import annotations

from pathlib import Path

from hsfusion_bench.data.observing.protocols import Split
from hsfusion_bench.data.scenes import Cube, SceneSource
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.formats.arrays import StoredArray, open_arrays
from hsfusion_bench.formats.cubes import axes_of, find_cube, read_cube
from hsfusion_bench.formats.envi import files_of
from hsfusion_bench.formats.finding import require_finite
from hsfusion_bench.suggest import unknown


class CubeSource(SceneSource):
    """A cube with values in [0, 1], in a file that `open_arrays` reads; it tests.

    Parameters
    ----------
    text
        ``FILE`` or ``FILE:KEY``. Without a key it is the only array of three axes, or has a usual name.

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
            array = find_cube(arrays, self._path, self._keys)
            self._axes = self._tell_axes(array)
        self._bands = array.shape[self._axes.index("C")]
        self.name = f"mat:{self._path.name}" + (f":{key}" if key else "")
        self.title = f"{self.name}, {' x '.join(map(str, array.shape))}"
        self.wavelengths = array.wavelengths
        self.split = Split(self.name, (), (self._scene,))

    @staticmethod
    def _tell_axes(array: StoredArray) -> str:
        return axes_of(array, bands=len(array.wavelengths) or None)

    @property
    def bands(self) -> int:
        """Number of bands of the cube."""
        return self._bands

    def scene_names(self) -> tuple[str, ...]:
        """Name of the one scene: that of the file."""
        return (self._scene,)

    def files(self, name: str) -> tuple[Path, ...]:
        """Return the file, and with an ENVI header its raster."""
        return files_of(self._path)

    def read(self, name: str) -> Cube:
        """Return the cube, float32 [bands, H, W], values in [0, 1].

        Raises
        ------
        UsageError
            If the name is not that of its scene.
        HsbenchError
            If a value is not in [0, 1]; the message names file and key.
        """
        if name != self._scene:
            raise UsageError(unknown("scene", name, self.scene_names()))
        with open_arrays(self._path) as arrays:
            array = find_cube(arrays, self._path, self._keys)
            cube = read_cube(array, self._axes)
        require_finite(cube, str(array))
        low, high = float(cube.min()), float(cube.max())
        if low < 0 or high > 1:
            raise HsbenchError(
                f"{array}: the values, from {low:g} to {high:g}, are not in [0, 1], and what to divide them by is for "
                f'you to say: describe the file in a TOML file with file = "{self._path.name}" and const = ..., and '
                "give that as the data set"
            )
        return cube
