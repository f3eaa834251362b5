"""Parallel branches, items, rounds and what belongs to them: joined, cancelled, counted and named as the language says."""

from __future__ import annotations

from typing import Any

import pytest
from weft_engine.core import entries as e
from weft_engine.core.state import scope_key

from tests.engine.core.conftest import Run, program_of

ACT = {"type": "activity", "with": {"name": "work"}}


def branch(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"nodes": list(nodes)}


def act(node: str, **more: Any) -> dict[str, Any]:
    return {"id": node, **ACT, **more}


def fan(**more: Any) -> Run:
    node = {"id": "fan", "type": "parallel", "with": {"branches": {"left": branch(act("a")), "right": branch(act("b"))}, **more}}
    return Run(program_of([node], output={"both": "{{ step.fan.output }}"})).start()


def each(body: list[dict[str, Any]], items: Any, **more: Any) -> Run:
    node = {"id": "each", "type": "foreach", "with": {"items": items, "body": {"nodes": body}, **more}}
    return Run(program_of([node], output={"all": "{{ step.each.output }}"})).start()


def test_a_parallel_joins_the_outputs_of_all_branches_by_name() -> None:
    run = fan().complete("b", 2)
    assert run.state.status == "running"
    run.complete("a", 1)
    assert (run.state.status, run.state.output) == ("completed", {"both": {"left": 1, "right": 2}})


def test_any_takes_the_first_and_cancels_the_rest() -> None:
    run = fan(join="any").complete("b", 2)
    assert (run.state.status, run.state.output) == ("completed", {"both": {"right": 2}})
    assert run.state.steps["a"].status == "cancelled"


def test_the_first_error_of_a_branch_ends_the_others_when_it_fails_fast() -> None:
    run = fan().fail("a", permanent=True)
    assert (run.state.status, run.state.error and run.state.error["node"]) == ("failed", "a")
    assert run.state.steps["b"].status == "cancelled"


def test_on_error_wait_lets_the_others_end_before_it_fails_with_the_first_error() -> None:
    run = fan(on_error="wait").fail("a", permanent=True)
    assert run.state.status == "running"
    run.complete("b", 2)
    assert (run.state.status, run.state.error and run.state.error["node"]) == ("failed", "a")


def test_on_error_wait_with_any_is_content_with_a_later_success() -> None:
    run = fan(on_error="wait", join="any").fail("a", permanent=True).complete("b", 2)
    assert (run.state.status, run.state.output) == ("completed", {"both": {"right": 2}})


def test_a_late_answer_of_a_cancelled_branch_changes_nothing() -> None:
    run = fan(join="any")
    late = run.waits("a")
    run.complete("b", 2)
    rows = len(run.rows)
    run.do(type_of_answer(late.visit))
    assert len(run.rows) == rows


def type_of_answer(visit: int) -> Any:
    from weft_engine.core import items as i

    from tests.engine.core.conftest import ID

    return i.ActivityCompleted(ID, "a", visit, 1, "done", 1)


def test_the_losers_tasks_are_taken_back() -> None:
    branches = {"person": branch({"id": "ask", "type": "task", "with": {"title": "?"}}), "machine": branch(act("m"))}
    run = Run(program_of([{"id": "race", "type": "parallel", "with": {"branches": branches, "join": "any"}}])).start()
    run.complete("m", 1)
    assert [type_ for type_ in run.said if type_.startswith("task.")] == ["task.create", "task.cancel"]


def test_a_foreach_keeps_the_order_of_its_items_whatever_order_they_end_in() -> None:
    run = each([act("w", **{"with": {"name": "work", "input": "{{ item }}"}})], ["x", "y", "z"], concurrency=3)
    for visit, output in ((2, "Y"), (3, "Z"), (1, "X")):
        from weft_engine.core import items as i

        from tests.engine.core.conftest import ID

        run.do(i.ActivityCompleted(ID, "w", visit, 1, "done", output))
    assert run.state.output == {"all": ["X", "Y", "Z"]}


