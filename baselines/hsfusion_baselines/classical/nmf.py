"""Unmixing ``data = spectra @ shares`` by multiplicative updates, the sum of a pixel's shares pulled to 1.

D. D. Lee and H. S. Seung, "Learning the parts of objects by non-negative matrix factorization", Nature 401, 1999. The
pull is a row of one constant, appended to the data and to the spectra (Heinz and Chang, IEEE TGRS 39(3), 2001). No
update increases the squared error with that row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hsfusion_baselines.classical.subspace import Array

_TINY = 1e-20  # a denominator of 0 belongs to a numerator of 0


@dataclass
class Unmixing:
    """Data, spectra and shares, the first two with the row of constants below.

    Parameters
    ----------
    data, spectra, shares
        [bands + 1, pixels], [bands + 1, endmembers] and [endmembers, pixels], 0 or more.
    """

    data: Array
    spectra: Array
    shares: Array

    @classmethod
    def of(cls, data: Array, spectra: Array, shares: Array, pull: float) -> Unmixing:
        """Append the row of constants, whose value is the pull; what is negative becomes 0."""
        return cls(_with_row(data, pull), _with_row(spectra, pull), shares)

    @property
    def error(self) -> float:
        """Sum of the squared differences of model and data, without the row of constants."""
        rest = (self.spectra[:-1] @ self.shares - self.data[:-1]).astype(np.float64, copy=False)
        return float(np.vdot(rest, rest))

    @property
    def objective(self) -> float:
        """The same with the row of constants: what never increases."""
        rest = (self.spectra @ self.shares - self.data).astype(np.float64, copy=False)
        return float(np.vdot(rest, rest))

    def update_shares(self) -> None:
        """Make one multiplicative update of the shares."""
        transposed = self.spectra.T
        factor = transposed @ self.data
        factor /= transposed @ (self.spectra @ self.shares) + self.data.dtype.type(_TINY)
        self.shares = self.shares * factor

    def update_spectra(self) -> None:
        """Make one multiplicative update of the spectra, not of the row of constants."""
        transposed = self.shares.T
        spectra = self.spectra[:-1]
        factor = self.data[:-1] @ transposed
        factor /= spectra @ (self.shares @ transposed) + self.data.dtype.type(_TINY)
        self.spectra = np.vstack([spectra * factor, self.spectra[-1:]])

    def repeat(self, *updates: str, most: int, tolerance: float) -> None:
        """Make the updates named ("shares", "spectra"), in that order, until the error no longer falls.

        Parameters
        ----------
        updates
            Made one after the other in each iteration.
        most
            Iterations.
        tolerance
            Stop, and take the last iteration back, where it lowers the error by less than this part of it.
        """
        before = self.error
        for _ in range(most):
            kept = self.spectra, self.shares
            for update in updates:
                (self.update_shares if update == "shares" else self.update_spectra)()
            error = self.error
            if before - error < tolerance * error or error == 0:
                if error > before:
                    self.spectra, self.shares = kept
                return
            before = error


def _with_row(matrix: Array, value: float) -> Array:
    return np.vstack([np.maximum(matrix, 0), np.full((1, matrix.shape[1]), value, matrix.dtype)])
