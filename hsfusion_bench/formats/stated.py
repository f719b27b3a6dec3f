"""What a file states of the values of an image, besides their type: never dropped, whoever reads the image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stated:
    """What a file states of the numbers that it stores; nothing, where it is silent.

    A quantity is stored number x gain + offset, and a reflectance is that divided by the full scale. No-data values
    are of the stored numbers, before all of this.

    Attributes
    ----------
    no_data
        Stored numbers that stand for no value. NaN may be among them.
    no_data_words
        The file's own statement of them, such as "data ignore value = -9999", for messages.
    bad_bands
        Bands, from 0, that the file marks as bad.
    bad_bands_words
        The file's own statement of them, such as "bbl = 0 for bands 6-8".
    gains, offsets
        One for all bands, or one for each; empty: 1 and 0.
    full_scale
        The quantity that is reflectance 1, such as ENVI's reflectance scale factor; None: not stated.
    calibration_words
        The file's own statement of gains, offsets and full scale.
    """

    no_data: tuple[float, ...] = ()
    no_data_words: str = ""
    bad_bands: tuple[int, ...] = ()
    bad_bands_words: str = ""
    gains: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()
    full_scale: float | None = None
    calibration_words: str = ""

    @property
    def calibrates(self) -> bool:
        """Whether the quantity is another number than the one that is stored."""
        return bool(self.gains or self.offsets)

    @property
    def only_gain(self) -> float | None:
        """The gain, where it is the same for all bands and all of the calibration; else None."""
        same = set(self.gains)
        return self.gains[0] if len(same) == 1 and not self.offsets else None
