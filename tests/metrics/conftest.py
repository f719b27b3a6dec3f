"""Hypothesis without a clock: a busy machine is no failure, and a run repeats."""

from hypothesis import settings

settings.register_profile("metrics", deadline=None, derandomize=True)
settings.load_profile("metrics")
