"""Who is told what, by which ways and when: decisions on values alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from weft_contracts.executions import ExecutionFailed, Failure
from weft_contracts.tasks import Candidates, CreateTask, Rung
from weft_tasks import domain, handing, ladder
from weft_tasks.notifications import EVENTS, Audience, Channel, causes, cut, id_of
from weft_tasks.notifications.preferences import Preferences, awake, channels_of, is_quiet, send_at
from weft_tasks.notifications.schemas import PreferencesBody, document_of, preferences_of, view
from weft_tasks.task import Change, Task, Who

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
ANN, BOB = Who("ann", "ann@acme.example", may_assign=True), Who("bob", "bob@acme.example")


def opened(**given: Any) -> Change:
    fields = {"task_id": uuid4(), "execution_id": uuid4(), "workflow": "leave", "node": "review", "visit": 1, "title": "Review", "at": NOW}
    change = domain.open_task(CreateTask(**(fields | given)), "acme", NOW).state
    assert change is not None
    return change


def task(**given: Any) -> Task:
    return opened(**given).task


def told(change: Change) -> list[tuple[str, Audience]]:
    return [(note.event, note.to) for note in causes.of_change(change)]


def test_a_new_task_is_told_to_its_assignee_else_to_those_it_is_for_and_one_for_anyone_to_nobody() -> None:
    those = Candidates(users=("ann",), roles=("approver",), groups=("finance",))
    assert told(opened(assignee="Ann", candidates=those)) == [("task.assigned", Audience(("ann",)))]
    assert told(opened(candidates=those)) == [("task.offered", Audience(("ann",), ("approver",), ("finance",)))]
    assert told(opened()) == []


def test_who_is_given_a_task_is_told_and_who_gave_it_is_not() -> None:
    (given_,) = causes.of_change(domain.reassign(task(), ANN, "bob", None, NOW).state)
    assert (given_.event, given_.to, given_.but) == ("task.reassigned", Audience(("bob",)), frozenset({"ann"}))
    moved = domain.reassign(task(assignee="carl"), ANN, "bob", None, NOW).state
    assert told(moved) == [("task.reassigned", Audience(("bob",))), ("task.reassigned", Audience(("carl",)))]
    handed = handing.delegate(task(assignee="ann"), ANN, "bob", None, NOW).state
    assert told(handed) == [("task.delegated", Audience(("bob",)))]
    claimed = domain.claim(handed.task, BOB, None, NOW).state
    assert told(claimed) == []
    assert told(domain.release(claimed.task, BOB, None, NOW).state) == [("task.assigned", Audience(("ann",)))]


def test_what_time_does_is_told_to_whoever_is_to_act() -> None:
    rungs = (Rung(after_s=1, do="remind"), Rung(after_s=2, do="escalate", candidates=Candidates(roles=("boss",))))
    waiting = task(candidates=Candidates(users=("bob",)), on_timeout=rungs, due_at=NOW + timedelta(hours=1), reminders=(3600 - 0.5,))
    reminded = ladder.climb(waiting, NOW).state
    again = ladder.climb(reminded.task, NOW).state
    taken = replace(again.task, assignee="bob")
    escalated = ladder.climb(taken, NOW).state
    assert [told(one) for one in (reminded, again)] == [[("task.reminder", Audience(("bob",)))]] * 2
    assert told(escalated) == [("task.escalated", Audience(("bob",), ("boss",)))]
    assert len({note.cause for one in (reminded, again, escalated) for note in causes.of_change(one)}) == 3
    assert (causes.overdue(taken).event, causes.overdue(taken).to) == ("task.overdue", Audience(("bob",)))


@pytest.mark.parametrize(("reason", "event"), [("cancelled", "task.cancelled"), ("timeout", "task.expired")])
def test_a_task_that_is_taken_back_is_told_to_who_has_it(reason: str, event: str) -> None:
    assert told(domain.take_back(task(assignee="ann"), reason, NOW).state) == [(event, Audience(("ann",)))]
    assert told(domain.take_back(task(candidates=Candidates(roles=("approver",))), reason, NOW).state) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ask @Bob@acme.example, or @carl@acme.example.", ("bob@acme.example", "carl@acme.example")),
        ("@00000000-0000-7000-8000-00000000000B twice @00000000-0000-7000-8000-00000000000b", ("00000000-0000-7000-8000-00000000000b",)),
        ("a mail to bob@acme.example or @bob names nobody", ()),
        ("@" * 5000 + "a@b", ()),
    ],
)
def test_somebody_is_named_in_a_comment_by_an_at_sign_and_what_they_are_called_by(text: str, names: tuple[str, ...]) -> None:
    assert causes.mentioned(text) == names
    change = domain.comment(task(assignee="ann"), ANN, text, NOW)
    assert [note.to.users for note in causes.of_change(change)] == ([names] if names else [])


def failed(**given: Any) -> ExecutionFailed:
    about = {"execution_id": UUID(int=1), "workflow": "leave", "workflow_version": 1, "position": 9, "at": NOW, "started_at": NOW}
    return ExecutionFailed(**(about | {"duration_ms": 1, "error": Failure(code="boom", message="It broke.", node="pay")} | given))


def test_a_failure_is_told_to_who_started_it_each_time_and_to_whose_workflow_it_is_once_an_hour() -> None:
    first, owners = causes.of_failure(failed(user="Ann"), "bob")
    assert (first.to, first.title, first.text, first.link) == (
        Audience(("ann",)), "leave failed at pay", "boom: It broke.", f"/executions/{UUID(int=1)}",
    )  # fmt: skip
    _, same = causes.of_failure(failed(user="Ann", execution_id=UUID(int=2), at=NOW + timedelta(minutes=59)), "bob")
    _, later = causes.of_failure(failed(user="Ann", at=NOW + timedelta(minutes=60)), "bob")
    assert owners.to == Audience(("bob",))
    assert owners.cause == same.cause != later.cause
    assert [note.to.users for note in causes.of_failure(failed(user="key", key_owner="ann"), "ann")] == [("ann",)]
    assert causes.of_failure(failed(), None) == ()
    assert causes.of_failure(failed(user="ann", parent=UUID(int=3)), "bob") == ()


def test_a_title_is_one_line_of_bounded_length() -> None:
    assert cut("a\r\nb\tc\x1b[1m\u2028d\x85e") == "a b c [1m d e"
    assert len(cut("x" * 1000)) == 300


def test_the_same_cause_is_one_notification_of_a_person_and_of_nobody_else() -> None:
    ids = {id_of(tenant, user, cause) for tenant in ("a", "b") for user in ("ann", "bob") for cause in ("x", "y")}
    assert len(ids) == 8
    assert id_of("a", "ann", "x") == id_of("a", "ann", "x")


ZONES = st.sampled_from(["UTC", "Europe/Rome", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca", "+03:00"])
MINUTES = st.integers(0, 1439)
QUIET = st.none() | st.tuples(MINUTES, MINUTES).filter(lambda pair: pair[0] != pair[1])
TIMES = st.integers(0, 3 * 365 * 86_400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
CHOICES = st.builds(
    Preferences,
    channels=st.dictionaries(st.sampled_from([*EVENTS, "invoice.overdue"]), st.frozensets(st.sampled_from(Channel))),
    zone=ZONES,
    quiet=QUIET,
    every=st.sampled_from(["none", "hourly", "daily"]),
    digest_at=MINUTES,
    slack=st.none() | st.just("U012AB"),
    muted=st.frozensets(st.sampled_from(Channel)),
)
SPRING, AUTUMN = datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 20, tzinfo=UTC)


@given(chosen=CHOICES, now=TIMES)
@example(chosen=Preferences(zone="Europe/Rome", quiet=(22 * 60, 150)), now=SPRING)
@example(chosen=Preferences(zone="Europe/Rome", quiet=(22 * 60, 150)), now=AUTUMN)
@example(chosen=Preferences(zone="Europe/Rome", every="daily", digest_at=150), now=SPRING)
def test_what_happens_is_sent_later_than_it_happened_soon_enough_and_never_in_quiet_hours(chosen: Preferences, now: datetime) -> None:
    at = send_at(chosen, now)
    assert now <= at <= now + timedelta(hours=51)
    assert not is_quiet(chosen, at)
    assert awake(chosen, at) == at
    if chosen.every == "none" and not is_quiet(chosen, now):
        assert at == now


@given(chosen=CHOICES, now=TIMES, later_s=st.integers(0, 3 * 86_400))
def test_what_happens_later_is_not_sent_earlier(chosen: Preferences, now: datetime, later_s: int) -> None:
    assert send_at(chosen, now) <= send_at(chosen, now + timedelta(seconds=later_s))


@pytest.mark.parametrize(
    ("chosen", "now", "sent"),
    [
        (Preferences(zone="Europe/Rome", quiet=(22 * 60, 7 * 60)), "2026-11-26T21:30:00Z", "2026-11-27T06:00:00Z"),
        (Preferences(zone="Europe/Rome", quiet=(22 * 60, 7 * 60)), "2026-11-26T06:00:00Z", "2026-11-26T06:00:00Z"),
        (Preferences(quiet=(12 * 60, 13 * 60)), "2026-11-26T12:59:59Z", "2026-11-26T13:00:00Z"),
        (Preferences(every="hourly"), "2026-11-26T12:00:01Z", "2026-11-26T13:00:00Z"),
        (Preferences(zone="Europe/Rome", every="daily", digest_at=8 * 60), "2026-11-26T07:00:01Z", "2026-11-27T07:00:00Z"),
        (Preferences(zone="Europe/Rome", every="daily", digest_at=8 * 60), "2026-11-26T07:00:00Z", "2026-11-26T07:00:00Z"),
        (Preferences(every="daily", digest_at=6 * 60, quiet=(22 * 60, 7 * 60)), "2026-11-26T12:00:00Z", "2026-11-27T07:00:00Z"),
        (Preferences(zone="Europe/Rome", every="daily", digest_at=150), "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"),
    ],
)
def test_the_clock_is_that_of_the_persons_zone(chosen: Preferences, now: str, sent: str) -> None:
    assert send_at(chosen, datetime.fromisoformat(now)) == datetime.fromisoformat(sent)


@given(chosen=CHOICES)
def test_what_is_chosen_is_kept_as_it_is_and_may_be_sent_back_as_it_is_shown(chosen: Preferences) -> None:
    assert preferences_of(document_of(chosen)) == chosen
    shown = view(chosen)
    again = PreferencesBody.model_validate_json(shown.model_dump_json()).chosen()
    assert view(again) == shown


@given(chosen=CHOICES, event=st.sampled_from([*EVENTS, "invoice.overdue", "order.late"]))
def test_nothing_is_sent_by_a_way_that_is_muted_and_what_nobody_chose_is_as_usual(chosen: Preferences, event: str) -> None:
    ways = channels_of(chosen, event)
    assert ways.isdisjoint(chosen.muted)
    if event in chosen.channels:
        assert ways == chosen.channels[event] - chosen.muted
    elif event in EVENTS:
        assert ways == EVENTS[event].channels - chosen.muted
    else:
        assert ways == channels_of(chosen, "notification")
