"""An engine that owns every partition, with a worker, on a real database and broker, and a tenant's workflows in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from weft_connectors.activity import Activities, Activity
from weft_connectors.http.calling import http_request
from weft_connectors.plug import Plug, Plugged
from weft_contracts import routing
from weft_contracts.definitions import WorkflowChanged
from weft_engine.api import answers
from weft_engine.app import build
from weft_engine.connections.opening import Opening
from weft_engine.worker import Worker
from weft_runtime.bus import Binding, QueueSpec, Topology
from weft_runtime.testing import RunningService, eventually, running_service, tell
from weft_runtime.testing.polling import WITHIN_S

from tests.connectors.server import Heard

ENDS = {"completed", "failed", "cancelled", "timed_out"}


@dataclass
class Engine:
    """A running engine as a tenant sees it."""

    service: RunningService
    tenant: str = "acme"

    @property
    def client(self) -> httpx2.AsyncClient:
        """A client whose token is fresh, however far the clock was moved."""
        return self.service.client(self.tenant)

    async def publish(self, slug: str, **document: Any) -> str:
        """Let the engine hear of a published workflow."""
        whole = {"format": "weft/v1", "slug": slug, "name": slug, **document}
        changed = WorkflowChanged(slug=slug, name=slug, revision=1, status="active", active_version=1, definition=whole)
        await tell(self.service, changed, tenant=self.tenant)
        return slug

    async def start(self, slug: str, **body: Any) -> str:
        """Start an execution, and give its id."""
        answer = await self.client.post(f"/api/v1/workflows/{slug}/trigger", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["execution_id"])

    async def get(self, execution_id: str) -> dict[str, Any]:
        """An execution as the API shows it."""
        answer = await self.client.get(f"/api/v1/executions/{execution_id}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def begun(self, execution_id: str) -> str:
        """The same id, once there is an execution of it: one that is started by an event or by another execution is not at once."""

        async def known() -> str | None:
            return execution_id if (await self.client.get(f"/api/v1/executions/{execution_id}")).status_code == 200 else None

        return await eventually(known, f"execution {execution_id}")

    async def until(
        self, execution_id: str, holds: Callable[[dict[str, Any]], bool], *, passing: timedelta = timedelta()
    ) -> dict[str, Any]:
        """The execution once something holds of it.

        passing: how much time goes by between two looks. What is held for a while is so from its first turn on, be that before or after
        the clock was moved: to move it once is to wait for ever where the turn comes later.
        """

        async def look() -> dict[str, Any] | None:
            self.service.clock.advance(passing)
            shown = await self.get(execution_id)
            return shown if holds(shown) else None

        return await eventually(look, f"what execution {execution_id} should come to")

    async def ended(self, execution_id: str) -> dict[str, Any]:
        """The execution once it has ended."""
        return await self.until(execution_id, lambda shown: shown["status"] in ENDS)

    async def waiting(self, execution_id: str) -> dict[str, Any]:
        """The execution once it rests."""
        return await self.until(execution_id, lambda shown: shown["status"] == "waiting")

    async def steps(self, execution_id: str) -> list[dict[str, Any]]:
        """Its steps as the API shows them."""
        answer = await self.client.get(f"/api/v1/executions/{execution_id}/steps")
        steps: list[dict[str, Any]] = answer.json()["items"]
        return steps


@pytest.fixture(scope="module")
def patient() -> Iterator[None]:
    """Routes wait for a partition as long as a busy machine takes, and answer with what it said."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "ANSWER_S", WITHIN_S)
        yield


@pytest.fixture(scope="module")
async def engine(patient: None, database_url: str, broker_url: str) -> AsyncIterator[Engine]:
    """An engine over RabbitMQ."""
    async with running_service(build, database_url, broker_url) as service:
        # As in a whole mesh, somebody takes the tasks: at its end the engine would wait for them in vain.
        inbox = routing.inbox_queue("tasks")
        await service.context.bus.declare(Topology((QueueSpec(inbox, (Binding(routing.COMMANDS, inbox),)),)))
        yield Engine(service)


@pytest.fixture
async def working(engine: Engine) -> AsyncIterator[Callable[..., None]]:
    """Start workers for the length of a test: `working(pool, name=function, …)`."""
    tasks: list[asyncio.Task[None]] = []

    def work(pool: str = "acme", **activities: Activity) -> None:
        worker = Worker(engine.service.context.bus, Activities(activities), engine.service.clock, pool_name=pool)
        tasks.append(asyncio.create_task(worker.run()))

    yield work
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def caller(engine: Engine) -> AsyncIterator[None]:
    """A worker that calls services as the mesh's own does, and may reach this machine."""
    request = Plugged(http_request, Plug(allow_private=True, connections=Opening(engine.service.context)))
    worker = Worker(engine.service.context.bus, Activities({"http.request": request}), engine.service.clock)
    task = asyncio.create_task(worker.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await request.aclose()


async def echo(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """A service that repeats what it was sent."""
    body = json.dumps({"sent": heard.headers, "target": heard.target}).encode()
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
