"""The ledger of effects: events that were published, children and tasks stand in it too, and a retry takes what it finds there."""

from __future__ import annotations

from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.core.evolve import flat
from weft_engine.core.ledger import effects
from weft_engine.core.reuse import Done, Reusable, put, take

from tests.engine.core.conftest import ID, Run, program_of
from tests.engine.core.test_retrying import again

PUBLISH: dict[str, Any] = {"id": "say", "type": "publish", "with": {"type": "order.paid", "data": {"n": "{{ input.n }}"}}}
CALL: dict[str, Any] = {"id": "sub", "type": "call", "with": {"workflow": "other", "wait": False, "input": {"n": "{{ input.n }}"}}}
WORK: dict[str, Any] = {"id": "work", "type": "activity", "with": {"name": "work"}}


def told(run: Run) -> list[tuple[str, str, str, str]]:
    return [(one.node, one.kind, one.name, one.status) for one in effects(flat(run.rows))]


def failed(node: dict[str, Any]) -> Run:
    """An execution that did this, and failed at what came after."""
    return Run(program_of([node, WORK])).start({"n": 1}).fail("work", permanent=True)


@pytest.mark.parametrize(
    ("node", "kind", "name", "says"), [(PUBLISH, "event", "order.paid", "order.paid"), (CALL, "child", "other", "execution.start")]
)
def test_what_was_said_or_started_is_not_said_or_started_again_by_a_retry(node: dict[str, Any], kind: str, name: str, says: str) -> None:
    run = failed(node)
    assert told(run)[0] == (node["id"], kind, name, "done")
    again(run, node["id"])
    assert (told(run)[2], run.said.count(says)) == ((node["id"], kind, name, "reused"), 1)
    assert run.complete("work").state.status == "completed"


@pytest.mark.parametrize(("node", "says"), [(PUBLISH, "order.paid"), (CALL, "execution.start")])
def test_with_another_input_it_is_another_effect(node: dict[str, Any], says: str) -> None:
    run = again(failed(node), node["id"], input={"n": 2})
    assert (run.said.count(says), told(run)[2][3]) == (2, "done")


def test_what_is_cancelled_before_its_answer_is_told_so() -> None:
    run = Run(program_of([WORK])).start().do(i.Cancel(ID))
    assert told(run) == [("work", "activity", "work", "cancelled")]


def test_of_several_that_are_left_only_the_one_that_was_taken_is_gone() -> None:
    where = ("work", ())
    left: Reusable = {}
    for position in (3, 5):
        put(left, where, Done(position, 1, "hash", "done", position))
    take(left, where, 3)
    assert [done.position for done in left[where]] == [5]
    take(left, where, 5)
    assert left == {}
    take(left, where, 5)
    assert left == {}
