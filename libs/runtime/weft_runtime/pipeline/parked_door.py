"""`GET /parked`, `POST /parked/{id}/replay` and `/discard`: what a room could not handle, to be looked at and settled by a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from pydantic import BaseModel
from weft_contracts.audit import RecordAudit

from weft_runtime.auth.permissions import Permission
from weft_runtime.database import plumbing
from weft_runtime.errors import Conflict, Malformed, NotFound
from weft_runtime.http import Body, Door, Listing, OwnerUow, Page, Uow
from weft_runtime.http.door import PREFIX
from weft_runtime.http.strict_json import check
from weft_runtime.pipeline.replaying import edited
from weft_runtime.uow import UnitOfWork

NOBODYS: Final = "/without-tenant"
"""Below a service's parked messages: those that name no tenant."""


class ParkedNotFound(NotFound):
    """No such parked message, or not of this tenant."""

    code = "parked_not_found"


class ParkedSettled(Conflict):
    """It was replayed or discarded before."""

    code = "parked_settled"


class ParkedView(BaseModel):
    """A parked message. status: `retrying`, `parked`, `replayed`, `discarded`.  data: its item, None where it cannot be read."""

    id: UUID
    service: str
    queue: str
    type: str
    message_id: str
    status: str
    code: str
    reason: str
    attempts: int
    trace_id: str | None
    parked_at: datetime
    next_at: datetime | None
    settled_at: datetime | None
    settled_by: str | None
    item: Any = None


class ReplayBody(Body):
    """How to replay. data: the item's data in its place; its id, type and tenant stay."""

    data: dict[str, Any] | None = None


def path_of(service: str) -> str:
    """Where a service shows what it parked: the engine at `/parked`, as the API says, the others at `/<service>/parked`."""
    return "/parked" if service == "engine" else f"/{service}/parked"


def declare(door: Door, service: str) -> None:
    """Give a service's door the routes for what its message door parked; a door that has them is left alone."""
    path = path_of(service)
    if any(declared.path == f"{PREFIX}{path}" for declared in door.declared):
        return

    _declare_nobodys(door, service, path + NOBODYS)

    @door.get(path, may=Permission.PARKED_MANAGE)
    async def list_parked(page: Page, uow: Uow, status: str = "parked") -> Listing[ParkedView]:
        """What this service could not handle, newest last. status: `parked` or `retrying`."""
        rows = await _list(uow, service, uow.tenant, status, page.after, page.limit + 1)
        return page.listing(rows, view=lambda row: _view(row, service), key=lambda row: (row.parked_at, row.id))

    @door.get(path + "/{parked_id}", may=Permission.PARKED_MANAGE)
    async def get_parked(parked_id: UUID, uow: Uow) -> ParkedView:
        """One, with its item."""
        return _view(await _get(uow, service, uow.tenant, parked_id), service, whole=True)

    @door.post(path + "/{parked_id}/replay", may=Permission.PARKED_MANAGE)
    async def replay_parked(parked_id: UUID, uow: Uow, body: ReplayBody | None = None) -> ParkedView:
        """Handle it again, as if it had just come, with other data where some is given."""
        values = _replayed(uow)
        if body is not None and body.data is not None:
            row = await _get(uow, service, uow.tenant, parked_id, lock=True)
            values["body"] = edited(bytes(row.body), body.data, uow.tenant)
        return _view(await _settle(uow, service, uow.tenant, parked_id, values), service)

    @door.post(path + "/{parked_id}/discard", may=Permission.PARKED_MANAGE)
    async def discard_parked(parked_id: UUID, uow: Uow) -> ParkedView:
        """Give it up for good."""
        return _view(await _settle(uow, service, uow.tenant, parked_id, _discarded(uow)), service)


