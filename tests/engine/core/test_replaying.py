"""A journal tells what caused it, and the same causes make the same journal again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_engine.core import items as i
from weft_engine.core.context import Context
from weft_engine.core.evolve import flat
from weft_engine.core.recording import replayed, tenant_seen
from weft_engine.core.replaying import happenings, replay
from weft_engine.core.state import State
from weft_engine.views import explanation_view
from weft_language import compile_definition, parse

from tests.engine.core import conftest
from tests.engine.core.conftest import CONTEXT, ID, Run, program_of
from tests.engine.core.test_properties import SLOW
from tests.engine.core.test_properties import happenings as possible
from tests.engine.core.test_retrying import again
from tests.language.strategies import definitions


def same_again(run: Run) -> None:
    """Let what the journal tells happen again, and compare entry by entry."""
    state = State(ID, "acme", "test", 1)
    rows = replay(state, happenings(ID, flat(run.rows)), run.program, CONTEXT)
    again, before = (msgspec.json.decode(msgspec.json.encode([entry for entry, _ in flat(told)])) for told in (rows, run.rows))
    assert again == before


@SLOW
@given(definitions(), st.data())
def test_what_happened_can_happen_again(document: dict[str, Any], data: st.DataObject) -> None:
    run = Run(compile_definition(parse(document), 1)).start({"n": 3})
    for _ in range(data.draw(st.integers(0, 15))):
        if run.state.ended:
            break
        run.now = run.now.replace(year=run.now.year + data.draw(st.integers(0, 1)))
        run.do(data.draw(st.sampled_from(possible(run))))
    same_again(run)


STANDARD = {"tier": "standard", "settings": {}}


def recorded(run: Run) -> dict[str, Any]:
    """An execution as the API tells it."""
    journal = [
        {"position": position, "at": at.isoformat(), "kind": entry.kind, "node": entry.node, "visit": entry.visit or None,
         "attempt": entry.attempt or None, "scope": entry.scope, "data": msgspec.to_builtins(entry.data)}
        for position, (entry, at) in enumerate(flat(run.rows))
    ]  # fmt: skip
    about = {"execution_id": str(ID), "workflow": "test", "version": 1, "tenant": {"id": "acme", **tenant_seen(journal, STANDARD)}}
    return {**about, "definition": dict(run.program.definition), "journal": journal}


def test_a_recorded_failure_happens_again_and_does_not_once_the_definition_is_mended() -> None:
    body = [{"id": "work", "type": "activity", "with": {"name": "work", "input": "{{ item }}"}}]
    nodes = [{"id": "each", "type": "foreach", "with": {"items": [1, 2], "concurrency": 2, "body": {"nodes": body}}}]
    run = Run(program_of(nodes)).start().complete("work", 7).fail("work", "broken", permanent=True)
    story = recorded(run)
    again = replayed(story)
    assert (again.status, again.error and again.error["code"], again.path, again.differs_at) == (
        "failed", "broken", ["work", "work", "each"], None,
    )  # fmt: skip
    story["definition"]["nodes"][0]["with"]["on_error"] = "continue"
    mended = replayed(story)
    assert (mended.status, mended.differs_at is None) == ("completed", False)


def test_pauses_signals_and_retries_happen_again_too() -> None:
    nodes: list[dict[str, Any]] = [
        {"id": "ask", "type": "state", "with": {"signals": {"go": {}}, "after": {"late": "1h"}}},
        {"id": "work", "type": "activity", "with": {"name": "work"}, "retry": {"attempts": 2}},
    ]
    run = Run(program_of(nodes)).start().do(i.Pause(ID)).signal("go", {"n": 1}).later(hours=3).do(i.Resume(ID))
    run.fail("work").later(minutes=1).complete("work", 7)
    assert run.state.status == "completed"
    same_again(run)


def held_up(**by: str) -> Context:
    """The usual, with types of nodes held up at these gates."""
    return replace(CONTEXT, suspended={f"node_type:{type_}": gate for type_, gate in by.items()})


ACT: dict[str, Any] = {"id": "act", "type": "activity", "with": {"name": "work"}}
ASK: dict[str, Any] = {"id": "ask", "type": "task", "with": {"title": "?"}}
GO: dict[str, Any] = {"id": "go", "type": "state", "with": {"signals": {"go": {}}}}


def test_who_waited_at_several_gates_and_was_let_in_at_all_of_them_at_once_is_so_again() -> None:
    branches = {"one": {"nodes": [ACT]}, "two": {"nodes": [ASK]}}
    run = Run(program_of([{"id": "par", "type": "parallel", "with": {"branches": branches}}]), context=held_up(activity="g1", task="g2"))
    run.start()
    run.context = None
    run.do(i.Admit(ID, ["g1", "g2"])).complete("act", 7)
    same_again(run)


def test_what_the_end_of_a_pause_met_that_was_held_up_it_meets_again() -> None:
    run = Run(program_of([ACT, ASK])).start().do(i.Pause(ID)).complete("act", 7)
    run.context = held_up(task="g1")
    run.do(i.Resume(ID)).do(i.Admit(ID, ["g1"]))
    assert [entry.kind for entry, _ in flat(run.rows)].count("step.cancelled") == 1
    same_again(run)


def test_what_a_retry_met_that_was_held_up_it_meets_again_though_a_signal_comes_again_first() -> None:
    run = Run(program_of([GO, ACT])).start().signal("go").fail("act", permanent=True)
    run.context = held_up(activity="g1")
    again(run, "go")
    run.do(i.Admit(ID, ["g1"]))
    same_again(run)


def test_what_fails_because_a_child_was_late_is_no_look_at_what_else_is_due() -> None:
    first, second = ({"id": node, "type": "call", "with": {"workflow": "child"}} for node in ("first", "second"))
    group = {"id": "group", "type": "group", "with": {"nodes": [first]}}
    branches = {"one": {"nodes": [group]}, "two": {"nodes": [second]}}
    run = Run(program_of([{"id": "par", "type": "parallel", "with": {"branches": branches, "on_error": "wait"}}])).start()
    run.now += timedelta(hours=1)  # nobody has looked yet, and both would be asked again by now
    same_again(run.do(i.FailStep(ID, "first", 1, {"code": "timeout", "message": "late", "permanent": False})))


@pytest.mark.parametrize("wait", [True, False])
def test_what_was_called_happens_again_whether_its_caller_waits_or_not(wait: bool) -> None:
    caller = i.Caller(UUID(int=7), "call", 1, 1, wait)
    same_again(Run(program_of([{"id": "work", "type": "activity", "with": {"name": "work"}}])).start(caller=caller).complete("work", 7))


def test_what_was_undone_happens_again_entry_by_entry() -> None:
    undo = {"compensate": {"type": "activity", "with": {"name": "undo"}}}
    nodes: list[dict[str, Any]] = [
        {"id": "work", "type": "activity", "with": {"name": "work"}, **undo},
        {"id": "more", "type": "activity", "with": {"name": "more"}},
    ]
    run = Run(program_of(nodes, settings={"on_failure": "compensate"})).start()
    run.complete("work", 7).fail("more", "broken", permanent=True).complete("work.compensate")
    again = replayed(recorded(run))
    assert (again.status, again.path, again.differs_at) == ("failed", ["work", "more", "work.compensate"], None)


def test_what_was_undone_because_its_time_was_over_happens_again_entry_by_entry() -> None:
    work: dict[str, Any] = {"id": "work", "type": "activity", "with": {"name": "work"}}
    nodes = [{**work, "compensate": {"type": "activity", "with": {"name": "undo"}}}, {**work, "id": "more"}]
    run = Run(program_of(nodes, settings={"on_failure": "compensate", "max_duration": "1h"})).start()
    run.complete("work", 7).later(hours=2).later(seconds=1).complete("work.compensate")
    assert run.state.status == "timed_out"
    same_again(run)


def test_what_depended_on_a_setting_happens_again_and_is_explained_by_what_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_set(limit: int) -> None:
        monkeypatch.setattr(conftest, "CONTEXT", Context({"id": "acme", "tier": "premium", "settings": {"limit": limit}}))

    nodes: list[dict[str, Any]] = [
        {"id": "low", "type": "if", "with": {"when": "input.n <= tenant.settings.limit"}},
        {"id": "ask", "type": "state", "with": {"signals": {"go": {}}}},
        {"id": "high", "type": "if", "with": {"when": "input.n <= tenant.settings.limit"}},
        {"id": "stop", "type": "fail", "with": {"code": "over"}},
    ]
    edges = [{"from": "low", "to": "ask"}, {"from": "ask", "to": "high"}, {"from": "high", "to": "stop", "on": "false"}]
    is_set(10)
    run = Run(program_of(nodes, edges)).start({"n": 7})
    is_set(5)
    run.signal("go")
    story = recorded(run)
    assert story["tenant"]["settings"] == {"limit": 10}
    again = replayed(story)
    assert (again.status, again.error and again.error["code"], again.differs_at) == ("failed", "over", None)
    told = explanation_view(ID, run.rows, {1: run.program}, {"id": "acme", "tier": "standard", "settings": {}}, {})
    assert [choice.outcome for choice in told.choices] == ["true", "false"]
    values = [part["value"] for choice in told.choices for one in choice.considered for part in (one.condition or {}).get("children", ())]
    assert values == [7, 10, 7, 5]


def test_a_queue_that_was_refused_is_refused_again_though_the_definition_reads_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"activity_queues": []}
    monkeypatch.setattr(conftest, "CONTEXT", Context({"id": "acme", "tier": "standard", "settings": settings}))
    node = {"id": "a", "type": "activity", "with": {"name": "n", "queue": "globex"}}
    run = Run(program_of([node])).start()
    again = replayed(recorded(run))
    assert (again.status, again.error and again.error["code"], again.differs_at) == ("failed", "queue_not_allowed", None)


@pytest.mark.parametrize("undone", [False, True])
def test_another_tenants_queue_that_was_refused_is_refused_again_where_no_other_tenant_is_known(
    monkeypatch: pytest.MonkeyPatch, undone: bool
) -> None:
    monkeypatch.setattr(conftest, "CONTEXT", Context({"id": "acme", "tier": "standard", "settings": {}}, tenants={"acme", "globex"}))
    theirs = {"type": "activity", "with": {"name": "n", "queue": "globex.prices"}}
    node = {"id": "a", **theirs} if not undone else {"id": "a", "type": "activity", "with": {"name": "n"}, "compensate": theirs}
    run = Run(program_of([node, {"id": "stop", "type": "fail"}], settings={"on_failure": "compensate"})).start()
    if undone:
        run.complete("a")
    again = replayed(recorded(run))
    assert (again.status, again.differs_at) == ("failed", None)
    assert "queue_not_allowed" in str(run.rows)


def test_what_its_quotas_made_wait_happens_again_though_the_definition_reads_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"quotas": {"live_executions": 1}}
    monkeypatch.setattr(conftest, "CONTEXT", Context({"id": "acme", "tier": "standard", "settings": settings}))
    run = Run(program_of([{"id": "a", "type": "set", "with": {"x": 1}}])).start().do(i.Admit(ID))
    assert (run.rows[0].entries[0].kind, run.state.status) == ("execution.queued", "completed")
    story = recorded(run)
    assert (story["tenant"]["settings"], replayed(story).differs_at) == (settings, None)
