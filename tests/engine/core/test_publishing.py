"""What `publish` and `activity` say: only what somebody can take."""

from __future__ import annotations

from typing import Any

import pytest
from weft_engine.core.context import Context
from weft_engine.core.evolve import flat
from weft_engine.core.history import visits
from weft_engine.core.publishable import MAX_EVENT_BYTES

from tests.engine.core import conftest
from tests.engine.core.conftest import ID, Run, program_of


def publish(**with_: Any) -> dict[str, Any]:
    return {"id": "p", "type": "publish", "with": {"type": "order.paid", **with_}}


def published(input_: dict[str, Any], **with_: Any) -> Run:
    return Run(program_of([publish(**with_)])).start(input_)


def test_an_event_that_would_be_refused_fails_the_step_and_is_not_said() -> None:
    half = "x" * (MAX_EVENT_BYTES // 2)
    run = published({"half": half}, data=["{{ input.half }}", "{{ input.half }}"])
    assert (run.state.status, run.state.error and run.state.error["code"]) == ("failed", "event_too_large")
    assert "order.paid" not in run.said


@pytest.mark.parametrize(("name", "value"), [("subject", ""), ("subject", "s" * 1025), ("type", "t" * 1025), ("type", "a\nb")])
def test_an_event_whose_attribute_is_none_fails_the_step(name: str, value: str) -> None:
    run = published({"value": value}, **{name: "{{ input.value }}"})
    assert (run.state.status, run.state.error and run.state.error["code"]) == ("failed", "event_invalid")


def test_an_event_nested_deeper_than_events_may_be_fails_the_step() -> None:
    deep: Any = 1
    for _ in range(70):
        deep = [deep]
    run = published({"deep": deep}, data="{{ input.deep }}")
    assert (run.state.status, run.state.error and run.state.error["code"]) == ("failed", "event_invalid")


def test_a_type_longer_than_a_routing_key_is_said_with_a_key_that_is_cut() -> None:
    run = published({"value": "é" * 300}, type="{{ input.value }}")
    said = next(out for out in run.outgoing if out.exchange == "weft.domain")
    assert (run.state.status, said.item.type, len(said.key.encode()) in (254, 255)) == ("completed", "é" * 300, True)


@pytest.mark.parametrize(
    ("queue", "allowed"),
    [
        ("acme", True), ("acme.prices", True), ("shared", True), ("globex", False), ("globex.prices", False), ("acmes", False),
        ("default", False),
    ],
)  # fmt: skip
def test_activities_of_a_tenant_whose_queues_are_listed_go_to_those_and_its_own_alone(
    monkeypatch: pytest.MonkeyPatch, queue: str, allowed: bool
) -> None:
    settings = {"activity_queues": ["shared"]}
    monkeypatch.setattr(conftest, "CONTEXT", Context({"id": "acme", "tier": "standard", "settings": settings}))
    node = {"id": "a", "type": "activity", "with": {"name": "n", "queue": "{{ input.queue }}"}}
    run = Run(program_of([node])).start({"queue": queue})
    asked = [out.key for out in run.outgoing if out.exchange == "weft.work"]
    error = (run.state.error or {}).get("code")
    assert (asked, error) == (([f"work.{queue}"], None) if allowed else ([], "queue_not_allowed"))


@pytest.mark.parametrize(
    ("queue", "settings", "shared", "allowed"),
    [
        ("acme", {}, None, True), ("acme.prices", {}, None, True), ("default", {}, None, True), ("prices", {}, None, True),
        ("globexes", {}, None, True), ("globex", {}, None, False), ("globex.prices", {}, None, False),
        ("globex.ocr", {"activity_queues": ["globex.ocr"]}, None, True), ("globex", {"activity_queues": ["globex.ocr"]}, None, False),
        ("ocr", {}, ["default", "ocr"], True), ("prices", {}, ["default", "ocr"], False), ("acme.prices", {}, [], True),
        ("globex", {}, ["globex"], False), ("prices", {"activity_queues": ["prices"]}, [], True),
    ],
)  # fmt: skip
def test_an_activity_goes_to_its_tenants_own_queues_and_to_pools_and_not_to_those_of_another_tenant(
    monkeypatch: pytest.MonkeyPatch, queue: str, settings: dict[str, Any], shared: list[str] | None, allowed: bool
) -> None:
    tenant = {"id": "acme", "tier": "standard", "settings": settings}
    monkeypatch.setattr(conftest, "CONTEXT", Context(tenant, tenants={"acme", "globex"}, shared_queues=shared))
    node = {"id": "a", "type": "activity", "with": {"name": "n", "queue": "{{ input.queue }}"}}
    run = Run(program_of([node])).start({"queue": queue})
    asked = [out.key for out in run.outgoing if out.exchange == "weft.work"]
    error = run.state.error or {}
    assert (asked, error.get("code")) == (([f"work.{queue}"], None) if allowed else ([], "queue_not_allowed"))
    assert allowed or error["details"] == {"queue": queue}


@pytest.mark.parametrize("queue", ["q" * 101, "a b", "é", ""])
def test_a_queue_that_cannot_be_called_so_fails_the_step(queue: str) -> None:
    node = {"id": "a", "type": "activity", "with": {"name": "n", "queue": "{{ input.queue }}"}}
    run = Run(program_of([node])).start({"queue": queue})
    assert (run.state.status, run.state.error and run.state.error["code"]) == ("failed", "expression_value")


def test_a_step_shows_what_its_event_its_items_and_what_it_called_for_were() -> None:
    said = {"id": "say", "type": "publish", "with": {"type": "a.b", "data": {"n": "{{ item }}"}}}
    call = {"id": "call", "type": "call", "with": {"workflow": "other", "input": {"n": "{{ item }}"}, "wait": False}}
    each = {"id": "each", "type": "foreach", "with": {"items": "{{ input.list }}", "body": {"nodes": [said, call]}}}
    run = Run(program_of([each])).start({"list": [7]})
    shown = {visit.node: visit.input for visit in visits(ID, flat(run.rows))}
    assert shown == {"each": {"items": [7]}, "say": {"type": "a.b", "data": {"n": 7}}, "call": {"n": 7}}