def test_a_foreach_begins_no_more_items_at_once_than_it_may() -> None:
    run = each([act("w")], "{{ [1, 2, 3, 4, 5] }}", concurrency=2)
    begun = []
    while not run.state.ended:
        begun.append(len(run.state.scopes))
        run.complete("w", "ok")
    assert max(begun) == 2
    assert run.state.output == {"all": ["ok"] * 5}


def test_a_failed_item_is_null_under_continue_and_ends_the_node_otherwise() -> None:
    run = each([act("w")], [1, 2], on_error="continue").fail("w", permanent=True).complete("w", "ok")
    assert run.state.output == {"all": [None, "ok"]}
    run = each([act("w")], [1, 2]).fail("w", permanent=True)
    assert run.state.status == "failed"


@pytest.mark.parametrize(("items", "code"), [("{{ json('5') }}", "expression_type"), ("{{ [1, 2, 3] }}", "too_many_items")])
def test_items_that_cannot_be_gone_through_fail_the_node(items: Any, code: str) -> None:
    run = each([act("w")], items, max_items=2)
    assert run.state.error is not None
    assert run.state.error["code"] == code


def test_an_empty_list_ends_at_once() -> None:
    assert each([act("w")], []).state.output == {"all": []}


def test_ten_thousand_inline_items_run_to_their_end_in_several_transitions() -> None:
    run = each([{"id": "t", "type": "transform", "with": {"expression": "item * 2"}}], "{{ lists.range(2000) }}")
    assert run.state.output == {"all": [2 * number for number in range(2000)]}
    assert len(run.rows) > 1
    assert max(len(row.entries) for row in run.rows) < 2_100


def test_a_step_is_read_as_its_visit_in_this_iteration_and_from_outside_as_the_newest() -> None:
    body = [act("w"), {"id": "t", "type": "transform", "with": {"expression": "[index, step.w.output]"}}]
    node = {"id": "each", "type": "foreach", "with": {"items": [1, 2], "concurrency": 2, "body": {"nodes": body}}}
    run = Run(program_of([node], output={"last": "{{ step.w.output }}", "all": "{{ step.each.output }}"})).start()
    run.complete("w", "first").complete("w", "second")
    assert run.state.output == {"last": "second", "all": [[0, "first"], [1, "second"]]}


def test_a_step_of_the_round_before_is_not_seen_in_this_one() -> None:
    body = [
        {"id": "first", "type": "if", "with": {"when": "has(step.mark.output)"}},
        {"id": "mark", "type": "transform", "with": {"expression": "iteration"}},
        {"id": "seen", "type": "transform", "with": {"expression": "step.first.output"}},
    ]
    graph = {"nodes": body, "edges": [{"from": "first", "to": "mark"}, {"from": "mark", "to": "seen"}]}
    node = {"id": "again", "type": "loop", "with": {"until": "iteration == 3", "body": graph}}
    run = Run(program_of([node], output={"seen": "{{ step.again.output }}", "mark": "{{ step.mark.output }}"})).start()
    assert run.state.output == {"seen": False, "mark": 3}


def test_a_loop_ends_exhausted_when_it_would_go_on_for_too_long() -> None:
    node = {"id": "again", "type": "loop", "with": {"while": "true", "max_iterations": 3, "body": branch(act("w"))}}
    after = [node, {"id": "t", "type": "set", "with": {"x": "gave up"}}]
    run = Run(program_of(after, [{"from": "again", "to": "t", "on": "exhausted"}])).start()
    for number in range(3):
        run.complete("w", number)
    assert (run.state.status, run.state.vars) == ("completed", {"x": "gave up"})
    assert run.state.steps["again"].output == 2


