"""What is known of a real pair's cameras: the blur of one, the spectral response of the other, wherever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.formats.arrays import StoredArray, open_arrays
from hsfusion_bench.formats.finding import held
from hsfusion_bench.formats.statements import told_bands
from hsfusion_bench.methods import Observation

Matrix = NDArray[np.float64]

#: Calibrated cameras agree better in the mean of a band; in another order bands correlate by so much better.
_LEVELS, _ALIKE = 0.1, 0.02


def known_psf(text: str | None, arrays: Mapping[str, StoredArray], path: Path) -> Matrix | None:
    """Return the blur of the hyperspectral camera.

    Parameters
    ----------
    text
        Name of an array of the pair's files; else FILE or FILE:KEY, of any kind that pairs are read from; None: it is
        not known.
    arrays, path
        What the pair's files hold, and the HSI's, for messages.

    Returns
    -------
    float64 [size, size], whose sum is 1; None likewise.

    Raises
    ------
    HsbenchError
        If there is no such array, or it is no matrix, or does not sum to 1; the message says what there is.
    """
    if text is None:
        return None
    if text in arrays:
        psf, where = _matrix(arrays[text], "--psf"), f"{path}: the PSF {text}"
    else:
        file, key = _file_and_key(text)
        if file is None:
            raise HsbenchError(_nowhere(text, arrays, path))
        with open_arrays(file) as others:
            psf, where = _matrix(_only(others, file, key), "--psf"), f"{file}: the PSF"
    if not abs(psf.sum() - 1) < 1e-3:
        raise HsbenchError(f"{where} sums to {psf.sum():g}, not to 1")
    return psf


def known_srf(
    text: str | None, arrays: Mapping[str, StoredArray], path: Path, wavelengths: Sequence[float]
) -> Matrix | None:
    """Return the spectral response of the multispectral camera.

    Parameters
    ----------
    text
        Name of an array of the pair's files, which is taken as it is; else a response as ``hsbench run --response``
        takes it, FILE or FILE:KEY or a name of ``hsbench list responses``; None: it is not known.
    arrays, path
        What the pair's files hold, and the HSI's, for messages.
    wavelengths
        Centres of the HSI's bands, nanometres; NaN where they are unknown.

    Returns
    -------
    float64 [msi_bands, bands]; None likewise.

    Raises
    ------
    HsbenchError
        If there is no such array, file or response, or it is not known at these wavelengths.
    """
    from hsfusion_bench.data.observing.named_responses import load_response, response_names
    from hsfusion_bench.data.observing.response_files import split_key
    from hsfusion_bench.data.observing.responses import Matrix as ResponseMatrix

    if text is None:
        return None
    if text in arrays:
        return _matrix(arrays[text], "--srf")
    if not split_key(text)[0] and text not in response_names():
        raise HsbenchError(f"{_nowhere(text, arrays, path)}; `hsbench list responses` has the cameras that ship")
    response = load_response(text)
    if np.isnan(wavelengths).any() and not isinstance(response, ResponseMatrix):
        raise HsbenchError(
            f"--srf {text} goes by wavelength, but {path} does not state those of its bands; give the matrix "
            "[msi_bands, bands] instead"
        )
    return response.at(wavelengths, "interpolate")


def misfit(observation: Observation) -> str:
    """Say how the two images contradict the response that methods are told; nothing where they do not, or none is told.

    What a band of the MSI has, as a whole, must be what the response makes of the HSI: a blur changes no mean. And it
    must look like that, rather than like what the response makes for another band.

    Parameters
    ----------
    observation
        The pair. Its PSF is not needed: in its place, blocks of the MSI are averaged.

    Returns
    -------
    A sentence without its end; empty: nothing is wrong.
    """
    if observation.srf is None:
        return ""
    scale, (_, rows, columns) = observation.scale, observation.lr_hsi.shape
    made = np.tensordot(observation.srf, observation.lr_hsi, axes=1).reshape(len(observation.srf), -1)
    seen = observation.hr_msi.reshape(-1, rows, scale, columns, scale).mean(axis=(2, 4), dtype=np.float64)
    seen = seen.reshape(len(seen), -1)
    means = made.mean(axis=1), seen.mean(axis=1)
    ratios = np.divide(*means, out=np.ones(len(seen)), where=means[1] > 0)
    wrong = np.flatnonzero(np.abs(ratios - 1) > _LEVELS)
    found = []
    if len(wrong):
        levels = " to ".join(dict.fromkeys(f"{by:.2f}" for by in (ratios[wrong].min(), ratios[wrong].max())))
        found.append(f"its levels of {told_bands(wrong.tolist())} are {levels} times the MSI's")
    order = _order(made, seen)
    if order is not None:
        found.append(f"the MSI's bands look like channels {', '.join(str(place + 1) for place in order)} of it")
    return " and ".join(found)


def _order(made: Matrix, seen: Matrix) -> Sequence[int] | None:
    """Return which of the made bands each of the seen ones looks like; None where all look like their own."""
    from scipy import optimize

    centred = [bands - bands.mean(axis=1, keepdims=True) for bands in (made, seen)]
    norms = [np.linalg.norm(bands, axis=1, keepdims=True) for bands in centred]
    if min(float(norm.min()) for norm in norms) == 0:
        return None
    alike = (centred[1] / norms[1]) @ (centred[0] / norms[0]).T
    places = optimize.linear_sum_assignment(alike, maximize=True)[1]
    moved = np.flatnonzero(places != np.arange(len(seen)))
    if not len(moved) or float((alike[moved, places[moved]] - alike[moved, moved]).mean()) < _ALIKE:
        return None
    order: list[int] = places.tolist()
    return order


def _file_and_key(text: str) -> tuple[Path | None, str]:
    """Return the file and the key of FILE or FILE:KEY; no file where there is none of that name."""
    if Path(text).is_file():
        return Path(text), ""
    file, _, key = text.rpartition(":")
    return (Path(file), key) if file and Path(file).is_file() else (None, "")


def _only(arrays: Mapping[str, StoredArray], file: Path, key: str) -> StoredArray:
    """Return the array of a key, or the only matrix."""
    if key in arrays:
        return arrays[key]
    if key:
        raise HsbenchError(f"{file} has no array {key!r}; it holds {held(arrays)}")
    matrices = [array for array in arrays.values() if len(array.shape) == 2 and min(array.shape) > 1]
    if len(matrices) == 1:
        return matrices[0]
    raise UsageError(f"{file}: which array is meant cannot be told; name it, as {file}:KEY. It holds {held(arrays)}")


def _matrix(array: StoredArray, option: str) -> Matrix:
    if len(array.shape) != 2:
        raise HsbenchError(f"{array}, named by {option}, has shape {array.shape}, which is not a matrix")
    matrix: Matrix = array.read((slice(None),) * 2).astype(np.float64)
    if not np.isfinite(matrix).all():
        raise HsbenchError(f"{array}, named by {option}, has values that are NaN or infinite")
    return matrix


def _nowhere(text: str, arrays: Mapping[str, StoredArray], path: Path) -> str:
    return f"{path} has no array {text!r}, and there is no such file; it holds {held(arrays)}"
