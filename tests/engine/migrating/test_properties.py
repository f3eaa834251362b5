"""For any two versions and any moment: a good verdict means that every place is there, and that going back restores the state."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from weft_engine.core.evolve import fold
from weft_engine.core.rewinding import unfit
from weft_engine.core.verdicts import BLOCKED
from weft_language import compile_definition, parse, validate
from weft_language.compilation import Program
from weft_language.findings import has_errors

from tests.engine.core.conftest import ID, Run, comparable
from tests.engine.core.test_properties import happenings
from tests.engine.migrating.conftest import back, to
from tests.language.strategies import WAITING, definitions

SLOW = settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
EXTRA = {"type": "set", "with": {"extra": 1}}


def graphs(document: Any) -> Iterator[dict[str, Any]]:
    """Every graph of a document, the root first."""
    yield document
    for node in document["nodes"]:
        with_ = node.get("with", {})
        inner = {"group": [with_], "parallel": list(with_.get("branches", {}).values())}.get(node["type"], [])
        if node["type"] in ("foreach", "loop"):
            inner = [with_["body"]]
        for graph in inner:
            yield from graphs(graph)


def renamed(value: Any, old: str, new: str) -> Any:
    """A document in which a node is called otherwise, wherever it is named."""
    if isinstance(value, dict):
        return {name: renamed(item, old, new) for name, item in value.items()}
    if isinstance(value, list):
        return [renamed(item, old, new) for item in value]
    if isinstance(value, str):
        return new if value == old else value.replace(f"step.{old}.", f"step.{new}.")
    return value


@st.composite
def versions(draw: st.DrawFn) -> tuple[Program, Program, dict[str, str | None]]:
    """Two versions, with what was renamed between them: nodes come, go, and are called otherwise."""
    old = draw(definitions())
    new = copy.deepcopy(old)
    told: dict[str, str | None] = {}
    for step in range(draw(st.integers(0, 4))):
        graph = draw(st.sampled_from(list(graphs(new))))
        change = draw(st.sampled_from(("rename", "rename", "add", "remove", "retype")))
        waiting = [node for node in graph["nodes"] if node["type"] in WAITING]
        node = draw(st.sampled_from(waiting if waiting and change == "rename" else graph["nodes"]))
        if change == "rename" and node["id"] not in told.values():
            told[node["id"]] = f"other_{step}"
            new = renamed(new, node["id"], f"other_{step}")
        elif change == "remove" and len(graph["nodes"]) > 1:
            graph["nodes"].remove(node)
            graph["edges"] = [edge for edge in graph.get("edges", []) if node["id"] not in (edge["from"], edge["to"])]
            if graph.get("start") == node["id"]:
                del graph["start"]
        elif change == "add":
            graph["nodes"].insert(0, {"id": f"more_{step}", **EXTRA})
        elif change == "retype":
            node |= EXTRA
            node["with"] = EXTRA["with"]
    olds = {becomes: node for node, becomes in told.items()}
    for node in [node for graph in graphs(new) for node in graph["nodes"] if node["type"] == "parallel"]:
        branches = node["with"]["branches"]
        if draw(st.booleans()):
            name = draw(st.sampled_from(sorted(branches)))
            branches["other"] = branches.pop(name)
            told[f"{olds.get(node['id'], node['id'])}/{name}"] = f"{node['id']}/other"
    if has_errors(validate(new)):
        new = old
        told = {}
    before, after = compile_definition(parse(old), 1), compile_definition(parse(new), 2)
    there, here = {*before.nodes, *before.scopes}, {*after.nodes, *after.scopes}
    told = {name: becomes for name, becomes in told.items() if name in there and becomes in here}
    return before, after, told


@SLOW
@given(versions(), st.data())
def test_a_good_verdict_means_that_everything_has_its_place(
    pair: tuple[Program, Program, dict[str, str | None]], data: st.DataObject
) -> None:
    old, new, told = pair
    run = Run(old, apart=None).start({"n": 3, "name": "a", "open": True})
    for _ in range(data.draw(st.integers(0, 6))):
        following = dataclasses.replace(run, rows=list(run.rows)).do(data.draw(st.sampled_from(happenings(run))))
        run = run if following.state.ended else following
    before = comparable(run.state)
    moved = to(run, new, data.draw(st.sampled_from([told, None])), timers=data.draw(st.sampled_from(["keep", "reset"])))
    event(moved.answer.body["verdict"])
    if moved.answer.body["verdict"] == BLOCKED:
        assert comparable(run.state) == before
        return
    assert run.state.version == 2
    assert unfit(run.state, new) == []
    assert comparable(fold(ID, run.rows)) == comparable(run.state)
    if len(moved.entries) == 1 and data.draw(st.booleans()):
        back(run, old)
        assert {**comparable(run.state), "position": 0} == {**before, "position": 0}
    for _ in range(data.draw(st.integers(0, 8))):
        if run.state.ended:
            break
        run.do(data.draw(st.sampled_from(happenings(run))))
