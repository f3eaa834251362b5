"""Compensations beside each other: what programs of all kinds seldom make, and where much can go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tests.engine.programs.generating.maker import Document, below
from tests.engine.programs.generating.nodes import BEHAVIOURS
from tests.engine.programs.generating.scenarios import MAIN, SCRIPTS, Scenario


def undone(choose: Callable[[int], int], script: bytes) -> Scenario:
    """Some nodes that can be undone, then branches that each undo all of them, or those of a group, within a time or not."""

    def undoable(name: str) -> Document:
        undo = {"type": "activity", "with": {"name": BEHAVIOURS[choose(3)], "input": "{{ vars.a }}"}}
        return {"id": name, "type": "set", "with": {"a": "{{ vars.a + 1 }}"}, "compensate": undo}

    def branch(letter: str) -> Document:
        undo: Document = {"id": f"undo_{letter}", "type": "compensate", "with": {"scope": "inner"} if choose(3) == 2 else {}}
        undo |= {"timeout": f"7{ord(letter) % 9}s"} if choose(4) == 3 else {}
        limited = {"id": f"group_{letter}", "type": "group", "timeout": f"{choose(3) + 1}{len(letter)}{ord(letter) % 7}s"}
        last = undo if choose(2) == 0 else {**limited, "with": {"nodes": [undo]}}
        own = [undoable(f"own_{letter}")] if choose(2) else []
        return {"nodes": [{"id": f"act_{letter}", "type": "activity", "with": {"name": "ok"}}, *own, last]}

    nodes: list[Document] = [undoable(f"set{number}") for number in range(1 + choose(4))]
    nodes.append({"id": "inner", "type": "group", "with": {"nodes": [undoable("inside1"), undoable("inside2")]}})
    branches = {f"b{letter}": branch(letter) for letter in "xyz"[: 1 + choose(3)]}
    nodes.append({"id": "par", "type": "parallel", "with": {"branches": branches, "on_error": ("wait", "fail")[choose(2)]}})
    nodes.append({"id": "rest", "type": "compensate", "with": {}})
    settings = {"settings": {"on_failure": "compensate"}} if choose(2) else {}
    document = {"format": "weft/v1", "slug": MAIN, "name": MAIN, "vars": {"a": 0}, "nodes": nodes, **settings}
    # Nodes of several branches that were suspended go on in one transition, in any order, and here that decides what is undone first.
    return Scenario({MAIN: document}, {"n": 0}, script, suspended=False)


@st.composite
def compensations(draw: Any) -> Scenario:
    """The same."""
    return replace(undone(lambda limit: int(draw(below(limit))), b""), script=draw(SCRIPTS))
