"""Schemas that authors write are checked when saved and can neither hang nor leave the machine."""

from typing import Any

import pytest
from weft_language import InvalidSchema, SchemaCheck
from weft_language.schema_recursion import MAX_EXPANSION, width

from tests.language.build import codes, document, node, only
from tests.support.effort import computing_at_most

TREE = {
    "$defs": {"tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}, "right": {"$ref": "#/$defs/tree"}}}},
    "$ref": "#/$defs/tree",
}


def test_errors_point_at_the_member_they_mean() -> None:
    check = SchemaCheck(
        {
            "type": "object",
            "properties": {
                "amount": {"type": "number", "minimum": 1},
                "tags": {"items": {"type": "string"}},
                "a/b~c": {"type": "null"},
                "due": {},
            },
            "required": ["amount", "due"],
            "additionalProperties": False,
        }
    )
    found = check.errors({"amount": 0, "tags": ["a", 1], "a/b~c": 1, "more": 1})
    assert {(pointer, code) for pointer, code, _ in found} == {
        ("/amount", "minimum"),
        ("/tags/1", "type"),
        ("/a~1b~0c", "type"),
        ("/due", "required"),
        ("/more", "additionalProperties"),
    }
    assert check.errors({"amount": 2, "due": 1}) == []


def test_formats_are_checked() -> None:
    assert [code for _, code, _ in SchemaCheck({"format": "date-time"}).errors("tomorrow")] == ["format"]


def test_at_most_fifty_errors_are_told() -> None:
    assert len(SchemaCheck({"items": {"type": "string"}}).errors([1] * 1000)) == 50


def test_a_pattern_that_would_backtrack_for_ever_is_linear() -> None:
    check = SchemaCheck({"pattern": "^(a+)+$"})
    with computing_at_most(2):
        assert check.errors("a" * 50_000 + "!")


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ({"type": "strin"}, "schema_invalid"),
        ({"properties": []}, "schema_invalid"),
        ({"pattern": "(?=a)b"}, "schema_pattern"),
        ({"pattern": "a{1000}{1000}{1000}"}, "schema_pattern"),
        ({"$ref": "https://example.com/schema.json"}, "schema_remote_reference"),
        ({"items": {"$ref": "file:///etc/passwd"}}, "schema_remote_reference"),
        ({"$ref": "#/$defs/missing"}, "schema_reference"),
        ({"anyOf": [{"const": n} for n in range(6000)]}, "schema_too_large"),
        (
            {
                "$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(40)}
                | {"d40": {"type": "object"}},
                "$ref": "#/$defs/d0",
            },
            "schema_recursion",
        ),
        ({"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}, "required": ["z"]}, "schema_recursion"),
        ({"allOf": [{"$ref": "#"}, {"properties": {"a": {"$ref": "#"}}}]}, "schema_recursion"),
        ("text", "schema_invalid"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema: Any, code: str) -> None:
    with pytest.raises(InvalidSchema) as refused:
        SchemaCheck(schema)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "schema",
    [TREE, {"$ref": "#"}, {"items": {"$ref": "#"}}, {"properties": {"next": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}}}, True, {}],
)
def test_a_schema_may_refer_to_itself_once(schema: Any) -> None:
    nested: Any = {}
    for _ in range(100):
        nested = {"left": nested, "next": nested, "right": {}}
    with computing_at_most(1):
        assert SchemaCheck(schema).errors({"left": {"left": {}}, "next": {"next": None}}) == []


def test_the_schemas_of_a_document_are_checked_where_they_stand() -> None:
    broken = document(
        node("t", "task", due="1d", form={"type": "objct"}),
        node("s", "state", signals={"go": {"schema": {"pattern": "(?!a)"}}}),
        input={"type": "array"},
    )
    assert only(broken, "schema_invalid").pointer == "/nodes/0/with/form/type"
    assert only(broken, "schema_pattern").pointer == "/nodes/1/with/signals/go/schema/pattern"
    assert only(broken, "input_not_object").pointer == "/input/type"


def test_a_form_with_templates_is_judged_once_it_is_rendered() -> None:
    form = {"type": "object", "properties": {"n": {"type": "integer", "maximum": "{{ input.n }}"}}}
    assert codes(document(node("t", "task", due="1d", form=form)), "error") == []


ENUMS: list[dict[str, Any]] = [{"enum": [number]} for number in range(1000)]


@pytest.mark.parametrize(
    ("items", "value", "told"),
    [
        ({"type": "string"}, 1, [("/a/0", "type")]),
        ({"anyOf": ENUMS[:40]}, -1, [("/a/0", "anyOf")]),
        ({"anyOf": ENUMS}, 999, [("", "too_large")]),
        ({"oneOf": ENUMS}, -1, [("", "too_large")]),
        ({"type": "integer"}, 1, []),
    ],
)
def test_a_long_list_is_judged_in_little_time(items: Any, value: int, told: list[tuple[str, str]]) -> None:
    check = SchemaCheck({"properties": {"a": {"items": items}}})
    with computing_at_most(1):
        assert [(pointer, code) for pointer, code, _ in check.errors({"a": [value] * 200_000})] == told


@pytest.mark.parametrize(
    ("schema", "wide"),
    [
        (True, 1),
        ({"properties": {"a": {"type": "string"}, "b": {"anyOf": ENUMS[:3]}}}, 4),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}] * 3}, "b": {"anyOf": ENUMS[:3]}}}, 17),
        (TREE, 2),
        ({"items": {"$ref": "#"}, "anyOf": ENUMS[:2]}, 3),
        ({"oneOf": [{"allOf": ENUMS[:200]}] * 200}, MAX_EXPANSION),
    ],
)
def test_a_schema_knows_how_many_of_its_parts_apply_to_one_value(schema: Any, wide: int) -> None:
    assert width(schema) == wide
