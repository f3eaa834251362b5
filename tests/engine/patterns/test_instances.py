"""WCP-12 to WCP-15 and WCP-34 to WCP-36: the same work several times at once."""

from __future__ import annotations

from tests.engine.patterns.driving import Mesh, answer, asked, begin, decide, working

PARCELS = [{"weight": 1}, {"weight": 2}, {"weight": 3}]


def test_wcp_12_the_instances_live_on_while_the_execution_that_began_them_ends() -> None:
    mesh = Mesh.begin(12, {"parcels": PARCELS})
    assert mesh.root.state.status == "completed"
    assert mesh.root.said[-1] == "execution.completed"
    assert [child.state.input for child in mesh.children] == PARCELS
    assert [child.state.status for child in mesh.children] == ["running"] * 3
    last = mesh.children[2].complete("pack", {"weight": 3}).complete("label").complete("hand_over", {"tracking": "T3"})
    mesh.settle()
    assert last.state.output == {"tracking": "T3"}
    assert [child.state.status for child in mesh.children] == ["running", "running", "completed"]


def test_wcp_13_as_many_instances_as_the_definition_says_end_before_the_next_step_begins() -> None:
    run = begin(13)
    assert working(run) == ["sign"] * 3
    decide(run, "sign", visit=3)
    decide(run, "sign", visit=1)
    assert working(run) == ["sign"]
    decide(run, "sign", visit=2)
    assert working(run) == ["file"]


def test_wcp_14_as_many_instances_as_the_data_says_end_before_the_next_step_begins() -> None:
    run = begin(14, {"lines": ["pen", "ink", "paper", "glue"]})
    assert working(run) == ["price"] * 4
    for visit, price in ((4, 40), (2, 20), (1, 10), (3, 30)):
        assert run.state.status == "running"
        answer(run, "price", visit, price)
    assert (run.state.status, run.state.output) == ("completed", {"prices": [10, 20, 30, 40], "total": 100})


def test_wcp_15_further_instances_are_added_while_others_run_and_the_first_ends_with_the_last() -> None:
    mesh = Mesh.begin(15, {"witness": "ann"})
    mesh.root.signal("another", {"witness": "bob"})
    bob = mesh.settle().children[0]
    bob.complete("interview", "bob: it was dark").signal("another", {"witness": "cleo"})
    cleo = mesh.settle().children[1]
    mesh.root.complete("interview", "ann: it rained")
    mesh.settle()
    assert [run.state.status for run in mesh.runs.values()] == ["waiting", "waiting", "running"]
    cleo.signal("nobody").complete("interview", "cleo: it was late")
    mesh.settle()
    assert mesh.root.state.output == {"statements": ["ann: it rained", "bob: it was dark", "cleo: it was late"]}
    assert {run.state.status for run in mesh.runs.values()} == {"completed"}


def test_wcp_34_the_instance_that_makes_it_enough_goes_on_and_the_others_may_still_end() -> None:
    run = begin(34, {"reviewers": ["ann", "bob", "cleo", "dan"], "needed": 2})
    answer(run, "review", 4, "good")
    assert working(run) == ["review"] * 3
    answer(run, "review", 1, "bad")
    assert working(run) == ["rank", "review", "review"]
    run.complete("rank").complete("review", "late").complete("review", "later")
    assert asked(run, "rank") == [{"reviews": ["good", "bad"]}]
    assert (run.state.status, run.state.output) == ("completed", {"reviews": 4})


def test_wcp_35_the_instance_that_makes_it_enough_goes_on_and_the_others_are_cancelled() -> None:
    run = begin(35, {"shops": ["north", "south", "west"], "wanted": 2})
    answer(run, "ask", 3, 30)
    assert working(run) == ["ask", "ask"]
    answer(run, "ask", 1, 10)
    assert working(run) == ["compare"]
    assert asked(run, "compare") == [{"offers": [30, 10]}]
    answer(run, "ask", 2, "late")
    assert run.complete("compare").state.status == "completed"
    fewer = begin(35, {"shops": ["north"], "wanted": 2}).complete("ask", 10)
    assert working(fewer) == ["compare"], "with fewer instances than are wanted it goes on with the last"


def test_wcp_36_instances_are_added_while_others_run_until_one_meets_the_condition() -> None:
    run = begin(36)
    assert (working(run), run.state.status) == ([], "waiting")
    run.signal("team", {"area": "wood"}).signal("team", {"area": "lake"})
    assert working(run) == ["look", "look"]
    answer(run, "look", 1, {"found": False})
    run.signal("team", {"area": "hill"})
    assert working(run) == ["look", "look"]
    answer(run, "look", 3, {"found": True})
    assert working(run) == ["report"]
    assert asked(run, "report") == [{"searched": ["wood", "hill"]}]
    run.signal("team", {"area": "moor"})
    assert working(run) == ["report"], "no instance begins any more"
    assert run.complete("report").state.status == "completed"
