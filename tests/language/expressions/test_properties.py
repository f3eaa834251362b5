"""What holds for any expression, any names and any template."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from weft_language.expressions import ExpressionError, compile_expression, compile_template, escape, to_json
from weft_language.expressions.limits import RESULT_BYTES

from tests.language.expressions.conformance import alike
from tests.language.expressions.generating import EXPRESSIONS, JSON, NAMES
from tests.support.examples import many

FINITE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)


@given(EXPRESSIONS, NAMES)
@many(800)
def test_an_expression_gives_a_value_or_an_expression_error_and_nothing_else(text: str, names: dict[str, Any]) -> None:
    try:
        compile_expression(text).evaluate(names)
    except ExpressionError as error:
        assert error.code.startswith("expression_")
        assert error.message


@given(st.text(max_size=200) | st.text("()[]{}.,'\"\\?:&|!<>=+-*/% \n09aAbru", max_size=200))
@many(500)
def test_any_text_compiles_or_is_refused_with_its_place(text: str) -> None:
    try:
        compile_expression(text)
    except ExpressionError as error:
        assert error.expression == text
        assert error.position is not None


@given(EXPRESSIONS, NAMES)
@many(500)
def test_the_root_of_an_explanation_is_what_evaluating_gives(text: str, names: dict[str, Any]) -> None:
    try:
        expression = compile_expression(text)
    except ExpressionError:
        return
    explanation = expression.explain(names)
    try:
        value = expression.evaluate(names)
    except ExpressionError as error:
        assert explanation.error is not None
        assert (explanation.error.code, explanation.error.message) == (error.code, error.message)
    else:
        assert explanation.error is None
        assert alike(explanation.value, value)
    json.dumps(explanation.to_dict(), allow_nan=False)


@given(EXPRESSIONS, NAMES)
@many(500)
def test_what_an_expression_reads_it_names_in_its_references(text: str, names: dict[str, Any]) -> None:
    try:
        expression = compile_expression(text)
    except ExpressionError:
        return
    roots = {path[0] for path in expression.references | expression.optional_references}
    known = {name: value for name, value in names.items() if name in roots}
    outcomes = [_outcome(text, given) for given in (names, known)]
    assert alike(outcomes[0], outcomes[1])


def _outcome(text: str, names: dict[str, Any]) -> Any:
    try:
        return [compile_expression(text).evaluate(names)]
    except ExpressionError as error:
        return error.code


@given(EXPRESSIONS, NAMES)
@many(300)
def test_a_result_becomes_storable_json_or_an_expression_error(text: str, names: dict[str, Any]) -> None:
    try:
        value = to_json(compile_expression(text).evaluate(names))
    except ExpressionError:
        return
    assert "\\u0000" not in json.dumps(value, allow_nan=False)


@given(FINITE)
@many(300)
def test_a_template_without_expressions_renders_to_itself(value: Any) -> None:
    template = compile_template(_escaped(value))
    if "{{" not in json.dumps(value, ensure_ascii=False):
        assert template.is_constant
    try:
        rendered = template.render({})
    except ExpressionError as error:
        assert error.code == "expression_value"  # a NUL beside an escape
        return
    assert rendered == value


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return {key: _escaped(item) for key, item in value.items()} if isinstance(value, dict) else value


@given(st.text("{}' \"\\xa1.", max_size=60))
@many(500)
def test_any_text_is_a_template_or_is_refused(text: str) -> None:
    try:
        compile_template(text).render({"x": 1, "a": "b"})
    except ExpressionError as error:
        assert error.code.startswith("expression_")


@given(JSON)
@many(300)
def test_a_value_passes_through_a_template_with_its_type(value: Any) -> None:
    try:
        rendered = compile_template("{{ input.value }}").render({"input": {"value": value}})
    except ExpressionError as error:
        assert error.code in ("expression_value", "expression_arithmetic")  # NUL, half a character, not finite
        return
    assert alike(rendered, value)


@given(st.text(max_size=2000), st.integers(1, 6))
@settings(max_examples=50)
def test_no_doubling_passes_the_size_of_a_result(text: str, rounds: int) -> None:
    doubled = "x" + ".replace('', x)" * rounds
    try:
        value = compile_expression(f"[input.x].map(x, {doubled})[0]").evaluate({"input": {"x": text}})
    except ExpressionError as error:
        assert error.code == "expression_limit"
    else:
        assert len(value) <= RESULT_BYTES
