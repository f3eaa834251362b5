"""Executions that wait for events are found by a look-up, also by events that came before or at the same moment, on a real database."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import sqlalchemy as sa
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.subscriptions import CloseSubscription, EventWaited, OpenSubscription
from weft_contracts.waits import DeliverEvent
from weft_events import domain, listening, store
from weft_events.domain import Received
from weft_events.listening import LOOK_BACK, Kind
from weft_events.reading import from_http
from weft_events.registry import Registry
from weft_runtime.clock import new_id
from weft_runtime.testing import RunningService, eventually, said, tell
from weft_runtime.uow import UnitOfWork

from tests.services.events.conftest import order
from tests.services.events.test_matching import PATH, sent


def paid(order: Any, **more: str) -> EventWaited:
    """A wait for the payment of an order."""
    return EventWaited(**{"name": "paid", "pattern": "order.placed", "path": "/number", "value": json.dumps(order), **more})


def opened(*waits: EventWaited, execution: UUID | None = None, ago_s: float = 3600, position: int = 5, visit: int = 1) -> OpenSubscription:
    """A visit begins to wait. ago_s: how long before now the execution was asked for."""
    return OpenSubscription(
        execution_id=execution or new_id(),
        node="s",
        visit=visit,
        position=position,
        since=datetime.now(UTC) - timedelta(seconds=ago_s),
        waits=waits,
    )


def closed(word: OpenSubscription, event_id: str | None = None, position: int = 9) -> CloseSubscription:
    """The end of that wait."""
    return CloseSubscription(execution_id=word.execution_id, node=word.node, visit=word.visit, position=position, event_id=event_id)


def heard(events: RunningService, tenant: str, word: OpenSubscription | None = None) -> list[tuple[str, str]]:
    """(event, name) of everything said, to all executions or to one."""
    found = said(events, DeliverEvent, tenant=tenant)
    return [(one.event_id, one.name) for one in found if word is None or one.execution_id == word.execution_id]


async def kinds(events: RunningService, tenant: str) -> set[tuple[str, str]]:
    """The kinds of waits that are known of a tenant."""
    async with events.context.database.transaction(tenant) as connection:
        return {(row.pattern, row.path) for row in await connection.execute(sa.text("SELECT pattern, path FROM events.listened"))}


async def left(events: RunningService, tenant: str) -> int:
    """How many rows are kept about waits."""
    async with events.context.database.transaction(tenant) as connection:
        return int((await connection.execute(sa.text("SELECT count(*) FROM events.subscription"))).scalar_one())


async def test_an_event_is_said_to_those_who_wait_for_its_value_or_its_type_only(
    events: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    seven, eight, any_, glob = (
        opened(wait) for wait in (paid(7), paid(8), EventWaited(name="any", pattern="order.placed"), EventWaited(name="g", pattern="or*"))
    )
    await tell(events, seven, eight, any_, glob, tenant=tenant)
    event = await sent(client, order(7))
    await sent(client, order(9, type="invoice.placed"))
    assert (heard(events, tenant, seven), heard(events, tenant, eight)) == ([(event, "paid")], [])
    assert (heard(events, tenant, any_), heard(events, tenant, glob)) == ([(event, "any")], [(event, "g")])
    told = said(events, DeliverEvent, tenant=tenant)[0].event
    assert (told["type"], told["source"], told["id"], told["data"]) == ("order.placed", "/shop", "o7", {"number": 7})


async def test_events_of_another_tenant_are_not_for_it(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await tell(events, opened(EventWaited(name="any", pattern="*")), tenant=f"{tenant}-other")
    await sent(client, order(7))
    assert heard(events, tenant) == heard(events, f"{tenant}-other") == []


async def test_a_wait_hears_of_what_came_before_it_oldest_first_but_not_of_what_came_before_its_execution(
    events: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    first = await sent(client, order(7))
    await tell(events, opened(paid(1)), tenant=tenant)  # from now on events are kept for look-ups; the first was not
    second = await sent(client, order(7, id="again", data={"number": 7.0}))
    await sent(client, order(8))
    word, late = opened(paid(7)), opened(paid(7), ago_s=-60)
    await tell(events, word, late, tenant=tenant)
    assert (heard(events, tenant, word), heard(events, tenant, late)) == ([(first, "paid"), (second, "paid")], [])


async def test_a_published_workflow_says_what_it_will_wait_for(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    waits = {"paid": {"event": "order.placed", "match": "event.data.number == vars.n && true"}, "any": {"event": "order.*"}}
    body = {"nodes": [{"id": "s", "type": "state", "with": {"events": waits}}]}
    nodes = [{"id": "g", "type": "foreach", "with": {"items": "{{ [1] }}", "body": body}}]
    document = {"format": "weft/v1", "slug": "w", "name": "w", "nodes": nodes}
    changed = WorkflowChanged(slug="w", name="w", revision=1, status="active", active_version=1, definition=document)
    await tell(events, changed, tenant=tenant)
    assert await kinds(events, tenant) == {("order.placed", "/number"), ("order.placed", ""), ("order.*", "")}
    event = await sent(client, order(3))
    word = opened(paid(3))
    await tell(events, word, tenant=tenant)
    assert heard(events, tenant, word) == [(event, "paid")]


async def test_a_wait_that_has_ended_hears_nothing_and_the_event_that_ended_it_is_not_said_again(
    events: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    word = opened(paid(7))
    await tell(events, word, tenant=tenant)
    taken = await sent(client, order(7))
    await tell(events, closed(word, taken), tenant=tenant)
    other = await sent(client, order(7, id="other"))
    assert heard(events, tenant, word) == [(taken, "paid")]
    again = opened(paid(7), execution=word.execution_id, visit=2, position=10)
    await tell(events, again, tenant=tenant)
    assert heard(events, tenant, word) == [(taken, "paid"), (other, "paid")]
    answer = (await client.get(f"{PATH}/{taken}/explain")).json()
    assert (answer["delivered"], answer["triggers"]) == ([str(word.execution_id)], [])


async def test_words_that_overtake_each_other_leave_nothing_behind(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    word = opened(paid(7))
    await tell(events, closed(word), tenant=tenant)
    await tell(events, word, tenant=tenant)
    assert await left(events, tenant) == 0
    later = opened(paid(7), execution=word.execution_id, position=12)
    await tell(events, later, tenant=tenant)
    await tell(events, word, tenant=tenant, id="late")
    await tell(events, closed(word), tenant=tenant, id="later")
    assert await left(events, tenant) == 1
    event = await sent(client, order(7))
    assert heard(events, tenant, word) == [(event, "paid")]
    await tell(events, closed(later, position=20), opened(paid(8), execution=word.execution_id, position=14), tenant=tenant)
    assert await left(events, tenant) == 0


async def test_a_look_back_is_bounded(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    batch = [order(1, id=f"b{number}") for number in range(LOOK_BACK + 5)]
    answer = await client.post(PATH, content=json.dumps(batch), headers={"content-type": "application/cloudevents-batch+json"})
    word = opened(paid(1))
    await tell(events, word, tenant=tenant)
    assert [event for event, _ in heard(events, tenant, word)] == answer.json()["log_ids"][:LOOK_BACK]


async def _taken_in(connection: Any, tenant: str, number: int, now: datetime) -> Received:
    """Take an event in, as far as its transaction goes before it is committed."""
    uow = UnitOfWork(tenant, connection, now)
    [arrived] = from_http(tenant, {"content-type": "application/cloudevents+json"}, json.dumps(order(number)).encode(), now, most=1)
    received = Received(new_id(), tenant, arrived.event, now)
    await store.claim(uow, [received])
    await Registry().matching(uow, tenant)
    return received


async def _blocked(events: RunningService, tenant: str) -> None:
    """Return once somebody waits for the tenant's lock."""
    query = sa.text(
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid::bigint = hashtext(:of)::bigint & 4294967295"
    )

    async def look() -> bool | None:
        async with events.context.database.owner_transaction() as connection:
            return (await connection.execute(query, {"of": tenant})).first() is not None or None

    await eventually(look, "a transaction that waits for the tenant's lock")


