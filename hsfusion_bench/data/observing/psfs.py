"""Ten families of point spread functions, as kernels: the shapes of an optical system, of the air, and of worse.

The families are those that HyperBench sweeps over (arXiv 2605.21671). Each shape here is what its name means in optics;
where HyperBench's code computes something else under the name, the family's `remark` says so. All have one parameter in
common, the full width at half maximum: the distance, in HR pixels, of the outermost points at half of the peak. A
kernel is the shape's value at the pixels' centres, cut at `Family.reach` widths from the middle and divided by its sum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from hsfusion_bench.data.observing.limits import FAMILIES, LIMITS
from hsfusion_bench.errors import UsageError
from hsfusion_bench.suggest import unknown

Array: TypeAlias = npt.NDArray[np.float64]

# half of the full width at half maximum, in the unit that each formula is written in
_AIRY_HALF: Final = 1.616339948310703  # root of (2 J1(v) / v)^2 = 1/2
_KOLMOGOROV_WIDTH: Final = 0.9758568649906161  # full, in lambda / r0; 0.976 in textbooks
_SINC_HALF: Final = 0.6033545644016143  # root of sin(pi t) / (pi t) = 1/2
_HERMITE_HALF: Final = 1.921622889354125  # outer root of t exp(-t^2 / 2) = exp(-1/2) / 2
_GABOR_HALF: Final = 0.5933287484201543  # root of exp(-t^2 / 2) cos(pi t / 2) = 1/2
_MOFFAT_BETA: Final = 3.5

#: Sum of a kernel before it is divided by it, of shapes whose peak is about 1: less is seen by no pixel.
_LEAST_SEEN: Final = 1e-3


@dataclass(frozen=True)
class Family:
    """A family of point spread functions.

    Parameters
    ----------
    name, title
        What it is called by, and in texts.
    formula
        With w the full width at half maximum, r the distance from the middle, x and y its columns and rows.
    reach
        Where kernels are cut, in full widths at half maximum from the middle.
    shape
        Value at (rows, columns), in full widths at half maximum; any scale.
    remark
        What is to be known of it.
    """

    name: str
    title: str
    formula: str
    reach: float
    shape: Callable[[Array, Array], Array]
    remark: str = ""

    def radius(self, width: float) -> float:
        """Return how far a kernel of a width reaches from its middle, pixels."""
        return self.reach * width


def _gaussian(y: Array, x: Array) -> Array:
    values: Array = np.exp2(-4 * (y**2 + x**2))
    return values


def _kolmogorov(y: Array, x: Array) -> Array:
    """Hankel transform of the long-exposure transfer function exp(-3.44 u^(5/3)), u = t^3: smooth in t, so exact."""
    from scipy.special import j0

    nodes, weights = np.polynomial.legendre.leggauss(400)
    t = nodes + 1  # 0 to 2: beyond, the transfer function is below 1e-47
    measure = weights * 3 * t**5 * np.exp(-3.4419 * t**5)
    radii, where = np.unique(np.hypot(y, x), return_inverse=True)
    values: Array = (j0(2 * np.pi * _KOLMOGOROV_WIDTH * np.outer(radii, t**3)) @ measure)[where].reshape(np.shape(y))
    return values


def _airy(y: Array, x: Array) -> Array:
    from scipy.special import j1

    v = 2 * _AIRY_HALF * np.hypot(y, x)
    values: Array = np.where(v > 0, 2 * j1(v) / np.where(v > 0, v, 1), 1.0) ** 2
    return values


def _moffat(y: Array, x: Array) -> Array:
    values: Array = (1 + (2 ** (1 / _MOFFAT_BETA) - 1) * 4 * (y**2 + x**2)) ** -_MOFFAT_BETA
    return values


def _sinc(y: Array, x: Array) -> Array:
    values: Array = np.sinc(2 * _SINC_HALF * y) * np.sinc(2 * _SINC_HALF * x)
    return values


def _lorentzian2(y: Array, x: Array) -> Array:
    values: Array = (1 + (np.sqrt(2) - 1) * 4 * (y**2 + x**2)) ** -2.0
    return values


def _hermite(y: Array, x: Array) -> Array:
    t = 2 * _HERMITE_HALF * np.hypot(y, x)
    values: Array = t * np.exp(-(t**2) / 2)
    return values


def _parabolic(y: Array, x: Array) -> Array:
    values: Array = np.maximum(0, 1 - 2 * (y**2 + x**2))
    return values


def _gabor(y: Array, x: Array) -> Array:
    t, u = 2 * _GABOR_HALF * y, 2 * _GABOR_HALF * x
    values: Array = np.exp(-(t**2 + u**2) / 2) * np.cos(np.pi / 2 * u)
    return values


def _delta(y: Array, x: Array) -> Array:
    raise NotImplementedError  # it has no shape, see `kernel`


_ALL: Final = (
    Family("gaussian", "Gaussian", "exp(-4 ln 2 r²/w²)", 1.5, _gaussian, "w = 2.3548 σ"),
    Family(
        "kolmogorov", "Kolmogorov", "∫ exp(-3.44 u^(5/3)) J0(2π·0.976 u r/w) u du", 4, _kolmogorov,
        "long exposure through the turbulent air; w = 0.976 λ/r0. HyperBench's is exp(-(r/σ)^(5/3)) in the image",
    ),
    Family(
        "airy", "Airy", "(2 J1(v)/v)², v = 3.2327 r/w", 4, _airy,
        "diffraction at a circular aperture; first dark ring at 1.185 w. HyperBench's has K1 in the place of J1",
    ),
    Family("moffat", "Moffat", "(1 + 0.8761 r²/w²)^-3.5", 3, _moffat, "β = 3.5"),
    Family(
        "sinc", "sinc", "sinc(1.2067 x/w) sinc(1.2067 y/w)", 4 / (2 * _SINC_HALF), _sinc,
        "the ideal low-pass filter, negative in places; cut at its fourth zeros. HyperBench's is sinc(r/σ), whose "
        "sum depends on where it is cut",
    ),
    Family(
        "lorentzian2", "Lorentzian squared", "(1 + 1.6569 r²/w²)^-2", 4, _lorentzian2,
        "HyperBench's is 1/(1 + (r/σ)⁴)",
    ),
    Family(
        "hermite", "Hermite", "t exp(-t²/2), t = 3.8432 r/w", 1.1, _hermite,
        "of order 1: a ring, dark in the middle; w is its outer diameter at half maximum",
    ),
    Family("parabolic", "parabolic", "max(0, 1 - 2 r²/w²)", 0.5**0.5, _parabolic, "ends at 0.7071 w"),
    Family(
        "gabor", "Gabor", "exp(-t²/2) cos(π/2 · 1.1867 x/w), t = 1.1867 r/w", 3, _gabor,
        "stripes across the columns, negative in places; w across them. HyperBench's has stripes of one pixel, which "
        "pixels do not see, and a Gaussian twice as long as wide is left",
    ),
    Family("delta", "delta", "1 at the middle", 0, _delta, "no blur at all, and no width; between pixels, linear"),
)  # fmt: skip

_BY_NAME: Final = {family.name: family for family in _ALL}
assert tuple(_BY_NAME) == FAMILIES


def families() -> tuple[Family, ...]:
    """Return all families, in the order of `FAMILIES`."""
    return _ALL


def family(name: str) -> Family:
    """Return a family by its name.

    Raises
    ------
    UsageError
        If there is none.
    """
    if name not in _BY_NAME:
        raise UsageError(unknown("family of PSFs", name, FAMILIES))
    return _BY_NAME[name]


def kernel(name: str, width: float | None = None, *, even: bool = False) -> Array:
    """Return a blur kernel of a family, sampled at pixel centres about the middle of the kernel.

    Parameters
    ----------
    name
        One of `FAMILIES`.
    width
        Full width at half maximum, pixels of the grid that is blurred; None for "delta", which has none.
    even
        Whether the kernel's side is even, its middle between four pixels; the "delta" there is their mean.

    Returns
    -------
    float64 [size, size], sums to 1; the least size of that parity that holds the family's reach.

    Raises
    ------
    UsageError
        If there is no such family, or the width is missing, not taken, outside its range, or too narrow for the pixels.
    """
    chosen = family(name)
    if name == "delta":
        if width is not None:
            raise UsageError(f"a delta has no width: it cannot be {width:g} pixels wide")
        return np.full((2, 2), 0.25) if even else np.ones((1, 1))
    limits = LIMITS["psf_fwhm"]
    if width is None or width not in limits:
        raise UsageError(f"the width of a PSF at half maximum is {limits} HR pixels, not {width}")
    around = int(np.ceil(chosen.radius(width) - (0.5 if even else 0)))
    size = 2 * around + (2 if even else 1)
    offset = (np.arange(size) - (size - 1) / 2) / width
    values = chosen.shape(*np.meshgrid(offset, offset, indexing="ij"))
    total = values.sum()
    if not total > _LEAST_SEEN:
        raise UsageError(f"a {chosen.title} PSF {width:g} HR pixels wide falls between the pixels: take a wider one")
    sampled: Array = values / total
    return sampled
