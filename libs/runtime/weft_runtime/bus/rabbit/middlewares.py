"""FastStream's middlewares for the frames of rooms."""

from __future__ import annotations

from typing import Any

from faststream.rabbit.opentelemetry import RabbitTelemetryMiddleware
from faststream.rabbit.prometheus import RabbitPrometheusMiddleware
from prometheus_client import CollectorRegistry


def middlewares(registry: CollectorRegistry, name: str) -> tuple[Any, ...]:
    """Tracing and counting of frames. name: the service's, as a label."""
    return (RabbitTelemetryMiddleware(), RabbitPrometheusMiddleware(registry=registry, app_name=name, metrics_prefix="weft_frames"))
