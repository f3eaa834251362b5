"""Alerts, and the rules that raise them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.http import IfMatch, Listing, Page, Reply, Uow

from weft_analytics.alerts import Rule
from weft_analytics.api.routes import door
from weft_analytics.schemas.alerts import AckBody, AlertQuery, AlertView, RuleBody, RuleView
from weft_analytics.store import alerts as store
from weft_analytics.usecases import alerts


@door.get("/alerts/rules", may=Permission.ANALYTICS_READ)
async def list_alert_rules(page: Page, uow: Uow) -> Listing[RuleView]:
    """What is watched for, the oldest rule first."""
    rows = await store.rules(uow, page.after, page.limit + 1)
    return page.listing(rows, view=RuleView.of, key=lambda rule: (rule.created_at, rule.id))


@door.post("/alerts/rules", may=Permission.ALERTS_MANAGE, status=201)
async def create_alert_rule(body: RuleBody, uow: Uow) -> Reply[RuleView]:
    """Watch for something. It is looked for within seconds."""
    kind, conditions = body.watched()
    made = await alerts.create_rule(body.name, kind, body.workflow, body.severity, conditions, uow, enabled=body.enabled)
    return _shown(made, status=201)


@door.get("/alerts/rules/{rule_id}", may=Permission.ANALYTICS_READ)
async def get_alert_rule(rule_id: UUID, uow: Uow) -> Reply[RuleView]:
    """One rule."""
    return _shown(await alerts.get_rule(rule_id, uow))


@door.put("/alerts/rules/{rule_id}", may=Permission.ALERTS_MANAGE)
async def put_alert_rule(rule_id: UUID, body: RuleBody, etag: IfMatch, uow: Uow) -> Reply[RuleView]:
    """Watch for something else. Alerts that do not follow from it are resolved."""
    kind, conditions = body.watched()
    to = {name: getattr(body, name) for name in ("name", "workflow", "severity", "enabled")}
    return _shown(await alerts.change_rule(rule_id, etag, uow, kind=kind, conditions=conditions, **to))


@door.delete("/alerts/rules/{rule_id}", may=Permission.ALERTS_MANAGE, status=204)
async def delete_alert_rule(rule_id: UUID, etag: IfMatch, uow: Uow) -> Reply[None]:
    """Watch no more. Its open alerts are resolved."""
    await alerts.remove_rule(rule_id, etag, uow)
    return Reply(None)


@door.get("/alerts", may=Permission.ANALYTICS_READ)
async def list_alerts(query: Annotated[AlertQuery, Query()], page: Page, uow: Uow) -> Listing[AlertView]:
    """Alerts, the newest first."""
    about = query.status, query.kind, query.workflow
    rows = await store.listed(uow, *about, after=page.after, limit=page.limit + 1)
    return page.listing(rows, view=AlertView.of, key=lambda alert: (alert.raised_at, alert.id))


@door.get("/alerts/{alert_id}", may=Permission.ANALYTICS_READ)
async def get_alert(alert_id: UUID, uow: Uow) -> AlertView:
    """One alert."""
    return AlertView.of(await alerts.get_alert(alert_id, uow))


@door.post("/alerts/{alert_id}/ack", may=Permission.ALERTS_MANAGE)
async def acknowledge_alert(alert_id: UUID, uow: Uow, body: AckBody | None = None) -> AlertView:
    """Say that somebody has seen it. It stays until it is over by itself."""
    return AlertView.of(await alerts.acknowledge(alert_id, None if body is None else body.note, uow))


def _shown(rule: Rule, status: int = 200) -> Reply[RuleView]:
    headers = {"Location": f"/api/v1/alerts/rules/{rule.id}"} if status == 201 else {}
    return Reply(RuleView.of(rule), etag=str(rule.revision), status=status, headers=headers)
