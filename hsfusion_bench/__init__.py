"""Benchmark of hyperspectral-multispectral image fusion whose indexes equal MATLAB's.

::

    import hsfusion_bench as hb

    task = hb.open_task("demo", scale=4)
    scene = task["figs"]
    gsa = hb.load_method("gsa")
    print(hb.score(scene, hb.fuse(gsa, scene.observation)))
    print(hb.run(task, ["bicubic", gsa], records=None))

The names are those of `hsfusion_bench.bench`, and are imported when they are asked for.
"""

from __future__ import annotations

from importlib import import_module

from hsfusion_bench.__about__ import __version__ as __version__

TYPE_CHECKING = False  # `typing` takes a while to import, and a command is not to be long without its signal handlers
if TYPE_CHECKING:
    from typing import Any

    from hsfusion_bench.bench import HsbenchError as HsbenchError
    from hsfusion_bench.bench import Observation as Observation
    from hsfusion_bench.bench import Results as Results
    from hsfusion_bench.bench import Scene as Scene
    from hsfusion_bench.bench import Task as Task
    from hsfusion_bench.bench import UsageError as UsageError
    from hsfusion_bench.bench import evaluate as evaluate
    from hsfusion_bench.bench import fuse as fuse
    from hsfusion_bench.bench import leaderboard as leaderboard
    from hsfusion_bench.bench import load_method as load_method
    from hsfusion_bench.bench import open_task as open_task
    from hsfusion_bench.bench import reproduce as reproduce
    from hsfusion_bench.bench import run as run
    from hsfusion_bench.bench import score as score
    from hsfusion_bench.bench import train as train

__all__ = [
    "HsbenchError",
    "Observation",
    "Results",
    "Scene",
    "Task",
    "UsageError",
    "evaluate",
    "fuse",
    "leaderboard",
    "load_method",
    "open_task",
    "reproduce",
    "run",
    "score",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("hsfusion_bench.bench"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
