"""Conditions that depart from a protocol's: another blur, a shift, a gain, dead lines; and what methods are told.

What the data were made with, and what a method is told, are two things here: a method may be told another blur, another
camera response or another phase than the true one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hsfusion_bench.data.observing.limits import LIMITS
from hsfusion_bench.data.observing.psfs import family, kernel
from hsfusion_bench.data.observing.responses import Response
from hsfusion_bench.errors import UsageError

Array: TypeAlias = npt.NDArray[np.floating[Any]]

#: A number of a name, as `spelled` writes it.
NUMBER = r"m?\d+(?:\.\d+)?(?:em?\d+)?"
#: Full width at half maximum of a Gaussian, in standard deviations.
FWHM_OF_SIGMA = 2 * math.sqrt(2 * math.log(2))


@dataclass(frozen=True)
class Conditions:
    """What departs from a protocol; None is what the protocol says, and what methods are told is then the truth.

    The order is that of a camera: the scene is blurred, shifted and amplified; then comes the noise; a dead detector
    gives 0, without noise. Nothing is clipped: a gain above 1 or a shift may give values outside [0, 1].

    Parameters
    ----------
    psf, psf_fwhm
        Family of the hyperspectral camera's blur, see `psfs`, and its full width at half maximum, HR pixels. A width
        alone is a Gaussian's; a family alone has the width of the protocol's blur. The border rule stays the
        protocol's; one that knows single blocks only ("block") becomes "symmetric".
    shift
        How far the content of the HR-MSI is moved down and right, HR pixels, see `shifted`.
    gain
        What the HR-MSI is multiplied by.
    dead_lines
        Columns of the LR-HSI that read 0: a whole number from 1 on is that of each band; a share below 1 is that of
        all bands' columns. Which ones is drawn at random, by the scene's name and `dead_seed`: in each band others,
        since each column of each band of a push-broom camera has a detector of its own.
    dead_seed
        Another one draws other columns.
    told_psf, told_psf_fwhm
        Of the blur that methods are told; the part that is None is that of the true one.
    told_response
        The camera response that methods are told.
    told_phase
        What is added to the phase that methods are told, HR pixels, a multiple of 0.5.

    Raises
    ------
    UsageError
        If a number is outside its range, or says nothing: `of` makes conditions of numbers that may.
    """

    psf: str | None = None
    psf_fwhm: float | None = None
    shift: tuple[float, float] | None = None
    gain: float | None = None
    dead_lines: float | None = None
    dead_seed: int = 0
    told_psf: str | None = None
    told_psf_fwhm: float | None = None
    told_response: Response | None = None
    told_phase: float | None = None

    def __post_init__(self) -> None:
        for name in ("psf_fwhm", "gain", "dead_lines", "told_psf_fwhm", "told_phase"):
            _require_within(name, getattr(self, name))
        for part in self.shift or ():
            _require_within("shift", part)
        for psf, width in ((self.psf, self.psf_fwhm), (self.told_psf, self.told_psf_fwhm)):
            if psf is not None and family(psf).name == "delta" and width is not None:
                raise UsageError(f"a delta has no width: it cannot be {width:g} pixels wide")
        if self.dead_lines is not None and self.dead_lines >= 1 and not float(self.dead_lines).is_integer():
            raise UsageError(
                f"dead lines are a whole number of columns, or a share of them below 1, not {self.dead_lines:g}"
            )
        if self.told_phase is not None and not float(2 * self.told_phase).is_integer():
            raise UsageError(
                f"the phase that methods are told is a multiple of 0.5 HR pixels off the true one, not "
                f"{self.told_phase:g}: samples lie on pixels or midway between them"
            )
        if self.dead_seed and not self.dead_lines:
            raise UsageError("a seed of dead lines needs dead lines")

    @classmethod
    def of(cls, **given: Any) -> Conditions | None:
        """Return conditions of numbers that may change nothing, see `departing`; raises as the class."""
        return cls(**given).departing()

    def departing(self) -> Conditions | None:
        """Return them without what changes nothing (a shift of 0, a gain of 1, ...); None if nothing is left."""
        nothing: dict[str, Any] = {"shift": (0, 0), "gain": 1, "dead_lines": 0, "told_phase": 0}
        nothing |= {"told_psf": self.psf, "told_psf_fwhm": self.psf_fwhm}  # which is told anyway
        changes: dict[str, Any] = {name: None for name, value in nothing.items() if getattr(self, name) == value}
        made = replace(self, **changes)
        return None if made == Conditions() else made

    @property
    def inherited(self) -> str:
        """The family that methods are told where none is named: the true one; of a delta, no width can be told."""
        return "gaussian" if self.psf is None or (self.psf == "delta" and self.told_psf_fwhm is not None) else self.psf

    @property
    def id(self) -> str:
        """Their part of a protocol's name, such as "psf-moffat-fwhm2-shift0.5-told-fwhm4"; `read` reads it."""
        parts = [f"psf-{self.psf}"] if self.psf else []
        parts += [f"fwhm{spelled(self.psf_fwhm)}"] if self.psf_fwhm is not None else []
        if self.shift is not None:
            rows, columns = map(spelled, self.shift)
            parts.append(f"shift{rows}" if rows == columns else f"shift{rows}x{columns}")
        parts += [f"gain{spelled(self.gain)}"] if self.gain is not None else []
        if self.dead_lines is not None:
            parts.append(f"dead{spelled(self.dead_lines)}" + (f"s{self.dead_seed}" if self.dead_seed else ""))
        parts += [f"told-psf-{self.told_psf}"] if self.told_psf else []
        parts += [f"told-fwhm{spelled(self.told_psf_fwhm)}"] if self.told_psf_fwhm is not None else []
        parts += [f"told-response-{self.told_response.name}"] if self.told_response else []
        parts += [f"told-phase{spelled(self.told_phase)}"] if self.told_phase is not None else []
        return "-".join(parts)

    @property
    def said(self) -> dict[str, float | str]:
        """What they are, by name, for records; a shift of rows and of columns apart."""
        held: dict[str, float | str | None] = {"psf": self.psf, "psf_fwhm": self.psf_fwhm}
        if self.shift is not None:
            held |= {"shift_rows": self.shift[0], "shift_columns": self.shift[1]}
        held |= {"gain": self.gain, "dead_lines": self.dead_lines, "dead_seed": self.dead_seed or None}
        held |= {"told_psf": self.told_psf, "told_psf_fwhm": self.told_psf_fwhm}
        held |= {"told_response": self.told_response.name if self.told_response else None}
        held |= {"told_phase": self.told_phase}
        # 3 and 3.0 are one number, and have to be one in digests
        return {
            name: value if isinstance(value, str) else float(value) for name, value in held.items() if value is not None
        }

    @property
    def blurs(self) -> bool:
        """Whether the true blur is another than the protocol's."""
        return self.psf is not None or self.psf_fwhm is not None

    @property
    def tells_blur(self) -> bool:
        """Whether methods are told another blur than the true one."""
        return self.told_psf is not None or self.told_psf_fwhm is not None

    def true_psf(self, usual: float, *, even: bool) -> npt.NDArray[np.float64]:
        """Return the kernel of the true blur, where that is not the protocol's.

        Parameters
        ----------
        usual
            Full width at half maximum of the protocol's blur, HR pixels.
        even
            Whether the kernel's side is even.
        """
        name = self.psf or "gaussian"
        return kernel(name, _width(name, self.psf_fwhm, usual), even=even)

    def told_kernel(self, usual: float, *, even: bool) -> npt.NDArray[np.float64]:
        """Return the kernel of the blur that methods are told, as `true_psf`."""
        name = self.told_psf or self.inherited
        given = self.psf_fwhm if self.told_psf_fwhm is None else self.told_psf_fwhm
        return kernel(name, _width(name, given, usual), even=even)

    def on_msi(self, hr_msi: Array) -> npt.NDArray[np.float64]:
        """Return the HR-MSI [msi_bands, H, W], shifted and amplified, before its noise."""
        image = hr_msi.astype(np.float64)
        if self.shift is not None:
            image = shifted(image, self.shift)
        return image if self.gain is None else image * self.gain

    def on_hsi(self, lr_hsi: Array, scene: str) -> npt.NDArray[np.float64]:
        """Return the LR-HSI [bands, h, w] with its dead lines, after its noise.

        Raises
        ------
        UsageError
            If no column of a band were left.
        """
        image = lr_hsi.astype(np.float64)
        if not self.dead_lines:
            return image
        bands, _, columns = image.shape
        seed = sha256(f"dead/{self.dead_seed}/{scene}".encode()).digest()
        random = np.random.RandomState(np.frombuffer(seed, "<u4"))
        if self.dead_lines < 1:
            dead = random.permutation(bands * columns)[: math.ceil(self.dead_lines * bands * columns)]
            image.transpose(0, 2, 1)[np.unravel_index(dead, (bands, columns))] = 0
            return image
        count = int(self.dead_lines)
        if count >= columns:
            raise UsageError(f"{count} dead lines of each band leave nothing of an LR-HSI of {columns} columns")
        for band in image:
            band[:, random.permutation(columns)[:count]] = 0
        return image


