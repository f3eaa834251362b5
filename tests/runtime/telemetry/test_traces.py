from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from weft_runtime.telemetry import current_traceparent, setup_tracing, span, trace_id
from weft_runtime.telemetry.tracing import close_tracing, parse, render
from weft_runtime.testing import running_service

from tests.runtime.sample.app import build

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    made = InMemorySpanExporter()
    close_tracing()
    provider = setup_tracing("test", ratio=1.0, exporter=made)
    assert provider is not None
    provider.add_span_processor(SimpleSpanProcessor(made))
    yield made
    close_tracing()


@given(st.text(max_size=80))
def test_any_text_for_a_traceparent_is_read_or_passed_over(text: str) -> None:
    parse(text)


@pytest.mark.parametrize(
    "bad", [None, "", PARENT[:-1], PARENT.upper(), "ff" + PARENT[2:], "00-" + "0" * 32 + PARENT[35:], PARENT + "x", " " + PARENT]
)
def test_what_is_no_traceparent_begins_a_new_trace(bad: str | None) -> None:
    assert parse(bad) is None
    with span("x", traceparent=bad):
        assert len(trace_id()) == 32


def test_without_an_exporter_ids_still_travel() -> None:
    assert (current_traceparent(), trace_id()) == (None, "")
    with span("outer", traceparent=PARENT) as outer:
        assert not outer.is_recording()
        assert trace_id() == PARENT[3:35]
        with span("inner"):
            inner = current_traceparent()
            assert inner is not None
            assert (inner[:36], inner[36:52] != PARENT[36:52]) == (PARENT[:36], True)
    assert current_traceparent() is None


def test_a_traceparent_comes_back_as_it_was() -> None:
    context = parse(PARENT)
    assert context is not None
    assert render(context) == PARENT


def test_an_error_is_recorded_without_its_secrets(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(RuntimeError), span("failing"):
        raise RuntimeError("no answer from amqp://weft:hunter2@mq with Bearer abcdefghijkl")
    (made,) = exporter.get_finished_spans()
    (event,) = made.events
    told = dict(event.attributes or {})
    assert "RuntimeError" in str(told["exception.stacktrace"]) and "no answer" in str(told["exception.message"])
    assert not any(secret in str(told) for secret in ("hunter2", "abcdefghijkl"))


async def test_a_request_is_one_span_and_its_queries_are_below_it(exporter: InMemorySpanExporter, database_url: str) -> None:
    async with running_service(build, database_url, name="sample") as sample:
        exporter.clear()
        await sample.client().get("/api/v1/notes/00000000-0000-0000-0000-000000000000", headers={"traceparent": PARENT})
    spans = exporter.get_finished_spans()
    request = next(one for one in spans if one.name == "GET /api/v1/notes/{note_id}")
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 404
    assert request.context is not None
    assert render(request.context)[:35] == PARENT[:35]
    queries = [one for one in spans if (one.attributes and "db.statement" in one.attributes) or "SELECT" in one.name]
    assert any(one.parent and one.parent.span_id == request.context.span_id for one in queries)
    assert all("00000000-0000" not in str(dict(one.attributes or {}).get("db.statement.parameters", "")) for one in queries)
