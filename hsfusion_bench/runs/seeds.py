"""Which seed decides the numbers of a run: that of the training, where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods import NetworkMethod
from hsfusion_bench.methods.weights import training_seed
from hsfusion_bench.runs.weights.choosing import Chosen, choose

if TYPE_CHECKING:
    from hsfusion_bench.runs.contenders import Contender
    from hsfusion_bench.runs.setting import Setting


def deciding_seed(contender: Contender, setting: Setting, chosen: Chosen | None = None) -> int:
    """Return the seed that decides what a method of a run scores, before it has run.

    Parameters
    ----------
    contender, setting
        Of the run.
    chosen
        The weights that it was given; None: none yet.

    Returns
    -------
    int
        Of a network that is trained first, the run's own; of one with weights, that of their training; 0 of all
        others, whatever the run was given: nothing of theirs depends on it.
    """
    method = contender.method
    if contender.loaded is not None:
        weights = contender.loaded.weights
        return weights.card.training.seed if weights is not None and weights.card is not None else 0
    if not isinstance(method, NetworkMethod):
        return 0
    given = setting.weights.get(contender.name)
    if given is None and setting.budget is not None:
        return setting.seed
    try:
        return training_seed((chosen or choose(contender.name, method, setting.task, given)).path)
    except HsbenchError:  # the run says so
        return 0
