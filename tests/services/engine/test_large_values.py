"""Values over 64 KiB are kept apart from journal and state, in the same commit, once a tenant, for as long as a journal names them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from weft_connectors.activity import Activity, ActivityCall
from weft_engine.core.claims import INLINE_BYTES
from weft_engine.journal import Batch, Connection, Journal
from weft_runtime.database import driver_url

from tests.services.engine.conftest import Engine

ROWS: list[dict[str, Any]] = [{"number": number, "text": "abcdefghi " * 100} for number in range(900)]
"""About 900 KiB as JSON."""


@pytest.fixture
async def schema(database_url: str, engine: Engine) -> AsyncIterator[Connection]:
    """A connection to the schema of the engine that runs."""
    connection = await asyncpg.connect(driver_url(database_url))
    yield connection
    await connection.close()


async def named(schema: Connection, execution: str) -> list[tuple[str, bool]]:
    """What the journal of an execution names, with whether it is kept."""
    rows = await schema.fetch(
        "SELECT c ->> 1 AS id, EXISTS (SELECT FROM engine.blobs b WHERE b.id = c ->> 1 AND b.tenant_id = j.tenant_id) AS kept"
        " FROM engine.journal j, json_array_elements(j.entries) e, json_array_elements(e -> 'claims') c WHERE j.execution_id = $1",
        UUID(execution),
    )
    return [(row["id"], row["kept"]) for row in rows]


async def widest(schema: Connection, execution: str) -> int:
    """Bytes of the longest row in the journal of an execution."""
    return int(await schema.fetchval("SELECT max(length(entries::text)) FROM engine.journal WHERE execution_id = $1", UUID(execution)))


def act(node: str, **input_: Any) -> dict[str, Any]:
    return {"id": node, "type": "activity", "with": {"name": f"do_{node}", **({"input": input_} if input_ else {})}}


PIPELINE: dict[str, Any] = {
    "nodes": [
        act("big"),
        act("use", row="{{ step.big.output.rows[899] }}", some="{{ step.big.output.rows.filter(r, r.number < 100) }}"),
        {"id": "part", "type": "set", "with": {"kept": "{{ step.big.output.rows.filter(r, r.number < 150) }}"}},
        {"id": "each", "type": "foreach", "with": {
            "items": "{{ vars.kept }}", "as": "row", "concurrency": 40,
            "body": {"nodes": [{"id": "one", "type": "transform", "with": {
                "map": {"n": "{{ row.number + index }}", "last": "{{ step.use.output.n }}"}}}]},
        }},
        {"id": "rest", "type": "state", "with": {"signals": {"go": {}}}},
        act("last", sum="{{ sum(step.each.output.map(o, o.n)) }}", sent="{{ size(step.rest.output.text) }}"),
    ],
    "output": {"sum": "{{ step.last.output.sum }}", "sent": "{{ step.last.output.sent }}", "part": "{{ vars.kept }}"},
}  # fmt: skip


def workers(working: Callable[..., None], seen: list[Any], **more: Activity) -> None:
    async def big(call: ActivityCall) -> Any:
        return {"rows": ROWS}

    async def use(call: ActivityCall) -> Any:
        seen.append(call.input)
        return {"n": call.input["row"]["number"]}

    async def last(call: ActivityCall) -> Any:
        return call.input

    working(do_big=big, do_use=use, do_last=last, **more)


async def goes_through(engine: Engine, working: Callable[..., None], slug: str) -> tuple[str, list[Any]]:
    """One execution of the pipeline, from start to end."""
    seen: list[Any] = []
    workers(working, seen)
    await engine.publish(slug, **PIPELINE)
    execution = await engine.start(slug, input={"note": "n" * 200_000})
    await engine.waiting(execution)
    answer = await engine.client.post(f"/api/v1/executions/{execution}/signals/go", json={"payload": {"text": "s" * 300_000}})
    assert answer.status_code == 202, answer.text
    await engine.ended(execution)
    return execution, seen


async def test_an_output_of_900_kib_flows_to_the_next_steps_and_is_shown_as_it_was(
    engine: Engine, working: Callable[..., None], schema: Connection
) -> None:
    execution, seen = await goes_through(engine, working, "large")

    shown = await engine.get(execution)
    part = [row for row in ROWS if row["number"] < 150]
    assert (shown["status"], shown["error"]) == ("completed", None)
    assert shown["output"] == {"sum": 2 * sum(range(150)), "sent": 300_000, "part": part}
    assert shown["input"] == {"note": "n" * 200_000} and shown["vars"] == {"kept": part}
    assert seen[0] == {"row": ROWS[899], "some": ROWS[:100]}
    steps = {step["node"]: step for step in await engine.steps(execution)}
    assert steps["big"]["output"] == {"rows": ROWS} and steps["use"]["input"] == seen[0]
    history = (await engine.client.get(f"/api/v1/executions/{execution}/history", params={"limit": 100})).json()["items"]
    assert next(entry["data"] for entry in history if entry["kind"] == "step.completed")["output"] == {"rows": ROWS}
    state = (await engine.client.get(f"/api/v1/executions/{execution}/state")).json()
    assert state["output"] == shown["output"] and state["vars"] == shown["vars"]
    told = await engine.client.get(f"/api/v1/executions/{execution}/explain")
    assert told.status_code == 200
    assert await widest(schema, execution) < 2 * INLINE_BYTES
    claims = await named(schema, execution)
    assert len(claims) >= 6 and all(kept for _, kept in claims)


async def test_memory_dropped_after_every_commit_changes_nothing(
    engine: Engine, working: Callable[..., None], schema: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = Journal.commit
    lied = 0

    async def done_but_failed(journal: Journal, batch: Batch) -> Any:
        nonlocal lied
        lying = bool(batch.rows) and lied < 40
        lied += lying  # before the commit: what it does is seen by others sooner than by who asked for it
        await commit(journal, batch)
        if lying:
            raise ConnectionResetError("the answer was lost")

    monkeypatch.setattr(Journal, "commit", done_but_failed)
    execution, _ = await goes_through(engine, working, "doubtful")
    assert lied >= 5
    shown = await engine.get(execution)
    assert shown["output"]["sum"] == 2 * sum(range(150)) and shown["output"]["sent"] == 300_000
    assert all(kept for _, kept in await named(schema, execution))


async def test_equal_outputs_of_a_tenant_are_kept_once_and_used_by_each(
    engine: Engine, working: Callable[..., None], schema: Connection
) -> None:
    text = str(uuid4()) * 3_000

    async def same(call: ActivityCall) -> Any:
        return text

    working(do_same=same)
    await engine.publish("same", nodes=[act("same")])
    executions = [await engine.start("same") for _ in range(3)]
    for execution in executions:
        await engine.ended(execution)

    ids = {id_ for execution in executions for id_, _ in await named(schema, execution)}
    assert len(ids) == 1
    uses = await schema.fetch("SELECT execution_id FROM engine.blob_uses WHERE blob_id = $1", ids.pop())
    assert {str(row["execution_id"]) for row in uses} == set(executions)


async def test_an_output_over_1_mib_fails_the_step_with_its_code(engine: Engine, working: Callable[..., None]) -> None:
    async def much(call: ActivityCall) -> Any:
        return "x" * (1024 * 1024 + 1)

    working(do_much=much)
    await engine.publish("much", nodes=[act("much")])
    shown = await engine.ended(await engine.start("much"))

    assert (shown["status"], shown["error"]["code"]) == ("failed", "output_too_large")


async def test_a_child_is_given_a_large_input_and_gives_a_large_output(
    engine: Engine, working: Callable[..., None], schema: Connection
) -> None:
    workers(working, [])
    await engine.publish("child-of-large", nodes=[{"id": "t", "type": "transform", "with": {"expression": "size(input.rows)"}}],
                         output={"n": "{{ step.t.output }}", "back": "{{ input.rows }}"})  # fmt: skip
    call = {
        "id": "call",
        "type": "call",
        "with": {"workflow": "child-of-large", "input": {"rows": "{{ step.big.output.rows.filter(r, r.number < 150) }}"}},
    }
    await engine.publish("parent-of-large", nodes=[act("big"), call],
                         output={"n": "{{ step.call.output.n }}", "first": "{{ step.call.output.back[0] }}"})  # fmt: skip
    execution = await engine.start("parent-of-large")
    shown = await engine.ended(execution)

    assert shown["output"] == {"n": 150, "first": ROWS[0]}
    assert await widest(schema, execution) < INLINE_BYTES
    child = await engine.get(shown["children"][0])
    assert len(child["output"]["back"]) == 150 and await widest(schema, child["id"]) < INLINE_BYTES


async def test_what_came_during_a_pause_and_what_a_retry_goes_back_behind_may_be_large(
    engine: Engine, working: Callable[..., None]
) -> None:
    calls: list[Any] = []

    async def picky(call: ActivityCall) -> Any:
        calls.append(call.input)
        if len(calls) < 2:
            raise ValueError("not this time")
        return call.input

    workers(working, [], do_picky=picky)
    node = {**act("picky", rows="{{ step.big.output.rows.filter(r, r.number < 120) }}", sent="{{ size(step.rest.output) }}"),
            "retry": {"attempts": 1}}  # fmt: skip
    await engine.publish("paused", nodes=[act("big"), {"id": "rest", "type": "state", "with": {"signals": {"go": {}}}}, node])
    execution = await engine.start("paused")
    await engine.waiting(execution)
    assert (await engine.client.post(f"/api/v1/executions/{execution}/pause", json={})).status_code == 200
    for _ in range(2):
        body = {"payload": "p" * 100_000, "signal_id": "one"}
        assert (await engine.client.post(f"/api/v1/executions/{execution}/signals/go", json=body)).status_code == 202
    assert (await engine.client.post(f"/api/v1/executions/{execution}/resume", json={})).status_code == 200
    failed = await engine.ended(execution)
    assert failed["status"] == "failed", failed
    assert (await engine.client.post(f"/api/v1/executions/{execution}/retry", json={})).status_code == 200
    shown = await engine.ended(execution)

    assert shown["status"] == "completed"
    assert calls == [{"rows": ROWS[:120], "sent": 100_000}] * 2
    effects = (await engine.client.get(f"/api/v1/executions/{execution}/effects")).json()["items"]
    assert [effect["name"] for effect in effects].count("do_big") == 1