async def test_a_wait_that_begins_while_an_event_is_being_taken_in_finds_it(events: RunningService, tenant: str) -> None:
    word = opened(paid(7))
    async with events.context.database.transaction(tenant) as connection:
        received = await _taken_in(connection, tenant, 7, events.clock.now())
        telling = asyncio.create_task(tell(events, word, tenant=tenant))
        await _blocked(events, tenant)
        uow = UnitOfWork(tenant, connection, events.clock.now())
        # It sees no wait: the wait has to see it.
        found = await store.add(uow, [(received, domain.status_of([]), [])])
        assert found == {}
        assert not telling.done()
    await telling
    assert heard(events, tenant, word) == [(str(received.id), "paid")]


async def test_an_event_that_comes_while_a_wait_begins_finds_it(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    word = opened(paid(7))
    async with events.context.database.owner_transaction() as connection:
        uow = UnitOfWork("", connection, events.clock.now())
        await store.hold_waits(uow, [tenant])
        unmarked = await store.register(uow, {Kind(tenant, "order.placed", "/number")})
        changes = listening.changes([(tenant, word)], {})
        await store.apply(uow, changes)
        sending = asyncio.create_task(sent(client, order(7)))
        await _blocked(events, tenant)
        assert await store.look_back(uow, listening.waits_of(changes.opened[0][0], word), unmarked) == []
    event = await sending
    assert heard(events, tenant, word) == [(event, "paid")]


async def test_a_tenant_without_waits_pays_no_query_for_them(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    asked: list[str] = []
    pool = events.context.database.api.sync_engine

    def note(*given: Any) -> None:
        asked.append(given[2])

    sa.event.listen(pool, "before_cursor_execute", note)
    try:
        await sent(client, order(7))
    finally:
        sa.event.remove(pool, "before_cursor_execute", note)
    assert [text for text in asked if "events.subscription" in text or "events.event_value" in text] == []
    assert len([text for text in asked if "events.listened" in text]) == 1
    assert len([text for text in asked if "pg_advisory_xact_lock_shared" in text]) == 1
