"""Logs, metrics and traces: what a service tells of itself, with tenant, execution and trace id, and no secrets."""

from weft_runtime.telemetry.logs import bind_log, get_logger, setup_logging
from weft_runtime.telemetry.metrics import Metrics
from weft_runtime.telemetry.tracing import current_traceparent, setup_tracing, span, trace_id

__all__ = ["Metrics", "bind_log", "current_traceparent", "get_logger", "setup_logging", "setup_tracing", "span", "trace_id"]
