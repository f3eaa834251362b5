"""PostgreSQL is killed under a running service: it answers 503 at once, and serves again once it is back."""

import asyncio
from pathlib import Path

import pytest
from weft_runtime.database import engine
from weft_runtime.testing import RunningService, eventually, running_service

from tests.runtime.sample.app import build
from tests.support.faults import private_postgres

PATIENCE_S, LONG_S = 60.0, 600.0
"""A bound on what comes in moments, and what is waited out by nobody here: who would wait so long is seen to wait."""


async def create(sample: RunningService, title: str) -> tuple[int, str | None]:
    answer = await sample.client().post("/api/v1/notes", json={"title": title})
    return answer.status_code, answer.headers.get("retry-after")


async def test_a_killed_database_is_answered_with_503_and_heals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for bound in ("CONNECT_TIMEOUT_S", "ANSWER_WITHIN_S", "READY_WITHIN_S"):
        monkeypatch.setattr(engine, bound, LONG_S)
    with private_postgres(tmp_path) as server:
        async with running_service(build, server.url, name="sample") as sample:
            assert await asyncio.gather(*(create(sample, "before") for _ in range(8))) == [(201, None)] * 8

            await asyncio.to_thread(server.kill)
            async with asyncio.timeout(PATIENCE_S):
                assert await asyncio.gather(*(create(sample, "during") for _ in range(8))) == [(503, "1")] * 8
            assert (await sample.anonymous().get("/health/ready")).status_code == 503
            assert (await sample.anonymous().get("/health/live")).status_code == 200

            await asyncio.to_thread(server.start)

            async def served() -> bool | None:
                return (await create(sample, "after"))[0] == 201 or None

            # None of the connections that were lost is used again, and none is waited for.
            await eventually(served, "the service serving again", within_s=PATIENCE_S)
            assert (await sample.anonymous().get("/health/ready")).json()["checks"]["database"] is True
            assert (await sample.client().get("/api/v1/titles/before")).json() == 8
            assert (await sample.client().get("/api/v1/titles/during")).json() == 0
