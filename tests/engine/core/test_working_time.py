"""A business calendar may have no working time left: what is promised or put off by it goes by all days then, and says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from weft_engine.core import items as i
from weft_engine.core.business import put_off
from weft_engine.core.evolve import flat
from weft_engine.core.sentences import because
from weft_engine.core.sla import BREACHED, renewed
from weft_language.expressions import compile_calendar

from tests.engine.core.conftest import CONTEXT, ID, START, Run, program_of

NEVER = compile_calendar({"hours": {}})
OFFICE = compile_calendar({})
WORK = {"id": "work", "type": "activity", "with": {"name": "work"}}


def test_a_calendar_without_working_time_lets_an_sla_run_on_all_days_and_tells_it() -> None:
    context = replace(CONTEXT, calendars={"office": NEVER})
    run = Run(program_of([WORK], sla={"due": "4h", "calendar": "office"}), context=context).start()
    assert run.state.sla is not None
    assert run.state.sla.due_at == START + timedelta(hours=4)
    assert run.state.sla.problem is not None
    assert "has not so much working time" in run.state.sla.problem


def test_what_is_due_is_put_off_by_working_time_and_where_there_is_none_by_the_length_of_the_pause() -> None:
    friday, monday = datetime(2026, 11, 20, 16, tzinfo=UTC), datetime(2026, 11, 23, 9, tzinfo=UTC)
    due = friday + timedelta(hours=1)
    assert put_off(due, friday, monday, OFFICE) == monday + timedelta(hours=1)
    assert put_off(due, friday, monday, NEVER) == due + (monday - friday)
    assert put_off(due, friday, monday, None) == due + (monday - friday)


def test_a_breach_that_stands_by_the_new_terms_too_is_not_said_again() -> None:
    terms = program_of([WORK], sla={"due": "2h"}).sla
    shorter = program_of([WORK], sla={"due": "1h"}).sla
    run = Run(program_of([WORK], sla={"due": "2h"})).start().later(hours=3)
    assert run.state.sla is not None
    assert run.state.sla.status == BREACHED
    made = renewed(run.state.sla, shorter, START, (), {}, run.now)
    assert made is not None
    assert (made.status, made.due_at) == (BREACHED, START + timedelta(hours=1))
    assert renewed(run.state.sla, terms, START, (), {}, run.now) is run.state.sla
    assert renewed(run.state.sla, None, START, (), {}, run.now) is None


def test_an_sla_that_is_due_is_told_with_its_problem() -> None:
    run = Run(program_of([WORK], sla={"due": "4h", "calendar": "none"})).start()
    told = because(run.state, flat(run.rows), run.program, {})
    assert told[-1] == ("is due by 2026-01-05T13:00:00+00:00 (sla); there is no business calendar 'none': the time runs on all days")
    run.do(i.Pause(ID))
    assert not any("(sla)" in one for one in because(run.state, flat(run.rows), run.program, {}))
