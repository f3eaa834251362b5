"""A retry that has gates to pass waits at them as a start does: until it is let in, the execution is as it ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
import pytest
from weft_engine.core import items as i
from weft_engine.core.context import Context
from weft_engine.core.evolve import flat
from weft_engine.core.ledger import effects
from weft_engine.core.migrating import migrate
from weft_engine.core.queued import withdrawn_answer
from weft_engine.core.sentences import because

from tests.engine.core.conftest import CONTEXT, ID, Run, comparable, program_of
from tests.engine.core.test_replaying import same_again
from tests.engine.core.test_retrying import STEPS, again, back

ONE = {"concurrency": {"limit": 1}, "priority": 7}
HOLDER, ASKED = UUID(int=9), UUID(int=8)
BUSY = Context({"id": "acme", "tier": "standard", "settings": {"quotas": {"live_executions": 4, "starts_per_s": 2}}})


def failed(**more: Any) -> Run:
    """One with a gate that was let in, and failed at the last of three activities."""
    document = {"settings": ONE, "output": {"c": "{{ step.c.output }}"}, **more}
    run = Run(program_of(STEPS, **document)).start().do(i.Admit(ID)).complete("a", 1).complete("b", 2)
    return run.later(minutes=5).fail("c", permanent=True)


def told(run: Run, kind: str) -> list[Any]:
    return [msgspec.json.decode(out.item.data) for out in run.outgoing if out.item.type == kind]


def test_it_waits_as_it_ended_and_goes_on_from_there_when_it_is_let_in() -> None:
    run = failed()
    before = comparable(run.state)
    again(run.later(hours=1))
    assert run.answer is not None
    assert (run.answer.status, run.state.status, run.state.completed_at, run.state.wake_at) == (202, "queued", None, None)
    assert run.state.begun is not None
    assert (run.state.begun["gates"], run.state.steps["c"].status) == (
        [{"name": "workflow:test:", "limit": 1, "on_conflict": "queue"}],
        "failed",
    )
    assert run.state.error == before["error"]
    assert told(run, "execution.queued")[-1]["priority"] == 7
    back(run.later(hours=1), i.Admit(ID))
    assert [pending.place for pending in run.state.pending.values()] == [("c", 2)]
    assert run.complete("c", 3).state.output == {"c": 3}
    assert [(one.node, one.visit) for one in effects(flat(run.rows))] == [("a", 1), ("b", 1), ("c", 1), ("c", 2)]
    same_again(run)


def test_what_was_asked_for_is_what_happens_when_it_is_let_in() -> None:
    run = again(failed(), "a", effects="redo", input={"n": 5}, user="ann")
    back(run, i.Admit(ID))
    assert ([pending.place for pending in run.state.pending.values()], run.state.input) == ([("a", 2)], {"n": 5})
    same_again(run)


def test_let_in_twice_it_goes_on_once_and_asked_for_twice_it_waits_once() -> None:
    run = again(failed(), answer_id=ASKED)
    once = len(run.rows)
    again(run)
    assert run.answer is not None
    assert (run.answer.status, run.answer.code, len(run.rows)) == (409, "illegal_move", once)
    assert "cancel it to ask for another" in str(run.answer.detail)
    back(run, i.Admit(ID))
    rows = len(run.rows)
    back(run, i.Admit(ID)).do(i.Admit(ID))
    assert len(run.rows) == rows


def test_cancelled_before_it_is_let_in_it_has_failed_as_before_and_can_be_retried() -> None:
    run = failed()
    ended_at, error = run.state.completed_at, run.state.error
    again(run.later(hours=1), user="ann").later(hours=1).do(i.Cancel(ID, "a mistake", "bob"))
    assert (run.state.status, run.state.completed_at, run.state.error) == ("failed", ended_at, error)
    assert [fact["at"] for fact in told(run, "execution.failed")] == [ended_at.isoformat().replace("+00:00", "Z") if ended_at else ""] * 2
    assert because(run.state, flat(run.rows), run.program, {}) == [
        "its retry was taken back at 2026-01-05T11:05:00+00:00 by bob, before it was let in: a mistake"
    ]
    assert back(again(run), i.Admit(ID)).complete("c", 3).state.status == "completed"
    same_again(run)


def test_one_that_timed_out_waits_and_is_given_up_likewise_and_no_time_ends_it_meanwhile() -> None:
    nodes = [{"id": "w", "type": "wait", "with": {"for": "9h"}}]
    run = Run(program_of(nodes, settings={**ONE, "max_duration": "1h"})).start().do(i.Admit(ID)).later(hours=2)
    again(run).later(hours=20)
    assert run.state.status == "queued"
    run.do(i.Cancel(ID))
    assert (run.state.status, [len(told(run, f"execution.{end}")) for end in ("timed_out", "cancelled")]) == ("timed_out", [2, 0])
    back(again(run), i.Admit(ID))
    assert run.waits("w").visit == 1
    same_again(run)


def test_a_caller_is_told_again_of_an_end_that_stands() -> None:
    caller = i.Caller(UUID(int=5), "call", 1, 1)
    run = Run(program_of(STEPS[:1], settings=ONE)).start(caller=caller).do(i.Admit(ID)).fail("a", permanent=True)
    again(run).do(i.Cancel(ID))
    assert [(one["visit"], one["error"]["code"]) for one in told(run, "step.fail")] == [(1, "broken")] * 2


def test_paused_while_it_waits_it_is_let_in_when_it_is_resumed() -> None:
    run = again(failed()).do(i.Pause(ID, user="ann"))
    assert because(run.state, flat(run.rows), run.program, {}) == [
        "is paused since 2026-01-05T09:05:00+00:00 by ann; its time stands still",
        "has failed, and is to be retried from c once it is let in",
    ]
    run.do(i.Admit(ID)).do(i.Resume(ID, user="ann"))
    assert (run.state.status, told(run, "execution.queued")[-1]["position"]) == ("queued", run.state.position - 1)
    assert back(run, i.Admit(ID)).complete("c", 3).state.status == "completed"
    same_again(run)


def test_paused_and_cancelled_while_it_waits_it_has_failed() -> None:
    assert again(failed()).do(i.Pause(ID)).do(i.Cancel(ID)).state.status == "failed"


def test_skipped_it_has_failed_and_who_asked_is_told_who_lives() -> None:
    rule = {"concurrency": {"key": "{{ input.who }}", "limit": 1, "on_conflict": "skip"}}
    run = Run(program_of(STEPS[:1], settings=rule)).start({"who": "ann"}).do(i.Admit(ID)).fail("a", permanent=True)
    assert again(run, answer_id=ASKED).answer is None, "it is known only when it is let in or skipped"
    begun = run.state.begun
    run.do(i.Skip(ID, HOLDER))
    answer = withdrawn_answer(begun, run.rows[-1].entries)
    assert answer is not None
    assert (run.state.status, answer.status, answer.code, answer.to) == ("failed", 409, "place_taken", ASKED)
    assert (answer.body, f"execution {HOLDER} lives with the key 'ann'" in str(answer.detail)) == ({"execution_id": str(HOLDER)}, True)
    assert because(run.state, flat(run.rows), run.program, {}) == [
        f"its retry was skipped at 2026-01-05T09:00:00+00:00: execution {HOLDER} lived with the key 'ann'"
    ]
    back(again(run, answer_id=ASKED), i.Admit(ID))
    assert run.answer is not None
    assert (run.answer.status, run.answer.to) == (200, ASKED)
    same_again(run)


def test_it_stands_at_the_gates_of_a_start_with_the_input_that_it_is_given() -> None:
    rule = {"concurrency": {"key": "{{ input.who }}", "limit": 3}}
    run = Run(program_of(STEPS[:1], settings=rule), context=BUSY).start({"who": "ann"}).do(i.Admit(ID)).fail("a", permanent=True)
    again(run, input={"who": "bob"})
    assert run.state.begun is not None
    assert [(gate["name"], gate["limit"]) for gate in run.state.begun["gates"]] == [("workflow:test:bob", 3), ("tenant", 4), ("starts", 4)]


def test_a_child_that_somebody_retries_stands_at_the_gate_of_the_tenant_since_nobody_waits_for_it() -> None:
    run = Run(program_of(STEPS[:1]), context=BUSY).start(caller=i.Caller(UUID(int=5), "call", 1, 1))
    assert (run.state.status, again(run.fail("a", permanent=True)).state.status) == ("running", "queued")


@pytest.mark.parametrize("what", ["tenant", "workflow:test"])
def test_what_is_held_up_is_not_retried_until_it_goes_on(what: str) -> None:
    run = Run(program_of(STEPS[:1])).start().fail("a", permanent=True)
    run.context = Context(CONTEXT.tenant, suspended={what: "suspended:1"})
    assert again(run).state.status == "queued"


def test_a_key_that_cannot_be_rendered_any_more_is_refused_with_the_reason() -> None:
    run = Run(program_of(STEPS[:1])).start().fail("a", permanent=True)
    run.program = program_of(STEPS[:1], settings={"concurrency": {"key": "{{ input.who }}", "limit": 1}})
    again(run, workflow_version=1)
    assert run.answer is not None
    assert (run.answer.status, run.state.status, "settings.concurrency" in str(run.answer.detail)) == (422, "failed", True)


def test_a_signal_that_comes_while_it_waits_is_there_when_it_goes_on() -> None:
    nodes: list[dict[str, Any]] = [
        {"id": "a", "type": "activity", "with": {"name": "a"}},
        {"id": "s", "type": "state", "with": {"signals": {"go": {}}}},
    ]
    run = Run(program_of(nodes, settings=ONE)).start().do(i.Admit(ID)).fail("a", permanent=True)
    again(run).signal("go", {"n": 1})
    assert back(run, i.Admit(ID)).complete("a").state.steps["s"].output == {"n": 1}
    same_again(run)


def test_it_goes_on_by_no_other_version_while_it_waits() -> None:
    run = again(failed())
    newer = replace(run.program, version=2)
    moved = migrate(run.state, i.Migrate(ID, 2), run.now, run.program, newer, CONTEXT)
    assert (moved.state, moved.answer.status, moved.answer.body["reasons"][0]["code"]) == (None, 409, "not_begun")


def test_what_cannot_go_on_when_it_is_let_in_has_failed_as_before() -> None:
    run = again(failed())
    run.program = program_of(STEPS[:3], settings=ONE)
    back(run, i.Admit(ID))
    assert run.state.status == "failed"
    assert "no node c" in because(run.state, flat(run.rows), run.program, {})[0]
