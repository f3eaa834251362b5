"""The kind of an error decides, for every number of tries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_runtime.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, RateLimited, StaleWrite, Unavailable
from weft_runtime.pipeline.verdicts import MAX_REASON, UNAVAILABLE_MOST_S, clean, judge

CHANCE = st.floats(0, 1)


@given(st.integers(1, 1000), CHANCE, st.sampled_from([Invalid, Conflict, Forbidden, PreconditionFailed]))
def test_what_will_stay_wrong_is_parked_now(tries: int, chance: float, kind: type[Invalid]) -> None:
    verdict = judge(kind("no", code="its_code"), tries, chance=chance)
    assert (verdict.retry_in_s, verdict.code, verdict.bug) == (None, "its_code", False)


@given(CHANCE, st.sampled_from([NotFound("x"), StaleWrite("x"), Unavailable("x"), RateLimited("x"), RuntimeError("x")]))
def test_what_may_pass_is_tried_again_and_at_last_parked(chance: float, error: Exception) -> None:
    waits = [judge(error, tries, chance=chance).retry_in_s for tries in range(1, 300)]
    assert waits[0] is not None
    assert waits[-1] is None
    tried = [wait for wait in waits if wait is not None]
    assert waits[: len(tried)] == tried
    assert all(0 < wait <= UNAVAILABLE_MOST_S * 1.2 + 1e-6 for wait in tried)
    assert tried == sorted(tried)


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyError("x"), AssertionError()])
def test_anything_else_is_our_bug(error: Exception) -> None:
    verdict = judge(error, 1, chance=0.5)
    assert (verdict.bug, verdict.code) == (True, "internal_error")
    assert verdict.reason.startswith(type(error).__name__)


def test_who_asks_for_more_patience_is_given_it() -> None:
    assert judge(Unavailable("x", retry_after_s=100), 1, chance=0.5).retry_in_s == 100


@given(st.text(st.characters(), max_size=50))
def test_a_reason_can_always_be_stored(text: str) -> None:
    cleaned = clean(text)
    assert "\x00" not in cleaned
    assert cleaned.encode().decode() == cleaned
    assert len(clean(text * 1000)) <= MAX_REASON
