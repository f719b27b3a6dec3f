"""The indexes of the field's MATLAB test package, in NumPy.

Each index takes a reference and an estimate, ``(gt, sr)``, both [C, H, W], computes in float64 and equals the
value that ``analysis_ref_batched_images.m`` prints to 1e-10 relative. NaN and Inf come out where they come
out there. Images [H, W, C] are scored with ``channel_axis=-1``.

`score` gives all seven; where there is no reference, `score_no_reference` gives the three indexes of
``analysis_unref_batched_images.m``. With ``as_matlab=True`` they compute in the class of the arrays, as the scripts do
of integers and singles. A `ScaleWarning` tells of values far from the full scale that was stated, and of
values without a reference that are no counts. Their older names, `evaluate` and `evaluate_no_reference`, go on working.

`ergas_fused` and `ssim_full` are what papers print as ERGAS and SSIM; `PUBLISHED_METRICS` tells of them.

Examples
--------
>>> import numpy as np
>>> from hsfusion_metrics import score, summarise
>>> gt = np.full((3, 64, 64), 0.5)
>>> indexes = score(gt, gt + 0.01, ratio=4)
>>> round(indexes.psnr, 6), round(indexes.ergas, 6)
(40.0, 0.5)
>>> summarise([indexes])["psnr"].std
0.0
"""

from hsfusion_metrics.ergas import ergas
from hsfusion_metrics.ergas_fused import ergas_fused
from hsfusion_metrics.hqnr import NYQUIST_GAINS, NoReference, d_lambda, d_s, evaluate_no_reference, score_no_reference
from hsfusion_metrics.psnr import psnr
from hsfusion_metrics.published import PUBLISHED_METRICS
from hsfusion_metrics.q2n import q2n, q2n_uncast
from hsfusion_metrics.sam import sam
from hsfusion_metrics.scale import ScaleWarning, no_reference_doubt, scale_doubt
from hsfusion_metrics.scc import scc
from hsfusion_metrics.ssim import ssim
from hsfusion_metrics.ssim_full import ssim_full
from hsfusion_metrics.suite import METRICS, SUITE_VERSION, Indexes, MeanStd, Metric, evaluate, score, summarise
from hsfusion_metrics.uqi import uqi

__all__ = [
    "METRICS",
    "NYQUIST_GAINS",
    "PUBLISHED_METRICS",
    "SUITE_VERSION",
    "Indexes",
    "MeanStd",
    "Metric",
    "NoReference",
    "ScaleWarning",
    "d_lambda",
    "d_s",
    "ergas",
    "ergas_fused",
    "evaluate",
    "evaluate_no_reference",
    "no_reference_doubt",
    "psnr",
    "q2n",
    "q2n_uncast",
    "sam",
    "scale_doubt",
    "scc",
    "score",
    "score_no_reference",
    "ssim",
    "ssim_full",
    "summarise",
    "uqi",
]
