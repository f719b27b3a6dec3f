"""The seven indexes together: one pair, a batch's mean and deviation, and what each index is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hsfusion_metrics import in_class
from hsfusion_metrics._pair import FIRST, as_pair, positive, quietly
from hsfusion_metrics._threads import threads
from hsfusion_metrics.ergas import ergas
from hsfusion_metrics.hqnr import NoReference
from hsfusion_metrics.psnr import psnr
from hsfusion_metrics.q2n import q2n
from hsfusion_metrics.sam import sam
from hsfusion_metrics.scale import told, warn_of_scale
from hsfusion_metrics.scc import scc
from hsfusion_metrics.ssim import ssim
from hsfusion_metrics.uqi import uqi

SUITE_VERSION = "1.0"
"""Goes up when a value of any index changes: results of two versions are not to be compared."""


class Indexes(NamedTuple):
    """The seven indexes of one image."""

    psnr: float
    ssim: float
    sam: float
    ergas: float
    scc: float
    uqi: float
    q2n: float


class MeanStd(NamedTuple):
    """Mean and MATLAB's standard deviation of one index over a batch."""

    mean: float
    std: float


@dataclass(frozen=True)
class Metric:
    """What a reader of a leaderboard needs to know about an index.

    Attributes
    ----------
    name
        Field of `Indexes` and key of records.
    title
        As printed in a table's head.
    better
        Whether a higher or a lower value is better.
    ideal
        The value of a perfect estimate.
    unit
        Unit of the value, empty when it has none.
    matlab_field
        Name in the result of the MATLAB script.
    description
        One line.
    """

    name: str
    title: str
    better: Literal["higher", "lower"]
    ideal: float
    unit: str
    matlab_field: str
    description: str


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric(
                "psnr",
                "PSNR",
                "higher",
                float("inf"),
                "dB",
                "psnr",
                "Peak signal-to-noise ratio, mean of the bands' decibels",
            ),
            Metric(
                "ssim",
                "SSIM",
                "higher",
                1.0,
                "",
                "ssim",
                "Structural similarity in 11 x 11 Gaussian windows, mean over bands",
            ),
            Metric("sam", "SAM", "lower", 0.0, "°", "sam", "Mean angle between the two spectra of a pixel"),
            Metric(
                "ergas",
                "ERGAS",
                "lower",
                0.0,
                "",
                "ergas",
                "Band errors relative to the reference's band means, scaled by the ratio",
            ),
            Metric(
                "scc",
                "SCC",
                "higher",
                1.0,
                "",
                "scc",
                "Cosine between the Sobel gradient magnitudes, all bands together",
            ),
            Metric(
                "uqi",
                "UQI",
                "higher",
                1.0,
                "",
                "qave",
                "Universal quality index in 32 x 32 windows, mean over bands",
            ),
            Metric(
                "q2n",
                "Q2n",
                "higher",
                1.0,
                "",
                "qn",
                "Hypercomplex quality index in 32 x 32 blocks, after the script's cast to integers",
            ),
        )
    }
)
"""The seven indexes by name, in the order of `Indexes`."""


