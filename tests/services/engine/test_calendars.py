"""The engine's copies of business calendars, as its executions count by them: on a real database and broker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from weft_contracts.calendars import CalendarChanged
from weft_engine.hotloop import programs
from weft_engine.tables import calendars
from weft_runtime.testing import tell

from tests.services.engine.conftest import Engine

NINE_TO_FIVE = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), (("09:00", "17:00"),))
AFTER_SUNDAY = {"from": "2030-06-02T12:00:00Z", "to": "2030-06-03T11:00:00+00:00"}
"""From a Sunday, two hours of work from nine on."""


@pytest.fixture(autouse=True)
def looked_up_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read a moment ago tells nothing: the clock stands still here, and a start that is held for a calendar would be for ever."""
    monkeypatch.setattr(programs, "REREAD_S", 0.0)


async def hear(engine: Engine, name: str, revision: int, zone: str = "UTC", tenant: str | None = None, **more: Any) -> None:
    fact = CalendarChanged(name=name, revision=revision, zone=zone, hours=NINE_TO_FIVE, at=datetime(2026, 1, 1, tzinfo=UTC), **more)
    await tell(engine.service, fact, tenant=tenant or engine.tenant)


async def kept(engine: Engine, name: str) -> list[tuple[str, int, str]]:
    query = sa.select(calendars.c.tenant_id, calendars.c.revision, calendars.c.document).where(calendars.c.name == name)
    async with engine.service.context.owner_transaction() as uow:
        return [(tenant, revision, document["zone"]) for tenant, revision, document in await uow.conn.execute(query.order_by("tenant_id"))]


async def test_the_newest_version_of_a_calendar_stands_whatever_the_order_it_comes_in(engine: Engine) -> None:
    await hear(engine, "ordered", 3, "Europe/Rome")
    await hear(engine, "ordered", 2, "Asia/Tokyo")
    await hear(engine, "ordered", 1, "UTC", tenant="globex")
    await hear(engine, "ordered", 3, "America/New_York")
    assert await kept(engine, "ordered") == [("acme", 3, "Europe/Rome"), ("globex", 1, "UTC")]


async def test_an_execution_counts_by_the_calendar_of_its_tenant(engine: Engine) -> None:
    await hear(engine, "site", 1)
    await hear(engine, "unreadable", 1, "Moon/Base")  # which must stand in nobody's way
    await hear(engine, "site", 9, "Asia/Tokyo", tenant="globex")
    nodes = [
        {"id": "at", "type": "set", "with": {"due": f"{{{{ business_time('{AFTER_SUNDAY['from']}', '2h', 'site') }}}}"}},
        {"id": "rest", "type": "wait", "with": {"until": "2030-06-01T12:00:00Z", "calendar": "site"}},
    ]
    await engine.publish("counted", nodes=nodes, triggers=[{"on": "manual", "when": "business_time(now, '1h', 'site') > now"}])
    shown = await engine.waiting(await engine.start("counted"))
    assert shown["vars"] == {"due": "2030-06-03T11:00:00Z"}
    assert shown["waiting_for"][0]["until"] == "2030-06-03T09:00:00Z"
    explained = (await engine.client.get(f"/api/v1/executions/{shown['id']}/explain")).json()
    assert "waits for its time by the calendar 'site'" in explained["because"][0]


async def test_a_condition_that_counts_by_a_calendar_is_explained_with_what_it_gave(engine: Engine) -> None:
    await hear(engine, "told", 1)
    when = f"business_time('{AFTER_SUNDAY['from']}', '2h', 'told') == timestamp('{AFTER_SUNDAY['to']}')"
    await engine.publish("told", nodes=[{"id": "on_time", "type": "if", "with": {"when": when}}])
    shown = await engine.ended(await engine.start("told"))
    (choice,) = (await engine.client.get(f"/api/v1/executions/{shown['id']}/explain")).json()["choices"]
    assert (choice["outcome"], choice["considered"][0]["condition"]["value"]) == ("true", True)


async def test_a_start_that_comes_before_the_calendar_it_names_goes_by_it(engine: Engine) -> None:
    await engine.publish("early", nodes=[{"id": "rest", "type": "wait", "with": {"until": "2030-06-01T12:00:00Z", "calendar": "late"}}])
    execution = await engine.start("early")
    await hear(engine, "late", 1)
    shown = await engine.until(execution, lambda shown: shown["status"] == "waiting", passing=timedelta(milliseconds=100))
    assert shown["waiting_for"][0]["until"] == "2030-06-03T09:00:00Z"


async def test_an_execution_whose_calendar_does_not_come_fails_at_the_step_that_names_it(engine: Engine) -> None:
    nodes = [{"id": "first", "type": "set", "with": {"x": 1}}, {"id": "rest", "type": "wait", "with": {"for": "1h", "calendar": "never"}}]
    await engine.publish("lost", nodes=nodes)
    execution = await engine.start("lost")
    shown = await engine.until(execution, lambda shown: shown["status"] == "failed", passing=timedelta(milliseconds=100))
    assert (shown["status"], shown["error"]["code"], shown["error"]["node"], shown["vars"]) == (
        "failed",
        "unknown_calendar",
        "rest",
        {"x": 1},
    )
    assert "make it with PUT /api/v1/calendars/never" in shown["error"]["message"]


async def test_an_execution_shows_its_sla_which_is_warned_of_and_broken_as_time_goes_by(engine: Engine) -> None:
    await hear(engine, "sla", 1)
    sla = {"due": "4h", "warn_at": 0.5, "calendar": "sla"}
    await engine.publish("promised", nodes=[{"id": "s", "type": "state", "with": {"signals": {"go": {}}}}], sla=sla)
    shown = await engine.waiting(await engine.start("promised"))
    assert (shown["sla"]["status"], shown["sla"]["calendar"], shown["sla"]["problem"]) == ("on_track", "sla", None)
    for moment, status in ((shown["sla"]["warn_at"], "warned"), (shown["sla"]["due_at"], "breached")):
        engine.service.clock.set(datetime.fromisoformat(moment))
        shown = await engine.until(shown["id"], lambda shown, status=status: bool(shown["sla"]["status"] == status))  # type: ignore[misc]
        assert shown["status"] == "waiting"
    kinds = [one["kind"] for one in (await engine.client.get(f"/api/v1/executions/{shown['id']}/history")).json()["items"]]
    assert [kind for kind in kinds if "sla" in kind] == ["execution.sla_warned", "execution.sla_breached"]
    await engine.client.post(f"/api/v1/executions/{shown['id']}/signals/go")
    assert (await engine.ended(shown["id"]))["sla"]["status"] == "breached"
