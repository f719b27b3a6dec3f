"""What a fusion method is.

A method turns an `Observation` (a low-resolution hyperspectral and a high-resolution multispectral image
of one scene) into a high-resolution hyperspectral cube. That is all of the contract::

    from hsfusion_bench.methods import Card, Method, upsample_bicubic

    class Mine(Method):
        card = Card(name="mine", title="My method", family="classical", year=2026)

        def fuse(self, observation):
            return upsample_bicubic(observation.lr_hsi, observation.scale)

A network derives from `NetworkMethod` instead: it says how it is built, what it predicts and what its loss is,
and inherits weights, devices and inference. No torch is imported here, so that a listing of methods stays quick;
keep torch out of the module that holds your card, too, and import your network inside `build`. What can be tuned of a
method, it declares as options: see `hsfusion_bench.methods.options`. The names are imported when they are asked for.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # `typing` takes a while to import
if TYPE_CHECKING:
    from typing import Any

    from hsfusion_bench.errors import HsbenchError as HsbenchError
    from hsfusion_bench.methods.card import Card as Card
    from hsfusion_bench.methods.card import Family as Family
    from hsfusion_bench.methods.card import Truth as Truth
    from hsfusion_bench.methods.contract import Cube as Cube
    from hsfusion_bench.methods.contract import FunctionMethod as FunctionMethod
    from hsfusion_bench.methods.contract import Method as Method
    from hsfusion_bench.methods.contract import Observation as Observation
    from hsfusion_bench.methods.contract import Problem as Problem
    from hsfusion_bench.methods.networks import Batch as Batch
    from hsfusion_bench.methods.networks import LoadedNetwork as LoadedNetwork
    from hsfusion_bench.methods.networks import NetworkMethod as NetworkMethod
    from hsfusion_bench.methods.networks import Tile as Tile
    from hsfusion_bench.methods.options import option as option
    from hsfusion_bench.methods.recipes import Recipe as Recipe
    from hsfusion_bench.methods.resize import bicubic_matrix as bicubic_matrix
    from hsfusion_bench.methods.resize import upsample_bicubic as upsample_bicubic

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

_HOMES = {
    "hsfusion_bench.errors": ("HsbenchError",),
    "hsfusion_bench.methods.card": ("Card", "Family", "Truth"),
    "hsfusion_bench.methods.contract": ("Cube", "FunctionMethod", "Method", "Observation", "Problem"),
    "hsfusion_bench.methods.networks": ("Batch", "LoadedNetwork", "NetworkMethod", "Tile"),
    "hsfusion_bench.methods.options": ("option",),
    "hsfusion_bench.methods.recipes": ("Recipe",),
    "hsfusion_bench.methods.resize": ("bicubic_matrix", "upsample_bicubic"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
