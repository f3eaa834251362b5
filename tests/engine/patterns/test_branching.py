"""WCP-6 to WCP-8, WCP-33, WCP-37, WCP-41 and WCP-42: several ways at once, and how they meet again."""

from __future__ import annotations

from itertools import product

import pytest

from tests.engine.patterns.driving import answer, asked, begin, done, resting, working

WAYS = {"outage": "tell_technicians", "data_lost": "tell_lawyers", "public": "tell_press"}


@pytest.mark.parametrize("chosen", list(product([True, False], repeat=3)))
def test_wcp_06_every_way_with_a_reason_is_taken_and_no_other(chosen: tuple[bool, bool, bool]) -> None:
    reasons = dict(zip(WAYS, chosen, strict=True))
    run = begin(6, reasons)
    ways = sorted(WAYS[reason] for reason, holds in reasons.items() if holds)
    assert working(run) == ways
    for way in ways:
        run.complete(way)
    assert run.state.status == "completed"


def test_wcp_07_the_merge_waits_for_the_branches_that_were_chosen_and_for_no_other() -> None:
    run = begin(7, {"guarantor": "ann"})
    assert working(run) == ["check_guarantor", "check_income"]
    run.complete("check_income", 1)
    assert working(run) == ["check_guarantor"]
    run.complete("check_guarantor", 2)
    assert working(run) == ["decide"]
    assert asked(run, "decide") == [{"income": 1, "guarantor": 2, "house": False}]


def test_wcp_08_what_follows_runs_once_for_each_branch_as_soon_as_that_one_arrives() -> None:
    run = begin(8)
    assert working(run) == ["check_address", "check_credit"]
    run.complete("check_address")
    assert working(run) == ["check_credit", "file"]
    run.complete("check_credit")
    assert working(run) == ["file", "file"]
    assert asked(run, "file") == [{"check": "address"}, {"check": "credit"}]
    run.complete("file").complete("file")
    assert run.state.status == "completed"


def test_wcp_33_what_arrives_too_often_on_one_branch_is_kept_for_a_later_pair() -> None:
    run = begin(33, {"pairs": 2})
    run.signal("invoice", "i1").signal("invoice", "i2")
    assert (working(run), resting(run)) == ([], ["delivery"])
    run.signal("delivery", "d1").complete("book")
    assert (working(run), resting(run)) == ([], ["delivery"])
    run.signal("delivery", "d2")
    assert asked(run, "book") == [{"delivery": "d1", "invoice": "i1"}, {"delivery": "d2", "invoice": "i2"}]
    assert run.complete("book").state.status == "completed"


@pytest.mark.parametrize(
    ("valuable", "cold", "begun"),
    [(True, True, ["check_papers", "measure", "weigh"]), (True, False, ["check_papers", "weigh"]), (False, True, ["check_papers"])],
)
def test_wcp_37_each_merge_waits_for_what_was_begun_before_it(valuable: bool, cold: bool, begun: list[str]) -> None:
    run = begin(37, {"valuable": valuable, "cold": cold})
    assert working(run) == begun
    for left, node in enumerate(begun, 1):
        assert "store" not in working(run)
        run.complete(node)
        assert working(run) == (begun[left:] or ["store"])


def test_wcp_41_three_threads_become_one_that_goes_on() -> None:
    run = begin(41, {"boxes": 2})
    assert working(run) == ["fill"] * 6
    answer(run, "fill", 1, "a")
    answer(run, "fill", 4, "d")
    answer(run, "fill", 3, "c")
    assert "seal" not in working(run)
    answer(run, "fill", 2, "b")
    assert working(run) == ["fill", "fill", "seal"]
    assert asked(run, "seal") == [{"bottles": ["a", "b", "c"]}]
    run.complete("fill").complete("fill").complete("seal").complete("seal")
    assert (run.state.status, done(run).count("seal")) == ("completed", 2)


def test_wcp_42_as_many_threads_as_asked_for_run_through_the_same_steps_on_their_own() -> None:
    run = begin(42, {"copies": 3})
    assert asked(run, "print") == [{"copy": 1}, {"copy": 2}, {"copy": 3}]
    answer(run, "print", 3, "third")
    assert working(run) == ["print", "print", "stick"]
    answer(run, "stick", 1)
    assert working(run) == ["print", "print"]
    run.complete("print", "first").complete("print", "second").complete("stick").complete("stick")
    assert asked(run, "stick") == [{"label": "third"}, {"label": "first"}, {"label": "second"}]
    assert run.state.status == "completed"
