"""PSRT as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.recipes import CAVE_FILE
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import HsbenchError, Problem, Recipe

if TYPE_CHECKING:
    import torch

_SCRIPT = "PSRT main_x4.py @9c2be90"
_OPTIONS = "PSRT args_parser.py @9c2be90"


class PSRTMethod(SupervisedMethod):
    """Pyramid shuffle-and-reshuffle transformer (Deng et al., IEEE TGRS 2023).

    The authors released weights for CAVE, Harvard and others; their files are read as they are. Images are fused in
    tiles of 256x256 pixels, in which they evaluate: the shuffle spans the whole image, so that results depend on them.
    """

    card = CARDS["psrt"]
    recipe = Recipe(
        supervision="reference",
        optimiser="adamw",
        learning_rate=1e-4,
        final_learning_rate=1e-4,
        schedule="constant",
        schedule_epochs=2001,
        epochs=2001,
        patches_per_epoch=3136,
        batch_size=32,
        patch=64,
        stride=34,
        weight_decay=1e-4,
        clip_norm=10.0,
        loss="L1",
        source="the authors' training script for CAVE",
        sources={
            **dict.fromkeys(("optimiser", "schedule", "weight_decay", "loss"), _SCRIPT),
            **dict.fromkeys(("learning_rate", "final_learning_rate", "batch_size", "clip_norm", "patch"), _OPTIONS),
            **dict.fromkeys(("schedule_epochs", "epochs"), f"{_SCRIPT}: 2002, of which the last kept is the 2001st"),
            **dict.fromkeys(("patches_per_epoch", "stride"), CAVE_FILE),
        },
    )
    default_tile = 256
    multiple = 8
    distance = "l1"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh PSRT of the published size."""
        from hsfusion_baselines.psrt.network import PSRT

        return PSRT(problem.bands, problem.msi_bands, problem.scale)

    def read_authors_weights(self, path: Path, problem: Problem) -> Mapping[str, torch.Tensor]:
        """Read the authors' ``best.pth.tar``, or a file of HIFtool's, which trained their network anew."""
        from hsfusion_baselines.psrt.authors import read_authors_checkpoint
        from hsfusion_baselines.psrt.network import PSRT

        network = self.build(problem)
        assert isinstance(network, PSRT)
        try:
            return read_authors_checkpoint(path, network)
        except ValueError as error:
            raise HsbenchError(str(error)) from error
