"""Names that follow from what they name: the same whenever they are asked for, so that a repeat is known as one."""

from __future__ import annotations

from uuid import UUID, uuid5


def key_of(execution_id: UUID, node: str, visit: int) -> str:
    """The stable key of a visit's outside effect: what the callee knows a repeat by."""
    return f"{execution_id}:{node}:{visit}"


def task_id_of(execution_id: UUID, node: str, visit: int) -> str:
    """The id of the task of a visit: the same whenever it is asked for."""
    return str(uuid5(execution_id, f"task:{node}:{visit}"))


def child_id_of(execution_id: UUID, node: str, visit: int) -> str:
    """The id of the execution that a visit calls: the same whenever it is asked for."""
    return str(uuid5(execution_id, f"call:{node}:{visit}"))
