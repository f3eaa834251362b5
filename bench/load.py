"""The load: executions started by commands over RabbitMQ, as the events service starts them, and ended when their fact is heard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from weft_contracts import routing
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import decode_frame, encode_frame
from weft_runtime.bus import Binding, Bus, Consumer, OutFrame, QueueSpec, Topology, open_bus
from weft_runtime.clock import new_id

from bench.mesh import TENANT

_encode = msgspec.json.Encoder().encode
ENDS = ("execution.completed", "execution.failed", "execution.rejected", "execution.timed_out")


class Fact(msgspec.Struct):
    execution_id: UUID


_fact = msgspec.json.Decoder(Fact)


@dataclass
class Load:
    """A tenant's traffic. begun: when each open execution was asked for.  latencies: of those that completed, seconds."""

    bus: Bus
    consumer: Consumer
    begun: dict[UUID, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Hear of ends, until cancelled."""
        while True:
            deliveries = await self.consumer.take()
            now = time.perf_counter()
            for delivery in deliveries:
                for item in decode_frame(delivery.body):
                    began = self.begun.pop(_fact.decode(item.data).execution_id, None)
                    if began is None:
                        continue
                    if item.type == "execution.completed":
                        self.latencies.append(now - began)
                    else:
                        self.failed += 1
            await self.consumer.ack_through(deliveries[-1])
            self.changed.set()

    async def start(self, workflow: str, count: int) -> None:
        """Ask for executions; returns when the broker has them all."""
        places: dict[str, list[Item]] = {}
        now = time.perf_counter()
        for _ in range(count):
            execution_id = new_id()
            self.begun[execution_id] = now
            data: dict[str, Any] = {
                "execution_id": execution_id, "workflow": workflow, "workflow_version": 1, "input": {"amount": 42},
                "trigger": {"type": "event", "id": "bench"},
            }  # fmt: skip
            item = Item(
                id=str(execution_id), source="bench", type="execution.start", tenantid=TENANT, dataschema=schema_of("execution.start", 1),
                data=msgspec.Raw(_encode(data)),
            )  # fmt: skip
            places.setdefault(routing.partition_queue(routing.partition_of(execution_id)), []).append(item)
        await self.bus.publish([OutFrame(routing.COMMANDS, queue, encode_frame(items)) for queue, items in places.items()])

    async def at_most(self, open_: int) -> None:
        """Wait until no more than that many executions are open."""
        while len(self.begun) > open_:
            self.changed.clear()
            await self.changed.wait()

    def reset(self) -> None:
        """Forget what was measured."""
        self.latencies.clear()
        self.failed = 0


async def open_load(broker_url: str) -> Load:
    """Connect, and hear the ends of the tenant's executions."""
    bus = open_bus(broker_url, name="bench")
    await bus.start()
    queue = "bench.ends"
    bindings = tuple(Binding(routing.EVENTS, routing.event_key(TENANT, type_)) for type_ in ENDS)
    await bus.declare(Topology((QueueSpec(queue, bindings),)))
    return Load(bus, await bus.consume(queue, prefetch=500))


def percentile(sorted_: list[float], share: float) -> float:
    """A percentile of sorted values, ms."""
    return sorted_[min(len(sorted_) - 1, int(len(sorted_) * share))] * 1000 if sorted_ else 0.0


def rows(documents: Iterable[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """(slug, document) of workflows."""
    return [(document["slug"], document) for document in documents]
