"""Random programs that fail and are retried, again and again, from any node they came by: the engine does what the reference says.

Meanwhile types of nodes are suspended and go on, models are asked for work, input and output, people decide, events are published.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st
from weft_engine.core import entries as e
from weft_engine.core import items as i
from weft_engine.core.evolve import flat
from weft_engine.core.history import visits
from weft_language import compile_definition, parse, validate
from weft_language.findings import has_errors

from tests.engine.core.conftest import ID, Run
from tests.engine.core.enhanced import PREMIUM
from tests.engine.core.test_retrying import again, back
from tests.engine.programs.generating.maker import Document
from tests.engine.programs.generating.sequences import GIVEN, KINDS, programs
from tests.engine.programs.sequential import Open, Sequence
from tests.engine.programs.test_shadow_model import campaign

ONE_AT_A_TIME = {"concurrency": {"limit": 1}}
MOST = 18
"""Things that happen to an execution, at most."""


def begun(run: Run) -> list[tuple[str, int]]:
    """The visits that the journal tells, in the order in which they began."""
    told = ((entry.node, entry.visit) for entry, _ in flat(run.rows) if entry.node is not None)
    return list(dict.fromkeys((str(node), visit) for node, visit in told))


def asked(run: Run) -> list[tuple[str, str, int, Any]]:
    """Outside work that was asked for."""
    found: list[tuple[str, str, int, Any]] = []
    for entry, _ in flat(run.rows):
        node, visit, data = entry.node or "", entry.visit, entry.data
        if entry.kind == e.STEP_SCHEDULED:
            found.append(("activity", node, visit, data["input"]))
        elif entry.kind == e.STEP_ENHANCING:
            found.append(("model", node, visit, data["input"]["instructions"]))
        elif entry.kind == e.EVENT_PUBLISHED:
            found.append(("event", node, visit, data["data"]))
        elif entry.kind == e.STEP_WAITING and data["kind"] == "task":
            found.append(("task", node, visit, [data["task"]["title"], data["task"].get("data")]))
    return found


def known(value: Any) -> Any:
    """An output without the id of an event, which the reference leaves open."""
    return None if isinstance(value, dict) and "event_id" in value else value


def answer(run: Run, one: Open, number: int, *, well: bool) -> Any:
    """Whoever is asked answers. Returns: what that is to the reference."""
    node, visit = one.node, one.visit
    id_ = node["id"]
    if one.kind == "model":
        apply = node["enhance"]["apply"]
        gives: Any = {"set": {"x": number}, "if": number % 2 == 0}.get(node["type"], number)
        gives = {GIVEN[node["type"]]: {"v": number}} if apply == "input" else gives
        name = f"{id_}.enhance"
        error = {"code": "ai_refused", "message": "no", "permanent": True}
        run.do(i.ActivityCompleted(ID, name, visit, 1, "done", {"result": gives}) if well else i.ActivityFailed(ID, name, visit, 1, error))
        return gives
    error = {"code": "broken", "message": "broken", "permanent": True}
    if one.kind == "task":
        run.do(i.CompleteStep(ID, id_, visit, "completed", {"d": number}) if well else i.FailStep(ID, id_, visit, error))
        return {"d": number}
    run.do(i.ActivityCompleted(ID, id_, visit, 1, "done", number) if well else i.ActivityFailed(ID, id_, visit, 1, error))
    return number


@campaign(200)
@given(programs(), st.data())
def test_going_back_again_and_again_does_what_the_reference_says(document: Document, data: st.DataObject) -> None:
    if has_errors(validate(document)):
        return
    reference = Sequence(document, {"n": 1})
    gated = data.draw(st.booleans())
    run = Run(compile_definition(parse({**document, "settings": ONE_AT_A_TIME} if gated else document), 1), context=PREMIUM).start({"n": 1})
    run = run.do(i.Admit(ID)) if gated else run
    said: list[str] = []
    retries = gates = 0
    for number in range(MOST):
        told = f"{document['nodes']} {document['edges']} {said}"
        assert begun(run) == reference.begun, told
        assert asked(run) == reference.asked, told
        assert run.state.vars == reference.known.vars, told
        assert (run.state.status in ("running", "waiting")) == (reference.status == "running"), told
        assert [visit.step.status for visit in visits(ID, flat(run.rows))].count("running") <= 1
        outputs = {node: known(step.output) for node, step in run.state.steps.items() if step.status == "completed"}
        assert outputs == {node: output for node, (_, output) in reference.known.steps.items() if output is not ...}, told
        if reference.status == "completed":
            break
        held = reference.open is not None and reference.open.kind == "gate"
        if reference.held_up and (held or data.draw(st.integers(0, 3)) == 3):
            said.append("lifted")
            run.context = PREMIUM
            run.do(i.Admit(ID, [f"suspended:{gates}"])) if held else None
            reference.lift()
            continue
        if not reference.held_up and data.draw(st.integers(0, 3)) == 3:
            gates += 1
            reference.held_up = {data.draw(st.sampled_from(KINDS))}
            said.append(f"suspended: {reference.held_up}")
            run.context = replace(PREMIUM, suspended={f"node_type:{type_}": f"suspended:{gates}" for type_ in reference.held_up})
        if reference.status == "running":
            assert reference.open is not None
            well = data.draw(st.integers(0, 2)) < 2
            said.append(f"{reference.open.kind} {reference.open.node['id']} {'done' if well else 'broken'} {number}")
            gives = answer(run, reference.open, number, well=well)
            reference.answer(gives) if well else reference.break_()
            continue
        chosen = data.draw(st.sampled_from([None, *(node["id"] for node in document["nodes"])]))
        more: dict[str, Any] = {"input": {"n": data.draw(st.integers(1, 3))}} if data.draw(st.booleans()) else {}
        effects = data.draw(st.sampled_from(("skip", "skip", "redo")))
        said.append(f"retry from {chosen} {more} {effects}")
        entered = reference.retry(chosen, more.get("input"), effects)
        again(run, chosen, effects=effects, **more)
        assert run.answer is not None
        assert run.answer.status == ((202 if gated else 200) if entered else 422), told
        if gated and entered:
            for _ in range(data.draw(st.integers(0, 2))):
                said.append("taken back and asked for again")
                again(run.do(i.Cancel(ID)), chosen, effects=effects, **more)
            back(run, i.Admit(ID))
        retries += entered
    event(f"retries: {retries}")
    event(f"suspensions: {gates}")
