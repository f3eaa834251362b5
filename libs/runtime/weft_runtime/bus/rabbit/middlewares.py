"""FastStream's middlewares, made once for the process: Prometheus refuses to count the same thing twice."""

from __future__ import annotations

from functools import cache
from typing import Any

from faststream.rabbit.opentelemetry import RabbitTelemetryMiddleware
from faststream.rabbit.prometheus import RabbitPrometheusMiddleware
from prometheus_client import REGISTRY


@cache
def middlewares() -> tuple[Any, ...]:
    """Tracing and counting of frames."""
    return (RabbitTelemetryMiddleware(), RabbitPrometheusMiddleware(registry=REGISTRY, metrics_prefix="weft_bus"))