def score(
    gt: ArrayLike,
    sr: ArrayLike,
    *,
    ratio: float,
    const: float = 1.0,
    channel_axis: int = 0,
    workers: int = 1,
    as_matlab: bool = False,
) -> Indexes:
    """All seven indexes of one estimate, as the MATLAB script prints them for one sample.

    Parameters
    ----------
    gt
        Reference, [C, H, W].
    sr
        Estimate, [C, H, W].
    ratio
        Resolution ratio; only ERGAS depends on it.
    const
        Full scale of the data; only PSNR and SSIM depend on it.
    channel_axis
        The axis of the bands: 0 for [C, H, W], -1 for [H, W, C].
    workers
        Number of threads. It changes nothing in the values, not even their last bits.
    as_matlab
        Compute in the class of the arrays rather than in float64, as the script does of integers and singles: see
        `hsfusion_metrics.in_class`. The values are those of GNU Octave; such a UQI takes ten times as long.

    Returns
    -------
    Indexes
        May hold NaN and Inf, where the script prints them.

    Raises
    ------
    TypeError, ValueError
        For images that are not real, or not of one shape with three axes, or with a side under 16 pixels; for a
        `ratio` below 1, a `const` that is not positive, or `workers` under 1; for bands on another axis, where the
        shape gives it away: (512, 512, 31) is not [C, H, W]. Where it is, ``channel_axis=-3`` insists.

    Warns
    -----
    ScaleWarning
        Where the reference lies far from the full scale, as counts do from 1, or the two images at different scales.

    Notes
    -----
    ``analysis_ref_batched_images.m`` of the MATLAB test package.

    Examples
    --------
    >>> import numpy as np
    >>> gt = np.random.default_rng(0).uniform(0.1, 1.0, (4, 64, 64))
    >>> score(gt, gt, ratio=4).psnr
    inf
    >>> score(np.moveaxis(gt, 0, -1), np.moveaxis(gt, 0, -1), ratio=4, channel_axis=-1).psnr
    inf
    """
    reference, estimate = as_pair(gt, sr, channel_axis)
    warn_of_scale(reference, estimate, positive(const, "const"))
    with told(), threads(workers):
        if as_matlab:
            classes = in_class.class_of(gt, "gt"), in_class.class_of(sr, "sr")
            return _in_class(in_class.Pair(reference, estimate, *classes), ratio, float(const))
        return Indexes(
            psnr=psnr(reference, estimate, const=const, channel_axis=FIRST),
            ssim=ssim(reference, estimate, const=const, channel_axis=FIRST),
            sam=sam(reference, estimate, channel_axis=FIRST),
            ergas=ergas(reference, estimate, ratio=ratio, channel_axis=FIRST),
            scc=scc(reference, estimate, channel_axis=FIRST),
            uqi=uqi(reference, estimate, channel_axis=FIRST),
            q2n=q2n(reference, estimate, channel_axis=FIRST),
        )


@quietly
def _in_class(pair: in_class.Pair, ratio: float, const: float) -> Indexes:
    """Give the seven indexes of images of some class; ERGAS and Q2n take them to double themselves."""
    divided = pair.divided(const)
    eight_bits = divided.times(255.0)
    return Indexes(
        psnr=in_class.psnr(divided),
        ssim=ssim(eight_bits.gt, eight_bits.sr, const=255.0, channel_axis=FIRST),
        sam=in_class.sam(pair),
        ergas=ergas(pair.gt, pair.sr, ratio=ratio, channel_axis=FIRST),
        scc=in_class.scc(pair),
        uqi=in_class.uqi(pair),
        q2n=q2n(pair.gt, pair.sr, channel_axis=FIRST),
    )


#: The older name of `score`.
evaluate = score


@quietly
def summarise(per_image: Iterable[Indexes | NoReference]) -> dict[str, MeanStd]:
    """Mean and MATLAB's standard deviation of each index over a batch.

    The deviation has N - 1 in its denominator but is 0 for a single image; an index that is Inf or NaN for
    one image has the deviation NaN.

    Parameters
    ----------
    per_image
        The indexes of each image, all of one kind.

    Returns
    -------
    dict of str to MeanStd
        By index name, in the order of `Indexes` or `NoReference`.

    Raises
    ------
    TypeError
        When this is no list of indexes, or a list of both kinds.
    ValueError
        When there is no image.

    Examples
    --------
    >>> one, two = (Indexes(psnr, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0) for psnr in (40.0, 42.0))
    >>> summarise([one, two])["psnr"].mean
    41.0
    """
    if isinstance(per_image, (Indexes, NoReference)):
        raise TypeError("the indexes of each image are needed, in a list; these are of a single one")
    images = list(per_image)
    if len({type(indexes) for indexes in images}) > 1:
        raise TypeError("indexes with a reference and indexes without one have no common mean")
    if not images:
        raise ValueError("there is no image to summarise")
    values = np.array(images, dtype=np.float64)
    mean = values.mean(axis=0)
    std = np.sqrt(((values - mean) ** 2).sum(axis=0) / max(len(values) - 1, 1))
    pairs = zip(mean.tolist(), std.tolist(), strict=True)
    return {name: MeanStd(*pair) for name, pair in zip(images[0]._fields, pairs, strict=True)}
