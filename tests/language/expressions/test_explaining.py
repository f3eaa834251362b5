"""Explanations: why a condition gave what it gave."""

import json
from typing import Any

from weft_language.expressions import compile_expression

NAMES: dict[str, Any] = {"input": {"amount": 1500, "status": "open", "items": [{"p": n} for n in range(1000)]}}


def explain(text: str) -> dict[str, Any]:
    return compile_expression(text).explain(NAMES).to_dict()


def test_each_part_is_shown_with_the_value_it_saw() -> None:
    assert explain("input.amount > 1000 && (input.status == 'closed')") == {
        "expression": "input.amount > 1000 && (input.status == 'closed')",
        "value": False,
        "error": None,
        "children": [
            {
                "expression": "input.amount > 1000",
                "value": True,
                "error": None,
                "children": [{"expression": "input.amount", "value": 1500, "error": None, "children": []}],
            },
            {
                "expression": "(input.status == 'closed')",
                "value": False,
                "error": None,
                "children": [{"expression": "input.status", "value": "open", "error": None, "children": []}],
            },
        ],
    }


def test_what_was_not_needed_is_not_shown() -> None:
    shown = explain("input.amount < 0 && input.status == 'open'")
    assert [child["expression"] for child in shown["children"]] == ["input.amount < 0"]


def test_an_error_stands_where_it_happened_and_at_the_top() -> None:
    shown = explain("input.amount > 0 && input.missing == 1")
    assert shown["error"]["code"] == "expression_path"
    assert shown["children"][1]["error"] == shown["error"]
    assert shown["children"][0]["error"] is None


def test_an_explanation_stays_small_whatever_it_explains() -> None:
    shown = explain("input.items.map(i, input.items.filter(j, j.p < i.p).size() + 0).size() > 1 || size(input.items) > 10")
    assert len(json.dumps(shown)) < 100_000
    assert len(json.dumps(explain("input.items.all(i, i.p >= 0) && input.items == input.items"))) < 100_000
