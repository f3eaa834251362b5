"""Tickets that open WebSockets, and who is refused before one is open."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs
from weft_gateway.feed import topics as read
from weft_gateway.feeding import Hub
from weft_gateway.store import tickets as store
from weft_gateway.tickets import Tickets
from weft_runtime.testing import RunningService, tell

from tests.services.gateway.live_watchers import bearing, opened, refused, ticket
from tests.services.gateway.test_live import address, started, token

__all__ = ["address"]

TICKETS = "/api/v1/live/tickets"


async def test_a_ticket_is_good_once_for_a_minute_and_nobody_can_read_it_or_its_token_afterwards(
    gateway: RunningService, address: str
) -> None:  # fmt: skip
    bearer = await token(gateway)
    with capture_logs() as logged:
        first = await ticket(gateway, bearer)
        async with opened(address, first):
            pass
        again = await refused(address, protocols=["weft.live.v1", f"weft.ticket.{first}"])
        late = await ticket(gateway, bearer)
        async with gateway.context.owner_transaction("demo") as uow:
            assert await store.count(uow, (await bearing(gateway, bearer).get("/api/v1/me")).json()["id"]) == 1
        gateway.clock.advance(timedelta(seconds=61))
        too_late = await refused(address, f"?ticket={late}")
    assert again == too_late == (401, "bad_ticket")
    assert [secret for secret in (first, late, bearer) if secret in str(logged)] == []
    assert late.encode() not in await everything(gateway)
    assert bearer.encode() not in await everything(gateway)


async def everything(gateway: RunningService) -> bytes:
    """What is kept of tickets, as it lies in the database."""
    async with gateway.context.owner_transaction() as uow:
        rows = await uow.conn.exec_driver_sql("SELECT row_to_json(t)::text, encode(t.sealed, 'escape') FROM gateway.live_tickets t")
        return "".join(str(tuple(row)) for row in rows).encode()


async def test_of_two_who_come_with_one_ticket_at_once_one_is_let_in(gateway: RunningService) -> None:
    given = await ticket(gateway, await token(gateway))
    taken = await asyncio.gather(*(gateway.context.part(Tickets).take(given) for _ in range(5)), return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in taken) == 1


@pytest.mark.parametrize(
    ("query", "protocols", "headers", "answer"),
    [
        ("", None, {}, (401, "unauthenticated")),
        ("?ticket=weftt_nonsense", None, {}, (401, "bad_ticket")),
        ("?ticket=a&ticket=b", None, {}, (401, "unauthenticated")),
        ("", ["weft.live.v1", "weft.ticket.nonsense"], {}, (401, "bad_ticket")),
        ("", None, {"Authorization": "Bearer x"}, (401, "unauthenticated")),
        ("?ticket=x", None, {"Origin": "https://evil.example"}, (403, "origin_refused")),
        ("?ticket=x", None, {"Origin": "null"}, (403, "origin_refused")),
    ],
)
async def test_who_has_no_ticket_or_comes_from_a_foreign_page_is_refused_before_it_is_open(
    gateway: RunningService, address: str, query: str, protocols: list[str] | None, headers: dict[str, str], answer: tuple[int, str]
) -> None:
    assert await refused(address, query, protocols, **headers) == answer


async def test_a_page_of_our_own_address_may_open_one(gateway: RunningService, address: str) -> None:
    async with opened(address, await ticket(gateway, await token(gateway)), additional_headers={"Origin": address}) as watcher:
        await tell(gateway, started(gateway, uuid4()), tenant="demo")
        assert (await watcher.heard())["event"] == "executions"


async def test_an_unknown_topic_and_one_that_may_not_be_read_give_no_ticket(gateway: RunningService, address: str) -> None:
    viewer, service = bearing(gateway, await token(gateway)), bearing(gateway, await token(gateway, role="service"))
    unknown = await viewer.post(TICKETS, json={"topics": ["weather"]})
    mine = await service.post(TICKETS, json={"topics": ["alerts"]})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_topic")
    assert (mine.status_code, mine.json()["code"]) == (403, "topic_refused")
    streamed = await service.get("/api/v1/live", params={"topics": "executions,queues"})
    assert (streamed.status_code, streamed.json()["code"]) == (403, "topic_refused")
    none = await viewer.post(TICKETS)
    assert none.status_code == 201
    assert await refused(address, f"?ticket={none.json()['ticket']}&topics=weather") == (422, "unknown_topic")
    assert (await gateway.anonymous().post(TICKETS)).status_code == 401


async def test_one_person_has_so_many_connections_and_open_tickets_and_a_closed_one_makes_room(
    gateway: RunningService, address: str
) -> None:  # fmt: skip
    bearer, most = await token(gateway), gateway.context.settings.live_connections_per_person  # type: ignore[attr-defined]
    tickets = [await ticket(gateway, bearer) for _ in range(20)]
    one_more = await bearing(gateway, bearer).post(TICKETS)
    assert (one_more.status_code, one_more.json()["code"]) == (429, "too_many_live_tickets")
    hub = gateway.context.part(Hub)
    caller = (await gateway.context.part(Tickets).take(tickets.pop())).caller
    everything_else = [await hub.connect(caller, topics) for topics in [read([], caller)] * most]
    try:
        assert await refused(address, f"?ticket={tickets.pop()}") == (429, "too_many_live_connections")
        hub.disconnect(everything_else.pop())
        async with opened(address, tickets.pop()):
            pass
    finally:
        for connection in everything_else:
            hub.disconnect(connection)
