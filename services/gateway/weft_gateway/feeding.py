"""The live feed in motion: facts in, and out to every connection that wants them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, cast

from weft_contracts.message import Message
from weft_runtime.auth import Caller
from weft_runtime.context import ServiceContext
from weft_runtime.uow import UnitOfWork

from weft_gateway.errors import TooManyConnections
from weft_gateway.feed import QUEUES, Topics, items
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


@dataclass(frozen=True, slots=True)
class Told:
    """What a watcher is told that is no item of the feed, and so has no place in it. event: its name, a topic's or our own."""

    event: str
    data: dict[str, Any]


@dataclass(eq=False, slots=True)
class Connection:
    """Somebody who watches. begins: the newest item when they came.  behind: they read too slowly and are to be closed.

    measured: what they were told last of what waits in queues, None before.
    """

    caller: Caller
    topics: Topics
    begins: int = 0
    behind: bool = False
    measured: dict[str, Any] | None = None
    queue: asyncio.Queue[Kept | Told] = field(default_factory=lambda: asyncio.Queue(QUEUED_MAX))

    @property
    def tenant(self) -> str:
        """Whose feed it is."""
        return self.caller.tenant

    def put(self, one: Kept | Told) -> None:
        """Have it told. Where too much waits already the reader is too slow, and is told no more."""
        try:
            self.queue.put_nowait(one)
        except asyncio.QueueFull:
            self.behind = True


class Hub:
    """The connections of this process, and the one reader of the feed that serves them all."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._settings = cast(Settings, context.settings)
        self._connections: dict[str, set[Connection]] = {}
        self._last: int | None = None
        self._somebody = asyncio.Event()
        self._reading = asyncio.Lock()
        self.measure = asyncio.Event()
        """Set where somebody asks for what waits in queues and has not been told yet."""

    @property
    def kept(self) -> timedelta:
        """How long facts are kept."""
        return timedelta(minutes=self._settings.live_kept_minutes)

    async def connect(self, caller: Caller, topics: Topics) -> Connection:
        """Begin to watch. Raises: TooManyConnections."""
        self._bound(caller)
        connection = Connection(caller, topics)
        self._connections.setdefault(caller.tenant, set()).add(connection)
        try:
            async with self._context.owner_transaction() as uow:
                await feed.watch(uow, [caller.tenant], WATCHED_FOR)
            async with self._reading:
                if self._last is None:
                    async with self._context.owner_transaction() as uow:
                        self._last = await feed.newest(uow)
                connection.begins = self._last
        except BaseException:
            self.disconnect(connection)
            raise
        self._somebody.set()
        self.watch(connection, topics)
        return connection

    def watch(self, connection: Connection, topics: Topics) -> None:
        """Watch these topics from now on."""
        connection.topics = topics
        if QUEUES not in topics.kinds:
            connection.measured = None
        elif connection.measured is None:
            self.measure.set()

    def who_watch_queues(self) -> Iterator[Connection]:
        """Those to be told what waits."""
        return (one for them in self._connections.values() for one in them if QUEUES in one.topics.kinds)

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
            if not connection.behind and kept.id > connection.begins and connection.topics.want(kept.item):
                connection.put(kept)

    def _bound(self, caller: Caller) -> None:
        """Refuse one connection too many. Raises: TooManyConnections."""
        of_tenant = self._connections.get(caller.tenant, set())
        counts = (
            ("this process", self._settings.live_connections, sum(map(len, self._connections.values()))),
            ("your tenant", self._settings.live_connections_per_tenant, len(of_tenant)),
            ("you", self._settings.live_connections_per_person, sum(one.caller.sub == caller.sub for one in of_tenant)),
        )
        for whose, most, count in counts:
            if count >= most:
                raise TooManyConnections(f"{count} live connections of {whose} are open; close one, or poll instead", retry_after_s=30)
