"""The watchdog: a process whose broker came back must hear again without being restarted.

It wakes when a connection breaks, looks each second whether every subscription is attached, asks the broker now and then
whether it knows them, and, when nothing helps for long, says that the process is not healthy.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog

from weft_runtime.bus.metrics import BusMetrics
from weft_runtime.bus.rabbit.asking import asking
from weft_runtime.bus.rabbit.consumer import RabbitConsumer
from weft_runtime.bus.rabbit.link import Link
from weft_runtime.errors import Unavailable, WeftError

LOOK_EVERY_S = 1.0
ASK_EVERY_S = 5.0
RETRY_FIRST_S, RETRY_MOST_S = 0.1, 1.0
UNHEALTHY_AFTER_S = 180.0
"""A broker may be gone this long before the process reports itself unhealthy."""

FRESH_LINK_AFTER = 3
"""Failed tries to subscribe on one connection before the connection itself is replaced."""

log = structlog.get_logger(__name__)


class Watchdog:
    """Runs `restore` whenever something may be missing, and `verify` now and then. Both may raise Unavailable, which means: again."""

    def __init__(self, restore: Callable[[], Awaitable[None]], verify: Callable[[], Awaitable[None]], metrics: BusMetrics) -> None:
        self._metrics = metrics
        self._restore, self._verify = restore, verify
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failing_since: float | None = None
        self._failed = 0

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._run(), name="bus-watchdog")

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    async def stop(self) -> None:
        """Watch no more."""
        task, self._task = self._task, None
        while task is not None and not task.done():
            task.cancel()  # more than once: the client library swallows a cancellation now and then
            await asyncio.wait({task}, timeout=0.5)

    @property
    def healthy(self) -> bool:
        """False after failing for longer than `UNHEALTHY_AFTER_S`, or when the watchdog itself has died."""
        if self._task is not None and self._task.done():
            return False
        return self.failing_s < UNHEALTHY_AFTER_S

    @property
    def failing_s(self) -> float:
        """For how long nothing has helped; 0 while all is well."""
        return 0.0 if self._failing_since is None else asyncio.get_running_loop().time() - self._failing_since

    async def resubscribe(self, consumers: Sequence[RabbitConsumer], link: Link, *, force: bool = False) -> None:
        """Attach those that are not; after several failures the link is abandoned, so that the next try has a new one.

        Raises: Unavailable.
        """
        for consumer in tuple(consumers):
            if not consumer.wanted or (consumer.active and not force):
                continue
            try:
                await consumer.attach(link)
            except Unavailable:
                self._failed += 1
                if self._failed >= FRESH_LINK_AFTER:
                    self._failed = 0
                    link.abandon()
                raise
            self._failed = 0
            self._metrics.resubscribed.labels(consumer.queue).inc()
            log.info("resubscribed", queue=consumer.queue)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        pause, asked = RETRY_FIRST_S, loop.time()
        while True:
            wait = LOOK_EVERY_S if self._failing_since is None else pause
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            if self._failing_since is not None:
                await asyncio.sleep(pause)  # whoever publishes wakes us, which must not become a busy loop
            self._wake.clear()
            try:
                with asking("let itself be restored"):
                    await self._restore()
                    if loop.time() - asked >= ASK_EVERY_S:
                        asked = loop.time()
                        await self._verify()
            except Exception as error:  # a watchdog that dies of a surprise leaves the process deaf for good
                if self._failing_since is None:
                    self._failing_since = loop.time()
                    log.warning("broker_lost", reason=str(error), exc_info=not isinstance(error, WeftError))
                pause = min(pause * 2, RETRY_MOST_S)
            else:
                if self._failing_since is not None:
                    log.info("broker_back", after_s=round(loop.time() - self._failing_since, 3))
                self._failing_since, pause = None, RETRY_FIRST_S
