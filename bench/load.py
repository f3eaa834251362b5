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
from weft_runtime.errors import WeftError

from bench.mesh import TENANT

_encode = msgspec.json.Encoder().encode
ENDS = ("execution.completed", "execution.failed", "execution.rejected", "execution.timed_out")


INPUTS: dict[str, dict[str, Any]] = {"fanout100": {"items": list(range(100))}}
"""What executions of a workflow are given; `{"amount": 42}` where it is not named."""
SIGNALLED = frozenset({"signal"})
"""Workflows whose executions get the signal `go` once they are heard to wait for it."""


class Fact(msgspec.Struct):
    execution_id: UUID
    workflow: str = ""


_fact = msgspec.json.Decoder(Fact)


@dataclass
class Load:
    """A tenant's traffic. begun: when each open execution was asked for.  latencies: of those that completed, seconds.

    ended: how each that ended since `reset` did, and when by the process's clock, seconds.
    """

    bus: Bus
    consumer: Consumer
    tenant: str = TENANT
    begun: dict[UUID, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    ended: dict[UUID, float] = field(default_factory=dict)

    async def listen(self) -> None:
        """Hear of ends, until cancelled."""
        while True:
            deliveries = await self.consumer.take()
            now = time.perf_counter()
            waiting: list[UUID] = []
            for delivery in deliveries:
                for item in decode_frame(delivery.body):
                    fact = _fact.decode(item.data)
                    if item.type == "execution.waiting":
                        if fact.workflow in SIGNALLED and fact.execution_id in self.begun:
                            waiting.append(fact.execution_id)
                        continue
                    began = self.begun.pop(fact.execution_id, None)
                    if began is None:
                        continue
                    self.ended[fact.execution_id] = now
                    if item.type == "execution.completed":
                        self.latencies.append(now - began)
                    else:
                        self.failed += 1
            if waiting:
                self.signal(waiting)
            await self.consumer.ack_through(deliveries[-1])
            self.changed.set()

    async def start(self, workflow: str, count: int) -> None:
        """Ask for executions; returns when the broker has them all."""
        now = time.perf_counter()
        commands: list[tuple[UUID, str, dict[str, Any]]] = []
        given = INPUTS.get(workflow, {"amount": 42})
        for _ in range(count):
            execution_id = new_id()
            self.begun[execution_id] = now
            about = {"workflow": workflow, "workflow_version": 1, "input": given, "trigger": {"type": "event", "id": "bench"}}
            commands.append((execution_id, "execution.start", about))
        await self.bus.publish(self._frames(commands))

    def signal(self, ids: Iterable[UUID]) -> None:
        """Send each the signal `go`."""
        about = [(execution_id, "execution.signal", {"signal_id": str(execution_id), "name": "go"}) for execution_id in ids]
        self.bus.send(self._frames(about), _sent)

    def _frames(self, commands: Iterable[tuple[UUID, str, dict[str, Any]]]) -> list[OutFrame]:
        places: dict[str, list[Item]] = {}
        for execution_id, type_, about in commands:
            item = Item(
                id=f"{type_}:{execution_id}", source="bench", type=type_, tenantid=self.tenant, dataschema=schema_of(type_, 1),
                data=msgspec.Raw(_encode({"execution_id": execution_id, **about})),
            )  # fmt: skip
            places.setdefault(routing.partition_queue(routing.partition_of(execution_id)), []).append(item)
        return [OutFrame(routing.COMMANDS, queue, encode_frame(items)) for queue, items in places.items()]

    async def at_most(self, open_: int) -> None:
        """Wait until no more than that many executions are open."""
        while len(self.begun) > open_:
            self.changed.clear()
            await self.changed.wait()

    def reset(self) -> None:
        """Forget what was measured."""
        self.latencies.clear()
        self.ended.clear()
        self.failed = 0


async def open_load(broker_url: str, tenant: str = TENANT) -> Load:
    """Connect, and hear what the load needs to hear of the tenant's executions."""
    bus = open_bus(broker_url, name=tenant)
    await bus.start()
    queue = f"{tenant}.ends"
    bindings = tuple(Binding(routing.EVENTS, routing.event_key(tenant, type_)) for type_ in (*ENDS, "execution.waiting"))
    await bus.declare(Topology((QueueSpec(queue, bindings),)))
    return Load(bus, await bus.consume(queue, prefetch=500), tenant)


def _sent(error: WeftError | None) -> None:
    if error is not None:
        raise SystemExit(f"a signal was not sent, nothing was measured: {error}")


def percentile(sorted_: list[float], share: float) -> float:
    """A percentile of sorted values, ms."""
    return sorted_[min(len(sorted_) - 1, int(len(sorted_) * share))] * 1000 if sorted_ else 0.0
