"""Recipes that several methods share."""

from hsfusion_bench.methods import Recipe

SSRNET_COMPARISON = Recipe(
    supervision="reference",
    optimiser="adam",
    learning_rate=1e-4,
    final_learning_rate=1e-4,
    schedule_epochs=10_000,
    epochs=10_000,
    patches_per_epoch=1,
    batch_size=1,
    patch=128,
    loss="MSE",
    source="the code of SSR-NET (hw2hwei/SSRNET), which trains all its networks alike: one random patch an epoch",
)
"""How the authors of SSR-NET train their own network and those that they compare it with."""
