"""What analytics says about alerts: something is as a rule of the tenant watches for it, and is no more."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from weft_contracts.message import Event


class _AlertFact(Event):
    owner: ClassVar[str] = "analytics"
    alert_id: UUID
    rule_id: UUID = Field(description="Of a rule; for a budget one that follows from it.")
    rule: str = Field(description="The rule's name.")
    kind: str = Field(description="`failed`, `stuck`, `overdue`, `slow`, `costly`, `budget`.")
    severity: Literal["info", "warning", "critical"] = "warning"
    workflow: str = Field(description="The workflow that it is about; empty for a budget of the whole tenant.")
    summary: str
    at: datetime


class AlertRaised(_AlertFact):
    """What a rule watches for is so. Said once for a rule and a workflow, until it is resolved. Heard by gateway (live feed)."""

    type, version = "alert.raised", 1
    details: dict[str, Any] = Field(default_factory=dict, description="By the kind: numbers, and ids of some executions.")


class AlertResolved(_AlertFact):
    """What an alert was about is so no more, or its rule does not watch for it any more. Heard by gateway (live feed)."""

    type, version = "alert.resolved", 1
    raised_at: datetime
    reason: Literal["over", "rule_changed"] = "over"
