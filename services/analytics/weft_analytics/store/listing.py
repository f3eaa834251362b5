"""Executions listed and searched, always of one tenant and along an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.uow import UnitOfWork

from weft_analytics.domain import Execution
from weft_analytics.store.hearing import execution
from weft_analytics.tables import executions as table


@dataclass(frozen=True, slots=True)
class Filter:
    """Which executions. since, until: of their start.  q: an id, or the beginning of a key, event id, workflow or error code."""

    workflow: str | None = None
    statuses: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    key: str | None = None
    event_id: str | None = None
    parent: UUID | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    q: str | None = None


async def listed(uow: UnitOfWork, wanted: Filter, *, after: tuple[Any, ...] | None, limit: int) -> list[Execution]:
    """Executions that fit, the latest started first. after: (started_at, id) of the last one seen."""
    query = sa.select(table).where(table.c.tenant_id == uow.tenant, *_conditions(wanted))
    if after is not None:
        query = query.where(sa.tuple_(table.c.started_at, table.c.id) < sa.tuple_(*map(sa.literal, after)))
    rows = await uow.conn.execute(query.order_by(table.c.started_at.desc(), table.c.id.desc()).limit(limit))
    return [execution(row) for row in rows]


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    equal = {"workflow": wanted.workflow, "key": wanted.key, "event_id": wanted.event_id, "parent": wanted.parent}
    found += [table.c[name] == value for name, value in equal.items() if value is not None]
    if wanted.statuses:
        found.append(table.c.status.in_(wanted.statuses))
        if "completed" not in wanted.statuses:
            # Says what the partial index over everything else needs to be told to be used.
            found.append(table.c.status != "completed")
    if wanted.since is not None:
        found.append(table.c.started_at >= wanted.since)
    if wanted.until is not None:
        found.append(table.c.started_at < wanted.until)
    if wanted.labels:
        found += [table.c.labels.contains(sa.cast(dict(wanted.labels), JSONB)), table.c.labels != sa.text("'{}'::jsonb")]
    if wanted.q:
        found.append(_search(wanted.q.strip()))
    return found


def _search(text: str) -> sa.ColumnElement[bool]:
    try:
        return table.c.id == UUID(text)
    except ValueError:
        places = (table.c.key, table.c.event_id, table.c.workflow, table.c.error_code)
        return sa.or_(*(place.startswith(text, autoescape=True) for place in places))
