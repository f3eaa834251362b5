"""Backtests: what triggers would have started of the events in the log, by the rules that events are matched by, and nothing starts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from weft_contracts.executions import StartExecution
from weft_contracts.questions import BacktestTriggers, TriggersBacktested
from weft_events import usecases
from weft_events.backtesting import comparing, running
from weft_events.records import read_change
from weft_events.registry import REGISTRY
from weft_events.store import backtests
from weft_runtime.clock import SystemClock, new_id
from weft_runtime.testing import RunningService, said, tell

from tests.services.events.conftest import order, workflow
from tests.services.events.schedules import quiet_service
from tests.services.events.test_changes import row
from tests.services.events.test_table_events import held

PATH = "/api/v1/events"
DAY = timedelta(days=1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def events(database_url: str) -> AsyncIterator[RunningService]:
    """The service, which runs a backtest when a test says so."""
    async with quiet_service(database_url) as service:
        # The log is read by the times in its ids, which are those of this machine.
        service.clock.advance(SystemClock().now() - service.clock.now())
        yield service


async def sent(events: RunningService, tenant: str, *given: dict[str, Any]) -> None:
    """Events of a tenant, in the log."""
    headers = {"content-type": "application/cloudevents-batch+json"}
    for start in range(0, len(given), 500):
        batch = json.dumps(given[start : start + 500])
        answer = await events.client(tenant, ["service"]).post(PATH, content=batch, headers=headers)
        assert answer.status_code == 202, answer.text


def question(
    events: RunningService, triggers: list[dict[str, Any]], live: list[dict[str, Any]] | None = None, **fields: Any
) -> BacktestTriggers:
    """A backtest of the last day. live: triggers of the live version, None where there is none."""
    now = events.clock.now()
    given = {
        "question_id": new_id(),
        "workflow": "flow",
        "workflow_version": 2,
        "triggers": triggers,
        "live_version": None if live is None else 1,
        "live_triggers": live or [],
        "since": now - DAY,
        "until": now + DAY,
    }
    return BacktestTriggers.model_validate(given | fields)


async def run(events: RunningService, tenant: str, asked: BacktestTriggers) -> TriggersBacktested:
    """What comes of a question."""
    await tell(events, asked, tenant=tenant)
    while await running.run_one(events.context):
        pass
    (answer,) = (one for one in said(events, TriggersBacktested, tenant=tenant) if one.question_id == asked.question_id)
    return answer


async def result(events: RunningService, tenant: str, asked: BacktestTriggers) -> dict[str, Any]:
    answer = await run(events, tenant, asked)
    assert answer.result is not None, answer.problem
    return answer.result


def over(number: int, **fields: Any) -> dict[str, Any]:
    """A trigger on orders over a number."""
    return {"id": "over", "on": "event", "event": "order.placed", "when": f"trigger.payload.number > {number}", **fields}


async def test_two_versions_differ_by_exactly_the_events_that_they_make_something_else_of(events: RunningService, tenant: str) -> None:
    await sent(events, tenant, *(order(number) for number in range(1200)))
    found = await result(events, tenant, question(events, [over(1100)], [over(1000)]))
    assert (found["events"], found["would_start"], found["live_would_start"]) == (1200, 99, 199)
    assert (found["added"], found["removed"], found["changed"], found["same"]) == (0, 100, 0, 99)
    assert {one["event_id"] for one in found["differences"]} == {f"o{number}" for number in range(1001, 1101)}
    assert (found["complete"], found["cut"], found["differences_left_out"]) == (True, None, 0)
    assert said(events, StartExecution, tenant=tenant) == [], "nothing starts"


async def test_each_difference_has_its_reason(events: RunningService, tenant: str) -> None:
    await sent(events, tenant, order(5), order(7, type="order.paid"))
    found = await result(events, tenant, question(events, [over(9)], [over(1)]))
    (difference,) = found["differences"]
    assert (difference["difference"], difference["event_id"], difference["type"]) == ("removed", "o5", "order.placed")
    (new,), (live,) = difference["version"], difference["live"]
    assert (new["matched"], new["reason"], new["condition"]["value"]) == (False, "condition", False)
    assert (live["matched"], live["reason"], live["condition"]["value"]) == (True, "matched", True)


async def test_a_start_with_another_input_or_key_is_a_change_and_the_same_one_is_none(events: RunningService, tenant: str) -> None:
    await sent(events, tenant, order(1), order(2))
    keyed = over(0, key="{{ trigger.payload.number }}")
    found = await result(events, tenant, question(events, [keyed], [over(0)]))
    assert (found["changed"], found["same"], found["differences"][0]["version"][0]["key"]) == (2, 0, "1")
    alike = await result(events, tenant, question(events, [over(0, id="renamed", priority=3)], [over(0)]))
    assert (alike["changed"], alike["same"], [one["event_id"] for one in alike["alike"]]) == (0, 2, ["o1", "o2"])


async def test_a_draft_that_nothing_is_live_beside_is_told_alone(events: RunningService, tenant: str) -> None:
    await sent(events, tenant, order(1), order(2, id="other", type="line.made"))
    found = await result(events, tenant, question(events, [{"id": "any", "on": "event", "event": "*.made"}, over(0)]))
    assert (found["would_start"], found["live_would_start"], found["added"]) == (2, None, 2)


async def test_what_starts_today_is_what_a_backtest_of_it_would_have_started(events: RunningService, tenant: str) -> None:
    triggers = [over(3), {"id": "from", "on": "event", "event": "order.*", "source": "/other"}, over(1, id="off", enabled=False)]
    await tell(events, workflow(*triggers), tenant=tenant)
    await sent(events, tenant, *(order(number, source="/other" if number % 3 else "/shop") for number in range(9)))
    started = said(events, StartExecution, tenant=tenant)
    found = await result(events, tenant, question(events, triggers, triggers))
    assert len({one.trigger.event_id for one in started}) == found["would_start"] == found["same"]


async def test_changes_of_rows_are_tried_as_they_are_matched(events: RunningService, tenant: str) -> None:
    source = await held(events, tenant)
    changes = [
        row({"id": n, "status": "open"}, {"id": n, "status": "paid" if n % 2 else "sent"}, id=n, event=new_id()) for n in range(1, 5)
    ]
    async with events.context.owner_transaction(tenant) as uow:
        await usecases.take_changes(source, [read_change(one) for one in changes], REGISTRY, uow)
    paid = {"id": "paid", "on": "record", "table": "orders", "operation": "update", "fields": {"status": {"changed_to": "paid"}}}
    found = await result(events, tenant, question(events, [paid, {**paid, "id": "made", "operation": "create", "fields": {}}], []))
    assert (found["events"], found["would_start"]) == (4, 2)
    assert {one["subject"] for one in found["differences"]} == {"1"}, "as the key in the outbox says"
    fields = await result(events, tenant, question(events, [{**paid, "changed": ["total"], "fields": {}}], [paid]))
    assert (fields["removed"], fields["differences"][0]["version"][0]["reason"]) == (2, "changed")
    glob = await result(events, tenant, question(events, [{"id": "all", "on": "event", "event": "*"}]))
    assert glob["would_start"] == 0, "no trigger on events hears of rows"


async def test_schedules_are_not_tried_and_it_says_so(events: RunningService, tenant: str) -> None:
    found = await result(events, tenant, question(events, [{"id": "daily", "on": "schedule", "cron": "@daily"}]))
    assert ([one["trigger"] for one in found["not_tried"]], found["events"]) == (["daily"], 0)


async def test_it_ends_at_its_bound_and_says_up_to_when_it_tells_everything(
    events: RunningService, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(events, tenant, *(order(number) for number in range(10)))
    bounded = events.context.settings.model_copy(update={"backtest_events": 4})
    monkeypatch.setattr(events.context, "settings", bounded)
    found = await result(events, tenant, question(events, [over(0)]))
    assert (found["events"], found["complete"], found["cut"]["reason"]) == (4, False, "events")
    assert found["cut"]["until"] == events.clock.now().isoformat()
    monkeypatch.setattr(events.context, "settings", bounded.model_copy(update={"backtest_s": -1.0}))
    late = await result(events, tenant, question(events, [over(0)]))
    assert (late["events"], late["cut"]["reason"], late["cut"]["until"]) == (0, "time", None)


async def test_what_is_shown_is_bounded_and_what_is_counted_is_not(
    events: RunningService, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "MAX_DIFFERING", 2)
    monkeypatch.setattr(running, "PAGE", 3)
    await sent(events, tenant, *(order(number) for number in range(1, 9)))
    found = await result(events, tenant, question(events, [over(0)]))
    assert (found["added"], len(found["differences"]), found["differences_left_out"]) == (8, 2, 6)
    monkeypatch.setattr(running, "MAX_RESULT_BYTES", 400)
    small = await result(events, tenant, question(events, [over(0)]))
    assert (small["added"], small["differences"], small["differences_left_out"]) == (8, [], 8)


async def test_a_version_whose_triggers_are_broken_is_told(events: RunningService, tenant: str) -> None:
    answer = await run(events, tenant, question(events, [{"id": "x", "on": "event", "event": "a", "when": "1 +"}]))
    assert (answer.result, answer.problem is not None and "cannot be compiled" in answer.problem.detail) == (None, True)


async def test_one_that_nobody_brings_to_its_end_is_given_up(events: RunningService, tenant: str) -> None:
    asked = question(events, [over(0)])
    await tell(events, asked, asked, tenant=tenant)
    for _ in range(running.MOST_TRIES):
        async with events.context.owner_transaction() as uow:
            claimed = await backtests.claim(uow, -1)
            assert claimed is not None
            assert claimed[1] == asked, "whoever took it has died, and it is taken again when its time is over"
    assert await running.run_one(events.context)
    (answer,) = (one for one in said(events, TriggersBacktested, tenant=tenant) if one.question_id == asked.question_id)
    assert answer.problem is not None
    assert answer.problem.code == "backtest_failed"
    assert not await running.run_one(events.context)


async def test_another_tenants_events_are_not_looked_at(events: RunningService, tenant: str) -> None:
    await sent(events, f"{tenant}-x", order(5))
    assert (await result(events, tenant, question(events, [over(0)])))["events"] == 0


async def test_calls_and_mails_are_tried_by_where_they_came_in(events: RunningService, tenant: str) -> None:
    await sent(events, tenant, order(1))
    hook = {"id": "called", "on": "webhook", "path": "shop/orders", "signature": "none"}
    await tell(events, workflow(hook, slug="hooked"), tenant=tenant)
    outside = events.anonymous()
    for method, expected in (("POST", 202), ("PUT", 405)):
        assert (await outside.request(method, f"/hooks/{tenant}/shop/orders", json={"a": 1})).status_code == expected
    put = {**hook, "methods": ["PUT"]}
    signed = {**hook, "signature": "github", "connection": "shop"}
    found = await result(events, tenant, question(events, [put, {**signed, "id": "signed"}], [hook]))
    (difference,) = found["differences"]
    assert [one["reason"] for one in difference["version"]] == ["method", "signature"]
    assert (difference["difference"], [one["reason"] for one in difference["live"]]) == ("removed", ["matched"])
