"""Bicubic interpolation of the LR-HSI: the row against which every fusion is measured."""

from __future__ import annotations

import numpy as np

from hsfusion_bench.methods import Card, Cube, Method, Observation, upsample_bicubic


class Bicubic(Method):
    """MATLAB's ``imresize(lr_hsi, scale, "bicubic")``; the HR-MSI is not used.

    The interpolation assumes that LR pixels are the centres of blocks, whatever the protocol's phase is, because the
    published Bicubic rows are made so; only the offset of a real pair is heeded. Values outside [0, 1] (overshoot at
    edges) are kept, as there.
    """

    takes_offset = True
    card = Card(
        name="bicubic",
        title="Bicubic",
        family="classical",
        year=1981,
        reference=(
            "@article{keys1981cubic, title={Cubic convolution interpolation for digital image processing}, "
            "author={Keys, Robert G.}, journal={IEEE Transactions on Acoustics, Speech, and Signal Processing}, "
            "volume={29}, number={6}, pages={1153--1160}, year={1981}}"
        ),
    )

    def fuse(self, observation: Observation) -> Cube:
        """Return the interpolated LR-HSI."""
        phase: tuple[float, float] | None = None
        if any(observation.offset):
            centre = (observation.scale - 1) / 2
            phase = (centre + observation.offset[0], centre + observation.offset[1])
        return upsample_bicubic(observation.lr_hsi, observation.scale, phase).astype(np.float32, copy=False)
