"""What definitions asks the engine: simulations, answered by a word; nothing is kept of them."""

from __future__ import annotations

from typing import Any

import pytest
from weft_contracts.questions import DefinitionSimulated, SimulateDefinition
from weft_engine.simulating import answering
from weft_language.rules import RuleFields, compile_rule
from weft_runtime.clock import new_id
from weft_runtime.testing import said, tell

from tests.services.engine.conftest import Engine

RULE: dict[str, Any] = {
    "name": "Approved orders",
    "trigger": {"entity_type": "orders", "operation": "update", "field_conditions": {"status": {"changed_to": "approved"}}},
    "actions": [
        {"action_type": "webhook", "action_config": {"url": "https://crm.example/hook", "body": {"order": "{{ record.id }}"}}},
        {
            "action_type": "email",
            "action_config": {"connection": "mail", "to": "{{ record.mail }}", "subject": "Order {{ record.id }}", "text": "Hello"},
        },
    ],
}
OLD, NEW = {"id": 7, "status": "open"}, {"id": 7, "status": "approved", "mail": "z@b.example"}


def change(**data: Any) -> dict[str, Any]:
    """A change of an order, as the log has it."""
    told = {"table": "orders", "operation": "update", "key": {"id": 7}, "record": NEW, "old": OLD, "new": NEW, "changed": ["status"]}
    return {"id": "c1", "source": "weft/records/shop", "type": "record.orders.update", "specversion": "1.0", "data": told | data}


async def answer(engine: Engine, event: dict[str, Any], definition: dict[str, Any] | None = None) -> DefinitionSimulated:
    """What the engine says to a question."""
    document = compile_rule("approved", RuleFields.model_validate(RULE)) if definition is None else definition
    asked = SimulateDefinition(question_id=new_id(), definition=document, event=event)
    await tell(engine.service, asked, tenant=engine.tenant)
    (found,) = (one for one in said(engine.service, DefinitionSimulated) if one.question_id == asked.question_id)
    return found


async def simulated(engine: Engine, event: dict[str, Any]) -> dict[str, Any]:
    found = await answer(engine, event)
    assert found.simulation is not None, found.problem
    return found.simulation


async def test_a_rule_is_simulated_by_a_change_of_a_row_with_what_its_actions_would_be_given(engine: Engine) -> None:
    shown = await simulated(engine, change())
    assert (shown["status"], shown["trigger"]["type"], shown["triggers"][0]["matched"]) == ("completed", "record", True)
    webhook, mail = shown["effects"]
    assert (webhook["type"], webhook["with"]["body"]) == ("http.request", {"order": 7})
    assert (mail["with"]["to"], mail["with"]["subject"]) == (["z@b.example"], "Order 7")
    assert shown["path"] == ["lines", "action_1", "action_2", "any_failed"]


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"operation": "create"}, "operation", "the trigger is for update, and this was a create"),
        ({"table": "lines"}, "event", "the trigger is for the table 'orders', the change is of 'lines'"),
        ({"old": NEW}, "condition", "its condition is false"),
    ],
)
async def test_a_change_that_is_not_for_the_rule_says_why(engine: Engine, changes: dict[str, Any], reason: str, detail: str) -> None:
    shown = await simulated(engine, change(**changes))
    (look,) = shown["triggers"]
    assert (shown["status"], look["reason"], look["detail"], shown["effects"]) == ("unmatched", reason, detail, [])


async def test_no_trigger_on_rows_hears_of_an_event_and_none_on_events_of_a_row(engine: Engine) -> None:
    shown = await simulated(engine, {**change(), "source": "/shop"})
    assert (shown["status"], shown["triggers"]) == ("unmatched", [])


async def test_what_cannot_be_simulated_is_said(engine: Engine) -> None:
    found = await answer(engine, change(), {"format": "weft/v1", "name": "n", "nodes": []})
    assert found.simulation is None
    assert found.problem is not None
    assert "/definition/nodes" in found.problem.detail


async def test_what_this_release_does_not_execute_is_said_at_both_doors(engine: Engine) -> None:
    unknown = {"format": "weft/v1", "name": "n", "nodes": [{"id": "a", "type": "moon.land", "with": {}}]}
    found = await answer(engine, change(), unknown)
    assert found.problem is not None
    assert "/definition/nodes/0/type" in found.problem.detail
    refused = await engine.client.post("/api/v1/workflows/simulate", json={"definition": unknown})
    assert (refused.status_code, [one["code"] for one in refused.json()["errors"]]) == (422, ["not_executable_yet"])


async def test_an_answer_has_a_bound(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MAX_ANSWER_BYTES", 100)
    found = await answer(engine, change())
    assert found.problem is not None
    assert found.problem.code == "simulation_too_large"
