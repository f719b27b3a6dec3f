"""Bicubic interpolation of the LR-HSI: the row against which every fusion is measured."""

from __future__ import annotations

import numpy as np

from hsfusion_baselines.cards import CARDS
from hsfusion_bench.methods import Cube, Method, Observation, upsample_bicubic


class Bicubic(Method):
    """MATLAB's ``imresize(lr_hsi, scale, "bicubic")``; the HR-MSI is not used.

    The interpolation assumes that LR pixels are the centres of blocks, whatever the protocol's phase is, because the
    published Bicubic rows are made so; only the offset of a real pair is heeded. Values outside [0, 1] (overshoot at
    edges) are kept, as there.
    """

    takes_offset = True
    card = CARDS["bicubic"]

    def fuse(self, observation: Observation) -> Cube:
        """Return the interpolated LR-HSI."""
        phase: tuple[float, float] | None = None
        if any(observation.offset):
            centre = (observation.scale - 1) / 2
            phase = (centre + observation.offset[0], centre + observation.offset[1])
        return upsample_bicubic(observation.lr_hsi, observation.scale, phase).astype(np.float32, copy=False)
