"""WCP-9 and WCP-28 to WCP-32: joins that do not wait for all."""

from __future__ import annotations

import pytest

from tests.engine.patterns.driving import answer, asked, begin, decide, done, resting, working


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
def test_wcp_09_the_first_branch_goes_on_and_the_others_end_without_more(order: tuple[int, int, int]) -> None:
    run = begin(9)
    answer(run, "ask", order[0], order[0])
    assert working(run) == ["ask", "ask", "offer"]
    answer(run, "ask", order[1], order[1])
    run.complete("offer")
    assert run.state.status != "completed"
    answer(run, "ask", order[2], order[2])
    assert asked(run, "offer") == [{"quote": order[0]}]
    assert (run.state.status, run.state.output) == ("completed", {"quotes": 3})


def test_wcp_28_the_next_alarm_is_blocked_until_both_sensors_have_reported_this_one() -> None:
    run = begin(28, {"alarms": 2})
    run.signal("south")
    assert working(run) == ["inspect"]
    run.signal("south")
    run.complete("inspect")
    assert (working(run), resting(run)) == ([], ["from_north"])
    run.signal("north")
    assert (working(run), resting(run)) == (["inspect"], ["from_north"])
    run.signal("north").complete("inspect")
    assert (run.state.status, done(run).count("inspect")) == ("completed", 2)


def test_wcp_29_the_first_branch_goes_on_and_the_others_are_cancelled() -> None:
    run = begin(29)
    run.complete("ask_european", "found")
    assert working(run) == ["save"]
    assert asked(run, "save") == [{"european": "found"}]
    assert run.state.steps["ask_national"].status == "cancelled"


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1)])
def test_wcp_30_the_second_of_three_goes_on_and_the_third_is_still_taken_in(order: tuple[int, int, int]) -> None:
    run = begin(30)
    answer(run, "ask", order[0], order[0])
    assert working(run) == ["ask", "ask"]
    answer(run, "ask", order[1], order[1])
    assert working(run) == ["ask", "decide"]
    run.complete("decide")
    answer(run, "ask", order[2], order[2])
    assert asked(run, "decide") == [{"references": list(order[:2])}]
    assert (run.state.status, run.state.output) == ("completed", {"file": list(order)})


def test_wcp_31_the_next_lap_is_blocked_until_all_three_posts_have_seen_this_one() -> None:
    run = begin(31, {"laps": 2})
    run.signal("start").signal("start").signal("hill")
    assert (working(run), resting(run)) == (["confirm"], ["at_bridge"])
    run.signal("hill").complete("confirm")
    assert (working(run), resting(run)) == ([], ["at_bridge"])
    run.signal("bridge")
    assert (working(run), resting(run)) == (["confirm"], ["at_bridge"])
    run.complete("confirm").signal("bridge")
    assert (run.state.status, done(run).count("confirm")) == ("completed", 2)


def test_wcp_32_two_of_three_go_on_and_the_third_is_taken_back() -> None:
    run = begin(32)
    decide(run, "ask_law")
    assert working(run) == ["ask_finance", "ask_sales"]
    decide(run, "ask_sales")
    assert working(run) == ["order"]
    assert (run.state.steps["ask_finance"].status, run.said.count("task.cancel")) == ("cancelled", 1)
