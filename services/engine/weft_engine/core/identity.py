"""Names that follow from what they name: the same whenever they are asked for, so that a repeat is known as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5


def key_of(execution_id: UUID | str, node: str, visit: int) -> str:
    """The stable key of a visit's outside effect: what the callee knows a repeat by."""
    return f"{execution_id}:{node}:{visit}"


def task_id_of(execution_id: UUID, node: str, visit: int) -> str:
    """The id of the task of a visit: the same whenever it is asked for."""
    return str(uuid5(execution_id, f"task:{node}:{visit}"))


def child_id_of(execution_id: UUID, node: str, visit: int) -> str:
    """The id of the execution that a visit calls: the same whenever it is asked for."""
    return str(uuid5(execution_id, f"call:{node}:{visit}"))


def event_named(trigger: Mapping[str, Any]) -> str | None:
    """The id that its sender gave the event which started an execution; ours where only that is known, None for other starts."""
    event = trigger.get("event")
    named = event.get("id") if isinstance(event, Mapping) else None
    return named if isinstance(named, str) else trigger.get("event_id")
