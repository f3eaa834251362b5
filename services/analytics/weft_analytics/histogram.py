"""Percentiles of durations from counts in logarithmic buckets, which add up over any span. Pure.

Source: the idea of DDSketch (Masson, Rim, Lee, VLDB 2019), with a fixed base.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from weft_contracts.walks import BASE, bucket_of

__all__ = ["bucket_of", "percentile", "percentiles", "value_of"]


def value_of(bucket: int) -> float:
    """The duration, in milliseconds, that stands for a bucket: off by the same share at both of its ends."""
    return 0.0 if bucket <= 0 else float(2 * BASE ** (bucket - 1) / (1 + BASE)) if bucket > 1 else 1.0


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """The duration, in milliseconds, that `share` of the counted ones do not exceed; None where nothing is counted.

    counts: by bucket.  share: 0 < share <= 1.
    """
    total = sum(counts.values())
    if total <= 0:
        return None
    rank, seen = math.ceil(share * total), 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= rank:
            return round(value_of(bucket), 1)
    return None


def percentiles(counts: Mapping[int, int]) -> dict[str, float | None]:
    """The p50, p95 and p99 in milliseconds, each at most 4.4 % off."""
    return {"p50": percentile(counts, 0.5), "p95": percentile(counts, 0.95), "p99": percentile(counts, 0.99)}
