"""Nodes that themselves end with `timeout` or `error`, and errors as values."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.core.conftest import Run, program_of
from tests.engine.core.test_waiting import put

MEMBERS = {"code", "message", "node", "attempt", "permanent", "details"}
STATE = {"id": "s", "type": "state", "with": {"signals": {"go": {}}, "after": {"timeout": "1h"}}}
ACTIVITY = {"id": "a", "type": "activity", "with": {"name": "price"}}
SWITCH = {"id": "c", "type": "switch", "with": {"cases": [{"when": "input.n == 1", "outcome": "timeout"}]}}


def run_of(node: dict[str, Any], *edges: dict[str, Any]) -> Run:
    return Run(program_of([node, put("after", x=1)], list(edges)))


def test_a_state_whose_time_is_called_timeout_fails_where_no_edge_takes_that() -> None:
    run = run_of(STATE, {"from": "s", "to": "after", "on": "go"}).start().later(hours=1)
    assert run.state.error is not None
    assert (run.state.status, run.state.error["code"], run.state.error["node"]) == ("failed", "timeout", "s")
    assert (run.state.steps["s"].status, run.state.steps["s"].outcome) == ("failed", "error")


def test_its_error_edge_takes_a_timeout_that_no_other_edge_does() -> None:
    run = run_of(STATE, {"from": "s", "to": "after", "on": "error"}).start().later(hours=1)
    assert (run.state.status, run.state.vars, run.state.steps["s"].error and run.state.steps["s"].error["code"]) == (
        "completed",
        {"x": 1},
        "timeout",
    )


def test_a_state_whose_time_is_called_timeout_goes_by_its_edge() -> None:
    run = run_of(STATE, {"from": "s", "to": "after", "on": "timeout"}).start().later(hours=1)
    assert (run.state.status, run.state.vars, run.state.steps["s"].outcome) == ("completed", {"x": 1}, "timeout")


def test_an_edge_on_timeout_whose_condition_is_false_lets_it_pass() -> None:
    run = run_of(STATE, {"from": "s", "to": "after", "on": "timeout", "when": "input.n == 1"}).start({"n": 2}).later(hours=1)
    assert (run.state.status, run.state.error and run.state.error["code"]) == ("failed", "timeout")


@pytest.mark.parametrize("outcome", ["timeout", "error"])
def test_a_worker_that_ends_with_an_outcome_that_propagates_fails_the_scope(outcome: str) -> None:
    run = run_of(ACTIVITY, {"from": "a", "to": "after"}).start().complete("a", 1, outcome)
    assert run.state.error is not None
    assert (run.state.status, run.state.error["code"], run.state.error["node"]) == ("failed", outcome, "a")


def test_a_switch_to_timeout_fails_the_group_around_it_and_is_caught_there() -> None:
    group = {"id": "g", "type": "group", "with": {"nodes": [SWITCH]}}
    run = Run(program_of([group, put("after", x="{{ step.g.error.code }}")], [{"from": "g", "to": "after", "on": "error"}])).start({"n": 1})
    assert (run.state.status, run.state.vars) == ("completed", {"x": "timeout"})


def test_a_signal_named_timeout_is_refused_by_the_guards_of_its_edges() -> None:
    node = {"id": "s", "type": "state", "with": {"signals": {"timeout": {}}}}
    run = run_of(node, {"from": "s", "to": "after", "on": "timeout", "when": "signal.n == 1"}).start().signal("timeout", {"n": 2})
    assert (run.state.status, run.answer and run.answer.status) == ("waiting", 409)
    assert run.signal("timeout", {"n": 1}).state.vars == {"x": 1}


def test_a_case_that_is_no_boolean_is_an_error_and_not_skipped() -> None:
    node = {"id": "c", "type": "switch", "with": {"cases": [{"when": "input.n", "outcome": "one"}], "default": "other"}}
    run = Run(program_of([node])).start({"n": 1})
    assert (run.state.status, run.state.error and run.state.error["code"]) == ("failed", "expression_type")


def test_every_error_has_all_its_members() -> None:
    failed = Run(program_of([ACTIVITY])).start().fail("a", permanent=True)
    broken = Run(program_of([{"id": "t", "type": "transform", "with": {"expression": "input.n"}}])).start()
    late = Run(program_of([ACTIVITY | {"timeout": "1h"}])).start().later(hours=1)
    assert [set(run.state.error or {}) for run in (failed, broken, late)] == [MEMBERS] * 3


def test_the_details_of_an_error_without_any_are_null_and_can_be_read() -> None:
    nodes = [ACTIVITY, put("after", d="{{ step.a.error.details }}")]
    run = Run(program_of(nodes, [{"from": "a", "to": "after", "on": "error"}])).start().fail("a", permanent=True)
    assert (run.state.status, run.state.vars) == ("completed", {"d": None})
