"""Conditions as data: each operator means, and compiles to, CEL."""

from datetime import UTC, datetime
from typing import Any

import pytest
from weft_language.expressions import ExpressionError, compile_conditions

NAMES: dict[str, Any] = {
    "trigger": {
        "payload": {
            "amount": 1500,
            "status": "open",
            "tags": ["red", "blue"],
            "empty": "",
            "nothing": None,
            "due": "2026-11-21T09:00:00Z",
            "old": {"status": "new", "owner": "ann"},
            "new": {"status": "open", "owner": "ann", "total": 5},
        }
    },
    "vars": {"limit": 1000, "word": "pe"},
    "now": datetime(2026, 11, 20, 9, tzinfo=UTC),
}


def holds(data: Any) -> bool:
    return bool(compile_conditions(data).test(NAMES))


@pytest.mark.parametrize(
    ("left", "op", "right", "expected"),
    [
        ("amount", "eq", 1500, True),
        ("amount", "eq", 1500.0, True),
        ("amount", "ne", 1500, False),
        ("amount", "lt", 2000, True),
        ("amount", "lte", 1500, True),
        ("amount", "gt", "{{ vars.limit }}", True),
        ("amount", "gte", 1501, False),
        ("status", "in", ["open", "closed"], True),
        ("status", "not_in", ["open", "closed"], False),
        ("status", "contains", "pe", True),
        ("status", "contains", "{{ vars.word }}", True),
        ("tags", "contains", "red", True),
        ("tags", "not_contains", "green", True),
        ("status", "starts_with", "o{{ vars.word }}", True),
        ("status", "ends_with", "n", True),
        ("status", "matches", "^o.*n$", True),
        ("status", "exists", None, True),
        ("gone", "exists", None, False),
        ("gone", "not_exists", None, True),
        ("gone", "is_empty", None, True),
        ("empty", "is_empty", None, True),
        ("nothing", "is_empty", None, True),
        ("tags", "is_not_empty", None, True),
        ("amount", "between", [1000, "{{ vars.limit * 2 }}"], True),
        ("amount", "between", [0, 10], False),
        ("due", "after", "2026-11-20", True),
        ("due", "before", "{{ now }}", False),
        ("due", "within", "2d", True),
        ("due", "within", "PT1H", False),
    ],
)
def test_an_operator_compares(left: str, op: str, right: Any, expected: bool) -> None:
    condition = {"left": f"trigger.payload.{left}", "op": op, "right": right}
    if right is None:
        del condition["right"]
    assert holds(condition) is expected
    assert holds({"none": [condition]}) is not expected


@pytest.mark.parametrize("prefix", ["", "trigger.payload.", "trigger.payload.new."])
@pytest.mark.parametrize(
    ("left", "op", "right", "expected"),
    [
        ("status", "changed", None, True),
        ("owner", "changed", None, False),
        ("total", "changed", None, True),
        ("status", "changed_to", "open", True),
        ("status", "changed_from", "new", True),
        ("status", "changed_from", "open", False),
        ("owner", "changed_to", "ann", False),
    ],
)
def test_changes_compare_the_row_before_with_the_row_after(prefix: str, left: str, op: str, right: Any, expected: bool) -> None:
    assert holds({"left": prefix + left, "op": op, "right": right}) is expected


def test_groups_nest_and_say_what_they_mean_in_cel() -> None:
    conditions = {
        "all": [
            {"left": "trigger.payload.amount", "op": "gt", "right": 1000},
            {"any": [{"left": "vars.limit", "op": "eq", "right": 1}, {"left": "{{ vars.word }}", "op": "eq", "right": 'p"e'}]},
        ]
    }
    expression = compile_conditions(conditions)
    assert expression.text == '(trigger.payload.amount > 1000) && ((vars.limit == 1) || (vars.word == "p\\"e"))'
    assert expression.test(NAMES) is False


def test_an_empty_group_is_what_its_word_says() -> None:
    assert (holds({"all": []}), holds({"any": []}), holds({"none": []}), holds([])) == (True, False, True, True)


def test_what_a_builder_keeps_beside_conditions_is_ignored() -> None:
    row = {"left": "trigger.payload.amount", "op": "gt", "right": 1, "x-ui": {"row": 1}}
    assert compile_conditions({"all": [row], "x-note": "large ones"}).text == "(trigger.payload.amount > 1)"


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"all": [{"left": "a.b", "op": "like", "right": 1}]}, "/all/0/op"),
        ({"all": [{"left": "a.", "op": "eq", "right": 1}]}, "/all/0/left"),
        ({"any": [{"left": "a.b", "op": "eq"}]}, "/any/0"),
        ({"any": [{"left": "a.b", "op": "exists", "right": 1}]}, "/any/0/right"),
        ({"any": [{"left": "size(a.b)", "op": "exists"}]}, "/any/0/left"),
        ({"any": {"left": "a.b"}}, "/any"),
        ({"any": [], "all": []}, ""),
        ({"left": "a.b", "op": "between", "right": [1]}, "/right"),
        ({"left": "a.b", "op": "eq", "right": "{{ 1 + }}"}, "/right"),
        ({"left": "a.b + 1", "op": "changed"}, "/left"),
        ({"left": "a.b", "op": "eq", "right": 1, "not": True}, ""),
        ("a.b == 1", ""),
        (None, ""),
    ],
)
def test_a_condition_that_is_none_tells_where(data: Any, pointer: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_conditions(data)
    assert (caught.value.code, caught.value.pointer) == ("expression_syntax", pointer)
