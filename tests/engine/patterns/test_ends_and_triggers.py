"""WCP-11, WCP-43, WCP-23 and WCP-24: how an execution ends, and what reaches it from outside."""

from __future__ import annotations

from tests.engine.patterns.driving import asked, begin, resting, working


def test_wcp_11_an_execution_ends_when_nothing_is_left_to_do_and_not_before() -> None:
    run = begin(11, {"promised": True}).complete("note")
    assert (run.state.status, working(run)) == ("waiting", [])
    run.later(days=1)
    assert working(run) == ["call_back"]
    assert run.complete("call_back").state.status == "completed"
    assert begin(11, {"promised": False}).complete("note").state.status == "completed"


def test_wcp_43_reaching_an_end_ends_the_execution_and_all_that_is_open() -> None:
    run = begin(43).complete("search_source", {"found": True})
    assert (run.state.status, run.state.output) == ("completed", {"vulnerable": True})
    assert (working(run), run.state.steps["search_packages"].status) == ([], "cancelled")
    clean = begin(43).complete("search_source", {"found": False}).complete("search_packages")
    assert (clean.state.status, clean.state.output) == ("completed", {"vulnerable": False})


def test_wcp_23_a_trigger_is_lost_when_nobody_waits_for_it() -> None:
    run = begin(23).signal("bell").later(seconds=1).complete("come_in")
    assert (working(run), resting(run)) == ([], ["listen"])
    assert working(run.signal("bell")) == ["open"]


def test_wcp_24_a_trigger_is_kept_until_somebody_waits_for_it_and_used_once() -> None:
    run = begin(24).signal("paid", {"receipt": "R1"}).later(days=6)
    assert working(run) == ["pack"]
    run.complete("pack")
    assert (working(run), asked(run, "dispatch")) == (["dispatch"], [{"receipt": "R1"}])
    later = begin(24).complete("pack")
    assert (working(later), resting(later)) == ([], ["payment"])
    later.signal("paid", {"receipt": "R2"})
    assert asked(later, "dispatch") == [{"receipt": "R2"}]
