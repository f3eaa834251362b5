"""A migration that was asked of another version, a mapping to what is not there, timers that begin anew, and what can still be undone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.core.apply import apply
from weft_engine.core.mapping import MappingUnusable, completed
from weft_engine.core.migrating import undo
from weft_engine.core.rewinding import unfit
from weft_engine.core.verdicts import Versions, verdict

from tests.engine.core.conftest import CONTEXT, ID, START, Run
from tests.engine.migrating.conftest import to, verdict_of, version

WORK: dict[str, Any] = {"type": "activity", "with": {"name": "work"}}
UNDO: dict[str, Any] = {"compensate": {"type": "activity", "with": {"name": "undo"}}}
LAST: dict[str, Any] = {"id": "z", "type": "set", "with": {"x": 1}}
ONE = version(1, [{"id": "a", **WORK}])
TWO = version(2, [{"id": "a", **WORK}, LAST])


def started() -> Run:
    return Run(ONE).start()


def test_one_that_runs_another_version_than_was_thought_stays_where_it_is() -> None:
    run = started()
    moved = to(run, version(3, [{"id": "a", **WORK}, LAST]), from_version=2)
    assert (moved.answer.status, verdict_of(moved)) == (409, ("blocked", [("other_version", None)]))
    assert run.state.version == 1


def test_a_preview_is_of_the_version_that_it_was_made_for() -> None:
    run = started()
    to(run, TWO)
    found = verdict(run.state, Versions.pair(ONE, version(3, [{"id": "a", **WORK}]), None))
    assert [reason.code for reason in found.reasons] == ["other_version"]


def test_a_node_cannot_become_one_that_is_not_there() -> None:
    with pytest.raises(MappingUnusable) as unusable:
        completed(ONE, TWO, {"a": "nobody"})
    assert unusable.value.reasons == [("a", "a is to become nobody, which version 2 does not have")]


def test_who_migrated_it_is_in_the_journal() -> None:
    run = started()
    to(run, TWO, user="ann")
    assert run.rows[-1].entries[0].data["by"] == "ann"


def test_a_task_that_ends_when_it_is_due_is_due_anew_where_timers_begin_anew() -> None:
    task: dict[str, Any] = {"id": "t", "type": "task", "with": {"title": "T", "due": "1h"}, "timeout": "2h"}
    ladder = {**task["with"], "on_timeout": [{"after": "1h", "do": "decide", "outcome": "completed"}]}
    run = Run(version(1, [task])).start().later(minutes=30)
    to(run, version(2, [{**task, "with": ladder}]), timers="reset")
    assert run.state.pending["t", 1].deadline_at == START + timedelta(hours=2, minutes=30)


def test_the_undoing_of_a_migration_names_the_version_that_it_led_to() -> None:
    run = started()
    to(run, TWO)
    refused = undo(ID, run.rows, i.UndoMigration(ID, workflow_version=3), run.now)
    assert (refused.answer.status, refused.answer.code, refused.state) == (409, "not_migrated", None)
    assert undo(ID, run.rows, i.UndoMigration(ID, workflow_version=2), run.now).answer.status == 200


def test_what_has_not_begun_has_no_migration_to_undo() -> None:
    assert undo(ID, [], i.UndoMigration(ID), START).answer.code == "execution_not_found"


def test_what_keeps_its_name_is_undone_by_it_and_what_is_gone_is_told_of() -> None:
    nodes: list[dict[str, Any]] = [
        {"id": "keep", **WORK, **UNDO},
        {"id": "old", **WORK, **UNDO},
        {"id": "gone", **WORK, **UNDO},
        {"id": "w", **WORK},
    ]
    after: list[dict[str, Any]] = [{"id": "keep", **WORK, **UNDO}, {"id": "new", **WORK, **UNDO}, {"id": "w", **WORK}]
    settings: dict[str, Any] = {"settings": {"on_failure": "compensate"}}
    run = Run(version(1, nodes, **settings)).start().complete("keep").complete("old").complete("gone")
    moved = to(run, version(2, after, **settings), {"old": "new", "gone": None})
    assert [one["code"] for one in moved.answer.body["warnings"]] == ["undo_unscoped"]
    assert [undone.node for undone in run.state.undo] == ["keep", "new", "gone"]
    run.fail("w", permanent=True)
    keys = []
    for _ in range(3):
        (waits,) = (pending for pending in run.state.pending.values() if "by" in pending.data)
        keys.append(waits.data.get("asked_as", [waits.node, waits.visit])[0])
        run.do(i.ActivityCompleted(ID, keys[-1], 1, 1))
    assert (run.state.status, keys) == ("failed", ["gone.compensate", "old.compensate", "keep.compensate"])


def test_an_undoing_on_its_way_belongs_to_its_compensation_by_the_new_name_of_that() -> None:
    def nodes(name: str) -> list[dict[str, Any]]:
        return [{"id": "a", **WORK, **UNDO}, {"id": name, "type": "compensate"}, LAST]

    run = Run(version(1, nodes("undo"))).start().complete("a")
    to(run, version(2, nodes("revert")), {"undo": "revert"})
    run.complete("a.compensate")
    assert (run.state.status, run.state.steps["a"].status, run.state.steps["revert"].status) == ("completed", "compensated", "completed")


def test_what_a_long_transition_left_ready_needs_its_place_too() -> None:
    body = {"nodes": [{"id": "in", "type": "set", "with": {"x": "{{ item }}"}}]}
    each: dict[str, Any] = {
        "id": "each",
        "type": "foreach",
        "with": {"items": "{{ input.items }}", "concurrency": 1000, "max_items": 3000, "body": body},
    }
    first = version(1, [each, LAST])
    run = Run(first, apart=None)
    state = apply(run.state, i.Start(ID, "test", input={"items": list(range(3000))}, trigger={}), START, first, CONTEXT).state
    assert state.ready, "it was not too long for one transition"
    other = {**each, "with": {**each["with"], "body": {"nodes": [{"id": "other", "type": "set", "with": {"x": 1}}]}}}
    found = verdict(state, Versions.pair(first, version(2, [other, LAST]), {"in": None}))
    assert ("node_gone", "in") in [(reason.code, reason.node) for reason in found.reasons]


def test_a_program_in_which_a_node_stands_elsewhere_does_not_fit() -> None:
    run = started()
    elsewhere = version(2, [{"id": "g", "type": "group", "with": {"nodes": [{"id": "a", **WORK}]}}])
    assert unfit(run.state, elsewhere) == ["a stands in another graph"]
