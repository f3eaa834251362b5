"""Durations and times: one parser each, exact, total."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_language.model import InvalidDuration, InvalidTime, parse_duration, parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("3d", 259_200),
        ("1w", 604_800),
        ("500ms", 0.5),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("0s", 0),
        ("PT30S", 30),
        ("PT0.5S", 0.5),
        ("PT0,5S", 0.5),
        ("P2D", 172_800),
        ("P1DT2H3M4S", 93_784),
        ("P3W", 1_814_400),
        ("P1M", 2_592_000),
        ("P1Y", 31_536_000),
        ("PT36H", 129_600),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "s",
        "5 m",
        "5minutes",
        "-5m",
        "P",
        "PT",
        "P1",
        "P1H",
        "PT1D",
        "1m1h",
        "1h1h",
        "1e3s",
        "٣s",
        "P1Y1Y",
        "PT1S1M",
        "+5m",
        "5m ",
        "101Y",
        "P101Y",
        "9" * 12 + "d",
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidDuration):
        parse_duration(text)


@given(st.integers(0, 10**9))
def test_every_number_of_seconds_is_a_duration(seconds: int) -> None:
    assert parse_duration(f"{seconds}s") == parse_duration(f"PT{seconds}S") == seconds


@given(st.text(max_size=40))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    with suppress(InvalidDuration):
        assert parse_duration(text) >= 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T09:00:00+01:00", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20T08:00:00Z", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20t08:00:00.123456789z", datetime(2026, 11, 20, 8, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-20T08:00:00.5-00:30", datetime(2026, 11, 20, 8, 30, 0, 500000, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_utc(text: str, expected: datetime) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "text", ["2026-11-20", "2026-11-20T08:00:00", "2026-02-30T08:00:00Z", "2026-11-20T25:00:00Z", "now", "", "0001-01-01T00:00:00+23:00"]
)
def test_what_is_no_time_with_an_offset_is_refused(text: str) -> None:
    with pytest.raises(InvalidTime):
        parse_time(text)
