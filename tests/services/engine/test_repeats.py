"""A start that comes again, as brokers and crashes make it: nothing begins twice, and who came in the same frame begins all the same."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from weft_contracts import routing
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import encode_frame
from weft_runtime.bus import OutFrame
from weft_runtime.clock import new_id
from weft_runtime.testing import eventually

from tests.services.engine.conftest import Engine

SET = {"id": "a", "type": "set", "with": {"x": 1}}
REST = {"id": "rest", "type": "state", "with": {"signals": {"go": {}}}}


def asked(execution_id: UUID, workflow: str, **more: Any) -> Item:
    """One `execution.start` of an event."""
    trigger = {"type": "event", "id": "t"}
    about = {"execution_id": str(execution_id), "workflow": workflow, "workflow_version": 1, "trigger": trigger, **more}
    return Item(
        id=f"{execution_id}:start", source="test", type="execution.start", tenantid="acme", dataschema=schema_of("execution.start", 1),
        data=msgspec.Raw(msgspec.json.encode(about)),
    )  # fmt: skip


def neighbours(count: int) -> list[UUID]:
    """New ids whose executions all live in partition 0."""
    found: list[UUID] = []
    while len(found) < count:
        id_ = new_id()
        if routing.partition_of(id_) == 0:
            found.append(id_)
    return found


async def say(engine: Engine, *items: Item) -> None:
    """Send these to partition 0 in one frame."""
    await engine.service.context.bus.publish([OutFrame(routing.COMMANDS, routing.partition_queue(0), encode_frame(items))])


async def history(engine: Engine, execution_id: UUID) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await engine.client.get(f"/api/v1/executions/{execution_id}/history")).json()["items"]
    return items


async def test_one_that_has_ended_stays_as_it_ended_and_its_neighbours_start(engine: Engine) -> None:
    await engine.publish("once", nodes=[SET])
    first, second, third = neighbours(3)
    await say(engine, asked(first, "once"))
    await engine.begun(str(first))
    await engine.ended(str(first))
    before = await history(engine, first)
    await say(engine, asked(second, "once"), asked(first, "once"), asked(third, "once"))
    for execution in (second, third):
        await engine.begun(str(execution))
        assert (await engine.ended(str(execution)))["status"] == "completed"
    assert await history(engine, first) == before


async def test_one_that_comes_twice_in_one_frame_begins_once(engine: Engine) -> None:
    await engine.publish("rests", nodes=[REST])
    (only,) = neighbours(1)
    await say(engine, asked(only, "rests"), asked(only, "rests"))
    await engine.begun(str(only))
    await engine.waiting(str(only))
    assert [entry["kind"] for entry in await history(engine, only)].count("execution.started") == 1


async def test_one_with_a_key_that_has_ended_does_not_hold_its_key_again(engine: Engine) -> None:
    await engine.publish("keyed", nodes=[SET])
    first, second = neighbours(2)
    await say(engine, asked(first, "keyed", key="order-7"))
    await engine.begun(str(first))
    await engine.ended(str(first))
    await say(engine, asked(first, "keyed", key="order-7"), asked(second, "keyed", key="order-7"))
    await engine.begun(str(second))
    assert (await engine.ended(str(second)))["status"] == "completed"


async def test_one_that_was_asked_for_by_hand_and_is_shown_before_it_begins_does_begin(engine: Engine) -> None:
    await engine.publish("by-hand", nodes=[REST])
    execution = UUID(await engine.start("by-hand", labels={"team": "red"}))
    shown = await engine.waiting(str(execution))
    assert shown["labels"] == {"team": "red"}
    assert [entry["kind"] for entry in await history(engine, execution)].count("execution.started") == 1


def command(execution_id: UUID, type_: str, answer_id: UUID, **more: Any) -> Item:
    """What somebody asks of an execution."""
    about = {"execution_id": str(execution_id), "answer_id": str(answer_id), **more}
    return Item(
        id=str(answer_id), source="test", type=type_, tenantid="acme", dataschema=schema_of(type_, 1),
        data=msgspec.Raw(msgspec.json.encode(about)),
    )  # fmt: skip


async def test_a_request_that_was_answered_does_nothing_when_it_comes_again_whatever_has_happened_since(engine: Engine) -> None:
    guarded = {"id": "s", "type": "state", "with": {"signals": {"pay": {}, "more": {}}}}
    count = {"id": "count", "type": "set", "with": {"n": "{{ vars.n + 1 }}"}}
    edges = [
        {"from": "s", "to": "end", "on": "pay", "when": "vars.n > 0"},
        {"from": "s", "to": "count", "on": "more"},
        {"from": "count", "to": "s"},
    ]
    await engine.publish("asked-again", vars={"n": 0}, nodes=[guarded, count, {"id": "end", "type": "end"}], edges=edges)
    (execution,) = neighbours(1)
    pause, resume, pay, more = (
        command(execution, "execution.pause", new_id(), user="ann"),
        command(execution, "execution.resume", new_id(), user="ann"),
        command(execution, "execution.signal", new_id(), signal_id="pay", name="pay"),
        command(execution, "execution.signal", new_id(), signal_id="more", name="more"),
    )
    # In one frame, and then again once it is done: pausing again would pause for ever, and what was refused would now be taken.
    await say(engine, asked(execution, "asked-again"), pause, resume, pay, more, pause, pay)
    await engine.begun(str(execution))
    await engine.until(str(execution), lambda shown: shown["status"] == "waiting")
    await say(engine, pause, pay, command(execution, "execution.signal", new_id(), signal_id="again", name="more"))

    async def counted() -> list[dict[str, Any]] | None:
        entries = await history(engine, execution)
        return entries if [one["node"] for one in entries if one["kind"] == "step.completed"].count("count") == 2 else None

    entries = await eventually(counted, "the second round")
    kinds = [entry["kind"] for entry in entries]
    assert (kinds.count("execution.paused"), kinds.count("execution.completed")) == (1, 0)


async def test_a_retry_that_comes_again_once_it_has_failed_anew_is_not_done_again(engine: Engine) -> None:
    await engine.publish("fails-again", nodes=[{"id": "f", "type": "fail", "with": {"code": "no", "message": "no"}}])
    (execution,) = neighbours(1)
    once, twice = (command(execution, "execution.retry", new_id(), user=user) for user in ("ann", "bob"))
    await say(engine, asked(execution, "fails-again"), once, once)
    await engine.begun(str(execution))
    await say(engine, once, twice)

    async def retried() -> list[str] | None:
        by = [entry["data"]["by"] for entry in await history(engine, execution) if entry["kind"] == "execution.retried"]
        return by if "bob" in by else None

    assert await eventually(retried, "the second retry") == ["ann", "bob"]
