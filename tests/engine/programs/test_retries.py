"""Random programs that fail and are retried, again and again, from any node they came by: the engine does what the reference says."""

from __future__ import annotations

from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st
from weft_engine.core import items as i
from weft_engine.core.evolve import flat
from weft_engine.core.history import visits
from weft_language import compile_definition, parse, validate
from weft_language.findings import has_errors

from tests.engine.core.conftest import ID, Run
from tests.engine.core.test_retrying import again, back
from tests.engine.programs.sequential import Document, Sequence, programs
from tests.engine.programs.test_shadow_model import campaign

ONE_AT_A_TIME = {"concurrency": {"limit": 1}}
MOST = 14
"""Things that happen to an execution, at most."""


def begun(run: Run) -> list[tuple[str, int]]:
    """The visits that the journal tells, in the order in which they began."""
    told = ((entry.node, entry.visit) for entry, _ in flat(run.rows) if entry.node is not None)
    return list(dict.fromkeys((str(node), visit) for node, visit in told))


def asked(run: Run) -> list[tuple[str, int, Any]]:
    """Outside work that was asked for."""
    return [(entry.node or "", entry.visit, entry.data["input"]) for entry, _ in flat(run.rows) if entry.kind == "step.scheduled"]


@campaign(200)
@given(programs(), st.data())
def test_going_back_again_and_again_does_what_the_reference_says(document: Document, data: st.DataObject) -> None:
    if has_errors(validate(document)):
        return
    reference = Sequence(document, {"n": 1})
    gated = data.draw(st.booleans())
    run = Run(compile_definition(parse({**document, "settings": ONE_AT_A_TIME} if gated else document), 1)).start({"n": 1})
    run = run.do(i.Admit(ID)) if gated else run
    said: list[str] = []
    retries = 0
    for number in range(MOST):
        told = f"{document['nodes']} {document['edges']} {said}"
        assert begun(run) == reference.begun, told
        assert asked(run) == reference.asked, told
        assert run.state.vars == reference.known.vars, told
        assert (run.state.status in ("running", "waiting")) == (reference.status == "running"), told
        assert [visit.step.status for visit in visits(ID, flat(run.rows))].count("running") <= 1
        if reference.status == "completed":
            break
        if reference.status == "running":
            assert reference.open is not None
            node = reference.open[0]
            if data.draw(st.booleans()):
                said.append(f"{node} done {number}")
                reference.answer(number)
                run.complete(node, number)
            else:
                said.append(f"{node} broken")
                reference.break_()
                run.fail(node, permanent=True)
            continue
        chosen = data.draw(st.sampled_from([None, *(node["id"] for node in document["nodes"])]))
        more: dict[str, Any] = {"input": {"n": data.draw(st.integers(1, 3))}} if data.draw(st.booleans()) else {}
        effects = data.draw(st.sampled_from(("skip", "skip", "redo")))
        said.append(f"retry from {chosen} {more} {effects}")
        known = reference.retry(chosen, more.get("input"), effects)
        again(run, chosen, effects=effects, **more)
        assert run.answer is not None
        assert run.answer.status == ((202 if gated else 200) if known else 422), told
        if gated and known:
            for _ in range(data.draw(st.integers(0, 2))):
                said.append("taken back and asked for again")
                again(run.do(i.Cancel(ID)), chosen, effects=effects, **more)
            back(run, i.Admit(ID))
        retries += known
    event(f"retries: {retries}")
