"""Recipes that several methods share, and where their numbers are from."""

from hsfusion_bench.methods import Recipe

CAVE_FILE = (
    "the training file of CAVE that the authors share: 3920 patches of 20 scenes, a fifth of them for validation"
)
"""Where numbers of patches are from that the code reads from a file."""

CAVE_PATCHES = "ours: as in the training file of CAVE that the authors of PSRT share"
"""Where those are from that no code says."""

_SCRIPT = "SSRNET main.py @9727896"
_OPTIONS = "SSRNET args_parser.py @9727896"
_STEP = "SSRNET train.py @9727896"

SSRNET_COMPARISON = Recipe(
    supervision="reference",
    optimiser="adam",
    learning_rate=1e-4,
    final_learning_rate=1e-4,
    schedule="constant",
    schedule_epochs=10_000,
    epochs=10_000,
    patches_per_epoch=1,
    batch_size=1,
    patch=128,
    stride=8,
    loss="MSE",
    source="the code of SSR-NET, which trains all its networks alike; it keeps the epoch best on the test region",
    sources={
        **dict.fromkeys(("optimiser", "schedule"), _SCRIPT),
        **dict.fromkeys(
            ("learning_rate", "final_learning_rate"), f"{_OPTIONS}; its values run from 0 to 255, here to 1"
        ),
        **dict.fromkeys(("schedule_epochs", "epochs", "patch"), _OPTIONS),
        **dict.fromkeys(("patches_per_epoch", "batch_size", "loss"), f"{_STEP}: one random patch an epoch"),
        "stride": f"ours: {_STEP} crops anywhere",
    },
)
"""How the authors of SSR-NET train their own network and those that they compare it with."""
