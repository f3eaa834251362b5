"""How executions move through their graphs, decided by the pure core."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from weft_engine.core import items as i
from weft_language.expressions import TOGETHER_STEPS

from tests.engine.core.conftest import ID, Run, program_of


def act(node: str, **more: Any) -> dict[str, Any]:
    return {"id": node, "type": "activity", "with": {"name": "work"}, **more}


def put(node: str, **values: Any) -> dict[str, Any]:
    return {"id": node, "type": "set", "with": values}


def test_inline_nodes_run_to_the_end_in_one_transition() -> None:
    run = Run(program_of([put("a", x=1), put("b", y="{{ vars.x + 1 }}")], output={"y": "{{ vars.y }}"})).start()
    assert (run.state.status, run.state.output, len(run.rows)) == ("completed", {"y": 2}, 1)
    assert run.said == ["execution.started", "execution.completed"]


def test_starting_twice_equals_starting_once() -> None:
    run = Run(program_of([act("a")])).start()
    rows = len(run.rows)
    assert len(run.start().rows) == rows


def test_an_answer_that_comes_twice_counts_once() -> None:
    run = Run(program_of([act("a"), act("b")])).start().complete("a", 1)
    rows = len(run.rows)
    run.do(i.ActivityCompleted(ID, "a", 1, 1, "done", 2))
    assert (len(run.rows), run.state.steps["a"].output) == (rows, 1)


def test_a_condition_chooses_the_way() -> None:
    nodes = [{"id": "q", "type": "if", "with": {"when": "input.n > 10"}}, put("big", way="big"), put("small", way="small")]
    edges = [{"from": "q", "to": "big", "on": "true"}, {"from": "q", "to": "small", "on": "false"}]
    program = program_of(nodes, edges)
    assert [Run(program).start({"n": n}).state.vars["way"] for n in (11, 10)] == ["big", "small"]


def test_a_switch_takes_its_first_case_that_holds_else_its_default() -> None:
    cases = [{"when": "input.n > 10", "outcome": "big"}, {"when": "input.n > 5", "outcome": "middle"}]
    switch = {"id": "q", "type": "switch", "with": {"cases": cases, "default": "small"}}
    nodes = [switch, put("big", w=3), put("middle", w=2), put("small", w=1)]
    edges = [{"from": "q", "to": way, "on": way} for way in ("big", "middle", "small")]
    program = program_of(nodes, edges)
    assert [Run(program).start({"n": n}).state.vars["w"] for n in (11, 6, 1)] == [3, 2, 1]


def test_a_failing_attempt_is_tried_again_as_its_policy_says_and_then_fails_the_execution() -> None:
    retry = {"attempts": 3, "delay": "10s", "factor": 2, "jitter": False}
    run = Run(program_of([act("a", retry=retry)])).start()
    for wait in (10, 20):
        run.fail("a")
        assert run.waits("a").kind == "retry"
        run.later(seconds=wait - 1)
        assert run.waits("a").kind == "retry"
        run.later(seconds=1)
        assert run.waits("a").kind == "activity"
    run.fail("a")
    assert (run.state.status, run.state.error and run.state.error["code"], run.state.steps["a"].attempts) == ("failed", "broken", 3)


@pytest.mark.parametrize(("asked", "waited_s"), [(120, 120), (2.5, 10), (10**9, 86_400), (-5, 10), (True, 10), ("soon", 10), (None, 10)])
def test_the_next_attempt_is_not_before_the_service_wants_it(asked: Any, waited_s: float) -> None:
    retry = {"attempts": 3, "delay": "10s", "jitter": False}
    run = Run(program_of([{"id": "a", "type": "activity", "with": {"name": "a"}, "retry": retry}]), apart=None).start()
    error = {"code": "busy", "message": "later", "details": {"retry_after_s": asked}}
    run.do(i.ActivityFailed(ID, "a", 1, 1, error))
    assert run.waits("a").due_at == run.now + timedelta(seconds=waited_s)


def test_a_service_that_wants_to_be_asked_after_the_deadline_is_not_asked_again() -> None:
    retry = {"attempts": 3, "delay": "10s", "deadline": "1m", "jitter": False}
    run = Run(program_of([{"id": "a", "type": "activity", "with": {"name": "a"}, "retry": retry}])).start()
    run.do(i.ActivityFailed(ID, "a", 1, 1, {"code": "busy", "message": "later", "details": {"retry_after_s": 61}}))
    assert run.state.status == "failed"


def test_a_permanent_error_is_never_tried_again() -> None:
    run = Run(program_of([act("a")])).start().fail("a", permanent=True)
    assert run.state.status == "failed"


def test_an_answer_of_an_attempt_that_was_given_up_changes_nothing() -> None:
    run = Run(program_of([act("a")])).start().fail("a").later(minutes=10)
    assert run.waits("a").attempt == 2
    run.do(i.ActivityCompleted(ID, "a", 1, 1, "done", "late"))
    assert run.state.status == "running"


def test_a_group_catches_the_error_of_a_node_inside() -> None:
    nodes = [{"id": "g", "type": "group", "with": {"nodes": [act("a"), put("b", x=1)]}}, put("caught", code="{{ step.g.error.code }}")]
    run = Run(program_of(nodes, [{"from": "g", "to": "caught", "on": "error"}])).start().fail("a", "no_stock", permanent=True)
    assert (run.state.status, run.state.vars) == ("completed", {"code": "no_stock"})


def test_a_groups_output_is_that_of_its_last_node() -> None:
    inner = [act("a"), {"id": "t", "type": "transform", "with": {"expression": "step.a.output + 1"}}]
    program = program_of([{"id": "g", "type": "group", "with": {"nodes": inner}}], output={"n": "{{ step.g.output }}"})
    run = Run(program).start().complete("a", 4)
    assert run.state.output == {"n": 5}


def test_a_group_that_takes_too_long_is_left_with_everything_in_it() -> None:
    group = {"id": "g", "type": "group", "timeout": "1h", "with": {"nodes": [{"id": "t", "type": "task", "with": {"title": "x"}}]}}
    run = Run(program_of([group, put("late", x=1)], [{"from": "g", "to": "late", "on": "timeout"}])).start().later(hours=2)
    assert (run.state.status, run.state.steps["t"].status, run.state.vars) == ("completed", "cancelled", {"x": 1})
    assert "task.cancel" in run.said


def test_a_timeout_without_an_edge_is_an_error_with_its_code() -> None:
    run = Run(program_of([act("a", timeout="30s")])).start().later(seconds=31)
    assert (run.state.status, run.state.error and run.state.error["code"]) == ("failed", "timeout")


def test_a_cycle_that_never_rests_ends_as_runaway() -> None:
    nodes = [put("n", n=0), put("up", n="{{ vars.n + 1 }}"), {"id": "more", "type": "if", "with": {"when": "vars.n >= 0"}}]
    edges = [{"from": "n", "to": "up"}, {"from": "up", "to": "more"}, {"from": "more", "to": "up", "on": "true"}]
    run = Run(program_of(nodes, edges)).start()
    assert (run.state.status, run.state.error and run.state.error["code"]) == ("failed", "runaway")


def test_a_cycle_that_rests_may_go_round_for_long() -> None:
    nodes = [put("zero", n=0), act("a"), put("up", n="{{ vars.n + 1 }}"), {"id": "more", "type": "if", "with": {"when": "vars.n < 5"}}]
    edges = [
        {"from": "zero", "to": "a"}, {"from": "a", "to": "up"}, {"from": "up", "to": "more"}, {"from": "more", "to": "a", "on": "true"},
    ]  # fmt: skip
    run = Run(program_of(nodes, edges)).start()
    for _ in range(5):
        run.complete("a")
    assert (run.state.status, run.state.vars["n"], run.state.steps["a"].visit) == ("completed", 5, 5)


def test_fail_fails_its_scope_and_end_ends_everything() -> None:
    failing = Run(program_of([{"id": "f", "type": "fail", "with": {"code": "no", "message": "not today"}}])).start()
    assert (failing.state.status, failing.state.error and failing.state.error["code"]) == ("failed", "no")
    inside = [{"id": "e", "type": "end", "with": {"output": {"x": 1}}}]
    ended = Run(program_of([{"id": "g", "type": "group", "with": {"nodes": inside}}, act("never")])).start()
    assert (ended.state.status, ended.state.output) == ("completed", {"x": 1})


def test_publish_says_a_domain_event_once() -> None:
    node = {"id": "p", "type": "publish", "with": {"type": "order.shipped", "data": {"n": "{{ input.n }}"}, "subject": "order/1"}}
    run = Run(program_of([node])).start({"n": 3})
    event = next(out for out in run.outgoing if out.exchange == "weft.domain")
    assert (event.key, event.item.type, event.item.subject) == ("acme.order.shipped", "order.shipped", "order/1")
    assert bytes(event.item.data) == b'{"n":3}'
    assert run.state.steps["p"].output == {"event_id": event.item.id}


def test_an_expression_that_fails_fails_its_node_and_names_the_path() -> None:
    run = Run(program_of([put("a", x="{{ input.missing }}")])).start()
    error = run.state.error or {}
    assert (run.state.status, error["code"], error["node"], "input.missing" in error["message"]) == ("failed", "expression_path", "a", True)


def test_input_that_does_not_fit_is_rejected_with_pointers() -> None:
    schema = {"type": "object", "required": ["n"]}
    run = Run(program_of([put("a", x=1)], input=schema)).start()
    assert (run.state.status, run.said) == ("failed", ["execution.rejected"])


def test_an_execution_does_not_outlive_its_max_duration() -> None:
    run = Run(program_of([act("a")], settings={"max_duration": "1h"})).start().later(hours=1)
    assert (run.state.status, run.said[-1]) == ("timed_out", "execution.timed_out")


def test_a_request_that_nobody_answers_is_sent_again_as_the_same_attempt() -> None:
    run = Run(program_of([act("a")])).start().later(seconds=61)
    requests = [out for out in run.outgoing if out.item.type == "activity.requested"]
    assert len(requests) == 2
    assert requests[0].item.data is not requests[1].item.data
    assert bytes(requests[0].item.data) == bytes(requests[1].item.data)


def test_a_worker_that_accepted_and_fell_silent_is_given_up() -> None:
    run = Run(program_of([act("a")])).start().do(i.ActivityAccepted(ID, "a", 1, 1)).later(seconds=61)
    assert run.waits("a").kind == "retry"
    assert (run.state.steps["a"].error or {})["code"] == "lease_expired"


def test_a_heartbeat_renews_the_lease() -> None:
    run = Run(program_of([act("a")])).start().do(i.ActivityAccepted(ID, "a", 1, 1)).later(seconds=50)
    run.do(i.ActivityHeartbeat(ID, "a", 1, 1)).later(seconds=50)
    assert run.waits("a").kind == "activity"


def test_initial_vars_are_rendered_once_at_the_start() -> None:
    run = Run(program_of([put("a", y="{{ vars.x + 1 }}")], vars={"x": "{{ input.n }}"})).start({"n": 1})
    assert run.state.vars == {"x": 1, "y": 2}


def test_a_transition_ends_where_much_was_evaluated_and_goes_on_in_the_next() -> None:
    heavy = put("a", x="{{ lists.range(20000).map(n, n * 2).size() }}")
    body = {"nodes": [heavy]}
    loop = {"id": "again", "type": "loop", "with": {"while": "iteration < 20", "body": body, "max_iterations": 100}}
    run = Run(program_of([loop, put("end", done=True)])).start()
    assert 10 <= len(run.rows) <= 30
    assert (run.state.status, run.state.vars["done"]) == ("completed", True)


def test_a_node_that_asks_for_too_much_at_once_fails_with_the_limit_it_met() -> None:
    values = {f"v{number}": "{{ lists.range(20000).map(n, n * 2).size() }}" for number in range(100)}
    run = Run(program_of([put("a", **values)])).start()
    assert (run.state.status, run.state.error and run.state.error["code"]) == ("failed", "expression_limit")


def test_guards_that_ask_for_too_much_together_refuse_a_signal_in_bounded_time() -> None:
    heavy = "lists.range(20000).exists(n, n * 2 == -1)"
    nodes = [{"id": "rest", "type": "state", "with": {"signals": {"go": {}}}}, put("end", done=True)]
    edges = [{"from": "rest", "to": "end", "on": "go", "when": f"{heavy} || input.n == {number}"} for number in range(100)]
    run = Run(program_of(nodes, edges)).start({"n": 99})
    run.do(i.Signal(ID, "s", "go", None))
    assert run.answer is not None
    assert (run.state.status, run.answer.status, str(TOGETHER_STEPS) in str(run.answer)) == ("waiting", 409, True)


def test_what_became_of_a_step_is_read_as_plain_values() -> None:
    edges = [{"from": "a", "to": "b", "on": "error"}]
    read = put("b", said="{{ step.a.status }}", same="{{ step.a.status == 'failed' }}", whole="{{ step.a }}")
    run = Run(program_of([act("a"), read], edges)).start().fail("a", "broken", permanent=True)
    told = run.state.vars
    assert (type(told["said"]), told["said"], told["same"]) == (str, "failed", True)
    assert (told["whole"]["status"], told["whole"]["outcome"], told["whole"]["error"]["code"]) == ("failed", "error", "broken")
