"""A journal tells what caused it, and the same causes make the same journal again."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from weft_engine.core import items as i
from weft_engine.core.evolve import flat
from weft_engine.core.replaying import happenings, replay
from weft_engine.core.state import State
from weft_language import compile_definition, parse

from tests.engine.core.conftest import CONTEXT, ID, Run, program_of
from tests.engine.core.test_properties import SLOW
from tests.engine.core.test_properties import happenings as possible
from tests.language.strategies import definitions


def same_again(run: Run) -> None:
    """Let what the journal tells happen again, and compare entry by entry."""
    state = State(ID, "acme", "test", 1)
    rows = replay(state, happenings(ID, flat(run.rows)), run.program, CONTEXT)
    again = [msgspec.to_builtins(entry) for entry, _ in flat(rows)]
    assert again == [msgspec.to_builtins(entry) for entry, _ in flat(run.rows)]


@SLOW
@given(definitions(), st.data())
def test_what_happened_can_happen_again(document: dict[str, Any], data: st.DataObject) -> None:
    run = Run(compile_definition(parse(document), 1)).start({"n": 3})
    for _ in range(data.draw(st.integers(0, 15))):
        if run.state.ended:
            break
        run.now = run.now.replace(year=run.now.year + data.draw(st.integers(0, 1)))
        run.do(data.draw(st.sampled_from(possible(run))))
    same_again(run)


def test_pauses_signals_and_retries_happen_again_too() -> None:
    nodes: list[dict[str, Any]] = [
        {"id": "ask", "type": "state", "with": {"signals": {"go": {}}, "after": {"late": "1h"}}},
        {"id": "work", "type": "activity", "with": {"name": "work"}, "retry": {"attempts": 2}},
    ]
    run = Run(program_of(nodes)).start().do(i.Pause(ID)).signal("go", {"n": 1}).later(hours=3).do(i.Resume(ID))
    run.fail("work").later(minutes=1).complete("work", 7)
    assert run.state.status == "completed"
    same_again(run)
