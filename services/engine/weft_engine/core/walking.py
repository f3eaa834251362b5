"""The way an execution takes: which nodes it visits, how long each ran and waited. Its end tells that: nobody has to read journals for it.

Of the newest visit of a node its record says everything. What is kept here are the visits before it, as numbers that add up: an execution
that goes through each node once keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from weft_contracts.walks import PATH_GOES_ON, PATH_MOST, STEPS_MOST, Histogram, StepNumbers, bucket_of, shortened

from weft_engine.core.state.parts import Pending, Step
from weft_engine.machine import StepStatus

Walked = dict[tuple[str, str, int], int]
"""How often, by node, what, and bucket: `completed`, `failed`, `cancelled` and `retries` have none (0), `run` and `wait` are of one."""

WAITS: Final = frozenset({"task", "timer", "signal", "retry", "again"})
"""Kinds of pending in which nothing is worked on."""
_ENDS: Final[dict[str, str]] = {
    StepStatus.COMPLETED: "completed", StepStatus.COMPENSATED: "completed", StepStatus.FAILED: "failed", StepStatus.CANCELLED: "cancelled",
}  # fmt: skip


def waited(step: Step, pending: Pending, at: datetime) -> None:
    """Count the time until `at` as waiting where that is what the visit did."""
    if pending.kind in WAITS and pending.since is not None:
        step.waited_s += (at - pending.since).total_seconds()


def onward(path: tuple[str, ...], node: str) -> tuple[str, ...]:
    """A path with the node that is visited next. One that goes round itself is one step of it."""
    if path and path[-1] in (node, PATH_GOES_ON):
        return path
    return (*path, node) if len(path) < PATH_MOST else (*path, PATH_GOES_ON)


def count(walked: Walked, node: str, step: Step) -> None:
    """Count a visit that is over; nothing where it is not, or was told already."""
    how = _ENDS.get(step.status)
    if how is None or step.told or step.completed_at is None:
        return
    _add(walked, node, how, 0)
    if step.attempts > 1:
        _add(walked, node, "retries", 0, step.attempts - 1)
    if how == "cancelled":
        return
    run_ms, wait_ms = _took(step)
    _add(walked, node, "run", bucket_of(run_ms))
    if wait_ms:
        _add(walked, node, "wait", bucket_of(wait_ms))


def plain(way: tuple[str, ...], walked: Walked, newest: dict[str, Step]) -> str | None:
    """What an end tells of the plainest way, in one text; None of any other, of which `way` and `told` have to tell."""
    if walked or not way or len(way) != len(newest) or way[-1] == PATH_GOES_ON:
        return None
    visits: list[tuple[str, int, int]] = []
    for node in way:
        step = newest.get(node)
        if step is None or step.status != StepStatus.COMPLETED or step.attempts > 1 or step.told:
            return None
        visits.append((node, *_took(step)))
    return shortened(visits)


def told(walked: Walked, newest: dict[str, Step]) -> list[StepNumbers]:
    """What an end tells of visits. walked: those before the newest of each node."""
    if not walked:  # each node was visited once, as most are
        return [numbers for node, step in newest.items() if (numbers := _once(node, step)) is not None][:STEPS_MOST]
    all_of = dict(walked)
    for node, step in newest.items():
        count(all_of, node, step)
    nodes: dict[str, list[tuple[str, int, int]]] = {node: [] for node in newest}
    for (node, what, bucket), times in all_of.items():
        nodes.setdefault(node, []).append((what, bucket, times))
    some = ((node, counts) for node, counts in nodes.items() if counts)
    return [_numbers(node, counts) for _, (node, counts) in zip(range(STEPS_MOST), some, strict=False)]


def _once(node: str, step: Step) -> StepNumbers | None:
    how = _ENDS.get(step.status)
    if how is None or step.told or step.completed_at is None:
        return None
    run_ms, wait_ms = _took(step)
    run, wait = ((), ()) if how == "cancelled" else ((bucket_of(run_ms), 1), (bucket_of(wait_ms), 1) if wait_ms else ())
    return node, int(how == "completed"), int(how == "failed"), int(how == "cancelled"), max(0, step.attempts - 1), run, wait


def _took(step: Step) -> tuple[int, int]:
    """How long a visit that is over ran, and waited, in milliseconds."""
    began = step.since or step.started_at
    if step.completed_at is None or began is None:
        return 0, 0
    lasted = step.completed_at - began
    all_ms = lasted.days * 86_400_000 + lasted.seconds * 1000 + (lasted.microseconds + 500) // 1000
    wait_ms = min(round(step.waited_s * 1000), all_ms) if step.waited_s else 0
    return all_ms - wait_ms, wait_ms


def _numbers(node: str, counts: Iterable[tuple[str, int, int]]) -> StepNumbers:
    by_name = dict.fromkeys(("completed", "failed", "cancelled", "retries"), 0)
    run: Histogram = ()
    wait: Histogram = ()
    for what, bucket, times in counts:
        if what == "run":
            run += (bucket, times)
        elif what == "wait":
            wait += (bucket, times)
        else:
            by_name[what] = times
    return node, by_name["completed"], by_name["failed"], by_name["cancelled"], by_name["retries"], run, wait


def _add(walked: Walked, node: str, what: str, bucket: int, times: int = 1) -> None:
    key = (node, what, bucket)
    walked[key] = walked.get(key, 0) + times
