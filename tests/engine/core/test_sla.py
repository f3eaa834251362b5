"""The sla of an execution: its moments are known at the start, each is said once and never after the end, and a pause stops the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from weft_engine.core import items as i
from weft_engine.core.entries import Row
from weft_engine.core.evolve import flat, fold
from weft_engine.core.migrating import migrate, undo
from weft_engine.core.replaying import happenings, replay
from weft_engine.core.rewinding import retry
from weft_engine.core.state import State
from weft_language.compilation import Program
from weft_language.expressions import compile_calendar

from tests.engine.core.conftest import CONTEXT, ID, Run, program_of

FRIDAY_16 = datetime(2026, 11, 20, 16, tzinfo=UTC)
WORKING = replace(CONTEXT, calendars={"office": compile_calendar({})})
WORK: dict[str, Any] = {"id": "work", "type": "activity", "with": {"name": "work"}}
OFFICE = {"due": "4h", "warn_at": 0.5, "calendar": "office"}
PLAIN = {"due": "10h"}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def run_of(sla: dict[str, Any] | None, *nodes: dict[str, Any], **more: Any) -> Run:
    given: dict[str, Any] = {} if sla is None else {"sla": sla}
    return Run(program_of(list(nodes or (WORK,)), **given, **more), now=FRIDAY_16, context=WORKING).start()


def look(run: Run, moment: datetime) -> Run:
    run.now = moment
    return run.do(i.Tick(ID))


def level(run: Run | State) -> tuple[datetime, datetime, str]:
    sla = (run if isinstance(run, State) else run.state).sla
    assert sla is not None
    return sla.due_at, sla.warn_at, sla.status


def said(run: Run) -> list[str]:
    return [type_.removeprefix("execution.sla_") for type_ in run.said if type_.startswith("execution.sla_")]


def facts(run: Run, type_: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(bytes(out.item.data)) for out in run.outgoing if out.item.type == type_]


@pytest.mark.parametrize(
    ("sla", "due", "warn"),
    [
        (PLAIN, at(21, 2), at(21, 0)),
        (OFFICE, at(23, 12), at(23, 10)),
        ({"due": "2h", "warn_at": 0}, at(20, 18), at(20, 16)),
        ({"due": "2h", "warn_at": 1}, at(20, 18), at(20, 18)),
    ],
)
def test_when_it_is_due_is_known_at_the_start_and_told(sla: dict[str, Any], due: datetime, warn: datetime) -> None:
    run = run_of(sla)
    assert level(run) == (due, warn, "on_track")
    (told,) = facts(run, "execution.sla_set")
    assert (datetime.fromisoformat(told["due_at"]), datetime.fromisoformat(told["warn_at"])) == (due, warn)


def test_warning_and_breach_are_said_once_each_and_the_execution_goes_on() -> None:
    run = run_of(OFFICE)
    assert said(look(run, at(23, 9, 59))) == ["set"]
    assert said(look(look(run, at(23, 10)), at(23, 11))) == ["set", "warned"]
    assert said(look(look(run, at(23, 12)), at(24, 12))) == ["set", "warned", "breached"]
    assert (run.state.status, level(run)[2]) == ("running", "breached")
    assert run.complete("work").state.status == "completed"
    assert level(run)[2] == "breached"


def test_what_was_late_is_said_to_be_before_it_ends_although_nobody_looked_in_time() -> None:
    run = run_of(OFFICE)
    run.now = at(25, 9)
    run.complete("work")
    assert [type_ for type_ in run.said if "sla_" in type_ or type_ == "execution.completed"] == [
        "execution.sla_set", "execution.sla_warned", "execution.sla_breached", "execution.completed",
    ]  # fmt: skip


def test_nothing_is_said_after_the_end_or_of_what_has_no_sla() -> None:
    done = run_of(OFFICE).complete("work")
    assert said(look(done, at(30, 9))) == ["set"]
    assert (done.state.wake_at, level(done)[2]) == (None, "on_track")
    assert said(look(run_of(None), at(30, 9))) == []


def test_an_execution_that_waits_for_nothing_else_is_looked_at_at_the_moments_of_its_sla() -> None:
    run = run_of(OFFICE, {"id": "s", "type": "state", "with": {"signals": {"go": {}}}})
    assert run.state.wake_at == at(23, 10)
    assert look(run, at(23, 10)).state.wake_at == at(23, 12)
    assert look(run, at(23, 12)).state.wake_at is None


@pytest.mark.parametrize(("sla", "due", "warn"), [(PLAIN, at(23, 3), at(23, 1)), (OFFICE, at(23, 12, 30), at(23, 10, 30))])
def test_the_clock_stands_still_during_a_pause_and_what_remained_is_kept(sla: dict[str, Any], due: datetime, warn: datetime) -> None:
    run = run_of(sla).later(minutes=30).do(i.Pause(ID))
    assert run.state.wake_at is None
    run.now = at(22, 17, 30)
    run.do(i.Resume(ID))
    assert level(run) == (due, warn, "on_track")
    assert said(run) == ["set", "set"]


def test_a_pause_after_the_warning_puts_off_only_what_is_still_to_come() -> None:
    run = look(run_of(OFFICE), at(23, 11)).do(i.Pause(ID))
    run.now = at(24, 9)
    run.do(i.Resume(ID))
    assert level(run) == (at(24, 10), at(23, 10), "warned")


def test_an_sla_whose_calendar_there_is_not_runs_on_all_days_and_says_so() -> None:
    run = run_of({**OFFICE, "calendar": "nowhere"})
    assert level(run)[0] == at(20, 20)
    assert run.state.sla is not None
    assert run.state.sla.problem == "there is no business calendar 'nowhere': the time runs on all days"
    assert run.state.status == "running"


def test_one_that_waits_to_be_admitted_has_time_from_its_beginning_on() -> None:
    run = run_of(OFFICE, settings={"concurrency": {"limit": 1}})
    assert (run.state.status, run.state.sla) == ("queued", None)
    run.now = at(23, 9)
    assert level(run.do(i.Admit(ID))) == (at(23, 13), at(23, 11), "on_track")


def again(run: Run, program: Program, **asked: Any) -> State:
    item = i.Retry(ID, **asked)
    retried = retry(ID, run.rows, item, run.now, program, WORKING)
    assert retried.state is not None, retried.answer
    rows = [*run.rows, Row(run.state.position, run.now, list(retried.entries))]
    told = fold(ID, rows)
    assert told is not None
    assert (told.sla, told.rests) == (retried.state.sla, retried.state.rests)
    run.state, run.rows = retried.state, rows
    return retried.state


def test_a_retry_goes_on_with_the_same_promise_as_pauses_left_it_and_says_nothing_twice() -> None:
    run = run_of(OFFICE).later(minutes=30).do(i.Pause(ID))
    run.now = at(22, 12)
    look(run.do(i.Resume(ID)), at(23, 11)).fail("work", permanent=True)
    assert (run.state.status, level(run)[2]) == ("failed", "warned")
    run.now = at(23, 15)
    assert level(again(run, run.program)) == (at(23, 12, 30), at(23, 10, 30), "warned")
    run.apart = None
    assert said(look(run, at(23, 15)))[-2:] == ["warned", "breached"]
    assert said(run).count("warned") == 1


def test_a_retry_by_a_version_with_another_sla_counts_as_if_it_always_had_it() -> None:
    run = run_of(OFFICE).later(minutes=30).do(i.Pause(ID)).later(minutes=30).do(i.Resume(ID)).fail("work", permanent=True)
    other = replace(program_of([WORK], sla={"due": "6h", "warn_at": 0.5, "calendar": "office"}), version=2)
    assert level(again(run, other, workflow_version=2)) == (at(23, 14, 30), at(23, 11, 30), "on_track")


def moved(run: Run, sla: dict[str, Any] | None) -> State:
    given: dict[str, Any] = {} if sla is None else {"sla": sla}
    new = replace(program_of([WORK], **given), version=2)
    found = migrate(run.state, i.Migrate(ID, 2, answer_id=UUID(int=1)), run.now, run.program, new, WORKING)
    assert found.state is not None
    run.rows = [*run.rows, Row(run.state.position, run.now, list(found.entries))]
    told = fold(ID, run.rows)
    assert told is not None
    assert told.sla == found.state.sla
    run.state, run.program, run.apart = found.state, new, None
    return found.state


def test_a_migration_takes_over_the_sla_of_its_version_counted_from_the_start() -> None:
    run = look(run_of(OFFICE), at(23, 10))
    assert level(moved(run, OFFICE)) == (at(23, 12), at(23, 10), "warned")
    run = look(run_of(OFFICE), at(23, 10))
    assert level(moved(run, {"due": "8h", "calendar": "office"})) == (at(23, 16), at(23, 14, 24), "on_track")
    run = look(run_of(OFFICE), at(23, 10))
    assert moved(run, None).sla is None
    run = look(run_of(None), at(23, 10))
    assert level(moved(run, OFFICE)) == (at(23, 12), at(23, 10), "on_track")
    assert said(look(run, at(23, 10))) == ["warned"]


def test_a_migration_that_is_undone_gives_back_the_sla_although_time_has_said_something_since() -> None:
    run = run_of(OFFICE)
    before = run.state.sla
    soon = at(20, 16).replace(second=40)
    run.now = soon
    moved(run, {"due": "30s"})
    look(run, soon)
    assert level(run)[2] == "breached"
    undone = undo(ID, run.rows, i.UndoMigration(ID, answer_id=UUID(int=2)), soon)
    assert undone.state is not None
    assert undone.state.sla == before
    run.rows.append(Row(run.state.position, soon, list(undone.entries)))
    told = fold(ID, run.rows)
    assert told is not None
    assert told.sla == before


def test_what_happened_happens_again_with_its_sla() -> None:
    run = run_of(OFFICE, WORK, {"id": "rest", "type": "wait", "with": {"for": "1h"}})
    look(run, at(23, 10)).do(i.Pause(ID)).later(hours=1).do(i.Resume(ID))
    run.now = at(23, 13)
    run.complete("work")
    look(run, at(23, 14))
    assert run.state.status == "completed"
    rows = replay(State(ID, "acme", "test", 1), happenings(ID, flat(run.rows)), run.program, WORKING)
    assert [(entry.kind, at) for entry, at in flat(rows)] == [(entry.kind, at) for entry, at in flat(run.rows)]
