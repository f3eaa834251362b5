"""One service while it runs: its context, its doors, its background work, its health."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from starlette.types import ASGIApp

from weft_runtime.auth.published import HttpSource, Source
from weft_runtime.auth.verify import Verifier
from weft_runtime.bus.ports import Bus
from weft_runtime.clock import Clock, SystemClock
from weft_runtime.context import ServiceContext
from weft_runtime.database.engine import Database
from weft_runtime.http.application import application
from weft_runtime.http.cursors import Cursors
from weft_runtime.http.idempotency import forget_old
from weft_runtime.http.rate import RateLimiter
from weft_runtime.http.shared_rates import SharedRates
from weft_runtime.pipeline import Outbox, Pipeline
from weft_runtime.service.operations import Operations
from weft_runtime.service.service import Background, Service
from weft_runtime.telemetry.logs import get_logger
from weft_runtime.telemetry.metrics import Metrics

BACKGROUND_PAUSE_S = 1.0
BACKGROUND_PAUSE_MAX_S = 30.0
FORGET_EVERY_S = 3600.0


class Host:
    """A service and everything it runs on.

    bus: started, and shared by the services of a process.  limiter: shared likewise.  source: of the issuer's keys, before any other.
    metrics: where it counts, its own when absent.  outbox: makes its way out.
    """

    def __init__(
        self,
        service: Service,
        bus: Bus,
        *,
        clock: Clock | None = None,
        limiter: SharedRates | None = None,
        source: Source | None = None,
        metrics: Metrics | None = None,
        outbox: Callable[[ServiceContext], Outbox] = Outbox,
    ) -> None:
        settings = service.settings
        self.service = service
        self.clock = clock or SystemClock()
        self.context = ServiceContext(
            name=service.name,
            settings=settings,
            database=Database(settings.database_url.get_secret_value(), settings.api_database_url.get_secret_value(), service.name),
            bus=bus,
            clock=self.clock,
            metrics=metrics or Metrics(service.name),
            log=get_logger(service.name),
            cursors=Cursors(*settings.secrets),
        )
        self.context.limiter = limiter or SharedRates(self.context, RateLimiter())
        self._tells = limiter is None
        self.outbox = self.context.mouth = outbox(self.context)
        self.pipeline = Pipeline(self.context, service.handlers, self.outbox) if service.handlers is not None else None
        self.context.verifier = self._verifier(source)
        self.app: ASGIApp = application(service.door, self.context)
        """Its routes alone: what the edge mounts."""
        self.private_app: ASGIApp = Operations(self.app, self)
        """Its routes, health, metrics and description: what its own port serves."""
        self._tasks: list[asyncio.Task[None]] = []

    def _verifier(self, source: Source | None) -> Verifier:
        settings = self.service.settings
        if source is None and self.service.token_source is not None:
            source = self.service.token_source(self.context)
        return Verifier(
            source or HttpSource(settings.jwks_url),
            self.clock,
            issuer=settings.issuer,
            audience=settings.audience,
            leeway_s=settings.jwt_leeway_s,
        )

    async def start(self) -> None:
        """Open the message door and begin background work; the HTTP door is opened by whoever serves `app`."""
        await self.outbox.start()
        for prepare in self.service.startup:
            await prepare(self.context)
        if self.pipeline is not None:
            await self.pipeline.start()
        for work in (*self.service.background, _forget, *((_tell_rates,) if self._tells else ())):
            self._tasks.append(asyncio.create_task(self._keep(work), name=f"{self.service.name} {getattr(work, '__name__', 'background')}"))

    async def ready(self) -> dict[str, bool]:
        """Whether what it needs is there: `database`, `broker`, `consumers`, and what the service itself checks."""
        return {
            "database": await self.context.database.answers(),
            "broker": self.context.bus.healthy,
            "consumers": self.pipeline is None or self.pipeline.healthy,
            **{name: check(self.context) for name, check in self.service.checks.items()},
        }

    async def stop(self) -> None:
        """Take no more, finish what was taken, say what was to be said, close."""
        if self.pipeline is not None:
            await self.pipeline.stop()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        await self.outbox.stop()
        await self.context.database.close()

    async def _keep(self, work: Background) -> None:
        """Run background work for ever: what fails is logged, counted and begun again after a pause that grows."""
        pause_s = BACKGROUND_PAUSE_S
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await work(self.context)
            except Exception as error:
                # Background work has nobody above it that could answer; it must not end silently.
                self.context.metrics.internal_error("background")
                self.context.log.error("background work failed", work=getattr(work, "__name__", "background"), exc_info=error)
            else:
                return
            if asyncio.get_running_loop().time() - began > BACKGROUND_PAUSE_MAX_S:
                pause_s = BACKGROUND_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, BACKGROUND_PAUSE_MAX_S)


async def _forget(context: ServiceContext) -> None:
    while True:
        async with context.owner_transaction() as uow:
            await forget_old(uow, context.name)
        await asyncio.sleep(FORGET_EVERY_S)


async def _tell_rates(context: ServiceContext) -> None:
    await context.limiter.run()
