"""Unmixing ``data = spectra @ shares`` by multiplicative updates, the sum of a pixel's shares pulled to 1.

D. D. Lee and H. S. Seung, "Learning the parts of objects by non-negative matrix factorization", Nature 401, 1999. The
pull is a row of one constant, appended to the data and to the spectra (Heinz and Chang, IEEE TGRS 39(3), 2001). No
update increases the squared error with that row.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from hsfusion_baselines.classical.subspace import Array

Update = Literal["shares", "spectra"]

# Least value of a factor. One that vanishes would shrink for ever, into numbers that processors are slow with, and a
# denominator of 0 be possible.
_LEAST = 1e-12
_CHUNK = 4096  # pixels whose intermediate results stay in the processor's cache


class Unmixing:
    """Data, spectra and shares, the first two with the row of constants below.

    Parameters
    ----------
    data, spectra, shares
        [bands, pixels], [bands, endmembers] and [endmembers, pixels]; data below 0 become 0, factors below 1e-12
        become that. All are copied.
    pull
        Value of the row of constants.
    """

    def __init__(self, data: Array, spectra: Array, shares: Array, pull: float) -> None:
        self.data = _with_row(np.maximum(data, 0), pull)
        self._spectra = _with_row(np.maximum(spectra, _LEAST, dtype=data.dtype), pull)
        self.set_shares(shares)

    @property
    def spectra(self) -> Array:
        """Spectra of the endmembers, [bands, endmembers]."""
        return self._spectra[:-1]

    def set_shares(self, shares: Array) -> None:
        """Replace the shares."""
        self.shares = np.maximum(shares, _LEAST, dtype=self.data.dtype)
        self._model = self._spectra @ self.shares

    @property
    def error(self) -> float:
        """Sum of the squared differences of model and data, without the row of constants."""
        return _squares(self._model[:-1] - self.data[:-1])

    @property
    def objective(self) -> float:
        """The same with the row of constants: what never increases."""
        return _squares(self._model - self.data)

    def update_shares(self) -> None:
        """Make one multiplicative update of the shares."""
        transposed = np.ascontiguousarray(self._spectra.T)
        for start in range(0, self.data.shape[1], _CHUNK):
            part = (slice(None), slice(start, start + _CHUNK))
            factor = transposed @ self.data[part]
            factor /= transposed @ self._model[part]
            factor *= self.shares[part]
            np.maximum(factor, _LEAST, out=self.shares[part])
            self._model[part] = self._spectra @ self.shares[part]

    def update_spectra(self) -> None:
        """Make one multiplicative update of the spectra, not of the row of constants."""
        factor = self.data[:-1] @ self.shares.T
        factor /= self._model[:-1] @ self.shares.T
        factor *= self._spectra[:-1]
        np.maximum(factor, _LEAST, out=self._spectra[:-1])
        np.matmul(self._spectra, self.shares, out=self._model)

    def repeat(self, *updates: Update, most: int, tolerance: float) -> None:
        """Make the updates named, in that order, again and again until the error hardly falls.

        Parameters
        ----------
        updates
            Made one after the other in each iteration.
        most
            Iterations.
        tolerance
            Stop after an iteration that lowers the error by less than this part of it.
        """
        before = self.error
        for _ in range(most):
            for update in updates:
                (self.update_shares if update == "shares" else self.update_spectra)()
            error = self.error
            if before - error <= tolerance * error:
                return
            before = error


def _with_row(matrix: Array, value: float) -> Array:
    return np.vstack([matrix, np.full((1, matrix.shape[1]), value, matrix.dtype)])


def _squares(rest: Array) -> float:
    rest = rest.astype(np.float64, copy=False)
    return float(np.vdot(rest, rest))
