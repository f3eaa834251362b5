"""A gateway that knows a strict identity provider, and the browsers of its people."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from weft_gateway.app import build
from weft_gateway.seed import seed_demo
from weft_runtime.clock import SystemClock
from weft_runtime.testing import ManualClock, RunningService, running_service
from weft_runtime.testing.running import TEST_SECRET

from tests.services.gateway.conftest import PASSWORD, PEER, at
from tests.services.gateway.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, identity_provider

START, CALLBACK = "/api/v1/auth/oidc/start", "/api/v1/auth/oidc/callback"


@dataclass
class Place:
    """A gateway and its provider. It is configured as several, each of which makes something else of the same claims."""

    gateway: RunningService
    fake: IdentityProvider
    address: str = ""

    def browser(self) -> httpx2.AsyncClient:
        """Somebody's, who is not signed in. Each test's people are elsewhere, as how often one may ask is counted by where one is."""
        return at(self.gateway, self.address)

    async def begin(self, provider: str = "plain", **query: str) -> tuple[dict[str, str], str]:
        """What the provider sends the browser back with, and the browser's cookie."""
        answer = await self.browser().get("/api/v1/auth/oidc/start", params={"provider": provider, **query})
        assert answer.status_code == 302, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return self.fake.authorize(answer.headers["location"]), answer.headers["set-cookie"].partition(";")[0]

    async def come_back(self, answer: dict[str, str], cookie: str, **changed: str | None) -> httpx2.Response:
        query = {name: value for name, value in {**answer, **changed}.items() if value is not None}
        return await self.browser().get("/api/v1/auth/oidc/callback", params=query, headers={"Cookie": cookie})

    async def sign_in(self, provider: str = "plain", **person: Any) -> httpx2.Response:
        self.fake.person = person
        return await self.come_back(*await self.begin(provider))

    async def me(self, answer: httpx2.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        client = self.browser()
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return dict((await client.get("/api/v1/me")).json())


def configured(issuer: str) -> dict[str, Any]:
    common = {"issuer": issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    mapped = {"roles_claim": "realm.roles", "roles": {"approvers": ("approver",), "editors": ("editor",)}, "groups_claim": "groups"}
    return {
        "plain": {**common, "tenant": "demo", "label": "Acme", "default_roles": ["viewer"]},
        "mapped": {**common, "tenant": "demo", **mapped, "groups": {"G1": "night", "G2": "day"}, "session_hours": 8},
        "many": {**common, "tenant_claim": "org", "tenants": {"o-demo": "demo", "o-other": "other"}},
        "closed": {**common, "tenant": "demo", "make_users": False},
        "ours": {**common, "tenant": "demo", "email_domains": ["acme.example"]},
        "elsewhere": {**common, "issuer": f"{issuer}/elsewhere", "tenant": "demo"},
    }


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Place]:
    clock = ManualClock(SystemClock().now())
    async with identity_provider(clock.now()) as fake:
        settings: dict[str, Any] = {
            "public_url": "https://weft.example",
            "allow_private_addresses": True,
            "trusted_proxies": [PEER],
            "oidc": configured(fake.issuer),
        }
        async with running_service(build, database_url, clock=clock, **settings) as running:
            url = running.context.settings.database_url.get_secret_value()
            await seed_demo(url, TEST_SECRET, {"editor@demo.weft": PASSWORD})
            yield Place(running, fake)


_NUMBERS = itertools.count()


@pytest.fixture
def place(service: Place) -> Place:
    """The same, saying what providers usually say."""
    fake = service.fake
    service.address = str(IPv4Address("198.51.100.0") + next(_NUMBERS))
    fake.now = service.gateway.clock.now()
    fake.as_usual()
    return service


def somebody(**more: Any) -> dict[str, Any]:
    name = uuid4().hex
    return {"sub": name, "email": f"{name}@acme.example", "email_verified": True, "name": "Some Body", **more}
