"""A room of real processes to be killed, what is asked of its two doors, and what it was heard to say."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
from weft_contracts import routing
from weft_contracts.frames import decode_frame, encode_frame
from weft_contracts.tasks import CreateTask
from weft_runtime.bus import Binding, Bus, BusClosed, Consumer, Delivery, OutFrame, QueueSpec, Topology, open_bus
from weft_runtime.database.roles import provision
from weft_runtime.settings import ServiceSettings
from weft_runtime.testing import TestIssuer, packed

from tests.faults import warm
from tests.faults.mesh import SECRET, TENANT, Node
from tests.faults.room_node import service
from tests.runtime.pipeline.room import create

INBOX = routing.inbox_queue("sample")
HEARD = QueueSpec("sample.heard", (Binding(routing.EVENTS, "#"),))
WITHIN_S = 90.0
HEARD_ALL = routing.event_key(TENANT, "heard.all")
"""Of a frame that is ours: whoever hears it has heard all that was said before it."""


@dataclass
class Rooms:
    """Processes of one room. said: the ids of the items in which each thing (type, task) was said, in order of hearing."""

    database_url: str
    bus: Bus
    directory: Path
    environment: dict[str, str]
    consumer: Consumer
    issuer: TestIssuer
    said: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    _heard_all: bool = False

    async def start(self, **environment: str) -> Node:
        """A process that is up."""
        node = self._spawn(environment)
        self.nodes.append(node)
        await node.up()
        return node

    def _spawn(self, environment: dict[str, str]) -> Node:
        name = f"room{len(self.nodes)}"
        log, ready = self.directory / f"{name}.log", self.directory / f"{name}.ready"
        given = {**self.environment, "FAULT_READY": str(ready), **environment}
        return Node(warm.spawn(warm.ROOM, environment=given, log=log), log, ready)

    async def ask(self, node: Node, number: int, key: str) -> httpx2.Response | None:
        """Ask a process to make a note of this number. Returns: its answer, None where it died over it."""
        url = f"http://127.0.0.1:{node.ready.read_text()}/api/v1/notes"
        headers = {**self.issuer.headers(), "Idempotency-Key": key}
        async with httpx2.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
            try:
                return await client.post(url, json={"title": "said", "data": {"number": number}}, headers=headers)
            except httpx2.TransportError:
                return None

    async def tell(self, *frames: list[CreateTask]) -> None:
        """Send words to the room's inbox, a frame for each list."""
        await self.bus.publish([OutFrame(routing.COMMANDS, INBOX, encode_frame(packed(*words))) for words in frames])

    async def rows(self, query: str, *given: Any) -> list[Any]:
        """What a query finds in the room's database."""
        connection = await asyncpg.connect(self.database_url)
        try:
            return list(await connection.fetch(query, *given))
        finally:
            await connection.close()

    async def until(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        """Hear what is said until this holds."""
        deadline = time.monotonic() + WITHIN_S
        while not await holds():
            assert time.monotonic() < deadline, f"no sign of {what} within {WITHIN_S:g} s; {self.directory} has the logs"
            await self.hear(0.1)

    async def hear(self, seconds: float) -> None:
        """Hear what comes within this time."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    deliveries = await self.consumer.take()
                    await self.consumer.ack(deliveries)
                    for delivery in deliveries:
                        self._note(delivery)
        except (TimeoutError, BusClosed):
            return

    def _note(self, delivery: Delivery) -> None:
        self._heard_all = self._heard_all or delivery.routing_key == HEARD_ALL
        for item in decode_frame(delivery.body):
            task = json.loads(bytes(item.data))["task_id"]
            self.said.setdefault((item.type, task), []).append(item.id)

    async def quiet(self) -> None:
        """Wait until nothing is left in the inbox and in the outbox, and all that was said is heard."""

        async def done() -> bool:
            return not await self.bus.depth(INBOX) and not await self.rows("SELECT 1 FROM sample.outbox")

        await self.until(done, "the room being at rest")
        # What is forgotten is with the broker, whose queue keeps the order: behind all of it comes a word of ours.
        self._heard_all = False
        await self.bus.publish([OutFrame(routing.EVENTS, HEARD_ALL, b"[]")])

        async def heard() -> bool:
            return self._heard_all

        await self.until(heard, "the last of what was said")


def words(count: int, *odd: str) -> list[CreateTask]:
    """So many commands of different titles, then those of odd ones."""
    return [create(title) for title in (*(f"note {uuid4().hex}" for _ in range(count)), *odd)]


@asynccontextmanager
async def rooms_of(database_url: str, broker_url: str, directory: Path) -> AsyncIterator[Rooms]:
    """A room without processes yet; those it started are ended at the end."""
    urls = await provision(database_url, "sample", SECRET)
    issuer = TestIssuer()
    environment = {
        "WEFT_DATABASE_URL": urls.owner,
        "WEFT_API_DATABASE_URL": urls.api,
        "WEFT_BROKER_URL": broker_url,
        "WEFT_SECRET_KEY": SECRET,
        "FAULT_JWKS": json.dumps(issuer.keys.jwks()),
    }
    settings: dict[str, Any] = {"database_url": urls.owner, "api_database_url": urls.api, "secret_key": SECRET}
    await service(ServiceSettings(**settings)).migrate()
    await _late_table(urls.owner)
    bus = open_bus(broker_url, name="faults")
    await bus.start()
    await bus.declare(Topology((HEARD,)))
    rooms = Rooms(database_url, bus, directory, environment, await bus.consume(HEARD.name, prefetch=500), issuer)
    try:
        yield rooms
    finally:
        for node in rooms.nodes:
            node.end()
        await bus.close()


async def _late_table(owner_url: str) -> None:
    """What the room's word "commit" needs to fail no sooner than at the commit."""
    connection = await asyncpg.connect(owner_url)
    await connection.execute("CREATE TABLE sample.whole (id int PRIMARY KEY)")
    await connection.execute("CREATE TABLE sample.late (parent int REFERENCES sample.whole (id) DEFERRABLE INITIALLY DEFERRED)")
    await connection.close()
