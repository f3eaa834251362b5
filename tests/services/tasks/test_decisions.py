"""Decisions about tasks, without a database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_contracts.tasks import Approvals, Candidates, CreateTask, TaskCancelled, TaskCompleted, TaskCreated, TaskExpired
from weft_contracts.waits import CompleteStep, FailStep
from weft_runtime.errors import WeftError
from weft_tasks import access, behalf, domain, handing
from weft_tasks.errors import AlreadyDone, FormInvalid, IllegalMove, NotYours, TaskMoved, UnknownOutcome
from weft_tasks.machine import LIVE, TaskStatus
from weft_tasks.task import Absentee, Decided, Task, Who

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ANN = Who("ann-id", "Ann@Acme.example", groups=("finance",), roles=("approver",))
BOB = Who("bob-id", "bob@acme.example", roles=("approver",))
ADMIN = Who("adm-id", roles=("admin",), may_assign=True)


def command(**given: Any) -> CreateTask:
    fields: dict[str, Any] = {
        "task_id": UUID(int=1),
        "execution_id": UUID(int=2),
        "workflow": "leave",
        "node": "review",
        "visit": 1,
        "title": "Review",
        "outcomes": ("approved", "rejected"),
    }
    return CreateTask(**(fields | given))


def opened(**given: Any) -> Task:
    change = domain.open_task(command(**given), "acme", NOW).state
    assert change is not None
    return change.task


def test_a_new_task_is_open_and_told() -> None:
    decision = domain.open_task(command(assignee=" Ann@acme.example"), "acme", NOW)
    assert decision.state is not None
    assert (decision.state.task.status, decision.state.task.version, decision.state.task.assignee) == ("open", 1, "ann@acme.example")
    assert [type(said) for said in decision.says] == [TaskCreated]


def test_a_form_nobody_could_fill_in_fails_the_step_instead() -> None:
    decision = domain.open_task(command(form={"type": "nonsense"}), "acme", NOW)
    assert decision.state is None
    (said,) = decision.says
    assert isinstance(said, FailStep)
    assert (said.error.code, said.error.permanent, said.node) == ("task_form_unusable", True, "review")


def test_a_decision_is_told_to_the_mesh_and_to_the_engine() -> None:
    decision = domain.complete(opened(), ANN, "approved", {"note": "fine"}, 1, NOW)
    fact, step = decision.says
    assert isinstance(fact, TaskCompleted)
    assert isinstance(step, CompleteStep)
    assert (fact.outcome, fact.completed_by, fact.task_version) == ("approved", "ann-id", 2)
    assert (step.execution_id, step.node, step.visit, step.outcome) == (UUID(int=2), "review", 1, "approved")
    assert step.output["form"] == {"note": "fine"}
    assert step.output["completed_by"] == "ann-id"
    assert decision.state.task.status is TaskStatus.COMPLETED


def test_a_second_decision_learns_who_decided_and_when() -> None:
    done = domain.complete(opened(), ANN, "approved", None, None, NOW).state.task
    with pytest.raises(AlreadyDone) as refused:
        domain.complete(done, BOB, "rejected", None, 1, NOW + timedelta(minutes=1))
    assert refused.value.extra["completed_by"] == "ann-id"
    assert refused.value.extra["completed_at"] == NOW.isoformat()


def test_whoever_read_an_older_version_is_told_the_current_state() -> None:
    claimed = domain.claim(opened(), ANN, 1, NOW).state.task
    with pytest.raises(TaskMoved) as refused:
        domain.complete(claimed, ANN, "approved", None, 1, NOW)
    assert refused.value.extra["current"]["version"] == 2


def test_a_claimed_task_is_its_claimers_alone_until_released() -> None:
    claimed = domain.claim(opened(), ANN, None, NOW).state.task
    with pytest.raises(NotYours):
        domain.complete(claimed, BOB, "approved", None, None, NOW)
    with pytest.raises(IllegalMove):
        domain.claim(claimed, BOB, None, NOW)
    assert domain.claim(claimed, ANN, None, NOW).says == ()
    released = domain.release(claimed, ANN, None, NOW).state.task
    assert (released.status, released.assignee) == (TaskStatus.OPEN, None)
    assert domain.complete(released, BOB, "approved", None, None, NOW).state.task.completed_by == "bob-id"


@pytest.mark.parametrize(
    ("named", "may"),
    [
        ({}, True),
        ({"assignee": "ann-id"}, True),
        ({"assignee": "ANN@acme.example"}, True),
        ({"assignee": "bob-id"}, False),
        ({"candidates": Candidates(users=("Ann@Acme.Example",))}, True),
        ({"candidates": Candidates(groups=("finance",))}, True),
        ({"candidates": Candidates(groups=("legal",))}, False),
        ({"candidates": Candidates(roles=("approver",))}, True),
        ({"candidates": Candidates(roles=("admin",))}, False),
        ({"assignee": "bob-id", "candidates": Candidates(groups=("finance",))}, True),
    ],
)
def test_the_assignee_and_candidates_may_act_and_where_nobody_is_named_anybody(named: dict[str, Any], may: bool) -> None:
    task = opened(**named)
    assert access.eligible(task, ANN) is may
    if may:
        domain.complete(task, ANN, "approved", None, None, NOW)
    else:
        with pytest.raises(NotYours):
            domain.complete(task, ANN, "approved", None, None, NOW)


def test_reassigning_moves_a_task_to_one_person_and_back_to_all() -> None:
    claimed = domain.claim(opened(), ANN, None, NOW).state.task
    given = domain.reassign(claimed, ADMIN, "Bob@acme.example", None, NOW).state.task
    assert (given.status, given.assignee) == (TaskStatus.OPEN, "bob@acme.example")
    assert not access.eligible(given, ANN)
    assert access.eligible(given, BOB)
    back = domain.reassign(given, ADMIN, None, None, NOW).state.task
    assert access.eligible(back, ANN)


def test_an_outcome_that_is_not_offered_is_refused_and_a_single_one_may_be_left_out() -> None:
    with pytest.raises(UnknownOutcome):
        domain.complete(opened(), ANN, "maybe", None, None, NOW)
    with pytest.raises(UnknownOutcome):
        domain.complete(opened(), ANN, None, None, None, NOW)
    assert domain.complete(opened(outcomes=("completed",)), ANN, None, None, None, NOW).state.task.outcome == "completed"


def test_a_form_that_does_not_fit_changes_nothing() -> None:
    task = opened(form={"type": "object", "required": ["amount"]})
    with pytest.raises(FormInvalid) as refused:
        domain.complete(task, ANN, "approved", {}, None, NOW)
    assert [detail.pointer for detail in refused.value.details] == ["/form/amount"]


@pytest.mark.parametrize(("reason", "status", "word"), [("cancelled", "cancelled", TaskCancelled), ("timeout", "expired", TaskExpired)])
def test_taking_back_says_so_once_and_leaves_decisions_alone(reason: str, status: str, word: type) -> None:
    first = domain.take_back(opened(), reason, NOW)
    assert (first.state.task.status, [type(said) for said in first.says]) == (status, [word])
    assert domain.take_back(first.state.task, reason, NOW).says == ()
    done = domain.complete(opened(), ANN, "approved", None, None, NOW).state.task
    assert domain.take_back(done, reason, NOW).state.task is done


names = st.sampled_from(["ann-id", "ann@acme.example", "bob-id", "carl-id"])
whos = st.builds(
    Who,
    id=st.sampled_from(["ann-id", "bob-id", "carl-id"]),
    email=st.sampled_from(["", "Ann@acme.example"]),
    groups=st.lists(st.sampled_from(["finance", "legal"]), max_size=2).map(tuple),
    roles=st.lists(st.sampled_from(["approver", "admin"]), max_size=2).map(tuple),
    may_act=st.booleans(),
    may_assign=st.booleans(),
)
decisions = st.lists(
    st.builds(Decided, st.sampled_from(["approved", "rejected"]), st.none(), st.sampled_from(["ann-id", "bob-id"]), st.just(NOW)),
    max_size=1,
)
tasks = st.builds(
    lambda reserved, holder, users, groups, roles, status, approvals, decided, apart, asker, handed: replace(
        opened(assignee=reserved, candidates=Candidates(users=users, groups=groups, roles=roles), approvals=approvals),
        status=status,
        assignee=holder if status is TaskStatus.CLAIMED else reserved,
        completed_at=NOW,
        decisions=tuple(decided) if approvals is not None else (),
        kept_apart=apart,
        requested_by=asker,
        delegators=tuple(handed),
    ),
    st.none() | names,
    names,
    st.lists(names, max_size=2).map(tuple),
    st.lists(st.sampled_from(["finance", "legal"]), max_size=1).map(tuple),
    st.lists(st.sampled_from(["approver", "admin"]), max_size=1).map(tuple),
    st.sampled_from(list(TaskStatus)),
    st.none() | st.builds(Approvals, required=st.just(2), of=st.just(3), distinct=st.booleans()),
    decisions,
    st.dictionaries(st.sampled_from(["ann-id", "carl-id"]), st.just("first"), max_size=1),
    st.none() | st.sampled_from(["ann-id", "bob-id"]),
    st.lists(st.sampled_from(["ann-id", "carl-id"]), max_size=1),
)


standing_in = st.lists(
    st.builds(
        Absentee,
        id=st.just("carl-id"),
        names=st.sets(st.sampled_from(["carl-id", "dora-id"]), min_size=1).map(frozenset),
        workflows=st.none() | st.sampled_from([frozenset({"leave"}), frozenset({"other"})]),
    ),
    max_size=2,
).map(tuple)


@given(tasks, st.builds(replace, whos, stands_for=standing_in))
def test_what_is_offered_is_exactly_what_works(task: Task, who: Who) -> None:
    doings: dict[str, Callable[[], object]] = {
        "claim": lambda: domain.claim(task, who, None, NOW),
        "release": lambda: domain.release(task, who, None, NOW),
        "complete": lambda: domain.complete(task, who, "approved", None, None, NOW),
        "reassign": lambda: domain.reassign(task, who, "dora-id", None, NOW),
        "delegate": lambda: handing.delegate(task, who, "dora-id", None, NOW),
        "snooze": lambda: handing.snooze(task, who, NOW + timedelta(hours=1), None, NOW),
        "comment": lambda: domain.comment(task, who, "hm", NOW),
    }
    offered = set(access.allowed_actions(task, who))
    for name, do in doings.items():
        try:
            result = do()
        except WeftError:
            assert name not in offered
        else:
            unchanged = name == "claim" and getattr(result, "says", None) == ()
            assert name in offered or unchanged or (name == "comment" and task.status not in LIVE)


@given(tasks, whos)
def test_the_index_finds_exactly_the_tasks_a_person_may_act_on(task: Task, who: Who) -> None:
    assert (not set(access.openers(task)).isdisjoint(access.keys(who))) is behalf.entitled(task, who)
