"""Matching, without a database: which triggers, in which order, what they start and why the others do not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_contracts.cloudevents import CloudEvent
from weft_events import domain
from weft_events.domain import Considered, Matching, Received, TriggerIndex
from weft_events.errors import BrokenTriggers
from weft_events.machine import EventStatus
from weft_language.compilation import glob_matches

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def received(type_: str = "invoice.paid", data: Any = None, tenant: str = "acme", **attributes: Any) -> Received:
    event = CloudEvent(id="e1", source=attributes.pop("source", "/shop"), type=type_, data=data, time=NOW, extensions=attributes)
    return Received(UUID(int=7), tenant, event, NOW)


def matching(*triggers: dict[str, Any], workflow: str = "flow") -> Matching:
    index = TriggerIndex(domain.candidates(workflow, 3, [{"on": "event", "event": "invoice.*"} | trigger for trigger in triggers]))
    return Matching(index, domain.tenant_names("acme", "premium", {"limit": 10}))


def only(event: Received, trigger: dict[str, Any]) -> Considered:
    [considered] = domain.consider(event, matching(trigger))
    return considered


def test_a_match_starts_the_version_with_all_that_expressions_read() -> None:
    considered = only(received(data={"amount": 5}, region="eu"), {"id": "paid", "when": "trigger.payload.amount < tenant.settings.limit"})
    start = considered.start
    assert considered.matched and start is not None
    assert (start.workflow, start.workflow_version, start.input, start.key) == ("flow", 3, {"amount": 5}, None)
    assert (start.trigger.type, start.trigger.id, start.trigger.event_id, start.trigger.payload) == (
        "event",
        "paid",
        str(UUID(int=7)),
        {"amount": 5},
    )
    assert start.trigger.event == {
        "specversion": "1.0",
        "id": "e1",
        "source": "/shop",
        "type": "invoice.paid",
        "time": "2026-01-05T09:00:00Z",
        "region": "eu",
    }


def test_input_and_key_are_rendered_from_the_event() -> None:
    trigger = {
        "input": {"sum": "{{ trigger.payload.amount * 2 }}", "from": "{{ trigger.event.source }}"},
        "key": "inv-{{ trigger.payload.no }}",
    }
    start = only(received(data={"amount": 5, "no": 9}), trigger).start
    assert start is not None
    assert (start.input, start.key) == ({"sum": 10, "from": "/shop"}, "inv-9")


@pytest.mark.parametrize("data", [None, 3, "text", [1], b"\x00\x01"])
def test_data_that_is_no_object_is_no_input_and_still_the_payload(data: Any) -> None:
    start = only(received(data=data), {}).start
    assert start is not None
    assert start.input == {}
    assert start.trigger.payload == ("AAE=" if isinstance(data, bytes) else data)


@pytest.mark.parametrize(
    ("trigger", "reason", "told"),
    [
        ({"when": "trigger.payload.amount > 10"}, "condition", "false"),
        ({"conditions": {"all": [{"left": "trigger.payload.amount", "op": "gt", "right": 10}]}}, "condition", "false"),
        ({"when": "trigger.payload.missing > 10"}, "error", "missing"),
        ({"when": "trigger.payload.amount"}, "error", "true or false"),
        ({"when": "true", "input": {"x": "{{ trigger.payload.gone }}"}}, "error", "gone"),
        ({"key": "{{ trigger.payload.gone }}"}, "error", "gone"),
        ({"enabled": False}, "disabled", "switched off"),
        ({"source": "/other"}, "source", "/shop"),
    ],
)
def test_what_does_not_match_says_why_and_starts_nothing(trigger: dict[str, Any], reason: str, told: str) -> None:
    considered = only(received(data={"amount": 5}), trigger)
    assert (considered.matched, considered.reason, considered.start) == (False, reason, None)
    assert considered.detail is not None
    assert told in considered.detail


def test_a_broken_condition_does_not_keep_the_others_from_starting() -> None:
    considered = list(domain.consider(received(data={}), matching({"id": "a", "when": "trigger.payload.x.y == 1"}, {"id": "b"})))
    assert [(one.trigger, one.matched) for one in considered] == [("a", False), ("b", True)]
    assert domain.status_of(considered) is EventStatus.MATCHED
    assert domain.status_of(considered[:1]) is EventStatus.UNMATCHED
    assert domain.status_of([]) is EventStatus.UNMATCHED


def test_triggers_are_considered_by_priority_then_workflow_then_place() -> None:
    both: list[dict[str, Any]] = [
        {"on": "event", "event": "*", "id": "late"},
        {"on": "event", "event": "invoice.paid", "id": "early", "priority": 1},
    ]
    index = TriggerIndex([*domain.candidates("b", 1, both), *domain.candidates("a", 1, both)])
    assert [(one.workflow, one.trigger.id) for one in index.of("invoice.paid")] == [
        ("a", "early"),
        ("b", "early"),
        ("a", "late"),
        ("b", "late"),
    ]


def test_a_manual_trigger_waits_for_people() -> None:
    assert TriggerIndex(domain.candidates("w", 1, [{"on": "manual", "id": "by_hand"}])).of("anything") == []


def test_the_same_event_starts_the_same_execution_and_any_other_another() -> None:
    ids = {
        domain.execution_id(received(), "flow", "t"),
        domain.execution_id(received(), "flow", "u"),
        domain.execution_id(received(), "flo", "wt"),
        domain.execution_id(received(tenant="beta"), "flow", "t"),
        domain.execution_id(received(source="/other"), "flow", "t"),
    }
    assert len(ids) == 5
    again = Received(UUID(int=8), "acme", received().event, NOW)
    assert domain.execution_id(again, "flow", "t") == domain.execution_id(received(), "flow", "t")


def test_triggers_that_cannot_be_compiled_are_refused() -> None:
    for broken in ({"on": "event"}, {"on": "event", "event": "a", "when": "1 +"}, {"on": "never"}):
        with pytest.raises(BrokenTriggers):
            domain.candidates("w", 1, [broken])


names = st.text("ab.*?", min_size=1, max_size=5)


@given(st.lists(names, max_size=8), st.text("ab.", min_size=1, max_size=5))
def test_the_index_finds_what_each_pattern_covers(patterns: list[str], event_type: str) -> None:
    documents = [{"on": "event", "event": pattern, "id": f"t{place}"} for place, pattern in enumerate(patterns)]
    found = [one.place for one in TriggerIndex(domain.candidates("w", 1, documents)).of(event_type)]
    assert found == [place for place, pattern in enumerate(patterns) if glob_matches(pattern, event_type)]


def test_what_a_trigger_starts_has_the_priority_of_its_workflow() -> None:
    index = TriggerIndex(domain.candidates("flow", 3, [{"on": "event", "event": "invoice.*"}], 8))
    [considered] = domain.consider(received(), Matching(index, domain.tenant_names("acme")))
    assert considered.start is not None
    assert considered.start.priority == 8
