"""What the facts about the sla of an execution make of it: when it is due, and what has been said of that. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from weft_contracts.service_levels import ExecutionSlaBreached, ExecutionSlaSet, ExecutionSlaWarned

Fact = ExecutionSlaSet | ExecutionSlaWarned | ExecutionSlaBreached
STATES: Final = ("on_track", "warned", "breached", "met", "unmet")
"""What becomes of an sla: on its way, at risk, broken, kept by a good end, or neither: it ended otherwise before it was due."""


@dataclass(slots=True)
class Level:
    """The sla of an execution. position: of the newest fact.  due_at: None where it has none any more.  warn_at: None until it is heard."""

    tenant: str
    id: UUID
    workflow: str
    position: int
    due_at: datetime | None
    warn_at: datetime | None
    status: str


def newest(facts: Iterable[tuple[str, Fact]]) -> list[Level]:
    """What these (tenant, fact) pairs say of each execution, whatever order they are in."""
    levels: dict[tuple[str, UUID], Level] = {}
    for tenant, fact in facts:
        said = _level(tenant, fact)
        known = levels.setdefault((tenant, fact.execution_id), said)
        older, newer = (known, said) if said.position >= known.position else (said, known)
        if newer.warn_at is None and newer.due_at is not None:
            newer.warn_at = older.warn_at
        levels[tenant, fact.execution_id] = newer
    return list(levels.values())


def _level(tenant: str, fact: Fact) -> Level:
    if isinstance(fact, ExecutionSlaSet):
        return Level(tenant, fact.execution_id, fact.workflow, fact.position, fact.due_at, fact.warn_at, fact.status)
    status = "warned" if isinstance(fact, ExecutionSlaWarned) else "breached"
    return Level(tenant, fact.execution_id, fact.workflow, fact.position, fact.due_at, None, status)
