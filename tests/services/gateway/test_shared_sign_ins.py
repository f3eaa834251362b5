"""Two gateways on one database count the guesses at an account from an address together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from weft_gateway.app import build
from weft_gateway.attempts import LIMITS
from weft_runtime.testing import RunningService, running_service

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
