"""Retries: bounded, spread, and only for what is worth it."""

from hypothesis import given
from hypothesis import strategies as st
from weft_language.compilation import RetryPolicy

POLICY = RetryPolicy(attempts=4, delay_s=1, factor=2, max_delay_s=3, jitter=False)


def test_delays_grow_to_their_cap_and_end_with_the_attempts() -> None:
    assert [POLICY.delay(attempt, 0.5) for attempt in (1, 2, 3, 4)] == [1, 2, 3, None]


def test_a_deadline_ends_them_earlier() -> None:
    limited = RetryPolicy(attempts=100, delay_s=10, jitter=False, deadline_s=25)
    assert [limited.delay(1, 0, elapsed_s=elapsed) for elapsed in (0, 15, 16)] == [10, 10, None]


def test_codes_choose_what_is_tried_again() -> None:
    chosen = RetryPolicy(attempts=2, on=frozenset({"a", "b"}), not_on=frozenset({"b"}))
    assert [chosen.covers(code) for code in ("a", "b", "c")] == [True, False, False]
    assert POLICY.covers("anything")
    assert not POLICY.covers("anything", permanent=True)


@given(st.integers(1, 99), st.floats(0, 0.999), st.floats(0.001, 1e6), st.floats(1, 100), st.floats(0.001, 1e6))
def test_jitter_stays_between_half_and_whole(attempt: int, chance: float, delay: float, factor: float, cap: float) -> None:
    plain = RetryPolicy(attempts=100, delay_s=delay, factor=factor, max_delay_s=cap, jitter=False).delay(attempt, chance)
    spread = RetryPolicy(attempts=100, delay_s=delay, factor=factor, max_delay_s=cap).delay(attempt, chance)
    assert plain is not None and spread is not None
    assert plain / 2 <= spread <= plain <= cap
