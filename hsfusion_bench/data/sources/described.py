"""Data sets that a TOML file describes: one cube or several, in files of any usual kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from hsfusion_bench.claims import PARTS, read_text
from hsfusion_bench.data.home import how_to_get
from hsfusion_bench.data.scenes import Cube, Mask, SceneSource
from hsfusion_bench.data.sources.toml_schema import Description, EvenWavelengths, SceneRegion, read_description
from hsfusion_bench.data.sources.usable import usable_bands
from hsfusion_bench.errors import HsbenchError, MissingDataError, UsageError
from hsfusion_bench.formats.arrays import StoredArray, open_arrays
from hsfusion_bench.formats.cubes import (
    Limits,
    axes_of,
    divide,
    find_cube,
    find_holes,
    find_joined,
    greatest,
    read_cube,
    reshaped,
    sample_of,
    with_wavelengths,
)
from hsfusion_bench.formats.finding import require_finite, told
from hsfusion_bench.formats.geodata import files_of
from hsfusion_bench.formats.notes import note
from hsfusion_bench.formats.stated import Stated
from hsfusion_bench.formats.statements import told_bands
from hsfusion_bench.formats.values import HolesError, divisor, holes_in, require_filled, stated_full_scale
from hsfusion_bench.formats.wavelengths import required
from hsfusion_bench.suggest import unknown


def open_description(path: Path, *folders: Path | None) -> DescribedSource:
    """Open the data set that a TOML file describes; a plugin may do so with a file of its own.

    Parameters
    ----------
    path
        The TOML file.
    folders
        Where its data are looked for, the first folder first, and in a folder of the data set's name below each; None
        stands for no folder.

    Raises
    ------
    MissingDataError
        If there is no folder to look in, or none of the files is there.
    HsbenchError
        If the description is wrong.
    """
    description = read_description(path)
    given = [folder for folder in folders if folder is not None]
    places = tuple(place for folder in given for place in (folder, folder / description.name))
    return DescribedSource(description, places, str(path))


class DescribedSource(SceneSource):
    """Reader of what a description describes.

    Parameters
    ----------
    description
        Of the data set.
    folders
        Where its files are looked for, the first folder first.
    place
        Where the description itself is, for messages.

    Raises
    ------
    MissingDataError
        If there is no folder to look in, or none of the files is there.
    HsbenchError
        If the wavelengths do not fit the bands.
    """

    def __init__(self, description: Description, folders: tuple[Path, ...], place: str) -> None:
        self.name = description.name
        self.title = description.title
        self.split = description.as_split()
        self.protocol = description.protocol
        self.provenance = description.provenance
        self._description = description
        self._folders = folders
        self._place = place
        shipped = Path(place).parent == Path(__file__).parent / "datasets"
        self._called = self.name if shipped else place
        self._scenes = {scene.name: scene for scene in description.scenes}
        self._maxima: dict[Path, float] = {}
        self._require_files()
        if description.every_sample:
            self._list_samples()
        self._stored_bands = self._count_bands()
        wanted = [number - 1 for number in description.kept(self._stored_bands)]
        self._keep = self._usable(wanted)
        if self._keep != wanted:
            self.bands_used = tuple(band + 1 for band in self._keep)
        if len(self._keep) < self._stored_bands:
            self.bands_kept, self.bands_stored = tuple(band + 1 for band in self._keep), self._stored_bands
        self._regions: dict[str, tuple[Limits | None, Limits | None]] = {}
        self.wavelengths = self._wavelengths()

    @property
    def bands(self) -> int:
        """Number of bands of every scene, without those that are dropped or bad."""
        return len(self._keep)

    def scene_names(self) -> tuple[str, ...]:
        """Names of the scenes that the description names."""
        return tuple(self._scenes)

    def missing(self) -> tuple[str, ...]:
        """Names of the scenes whose file is not here."""
        return tuple(name for name, scene in self._scenes.items() if self._found(scene) is None)

    def files(self, name: str) -> tuple[Path, ...]:
        """Return the file that holds a scene, if it is here, and the others that it is read with."""
        found = self._found(self._scene(name))
        return () if found is None else files_of(found)

    def size(self, name: str) -> tuple[int, int] | None:
        """Return height and width of a scene, pixels, as the head of its file says them."""
        scene = self._scene(name)
        try:
            with self._open(scene) as (_, array, axes):
                region = self._region(scene, array, axes)
                sides = [array.shape[axes.index(axis)] for axis in "HW"]
        except (HsbenchError, ValueError):  # who reads it is told
            return None
        height, width = (
            len(range(*slice(*(limits or (None,))).indices(side))) for limits, side in zip(region, sides, strict=True)
        )
        return height, width

    def read(self, name: str) -> Cube:
        """Return a scene, float32 [bands, H, W], values in [0, 1].

        Raises
        ------
        UsageError
            If the data set has no such scene.
        HsbenchError
            If its file is not here or damaged, or its array is not what the description says; the message names
            file, key and values.
        """
        scene, description = self._scene(name), self._description
        with self._open(scene) as (path, array, axes):
            self._require_same_bands(array)
            rows, columns = self._region(scene, array, axes)
            try:
                cube = read_cube(array, axes, rows=rows, columns=columns, keep=self._keep)
            except HolesError as error:
                advice = f"write in {self._place} {error.holes.remedies}; or rows and columns of another region"
                raise HolesError(str(array), error.holes, advice) from error
            require_finite(cube, str(array))
            if description.const == "maximum":
                if path not in self._maxima:
                    self._maxima[path] = self._maximum(array, axes, cube if (rows, columns) == self._whole else None)
                full_scale = self._maxima[path]
                self._say_unused(array)
            else:
                full_scale = self._full_scale(array.stated, str(array))
            self._require_range(cube, full_scale, str(array))
            if description.const != "maximum":
                require_filled(array.stated, float(cube.max()), full_scale, str(array))
        self._say_constant(cube, str(array), name)
        if description.clip:
            np.clip(cube, 0, full_scale, out=cube)
        divide(cube, full_scale)
        return cube

    def mask(self, name: str) -> Mask | None:
        """Return where the mask that the description names is not 0, bool [H, W]; None if it names none.

        Raises
        ------
        HsbenchError
            If the file is not here, or holds no such array.
        """
        scene, key = self._scene(name), self._description.mask
        if key is None:
            return None
        path = self._path(scene)
        with self._open(scene) as (_, array, axes):
            region = self._region(scene, array, axes)
        with open_arrays(path) as arrays:
            if key not in arrays:
                raise HsbenchError(f"{path} has no array {key!r}, the mask; it holds {', '.join(arrays)}")
            numbers = arrays[key].numbers(tuple(slice(*(limits or (None,))) for limits in region))
            valid: Mask = (numbers != 0) & ~holes_in(numbers, arrays[key].stated.no_data)
            return valid

    # -- files

    def _scene(self, name: str) -> SceneRegion:
        if name not in self._scenes:
            raise UsageError(unknown(f"scene of {self.name}", name, self._scenes))
        return self._scenes[name]

    def _file_names(self, scene: SceneRegion) -> list[str]:
        return [file.replace("{scene}", scene.name) for file in scene.file or self._description.file]

    def _found(self, scene: SceneRegion) -> Path | None:
        """Return the file that holds a scene, or the folder that is one, if it is here."""
        places = (folder / file for folder in self._folders for file in self._file_names(scene))
        return next((place for place in places if place.exists()), None)

    def _path(self, scene: SceneRegion) -> Path:
        found = self._found(scene)
        if found is None:
            raise HsbenchError(
                f"the file of the scene {scene.name} of {self.name} is not here: {self._looked_for(scene)}"
            )
        return found

    def _looked_for(self, scene: SceneRegion) -> str:
        return f"{' or '.join(self._file_names(scene))} was looked for in {', '.join(map(str, self._folders))}"

    def _require_files(self) -> None:
        if not self._folders:
            file = self._file_names(next(iter(self._scenes.values())))[0]
            raise MissingDataError(
                f"the data set {self.name} ({file}) is not here; {how_to_get(self._called, self.provenance)}"
            )
        if len(self.missing()) == len(self._scenes):
            scene = next(iter(self._scenes.values()))
            get = how_to_get(self._called, self.provenance, self._folders[0])
            raise MissingDataError(f"no file of the data set {self.name}: {self._looked_for(scene)}; {get}")

    # -- arrays

    @contextmanager
    def _open(self, scene: SceneRegion) -> Iterator[tuple[Path, StoredArray, str]]:
        path = self._path(scene)
        with open_arrays(path) as arrays:
            array = self._cube(arrays, path, scene)
            yield path, array, self._axes(array, self._stored_bands)

    def _cube(self, arrays: Mapping[str, StoredArray], path: Path, scene: SceneRegion) -> StoredArray:
        said = self._description
        if said.join:
            return find_joined(arrays, path, said.join, layout=said.layout, size=said.size)
        if said.of_samples and said.layout:
            samples = self._samples(arrays, path)
            count, number = samples.shape[said.layout.index("N")], scene.sample or 1
            if number > count:
                raise HsbenchError(f"{samples} holds {count} samples, so that there is no sample {number}")
            return with_wavelengths(arrays, sample_of(samples, said.layout, number - 1))
        array = find_cube(arrays, path, said.key)
        return reshaped(array, said.shape) if said.shape else array

    def _samples(self, arrays: Mapping[str, StoredArray], path: Path) -> StoredArray:
        samples = find_cube(arrays, path, self._description.key, axes=4)
        if len(samples.shape) != 4:
            raise HsbenchError(
                f"{samples} has the shape {told(samples.shape)}, which are no samples with the axes "
                f"{self._description.layout}, as {self._place} states"
            )
        return samples

    def _list_samples(self) -> None:
        """Make a scene of every sample of the file."""
        [scene] = self._scenes.values()
        path = self._path(scene)
        with open_arrays(path) as arrays:
            samples = self._samples(arrays, path)
            count = samples.shape[(self._description.layout or "").index("N")]
            if count > PARTS:
                raise HsbenchError(f"{samples} has {count} samples; more than {PARTS} are not read")
        self._description = self._description.with_samples(count)
        self._scenes = {scene.name: scene for scene in self._description.scenes}
        self.split = self._description.as_split()
        lost = [name for name in (*self.split.train, *self.split.test) if name not in self._scenes]
        if lost:
            raise HsbenchError(f"{self._place}: the split names {', '.join(lost)}, but {path} has {count} samples")

    def _axes(self, array: StoredArray, bands: int | None) -> str:
        said = self._description
        # bands that were joined, and samples, have an order of their own
        layout = None if said.join else (said.layout or "").replace("N", "") or None
        return axes_of(array, layout=layout, bands=bands, size=said.size)

    def _count_bands(self) -> int:
        """Return the number of bands in a file: as stated, else as it is in the first file that is here."""
        if self._description.bands is not None:
            return self._description.bands
        scene = next(scene for scene in self._scenes.values() if self._found(scene) is not None)
        path = self._path(scene)
        with open_arrays(path) as arrays:
            array = self._cube(arrays, path, scene)
            return array.shape[self._axes(array, None).index("C")]

    def _usable(self, wanted: list[int]) -> list[int]:
        """Return those of the bands that the first file here does not mark as bad, and that say something there."""
        description = self._description
        scene = next(scene for scene in self._scenes.values() if self._found(scene) is not None)
        if description.keep_bad_bands and description.holes != "drop-bands":
            return wanted
        rows, columns = self._whole
        with self._open(scene) as (_, array, axes):
            return usable_bands(
                array,
                axes,
                wanted,
                rows=rows,
                columns=columns,
                keep_bad=description.keep_bad_bands,
                drop_holed=description.holes == "drop-bands",
            )

    def _require_same_bands(self, array: StoredArray) -> None:
        """Refuse a file that marks other bands as bad than the first one, after which they were chosen."""
        other = [band for band in self._keep if band in array.stated.bad_bands]
        if other and not self._description.keep_bad_bands:
            numbers = ", ".join(str(band + 1) for band in other)
            raise HsbenchError(
                f"{array} marks bands as bad ({array.stated.bad_bands_words}) that the first file of {self.name} does "
                f"not: {told_bands(other)}. Write in {self._place} dropped = [{numbers}], with what is dropped there "
                "already, or keep_bad_bands = true"
            )

    def _say_constant(self, cube: Cube, where: str, scene: str) -> None:
        """Log which bands of a scene are constant, where the data set's region is not."""
        flat = [band for band, values in zip(self._keep, cube, strict=True) if values.min() == values.max()]
        if flat and not self._description.keep_bad_bands:
            note(f"{where}: {told_bands(flat)} of scene {scene} are the same everywhere: UQI and SCC are not defined")

    def _region(self, scene: SceneRegion, array: StoredArray, axes: str) -> tuple[Limits | None, Limits | None]:
        """Return the region of a scene: as stated, without holes where these are to be cut off."""
        if scene.name not in self._regions:
            rows, columns = scene.rows or self._description.rows, scene.columns or self._description.columns
            if self._description.holes == "crop" and (
                holes := find_holes(array, axes, rows=rows, columns=columns, keep=self._keep)
            ):
                if holes.free is None:
                    raise HsbenchError(f'{array}: {holes}: holes = "crop" leaves nothing of scene {scene.name}')
                rows, columns = holes.free
                note(f"{array}: {holes}. Used are rows {list(rows)} and columns {list(columns)}")
            self._regions[scene.name] = rows, columns
        return self._regions[scene.name]

    @property
    def _whole(self) -> tuple[Limits | None, Limits | None]:
        """The region that the data set is about."""
        return self._description.rows, self._description.columns

    def _maximum(self, array: StoredArray, axes: str, whole: Cube | None) -> float:
        """Return the greatest value of the data set's region, which may have been read already."""
        if whole is not None:
            return float(whole.max())
        rows, columns = self._whole
        return greatest(array, axes, rows=rows, columns=columns, keep=self._keep)

    def _full_scale(self, stated: Stated, where: str) -> float:
        """Return what a scene's values are divided by: what the description says, or the file."""
        const = self._description.const
        if const is None or const == "maximum":
            return stated_full_scale(stated, where)
        return divisor(stated, const, where, f"const in {self._place}")

    def _say_unused(self, array: StoredArray) -> None:
        """Log that the file states a full scale, where the greatest value is taken instead."""
        if array.stated.full_scale is not None:
            note(
                f"{array}: {array.stated.calibration_words}, but values are divided by their greatest: {self._place} "
                'says const = "maximum"'
            )

    def _require_range(self, cube: Cube, const: float, where: str) -> None:
        low, high = float(cube.min()), float(cube.max())
        if const <= 0 or ((low < 0 or high > const) and not self._description.clip):
            raise HsbenchError(
                f"{where}: the values, from {low:g} to {high:g}, are not within 0 and the full scale, {const:g}; say "
                f'another const in {self._place} (a number, or "maximum"), or clip = true if the rest is to be cut off'
            )

    # -- wavelengths

    def _wavelengths(self) -> tuple[float, ...]:
        """Return the centres of the bands that are kept, nm: as stated, else as the first file here states them."""
        stated: list[float] = []
        for piece in self._description.wavelengths:
            if isinstance(piece, EvenWavelengths):
                stated += piece.centres(self._stored_bands)
            elif isinstance(piece, str):
                stated += self._wavelengths_of(piece)
            else:
                stated.append(piece)
        if not self._description.wavelengths:
            scene = next(scene for scene in self._scenes.values() if self._found(scene) is not None)
            with self._open(scene) as (_, array, _):
                stated += array.wavelengths
        if stated and len(stated) != self._stored_bands:
            raise HsbenchError(
                f"{self._place}: {len(stated)} wavelengths are stated, from {stated[0]:g} to {stated[-1]:g}, but "
                f"the file has {self._stored_bands} bands; they are of the bands of the file, also of dropped ones"
            )
        if self._description.wavelengths:
            stated = list(required(stated, self._description.wavelengths_unit, f"{self._place}: wavelengths"))
        return tuple(stated[band] for band in self._keep) if stated else ()

    def _wavelengths_of(self, file: str) -> list[float]:
        """Read a text file of numbers."""
        found = [folder / file for folder in self._folders if (folder / file).is_file()]
        if not found:
            raise HsbenchError(
                f"{self._place}: the file of wavelengths, {file}, is not in {', '.join(map(str, self._folders))}"
            )
        try:
            return [float(number) for number in read_text(found[0]).replace(",", " ").split()]
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "something in it is no number"
            raise HsbenchError(f"{found[0]} is not a text file of wavelengths: {reason}") from error
