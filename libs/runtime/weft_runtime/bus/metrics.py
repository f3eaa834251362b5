"""What a bus counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class BusMetrics:
    """The counters of one bus. registry: where they are shown; one bus a registry."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        self.published = Counter("weft_bus_published_frames", "Frames the broker confirmed.", registry=self.registry)
        self.unpublished = Counter(
            "weft_bus_unpublished_frames", "Frames the broker did not confirm; they are sent again.", ["reason"], registry=self.registry
        )
        self.confirm_seconds = Histogram(
            "weft_bus_confirm_seconds", "From sending to the last confirm of one call.", buckets=_SECONDS, registry=self.registry
        )
        self.connected = Gauge("weft_bus_connected", "1 while the connection to the broker stands.", ["link"], registry=self.registry)
        self.connects = Counter("weft_bus_connects", "Connections made: the first and each after a loss.", ["link"], registry=self.registry)
        self.resubscribed = Counter("weft_bus_resubscribed", "Subscriptions made anew by the watchdog.", ["queue"], registry=self.registry)
