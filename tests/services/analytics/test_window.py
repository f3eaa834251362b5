"""The span of a question."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_analytics.errors import BadWindow
from weft_analytics.window import BUCKETS_MAX, bucket_seconds, window

NOW = datetime(2026, 1, 5, 9, 10, 30, tzinfo=UTC)
KEPT = timedelta(days=8)


def test_the_last_day_by_the_hour_is_the_default() -> None:
    made = window(None, None, None, NOW, KEPT)
    assert (made.begins, made.ends, made.bucket) == (datetime(2026, 1, 4, 9, tzinfo=UTC), datetime(2026, 1, 5, 10, tzinfo=UTC), 3600)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("minute", 60), ("hour", 3600), ("day", 86400), ("PT5M", 300), ("P1DT1H", 90000), ("P1W", 604800), ("5m", 300), ("1d1h", 90000)],
)
def test_pieces_are_named_or_iso_durations(text: str, seconds: int) -> None:
    assert bucket_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "PT30S", "PT90S", "P1Y", "fortnight", "30s", "5", "m", "PT0M", "-PT5M", "P9999W"])
def test_other_pieces_are_refused(text: str) -> None:
    with pytest.raises(BadWindow):
        bucket_seconds(text)


@pytest.mark.parametrize(
    ("since", "until", "bucket"),
    [
        (NOW, NOW, None),
        (NOW, NOW - timedelta(hours=1), None),
        (NOW - timedelta(days=9), NOW, "minute"),
        (NOW - timedelta(days=400), NOW, "hour"),
        (datetime(1960, 1, 1, tzinfo=UTC), NOW, "day"),
        (None, datetime(1, 1, 1, tzinfo=UTC), None),
        (datetime(1, 1, 1, tzinfo=UTC), NOW, None),
        (NOW, datetime(9999, 1, 1, tzinfo=UTC), "day"),
    ],
)
def test_spans_that_cannot_be_answered_are_refused(since: datetime | None, until: datetime, bucket: str | None) -> None:
    with pytest.raises(BadWindow):
        window(since, until, bucket, NOW, KEPT)


@given(st.integers(1, 60 * 24 * 7), st.sampled_from(["minute", "PT5M", "PT7M", "hour", "day", None]))
def test_the_pieces_cover_the_span(minutes: int, bucket: str | None) -> None:
    try:
        made = window(NOW - timedelta(minutes=minutes), NOW, bucket, NOW, KEPT)
    except BadWindow:
        return
    pieces = made.buckets()
    assert pieces[0] <= made.start <= (NOW - timedelta(minutes=minutes)).timestamp()
    assert pieces[-1] < made.end <= pieces[-1] + made.bucket
    assert made.end >= NOW.timestamp()
    assert len(pieces) <= BUCKETS_MAX + 1
