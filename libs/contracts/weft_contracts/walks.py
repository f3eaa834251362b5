"""What the end of an execution tells of the way it took: numbers that add up over any number of executions, of bounded size."""

from __future__ import annotations

import math
from typing import Annotated, Final

from pydantic import Field

BASE: Final = 2 ** (1 / 8)
"""Each bucket of durations ends 9 % above the one before, so what stands for a bucket is at most 4.4 % off."""
_LOG_BASE: Final = math.log(BASE)
PATH_MOST: Final = 50
"""Nodes of a path at most."""
PATH_GOES_ON: Final = "…"
"""What a path ends with that would be longer. No node is called so."""
STEPS_MOST: Final = 200
"""Nodes whose numbers one end tells at most: those that were visited first."""

Histogram = tuple[int, ...]
"""Pairs in a row: a bucket of `bucket_of`, and how many visits took so long."""
StepNumbers = tuple[str, int, int, int, int, Histogram, Histogram]
"""A node: its id; visits that completed, failed, were cancelled; attempts beyond the first of each; how long those that completed or failed
ran, and waited.

Waiting is the time of tasks, timers and signals, and that until a next attempt; all other time of a visit is running. What a retry by hand
went back behind was told by the end before it.
"""
Path = Annotated[tuple[str, ...], Field(max_length=PATH_MOST + 1)]
"""Nodes in the order in which their visits began, `PATH_GOES_ON` at the end of one that is cut.

What stands in a branch, an iteration or a loop is told by the node around it alone: the order of what happens beside each other makes no
other path; nor does it to try again.
"""


def bucket_of(duration_ms: int) -> int:
    """The bucket of a duration: 0 for 0 ms, then one for each eighth of a doubling; a year is in bucket 280."""
    return 0 if duration_ms <= 0 else 1 + math.ceil(math.log(duration_ms) / _LOG_BASE - 1e-9)
