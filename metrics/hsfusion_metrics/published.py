"""What papers of the FeINFN family print as ERGAS and SSIM: other indexes than those two of the seven."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hsfusion_metrics.suite import Metric

PUBLISHED_METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric(
                "ergas_fused",
                "ERGAS (papers)",
                "lower",
                0.0,
                "",
                "",
                "Band errors relative to the estimate's band means, scaled by the ratio; on request",
            ),
            Metric(
                "ssim_full",
                "SSIM (papers)",
                "higher",
                1.0,
                "",
                "",
                "SSIM with a window around every pixel, the border replicated, mean over bands; on request",
            ),
        )
    }
)
"""Those two by name. They are none of the seven, the MATLAB script does not print them, and no suite counts them."""
