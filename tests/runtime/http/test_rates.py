from collections.abc import AsyncIterator

import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from weft_runtime.http.rate import Quota, RateLimiter
from weft_runtime.testing import RunningService, running_service

from tests.runtime.sample.app import build

QUOTA = Quota("person", 5, 3600)


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_caller_gets_the_quota_and_then_waits() -> None:
    time = Seconds()
    limiter = RateLimiter(time)
    standings = [limiter.count(("a",), QUOTA) for _ in range(7)]
    assert [one.allowed for one in standings] == [True] * 5 + [False] * 2
    assert [one.remaining for one in standings] == [4, 3, 2, 1, 0, 0, 0]
    assert limiter.count(("b",), QUOTA).allowed
    time.now += standings[-1].reset_s
    assert limiter.count(("a",), QUOTA).allowed


@given(st.lists(st.floats(0, 900), min_size=1, max_size=80))
def test_no_window_holds_more_than_the_quota(pauses: list[float]) -> None:
    time = Seconds()
    limiter = RateLimiter(time)
    allowed: list[float] = []
    for pause in pauses:
        time.now += pause
        if limiter.count(("a",), QUOTA).allowed:
            allowed.append(time.now)
    # The window moves in sixtieths, so it is at most one of them shorter than it says.
    window = QUOTA.window_s * 59 / 60
    assert all(sum(start <= at < start + window for at in allowed) <= QUOTA.requests for start in allowed)


@given(st.lists(st.floats(0, 900), min_size=1, max_size=40))
def test_who_waits_as_long_as_told_is_let_in(pauses: list[float]) -> None:
    time = Seconds()
    limiter = RateLimiter(time)
    for pause in pauses:
        time.now += pause
        standing = limiter.count(("a",), QUOTA)
        if not standing.allowed:
            time.now += standing.reset_s
            assert limiter.count(("a",), QUOTA).allowed


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def strict(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(
        build,
        database_url,
        name="sample",
        person_requests_per_hour=3,
        key_requests_per_hour=5,
        requests_per_hour_by_tenant={"large": {"person": 4}},
    ) as running:
        yield running


async def test_persons_and_keys_have_their_own_limits_and_are_told_where_they_stand(strict: RunningService) -> None:
    person = strict.client("acme", sub="p1")
    answers = [await person.get("/api/v1/stars/1") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"person";q=3;w=3600'
    assert answers[0].headers["ratelimit"].startswith('"person";r=2;t=')
    assert (answers[0].headers["ratelimit-limit"], answers[0].headers["ratelimit-remaining"]) == ("3", "2")
    assert 0 < int(answers[0].headers["ratelimit-reset"]) <= 3600
    refused = answers[-1]
    assert (refused.json()["code"], 0 < int(refused.headers["retry-after"]) <= 3600) == ("rate_limited", True)
    assert (await strict.client("acme", sub="p2").get("/api/v1/stars/1")).status_code == 200
    key = strict.anonymous()
    key.headers["Authorization"] = f"Bearer {strict.issuer.api_key('acme', ['service'])}"
    assert [(await key.post("/api/v1/raw")).status_code for _ in range(6)] == [202] * 5 + [429]


async def test_a_tenant_can_have_limits_of_its_own(strict: RunningService) -> None:
    person = strict.client("large", sub="p1")
    assert [(await person.get("/api/v1/stars/1")).status_code for _ in range(5)] == [200] * 4 + [429]


async def test_an_open_route_can_be_limited_by_address(strict: RunningService) -> None:
    answers = [await strict.anonymous().post("/api/v1/login", json={"name": "x"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
