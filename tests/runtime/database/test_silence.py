"""PostgreSQL hangs instead of refusing, or a cable swallows what is said: it is answered with 503, and the service heals by itself."""

import asyncio

import pytest
from weft_runtime.database import engine
from weft_runtime.testing import RunningService, running_service

from tests.runtime.sample.app import build
from tests.support.cable import BACK, BOTH, cable

ASKED = 12
"""More than there are connections: the rest waits for one."""
CONNECTIONS = 8
PATIENCE_S = 60.0
"""For what is answered after one second: a bound on waiting for ever, which this is about."""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement may take two seconds, not ten, for the test to be short: those of a service that is well take a busy machine less."""
    monkeypatch.setattr(engine, "API_STATEMENT_TIMEOUT_MS", 2000)
    monkeypatch.setattr(engine, "OWNER_STATEMENT_TIMEOUT_MS", 2000)
    monkeypatch.setattr(engine, "ANSWER_WITHIN_S", 0.5)
    monkeypatch.setattr(engine, "CONNECT_TIMEOUT_S", 2.5)
    monkeypatch.setattr(engine, "READY_WITHIN_S", PATIENCE_S)


async def create(sample: RunningService, title: str) -> tuple[int, str | None]:
    answer = await sample.client().post("/api/v1/notes", json={"title": title})
    return answer.status_code, answer.headers.get("retry-after")


@pytest.mark.parametrize("lost", [BOTH, frozenset({BACK})], ids=["everything", "answers"])
async def test_a_database_that_says_nothing_is_answered_with_503_and_heals(
    database_url: str, lost: frozenset[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cable(database_url) as wire, running_service(build, wire.url, name="sample") as sample:
        assert await asyncio.gather(*(create(sample, "before") for _ in range(CONNECTIONS))) == [(201, None)] * CONNECTIONS
        wire.swallow(lost)
        async with asyncio.timeout(PATIENCE_S):
            assert await asyncio.gather(*(create(sample, "during") for _ in range(ASKED))) == [(503, "1")] * ASKED
            with monkeypatch.context() as hasty:
                hasty.setattr(engine, "READY_WITHIN_S", 1.0)
                assert (await sample.anonymous().get("/health/ready")).status_code == 503
        assert (await sample.anonymous().get("/health/live")).status_code == 200
        wire.heal()
        async with asyncio.timeout(PATIENCE_S):
            # A new connection each time: none of those that lost something is used again.
            assert [await create(sample, "after") for _ in range(CONNECTIONS)] == [(201, None)] * CONNECTIONS
            assert (await sample.anonymous().get("/health/ready")).status_code == 200
            kept = (await sample.client().get("/api/v1/titles/during")).json()
        assert kept == 0, "none of these got as far as its commit"
