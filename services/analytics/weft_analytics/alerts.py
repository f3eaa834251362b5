"""Alerts: what a rule watches for, and which alerts follow from what is found. Pure.

An alert is of a rule and a workflow: while it is open nothing is said again, however many executions come to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from weft_contracts.alerts import AlertRaised, AlertResolved
from weft_contracts.message import Message
from weft_runtime.uow import Decision

from weft_analytics.errors import AlertIsOver
from weft_analytics.histogram import percentile

Kind = Literal["failed", "stuck", "overdue", "slow", "costly", "budget"]
"""`budget` is of no rule that somebody made: it follows from a budget."""
Severity = Literal["info", "warning", "critical"]
SHARES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Rule:
    """What is watched for. workflow: one, or None for each.  conditions: by the kind, as `schemas.alerts` has them.

    revision: counts its changes, from 1.
    """

    id: UUID
    tenant: str
    name: str
    kind: Kind
    workflow: str | None
    severity: Severity
    enabled: bool
    conditions: Mapping[str, Any]
    revision: int
    created_at: datetime
    created_by: str | None
    updated_at: datetime
    updated_by: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is as a rule watches for it. workflow: where.  details: numbers, and ids of some executions."""

    workflow: str
    summary: str
    details: Mapping[str, Any]


@dataclass(slots=True)
class Alert:
    """An alert. workflow: what it is about; with its rule, that is its cause."""

    id: UUID
    tenant: str
    rule_id: UUID
    rule: str
    kind: str
    severity: Severity
    workflow: str
    summary: str
    details: Mapping[str, Any]
    raised_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    note: str | None = None
    resolved_at: datetime | None = None

    @property
    def status(self) -> str:
        """`open`, `acknowledged` or `resolved`."""
        if self.resolved_at is not None:
            return "resolved"
        return "open" if self.acknowledged_at is None else "acknowledged"


@dataclass(slots=True)
class Changes:
    """What a look makes of the alerts of a tenant."""

    raised: list[Alert] = field(default_factory=list)
    changed: list[Alert] = field(default_factory=list)
    resolved: list[Alert] = field(default_factory=list)


def decide(
    rules: Sequence[tuple[Rule, Sequence[Found]]], standing: Iterable[Alert], now: datetime, ids: Iterable[UUID]
) -> Decision[Changes]:
    """What follows from what was found. standing: alerts that are not resolved.  ids: for new ones.

    Alerts of rules that are not among these are over.
    """
    by_cause = {(alert.rule_id, alert.workflow): alert for alert in standing}
    changes, says, more = Changes(), list[Message](), iter(ids)
    for rule, found in rules:
        for one in found:
            cause = (rule.id, one.workflow)
            alert = by_cause.pop(cause) if cause in by_cause and by_cause[cause].kind == rule.kind else None
            if alert is None:
                raised = Alert(
                    next(more), rule.tenant, rule.id, rule.name, rule.kind, rule.severity, one.workflow, one.summary, one.details, now
                )
                changes.raised.append(raised)
                says.append(AlertRaised(**_told(raised), at=now, details=dict(one.details)))
            elif (alert.summary, alert.details, alert.rule, alert.severity) != (one.summary, one.details, rule.name, rule.severity):
                alert.summary, alert.details, alert.rule, alert.severity = one.summary, one.details, rule.name, rule.severity
                changes.changed.append(alert)
    looked_for = {rule.id: rule for rule, _ in rules}
    for alert in by_cause.values():
        alert.resolved_at = now
        changes.resolved.append(alert)
        rule_ = looked_for.get(alert.rule_id)
        watched = rule_ is not None and rule_.kind == alert.kind and rule_.workflow in (None, alert.workflow)
        says.append(AlertResolved(**_told(alert), at=now, raised_at=alert.raised_at, reason="over" if watched else "rule_changed"))
    return Decision(changes, says)


def acknowledge(alert: Alert, by: str, note: str | None, now: datetime) -> Decision[Alert]:
    """Somebody has seen it. Who was first stays. Raises: AlertIsOver."""
    if alert.resolved_at is not None:
        raise AlertIsOver(f"alert {alert.id} is over since {alert.resolved_at.isoformat()}; there is nothing to acknowledge any more")
    if alert.acknowledged_at is None:
        alert.acknowledged_at, alert.acknowledged_by, alert.note = now, by, note
    return Decision(alert)


def _told(alert: Alert) -> dict[str, Any]:
    return {
        "alert_id": alert.id,
        "rule_id": alert.rule_id,
        "rule": alert.rule,
        "kind": alert.kind,
        "severity": alert.severity,
        "workflow": alert.workflow,
        "summary": alert.summary,
    }


def failed(conditions: Mapping[str, Any], workflow: str, ended_badly: int, ended_well: int, some: Sequence[str]) -> Found | None:
    """Whether so many failed. some: ids of the newest."""
    whole = ended_badly + ended_well
    share = ended_badly / whole if whole else 0.0
    if ended_badly < conditions["count"] or (conditions["share"] is not None and share < conditions["share"]):
        return None
    summary = f"{_executions(ended_badly)} of {workflow} failed in {conditions['within']}, {share:.0%} of those that ended"
    return Found(workflow, summary, {"failed": ended_badly, "completed": ended_well, "executions": list(some)})


def stuck(conditions: Mapping[str, Any], workflow: str, count: int, some: Sequence[str]) -> Found | None:
    """Whether so many do not go on."""
    if count < conditions["count"]:
        return None
    summary = f"of {_executions(count)} of {workflow} that should go on nothing was heard for {conditions['after']} or longer"
    return Found(workflow, summary, {"stuck": count, "executions": list(some)})


def overdue(conditions: Mapping[str, Any], workflow: str, count: int, some: Sequence[str]) -> Found | None:
    """Whether so many are late."""
    if count < conditions["count"]:
        return None
    return Found(workflow, f"{_executions(count)} of {workflow} should have ended by now", {"overdue": count, "executions": list(some)})


def slow(conditions: Mapping[str, Any], workflow: str, durations: Mapping[int, int], over_ms: int) -> Found | None:
    """Whether they take too long. durations: counts by bucket of those that completed."""
    count, name = sum(durations.values()), conditions["percentile"]
    took_ms = percentile(durations, SHARES[name])
    if took_ms is None or count < conditions["count"] or took_ms <= over_ms:
        return None
    summary = f"{name} of {workflow} is {took_ms / 1000:g} s over {conditions['within']}; it should be {conditions['over']} at most"
    return Found(workflow, summary, {f"{name}_ms": took_ms, "completed": count})


def _executions(count: int) -> str:
    return "one execution" if count == 1 else f"{count} executions"
