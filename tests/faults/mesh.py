"""A mesh of real processes to be killed: engines and workers, the load that drives them, the facts they say."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from weft_contracts import catalog, routing
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import decode_frame, encode_frame
from weft_contracts.message import Message
from weft_engine.app import build
from weft_engine.settings import Settings
from weft_runtime.bus import Binding, Bus, BusClosed, Consumer, OutFrame, QueueSpec, Topology, open_bus
from weft_runtime.clock import new_id
from weft_runtime.database.roles import provision
from weft_runtime.errors import WeftError

from tests.faults import warm
from tests.faults.ledger import Ledger

TENANT, POOL = "acme", "faults"
SECRET = "a secret for tests only, long enough"
UP_WITHIN_S = 150.0
NOBODY_WAITS_S = 3600.0
"""What is set to so much is waited for in no test that ends well: it has to come by other ways, however busy the machine is."""
POLL_S = 0.02
ENDS = ("execution.completed", "execution.failed", "execution.rejected", "execution.timed_out")


def charge(node: str) -> dict[str, Any]:
    """A remote step: the worker has an effect at the fake service."""
    return {"id": node, "type": "activity", "with": {"name": "charge", "input": "{{ input.amount }}", "queue": POOL}}


def nap(node: str, duration: str) -> dict[str, Any]:
    """A step that waits for time."""
    return {"id": node, "type": "wait", "with": {"for": duration}}


WORKFLOWS: dict[str, list[dict[str, Any]]] = {
    "remote3": [charge("a"), charge("b"), charge("c")],
    "nap": [nap("w", "3s"), charge("a")],
    "long-nap": [nap("w", "1h"), charge("a")],
    "charge-nap": [charge("a"), nap("w", "5s")],
}


@dataclass
class Node:
    """A process of the mesh. up_at: when its doors were open, seconds since the epoch."""

    process: ForkServerProcess
    log: Path
    ready: Path

    @property
    def alive(self) -> bool:
        """Whether it runs, stopped or not."""
        return self.process.is_alive()

    @property
    def up_at(self) -> float:
        return self.ready.stat().st_mtime

    async def up(self) -> None:
        """Wait until its doors are open."""
        deadline = time.monotonic() + UP_WITHIN_S
        while not self.ready.exists():
            assert self.alive, f"{self.log} tells why it did not start"
            assert time.monotonic() < deadline, f"{self.log} tells why it is not up"
            await asyncio.sleep(POLL_S)

    async def died(self, within_s: float = 90.0) -> None:
        """Wait until it has killed itself at its crash point."""
        deadline = time.monotonic() + within_s
        while self.alive:
            assert time.monotonic() < deadline, "the crash point was not passed"
            await asyncio.sleep(POLL_S)

    def signal(self, number: int) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    async def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        await asyncio.to_thread(self.process.join)

    def end(self) -> None:
        """End it whatever its state."""
        self.process.kill()
        self.process.join()


@dataclass
class Mesh:
    """Processes on one database and broker.

    asked: executions started.  ended: those whose end was said, and how.  module: what a node runs.
    """

    database_url: str
    bus: Bus
    directory: Path
    environment: dict[str, str]
    ledger: Ledger
    consumer: Consumer
    asked: list[UUID] = field(default_factory=list)
    ended: dict[UUID, str] = field(default_factory=dict)
    facts: Counter[str] = field(default_factory=Counter)
    nodes: list[Node] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    module: str = warm.NODE

    def __post_init__(self) -> None:
        self.listening = asyncio.create_task(self.listen())

    async def start(self, kind: str, **environment: str) -> Node:
        """A process that is up."""
        node = self.spawn(kind, **environment)
        await node.up()
        return node

    def spawn(self, kind: str, **environment: str) -> Node:
        """A process that may not be up yet."""
        name = f"{kind}{len(self.nodes)}"
        log, ready = self.directory / f"{name}.log", self.directory / f"{name}.ready"
        given = {**self.environment, "FAULT_READY": str(ready), "FAULT_LEDGER": str(self.ledger.port), **environment}
        self.nodes.append(Node(warm.spawn(self.module, kind, environment=given, log=log), log, ready))
        return self.nodes[-1]

    async def listen(self) -> None:
        """Hear how executions end, until cancelled."""
        while True:
            try:
                deliveries = await self.consumer.take()
            except BusClosed:
                return
            for delivery in deliveries:
                for item in decode_frame(delivery.body):
                    execution_id = UUID(item.subject or "")
                    self.facts[item.id] += 1
                    self.ended[execution_id] = item.type
            await self.consumer.ack_through(deliveries[-1])
            self.changed.set()

    async def publish_workflows(self) -> None:
        """Let the engine hear of the workflows; a start that comes before waits for them."""
        for slug, nodes in WORKFLOWS.items():
            document = {"format": "weft/v1", "slug": slug, "name": slug, "nodes": nodes}
            await self.say(WorkflowChanged(slug=slug, name=slug, revision=1, status="active", active_version=1, definition=document))

    async def say(self, word: Message) -> None:
        """Say a fact as its owner would."""
        item = catalog.pack(word, id=str(new_id()), source="faults", tenant=TENANT)
        await self.send([OutFrame(routing.EVENTS, routing.event_key(TENANT, item.type), encode_frame([item]))])

    async def begin(self, workflow: str, count: int) -> list[UUID]:
        """Start executions; returns when the broker has every command, however often it has to be asked."""
        ids = [new_id() for _ in range(count)]
        places: dict[str, list[Item]] = {}
        for execution_id in ids:
            places.setdefault(routing.partition_queue(routing.partition_of(execution_id)), []).append(start_item(execution_id, workflow))
        await self.send([OutFrame(routing.COMMANDS, queue, encode_frame(items)) for queue, items in places.items()])
        self.asked += ids
        return ids

    async def send(self, frames: Sequence[OutFrame]) -> None:
        """Publish, over a broker that may be away. The commands have fixed ids, so a repeat is harmless."""
        while True:
            try:
                await self.bus.publish(frames)
                return
            except WeftError:
                await asyncio.sleep(POLL_S)

    async def done(self, ids: Sequence[UUID], within_s: float) -> None:
        """Wait until these have ended."""
        await self._until(lambda: all(execution_id in self.ended for execution_id in ids), within_s)

    async def at_most_open(self, count: int, within_s: float = 60.0) -> None:
        """Wait until no more than so many executions are open."""
        await self._until(lambda: len(self.asked) - len(self.ended) <= count, within_s)

    async def ended_at_least(self, count: int, within_s: float) -> None:
        """Wait until so many executions have ended."""
        await self._until(lambda: len(self.ended) >= count, within_s)

    async def _until(self, holds: Callable[[], bool], within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while not holds():
            assert not self.listening.done(), f"nobody listens any more: {self.listening}"
            left = deadline - time.monotonic()
            assert left > 0, f"after {within_s:g} s {await self.condition()}"
            self.changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(1.0, left)):
                    await self.changed.wait()

    async def condition(self) -> str:
        """How things stand, for who has to find out why they do not move; the logs of the nodes then tell what they wait for."""
        for node in self.nodes:
            if node.alive:
                node.signal(signal.SIGUSR1)
        connection = await asyncpg.connect(self.database_url)
        statuses = await connection.fetch("SELECT status, count(*) AS n, min(wake_at) AS wake_at FROM engine.executions GROUP BY 1")
        owners = await connection.fetch(
            "SELECT partition, epoch, published, (SELECT max(seq) FROM engine.journal j WHERE j.partition = p.partition) AS seq,"
            " (SELECT count(*) FROM engine.executions x WHERE x.partition = p.partition AND ended_at IS NULL) AS open"
            " FROM engine.partitions p ORDER BY 1"
        )
        await connection.close()
        queues = [*map(routing.partition_queue, range(routing.DEFAULT_PARTITIONS)), routing.work_queue(POOL), "faults.ends"]
        depths = {queue: await self.bus.depth(queue) for queue in queues}
        return (
            f"{len(self.ended)} of {len(self.asked)} were heard to end; stored: {[tuple(row) for row in statuses]};"
            f" partitions: {[tuple(row) for row in owners]}; ready in queues: {depths}; effects: {len(self.ledger.calls)};"
            f" logs: {self.directory}"
        )

    async def probe(self, within_s: float) -> float:
        """Seconds that a new execution takes through everything, from start to its end being heard."""
        began = time.monotonic()
        await self.done(await self.begin("remote3", 1), within_s)
        return time.monotonic() - began


def start_item(execution_id: UUID, workflow: str) -> Item:
    """`execution.start`."""
    data = {"execution_id": execution_id, "workflow": workflow, "workflow_version": 1, "input": {"amount": 42},
            "trigger": {"type": "event", "id": "faults"}}  # fmt: skip
    return Item(
        id=str(execution_id), source="faults", type="execution.start", tenantid=TENANT, subject=str(execution_id),
        dataschema=schema_of("execution.start", 1), data=msgspec.Raw(msgspec.json.encode(data)),
    )  # fmt: skip


@asynccontextmanager
async def mesh_of(database_url: str, broker_url: str, directory: Path, **environment: str) -> AsyncIterator[Mesh]:
    """A mesh without processes yet; those it started are ended at the end."""
    urls = await provision(database_url, "engine", SECRET)
    given: dict[str, Any] = {
        "database_url": urls.owner,
        "api_database_url": urls.api,
        "broker_url": broker_url,
        "secret_key": SECRET,
        "pool": POOL,
        # Tests look again and again, as one person: a busy machine is not to bring them to the limit of the usual thousand an hour.
        "person_requests_per_hour": 1_000_000,
    }
    await build(Settings(**given)).migrate()
    bus = open_bus(broker_url, name="faults")
    await bus.start()
    heard = QueueSpec("faults.ends", tuple(Binding(routing.EVENTS, routing.event_key(TENANT, type_)) for type_ in ENDS))
    # As in a whole mesh, somebody listens to what the engine says of a workflow.
    others = QueueSpec("faults.others", (Binding(routing.EVENTS, routing.event_key(TENANT, "workflow.installed")),))
    await bus.declare(Topology((heard, others)))
    variables = {f"WEFT_{name.upper()}": str(value) for name, value in given.items()} | {"WEFT_LOG_LEVEL": "INFO"} | environment
    async with Ledger() as ledger:
        mesh = Mesh(database_url, bus, directory, variables, ledger, await bus.consume(heard.name, prefetch=500))
        try:
            yield mesh
        finally:
            for node in mesh.nodes:
                node.end()
            mesh.listening.cancel()
            await asyncio.gather(mesh.listening, return_exceptions=True)
            await bus.close()
