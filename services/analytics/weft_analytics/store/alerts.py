"""Alert rules and alerts, read and written always of one tenant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_analytics.alerts import Alert, Changes, Rule
from weft_analytics.tables import alert_rules, alerts, budgets

_RULE: Final = (
    "id",
    "name",
    "kind",
    "workflow",
    "severity",
    "enabled",
    "conditions",
    "revision",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
)
_ALERT: Final = (
    "id", "rule_id", "rule", "kind", "severity", "workflow", "summary", "details", "raised_at", "acknowledged_at", "acknowledged_by",
    "note", "resolved_at",
)  # fmt: skip


async def tenants(uow: UnitOfWork) -> Sequence[str]:
    """Every tenant_id that has rules, budgets, or alerts that are not over."""
    ruled = sa.select(alert_rules.c.tenant_id).where(alert_rules.c.enabled)
    budgeted = sa.select(budgets.c.tenant_id).where(budgets.c.enabled)
    standing_ = sa.select(alerts.c.tenant_id).where(alerts.c.resolved_at.is_(None))
    return (await uow.conn.execute(sa.union(ruled, budgeted, standing_).order_by("tenant_id"))).scalars().all()


async def rules(uow: UnitOfWork, after: tuple[Any, ...] | None = None, limit: int | None = None) -> list[Rule]:
    """Rules, the oldest first. after: (created_at, id) of the last one seen."""
    query = sa.select(alert_rules).where(alert_rules.c.tenant_id == uow.tenant)
    if after is not None:
        query = query.where(sa.tuple_(alert_rules.c.created_at, alert_rules.c.id) > sa.tuple_(*map(sa.literal, after)))
    query = query.order_by(alert_rules.c.created_at, alert_rules.c.id)
    return [_rule(row) for row in await uow.conn.execute(query if limit is None else query.limit(limit))]


async def count_rules(uow: UnitOfWork) -> int:
    """How many rules the tenant has."""
    return (await uow.conn.execute(sa.select(sa.func.count()).where(alert_rules.c.tenant_id == uow.tenant))).scalar_one()


async def rule(uow: UnitOfWork, rule_id: UUID, *, lock: bool = False) -> Rule | None:
    """One rule, None where there is none. lock: nobody else changes it while the transaction lasts."""
    query = sa.select(alert_rules).where(alert_rules.c.tenant_id == uow.tenant, alert_rules.c.id == rule_id)
    row = (await uow.conn.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else _rule(row)


async def save_rule(uow: UnitOfWork, changed: Rule) -> None:
    """Write a rule, new or changed."""
    values = {name: getattr(changed, name) for name in _RULE}
    if changed.revision == 1:
        await uow.conn.execute(sa.insert(alert_rules).values(tenant_id=uow.tenant, **values))
        return
    await uow.conn.execute(
        sa.update(alert_rules).where(alert_rules.c.tenant_id == uow.tenant, alert_rules.c.id == changed.id).values(values)
    )


async def remove_rule(uow: UnitOfWork, rule_id: UUID) -> None:
    """Delete a rule. Its alerts stay."""
    await uow.conn.execute(sa.delete(alert_rules).where(alert_rules.c.tenant_id == uow.tenant, alert_rules.c.id == rule_id))


async def standing(uow: UnitOfWork) -> list[Alert]:
    """Alerts that are not over, held while the transaction lasts."""
    query = sa.select(alerts).where(alerts.c.tenant_id == uow.tenant, alerts.c.resolved_at.is_(None))
    return [_alert(row) for row in await uow.conn.execute(query.order_by(alerts.c.id).with_for_update())]


async def alert(uow: UnitOfWork, alert_id: UUID, *, lock: bool = False) -> Alert | None:
    """One alert, None where there is none."""
    query = sa.select(alerts).where(alerts.c.tenant_id == uow.tenant, alerts.c.id == alert_id)
    row = (await uow.conn.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else _alert(row)


async def listed(
    uow: UnitOfWork, status: Sequence[str], kind: str | None, workflow: str | None, *, after: tuple[Any, ...] | None, limit: int
) -> list[Alert]:
    """Alerts, the newest first. after: (raised_at, id) of the last one seen."""
    where = [alerts.c.tenant_id == uow.tenant]
    where += [column == value for column, value in ((alerts.c.kind, kind), (alerts.c.workflow, workflow)) if value is not None]
    if status:
        over, seen = alerts.c.resolved_at.is_not(None), alerts.c.acknowledged_at.is_not(None)
        by_status = {"resolved": over, "acknowledged": sa.and_(~over, seen), "open": sa.and_(~over, ~seen)}
        where.append(sa.or_(*(by_status[one] for one in status)))
    if after is not None:
        where.append(sa.tuple_(alerts.c.raised_at, alerts.c.id) < sa.tuple_(*map(sa.literal, after)))
    query = sa.select(alerts).where(*where).order_by(alerts.c.raised_at.desc(), alerts.c.id.desc()).limit(limit)
    return [_alert(row) for row in await uow.conn.execute(query)]


async def save(uow: UnitOfWork, changes: Changes) -> None:
    """Write what a look came to. What is over goes first: another alert may be of the same rule and workflow."""
    for one in (*changes.resolved, *changes.changed):
        await save_alert(uow, one)
    if changes.raised:
        await uow.conn.execute(sa.insert(alerts), [{"tenant_id": uow.tenant, **_values(one)} for one in changes.raised])


async def save_alert(uow: UnitOfWork, changed: Alert) -> None:
    """Write an alert as it is now."""
    await uow.conn.execute(sa.update(alerts).where(alerts.c.tenant_id == uow.tenant, alerts.c.id == changed.id).values(_values(changed)))


async def open_by_kind(uow: UnitOfWork) -> dict[str, int]:
    """How many are not over, by kind, of every tenant_id."""
    query = sa.select(alerts.c.kind, sa.func.count().label("n")).where(alerts.c.resolved_at.is_(None)).group_by(alerts.c.kind)
    return {row.kind: row.n for row in await uow.conn.execute(query)}


async def forget(uow: UnitOfWork, before: datetime) -> None:
    """Delete alerts that were over before, of every tenant_id."""
    await uow.conn.execute(sa.delete(alerts).where(alerts.c.resolved_at < before))


def _values(one: Alert) -> dict[str, Any]:
    values = asdict(one)
    return {name: values[name] for name in _ALERT}


def _rule(row: sa.Row[Any]) -> Rule:
    return Rule(tenant=row.tenant_id, **_named(row, _RULE))


def _alert(row: sa.Row[Any]) -> Alert:
    return Alert(tenant=row.tenant_id, **_named(row, _ALERT))


def _named(row: sa.Row[Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
