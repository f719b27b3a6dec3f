"""One fusion, and the checks that every result must pass."""

from __future__ import annotations

import numpy as np

from hsfusion_bench.errors import HsbenchError, reason_of
from hsfusion_bench.methods import Cube, Method, Observation


def fuse_checked(method: Method, observation: Observation, scene: str) -> Cube:
    """Fuse what the method may see of an observation, and check what it returns.

    Parameters
    ----------
    method
        Ready to fuse.
    observation
        With the true PSF and SRF, where they are known; they are withheld from a method that does not declare them.
    scene
        Name of the scene, for messages.

    Returns
    -------
    The fused cube [bands, H, W], floating-point and finite.

    Raises
    ------
    HsbenchError
        If the method raises anything, or returns another shape, integers, NaN or Inf.
    """
    observation = observation.seen_by(method.card)
    try:
        fused = np.asarray(method.fuse(observation))
    except (HsbenchError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a method may raise anything; a traceback is for its author, who asks for it
        raise HsbenchError(f"failed on scene {scene}: {reason_of(error)}") from error
    if fused.shape != observation.shape:
        raise HsbenchError(
            f"returned an array of shape {fused.shape} for scene {scene}, where {observation.shape} "
            "[bands, height, width] was due"
        )
    if not np.issubdtype(fused.dtype, np.floating):
        raise HsbenchError(f"returned {fused.dtype} for scene {scene}, where floats in [0, 1] were due")
    if not np.isfinite(fused).all():
        bad = np.argwhere(~np.isfinite(fused))
        band, row, column = bad[0]
        raise HsbenchError(
            f"returned {len(bad)} values that are NaN or infinite for scene {scene}, the first at "
            f"band {band}, row {row}, column {column}"
        )
    return fused


def doubts_about(fused: Cube, hr_hsi: Cube) -> str | None:
    """Say what is odd of a result [bands, H, W] that passed all checks, beside its reference; None: nothing is."""
    low, high = float(fused.min()), float(fused.max())
    if low < -1 or high > 2:
        return f"returned values from {low:g} to {high:g}, far outside [0, 1]"
    if np.array_equal(fused, hr_hsi):
        return "returned the reference itself"
    return None
