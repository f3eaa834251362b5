"""Branches of a `parallel` are renamed by a migration as nodes are: told, proposed by what stands in them, or refused."""

from __future__ import annotations

from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.core.evolve import flat, fold
from weft_engine.core.history import visits
from weft_engine.core.ledger import effects
from weft_engine.core.mapping import completed, proposal
from weft_engine.core.replaying import happenings, replay
from weft_engine.core.state import State
from weft_language.compilation import Program

from tests.engine.core.conftest import CONTEXT, ID, Run, comparable
from tests.engine.migrating.conftest import back, to, verdict_of, version

WORK: dict[str, Any] = {"type": "activity", "with": {"name": "work"}}


def fan(number: int, branches: dict[str, str], node: str = "fan", **more: Any) -> Program:
    """A `parallel` of branches with one activity each."""
    graphs = {name: {"nodes": [{"id": inner, **WORK}]} for name, inner in branches.items()}
    nodes = [{"id": node, "type": "parallel", "with": {"branches": graphs, **more}}]
    return version(number, nodes, output={"fan": f"{{{{ step.{node}.output }}}}"})


def test_an_open_branch_goes_on_by_its_new_name() -> None:
    run = Run(fan(1, {"left": "a", "right": "b"})).start().complete("a", "l")
    told: dict[str, str | None] = {"fan": "both", "fan/left": "both/links", "fan/right": "both/rechts"}
    assert verdict_of(to(run, fan(2, {"links": "a", "rechts": "b"}, "both"), told)) == ("ok", [])
    assert (set(run.state.scopes), run.waits("b").scope) == ({"both/rechts"}, "both/rechts")
    run.complete("b", "r")
    assert run.state.output == {"fan": {"links": "l", "rechts": "r"}}
    assert [(visit.node, visit.scope) for visit in visits(ID, flat(run.rows))] == [("both", ""), ("a", "both/links"), ("b", "both/rechts")]
    assert [effect.scope for effect in effects(flat(run.rows))] == ["fan/left", "fan/right"]


def test_branches_and_what_stands_in_them_are_renamed_together() -> None:
    old, new = fan(1, {"left": "a", "right": "b"}), fan(2, {"links": "c", "rechts": "d"})
    told: dict[str, str | None] = {"a": "c", "b": "d", "fan/left": "fan/links", "fan/right": "fan/rechts"}
    run = Run(old).start()
    assert verdict_of(to(run, new, told)) == ("ok", [])
    run.do(i.ActivityCompleted(ID, "b", 1, 1, "done", 2)).do(i.ActivityCompleted(ID, "a", 1, 1, "done", 1))
    assert run.state.output == {"fan": {"links": 1, "rechts": 2}}


def test_branches_that_swap_their_names_swap_nothing_else() -> None:
    old, new = fan(1, {"left": "a", "right": "b"}), fan(2, {"right": "a", "left": "b"})
    run = Run(old).start().complete("a", "a")
    assert verdict_of(to(run, new, {}))[1] == [("other_graph", "b")]
    to(run, new, {"fan/left": "fan/right", "fan/right": "fan/left"})
    run.complete("b", "b")
    assert run.state.output == {"fan": {"right": "a", "left": "b"}}


def test_what_a_branch_gave_that_has_gone_counts_no_more() -> None:
    old, new = fan(1, {"left": "a", "right": "b"}), fan(2, {"left": "b"})
    run = Run(old).start().complete("a", "a")
    assert verdict_of(to(run, new, {"a": None, "fan/right": "fan/left"})) == ("ok_unchanged_position", [])
    assert run.waits("fan").progress.results == {}
    run.complete("b", "b")
    assert run.state.output == {"fan": {"left": "b"}}


def test_going_back_and_happening_again_know_of_branches() -> None:
    old, new = fan(1, {"left": "a", "right": "b"}), fan(2, {"links": "a", "right": "b"})
    run = Run(old).start().complete("a", 1)
    before = comparable(run.state)
    to(run, new)
    back(run, old)
    assert {**comparable(run.state), "position": 0} == {**before, "position": 0}
    to(run, new)
    run.complete("b", 2)
    rows = replay(State(ID, "acme", "test", 1), happenings(ID, flat(run.rows)), old, CONTEXT, {2: new})
    assert comparable(fold(ID, rows)) == comparable(run.state)


def test_a_branch_is_proposed_by_the_nodes_that_stand_in_it() -> None:
    old = fan(1, {"left": "a", "right": "b", "third": "c"})
    new = fan(2, {"links": "a", "right": "b", "more": "d"})
    assert {one.old: (one.new, one.confidence) for one in proposal(old, new) if "/" in one.old} == {
        "fan/left": ("fan/links", 1.0),
        "fan/third": ("fan/more", 1.0),
    }
    assert completed(old, new, None) == {"fan": "fan", "a": "a", "b": "b", "c": "d", "fan/left": "fan/links", "fan/third": "fan/more"}
    guessed = fan(2, {"links": "a", "right": "b", "third": "c"}, "both")
    assert {one.old: (one.new, one.confidence) for one in proposal(old, guessed) if one.confidence < 1} == {
        "fan": ("both", 0.5),
        "fan/left": ("both/links", 0.5),
    }
    assert "fan/left" not in completed(old, guessed, None)


@pytest.mark.parametrize(
    ("told", "pointer", "says"),
    [
        ({"fan/none": "fan/links"}, "/mapping/fan~1none", "has no branch fan/none"),
        ({"fan/left": "fan/none"}, "/mapping/fan~1left", "no branch of what fan becomes; there are fan/links, fan/right"),
        ({"fan/left": "fan/links", "fan/right": "fan/links"}, "/mapping/fan~1right", "would both become fan/links"),
        ({"a/left": "fan/links"}, "/mapping/a~1left", "has no branch a/left"),
    ],
)
def test_branches_that_do_not_fit_are_refused_with_pointers(told: dict[str, str | None], pointer: str, says: str) -> None:
    run = Run(fan(1, {"left": "a", "right": "b"})).start()
    answer = to(run, fan(2, {"links": "a", "right": "b"}), told).answer
    assert (answer.status, answer.code, [one["pointer"] for one in answer.body["errors"]]) == (422, "mapping_unusable", [pointer])
    assert says in answer.body["errors"][0]["detail"]


def test_an_open_branch_that_has_gone_blocks() -> None:
    run = Run(fan(1, {"left": "a", "right": "b"})).start()
    blocked = to(run, fan(2, {"right": "b"}), {})
    assert ("scope_gone", "fan") in verdict_of(blocked)[1]
    assert "map fan/left to a branch that it has" in str(blocked.answer.detail)
