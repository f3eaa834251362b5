"""Prometheus metrics of one service: a registry of its own, rates, errors and durations of its HTTP door, and what else it counts."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """What one service counts. Labels are bounded: the route's template, never its path; known methods only.

    registry: services add their own metrics to it.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, service: str) -> None:
        self.service = service
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "weft_http_requests", "HTTP requests answered.", ("service", "method", "route", "status"), registry=self.registry
        )
        self.duration = Histogram(
            "weft_http_request_duration_seconds",
            "From the request's head to the answer's end.",
            ("service", "method", "route"),
            registry=self.registry,
            buckets=_SECONDS,
        )
        self.in_flight = Gauge("weft_http_requests_in_flight", "HTTP requests being answered.", ("service",), registry=self.registry)
        self.errors = Counter(
            "weft_internal_errors",
            "Errors that are our own bugs: each is in the log with its stack.",
            ("service", "door"),
            registry=self.registry,
        )
        self._in_flight = self.in_flight.labels(service)
        self._by_route: dict[tuple[str, str, int], Counter] = {}
        self._durations: dict[tuple[str, str], Histogram] = {}

    def began(self) -> None:
        """A request came in."""
        self._in_flight.inc()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered. route: the template, `/api/v1/user-tasks/{task_id}`; `unknown` where none matched."""
        self._in_flight.dec()
        verb = method if method in _METHODS else "other"
        key = (verb, route, status)
        counter = self._by_route.get(key)
        if counter is None:
            counter = self._by_route[key] = self.requests.labels(self.service, verb, route, str(status))
        counter.inc()
        histogram = self._durations.get((verb, route))
        if histogram is None:
            histogram = self._durations[verb, route] = self.duration.labels(self.service, verb, route)
        histogram.observe(seconds)

    def internal_error(self, door: str) -> None:
        """A bug showed itself. door: `http`, `message`, `background`."""
        self.errors.labels(self.service, door).inc()

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
