"""The gateway dies with a watcher connected: the watcher comes back to another and gets every fact once, in order."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from weft.stack.ports import choose
from weft_contracts import catalog, routing
from weft_contracts.executions import ExecutionStarted
from weft_contracts.frames import encode_frame
from weft_gateway.app import build
from weft_gateway.seed import PEOPLE, seed_demo
from weft_gateway.settings import Settings
from weft_runtime.bus import Bus, OutFrame, open_bus
from weft_runtime.clock import SystemClock, new_id
from weft_runtime.database.roles import provision
from weft_runtime.testing import eventually
from weft_runtime.testing.polling import WITHIN_S

from tests.faults import warm
from tests.faults.mesh import SECRET, UP_WITHIN_S
from tests.services.gateway.test_live import watching

PASSWORD = "correct horse battery"


@dataclass
class Gateways:
    """What gateways run on. url: of the one that runs now."""

    bus: Bus
    environment: dict[str, str]
    url: str
    log: Path

    @contextmanager
    def process(self) -> Iterator[None]:
        """A gateway, ended by kill -9."""
        running = warm.spawn(warm.GATEWAY, environment=self.environment, log=self.log)
        try:
            yield
        finally:
            running.kill()
            running.join()

    async def ready(self) -> None:
        """Wait until its doors are open."""

        async def look() -> bool | None:
            async with httpx2.AsyncClient(trust_env=False) as client:
                try:
                    return (await client.get(f"{self.url}/health/ready")).status_code == 200 or None
                except httpx2.TransportError:
                    return None

        await eventually(look, f"the gateway being ready ({self.log} tells)", within_s=UP_WITHIN_S)

    async def token(self) -> str:
        """An access token, by signing in."""
        async with httpx2.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
            answer = await client.post(f"{self.url}/api/v1/auth/login", json={"email": "admin@demo.weft", "password": PASSWORD})
        token: str = answer.json()["access_token"]
        return token

    async def say(self, count: int) -> list[str]:
        """Say that so many executions started. Returns: their ids, in order."""
        ids = [new_id() for _ in range(count)]
        items = [catalog.pack(started(id_), id=str(new_id()), source="faults", tenant="demo") for id_ in ids]
        frames = [OutFrame(routing.EVENTS, routing.event_key("demo", item.type), encode_frame([item])) for item in items]
        await self.bus.publish(frames)
        return [str(id_) for id_ in ids]


def started(id_: UUID) -> ExecutionStarted:
    """That an execution has started."""
    return ExecutionStarted(execution_id=id_, workflow="w", workflow_version=1, position=1, at=SystemClock().now(), trigger_type="manual")


@pytest.fixture
async def gateways(database_url: str, broker_url: str, tmp_path: Path) -> AsyncIterator[Gateways]:
    """A seeded database and a bus; the processes are the test's own."""
    urls = await provision(database_url, "gateway", SECRET)
    port = choose()
    given: dict[str, Any] = {
        "database_url": urls.owner,
        "api_database_url": urls.api,
        "broker_url": broker_url,
        "secret_key": SECRET,
        "port": port,
    }
    await build(Settings(**given)).migrate()
    await seed_demo(urls.owner, SECRET, dict.fromkeys(PEOPLE, PASSWORD))
    bus = open_bus(broker_url, name="faults")
    await bus.start()
    environment = {f"WEFT_{name.upper()}": str(value) for name, value in given.items()}
    yield Gateways(bus, environment, f"http://127.0.0.1:{port}", tmp_path / "gateway.log")
    await bus.close()


async def test_a_watcher_of_a_gateway_that_dies_gets_every_fact_once_from_the_next(gateways: Gateways) -> None:
    seen: list[tuple[int, str]] = []

    def note(event: dict[str, str]) -> str:
        seen.append((int(event["id"].partition(".")[0]), json.loads(event["data"])["execution_id"]))
        return event["id"]

    with gateways.process():
        await gateways.ready()
        token = await gateways.token()
        async with watching(gateways.url, token, "executions") as stream:
            said = await gateways.say(20)
            last = ""
            while len(seen) < 10:  # the others are on their way when it dies
                last = note(await stream.named())
    said += await gateways.say(20)
    with gateways.process():
        await gateways.ready()
        async with watching(gateways.url, token, "executions", last) as stream:
            said += await gateways.say(5)
            while len(seen) < len(said):
                note(await stream.named())
    assert [execution for _, execution in seen] == said
    numbers = [number for number, _ in seen]
    assert numbers == sorted(set(numbers))
