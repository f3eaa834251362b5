"""`notification.send`: asked of the tasks service instead of a worker, and like an activity in all else."""

from __future__ import annotations

from typing import Any

from weft_contracts import catalog
from weft_contracts.notifications import SendNotification
from weft_engine.core import items as i
from weft_engine.core.evolve import flat
from weft_engine.core.ledger import effects
from weft_engine.core.simulating import Answers, begin
from weft_engine.simulating.showing import simulation_view

from tests.engine.core.conftest import CONTEXT, ID, START, Run, program_of

TO = {"users": ["{{ input.who }}"], "roles": [], "groups": []}
TELL: dict[str, Any] = {
    "id": "tell",
    "type": "notification.send",
    "with": {"to": TO, "title": "Look, {{ input.who }}"},
    "retry": {"attempts": 2, "delay": "1s", "jitter": False},
}


def asked(run: Run) -> list[tuple[str, str, SendNotification]]:
    """What was asked of the tasks service: (exchange, key, word)."""
    found = [(out.exchange, out.key, catalog.read(out.item)) for out in run.outgoing if out.item.type == "notification.send"]
    return [(exchange, key, word) for exchange, key, word in found if isinstance(word, SendNotification)]


def test_the_tasks_service_is_asked_with_what_was_rendered_and_no_worker_is() -> None:
    run = Run(program_of([TELL])).start({"who": "ann"})
    ((exchange, key, word),) = asked(run)
    assert (exchange, key) == ("weft.commands", "tasks.inbox")
    assert word.input == {"to": {**TO, "users": ["ann"]}, "title": "Look, ann", "event": "notification"}
    assert (word.execution_id, word.workflow, word.node, word.key) == (ID, "test", "tell", f"{ID}:tell:1")
    assert [out for out in run.outgoing if out.exchange == "weft.work"] == []


def test_its_answer_is_the_output_and_the_ledger_has_it() -> None:
    run = Run(program_of([TELL], output={"reached": "{{ step.tell.output.reached }}"})).start({"who": "ann"})
    run.complete("tell", {"reached": 1, "unknown": {}})
    assert (run.state.status, run.state.output) == ("completed", {"reached": 1})
    (effect,) = effects(flat(run.rows))
    assert (effect.kind, effect.name, effect.status) == ("activity", "notification.send", "done")


def test_what_is_not_answered_is_asked_again_and_what_failed_once_more_under_the_same_key() -> None:
    run = Run(program_of([TELL])).start({"who": "ann"})
    run.later(hours=1).fail("tell").later(hours=1)
    words = [word for _, _, word in asked(run)]
    assert [word.attempt for word in words] == [1, 1, 2]
    assert len({word.key for word in words}) == 1


def test_a_simulation_tells_nobody_and_shows_what_would_be_told() -> None:
    program = program_of([TELL])
    made = begin(i.Start(ID, "test", input={"who": "ann"}, trigger={"type": "manual"}), "acme", START, program, CONTEXT, Answers())
    (effect,) = simulation_view(made, (), (), 1).effects
    assert (made.state.status, effect.type, effect.with_["title"]) == ("completed", "notification.send", "Look, ann")
