"""A tenant's quotas: what its settings say, and how many starts a rate lets begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_engine.core.quotas import NONE, Quotas, Rate, quotas_of

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def begun(rate: Rate, asked: list[tuple[float, int]]) -> list[float]:
    """When each start began, in seconds, of so many asked for after each pause."""
    until, at, found = None, 0.0, []
    for pause, count in asked:
        at += pause
        now = NOW + timedelta(seconds=at)
        taken = min(count, rate.room(until, now))
        until = rate.spend(until, now, taken) if taken else until
        found += [at] * taken
    return found


@given(
    st.floats(0.5, 1000),
    st.floats(1, 50),
    st.lists(st.tuples(st.floats(0, 2), st.integers(0, 80)), max_size=25),
)
def test_in_any_stretch_of_time_no_more_begin_than_the_burst_and_what_the_rate_gives(
    per_s: float, burst: float, asked: list[tuple[float, int]]
) -> None:
    found = begun(Rate(per_s, burst), asked)
    for first, since in enumerate(found):
        for last, until in enumerate(found[first:], first):
            assert last - first + 1 <= burst + (until - since) * per_s + 0.1


def test_what_the_rate_gives_is_had_in_full() -> None:
    assert len(begun(Rate(10, 10), [(0.1, 5)] * 1000)) == 1009


def test_the_wait_for_the_next_start_is_as_long_as_it_takes() -> None:
    rate = Rate(4, 2)
    until = rate.spend(None, NOW, 2)
    wait_s = rate.wait_s(until, NOW)
    assert (rate.room(until, NOW), wait_s, rate.wait_s(until, NOW, 2)) == (0, 0.25, 0.5)
    assert rate.room(until, NOW + timedelta(seconds=wait_s)) == 1


@pytest.mark.parametrize(
    ("given_", "means"),
    [
        (None, NONE),
        ({"live_executions": 5}, Quotas(5)),
        ({"starts_per_s": 20}, Quotas(None, Rate(20, 20))),
        ({"starts_per_s": 20, "starts_burst": 100}, Quotas(None, Rate(20, 100))),
        ({"starts_per_s": 0.5}, Quotas(None, Rate(0.5, 1))),
        ({"live_executions": 5, "on_exceeded": "refuse"}, Quotas(5, None, frozenset({"tenant", "starts"}))),
        ({"live_executions": 5, "on_exceeded": {"starts_per_s": "refuse"}}, Quotas(5, None, frozenset({"starts"}))),
        ({"live_executions": True, "starts_per_s": "fast"}, NONE),
        ([1], NONE),
    ],
)
def test_what_settings_do_not_say_well_bounds_nothing(given_: Any, means: Quotas) -> None:
    assert quotas_of({"quotas": given_}) == means
