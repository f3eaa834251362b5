"""Each template that comes with the release makes a workflow that the verifier has nothing against, and that does what it says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from weft_definitions.errors import ParametersInvalid
from weft_definitions.templates import Content, builtins, checking
from weft_definitions.templates.filling import fill
from weft_engine.core.evolve import flat
from weft_engine.core.simulating import Answers, Simulation
from weft_engine.testing import Case, simulated
from weft_language import SchemaCheck, publish_findings, validate
from weft_language.expressions import ExpressionError, compile_expression, compile_template
from weft_language.model import Definition

from tests.language.strategies import json_values
from tests.support.examples import many

SLUGS = [template.slug for template in builtins.builtin()]
OK = {"status": 200, "headers": {}, "body": None}
DOWN = {"code": "http_status", "permanent": True, "details": {"status": 503}}


def content(slug: str) -> Content:
    found = builtins.find(slug)
    assert found is not None
    return found.content


def document(slug: str, *, enhanced: bool = False, **parameters: Any) -> dict[str, Any]:
    made = content(slug)
    filled = checking.filled(made, {**made.example, **parameters}, made.points if enhanced else (), None)
    return checking.addressed(filled, None)


def run(slug: str, input_: dict[str, Any], **answers: Any) -> Simulation:
    return simulated(document(slug), Case(input_, Answers(**answers)))


def done(made: Simulation) -> set[str]:
    return {str(entry.node) for entry, _ in flat(made.rows) if entry.kind == "step.completed"}


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("enhanced", [False, True])
def test_the_verifier_has_nothing_against_it(slug: str, enhanced: bool) -> None:
    made = document(slug, enhanced=enhanced)
    assert [finding.as_dict() for finding in validate(made) if finding.severity != "info"] == []
    assert publish_findings(Definition.model_validate(made)) == ()


@pytest.mark.parametrize("slug", SLUGS)
def test_it_tells_what_it_is_and_what_its_parameters_are(slug: str) -> None:
    made = content(slug)
    assert checking.check(made) is not None
    assert made.description
    assert made.category
    assert all("title" in one for one in made.parameters["properties"].values())
    assert {point.title != "" for point in made.points} <= {True}


def test_somebody_new_is_welcomed_also_where_accounts_cannot_be_made() -> None:
    person = {"name": "Ada", "email": "ada@acme.example"}
    well = run("user-onboarding", person, outputs={"accounts_made": OK}, outcomes={"first_day": "completed"})
    assert (well.state.status, "ask" in done(well), "accounts_by_hand" in done(well)) == ("completed", True, False)
    badly = run(
        "user-onboarding", person, errors={"accounts_made": DOWN}, outcomes={"first_day": "completed", "accounts_by_hand": "completed"}
    )
    assert (badly.state.status, "accounts_by_hand" in done(badly)) == ("completed", True)


@pytest.mark.parametrize(("confidence", "decision", "filed"), [(0.9, None, True), (0.5, "right", True), (0.5, "wrong", False)])
def test_a_document_is_filed_once_it_is_certain(confidence: float, decision: str | None, filed: bool) -> None:
    read = OK | {"body": {"confidence": confidence, "fields": {"total": 3}}}
    outcomes = {} if decision is None else {"review": decision}
    made = run("document-processing", {"document": "d-1"}, outputs={"extract": read, "file": OK}, outcomes=outcomes)
    assert (made.state.status, "filed" in done(made), "review" in done(made)) == ("completed", filed, decision is not None)


def test_a_document_that_cannot_be_read_is_looked_at() -> None:
    made = run("document-processing", {"document": "d-1"}, errors={"extract": DOWN}, outputs={"file": OK}, outcomes={"review": "right"})
    assert (made.state.status, {"review", "filed"} <= done(made)) == ("completed", True)


def test_a_campaign_reaches_everybody_and_reminds_those_who_are_silent() -> None:
    people = [{"email": "a@x.example"}, {"email": "b@x.example"}]
    made = run(
        "email-campaign",
        {"people": people},
        outcomes={"approve": "send", "answers": "answered"},
        outputs={"answers": {"emails": ["a@x.example"]}},
    )
    assert made.state.status == "completed"
    assert made.state.steps["silent"].output == [{"email": "b@x.example"}]
    stopped = run("email-campaign", {"people": people}, outcomes={"approve": "stop"})
    assert (stopped.state.output, "send" in done(stopped)) == ({"sent": 0}, False)


def test_data_goes_over_page_by_page_and_what_fails_is_looked_at() -> None:
    page = OK | {"body": {"items": [{"id": 1}, {"id": 2}], "next": ""}}
    made = run("data-synchronisation", {}, outputs={"page": page, "put": OK})
    assert (made.state.status, made.state.output) == ("completed", {"written": 2, "failed": 0})
    failing = run("data-synchronisation", {}, outputs={"page": page}, errors={"put": DOWN}, outcomes={"look": "completed"})
    assert (failing.state.output, "look" in done(failing)) == ({"written": 0, "failed": 2}, True)
    dead = run("data-synchronisation", {}, errors={"page": DOWN}, outcomes={"look": "completed"})
    assert (dead.state.status, "look" in done(dead)) == ("completed", True)


def test_people_are_told_and_somebody_is_asked_where_telling_fails() -> None:
    made = document("notification")
    made["nodes"][0]["with"] = {"expression": "'incident'"}  # a simulation begins it by hand, without an event
    made["nodes"][2]["with"] = {"when": "false"}
    calm = simulated(made, Case())
    assert (calm.state.status, "seen" in done(calm)) == ("completed", False)
    made["nodes"][3]["with"] |= {"title": "See to it", "data": None}
    lost = simulated(made, Case({}, Answers(errors={"mail": DOWN | {"code": "smtp_refused"}}, outcomes={"seen": "completed"})))
    assert (lost.state.status, "seen" in done(lost)) == ("completed", True)


def test_old_backups_go_only_when_the_new_one_is_good() -> None:
    listed = OK | {
        "body": {"items": [{"id": "old", "created_at": "2020-01-01T00:00:00Z"}, {"id": "new", "created_at": "2026-01-05T08:00:00Z"}]}
    }
    good = {"make": OK | {"body": {"id": "new"}}, "look": OK | {"body": {"status": "completed"}}, "list": listed, "remove": OK}
    made = run("backup-and-cleanup", {}, outputs=good)
    assert made.state.status == "completed"
    assert [one["id"] for one in made.state.steps["old"].output] == ["old"]
    bad = run("backup-and-cleanup", {}, outputs=good | {"look": OK | {"body": {"status": "failed"}}})
    assert (bad.state.status, {"alarm", "list"} & done(bad)) == ("failed", {"alarm"})
    dead = run("backup-and-cleanup", {}, errors={"make": DOWN})
    assert (dead.state.status, {"alarm", "list"} & done(dead)) == ("failed", {"alarm"})


ANY = {"type": "object", "properties": {"p": {}}}
PLACES: dict[str, Any] = {
    "nodes": [
        {"id": "a", "type": "set", "with": {"whole": "${parameters.p}", "text": "a ${parameters.p} b", "in": "{{ [${parameters.p}] }}"}},
        {"id": "b", "type": "set", "with": {"when": "${parameters.p}", "expression": "${parameters.p}"}},
        {"id": "c", "type": "transform", "with": {"expression": "${parameters.p}"}},
        {"id": "d", "type": "group", "with": {"nodes": [{"id": "e", "type": "transform", "with": {"expression": "[${parameters.p}][0]"}}]}},
        {"id": "f", "type": "wait", "with": {"until": "${parameters.p}"}},
        {"id": "g", "type": "loop", "with": {"until": "${parameters.p}", "body": {"nodes": []}}},
    ],
}


@many(150)
@given(json_values(6))
def test_whatever_a_parameter_is_it_stays_a_value(value: Any) -> None:
    assert SchemaCheck(ANY).errors({"p": value}) == []
    a, b, c, d, f, g = (node["with"] for node in fill(PLACES, ANY, {"p": value})["nodes"])
    assert [compile_template(one).render({}) for one in (a["whole"], b["when"], b["expression"], f["until"])] == [value] * 4
    assert compile_template(a["text"]).is_constant
    assert g["until"] == c["expression"]
    try:
        assert compile_template(a["in"]).render({}) == [value]
        assert compile_expression(c["expression"]).evaluate_json({}) == value
        assert compile_expression(d["nodes"][0]["with"]["expression"]).evaluate_json({}) == value
    except ExpressionError as error:  # integers of over 64 bits, which CEL does not have
        assert error.code in ("expression_syntax", "expression_limit", "expression_value", "expression_type"), error.code


def test_a_parameter_may_be_an_expression_where_its_schema_says_so() -> None:
    schema = {"type": "object", "properties": {"p": {"type": "string", "x-template": True}}}
    a, _, c, *_ = (node["with"] for node in fill(PLACES, schema, {"p": "{{ now }}"})["nodes"])
    assert (a["whole"], a["text"], c["expression"]) == ("{{ now }}", "a {{ now }} b", "{{ now }}")


def test_what_is_not_given_is_left_out_and_what_is_too_large_is_refused() -> None:
    nodes = fill(PLACES, ANY, {})["nodes"]
    assert [sorted(node["with"]) for node in nodes[:3]] == [["in", "text"], [], []]
    assert (nodes[0]["with"]["text"], nodes[0]["with"]["in"]) == ("a  b", "{{ [null] }}")
    with pytest.raises(ParametersInvalid, match="larger than"):
        fill({"texts": ["${parameters.p}"] * 3}, ANY, {"p": "x" * 400_000})
