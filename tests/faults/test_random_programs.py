"""Random programs on a real mesh whose engine and worker are killed at random: each ends as the shadow model says.

Only programs whose end does not depend on the order of what happens are taken. `WEFT_PROGRAMS_SEED` repeats a run, as nearly as
processes can be made to repeat one; `WEFT_PROGRAMS` makes it longer.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from weft_contracts import routing
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import decode_frame, encode_frame
from weft_engine.core.entries import ENDS
from weft_runtime.bus import Binding, BusClosed, OutFrame, QueueSpec, Topology
from weft_runtime.testing import eventually

from tests.engine.programs.meshed.predicting import Expected, Prediction, expected
from tests.engine.programs.test_shadow_model import FACTOR, SEED
from tests.faults import warm
from tests.faults.mesh import POOL, TENANT, Mesh, mesh_of
from tests.faults.verdict import rows

PROGRAMS = 60
IN_FLIGHT, CHUNK = 60, 10
KINDS = ("engine", "worker")
KILLS, KILLING_S = 3, 25.0
WITHIN_S = 120.0


def chosen(rng: random.Random, count: int) -> list[Expected]:
    """So many programs of which the end is known."""
    found: list[Expected] = []
    number = 0
    while len(found) < count:
        number += 1
        one = expected(rng, number, POOL)
        if one is not None and any(prediction.keys for prediction in one.executions.values()):
            found.append(one)
    return found


@asynccontextmanager
async def published(mesh: Mesh) -> AsyncIterator[set[str]]:
    """The ids of all domain events that are said meanwhile."""
    queue = QueueSpec("faults.domain", (Binding(routing.DOMAIN, "#"),))
    await mesh.bus.declare(Topology((queue,)))
    consumer = await mesh.bus.consume(queue.name, prefetch=500)
    heard: set[str] = set()

    async def listen() -> None:
        while True:
            try:
                deliveries = await consumer.take()
            except BusClosed:
                return
            heard.update(item.id for delivery in deliveries for item in decode_frame(delivery.body))
            await consumer.ack_through(deliveries[-1])

    listening = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def begin(mesh: Mesh, program: Expected) -> None:
    """Let the engine hear of a program, and start it."""
    for slug, document in program.documents.items():
        await mesh.say(WorkflowChanged(slug=slug, name=slug, revision=1, status="active", active_version=1, definition=document))
    data = {
        "execution_id": program.id,
        "workflow": program.slug,
        "workflow_version": 1,
        "input": program.input,
        "trigger": {"type": "manual"},
    }
    item = Item(
        id=str(program.id), source="faults", type="execution.start", tenantid=TENANT, subject=str(program.id),
        dataschema=schema_of("execution.start", 1), data=msgspec.Raw(msgspec.json.encode(data)),
    )  # fmt: skip
    mesh.asked += program.executions
    await mesh.send([OutFrame(routing.COMMANDS, routing.partition_queue(routing.partition_of(program.id)), encode_frame([item]))])


async def drive(mesh: Mesh, programs: list[Expected]) -> None:
    """Start them all, a bounded number open at any time."""
    for place in range(0, len(programs), CHUNK):
        await mesh.at_most_open(IN_FLIGHT, WITHIN_S)
        for program in programs[place : place + CHUNK]:
            await begin(mesh, program)


async def kill_at_random(mesh: Mesh, rng: random.Random, count: int) -> list[str]:
    """kill -9 one of the nodes and start another in its place, each after some more executions have ended. Returns: which, in order.

    count: executions that will end in all. Each kind dies once; more die while there is time.
    """
    began = time.monotonic()
    nodes = {kind: mesh.spawn(kind) for kind in KINDS}
    for node in nodes.values():
        await node.up()
    victims = [*rng.sample(KINDS, 2), *rng.choices(KINDS, k=KILLS - 2)]
    for number, kind in enumerate(victims):
        if number >= len(KINDS) and time.monotonic() - began > KILLING_S:
            return victims[:number]
        part = count // (KILLS + 2)
        await mesh.ended_at_least(part * number + rng.randrange(max(1, part)), WITHIN_S)
        await nodes[kind].kill()
        nodes[kind] = await mesh.start(kind)
    return victims


async def ends(mesh: Mesh) -> dict[UUID, Prediction]:
    """How every execution ended, from the journal and the fake service."""
    outcomes: dict[UUID, str] = {}
    visits: dict[UUID, set[tuple[str, int]]] = {}
    events: dict[UUID, set[str]] = {}
    keys: dict[UUID, set[str]] = {}
    for row in await rows(mesh, "SELECT execution_id, entries FROM engine.journal ORDER BY execution_id, position"):
        id_ = row["execution_id"]
        for entry in msgspec.json.decode(row["entries"]):
            data, node, visit = entry.get("data", {}), entry.get("node"), entry.get("visit", 0)
            if visit and not node.endswith(".compensate"):
                visits.setdefault(id_, set()).add((node, visit))
            if entry["kind"] == "event.published":
                events.setdefault(id_, set()).add(data["event_id"])
            if entry["kind"] in ENDS:
                assert id_ not in outcomes, "an execution ended twice"
                outcomes[id_] = outcome(entry["kind"], data)
    for key in mesh.ledger.calls:
        keys.setdefault(UUID(key.split(":")[0]), set()).add(key)
    return {
        id_: Prediction(told, frozenset(keys.get(id_, ())), counted(visits[id_]), frozenset(events.get(id_, ())))
        for id_, told in outcomes.items()
    }  # fmt: skip


def outcome(kind: str, data: dict[str, Any]) -> str:
    """An end as predictions tell it."""
    code = data["error"]["code"] if data.get("error") else None
    return json.dumps([kind.removeprefix("execution."), data.get("output"), code], sort_keys=True)


def counted(visits: set[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """How often each node was visited."""
    nodes = sorted({node for node, _ in visits})
    return tuple((node, sum(one == node for one, _ in visits)) for node in nodes)


@pytest.mark.timeout(300 + 90 * FACTOR)
async def test_random_programs_end_as_predicted_though_engine_and_worker_are_killed(
    database_url: str, broker_url: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    rng = random.Random(SEED)
    programs = chosen(rng, int(PROGRAMS * FACTOR))
    predictions = {id_: one for program in programs for id_, one in program.executions.items()}
    async with mesh_of(database_url, broker_url, tmp_path) as mesh, published(mesh) as heard:
        mesh.module = warm.PROGRAMS
        async with asyncio.TaskGroup() as together:
            killing = together.create_task(kill_at_random(mesh, rng, len(predictions)))
            together.create_task(drive(mesh, programs))
        killed = killing.result()
        await mesh.done(list(predictions), WITHIN_S)
        found = await ends(mesh)
        wrong = {str(id_): (predictions[id_], found.get(id_)) for id_ in predictions if found.get(id_) != predictions[id_]}
        assert wrong == {}, f"WEFT_PROGRAMS_SEED={SEED}: {[one for one in programs if wrong.keys() & set(map(str, one.executions))][:2]}"
        wanted = {event for one in predictions.values() for event in one.events}

        async def all_heard() -> bool | None:
            return heard >= wanted or None

        # What is published comes by another queue than the end of who published it.
        await eventually(all_heard, "every domain event")

    assert found.keys() == predictions.keys(), "an execution that nobody asked for"
    assert heard == wanted
    told = {"executions": len(predictions), "killed": killed, "calls_again_by_retries_and_kills": mesh.ledger.repeats}
    for name, value in told.items():
        record_property(name, value)
    print(told)
