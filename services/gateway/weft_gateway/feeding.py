"""The live feed in motion: facts in, and out to every connection that wants them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, cast

from weft_contracts.message import Message
from weft_runtime.context import ServiceContext
from weft_runtime.uow import UnitOfWork

from weft_gateway.errors import TooManyConnections
from weft_gateway.feed import Topics, items
from weft_gateway.settings import Settings
from weft_gateway.store import feed
from weft_gateway.store.feed import Kept

WATCHED_FOR: Final = timedelta(minutes=5)
"""How long facts of a tenant are kept after the last connection closed, for one that comes back."""
WATCH_AGAIN_S: Final = 60.0
QUEUED_MAX: Final = 1000
"""Items that may wait for a slow reader; one that falls further behind is closed and comes back where it was."""
READ_AT_ONCE: Final = 1000


async def keep(facts: Sequence[tuple[str, Message]], uow: UnitOfWork) -> None:
    """Keep the (tenant, fact) pairs of tenants that are watched."""
    watched = await feed.watched(uow, {tenant for tenant, _ in facts}, uow.now - WATCHED_FOR)
    kept = items(pair for pair in facts if pair[0] in watched)
    if kept:
        await feed.add(uow, kept)


@dataclass(eq=False, slots=True)
class Connection:
    """Somebody who watches. begins: the newest item when they came.  behind: they read too slowly and are to be closed."""

    tenant: str
    topics: Topics
    begins: int = 0
    behind: bool = False
    queue: asyncio.Queue[Kept] = field(default_factory=lambda: asyncio.Queue(QUEUED_MAX))


class Hub:
    """The connections of this process, and the one reader of the feed that serves them all."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._settings = cast(Settings, context.settings)
        self._connections: dict[str, set[Connection]] = {}
        self._last: int | None = None
        self._somebody = asyncio.Event()
        self._reading = asyncio.Lock()

    @property
    def kept(self) -> timedelta:
        """How long facts are kept."""
        return timedelta(minutes=self._settings.live_kept_minutes)

    async def connect(self, tenant: str, topics: Topics) -> Connection:
        """Begin to watch. Raises: TooManyConnections."""
        counts = Counter({name: len(them) for name, them in self._connections.items()})
        if counts.total() >= self._settings.live_connections or counts[tenant] >= self._settings.live_connections_per_tenant:
            raise TooManyConnections("too many live connections are open; close one, or poll instead", retry_after_s=30)
        connection = Connection(tenant, topics)
        self._connections.setdefault(tenant, set()).add(connection)
        try:
            async with self._context.owner_transaction() as uow:
                await feed.watch(uow, [tenant], WATCHED_FOR)
            async with self._reading:
                if self._last is None:
                    async with self._context.owner_transaction() as uow:
                        self._last = await feed.newest(uow)
                connection.begins = self._last
        except BaseException:
            self.disconnect(connection)
            raise
        self._somebody.set()
        return connection

    def disconnect(self, connection: Connection) -> None:
        """Watch no more."""
        them = self._connections.get(connection.tenant, set())
        them.discard(connection)
        if not them:
            self._connections.pop(connection.tenant, None)
        if not self._connections:
            # What is said while nobody watches is not read; whoever comes next begins at what is newest then.
            self._somebody.clear()
            self._last = None

    async def run(self) -> None:
        """Read the feed while somebody watches, until cancelled."""
        loop = asyncio.get_running_loop()
        watched_at = loop.time()
        while True:
            await self._somebody.wait()
            if not await self._read():
                await asyncio.sleep(self._settings.live_poll_s)
            if loop.time() - watched_at > WATCH_AGAIN_S:
                watched_at = loop.time()
                async with self._context.owner_transaction() as uow:
                    await feed.watch(uow, list(self._connections), WATCHED_FOR)

    async def _read(self) -> bool:
        """Hand out what is new. Returns: whether there may be more at once."""
        async with self._reading:
            if self._last is None:
                return False
            async with self._context.owner_transaction() as uow:
                found = await feed.after(uow, self._last, limit=READ_AT_ONCE)
            for kept in found:
                self._hand_out(kept)
            # Where the last connection closed meanwhile, the next one begins at what is newest then.
            if found and self._connections:
                self._last = found[-1].id
            return len(found) == READ_AT_ONCE

    def _hand_out(self, kept: Kept) -> None:
        for connection in self._connections.get(kept.item.tenant, ()):
            if connection.behind or kept.id <= connection.begins or not connection.topics.want(kept.item):
                continue
            try:
                connection.queue.put_nowait(kept)
            except asyncio.QueueFull:
                connection.behind = True