def test_a_while_that_is_false_at_once_runs_no_round() -> None:
    node = {"id": "again", "type": "loop", "with": {"while": "false", "body": branch(act("w"))}}
    run = Run(program_of([node])).start()
    assert (run.state.status, "w" in run.state.steps) == ("completed", False)


def test_a_timeout_of_a_node_with_scopes_takes_everything_inside_back() -> None:
    nodes = [
        {"id": "fan", "type": "parallel", "timeout": "1m", "with": {"branches": {"left": branch(act("a")), "right": branch(act("b"))}}}
    ]
    nodes += [{"id": "late", "type": "set", "with": {"x": 1}}]
    run = Run(program_of(nodes, [{"from": "fan", "to": "late", "on": "timeout"}])).start().later(seconds=61)
    assert (run.state.status, run.state.vars, run.state.scopes) == ("completed", {"x": 1}, {})


def test_an_error_edge_of_a_group_in_a_branch_catches_what_fails_within_it() -> None:
    group = {"id": "try", "type": "group", "with": {"nodes": [act("risky")]}}
    caught = {"nodes": [group, {"id": "catch", "type": "transform", "with": {"expression": "step.try.error.code"}}]}
    caught["edges"] = [{"from": "try", "to": "catch", "on": "error"}]
    node = {"id": "fan", "type": "parallel", "with": {"branches": {"one": caught}}}
    run = Run(program_of([node], output={"o": "{{ step.fan.output }}"})).start().fail("risky", "oops", permanent=True)
    assert run.state.output == {"o": {"one": "oops"}}


def test_an_end_in_a_branch_ends_the_whole_execution() -> None:
    branches = {"left": branch(act("a"), {"id": "stop", "type": "end", "with": {"output": {"why": "left"}}}), "right": branch(act("b"))}
    run = Run(program_of([{"id": "fan", "type": "parallel", "with": {"branches": branches}}])).start().complete("a")
    assert (run.state.status, run.state.output, run.state.steps["b"].status) == ("completed", {"why": "left"}, "cancelled")


def test_items_begin_in_order_also_where_those_before_them_end_at_once() -> None:
    body = [
        {"id": "odd", "type": "if", "with": {"when": "item % 2 == 1"}},
        {"id": "w", "type": "activity", "with": {"name": "work"}},
        {"id": "t", "type": "set", "with": {"last": "{{ item }}"}},
    ]
    edges = [{"from": "odd", "to": "w", "on": "true"}, {"from": "odd", "to": "t", "on": "false"}]
    node = {"id": "each", "type": "foreach", "with": {"items": list(range(9)), "concurrency": 3, "body": {"nodes": body, "edges": edges}}}
    run = Run(program_of([node], output={"all": "{{ step.each.output }}"})).start()
    while not run.state.ended:
        run.complete("w", "ok")
    opened = [entry.data["label"] for row in run.rows for entry in row.entries if entry.kind == e.SCOPE_OPENED]
    begun = [entry.scope for row in run.rows for entry in row.entries if entry.node == "odd" and entry.kind == e.STEP_COMPLETED]
    assert opened == list(range(9))
    assert begun == [scope_key("each", 1, index) for index in range(9)]


@pytest.mark.parametrize("concurrency", [1, 3, 50])
def test_items_that_all_end_at_once_are_gone_through_in_order_with_no_more_open_than_there_may_be(concurrency: int) -> None:
    run = each([{"id": "t", "type": "transform", "with": {"expression": "item"}}], list(range(20)), concurrency=concurrency)
    assert run.state.output == {"all": list(range(20))}
    live = most = 0
    begun = []
    for entry in (entry for row in run.rows for entry in row.entries):
        live += (entry.kind == e.SCOPE_OPENED) - (entry.kind == e.SCOPE_COMPLETED)
        most = max(most, live)
        if entry.node == "t":
            begun.append(entry.scope)
    assert most == min(concurrency, 20)
    assert begun == [scope_key("each", 1, index) for index in range(20)]
