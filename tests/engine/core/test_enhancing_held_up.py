"""A node whose type is suspended while its enhancement is waited for: its own work begins when that is lifted, in the same visit, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.views import waiting_view

from tests.engine.core.conftest import ID, Run
from tests.engine.core.enhanced import INPUT, PREMIUM, WORK, answer, asked, enhanced, refuse, run, step, told
from tests.engine.core.test_replaying import same_again

ACTIVITIES = replace(PREMIUM, suspended={"node_type:activity": "suspended:1"})
GROUPS = replace(PREMIUM, suspended={"node_type:group": "suspended:1"})
BANK = replace(PREMIUM, suspended={"connection:bank": "suspended:1"})
PAY: dict[str, Any] = {"id": "a", "type": "http.request", "with": {"connection": "bank", "url": "/pay", "body": {"n": 1}}}
WITH_INPUT = enhanced(WORK, "input", schema=INPUT)
ENDS: dict[str, tuple[Callable[[Run], Run], Any]] = {
    "applied": (lambda run: answer(run, {"input": "better"}), "better"),
    "refused": (lambda run: refuse(run, "ai_refused"), {"text": "own"}),
    "late": (lambda run: run.later(seconds=5), {"text": "own"}),
}


def meanwhile(context: Any, *nodes: dict[str, Any], **more: Any) -> Run:
    """It waits for its enhancement, and then something is suspended."""
    waits = run(*nodes, **more).start()
    waits.context = context
    return waits


@pytest.mark.parametrize("end", ENDS)
def test_its_own_work_waits_at_the_gate_and_begins_once_with_what_the_model_gave_when_let_in(end: str) -> None:
    come, input_ = ENDS[end]
    held = come(meanwhile(ACTIVITIES, WITH_INPUT))
    shown = [waiting_view(pending, held.state) for pending in held.state.pending.values()]
    assert [(one.kind, one.for_) for one in shown] == [("suspended", "suspended:1")]
    assert (held.state.status, held.state.gates, [node for node, _, _ in asked(held)]) == ("waiting", ("suspended:1",), ["a.enhance"])
    assert len(held.later(days=3).rows) == len(held.rows), "time alone changes nothing"

    begun = held.do(i.Admit(ID, ["suspended:1"]))
    assert (begun.waits("a").kind, begun.waits("a").visit, begun.waits("a").data["input"]) == ("activity", 1, input_)
    begun.do(i.Admit(ID, ["suspended:1"]))
    assert [node for node, _, _ in asked(begun)] == ["a.enhance", "a"]
    done = begun.complete("a", "sent")
    assert (done.state.status, told(done)[0], step(done).output) == ("completed", end == "applied", "sent")
    same_again(done)


def test_a_connection_that_is_suspended_meanwhile_holds_up_what_goes_by_it() -> None:
    body = {"type": "object", "properties": {"body": {}}}
    held = answer(meanwhile(BANK, enhanced(PAY, "input", schema=body)), {"body": {"n": 2}})
    assert [node for node, _, _ in asked(held)] == ["a.enhance"]
    begun = held.do(i.Admit(ID, ["suspended:1"]))
    assert (begun.waits("a").kind, begun.waits("a").data["input"]["body"]) == ("activity", {"n": 2})


def test_what_stands_in_the_place_of_the_work_is_not_held_up() -> None:
    done = answer(meanwhile(ACTIVITIES, enhanced(WORK)), "better")

    assert (done.state.status, step(done).output) == ("completed", "better")


def test_its_timeout_begins_when_it_is_let_in() -> None:
    held = refuse(meanwhile(ACTIVITIES, {**WITH_INPUT, "timeout": "10s"}), "ai_refused").later(minutes=5)
    begun = held.do(i.Admit(ID, ["suspended:1"])).later(seconds=9)
    assert begun.waits("a").kind == "activity"
    assert (begun.later(seconds=1).state.error or {})["code"] == "timeout"


def test_it_is_taken_back_with_the_group_around_it() -> None:
    group = {"id": "g", "type": "group", "timeout": "1m", "with": {"nodes": [WITH_INPUT]}}
    held = answer(meanwhile(ACTIVITIES, group), {"input": 1})
    over = held.later(minutes=1)
    assert (over.state.status, (over.state.error or {})["code"], step(over).status) == ("failed", "timeout", "cancelled")
    assert not over.do(i.Admit(ID, ["suspended:1"])).state.pending


def test_the_time_of_all_that_is_tried_again_runs_on_while_a_model_is_asked_and_stands_still_in_a_pause() -> None:
    retry = {"attempts": 3, "delay": "1s", "jitter": False}
    work = {**WORK, "id": "w", "retry": {"attempts": 1}}
    group = {"id": "a", "type": "group", "timeout": "10s", "retry": retry, "with": {"nodes": [work]}}
    again = refuse(run(enhanced(group)).start(), "ai_refused").later(seconds=6).fail("w").later(seconds=1)
    assert (again.waits("a").kind, again.waits("a").visit) == ("enhancing", 2)
    again.do(i.Pause(ID, user="ann")).later(hours=1).do(i.Resume(ID, user="ann"))
    assert again.later(seconds=2).waits("a").kind == "enhancing"
    over = again.later(seconds=1)
    assert (over.state.status, (over.state.error or {})["code"]) == ("failed", "timeout")
    same_again(over)


def test_what_is_tried_again_and_held_up_after_its_enhancement_keeps_its_time_over_a_pause() -> None:
    retry = {"attempts": 3, "delay": "1s", "jitter": False}
    work = {**WORK, "id": "w", "retry": {"attempts": 1}}
    group = {"id": "a", "type": "group", "timeout": "30s", "retry": retry, "with": {"nodes": [work]}}
    again = refuse(run(enhanced(group)).start(), "ai_refused").later(seconds=6).fail("w").later(seconds=1)
    again.context = GROUPS
    held = again.do(i.ActivityFailed(ID, "a.enhance", 2, 1, {"code": "ai_refused", "message": "no", "permanent": True}))
    held.do(i.Pause(ID, user="ann")).later(hours=1).do(i.Resume(ID, user="ann"))
    begun = held.later(seconds=10).do(i.Admit(ID, ["suspended:1"]))
    assert begun.waits("w").kind == "activity"
    assert begun.later(seconds=12).waits("w").kind == "activity"
    assert (begun.later(seconds=1).state.error or {})["code"] == "timeout"
