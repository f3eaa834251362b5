"""Separation: whose part in other tasks of an execution keeps them from acting on this one. Pure.

Of what was decided before a task was asked for, the engine tells who may not act (`excluded`). Of tasks that stand open beside it, or come
later, this room knows more: the newest visit of each node in `separate_from`, among the tasks that stand together with it. Two tasks
stand together when the iterations around one are those around the other, or the outer ones of them: an iteration does not look into
the next one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from weft_tasks.task import Task


@dataclass(frozen=True, slots=True)
class Beside:
    """Another task of the same execution. deciders: the ids of those who have decided it, or had a part in it."""

    node: str
    visit: int
    rounds: str
    deciders: tuple[str, ...]


def kept_apart(task: Task, others: Iterable[Beside]) -> dict[str, str]:
    """Who may not act on a task, by id, with the node that says so. The store asks the same of the database for its lists."""
    newest: dict[str, Beside] = {}
    for other in others:
        if other.node not in task.separate_from or other.node == task.node or not _together(task.rounds, other.rounds):
            continue
        known = newest.get(other.node)
        if known is None or known.visit < other.visit:
            newest[other.node] = other
    found = dict(task.excluded)
    for node in task.separate_from:
        for user in newest[node].deciders if node in newest else ():
            found.setdefault(user, node)
    return found


def _together(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
