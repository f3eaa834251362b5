"""WCP-10, WCP-21 and WCP-22: the same work again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.patterns.driving import Mesh, asked, begin, decide, done, working


@pytest.mark.parametrize(
    ("input_", "decisions", "way"),
    [
        ({}, ["write:written", "review:accepted"], "publish"),
        ({"text": "mine"}, ["review:accepted"], "publish"),
        ({"text": "mine"}, ["review:rework", "write:written", "review:rework", "write:written", "review:dropped"], "archive"),
        ({}, ["write:written", "review:rework", "write:given_up"], "archive"),
    ],
)
def test_wcp_10_a_cycle_is_entered_and_left_at_more_than_one_place(input_: dict[str, Any], decisions: list[str], way: str) -> None:
    run = begin(10, input_)
    visits = {"write": 0, "review": 0}
    for decision in decisions:
        node, _, outcome = decision.partition(":")
        visits[node] += 1
        assert working(run) == [node]
        decide(run, node, outcome, visits[node])
    assert (run.state.status, done(run)) == ("completed", ["handed_in", *(one.partition(":")[0] for one in decisions), way])


def test_wcp_21_a_loop_looks_before_each_round_or_after_it() -> None:
    run = begin(21, {"weight": 40})
    run.complete("put_box", {"weight": 35}).complete("put_box", {"weight": 35})
    assert working(run) == ["read_scales"]
    run.complete("read_scales", {"at_rest": False}).complete("read_scales", {"at_rest": True})
    assert (run.state.status, run.state.output) == ("completed", {"weight": 110})
    full = begin(21, {"weight": 100})
    assert working(full) == ["read_scales"], "looking before, there may be no round; looking after, there is one at least"


def test_wcp_22_a_workflow_calls_itself_and_what_it_gives_comes_back_level_by_level() -> None:
    tree = {"/": (2, ["/a", "/b"]), "/a": (3, []), "/b": (5, ["/b/c"]), "/b/c": (7, [])}
    mesh = Mesh.begin(22, {"path": "/"})
    for _ in tree:
        run = next(run for run in mesh.runs.values() if "look" in working(run))
        files, folders = tree[asked(run, "look")[0]["path"]]
        run.complete("look", {"files": files, "folders": folders})
        mesh.settle()
    assert len(mesh.runs) == len(tree)
    assert (mesh.root.state.status, mesh.root.state.output) == ("completed", {"files": 17})
    assert max(run.state.caller["depth"] for run in mesh.children if run.state.caller) == 2
