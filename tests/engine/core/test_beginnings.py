"""What a start brings along is in its first entry; who gave it is told; what has not begun has nothing to tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from weft_engine.core import items as i
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import blank, evolve, flat
from weft_engine.core.messages import report_again
from weft_engine.core.quotas import quotas_of
from weft_engine.core.replaying import happenings, replay
from weft_engine.core.sentences import because
from weft_engine.core.state import State

from tests.engine.core.conftest import CONTEXT, ID, START, Run, program_of
from tests.engine.core.test_replaying import same_again
from tests.engine.core.test_retrying import again

WORK: dict[str, Any] = {"id": "work", "type": "activity", "with": {"name": "work"}}
OTHER = UUID(int=9)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_trace_goes_on_in_everything_that_is_said() -> None:
    state = State(ID, "acme", "test", 1, traceparent=TRACE)
    run = Run(program_of([WORK]), state=state, apart=None).start()
    assert run.rows[0].entries[0].data["traceparent"] == TRACE
    assert {out.item.traceparent for out in run.outgoing} == {TRACE}


def test_a_gate_of_the_tenant_that_was_passed_before_is_not_passed_again_but_its_place_is_kept() -> None:
    quotas = {"quotas": {"live_executions": 4}}
    busy = replace(CONTEXT, tenant={"id": "acme", "tier": "standard", "settings": quotas})
    (gate,) = quotas_of(quotas).gates
    assert Run(program_of([WORK]), context=busy).start().state.status == "queued"
    run = Run(program_of([WORK]), context=busy).start(passed=[gate])
    assert (run.state.status, run.state.gates) == ("running", (gate,))
    (start,) = (one.item for one in happenings(ID, flat(run.rows)))
    assert isinstance(start, i.Start)
    assert start.passed == [gate]


def test_one_that_is_skipped_happens_again_as_it_did_and_says_why() -> None:
    run = Run(program_of([WORK], settings={"concurrency": {"limit": 1, "on_conflict": "skip"}})).start().do(i.Skip(ID, OTHER))
    assert run.state.status == "cancelled"
    (told,) = because(run.state, flat(run.rows), run.program, {})
    assert f"was skipped at {START.isoformat()}: execution {OTHER} lived with the key" in told
    same_again(run)


def test_what_nobody_waits_for_any_more_changes_nothing() -> None:
    run = Run(program_of([WORK])).start()
    position = run.state.position
    run.do(i.ActivityFailed(ID, "other", 1, 1, {"code": "x", "message": "x"})).do(i.ActivityAccepted(ID, "work", 7, 1))
    assert (run.state.position, run.state.status) == (position, "running")
    run.do(i.Admit(ID)).do(i.Skip(ID, OTHER))
    assert run.state.position == position


def test_one_that_has_not_begun_reports_no_end() -> None:
    assert report_again(State(ID, "acme", "test", 1), 8) == []


def test_an_entry_about_a_step_has_to_name_it() -> None:
    state = blank(ID, Entry("execution.started", data={"tenant": "acme", "workflow": "test", "version": 1}))
    with pytest.raises(KeyError, match="names no node"):
        evolve(state, Entry("step.completed", data={}), START)


def test_an_sla_that_was_said_by_a_look_happens_again_before_what_came_later() -> None:
    run = Run(program_of([WORK], sla={"due": "2h"})).start().later(hours=1, minutes=50).later(hours=1).complete("work")
    assert [entry.kind for entry, _ in flat(run.rows) if entry.kind.startswith("execution.sla_")] == [
        "execution.sla_warned", "execution.sla_breached",
    ]  # fmt: skip
    same_again(run)


def test_an_sla_that_is_said_at_a_retry_happens_again() -> None:
    run = Run(program_of([WORK], sla={"due": "2h"})).start().fail("work", permanent=True)
    run.now += timedelta(hours=3)
    again(run).complete("work")
    again_rows = replay(State(ID, "acme", "test", 1), happenings(ID, flat(run.rows)), run.program, CONTEXT)
    assert [entry.kind for entry, _ in flat(again_rows)] == [entry.kind for entry, _ in flat(run.rows)]
