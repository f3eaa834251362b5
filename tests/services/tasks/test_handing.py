"""Handing tasks on, standing in for others and letting tasks sleep: decisions, without a database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from weft_contracts.tasks import Approvals, Candidates, TaskCompleted, TaskDecided, TaskDelegated
from weft_contracts.waits import CompleteStep
from weft_runtime.errors import WeftError
from weft_tasks import access, behalf, domain, handing, ladder, standing_in
from weft_tasks.errors import (
    AlreadyDecided,
    BadTime,
    DelegatedInCircle,
    DelegatedTooOften,
    NotYourAbsence,
    NotYours,
    OwnRequest,
    Separated,
    StandsInForSelf,
)
from weft_tasks.machine import TaskStatus
from weft_tasks.task import Absentee, Step, Task, Who

from tests.services.tasks.test_decisions import ADMIN, ANN, BOB, NOW, opened

CARL = Who("carl-id", "carl@acme.example", roles=("approver",))
HOUR = timedelta(hours=1)


def instead_of(whom: Who, *workflows: str, who: Who = BOB) -> Who:
    """Somebody who stands in for another, in these workflows or all."""
    return replace(who, stands_for=(Absentee(whom.id, whom.names, frozenset(workflows) or None),))


def handed(task: Task, who: Who, to: str) -> Task:
    return handing.delegate(task, who, to, None, NOW).state.task


def refused(kind: type[WeftError], task: Task, who: Who, outcome: str = "approved") -> WeftError:
    with pytest.raises(kind) as refusal:
        domain.complete(task, who, outcome, None, None, NOW)
    assert "complete" not in access.allowed_actions(task, who)
    return refusal.value


def test_whoever_has_a_task_hands_it_on_and_stays_known_with_what_came_of_it() -> None:
    task = opened(assignee="ann-id")
    decision = handing.delegate(task, ANN, "Bob@acme.example", 1, NOW, frozenset({"bob-id"}))
    given, (said,) = decision.state.task, decision.says
    assert (given.status, given.version, given.assignee, given.delegators) == (TaskStatus.OPEN, 2, "bob@acme.example", ("ann-id",))
    assert isinstance(said, TaskDelegated)
    assert (said.assignee, said.by, said.on_behalf_of) == ("bob@acme.example", "ann-id", None)
    done = domain.complete(given, BOB, "approved", None, None, NOW)
    fact, step = done.says
    assert isinstance(fact, TaskCompleted)
    assert isinstance(step, CompleteStep)
    assert (fact.completed_by, fact.on_behalf_of) == ("bob-id", "ann-id")
    assert (step.output["completed_by"], step.output["on_behalf_of"]) == ("bob-id", "ann-id")
    entry = done.state.entry
    assert entry is not None
    assert (entry.by, entry.data["on_behalf_of"]) == ("bob-id", "ann-id")
    assert done.state.task.deciders == ("bob-id", "ann-id")


def test_only_whoever_has_it_hands_it_on_and_a_candidate_claims_it_first() -> None:
    task = opened(candidates=Candidates(roles=("approver",)))
    with pytest.raises(NotYours):
        handing.delegate(task, ANN, "carl-id", None, NOW)
    claimed = domain.claim(task, ANN, None, NOW).state.task
    assert "delegate" in access.allowed_actions(claimed, ANN)
    for other in (BOB, ADMIN):
        with pytest.raises(NotYours):
            handing.delegate(claimed, other, "carl-id", None, NOW)
    assert handed(claimed, ANN, "carl-id").status is TaskStatus.OPEN


def test_a_task_is_not_handed_on_in_a_circle_nor_to_oneself_nor_for_ever() -> None:
    task = handed(handed(opened(assignee="ann-id"), ANN, "bob-id"), BOB, "carl-id")
    assert task.delegators == ("ann-id", "bob-id")
    for name, names in (("ann-id", frozenset[str]()), ("bob@acme.example", frozenset({"bob-id"})), ("carl@acme.example", frozenset[str]())):
        with pytest.raises(DelegatedInCircle) as circle:
            handing.delegate(task, CARL, name, None, NOW, names)
        assert (circle.value.status, circle.value.details[0].pointer) == (409, "/assignee")
    long = replace(task, delegators=tuple(f"user-{number}" for number in range(handing.HANDED_ON_MOST)))
    with pytest.raises(DelegatedTooOften):
        handing.delegate(long, CARL, "dora-id", None, NOW)


def test_what_is_given_back_goes_to_who_handed_it_on_who_may_also_take_it_back_before() -> None:
    given = handed(domain.claim(opened(), ANN, None, NOW).state.task, ANN, "bob-id")
    assert domain.claim(given, ANN, None, NOW).state.task.delegators == ()
    taken = domain.claim(given, BOB, None, NOW).state.task
    assert (taken.assignee, taken.delegators) == ("bob-id", ("ann-id",))
    assert "claim" not in access.allowed_actions(taken, ANN)
    back = domain.release(taken, BOB, None, NOW).state.task
    assert (back.assignee, back.delegators) == ("ann-id", ())
    again = domain.release(domain.claim(back, ANN, None, NOW).state.task, ANN, None, NOW).state.task
    assert again.assignee is None


def test_an_assigner_and_the_ladder_give_a_task_as_if_nobody_had_handed_it_on() -> None:
    given = handed(opened(assignee="ann-id"), ANN, "bob-id")
    assert domain.reassign(given, ADMIN, "carl-id", None, NOW).state.task.delegators == ()
    climbing = replace(given, agenda=(Step(0, "reassign", 1, "carl-id"),))
    assert ladder.climb(climbing, NOW).state.task.delegators == ()


def test_a_task_is_handed_on_only_to_somebody_who_may_decide_it() -> None:
    apart = replace(opened(assignee="ann-id"), kept_apart={"bob-id": "first"})
    with pytest.raises(Separated):
        handing.delegate(apart, ANN, "bob-id", None, NOW)
    asked = opened(assignee="ann-id", requested_by="bob-id")
    with pytest.raises(OwnRequest) as own:
        handing.delegate(asked, ANN, "bob@acme.example", None, NOW, frozenset({"bob-id"}))
    assert (own.value.status, own.value.code) == (403, "own_request")


@pytest.mark.parametrize(
    ("named", "workflows", "may"),
    [
        ({"assignee": "ann-id"}, (), True),
        ({"assignee": "ann@acme.example"}, ("leave", "other"), True),
        ({"assignee": "ann-id"}, ("other",), False),
        ({"candidates": Candidates(users=("ann-id", "dora-id"))}, (), True),
        ({"candidates": Candidates(groups=("finance",))}, (), False),
        ({"assignee": "dora-id"}, (), False),
    ],
)
def test_a_stand_in_decides_what_is_theirs_by_name_in_the_workflows_they_left(
    named: dict[str, Any], workflows: tuple[str, ...], may: bool
) -> None:
    task, who = opened(**named), instead_of(ANN, *workflows)
    assert ("complete" in access.allowed_actions(task, who)) is may
    if not may:
        refused(NotYours, task, who)
        return
    done = domain.complete(task, who, "approved", None, None, NOW).state.task
    assert (done.completed_by, done.on_behalf_of) == ("bob-id", "ann-id")


def test_what_a_stand_in_took_stays_with_them_when_the_span_is_over_and_goes_back_to_whose_it_was() -> None:
    task = opened(assignee="ann-id")
    taken = domain.claim(task, instead_of(ANN), None, NOW).state.task
    assert (taken.assignee, taken.standing_for) == ("bob-id", "ann-id")
    assert domain.complete(taken, BOB, "approved", None, None, NOW).state.task.on_behalf_of == "ann-id"
    assert domain.release(taken, BOB, None, NOW).state.task.assignee == "ann-id"
    onward = handed(taken, BOB, "carl-id")
    assert onward.delegators == ("ann-id", "bob-id")
    among = domain.claim(opened(candidates=Candidates(users=("ann-id",))), instead_of(ANN), None, NOW).state.task
    assert domain.release(among, BOB, None, NOW).state.task.assignee is None


def test_a_stand_in_decides_hands_on_or_gives_back_what_the_absent_one_had_taken_and_nobody_elses() -> None:
    taken = domain.claim(opened(), ANN, None, NOW).state.task
    who = instead_of(ANN)
    assert set(access.allowed_actions(taken, who)) == {"release", "complete", "delegate", "comment"}
    assert domain.complete(taken, who, "approved", None, None, NOW).state.task.on_behalf_of == "ann-id"
    given = handing.delegate(taken, who, "carl-id", None, NOW)
    assert given.state.task.delegators == ("ann-id",)
    (said,) = given.says
    assert isinstance(said, TaskDelegated)
    assert (said.by, said.on_behalf_of) == ("bob-id", "ann-id")
    refused(NotYours, domain.claim(opened(candidates=Candidates(users=("ann-id", "carl-id"))), CARL, None, NOW).state.task, who)


def test_whoever_may_act_themselves_acts_for_themselves_also_while_they_stand_in() -> None:
    task = opened(candidates=Candidates(users=("ann-id", "bob-id")), requested_by="bob-id")
    assert domain.complete(task, instead_of(ANN), "approved", None, None, NOW).state.task.on_behalf_of is None


@pytest.mark.parametrize("requested_by", ["bob-id", "bob@acme.example"])
def test_a_stand_in_and_a_delegate_decide_no_request_of_their_own(requested_by: str) -> None:
    standing = opened(assignee="ann-id", requested_by=requested_by)
    refusal = refused(OwnRequest, standing, instead_of(ANN))
    assert (refusal.status, refusal.code, refusal.extra["on_behalf_of"]) == (403, "own_request", "ann-id")
    with pytest.raises(OwnRequest):
        domain.claim(standing, instead_of(ANN), None, NOW)
    refused(OwnRequest, replace(handed(opened(assignee="ann-id"), ANN, "bob-id"), requested_by=requested_by), BOB)
    assert domain.complete(opened(assignee="bob-id", requested_by="bob-id"), BOB, "approved", None, None, NOW).says


def test_who_is_kept_apart_or_decided_is_so_through_whoever_acts_for_them_too() -> None:
    refused(Separated, replace(opened(assignee="ann-id"), kept_apart={"ann-id": "first"}), instead_of(ANN))
    several = opened(assignee="ann-id", candidates=Candidates(roles=("approver",)), approvals=Approvals(required=2, of=3))
    once = domain.complete(several, instead_of(ANN, who=Who("dora-id")), "approved", None, None, NOW)
    (said,) = once.says
    assert isinstance(said, TaskDecided)
    assert (said.decided_by, said.on_behalf_of) == ("dora-id", "ann-id")
    refused(AlreadyDecided, once.state.task, ANN)
    refused(AlreadyDecided, once.state.task, Who("dora-id", roles=("approver",)))
    last = domain.complete(once.state.task, CARL, "approved", None, None, NOW).says[1]
    assert isinstance(last, CompleteStep)
    assert [one.get("on_behalf_of") for one in last.output["approvals"]] == ["ann-id", None]


def test_a_task_sleeps_for_who_has_it_and_nothing_else_about_it_changes() -> None:
    task = opened(assignee="ann-id", due_at=NOW + HOUR)
    slept = handing.snooze(task, ANN, NOW + 2 * HOUR, 1, NOW).state
    assert replace(slept.task, snoozed_until=None, snoozed_by=None) == task
    assert (slept.task.snoozed_until, slept.entry and slept.entry.kind) == (NOW + 2 * HOUR, "snoozed")
    for who in (BOB, ADMIN, instead_of(ANN)):
        with pytest.raises(NotYours):
            handing.snooze(task, who, NOW + HOUR, None, NOW)
    for time in (NOW, NOW - HOUR, NOW + handing.SLEEPS_AT_MOST + HOUR):
        with pytest.raises(BadTime):
            handing.snooze(task, ANN, time, None, NOW)
    woken = handing.snooze(slept.task, ANN, None, None, NOW).state
    assert (woken.task, woken.entry and woken.entry.kind) == (task, "woken")
    assert handing.snooze(task, ANN, None, None, NOW).state.task is task


def test_whatever_happens_to_a_task_wakes_it_but_a_remark_of_ones_own() -> None:
    task = replace(opened(assignee="ann-id"), agenda=(Step(0, "remind", 1),))
    slept = handing.snooze(task, ANN, NOW + HOUR, None, NOW).state.task
    assert domain.comment(slept, ANN, "later", NOW).task.snoozed_until == NOW + HOUR
    happened = [
        domain.comment(slept, ADMIN, "now, please", NOW).task,
        ladder.climb(slept, NOW).state.task,
        domain.claim(slept, ANN, None, NOW).state.task,
        domain.reassign(slept, ADMIN, "ann-id", None, NOW).state.task,
        handed(slept, ANN, "bob-id"),
    ]
    assert [one.snoozed_until for one in happened] == [None] * 5


def test_for_whom_somebody_acts_is_told_of_those_who_do_and_of_nobody_else() -> None:
    task = handed(opened(assignee="ann-id"), ANN, "bob-id")
    assert behalf.on_behalf_of(task, BOB) == "ann-id"
    assert behalf.on_behalf_of(task, ANN) is None
    assert behalf.on_behalf_of(task, instead_of(BOB, who=CARL)) == "ann-id"
    assert behalf.on_behalf_of(opened(assignee="ann-id"), replace(instead_of(ANN), may_act=False)) is None


def test_people_say_who_stands_in_for_them_and_for_others_only_who_may_assign() -> None:
    standing_in.require_may_say(ANN, ANN.names)
    standing_in.require_may_say(ADMIN, ANN.names)
    for who in (BOB, Who("key-1", owner="ann-id")):
        with pytest.raises(NotYourAbsence):
            standing_in.require_may_say(who, ANN.names)
    with pytest.raises(StandsInForSelf):
        standing_in.require_two(ANN.names, frozenset({"ann-id"}))


def test_a_span_begins_now_or_later_ends_after_that_and_is_bounded() -> None:
    assert standing_in.span(None, NOW + HOUR, NOW) == standing_in.Span(NOW, NOW + HOUR)
    long_ago = NOW - standing_in.LONGEST - HOUR
    wrong = [
        (None, NOW),
        (long_ago, NOW + HOUR),
        (NOW + HOUR, NOW + HOUR),
        (NOW + 2 * HOUR, NOW + HOUR),
        (None, NOW + standing_in.LONGEST + HOUR),
    ]
    for starts_at, ends_at in wrong:
        with pytest.raises(BadTime) as bad:
            standing_in.span(starts_at, ends_at, NOW)
        assert bad.value.details[0].pointer == "/to"
    begins, ends = NOW + HOUR, NOW + 2 * HOUR
    stands = [standing_in.standing(begins, ends, None, NOW + passed * HOUR) for passed in (0, 1, 2)]
    assert (stands, standing_in.standing(begins, ends, NOW, NOW)) == (["scheduled", "active", "over"], "revoked")
