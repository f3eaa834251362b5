"""Why an execution is where it is: every condition of an ordinary one; of a long one what somebody reads, and how much that leaves out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from weft_engine.core import explaining, selecting
from weft_engine.core.selecting import ANY, Only
from weft_engine.schemas import ExplanationView
from weft_engine.views import explanation_view

from tests.engine.core.conftest import CONTEXT, ID, Run, program_of


def each_of(when: str = "item > 3", body: str = "set") -> Run:
    """A foreach whose body chooses, and goes on to what sets a variable or what waits for a signal."""
    work: dict[str, Any] = {"id": "do", "type": body, "with": {"x": "{{ item }}"} if body == "set" else {"signals": {"go": {}}}}
    nodes = [{"id": "check", "type": "if", "with": {"when": when}}, work]
    edges = [{"from": "check", "to": "do", "on": outcome} for outcome in ("true", "false")]
    each = {"items": "{{ input.items }}", "concurrency": 1000, "body": {"nodes": nodes, "edges": edges}}
    return Run(program_of([{"id": "each", "type": "foreach", "with": each}]), apart=None)


def explained(run: Run, only: Only = ANY) -> ExplanationView:
    return explanation_view(ID, run.rows, {1: run.program}, CONTEXT.tenant, {}, only=only)


def test_an_ordinary_execution_is_explained_whole() -> None:
    told = explained(each_of().start({"items": list(range(300))}))
    assert [choice.scope for choice in told.choices] == [f"each[{item}]" for item in range(300)]
    assert all(
        choice.considered[0].condition["children"][0]["expression"] == "item" for choice in told.choices if choice.considered[0].condition
    )
    assert told.left_out == []


def test_of_many_choices_the_first_and_the_newest_of_each_node_are_shown_and_the_others_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selecting, "CHOICES", 20)
    run = each_of().start({"items": list(range(300))})
    told = explained(run)
    assert [choice.scope for choice in told.choices] == [f"each[{item}]" for item in (*range(5), *range(285, 300))]
    (left_out,) = told.left_out
    assert (left_out.node, left_out.visits, left_out.outcomes) == ("check", 280, {"true": 280})
    asked = explained(run, Only("check", "each[17]"))
    assert ([choice.scope for choice in asked.choices], asked.left_out) == (["each[17]"], [])


def test_long_conditions_count_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selecting, "CHOICES", 20)
    long = " || ".join(f"item > {number}" for number in range(1000, 1100))
    told = explained(each_of(long).start({"items": list(range(300))}))
    assert len(told.choices) == 20 // (1 + len(long) // selecting.CHARS) > 0


def test_costly_conditions_are_evaluated_again_only_as_far_as_all_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "STEPS", 100_000)
    told = explained(each_of("input.items.all(i, input.items.exists(j, j == i))").start({"items": list(range(60))}))
    shown = [choice.considered[0].condition for choice in told.choices]
    assert {condition["error"] and condition["error"]["code"] for condition in shown if condition} == {"expression_limit"}
    one = explained(
        each_of("input.items.all(i, input.items.exists(j, j == i))").start({"items": list(range(20))}), Only("check", "each[3]")
    )
    assert [choice.considered[0].condition["value"] for choice in one.choices if choice.considered[0].condition] == [True]


def test_an_explanation_stays_small_whatever_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "VALUES", 5_000)
    rows = [[str(number) * 100] * 20 for number in range(20)]
    told = explained(each_of("input.rows.size() > 3 && input.rows == input.rows").start({"items": list(range(300)), "rows": rows}))
    assert len(told.choices) == 300
    assert len(told.model_dump_json()) < 500_000
    assert all(choice.considered[0].condition["value"] is True for choice in told.choices if choice.considered[0].condition)


def test_of_very_many_things_that_are_waited_for_the_first_are_named_and_the_others_counted() -> None:
    told = explained(each_of(body="state").start({"items": list(range(300))}))
    assert (len(told.waiting_for), len(json.dumps(told.because)) < 50_000) == (200, True)
    assert "100 more visits wait: do (100 times)" in told.because
