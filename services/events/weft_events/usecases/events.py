"""Taking events in, what executions wait for, and explaining."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from weft_contracts.calendars import CalendarChanged
from weft_contracts.definitions import WorkflowChanged, WorkflowInstalled
from weft_contracts.directory import TenantChanged
from weft_contracts.executions import ExecutionSkipped, StartRejected
from weft_contracts.subscriptions import OpenSubscription
from weft_runtime.clock import new_id
from weft_runtime.uow import UnitOfWork

from weft_events import domain, explaining, listening, store
from weft_events.domain import Considered, Logged, Matching, Received
from weft_events.explaining import Explained
from weft_events.reading import Arrived
from weft_events.registry import Registry
from weft_events.store import calendars, retention
from weft_events.usecases import schedules

REST_AFTER_S = 0.02
"""After so long of matching others get their turn: between two triggers, however many an event has. No match is left out for it."""
REST_S = 0.005
"""For what takes several rounds of the event loop, as a request does, one round between two long evaluations is a long way."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of some events. ids: as each was sent.  log_ids: of each in order, that of its first coming for a duplicate."""

    accepted: int
    duplicates: int
    ids: list[str]
    log_ids: list[UUID]


async def receive(arrived: Sequence[Arrived], registry: Registry, uow: UnitOfWork) -> Receipt:
    """Take events in, each once, and start what they start; durable when the transaction is."""
    given = [Received(new_id(), one.tenant, one.event, uow.now) for one in arrived]
    first: dict[store.EventKey, Received] = {}
    for one in given:
        first.setdefault(store.key_of(one), one)
    claimed = await store.claim(uow, list(first.values()))
    fresh = [one for key, one in first.items() if claimed[key] == one.id]
    matched = await _match(fresh, registry, uow)
    kinds = await store.add(uow, [(one, domain.status_of(considered), considered) for one, considered in matched])
    again = Counter((one.tenant, claimed[store.key_of(one)]) for one in given if claimed[store.key_of(one)] != one.id)
    await store.count_duplicates(uow, again)
    for one, considered in matched:
        uow.say(*(each.start for each in considered if each.start is not None), tenant=one.tenant)
    by_id = {one.id: one for one in fresh}
    for tenant, event, execution_id, name in await store.mark(uow, listening.marks(fresh, kinds)):
        uow.say(listening.said(execution_id, name, by_id[event]), tenant=tenant)
    ids = [one.event.id for one in given]
    return Receipt(len(fresh), len(given) - len(fresh), ids, [claimed[store.key_of(one)] for one in given])


async def subscribe(heard: Sequence[tuple[str, listening.Word]], uow: UnitOfWork) -> None:
    """Keep what visits wait for, and say to those that begin to wait what came before."""
    await store.hold_waits(uow, {tenant for tenant, word in heard if isinstance(word, OpenSubscription)})
    visits = {listening.visit_of(tenant, word) for tenant, word in heard}
    changes = listening.changes(heard, await store.known_positions(uow, visits))
    waits = [wait for visit, word in changes.opened for wait in listening.waits_of(visit, word)]
    unmarked = await store.register(uow, {wait.kind for wait in waits})
    await store.apply(uow, changes)
    for wait, event in await store.look_back(uow, waits, unmarked):
        uow.say(listening.said(wait.visit.execution_id, wait.name, event), tenant=wait.visit.tenant)


async def explain(named: str, source: str | None, uow: UnitOfWork) -> tuple[Logged, list[Explained], list[UUID]]:
    """An event with every trigger considered for it, what its condition evaluated to, what became of what it started, whose wait it ended.

    Raises: EventNotFound.
    """
    logged = await store.get(uow, named, source)
    verdicts = await store.verdicts(uow, logged.id)
    versions = sorted({(str(one["workflow"]), int(one["version"])) for one in logged.considered})
    triggers = await store.triggers(uow, versions)
    tenant = await store.tenant_row(uow, uow.tenant)
    known = await calendars.known(uow, uow.tenant)
    names = domain.tenant_names(uow.tenant, tenant.tier if tenant else None, tenant.settings if tenant else None, known)
    explained = await asyncio.to_thread(explaining.explain, uow.tenant, logged, triggers, names, verdicts)
    return logged, explained, await store.delivered(uow, logged.id)


