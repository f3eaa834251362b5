"""Several decisions on one task, tasks kept apart from each other, and the ladder: decisions, without a database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from weft_contracts.tasks import (
    Approvals,
    Candidates,
    Rung,
    TaskCompleted,
    TaskDecided,
    TaskEscalated,
    TaskExpired,
    TaskReassigned,
    TaskReminded,
)
from weft_contracts.waits import CompleteStep, FailStep
from weft_runtime.uow import Decision
from weft_tasks import access, agenda, domain, ladder
from weft_tasks.apart import Beside, kept_apart
from weft_tasks.approvals import standing
from weft_tasks.errors import AlreadyDecided, AlreadyDone, FormInvalid, IllegalMove, Separated
from weft_tasks.machine import TaskStatus
from weft_tasks.pauses import Halt
from weft_tasks.task import Change, Task, Who

from tests.services.tasks.test_decisions import ADMIN, ANN, BOB, NOW, command, opened

CARL = Who("carl-id", roles=("approver",))
TWO_OF_THREE = Approvals(required=2, of=3)
HOUR = timedelta(hours=1)


def decided(task: Task, *choices: tuple[Who, str]) -> Decision[Change]:
    """The last of these decisions, after the ones before."""
    for who, outcome in choices:
        decision = domain.complete(task, who, outcome, None, None, NOW)
        task = decision.state.task
    return decision


@pytest.mark.parametrize(
    ("required", "of", "chosen", "stands"),
    [
        (2, 3, ["yes", "yes"], "yes"),
        (2, 3, ["yes", "no"], None),
        (2, 3, ["yes", "no", "yes"], "yes"),
        (2, 3, ["no", "no"], "no"),
        (2, 3, ["no", "yes", "later"], "later"),
        (2, 3, ["later", "no"], "later"),
        (3, 5, ["no", "no", "later"], "no"),
        (2, None, ["no"], "no"),
        (1, 3, ["no", "no"], None),
        (1, None, ["yes"], "yes"),
    ],
)
def test_the_first_outcome_stands_once_enough_chose_it_or_falls_once_it_cannot(
    required: int, of: int | None, chosen: list[str], stands: str | None
) -> None:
    assert standing(Approvals(required=required, of=of), ("yes", "no", "later"), chosen) == stands


def test_however_people_choose_all_of_them_together_decide() -> None:
    for required in (1, 2, 3):
        for chosen in product(("yes", "no", "later"), repeat=3):
            assert standing(Approvals(required=required, of=3), ("yes", "no", "later"), chosen) is not None
    assert standing(TWO_OF_THREE, ("completed",), ["completed"] * 2) == "completed"


def test_a_decision_of_several_leaves_the_task_open_and_says_so() -> None:
    claimed = domain.claim(opened(approvals=TWO_OF_THREE), ANN, None, NOW).state.task
    first = decided(claimed, (ANN, "approved"))
    task, (said,) = first.state.task, first.says
    assert (task.status, task.assignee, task.version, task.completed_by) == (TaskStatus.OPEN, None, 3, None)
    assert isinstance(said, TaskDecided)
    assert (said.outcome, said.decided_by, said.decisions, said.required, said.task_version) == ("approved", "ann-id", 1, 2, 3)
    assert first.state.entry is not None
    assert (first.state.entry.kind, first.state.entry.by) == ("decided", "ann-id")


def test_the_last_decision_is_the_output_with_all_of_them_beside_it() -> None:
    last = decided(opened(approvals=TWO_OF_THREE), (ANN, "rejected"), (BOB, "approved"), (CARL, "approved"))
    fact, step = last.says
    assert isinstance(fact, TaskCompleted)
    assert isinstance(step, CompleteStep)
    assert (fact.outcome, fact.completed_by, fact.decided_by) == ("approved", "carl-id", "person")
    assert (step.output["outcome"], step.output["completed_by"]) == ("approved", "carl-id")
    assert [(one["completed_by"], one["outcome"], sorted(one)) for one in step.output["approvals"]] == [
        (who, outcome, ["completed_at", "completed_by", "form", "outcome"])
        for who, outcome in (("ann-id", "rejected"), ("bob-id", "approved"), ("carl-id", "approved"))
    ]


def test_who_decided_already_is_refused_with_when_and_is_not_offered_it() -> None:
    once = decided(opened(approvals=TWO_OF_THREE), (ANN, "approved")).state.task
    agains: list[Callable[[], object]] = [
        lambda: domain.complete(once, ANN, "rejected", None, 1, NOW + HOUR),
        lambda: domain.claim(once, ANN, None, NOW),
    ]
    for again in agains:
        with pytest.raises(AlreadyDecided) as refused:
            again()
        assert {name: refused.value.extra[name] for name in ("completed_by", "completed_at", "outcome")} == {
            "completed_by": "ann-id",
            "completed_at": NOW.isoformat(),
            "outcome": "approved",
        }
    assert access.allowed_actions(once, ANN) == ["comment"]
    assert access.allowed_actions(once, BOB) == ["claim", "complete", "comment"]
    with pytest.raises(AlreadyDecided):
        domain.reassign(once, ADMIN, "ann-id", None, NOW)


def test_where_decisions_need_not_be_distinct_one_person_may_give_them_all() -> None:
    task = opened(approvals=Approvals(required=2, distinct=False))
    assert decided(task, (ANN, "approved"), (ANN, "approved")).state.task.outcome == "approved"


def test_a_form_for_which_the_output_has_no_room_is_refused() -> None:
    half = {"note": "x" * 300_000}
    once = domain.complete(opened(approvals=TWO_OF_THREE), ANN, "approved", half, None, NOW).state.task
    with pytest.raises(FormInvalid) as refused:
        domain.complete(once, BOB, "approved", half, None, NOW)
    assert [(detail.pointer, detail.code) for detail in refused.value.details] == [("/form", "too_large")]


@pytest.mark.parametrize("roles", [("approver",), ("admin", "operator")])
def test_no_role_gets_around_a_separation(roles: tuple[str, ...]) -> None:
    who = replace(ANN, roles=roles, may_assign=True)
    task = replace(opened(), kept_apart={"ann-id": "first"})
    moves: list[Callable[[], object]] = [
        lambda: domain.claim(task, who, None, NOW),
        lambda: domain.complete(task, who, "approved", None, None, NOW),
    ]
    for move in moves:
        with pytest.raises(Separated) as refused:
            move()
        assert (refused.value.status, refused.value.code, refused.value.extra["node"]) == (403, "separated", "first")
        assert "kept apart from first" in refused.value.message
    assert access.allowed_actions(task, who) == ["reassign", "comment"]
    for name, names in (("ann-id", frozenset[str]()), ("Ann@acme.example", frozenset({"ann-id"}))):
        with pytest.raises(Separated):
            domain.reassign(task, ADMIN, name, None, NOW, names)
    assert domain.reassign(task, ADMIN, "bob-id", None, NOW).state.task.assignee == "bob-id"


def test_what_was_claimed_before_the_separation_can_only_be_given_back() -> None:
    claimed = replace(domain.claim(opened(), ANN, None, NOW).state.task, kept_apart={"ann-id": "first"})
    assert access.allowed_actions(claimed, ANN) == ["snooze", "release", "comment"]


@pytest.mark.parametrize(
    ("rounds", "others", "apart"),
    [
        ("", [Beside("a", 1, "", ("ann",))], {"ann": "a", "eve": "x"}),
        ("", [Beside("a", 1, "", ("ann",)), Beside("a", 2, "", ("bob", "carl"))], {"bob": "a", "carl": "a", "eve": "x"}),
        ("", [Beside("a", 1, "", ("ann",)), Beside("a", 2, "", ())], {"eve": "x"}),
        ("", [Beside("other", 1, "", ("ann",)), Beside("b", 1, "", ("ann",))], {"eve": "x"}),
        ("each[1]/", [Beside("a", 2, "each[1]/", ("ann",)), Beside("a", 3, "each[2]/", ("bob",))], {"ann": "a", "eve": "x"}),
        ("each[1]/", [Beside("a", 1, "", ("ann",))], {"ann": "a", "eve": "x"}),
        ("", [Beside("a", 1, "each[1]/", ("ann",)), Beside("a", 2, "each[2]/", ("bob",))], {"bob": "a", "eve": "x"}),
        ("each[1]/", [Beside("a", 2, "each[10]/", ("ann",))], {"eve": "x"}),
    ],
)
def test_the_newest_visit_that_stands_together_with_a_task_keeps_its_deciders_apart(
    rounds: str, others: list[Beside], apart: dict[str, str]
) -> None:
    task = opened(node="b", separate_from=("a", "b"), excluded={"eve": "x"}, rounds=rounds)
    assert kept_apart(task, others) == apart


def climbed(task: Task, names: frozenset[str] = frozenset()) -> Decision[Change]:
    at = agenda.next_at(task)
    assert at is not None
    return ladder.climb(task, at, names)


def rung(do: str, **more: Any) -> Rung:
    return Rung(after_s=3600, do=do, **more)


def test_reminders_and_rungs_come_in_the_order_of_their_time_and_reminders_of_before_never() -> None:
    rungs = (Rung(after_s=7200, do="fail"), Rung(after_s=1800, do="remind"), Rung(after_s=0, do="remind"))
    asked = command(at=NOW - HOUR / 4, due_at=NOW + HOUR, reminders=(1800, 3600, 7200, 1800), on_timeout=rungs)
    change = domain.open_task(asked, "acme", NOW).state
    assert change is not None
    steps = [(agenda.at(change.task, step) - NOW, step.rung) for step in change.task.agenda]
    assert steps == [(-HOUR / 4, 3), (HOUR / 4, 2), (HOUR / 2, None), (HOUR / 2, None), (HOUR * 7 / 4, 1)]


def test_pauses_that_were_over_before_a_task_came_put_its_steps_off() -> None:
    over = Halt(4, NOW + 2 * HOUR, since=NOW)
    change = domain.open_task(command(at=NOW, due_at=NOW + HOUR, reminders=(600,), on_timeout=(rung("fail"),)), "acme", NOW, [over]).state
    assert change is not None
    assert [agenda.at(change.task, step) - NOW for step in change.task.agenda] == [2 * HOUR + HOUR * 5 / 6, 3 * HOUR]


def test_reminding_changes_nothing_but_says_so() -> None:
    task = domain.claim(opened(on_timeout=(rung("remind"),)), ANN, None, NOW).state.task
    reminded = climbed(task)
    (said,) = reminded.says
    assert isinstance(said, TaskReminded)
    assert (said.assignee, said.reason, said.at, said.task_version) == ("ann-id", "waiting", NOW + HOUR, 2)
    assert replace(reminded.state.task, passed=0) == task
    assert agenda.next_at(reminded.state.task) is None


def test_reassigning_takes_a_claim_away_and_gives_it_to_one_or_to_others() -> None:
    claimed = domain.claim(opened(on_timeout=(rung("reassign", assignee=" Bob@acme.example"),)), ANN, None, NOW).state.task
    given = climbed(claimed)
    assert (given.state.task.status, given.state.task.assignee, given.state.task.version) == ("open", "bob@acme.example", 3)
    assert [type(said) for said in given.says] == [TaskReassigned]
    assert (access.eligible(given.state.task, ANN), access.eligible(given.state.task, BOB)) == (False, True)
    others = climbed(opened(assignee="ann-id", on_timeout=(rung("reassign", candidates=Candidates(users=("BOB-ID",))),))).state.task
    assert (others.assignee, access.eligible(others, ANN), access.eligible(others, BOB)) == (None, False, True)


@pytest.mark.parametrize("named", [{"kept_apart": {"bob-id": "first"}}, {"by": "bob-id"}])
def test_a_step_that_would_give_it_to_one_who_may_not_act_is_passed_over_and_told(named: dict[str, Any]) -> None:
    task = opened(on_timeout=(rung("reassign", assignee="bob@acme.example"),), approvals=TWO_OF_THREE)
    task = replace(task, kept_apart=named["kept_apart"]) if "kept_apart" in named else decided(task, (BOB, "approved")).state.task
    passed = climbed(task, frozenset({"bob-id"}))
    assert (passed.says, replace(passed.state.task, passed=0)) == ((), task)
    assert passed.state.entry is not None
    assert passed.state.entry.kind == "step_skipped"


def test_escalating_lets_others_act_too_and_frees_a_claim() -> None:
    lead = Candidates(roles=("lead",))
    task = opened(
        candidates=Candidates(groups=("finance",)), on_timeout=(rung("escalate", candidates=lead), rung("escalate", assignee="bob-id"))
    )
    claimed = domain.claim(task, ANN, None, NOW).state.task
    first = climbed(claimed)
    (said,) = first.says
    assert isinstance(said, TaskEscalated)
    assert (said.candidates, first.state.task.status, first.state.task.assignee) == (lead, "open", None)
    assert first.state.task.candidates == Candidates(groups=("finance",), roles=("lead",))
    second = climbed(first.state.task).state.task
    assert (second.candidates.users, access.eligible(second, BOB), access.eligible(second, ANN)) == (("bob-id",), True, True)
    anyone = climbed(opened(on_timeout=(rung("escalate", candidates=lead),))).state.task
    assert access.eligible(anyone, CARL), "what anyone may do, anyone still may"


def test_the_ladder_decides_and_who_comes_later_learns_that() -> None:
    waiting = decided(opened(approvals=TWO_OF_THREE, on_timeout=(rung("decide", outcome="rejected"),)), (ANN, "approved")).state.task
    ended = climbed(waiting)
    fact, step = ended.says
    assert isinstance(fact, TaskCompleted)
    assert isinstance(step, CompleteStep)
    assert (fact.outcome, fact.completed_by, fact.decided_by) == ("rejected", None, "timeout")
    assert (step.outcome, step.output["completed_by"], step.output["form"], len(step.output["approvals"])) == ("rejected", None, None, 1)
    assert ended.state.entry is not None
    assert ended.state.entry.data["decided_by"] == "timeout"
    with pytest.raises(AlreadyDone) as refused:
        domain.complete(ended.state.task, BOB, "approved", None, 1, NOW + 2 * HOUR)
    assert (refused.value.extra["completed_by"], refused.value.extra["decided_by"]) == (None, "timeout")
    assert refused.value.extra["completed_at"] == (NOW + HOUR).isoformat()


def test_the_ladder_fails_the_step_with_the_code_of_timeouts() -> None:
    ended = climbed(opened(on_timeout=(rung("fail"),)))
    fact, step = ended.says
    assert isinstance(fact, TaskExpired)
    assert isinstance(step, FailStep)
    assert (step.error.code, step.error.permanent, step.error.details) == ("timeout", False, {"rung": 1})
    with pytest.raises(IllegalMove) as refused:
        domain.complete(ended.state.task, BOB, "approved", None, None, NOW + 2 * HOUR)
    assert f"expired since {(NOW + HOUR).isoformat()}" in refused.value.message


@pytest.mark.parametrize("end", ["complete", "cancelled", "timeout"])
def test_after_its_end_nothing_comes_any_more(end: str) -> None:
    task = opened(on_timeout=(rung("fail"),))
    ended = decided(task, (ANN, "approved")) if end == "complete" else domain.take_back(task, end, NOW)
    assert agenda.next_at(ended.state.task) is None
    late = ladder.climb(ended.state.task, datetime(2027, 1, 1, tzinfo=UTC))
    assert (late.says, late.state.entry) == ((), None)
