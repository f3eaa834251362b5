"""Taking events in: one statement for many, each with its tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from weft_runtime.database.engine import to_json
from weft_runtime.uow import UnitOfWork

from weft_events.domain import MAX_CONSIDERED, Considered, Received, payload_of
from weft_events.listening import Kind
from weft_events.machine import EventStatus

EventKey = tuple[str, str, str]
"""What makes an event the same: tenant, source, CloudEvents id."""


async def claim(uow: UnitOfWork, received: Sequence[Received]) -> dict[EventKey, UUID]:
    """The id each event has from now on: the one given, or that of the same event which was here before."""
    # In one order everywhere, so that two batches with the same events wait for each other instead of locking each other out.
    rows = sorted(received, key=key_of)
    columns = {
        "tenants": [row.tenant for row in rows],
        "events": [row.event.id for row in rows],
        "sources": [row.event.source for row in rows],
        "ids": [row.id for row in rows],
        "times": [row.at for row in rows],
    }
    claimed = {(row.tenant_id, row.source, row.event_id): row.id for row in await uow.conn.execute(_CLAIM, columns)}
    missing = [key for key in map(key_of, rows) if key not in claimed]
    if missing:
        tenants, sources, events = (list(column) for column in zip(*missing, strict=True))
        found = await uow.conn.execute(_CLAIMED, {"tenants": tenants, "sources": sources, "events": events})
        claimed |= {(row.tenant_id, row.source, row.event_id): row.id for row in found}
    return claimed


def key_of(received: Received) -> EventKey:
    """What makes this event the same as another."""
    return received.tenant, received.event.source, received.event.id


async def add(uow: UnitOfWork, rows: Sequence[tuple[Received, EventStatus, Sequence[Considered]]]) -> dict[str, list[Kind]]:
    """Write events into the log, each with where it stands and what was considered for it.

    Returns: the kinds of waits that there are, by tenant; the same statement reads them, so that they cost nobody a query.
    """
    if not rows:
        return {}
    made = [_row(received, status, considered) for received, status, considered in rows]
    kinds: dict[str, list[Kind]] = {}
    for row in await uow.conn.execute(_ADD, {name: [row[name] for row in made] for name in made[0]}):
        kinds.setdefault(row.tenant_id, []).append(Kind(row.tenant_id, row.pattern, row.path))
    return kinds


async def count_duplicates(uow: UnitOfWork, again: Mapping[tuple[str, UUID], int]) -> None:
    """Note how often events came again. again: by tenant and id."""
    if again:
        keys = sorted(again)
        columns = {"tenants": [key[0] for key in keys], "ids": [key[1] for key in keys], "counts": [again[key] for key in keys]}
        await uow.conn.execute(_COUNT_DUPLICATES, columns)


def _row(received: Received, status: EventStatus, considered: Sequence[Considered]) -> dict[str, Any]:
    given = received.event
    started = [str(one.start.execution_id) for one in considered if one.start is not None]
    return {
        "tenants": received.tenant,
        "ids": received.id,
        "times": received.at,
        "events": given.id,
        "sources": given.source,
        "types": given.type,
        "subjects": given.subject,
        "occurred": given.time or received.at,
        "attributes": to_json(given.attributes()),
        "data": None if given.data is None else to_json(payload_of(given)),
        "binary": isinstance(given.data, bytes),
        "requests": None if received.request is None else to_json(received.request),
        "statuses": status.value,
        "started": to_json(started),
        "considered": to_json([_kept(one) for one in considered[:MAX_CONSIDERED]]),
        "totals": len(considered),
    }


def _kept(one: Considered) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "workflow": one.workflow,
        "version": one.version,
        "trigger": one.trigger,
        "matched": one.matched,
        "reason": one.reason,
    }
    if one.detail is not None:
        kept["detail"] = one.detail
    if one.start is not None:
        kept["execution_id"] = str(one.start.execution_id)
    return kept


_CLAIM = sa.text(
    "INSERT INTO events.event_key (tenant_id, event_id, source, id, received_at) SELECT * FROM unnest("
    "CAST(:tenants AS text[]), CAST(:events AS text[]), CAST(:sources AS text[]), CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) "
    "ON CONFLICT DO NOTHING RETURNING tenant_id, source, event_id, id"
)
_CLAIMED = sa.text(
    "SELECT k.tenant_id, k.source, k.event_id, k.id FROM events.event_key k "
    "JOIN unnest(CAST(:tenants AS text[]), CAST(:events AS text[]), CAST(:sources AS text[])) AS given (tenant, event, source) "
    "ON k.tenant_id = given.tenant AND k.event_id = given.event AND k.source = given.source"
)
_ADD = sa.text(
    "WITH added AS ("
    "INSERT INTO events.event (tenant_id, id, received_at, event_id, source, type, subject, time, attributes, data, is_binary, "
    "request, status, started, considered, considered_total) "
    "SELECT tenant, id, at, event, source, type, subject, occurred, CAST(attributes AS json), CAST(data AS json), is_binary, "
    "CAST(request AS json), status, CAST(started AS jsonb), CAST(considered AS json), total FROM unnest("
    "CAST(:tenants AS text[]), CAST(:ids AS uuid[]), CAST(:times AS timestamptz[]), CAST(:events AS text[]), CAST(:sources AS text[]), "
    "CAST(:types AS text[]), CAST(:subjects AS text[]), CAST(:occurred AS timestamptz[]), CAST(:attributes AS text[]), "
    "CAST(:data AS text[]), CAST(:binary AS boolean[]), CAST(:requests AS text[]), CAST(:statuses AS text[]), CAST(:started AS text[]), "
    "CAST(:considered AS text[]), CAST(:totals AS integer[])) "
    "AS given (tenant, id, at, event, source, type, subject, occurred, attributes, data, is_binary, request, "
    "status, started, considered, total)) "
    "SELECT l.tenant_id, l.pattern, l.path FROM events.listened l WHERE l.tenant_id = ANY(CAST(:tenants AS text[])) "
    "ORDER BY l.tenant_id, l.pattern, l.path"
)
_COUNT_DUPLICATES = sa.text(
    "UPDATE events.event AS e SET duplicates = duplicates + again.count FROM unnest("
    "CAST(:tenants AS text[]), CAST(:ids AS uuid[]), CAST(:counts AS integer[])) AS again (tenant, id, count) "
    "WHERE e.tenant_id = again.tenant AND e.id = again.id"
)
