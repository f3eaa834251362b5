"""Bounds: whatever an author writes ends soon, with an error that names the bound."""

from typing import Any

import pytest
from weft_language.expressions import ExpressionError, compile_expression, compile_template


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


NAMES: dict[str, Any] = {
    "s": "x" * 200_000,
    "t": "x" * 200_000 + "y",
    "l": list(range(10_000)),
    "m": {f"k{number}": number for number in range(5000)},
    "big": 10**5000,
    "deep": nested(3000),
    "same": nested(3000),
}


def code(text: str) -> str:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text).evaluate(NAMES)
    str(caught.value)
    return caught.value.code


@pytest.mark.parametrize(
    "text",
    [
        "1" + " + 1" * 2000,
        "(" * 100_000 + "1" + ")" * 100_000,
        "[" * 1000 + "]" * 1000,
        "true ? 1 : " * 200 + "2",
        "a" + ".b" * 1500,
        "a" + "[0]" * 1000,
        "f(" * 1000 + ")" * 1000,
        "l.map(a, l.map(b, l.map(c, 1)))",
        "l.map(a, s + 'z')",
        "l.filter(a, l.exists(b, a == b))",
        "lists.range(200000).map(a, a).map(a, a).map(a, a)",
        "l.map(a, {'v': a}).distinct()",
        "s + s",
        "s.replace('x', 'yyyyyyyyyy')",
        "s.replace('', 'y')",
        "[s, s].join()",
        "[s, s]",
        "l.map(a, s)",
        "bytes(s) + bytes(s)",
        " || ".join(["l != l"] * 400),
        " || ".join(["s.contains('yyyyyyyy')"] * 100),
        "deep == same",
        "deep",
        "text(deep)",
        "'%s'.format([deep])",
        "[[[s]]].map(a, [a, a]).map(a, [a, a]).map(a, [a, a])",
        "business_time('2026-01-01T00:00:00Z', '1h', {'hours': {}})",
        "'a'.matches('" + "a" * 1500 + "')",
    ],
)
def test_what_grows_without_end_ends_in_a_limit(text: str) -> None:
    assert code(text) == "expression_limit"


@pytest.mark.parametrize("text", ["big + 1", "big * big", "text(big)", "string(big)", "1.0 * big", "math.sqrt(big)", "round(big, -3)"])
def test_numbers_beyond_64_bits_are_refused(text: str) -> None:
    assert code(text) == "expression_arithmetic"


@pytest.mark.parametrize("text", ["!" * 4000 + "true", "-" * 4000 + "1", "(" * 2000 + "1" + ")" * 2000, "true" + " && true" * 500])
def test_what_is_long_but_flat_is_evaluated(text: str) -> None:
    assert compile_expression(text).evaluate({}) in (True, 1)


def test_a_pattern_that_backtracks_elsewhere_is_linear() -> None:
    assert compile_expression("t.matches('^(x+)+$')").evaluate(NAMES) is False


def test_a_limit_is_not_absorbed_by_a_side_that_decides() -> None:
    assert code("s + s == '' || true") == "expression_limit"


def test_the_size_of_a_rendered_text_is_bounded() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_template("{{ s }}{{ s }}").render(NAMES)
    assert caught.value.code == "expression_limit"
