"""WCP-16 to WCP-18, WCP-39 and WCP-40: what may happen depends on where the execution stands."""

from __future__ import annotations

import pytest

from tests.engine.patterns.driving import Mesh, asked, begin, done, resting, working


@pytest.mark.parametrize(("signal", "way"), [("paid", "deliver"), ("withdrawn", "close"), (None, "remind")])
def test_wcp_16_what_comes_first_chooses_and_the_other_ways_are_closed(signal: str | None, way: str) -> None:
    run = begin(16)
    assert (working(run), run.state.status) == ([], "waiting")
    if signal is None:
        run.later(days=14)
    else:
        run.signal(signal)
    assert working(run) == [way]
    run.signal("paid").signal("withdrawn").later(days=15)
    assert working(run) == [way]
    run.complete(way)
    assert done(run) == ["open", way]


@pytest.mark.parametrize("order", [("blood", "picture"), ("picture", "blood")])
def test_wcp_17_tasks_are_done_in_any_order_that_is_allowed_and_never_two_at_once(order: tuple[str, str]) -> None:
    run = begin(17)
    run.signal("report")
    assert run.answer is not None
    assert (run.answer.status, run.answer.code, working(run)) == (409, "signal_refused", [])
    for chosen in order:
        run.signal(chosen)
        assert working(run) == [f"take_{chosen}"]
        run.complete(f"take_{chosen}")
        run.signal(chosen)
        assert run.answer.status == 409, "each is done once"
    run.signal("report")
    assert working(run) == ["write_report"]
    assert run.complete("write_report").state.status == "completed"


def test_wcp_17_what_is_chosen_during_a_task_begins_after_it() -> None:
    run = begin(17).signal("blood").signal("picture")
    assert working(run) == ["take_blood"]
    assert working(run.complete("take_blood")) == ["take_picture"]


def test_wcp_18_the_task_may_begin_at_the_milestone_and_not_after_it() -> None:
    run = begin(18).signal("change", {"size": "L"})
    assert working(run) == ["apply", "pick"]
    run.complete("apply").signal("change", {"size": "M"}).complete("apply")
    assert asked(run, "apply") == [{"size": "L"}, {"size": "M"}]
    run.complete("pick").signal("change", {"size": "S"})
    assert run.answer is not None
    assert (run.answer.status, run.answer.code) == (409, "signal_refused")
    assert (working(run), resting(run)) == (["ship"], ["listen"])
    run.complete("ship")
    assert (run.state.status, done(run).count("apply")) == ("completed", 2)


@pytest.mark.parametrize("order", [("cables", "bricks"), ("bricks", "cables")])
def test_wcp_39_one_section_is_entered_when_the_other_has_been_left_while_other_work_goes_on(order: tuple[str, str]) -> None:
    mesh = Mesh.begin(39)
    mesh.root.complete(f"get_{order[0]}")
    first = mesh.settle().children[0]
    assert (working(first), "get_" + order[1] in working(mesh.root)) == (["enter"], True)
    mesh.root.complete(f"get_{order[1]}")
    second = mesh.settle().children[1]
    for node in ("enter", "work", "leave"):
        assert (second.state.status, working(first)) == ("queued", [node])
        first.complete(node)
        mesh.settle()
    for node in ("enter", "work", "leave"):
        assert (first.state.status, working(second)) == ("completed", [node])
        second.complete(node)
        mesh.settle()
    assert mesh.root.state.status == "completed"


@pytest.mark.parametrize("order", [["brakes", "oil", "tyres"], ["tyres", "brakes", "oil"]])
def test_wcp_40_each_task_is_done_once_in_the_order_of_the_day_and_never_two_at_once(order: list[str]) -> None:
    run = begin(40, {"order": order})
    for part in order:
        assert working(run) == ["see_to"]
        assert run.waits("see_to").data["name"] == f"workshop.{part}"
        run.complete("see_to")
    assert working(run) == ["hand_back"]
