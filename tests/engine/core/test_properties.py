"""What holds for every definition and every order of events: the journal tells the state, and applying twice equals once."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from weft_engine.core import items as i
from weft_engine.core.entries import ENDS
from weft_engine.core.evolve import fold
from weft_language import compile_definition, parse

from tests.engine.core.conftest import ID, Run, comparable
from tests.language.strategies import definitions

SLOW = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def happenings(run: Run) -> list[i.Happening]:
    """Everything that the outside could do to an execution now."""
    found: list[i.Happening] = [i.Tick(ID)]
    for pending in run.state.pending.values():
        step = (ID, pending.node, pending.visit)
        if pending.kind == "activity":
            error = {"code": "broken", "message": "broken", "permanent": False}
            found += [i.ActivityCompleted(*step, pending.attempt, "done", {"n": 1}), i.ActivityFailed(*step, pending.attempt, error)]
            found.append(i.ActivityAccepted(*step, pending.attempt))
        elif pending.kind == "task":
            outcomes = pending.data["task"]["outcomes"]
            found += [i.CompleteStep(*step, outcome, {"form": {}}) for outcome in outcomes]
        elif pending.kind == "signal":
            found += [i.Signal(ID, f"{name}{run.state.position}", name, {"n": 1}) for name in pending.data["signals"]]
    found.append(i.Cancel(ID))
    return found


@SLOW
@given(definitions(), st.data())
def test_the_journal_folds_to_the_state_after_every_event(document: dict[str, Any], data: st.DataObject) -> None:
    run = Run(compile_definition(parse(document), 1), apart=None).start({"n": 3})
    for _ in range(data.draw(st.integers(0, 25))):
        if run.state.ended:
            break
        run.now = run.now.replace(year=run.now.year + data.draw(st.integers(0, 1)))
        run.do(data.draw(st.sampled_from(happenings(run))))
    ends = [entry.kind for row in run.rows for entry in row.entries if entry.kind in ENDS]
    assert len(ends) == (1 if run.state.ended and run.state.status != "queued" else 0) or "execution.rejected" in run.said


@SLOW
@given(definitions(), st.data())
def test_applying_an_event_twice_equals_applying_it_once(document: dict[str, Any], data: st.DataObject) -> None:
    run = Run(compile_definition(parse(document), 1), apart=None).start({"n": 3})
    for _ in range(data.draw(st.integers(1, 10))):
        if run.state.ended:
            break
        item = data.draw(st.sampled_from(happenings(run)))
        run.do(item)
        once, rows = comparable(run.state), len(run.rows)
        if not isinstance(item, (i.ActivityAccepted, i.Tick)):
            run.do(item)
            assert (comparable(run.state), len(run.rows)) == (once, rows)


@SLOW
@given(definitions(), st.data())
def test_dropping_all_memory_between_any_two_events_changes_nothing(document: dict[str, Any], data: st.DataObject) -> None:
    program = compile_definition(parse(document), 1)
    kept, reloaded = Run(program, apart=None).start({"n": 3}), Run(program, apart=None).start({"n": 3})
    for _ in range(data.draw(st.integers(1, 15))):
        if kept.state.ended:
            break
        item = data.draw(st.sampled_from(happenings(kept)))
        kept.do(item)
        state = fold(ID, reloaded.rows)
        assert state is not None
        reloaded.state = state
        reloaded.do(item)
        assert comparable(reloaded.state) == comparable(kept.state)