async def install_workflow(msg: WorkflowChanged, uow: UnitOfWork) -> None:
    """Keep a copy of a workflow and its triggers, and tell that it is here. Raises: BrokenTriggers."""
    written = msg.definition.get("triggers", ()) if msg.definition is not None else ()
    candidates = domain.candidates(msg.slug, msg.active_version or 0, written)
    if await store.install(uow, msg):
        await schedules.install(msg, candidates, uow)
        kinds = listening.kinds_in(uow.tenant, msg.definition or {})
        await store.hold_waits(uow, {uow.tenant} if kinds else set())
        await store.register(uow, kinds)
        await store.stamp_tenant(uow, new_id())
    uow.say(WorkflowInstalled(slug=msg.slug, revision=msg.revision, service="events"))


async def remember_tenant(msg: TenantChanged, uow: UnitOfWork) -> None:
    """Keep a copy of a tenant, whose tier and settings conditions may read."""
    await store.remember_tenant(uow, msg, new_id())


async def remember_calendar(msg: CalendarChanged, uow: UnitOfWork) -> None:
    """Keep a copy of a business calendar, by which conditions may count."""
    if await calendars.remember(uow, msg):
        await store.stamp_tenant(uow, new_id())


async def note_skipped(msg: ExecutionSkipped, uow: UnitOfWork) -> None:
    """Complete the explanation of an event whose start found its key taken, and whether it went to who has it."""
    if msg.correlated:
        detail = f"it was brought to execution {msg.live_execution_id}, which has the key {msg.key!r} and still runs"
    else:
        detail = f"execution {msg.live_execution_id} has the key {msg.key!r} and still runs"
    await _note(msg.event_id, msg.execution_id, "correlated" if msg.correlated else "key_taken", detail, uow)


async def note_rejected(msg: StartRejected, uow: UnitOfWork) -> None:
    """Complete the explanation of an event whose start was refused."""
    await _note(msg.event_id, msg.execution_id, "rejected", f"{msg.error.code}: {msg.error.message}", uow)


async def kept_days(usual: int, uow: UnitOfWork) -> dict[str, int]:
    """How many days events are kept, by tenant, without those that keep them for ever. usual: for who says nothing, 0 for ever."""
    found = {tenant: domain.kept_days(said, usual) for tenant, said in (await retention.tenants(uow)).items()}
    return {tenant: days for tenant, days in sorted(found.items()) if days}


async def forget_events(days: int, uow: UnitOfWork) -> bool:
    """Forget some events of the tenant that are older. Returns: whether there may be more."""
    return await retention.forget_events(uow, listening.first_id(uow.now - timedelta(days=days)))


async def _match(fresh: Sequence[Received], registry: Registry, uow: UnitOfWork) -> list[tuple[Received, list[Considered]]]:
    return await matched(fresh, {tenant: await registry.matching(uow, tenant) for tenant in sorted({one.tenant for one in fresh})})


async def matched(fresh: Sequence[Received], known: Mapping[str, Matching]) -> list[tuple[Received, list[Considered]]]:
    """Each event with what came of every trigger that is for it. known: by tenant."""
    found: list[tuple[Received, list[Considered]]] = []
    rest = resting()
    for one in fresh:
        considered: list[Considered] = []
        for each in domain.consider(one, known[one.tenant]):
            considered.append(each)
            await rest()
        found.append((one, considered))
        await rest()
    return found


def resting() -> Callable[[], Awaitable[None]]:
    """Something to be awaited between two short pieces of work: it lets others go on where that has taken long."""
    now = asyncio.get_running_loop().time
    since = now()

    async def rest() -> None:
        nonlocal since
        if now() - since > REST_AFTER_S:
            await asyncio.sleep(REST_S)
            since = now()

    return rest


async def _note(event_id: str | None, execution_id: UUID, reason: str, detail: str, uow: UnitOfWork) -> None:
    """Starts by people and services name no event of ours: they have no explanation to complete."""
    of = store.as_uuid(event_id or "")
    if of is not None:
        await store.note_verdict(uow, of, execution_id, reason, detail[: domain.MAX_DETAIL])
        await store.reject_if_all_were(uow, of)
