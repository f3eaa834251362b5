"""A gateway that runs, with a tenant and its people."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from weft_gateway.app import build
from weft_gateway.issuing import Issuer, issuer_of
from weft_gateway.seed import PEOPLE, seed_demo
from weft_runtime.auth import Claims, verify
from weft_runtime.clock import SystemClock
from weft_runtime.testing import ManualClock, RunningService, running_service
from weft_runtime.testing.running import TEST_SECRET

PASSWORD = "correct horse battery"
PEER = "203.0.113.7/32"
"""Where the clients of tests come from; what it says of others is believed, so that a test may come from anywhere."""


@pytest.fixture(scope="module")
async def gateway(database_url: str) -> AsyncIterator[RunningService]:
    # Seeding reads the machine's clock, so the gateway's begins there.
    clock = ManualClock(SystemClock().now())
    live: dict[str, Any] = {"live_poll_s": 0.02, "live_heartbeat_s": 0.1, "live_queues_s": 0.05}
    async with running_service(build, database_url, clock=clock, trusted_proxies=[PEER], **live) as running:
        url = running.context.settings.database_url.get_secret_value()
        for _ in range(2):  # the second time changes nothing
            await seed_demo(url, TEST_SECRET, dict.fromkeys(PEOPLE, PASSWORD))
        yield running


async def login(client: httpx2.AsyncClient, email: str = "admin@demo.weft", password: str = PASSWORD) -> httpx2.Response:
    return await client.post("/api/v1/auth/login", json={"email": email, "password": password})


def at(gateway: RunningService, address: str) -> httpx2.AsyncClient:
    """A client elsewhere."""
    client = gateway.anonymous()
    client.headers["X-Forwarded-For"] = address
    return client


async def holding(gateway: RunningService, *roles: str, tenant: str = "demo") -> httpx2.AsyncClient:
    """Somebody of a tenant who holds these roles, without a sign-in: to hash passwords takes its time."""
    claims = Claims(str(uuid4()), tenant, roles, (), "standard", f"{uuid4().hex}@weft.example", "H")
    async with gateway.context.owner_transaction(tenant) as uow:
        token = gateway.context.part(Issuer).access_token(claims, uow, str(uuid4()))
    client = gateway.anonymous()
    client.headers["Authorization"] = f"Bearer {token}"
    return client


@pytest.fixture
def impatient(gateway: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is revoked is refused at once, and not within seconds."""
    monkeypatch.setattr(verify, "REVOKED_TTL_S", 0.0)
    settings = gateway.context.settings
    verifier = verify.Verifier(issuer_of(gateway.context), gateway.clock, issuer=settings.issuer, audience=settings.audience)
    monkeypatch.setattr(gateway.context, "verifier", verifier)


async def signed_in(gateway: RunningService, email: str) -> httpx2.AsyncClient:
    client = gateway.anonymous()
    client.headers["Authorization"] = f"Bearer {(await login(client, email)).json()['access_token']}"
    return client
