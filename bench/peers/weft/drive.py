"""Starts executions by commands over RabbitMQ, as the events service does, and hears of their end as the gateway does."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import uvloop
from weft_contracts import catalog, routing
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import decode_frame, encode_frame
from weft_runtime.bus import OutFrame
from weft_runtime.clock import new_id

from bench.load import Load, open_load
from bench.mesh import POOL, TENANT
from bench.peers.driving import Batches, Ends, drive
from bench.peers.peer import broker_url

INSTALLED_S = 2.0
_encode = msgspec.json.Encoder().encode


def _activity(node: str, taking: str) -> dict[str, Any]:
    return {"id": node, "type": "activity", "with": {"name": "echo", "input": f"{{{{ {taking} }}}}", "queue": POOL}}


WORKFLOWS: dict[str, dict[str, Any]] = {
    "remote3": {
        "nodes": [_activity("a", "input.amount"), _activity("b", "step.a.output"), _activity("c", "step.b.output")],
        "output": {"amount": "{{ step.c.output }}"},
    },
    "fanout100": {
        "nodes": [
            {
                "id": "all",
                "type": "foreach",
                "with": {"items": "{{ input.items }}", "as": "item", "concurrency": 100, "body": {"nodes": [_activity("one", "item")]}},
            }
        ],
    },
    "signal": {"nodes": [{"id": "rest", "type": "state", "with": {"signals": {"go": {}}}}]},
}
INPUTS: dict[str, dict[str, Any]] = {"remote3": {"amount": 42}, "fanout100": {"items": list(range(100))}, "signal": {}}


class Refused(Exception):
    """An execution did not complete; the text is the fact that said so."""


class Executions:
    """One tenant's executions. What is asked for together travels together, as an outbox would send it."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._ends = Ends()
        self._commands = Batches(self._publish)
        self._trouble: str | None = None

    async def execute(self, workload: str) -> None:
        """One execution to its end. Raises: Refused."""
        workflow = workload.removesuffix("_single")
        execution_id = new_id()
        end = self._ends.expect(str(execution_id))
        start = {
            "execution_id": execution_id, "workflow": workflow, "workflow_version": 1, "input": INPUTS[workflow],
            "trigger": {"type": "event", "id": "bench"},
        }  # fmt: skip
        await self._commands.add((execution_id, "execution.start", start))
        if workflow == "signal":
            signal = {"execution_id": execution_id, "signal_id": str(new_id()), "name": "go", "payload": {"yes": True}}
            await self._commands.add((execution_id, "execution.signal", signal))
        await end
        if self._trouble:
            raise Refused(self._trouble)

    async def listen(self) -> None:
        """Hear of ends, until cancelled."""
        while True:
            deliveries = await self._load.consumer.take()
            for delivery in deliveries:
                for item in decode_frame(delivery.body):
                    if item.type == "execution.waiting":
                        continue
                    fact = msgspec.json.decode(item.data)
                    if item.type != "execution.completed":
                        self._trouble = f"{item.type}: {fact.get('error') or fact}"
                    self._ends.ended(fact["execution_id"])
            await self._load.consumer.ack_through(deliveries[-1])

    async def publish_workflows(self) -> None:
        """Let the engine hear of the workflows."""
        for slug, body in WORKFLOWS.items():
            document = {"format": "weft/v1", "slug": slug, "name": slug, **body}
            word = WorkflowChanged(slug=slug, name=slug, revision=1, status="active", active_version=1, definition=document)
            item = catalog.pack(word, id=str(new_id()), source="bench", tenant=TENANT)
            await self._load.bus.publish([OutFrame(routing.EVENTS, routing.event_key(TENANT, item.type), encode_frame([item]))])
        await asyncio.sleep(INSTALLED_S)

    async def _publish(self, commands: list[tuple[UUID, str, dict[str, Any]]]) -> None:
        places: dict[str, list[Item]] = {}
        for execution_id, type_, data in commands:
            item = Item(
                id=str(new_id()),
                source="bench",
                type=type_,
                tenantid=TENANT,
                dataschema=schema_of(type_, 1),
                data=msgspec.Raw(_encode(data)),
            )
            places.setdefault(routing.partition_queue(routing.partition_of(execution_id)), []).append(item)
        await self._load.bus.publish([OutFrame(routing.COMMANDS, queue, encode_frame(items)) for queue, items in places.items()])


async def main() -> None:
    load = await open_load(broker_url())
    executions = Executions(load)
    listening = asyncio.create_task(executions.listen())
    await executions.publish_workflows()
    try:
        await drive(executions.execute)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await load.bus.close()


if __name__ == "__main__":
    uvloop.run(main())
