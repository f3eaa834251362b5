"""Whatever is sent for a Serverless Workflow is read or named, in bounded time; nothing of it is taken for an expression of ours."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from weft_language import has_errors, parse, validate
from weft_language.plain import walk
from weft_language.serverless import is_serverless, read_serverless, write_serverless

from tests.language.serverless.documents import EXAMPLES, read, workflow
from tests.language.strategies import definitions, json_values
from tests.support.examples import many

EVERYTHING = workflow(
    {"set": {"set": {"a": "${ .a }"}}},
    {"choose": {"if": ".a == 1", "switch": [{"one": {"when": ".a > 1", "then": "call"}}, {"other": {"then": "exit"}}]}},
    {"call": {"call": "http", "with": {"method": "get", "endpoint": {"uri": "https://a.example/{a}"}, "output": "response"}}},
    {"each": {"for": {"each": "x", "in": ".content", "at": "i"}, "while": ".b", "do": [{"inner": {"set": {"b": "${ $x }"}}}]}},
    {"both": {"fork": {"compete": True, "branches": [{"left": {"wait": "PT1S"}}, {"right": {"wait": {"seconds": 1}}}]}}},
    {"tries": {"try": [{"fails": {"raise": {"error": {"type": "a/b", "status": 400, "title": "t"}}}}],
               "catch": {"errors": {"with": {"status": 400}}, "as": "e", "retry": {"delay": "PT1S", "limit": {"attempt": {"count": 2}}},
                         "do": [{"told": {"set": {"e": "${ $e.title }"}}}]}}},
    {"heard": {"listen": {"to": {"all": [{"with": {"type": "a"}, "correlate": {"k": {"from": ".a", "expect": "b"}}}]}}}},
    {"said": {"emit": {"event": {"with": {"type": "a", "data": "${ . }"}}}, "output": {"as": ".id"}, "export": {"as": {"id": "${ . }"}}}},
    {"other": {"run": {"workflow": {"namespace": "n", "name": "b", "version": "1.0.0", "input": {"a": "${ .a }"}}}, "then": "end"}},
    schedule={"cron": "0 0 * * *", "on": {"any": [{"with": {"type": "a", "data": "${ .b > 1 }"}}]}},
    input={"schema": {"format": "json", "document": {"type": "object"}}, "from": ".a"},
    timeout={"after": {"hours": 1}},
    use={"errors": {"e": {"type": "x"}}, "functions": {"f": {"call": "f"}}},
)  # fmt: skip
PLACES = [path for path, _ in walk(EVERYTHING)][1:]


def put(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """The document with another value at a place."""
    made = copy.deepcopy(document)
    holder = made
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    return made


def judged(document: dict[str, Any]) -> None:
    """Hold what a document becomes to what is promised of it."""
    carried = read_serverless(document)
    findings = validate(carried.document)
    assert len(carried.findings) <= 200
    assert carried.document["format"] == "weft/v1"
    if carried.whole and not has_errors(findings):
        parse(carried.document)


def test_the_document_that_is_broken_here_is_whole_itself() -> None:
    carried = read_serverless(EVERYTHING)
    assert [finding.as_dict() for finding in carried.findings if finding.severity == "error"] == []
    assert [finding.as_dict() for finding in validate(carried.document) if finding.severity == "error"] == []


@many(60)
@given(st.sampled_from(PLACES), json_values(8))
@example(("do",), [{"a": {"do": []}}] * 1001)
def test_any_value_in_any_place_is_read_or_named(path: tuple[str | int, ...], value: Any) -> None:
    document = put(EVERYTHING, path, value)
    if is_serverless(document):
        judged(document)


def test_lists_within_lists_and_functions_that_call_themselves_have_an_end() -> None:
    deep: dict[str, Any] = {"set": {"a": 1}}
    for place in range(40):
        deep = {"do": [{f"t{place}": deep}]}
    carried = read_serverless(workflow({"deep": deep}))
    assert "nested over" in " ".join(finding.message for finding in carried.findings)
    itself = workflow({"f": {"call": "f"}}, use={"functions": {"f": {"do": [{"g": {"call": "f"}}] * 3}}})
    judged(itself)
    assert len(validate(read_serverless(itself).document)) < 200


def test_very_many_tasks_are_named_in_bounded_time() -> None:
    same = [{"a": {"if": ".x", "set": {"x": 1}}} for _ in range(500)]
    guarded = read_serverless(workflow({"many": {"do": same}}))
    assert "may have run last" in " ".join(finding.message for finding in guarded.findings)
    lists = [{"t": {"do": [{"a": {"wait": "PT1S"}}]}} for _ in range(4000)]
    assert "more than 5000 nodes" in " ".join(finding.message for finding in read_serverless(workflow(*lists)).findings)


def test_what_looks_like_a_template_of_ours_is_a_text() -> None:
    carried = read_serverless(workflow({"a": {"set": {"b": "{{ vars.secret }}"}}}))
    assert carried.document["nodes"][0]["with"] == {"b": "{{{{ vars.secret }}"}
    address = read_serverless(workflow({"a": {"call": "http", "with": {"endpoint": "https://x.example/{{ now }}"}}}))
    assert address.document["nodes"][0]["with"]["url"] == "https://x.example/{{{{ now }}"


@many(60)
@given(definitions())
def test_a_generated_definition_is_carried_there_and_back_or_says_what_is_missing(document: dict[str, Any]) -> None:
    carried = write_serverless(parse(document), 1)
    back = read_serverless(carried.document)
    if carried.whole:
        assert [finding.message for finding in back.findings if finding.severity == "error"] == []
        assert [finding.as_dict() for finding in validate(back.document) if finding.severity == "error"] == []


def test_every_example_of_the_specification_is_read() -> None:
    for path in EXAMPLES:
        judged(read(path))
