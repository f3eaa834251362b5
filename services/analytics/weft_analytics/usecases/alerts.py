"""The verbs of alerts: rules are made, changed and removed; what they watch for is looked for; somebody has seen it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import repeat
from typing import Any, Final
from uuid import UUID

from weft_runtime.clock import new_id
from weft_runtime.errors import PreconditionFailed
from weft_runtime.uow import UnitOfWork

from weft_analytics import alerts, costs
from weft_analytics.alerts import Alert, Changes, Found, Kind, Rule, Severity
from weft_analytics.errors import AlertUnknown, RuleUnknown, TooManyRules
from weft_analytics.store import alerts as store
from weft_analytics.store import conditions as found
from weft_analytics.store import costs as spent
from weft_analytics.usecases import audit
from weft_analytics.window import duration_seconds

RULES_MOST: Final = 100
"""Rules of one tenant at most: each is looked after every few seconds."""


async def create_rule(
    name: str, kind: Kind, workflow: str | None, severity: Severity, conditions: Mapping[str, Any], uow: UnitOfWork, *, enabled: bool
) -> Rule:
    """Watch for something. Raises: TooManyRules."""
    if await store.count_rules(uow) >= RULES_MOST:
        raise TooManyRules(f"a tenant has at most {RULES_MOST} alert rules; remove one, or let one watch every workflow")
    by = _who(uow)
    rule = Rule(new_id(), uow.tenant, name, kind, workflow, severity, enabled, conditions, 1, uow.now, by, uow.now, by)
    await store.save_rule(uow, rule)
    await _note(rule, "created", uow)
    return rule


async def get_rule(rule_id: UUID, uow: UnitOfWork, *, lock: bool = False) -> Rule:
    """One rule. Raises: RuleUnknown."""
    rule = await store.rule(uow, rule_id, lock=lock)
    if rule is None:
        raise RuleUnknown(f"there is no alert rule {rule_id}; list them with GET /api/v1/alerts/rules")
    return rule


async def change_rule(rule_id: UUID, etag: str | None, uow: UnitOfWork, **to: Any) -> Rule:
    """Watch for something else. What is over by that is resolved at the next look. Raises: RuleUnknown, PreconditionFailed."""
    rule = await get_rule(rule_id, uow, lock=True)
    _require(rule, etag)
    rule = replace(rule, **to, revision=rule.revision + 1, updated_at=uow.now, updated_by=_who(uow))
    await store.save_rule(uow, rule)
    await _note(rule, "changed", uow)
    return rule


async def remove_rule(rule_id: UUID, etag: str | None, uow: UnitOfWork) -> None:
    """Watch no more. Its open alerts are resolved at the next look. Raises: RuleUnknown, PreconditionFailed."""
    rule = await get_rule(rule_id, uow, lock=True)
    _require(rule, etag)
    await store.remove_rule(uow, rule_id)
    await audit.note("alert_rule.removed", "alert_rule", str(rule_id), None, uow)


async def get_alert(alert_id: UUID, uow: UnitOfWork, *, lock: bool = False) -> Alert:
    """One alert. Raises: AlertUnknown."""
    alert = await store.alert(uow, alert_id, lock=lock)
    if alert is None:
        raise AlertUnknown(f"there is no alert {alert_id}; list them with GET /api/v1/alerts")
    return alert


async def acknowledge(alert_id: UUID, note: str | None, uow: UnitOfWork) -> Alert:
    """Somebody has seen it. Raises: AlertUnknown, AlertIsOver."""
    decision = alerts.acknowledge(await get_alert(alert_id, uow, lock=True), _who(uow) or "", note, uow.now)
    await store.save_alert(uow, decision.state)
    if decision.state.acknowledged_at == uow.now:
        await audit.note("alert.acknowledged", "alert", str(alert_id), {"note": note}, uow)
    return decision.state


async def look(uow: UnitOfWork) -> Changes:
    """Look for what the rules of a tenant watch for, raise what is new, resolve what is over, and say both."""
    looked: list[tuple[Rule, Sequence[Found]]] = [(rule, await _found(rule, uow)) for rule in await store.rules(uow) if rule.enabled]
    looked += costs.watched(await spent.standing(uow))
    decision = alerts.decide(looked, await store.standing(uow), uow.now, (new_id() for _ in repeat(None)))
    await store.save(uow, decision.state)
    uow.say(*decision.says)
    return decision.state


async def forget(kept: timedelta, uow: UnitOfWork) -> None:
    """Keep alerts that are over for so long only."""
    await store.forget(uow, uow.now - kept)


async def _found(rule: Rule, uow: UnitOfWork) -> Sequence[Found]:
    given, workflow = rule.conditions, rule.workflow
    every: list[Found | None] = []
    if rule.kind == "failed":
        since = uow.now - timedelta(seconds=duration_seconds(given["within"]))
        for row in await found.ended(uow, workflow, since):
            one = alerts.failed(given, row.workflow, row.badly, row.well, ())
            if one is not None:
                one = alerts.failed(given, row.workflow, row.badly, row.well, await found.newest_failed(uow, row.workflow, since))
            every.append(one)
    elif rule.kind == "stuck":
        before = uow.now - timedelta(seconds=duration_seconds(given["after"]))
        every = [alerts.stuck(given, row.workflow, row.n, row.some) for row in await found.silent(uow, workflow, before)]
    elif rule.kind == "overdue":
        every = [alerts.overdue(given, row.workflow, row.n, row.some) for row in await found.late(uow, workflow, uow.now)]
    elif rule.kind == "costly":
        since = uow.now - timedelta(seconds=duration_seconds(given["within"]))
        rows = await spent.dear(uow, workflow, since)
        every = [costs.costly(given, row.workflow, row.cost, row.calls, row.dearest) for row in rows]
    else:
        since = uow.now - timedelta(seconds=duration_seconds(given["within"]))
        over_ms = 1000 * duration_seconds(given["over"])
        every = [alerts.slow(given, name, took, over_ms) for name, took in (await found.took(uow, workflow, since)).items()]
    return [one for one in every if one is not None]


def _require(rule: Rule, etag: str | None) -> None:
    if etag is not None and etag != str(rule.revision):
        raise PreconditionFailed(f"alert rule {rule.id} was changed in the meantime: read it again, it is at {rule.revision} now")


async def _note(rule: Rule, what: str, uow: UnitOfWork) -> None:
    shown = {name: getattr(rule, name) for name in ("name", "kind", "workflow", "severity", "enabled", "conditions")}
    await audit.note(f"alert_rule.{what}", "alert_rule", str(rule.id), shown, uow)


def _who(uow: UnitOfWork) -> str | None:
    return uow.caller.sub if uow.caller is not None else None
