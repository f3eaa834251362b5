"""Where AI may stand in for a node, and what it may give it: said when a definition is saved."""

from typing import Any

import pytest
from weft_language import compile_definition, parse, validate
from weft_language.validation.connections import connection_findings

from tests.language.build import document, node

ENHANCE: dict[str, Any] = {"type": "ai.generate", "with": {"connection": "brain", "instructions": "Better."}}


def of(made: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    """Code and pointer of each error in a document of one enhanced node, below its `enhance`."""
    findings = validate(document({**made, "enhance": {**ENHANCE, **more}}))
    return [(one.code, one.pointer.removeprefix("/nodes/0/enhance")) for one in findings if one.severity == "error"]


def giving(*names: str) -> dict[str, Any]:
    return {"with": {**ENHANCE["with"], "schema": {"type": "object", "properties": {name: {} for name in names}}}, "apply": "input"}


HTTP = node("n", "http.request", url="https://x.example")
TASK = node("n", "task", title="Look")
WAIT = node("n", "wait", **{"for": "5m"})
STATE = node("n", "state", signals={"go": {}})
BODY = {"nodes": [node("b", "set", x=1)]}


@pytest.mark.parametrize("apply", ["replace", "output"])
@pytest.mark.parametrize(
    ("made", "may"),
    [
        (node("n", "set", x=1), True), (node("n", "transform", expression="1"), True), (node("n", "if", when="input.a == 1"), True),
        (node("n", "group", **BODY), True), (node("n", "parallel", branches={"l": BODY}), True), (node("n", "activity", name="w"), True),
        (node("n", "foreach", items=[1], body=BODY), True), (node("n", "call", workflow="other"), True), (HTTP, True),
        (WAIT, False), (STATE, False), (TASK, False), (node("n", "publish", type="said"), False), (node("n", "end"), False),
        (node("n", "fail"), False), (node("n", "compensate"), False),
    ],
)  # fmt: skip
def test_ai_stands_in_only_for_what_makes_an_output(made: dict[str, Any], may: bool, apply: str) -> None:
    assert of(made, apply=apply) == ([] if may else [("not_enhanceable", "/apply")])


@pytest.mark.parametrize(
    ("made", "names", "found"),
    [
        (node("n", "activity", name="w"), ("input",), []),
        (node("n", "activity", name="w"), ("name",), [("not_enhanceable", "/with/schema/properties")]),
        (HTTP, ("body", "query"), []),
        (HTTP, ("url",), [("not_enhanceable", "/with/schema/properties")]),
        (HTTP, ("connection",), [("not_enhanceable", "/with/schema/properties")]),
        (TASK, ("data", "description"), []),
        (TASK, ("assignee",), [("not_enhanceable", "/with/schema/properties")]),
        (node("n", "publish", type="said"), ("data",), []),
        (node("n", "foreach", items=[1], body=BODY), ("items",), []),
        (node("n", "transform", expression="1"), ("expression",), [("not_enhanceable", "/apply")]),
        (WAIT, ("for",), [("not_enhanceable", "/apply")]),
    ],
)
def test_ai_gives_no_more_than_an_input(made: dict[str, Any], names: tuple[str, ...], found: list[tuple[str, str]]) -> None:
    assert of(made, **giving(*names)) == found


def test_an_input_needs_a_schema_that_says_what_is_given() -> None:
    text = {"type": "ai.summarize", "with": {"connection": "brain", "input": "x"}, "apply": "input"}

    assert of(HTTP, apply="input") == [("not_enhanceable", "/with/schema")]
    assert of(HTTP, **text) == [("not_enhanceable", "/with/schema")]


@pytest.mark.parametrize(
    ("enhance", "found"),
    [
        ({"with": {"instructions": "x"}}, ("required", "/with/connection")),
        ({"with": {**ENHANCE["with"], "surprise": 1}}, ("unknown_field", "/with/surprise")),
        ({"with": {**ENHANCE["with"], "timeout_s": 61}}, ("not_enhanceable", "/with/timeout_s")),
        ({"with": {**ENHANCE["with"], "schema": {"type": "nonsense"}}}, ("schema_invalid", "/with/schema/type")),
        ({"with": {**ENHANCE["with"], "input": "{{ step.n.output }}"}}, ("step_never_before", "/with/input")),
    ],
)
def test_what_a_model_is_asked_is_checked_like_any_with(enhance: dict[str, Any], found: tuple[str, str]) -> None:
    assert found in of(node("n", "transform", expression="1"), **enhance)


def test_what_comes_after_the_work_may_read_its_output() -> None:
    after = {"with": {**ENHANCE["with"], "input": "{{ step.n.output }}"}, "apply": "output"}

    assert of(node("n", "transform", expression="1"), **after) == []


def test_a_schema_is_asked_for_as_it_is_written() -> None:
    schema = {"type": "object", "description": "such as {{ this }}"}
    made = node("n", "ai.extract", connection="brain", input="x", schema=schema)
    program = compile_definition(parse(document(made)), 1)

    work: Any = program.nodes["n"].work
    assert work.with_.render({"tenant": {"tier": "premium"}})["schema"] == schema
    assert program.reads_tenant


def test_a_node_waits_five_seconds_unless_it_says_otherwise() -> None:
    usual, longer = (
        compile_definition(parse(document({**node("n", "set", x=1), "enhance": {**ENHANCE, "with": {**ENHANCE["with"], **more}}})), 1)
        for more in ({}, {"timeout_s": 20})
    )
    times = [program.nodes["n"].enhance.timeout_s for program in (usual, longer) if program.nodes["n"].enhance is not None]
    assert times == [5.0, 20.0]


def test_a_connection_that_is_asked_instead_is_looked_for_too() -> None:
    asks = node("n", "ai.generate", connection="brain", fallback="spare", instructions="Write.")
    made = document({**asks, "enhance": {**ENHANCE, "with": {**ENHANCE["with"], "fallback": "gone"}}})
    found = connection_findings(made, {"brain": "ai", "spare": "http"})

    assert {(one.code, one.pointer) for one in found} == {
        ("connection_of_another_type", "/nodes/0/with/fallback"),
        ("connection_not_there", "/nodes/0/enhance/with/fallback"),
    }
