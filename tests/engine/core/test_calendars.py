"""Business calendars in executions: waits, expressions and tasks count by them, a pause keeps what remained, a replay gives the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from weft_engine.core import items as i
from weft_engine.core.evolve import flat
from weft_engine.core.migrating import migrate
from weft_engine.core.replaying import happenings, replay
from weft_engine.core.state import State
from weft_language.expressions import compile_calendar

from tests.engine.core.conftest import CONTEXT, ID, Run, program_of

FRIDAY_16 = datetime(2026, 11, 20, 16, tzinfo=UTC)
OFFICE = compile_calendar({"holidays": ["2026-11-24"]})
AT_WORK = replace(CONTEXT, calendars={"office": OFFICE})


def wait(**with_: Any) -> dict[str, Any]:
    return {"id": "rest", "type": "wait", "with": {"for" if name == "for_" else name: value for name, value in with_.items()}}


def run_of(*nodes: dict[str, Any], **more: Any) -> Run:
    return Run(program_of(list(nodes), **more), now=FRIDAY_16, context=AT_WORK).start()


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("with_", "due"),
    [
        ({"for_": "4h", "calendar": "office"}, at(23, 12)),
        ({"for_": "10h", "calendar": "office"}, at(25, 10)),
        ({"for_": "4h", "calendar": "{{ 'off' + 'ice' }}"}, at(23, 12)),
        ({"for_": "4h"}, at(20, 20)),
        ({"until": "2026-11-21T10:00:00Z", "calendar": "office"}, at(23, 9)),
        ({"until": "2026-11-23T10:30:00Z", "calendar": "office"}, at(23, 10, 30)),
        ({"until": "2026-11-23T17:00:00Z", "calendar": "office"}, at(25, 9)),
    ],
)
def test_a_wait_in_a_calendar_is_over_at_a_working_moment(with_: dict[str, Any], due: datetime) -> None:
    run = run_of(wait(**with_))
    assert run.waits("rest").due_at == due
    run.now = due - timedelta(seconds=1)
    assert run.do(i.Tick(ID)).state.status == "waiting"
    run.now = due
    assert run.do(i.Tick(ID)).state.status == "completed"


def test_a_working_moment_that_has_come_is_not_waited_for() -> None:
    assert run_of(wait(until="2026-11-20T10:00:00Z", calendar="office")).state.status == "completed"


def test_a_calendar_that_there_is_not_fails_the_step_and_its_error_can_be_caught() -> None:
    nodes = [wait(for_="4h", calendar="of fice"), {"id": "caught", "type": "set", "with": {"code": "{{ step.rest.error.code }}"}}]
    failed = run_of(nodes[0]).state
    assert failed.error is not None
    assert (failed.status, failed.error["code"], failed.error["node"], failed.error["permanent"]) == (
        "failed",
        "unknown_calendar",
        "rest",
        True,
    )
    assert "`of fice` (there is office); make it with PUT /api/v1/calendars/of%20fice" in failed.error["message"]
    run = Run(program_of(nodes, [{"from": "rest", "to": "caught", "on": "error"}]), now=FRIDAY_16, context=AT_WORK).start()
    assert (run.state.status, run.state.vars) == ("completed", {"code": "unknown_calendar"})


def test_expressions_of_every_kind_read_calendars_by_name() -> None:
    nodes: list[dict[str, Any]] = [
        {"id": "late", "type": "if", "with": {"when": "business_time(now, '2h', 'office') > timestamp('2026-11-21T00:00:00Z')"}},
        {"id": "each", "type": "foreach", "with": {"items": [1, 2], "body": {"nodes": [
            {"id": "add", "type": "transform", "with": {"expression": "business_time(now, text(item) + 'h', 'office')"}}]}}},
        {"id": "review", "type": "task", "with": {"title": "Review", "due": "{{ business_time(now, '4h', 'office') }}"}},
    ]  # fmt: skip
    edges = [{"from": "late", "to": "each", "on": "true"}, {"from": "each", "to": "review"}]
    run = Run(program_of(nodes, edges, vars={"by": "{{ business_time(now, '1h', 'office') }}"}), now=FRIDAY_16, context=AT_WORK).start()
    assert run.state.vars == {"by": "2026-11-20T17:00:00Z"}
    assert run.state.steps["each"].output == ["2026-11-20T17:00:00Z", "2026-11-23T10:00:00Z"]
    assert run.waits("review").data["task"]["due_at"] == at(23, 12)


def test_the_key_of_a_concurrency_rule_may_count_business_time() -> None:
    rule = {"concurrency": {"key": "{{ business_time(timestamp('2026-11-20T16:00:00Z'), '4h', 'office') }}"}}
    run = run_of(wait(for_="1h"), settings=rule)
    assert run.state.gates == ("workflow:test:2026-11-23T12:00:00Z",)


def test_what_working_time_remained_before_a_pause_remains_after_it() -> None:
    run = run_of(wait(for_="4h", calendar="office")).later(minutes=30).do(i.Pause(ID))
    run.now = at(22, 12)  # Sunday
    run.do(i.Resume(ID))
    assert run.waits("rest").due_at == at(23, 12, 30)


def test_a_pause_outside_of_working_hours_puts_nothing_off() -> None:
    run = run_of(wait(for_="4h", calendar="office"))
    run.now = at(21, 10)
    run.do(i.Pause(ID))
    run.now = at(22, 10)
    assert run.do(i.Resume(ID)).waits("rest").due_at == at(23, 12)


def test_where_the_calendar_is_gone_a_pause_puts_off_by_its_length() -> None:
    run = run_of(wait(for_="4h", calendar="office")).do(i.Pause(ID)).later(hours=5)
    run.context = CONTEXT
    assert run.do(i.Resume(ID)).waits("rest").due_at == at(23, 17)


def test_a_changed_calendar_changes_nothing_that_was_decided_by_it() -> None:
    run = run_of(wait(for_="4h", calendar="office"))
    run.context = replace(CONTEXT, calendars={"office": compile_calendar({"holidays": ["2026-11-23"]})})
    assert run.later(hours=1).waits("rest").due_at == at(23, 12)


def test_what_happened_happens_again_by_the_same_calendars() -> None:
    run = run_of(wait(for_="4h", calendar="office"), {**wait(for_="2h", calendar="office"), "id": "more"})
    run.later(minutes=30).do(i.Pause(ID))
    run.now = at(22, 12)
    run.do(i.Resume(ID))
    run.now = at(26, 12)
    run.do(i.Tick(ID))
    rows = replay(State(ID, "acme", "test", 1), happenings(ID, flat(run.rows)), run.program, AT_WORK)
    assert [(entry.kind, entry.data) for entry, _ in flat(rows)] != []
    assert [(entry.kind, at) for entry, at in flat(rows)] == [(entry.kind, at) for entry, at in flat(run.rows)]


def test_a_migration_that_resets_timers_counts_by_the_calendar_of_the_new_version() -> None:
    run = run_of(wait(for_="4h"))
    new = replace(program_of([wait(for_="4h", calendar="office")]), version=2)
    moved = migrate(run.state, i.Migrate(ID, 2, timers="reset", answer_id=UUID(int=1)), FRIDAY_16, run.program, new, AT_WORK)
    assert moved.state is not None
    (pending,) = moved.state.pending.values()
    assert (pending.due_at, pending.data["calendar"]) == (at(23, 12), "office")
