"""What others test their workflows with: whatever the outside answers, drawn from a definition."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weft_engine.core.evolve import flat, fold
from weft_engine.testing import Case, cases, simulated, values
from weft_language.json_schemas import SchemaCheck

from tests.engine.core.conftest import comparable

FORM = {"type": "object", "properties": {"n": {"type": "integer"}}}
ORDER: dict[str, Any] = {
    "format": "weft/v1",
    "slug": "order",
    "name": "Order",
    "input": {"type": "object", "properties": {"amount": {"type": "integer", "minimum": 0, "maximum": 1000}}, "required": ["amount"]},
    "nodes": [
        {"id": "stock", "type": "http.request", "with": {"url": "https://stock.example"}, "retry": {"attempts": 2}},
        {"id": "big", "type": "if", "with": {"when": "input.amount > 500"}},
        {"id": "ask", "type": "task", "with": {"title": "?", "outcomes": ["yes", "no"], "form": FORM}},
        {"id": "paid", "type": "state", "with": {"signals": {"paid": {"schema": {"type": "object"}}}, "after": {"late": "2d"}}},
        {"id": "sorry", "type": "set", "with": {"sorry": True}},
    ],
    "edges": [
        {"from": "stock", "to": "big"},
        {"from": "stock", "to": "sorry", "on": "error"},
        {"from": "big", "to": "ask", "on": "true"},
        {"from": "big", "to": "paid", "on": "false"},
        {"from": "ask", "to": "paid", "on": "yes"},
        {"from": "ask", "to": "stock", "on": "no"},
    ],
}


@given(cases(ORDER))
@settings(max_examples=60)
def test_whatever_is_answered_the_journal_tells_the_state(case: Case) -> None:
    made = simulated(ORDER, case)
    assert comparable(fold(made.state.id, made.rows)) == comparable(made.state)
    if not made.state.ended:
        assert [(one.node, one.kind) for one in made.state.pending.values()] == [("ask", "task")] or made.findings
    positions = [row.position for row in made.rows]
    assert positions == sorted(positions)
    assert sum(len(row.entries) for row in made.rows) == len(flat(made.rows))


@pytest.mark.parametrize("wanted", [{"big", "ask", "paid"}, {"sorry"}, {"stock", "big", "paid"}])
def test_cases_reach_every_way_of_a_definition(wanted: set[str]) -> None:
    reached: list[set[str]] = []

    @given(cases(ORDER))
    @settings(max_examples=200, database=None, derandomize=True)
    def look(case: Case) -> None:
        reached.append(set(simulated(ORDER, case).state.steps))

    look()
    assert any(wanted <= one for one in reached)


SCHEMAS: list[Any] = [
    {
        "type": "object",
        "properties": {"a": {"type": "string", "minLength": 2, "maxLength": 3}},
        "required": ["a"],
        "additionalProperties": False,
    },
    {"type": "array", "items": {"type": "integer", "minimum": 3, "maximum": 9, "multipleOf": 3}, "minItems": 1, "uniqueItems": True},
    {"type": ["number", "null"], "minimum": 0.5, "maximum": 2},
    {"enum": ["x", 2, None]},
    {"const": {"deep": [1]}},
    {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "boolean"}]},
    {"type": "string", "pattern": "^[a-c]{2,4}$"},
    {"type": "string", "format": "email"},
    {"properties": {"b": {}}, "required": ["b"], "type": "object"},
    True,
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
@given(data=st.data())
@settings(max_examples=15)
def test_values_fit_their_schema(schema: Any, data: st.DataObject) -> None:
    assert SchemaCheck(schema).errors(data.draw(values(schema))) == []
