"""A flood of one tenant holds up nobody else, priorities count within a tenant alone, and nothing overtakes what it belongs behind."""

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_runtime.fairness import LEVELS, QUANTUM, URGENT, FairLine

ITEMS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(-2, LEVELS), st.none() | st.integers(0, 3), st.integers(1, 20)), max_size=60
)


def test_one_item_goes_before_the_ten_thousand_of_another_tenant() -> None:
    line: FairLine[str] = FairLine()
    for number in range(10_000):
        line.put("a", f"a{number}")
    assert line.take(100)[-1] == "a99"
    line.put("b", "b")
    assert "b" in line.take(QUANTUM + 1)


@given(ITEMS, st.integers(1, 10), st.lists(st.integers(1, 7), min_size=1, max_size=10))
def test_everything_is_given_once_and_a_chain_in_its_order(items: list[Any], quantum: int, counts: list[int]) -> None:
    line: FairLine[int] = FairLine(quantum)
    for number, (tenant, priority, chain, cost) in enumerate(items):
        line.put(tenant, number, priority=priority, chain=chain, cost=cost)
    taken: list[int] = []
    turn = 0
    while len(line):
        some = line.take(counts[turn % len(counts)])
        assert 0 < len(some) <= counts[turn % len(counts)]
        taken += some
        turn += 1
    assert (sorted(taken), line.tenants, line.take(1)) == (list(range(len(items))), 0, [])
    chains: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number in taken:
        tenant, _, chain, _ = items[number]
        if chain is not None:
            chains[tenant, chain].append(number)
    assert all(numbers == sorted(numbers) for numbers in chains.values())


@given(ITEMS)
def test_within_a_tenant_the_higher_priority_goes_first_and_the_older_among_equals(items: list[Any]) -> None:
    line: FairLine[tuple[str, int, int]] = FairLine()
    for number, (tenant, priority, _, cost) in enumerate(items):
        line.put(tenant, (tenant, -min(max(priority, 0), URGENT), number), priority=priority, cost=cost)
    taken = line.take(len(items))
    for name in "abcd":
        mine = [(priority, number) for tenant, priority, number in taken if tenant == name]
        assert mine == sorted(mine)


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 50), min_size=1), st.integers(1, 12), st.integers(0, 100))
def test_who_had_nothing_waiting_waits_for_no_more_than_a_quantum_of_each_other(flood: dict[str, int], quantum: int, before: int) -> None:
    line: FairLine[str] = FairLine(quantum)
    for tenant, count in flood.items():
        for _ in range(count):
            line.put(tenant, tenant)
    line.take(before)
    others = line.tenants
    line.put("new", "new")
    assert "new" in line.take(others * quantum + 1)


@given(st.integers(1, 10), st.integers(1, 8))
def test_tenants_that_always_wait_share_by_cost_and_not_by_count(quantum: int, cost: int) -> None:
    line: FairLine[str] = FairLine(quantum)
    for _ in range(400):
        line.put("cheap", "cheap")
        line.put("dear", "dear", cost=cost)
    taken = line.take(200)
    spent_cheap, spent_dear = taken.count("cheap"), taken.count("dear") * cost
    assert abs(spent_cheap - spent_dear) <= 2 * (quantum + cost)


@given(ITEMS, st.sampled_from("abcd"))
def test_what_is_discarded_is_not_given_and_the_rest_keeps_its_order(items: list[Any], unwanted: str) -> None:
    line: FairLine[tuple[str, int]] = FairLine()
    without: FairLine[tuple[str, int]] = FairLine()
    for number, (tenant, priority, chain, cost) in enumerate(items):
        line.put(tenant, (tenant, number), priority=priority, chain=chain, cost=cost)
        if tenant != unwanted:
            without.put(tenant, (tenant, number), priority=priority, chain=chain, cost=cost)
    line.discard(lambda item: item[0] == unwanted)
    assert (len(line), line.tenants) == (len(without), without.tenants)
    assert line.take(len(items)) == without.take(len(items))


def test_a_quantum_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        FairLine(0)
