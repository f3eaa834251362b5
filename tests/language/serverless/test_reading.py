"""A Serverless Workflow becomes a definition that does the same, and what has no equal is named at its place."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from weft_engine.core.simulating import Answers
from weft_engine.testing import Case, simulated
from weft_language import has_errors, validate
from weft_language.serverless import read_serverless

from tests.language.serverless.documents import EXAMPLES, FOLDER, read, scenarios, schema, workflow

ABSENT = f"not run: no conformance data in {FOLDER.parent.name}"
LOST = {
    "call-asyncapi-subscribe-consume-forever-foreach": (
        "/do/0/getNotifications/with/subscription/foreach/do/0/publishCloudEvent/emit/event/with/data/message"
    ),
    "do-multiple": "/do/1/buyPet/with/body",
    "listen-to-any-forever-foreach": "/do/0/listenToGossips/listen/to",
    "listen-to-any-until-condition": "/do/0/callDoctor/listen/to",
    "listen-to-any-until-consumed": "/do/0/callDoctor/listen/to",
    "mock-service-extension": "/use/extensions",
    "try-catch-then": "/do/0/tryGetPet/catch/do/1/setError/export/as",
}  # fmt: skip
"""The specification's examples that are not carried over, and the first thing that is not."""
READS_OF_A_LIST = {"accumulate-room-readings", "listen-to-one"}
"""Examples that read a member of the list of events that a `listen` gives: what they become says so when it is validated."""
PETS = {name: {"status": 200, "headers": {}, "body": {"id": id_}} for name, id_ in (("getPet", 1), ("getPetById1", 1), ("getPetById2", 2))}


