"""The parked table: what could not be handled, whole, with the reason and what is to become of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from weft_runtime.clock import new_id
from weft_runtime.database import plumbing
from weft_runtime.database.tenancy import quote
from weft_runtime.pipeline.reading import Origin, Piece
from weft_runtime.pipeline.verdicts import Verdict, clean

KEPT_DAYS = 30
"""Settled ones are kept so long."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A piece that was not handled, and the verdict on it. tries: so far."""

    piece: Piece
    verdict: Verdict
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Parked:
    """A row of the table, read for another try. settled_by: who asked for it, None where it is tried by itself."""

    id: UUID
    origin: Origin
    message_id: str
    body: bytes
    code: str
    reason: str
    attempts: int
    settled_by: str | None


class Parking:
    """Queries on `<schema>.parked`, by the message door."""

    def __init__(self, schema: str) -> None:
        self.table = plumbing.table(schema, "parked")
        self._schema = schema

    async def add(self, connection: AsyncConnection, failures: Sequence[Failure], now: datetime) -> None:
        """Park these, each to be tried again or left to a person, as its verdict says."""
        if failures:
            await connection.execute(sa.insert(self.table), [_row(failure, now) for failure in failures])

    async def due(self, connection: AsyncConnection, now: datetime) -> Parked | None:
        """The one that has been due longest, locked; None when none is due."""
        table = self.table
        row = (
            await connection.execute(
                sa.select(table)
                .where(table.c.status == "retrying", table.c.next_at <= now)
                .order_by(table.c.next_at)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
        ).one_or_none()
        if row is None:
            return None
        origin = Origin(row.queue, row.exchange, row.routing_key, row.content_type, row.headers)
        return Parked(row.id, origin, row.message_id, bytes(row.body), row.code, row.reason, row.attempts, row.settled_by)

    async def handled(self, connection: AsyncConnection, parked: Parked, now: datetime) -> None:
        """It was handled after all: gone, or kept as replayed where a person had asked for it."""
        table = self.table
        if parked.settled_by is None:
            await connection.execute(sa.delete(table).where(table.c.id == parked.id))
        else:
            await connection.execute(
                sa.update(table).where(table.c.id == parked.id).values(status="replayed", next_at=None, settled_at=now)
            )

    async def failed(self, connection: AsyncConnection, parked: Parked, verdict: Verdict, now: datetime) -> None:
        """It was not."""
        table = self.table
        await connection.execute(
            sa.update(table)
            .where(table.c.id == parked.id)
            .values(
                attempts=parked.attempts + 1,
                code=verdict.code,
                reason=verdict.reason,
                status="parked" if verdict.retry_in_s is None else "retrying",
                next_at=None if verdict.retry_in_s is None else now + timedelta(seconds=verdict.retry_in_s),
                settled_by=parked.settled_by if verdict.retry_in_s is not None else None,
            )
        )

    async def counts(self, connection: AsyncConnection) -> dict[str, int]:
        """How many are `retrying` and how many `parked`."""
        table = self.table
        found = await connection.execute(
            sa.select(table.c.status, sa.func.count()).where(table.c.status.in_(("parked", "retrying"))).group_by(table.c.status)
        )
        return {"parked": 0, "retrying": 0} | {row[0]: row[1] for row in found}

    async def prune(self, connection: AsyncConnection, *, inbox_days: int) -> None:
        """Forget inbox rows and settled rows that are old."""
        schema = quote(self._schema)
        await connection.execute(
            sa.text(f"DELETE FROM {schema}.inbox WHERE seen_at < now() - make_interval(days => :days)"),  # noqa: S608
            {"days": inbox_days},
        )
        await connection.execute(
            sa.text(f"DELETE FROM {schema}.parked WHERE settled_at < now() - make_interval(days => :days)"),  # noqa: S608
            {"days": KEPT_DAYS},
        )


def _row(failure: Failure, now: datetime) -> dict[str, Any]:
    piece, verdict = failure.piece, failure.verdict
    content_type, body = piece.stored()
    return {
        "id": new_id(),
        "tenant_id": piece.tenant,
        "queue": piece.origin.queue,
        "exchange": clean(piece.origin.exchange),
        "routing_key": clean(piece.origin.routing_key),
        "type": clean(piece.item.type) if piece.item else "",
        "message_id": clean(piece.item.id) if piece.item else "",
        "content_type": clean(content_type),
        "headers": _plain(piece.origin.headers),
        "body": body,
        "code": verdict.code,
        "reason": verdict.reason,
        "attempts": failure.tries,
        "traceparent": clean(piece.item.traceparent) if piece.item and piece.item.traceparent else None,
        "status": "parked" if verdict.retry_in_s is None else "retrying",
        "next_at": None if verdict.retry_in_s is None else now + timedelta(seconds=verdict.retry_in_s),
    }


def _plain(value: Any) -> Any:
    """A header table as JSON that PostgreSQL stores."""
    if isinstance(value, dict):
        return {clean(str(name)): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (bytes, bytearray)):
        return clean(value.decode("utf-8", "replace"))
    if value is None or isinstance(value, (bool, int)):
        return value
    return clean(str(value))
