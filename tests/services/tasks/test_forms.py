"""Forms checked on the server."""

from typing import Any

import pytest
from weft_tasks import forms
from weft_tasks.errors import FormInvalid, FormUnusable

from tests.support.effort import computing_at_most

SCHEMA = {
    "type": "object",
    "required": ["amount"],
    "additionalProperties": False,
    "properties": {"amount": {"type": "number", "minimum": 0}, "mail": {"format": "email"}, "a/b~c": {"type": "string"}},
}


DOUBLING: dict[str, Any] = {"a0": {"type": "integer"}} | {
    f"a{number}": {"allOf": [{"$ref": f"#/$defs/a{number - 1}"}] * 2} for number in range(1, 41)
}
"""Forty lines that are two to the fortieth checks."""


def pointers(form: Any, schema: dict[str, Any] = SCHEMA) -> list[tuple[str, str]]:
    with pytest.raises(FormInvalid) as refused:
        forms.check(schema, form)
    return sorted((detail.pointer, detail.code) for detail in refused.value.details)


def test_every_wrong_place_is_named_below_form() -> None:
    assert pointers({"amount": -1, "mail": "no", "a/b~c": 1, "more": 1}) == [
        ("/form/amount", "minimum"),
        ("/form/a~1b~0c", "type"),
        ("/form/mail", "format"),
        ("/form/more", "additionalProperties"),
    ]


def test_a_form_that_is_left_out_is_checked_as_an_empty_one() -> None:
    assert pointers(None) == [("/form/amount", "required")]


def test_without_a_schema_any_object_will_do() -> None:
    forms.check(None, {"anything": 1})
    forms.check(None, None)


def test_a_hostile_pattern_takes_linear_time() -> None:
    hostile = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    with computing_at_most(1):
        assert pointers({"a": "a" * 100_000 + "!"}, hostile) == [("/form/a", "pattern")]


def test_a_form_nested_beyond_reason_is_refused() -> None:
    form: dict[str, Any] = {}
    for _ in range(900):
        form = {"a": form}
    assert pointers(form, {"type": "object", "required": ["q"], "properties": {"a": {"$ref": "#"}}}) == [("/form", "too_deep")]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"properties": {"a": {"pattern": "(?=a)b"}}},
        {"properties": {"a": {"pattern": "a{1000000}"}}},
        {"properties": {"a": {"$ref": "#/nowhere"}}},
        {"$ref": "#/$defs/a40", "$defs": DOUBLING},
        {"$defs": {"a": {"properties": {"x": {"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}}}}, "$ref": "#/$defs/a"},
        {"enum": list(range(10_000))},
    ],
)
def test_a_schema_that_cannot_check_is_refused_and_nothing_is_fetched(schema: dict[str, Any]) -> None:
    with pytest.raises(FormUnusable):
        forms.check_schema(schema)


@pytest.mark.parametrize(
    ("items", "value", "code"),
    [
        ({"type": "string"}, 1, "type"),
        ({"anyOf": [{"enum": [number]} for number in range(1000)]}, -1, "too_large"),
        ({"anyOf": [{"enum": [number]} for number in range(40)]}, -1, "anyOf"),
    ],
)
def test_a_long_list_that_does_not_fit_is_refused_in_little_time(items: dict[str, Any], value: int, code: str) -> None:
    with computing_at_most(1):
        assert [found for _, found in pointers({"a": [value] * 200_000}, {"properties": {"a": {"items": items}}})] == [code]
