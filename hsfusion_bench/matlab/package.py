"""The two scripts of the MATLAB test package: how each is called, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from hsfusion_metrics import METRICS


class Index(NamedTuple):
    """One of the numbers that a script returns.

    Attributes
    ----------
    title
        As printed in a table.
    field
        Its name in the script's result.
    """

    title: str
    field: str


@dataclass(frozen=True)
class Arguments:
    """What the scripts are told beside the file; each takes its own of them.

    Attributes
    ----------
    ratio
        Resolution ratio.
    const
        Full scale of the data, for PSNR and SSIM.
    sensor
        A key of `hsfusion_metrics.NYQUIST_GAINS`, for D_lambda; None for a sensor that the script does not know.
    """

    ratio: float = 4.0
    const: float = 1.0
    sensor: str | None = None


@dataclass(frozen=True)
class Script:
    """A script of the test package.

    Attributes
    ----------
    name
        Of its function.
    call
        What follows the file among its arguments, as a format of `Arguments`.
    parameters
        Those of `Arguments` that it takes.
    images
        Variables of its file that its values depend on.
    variables
        All that it loads.
    indexes
        What it returns, by our names.
    toolbox
        MATLAB's functions that it needs and GNU Octave may lack, keys of `hsfusion_bench.matlab.octave.TESTS`.
    """

    name: str
    call: str
    parameters: tuple[str, ...]
    images: tuple[str, ...]
    variables: tuple[str, ...]
    indexes: Mapping[str, Index]
    toolbox: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Name of its file."""
        return f"{self.name}.m"

    def command(self, arguments: Arguments) -> str:
        """Return the expression that calls it for the file ``../input.mat``."""
        rest = self.call.format(ratio=float(arguments.ratio), const=float(arguments.const), sensor=_sensor(arguments))
        return f"{self.name}('../input.mat', {rest})"

    def told(self, arguments: Arguments) -> dict[str, float | str]:
        """Return what it takes of the arguments, by name."""
        everything: dict[str, float | str] = {
            "ratio": arguments.ratio,
            "const": arguments.const,
            "sensor": _sensor(arguments),
        }
        return {name: everything[name] for name in self.parameters}

    def told_as_text(self, arguments: Arguments) -> str:
        """Return the same for people, as "ratio 4, const 1"."""
        told = self.told(arguments).items()
        return ", ".join(f"{name} {value if isinstance(value, str) else format(value, 'g')}" for name, value in told)


def _sensor(arguments: Arguments) -> str:
    return arguments.sensor or "none"


REFERENCE = Script(
    "analysis_ref_batched_images",
    call="{ratio!r}, 0, {const!r}",
    parameters=("ratio", "const"),
    images=("gt", "sr"),
    variables=("gt", "sr"),
    indexes=MappingProxyType({name: Index(metric.title, metric.matlab_field) for name, metric in METRICS.items()}),
)
"""The seven indexes of an estimate and its reference."""

NO_REFERENCE = Script(
    "analysis_unref_batched_images",
    call="{ratio!r}, {sensor!r}",
    parameters=("ratio", "sensor"),
    images=("sr", "lms", "pan"),
    variables=("sr", "ms", "lms", "pan"),
    indexes=MappingProxyType(
        {"d_lambda": Index("D_lambda", "d_lambda"), "d_s": Index("D_s", "d_s"), "hqnr": Index("HQNR", "qnr_index")}
    ),
    toolbox=("kaiser", "fwind1", "blockproc", "cov"),
)
"""The three indexes of an estimate for which there is no reference."""
