"""Running services: one or many in this process, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Sequence

import structlog
from starlette.types import ASGIApp

from weft_runtime.bus.opening import open_bus
from weft_runtime.http.server import HttpServer
from weft_runtime.service.host import Host
from weft_runtime.service.service import Service
from weft_runtime.telemetry.logs import setup_logging
from weft_runtime.telemetry.metrics import Metrics
from weft_runtime.telemetry.tracing import close_tracing, setup_tracing

Edge = Callable[[Sequence[Host]], ASGIApp]
"""Makes the application of the one public port from the services of this process."""


COLLECT_AFTER = (20_000, 20, 20)
"""The collector's thresholds: objects more than before, then collections of each generation. What a service holds for long (the executions
it knows) is many objects and no cycles, so searching all of it each second, as the defaults do, costs a seventh of an engine's time and
finds nothing.
"""


async def run(
    services: Sequence[Service],
    *,
    edge: Edge | None = None,
    edge_host: str = "127.0.0.1",
    edge_port: int = 8080,
    started: Callable[[Sequence[Host], dict[str, int]], None] | None = None,
    until: asyncio.Event | None = None,
) -> None:
    """Run these services until SIGTERM, SIGINT or `until`; then take no more, finish what was taken, close.

    edge: where given, its application is served at edge_host:edge_port.
    started: told once all doors are open, with the port of each service by its name and of the edge as `edge`.
    Raises: Unavailable when the broker does not answer; OSError when a port is taken.
    """
    gc.set_threshold(*COLLECT_AFTER)
    stop = until or asyncio.Event()
    settings = services[0].settings
    if not structlog.is_configured():
        setup_logging(settings.log_level, settings.log_file)
    setup_tracing("weft" if len(services) > 1 else services[0].name, settings.otlp_endpoint, settings.trace_ratio)
    metrics = [Metrics(service.name) for service in services]
    names = "+".join(service.name for service in services)
    bus = open_bus(settings.broker_url.get_secret_value(), name=f"weft {names}", registry=metrics[0].registry)
    hosts: list[Host] = []
    for service, counts in zip(services, metrics, strict=True):
        hosts.append(Host(service, bus, limiter=hosts[0].context.limiter if hosts else None, metrics=counts))
    servers: dict[str, HttpServer] = {}
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await bus.start()
        await _start(hosts)
        for host in hosts:
            servers[host.service.name] = HttpServer(host.private_app, host.service.settings.host, host.service.settings.port)
        if edge is not None:
            servers["edge"] = HttpServer(edge(hosts), edge_host, edge_port)
        for server in servers.values():
            await server.start()
        if started is not None:
            started(hosts, {name: server.port for name, server in servers.items()})
        await stop.wait()
    finally:
        for server in servers.values():
            await server.stop()
        for host in hosts:
            await host.stop()
        await bus.close()
        close_tracing()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _start(hosts: Sequence[Host]) -> None:
    """Start all side by side: where its queues are new, each waits until they have settled. Raises: what the first that failed raised."""
    for outcome in await asyncio.gather(*(host.start() for host in hosts), return_exceptions=True):
        if outcome is not None:
            raise outcome
