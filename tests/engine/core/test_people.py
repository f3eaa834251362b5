"""What people are asked: how many decide, who is kept apart, when they are reminded, and what the ladder's end does."""

from __future__ import annotations

from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.core.ledger import request_hash

from tests.engine.core.conftest import ID, Run, program_of
from tests.engine.core.test_replaying import same_again
from tests.engine.core.test_retrying import again
from tests.engine.core.test_waiting import put

LATE = {"code": "timeout", "message": "nobody decided", "permanent": True}


def task(node: str = "t", **with_: Any) -> dict[str, Any]:
    return {"id": node, "type": "task", "with": {"title": "Approve", "outcomes": ["yes", "no"], **with_}}


def asked(run: Run) -> list[dict[str, Any]]:
    """What the tasks service was told, task by task."""
    import msgspec

    return [msgspec.json.decode(out.item.data) for out in run.outgoing if out.item.type == "task.create"]


def by(*users: str) -> dict[str, Any]:
    """The output of a task that these people decided, the last one at last."""
    return {"outcome": "yes", "completed_by": users[-1], "approvals": [{"outcome": "yes", "completed_by": user} for user in users]}


def test_approvals_reminders_and_the_ladder_are_told_with_what_their_templates_gave() -> None:
    ladder = [
        {"after": "{{ input.days + 'd' }}", "do": "escalate", "to": {"roles": ["lead"], "users": ["{{ input.boss }}"]}},
        {"after": "1h", "do": "reassign", "to": "{{ input.boss }}"},
        {"after": "3d", "do": "decide", "outcome": "no"},
    ]
    node = task(approvals={"required": 2, "of": 3}, due="1d", reminders=["2h", "{{ input.days + 'h' }}"], on_timeout=ladder)
    (told,) = asked(Run(program_of([node])).start({"days": "2", "boss": "ann@acme.example"}))
    assert told["approvals"] == {"required": 2, "of": 3, "distinct": True}
    assert told["reminders"] == [7200, 7200]
    assert told["on_timeout"] == [
        {"after_s": 172800, "do": "escalate", "candidates": {"users": ["ann@acme.example"], "groups": [], "roles": ["lead"]}},
        {"after_s": 3600, "do": "reassign", "assignee": "ann@acme.example"},
        {"after_s": 259200, "do": "decide", "outcome": "no"},
    ]


@pytest.mark.parametrize(
    "with_",
    [
        {"candidates": {"users": "{{ 'ann' }}"}},
        {"candidates": "{{ 3 }}"},
        {"on_timeout": [{"after": "1h", "do": "reassign", "to": "{{ '' }}"}]},
        {"on_timeout": [{"after": "{{ input.when }}", "do": "remind"}]},
    ],
)
def test_people_and_times_that_are_none_fail_the_step(with_: dict[str, Any]) -> None:
    run = Run(program_of([task(**with_)])).start({"when": "soon"})
    assert (run.state.status, run.state.error and run.state.error["code"]) == ("failed", "expression_value")


def test_whoever_had_a_part_in_deciding_the_newest_visit_is_named_as_excluded() -> None:
    edges = [{"from": "a", "to": "b", "on": "yes"}, {"from": "b", "to": "a", "on": "no"}]
    run = Run(program_of([task("a"), task("b", separate_from=["a"])], edges)).start()
    run.do(i.CompleteStep(ID, "a", 1, "yes", by("ann", "bob")))
    run.do(i.CompleteStep(ID, "b", 1, "no", by("carl"))).do(i.CompleteStep(ID, "a", 2, "yes", by("dora")))
    assert [told.get("excluded") for told in asked(run)] == [None, {"ann": "a", "bob": "a"}, None, {"dora": "a"}]
    assert [told.get("separate_from") for told in asked(run)] == [None, ["a"], None, ["a"]]


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ({"id": "ann", "email": "ann@acme.example"}, "ann"),
        ({"id": "key-1", "owner": "ann"}, "ann"),
        (None, None),
        ("ann", None),
        ({}, None),
    ],
)
def test_a_task_is_asked_for_with_who_started_the_execution(user: Any, told: str | None) -> None:
    run = Run(program_of([task()]))
    run.do(i.Start(ID, "test", input={}, trigger={"type": "manual", **({} if user is None else {"user": user})}))
    assert [one.get("requested_by") for one in asked(run)] == [told]


