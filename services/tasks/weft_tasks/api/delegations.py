"""Stand-ins: who looks after whose tasks, from when to when."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.http import Asker, Listing, Page, Reply, Uow
from weft_runtime.uow import UnitOfWork

from weft_tasks import store as tasks
from weft_tasks.api.asking import signed_in
from weft_tasks.api.routes import door
from weft_tasks.standing_in import schemas, verbs
from weft_tasks.standing_in.schemas import DelegationBody, DelegationQuery, DelegationView
from weft_tasks.store import delegations as store


@door.get("/delegations", may=Permission.TASKS_READ)
async def list_delegations(query: Annotated[DelegationQuery, Query()], page: Page, asker: Asker, uow: Uow) -> Listing[DelegationView]:
    """Stand-ins, the newest first: those that concern me; all of them for whoever may assign tasks."""
    who = signed_in(asker)
    rows = await store.listed(
        uow,
        concerning=None if who.may_assign else who.selves,
        absent=query.user,
        stand_in=query.delegate,
        standings=query.status,
        after=page.after,
        limit=page.limit + 1,
    )
    names = await tasks.names(uow, [name for row in rows for name in (row.absent, row.stand_in)])
    return page.listing(rows, view=lambda row: schemas.view(row, names, uow.now), key=lambda row: (row.created_at, row.id))


@door.get("/delegations/{delegation_id}", may=Permission.TASKS_READ)
async def get_delegation(delegation_id: UUID, asker: Asker, uow: Uow) -> Reply[DelegationView]:
    """One of those that concern me."""
    return await _shown(await verbs.read(delegation_id, signed_in(asker), uow), uow)


@door.post("/delegations", may=Permission.TASKS_ACT, status=201)
async def create_delegation(body: DelegationBody, asker: Asker, uow: Uow) -> Reply[DelegationView]:
    """Let somebody stand in for me; for others only whoever may assign tasks says so.

    In the span, tasks that are theirs by name, open ones and new ones, are among those of the stand-in too, and whatever the stand-in
    does with them is written down as done on behalf of them. A stand-in decides no request of their own.
    """
    who = signed_in(asker)
    made = await verbs.stand_in(body.user, body.delegate, body.starts_at, body.ends_at, body.workflows, body.reason, who, uow)
    return await _shown(made, uow, status=201, headers={"Location": f"/api/v1/delegations/{made.id}"})


@door.delete("/delegations/{delegation_id}", may=Permission.TASKS_ACT, status=204)
async def delete_delegation(delegation_id: UUID, asker: Asker, uow: Uow) -> None:
    """End it now. It stays in the list as `revoked`; what the stand-in took meanwhile stays with them."""
    await verbs.take_back(delegation_id, signed_in(asker), uow)


async def _shown(row: Any, uow: UnitOfWork, status: int = 200, headers: dict[str, str] | None = None) -> Reply[DelegationView]:
    names = await tasks.names(uow, [row.absent, row.stand_in])
    return Reply(schemas.view(row, names, uow.now), status=status, headers=headers)
