"""Processes of one service that share a database share their callers' limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from weft_runtime.http.rate import Quota, RateLimiter, key_of
from weft_runtime.http.shared_rates import SharedRates
from weft_runtime.testing import RunningService, running_service

from tests.runtime.sample.app import build

CALLER = ("acme", "person", "p")
LARGE = Quota("large", 6400)


class Seconds:
    def __init__(self) -> None:
        self.now = 4_000_000_000.0  # far from the time of the machine, at which what is over is forgotten

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
async def pair(database_url: str) -> AsyncIterator[tuple[RunningService, RunningService]]:
    """Two processes' worth of one service."""
    async with (
        running_service(build, database_url, name="sample", person_requests_per_hour=5) as one,
        running_service(build, database_url, name="sample", issuer=one.issuer, person_requests_per_hour=5) as other,
    ):
        yield one, other


async def test_two_doors_give_out_a_quota_once(pair: tuple[RunningService, RunningService]) -> None:
    clients = [service.client(sub="shared") for service in pair]
    answers = [await clients[number % 2].get("/api/v1/stars/1") for number in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers[:5]] == ["r=4", "r=3", "r=2", "r=1", "r=0"]


async def test_of_many_requests_at_once_no_more_than_the_quota_gets_in(pair: tuple[RunningService, RunningService]) -> None:
    clients = [service.client(sub="crowd") for service in pair]
    answers = await asyncio.gather(*(clients[number % 2].get("/api/v1/stars/1") for number in range(20)))
    assert sum(answer.status_code == 200 for answer in answers) == 5


async def rows(service: RunningService, time: Seconds) -> list[int]:
    """What is told of requests at this time: none but a test's own. At the machine's time the services go on telling what they counted."""
    slot = int(time() / LARGE.step_s)
    async with service.context.database.owner_transaction() as connection:
        return list((await connection.execute(sa.text("SELECT used FROM sample.rates WHERE slot = :slot"), {"slot": slot})).scalars())


async def test_far_from_the_limit_nothing_is_written_until_all_is_told_at_once(pair: tuple[RunningService, RunningService]) -> None:
    time = Seconds()
    one, other = (SharedRates(service.context, RateLimiter(time)) for service in pair)
    before = await rows(pair[0], time)
    for _ in range(100):
        assert (await one.count(CALLER, LARGE)).allowed
    assert await rows(pair[0], time) == before
    await one.tell([key_of(CALLER, LARGE)])
    assert sorted(await rows(pair[0], time)) == sorted([*before, 100])
    assert (await other.count(CALLER, LARGE)).remaining == 6399
    await other.tell([key_of(CALLER, LARGE)])
    assert (await other.count(CALLER, LARGE)).remaining == 6400 - 102


async def test_a_process_alone_allows_only_its_share_before_it_asks(pair: tuple[RunningService, RunningService]) -> None:
    time, quota = Seconds(), Quota("asked", 640)
    one, other = (SharedRates(service.context, RateLimiter(time)) for service in pair)
    for _ in range(600):
        await one.count(CALLER, quota)
    allowed = [(await other.count(CALLER, quota)).allowed for _ in range(100)]
    assert sum(allowed) <= 40 + 640 // 64
    time.now += 3600
    assert (await other.count(CALLER, quota)).allowed


async def test_what_could_not_be_told_is_told_later(pair: tuple[RunningService, RunningService]) -> None:
    limiter, quota = RateLimiter(Seconds()), Quota("later", 10)
    key = key_of(CALLER, quota)
    limiter.count(CALLER, quota)
    taken = limiter.tell([key])
    assert (limiter.untold(), limiter.total(key)) == ([], 1)
    limiter.untell(taken)
    assert (limiter.untold(), limiter.total(key)) == ([key], 1)
    await SharedRates(pair[0].context, limiter).tell(limiter.untold())
    assert (limiter.untold(), limiter.total(key)) == ([], 1)


async def test_rows_whose_time_is_over_are_forgotten(pair: tuple[RunningService, RunningService]) -> None:
    past, future = Seconds(), Seconds()
    past.now, future.now = 1_000_000_000.0, 4_100_000_000.0
    for time in (past, future):
        limiter = RateLimiter(time)
        await SharedRates(pair[0].context, limiter).count(CALLER, Quota("kept", 10))
        assert limiter.untold() == [], "it was told"
    # The services forget such rows too, so that of the past may be gone before.
    await SharedRates(pair[0].context, RateLimiter(past)).forget()
    assert (await rows(pair[0], past), await rows(pair[0], future)) == ([], [1])
