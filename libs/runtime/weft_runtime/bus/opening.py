"""Choosing the transport by the address."""

from __future__ import annotations

from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry

from weft_runtime.bus.inprocess import InProcessBus
from weft_runtime.bus.metrics import BusMetrics
from weft_runtime.bus.ports import Bus
from weft_runtime.bus.rabbit.bus import RabbitBus

SETTLE_S = 1.0


def open_bus(url: str, *, name: str, registry: CollectorRegistry | None = None, settle_s: float = SETTLE_S) -> Bus:
    """A bus, not yet started. url: `amqp://…`, `amqps://…` or `inprocess://<any name>`.  name: who connects, as the broker shows it.
    registry: where what it counts is shown; one bus a registry.
    settle_s: how long `declare` waits when a queue was new, so that even a power cut right after cannot harm it; tests give 0.

    Raises: ValueError for another scheme.
    """
    scheme = urlsplit(url).scheme
    if scheme == "inprocess":
        return InProcessBus(url)
    if scheme in {"amqp", "amqps"}:
        return RabbitBus(url, name=name, metrics=BusMetrics(registry), settle_s=settle_s)
    raise ValueError(f"WEFT_BROKER_URL begins with {scheme!r}: give amqp://, amqps:// or inprocess://")
