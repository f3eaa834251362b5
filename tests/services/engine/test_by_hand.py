"""Starts by hand go through the workflow's manual trigger: its form, condition, input and key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from weft_contracts.executions import StartExecution, TriggerInfo
from weft_engine.by_hand import triggered
from weft_engine.errors import InputInvalid, TriggerDisabled, TriggerRefused
from weft_language import compile_definition, parse

from tests.services.engine.conftest import Engine

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TENANT = {"id": "acme", "tier": "premium", "settings": {}}
NODES = [{"id": "a", "type": "set", "with": {"x": 1}}]
FORM = {"type": "object", "required": ["q"], "properties": {"q": {"type": "integer"}}}


def start_of(triggers: list[dict[str, Any]], payload: dict[str, Any], key: str | None = None) -> StartExecution:
    document = {"format": "weft/v1", "name": "Test", "nodes": NODES, "triggers": triggers}
    info = TriggerInfo(type="manual", payload=payload, user={"roles": ["editor"]})
    asked = StartExecution(execution_id=UUID(int=1), workflow="test", input=payload, trigger=info, key=key)
    return triggered(asked, compile_definition(parse(document), 1), TENANT, {}, NOW)


def test_a_form_that_is_filled_in_wrongly_is_refused_with_pointers() -> None:
    with pytest.raises(InputInvalid) as refused:
        start_of([{"on": "manual", "form": FORM}], {"q": "x"})
    assert [detail.pointer for detail in refused.value.details] == ["/input/q"]


def test_its_input_and_key_are_built_from_what_was_filled_in() -> None:
    trigger = {
        "id": "hand",
        "on": "manual",
        "form": FORM,
        "input": {"n": "{{ trigger.payload.q + 1 }}", "t": "{{ tenant.tier }}"},
        "key": "{{ trigger.payload.q }}",
    }
    start = start_of([trigger], {"q": 1})
    assert (start.input, start.key, start.trigger.id, start.trigger.payload) == ({"n": 2, "t": "premium"}, "1", "hand", {"q": 1})


def test_a_key_that_is_asked_for_goes_before_that_of_the_trigger() -> None:
    assert start_of([{"on": "manual", "key": "k"}], {}, key="mine").key == "mine"


@pytest.mark.parametrize(
    "condition", [{"when": "trigger.payload.q > 5"}, {"conditions": {"left": "trigger.payload.q", "op": "gt", "right": 5}}]
)
def test_a_condition_that_is_false_refuses_the_start_with_its_text(condition: dict[str, Any]) -> None:
    with pytest.raises(TriggerRefused, match=r"trigger\.payload\.q > 5"):
        start_of([{"on": "manual", **condition}], {"q": 1})
    assert start_of([{"on": "manual", **condition}], {"q": 6}).input == {"q": 6}


def test_a_condition_may_ask_who_starts_it() -> None:
    with pytest.raises(TriggerRefused):
        start_of([{"on": "manual", "when": "'admin' in trigger.user.roles"}], {})


def test_what_cannot_be_evaluated_refuses_the_start() -> None:
    with pytest.raises(TriggerRefused, match=r"trigger\.payload\.q"):
        start_of([{"on": "manual", "key": "{{ trigger.payload.q }}"}], {})


def test_a_trigger_that_is_switched_off_starts_nothing() -> None:
    with pytest.raises(TriggerDisabled):
        start_of([{"on": "manual", "enabled": False}], {})


def test_of_several_the_first_by_priority_that_takes_it_does() -> None:
    triggers: list[dict[str, Any]] = [
        {"id": "late", "on": "manual"},
        {"id": "off", "on": "manual", "priority": 1, "enabled": False},
        {"id": "small", "on": "manual", "priority": 2, "when": "trigger.payload.q < 5"},
    ]
    assert [start_of(triggers, {"q": q}).trigger.id for q in (1, 9)] == ["small", "late"]


async def test_the_door_asks_the_trigger(engine: Engine) -> None:
    trigger = {"id": "hand", "on": "manual", "form": FORM, "when": "trigger.payload.q > 5", "input": {"n": "{{ trigger.payload.q * 2 }}"}}
    await engine.publish("by-hand", nodes=NODES, triggers=[trigger])
    refused = await engine.client.post("/api/v1/workflows/by-hand/trigger", json={"input": {"q": 1}})
    assert (refused.status_code, refused.json()["code"]) == (409, "trigger_refused")
    shown = await engine.ended(await engine.start("by-hand", input={"q": 6}))
    assert (shown["input"], shown["trigger"]["id"]) == ({"n": 12}, "hand")
