"""Enlarging the LR-HSI to the size of the HR-MSI."""

from __future__ import annotations

from typing import Literal

import numpy as np

from hsfusion_baselines.classical.optics import Array
from hsfusion_bench.methods import Observation, upsample_bicubic

Interpolation = Literal["aligned", "block"]
INTERPOLATION_MEANING = "aligned: LR pixels lie at the phase; block: at the centres of blocks, as imresize has it"


def enlarge(low: Array, observation: Observation, interpolation: Interpolation) -> Array:
    """Enlarge LR images [..., h, w] by bicubic interpolation; nothing is clipped.

    "aligned" puts LR pixel k where it was sampled, at ``scale*k + phase + offset``; "block" into the centre of block k,
    which shifts the image where the phase is another.
    """
    if interpolation == "block":
        return upsample_bicubic(np.asarray(low), observation.scale)
    rows, columns = observation.offset
    return upsample_bicubic(np.asarray(low), observation.scale, (observation.phase + rows, observation.phase + columns))