def _declare_nobodys(door: Door, service: str, path: str) -> None:
    """The routes for what names no tenant that could see it: for who runs the installation."""

    @door.get(path, may=Permission.TENANTS_MANAGE)
    async def list_parked_without_tenant(page: Page, uow: OwnerUow, status: str = "parked") -> Listing[ParkedView]:
        """What this service could not handle and names no tenant, newest last, for operators. status: `parked` or `retrying`."""
        rows = await _list(uow, service, "", status, page.after, page.limit + 1)
        return page.listing(rows, view=lambda row: _view(row, service), key=lambda row: (row.parked_at, row.id))

    @door.get(path + "/{parked_id}", may=Permission.TENANTS_MANAGE)
    async def get_parked_without_tenant(parked_id: UUID, uow: OwnerUow) -> ParkedView:
        """One of them, with what can be read of it."""
        return _view(await _get(uow, service, "", parked_id), service, whole=True)

    @door.post(path + "/{parked_id}/replay", may=Permission.TENANTS_MANAGE)
    async def replay_parked_without_tenant(parked_id: UUID, uow: OwnerUow) -> ParkedView:
        """Handle it again as it is, by a release that can read it for example."""
        return _view(await _settle(uow, service, "", parked_id, _replayed(uow)), service)

    @door.post(path + "/{parked_id}/discard", may=Permission.TENANTS_MANAGE)
    async def discard_parked_without_tenant(parked_id: UUID, uow: OwnerUow) -> ParkedView:
        """Give it up for good."""
        return _view(await _settle(uow, service, "", parked_id, _discarded(uow)), service)


def _replayed(uow: UnitOfWork) -> dict[str, Any]:
    return {"status": "retrying", "next_at": uow.now, "attempts": 0}


def _discarded(uow: UnitOfWork) -> dict[str, Any]:
    return {"status": "discarded", "next_at": None, "settled_at": uow.now}


async def _list(uow: UnitOfWork, service: str, tenant: str, status: str, after: tuple[Any, ...] | None, limit: int) -> list[Any]:
    table = plumbing.table(service, "parked")
    query = sa.select(table).where(table.c.tenant_id == tenant, table.c.status == status)
    if after is not None:
        query = query.where(sa.tuple_(table.c.parked_at, table.c.id) > after)
    return list(await uow.conn.execute(query.order_by(table.c.parked_at, table.c.id).limit(limit)))


async def _get(uow: UnitOfWork, service: str, tenant: str, parked_id: UUID, *, lock: bool = False) -> Any:
    table = plumbing.table(service, "parked")
    query = sa.select(table).where(table.c.tenant_id == tenant, table.c.id == parked_id)
    row = (await uow.conn.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise ParkedNotFound(f"no parked message {parked_id}")
    return row


async def _settle(uow: UnitOfWork, service: str, tenant: str, parked_id: UUID, values: dict[str, Any]) -> Any:
    row = await _get(uow, service, tenant, parked_id, lock=True)
    if row.status not in {"parked", "retrying"}:
        raise ParkedSettled(f"parked message {parked_id} was {row.status} by {row.settled_by}")
    table = plumbing.table(service, "parked")
    who = uow.caller.email or uow.caller.sub if uow.caller else None
    changed = sa.update(table).where(table.c.id == parked_id).values(settled_by=who, **values).returning(table)
    after = (await uow.conn.execute(changed)).one()
    uow.say(_deed(service, row, after))
    return after


def _deed(service: str, row: Any, after: Any) -> RecordAudit:
    """What the audit is told of a parked message that was settled, not what is in it."""
    about = {"service": service, "type": row.type, "code": row.code, "edited": bytes(after.body) != bytes(row.body)}
    return RecordAudit(
        action="parked.discarded" if after.status == "discarded" else "parked.replayed",
        resource_type="parked",
        resource_id=str(row.id),
        before={"status": row.status},
        after={"status": after.status},
        details=about,
    )


def _view(row: Any, service: str, *, whole: bool = False) -> ParkedView:
    return ParkedView(
        id=row.id,
        service=service,
        queue=row.queue,
        type=row.type,
        message_id=row.message_id,
        status=row.status,
        code=row.code,
        reason=row.reason,
        attempts=row.attempts,
        trace_id=row.traceparent.split("-")[1] if row.traceparent and row.traceparent.count("-") == 3 else None,
        parked_at=row.parked_at,
        next_at=row.next_at,
        settled_at=row.settled_at,
        settled_by=row.settled_by,
        item=_readable(bytes(row.body)) if whole else None,
    )


def _readable(body: bytes) -> Any:
    """The message as JSON; None where it is none that our own answers could hold."""
    try:
        value = msgspec.json.decode(body)
        check(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Malformed):
        return None
    return value
