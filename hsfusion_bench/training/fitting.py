"""How many steps of a training fit the time there is."""

from __future__ import annotations

import time

from hsfusion_bench.training.loop import Training

#: Steps before those that are timed, and the fewest that are.
_WARM_UP, _TIMED = 2, 3
#: The timing takes this share of the time there is, and no more than so many seconds.
_SHARE, _LONGEST = 0.05, 20.0


def seconds_per_step(training: Training, minutes: float) -> float:
    """Make the first steps of a training, which is of no use afterwards, and return how long one takes.

    Parameters
    ----------
    training
        Fresh.
    minutes
        That the whole training may take; a small share of them is spent here.
    """
    begun, made, timed = time.monotonic(), 0, 0
    steps = training.run()
    for _ in steps:
        made += 1
        if made == _WARM_UP:
            begun = time.monotonic()
        timed = made - _WARM_UP
        if timed >= _TIMED and time.monotonic() - begun >= min(_SHARE * 60 * minutes, _LONGEST):
            break
    steps.close()
    return (time.monotonic() - begun) / (timed if timed > 0 else max(made, 1))
