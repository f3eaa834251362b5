"""The topic `queues`: an operator sees what waits everywhere, everybody what waits for their own tenant's workers."""

import json
from datetime import UTC, datetime
from typing import Any

from weft_contracts.routing import WORK, work_queue
from weft_gateway import queues
from weft_gateway.domain import Tenant
from weft_gateway.queues import installations, own, shown
from weft_runtime.bus.ports import OutFrame
from weft_runtime.bus.topology import Binding, QueueSpec, Topology
from weft_runtime.testing import RunningService

from tests.services.gateway.live_watchers import opened, ticket
from tests.services.gateway.test_live import address, token, watching

__all__ = ["address"]


async def waits(gateway: RunningService, pool: str, frames: int) -> None:
    """Let frames wait for the workers of a queue."""
    queue = work_queue(pool)
    await gateway.context.bus.declare(Topology((QueueSpec(queue, (Binding(WORK, queue),)),)))
    await gateway.context.bus.publish([OutFrame(WORK, queue, b"[]")] * frames)


async def test_everybody_sees_their_own_tenants_queues_at_once_and_when_they_change(gateway: RunningService, address: str) -> None:
    await waits(gateway, "demo", 2)
    given = await ticket(gateway, await token(gateway), "queues")
    async with opened(address, given) as watcher, watching(address, await token(gateway), "queues") as stream:
        first = await watcher.heard()
        assert (first["event"], "id" in first, first["data"]["type"]) == ("queues", False, "queues.measured")
        assert first["data"]["queues"] == [{"name": "demo", "kind": "own", "waiting": 2}]
        await waits(gateway, "demo", 3)
        assert (await watcher.heard())["data"]["queues"] == [{"name": "demo", "kind": "own", "waiting": 5}]
        assert json.loads((await stream.named())["data"])["queues"][0]["name"] == "demo"


async def test_an_operator_sees_the_installations_queues_too(gateway: RunningService, address: str) -> None:
    async with opened(address, await ticket(gateway, await token(gateway, role="operator"), "queues")) as watcher:
        told: list[dict[str, Any]] = (await watcher.heard())["data"]["queues"]
    kinds = [one["kind"] for one in told]
    assert [kinds.count(kind) for kind in ("partition", "inbox", "pool", "own")] == [8, 6, 1, 1]
    by_name = {one["name"]: one["waiting"] for one in told}
    assert (by_name["gateway.inbox"], by_name["engine.p.0"]) == (0, None)


async def test_who_asks_for_everything_is_not_told_of_queues_and_who_no_longer_asks_neither(gateway: RunningService, address: str) -> None:
    async with opened(address, await ticket(gateway, await token(gateway), "queues")) as watcher:
        assert (await watcher.heard())["event"] == "queues"
        await watcher.says({"unsubscribe": ["queues"]})
        assert (await watcher.heard())["data"]["topics"] == []
        await watcher.says({"subscribe": ["queues"]})
        assert [(await watcher.heard())["event"] for _ in range(2)] in (["topics", "queues"], ["queues", "topics"])


def test_a_tenant_has_the_queues_that_are_called_as_it_is() -> None:
    listed = {"activity_queues": ["acme.prices", "shared-ocr", "acme", 7, "globex.ocr", "acmeother"]}
    tenant = Tenant("acme", "Acme", datetime(2026, 1, 1, tzinfo=UTC), settings=listed)
    assert [one.name for one in own(tenant)] == ["acme", "acme.prices"]


def test_a_queue_that_was_not_looked_at_is_not_told() -> None:
    (pool,) = [one for one in installations(1, ()) if one.kind == "pool"]
    assert shown([pool], {})["queues"] == []
    assert shown([pool], {pool.at: 0})["queues"] == [{"name": queues.POOL, "kind": "pool", "waiting": 0}]
