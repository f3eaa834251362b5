"""Templates: types kept, texts written, places told."""

from datetime import UTC, datetime
from typing import Any

import pytest
from weft_language.expressions import ExpressionError, compile_template, escape, to_json

from tests.support.effort import computing_at_most

NAMES: dict[str, Any] = {
    "input": {"amount": 1000, "name": "Anna", "tags": ["a", "b"], "price": 1220.0, "none": None, "ok": True},
    "now": datetime(2026, 11, 20, 9, 30, 0, 250_000, tzinfo=UTC),
}


def render(value: Any) -> Any:
    return compile_template(value).render(NAMES)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ input.amount }}", 1000),
        ("{{input.tags}}", ["a", "b"]),
        ("{{ input.none }}", None),
        ("{{ input.ok }}", True),
        ("{{ {'a': {'b': input.amount}} }}", {"a": {"b": 1000}}),
        ("{{ '}}' + '{{' }}", "}}{{"),
        ('{{ r"\\" + "}}" }}', "\\}}"),
        (" {{ input.amount }}", " 1000"),
        ("{{ input.amount }} {{ input.price }}", "1000 1220"),
        ("Dear {{ input.name }}: {{ input.tags }}, {{ input.none }}, {{ input.ok }}", 'Dear Anna: ["a", "b"], null, true'),
        ("at {{ now }}", "at 2026-11-20T09:30:00.25Z"),
        ("{{ now }}", "2026-11-20T09:30:00.25Z"),
        ("{{ duration('90m') }}", "5400s"),
        ("{{ b'hi' }}", "aGk="),
        ("{{ 7u }}", 7),
        ("{{ type(1) }}", "int"),
        ("{{ {1: 'a', true: 'b'} }}", {"1": "a", "true": "b"}),
        ("{{{{ input.name }}", "{{ input.name }}"),
        ("plain } }} text", "plain } }} text"),
        ({"a": ["{{ input.amount }}", {"b": "x"}], "{{ key }}": 1}, {"a": [1000, {"b": "x"}], "{{ key }}": 1}),
    ],
)
def test_a_template_renders(template: Any, value: Any) -> None:
    found = render(template)
    assert found == value
    assert type(found) is type(value)


def test_a_template_knows_what_it_reads_and_whether_it_is_constant() -> None:
    template = compile_template({"a": "{{ input.x }}", "b": ["{{ default(vars.y, 1) }} {{ step.s.output }}"]})
    assert template.references == {("input", "x"), ("step", "s", "output")}
    assert template.optional_references == {("vars", "y")}
    assert [pointer for pointer, _ in template.expressions] == ["/a", "/b/0", "/b/0"]
    assert not template.is_constant
    assert compile_template({"a": [1, "x"]}).is_constant


@pytest.mark.parametrize(
    ("template", "pointer", "code"),
    [
        ({"a": {"b/c": ["x", "{{ input. }}"]}}, "/a/b~1c/1", "expression_syntax"),
        ({"a": "{{ input.amount"}, "/a", "expression_syntax"),
        ({"a": "{{ }}"}, "/a", "expression_syntax"),
    ],
)
def test_a_template_that_cannot_be_compiled_tells_where(template: Any, pointer: str, code: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_template(template)
    assert (caught.value.pointer, caught.value.code) == (pointer, code)


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("{{ input.missing }}", "expression_path"),
        ("{{ 1.0 / 0.0 }}", "expression_arithmetic"),
        ("{{ '\\x00' }}", "expression_value"),
        ("a {{ '\\x00' }}", "expression_value"),
    ],
)
def test_a_template_that_cannot_be_rendered_tells_where(template: str, code: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        render({"a": [template]})
    assert (caught.value.pointer, caught.value.code) == ("/a/0", code)


@pytest.mark.parametrize(
    "template",
    ["{{ " + opening + "\\a" * 25 for opening in ('"""', "'''", 'r"""', "R'''")]
    + ['{{ \\"' * 3000, "{{ \\'" * 3000, '{{ """' + '\\"' * 22, '{{ "' + "{{ }" * 8000 + "\\", "{{ '" + "\\'a" * 3000 + "\\"],
)
def test_a_text_without_an_end_is_refused_at_once(template: str) -> None:
    # It took twice as long for each two characters more, for ever with a hundred and fifty.
    with computing_at_most(0.5):
        with pytest.raises(ExpressionError) as caught:
            compile_template(template)
        assert caught.value.code == "expression_syntax"


@pytest.mark.parametrize("template", ["{{ it's }} b", '{{ "a }} b', "{{ r'a }} b", '{{ """a" }} b', "{{ 'a\\' }} b {{ c }}"])
def test_a_text_without_an_end_in_one_expression_is_told_there(template: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_template(template)
    assert caught.value.code == "expression_syntax" and "without `}}`" not in caught.value.message


def test_escaping_keeps_braces() -> None:
    assert render(escape("{{ x }} {{{")) == "{{ x }} {{{"


def test_plain_json_is_not_copied() -> None:
    value = {"a": [1, {"b": "c"}]}
    assert to_json(value) is value
