"""What the engine says about the `sla` of an execution: when it is due, that this comes near, that it has passed."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from weft_contracts.executions import ExecutionFact


class ExecutionSlaSet(ExecutionFact):
    """When an execution is to have ended is known, or has changed: at its start, after a pause, a retry or a migration.

    Both moments are absent when it has no `sla` any more. Heard by analytics and gateway (live feed).
    """

    type, version = "execution.sla_set", 1
    due_at: datetime | None = None
    warn_at: datetime | None = None
    status: str = Field(default="on_track", description="`on_track`, `warned` or `breached`.")


class ExecutionSlaWarned(ExecutionFact):
    """An execution still runs at the moment when its `sla` is at risk. Heard by analytics and gateway (live feed)."""

    type, version = "execution.sla_warned", 1
    due_at: datetime


class ExecutionSlaBreached(ExecutionFact):
    """An execution still ran when its `sla` was due. Heard by analytics and gateway (live feed)."""

    type, version = "execution.sla_breached", 1
    due_at: datetime