def test_whoever_was_stood_in_for_had_a_part_in_deciding_too() -> None:
    run = Run(program_of([task("a"), task("b", separate_from=["a"])], [{"from": "a", "to": "b", "on": "yes"}])).start()
    run.do(i.CompleteStep(ID, "a", 1, "yes", {"outcome": "yes", "completed_by": "bob", "on_behalf_of": "ann"}))
    assert asked(run)[1]["excluded"] == {"bob": "a", "ann": "a"}


def test_in_an_iteration_it_is_its_own_visits_that_count_and_it_says_where_it_stands() -> None:
    body = {"nodes": [task("a"), task("b", separate_from=["a"])]}
    nodes = [{"id": "each", "type": "foreach", "with": {"items": [1, 2], "concurrency": 2, "body": body}}]
    run = Run(program_of(nodes)).start()
    run.do(i.CompleteStep(ID, "a", 1, "yes", by("ann"))).do(i.CompleteStep(ID, "a", 2, "yes", by("bob")))
    told = asked(run)
    assert [(one["node"], one.get("excluded"), one["rounds"]) for one in told[2:]] == [
        ("b", {"ann": "a"}, "each[0]/"),
        ("b", {"bob": "a"}, "each[1]/"),
    ]


def test_a_decision_of_one_who_may_not_act_any_more_or_of_too_few_answers_no_retry() -> None:
    once = {"title": "Approve", "outcomes": ["yes", "no"]}
    hashes = {
        request_hash("task", once | more)
        for more in ({}, {"excluded": {"ann": "a"}}, {"approvals": {"required": 2, "of": 2, "distinct": True}}, {"rounds": "each[1]/"})
    }
    assert len(hashes) == 3
    edges = [{"from": "a", "to": "b", "on": "yes"}, {"from": "b", "to": "c", "on": "yes"}]
    run = Run(
        program_of([task("a"), task("b", separate_from=["a"]), {"id": "c", "type": "fail", "with": {"code": "x", "message": "x"}}], edges)
    )
    run.start().do(i.CompleteStep(ID, "a", 1, "yes", by("ann"))).do(i.CompleteStep(ID, "b", 1, "yes", by("bob")))
    again(run, "a", effects="redo").do(i.CompleteStep(ID, "a", 2, "yes", by("bob")))
    assert [pending.node for pending in run.state.pending.values()] == ["b"]
    assert run.state.pending["b", 2].data["task"]["excluded"] == {"bob": "a"}


@pytest.mark.parametrize(
    ("edge", "status", "late"), [("timeout", "completed", "timeout"), ("error", "completed", "error"), (None, "failed", None)]
)
def test_the_ladders_end_is_the_nodes_timeout(edge: str | None, status: str, late: str | None) -> None:
    edges = [{"from": "t", "to": "yes", "on": "yes"}] + ([{"from": "t", "to": "late", "on": edge}] if edge else [])
    nodes = [task(), put("yes", x=1), put("late", was="{{ step.t.outcome }}")]
    run = Run(program_of(nodes, edges)).start().do(i.FailStep(ID, "t", 1, LATE))
    assert (run.state.status, run.state.vars.get("was"), run.state.steps["t"].error and run.state.steps["t"].error["code"]) == (
        status,
        late,
        "timeout",
    )
    assert "task.cancel" not in run.said
    same_again(run)


def test_a_ladder_takes_the_place_of_due_as_what_ends_a_task() -> None:
    edges = [{"from": "t", "to": "late", "on": "timeout"}]
    run = Run(program_of([task(due="1d", on_timeout=[{"after": "3d", "do": "fail"}]), put("late", x=1)], edges)).start().later(days=2)
    assert run.state.status == "waiting"
    assert Run(program_of([task(due="1d"), put("late", x=1)], edges)).start().later(days=2).state.vars == {"x": 1}
