"""Our copies of connections: those that verify webhooks, reach databases, and fetch mails; and which of them are held up."""

from __future__ import annotations

from typing import Final

from weft_contracts.connections import ConnectionRemoved, ConnectionResumed, ConnectionSaved, ConnectionSuspended
from weft_runtime.uow import UnitOfWork

from weft_events.store import connections, leases, mails, sources, suspensions

KEPT: Final = frozenset({"webhook", "postgres", "resend"})
"""Types of which there is a copy."""


async def keep_connection(msg: ConnectionSaved, uow: UnitOfWork) -> None:
    """Keep a copy of a connection that is used here; of others there is none. What went by it is tried again."""
    if msg.connection_type in KEPT:
        await connections.keep(uow, msg)
        await sources.mended(uow, msg.name)


async def remove_connection(msg: ConnectionRemoved, uow: UnitOfWork) -> None:
    """Forget the secrets of a connection that is gone."""
    if msg.connection_type in KEPT:
        await connections.remove(uow, msg)


async def hold_connection(msg: ConnectionSuspended, uow: UnitOfWork) -> None:
    """Let nothing be read or fetched by a connection any more. Who reads by it now can take nothing in from here on."""
    if await suspensions.keep(uow, msg.suspension_id, msg.name, msg.at, lifted=False):
        await leases.end(uow, msg.name)
        await mails.hold(uow, msg.name)


async def resume_connection(msg: ConnectionResumed, uow: UnitOfWork) -> None:
    """Let what a suspension held up go on, unless another one does."""
    if not await suspensions.keep(uow, msg.suspension_id, msg.name, msg.at, lifted=True):
        await sources.mended(uow, msg.name)
        await mails.let_go(uow, msg.name)
