"""What is due of a schedule and what was missed: decisions, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weft_events import domain, scheduling
from weft_events.scheduling import MOST, Missed, Schedule, installed, plan, put_off, resumed

from tests.services.events.schedules import MINUTE, NINE

SECOND = timedelta(seconds=1)
WHYS: tuple[scheduling.Why, ...] = ("due", "backfill")
RULES: dict[str, dict[str, Any]] = {
    "every second": {"every": "1s"},
    "every 7 s": {"every": "7s"},
    "every minute": {"cron": "* * * * *"},
    "nightly": {"cron": "30 2 * * *", "timezone": "Europe/Rome"},
    "bounded": {"every": "40s", "starts": "2026-01-05T09:03:00Z", "ends": "2026-01-05T10:00:00Z"},
}


def schedule(next_at: datetime | None = None, *, begun: datetime = NINE, **rule: Any) -> Schedule:
    """A schedule that began at nine."""
    (candidate,) = domain.candidates("flow", 1, [{"id": "tick", "on": "schedule", **(rule or {"every": "1m"})}])[:1]
    (made,) = installed("acme", "flow", "active", [candidate], {}, begun).kept
    return made if next_at is None else replace(made, next_at=next_at)


def minutes_of(made: scheduling.Plan) -> list[tuple[float, str, int]]:
    return [((one.at - NINE) / MINUTE, one.why, one.also_for) for one in made.moments]


@pytest.mark.parametrize(
    ("catch_up", "late_s", "moments", "missed"),
    [
        ("skip", 0, [(5, "due", 0)], 4),
        ("skip", 5, [(5, "due", 0)], 4),
        ("skip", 30, [(5, "due", 0)], 4),  # a restart takes as long
        ("once", 0, [(4, "caught_up", 3), (5, "due", 0)], 3),
        ("once", 30, [(5, "caught_up", 4)], 4),
        ("all", 0, [*((n, "caught_up", 0) for n in (1, 2, 3, 4)), (5, "due", 0)], 0),
        ("all", 30, [(n, "caught_up", 0) for n in (1, 2, 3, 4, 5)], 0),
    ],
)
def test_what_becomes_of_missed_moments(catch_up: str, late_s: int, moments: list[tuple[float, str, int]], missed: int) -> None:
    made = plan(schedule(every="1m", catch_up=catch_up), NINE + 5 * MINUTE + late_s * SECOND)
    assert minutes_of(made) == moments
    assert (0 if made.missed is None else made.missed.count) == missed
    assert made.next_at == NINE + 6 * MINUTE


def test_a_moment_missed_by_more_than_a_minute_is_passed_over_and_told() -> None:
    made = plan(schedule(every="1h", catch_up="skip"), NINE + timedelta(hours=3, seconds=61))
    assert (made.moments, made.next_at) == ((), NINE + timedelta(hours=4))
    assert made.missed == Missed(NINE + timedelta(hours=1), NINE + timedelta(hours=3), 3)
    assert scheduling.in_words(made.missed) == "it was due 3 times from 2026-01-05T10:00:00Z to 2026-01-05T12:00:00Z"


@pytest.mark.parametrize(("rule", "count", "exact"), [({"every": "1m"}, 9 * 1440 - MOST + 1, True), ({"cron": "* * * * *"}, MOST, False)])
def test_more_than_a_thousand_are_not_caught_up_and_the_rest_is_told(rule: dict[str, Any], count: int, exact: bool) -> None:
    now = NINE + timedelta(days=9) + MINUTE
    one, found = schedule(**rule, catch_up="all"), []
    first = plan(one, now)
    while one.next_at is not None and one.next_at <= now:
        made = plan(one, now)
        assert len(made.moments) <= scheduling.AT_ONCE
        found += [each.at for each in made.moments]
        one = replace(one, next_at=made.next_at)
    assert found == [now - number * MINUTE for number in reversed(range(MOST))]
    assert first.missed == Missed(NINE + MINUTE, now - MOST * MINUTE, count, exact)


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(RULES)),
    st.sampled_from(["skip", "once", "all"]),
    st.lists(st.sampled_from([-86_400, -3600, -1, 0, 0.2, 1, 3, 8, 59, 61, 600, 4000, 30_000]), min_size=1, max_size=8),
    st.integers(1, 120),
)
def test_whatever_the_clock_does_each_moment_is_dealt_with_once_in_order_and_none_early(
    rule: str, catch_up: str, steps: list[float], most: int
) -> None:
    one, now = schedule(**RULES[rule], catch_up=catch_up), NINE
    dealt: list[datetime] = []
    passed = latest = NINE
    for step in steps:
        now += timedelta(seconds=step)
        latest = max(latest, now)
        if one.next_at is None or one.next_at > now:
            continue
        made = plan(one, now, most)
        at = [each.at for each in made.moments]
        assert all(each <= now for each in at)
        assert all(each.why == "due" or now - each.at > scheduling.ON_TIME for each in made.moments)
        if made.missed is not None:
            assert passed < made.missed.first <= made.missed.last <= now
            assert not any(made.missed.first <= each <= made.missed.last for each in at)
            passed = made.missed.last
        dealt += at
        assert made.next_at is None or made.next_at > max([passed, *at])
        one = replace(one, next_at=made.next_at)
    assert dealt == sorted(set(dealt))
    every = one.timetable.between(NINE, latest, 200_000)
    if catch_up == "all" and len(every) <= MOST and (one.next_at is None or one.next_at > latest):
        assert dealt == every


@pytest.mark.parametrize(("late_s", "why"), [(4, "due"), (6, "caught_up")])
def test_a_night_on_which_the_clocks_change_is_one_moment(late_s: int, why: str) -> None:
    for day in (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)):
        one = schedule(begun=day - timedelta(hours=6), cron="30 2 * * *", timezone="Europe/Rome", catch_up="all")
        assert one.next_at is not None
        (moment,) = plan(one, one.next_at + late_s * SECOND).moments
        again = plan(replace(one, next_at=plan(one, one.next_at).next_at), day + timedelta(hours=20))
        assert (moment.why, again.moments) == (why, ())


@pytest.mark.parametrize(("catch_up", "missed", "next_at"), [("skip", 3, 4), ("once", 0, 1), ("all", 0, 1)])
def test_after_a_pause_catch_up_says_what_becomes_of_it(catch_up: str, missed: int, next_at: int) -> None:
    paused = replace(schedule(every="1m", catch_up=catch_up), paused_at=NINE, paused_by="ann")
    made, told = resumed(paused, NINE + 3 * MINUTE + 30 * SECOND)
    assert (made.paused_at, made.paused_by, made.status) == (None, None, "active")
    assert (made.missed, 0 if told is None else told.count) == (missed, missed)
    assert made.next_at == NINE + next_at * MINUTE


def test_what_cannot_be_fired_goes_on_with_its_next_moment() -> None:
    made, missed = put_off(schedule(every="1m", catch_up="all"), NINE + 2 * MINUTE)
    assert (made.next_at, missed) == (NINE + 3 * MINUTE, Missed(NINE + MINUTE, NINE + 2 * MINUTE, 2))


@pytest.mark.parametrize(
    ("before", "after", "goes_on"),
    [
        ({"every": "1m"}, {"every": "60s", "catch_up": "all"}, True),
        ({"every": "1m"}, {"every": "2m"}, False),
        ({"cron": "@hourly"}, {"cron": "0 * * * *", "timezone": "UTC"}, True),
        ({"cron": "@hourly"}, {"cron": "0 * * * *", "timezone": "+01:00"}, False),
        ({"every": "1m"}, {"every": "1m", "ends": "2026-01-06T00:00:00Z"}, False),
    ],
)
def test_a_new_version_goes_on_where_the_times_stay_as_they_are(before: dict[str, Any], after: dict[str, Any], goes_on: bool) -> None:
    held = replace(schedule(**before), paused_at=NINE, fired=4)
    later = NINE + timedelta(hours=5, seconds=1.5)
    (candidate,) = domain.candidates("flow", 2, [{"id": "tick", "on": "schedule", **after}])[:1]
    (made,) = installed("acme", "flow", "active", [candidate], {"tick": held}, later).kept
    assert (made.id, made.version, made.paused_at, made.fired, made.rule) == (held.id, 2, NINE, 4, after)
    assert made.next_at == (held.next_at if goes_on else made.timetable.after(later))


def test_what_is_inactive_is_due_at_no_time_and_begins_anew_when_it_is_active_again() -> None:
    one = schedule(every="1m")
    (candidate,) = domain.candidates("flow", 1, [{"id": "tick", "on": "schedule", "every": "1m"}])[:1]
    (off,) = installed("acme", "flow", "inactive", [candidate], {"tick": one}, NINE + MINUTE).kept
    (on,) = installed("acme", "flow", "active", [candidate], {"tick": off}, NINE + 10.5 * MINUTE).kept
    assert (off.status, off.next_at, on.status, on.next_at) == ("inactive", None, "active", NINE + 11 * MINUTE)
    disabled = domain.candidates("flow", 1, [{"id": "tick", "on": "schedule", "every": "1m", "enabled": False}])
    assert [each.status for each in installed("acme", "flow", "active", disabled, {}, NINE).kept] == ["inactive"]
    assert installed("acme", "flow", "active", [], {"tick": one}, NINE).gone == (one.id,)


def test_the_event_of_a_moment_is_the_same_whoever_fires_it_and_why() -> None:
    one = schedule(cron="0 9 * * *", timezone="Europe/Rome")
    due, again = (scheduling.firing(one, scheduling.Moment(NINE, why)) for why in WHYS)
    assert (
        (due.source, due.id, due.time) == (again.source, again.id, again.time) == ("weft/schedules/flow/tick", "2026-01-05T09:00:00Z", NINE)
    )
    assert (due.data["scheduled_at"], due.data["local_time"]) == ("2026-01-05T09:00:00Z", "2026-01-05T10:00:00+01:00")
