"""The methods beside what their authors' code made of a small scene.

`authors.json` holds values that the published MATLAB code computed in GNU Octave; it says from which files, and what
was put in place of random numbers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from hsfusion_baselines.classical.hysure import HySure
from hsfusion_baselines.classical.ltmr import LTMR
from hsfusion_baselines.classical.lttr import LTTR
from hsfusion_baselines.classical.nssr import NSSR, nonlocal_means, nonnegative_codes
from hsfusion_baselines.classical.optics import Optics
from hsfusion_bench.methods import Cube, Observation

STORED: dict[str, Any] = json.loads(Path(__file__).with_name("authors.json").read_text(encoding="utf-8"))
SCALE, SIDE, BANDS = 4, 32, 6
RESPONSE = np.array([[0.0, 0.0, 0.0, 0.1, 0.4, 0.5], [0.0, 0.2, 0.5, 0.3, 0.0, 0.0], [0.5, 0.4, 0.1, 0.0, 0.0, 0.0]])
BASIS = np.array([[0.2, 0.9, 0.4, 0.3, 0.1, 0.2], [0.5, 0.1, 0.6, 0.2, 0.8, 0.3], [0.3, 0.3, 0.1, 0.7, 0.2, 0.9]]).T


def psf() -> npt.NDArray[np.float64]:
    """Return the blur: a Gaussian of 7 x 7 pixels, sigma 2."""
    along = np.exp(-(np.arange(-3, 4) ** 2) / 8)
    kernel: npt.NDArray[np.float64] = np.outer(along, along) / along.sum() ** 2
    return kernel


def scene() -> npt.NDArray[np.float64]:
    """Return a scene [bands, H, W] of waves and a texture, made without random numbers."""
    band, row, column = np.meshgrid(np.arange(BANDS), np.arange(SIDE), np.arange(SIDE), indexing="ij")
    waves = np.sin(0.08 * (band + 1) * row + 0.7) * np.cos(0.07 * (band + 3) * column)
    return 0.4 + 0.2 * waves + 0.1 * ((7 * row + 13 * column + 3 * band) % 11) / 11


def observation(phase: int) -> Observation:
    """Return what is seen of the scene, which continues as a torus, sampled from pixel `phase` on."""
    cube = scene()
    low = np.stack([ndimage.correlate(image, psf(), mode="wrap")[phase::SCALE, phase::SCALE] for image in cube])
    high = np.tensordot(RESPONSE, cube, 1)
    return Observation(low.astype(np.float32), high.astype(np.float32), SCALE, float(phase), psf(), RESPONSE)


def dictionary() -> npt.NDArray[np.float64]:
    """Return eight spectra of the scene, of length 1: [bands, atoms]."""
    spectra = scene()[:, ::8, ::16].reshape(BANDS, -1)
    atoms: npt.NDArray[np.float64] = spectra / np.linalg.norm(spectra, axis=0)
    return atoms


def fused_by(name: str) -> Cube:
    """Fuse as the authors' code was run: one group of patches, from the enlargement of MATLAB's `imresize`."""
    if name == "lttr":
        return LTTR(clusters=1, interpolation="block").fuse(observation(0))
    if name == "ltmr":
        return LTMR(dimension=3, clusters=1, interpolation="block", tolerance=0.0).fuse(observation(0))
    if name == "nssr":  # before the last projection
        return NSSR().image(observation(1), Optics.of(observation(1), np.float32), dictionary())
    coefficients = HySure(dimension=3).coefficients(observation(1), BASIS)
    return np.tensordot(BASIS.astype(np.float32), coefficients, 1)


@pytest.mark.parametrize("name", ["lttr", "ltmr", "hysure", "nssr"])
def test_images_are_those_of_the_authors_code(name: str) -> None:
    # theirs are in double precision, ours in single, after as many iterations
    assert difference(fused_by(name)[:, ::SCALE, ::SCALE], name) < STORED[name]["tolerance"]


def test_codes_are_those_of_the_authors_code() -> None:
    codes = nonnegative_codes(scene()[:, ::4, ::4].reshape(BANDS, -1), dictionary(), 1e-3)
    assert difference(codes, "nssr codes") < STORED["nssr codes"]["tolerance"]


def test_nonlocal_means_are_those_of_the_authors_code() -> None:
    averaged = nonlocal_means(observation(1).hr_msi)(scene().reshape(BANDS, -1)).reshape(BANDS, SIDE, SIDE)
    assert difference(averaged[:, ::SCALE, ::SCALE], "nssr means") < STORED["nssr means"]["tolerance"]


def difference(ours: npt.NDArray[Any], name: str) -> float:
    """Return the relative difference to stored values."""
    theirs = np.array(STORED[name]["values"])
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))
