"""What the end of an execution tells of the way it took: numbers that add up over any number of executions, of bounded size."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
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

_VISIT: Final = r"[^ :/]{1,128}:[0-9]{1,3}(?:/[0-9]{1,3})?"
Short = Annotated[str, Field(max_length=PATH_MOST * 136, pattern=f"^{_VISIT}(?: {_VISIT})*$")]
"""Path and numbers of the plainest way in one text: each node visited once, one after another, completed at its first attempt.

`<node>:<bucket>` for each, of how long it ran, `/<bucket>` after it where it waited, a space between. Most executions go so, and a text
costs whoever says, reads and counts it a fraction of what lists do.
"""


def shortened(visits: Iterable[tuple[str, int, int]]) -> str:
    """The text of such a way. visits: node, how long it ran, how long it waited, in milliseconds."""
    return " ".join(
        [
            f"{node}:{bucket_of(run_ms)}/{bucket_of(wait_ms)}" if wait_ms else f"{node}:{bucket_of(run_ms)}"
            for node, run_ms, wait_ms in visits
        ]
    )


@lru_cache(maxsize=16_384)
def lengthened(short: str) -> tuple[tuple[str, ...], tuple[StepNumbers, ...]]:
    """Path and numbers of such a way, kept for the next that took as long."""
    steps: list[StepNumbers] = []
    for visit in short.split(" "):
        node, _, took = visit.partition(":")
        run, _, wait = took.partition("/")
        steps.append((node, 1, 0, 0, 0, (int(run), 1), (int(wait), 1) if wait else ()))
    return tuple(node for node, *_ in steps), tuple(steps)


def bucket_of(duration_ms: int) -> int:
    """The bucket of a duration: 0 for 0 ms, then one for each eighth of a doubling; a year is in bucket 280."""
    return 0 if duration_ms <= 0 else 1 + math.ceil(math.log(duration_ms) / _LOG_BASE - 1e-9)
