"""Whatever the strategies make is valid, executable, and survives every way through the language."""

from typing import Any

import jsonschema_rs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from weft_language import compile_definition, definition_schema, difference, parse, publish_findings, to_document, validate
from weft_language.compilation import GroupWork
from weft_language.difference import same

from tests.language.strategies import definitions, inputs, json_values

MANY = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@MANY
@given(definitions())
def test_a_generated_definition_is_valid_and_executable(document: dict[str, Any]) -> None:
    errors = [finding for finding in validate(document) if finding.severity == "error"]
    assert not errors, errors
    assert publish_findings(parse(document)) == ()


@MANY
@given(definitions())
def test_a_document_comes_out_of_the_model_as_it_went_in(document: dict[str, Any]) -> None:
    assert same(to_document(parse(document)), document)
    assert not difference(parse(document), parse(to_document(parse(document))))


@MANY
@given(definitions(), inputs())
def test_every_valid_definition_compiles_to_a_closed_program(document: dict[str, Any], given_input: dict[str, Any]) -> None:
    program = compile_definition(parse(document), 3)
    assert (program.slug, program.version) == (document["slug"], 3)
    assert program.input.errors(given_input) == []
    for name, value in program.vars.items():
        assert value.render({"input": given_input}) == document["vars"][name]
    for graph in program.scopes.values():
        assert graph.start in graph.nodes
        for node_id in graph.nodes:
            node = program.nodes[node_id]
            assert node.graph == graph.id
            assert all(edge.to in graph.nodes for edges in node.edges.values() for edge in edges)
            assert not isinstance(node.work, GroupWork) or program.scopes[node.work.graph].parent_node == node.id
    assert sum(len(graph.nodes) for graph in program.scopes.values()) == len(program.nodes)


VALIDATOR = jsonschema_rs.Draft202012Validator(definition_schema())


@MANY
@given(definitions())
def test_the_published_schema_accepts_what_the_model_accepts(document: dict[str, Any]) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


@MANY
@given(definitions(), st.data())
def test_a_value_replaced_by_anything_is_judged_and_never_breaks(document: dict[str, Any], data: st.DataObject) -> None:
    broken = _with_something_replaced(document, data)
    findings = validate(broken)
    assert len(findings) <= 200
    assert findings == validate(broken)
    if not any(finding.severity == "error" for finding in findings):
        definition = parse(broken)
        assert VALIDATOR.is_valid(broken)
        if not publish_findings(definition):
            compile_definition(definition, 1)


def _with_something_replaced(value: Any, data: st.DataObject) -> Any:
    """The value with one member, somewhere, replaced or added."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 5)):
        name = data.draw(st.sampled_from(sorted(value)))
        return {**value, name: _with_something_replaced(value[name], data)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 5)):
        place = data.draw(st.integers(0, len(value) - 1))
        return [*value[:place], _with_something_replaced(value[place], data), *value[place + 1 :]]
    words: st.SearchStrategy[Any] = st.sampled_from(
        ["set", "group", "parallel", "foreach", "loop", "done", "{{ step.x }}", "{{", "5m", {}, [], None, 0, -1, 1e300]
    )
    return data.draw(json_values(6) | words)


@MANY
@given(json_values(40))
def test_any_json_is_judged_and_never_breaks(value: Any) -> None:
    assert validate(value)


@MANY
@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: json_values(8)
            for name in ("format", "name", "slug", "nodes", "edges", "triggers", "vars", "output", "input", "start", "sla", "settings")
        },
    )
)
def test_any_json_in_the_fields_of_a_definition_is_judged_and_never_breaks(value: dict[str, Any]) -> None:
    assert any(finding.severity == "error" for finding in validate(value))
