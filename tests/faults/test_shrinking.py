"""What is left of a program of the hunt that failed, and of the faults under which it does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from tests.faults.hunt.hunting import Faults, Report
from tests.faults.hunt.programs import Program, of
from tests.faults.hunt.shrinking import copied, shrunk

CULPRIT = {"id": "wait2", "type": "wait", "with": {"for": "51s"}, "timeout": "90s"}
DOCUMENT = {
    "format": "weft/v1", "slug": "main", "name": "main", "vars": {"a": 0},
    "nodes": [
        {"id": "act1", "type": "activity", "with": {"name": "ok"}},
        {"id": "par3", "type": "parallel", "with": {"branches": {
            "x": {"nodes": [CULPRIT]},
            "y": {"nodes": [{"id": "act4", "type": "activity", "with": {"name": "worn"}, "retry": {"attempts": 2, "delay": "51s"}}]},
        }}},
        {"id": "set5", "type": "set", "with": {"a": 1}},
    ],
}  # fmt: skip


async def test_what_fails_is_shrunk_to_the_nodes_and_the_faults_that_it_takes() -> None:
    tried: list[Faults] = []

    async def attempt(programs: Sequence[Program], under: Faults) -> Report:
        tried.append(under)
        bad = [one for one in programs if '"wait2"' in json.dumps(one.documents) and "engine" in under.kinds]
        return Report(wrong=[(one, UUID(int=0), "wrong") for one in bad])

    left = await shrunk(of(7, {"main": DOCUMENT}, {}), Faults(), attempt, within_s=30)

    assert tried[1] == Faults((), False), "none at all is tried first"
    assert "faults of engine as" in left
    assert "wait2" in left
    assert [name for name in ("act1", "set5", "timeout", "retry") if name in left] == []


async def test_what_goes_well_alone_is_said_to() -> None:
    async def attempt(programs: Sequence[Program], under: Faults) -> Report:
        return Report(programs=len(programs))

    assert "went well" in await shrunk(of(7, {"main": DOCUMENT}, {}), Faults(), attempt, within_s=30)


def test_copies_of_a_program_share_no_names_and_no_events() -> None:
    state = {"id": "state1", "type": "state", "with": {"events": {"happened": {"event": "thing.done"}}}}
    call = {"id": "call2", "type": "call", "with": {"workflow": "child-a"}}
    child = {**DOCUMENT, "slug": "child-a", "name": "child-a"}
    copy = copied(of(7, {"main": {**DOCUMENT, "nodes": [state, call]}, "child-a": child}, {}), 12)

    assert copy.slug == "p12-main"
    assert copy.documents.keys() == {"p12-main", "p12-child-a"}
    assert '"e12.done"' in json.dumps(copy.documents)
    assert "p7-" not in json.dumps(copy.documents)
