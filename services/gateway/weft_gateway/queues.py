"""What waits in the queues of the broker, for those who watch: an operator sees the installation's, everybody their tenant's own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from weft_contracts.rooms import ROOMS
from weft_contracts.routing import inbox_queue, partition_queue, work_queue
from weft_runtime.auth import Permission
from weft_runtime.context import ServiceContext
from weft_runtime.errors import NotFound, Unavailable

from weft_gateway.domain import Tenant
from weft_gateway.errors import TenantNotFound
from weft_gateway.feed import QUEUES
from weft_gateway.feeding import Connection, Hub, Told
from weft_gateway.settings import Settings
from weft_gateway.store import directory

POOL: Final = "default"
"""The pool of Weft's own workers."""
_WORKER: Final = "worker"


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of the broker. name: the broker's, or of a queue of activities what a node calls it.

    kind: `partition` (commands and answers to executions), `inbox` (words to a service), `pool` (activities, of any tenant),
    `own` (activities of this tenant alone).
    """

    at: str
    name: str
    kind: str


def installations(partitions: int, pools: Iterable[str]) -> list[Queue]:
    """The queues of an installation that are no tenant's. pools: beside that of Weft's own workers."""
    lanes = [Queue(partition_queue(number), partition_queue(number), "partition") for number in range(partitions)]
    inboxes = [Queue(inbox_queue(room), inbox_queue(room), "inbox") for room in ROOMS if room != _WORKER]
    return [*lanes, *inboxes, *(_of_work(name, "pool") for name in dict.fromkeys((POOL, *pools)))]


def own(tenant: Tenant) -> list[Queue]:
    """The queues of a tenant's own workers: the one that is called as it is, and those of its own that its settings list."""
    listed = tenant.settings.get("activity_queues") or ()
    mine = (name for name in listed if isinstance(name, str) and name.startswith(f"{tenant.id}."))
    return [_of_work(name, "own") for name in dict.fromkeys((tenant.id, *mine))]


def shown(queues: Sequence[Queue], depths: dict[str, int | None]) -> dict[str, Any]:
    """What a watcher is told. depths: what waits in each, None where there is no such queue, since nobody has ever read from it."""
    return {
        "topic": QUEUES,
        "type": "queues.measured",
        "queues": [{"name": one.name, "kind": one.kind, "waiting": depths[one.at]} for one in queues if one.at in depths],
    }


async def run(context: ServiceContext) -> None:
    """Tell those who watch what waits, at once and whenever it changes, until cancelled."""
    hub, every_s = context.part(Hub), cast(Settings, context.settings).live_queues_s
    while True:
        watching = list(hub.who_watch_queues())
        if watching:
            with context.sparing("measuring queues"):
                await _measure(context, watching)
        if not watching:
            await hub.measure.wait()
        else:
            await _either(hub.measure, every_s)
        hub.measure.clear()


async def _either(asked: asyncio.Event, at_most_s: float) -> None:
    try:
        async with asyncio.timeout(at_most_s):
            await asked.wait()
    except TimeoutError:
        return


async def _measure(context: ServiceContext, watching: Sequence[Connection]) -> None:
    settings = cast(Settings, context.settings)
    common = installations(settings.partitions, settings.shared_queues or ())
    tenants = {tenant: await _own(context, tenant) for tenant in {one.tenant for one in watching}}
    asked = {
        one: [*(common if one.caller.may(Permission.TENANTS_MANAGE) else ()), *tenants[one.tenant]] for one in watching
    }  # fmt: skip
    depths: dict[str, int | None] = {}
    for at in {queue.at for queues in asked.values() for queue in queues}:
        try:
            depths[at] = await context.bus.depth(at)
        except NotFound:
            depths[at] = None
        except Unavailable:
            # A broker that is away knows of nothing that waits; it is asked again in a moment.
            return
    for one, queues in asked.items():
        told = shown(queues, depths)
        if told != one.measured:
            one.measured = told
            one.put(Told(QUEUES, {**told, "at": context.clock.now().isoformat()}))


async def _own(context: ServiceContext, tenant: str) -> list[Queue]:
    async with context.owner_transaction(tenant) as uow:
        try:
            return own(await directory.get_tenant(uow, tenant))
        except TenantNotFound:
            return []


def _of_work(name: str, kind: str) -> Queue:
    return Queue(work_queue(name), name, kind)
