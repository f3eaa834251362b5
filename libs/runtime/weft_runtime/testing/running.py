"""A service on a real database, for the length of a test."""

from __future__ import annotations

import typing
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2
import structlog
from starlette.types import ASGIApp

from weft_runtime.bus.opening import open_bus
from weft_runtime.clock import new_id
from weft_runtime.context import ServiceContext
from weft_runtime.database.roles import provision, service_urls
from weft_runtime.service.host import Host
from weft_runtime.service.service import Service
from weft_runtime.settings import ServiceSettings
from weft_runtime.telemetry.logs import setup_logging
from weft_runtime.testing.client import service_client
from weft_runtime.testing.clock import ManualClock
from weft_runtime.testing.issuer import TestIssuer
from weft_runtime.testing.words import HeardOutbox

TEST_SECRET = "a secret for tests only, long enough"  # noqa: S105

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


@dataclass(slots=True)
class RunningService:
    """A service that runs. host: it and its context.  clock: moves only when told.  issuer: signs tokens for anybody."""

    host: Host
    clock: ManualClock
    issuer: TestIssuer
    _clients: list[httpx2.AsyncClient] = field(default_factory=list)

    @property
    def context(self) -> ServiceContext:
        """What its routes and background work have at hand."""
        return self.host.context

    @property
    def outbox(self) -> HeardOutbox:
        """Its way out, which remembers what was said."""
        if not isinstance(self.host.outbox, HeardOutbox):
            raise TypeError("this service was not started by running_service")
        return self.host.outbox

    @property
    def app(self) -> ASGIApp:
        """Its routes, health, metrics and description."""
        return self.host.private_app

    def client(self, tenant: str = "acme", roles: Sequence[str] = ("admin",), **claims: Any) -> httpx2.AsyncClient:
        """A client signed in as anybody: `sub`, `groups`, `email`, `name` may be given too."""
        return self._kept(service_client(self.app, self.issuer, tenant, roles, **claims))

    def anonymous(self) -> httpx2.AsyncClient:
        """A client that is not signed in."""
        return self._kept(service_client(self.app))

    def _kept(self, client: httpx2.AsyncClient) -> httpx2.AsyncClient:
        self._clients.append(client)
        return client

    async def close(self) -> None:
        """Close the clients and stop the service."""
        for client in self._clients:
            await client.aclose()
        await self.host.stop()


def settings_for(kind: type[SettingsT], service: str, database_url: str, broker_url: str, **values: Any) -> SettingsT:
    """Settings of a service in a test. database_url: a superuser's.  values: of its own fields."""
    urls = service_urls(database_url, service, TEST_SECRET)
    given: dict[str, Any] = {
        "database_url": urls.owner,
        "api_database_url": urls.api,
        "broker_url": broker_url,
        "secret_key": TEST_SECRET,
        "person_requests_per_hour": 1_000_000,
    }
    return kind(**(given | values))


@asynccontextmanager
async def running_service(
    build: Callable[[Any], Service],
    database_url: str,
    broker_url: str | None = None,
    *,
    name: str | None = None,
    clock: ManualClock | None = None,
    issuer: TestIssuer | None = None,
    **values: Any,
) -> AsyncIterator[RunningService]:
    """Provision, migrate and run a service.

    build: its `app.build`, whose argument is annotated with its settings.  database_url: a superuser's, of a fresh database.
    broker_url: of RabbitMQ; the bus inside this process where None.  name: of its schema, `weft_<name>.app` by default.
    issuer: signs tokens instead of the service's own issuer.  values: of its settings.
    """
    if not structlog.is_configured():
        setup_logging("WARNING")
    clock = clock or ManualClock()
    name = name or build.__module__.split(".")[0].removeprefix("weft_")
    hints = typing.get_type_hints(build)
    kind = next((hint for key, hint in hints.items() if key != "return" and issubclass(hint, ServiceSettings)), ServiceSettings)
    settings = settings_for(kind, name, database_url, broker_url or f"inprocess://{new_id().hex}", **values)
    await provision(database_url, name, TEST_SECRET)
    service = build(settings)
    await service.migrate()
    bus = open_bus(settings.broker_url.get_secret_value(), name=f"test {name}", settle_s=0)
    await bus.start()
    signer = issuer or TestIssuer(clock, issuer=settings.issuer, audience=settings.audience)
    source = None if service.token_source is not None and issuer is None else signer.source
    running = RunningService(Host(service, bus, clock=clock, source=source, outbox=HeardOutbox), clock, signer)
    try:
        await running.host.start()
        yield running
    finally:
        await running.close()
        await bus.close()
