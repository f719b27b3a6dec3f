"""A method that repeats every pixel."""

import numpy as np

from hsfusion_bench.methods import Card, Method


class Nearest(Method):
    """Nearest-neighbour enlargement."""

    card = Card(name="nearest", title="Nearest", family="classical", year=1970)

    def fuse(self, observation):
        """Repeat rows and columns."""
        return np.repeat(np.repeat(observation.lr_hsi, observation.scale, axis=1), observation.scale, axis=2)
