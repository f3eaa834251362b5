"""What counts as breaking a word, case by case, and as a property: what fitted the old schema fits an unbroken new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from weft_contracts.compatibility import breaking_changes

from tests.support.examples import many

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
OPTIONAL_TEXT: Schema = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}


def word(required: tuple[str, ...] = (), **fields: Schema) -> Schema:
    return {"type": "object", "properties": fields, "required": list(required)}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (word(a=TEXT), word(), ["a: field removed"]),
        (word(a=TEXT), word(("a",), a=TEXT), ["a: field made required"]),
        (word(), word(("a",), a=TEXT), ["a: new field is required"]),
        (word(a={"type": "number"}), word(a={"type": "integer"}), ["a: type narrowed, number is not accepted any more"]),
        (word(a=TEXT), word(a={"type": "integer"}), ["a: type narrowed, string is not accepted any more"]),
        (word(a={}), word(a=TEXT), ["a: type narrowed, array/boolean/integer/null/number/object is not accepted any more"]),
        (word(a=OPTIONAL_TEXT), word(a=TEXT), ["a: null is not accepted any more"]),
        (word(a={"enum": ["x", "y"]}), word(a={"enum": ["x"]}), ["a: value 'y' is not accepted any more"]),
        (word(a={"enum": ["x", "y"]}), word(a={"const": "x"}), ["a: value 'y' is not accepted any more"]),
        (word(a=TEXT), word(a={"enum": ["x"]}), ["a: only ['x'] is accepted now"]),
        (word(a={"type": "integer"}), word(a={"type": "integer", "minimum": 1}), ["a: minimum tightened from none to 1"]),
        (
            word(a={"type": "integer", "maximum": 9}),
            word(a={"type": "integer", "maximum": 8}),
            ["a: maximum tightened from 9 to 8"],
        ),
        (word(a=TEXT), word(a={**TEXT, "format": "uuid"}), ["a: format is now 'uuid'"]),
        ({"type": "object", "additionalProperties": TEXT}, word(a={"const": "x"}), ["a: only ['x'] is accepted now"]),
        (word(a={**TEXT, "pattern": "a"}), word(a={**TEXT, "pattern": "b"}), ["a: pattern is now 'b'"]),
        (
            word(a={"type": "array", "items": {"type": "number"}}),
            word(a={"type": "array", "items": {"type": "integer"}}),
            ["a.[]: type narrowed, number is not accepted any more"],
        ),
        (
            word(a={"type": "object"}),
            word(a={"type": "object", "additionalProperties": TEXT}),
            ["a.*: type narrowed, array/boolean/integer/null/number/object is not accepted any more"],
        ),
        (word(a=TEXT), {**word(a=TEXT), "additionalProperties": False}, ["*: accepts nothing any more"]),
        (word(a={**TEXT, "default": "x"}), word(a={**TEXT, "default": "y"}), ["a: default changed from 'x' to 'y'"]),
        (word(a=word(b=TEXT)), word(a=word()), ["a.b: field removed"]),
    ],
)
def test_a_change_that_breaks_is_named_with_its_place(old: Schema, new: Schema, says: list[str]) -> None:
    assert breaking_changes(old, new) == says


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (word(a=TEXT), word(a=TEXT, b=TEXT)),
        (word(("a",), a=TEXT), word(a=TEXT)),
        (word(a={"type": "integer"}), word(a={"type": "number"})),
        (word(a=TEXT), word(a=OPTIONAL_TEXT)),
        (word(a=TEXT), word(a={})),
        (word(a={"const": "x"}), word(a={"enum": ["x", "y"]})),
        (word(a={"enum": ["x", "y"]}), word(a=TEXT)),
        (word(a={"type": "integer", "minimum": 1}), word(a={"type": "integer", "minimum": 0})),
        (word(a={"type": "integer", "maximum": 1}), word(a={"type": "integer"})),
        (word(a={**TEXT, "format": "uuid"}), word(a=TEXT)),
        (word(a={**TEXT, "title": "A", "description": "one"}), word(a={**TEXT, "description": "another"})),
        ({**word(a=TEXT), "additionalProperties": False}, word(a=TEXT)),
    ],
)
def test_a_change_that_widens_breaks_nobody(old: Schema, new: Schema) -> None:
    assert breaking_changes(old, new) == []


def test_definitions_are_followed_on_both_sides() -> None:
    old = {**word(a={"$ref": "#/$defs/Inner"}), "$defs": {"Inner": word(b=TEXT)}}
    new = {**word(a={"$ref": "#/$defs/Renamed", "description": "moved"}), "$defs": {"Renamed": word(("b",), b=TEXT)}}

    assert breaking_changes(old, old) == []
    assert breaking_changes(old, new) == ["a.b: field made required"]


def test_a_schema_that_refers_to_itself_comes_to_an_end() -> None:
    tree = {**word(root={"$ref": "#/$defs/Node"}), "$defs": {"Node": word(left={"$ref": "#/$defs/Node"}, value=TEXT)}}
    pruned = {**tree, "$defs": {"Node": word(left={"$ref": "#/$defs/Node"})}}

    assert breaking_changes(tree, tree) == []
    assert breaking_changes(tree, pruned) == ["root.value: field removed"]


def test_a_schema_that_may_refer_to_itself_comes_to_an_end() -> None:
    maybe = {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}
    tree = {**word(root=maybe), "$defs": {"Node": word(left=maybe, value=TEXT)}}
    pruned = {**tree, "$defs": {"Node": word(left=maybe)}}

    assert breaking_changes(tree, tree) == []
    assert breaking_changes(tree, pruned) == ["root.value: field removed"]


def test_an_unknown_constraint_counts_as_breaking() -> None:
    assert breaking_changes(word(a=TEXT), word(a={**TEXT, "contentEncoding": "base64"})) == ["a: contentEncoding is now 'base64'"]


NAMES = st.sampled_from(["a", "b", "c"])
BOUND = st.integers(0, 3)
VALUES = st.sampled_from(["x", "y", "", 0, 1, 2, None, True])
LEAVES = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["string", "integer", "number", "boolean", "null"])}),
    st.fixed_dictionaries({"type": st.just("integer")}, optional={"minimum": BOUND, "maximum": BOUND}),
    st.fixed_dictionaries({"type": st.just("string")}, optional={"minLength": BOUND, "maxLength": BOUND}),
    st.fixed_dictionaries({"enum": st.lists(VALUES, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"const": VALUES}),
    st.just({}),
)


def grown(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    fields = st.dictionaries(NAMES, inner, max_size=3)
    objects = st.builds(
        lambda properties, wanted: {"type": "object", "properties": properties, "required": sorted(properties.keys() & wanted)},
        fields,
        st.sets(NAMES),
    )
    maps = st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": inner})
    arrays = st.fixed_dictionaries({"type": st.just("array")}, optional={"items": inner, "minItems": BOUND, "maxItems": BOUND})
    choices = st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)})
    return objects | maps | arrays | choices


SCHEMAS = st.recursive(LEAVES, grown, max_leaves=5)
INSTANCES = st.recursive(
    VALUES | st.floats(-2, 4), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=5
)


def fitting(schema: Schema) -> st.SearchStrategy[Any]:
    """Values likely to fit a schema, so that the property below is not true of nothing."""
    if "anyOf" in schema:
        return st.one_of([fitting(branch) for branch in schema["anyOf"]])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    match schema.get("type"):
        case "object" if "properties" in schema:
            needed = {name: fitting(schema["properties"][name]) for name in schema["required"]}
            return st.fixed_dictionaries(
                needed, optional={name: fitting(field) for name, field in schema["properties"].items() if name not in needed}
            )
        case "object":
            return st.dictionaries(NAMES, fitting(schema.get("additionalProperties", {})), max_size=3)
        case "array":
            return st.lists(fitting(schema.get("items", {})), max_size=4)
        case "integer":
            return st.integers(-1, 4)
        case "string":
            return st.text("xy", max_size=4)
    return INSTANCES


def only_known_fields(schema: Schema, value: Any) -> bool:
    """Whether every field of the value is one its schema names: a writer says nothing its word does not have."""
    if "anyOf" in schema:
        fitting = [branch for branch in schema["anyOf"] if Draft202012Validator(branch).is_valid(value)]
        return any(only_known_fields(branch, value) for branch in fitting)
    if isinstance(value, dict) and "properties" in schema:
        return all(name in schema["properties"] and only_known_fields(schema["properties"][name], field) for name, field in value.items())
    if isinstance(value, dict) and "additionalProperties" in schema:
        return all(only_known_fields(schema["additionalProperties"], field) for field in value.values())
    if isinstance(value, list) and "items" in schema:
        return all(only_known_fields(schema["items"], item) for item in value)
    return True


@st.composite
def edited(draw: Callable[[st.SearchStrategy[Any]], Any], schema: Schema) -> Schema:
    """The schema with one keyword dropped, added or changed somewhere in it: a change as people make them."""
    fields = schema.get("properties", {})
    if fields and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(fields)))
        return {**schema, "properties": {**fields, name: draw(edited(fields[name]))}}
    for keyword in ("items", "additionalProperties"):
        if keyword in schema and draw(st.booleans()):
            return {**schema, keyword: draw(edited(schema[keyword]))}
    if schema and draw(st.booleans()):
        gone = draw(st.sampled_from(sorted(schema)))
        return {key: value for key, value in schema.items() if key != gone}
    edits = EDITS.get(str(schema.get("type")), ANY_EDITS)
    edited_here = [{**schema, **extra} for extra in edits]
    changed: Schema = draw(st.sampled_from(edited_here) | st.just({"anyOf": [schema, {"type": "null"}]}) | SCHEMAS)
    return changed


def bounds(*keywords: str) -> list[Schema]:
    return [{keyword: bound} for keyword in keywords for bound in (0, 1, 2)]


ANY_EDITS: list[Schema] = [{"enum": ["x"]}, {"enum": [None, 1]}, {"const": 1}, {"type": "string"}, {"type": "integer"}]
EDITS: dict[str, list[Schema]] = {
    "integer": [*bounds("minimum", "maximum"), {"type": "number"}, {"enum": [0, 1]}, {"multipleOf": 2}],
    "number": [*bounds("minimum", "maximum"), {"type": "integer"}],
    "string": [*bounds("minLength", "maxLength"), {"enum": ["x", "y"]}, {"const": "x"}, {"pattern": "^x"}],
    "array": [*bounds("minItems", "maxItems"), {"items": {"type": "integer"}}, {"uniqueItems": True}],
    "object": [
        *({"required": list(names)} for names in ([], ["a"], ["a", "b"])),
        *({"additionalProperties": more} for more in (False, {"type": "string"})),
        {"minProperties": 1},
    ],
}


@many(600)
@given(data=st.data())
def test_what_fitted_the_old_schema_fits_a_new_one_that_breaks_nothing(data: st.DataObject) -> None:
    old = data.draw(SCHEMAS)
    new = data.draw(edited(old))
    value = data.draw(st.one_of(INSTANCES, fitting(old)))
    if breaking_changes(old, new) == [] and Draft202012Validator(old).is_valid(value) and only_known_fields(old, value):
        assert Draft202012Validator(new).is_valid(value)


@given(schema=SCHEMAS)
def test_a_schema_does_not_break_itself(schema: Schema) -> None:
    assert breaking_changes(schema, schema) == []


@given(old=SCHEMAS, dropped=NAMES)
def test_removing_a_field_is_always_a_break(old: Schema, dropped: str) -> None:
    before = {"type": "object", "properties": {dropped: old}}

    assert f"{dropped}: field removed" in breaking_changes(before, word())
