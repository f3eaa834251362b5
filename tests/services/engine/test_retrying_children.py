"""Retrying who called a workflow that failed: the child goes on from where it failed, and what it has done is done once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from weft_connectors.activity import ActivityCall, ActivityError
from weft_contracts.directory import TenantChanged
from weft_contracts.executions import Caller, RetryExecution
from weft_engine.hotloop import programs
from weft_engine.journal import JournalRow
from weft_engine.tables import executions, journal
from weft_runtime.testing import tell

from tests.services.engine.conftest import Engine
from tests.services.engine.test_queued_retries import breaking, comes_to, kinds, post

POOL = "children"


@dataclass
class World:
    """What the workers do. broken: whether a check fails.  effects: what was done outside, by key."""

    broken: bool = True
    effects: Counter[str] = field(default_factory=Counter)

    async def charge(self, call: ActivityCall) -> Any:
        """Has an effect."""
        self.effects[call.key] += 1
        return len(self.effects)

    async def check(self, call: ActivityCall) -> Any:
        """Fails until the world is mended."""
        if self.broken:
            raise ActivityError("broken", "it is broken", permanent=True)
        return "checked"


@pytest.fixture
async def world(working: Callable[..., None]) -> World:
    """A world with a worker in it."""
    made = World()
    working(POOL, charge=made.charge, check=made.check)
    return made


def act(node: str, name: str) -> dict[str, Any]:
    return {"id": node, "type": "activity", "with": {"name": name, "queue": POOL}}


def call(workflow: str) -> dict[str, Any]:
    return {"id": "sub", "type": "call", "with": {"workflow": workflow, "input": {"n": "{{ default(input.n, 1) }}"}}}


HOLD = {"id": "hold", "type": "state", "with": {"signals": {"go": {}}}}


async def family(engine: Engine, name: str, *more: dict[str, Any], **document: Any) -> tuple[str, str]:
    """A workflow that charges, checks and does more, and one that charges and calls it."""
    leaf = await engine.publish(
        f"{name}-leaf", nodes=[act("pay", "charge"), act("ok", "check"), *more], output={"ok": "{{ step.ok.output }}"}, **document
    )
    top = await engine.publish(f"{name}-top", nodes=[act("pay", "charge"), call(leaf)], output={"got": "{{ step.sub.output }}"})
    return top, leaf


async def failed(engine: Engine, slug: str, **body: Any) -> tuple[str, str]:
    """One that has failed, and its child."""
    execution = await engine.start(slug, **body)
    shown = await comes_to(engine, execution, "failed")
    return execution, str(shown["children"][0])


async def retry(engine: Engine, execution: str, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = await engine.client.post(f"/api/v1/executions/{execution}/retry", json=body)
    assert answer.status_code == status, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_a_retry_goes_down_to_what_failed_and_does_nothing_twice_on_the_way(engine: Engine, world: World) -> None:
    middle, _ = await family(engine, "deep")
    top = await engine.publish("deep-most", nodes=[act("pay", "charge"), call(middle)], output={"got": "{{ step.sub.output.got.ok }}"})
    execution, child = await failed(engine, top)
    grandchild = (await engine.get(child))["children"][0]
    await retry(engine, execution)
    await comes_to(engine, execution, "failed")
    world.broken = False
    shown = await retry(engine, execution)
    assert (shown["waiting_for"][0]["for"], shown["children"]) == ({"execution_id": child, "workflow": middle}, [child])
    assert (await comes_to(engine, execution, "completed"))["output"] == {"got": "checked"}
    assert [(await engine.get(one))["status"] for one in (child, grandchild)] == ["completed"] * 2
    assert sorted(world.effects.values()) == [1, 1, 1]
    assert [(await kinds(engine, one)).count("execution.retried") for one in (execution, child, grandchild)] == [2] * 3
    steps = [(step["node"], step["visit"], step["status"]) for step in await engine.steps(execution)]
    assert steps == [("pay", 1, "completed"), ("sub", 1, "failed"), ("sub", 2, "failed"), ("sub", 3, "completed")]


async def test_one_that_somebody_has_retried_and_that_has_completed_gives_what_it_gave(engine: Engine, world: World) -> None:
    top, _ = await family(engine, "by-hand")
    execution, child = await failed(engine, top)
    world.broken = False
    await retry(engine, child)
    await comes_to(engine, child, "completed")
    before, world.broken = dict(world.effects), True
    await retry(engine, execution)
    assert (await comes_to(engine, execution, "completed"))["output"] == {"got": {"ok": "checked"}}
    assert (world.effects, (await kinds(engine, child)).count("execution.retried")) == (before, 1)


async def test_one_that_somebody_has_retried_and_that_lives_is_waited_for_and_follows_its_caller(engine: Engine, world: World) -> None:
    top, _ = await family(engine, "living", HOLD)
    execution, child = await failed(engine, top)
    world.broken = False
    await retry(engine, child)
    await comes_to(engine, child, "waiting")
    await retry(engine, execution)
    await post(engine, execution, "pause")
    await comes_to(engine, child, "paused")
    await post(engine, execution, "resume")
    await comes_to(engine, child, "waiting")
    await post(engine, child, "signals/go", 202)
    assert (await comes_to(engine, execution, "completed"))["output"] == {"got": {"ok": "checked"}}


async def cancelled(engine: Engine, child: str) -> None:
    await retry(engine, child)
    await comes_to(engine, child, "waiting")
    await post(engine, child, "cancel")


async def forgotten(engine: Engine, child: str) -> None:
    async with engine.service.context.owner_transaction("acme") as uow:
        for table, column in ((journal, journal.c.execution_id), (executions, executions.c.id)):
            await uow.conn.execute(sa.delete(table).where(table.c.tenant_id == "acme", column == UUID(child)))


@pytest.mark.parametrize("lose", [cancelled, forgotten])
async def test_in_the_place_of_one_that_cannot_go_on_another_is_called(
    engine: Engine, world: World, lose: Callable[[Engine, str], Any]
) -> None:
    top, _ = await family(engine, f"lost-{lose.__name__}", HOLD)
    execution, child = await failed(engine, top)
    world.broken = False
    await lose(engine, child)
    await retry(engine, execution)
    shown = await engine.until(
        execution, lambda shown: len(shown["children"]) == 2, passing=timedelta(seconds=1 if lose is forgotten else 0)
    )
    new = str(shown["children"][1])
    await engine.begun(new)
    await comes_to(engine, new, "waiting")
    await post(engine, new, "signals/go", 202)
    await comes_to(engine, execution, "completed")
    steps = [(step["node"], step["visit"], step["status"], (step["error"] or {}).get("code")) for step in await engine.steps(execution)]
    assert steps[1:] == [("sub", 1, "failed", "broken"), ("sub", 2, "failed", "child_lost"), ("sub", 3, "completed", None)]


async def test_a_child_that_waits_for_a_retry_by_hand_is_not_waited_for_by_who_holds_the_only_place(
    engine: Engine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "TENANT_TTL_S", 0.0)
    own = Engine(engine.service, "narrow")
    top, _ = await family(own, "narrow")
    execution, child = await failed(own, top)
    changed = TenantChanged(tenant="narrow", name="n", tier="standard", revision=1, settings={"quotas": {"live_executions": 1}})
    await tell(engine.service, changed)
    holder = await own.start(await own.publish("narrow-hold", nodes=[HOLD]))
    await own.waiting(holder)
    world.broken = False
    assert (await retry(own, execution, 202))["status"] == "queued"
    assert (await retry(own, child, 202))["status"] == "queued"
    await post(own, holder, "signals/go", 202)
    await comes_to(own, child, "failed")
    # What is held for a moment is taken up as time goes by.
    await own.until(execution, lambda shown: shown["status"] == "completed", passing=timedelta(milliseconds=100))
    assert ((await own.get(child))["status"], sorted(world.effects.values())) == ("completed", [1, 1])


async def test_a_child_that_waits_in_line_for_its_caller_and_is_given_up_fails_it_again(engine: Engine, world: World) -> None:
    rule = {"concurrency": {"key": "one", "limit": 1}}
    top, leaf = await family(engine, "in-line", HOLD, settings=rule)
    execution, child = await failed(engine, top)
    world.broken = False
    holder = await engine.start(leaf)
    await engine.waiting(holder)
    await retry(engine, execution)
    await comes_to(engine, child, "queued")
    await post(engine, child, "cancel")
    assert (await comes_to(engine, execution, "failed"))["error"]["code"] == "broken"


async def test_words_that_come_again_or_late_retry_nothing_twice(engine: Engine, world: World) -> None:
    top, _ = await family(engine, "repeating")
    execution, child = await failed(engine, top)
    await retry(engine, execution)
    await engine.until(execution, lambda shown: shown["status"] == "failed")
    await retry(engine, execution)
    await engine.until(execution, lambda shown: shown["status"] == "failed" and shown["completed_at"] is not None)
    before = await kinds(engine, child)
    world.broken = False
    parent = UUID(execution)
    async with engine.service.context.owner_transaction("acme") as uow:
        for visit in (1, 2, 3, 2):
            caller = Caller(execution_id=parent, node="sub", visit=visit, depth=1)
            uow.say(RetryExecution(execution_id=UUID(child), caller=caller))
    refused = await engine.client.post(f"/api/v1/executions/{child}/retry", json={"from": "nowhere"})
    assert refused.json()["code"] == "retry_from_unknown", "what was said before has been heard"
    assert await kinds(engine, child) == before


async def test_whatever_commit_fails_and_then_is_done_in_doubt_the_child_goes_on_once(
    engine: Engine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    top, _ = await family(engine, "doubt")
    execution, child = await failed(engine, top)
    world.broken = False
    names = {execution: "caller", child: "child"}

    def hit(row: JournalRow) -> str | None:
        return names.get(str(row.execution_id)) if "execution.retried" in row.entries else None

    lost = breaking(monkeypatch, hit)
    await retry(engine, execution)
    await comes_to(engine, execution, "completed")
    assert (sorted(lost), sorted(world.effects.values())) == (["caller", "caller", "child", "child"], [1, 1])
    assert [(await kinds(engine, one)).count("execution.retried") for one in (execution, child)] == [1, 1]
