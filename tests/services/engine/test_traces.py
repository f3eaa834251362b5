"""One trace runs from the HTTP call through RabbitMQ to the last step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from weft_connectors.activity import ActivityCall
from weft_runtime.telemetry.tracing import close_tracing, setup_tracing
from weft_runtime.testing import eventually

from tests.services.engine.conftest import Engine

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_a_trace_runs_from_the_call_to_the_last_step(engine: Engine, working: Callable[..., None]) -> None:
    seen: list[str | None] = []

    async def look(call: ActivityCall) -> Any:
        seen.append(call.traceparent)
        return None

    exporter = InMemorySpanExporter()
    provider = setup_tracing("test", ratio=1.0, exporter=exporter)
    try:
        working(look=look)
        await engine.publish("traced", nodes=[{"id": "a", "type": "activity", "with": {"name": "look"}}])
        headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        answer = await engine.client.post("/api/v1/workflows/traced/trigger", json={}, headers=headers)
        await engine.ended(answer.json()["execution_id"])
        assert provider is not None

        async def told() -> bool | None:
            # The execution may be seen to have ended before the last span has.
            provider.force_flush()
            spans = [one for one in exporter.get_finished_spans() if one.context is not None]
            names = {one.name for one in spans if f"{one.context.trace_id:032x}" == TRACE}
            return {"engine Start", "activity look", "engine ActivityCompleted"} <= names or None

        await eventually(told, "a span for each part of the way")
    finally:
        close_tracing()
    assert [str(traceparent).split("-")[1] for traceparent in seen] == [TRACE]
