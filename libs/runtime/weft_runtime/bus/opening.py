"""Choosing the transport by the address."""

from __future__ import annotations

from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry

from weft_runtime.bus.inprocess import InProcessBus
from weft_runtime.bus.metrics import BusMetrics
from weft_runtime.bus.ports import Bus
from weft_runtime.bus.rabbit.bus import RabbitBus


def open_bus(url: str, *, name: str, registry: CollectorRegistry | None = None) -> Bus:
    """A bus, not yet started. url: `amqp://…`, `amqps://…` or `inprocess://<any name>`.  name: who connects, as the broker shows it.
    registry: where what it counts is shown; one bus a registry.

    Raises: ValueError for another scheme.
    """
    scheme = urlsplit(url).scheme
    if scheme == "inprocess":
        return InProcessBus(url)
    if scheme in {"amqp", "amqps"}:
        return RabbitBus(url, name=name, metrics=BusMetrics(registry))
    raise ValueError(f"WEFT_BROKER_URL begins with {scheme!r}: give amqp://, amqps:// or inprocess://")
