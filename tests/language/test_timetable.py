"""When schedules are due: cron and equal distances, over changes of the clocks, between a start and an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weft_language import validate
from weft_language.timetable import MACROS, InvalidCron, Timetable, UnknownZone, read_cron, read_zone

from tests.language.build import document, node

ROME = "Europe/Rome"
SPRING, AUTUMN = datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)
"""Midnights of Rome before the clocks go forward, and back."""
ZONES = ("UTC", ROME, "America/New_York", "America/Santiago", "Africa/Cairo", "Asia/Kathmandu", "America/Havana", "+02:30")
FIELDS = (
    st.sampled_from(["0", "*", "*/7", "5,30", "59"]),
    st.sampled_from(["*", "2", "*/2", "0", "1-3", "23"]),
    st.sampled_from(["*", "1", "L", "29", "13,31", "LW"]),
    st.sampled_from(["*", "2", "3,10", "*/5"]),
    st.sampled_from(["*", "MON", "6L", "0,3", "MON#1", "7"]),
)
MOMENTS = st.integers(1_700_000_000, 1_830_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def is_cron(text: str) -> bool:
    try:
        read_cron(text)
    except InvalidCron:
        return False
    return True


CRONS = st.builds(Timetable, zone=st.sampled_from(ZONES), cron=st.tuples(*FIELDS).map(" ".join).filter(is_cron))
EVERYS = st.builds(
    lambda seconds, origin, zone: Timetable(zone=zone, every=timedelta(seconds=seconds), origin=origin),
    st.sampled_from([1, 1.5, 7, 60, 3600, 86_400, 1_000_000]),
    MOMENTS,
    st.sampled_from(ZONES),
)


def local(timetable: Timetable, after: datetime, until: datetime) -> list[str]:
    """What the clock of its zone shows when it is due: day, hour, minute, offset."""
    return [one.astimezone(read_zone(timetable.zone)).strftime("%d %H:%M %z") for one in timetable.between(after, until, 1000)]


@pytest.mark.parametrize(
    ("cron", "due"),
    [
        ("30 2 * * *", ["29 03:00 +0200"]),  # 02:30 is not: at once after the gap
        ("0,30 2 * * *", ["29 03:00 +0200"]),  # both at once are once
        ("0 2,3 * * *", ["29 03:00 +0200"]),
        ("30 1,3 * * *", ["29 01:30 +0100", "29 03:30 +0200"]),
        (
            "*/20 1-3 * * *",
            [f"29 {at}" for at in ("01:00 +0100", "01:20 +0100", "01:40 +0100", "03:00 +0200", "03:20 +0200", "03:40 +0200")],
        ),
        ("0 */2 * * *", [f"29 {hour:02}:00 {'+0100' if hour < 3 else '+0200'}" for hour in (0, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22)]),
    ],
)
def test_the_day_on_which_the_clocks_of_rome_go_forward(cron: str, due: list[str]) -> None:
    assert local(Timetable(zone=ROME, cron=cron), SPRING - timedelta(seconds=1), SPRING + timedelta(hours=22, minutes=59)) == due


@pytest.mark.parametrize(
    ("cron", "due"),
    [
        ("30 2 * * *", ["25 02:30 +0200"]),  # the first of two
        ("0 2,3 * * *", ["25 02:00 +0200", "25 03:00 +0100"]),
        ("*/30 2 * * *", ["25 02:00 +0200", "25 02:30 +0200", "25 02:00 +0100", "25 02:30 +0100"]),
    ],
)
def test_the_day_on_which_the_clocks_of_rome_go_back(cron: str, due: list[str]) -> None:
    timetable = Timetable(zone=ROME, cron=cron)
    assert local(timetable, AUTUMN, AUTUMN + timedelta(hours=25)) == due
    # Whoever asks in the middle of the repeated hour is not told of times that are past.
    middle = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    assert local(timetable, middle, AUTUMN + timedelta(hours=25)) == [at for at in due if at in ("25 03:00 +0100", "25 02:30 +0100")]


def test_a_change_of_the_clocks_is_noted() -> None:
    daily, often = Timetable(zone=ROME, cron="30 2 * * *"), Timetable(zone=ROME, cron="*/30 * * * *")
    real = Timetable(zone=ROME, every=timedelta(days=1), origin=datetime(2026, 3, 1, 9, tzinfo=UTC))
    found: list[list[str | None]] = []
    for timetable, after in ((daily, SPRING), (daily, AUTUMN), (often, AUTUMN + timedelta(hours=1, minutes=45)), (real, SPRING)):
        first, second = timetable.between(after, after + timedelta(days=2), 2)
        notes = (timetable.note(first, after), timetable.note(second, first))
        found.append([None if note is None else note.code for note in notes])
    assert found == [["shifted", None], ["repeated", None], ["repeated", "repeated"], ["clocks_changed", None]]


@settings(max_examples=40)
@given(CRONS | EVERYS, MOMENTS)
def test_each_moment_is_later_than_the_one_before_and_found_from_anywhere_between_them(timetable: Timetable, after: datetime) -> None:
    before = after
    for moment in timetable.between(after, after + timedelta(days=800), 25):
        assert moment > before and moment.tzinfo is UTC
        assert (
            timetable.after(before)
            == timetable.after(moment - timedelta(microseconds=1))
            == timetable.after(before + (moment - before) / 3)
        )
        before = moment


@settings(max_examples=40)
@given(CRONS | EVERYS, MOMENTS, st.timedeltas(timedelta(0), timedelta(hours=40)), st.integers(1, 40))
def test_the_newest_are_the_last_of_all(timetable: Timetable, after: datetime, span: timedelta, most: int) -> None:
    every = timetable.between(after, after + span, 200_000)
    assert timetable.newest(after, after + span, most) == every[-most:]
    assert timetable.count(after, after + span, 200_000) == len(every)


@settings(max_examples=40)
@given(CRONS | EVERYS, MOMENTS, MOMENTS)
def test_nothing_is_due_before_the_start_and_after_the_end(timetable: Timetable, one: datetime, other: datetime) -> None:
    starts, ends = sorted((one, other))
    bounded = Timetable(zone=timetable.zone, cron=timetable.cron, every=timetable.every, starts=starts, ends=ends)
    found = bounded.between(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC), 20)
    assert all(starts <= at <= ends for at in found)
    if bounded.every is not None:
        assert found[0] == starts
    assert bounded.after(ends) is None


ODD = ("*", "0", "5", "31", "60", ",", "-", "/", "#", "L", "LW", "W", "MON", "feb", "?", "²", "٣", "@", " ", "  ")


@settings(max_examples=60)
@given(st.lists(st.sampled_from(ODD), max_size=12).map("".join) | st.lists(st.sampled_from(ODD), min_size=5, max_size=5).map(" ".join))
def test_any_text_is_a_cron_expression_that_is_due_or_no_cron_expression(text: str) -> None:
    try:
        fields = read_cron(text)
    except InvalidCron:
        return
    assert Timetable(cron=fields).after(datetime(2026, 1, 1, tzinfo=UTC)) is not None


def test_macros_say_what_cron_has_for_them() -> None:
    assert {read_cron(f" {name.upper()} ") for name in MACROS} == set(MACROS.values())
    for wrong in ("@reboot", "0 0 * *", "0 0 12 * * ?", "0 0 1 * 7L,"):
        with pytest.raises(InvalidCron):
            read_cron(wrong)


@pytest.mark.parametrize("name", ["", "Rome", "../../etc/passwd", "\0", "+25:00", "Europe/Rome\n", "x" * 300])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(UnknownZone):
        read_zone(name)


@pytest.mark.parametrize("at", [datetime(9998, 12, 31, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)])
@pytest.mark.parametrize("timetable", [Timetable(zone=ROME, cron="* * * * *"), Timetable(zone="-12:00", every=timedelta(days=36_500))])
def test_the_ends_of_the_calendar_are_no_trap(timetable: Timetable, at: datetime) -> None:
    found = timetable.between(at, datetime(9999, 12, 31, tzinfo=UTC), 3)
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ({"every": "1d", "starts": "2026-01-02T00:00:00Z", "ends": "2026-01-01T00:00:00Z"}, ("error", "ends_before_starts")),
        ({"cron": "@daily", "starts": "2026-01-02T01:00:00Z", "ends": "2026-01-02T02:00:00Z"}, ("warning", "never_due")),
        ({"cron": "@daily", "starts": "2026-01-02T00:00:00Z", "ends": "2026-01-02T00:00:00Z"}, None),
    ],
)
def test_a_schedule_without_a_time_between_its_start_and_its_end_is_found(schedule: dict[str, Any], said: tuple[str, str] | None) -> None:
    found = validate(document(node("a", "set", x=1), triggers=[{"on": "schedule", **schedule}]))
    assert [(one.severity, one.code, one.pointer) for one in found] == ([(*said, "/triggers/0/ends")] if said else [])
