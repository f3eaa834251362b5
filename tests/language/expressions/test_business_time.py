"""Business calendars: what counts as working time, over weekends, holidays, zones and changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_language.expressions import CALENDARS, Calendar, ExpressionError, compile_calendar, compile_expression

ROME = ZoneInfo("Europe/Rome")
HOUR = timedelta(hours=1)
NIGHTS = {"zone": "Europe/Rome", "hours": {day: [["00:00", "24:00"]] for day in ("sat", "sun", "mon")}}
OFFICE = {
    "zone": "Europe/Rome",
    "hours": {day: [["09:00", "13:00"], ["14:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "holidays": ["2026-12-25", "2026-12-08"],
}

zones = st.sampled_from(["UTC", "Europe/Rome", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "+05:45"])
clocks = st.integers(0, 24 * 12).map(lambda five: f"{five // 12:02}:{five % 12 * 5:02}")
moments = st.integers(0, 4 * 365 * 86_400).map(lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
lengths = st.integers(0, 200 * 60).map(lambda minutes: timedelta(minutes=minutes))


@st.composite
def days(draw: st.DrawFn) -> list[list[str]]:
    marks = sorted(set(draw(st.lists(clocks, max_size=6))))
    return [[opens, closes] for opens, closes in zip(marks[::2], marks[1::2], strict=False)]


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    hours = {day: draw(days()) for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    hours["wed"] = hours["wed"] or [["08:00", "12:00"]]
    holidays = draw(st.lists(st.dates(date(2024, 1, 1), date(2027, 12, 31)), max_size=5))
    return compile_calendar({"zone": draw(zones), "hours": hours, "holidays": [day.isoformat() for day in holidays]})


def minutes_open(calendar: Calendar, start: datetime, end: datetime) -> int:
    """The whole minutes of working time between two whole minutes, counted one by one: an independent reading of a calendar."""
    found, moment = 0, start
    while moment < end:
        local = moment.astimezone(calendar.zone)
        now = local.hour * 60 + local.minute
        spans = () if local.date() in calendar.holidays else calendar.hours[local.weekday()]
        found += any(opens <= now < closes for opens, closes in spans)
        moment += timedelta(minutes=1)
    return found


@given(calendars(), moments, lengths)
def test_so_much_working_time_lies_between_a_moment_and_the_end_of_it(calendar: Calendar, moment: datetime, length: timedelta) -> None:
    end = calendar.after(moment, length)
    assert end >= moment
    assert calendar.between(moment, end) == length
    assert calendar.between(end, moment) == timedelta()


@given(calendars(), moments, lengths, lengths)
def test_working_time_adds_up(calendar: Calendar, moment: datetime, first: timedelta, second: timedelta) -> None:
    assert calendar.after(calendar.after(moment, first), second) == calendar.after(moment, first + second) or not first or not second


@given(calendars(), moments, lengths.filter(bool))
def test_going_back_undoes_going_forward(calendar: Calendar, moment: datetime, length: timedelta) -> None:
    end = calendar.after(moment, length)
    back = calendar.after(end, -length)
    assert calendar.between(back, moment) == timedelta() if back <= moment else calendar.between(moment, back) == timedelta()


@given(calendars(), moments)
def test_the_next_opening_is_working_time_and_none_lies_before_it(calendar: Calendar, moment: datetime) -> None:
    opening = calendar.next_open(moment)
    assert opening >= moment
    assert calendar.between(moment, opening) == timedelta()
    assert calendar.between(opening, opening + timedelta(minutes=1)) > timedelta()


@pytest.mark.parametrize(
    "start", [datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 10, 23, tzinfo=UTC), datetime(2026, 12, 6, tzinfo=UTC)]
)
@pytest.mark.parametrize("written", [OFFICE, NIGHTS, {"zone": "Australia/Lord_Howe", "hours": {"sun": [["00:30", "04:15"]]}}])
def test_working_time_is_what_the_clock_on_the_wall_shows_minute_by_minute(written: dict[str, Any], start: datetime) -> None:
    calendar = compile_calendar(written)
    end = start + timedelta(days=5)
    assert calendar.between(start, end) == timedelta(minutes=minutes_open(calendar, start, end))


@pytest.mark.parametrize(
    ("start", "length", "end"),
    [
        ("2026-11-20T16:00:00+01:00", 4 * HOUR, "2026-11-23T11:00:00+01:00"),  # Friday: two hours are left of it
        ("2026-11-20T17:00:00+01:00", HOUR, "2026-11-20T18:00:00+01:00"),  # up to the moment of closing
        ("2026-11-20T12:30:00+01:00", HOUR, "2026-11-20T14:30:00+01:00"),  # over lunch
        ("2026-12-24T17:00:00+01:00", 2 * HOUR, "2026-12-28T10:00:00+01:00"),  # over a holiday and a weekend
        ("2026-03-27T17:00:00+01:00", 2 * HOUR, "2026-03-30T10:00:00+02:00"),  # to summer time
        ("2026-10-23T17:00:00+02:00", 2 * HOUR, "2026-10-26T10:00:00+01:00"),  # and back
        ("2026-11-20T23:00:00-05:00", timedelta(0), "2026-11-23T09:00:00+01:00"),  # Saturday in Rome
        ("2026-11-16T00:00:00+01:00", 40 * HOUR, "2026-11-20T18:00:00+01:00"),  # a whole week
    ],
)
def test_working_hours_of_an_office_in_rome(start: str, length: timedelta, end: str) -> None:
    assert compile_calendar(OFFICE).after(datetime.fromisoformat(start), length) == datetime.fromisoformat(end)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 22), 24)])
def test_a_day_without_closing_is_as_long_as_it_is(day: date, hours: int) -> None:
    midnight = datetime.combine(day, time(), ROME).astimezone(UTC)
    calendar = compile_calendar(NIGHTS)
    assert calendar.between(midnight, midnight + 30 * HOUR) == 30 * HOUR
    assert calendar.after(midnight, hours * HOUR) == datetime.combine(day + timedelta(days=1), time(), ROME)


def test_the_moment_of_closing_is_the_end_of_work_and_no_working_moment() -> None:
    calendar = compile_calendar({})
    closing = datetime(2026, 11, 20, 17, tzinfo=UTC)
    assert calendar.after(datetime(2026, 11, 20, 16, tzinfo=UTC), HOUR) == closing
    assert calendar.next_open(closing) == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_a_calendar_without_hours_ends_the_search() -> None:
    calendar = compile_calendar({"hours": {}})
    now = datetime(2026, 11, 20, tzinfo=UTC)
    for ask in (partial(calendar.after, now, HOUR), partial(calendar.next_open, now), partial(calendar.after, now, -HOUR)):
        with pytest.raises(ExpressionError) as caught:
            ask()
        assert caught.value.code == "expression_limit"
    assert calendar.between(now, now + 9 * HOUR) == timedelta()


@pytest.mark.parametrize("moment", [datetime(9999, 12, 31, 23, tzinfo=UTC), datetime(1, 1, 1, 1, tzinfo=UTC)])
def test_at_the_ends_of_time_there_is_an_error_and_no_crash(moment: datetime) -> None:
    calendar = compile_calendar({"zone": "+14:00", "holidays": ["9999-12-31"]})
    with pytest.raises(ExpressionError):
        calendar.after(moment, timedelta(days=-9) if moment.year == 1 else timedelta(days=9))


def names(**calendars: Any) -> dict[str, Any]:
    return {"now": datetime(2026, 11, 20, 15, tzinfo=UTC), CALENDARS: {name: compile_calendar(one) for name, one in calendars.items()}}


def test_a_calendar_is_named_where_who_evaluates_knows_it() -> None:
    read = compile_expression("business_time(now, '4h', 'office')")
    assert read.evaluate(names(office=OFFICE)) == datetime(2026, 11, 23, 10, tzinfo=UTC)
    computed = compile_expression("business_time(now, '4h', ['off', 'ice'].join(''))")
    assert computed.evaluate(names(office=OFFICE)) == read.evaluate(names(office=OFFICE))


def test_a_name_of_none_is_told_with_what_there_is_and_how_to_make_one() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression("business_time(now, '4h', 'offise')").evaluate(names(office=OFFICE))
    assert caught.value.code == "unknown_calendar"
    assert "`offise` (there is office); make it with PUT /api/v1/calendars/offise" in caught.value.message


def test_where_there_are_no_calendars_the_error_says_so() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression("business_time(now, '4h', 'office')").evaluate({"now": datetime(2026, 11, 20, 15, tzinfo=UTC)})
    assert caught.value.code == "unknown_calendar"
    assert "pass the calendar as an object" in caught.value.message


@pytest.mark.parametrize("text", ["calendars", "calendar", "nothing"])
def test_calendars_are_no_name_that_an_expression_reads(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text).evaluate(names(office=OFFICE))
    assert caught.value.code == "expression_path"
    assert "@" not in caught.value.message
