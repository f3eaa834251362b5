"""Simulations: what an execution would do, decided by the engine's own core, with an outside that is told and a clock that skips."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_engine.core import entries as e
from weft_engine.core import items as i
from weft_engine.core.context import Context
from weft_engine.core.evolve import flat, fold
from weft_engine.core.simulating import MOST_ENTRIES, Answers, Simulation, answers_of, begin, go_on
from weft_engine.core.simulating.samples import sample
from weft_engine.simulating.showing import simulation_view
from weft_language.compilation import Program
from weft_language.json_schemas import SchemaCheck
from weft_language.nodes import node_types

from tests.engine.core.conftest import CONTEXT, ID, START, Run, program_of


def simulated(program: Program, input_: dict[str, Any] | None = None, **answers: Any) -> Simulation:
    begun = i.Start(ID, "test", input=input_ or {}, trigger={"type": "manual"})
    return begin(begun, "acme", START, program, CONTEXT, Answers(**answers))


def path(made: Simulation) -> list[str]:
    """The nodes whose visits ended, in order."""
    return [str(entry.node) for entry, _ in flat(made.rows) if entry.kind in (e.STEP_COMPLETED, e.STEP_FAILED)]


def found(made: Simulation) -> list[tuple[str, str | None]]:
    return [(finding.code, finding.node) for finding in made.findings]


def activity(node: str, **more: Any) -> dict[str, Any]:
    return {"id": node, "type": "activity", "with": {"name": node}, **more}


REVIEW = program_of(
    [
        activity("score"),
        {"id": "high", "type": "if", "with": {"when": "step.score.output > 5"}},
        {"id": "ask", "type": "task", "with": {"title": "Yes?", "outcomes": ["yes", "no"]}},
        activity("pay"),
    ],
    [
        {"from": "score", "to": "high"},
        {"from": "high", "to": "ask", "on": "true"},
        {"from": "high", "to": "pay", "on": "false"},
        {"from": "ask", "to": "pay", "on": "yes"},
        {"from": "ask", "to": "score", "on": "no"},
    ],
    output={"paid": "{{ step.pay.output }}", "form": "{{ default(step.ask.output.form, null) }}"},
)


def test_answers_decide_the_way() -> None:
    made = simulated(REVIEW, outputs={"score": 9, "pay": "p1", "ask": {"note": "fine"}}, outcomes={"ask": "yes"})
    assert (made.state.status, made.state.output) == ("completed", {"paid": "p1", "form": {"note": "fine"}})
    assert path(made) == ["score", "high", "ask", "pay"]
    assert found(made) == []


def test_visits_take_a_list_of_outcomes_one_after_another() -> None:
    made = simulated(REVIEW, outputs={"score": 9, "pay": "p1"}, outcomes={"ask": ["no", "no", "yes"]})
    assert path(made) == ["score", "high", "ask"] * 3 + ["pay"]


def test_what_nobody_answers_rests_and_says_for_what() -> None:
    made = simulated(REVIEW, outputs={"score": 9})
    assert made.state.status == "waiting"
    assert [pending.node for pending in made.state.pending.values()] == ["ask"]


def test_work_that_nobody_answers_for_is_assumed_plainly_and_said_once() -> None:
    each = {"id": "each", "type": "foreach", "with": {"items": "{{ [1, 2] }}", "body": {"nodes": [{**HTTP, "id": "get"}]}}}
    made = simulated(program_of([each]))
    assert made.state.steps["each"].output == [{"status": 100, "headers": {}, "body": None}] * 2
    assert found(made) == [("answer_assumed", "get")]


HTTP = {"id": "get", "type": "http.request", "with": {"url": "https://example.com"}}


def test_waits_are_skipped_on_a_clock_of_its_own() -> None:
    made = simulated(
        program_of([{"id": "rest", "type": "wait", "with": {"for": "3d"}}, {"id": "more", "type": "wait", "with": {"for": "2h"}}])
    )
    assert made.state.status == "completed"
    assert made.state.completed_at == START + timedelta(days=3, hours=2)


def test_an_error_is_tried_again_as_its_policy_says_and_goes_its_way() -> None:
    nodes = [
        activity("call", retry={"attempts": 3, "delay": "10s", "factor": 2, "jitter": False}),
        {"id": "sorry", "type": "set", "with": {"x": 1}},
    ]
    made = simulated(
        program_of(nodes, [{"from": "call", "to": "sorry", "on": "error"}]), errors={"call": {"code": "down", "message": "gone"}}
    )
    assert (made.state.status, made.state.steps["call"].attempts) == ("completed", 3)
    assert made.state.completed_at == START + timedelta(seconds=30)
    assert path(made) == ["call", "sorry"]


def test_a_permanent_error_is_not_tried_again() -> None:
    made = simulated(program_of([activity("call")]), errors={"call": {"code": "no", "message": "no", "permanent": True}})
    assert (made.state.status, made.state.steps["call"].attempts) == ("failed", 1)
    assert made.state.error is not None
    assert (made.state.error["code"], made.state.error["node"]) == ("no", "call")


STATE = program_of(
    [{"id": "rest", "type": "state", "with": {"signals": {"go": {}}, "after": {"late": "2d"}}}],
    output={"way": "{{ step.rest.outcome }}", "with": "{{ step.rest.output }}"},
)


@pytest.mark.parametrize(
    ("answers", "way", "days"),
    [
        ({"outcomes": {"rest": "go"}, "outputs": {"rest": {"a": 1}}}, {"way": "go", "with": {"a": 1}}, 0),
        ({"outcomes": {"rest": "late"}}, {"way": "late", "with": None}, 2),
        ({}, {"way": "late", "with": None}, 2),
    ],
)
def test_a_state_is_left_as_is_said_else_by_its_own_time(answers: Any, way: Any, days: int) -> None:
    made = simulated(STATE, **answers)
    assert made.state.output == way
    assert made.state.completed_at == START + timedelta(days=days)


def test_a_guard_that_refuses_is_said_and_the_state_rests() -> None:
    nodes = [{"id": "rest", "type": "state", "with": {"signals": {"go": {}}}}, {"id": "on", "type": "set", "with": {"x": 1}}]
    made = simulated(
        program_of(nodes, [{"from": "rest", "to": "on", "on": "go", "when": "signal.ok"}]),
        outcomes={"rest": "go"},
        outputs={"rest": {"ok": False}},
    )
    assert made.state.status == "waiting"
    assert found(made) == [("answer_refused", "rest")]


def test_a_domain_event_is_matched_as_it_would_be() -> None:
    wait = {"event": "invoice.*", "match": "event.data.id == input.id"}
    program = program_of([{"id": "rest", "type": "state", "with": {"events": {"paid": wait}}}])
    made = simulated(program, {"id": "7"}, outcomes={"rest": "paid"}, outputs={"rest": {"id": "7"}})
    assert (made.state.status, made.state.steps["rest"].outcome) == ("completed", "paid")
    other = simulated(program, {"id": "7"}, outcomes={"rest": "paid"}, outputs={"rest": {"id": "8"}})
    assert (other.state.status, found(other)) == ("waiting", [("answer_refused", "rest")])


def test_nothing_said_goes_unused_silently() -> None:
    made = simulated(REVIEW, outputs={"score": 1, "pay": "p"}, outcomes={"ask": "yes"})
    assert found(made) == [("answer_unused", "ask")]


def test_gates_and_quotas_do_not_hold_a_simulation_up() -> None:
    program = program_of([{"id": "x", "type": "set", "with": {"x": 1}}], settings={"concurrency": {"limit": 1}})
    assert simulated(program).state.status == "completed"
    bound = Context({"id": "acme", "tier": "standard", "settings": {"quotas": {"live_executions": 1}}})
    assert begin(i.Start(ID, "test"), "acme", START, program, bound, Answers()).state.status == "completed"


def test_a_child_and_an_undoing_are_answered_as_work_is() -> None:
    nodes = [
        activity("book", compensate={"type": "activity", "with": {"name": "unbook"}}),
        {"id": "other", "type": "call", "with": {"workflow": "elsewhere"}},
        {"id": "broken", "type": "fail", "with": {"code": "late"}},
    ]
    made = simulated(program_of(nodes, settings={"on_failure": "compensate"}), outputs={"book": "b", "other": {"x": 1}})
    assert (made.state.status, made.state.steps["other"].output) == ("failed", {"x": 1})
    assert path(made) == ["book", "other", "broken", "book.compensate"]


def test_what_goes_on_for_ever_is_cut_short() -> None:
    nodes = [activity("again"), {"id": "rest", "type": "wait", "with": {"for": "1h"}}]
    made = simulated(program_of(nodes, [{"from": "again", "to": "rest"}, {"from": "rest", "to": "again"}]), outputs={"again": 1})
    assert found(made) == [("simulation_cut_short", None)]
    assert made.state.position <= MOST_ENTRIES + 10


def test_the_end_of_max_duration_alone_is_not_waited_for_but_comes_while_others_are() -> None:
    ask = {"id": "ask", "type": "task", "with": {"title": "?"}}
    assert simulated(program_of([ask], settings={"max_duration": "1d"})).state.status == "waiting"
    wait = {"id": "rest", "type": "wait", "with": {"for": "2d"}}
    assert simulated(program_of([wait], settings={"max_duration": "1d"})).state.status == "timed_out"


def recorded(answer: int) -> Run:
    run = Run(REVIEW).start().complete("score", answer)
    if answer > 5:
        pending = run.waits("ask")
        run.do(
            i.CompleteStep(
                ID, "ask", pending.visit, "yes", {"outcome": "yes", "form": {"by": "hand"}, "completed_by": "u", "completed_at": "t"}
            )
        )
    return run.complete("pay", "p1")


@given(st.integers(0, 10), st.data())
def test_going_on_from_any_row_with_what_was_answered_ends_as_it_did(answer: int, data: st.DataObject) -> None:
    run = recorded(answer)
    rows = run.rows[: data.draw(st.integers(1, len(run.rows)))]
    state = fold(ID, rows)
    assert state is not None
    made = go_on(state, rows, REVIEW, CONTEXT, Answers(before=answers_of(flat(run.rows))))
    assert (made.state.status, made.state.output) == (run.state.status, run.state.output)
    assert (path(made), found(made)) == (path_of(run.rows), [])


def path_of(rows: Sequence[Any]) -> list[str]:
    return [str(entry.node) for entry, _ in flat(rows) if entry.kind in (e.STEP_COMPLETED, e.STEP_FAILED)]


def test_who_sent_a_signal_and_what_an_event_said_of_itself_are_what_they_were() -> None:
    with_ = {"signals": {"go": {}}, "events": {"paid": {"event": "invoice.*", "match": "event.source == '/shop'"}}}
    nodes = [{"id": name, "type": "state", "with": with_} for name in ("a", "b")]
    program = program_of(nodes, [{"from": "a", "to": "b", "on": "go", "when": "signal.user.id == 'ann'"}])
    run = Run(program).start().do(i.Signal(ID, "s1", "go", {"n": 1}, {"id": "ann"}))
    event = {"id": "e1", "source": "/shop", "type": "invoice.paid", "time": START.isoformat(), "data": {"n": 2}}
    run.do(i.DomainEvent(ID, "e1", "paid", event))
    assert run.state.status == "completed"
    for answers in (Answers(before=answers_of(flat(run.rows))), Answers({"a": {"n": 5}}, before=answers_of(flat(run.rows)))):
        made = go_on(fold_of(run.rows[:1]), run.rows[:1], program, CONTEXT, answers)
        assert (made.state.status, path(made), found(made)) == ("completed", ["a", "b"], [])


def test_what_is_said_goes_before_what_was() -> None:
    run = recorded(9)
    made = go_on(fold_of(run.rows[:1]), run.rows[:1], REVIEW, CONTEXT, Answers(outputs={"score": 1}, before=answers_of(flat(run.rows))))
    assert path(made) == ["score", "high", "pay"]
    assert made.state.output["paid"] == "p1"


def fold_of(rows: Sequence[Any]) -> Any:
    state = fold(ID, rows)
    assert state is not None
    return state


def test_a_wait_that_began_in_the_journal_is_told_as_one_that_is_simulated() -> None:
    program = program_of([{"id": "rest", "type": "wait", "with": {"for": "2d"}}])
    run = Run(program).start()
    for made in (simulated(program), go_on(fold_of(run.rows), run.rows, program, CONTEXT, Answers())):
        shown = simulation_view(made, (), (), 1)
        assert [(one.for_, one.since, one.until) for one in shown.waits] == [("PT172800S", START, START + timedelta(days=2))]


def test_a_paused_execution_is_gone_on_with() -> None:
    run = Run(REVIEW).start().do(i.Pause(ID))
    made = go_on(fold_of(run.rows), run.rows, REVIEW, CONTEXT, Answers(outputs={"score": 1, "pay": 2}))
    assert made.state.status == "completed"


@pytest.mark.parametrize("shown", [one for one in node_types() if one["category"] == "services"], ids=lambda one: one["type"])
def test_the_plainest_answer_of_a_service_fits_its_schema(shown: dict[str, Any]) -> None:
    assert SchemaCheck(shown["output"]).errors(sample(shown["output"])) == []


def test_a_task_that_nobody_decides_in_time_ends_as_its_ladder_would_end_it() -> None:
    nodes = [{"id": "ask", "type": "task", "with": {"title": "?"}}, {"id": "late", "type": "set", "with": {"late": True}}]
    made = simulated(program_of(nodes, [{"from": "ask", "to": "late", "on": "timeout"}]), outcomes={"ask": "timeout"})
    assert (made.state.status, made.state.vars) == ("completed", {"late": True})


PREMIUM = Context({"id": "acme", "tier": "premium", "settings": {}})
GUESS = {"type": "ai.generate", "with": {"connection": "model", "instructions": "Guess", "schema": {"type": "integer"}}}


def enhanced(**answers: Any) -> Simulation:
    guess = {"id": "guess", "type": "transform", "with": {"expression": "1"}, "enhance": GUESS}
    start = i.Start(ID, "test", trigger={"type": "manual"})
    return begin(start, "acme", START, program_of([guess], output={"x": "{{ step.guess.output }}"}), PREMIUM, Answers(**answers))


def test_a_model_says_what_it_is_told_to_say_else_the_own_work_stands() -> None:
    told = enhanced(outputs={"guess.enhance": 7})
    assert (told.state.output, told.state.steps["guess"].enhancement["applied"], found(told)) == ({"x": 7}, True, [])  # type: ignore[index]
    untold = enhanced()
    assert (untold.state.output, untold.state.completed_at, found(untold)) == ({"x": 1}, START, [("answer_assumed", "guess.enhance")])
    broken = enhanced(errors={"guess.enhance": {"code": "ai_refused", "message": "no"}})
    assert (broken.state.output, broken.state.steps["guess"].enhancement["reason"]) == ({"x": 1}, "refused")  # type: ignore[index]


def test_what_a_model_gave_then_it_gives_again() -> None:
    before = answers_of(flat(enhanced(outputs={"guess.enhance": 7}).rows))
    assert enhanced(before=before).state.output == {"x": 7}
