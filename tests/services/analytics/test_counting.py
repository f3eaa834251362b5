"""What facts make of executions and numbers, without a database."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_analytics import domain
from weft_analytics.domain import Execution, Fact
from weft_analytics.histogram import bucket_of, percentile, value_of
from weft_analytics.rollups import COLUMNS, GRAINS, Counted, Deltas, Slot, counted

from tests.services.analytics.facts import START, life


def made_of(facts: list[Fact]) -> Execution:
    execution = domain.first("acme", facts[0])
    domain.apply(execution, facts)
    return execution


lives = st.builds(
    life,
    st.sampled_from([None, "completed", "failed", "timed_out", "cancelled"]),
    id=st.integers(1, 3).map(lambda number: UUID(int=number)),
    workflow=st.just("leave"),
    at=st.integers(0, 3).map(lambda hours: START + timedelta(hours=hours)),
    took_ms=st.integers(0, 10_000_000),
    waits=st.integers(0, 3),
    queued=st.booleans(),
)


@given(lives, st.randoms(use_true_random=False))
def test_facts_in_any_order_and_repeated_make_the_same_execution(facts: list[Fact], random: st.DataObject) -> None:
    shuffled = [*facts, *facts]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert made_of(shuffled) == made_of(facts)


@given(st.lists(lives, min_size=1, max_size=3, unique_by=lambda facts: facts[0].execution_id), st.randoms(use_true_random=False))
def test_numbers_are_always_the_sum_over_what_the_executions_are(every: list[list[Fact]], random: st.DataObject) -> None:
    stream = [fact for facts in every for fact in (*facts, facts[-1])]
    random.shuffle(stream)  # type: ignore[attr-defined]
    kept: dict[UUID, Execution] = {}
    numbers, times = Counter[tuple[Slot, str]](), Counter[tuple[Slot, int]]()
    for fact in stream:
        deltas = Deltas()
        execution = kept.get(fact.execution_id)
        before = counted(execution) if execution else None
        execution = kept.setdefault(fact.execution_id, execution or domain.first("acme", fact))
        domain.apply(execution, [fact])
        deltas.change(before, execution)
        add(deltas, numbers, times)
    expected, expected_times = Counter[tuple[Slot, str]](), Counter[tuple[Slot, int]]()
    for facts in every:
        deltas = Deltas()
        deltas.change(None, made_of(facts))
        add(deltas, expected, expected_times)
    assert (+numbers, +times) == (+expected, +expected_times)
    assert all(count >= 0 for count in (*numbers.values(), *times.values()))


def add(deltas: Deltas, numbers: Counter[tuple[Slot, str]], times: Counter[tuple[Slot, int]]) -> None:
    for slot, values in deltas.counts.items():
        numbers.update({(slot, name): value for name, value in zip(COLUMNS, values, strict=True)})
    times.update(deltas.durations)


def test_an_end_heard_before_its_start_says_all_there_is_to_say() -> None:
    start, end = life()
    execution = made_of([end, start])
    assert (execution.status, execution.started_at, execution.event_id, execution.duration_ms) == ("completed", START, "e-1", 1500)


def test_a_wait_heard_first_stands_in_for_the_start_until_it_comes() -> None:
    start, waiting = life(None, waits=1)
    execution = made_of([waiting])
    assert (execution.status, execution.begun, execution.started_at, execution.waiting_kind) == ("waiting", False, waiting.at, "task")
    domain.apply(execution, [start])
    assert (execution.status, execution.begun, execution.started_at, execution.labels) == ("waiting", True, START, {"team": "hr"})


def test_one_that_waits_to_begin_is_known_by_what_asked_for_it_and_starts_when_it_begins() -> None:
    queued, start = life(None, queued=True, key="k-1")
    execution = made_of([queued])
    shown = (execution.status, execution.begun, execution.started_at, execution.key, execution.event_id)
    assert shown == ("queued", False, queued.at, "k-1", "e-1")
    domain.apply(execution, [start])
    assert (execution.status, execution.begun, execution.started_at) == ("running", True, START)


def test_nothing_changes_where_nothing_counts() -> None:
    execution = made_of(life())
    deltas = Deltas()
    deltas.change(counted(execution), execution)
    assert not deltas.counts
    assert isinstance(counted(execution), Counted)


def test_each_execution_counts_once_in_each_grain() -> None:
    deltas = Deltas()
    deltas.change(None, made_of(life("failed", took_ms=120_000)))
    started = {slot.grain: values[COLUMNS.index("failed")] for slot, values in deltas.counts.items() if values[COLUMNS.index("failed")]}
    assert started == dict.fromkeys(GRAINS, 1)
    assert sum(values[COLUMNS.index("ended_failed")] for values in deltas.counts.values()) == len(GRAINS)


@given(st.integers(1, 40_000_000_000))
def test_a_bucket_stands_for_its_durations_within_five_percent(duration_ms: int) -> None:
    assert value_of(bucket_of(duration_ms)) == pytest.approx(duration_ms, rel=0.045)


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_close_to_the_exact_one(durations: list[int], share: float) -> None:
    exact = sorted(durations)[-(-len(durations) * int(share * 100) // 100) - 1]
    found = percentile(Counter(map(bucket_of, durations)), share)
    assert found is not None
    assert found == pytest.approx(exact, rel=0.05, abs=0.06)


def test_there_is_no_percentile_of_nothing() -> None:
    assert percentile({}, 0.5) is None
