"""kill -9 of the processes that fire schedules, between any two durable things: each moment starts one execution all the same."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from weft_contracts.executions import StartExecution
from weft_events.settings import Settings
from weft_runtime.bus import open_bus
from weft_runtime.testing import ManualClock, ears, running_service, settings_for, tell

from tests.faults import warm
from tests.faults.mesh import Node
from tests.services.events.schedules import scheduled, without_loop

TENANT = "acme"
DEATHS = ("before_commit", "after_commit", "before_forget")
SECOND = timedelta(seconds=1)
PATIENCE_S = 90.0


def node_of(directory: Path, name: str, environment: dict[str, str]) -> Node:
    """A process that fires schedules. name: of the point at which it dies, or is told that what it did failed."""
    log, ready = directory / f"{name}.log", directory / f"{name}.ready"
    given = {**environment, "FAULT_READY": str(ready), "FAULT_AT": name}
    return Node(warm.spawn(warm.SCHEDULES, environment=given, log=log), log, ready)


async def test_each_moment_starts_one_execution_whichever_process_dies_over_it(database_url: str, broker_url: str, tmp_path: Path) -> None:
    begun = datetime.now(UTC).replace(microsecond=0) - 3 * SECOND
    async with running_service(without_loop, database_url, name="events", clock=ManualClock(begun)) as service:
        await tell(service, scheduled(every="1s", catch_up="all"), tenant=TENANT)
    settings = settings_for(Settings, "events", database_url, broker_url)
    environment = {
        "WEFT_DATABASE_URL": settings.database_url.get_secret_value(),
        "WEFT_API_DATABASE_URL": settings.api_database_url.get_secret_value(),
        "WEFT_BROKER_URL": broker_url,
        "WEFT_SECRET_KEY": settings.secret_key.get_secret_value(),
    }
    bus = open_bus(broker_url, name="faults")
    await bus.start()
    heir: Node | None = None
    asked: dict[datetime, list[UUID]] = {}
    try:
        async with ears(bus) as heard:
            for point in DEATHS:
                await node_of(tmp_path, point, environment).died()
            over = datetime.now(UTC).replace(microsecond=0)
            heir = node_of(tmp_path, "commit_in_doubt", environment)
            # The heir goes on with what they left, and is told of its first commit that it failed.
            wanted = {begun + number * SECOND for number in range(1, (over - begun) // SECOND + 2)}
            # What was said and not forgotten it says again once it is old enough, be that before or after the last of them is heard.
            async with asyncio.timeout(PATIENCE_S):
                while not (wanted <= asked.keys() and max(map(len, asked.values())) > 1):
                    for word in await heard.said(1, StartExecution):
                        assert isinstance(word, StartExecution) and word.trigger.time is not None
                        asked.setdefault(word.trigger.time, []).append(word.execution_id)
            assert heir.alive
    finally:
        if heir is not None:
            heir.end()
        await bus.close()
    assert {at: len(set(ids)) for at, ids in asked.items()} == dict.fromkeys(asked, 1)
    assert len({ids[0] for ids in asked.values()}) == len(asked)
    assert max(map(len, asked.values())) > 1, "what was said and not forgotten was said again, under the same id"
