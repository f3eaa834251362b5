"""An execution goes on by another version where it stood: its tasks, timers, activities and children stay what they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.core.evolve import flat, fold
from weft_engine.core.history import visits
from weft_engine.core.identity import key_of
from weft_engine.core.ledger import effects
from weft_engine.core.replaying import happenings, replay
from weft_engine.core.state import State

from tests.engine.core.conftest import CONTEXT, ID, START, Run, comparable
from tests.engine.migrating.conftest import back, retry_by, to, verdict_of, version


def end(of: str) -> dict[str, Any]:
    return {"id": "z", "type": "set", "with": {"end": f"{{{{ step.{of}.outcome }}}}"}}


def one(node: dict[str, Any], number: int = 1, **more: Any) -> Any:
    return version(number, [node, end(node["id"])], output={"end": "{{ vars.end }}"}, **more)


TASK: dict[str, Any] = {"type": "task", "with": {"title": "Decide", "outcomes": ["yes", "no"], "assignee": "ann"}}
WORK: dict[str, Any] = {"type": "activity", "with": {"name": "work"}, "retry": {"attempts": 2, "delay": "10s", "jitter": False}}


def test_an_open_task_completes_the_renamed_node() -> None:
    run = Run(one({"id": "a", **TASK})).start()
    task_id = run.waits("a").data["task"]["task_id"]

    assert verdict_of(to(run, one({"id": "b", **TASK}, 2))) == ("ok", [])
    assert (run.waits("b").data["task"]["task_id"], run.said.count("task.create")) == (task_id, 1)
    run.do(i.CompleteStep(ID, "a", 1, "yes"))
    assert (run.state.status, run.state.output) == ("completed", {"end": "yes"})


def test_a_renamed_task_is_taken_back_by_the_id_it_was_made_with() -> None:
    run = Run(one({"id": "a", **TASK})).start()
    task_id = run.waits("a").data["task"]["task_id"]
    to(run, one({"id": "b", **TASK}, 2))
    run.do(i.Cancel(ID))
    assert run.said.count("task.cancel") == 1
    assert task_id in bytes(next(out.item.data for out in run.outgoing if out.item.type == "task.cancel")).decode()


def test_an_activity_in_flight_is_answered_by_the_name_it_was_asked_by() -> None:
    run = Run(one({"id": "a", **WORK})).start()
    to(run, one({"id": "b", **WORK}, 2))
    run.do(i.ActivityAccepted(ID, "a", 1, 1)).do(i.ActivityCompleted(ID, "a", 1, 1))
    assert (run.state.status, run.state.output) == ("completed", {"end": "done"})


def test_a_further_attempt_has_the_key_of_the_first() -> None:
    run = Run(one({"id": "a", **WORK})).start()
    to(run, one({"id": "b", **WORK}, 2))
    run.do(i.ActivityFailed(ID, "a", 1, 1, {"code": "broken", "message": "broken"})).later(seconds=11)
    asked = [bytes(out.item.data).decode() for out in run.outgoing if out.item.type == "activity.requested"]
    assert [key_of(ID, "a", 1) in one for one in asked] == [True, True]
    run.do(i.ActivityCompleted(ID, "a", 1, 2))
    assert run.state.status == "completed"
    assert [(effect.node, effect.status, effect.attempts) for effect in effects(flat(run.rows))] == [("a", "done", 2)]


def test_a_child_reports_to_the_renamed_call() -> None:
    call = {"type": "call", "with": {"workflow": "other"}}
    run = Run(one({"id": "a", **call})).start()
    to(run, one({"id": "b", **call}, 2))
    run.do(i.CompleteStep(ID, "a", 1, "done", {"x": 1}))
    assert run.state.status == "completed"


def test_nodes_that_swap_their_names_swap_nothing_else() -> None:
    def both(number: int, first: str, second: str) -> Any:
        branches = {"left": {"nodes": [{"id": first, **WORK}]}, "right": {"nodes": [{"id": second, **WORK}]}}
        return version(number, [{"id": "fan", "type": "parallel", "with": {"branches": branches}}], output={"fan": "{{ step.fan.output }}"})

    run = Run(both(1, "a", "b")).start()
    assert verdict_of(to(run, both(2, "b", "a"), {"a": "b", "b": "a"})) == ("ok", [])
    run.do(i.ActivityCompleted(ID, "a", 1, 1, "done", "left")).do(i.ActivityCompleted(ID, "b", 1, 1, "done", "right"))
    assert run.state.output == {"fan": {"left": "left", "right": "right"}}


def test_a_new_node_by_an_old_name_gets_numbers_that_were_never_given() -> None:
    nodes = [{"id": "b", **TASK}, {"id": "a", **TASK}]
    run = Run(version(1, [{"id": "a", **TASK}])).start()
    first = run.waits("a").data["task"]["task_id"]
    to(run, version(2, nodes), {"a": "b"})
    run.do(i.CompleteStep(ID, "a", 1, "yes"))
    assert (run.waits("a").visit, run.waits("a").data["task"]["task_id"] != first) == (2, True)
    assert [(visit.node, visit.step.visit, visit.step.status) for visit in visits(ID, flat(run.rows))] == [
        ("b", 1, "completed"),
        ("a", 2, "waiting"),
    ]


@pytest.mark.parametrize(("timers", "due"), [("keep", 3600), ("reset", 7200 + 600)])
def test_a_timer_keeps_what_remained_or_begins_anew(timers: str, due: int) -> None:
    run = Run(one({"id": "a", "type": "wait", "with": {"for": "1h"}})).start()
    run.now += timedelta(minutes=10)
    to(run, one({"id": "b", "type": "wait", "with": {"for": "2h"}}, 2), {"a": "b"}, timers=timers)
    assert run.waits("b").due_at == START + timedelta(seconds=due)


def test_a_reset_timer_of_a_paused_execution_begins_when_it_is_resumed() -> None:
    run = Run(one({"id": "a", "type": "wait", "with": {"for": "1h"}})).start().do(i.Pause(ID))
    run.now += timedelta(minutes=10)
    to(run, one({"id": "b", "type": "wait", "with": {"for": "2h"}}, 2), {"a": "b"}, timers="reset")
    run.now += timedelta(minutes=10)
    run.do(i.Resume(ID))
    assert run.waits("b").due_at == run.now + timedelta(hours=2)


def test_what_was_held_by_an_old_name_finds_the_renamed_node() -> None:
    run = Run(one({"id": "a", **TASK})).start().do(i.Pause(ID)).do(i.CompleteStep(ID, "a", 1, "no"))
    to(run, one({"id": "b", **TASK}, 2))
    run.do(i.Resume(ID))
    assert run.state.output == {"end": "no"}


def state_node(id_: str, signals: list[str], after: dict[str, str]) -> dict[str, Any]:
    return {"id": id_, "type": "state", "with": {"signals": {name: {} for name in signals}, "after": after}}


def test_a_state_waits_for_the_signals_and_times_of_the_new_version() -> None:
    run = Run(one(state_node("b", ["go"], {"late": "1h", "never": "9h"}))).start()
    run.now += timedelta(minutes=10)
    to(run, one(state_node("b", ["go", "stop"], {"late": "5h", "soon": "20m"}), 2))
    after = [(name, moment - START) for name, moment in run.waits("b").data["after"]]
    assert after == [("soon", timedelta(minutes=30)), ("late", timedelta(hours=1))]
    assert run.waits("b").due_at == START + timedelta(minutes=30)
    run.signal("stop")
    assert run.state.output == {"end": "stop"}


def test_a_signal_that_was_kept_is_taken_by_a_node_that_knows_it_now() -> None:
    nodes = [state_node("b", ["go"], {}), state_node("c", ["paid"], {}), end("b")]
    run = Run(version(1, nodes)).start().signal("paid")
    to(run, version(2, [state_node("b", ["go", "paid"], {}), end("b")], output={"end": "{{ vars.end }}"}), {"c": None})
    assert (run.state.status, run.state.output) == ("completed", {"end": "paid"})


def test_scopes_go_with_their_renamed_owner() -> None:
    def each(number: int, owner: str, inner: str) -> Any:
        body = {"nodes": [{"id": inner, **WORK, "compensate": {"type": "activity", "with": {"name": "undo"}}}]}
        node = {"id": owner, "type": "foreach", "with": {"items": "{{ [1, 2] }}", "concurrency": 2, "body": body}}
        return version(number, [node, {"id": "c", "type": "compensate", "with": {}}], output={"all": f"{{{{ step.{owner}.output }}}}"})

    run = Run(each(1, "each", "work")).start().complete("work", 1)
    assert verdict_of(to(run, each(2, "all", "job"))) == ("ok", [])
    assert set(run.state.scopes) == {"all[1]"}
    run.do(i.ActivityCompleted(ID, "work", 2, 1, "done", 2))
    assert [pending.node for pending in run.state.pending.values()] == ["c", "job.compensate"]
    run.do(i.ActivityCompleted(ID, "job.compensate", 2, 1))
    run.do(i.ActivityCompleted(ID, "work.compensate", 1, 1))
    assert (run.state.status, run.state.output) == ("completed", {"all": [1, 2]})


def test_variables_that_are_new_get_their_first_values() -> None:
    run = Run(one({"id": "b", **TASK}, vars={"x": 1})).start()
    to(run, one({"id": "b", **TASK}, 2, vars={"x": 2, "y": "{{ execution.version + 1 }}"}))
    assert run.state.vars == {"x": 1, "y": 3}


def test_undoing_restores_the_state_before_to_the_last_byte() -> None:
    old, new = one({"id": "a", **TASK}), one({"id": "b", **TASK}, 2)
    run = Run(old).start()
    before = comparable(run.state)
    to(run, new, timers="reset")
    back(run, old)
    assert run.answer is not None and run.answer.body["status"] == "undone"
    assert {**comparable(run.state), "position": 0} == {**before, "position": 0}
    assert [visit.node for visit in visits(ID, flat(run.rows))] == ["a"]
    run.do(i.CompleteStep(ID, "a", 1, "yes"))
    assert [(visit.node, visit.step.status) for visit in visits(ID, flat(run.rows))] == [("a", "completed"), ("z", "completed")]


def test_undoing_is_refused_once_anything_has_happened() -> None:
    old, new = one({"id": "a", **WORK}), one({"id": "b", **WORK}, 2)
    run = Run(old).start()
    assert back(run, old).answer.code == "not_migrated"
    to(run, new)
    run.do(i.ActivityAccepted(ID, "a", 1, 1))
    answer = back(run, old).answer
    assert (answer.status, answer.code) == (409, "happened_since")
    assert "step.accepted of b" in str(answer.detail)


def test_asking_twice_does_it_once() -> None:
    old, new = one({"id": "a", **TASK}), one({"id": "b", **TASK}, 2)
    run = Run(old).start()
    to(run, new)
    rows = len(run.rows)
    assert to(run, new).answer.body["status"] == "repeated"
    back(run, old)
    assert back(run, old).answer.body["status"] == "repeated"
    assert len(run.rows) == rows + 1


def test_a_dry_run_tells_the_verdict_and_changes_nothing() -> None:
    run = Run(one({"id": "a", **TASK})).start()
    rows = len(run.rows)
    assert verdict_of(to(run, one({"id": "b", **TASK}, 2), dry_run=True)) == ("ok", [])
    blocked = to(run, one({"id": "b", **TASK}, 2), {"a": None}, dry_run=True)
    assert (blocked.answer.status, verdict_of(blocked)) == (200, ("blocked", [("node_gone", "a")]))
    assert (run.state.version, len(run.rows)) == (1, rows)


def test_a_migrated_execution_can_happen_again() -> None:
    old, new = one({"id": "a", **WORK}), one({"id": "b", **WORK}, 2)
    run = Run(old).start()
    to(run, new)
    back(run, old)
    to(run, new)
    run.do(i.ActivityAccepted(ID, "a", 1, 1)).do(i.ActivityCompleted(ID, "a", 1, 1, "done", 7))
    happened = happenings(ID, flat(run.rows))
    rows = replay(State(ID, "acme", "test", 1), happened, old, CONTEXT, {2: new})
    assert [entry.kind for row in rows for entry in row.entries] == [entry.kind for row in run.rows for entry in row.entries]
    assert comparable(fold(ID, rows)) == comparable(run.state)
    with pytest.raises(LookupError, match="among `others`"):
        replay(State(ID, "acme", "test", 1), happened, old, CONTEXT)


def test_a_retry_from_before_a_migration_goes_by_the_name_of_now_and_asks_for_the_version_that_ran_then() -> None:
    wait = {"type": "state", "with": {"signals": {"go": {}}}}
    old = version(1, [{"id": "a", **WORK}, {"id": "s", **wait}, {"id": "stop", "type": "fail", "with": {"code": "no", "message": "no"}}])
    new = version(2, [{"id": "b", **WORK}, {"id": "t", **wait}, {"id": "stop", "type": "fail", "with": {"code": "no", "message": "no"}}])
    run = Run(old).start().complete("a", 1)
    to(run, new, {"a": "b", "s": "t"})
    run.signal("go")
    refused = retry_by(run, new, i.Retry(ID, "b"))
    assert (refused.answer.code, "Version 1 ran there" in str(refused.answer.detail)) == ("version_unfit", True)
    assert retry_by(run, new, i.Retry(ID, "a")).answer.code == "version_unfit"
    retry_by(run, old, i.Retry(ID, "b", workflow_version=1))
    assert (run.state.version, run.state.status, run.state.steps["a"].visit, run.state.steps["a"].output) == (1, "failed", 2, 1)
    assert [effect.status for effect in effects(flat(run.rows)) if effect.kind == "activity"] == ["done", "reused"]


def test_a_retry_from_before_a_migration_is_refused_where_a_visited_node_is_called_otherwise_since() -> None:
    def stop(of: str) -> dict[str, Any]:
        return {"id": "stop", "type": "fail", "with": {"code": "no", "message": f"{{{{ step.{of}.output }}}}"}}

    old = version(1, [{"id": "a", **WORK}, {"id": "s", **TASK}, stop("a")])
    new = version(2, [{"id": "b", **WORK}, {"id": "s", **TASK}, stop("b")])
    run = Run(old).start().complete("a", "one")
    to(run, new, {"a": "b"})
    run.do(i.CompleteStep(ID, "s", 1, "yes"))
    assert (run.state.status, run.state.error and run.state.error["message"]) == ("failed", "one")
    refused = retry_by(run, new, i.Retry(ID, "s"))
    assert (refused.answer.code, "a is called b there" in str(refused.answer.detail)) == ("version_unfit", True)
    retry_by(run, old, i.Retry(ID, "s", workflow_version=1))
    assert (run.state.steps["s"].visit, run.state.error and run.state.error["message"]) == (2, "one")


STATE: dict[str, Any] = {"type": "state", "with": {"signals": {"go": {}}, "after": {"late": "1h"}}}
EACH: dict[str, Any] = {"type": "foreach", "with": {"items": "{{ [1] }}", "as": "item", "body": {"nodes": [{"id": "w", **WORK}]}}}


@pytest.mark.parametrize("timers", ["keep", "reset"])
@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (STATE, {**STATE, "with": {"signals": {"stop": {}}}}, ["signal"]),
        (EACH, {**EACH, "with": {**EACH["with"], "as": "one"}}, ["foreach", "activity"]),
    ],
)
def test_a_node_that_is_held_up_begins_by_the_version_that_it_is_let_in_with(
    before: Any, after: Any, kinds: list[str], timers: Any
) -> None:
    run = Run(version(1, [{"id": "a", **before}]))
    run.context = replace(CONTEXT, suspended={f"node_type:{before['type']}": "suspended:1"})
    run.start()
    moved = to(run, version(2, [{"id": "a", **after}]), timers=timers)
    assert (verdict_of(moved), run.state.version) == (("ok_unchanged_position", []), 2)
    run.context = CONTEXT
    run.do(i.Admit(ID, ["suspended:1"]))
    assert [pending.kind for pending in run.state.pending.values()] == kinds
    assert "stop" not in after["with"].get("signals", {}) or run.signal("stop").state.status == "completed"
