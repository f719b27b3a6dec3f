"""The closed form behind most model-based fusion: hyperspectral and multispectral data terms in one linear system.

Minimising a quadratic in the coefficients A [p, pixels] gives ``P A G'G + Q A = C`` with the camera's G
(blur and sampling) and two small matrices P, Q: a Sylvester equation. It is solved as in R-FUSE (Wei et al., "R-FUSE:
Robust fast fusion of multiband images based on solving a Sylvester equation", IEEE SPL 23(11), 2016): P and Q
are made diagonal together, and each row is one application of the Woodbury formula, in which GG' is a circular
convolution of LR images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft, linalg

from hsfusion_baselines.classical.optics import WORKERS, Array, Optics
from hsfusion_bench.methods import HsbenchError


@dataclass(frozen=True)
class Sylvester:
    """Solver of ``P A G'G + Q A = C`` for many right-hand sides C.

    Parameters
    ----------
    optics
        G.
    vectors, values
        Generalised eigenvectors V and eigenvalues of Q with respect to P: ``V'PV = I``, ``V'QV = diag(values)``.
    """

    optics: Optics
    vectors: Array
    values: Array

    @classmethod
    def of(cls, hyper: Array, other: Array, optics: Optics) -> Sylvester:
        """Prepare the solver.

        Parameters
        ----------
        hyper
            P, symmetric positive definite [p, p].
        other
            Q, likewise.

        Raises
        ------
        HsbenchError
            If one is not: the data and the prior leave a direction undetermined.
        """
        try:
            values, vectors = linalg.eigh(np.asarray(other, np.float64), np.asarray(hyper, np.float64))
        except (linalg.LinAlgError, ValueError) as error:
            raise HsbenchError(f"the spectral basis is degenerate; a smaller subspace may do ({error})") from error
        if values[0] <= 0:
            raise HsbenchError("the system is singular: a direction of the subspace is seen by neither image")
        dtype = optics.transfer.real.dtype
        return cls(optics, vectors.astype(dtype), values.astype(dtype))

    def solve(self, right: Array) -> Array:
        """Return A [p, H, W] for C [p, H, W]."""
        rows = np.tensordot(self.vectors.T, right, 1)
        optics, values = self.optics, self.values[:, None, None]
        low = fft.rfft2(optics.observe(rows), workers=WORKERS)
        low /= values + optics.gram
        height, width = (side // optics.scale for side in optics.shape)
        rows -= optics.adjoint(fft.irfft2(low, (height, width), workers=WORKERS))
        rows /= values
        return np.tensordot(self.vectors, rows, 1)
