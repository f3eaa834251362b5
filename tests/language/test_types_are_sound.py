"""What the verifier knows of values and expressions before anything runs is true of every one that comes."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weft_language.expressions import Expression, ExpressionError, compile_expression, to_json
from weft_language.expressions.functions import GLOBALS, METHODS
from weft_language.expressions.values import TYPES, CelType, Uint
from weft_language.validation.constants import Constants
from weft_language.validation.reads import sure_reads
from weft_language.validation.types import ANY, Inference, Type
from weft_language.validation.types.environment import as_json
from weft_language.validation.types.from_schema import Schemas
from weft_language.validation.types.kinds import either, of_value
from weft_language.validation.types.operators import kind_of

from tests.language.expressions.generating import EXPRESSIONS, NAMES
from tests.support.examples import many

KINDS: dict[type, str] = {
    bool: "bool", int: "int", Uint: "uint", float: "double", str: "text", bytes: "bytes", list: "list", dict: "map",
    type(None): "null", CelType: "type", timedelta: "duration", datetime: "time",
}  # fmt: skip


def fits(value: Any, known: Type) -> bool:
    """Whether a value is one of those that a type allows."""
    kind = KINDS.get(type(value), "time" if isinstance(value, datetime) else "map")
    if kind not in known.kinds:
        return False
    if kind == "text":
        return known.values is None or value in known.values
    if kind == "list":
        return known.items is None or all(fits(item, known.items) for item in value)
    if kind == "map":
        return all(fits(item, known.members[name]) if name in known.members else not known.closed for name, item in value.items())
    return True


def compiled(text: str) -> Expression | None:
    try:
        return compile_expression(text)
    except ExpressionError:
        return None


@given(EXPRESSIONS, NAMES, st.sets(st.sampled_from("abc")))
@many(300)
def test_what_evaluates_has_no_certain_fault_and_the_type_that_was_told(text: str, names: dict[str, Any], hidden: set[str]) -> None:
    expression = compiled(text)
    if expression is None:
        return
    types = {name: of_value(value) for name, value in names.items() if name not in hidden}
    inferred = Inference(expression, lambda name: types.get(name, ANY))
    try:
        value = expression.evaluate(names)
    except ExpressionError:
        return
    assert [fault for fault in inferred.faults if fault.certain] == []
    assert fits(value, inferred.type), (value, inferred.type)
    try:
        kept = to_json(value)
    except ExpressionError:
        return
    assert fits(kept, as_json(inferred.type)), (kept, inferred.type)


@given(EXPRESSIONS, EXPRESSIONS, st.sampled_from(["==", "!=", "in"]), NAMES)
@settings(max_examples=150)
def test_what_is_told_to_be_never_equal_never_is(left: str, right: str, operator: str, names: dict[str, Any]) -> None:
    expression = compiled(f"({left}) {operator} ({right})")
    if expression is None:
        return
    found = Inference(expression, lambda name: of_value(names[name]) if name in names else ANY)
    told = [fault for fault in found.faults if fault.kind == "equality" and fault.message.startswith(f"`({left}) {operator} ({right})`")]
    if told and "..." not in told[0].message:
        try:
            assert expression.evaluate(names) is (operator == "!=")
        except ExpressionError:
            return


@given(EXPRESSIONS, NAMES)
@settings(max_examples=150)
def test_what_is_surely_read_is_there_whenever_an_expression_evaluates(text: str, names: dict[str, Any]) -> None:
    expression = compiled(text)
    if expression is None:
        return
    try:
        expression.evaluate(names)
    except ExpressionError:
        return
    for path in sure_reads(expression):
        assert path[0] in names, (text, path)


@given(EXPRESSIONS, NAMES)
@settings(max_examples=150)
def test_a_condition_that_never_changes_is_what_it_was_told_to_be(text: str, names: dict[str, Any]) -> None:
    expression = compiled(text)
    always = None if expression is None else Constants().truth(expression.text, expression.tree)
    if expression is not None and always is not None:
        assert expression.evaluate(names) is always


SMALL = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0]) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)
NAMES_OF_TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": NAMES_OF_TYPES | st.lists(NAMES_OF_TYPES, min_size=1, max_size=3, unique=True),
            "enum": st.lists(SMALL, min_size=1, max_size=3),
            "const": SMALL,
            "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
            "additionalProperties": st.booleans() | inner,
            "patternProperties": st.just({"^a": True}),
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "$ref": st.just("#/$defs/d"),
        },
    )


SCHEMAS: st.SearchStrategy[Any] = st.recursive(st.booleans() | st.just({}), _schemas, max_leaves=6)


@given(SCHEMAS, st.sampled_from([True, {"type": "object"}, {"type": "integer"}]), st.lists(SMALL, max_size=12))
@many(300)
def test_a_value_that_fits_a_schema_fits_the_type_that_was_read_from_it(schema: Any, referred: Any, values: list[Any]) -> None:
    whole = {**schema, "$defs": {"d": referred}} if isinstance(schema, dict) else schema
    check, known = jsonschema_rs.Draft202012Validator(whole), Schemas().type_of(whole)
    for value in values:
        if check.is_valid(value):
            assert fits(value, known), (value, known)


@given(SMALL, SMALL)
def test_a_value_fits_its_own_type_and_any_that_may_be_it(one: Any, other: Any) -> None:
    assert fits(one, of_value(one))
    together = either(of_value(one), of_value(other))
    assert fits(one, together)
    assert fits(other, together)


SAMPLES: list[Any] = [
    None, True, 1, 0, Uint(2), 1.5, "a", "2026-03-01", b"x", [1], ["a", "b"], [], {"a": 1}, datetime(2026, 3, 1, tzinfo=UTC),
    timedelta(hours=1), TYPES["int"],
]  # fmt: skip


def known_as(value: Any) -> Type:
    return of_value(value) if type(value) in (type(None), bool, int, float, str, list, dict) else Type(kind_of(value))


def judge(text: str, *values: Any) -> None:
    names = dict(zip("xyz", values, strict=False))
    expression = compile_expression(text)
    inferred = Inference(expression, lambda name: known_as(names[name]))
    try:
        value = expression.evaluate(names)
    except ExpressionError:
        return
    assert [fault for fault in inferred.faults if fault.certain] == [], (text, names)
    assert fits(value, inferred.type), (text, names, inferred.type)


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||"])
def test_an_operator_is_judged_rightly_on_every_pair_of_kinds(operator: str) -> None:
    for left, right in product(SAMPLES, repeat=2):
        judge(f"x {operator} y", left, right)


@pytest.mark.parametrize(
    "text",
    [
        "!x", "-x", "x.a", "x[0]", "x['a']", "x ? 1 : 'a'", "[x, 1]", "{'k': x}", "has(x.a)", "default(x.a, 1)", "x.map(v, v)",
        "x.all(v, v)", "x.filter(v, true)", "x.map(v, true, [v])", "x.exists(i, v, i == v)", "x.sortBy(v, v)",
        "x.transformList(i, v, [i, v])", "x.transformMap(i, v, v)", "x.filter(v, v == 'a')",
    ],
)  # fmt: skip
def test_a_form_of_expression_is_judged_rightly_on_every_kind(text: str) -> None:
    for value in SAMPLES:
        judge(text, value)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_function_is_judged_rightly_on_every_kind(count: int) -> None:
    samples = SAMPLES if count < 3 else [1, "a", [1], datetime(2026, 3, 1, tzinfo=UTC), timedelta(hours=1), {}]
    arguments = ", ".join("xyz"[:count])
    texts = [f"{name}({arguments})" for name in GLOBALS] + [f"x.{name}({', '.join('yz'[: count - 1])})" for name in METHODS]
    for text in texts:
        if compiled(text) is not None:
            for values in product(samples, repeat=count):
                judge(text, *values)
