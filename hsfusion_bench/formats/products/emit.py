"""EMIT: netCDF-4 files of level 1B (radiance) or 2A (reflectance), [downtrack, crosstrack, bands].

Source: NASA JPL, EMIT L2A Reflectance User Guide (2022); LP DAAC, EMITL2ARFL.001.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.cf import cf_stated, text
from hsfusion_bench.formats.datasets import claim_of, read_whole
from hsfusion_bench.formats.rasters import Raster
from hsfusion_bench.formats.wavelengths import in_nanometres

_BANDS = "sensor_band_parameters"
#: What may be stored, and the quantity that is reflectance 1.
_FULL_SCALES = {"reflectance": 1.0, "radiance": None}


def open_emit(path: Path, file: Any) -> dict[str, Raster] | None:
    """Open the image of an EMIT product, in the instrument's own geometry.

    Parameters
    ----------
    path
        The file, for messages.
    file
        The same, an open `h5py.File`.

    Returns
    -------
    None if it is no such product, else `reflectance` or `radiance`. Bands whose `good_wavelengths` is 0 are stated as
    bad.

    Raises
    ------
    HsbenchError
        If wavelengths or marks are not as many as there are bands.
    """
    if not isinstance(file.get(f"{_BANDS}/wavelengths"), h5py.Dataset):
        return None
    return {
        name: _image(path, file, name)
        for name in _FULL_SCALES
        if isinstance(file.get(name), h5py.Dataset) and file[name].ndim == 3
    } or None


def _image(path: Path, file: Any, name: str) -> Raster:
    image = file[name]
    stated = cf_stated(f"{name} of {path}", {key: image.attrs[key] for key in image.attrs if key in _VALUES})
    stored = file[f"{_BANDS}/wavelengths"]
    units = text(stored.attrs.get("units", "nm"))
    centres = _of_bands(path, file, "wavelengths", image.shape[2])
    wavelengths = in_nanometres(centres, units, f"{path}: {_BANDS}/wavelengths")
    if f"{_BANDS}/good_wavelengths" in file:
        good = _of_bands(path, file, "good_wavelengths", image.shape[2])
        bad = tuple(band for band, mark in enumerate(good) if mark == 0)
        words = f"{_BANDS}/good_wavelengths = 0" if bad else ""
        stated = replace(stated, bad_bands=bad, bad_bands_words=words)
    full_scale = _FULL_SCALES[name]
    if full_scale is not None:
        words = stated.calibration_words or f"the product is of {name}"
        stated = replace(stated, full_scale=full_scale, calibration_words=words)
    return Raster(image.shape, lambda index: image[index], wavelengths, "HWC", stated, claim_of(image))


_VALUES = ("_FillValue", "missing_value", "scale_factor", "add_offset", "_Unsigned")


def _of_bands(path: Path, file: Any, name: str, bands: int) -> list[float]:
    found = np.asarray(read_whole(file[f"{_BANDS}/{name}"]), np.float64).ravel()
    if len(found) != bands:
        raise HsbenchError(f"{path}: {_BANDS}/{name} has {len(found)} values for {bands} bands; get the file again")
    return [float(value) for value in found]
