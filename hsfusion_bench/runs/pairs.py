"""Real pairs of an LR-HSI and an HR-MSI, without a reference: read, fused, and written for the no-reference script."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.formats.arrays import StoredArray, open_arrays
from hsfusion_bench.formats.cubes import find_cube, reshaped
from hsfusion_bench.formats.finding import HR_MSI, LR_HSI, Wanted, find_array, held
from hsfusion_bench.formats.georeference import Georeference, read_georeference
from hsfusion_bench.formats.notes import note
from hsfusion_bench.formats.placement import unlike_places
from hsfusion_bench.formats.values import divisor, require_filled, require_finite, stated_full_scale
from hsfusion_bench.formats.writing import SUFFIXES, Image, lost_in, require_alone, write_image
from hsfusion_bench.matlab.batches import write_variables
from hsfusion_bench.methods import Cube, Observation, upsample_bicubic
from hsfusion_bench.runs.cameras import known_psf, known_srf
from hsfusion_bench.runs.correction import correct
from hsfusion_metrics import no_reference_doubt

#: What `Form.layout` may be: one order for both images, or that of the LR-HSI and that of the HR-MSI.
LAYOUTS = ("HWC", "CHW", "HWC,CHW", "CHW,HWC")
#: Endings of the files that `write_fused` makes.
WRITTEN = (".mat", *SUFFIXES)


@dataclass(frozen=True)
class Form:
    """How a pair lies in its file or files.

    Parameters
    ----------
    lr_hsi, hr_msi
        Names of the two arrays; None: the one with a usual name, or the only image of a file of its own.
    layout
        One of `LAYOUTS`; None: as the shapes tell. An image of two axes is one band, [H, W], whatever it says.
    scale
        Ratio of the two resolutions; None: as the shapes tell.
    phase
        LR pixel (k, l) sits at index ``(scale*k + phase[0], scale*l + phase[1])`` of the HR image; None: LR pixels are
        the centres of blocks. Where the two differ, the pair is corrected to one phase, see `Pair.corrected`.
    const
        Full scale of the values, by which they are divided; None: what each file states, else 1.
    msi_const
        Full scale of the HR-MSI, if it is another one.
    psf, srf
        Where the blur [size, size] and the spectral response [msi_bands, bands] are, as
        `hsfusion_bench.runs.cameras` takes them; None: they are not known.
    """

    lr_hsi: str | None = None
    hr_msi: str | None = None
    layout: str | None = None
    scale: int | None = None
    phase: tuple[float, float] | None = None
    const: float | None = None
    msi_const: float | None = None
    psf: str | None = None
    srf: str | None = None


@dataclass(frozen=True)
class Pair:
    """A real pair, with what its files say of its bands and its pixels.

    Parameters
    ----------
    observation
        The two images.
    wavelengths
        Centres of the HSI's bands, nanometres; empty: unknown.
    georeference
        Where the MSI's pixels lie on the ground; None: unknown.
    shift
        By what the pair was corrected, rows and columns, HR pixels.
    origin
        Row and column of the MSI in its file at which that of `observation` begins.
    hsi_georeference
        Where the HSI's pixels lie on the ground, by its file; None: unknown.
    full_scale
        The HSI's full scale: what 1 was in its file, or in the numbers that were stated for it.
    unit
        What 1 is in the unit of which the HSI's file speaks (a gain, or ENVI's reflectance scale factor): with a full
        scale of 1.5 it is a reflectance of 1.5. None: it speaks of none.
    given
        The pair before its correction; None: it is this one.
    """

    observation: Observation
    wavelengths: tuple[float, ...] = ()
    georeference: Georeference | None = None
    shift: tuple[float, float] = (0.0, 0.0)
    origin: tuple[int, int] = (0, 0)
    hsi_georeference: Georeference | None = None
    full_scale: float = 1.0
    unit: float | None = None
    given: Pair | None = None

    @property
    def misplaced(self) -> str:
        """How the georeferences contradict the pair as it is corrected; nothing where they do not, or are unknown."""
        given = self.given or self
        seen = given.observation
        shift = tuple(by + seen.phase - (seen.scale - 1) / 2 for by in self.shift)
        return unlike_places(
            given.hsi_georeference, given.georeference, seen.scale, seen.hr_msi.shape[1:], (shift[0], shift[1])
        )

    def corrected(self, rows: float, columns: float) -> Pair:
        """Return the pair corrected by a shift, HR pixels; see `hsfusion_bench.runs.correction.correct`."""
        if not (rows or columns):
            return self
        given = self.given or self  # so that no more is cut off than the sum of all shifts needs
        shift = (self.shift[0] + rows, self.shift[1] + columns)
        done = correct(given.observation, *shift)
        return replace(
            given,
            observation=done.observation,
            georeference=given.georeference and given.georeference.cropped(*done.origin),
            shift=shift,
            origin=done.origin,
            given=given,
        )


def read_pair(path: Path, form: Form, msi_path: Path | None = None) -> Pair:
    """Read a pair.

    Parameters
    ----------
    path
        A file of any kind of `hsfusion_bench.formats.arrays.open_arrays`: of both images, or of the LR-HSI.
    form
        How the pair lies in it.
    msi_path
        The file of the HR-MSI, of any of these kinds; None: `path` has both.

    Returns
    -------
    The pair, without the PSF and SRF that the form does not name.

    Raises
    ------
    UsageError
        If the order of the axes cannot be told from the shapes, or the only file holds a single array.
    HsbenchError
        If an array is missing, the shapes do not fit each other, a value is not in [0, const], or a PSF does not
        sum to 1.
    """
    with ExitStack() as stack:
        arrays = stack.enter_context(open_arrays(path))
        msi_arrays = arrays if msi_path is None else stack.enter_context(open_arrays(msi_path))
        alone = msi_path is not None
        hr_path = path if msi_path is None else msi_path
        if not alone and len(arrays) == 1:
            raise UsageError(f"{path} holds one image only, {held(arrays)}; name the HSI's file and then the MSI's")
        lr_array = _image(arrays, path, LR_HSI, form.lr_hsi, alone)
        hr_array = _image(_images(msi_arrays, lr_array, form.hr_msi), hr_path, HR_MSI, form.hr_msi, alone)
        lr_axes, hr_axes, scale = _fitting(lr_array, hr_array, form, alone)
        lr_hsi, full_scale, unit = _read(lr_array, lr_axes, form.const, "--const")
        if form.msi_const is None:
            hr_msi, *_ = _read(hr_array, hr_axes, form.const, "--const" if form.const else "--const or --msi-const")
        else:
            hr_msi, *_ = _read(hr_array, hr_axes, form.msi_const, "--msi-const")
        both = {**msi_arrays, **arrays}
        wavelengths = find_cube(arrays, path, [lr_array.name]).wavelengths
        if len(wavelengths) != len(lr_hsi):
            wavelengths = ()
        psf = known_psf(form.psf, both, path)
        srf = known_srf(form.srf, both, path, wavelengths or (np.nan,) * len(lr_hsi))
    centre = (scale - 1) / 2
    phases = form.phase or (centre, centre)
    phase = min(phases, key=lambda each: abs(each - centre))
    pair = Pair(
        Observation(lr_hsi, hr_msi, scale, phase, psf, srf),
        wavelengths,
        read_georeference(hr_path),
        hsi_georeference=None if msi_path is None else read_georeference(path),
        full_scale=full_scale,
        unit=unit,
    )
    return pair.corrected(phases[0] - phase, phases[1] - phase)


def require_writable(path: Path, counts: float | None, dtype: str) -> None:
    """Refuse what `write_fused` would not write, before anything is computed.

    Without `counts`, which may be known only when the pair is read, they are not looked at.

    Raises
    ------
    UsageError
        If a file of this kind is not written or holds no such numbers, or `counts` leaves no room for them.
    HsbenchError
        If another raster lies where it would be taken for that of an ENVI header.
    """
    if path.suffix.lower() not in WRITTEN:
        raise UsageError(f"{path}: the result is written to a file whose name ends in {' or '.join(WRITTEN)}")
    if dtype != "float32" and path.suffix.lower() in (".mat", ".npy"):
        raise UsageError(f"{path}: {dtype} is for files that state what 1 is: ENVI and GeoTIFF")
    if dtype != "float32" and counts is not None and counts < 2:
        raise UsageError(f"whole numbers up to {counts:g} hold no image: state the full scale, such as --counts 10000")
    require_alone(path)


def write_fused(
    path: Path, pair: Pair, fused: Cube, *, counts: float | None = None, dtype: str = "float32", by: str
) -> list[str]:
    """Write a fused image, by the ending of the file.

    A `.mat` file is as ``analysis_unref_batched_images`` and ``hsbench score --no-reference`` read it: `sr`, the LR-HSI
    as `ms`, its bicubic enlargement as `lms`, and as `pan` the mean of the HR-MSI's bands, each [1, C, H, W] in double;
    beside them `wavelengths`, where they are known, and of a pair that was corrected `shift` and `origin`. Files of
    other kinds have the fused image alone, see `hsfusion_bench.formats.writing.write_image`.

    Parameters
    ----------
    path
        The file, of one of the endings `WRITTEN`; it appears whole or not at all.
    pair
        The pair, values in [0, 1].
    fused
        What a method made of it, [bands, H, W].
    counts
        What 1 becomes: the script rounds to integers before it computes Q2n. None: the HSI's full scale.
    dtype
        "float32", or "uint16" for ENVI and GeoTIFF.
    by
        Title of the method.

    Returns
    -------
    What the file does not keep, in sentences. Raises as `require_writable`.
    """
    counts = pair.full_scale if counts is None else counts
    require_writable(path, counts, dtype)
    observation = pair.observation
    image = Image(fused, pair.wavelengths, pair.georeference, _description(pair, by), counts, pair.unit)
    if path.suffix.lower() != ".mat":
        notes = write_image(path, image, dtype)
        if dtype != "float32" and pair.unit is None and counts != pair.full_scale != 1:
            notes.append(
                f"{path} states that its {counts:g} are 1, the full scale, which the HSI's numbers have at "
                f"{pair.full_scale:g}; they keep their own unit with --counts {pair.full_scale:g}"
            )
        return notes
    centre = (observation.scale - 1) / 2
    phase = (centre + observation.offset[0], centre + observation.offset[1]) if any(observation.offset) else None
    images = {
        "sr": fused,
        "ms": observation.lr_hsi,
        "lms": upsample_bicubic(observation.lr_hsi, observation.scale, phase),
        "pan": observation.hr_msi.mean(axis=0, keepdims=True, dtype=np.float64),
    }
    variables = {name: counts * image[None].astype(np.float64) for name, image in images.items()}
    if pair.wavelengths:
        variables["wavelengths"] = np.array([pair.wavelengths])
    if any(pair.shift):
        variables |= {"shift": np.array([pair.shift]), "origin": np.array([pair.origin], float)}
    write_variables(path, variables)
    notes = lost_in(path, image)
    if no_reference_doubt(variables["sr"], variables["lms"], ()):
        notes.append(
            f"{path} holds no counts, which `hsbench score --no-reference` needs, but values of the full scale "
            f"{counts:g}: for that, --counts 10000"
        )
    return notes


def _description(pair: Pair, by: str) -> str:
    """Say in ASCII what an image is: the kinds of file know no more."""
    text = f"{by} at x{pair.observation.scale}"
    if any(pair.shift):
        text += (
            f"; pair corrected by {pair.shift[0]:.2f} rows and {pair.shift[1]:.2f} columns of the MSI, of which it "
            f"begins at row {pair.origin[0]} and column {pair.origin[1]}"
        )
    return "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in "{}" else "?" for letter in text
    )


def _image(arrays: Mapping[str, StoredArray], path: Path, wanted: Wanted, key: str | None, alone: bool) -> StoredArray:
    """Return an image: the one that is named, the only one of a file of its own, or that of a usual name."""
    if key is not None:
        return find_array(arrays, path, wanted, [key])
    images = [array for array in arrays.values() if len(array.shape) == wanted.axes]
    if alone and len(images) == 1:
        return images[0]
    return find_array(arrays, path, wanted)


def _images(arrays: Mapping[str, StoredArray], lr_array: StoredArray, key: str | None) -> dict[str, StoredArray]:
    """Return what a file holds, but panchromatic images [H, W] as [H, W, 1].

    Of the matrices, these are the one of that key, the only array of a file, and those whose sides fit the LR-HSI.
    """
    found = dict(arrays)
    for name, array in arrays.items():
        if len(array.shape) == 2:
            image = reshaped(array, (*array.shape, 1))
            if name == key or len(arrays) == 1 or _ways(lr_array, image, Form()):
                found[name] = image
    return found


def _fitting(lr_array: StoredArray, hr_array: StoredArray, form: Form, alone: bool) -> tuple[str, str, int]:
    """Return the axes of the two images and the scale under which their shapes fit each other."""
    ways = _ways(lr_array, hr_array, form)
    alike = [way for way in ways if way[0] == way[1]]
    if alike and not alone:  # one program wrote both
        ways = alike
    if len(ways) == 1:
        return ways[0]
    shapes = f"{lr_array} is {lr_array.shape}, {hr_array} is {hr_array.shape}"
    if not ways:
        at = "" if form.scale is None else f" at scale {form.scale}"
        other = "; the other way round they are" if _ways(hr_array, lr_array, Form(scale=form.scale)) else ""
        raise HsbenchError(
            f"{shapes}: these are not an LR-HSI and an HR-MSI of one scene{at}, whose sides are whole multiples of the "
            f"LR-HSI's{other}"
        )
    texts = [f"{lr if lr == hr else f'{lr},{hr}'} at scale {scale}" for lr, hr, scale in ways]
    raise UsageError(f"{shapes}, which may be {', '.join(texts)}: say which by --layout and --scale")


def _ways(lr_array: StoredArray, hr_array: StoredArray, form: Form) -> list[tuple[str, str, int]]:
    """Return all axes and scales under which the shapes fit each other."""
    if len(lr_array.shape) != 3 or len(hr_array.shape) != 3:
        return []
    asked = [None, None] if form.layout is None else (form.layout.split(",") * 2)[:2]
    ways = []
    for lr_axes, hr_axes in product(_axes(lr_array, asked[0]), _axes(hr_array, asked[1])):
        sides = [(hr_array.shape[hr_axes.index(axis)], lr_array.shape[lr_axes.index(axis)]) for axis in "HW"]
        scale = sides[0][0] // sides[0][1]
        if scale > 1 and form.scale in (None, scale) and all(hr == scale * lr for hr, lr in sides):
            ways.append((lr_axes, hr_axes, scale))
    return ways


def _axes(array: StoredArray, asked: str | None) -> tuple[str, ...]:
    """Return what the axes may be: those that the file states; and a last axis of one place is no width."""
    if sorted(array.axes) == ["C", "H", "W"]:
        return (array.axes,)
    if array.shape[-1] == 1:
        return ("HWC",)
    return ("CHW", "HWC") if asked is None else (asked,)


def _read(array: StoredArray, layout: str, stated_const: float | None, option: str) -> tuple[Cube, float, float | None]:
    """Return an image in [0, 1], its full scale, and what 1 is in the unit of which its file speaks, if it does."""
    values: NDArray[np.float64] = array.read((slice(None),) * 3, layout).astype(np.float64)
    cube = values.transpose([layout.index(axis) for axis in "CHW"])
    stated, highest = array.stated, float(cube.max())
    require_finite(cube, str(array))
    if stated_const is None:
        full_scale = const = stated_full_scale(stated, str(array))
    else:
        full_scale, const = stated_const, divisor(stated, stated_const, str(array), option, highest)
    wrong = (cube < 0) | (cube > const)
    if wrong.any():
        worst = cube.flat[np.abs(cube - const / 2).argmax()]
        raise HsbenchError(
            f"{array}: {np.count_nonzero(wrong)} values are not in [0, {const:g}], {worst:g} among them; {option} "
            "states the full scale"
        )
    require_filled(stated, highest, const, str(array))
    if array.stated.bad_bands:
        note(f"{array}: {array.stated.bad_bands_words}: bands that the file marks as bad are fused like the others")
    speaks = stated.calibrates or stated.full_scale is not None
    unit = const / (stated.full_scale or 1) if speaks else None
    return np.ascontiguousarray(cube / const, dtype=np.float32), full_scale, unit
