"""Spectral responses of multispectral cameras.

Both tables describe the Nikon D700 at 400, 410, ... 700 nm; they are two digitisations that circulate in the
literature, in integer units, and their numbers are not interchangeable: a network trained with one loses
decibels on the other.

- **A**: MHF-net, UAL, DBIN, LTTR, MossFuse, DCTransformer and, by measurement, the FeINFN family.
- **B**: DAEM, DCINN.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hsfusion_bench.errors import UsageError

WAVELENGTHS = tuple(float(nm) for nm in range(400, 701, 10))

# fmt: off
_TABLES = {
    "A": (
        (2, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
         2, 6, 11, 17, 21, 22, 21, 20, 20, 19, 19, 18, 18, 17, 17),
        (1, 1, 1, 1, 1, 1, 2, 4, 6, 8, 11, 16, 19, 21, 20, 18,
         16, 14, 11, 7, 5, 3, 2, 2, 1, 1, 2, 2, 2, 2, 2),
        (7, 10, 15, 19, 25, 29, 30, 29, 27, 22, 16, 9, 2, 0, 0, 0,
         0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    ),
    "B": (
        (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
         1, 3, 10, 12, 13, 22, 20, 20, 18, 17, 16, 16, 14, 14, 13),
        (0, 0, 0, 0, 0, 1, 2, 3, 5, 7, 12, 13, 15, 16, 17, 20,
         13, 11, 9, 5, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3),
        (5, 7, 12, 15, 23, 25, 30, 26, 24, 19, 10, 4, 0, 0, 0, 0,
         0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    ),
}
# fmt: on


def response(name: str, wavelengths: Sequence[float] = WAVELENGTHS) -> npt.NDArray[np.float64]:
    """Return a camera's response, one row per channel in the order red, green, blue.

    Parameters
    ----------
    name
        "A" or "B".
    wavelengths
        Centres of the hyperspectral bands, nanometres. The tables are not interpolated: these must be
        400, 410, ... 700.

    Returns
    -------
    float64 [3, bands], every row sums to 1.

    Raises
    ------
    UsageError
        If there is no such response, or it is not tabulated at these wavelengths.
    """
    if name not in _TABLES:
        raise UsageError(f"there is no camera response {name!r}; there are {', '.join(_TABLES)}")
    if tuple(wavelengths) != WAVELENGTHS:
        raise UsageError(
            f"camera response {name} is tabulated for the 31 bands at 400, 410, ... 700 nm, not for "
            f"{len(wavelengths)} bands at {', '.join(f'{nm:g}' for nm in wavelengths)} nm"
        )
    table = np.array(_TABLES[name], float)
    table /= table.sum(axis=1, keepdims=True)
    return table
