"""Events on a real database."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from weft_contracts.definitions import WorkflowChanged
from weft_events.app import build
from weft_runtime.testing import RunningService, running_service, service_client

from tests.services.events.sender import Sender


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def events(database_url: str) -> AsyncIterator[RunningService]:
    """The service, on the bus inside this process."""
    async with running_service(build, database_url) as running:
        yield running


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> str:
    """A tenant of the test's own."""
    return f"t-{zlib.crc32(request.node.name.encode())}"


@pytest.fixture
def client(events: RunningService, tenant: str) -> httpx2.AsyncClient:
    """Somebody of that tenant who may send and read events."""
    return events.client(tenant, ["service"])


@pytest.fixture
def outside(events: RunningService) -> httpx2.AsyncClient:
    """Somebody who is not signed in."""
    return service_client(events.app)


@pytest.fixture
def sender(events: RunningService, outside: httpx2.AsyncClient, tenant: str) -> Sender:
    """Who sends webhooks to that tenant."""
    return Sender(events, outside, tenant)


def workflow(*triggers: dict[str, Any], slug: str = "flow", revision: int = 1, version: int = 1, status: str = "active") -> WorkflowChanged:
    """A published workflow with these triggers, each on `order.*` unless it says otherwise."""
    written = [trigger if "on" in trigger else {"on": "event", "event": "order.*"} | trigger for trigger in triggers]
    document = {"format": "weft/v1", "name": slug, "slug": slug, "triggers": written, "nodes": [{"id": "end", "type": "end"}]}
    fields = {"slug": slug, "name": slug, "revision": revision, "status": status, "active_version": version, "definition": document}
    return WorkflowChanged.model_validate(fields)


def order(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An event of a shop. changes: its members; None leaves one out."""
    given: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"o{number}",
        "source": "/shop",
        "type": "order.placed",
        "data": {"number": number},
    }
    return {name: value for name, value in (given | changes).items() if value is not None}
