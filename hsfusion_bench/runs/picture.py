"""A picture of a fusion, to be looked at: what went in, and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsfusion_bench.files import replacing
from hsfusion_bench.methods import Cube, Observation

#: Share of the LR-HSI's values that are darker than black and brighter than white.
_CLIPPED = 0.01
#: Width of the white line between panels, pixels; and the least height of a panel, which small images are enlarged to.
_GAP, _LEAST = 4, 256
#: Red, green and blue, nm; a spectrum that covers all three is shown in its own colours.
_COLOURS = (640.0, 550.0, 460.0)
_NEAR = 20.0

_Picture = npt.NDArray[np.uint8]


def write_picture(path: Path, observation: Observation, fused: Cube, wavelengths: Sequence[float] = ()) -> None:
    """Write a PNG of three panels: LR-HSI (each pixel a block), HR-MSI, fused image.

    The cubes are shown by three of their bands: those nearest to 640, 550 and 460 nm, or without such at five sixths,
    a half and a sixth of the spectrum, as red, green and blue; both with the contrast of the LR-HSI, so that they may
    be compared. The HR-MSI is the mean of its bands. Small images are enlarged, each pixel a block.

    Parameters
    ----------
    path
        The file; it appears whole or not at all.
    observation
        The pair.
    fused
        What a method made of it, [bands, H, W].
    wavelengths
        Centres of its bands, nanometres; empty: unknown.

    Raises
    ------
    HsbenchError
        If the file cannot be written.
    """
    from PIL import Image

    shown = _shown(len(fused), wavelengths)
    low = observation.lr_hsi[shown]
    blocks = low.repeat(observation.scale, axis=1).repeat(observation.scale, axis=2)
    ends = np.quantile(low, [_CLIPPED, 1 - _CLIPPED], axis=(1, 2))[..., None, None]
    grey = observation.hr_msi.mean(axis=0, keepdims=True)
    grey_ends = np.quantile(grey, [_CLIPPED, 1 - _CLIPPED])
    panels = [_eight_bits(blocks, *ends), _eight_bits(grey, *grey_ends).repeat(3, axis=0)]
    panels.append(_eight_bits(fused[shown], *ends))
    times = -(-_LEAST // fused.shape[1])
    panels = [panel.repeat(times, axis=1).repeat(times, axis=2) for panel in panels]
    gap = np.full((3, panels[0].shape[1], _GAP), 255, np.uint8)
    picture = np.concatenate([panels[0], gap, panels[1], gap, panels[2]], axis=2).transpose(1, 2, 0)
    with replacing(path) as temporary:
        Image.fromarray(np.ascontiguousarray(picture)).save(temporary, format="png")


def _shown(bands: int, wavelengths: Sequence[float]) -> list[int]:
    """Return the bands that are red, green and blue."""
    if len(wavelengths) == bands:
        apart = np.abs(np.subtract.outer(_COLOURS, np.asarray(wavelengths, float)))
        if apart.min(axis=1).max() <= _NEAR:
            near: list[int] = apart.argmin(axis=1).tolist()
            return near
    return [bands * sixths // 6 for sixths in (5, 3, 1)]


def _eight_bits(image: Cube, black: npt.NDArray[Any], white: npt.NDArray[Any]) -> _Picture:
    spread = np.maximum(white - black, np.finfo(np.float32).tiny)
    shown: _Picture = np.rint(255 * np.clip((image - black) / spread, 0, 1)).astype(np.uint8)
    return shown
