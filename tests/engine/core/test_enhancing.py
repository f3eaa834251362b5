"""Enhancement: with the tenant's tier and a model that answers, its checked result stands; in every other case the node's own work does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from weft_engine.core import items as i
from weft_engine.core.evolve import flat
from weft_engine.core.ledger import effects
from weft_engine.core.sentences import because
from weft_engine.views import effect_views, step_views

from tests.engine.core.conftest import CONTEXT, ID, Run, program_of
from tests.engine.core.test_replaying import same_again
from tests.engine.core.test_retrying import again
from tests.engine.migrating.conftest import to, verdict_of, version

PREMIUM = replace(CONTEXT, tenant={"id": "acme", "tier": "premium", "settings": {}})
USAGE = {"model": "gpt", "cost": 0.01}


def enhanced(node: dict[str, Any], apply: str = "replace", type_: str = "ai.generate", **more: Any) -> dict[str, Any]:
    schema = {"schema": more.pop("schema")} if "schema" in more else {}
    with_ = {"connection": "brain", "instructions": "Better.", **schema, **more.pop("with_", {})}
    return {**node, "enhance": {"type": type_, "with": with_, "apply": apply, **more}}


def run(*nodes: dict[str, Any], **more: Any) -> Run:
    return Run(program_of(list(nodes), **more), context=PREMIUM)


def answer(run: Run, result: Any, node: str = "a", visit: int = 1) -> Run:
    return run.do(i.ActivityCompleted(ID, f"{node}.enhance", visit, 1, "done", {"result": result, "usage": USAGE}))


def refuse(run: Run, code: str, node: str = "a") -> Run:
    error = {"code": code, "message": f"{code} it is", "permanent": True, "details": {"usage": USAGE}}
    return run.do(i.ActivityFailed(ID, f"{node}.enhance", 1, 1, error))


def step(run: Run, node: str = "a") -> Any:
    return run.state.steps[node]


def told(run: Run, node: str = "a") -> tuple[bool, str | None]:
    enhancement = step(run, node).enhancement
    return enhancement["applied"], enhancement["reason"]


def asked(run: Run) -> list[tuple[str, str, str]]:
    """What workers were asked: node, name and key."""
    requests = [out.item.data for out in run.outgoing if out.item.type == "activity.requested"]
    read = [msgspec.json.decode(one) if isinstance(one, bytes | msgspec.Raw) else one for one in requests]
    return [(one["node"], one["name"], one["key"].rpartition(":")[0].rpartition(":")[2]) for one in read]


PLAIN: dict[str, Any] = {"id": "a", "type": "transform", "with": {"expression": "'own'"}}
WORK: dict[str, Any] = {"id": "a", "type": "activity", "with": {"name": "send", "input": {"text": "own"}}}
INPUT = {"type": "object", "properties": {"input": {}}}


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

    assert (replaced.state.status, replaced.state.steps.keys()) == ("completed", {"a"})
    assert (after.state.status, step(after).output, told(after)) == ("completed", {"l": 2}, (False, "refused"))
    assert (late.state.scopes, late.waits("a").kind) == ({}, "enhancing")
    for one in (replaced, after, answer(late, {"l": 3})):
        same_again(one)
    assert step(late).output is None or step(late).output == {"l": 3}


def test_the_output_that_is_to_be_bettered_can_be_read() -> None:
    node = enhanced(PLAIN, "output", with_={"input": "{{ step.a.output }}"})
    waits = run(node).start()

    assert waits.waits("a").data["input"]["input"] == "own"


def test_a_pause_puts_the_time_of_an_enhancement_off_and_keeps_its_answer() -> None:
    paused = run(enhanced(PLAIN)).start().do(i.Pause(ID, user="u"))
    answer(paused, "better")
    assert paused.state.status == "paused"
    paused.later(hours=1)
    done = paused.do(i.Resume(ID, user="u"))
    assert (done.state.status, step(done).output) == ("completed", "better")

    slow = run(enhanced(PLAIN)).start().do(i.Pause(ID, user="u"))
    slow.later(hours=1).do(i.Resume(ID, user="u"))
    assert slow.later(seconds=4).waits("a").kind == "enhancing"
    assert told(slow.later(seconds=1)) == (False, "late")


def test_a_cancel_ends_it_with_everything_else() -> None:
    done = run(enhanced(PLAIN)).start().do(i.Cancel(ID))
    after = answer(done, "better")

    assert (after.state.status, step(after).status, step(after).enhancement) == ("cancelled", "cancelled", None)
    same_again(done)


def test_a_group_that_is_over_takes_an_enhancement_inside_it_back() -> None:
    group = {"id": "g", "type": "group", "timeout": "3s", "with": {"nodes": [enhanced(PLAIN)]}}
    done = run(group).start().later(seconds=3)

    assert (done.state.status, step(done, "g").error["code"], step(done).status) == ("failed", "timeout", "cancelled")


def test_the_nodes_own_work_has_all_of_its_timeout_and_an_answer_to_it_is_not_one_to_the_model() -> None:
    waits = run(enhanced({**WORK, "timeout": "10s"}, schema=INPUT, apply="input")).start().later(seconds=5)
    assert waits.waits("a").kind == "activity"
    waits.later(seconds=9)
    stale = waits.do(i.ActivityCompleted(ID, "a.enhance", 1, 1, "done", {"result": {"input": 1}}))
    assert stale.waits("a").kind == "activity"
    assert (stale.later(seconds=1).state.error or {})["code"] == "timeout"

    own_answer = run(enhanced(WORK)).start().do(i.ActivityCompleted(ID, "a", 1, 1, "done", "not asked yet"))
    assert own_answer.waits("a").kind == "enhancing"


def test_further_attempts_ask_with_the_same_input_and_another_visit_asks_the_model_anew() -> None:
    node = enhanced({**WORK, "retry": {"attempts": 2, "delay": "1s", "jitter": False}}, "input", schema=INPUT)
    tried = answer(run(node).start(), {"input": "better"}).fail("a").later(seconds=1)

    assert (tried.waits("a").data["input"], tried.waits("a").attempt, len(asked(tried))) == ("better", 2, 3)
    done = tried.complete("a", 1)
    assert (done.state.status, told(done), step(done).attempts) == ("completed", (True, None), 2)


def test_what_a_model_did_in_the_place_of_the_node_is_not_undone() -> None:
    undone = {"compensate": {"type": "activity", "with": {"name": "undo"}}}
    fails = {"id": "f", "type": "fail", "with": {}}
    replaced = answer(run({**enhanced(WORK), **undone}, fails, settings={"on_failure": "compensate"}).start(), 1)
    own = refuse(run({**enhanced(WORK), **undone}, fails, settings={"on_failure": "compensate"}).start(), "ai_refused").complete("a", 1)

    assert (replaced.state.status, own.waits("a.compensate").data["name"]) == ("failed", "undo")


def test_a_retry_that_goes_back_takes_what_was_done_and_asks_no_model_again() -> None:
    fails = {"id": "f", "type": "activity", "retry": {"attempts": 1}, "with": {"name": "f"}}
    before = {"id": "s", "type": "set", "with": {"v": 1}}
    runs = [
        answer(run(before, enhanced(WORK), fails).start(), "better"),
        answer(run(before, enhanced(WORK, "input", schema=INPUT), fails).start(), {"input": "better"}).complete("a", "sent"),
        answer(run(before, enhanced(WORK, "output"), fails).start().complete("a", "sent"), "better"),
    ]
    for one in runs:
        known = len(asked(one))
        output = step(one).output
        back = again(one.fail("f"), "s")
        assert (step(back).visit, step(back).output, len(asked(back)) - known) == (2, output, 1)
        assert back.complete("f").state.status == "completed"


def test_a_retry_of_an_execution_that_failed_after_an_enhancement_begins_the_visit_anew() -> None:
    bad = {"id": "a", "type": "transform", "with": {"expression": "input.nothing.at.all"}}
    failed = refuse(run(enhanced(bad)).start(), "ai_refused")
    assert (failed.state.status, told(failed)) == ("failed", (False, "refused"))
    back = again(failed)
    assert [one.status for one in step_views(ID, back.rows, back.program)] == ["failed", "waiting"]
    assert answer(back, 1, visit=2).state.status == "completed"


def test_every_asking_of_a_model_is_an_effect_of_its_own() -> None:
    done = answer(run(enhanced(WORK, "output")).start().complete("a", "own"), "better")
    refused = refuse(run(enhanced(WORK)).start(), "ai_refused").complete("a", "own")

    assert [(one.node, one.kind, one.status) for one in effects(flat(done.rows))] == [
        ("a", "activity", "done"), ("a.enhance", "enhancement", "done"),
    ]  # fmt: skip
    assert [(one.node, one.kind, one.status) for one in effects(flat(refused.rows))] == [
        ("a.enhance", "enhancement", "failed"), ("a", "activity", "done"),
    ]  # fmt: skip
    assert [one.key for one in effect_views(ID, done.rows)] == [f"{ID}:a:1", f"{ID}:a.enhance:1"]


@pytest.mark.parametrize("apply", ["replace", "output"])
def test_an_execution_that_is_migrated_meanwhile_takes_the_answer_under_its_old_name(apply: str) -> None:
    waits = Run(version(1, [enhanced(PLAIN, apply)]), context=PREMIUM).start()
    moved = to(waits, version(2, [enhanced({**PLAIN, "id": "z"}, apply)]), {"a": "z"})
    assert verdict_of(moved)[0] != "blocked"
    done = answer(waits, "better")
    assert (done.state.status, step(done, "z").output, told(done, "z")) == ("completed", "better", (True, None))


def test_a_version_that_enhances_otherwise_lets_the_own_work_stand() -> None:
    waits = Run(version(1, [enhanced(PLAIN)]), context=PREMIUM).start()
    to(waits, version(2, [PLAIN]))
    done = answer(waits, "better")
    assert (done.state.status, step(done).output, told(done)) == ("completed", "own", (False, "migrated"))


def test_each_iteration_has_an_enhancement_of_its_own() -> None:
    each = {"id": "e", "type": "foreach", "with": {"items": [1, 2], "concurrency": 2, "body": {"nodes": [enhanced(PLAIN)]}}}
    waits = run(each).start()
    done = answer(answer(waits, "two", visit=2), "one", visit=1)

    assert (done.state.status, step(done, "e").output) == ("completed", ["one", "two"])
    same_again(done)
