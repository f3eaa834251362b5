"""kill -9 of the engine at each point of a retry that waits in line, and of one that goes down to a called workflow: each goes on once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import msgspec
from weft_contracts import routing
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import encode_frame
from weft_runtime.bus import Binding, OutFrame, QueueSpec, Topology
from weft_runtime.clock import new_id
from weft_runtime.testing.polling import eventually

from tests.faults import warm
from tests.faults.mesh import TENANT, Mesh, Node, mesh_of
from tests.faults.verdict import rows

WITHIN_S = 90.0
LINED_UP: dict[str, Any] = {
    "nodes": [
        {
            "id": "how",
            "type": "switch",
            "with": {"cases": [{"when": f"input.how == '{one}'", "outcome": one} for one in ("fail", "hold")], "default": "well"},
        },
        {"id": "stop", "type": "fail", "with": {"code": "not_ready", "message": "not ready"}},
        {"id": "hold", "type": "state", "with": {"signals": {"go": {}}}},
        {"id": "end", "type": "end", "with": {}},
    ],
    "edges": [{"from": "how", "to": to, "on": on} for on, to in (("fail", "stop"), ("hold", "hold"), ("well", "end"))],
    "settings": {"concurrency": {"limit": 1}},
}
"""Fails, holds its place until the signal `go`, or ends well, as its input says."""
WORKFLOWS: dict[str, dict[str, Any]] = {
    "lined-up": LINED_UP,
    "leaf": {"nodes": [{"id": "ask", "type": "task", "with": {"title": "May it go on?"}}]},
    "top": {"nodes": [{"id": "sub", "type": "call", "with": {"workflow": "leaf"}}]},
}


def alike(partition: int) -> UUID:
    """A new id that lives in a partition."""
    return next(id_ for id_ in iter(new_id, None) if routing.partition_of(id_) == partition)


def asked(execution_id: UUID, type_: str, **about: Any) -> Item:
    """A command to an execution."""
    data = msgspec.json.encode({"execution_id": execution_id, **about})
    return Item(id=str(new_id()), source="faults", type=type_, tenantid=TENANT, dataschema=schema_of(type_, 1), data=msgspec.Raw(data))


def start(execution_id: UUID, workflow: str, how: str = "fail", **more: Any) -> Item:
    given = {"workflow": workflow, "workflow_version": 1, "input": {"how": how}, "trigger": {"type": "event", "id": "faults"}}
    return asked(execution_id, "execution.start", **given, **more)


async def send(mesh: Mesh, *items: Item) -> None:
    """Send these, which are of one partition, in one frame."""
    (to,) = {routing.partition_of(UUID(msgspec.json.decode(item.data, type=dict[str, Any])["execution_id"])) for item in items}
    await mesh.send([OutFrame(routing.COMMANDS, routing.partition_queue(to), encode_frame(items))])


async def come_to(mesh: Mesh, **statuses: UUID) -> None:
    """Wait until executions have each come to a status."""

    async def there() -> bool | None:
        found = {row["id"]: row["status"] for row in await rows(mesh, "SELECT id, status FROM engine.executions")}
        return all(found.get(id_) == name.rpartition("_")[0] for name, id_ in statuses.items()) or None

    await eventually(there, f"executions coming to {statuses}", within_s=WITHIN_S)


async def entries(mesh: Mesh) -> Counter[tuple[UUID, str]]:
    """How often each execution has an entry of each kind."""
    found = await rows(mesh, "SELECT execution_id, e->>'kind' AS kind FROM engine.journal j, json_array_elements(j.entries) e")
    return Counter((row["execution_id"], row["kind"]) for row in found)


async def dies(mesh: Mesh, at: str, kind: str, of: UUID) -> None:
    """An engine that lives until it comes to a point."""
    await mesh.spawn("engine", FAULT_AT=at, FAULT_KIND=kind, FAULT_OF=str(of)).died()


async def test_a_retry_whose_engines_die_at_each_point_of_its_way_goes_on_once(database_url: str, broker_url: str, tmp_path: Path) -> None:
    retried, top, holder = alike(0), alike(0), new_id()
    leaf = uuid5(top, "call:sub:1")
    async with mesh_of(database_url, broker_url, tmp_path) as mesh:
        mesh.module = warm.RETRIES
        tasks = routing.inbox_queue("tasks")
        await mesh.bus.declare(Topology((QueueSpec(tasks, (Binding(routing.COMMANDS, tasks),)),)))
        engine = await prepared(mesh, retried, top, leaf, holder)
        await engine.kill()

        # In one frame, so that one commit has both: one is lined up, with its key taken (E13, E14), the other goes on with its child (E17).
        again = asked(retried, "execution.retry", answer_id=new_id(), node="how", input={"how": "well"})
        await send(mesh, again, asked(top, "execution.retry", answer_id=new_id()))
        await dies(mesh, "before_commit", "execution.retry_queued", retried)
        written = await entries(mesh)
        assert (written[retried, "execution.retry_queued"], written[top, "execution.retried"]) == (0, 0)
        await dies(mesh, "after_commit", "execution.retry_queued", retried)
        written = await entries(mesh)
        assert (written[retried, "execution.retry_queued"], written[top, "execution.retried"]) == (1, 1)
        # The child that its caller asks to go on (E18).
        await dies(mesh, "after_commit", "execution.retried", leaf)
        assert (await entries(mesh))[leaf, "execution.retried"] == 1
        # Its turn comes: the gatekeeper dies letting it in (E15), then the partition going back (E16).
        await send(mesh, asked(holder, "execution.signal", signal_id="go", name="go"))
        await dies(mesh, "let_in", "none", retried)
        await dies(mesh, "after_commit", "execution.retried", retried)
        assert (await entries(mesh))[retried, "execution.retried"] == 1

        await mesh.start("engine")
        await send(mesh, asked(leaf, "step.complete", node="ask", visit=2, outcome="completed", output={}))
        await come_to(mesh, completed_1=retried, completed_2=top, completed_3=leaf, completed_4=holder)
        written = await entries(mesh)
        for kind in ("execution.started", "execution.failed", "execution.retried", "execution.completed"):
            assert [written[id_, kind] for id_ in (retried, top, leaf)] == [1, 1, 1], kind
        answers = await rows(mesh, "SELECT status FROM engine.answers")
        assert sorted(row["status"] for row in answers) == [200, 202]
        assert await rows(mesh, "SELECT 1 FROM engine.keys") == []


async def prepared(mesh: Mesh, retried: UUID, top: UUID, leaf: UUID, holder: UUID) -> Node:
    """An engine at which two have failed, one of them with its child, and another holds the place that the first would need."""
    engine = await mesh.start("engine")
    for slug, document in WORKFLOWS.items():
        whole = {"format": "weft/v1", "slug": slug, "name": slug, **document}
        await mesh.say(WorkflowChanged(slug=slug, name=slug, revision=1, status="active", active_version=1, definition=whole))
    await send(mesh, start(retried, "lined-up", key="its-own"), start(top, "top"))
    await come_to(mesh, failed_1=retried, waiting_2=leaf)
    error = {"code": "refused", "message": "not now", "permanent": True}
    await send(mesh, asked(leaf, "step.fail", node="ask", visit=1, error=error))
    await send(mesh, start(holder, "lined-up", "hold"))
    await come_to(mesh, failed_1=leaf, failed_2=top, waiting_3=holder)
    return engine
