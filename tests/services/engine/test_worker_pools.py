"""Workers of one pool share its work: another process is all that more work needs. How long activities take is measured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from weft_connectors.activity import Activities, ActivityCall, ActivityError
from weft_contracts import routing
from weft_contracts.directory import TenantChanged
from weft_contracts.envelope import Item
from weft_contracts.frames import encode_frame
from weft_engine.worker import Worker
from weft_runtime.bus import OutFrame, memory, open_bus
from weft_runtime.bus.topology import dead_queue, pool
from weft_runtime.clock import SystemClock
from weft_runtime.testing import eventually, tell

from tests.services.engine.conftest import Engine


@asynccontextmanager
async def workers(engine: Engine, pool: str, *each: Activities) -> AsyncIterator[None]:
    """Workers of a pool, each with activities of its own and a single place."""
    bus, clock = engine.service.context.bus, engine.service.clock
    tasks = [asyncio.create_task(Worker(bus, activities, clock, pool_name=pool, concurrency=1).run()) for activities in each]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_activities_are_spread_over_the_workers_of_their_pool(engine: Engine) -> None:
    worked: set[int] = set()

    def of_worker(number: int) -> Activities:
        async def note(call: ActivityCall) -> str:
            worked.add(number)
            return call.key

        return Activities({"note": note})

    node = {"id": "note", "type": "activity", "with": {"name": "note", "queue": "shared"}}
    await engine.publish("noting", nodes=[node], output={"key": "{{ step.note.output }}"})

    async def all_worked() -> bool | None:
        execution = await engine.start("noting")
        assert (await engine.ended(execution))["output"] == {"key": f"{execution}:note:1"}
        return len(worked) == 3 or None

    async with workers(engine, "shared", *map(of_worker, range(3))):
        await eventually(all_worked, "each of three workers having done some of the work")


async def test_an_activity_does_not_go_to_a_queue_that_is_another_tenants(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft_engine.hotloop.programs.TENANT_TTL_S", 0.0)
    node = {"id": "note", "type": "activity", "with": {"name": "note", "queue": "neighbour.notes"}}
    await engine.publish("reaching-over", nodes=[node])
    before = await engine.start("reaching-over")
    await engine.until(before, lambda shown: [one["kind"] for one in shown["waiting_for"]] == ["activity"])
    await tell(engine.service, TenantChanged(tenant="neighbour", name="Neighbour", revision=1), tenant="neighbour")
    shown = await engine.ended(await engine.start("reaching-over"))
    assert (shown["status"], shown["error"]["code"], shown["error"]["details"]) == (
        "failed", "queue_not_allowed", {"queue": "neighbour.notes"},
    )  # fmt: skip
    assert (await engine.get(before))["status"] == "running", "what was asked is asked"
    await engine.client.post(f"/api/v1/executions/{before}/cancel")


async def test_attempts_that_repeat_a_key_are_counted_by_why(engine: Engine) -> None:
    began: list[int] = []
    held = asyncio.Event()

    async def charge(call: ActivityCall) -> str:
        began.append(call.attempt)
        if len(began) == 1:
            raise ActivityError("busy", "try again")
        if len(began) == 2:
            await held.wait()
        return "charged"

    def told(why: str) -> float | None:
        # The name is no other test's: those of one process share the metrics.
        return REGISTRY.get_sample_value("weft_worker_repeats_total", {"activity": "recharge", "why": why})

    retry = {"attempts": 2, "delay": "1s", "jitter": False}
    await engine.publish(
        "charging", nodes=[{"id": "c", "type": "activity", "with": {"name": "recharge", "queue": "counted"}, "retry": retry}]
    )

    async def begun(count: int) -> bool | None:
        return len(began) >= count or None

    async with workers(engine, "counted", Activities({"recharge": charge})):
        execution = await engine.start("charging")
        await engine.until(execution, lambda shown: [one["kind"] for one in shown["waiting_for"]] == ["retry"])
        engine.service.clock.advance(timedelta(seconds=2))
        await eventually(lambda: begun(2), "the second attempt in hand")
    async with workers(engine, "counted", Activities({"recharge": charge})):
        await engine.ended(execution)
    assert (began, told("retried"), told("redelivered")) == ([1, 2, 2], 1, 1)


async def test_how_long_each_activity_takes_is_measured_by_its_outcome(engine: Engine) -> None:
    async def scan(call: ActivityCall) -> str:
        engine.service.clock.advance(timedelta(seconds=3))
        if call.input == "nothing":
            raise ActivityError("empty", "there is nothing to scan", permanent=True)
        return "scanned"

    def told(what: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(f"weft_worker_activity_seconds_{what}", labels)

    node = {"id": "scan", "type": "activity", "with": {"name": "{{ input.name }}", "input": "{{ input.what }}", "queue": "measured"}}
    await engine.publish("scanning", nodes=[node])
    unknown_before = told("count", activity="unknown", outcome="failed") or 0  # of other tests of this process
    async with workers(engine, "measured", Activities({"scan": scan})):
        for name, what in (("scan", "a page"), ("scan", "another"), ("scan", "nothing"), ("no such", "")):
            await engine.ended(await engine.start("scanning", input={"name": name, "what": what}))
    assert (told("count", activity="scan", outcome="completed"), told("sum", activity="scan", outcome="completed")) == (2, 6)
    assert (told("count", activity="scan", outcome="failed"), told("sum", activity="scan", outcome="failed")) == (1, 3)
    assert told("bucket", activity="scan", outcome="completed", le="2.5") == 0
    assert told("count", activity="unknown", outcome="failed") == unknown_before + 1
    assert told("count", activity="no such", outcome="failed") is None


async def test_what_is_no_request_is_parked_once_the_broker_takes_it_and_acked_then(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = open_bus("inprocess://setting-aside", name="worker")
    await bus.start()
    await bus.declare(pool("aside"))
    queue = routing.work_queue("aside")
    unheard = Item(id="1", source="test", type="no.such", tenantid="acme", data=msgspec.Raw(b"{}"))
    await bus.publish([OutFrame(routing.WORK, queue, encode_frame([unheard]))])
    monkeypatch.setattr(memory, "MAX_QUEUE_BYTES", 0)  # the broker takes nothing now, and still gives
    with capture_logs() as logged:
        working = asyncio.create_task(Worker(bus, Activities({}), SystemClock(), pool_name="aside").run())

        async def refused() -> bool | None:
            return any("not" in line["event"] for line in logged) or None

        await eventually(refused, "the broker having refused it")
    monkeypatch.undo()
    dead = await bus.consume(dead_queue("engine"), prefetch=10)
    async with asyncio.timeout(60):
        (parked,) = await dead.take()
    assert parked.headers["x-weft-code"] == "unknown_type"
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert await bus.depth(queue) == 0, "it was acked"
    await bus.close()
