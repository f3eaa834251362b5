"""The loop that looks for what alert rules watch for. Any number of processes run it; one at a time does it, under a lease."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final, cast, get_args
from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Gauge
from weft_runtime.clock import new_id
from weft_runtime.context import ServiceContext

from weft_analytics.alerts import Kind
from weft_analytics.settings import Settings
from weft_analytics.store import alerts as store
from weft_analytics.store import duties
from weft_analytics.usecases import alerts

DUTY: Final = "alerts"
LEASES: Final = 4
"""Looks for which a lease lasts: who died is followed by another after so many."""
KINDS: Final = get_args(Kind)


class AlertMetrics:
    """What is counted of alerts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.open = Gauge(
            "weft_alerts_open", "Alerts that are not over, by kind, told by the process that looks.", ("kind",), registry=registry
        )
        self.raised = Counter("weft_alerts_raised", "Alerts that were raised, by kind.", ("kind",), registry=registry)
        self.resolved = Counter("weft_alerts_resolved", "Alerts that were resolved, by kind.", ("kind",), registry=registry)
        self.looking = Gauge("weft_alerts_looking", "Whether this process is the one that looks.", registry=registry)
        self.looked_at = Gauge(
            "weft_alerts_looked_timestamp_seconds", "When this process last looked after every tenant.", registry=registry
        )


async def watch(context: ServiceContext) -> None:
    """Look every now and then, until cancelled."""
    holder = new_id()
    while True:
        await look(context, holder)
        await asyncio.sleep(_every_s(context))


async def look(context: ServiceContext, holder: UUID) -> bool:
    """Look after every tenant that has rules. Returns: whether this process is the one to do so. Raises: Unavailable."""
    metrics, lease = context.part(AlertMetrics), timedelta(seconds=LEASES * _every_s(context))
    async with context.owner_transaction() as uow:
        mine = await duties.take(uow, DUTY, holder, lease)
        tenants = await store.tenants(uow) if mine else ()
    for tenant in tenants:
        with context.sparing("alerts", tenant=tenant):
            async with context.owner_transaction(tenant) as uow:
                # Within the transaction: who was held up for longer than its lease finds it taken, and changes nothing.
                mine = await duties.take(uow, DUTY, holder, lease)
                changes = await alerts.look(uow) if mine else None
            if changes is None:
                break
            for counter, some in ((metrics.raised, changes.raised), (metrics.resolved, changes.resolved)):
                for alert in some:
                    counter.labels(alert.kind).inc()
    metrics.looking.set(mine)
    async with context.owner_transaction() as uow:
        standing = await store.open_by_kind(uow) if mine else {}
    for kind in KINDS:
        metrics.open.labels(kind).set(standing.get(kind, 0))
    if mine:
        metrics.looked_at.set(context.clock.now().timestamp())
    return mine


def _every_s(context: ServiceContext) -> float:
    return cast(Settings, context.settings).alerts_every_s
