"""What is held up waits and loses nothing: nodes of a type, and all that is asked by a connection; and it goes on when that is lifted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.core.apply import apply
from weft_engine.core.sentences import because
from weft_engine.core.state import State
from weft_engine.views import waiting_view

from tests.engine.core.conftest import CONTEXT, ID, START, Run, program_of
from tests.engine.core.test_replaying import same_again
from tests.engine.core.test_retrying import again

HELD_UP = replace(CONTEXT, suspended={"node_type:set": "suspended:1"})
BANK = replace(CONTEXT, suspended={"connection:bank": "suspended:1"})
PAY: dict[str, Any] = {"id": "pay", "type": "http.request", "with": {"connection": "bank", "url": "/pay"}}
OTHER: dict[str, Any] = {"id": "pay", "type": "http.request", "with": {"connection": "shop", "url": "/pay"}}


def run(nodes: list[dict[str, Any]], **more: Any) -> Run:
    return Run(program_of(nodes, **more))


def held(run: Run) -> list[tuple[str, str]]:
    """What waits for the end of a suspension: node and gate."""
    shown = [waiting_view(pending, run.state) for pending in run.state.pending.values()]
    return [(one.node, str(one.for_)) for one in shown if one.kind == "suspended"]


def asked(run: Run) -> list[tuple[str, int, int]]:
    """What workers were asked: node, visit and attempt."""
    entries = [entry for row in run.rows for entry in row.entries if entry.kind == "step.scheduled"]
    return [(str(entry.node), entry.visit, entry.attempt) for entry in entries]


def test_a_node_of_a_suspended_type_waits_at_its_gate_and_goes_on_when_let_in() -> None:
    program = program_of([{"id": "a", "type": "transform", "with": {"expression": "1"}}, {"id": "b", "type": "set", "with": {"x": 1}}])
    held = apply(State(ID, "acme", "test", 1), i.Start(ID, "test"), START, program, HELD_UP).state
    assert (held.status, held.gates, [pending.kind for pending in held.pending.values()]) == ("waiting", ("suspended:1",), ["suspended"])
    # The lane may learn of the lifting only later than of the admission.
    done = apply(held, i.Admit(ID), START, program, HELD_UP).state
    assert (done.status, done.vars) == ("completed", {"x": 1})


def test_a_start_in_a_suspended_workflow_waits_to_be_admitted() -> None:
    program = program_of([{"id": "b", "type": "set", "with": {"x": 1}}])
    context = replace(CONTEXT, suspended={"workflow:test": "suspended:2"})
    queued = apply(State(ID, "acme", "test", 1), i.Start(ID, "test"), START, program, context).state
    assert (queued.status, queued.gates) == ("queued", ("suspended:2",))
    assert apply(queued, i.Admit(ID), START, program, context).state.status == "completed"


@pytest.mark.parametrize("gates", [[], ["suspended:1"], ["suspended:0", "suspended:1"]])
def test_a_node_waits_while_its_connection_is_held_up(gates: list[str]) -> None:
    paying = run([PAY])
    paying.context = BANK
    paying.start()
    assert (paying.state.status, held(paying), asked(paying)) == ("waiting", [("pay", "suspended:1")], [])
    paying.do(i.Admit(ID, gates))
    assert (paying.state.status, held(paying)) == ("running", [])
    assert paying.complete("pay", {"status": 200}).state.status == "completed"


@pytest.mark.parametrize(
    "node", [OTHER, {**PAY, "with": {"url": "https://bank.example"}}, {"id": "pay", "type": "activity", "with": {"name": "bank"}}]
)
def test_a_node_that_goes_by_another_connection_or_by_none_is_not_held_up(node: dict[str, Any]) -> None:
    paying = run([node])
    paying.context = BANK
    assert asked(paying.start()) == [("pay", 1, 1)]


def test_a_branch_by_a_connection_waits_and_the_others_go_on() -> None:
    branches = {"a": {"nodes": [PAY]}, "b": {"nodes": [{**OTHER, "id": "b"}]}}
    paying = run([{"id": "both", "type": "parallel", "with": {"branches": branches}}, {"id": "after", "type": "set", "with": {"x": 1}}])
    paying.context = BANK
    paying.start()
    assert (held(paying), asked(paying)) == ([("pay", "suspended:1")], [("b", 1, 1)])
    assert paying.complete("b").state.status == "waiting"
    paying.context = CONTEXT
    assert paying.do(i.Admit(ID, ["suspended:1"])).complete("pay").state.status == "completed"


def test_an_attempt_waits_with_what_it_knows_and_is_the_next_one_of_the_same_visit() -> None:
    paying = run([{**PAY, "retry": {"attempts": 3, "delay": "10s", "jitter": False}}])
    paying.start().fail("pay")
    paying.context = BANK
    paying.later(seconds=11)
    assert (paying.state.status, held(paying), asked(paying)) == ("waiting", [("pay", "suspended:1")], [("pay", 1, 1)])
    assert paying.state.steps["pay"].status == "retrying"
    (told,) = because(paying.state, [], None, {"suspended:1": "suspension 1 of the connection bank"})
    assert told.startswith("pay (visit 1) waits before attempt 2 of 'http.request', held up by suspension 1 of the connection bank since ")
    rows = len(paying.rows)
    assert len(paying.later(days=3).rows) == rows, "time alone changes nothing"
    paying.do(i.Admit(ID, ["suspended:1"]))
    assert (paying.state.status, asked(paying)) == ("running", [("pay", 1, 1), ("pay", 1, 2)])
    paying.fail("pay").later(seconds=21)
    assert asked(paying)[-1] == ("pay", 1, 3), "a lane that has not heard of the lifting holds up nobody who was let in"
    assert paying.complete("pay").state.status == "completed"


def test_an_attempt_that_is_let_in_waits_where_its_connection_was_suspended_anew_meanwhile() -> None:
    paying = run([{**PAY, "retry": {"attempts": 3, "delay": "10s", "jitter": False}}])
    paying.start().fail("pay")
    paying.context = BANK
    paying.later(seconds=11)
    paying.context = replace(CONTEXT, suspended={"connection:bank": "suspended:2"})
    paying.do(i.Admit(ID, ["suspended:1"]))
    assert (held(paying), asked(paying)) == ([("pay", "suspended:2")], [("pay", 1, 1)])
    paying.do(i.Admit(ID, ["suspended:2"]))
    assert asked(paying) == [("pay", 1, 1), ("pay", 1, 2)]
    same_again(paying.complete("pay"))


def test_an_undoing_that_is_let_in_waits_where_its_connection_was_suspended_anew_meanwhile() -> None:
    undo = {"type": "http.request", "with": {"connection": "bank", "url": "/refund"}}
    paying = run([{**OTHER, "id": "a", "compensate": undo}, {"id": "undo", "type": "compensate"}])
    paying.start()
    paying.context = BANK
    paying.complete("a")
    paying.context = replace(CONTEXT, suspended={"connection:bank": "suspended:2"})
    paying.do(i.Admit(ID, ["suspended:1"]))
    assert held(paying) == [("a.compensate", "suspended:2")]
    assert asked(paying.do(i.Admit(ID, ["suspended:2"])))[1:] == [("a.compensate", 1, 1)]


def test_an_attempt_that_is_held_up_is_taken_back_like_any_other() -> None:
    paying = run([{**PAY, "retry": {"attempts": 3, "delay": "10s", "jitter": False}, "timeout": "1m"}])
    paying.start().fail("pay")
    paying.context = BANK
    held_up = paying.later(seconds=11)
    assert held(held_up) == [("pay", "suspended:1")]
    late = held_up.later(minutes=1)
    assert (late.state.status, (late.state.error or {})["code"]) == ("failed", "timeout")
    other = run([{**PAY, "retry": {"attempts": 3, "delay": "10s", "jitter": False}}]).start().fail("pay")
    other.context = BANK
    assert other.later(seconds=11).do(i.Cancel(ID)).state.status == "cancelled"


def test_what_was_held_up_is_held_up_over_a_pause_and_let_go_by_it() -> None:
    paying = run([{**PAY, "retry": {"attempts": 3, "delay": "10s", "jitter": False}}]).start().fail("pay")
    paying.context = BANK
    paying.later(seconds=11).do(i.Pause(ID, None, "ann"))
    paying.do(i.Admit(ID, ["suspended:1"]))
    assert asked(paying) == [("pay", 1, 1)]
    assert asked(paying.do(i.Resume(ID, "ann"))) == [("pay", 1, 1), ("pay", 1, 2)]


@pytest.mark.parametrize("on_failure", [False, True])
def test_an_undoing_by_a_connection_waits_and_the_order_stays(on_failure: bool) -> None:
    undo = {"type": "http.request", "with": {"connection": "bank", "url": "/refund"}}
    done = [{**OTHER, "id": name, "compensate": undo} for name in ("a", "b")]
    nodes = [*done, {"id": "no", "type": "fail"} if on_failure else {"id": "undo", "type": "compensate"}]
    paying = run(nodes, **({"settings": {"on_failure": "compensate"}} if on_failure else {}))
    paying.start().complete("a")
    paying.context = BANK
    paying.complete("b")
    assert (paying.state.status, held(paying)) == ("waiting", [("b.compensate", "suspended:1")])
    paying.do(i.Admit(ID, ["suspended:1"]))
    assert (paying.state.status, asked(paying)[2:]) == ("running", [("b.compensate", 1, 1)])
    paying.fail("b.compensate").later(minutes=1).complete("b.compensate")
    assert asked(paying)[2:] == [("b.compensate", 1, 1), ("b.compensate", 1, 2), ("a.compensate", 1, 1)]
    paying.complete("a.compensate")
    assert paying.state.status == ("failed" if on_failure else "completed")
    assert [paying.state.steps[name].status for name in ("a", "b")] == ["compensated", "compensated"]


def test_an_undoing_that_is_held_up_is_given_up_when_the_execution_is_cancelled() -> None:
    undo = {"type": "http.request", "with": {"connection": "bank", "url": "/refund"}}
    paying = run([{**OTHER, "compensate": undo}, {"id": "undo", "type": "compensate"}]).start()
    paying.context = BANK
    paying.complete("pay")
    assert held(paying) == [("pay.compensate", "suspended:1")]
    assert paying.do(i.Cancel(ID)).state.status == "cancelled"


def test_what_two_suspensions_hold_up_is_let_go_by_each_for_itself() -> None:
    branches = {"a": {"nodes": [PAY]}, "b": {"nodes": [{**OTHER, "id": "b"}]}}
    paying = run([{"id": "both", "type": "parallel", "with": {"branches": branches}}])
    paying.context = replace(CONTEXT, suspended={"connection:bank": "suspended:1", "connection:shop": "suspended:2"})
    paying.start()
    assert held(paying) == [("pay", "suspended:1"), ("b", "suspended:2")]
    assert (held(paying.do(i.Admit(ID, ["suspended:2"]))), asked(paying)) == ([("pay", "suspended:1")], [("b", 2, 1)])
    assert paying.do(i.Admit(ID, ["suspended:1"])).complete("pay").complete("b").state.status == "completed"


def test_a_node_whose_type_and_connection_are_held_up_passes_both_gates() -> None:
    paying = run([PAY])
    paying.context = replace(CONTEXT, suspended={"connection:bank": "suspended:1", "node_type:http.request": "suspended:2"})
    paying.start()
    assert held(paying) == [("pay", "suspended:2")]
    assert held(paying.do(i.Admit(ID, ["suspended:2"]))) == [("pay", "suspended:1")]
    assert asked(paying.do(i.Admit(ID, ["suspended:1"]))) == [("pay", 3, 1)]


def test_a_retry_waits_for_an_attempt_that_is_held_up_as_it_was() -> None:
    branches = {
        "a": {"nodes": [{**PAY, "retry": {"attempts": 3, "delay": "10s", "jitter": False}}]},
        "b": {"nodes": [{"id": "b", "type": "activity", "with": {"name": "b"}}]},
    }
    paying = run([{"id": "both", "type": "parallel", "with": {"branches": branches}}]).start().fail("pay")
    paying.context = BANK
    paying.later(seconds=11).fail("b", permanent=True)
    assert paying.state.status == "failed"
    again(paying)
    assert (held(paying), asked(paying)[-1]) == ([("pay", "suspended:1")], ("b", 2, 1))
    paying.do(i.Admit(ID, ["suspended:1"]))
    assert asked(paying)[-1] == ("pay", 1, 2), "under the key of the attempts before"
    assert paying.complete("pay").complete("b").state.status == "completed"


def test_what_was_held_up_happens_again_as_it_did() -> None:
    undo = {"type": "http.request", "with": {"connection": "bank", "url": "/refund"}}
    nodes = [{**PAY, "retry": {"attempts": 3, "delay": "10s", "jitter": False}, "compensate": undo}, {"id": "undo", "type": "compensate"}]
    paying = run(nodes)
    paying.context = BANK
    paying.start().later(minutes=1).do(i.Admit(ID, ["suspended:1"]))
    paying.context = replace(CONTEXT, suspended={"connection:bank": "suspended:2"})
    paying.fail("pay").later(minutes=1).do(i.Admit(ID, ["suspended:2"]))
    paying.context = replace(CONTEXT, suspended={"connection:bank": "suspended:3"})
    paying.complete("pay").later(minutes=1).do(i.Admit(ID, ["suspended:3"])).complete("pay.compensate")
    assert paying.state.status == "completed"
    same_again(paying)


def test_a_start_that_was_held_up_happens_again_as_it_did() -> None:
    for suspended in ({"workflow:test": "suspended:1"}, {"tenant": "suspended:1", "workflow:test": "suspended:2"}):
        held_up = run([{"id": "b", "type": "set", "with": {"x": 1}}])
        held_up.context = replace(CONTEXT, suspended=suspended)
        same_again(held_up.start().later(minutes=1).do(i.Admit(ID)))


def test_the_time_of_a_node_that_is_held_up_begins_when_it_is_let_in() -> None:
    program = program_of([{"id": "b", "type": "wait", "timeout": "10s", "with": {"for": "1h"}}])
    context = replace(CONTEXT, suspended={"node_type:wait": "suspended:1"})
    held = apply(State(ID, "acme", "test", 1), i.Start(ID, "test"), START, program, context).state
    later = START + timedelta(seconds=60)
    assert apply(held, i.Tick(ID), later, program, context).entries == []
    let_in = apply(held, i.Admit(ID), later, program, CONTEXT).state
    assert [(pending.kind, pending.deadline_at) for pending in let_in.pending.values()] == [("timer", later + timedelta(seconds=10))]


def test_being_held_up_is_no_attempt_and_gives_none_back() -> None:
    work = {"id": "a", "type": "activity", "with": {"name": "work"}, "retry": {"attempts": 1}}
    retry = {"attempts": 2, "delay": "10s", "jitter": False}
    program = program_of([{"id": "g", "type": "group", "retry": retry, "with": {"nodes": [work]}}])
    context = replace(CONTEXT, suspended={"node_type:group": "suspended:1"})
    broken = {"code": "broken", "message": "broken"}
    state = apply(State(ID, "acme", "test", 1), i.Start(ID, "test"), START, program, CONTEXT).state
    state = apply(state, i.ActivityFailed(ID, "a", 1, 1, broken), START, program, CONTEXT).state
    later = START + timedelta(seconds=10)
    state = apply(state, i.Tick(ID), later, program, context).state
    assert [pending.kind for pending in state.pending.values()] == ["suspended"]
    state = apply(state, i.Admit(ID), later, program, CONTEXT).state
    assert (state.steps["g"].visit, state.steps["g"].attempts) == (3, 2)
    assert apply(state, i.ActivityFailed(ID, "a", 2, 1, broken), later, program, CONTEXT).state.status == "failed"
