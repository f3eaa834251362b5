"""WCP-1 to WCP-5: one after another, side by side, and by choice."""

from __future__ import annotations

import pytest

from tests.engine.patterns.driving import asked, begin, done, working


def test_wcp_01_a_step_begins_when_the_one_before_has_ended() -> None:
    run = begin(1, {"order": 7})
    seen = []
    for node, output in (("pack", {"weight": 3}), ("label", None), ("hand_over", {"tracking": "T1"})):
        seen.append(working(run))
        run.complete(node, output)
    assert seen == [["pack"], ["label"], ["hand_over"]]
    assert asked(run, "label") == [{"weight": 3}]
    assert (run.state.status, run.state.output) == ("completed", {"tracking": "T1"})


def test_wcp_02_all_branches_are_worked_on_at_once_and_end_in_any_order() -> None:
    run = begin(2)
    assert working(run) == ["open_account", "print_badge", "set_up_desk"]
    for node in ("print_badge", "open_account", "set_up_desk"):
        run.complete(node)
    assert (run.state.status, done(run)) == ("completed", ["print_badge", "open_account", "set_up_desk", "prepare"])


@pytest.mark.parametrize("order", [("take_payment", "pick"), ("pick", "take_payment")])
def test_wcp_03_what_follows_begins_once_when_every_branch_has_ended(order: tuple[str, str]) -> None:
    run = begin(3)
    run.complete(order[0], order[0])
    assert working(run) == [order[1]]
    run.complete(order[1], order[1])
    assert working(run) == ["dispatch"]
    assert asked(run, "dispatch") == [{"receipt": "take_payment", "box": "pick"}]


@pytest.mark.parametrize(("amount", "way"), [(100, "pay"), (100.5, "examine"), (5000, "examine"), (5001, "ask_the_board")])
def test_wcp_04_exactly_one_of_the_ways_is_taken(amount: float, way: str) -> None:
    run = begin(4, {"amount": amount})
    assert working(run) == [way]
    run.complete(way)
    assert (run.state.status, done(run)) == ("completed", ["size", way])


@pytest.mark.parametrize(("simple", "way"), [(True, "draft"), (False, "write")])
def test_wcp_05_both_ways_lead_to_the_same_step_without_waiting_for_the_other(simple: bool, way: str) -> None:
    run = begin(5, {"simple": simple})
    assert working(run) == [way]
    run.complete(way)
    assert working(run) == ["send"]
    run.complete("send")
    assert (run.state.status, done(run)) == ("completed", ["simple", way, "send"])
