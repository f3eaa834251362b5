"""Two gateways on one database count the guesses at an account from an address together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from weft_gateway.app import build
from weft_gateway.attempts import LIMITS
from weft_gateway.store import failures
from weft_gateway.tables import sign_in_failures
from weft_runtime.testing import RunningService, eventually, running_service

from tests.services.gateway.conftest import login


@pytest.fixture
async def other(database_url: str, gateway: RunningService) -> AsyncIterator[RunningService]:
    """Another gateway beside the first, on the same clock."""
    async with running_service(build, database_url, clock=gateway.clock) as running:
        yield running


async def test_guesses_at_two_gateways_are_counted_together(gateway: RunningService, other: RunningService) -> None:
    limit = LIMITS["pair"].failures
    clients = (gateway.anonymous(), other.anonymous())
    guesses = [login(clients[number % 2], "approver@demo.weft", "wrong") for number in range(limit + 4)]
    answers = sorted(answer.status_code for answer in await asyncio.gather(*guesses))
    assert answers == [401] * limit + [429] * 4
    assert [(await login(client, "approver@demo.weft")).status_code for client in clients] == [429, 429]
    gateway.clock.advance(timedelta(minutes=16))
    assert (await login(clients[1], "approver@demo.weft")).status_code == 200
    assert (await login(clients[0], "approver@demo.weft", "wrong")).status_code == 401


async def test_a_try_is_counted_while_another_of_the_same_person_at_the_same_place_is_let_in(gateway: RunningService) -> None:
    who, where = "editor@demo.weft", "198.51.100.77"
    context = gateway.context

    async def forgiven() -> None:
        async with context.owner_transaction() as uow:
            await failures.forgive(uow, who, where)

    async def waits() -> bool | None:
        waiting = sa.text(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
        )
        async with context.owner_transaction() as uow:
            return (await uow.conn.execute(waiting)).first() is not None or None

    async with context.owner_transaction() as uow:
        await failures.count(uow, who, where)
    async with context.owner_transaction() as uow:
        # As far as counting has come when it has the first of its rows.
        await uow.conn.execute(sa.select(sign_in_failures).where(sign_in_failures.c.kind == "account").with_for_update())
        letting_in = asyncio.create_task(forgiven())
        await eventually(waits, "the other waiting for the row")
        assert {one.kind: one.count for one in await failures.count(uow, who, where)}["pair"] == 2
    await letting_in
    async with context.owner_transaction() as uow:
        assert {one.kind: one.count for one in await failures.count(uow, who, where)} == {"account": 2, "address": 2, "pair": 1}
