"""What a fusion method is.

A method turns an `Observation` (a low-resolution hyperspectral and a high-resolution multispectral image
of one scene) into a high-resolution hyperspectral cube. That is all of the contract::

    from hsfusion_bench.methods import Card, Method, upsample_bicubic

    class Mine(Method):
        card = Card(name="mine", title="My method", family="classical", year=2026)

        def fuse(self, observation):
            return upsample_bicubic(observation.lr_hsi, observation.scale)

A network derives from `NetworkMethod` instead: it says how it is built, what it predicts and what its loss is,
and inherits weights, devices and inference. This module imports no torch, so that a listing of methods stays
quick; keep torch out of the module that holds your card, too, and import your network inside `build`. What can be
tuned of a method, it declares as options: see `hsfusion_bench.methods.options`.
"""

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods.contract import (
    Card,
    Cube,
    Family,
    FunctionMethod,
    Method,
    Observation,
    Problem,
    Truth,
)
from hsfusion_bench.methods.networks import Batch, LoadedNetwork, NetworkMethod, Tile
from hsfusion_bench.methods.options import option
from hsfusion_bench.methods.recipes import Recipe
from hsfusion_bench.methods.resize import bicubic_matrix, upsample_bicubic

__all__ = [
    "Batch",
    "Card",
    "Cube",
    "Family",
    "FunctionMethod",
    "HsbenchError",
    "LoadedNetwork",
    "Method",
    "NetworkMethod",
    "Observation",
    "Problem",
    "Recipe",
    "Tile",
    "Truth",
    "bicubic_matrix",
    "option",
    "upsample_bicubic",
]
