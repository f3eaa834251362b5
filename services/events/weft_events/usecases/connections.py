"""Our copies of connections: those that verify webhooks, reach databases, and fetch mails."""

from __future__ import annotations

from typing import Final

from weft_contracts.connections import ConnectionRemoved, ConnectionSaved
from weft_runtime.uow import UnitOfWork

from weft_events.store import connections, sources

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
