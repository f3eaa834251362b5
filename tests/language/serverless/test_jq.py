"""jq says in CEL what it said, or that it cannot be said."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_language.expressions import compile_expression
from weft_language.serverless.jq import to_cel
from weft_language.serverless.terms import NotTranslated, View

from tests.support.examples import many

SEEN = View(
    "input",
    {
        "context": "vars",
        "item": "item",
        "error": ("step.a.error", {"status": "step.a.error.details.status"}),
        "workflow": {"definition": {"document": {"name": "'demo'"}}},
    },
)
NAMES = {"input": {"n": 3, "items": [{"q": 1}, {"q": 5}], "text": "Ab", "a-b": 1, "in": 2}, "vars": {"x": 1}, "item": 7}


@pytest.mark.parametrize(
    ("jq", "value"),
    [
        (".n", 3),
        (". | length", 5),
        (".items | length", 2),
        (".missing | length", 0),
        ('.missing + ["red"]', ["red"]),
        ('.missing == "red"', False),
        (".missing != null", False),
        (".missing // 4", 4),
        (".n // 4", 3),
        (".missing?", None),
        ('."a-b" + .["in"]', 3),
        (".in", 2),
        (".n / 2", 1.5),
        (".n * 2 - 1", 5),
        ("-.n", -3),
        (".n > 2 and (.n < 3 or .missing)", False),
        (".missing | not", True),
        ('"\\(.text)-\\(.n)!"', "Ab-3!"),
        ('"caf\\u00e9 \\ud83d\\ude00 \\"x\\""', 'café 😀 "x"'),
        (".items[1].q", 5),
        (".items | map(.q)", [1, 5]),
        (".items | map(select(.q > 1))", [{"q": 5}]),
        (".items | any(.q == 5)", True),
        (".items | map(.q) | add", 6),
        ("{n, $item, a: .text, \"b c\": [1, .missing]}", {"n": 3, "item": 7, "a": "Ab", "b c": [1, None]}),
        ("{(.text): 1}", {"Ab": 1}),
        ('.text | ascii_downcase | startswith("a")', True),
        ('has("n")', True),
        ("if .n > 5 then 1 elif .n > 2 then 2 else 3 end", 2),
        ("$context.x + $item # and no more", 8),
        ("$workflow.definition.document.name", "demo"),
        ("[.n, null, true]", [3, None, True]),
    ],
)  # fmt: skip
def test_an_expression_means_what_it_meant(jq: str, value: Any) -> None:
    assert compile_expression(to_cel(jq, SEEN)).evaluate_json(NAMES) == value


def test_an_error_is_read_by_the_names_it_has_here() -> None:
    assert to_cel("$error.status", SEEN) == "step.a.error.details.status"
    assert to_cel("$error", SEEN) == "step.a.error"
    with pytest.raises(NotTranslated, match=r"step\.a\.error\.instance is not known"):
        to_cel("$error.instance", SEEN)


@pytest.mark.parametrize(
    ("jq", "why"),
    [
        (". + {a: 1}", "not merged"),
        ("..", "has no equal"),
        (".items[]", "several values"),
        (".items[-1]", "counted from the end"),
        ("$unknown", "not known here"),
        ("limit(1; .a)", "limit has no equal"),
        (".a |", "missing at its end"),
        (".a )", "not expected here"),
        ('"abc', "no end"),
        (".a = 1", "cannot be read"),
        ("(" * 50 + ".a" + ")" * 50, "nested"),
        ("." + "a" * 5000, "longer than"),
        (".a" + " | (. + .)" * 300, "longer than"),
        ("-" * 3000 + "1", "nested"),
        ("1" + " // 1" * 1500, "nested|longer"),
    ],
)
def test_what_cannot_be_said_is_named(jq: str, why: str) -> None:
    with pytest.raises(NotTranslated, match=why):
        to_cel(jq, SEEN)


@many(450)
@given(
    st.lists(st.sampled_from([*'.$|,()[]{}:?<>+*/%"-=!\\ abn01', "map(", "item", " and ", "not", "//", "select(", ".items"]), max_size=25)
)
def test_whatever_is_written_becomes_cel_that_can_be_read_or_is_refused(parts: list[str]) -> None:
    try:
        cel = to_cel("".join(parts), SEEN)
    except NotTranslated:
        return
    compile_expression(cel)
