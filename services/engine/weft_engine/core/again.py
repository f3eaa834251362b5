"""When what failed is tried again: an attempt of an activity, or a whole visit of what is more than one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zlib import crc32

from weft_language.compilation import Node

from weft_engine.core.state import OWNERS, State

TRIED_AGAIN: Final = (OWNERS - {"compensate"}) | {"task", "child"}
"""Kinds of waiting whose visit may fail with an error that another visit might not have."""


def again_at(state: State, node: Node, visit: int, scope: str, error: Mapping[str, Any], now: datetime) -> datetime | None:
    """When another visit tries this one again, which has failed; None where its `retry` does not ask for that.

    An activity's attempts are counted elsewhere, within one visit; what waits for nothing would be decided anew to the same end.
    """
    pending, step = state.pending.get((node.id, visit)), state.steps_in(scope).get(node.id)
    if pending is None or step is None or step.since is None or pending.kind not in TRIED_AGAIN:
        return None
    if not node.retry.covers(str(error.get("code", "")), permanent=bool(error.get("permanent"))):
        return None
    delay_s = node.retry.delay(step.attempts, spread(state, node.id, visit, step.attempts), awake_s(state, step.since, now))
    return None if delay_s is None else now + timedelta(seconds=delay_s)


def awake_s(state: State, since: datetime, now: datetime) -> float:
    """Seconds from a moment until now in which the execution was not paused: what limits attempts stands still as timers do."""
    rested = (min(until, now) - max(begun, since) for begun, until in state.rests if until > since)
    return (now - since - sum(rested, timedelta())).total_seconds()


def spread(state: State, node: str, visit: int, attempt: int) -> float:
    """A number in [0, 1) for the jitter: the same for the same attempt, so a replay waits as long."""
    return crc32(f"{state.id}:{node}:{visit}:{attempt}".encode()) / 2**32
