"""Our numbers of a `.mat` file beside those that a MATLAB script returned for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.matfile import open_matfile
from hsfusion_bench.matlab.batches import number_classes, score_file, score_no_reference
from hsfusion_bench.matlab.package import NO_REFERENCE, REFERENCE, Arguments, Script
from hsfusion_metrics import MeanStd, summarise

#: What zeros may miss each other by: one engine meets them exactly, another within its rounding.
ABSOLUTE = 1e-12

_DOUBLE = 1e-10
# Of a file of singles the script computes PSNR, SAM, SCC and UQI in single precision, 6e-8 a step: a sum of 262144
# squares, one after the other, loses three digits, and UQI takes differences of such sums. Measured in Octave on
# Bicubic's 11 CAVE scenes (512 x 512 x 31), at most: PSNR 1.0e-4, SAM 1.8e-5, SCC 2.8e-10, UQI 9.3e-4, and of SSIM,
# ERGAS and Q2n, which the script takes to double, 1.6e-9.
# Without a reference it blurs the estimate and reduces pan in single precision. D_lambda then rounds to integers, and a
# pixel near a half may fall to the other side. Measured in Octave on CAVE scenes as digital numbers and as values in
# [0, 1] (bicubic-like estimates with the detail of the bands' mean; 8 and 31 bands), at most: D_s 3.7e-8 (8.2e-8 in the
# deviation of a golden case); D_lambda 9.0e-6 and HQNR 2.8e-7 in numbers, and 1.5e-4 and 8.0e-6 in [0, 1], where such
# a pixel goes from 0 to 1. Each is allowed at least five times that.
_SINGLE: Mapping[str, float] = MappingProxyType(
    {
        **{"psnr": 5e-4, "ssim": 1e-7, "sam": 1e-4, "ergas": 1e-7, "scc": 1e-6, "uqi": 5e-3, "q2n": 1e-7},
        **{"d_lambda": 1e-3, "d_s": 5e-7, "hqnr": 5e-5},
    }
)
_NOTES: Mapping[str, str] = MappingProxyType(
    {
        "double": "a file of doubles: the script and we both compute in double precision",
        "single": "a file of singles: the script computes {} in single precision, we in double; "
        "its last digits depend on the order of summation",
    }
)
_IN_SINGLE: Mapping[str, str] = MappingProxyType(
    {REFERENCE.name: "PSNR, SAM, SCC and UQI", NO_REFERENCE.name: "the blurred estimate and the reduced pan"}
)


@dataclass(frozen=True)
class Check:
    """One index: the script's mean and deviation, and ours.

    Attributes
    ----------
    index
        Our name of it.
    matlab, ours
        Mean and deviation over the batch.
    tolerance
        Largest relative difference that passes.
    """

    index: str
    matlab: MeanStd
    ours: MeanStd
    tolerance: float

    @property
    def mean_difference(self) -> float:
        """Difference of the means, relative to the script's; 0 for two NaN and for equal Inf."""
        return _relative(self.ours.mean, self.matlab.mean, abs(self.matlab.mean))

    @property
    def std_difference(self) -> float:
        """Difference of the deviations, relative to the script's mean or deviation, whichever is larger.

        A deviation carries the rounding of the values that it was taken of: beside them it may be as small
        as it likes, and has no digits of its own then.
        """
        largest = max(abs(self.matlab.mean), self.matlab.std) if math.isfinite(self.matlab.mean) else self.matlab.std
        return _relative(self.ours.std, self.matlab.std, largest)

    @property
    def passed(self) -> bool:
        """Whether both agree within the tolerance."""
        pairs = zip(self.ours, self.matlab, (self.mean_difference, self.std_difference), strict=True)
        return all(difference <= self.tolerance or abs(ours - matlab) <= ABSOLUTE for ours, matlab, difference in pairs)


def compare(matlab: Mapping[str, MeanStd], ours: Mapping[str, MeanStd], kind: str) -> list[Check]:
    """Set the script's summary beside ours.

    Parameters
    ----------
    matlab, ours
        Mean and deviation of each index of one script.
    kind
        MATLAB's class of the images, from `kind_of_file`; it decides on the tolerances.

    Returns
    -------
    list of Check
        In the order of ours.
    """
    return [
        Check(name, matlab[name], summary, _SINGLE[name] if kind == "single" else _DOUBLE)
        for name, summary in ours.items()
    ]


def our_summary(script: Script, file: Path, arguments: Arguments) -> dict[str, MeanStd]:
    """Score a file and summarise it, as the script does: where it holds integers, in integers.

    Raises
    ------
    HsbenchError
        As `hsfusion_bench.matlab.batches.score_file` and `hsfusion_bench.matlab.batches.score_no_reference`.
    """
    # whatever their axes and scale: it is the script, too, that takes them so
    classes = number_classes(file, no_reference=script is NO_REFERENCE, layout="BCHW")
    in_class = any("int" in kind for kind in classes.values())
    if script is NO_REFERENCE:
        without = score_no_reference(
            file,
            ratio=int(arguments.ratio),
            sensor=arguments.sensor,
            as_matlab=in_class,
            any_scale=True,
            layout="BCHW",
        )
        return summarise(without)
    ratio, const = arguments.ratio, arguments.const
    return summarise(score_file(file, ratio=ratio, const=const, as_matlab=in_class, any_scale=True, layout="BCHW"))


def kind_of_file(script: Script, file: Path) -> str:
    """Return MATLAB's class of the images in a file, as "double"; "single" where any of them is single.

    Raises
    ------
    HsbenchError
        When the file cannot be read, or has not all the variables that the script loads.
    """
    with open_matfile(file) as variables:
        missing = [name for name in script.variables if name not in variables]
        if missing:
            raise HsbenchError(
                f"{file} has no variable {' and no '.join(missing)}; {script.file} needs {', '.join(script.variables)} "
                f"as variables, not in a struct; there are {', '.join(sorted(variables)) or 'none'}"
            )
        kinds = {variables[name].kind for name in script.images}
    return next((kind for kind in sorted(kinds) if kind != "double"), "double")


def note(script: Script, kind: str) -> str:
    """Say what the tolerances for a class of images rest on."""
    if kind in _NOTES:
        return _NOTES[kind].format(_IN_SINGLE[script.name])
    if "int" in kind:
        return (
            f"a file of {kind}: the script computes in integers, which are rounded and saturate, and so do we here; "
            "`hsbench score` computes in double, and has these values with --as-matlab"
        )
    return f"a file of {kind}: we compute in double; a file of doubles is needed to compare the indexes"


def _relative(ours: float, matlab: float, scale: float) -> float:
    if ours == matlab or (math.isnan(ours) and math.isnan(matlab)):
        return 0.0
    return abs(ours - matlab) / scale if scale else math.inf
