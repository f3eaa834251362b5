"""Record triggers: which changes of rows they are for, and what conditions on fields mean."""

from typing import Any

import pytest
from weft_language import compile_definition, parse, publish_findings, validate
from weft_language.compilation import Rows, Trigger

from tests.language.build import document, node


def made(**fields: Any) -> dict[str, Any]:
    return document(node("a", "set", x=1), triggers=[{"on": "record", "table": "orders", **fields}])


def compiled(**fields: Any) -> Trigger:
    trigger, _ = compile_definition(parse(made(**fields)), 1).triggers
    return trigger


def holds(new: dict[str, Any] | None, old: dict[str, Any] | None = None, **fields: Any) -> bool:
    when = compiled(**fields).when
    assert when is not None
    payload = {"old": old, "new": new, "record": old if new is None else new}
    return bool(when.evaluate({"trigger": {"payload": payload}}))


def test_a_record_trigger_is_published_and_compiles_to_the_changes_it_is_for() -> None:
    assert publish_findings(parse(made())) == ()
    assert compiled().rows == Rows("orders", frozenset({"create", "update", "delete"}), frozenset())
    assert compiled(operation="update", changed=["status"]).rows == Rows("orders", frozenset({"update"}), frozenset({"status"}))
    assert compiled(operation=["create", "delete"]).rows == Rows("orders", frozenset({"create", "delete"}), frozenset())
    assert compiled().when is None


@pytest.mark.parametrize(
    ("wanted", "value", "expected"),
    [
        ("paid", "paid", True),
        ("paid", "open", False),
        ("paid", None, False),
        (None, None, True),
        (1, 1, True),
        ({"gte": 100}, 100, True),
        ({"gte": 100}, 99.5, False),
        ({"gte": 100}, None, False),
        ({"gte": 100, "lt": 200}, 250, False),
        ({"between": [1, 3]}, 2, True),
        ({"in": ["a", "b"]}, "b", True),
        ({"not_in": ["a", "b"]}, "b", False),
        ({"ne": "a"}, None, True),
        ({"starts_with": "in"}, "invoice", True),
        ({"starts_with": "in"}, None, False),
        ({"is_empty": True}, None, True),
        ({"is_not_empty": True}, "x", True),
        ({"exists": True}, None, True),
        ({"eq": {"a": 1}}, {"a": 1}, True),
        (["a"], ["a"], True),
        ({"before": "2026-01-01"}, "2025-12-31", True),
    ],
)
def test_a_condition_on_a_field_means_what_it_does_in_conditions_and_null_is_in_no_order(wanted: Any, value: Any, expected: bool) -> None:
    assert holds({"field": value}, fields={"field": wanted}) is expected


def test_what_a_field_was_and_became_is_compared_and_a_row_that_is_gone_is_as_it_was() -> None:
    paid: dict[str, Any] = {"status": {"changed_to": "paid"}}
    assert holds({"status": "paid"}, {"status": "open"}, fields=paid)
    assert not holds({"status": "paid"}, {"status": "paid"}, fields=paid)
    assert holds({"status": "paid"}, None, fields=paid)
    assert holds(None, {"status": "paid"}, fields={"status": {"changed_from": "paid"}})
    assert holds({"status": "b"}, {"status": "a"}, fields={"status": {"changed": True}})
    assert holds(None, {"status": "paid"}, fields={"status": "paid"})
    assert not holds({}, None, fields={"absent": "x"})


def test_fields_when_and_conditions_must_all_hold_and_a_name_may_be_any_text() -> None:
    given: dict[str, Any] = {
        "fields": {"Total amount": {"gt": 5}},
        "when": "trigger.payload.record.a == 1 // a comment",
        "conditions": {"any": [{"left": "trigger.payload.record.b", "op": "eq", "right": 2}]},
    }
    assert holds({"Total amount": 6, "a": 1, "b": 2}, **given)
    for wrong in ({"Total amount": 5}, {"a": 2}, {"b": 3}):
        assert not holds({"Total amount": 6, "a": 1, "b": 2} | wrong, **given)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"a": {"gtee": 1}}, "`gtee`"),
        ({"a": {}}, "empty"),
        ({"a": {"changed": 1}}, "`changed: true`"),
        ({"a b": {"changed_to": 1}}, "names are words"),
        ({'a"b': 1}, "no quotes"),
        ({"all": [{"left": "a", "op": "gt", "right": 1}]}, "in `conditions`"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_a_finding_where_it_stands(fields: dict[str, Any], names: str) -> None:
    (finding,) = validate(made(fields=fields))
    assert (finding.severity, finding.code, finding.pointer) == ("error", "field_condition", "/triggers/0/fields")
    assert names in finding.message


def test_a_template_in_a_condition_reads_what_triggers_may_read_and_nothing_else() -> None:
    assert [one.pointer for one in validate(made(fields={"a": "{{ tenant.id }}"}))] == []
    (finding,) = validate(made(fields={"a": "{{ step.a.output }}"}))
    assert (finding.severity, finding.pointer.startswith("/triggers/0/fields/a")) == ("error", True)
    (finding,) = validate(made(fields={"a": {"between": 3}}))
    assert (finding.severity, finding.pointer.startswith("/triggers/0/fields/a")) == ("error", True)
