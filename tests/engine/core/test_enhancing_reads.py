"""What an enhancement reads, what no answer of a model is, and what becomes of one that is still asked when all is over."""

from __future__ import annotations

from weft_engine.core import items as i
from weft_engine.core.evolve import flat
from weft_engine.core.ledger import effects

from tests.engine.core.conftest import ID
from tests.engine.core.enhanced import PLAIN, USAGE, WORK, enhanced, run, step, told
from tests.engine.core.test_replaying import same_again


def test_an_answer_without_a_result_is_no_answer() -> None:
    asks = run(enhanced(PLAIN)).start()
    done = asks.do(i.ActivityCompleted(ID, "a.enhance", 1, 1, "done", {"usage": USAGE}))
    assert (done.state.status, step(done).output, told(done)) == ("completed", "own", (False, "invalid"))
    assert step(done).enhancement["message"] == "the result does not do for a: there is none"


def test_what_cannot_be_rendered_of_an_output_is_not_asked() -> None:
    done = run(enhanced(WORK, "output", with_={"input": "{{ step.a.output.nothing }}"})).start().complete("a", {"x": 1})
    assert (done.state.status, step(done).output, told(done)) == ("completed", {"x": 1}, (False, "not_rendered"))
    same_again(done)


def test_an_enhancement_reads_the_output_it_is_to_better_among_all_steps() -> None:
    with_ = {"input": "{{ {'own': step.a.output, 'first': step.first.output, 'there': has(step.a), 'steps': size(step)} }}"}
    first = {"id": "first", "type": "transform", "with": {"expression": "7"}}
    asks = run(first, enhanced(WORK, "output", with_=with_)).start().complete("a", 1)
    assert asks.waits("a").data["input"]["input"] == {"own": 1, "first": 7, "there": True, "steps": 2}


def test_a_model_that_is_asked_when_it_is_all_over_is_told_as_cancelled() -> None:
    done = run(enhanced(PLAIN)).start().do(i.Cancel(ID))
    assert [(one.node, one.status) for one in effects(flat(done.rows))] == [("a.enhance", "cancelled")]
