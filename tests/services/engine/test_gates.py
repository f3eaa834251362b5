"""How many executions live at once: who comes too many waits, is skipped, or takes the place of an older one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.directory import TenantChanged
from weft_engine.domain import Gate, Waiting, admit, let_go
from weft_runtime.clock import new_id
from weft_runtime.testing import eventually, tell

from tests.services.engine.conftest import Engine

CAPACITY = {"a": 1, "b": 2, "tenant": 3}


@given(st.lists(st.sets(st.sampled_from(sorted(CAPACITY)), min_size=1), max_size=12))
def test_no_gate_is_ever_passed_by_more_than_it_has_room_for(wanted: list[set[str]]) -> None:
    waiting = [Waiting(new_id(), tuple(Gate(name, CAPACITY[name]) for name in sorted(names))) for names in wanted]
    admitted = set(admit(waiting, {}).admitted)
    for name, capacity in CAPACITY.items():
        assert sum(name in names for one, names in zip(waiting, wanted, strict=True) if one.execution_id in admitted) <= capacity


def test_who_finds_no_room_does_not_hold_up_who_wants_another_gate() -> None:
    first, second, third = (Waiting(new_id(), (Gate(name, 1),)) for name in ("a", "a", "b"))
    assert admit([first, second, third], {}).admitted == [first.execution_id, third.execution_id]


def test_what_lives_goes_on_at_the_gates_that_are_open_whatever_the_others_are() -> None:
    open_, closed, both = Gate("suspended:1", 1), Gate("suspended:2", 0), Gate("suspended:3", 1)
    waiting = [Waiting(new_id(), gates, begun=True) for gates in ((open_, closed), (closed,), (open_, both), (closed, open_))]
    assert let_go(waiting) == {
        ("suspended:1",): [waiting[0].execution_id, waiting[3].execution_id],
        ("suspended:1", "suspended:3"): [waiting[2].execution_id],
    }


HOLD = [{"id": "hold", "type": "state", "with": {"signals": {"go": {}}}}]


async def publish(engine: Engine, slug: str, on_conflict: str, limit: int = 1) -> str:
    rule = {"key": "{{ input.who }}", "limit": limit, "on_conflict": on_conflict}
    return await engine.publish(slug, nodes=HOLD, settings={"concurrency": rule})


async def post(engine: Engine, execution_id: str, verb: str) -> None:
    answer = await engine.client.post(f"/api/v1/executions/{execution_id}/{verb}")
    assert answer.status_code in (200, 202), answer.text


async def comes_to(engine: Engine, execution_id: str, status: str) -> dict[str, Any]:
    return await engine.until(execution_id, lambda shown: shown["status"] == status)


async def ahead(engine: Engine, execution_id: str) -> list[int]:
    """How many are before an execution at each gate it stands at, once it stands at one."""

    async def standing() -> list[int] | None:
        explained = (await engine.client.get(f"/api/v1/executions/{execution_id}/explain")).json()
        return [gate["ahead"] for gate in explained["queued_for"]] or None

    return await eventually(standing, f"execution {execution_id} standing at a gate")


async def test_one_too_many_waits_until_another_ends(engine: Engine) -> None:
    slug = await publish(engine, "turns", "queue")
    first = await engine.start(slug, input={"who": "ann"})
    await engine.waiting(first)
    second = await engine.start(slug, input={"who": "ann"})
    await engine.waiting(await engine.start(slug, input={"who": "bob"}))
    assert (await engine.get(second))["status"] == "queued"
    await post(engine, first, "signals/go")
    assert (await engine.waiting(second))["input"] == {"who": "ann"}


async def test_one_too_many_is_skipped_where_the_workflow_says_so(engine: Engine) -> None:
    slug = await publish(engine, "once", "skip")
    await engine.waiting(await engine.start(slug, input={"who": "ann"}))
    await comes_to(engine, await engine.start(slug, input={"who": "ann"}), "cancelled")


async def test_a_newer_one_takes_the_place_of_the_older_where_the_workflow_says_so(engine: Engine) -> None:
    slug = await publish(engine, "newest", "cancel_running")
    first = await engine.start(slug, input={"who": "ann"})
    await engine.waiting(first)
    second = await engine.start(slug, input={"who": "ann"})
    await comes_to(engine, first, "cancelled")
    await engine.waiting(second)


@pytest.mark.parametrize("end", ["signals/go", "cancel"])
async def test_one_that_is_cancelled_while_it_waits_leaves_its_turn_to_the_next(engine: Engine, end: str) -> None:
    slug = await publish(engine, f"left-{end.partition('/')[0]}", "queue")
    first = await engine.start(slug, input={"who": "ann"})
    await engine.waiting(first)
    second, third = await engine.start(slug, input={"who": "ann"}), await engine.start(slug, input={"who": "ann"})
    await post(engine, second, "cancel")
    await comes_to(engine, second, "cancelled")
    await post(engine, first, end)
    await engine.waiting(third)


async def test_one_that_is_paused_while_it_waits_keeps_its_place_and_holds_up_nobody(engine: Engine) -> None:
    slug = await publish(engine, "resting-in-line", "queue")
    first = await engine.start(slug, input={"who": "ann"})
    await engine.waiting(first)
    # One after the other: those of different partitions come to the gate in any order.
    second = await engine.start(slug, input={"who": "ann"})
    assert await ahead(engine, second) == [0]
    await post(engine, second, "pause")
    await comes_to(engine, second, "paused")
    third = await engine.start(slug, input={"who": "ann"})
    assert await ahead(engine, third) == [0]
    fourth = await engine.start(slug, input={"who": "ann"})
    assert await ahead(engine, fourth) == [1]
    await post(engine, first, "signals/go")
    await engine.waiting(third)
    assert (await engine.get(second))["status"] == "paused"
    await post(engine, second, "resume")
    await comes_to(engine, second, "queued")
    await post(engine, third, "signals/go")
    await engine.waiting(second)
    assert (await engine.get(fourth))["status"] == "queued"


async def test_the_live_executions_of_a_tenant_are_bounded_by_its_quota(engine: Engine) -> None:
    quotas = {"quotas": {"live_executions": 1}}
    await tell(engine.service, TenantChanged(tenant="small", name="Small", tier="standard", revision=1, settings=quotas))
    document = {"format": "weft/v1", "slug": "q", "name": "q", "nodes": HOLD}
    published = WorkflowChanged(slug="q", name="q", revision=1, status="active", active_version=1, definition=document)
    await tell(engine.service, published, tenant="small")
    client = engine.service.client(tenant="small")
    ids = [(await client.post("/api/v1/workflows/q/trigger", json={})).json()["execution_id"] for _ in range(2)]

    async def statuses() -> list[str] | None:
        found = [(await client.get(f"/api/v1/executions/{one}")).json()["status"] for one in ids]
        return found if sorted(found) == ["queued", "waiting"] else None

    await eventually(statuses, "one lives, one waits")
