"""A workflow in two versions, executions of it in six states, and how a test asks for their migration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.executions import StartExecution
from weft_engine.tables import executions
from weft_runtime.clock import new_id
from weft_runtime.testing import eventually, tell

from tests.services.engine.conftest import Engine

STATES = ("task", "signal", "timer", "activity", "branch", "item")
UNDONE: dict[str, Any] = {"queue": "nobody"}


def document(slug: str, *, new: bool = False, broken: bool = False) -> dict[str, Any]:
    """The workflow. Its input says in which state an execution comes to rest.

    new: a step is added before everything and one after it, each place but the timer is renamed, and the step `old` is gone.
    broken: the step that is added at the end always fails.
    """

    def name(id_: str) -> str:
        return f"{id_}_now" if new and id_ != "timer" else id_

    def work(id_: str) -> dict[str, Any]:
        return {"id": name(id_), "type": "activity", "with": {"name": "work", **UNDONE}}

    nodes: list[dict[str, Any]] = [
        {"id": "choose", "type": "switch", "with": {"cases": [{"when": f"input.state == '{one}'", "outcome": one} for one in STATES[1:]]}},
        {"id": name("task"), "type": "task", "with": {"title": "Decide", "outcomes": ["yes", "no"], "assignee": "ann"}},
        {"id": name("signal"), "type": "state", "with": {"signals": {"go": {}}}},
        {"id": "timer", "type": "wait", "with": {"for": "9d" if new else "2d"}},
        work("activity"),
        {
            "id": name("branch"),
            "type": "parallel",
            "with": {"branches": {"left": {"nodes": [work("left")]}, "right": {"nodes": [work("right")]}}},
        },
        {"id": name("item"), "type": "foreach", "with": {"items": "{{ [1, 2, 3] }}", "concurrency": 2, "body": {"nodes": [work("each")]}}},
        {"id": "last", "type": "set", "with": {"version": "{{ execution.version }}"}},
    ]
    edges = [{"from": "choose", "on": one, "to": name(one)} for one in STATES[1:]] + [{"from": "choose", "to": name("task")}]
    edges += [{"from": name(one), "to": "last"} for one in STATES]
    if new:
        nodes.insert(0, {"id": "greet", "type": "set", "with": {"greeted": True}})
        edges.append({"from": "greet", "to": "choose"})
    else:
        nodes.insert(0, {"id": "old", "type": "set", "with": {"greeted": False}})
        edges.append({"from": "old", "to": "choose"})
    if broken:
        nodes.append({"id": "fails", "type": "fail", "with": {"code": "broken", "message": "as it was written"}})
        edges.append({"from": "last", "to": "fails"})
    output = {"version": "{{ vars.version }}"}
    return {"format": "weft/v1", "slug": slug, "name": slug, "nodes": nodes, "edges": edges, "output": output}


async def publish(engine: Engine, slug: str, *documents: dict[str, Any]) -> None:
    """Let the engine hear of versions 1, 2, … of a workflow."""
    for number, whole in enumerate(documents, 1):
        change = WorkflowChanged(slug=slug, name=slug, revision=number, status="active", active_version=number, definition=whole)
        await tell(engine.service, change)


async def resting(engine: Engine, slug: str, count: int, states: Sequence[str] = STATES) -> dict[str, list[str]]:
    """So many executions of version 1 in each state, by state, each where it is to rest. Words start them."""
    found = {state: [new_id() for _ in range(count)] for state in states}
    async with engine.service.context.owner_transaction("acme") as uow:
        for state, ids in found.items():
            uow.say(*(StartExecution(execution_id=one, workflow=slug, workflow_version=1, input={"state": state}) for one in ids))

    async def begun() -> bool | None:
        async with engine.service.context.transaction("acme") as uow:
            query = sa.select(sa.func.count()).where(executions.c.workflow == slug, executions.c.status.in_(("running", "waiting")))
            return True if (await uow.conn.execute(query)).scalar_one() == count * len(states) else None

    await eventually(begun, f"the beginning of all executions of {slug}")
    return {state: [str(one) for one in ids] for state, ids in found.items()}


async def planned(engine: Engine, slug: str, **body: Any) -> dict[str, Any]:
    """A migration from version 1 once every execution has its verdict."""
    answer = await engine.client.post(f"/api/v1/workflows/{slug}/migrations", json={"from": 1, **body})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/api/v1/migrations/{answer.json()['id']}"
    return await until(engine, answer.json(), lambda shown: shown["status"] == "ready")


async def until(engine: Engine, migration: dict[str, Any], holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The migration once something holds of it."""

    async def look() -> dict[str, Any] | None:
        shown: dict[str, Any] = (await engine.client.get(f"/api/v1/migrations/{migration['id']}")).json()
        return shown if holds(shown) else None

    return await eventually(look, f"what migration {migration['id']} should come to")


async def told(engine: Engine, migration: dict[str, Any], verb: str) -> Any:
    """The answer to `apply` or `undo`."""
    return await engine.client.post(f"/api/v1/migrations/{migration['id']}/{verb}")


async def items(engine: Engine, migration: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    """All items of a migration that fit."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        page = (await engine.client.get(f"/api/v1/migrations/{migration['id']}/items", params={"limit": 200, **query, **cursor})).json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def states(engine: Engine, ids: Sequence[str]) -> dict[str, Any]:
    """What `/state` shows of executions, but for the position and the time of the last entry."""
    client = engine.client

    async def one(execution_id: str) -> tuple[str, Any]:
        shown = (await client.get(f"/api/v1/executions/{execution_id}/state")).json()
        return execution_id, {name: value for name, value in shown.items() if name not in ("at", "last", "time")}

    return dict([await one(execution_id) for execution_id in ids])
