"""The log of events, and what became of what they started."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_events.domain import Logged
from weft_events.errors import EventNotFound
from weft_events.machine import LEGAL, EventStatus
from weft_events.tables import delivery, event, event_key, verdict


async def note_verdict(uow: UnitOfWork, of: UUID, execution_id: UUID, reason: str, detail: str) -> None:
    """Remember why a start did not become an execution, which its event is no longer said to have started; the first word stands."""
    row = {"tenant_id": uow.tenant, "id": of, "execution_id": execution_id, "reason": reason, "detail": detail}
    await uow.conn.execute(insert(verdict).values(row).on_conflict_do_nothing())
    started = event.c.started.op("-")(sa.cast(str(execution_id), sa.Text))
    await uow.conn.execute(sa.update(event).where(event.c.tenant_id == uow.tenant, event.c.id == of).values(started=started))


async def reject_if_all_were(uow: UnitOfWork, of: UUID) -> None:
    """Let an event be `rejected` when every start it led to was refused."""
    others = sa.exists().where(verdict.c.tenant_id == uow.tenant, verdict.c.id == of, verdict.c.reason != "rejected")
    stands = (event.c.tenant_id == uow.tenant, event.c.id == of, event.c.status == EventStatus.MATCHED.value)
    changed = {"status": LEGAL[EventStatus.MATCHED, "reject"].value}
    await uow.conn.execute(sa.update(event).where(*stands, sa.func.jsonb_array_length(event.c.started) == 0, ~others).values(changed))


async def verdicts(uow: UnitOfWork, of: UUID) -> dict[str, tuple[str, str]]:
    """Why starts of an event did not become executions: (reason, detail) by execution id."""
    query = sa.select(verdict).where(verdict.c.tenant_id == uow.tenant, verdict.c.id == of)
    return {str(row.execution_id): (row.reason, row.detail) for row in await uow.conn.execute(query)}


async def get(uow: UnitOfWork, named: str, source: str | None = None) -> Logged:
    """One event, whole, by our id or by the id its sender gave it (the newest where several senders gave it).

    source: its sender, None for any.  Raises: EventNotFound.
    """
    query = sa.select(event).where(event.c.tenant_id == uow.tenant)
    row = None
    if (ours := as_uuid(named)) is not None:
        row = (await uow.conn.execute(query.where(event.c.id == ours))).mappings().one_or_none()
    if row is None:
        key = sa.select(event_key.c.id).where(event_key.c.tenant_id == uow.tenant, event_key.c.event_id == named)
        key = key if source is None else key.where(event_key.c.source == source)
        newest = key.order_by(event_key.c.id.desc()).limit(1).scalar_subquery()
        row = (await uow.conn.execute(query.where(event.c.id == newest))).mappings().one_or_none()
    if row is None:
        raise EventNotFound(f"there is no event {named[:200]!r}; GET /api/v1/events lists those there are")
    return Logged(**{name: row[name] for name in (*_LISTED, "data", "request")}, considered=tuple(row["considered"]))


async def delivered(uow: UnitOfWork, of: UUID) -> list[UUID]:
    """The executions in which an event ended a wait."""
    query = sa.select(delivery.c.execution_id).where(delivery.c.tenant_id == uow.tenant, delivery.c.id == of)
    return list((await uow.conn.execute(query.order_by(delivery.c.execution_id))).scalars())


async def list_events(
    uow: UnitOfWork,
    *,
    type_: str | None,
    source: str | None,
    status: Collection[str],
    since: datetime | None,
    until: datetime | None,
    text: str | None,
    after: UUID | None,
    limit: int,
) -> list[Logged]:
    """Events without their data, newest first.

    type_: exact, or a glob with `*`.  status: as stored, or `duplicate` for events that came more than once.
    since, until: of their receipt, until excluded.  text: in id, source, subject or type.  after: our id of the last one seen.
    """
    query = sa.select(*(event.c[name] for name in _LISTED)).where(event.c.tenant_id == uow.tenant)
    if type_ is not None:
        query = query.where(event.c.type.like(_like(type_), escape="\\") if "*" in type_ else event.c.type == type_)
    if source is not None:
        query = query.where(event.c.source == source)
    if status:
        stored = event.c.status.in_([one for one in status if one != "duplicate"])
        query = query.where(sa.or_(stored, event.c.duplicates > 0) if "duplicate" in status else stored)
    if since is not None:
        query = query.where(event.c.received_at >= since)
    if until is not None:
        query = query.where(event.c.received_at < until)
    if text:
        searched = (event.c.event_id, event.c.source, event.c.subject, event.c.type)
        query = query.where(sa.or_(*(column.icontains(text, autoescape=True) for column in searched)))
    if after is not None:
        query = query.where(event.c.id < after)
    rows = (await uow.conn.execute(query.order_by(event.c.id.desc()).limit(limit))).mappings()
    return [Logged(**row) for row in rows]


def as_uuid(text: str) -> UUID | None:
    """The id in a text, None where there is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _like(glob: str) -> str:
    return glob.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")


_LISTED = (
    *("id", "received_at", "event_id", "source", "type", "subject", "time", "attributes"),
    *("status", "started", "considered_total", "duplicates", "is_binary"),
)
