"""Traces: W3C trace context in and out, spans where an exporter is configured, and otherwise only the ids, at no cost."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import StatusCode

from weft_runtime.telemetry.redaction import redact_text

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_provider: TracerProvider | None = None


def setup_tracing(service: str, endpoint: str = "", ratio: float = 0.01, *, exporter: SpanExporter | None = None) -> TracerProvider | None:
    """Send spans to an OTLP endpoint; where neither it nor an exporter is given, nothing is recorded.

    endpoint: OTLP over HTTP, `http://host:4318/v1/traces`.  ratio: share of new traces that are recorded, 0..1.
    Only the first call of a process has an effect. Returns: the provider, None when there is none.
    """
    global _provider
    if _provider is not None or (not endpoint and exporter is None):
        return _provider
    if exporter is None:
        # Imported only when spans are sent: it brings a second HTTP client and 15 MiB with it.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(endpoint=endpoint)
    provider = TracerProvider(resource=Resource.create({"service.name": service}), sampler=ParentBased(TraceIdRatioBased(ratio)))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    AsyncPGInstrumentor().instrument(  # type: ignore[no-untyped-call]
        tracer_provider=provider
    )
    _provider = provider
    return provider


def close_tracing() -> None:
    """Send what is still waiting and record no more."""
    global _provider
    if _provider is not None:
        AsyncPGInstrumentor().uninstrument()  # type: ignore[no-untyped-call]
        _provider.shutdown()
        _provider = None


def parse(traceparent: str | None) -> SpanContext | None:
    """The span a `traceparent` names, None where it is absent or not valid. Source: W3C Trace Context, level 2."""
    if traceparent is None or len(traceparent) > 256 or (found := _TRACEPARENT.fullmatch(traceparent)) is None:
        return None
    trace_, span_, flags = found.groups()
    return SpanContext(int(trace_, 16), int(span_, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16) & 1))


def render(context: SpanContext) -> str:
    """The `traceparent` of a span."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


@contextmanager
def span(
    name: str, *, kind: SpanKind = SpanKind.INTERNAL, traceparent: str | None = None, attributes: Mapping[str, Any] | None = None
) -> Iterator[Span]:
    """A span around the block: of the trace in `traceparent`, else of the current one, else of a new one.

    Without an exporter only the ids exist, so that messages and logs still name their trace.
    """
    remote = parse(traceparent)
    parent = trace.set_span_in_context(NonRecordingSpan(remote)) if remote else otel_context.get_current()
    made = _start(name, kind, parent, attributes)
    token = otel_context.attach(trace.set_span_in_context(made, parent))
    try:
        yield made
    except BaseException as error:
        if made.is_recording():
            made.record_exception(error, _without_secrets(error))
            made.set_status(StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        otel_context.detach(token)
        made.end()


def _start(name: str, kind: SpanKind, parent: Context, attributes: Mapping[str, Any] | None) -> Span:
    if _provider is not None:
        return _provider.get_tracer("weft").start_span(name, parent, kind, attributes)
    above = trace.get_current_span(parent).get_span_context()
    drawn = int.from_bytes(os.urandom(24)) | 1 | 1 << 64
    trace_ = above.trace_id if above.is_valid else drawn >> 64
    flags = above.trace_flags if above.is_valid else TraceFlags(0)
    return NonRecordingSpan(SpanContext(trace_, drawn & (1 << 64) - 1, is_remote=False, trace_flags=flags))


def _without_secrets(error: BaseException) -> dict[str, str]:
    told = "".join(traceback.format_exception(error))
    return {"exception.message": redact_text(str(error)), "exception.stacktrace": redact_text(told)}


def current_traceparent() -> str | None:
    """The `traceparent` of the current span, None outside of any."""
    context = trace.get_current_span().get_span_context()
    return render(context) if context.is_valid else None


def trace_id() -> str:
    """The current trace's id, 32 hex digits; "" outside of any."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""