def carried(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = read_serverless(workflow(*tasks, **more))
    errors = [finding.as_dict() for finding in (*made.findings, *validate(made.document)) if finding.severity == "error"]
    assert errors == []
    return made.document


def said(*tasks: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    return [(finding.code, finding.pointer) for finding in read_serverless(workflow(*tasks, **more)).findings]


def run(document: dict[str, Any], input_: dict[str, Any] | None = None, **answers: Any) -> Any:
    made = simulated(document, Case(input_ or {}, Answers(**answers)))
    return made.state.output if made.state.error is None else made.state.error["code"]


def test_each_example_of_the_specification_is_carried_over_or_says_where_it_is_not() -> None:
    if not EXAMPLES:
        print(ABSENT)
        return
    for path in EXAMPLES:
        made = read_serverless(read(path))
        lost = [finding.pointer for finding in made.findings if finding.severity == "error"]
        assert lost[:1] == ([LOST[path.stem]] if path.stem in LOST else []), path.stem
        assert has_errors(validate(made.document)) is (path.stem in READS_OF_A_LIST), path.stem


@pytest.mark.parametrize("name", sorted(scenarios()) or ["none"])
def test_a_workflow_of_the_conformance_tests_has_the_output_they_ask_for(name: str) -> None:
    if not EXAMPLES:
        print(ABSENT)
        return
    document, input_, output = scenarios()[name]
    assert run(read_serverless(document).document, input_, outputs=PETS) == output


def test_tasks_that_may_have_run_are_read_by_what_ran_last() -> None:
    made = carried(
        {"first": {"set": {"by": "first"}}},
        {"maybe": {"if": "$workflow.input.yes == true", "set": {"by": "maybe"}}},
        {"last": {"set": {"by": "${ .by }"}}},
    )
    assert (run(made, {"yes": True}), run(made, {"yes": False})) == ({"by": "maybe"}, {"by": "first"})


def test_an_error_is_caught_by_its_status_and_handled_or_goes_on() -> None:
    made = carried(
        {
            "tries": {
                "try": [{"ask": {"call": "http", "with": {"endpoint": "https://a.example"}}}],
                "catch": {"errors": {"with": {"status": 404}}, "as": "e", "do": [{"told": {"set": {"why": "${ $e.title }"}}}]},
            }
        },
        {"after": {"set": {"why": "${ .why }", "then": True}}},
    )
    missing = {"ask": {"code": "http_status", "permanent": True, "details": {"status": 404}}}
    broken = {"ask": {"code": "http_status", "permanent": True, "details": {"status": 500}}}
    assert run(made, errors=missing) == {"why": "http_status", "then": True}
    assert run(made, errors=broken) == "http_status"


def test_nothing_is_tried_again_but_by_a_policy() -> None:
    made = carried(
        {"once": {"call": "http", "with": {"endpoint": "https://a.example"}}},
        {"more": {"try": [{"in": {"call": "http", "with": {"endpoint": "https://a.example"}}}],
                  "catch": {"retry": {"delay": {"seconds": 3}, "backoff": {"exponential": {}}, "limit": {"attempt": {"count": 4}}}}}},
    )  # fmt: skip
    once, more = made["nodes"][:2]
    assert once["retry"] == {"attempts": 1}
    assert more["retry"] == {"attempts": 5, "delay": "PT3S", "factor": 2.0, "jitter": False}


def test_a_fork_gives_a_list_or_what_the_first_gives() -> None:
    branches = [{"a": {"set": {"n": 1}}}, {"b": {"set": {"n": 2}}}]
    assert run(carried({"all": {"fork": {"branches": branches}}})) == [{"n": 1}, {"n": 2}]
    assert run(carried({"one": {"fork": {"compete": True, "branches": branches}}})) in ({"n": 1}, {"n": 2})


def test_end_ends_everything_and_exit_the_list_it_stands_in() -> None:
    inner: dict[str, Any] = {"group": {"do": [{"in": {"set": {"n": 1}, "then": "exit"}}, {"never": {"set": {"n": 2}}}]}}
    assert run(carried(inner, {"after": {"set": {"n": "${ .n + 10 }"}}})) == {"n": 11}
    inner["group"]["do"][0]["in"]["then"] = "end"
    assert run(carried(inner, {"after": {"set": {"n": "${ .n + 10 }"}}})) == {"n": 1}


def test_events_begin_it_with_what_they_are() -> None:
    made = carried(
        {"read": {"set": {"room": "${ $workflow.input[0].data.room }"}}},
        schedule={"on": {"one": {"with": {"type": "room.left", "data": "${ .room > 3 }", "source": "https://home.example"}}}},
    )
    trigger = made["triggers"][0]
    assert (trigger["event"], trigger["when"]) == (
        "room.left",
        "(trigger.payload.room > 3) && (default(trigger.event.source, null) == 'https://home.example')",
    )
    assert run(made, {"events": [{"data": {"room": 4}}]}) == {"room": 4}


def test_what_is_exported_is_read_as_the_context() -> None:
    ask = {"call": "http", "with": {"endpoint": "https://a.example/{id}", "output": "response"}}
    made = carried(
        {"ask": {**ask, "export": {"as": {"home": "${ .content.home }"}}}},
        {"next": {"set": {"at": "${ $context.home }"}}},
    )  # fmt: skip
    answer = {"status": 200, "headers": {}, "body": {"home": "x"}}
    assert run(made, {"id": 5}, outputs={"ask": answer}) == {"at": "x"}


def test_functions_of_the_document_are_done_where_they_are_called() -> None:
    made = carried(
        {"greet": {"call": "hello", "with": {"who": "${ .name }"}}},
        use={"functions": {"hello": {"set": {"text": '${ "hello " + .who }'}}}},
    )
    assert run(made, {"name": "Ada"}) == {"text": "hello Ada"}


@pytest.mark.parametrize(
    ("task", "code", "pointer"),
    [
        ({"run": {"container": {"image": "x"}}}, "carried_otherwise", "/do/0/t"),
        ({"call": "grpc", "with": {"method": "m"}}, "carried_otherwise", "/do/0/t"),
        ({"call": "http", "with": {"endpoint": {"uri": "https://a.example", "authentication": {"use": "x"}}}}, "carried_otherwise",
         "/do/0/t/with/endpoint/authentication"),
        ({"set": {"a": "${ . + {b: 1} }"}}, "not_carried", "/do/0/t/set/a"),
        ({"set": {"a": 1}, "then": "nowhere"}, "not_carried", "/do/0/t"),
        ({"wait": "soon"}, "not_carried", "/do/0/t/wait"),
        ({"listen": {"to": {"any": [], "until": "${ true }"}}}, "not_carried", "/do/0/t/listen/to"),
        ({"set": {"a": 1}, "surprise": 1}, "not_carried", "/do/0/t/surprise"),
        ({"dance": {}}, "not_carried", "/do/0/t"),
        ({"set": {"a": 1}, "output": {"schema": {}}}, "left_out", "/do/0/t/output/schema"),
        ({"emit": {"event": {"with": {"type": "a", "source": "b"}}}}, "left_out", "/do/0/t/emit/event/with/source"),
    ],
)  # fmt: skip
def test_what_has_no_equal_is_named_where_it_stands(task: dict[str, Any], code: str, pointer: str) -> None:
    assert (code, pointer) in said({"t": task})


@pytest.mark.parametrize(
    ("more", "code", "pointer"),
    [
        ({"use": {"extensions": []}}, "not_carried", "/use/extensions"),
        ({"use": {"secrets": ["s"]}}, "carried_otherwise", "/use/secrets"),
        ({"schedule": {"after": {"hours": 1}}}, "not_carried", "/schedule/after"),
        ({"schedule": {"on": {"all": [{"with": {"type": "a"}}]}}}, "not_carried", "/schedule/on/all"),
        ({"evaluate": {"language": "python"}}, "not_carried", "/do/0/t/set/a"),
        ({"strange": 1}, "not_carried", "/strange"),
    ],
)
def test_what_a_document_says_besides_is_named_too(more: dict[str, Any], code: str, pointer: str) -> None:
    assert (code, pointer) in said({"t": {"set": {"a": "${ .b }"}}}, **more)


def test_the_documents_of_these_tests_are_of_the_specifications_schema() -> None:
    if not EXAMPLES:
        print(ABSENT)
        return
    validator = jsonschema_rs.validator_for(schema())
    assert [path.stem for path in EXAMPLES if not validator.is_valid(read(path))] == []
