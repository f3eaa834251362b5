"""Percentiles of durations from counts in logarithmic buckets, which add up over any span. Pure.

Source: the idea of DDSketch (Masson, Rim, Lee, VLDB 2019), with a fixed base.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

BASE: Final = 2 ** (1 / 8)
"""Each bucket ends 9 % above the one before, so a percentile is at most 4.4 % off."""
_LOG_BASE: Final = math.log(BASE)


def bucket_of(duration_ms: int) -> int:
    """The bucket of a duration: 0 for 0 ms, then one for each eighth of a doubling; a year is in bucket 280."""
    return 0 if duration_ms <= 0 else 1 + math.ceil(math.log(duration_ms) / _LOG_BASE - 1e-9)


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
