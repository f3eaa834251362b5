"""A definition is written as a Serverless Workflow of the specification's own schema, which is read back, and says what it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from weft_engine.core.simulating import Answers
from weft_engine.testing import Case, simulated
from weft_language import parse, read_document, validate
from weft_language.serverless import read_serverless, write_serverless

from tests.language.build import document, edge, node
from tests.language.serverless.documents import EXAMPLES, YAML, schema
from tests.language.shapes import SHAPES

ROOT = Path(__file__).parents[3]
PATTERNS = {path.stem: dict(read_document(path.read_bytes(), YAML)) for path in sorted((ROOT / "examples" / "patterns").glob("*.yaml"))}
ALL = SHAPES | PATTERNS
COUNTING = {"loop over pages", "wcp-28-blocking-discriminator", "wcp-31-blocking-partial-join", "wcp-33-generalised-and-join"}
"""Those that read `iteration` of a loop, which nothing has there; the finding on the loop says so."""


@pytest.fixture(scope="module")
def validator() -> Any:
    return jsonschema_rs.validator_for(schema()) if EXAMPLES else None


@pytest.mark.parametrize("name", sorted(ALL))
def test_what_is_written_is_of_the_schema_and_can_be_read_again(name: str, validator: Any) -> None:
    carried = write_serverless(parse(ALL[name]), 3)
    assert validator is None or [error.message for error in validator.iter_errors(carried.document)] == []
    back = read_serverless(carried.document)
    assert [finding.message for finding in back.findings if finding.severity == "error"] == []
    errors = [finding.code for finding in validate(back.document) if finding.severity == "error"]
    assert set(errors) == ({"unknown_name"} if name in COUNTING else set())


def test_it_comes_back_doing_the_same() -> None:
    made = document(
        node("check", "if", when="input.n > 3"),
        node(
            "big", "group", nodes=[node("twice", "transform", expression="input.n * 2"), node("keep", "set", n="{{ step.twice.output }}")]
        ),
        node("each", "foreach", items="{{ input.list }}", as_="one", body={"nodes": [node("add", "transform", expression="one + 1")]}),
        node("pick", "switch", cases=[{"when": "vars.n == 8", "outcome": "eight"}], default="other"),
        node("ask", "http.request", url="https://a.example/{{ input.n }}", method="GET"),
        node("ok", "end", output={"n": "{{ vars.n }}", "text": "n is {{ vars.n }}"}),
        node("no", "fail", code="too_small", message="{{ input.n }} is too small"),
        node("sorry", "end", output={"error": "{{ step.ask.error.code }}"}),
        edges=[
            edge("check", "big", "true"),
            edge("check", "no", "false"),
            edge("big", "each"),
            edge("each", "pick", when="size(input.list) > 0"),
            edge("each", "ok"),
            edge("pick", "ask", "eight"),
            edge("pick", "ok", "other"),
            edge("ask", "ok"),
            edge("ask", "sorry", "error"),
        ],
        vars={"n": 0},
    )
    back = read_serverless(write_serverless(parse(made), 1).document).document
    failing = Answers(errors={"ask": {"code": "http_status", "permanent": True}, "ask_work": {"code": "http_status", "permanent": True}})
    for input_, answers in (
        ({"n": 4, "list": [1, 2]}, Answers()),
        ({"n": 4, "list": [1]}, failing),
        ({"n": 5, "list": []}, Answers()),
        ({"n": 6, "list": [1]}, Answers()),
        ({"n": 1, "list": []}, Answers()),
    ):
        states = [simulated(one, Case(input_, answers)).state for one in (made, back)]
        assert states[0].status == states[1].status, input_
        assert states[0].output == states[1].output, input_


def test_the_document_says_what_it_lacks() -> None:
    made = document(
        node("ask", "task", title="Yes?", due="1d", outcomes=["yes", "no"], candidates={"roles": ["r"]}),
        {
            **node("pay", "http.request", url="https://a.example", connection="bank"),
            "compensate": {"type": "activity", "with": {"name": "u"}},
        },
        edges=[edge("ask", "pay", "yes")],
        sla={"due": "2d"},
        settings={"priority": 3, "max_duration": "90m"},
        triggers=[
            {"id": "hook", "on": "webhook", "path": "p", "connection": "c"},
            {"id": "paid", "on": "event", "event": "a.b", "when": "true"},
        ],
    )
    carried = write_serverless(parse(made), 2)
    named = {finding.pointer: finding.code for finding in carried.findings}
    for pointer in (
        "",
        "/nodes/0",
        "/nodes/1/with/connection",
        "/nodes/1/compensate",
        "/sla",
        "/settings/priority",
        "/triggers/0",
        "/triggers/1",
    ):
        assert named[pointer] == "carried_otherwise", pointer
    about = carried.document["document"]
    assert len(about["metadata"]["weft"]["findings"]) == len(carried.findings)
    assert (about["version"], carried.document["timeout"]) == ("2.0.0", {"after": "PT5400S"})
    assert carried.document["schedule"] == {"on": {"one": {"with": {"type": "a.b"}}}}
    assert carried.document["do"][0]["ask"]["call"] == "weft.task"


def test_a_guard_that_refuses_is_lost_and_says_so() -> None:
    made = document(
        node("rest", "state", signals={"go": {}}),
        node("on", "end"),
        edges=[edge("rest", "on", "go", when="signal.sure == true")],
    )
    carried = write_serverless(parse(made), 1)
    assert [(finding.code, finding.pointer) for finding in carried.findings if finding.severity == "error"] == [("not_carried", "/nodes/0")]
