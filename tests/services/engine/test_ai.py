"""AI through the engine and a worker, on a real database and broker, against a provider that is held to its description."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from weft_connectors.ai import WITH
from weft_connectors.ai.calling import Asker
from weft_connectors.connections import OpenConnection
from weft_connectors.plug import Plug, plugged
from weft_contracts.directory import TenantChanged
from weft_runtime.testing import tell

from tests.connectors.ai.conftest import connection
from tests.connectors.ai.fakes import Fail, Provider, openai
from tests.services.engine.conftest import Engine

TRANSFORM = {"id": "label", "type": "transform", "with": {"expression": "'other'"}}
CLASSIFY: dict[str, Any] = {"connection": "brain", "input": "{{ input.text }}", "categories": ["urgent", "other"]}
URGENT = json.dumps({"category": "urgent", "confidence": 0.8, "reason": "It says so."})


@pytest.fixture
async def brain(working: Callable[..., None]) -> AsyncIterator[Provider]:
    """A provider that answers `urgent`, and a worker that asks it for every tenant by the connection `brain`."""
    async with openai(URGENT) as fake:

        async def read(tenant: str, name: str) -> OpenConnection:
            return connection(fake, name=name, models={"default": "gpt-small", "premium": "gpt-large"})

        asker = Asker()
        plug = Plug(allow_private=True, connections=read)
        working("default", **plugged(plug, {name: asker.action(with_) for name, with_ in WITH.items()}))
        yield fake
        await plug.aclose()


async def of_tier(engine: Engine, tier: str) -> Engine:
    """A tenant of a tier, whose engine it is."""
    tenant = f"ai-{tier}"
    await tell(engine.service, TenantChanged(tenant=tenant, name=tenant, tier=tier, settings={}, revision=1), tenant=tenant)
    return Engine(engine.service, tenant)


async def test_a_node_asks_the_model_of_the_tenants_tier_and_tells_what_it_used(engine: Engine, brain: Provider) -> None:
    premium = await of_tier(engine, "premium")
    await premium.publish("sort", nodes=[{"id": "sort", "type": "ai.classify", "with": CLASSIFY}])
    execution = await premium.start("sort", input={"text": "Now!"})
    assert (await premium.ended(execution))["status"] == "completed"

    (step,) = await premium.steps(execution)
    assert (step["output"]["result"], step["output"]["usage"]["model"]) == ("urgent", "gpt-large")
    assert [one.key for one in brain.asked] == [f"{execution}:sort:1"]


@pytest.mark.parametrize(
    ("tier", "fail", "within_s", "output", "reason"),
    [("enterprise", None, 50, "urgent", None), ("standard", None, 50, "other", "tier"), ("premium", Fail(503), 50, "other", "unavailable"),
     ("premium", Fail(wait=True), 1, "other", "late")],
)  # fmt: skip
async def test_a_node_is_enhanced_by_tier_and_does_its_own_work_otherwise(
    tier: str, fail: Fail | None, within_s: float, output: str, reason: str | None, engine: Engine, brain: Provider
) -> None:
    tenant = await of_tier(engine, tier)
    if fail is not None:
        brain.next[0] = fail
    node = {**TRANSFORM, "enhance": {"type": "ai.classify", "with": {**CLASSIFY, "timeout_s": within_s}}}
    slug = f"better-{reason or 'applied'}"
    await tenant.publish(slug, nodes=[node], output={"label": "{{ step.label.output }}"})
    execution = await tenant.start(slug, input={"text": "Now!"})
    shown = await tenant.ended(execution)
    (step,) = await tenant.steps(execution)

    assert (shown["status"], shown["output"]) == ("completed", {"label": output})
    assert (step["enhancement"]["applied"], step["enhancement"]["reason"]) == (reason is None, reason)
    if reason is None:
        assert step["enhancement"]["usage"]["input_tokens"] == 11
        effects = (await tenant.client.get(f"/api/v1/executions/{execution}/effects")).json()["items"]
        assert [(one["key"], one["kind"], one["status"]) for one in effects] == [(f"{execution}:label.enhance:1", "enhancement", "done")]
