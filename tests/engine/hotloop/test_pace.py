"""The pace of a lane's turns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from weft_engine.hotloop.pace import MOST_S, PER_ITEM_S, Pace

times = st.floats(min_value=0, max_value=1e9, allow_nan=False)


def paced(began_s: float, items: int) -> Pace:
    pace = Pace()
    pace.began(began_s)
    pace.took(items)
    return pace


def test_the_first_turn_does_not_wait() -> None:
    assert Pace().wait_s(0.0) == 0.0


@given(began=times, passed=st.floats(min_value=0, max_value=10), items=st.sampled_from([0, 1]))
def test_who_was_alone_is_not_held_up(began: float, passed: float, items: int) -> None:
    assert paced(began, items).wait_s(began + passed) == 0.0


def test_each_companion_is_worth_the_same_wait_from_the_beginning_of_the_last_turn_on() -> None:
    assert paced(0.0, 3).wait_s(0.0) == 2 * PER_ITEM_S
    assert paced(0.0, 3).wait_s(PER_ITEM_S) == PER_ITEM_S
    assert paced(0.0, 3).wait_s(2 * PER_ITEM_S) == 0.0


@given(began=times, now=times, items=st.integers(min_value=0, max_value=10_000))
def test_no_wait_is_longer_than_the_bound_whatever_the_clock_does(began: float, now: float, items: int) -> None:
    assert 0.0 <= paced(began, items).wait_s(now) <= MOST_S
