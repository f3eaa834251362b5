"""Bounds: whatever an author writes ends soon, with an error that names the bound."""

from typing import Any

import pytest
from weft_language.expressions import TOGETHER_STEPS, ExpressionError, Meter, compile_expression, compile_template


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
        "l.map(a, 'x'.matches('[a-z]{1,' + string(a % 900 + 1) + '}$'))",
        "l.exists(a, 'x'.matches('(' + string(a)))",
        "lists.range(900).map(a, 'x'.matches('([a-z][0-9]){1,' + string(a % 400 + 1) + '}'))",
        "lists.range(250).map(a, text(m).size())",
        "lists.range(20000).map(a, s.substring(1).size())",
        "l.map(a, s.startsWith(s))",
        "l.map(a, uuid(string(a)))",
        "lists.range(1000).map(a, '%s'.format([m]).size())",
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


def test_a_pattern_that_is_used_again_costs_nothing_more() -> None:
    assert compile_expression("l.all(a, string(a).matches('^[0-9]{1,9}$'))").evaluate(NAMES) is True


HALF = "lists.range(20000).map(a, a * 2 + 1).size()"
MANY: dict[str, Any] = {
    "members": {f"k{number}": f"{{{{ {HALF} }}}}" for number in range(1000)},
    "items": [f"{{{{ {HALF} }}}}"] * 1000,
    "one text": f"{{{{ {HALF} }}}}, " * 1000,
    "lists that nothing is computed for": ["{{ l }}"] * 1000,
    "lists written into a text": "{{ size(l) }}{{ l.slice(0, 9) }}" * 100_000,
}


@pytest.mark.parametrize("name", MANY)
def test_the_expressions_of_a_template_are_bounded_together(name: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_template(MANY[name]).render(NAMES)
    assert caught.value.code == "expression_limit"


def test_a_stretch_of_work_knows_what_its_expressions_spent_also_those_that_failed() -> None:
    expression = compile_expression(HALF)
    with Meter() as around:
        with Meter(TOGETHER_STEPS) as meter:
            expression.evaluate(NAMES)
            one = meter.spent
            with pytest.raises(ExpressionError):
                compile_expression(f"{HALF} / 0").evaluate(NAMES)
            with pytest.raises(ExpressionError, match="together"):
                for _ in range(TOGETHER_STEPS // one):
                    expression.evaluate(NAMES)
            meter.renew()
            expression.evaluate(NAMES)
        compile_expression("1 + 1").evaluate(NAMES)
    assert around.spent == meter.spent > TOGETHER_STEPS > one > 20_000
    expression.evaluate(NAMES)
    assert around.spent == meter.spent
