"""PostgreSQL is killed under a running service: it answers 503 at once, and serves again within five seconds of the return."""

import asyncio
import time
from pathlib import Path

from weft_runtime.testing import RunningService, running_service

from tests.runtime.sample.app import build
from tests.support.faults import private_postgres

HEALS_WITHIN_S = 5.0


async def create(sample: RunningService, title: str) -> tuple[int, str | None]:
    answer = await sample.client().post("/api/v1/notes", json={"title": title})
    return answer.status_code, answer.headers.get("retry-after")


async def test_a_killed_database_is_answered_with_503_and_heals(tmp_path: Path) -> None:
    with private_postgres(tmp_path) as server:
        async with running_service(build, server.url, name="sample") as sample:
            assert await asyncio.gather(*(create(sample, "before") for _ in range(8))) == [(201, None)] * 8

            await asyncio.to_thread(server.kill)
            began = time.monotonic()
            assert await asyncio.gather(*(create(sample, "during") for _ in range(8))) == [(503, "1")] * 8
            assert time.monotonic() - began < HEALS_WITHIN_S
            assert (await sample.anonymous().get("/health/ready")).status_code == 503
            assert (await sample.anonymous().get("/health/live")).status_code == 200

            await asyncio.to_thread(server.start)
            back = time.monotonic()
            while (await create(sample, "after"))[0] != 201:
                assert time.monotonic() - back < HEALS_WITHIN_S
                await asyncio.sleep(0.05)
            assert (await sample.anonymous().get("/health/ready")).json()["checks"]["database"] is True
            assert (await sample.client().get("/api/v1/titles/before")).json() == 8
            assert (await sample.client().get("/api/v1/titles/during")).json() == 0
