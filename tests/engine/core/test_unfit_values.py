"""What an expression gives may be no value for its place: the visit fails with a code that says so, never the engine."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from weft_engine.core.items import Caller

from tests.engine.core.conftest import ID, Run, program_of

PARENT = UUID("0190a6f0-0000-7000-8000-00000000000f")
BODY: dict[str, Any] = {"nodes": [{"id": "in", "type": "set", "with": {"x": 1}}]}


def failed(node: dict[str, Any], **input_: Any) -> tuple[str, str, str]:
    """Code, node and message of what an execution of this one node ended with."""
    run = Run(program_of([node])).start(input_)
    error = run.state.error or {}
    assert run.state.status == "failed"
    return error["code"], error["node"], error["message"]


UNFIT: list[tuple[dict[str, Any], Any, str]] = [
    ({"type": "activity", "with": {"name": "{{ input.value }}"}}, 7, "a text is needed here, not 7"),
    ({"type": "activity", "with": {"name": "work", "queue": "{{ input.value }}"}}, "no queue!", "a queue's name is"),
    ({"type": "call", "with": {"workflow": "{{ input.value }}"}}, [1], "a text is needed here, not [1]"),
    ({"type": "call", "with": {"workflow": "other", "version": "{{ input.value }}"}}, "1", "a version is a whole number from 1, not '1'"),
    ({"type": "call", "with": {"workflow": "other", "version": "{{ input.value }}"}}, True, "a version is a whole number from 1, not True"),
    ({"type": "call", "with": {"workflow": "other", "version": "{{ input.value }}"}}, 0, "a version is a whole number from 1, not 0"),
    ({"type": "call", "with": {"workflow": "other", "input": "{{ input.value }}"}}, "text", "the input of a workflow is an object"),
    ({"type": "task", "with": {"title": "T", "priority": "{{ input.value }}"}}, 10, "a task's priority is a whole number from 0 to 9"),
    ({"type": "task", "with": {"title": "T", "priority": "{{ input.value }}"}}, 1.5, "a task's priority is a whole number from 0 to 9"),
    (
        {"type": "foreach", "with": {"items": [1], "concurrency": "{{ input.value }}", "body": BODY}},
        0,
        "`concurrency` is a whole number from 1, not 0",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("node", "value", "message"), UNFIT)
def test_a_value_that_is_none_for_its_place_fails_the_visit_and_says_what_is_wanted(node: dict[str, Any], value: Any, message: str) -> None:
    code, where, told = failed({"id": "n", **node}, value=value)
    assert (code, where, message in told) == ("expression_value", "n", True), told


def test_a_version_that_is_given_is_the_one_that_is_called() -> None:
    run = Run(program_of([{"id": "c", "type": "call", "with": {"workflow": "other", "version": "{{ input.version }}"}}])).start(
        {"version": 3}
    )
    assert run.waits("c").data["version"] == 3


def test_a_condition_of_an_edge_that_cannot_be_told_fails_the_execution_at_its_node() -> None:
    nodes = [{"id": node, "type": "set", "with": {node: 1}} for node in ("a", "b")]
    run = Run(program_of(nodes, [{"from": "a", "to": "b", "when": "input.missing > 1"}])).start()
    error = run.state.error or {}
    assert (run.state.status, error["code"], error["node"]) == ("failed", "expression_path", "a")


def test_a_condition_of_an_error_edge_that_cannot_be_told_takes_the_place_of_the_error() -> None:
    nodes = [{"id": "a", "type": "activity", "with": {"name": "work"}}, {"id": "b", "type": "set", "with": {"b": 1}}]
    run = Run(program_of(nodes, [{"from": "a", "to": "b", "on": "error", "when": "input.missing > 1"}])).start()
    error = run.fail("a", permanent=True).state.error or {}
    assert (run.state.status, error["code"], error["node"]) == ("failed", "expression_path", "a")


def test_a_loop_whose_condition_cannot_be_told_after_a_round_fails() -> None:
    body = {"nodes": [{"id": "in", "type": "set", "with": {"x": 1}}]}
    node = {"id": "l", "type": "loop", "with": {"until": "input.missing > iteration", "body": body}}
    code, where, _ = failed(node)
    assert (code, where) == ("expression_path", "l")


def test_a_key_of_concurrency_that_cannot_be_told_refuses_the_start() -> None:
    settings = {"concurrency": {"limit": 1, "key": "{{ input.missing }}", "on_conflict": "queue"}}
    run = Run(program_of([{"id": "a", "type": "set", "with": {"a": 1}}], settings=settings)).start()
    error = run.state.error or {}
    assert (run.state.status, error["code"], error["permanent"]) == ("failed", "expression_path", True)
    assert error["message"].startswith("the key of settings.concurrency: ")
    assert run.said == ["execution.rejected"]


def test_who_called_is_told_of_a_start_that_was_refused() -> None:
    settings = {"concurrency": {"limit": 1, "key": "{{ input.missing }}", "on_conflict": "queue"}}
    run = Run(program_of([{"id": "a", "type": "set", "with": {"a": 1}}], settings=settings)).start(caller=Caller(PARENT, "c", 1, 1))
    assert run.said == ["execution.rejected", "step.fail"]
    assert (run.state.parent, run.state.id) == (str(PARENT), ID)


def test_what_cannot_be_undone_as_it_is_written_is_told_among_what_failed_and_the_rest_is_undone() -> None:
    def act(node: str, undo: dict[str, Any]) -> dict[str, Any]:
        return {"id": node, "type": "activity", "with": {"name": "work"}, "compensate": {"type": "activity", "with": undo}}

    nodes = [
        act("a", {"name": "undo_a"}),
        act("b", {"name": "undo_b", "input": "{{ input.missing }}"}),
        {"id": "undo", "type": "compensate"},
        {"id": "after", "type": "set", "with": {"x": "{{ step.undo.error.code }}"}},
    ]
    edges = [{"from": "a", "to": "b"}, {"from": "b", "to": "undo"}, {"from": "undo", "to": "after", "on": "error"}]
    run = Run(program_of(nodes, edges)).start().complete("a").complete("b").complete("a.compensate")
    assert (run.state.status, run.state.vars) == ("completed", {"x": "compensation_failed"})
    assert [run.state.steps[node].status for node in "ab"] == ["compensated", "completed"]
