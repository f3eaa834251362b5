"""The trace and the log fields of what is being handled, so that every line and every word said of it names them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanKind

from weft_runtime.pipeline.reading import Piece
from weft_runtime.telemetry.tracing import current_traceparent, parse, span


@contextmanager
def listening(room: str, piece: Piece) -> Iterator[str | None]:
    """Around the handling of one item. Gives the `traceparent` for what is said of it.

    A span is made only where the trace is sampled; otherwise the ids are carried on, which costs a hundredth.
    """
    item = piece.item
    traceparent = item.traceparent if item else None
    fields = {"tenant": piece.tenant, "execution": (item.subject if item else None) or ""}
    tokens = structlog.contextvars.bind_contextvars(**fields)
    remote = parse(traceparent)
    try:
        if remote is not None and remote.trace_flags.sampled:
            name = f"{room} {item.type if item else 'event'}"
            with span(name, kind=SpanKind.CONSUMER, traceparent=traceparent, attributes={"messaging.system": "rabbitmq", **fields}):
                yield current_traceparent()
        elif remote is not None:
            token = otel_context.attach(trace.set_span_in_context(NonRecordingSpan(remote)))
            try:
                yield traceparent
            finally:
                otel_context.detach(token)
        else:
            yield None
    finally:
        structlog.contextvars.reset_contextvars(**tokens)
