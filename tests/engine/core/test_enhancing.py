"""Enhancement: with the tenant's tier and a model that answers, its checked result stands; in every other case the node's own work does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from weft_engine.core.evolve import flat
from weft_engine.core.sentences import because
from weft_engine.views import step_views

from tests.engine.core.conftest import CONTEXT, ID
from tests.engine.core.enhanced import INPUT, PLAIN, PREMIUM, USAGE, WORK, answer, asked, enhanced, refuse, run, step, told
from tests.engine.core.test_replaying import same_again


@pytest.mark.parametrize("apply", ["replace", "output"])
def test_a_result_stands_for_the_work_or_its_output(apply: str) -> None:
    done = answer(run(enhanced(PLAIN, apply)).start(), "better")

    assert (done.state.status, step(done).output, told(done)) == ("completed", "better", (True, None))
    assert step(done).enhancement["usage"] == USAGE
    (shown,) = step_views(ID, done.rows, done.program)
    assert shown.enhancement == {"type": "ai.generate", "apply": apply, "applied": True, "reason": None, "usage": USAGE}
    same_again(done)


def test_what_is_asked_has_a_name_and_a_key_of_its_own_and_its_time() -> None:
    waits = run(enhanced(WORK, "output")).start().complete("a", "own")

    assert asked(waits) == [("a", "send", "a"), ("a.enhance", "ai.generate", "a.enhance")]
    pending = waits.waits("a")
    assert (pending.kind, (pending.due_at - waits.now).total_seconds() if pending.due_at else None) == ("enhancing", 5.0)
    assert waits.state.status == "running"
    assert any("ai.generate" in one for one in because(waits.state, flat(waits.rows), waits.program, {}))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ai_over_budget", "over_budget"), ("ai_refused", "refused"), ("ai_timeout", "late"), ("deadline", "late"),
        ("ai_invalid", "invalid"),
        ("ai_rate_limited", "unavailable"), ("unknown_connection", "unavailable"), ("activity_crashed", "unavailable"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("apply", ["replace", "output", "input"])
def test_whatever_goes_wrong_the_nodes_own_work_stands(apply: str, code: str, reason: str) -> None:
    waits = run(enhanced(WORK, apply, schema=INPUT)).start()
    done = refuse(waits.complete("a", "own"), code) if apply == "output" else refuse(waits, code).complete("a", "own")

    assert (done.state.status, step(done).output, told(done)) == ("completed", "own", (False, reason))
    assert [name for _, name, _ in asked(done)].count("send") == 1
    same_again(done)


@pytest.mark.parametrize("apply", ["replace", "output", "input"])
def test_what_comes_too_late_changes_nothing_any_more(apply: str) -> None:
    waits = run(enhanced(WORK, apply, schema=INPUT, with_={"timeout_s": 2})).start()
    if apply == "output":
        waits = waits.complete("a", "own").later(seconds=2)
    else:
        waits = waits.later(seconds=2)
        assert waits.waits("a").kind == "activity"
        waits = waits.complete("a", "own")
    rows = len(waits.rows)
    late = answer(waits, {"input": "late"})

    assert (late.state.status, step(late).output, told(late), len(late.rows)) == ("completed", "own", (False, "late"), rows)
    same_again(late)


@pytest.mark.parametrize("tier", [None, "free", "standard", "gold"])
@pytest.mark.parametrize("apply", ["replace", "output", "input"])
def test_a_tenant_of_a_lower_tier_or_of_none_is_not_enhanced(tier: str | None, apply: str) -> None:
    lower = run(enhanced(WORK, apply, schema=INPUT))
    lower.context = replace(CONTEXT, tenant={"id": "acme", "tier": tier, "settings": {}})
    done = lower.start().complete("a", "own")

    assert (done.state.status, step(done).output, told(done)) == ("completed", "own", (False, "tier"))
    assert asked(done) == [("a", "send", "a")]
    same_again(done)


def test_a_tier_that_is_asked_for_is_enough_and_what_is_above_it() -> None:
    reached = [
        run(enhanced(PLAIN, min_tier=least)).start().state.status
        for least in ("free", "standard", "premium", "enterprise")
    ]  # fmt: skip
    assert reached == ["running", "running", "running", "completed"]


@pytest.mark.parametrize("held", ["node_type:ai.generate", "connection:brain"])
@pytest.mark.parametrize("apply", ["replace", "output", "input"])
def test_what_is_suspended_is_not_asked_and_holds_nothing_up(held: str, apply: str) -> None:
    calm = run(enhanced(WORK, apply, schema=INPUT))
    calm.context = replace(PREMIUM, suspended={held: "suspended:1"})
    done = calm.start().complete("a", "own")

    assert (done.state.status, told(done)) == ("completed", (False, "suspended"))
    same_again(done)


def test_what_cannot_be_rendered_is_not_asked() -> None:
    done = run(enhanced(PLAIN, with_={"input": "{{ input.nothing }}"}), output={"a": "{{ step.a.output }}"}).start()

    assert (done.state.output, told(done)) == ({"a": "own"}, (False, "not_rendered"))


def test_an_input_is_given_to_the_work_as_it_is_written_and_no_further_than_its_schema() -> None:
    sly = "{{ tenant.settings }}"
    asks = answer(run(enhanced(WORK, "input", schema=INPUT)).start(), {"input": sly})
    assert asks.waits("a").data["input"] == sly
    assert (told(asks), asks.waits("a").data["name"]) == ((True, None), "send")
    done = asks.complete("a", 1)
    assert done.state.status == "completed"
    (shown,) = step_views(ID, done.rows, done.program)
    assert (shown.input, shown.status, shown.attempts) == (sly, "completed", 1)
    same_again(done)

    wider = answer(run(enhanced(WORK, "input", schema=INPUT)).start(), {"input": 1, "name": "pay"})
    assert (told(wider), wider.waits("a").data["input"]) == ((False, "invalid"), {"text": "own"})


CALL = {"id": "a", "type": "http.request", "with": {"url": "https://x.example", "method": "POST", "body": {"n": 1}}}
TASK = {"id": "a", "type": "task", "with": {"title": "Look", "data": {"n": 1}}}
EACH = {
    "id": "a",
    "type": "foreach",
    "with": {"items": [1, 2], "max_items": 3, "body": {"nodes": [{"id": "b", "type": "activity", "with": {"name": "w"}}]}},
}
OTHER = {"id": "a", "type": "call", "with": {"workflow": "child", "input": {"n": 1}}}
SAY = {"id": "a", "type": "publish", "with": {"type": "said", "data": {"n": 1}}}


@pytest.mark.parametrize(
    ("node", "member", "value"),
    [(CALL, "body", {"n": 2}), (TASK, "data", {"n": 2}), (EACH, "items", [3]), (OTHER, "input", {"n": 2}), (SAY, "data", {"n": 2})],
)
def test_an_input_can_be_given_to_what_has_one(node: dict[str, Any], member: str, value: Any) -> None:
    schema = {"type": "object", "properties": {member: {}}}
    asks = answer(run(enhanced(node, "input", schema=schema)).start(), {member: value})

    written = repr([entry.data for row in asks.rows for entry in row.entries if entry.kind != "step.enhanced"])
    assert (told(asks), repr(value) in written) == ((True, None), True)


@pytest.mark.parametrize(
    ("node", "member", "value"),
    [(EACH, "items", [1, 2, 3, 4]), (EACH, "items", "many"), (OTHER, "input", "text"), (TASK, "description", 5)],
)
def test_an_input_that_the_node_could_not_take_is_invalid(node: dict[str, Any], member: str, value: Any) -> None:
    schema = {"type": "object", "properties": {member: {}}}
    assert told(answer(run(enhanced(node, "input", schema=schema)).start(), {member: value})) == (False, "invalid")


IF = {"id": "a", "type": "if", "with": {"when": "false"}}
SWITCH = {"id": "a", "type": "switch", "with": {"cases": [{"when": "false", "outcome": "x"}], "default": "y"}}
SET = {"id": "a", "type": "set", "with": {"v": 1}}
PAR = {"id": "a", "type": "parallel", "with": {"branches": {"l": {"nodes": [{"id": "b", "type": "activity", "with": {"name": "w"}}]}}}}


@pytest.mark.parametrize("apply", ["replace", "output"])
@pytest.mark.parametrize(
    ("node", "result", "outcome"), [(IF, True, "true"), (SWITCH, "x", "x"), (SET, {"v": 2}, "done")],
)  # fmt: skip
def test_a_result_chooses_the_way_and_sets_the_variables(node: dict[str, Any], result: Any, outcome: str, apply: str) -> None:
    done = answer(run(enhanced(node, apply)).start(), result)

    assert (step(done).outcome, step(done).output, told(done)) == (outcome, result, (True, None))
    assert done.state.vars == ({"v": 2} if node is SET else {})
    same_again(done)


@pytest.mark.parametrize("apply", ["replace", "output"])
@pytest.mark.parametrize(("node", "result"), [(IF, "true"), (SWITCH, "z"), (SET, {"w": 1}), (SET, 1)])
def test_a_result_that_does_not_do_is_invalid(node: dict[str, Any], result: Any, apply: str) -> None:
    own = run(node).start()
    done = answer(run(enhanced(node, apply)).start(), result)

    assert told(done) == (False, "invalid")
    assert (step(done).outcome, step(done).output, done.state.vars) == (step(own).outcome, step(own).output, own.state.vars)
    same_again(done)


def test_scopes_are_entered_only_where_no_model_did_their_work() -> None:
    replaced = answer(run(enhanced(PAR)).start(), {"l": 1})
    entered = refuse(run(enhanced(PAR)).start(), "ai_refused")
    after = entered.complete("b", 2)
    late = run(enhanced(PAR, "output")).start().complete("b", 2)

    assert (replaced.state.status, set(replaced.state.steps)) == ("completed", {"a"})
    assert (after.state.status, step(after).output, told(after)) == ("completed", {"l": 2}, (False, "refused"))
    assert (late.state.scopes, late.waits("a").kind) == ({}, "enhancing")
    for one in (replaced, after, answer(late, {"l": 3})):
        same_again(one)
    assert step(late).output is None or step(late).output == {"l": 3}


def test_the_output_that_is_to_be_bettered_can_be_read() -> None:
    node = enhanced(PLAIN, "output", with_={"input": "{{ step.a.output }}"})
    waits = run(node).start()

    assert waits.waits("a").data["input"]["input"] == "own"
