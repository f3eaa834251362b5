"""Nodes of a type that is held up wait, and are entered when that is lifted, whatever is still believed of it."""

from __future__ import annotations

from dataclasses import replace

from weft_engine.core import items as i
from weft_engine.core.apply import apply
from weft_engine.core.state import State

from tests.engine.core.conftest import CONTEXT, ID, START, program_of

HELD_UP = replace(CONTEXT, suspended={"node_type:set": "suspended:1"})


def test_a_node_of_a_suspended_type_waits_at_its_gate_and_goes_on_when_let_in() -> None:
    program = program_of([{"id": "a", "type": "transform", "with": {"expression": "1"}}, {"id": "b", "type": "set", "with": {"x": 1}}])
    held = apply(State(ID, "acme", "test", 1), i.Start(ID, "test"), START, program, HELD_UP).state
    assert (held.status, held.gates, [pending.kind for pending in held.pending.values()]) == ("waiting", ("suspended:1",), ["suspended"])
    # The lane may learn of the lifting only later than of the admission.
    done = apply(held, i.Admit(ID), START, program, HELD_UP).state
    assert (done.status, done.vars) == ("completed", {"x": 1})


def test_a_start_in_a_suspended_workflow_waits_to_be_admitted() -> None:
    program = program_of([{"id": "b", "type": "set", "with": {"x": 1}}])
    context = replace(CONTEXT, suspended={"workflow:test": "suspended:2"})
    queued = apply(State(ID, "acme", "test", 1), i.Start(ID, "test"), START, program, context).state
    assert (queued.status, queued.gates) == ("queued", ("suspended:2",))
    assert apply(queued, i.Admit(ID), START, program, context).state.status == "completed"
