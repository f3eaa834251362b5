"""Holding up a tenant, a workflow, a node type or a connection without loss."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from weft_runtime.auth import Permission
from weft_runtime.context import ServiceContext
from weft_runtime.http import Context, Listing, Page, Reply, Uow

from weft_engine import suspending
from weft_engine.admitting import Gatekeeper
from weft_engine.api.routes import door
from weft_engine.bulk.running import BulkWake
from weft_engine.schemas.suspensions import SuspensionBody, SuspensionView
from weft_engine.settings import Settings
from weft_engine.store import suspensions as store


@door.get("/suspensions", may=Permission.EXECUTIONS_READ)
async def list_suspensions(page: Page, uow: Uow) -> Listing[SuspensionView]:
    """What is held up, and what was."""
    rows = await store.listed(uow, page.after, page.limit + 1)
    return page.listing(rows, view=SuspensionView.of, key=lambda row: (row.lifted_at is None, row.since, row.id))


@door.post("/suspensions", may=Permission.EXECUTIONS_OPERATE, status=201)
async def suspend(body: SuspensionBody, uow: Uow, context: Context) -> Reply[SuspensionView]:
    """Hold up a tenant, a workflow, a node type or a connection: what lives is paused, what comes waits, nothing is lost.

    Seen within a second.
    """
    most = cast(Settings, context.settings).bulk_most
    row = await suspending.suspend(body.kind, body.name, body.reason, most, uow)
    return _looked_at(SuspensionView.of(row), context)


@door.get("/suspensions/{suspension_id}", may=Permission.EXECUTIONS_READ)
async def get_suspension(suspension_id: UUID, uow: Uow) -> SuspensionView:
    """One suspension."""
    return SuspensionView.of(await suspending.get(suspension_id, uow))


@door.delete("/suspensions/{suspension_id}", may=Permission.EXECUTIONS_OPERATE)
async def lift(suspension_id: UUID, uow: Uow, context: Context) -> Reply[SuspensionView]:
    """Let go on what was held up. What was paused by hand stays paused."""
    row = await suspending.lift(suspension_id, cast(Settings, context.settings).bulk_most, uow)
    return _looked_at(SuspensionView.of(row), context)


def _looked_at(view: SuspensionView, context: ServiceContext) -> Reply[SuspensionView]:
    async def look() -> None:
        context.part(BulkWake).call()
        context.part(Gatekeeper).call()

    return Reply(view, then=look)