def shifted(image: Array, shift: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Move the content of an image down and right, by parts of pixels.

    The interpolation is Fourier's: each row and column is continued by its mirror image (the edge pixel repeated: c b a
    | a b c d | d c b) to a periodic signal of twice its length, whose trigonometric polynomial is evaluated at the
    places moved. No frequency is damped, so that a shift adds no blur; a whole number of pixels moves them as they are.
    Values may overshoot at edges.

    Parameters
    ----------
    image
        [..., H, W].
    shift
        Rows and columns, pixels; the new value at (i, j) is the old one at (i - rows, j - columns).

    Returns
    -------
    float64 [..., H, W].
    """
    moved = image.astype(np.float64)
    for axis, by in zip((-2, -1), shift, strict=True):
        if by:
            moved = _along(moved, by, axis)
    return moved


def _along(image: npt.NDArray[np.float64], by: float, axis: int) -> npt.NDArray[np.float64]:
    side = image.shape[axis]
    mirrored = np.concatenate((image, np.flip(image, axis)), axis)
    spectrum = np.moveaxis(np.fft.rfft(mirrored, axis=axis), axis, -1)
    turned = spectrum * np.exp(-2j * np.pi * by * np.arange(side + 1) / (2 * side))
    moved: npt.NDArray[np.float64] = np.moveaxis(np.fft.irfft(turned, n=2 * side, axis=-1)[..., :side], -1, axis)
    return moved


def spelled(value: float | None) -> str:
    """Return a number as part of a name, no two alike; "inf" for none."""
    return "inf" if value is None else repr(float(value)).removesuffix(".0").replace("-", "m")


def unspelled(text: str) -> float | None:
    """Read what `spelled` wrote."""
    return None if text == "inf" else float(text.replace("m", "-"))


def _width(name: str, given: float | None, usual: float) -> float | None:
    return None if name == "delta" else usual if given is None else given


def _require_within(name: str, value: float | None) -> None:
    if value is not None and value not in LIMITS[name]:
        raise UsageError(f"{LIMITS[name].title}: {value:g} is not in the range {LIMITS[name]}")
