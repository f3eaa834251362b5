"""What counts of a table's changes, through the HTTP door and for what is started."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
import pytest_asyncio
from weft_contracts.audit import RecordAudit
from weft_contracts.executions import StartExecution
from weft_events import usecases
from weft_events.errors import SourceTaken
from weft_events.records import Held, read_change
from weft_events.registry import REGISTRY
from weft_events.store import leases, sources
from weft_events.usecases.sources import note_installed
from weft_runtime.clock import new_id
from weft_runtime.testing import RunningService, said, tell

from tests.services.events.conftest import workflow
from tests.services.events.schedules import quiet_service
from tests.services.events.test_changes import row

ORDERS = "/api/v1/schemas/orders/events"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def events(database_url: str) -> Any:
    """The service, which reads no source by itself."""
    async with quiet_service(database_url) as running:
        yield running


@pytest.fixture
def editor(events: RunningService, tenant: str) -> httpx2.AsyncClient:
    """Who may publish workflows."""
    return events.client(tenant, ["editor"])


async def held(events: RunningService, tenant: str, lease_s: float = 60) -> Held:
    """A source of the tenant with the table orders, which is held for so long."""
    body = {"name": "shop", "connection": "shop", "tables": ["orders"]}
    made = (await events.client(tenant, ["admin"]).post("/api/v1/sources", json=body)).json()
    async with events.context.owner_transaction(tenant) as uow:
        found = await sources.listed(uow, after=None, limit=1)
        await sources.installed(uow, found[0].id, found[0].tables)
    async with events.context.owner_transaction() as uow:
        claimed = await leases.claim(uow, new_id(), lease_s, 100)
    return next(one for one in claimed if str(one.id) == made["id"])


async def taken(events: RunningService, one: Held, *rows: dict[str, Any]) -> tuple[int, int, int]:
    """Changes, taken in."""
    async with events.context.owner_transaction(one.tenant) as uow:
        found = await usecases.take_changes(one, [read_change(each) for each in rows], REGISTRY, uow)
    return found.events, found.again, found.passed_over


async def test_a_table_needs_no_settings_and_says_who_listens(events: RunningService, editor: httpx2.AsyncClient, tenant: str) -> None:
    assert (await editor.get(ORDERS)).json()["code"] == "table_not_watched"
    source = await held(events, tenant)
    trigger = {"on": "record", "id": "paid", "table": "orders", "operation": "update", "changed": ["status"]}
    await tell(events, workflow(trigger), tenant=tenant)
    shown = (await editor.get(ORDERS)).json()
    assert (shown["configured"], shown["operations"], shown["workflows"]) == (False, ["create", "update", "delete"], None)
    assert shown["source"] == {"id": str(source.id), "name": "shop", "state": "starting", "healthy": False}
    about = {"workflow": "flow", "version": 1, "trigger": "paid", "operations": ["update"], "changed": ["status"]}
    assert shown["triggers"] == [about | {"enabled": True, "considered": True}]
    assert await taken(events, source, row({"status": "a"}, {"status": "b"})) == (1, 0, 0)
    assert len(said(events, StartExecution, tenant=tenant)) == 1


async def test_settings_narrow_what_counts_and_which_workflows_hear_of_it(
    events: RunningService, editor: httpx2.AsyncClient, tenant: str
) -> None:
    source = await held(events, tenant)
    await tell(events, *(workflow({"on": "record", "table": "orders"}, slug=slug) for slug in ("one", "two")), tenant=tenant)
    body = {"operations": ["update"], "fields": ["status"], "conditions": [{"left": "status", "op": "changed_to", "right": "paid"}]}
    made = await editor.put(ORDERS, json=body | {"workflows": ["two"]}, headers={"If-Match": '"0"'})
    assert (made.status_code, made.headers["etag"], made.headers["location"]) == (201, '"1"', ORDERS)
    assert [(one["workflow"], one["considered"]) for one in made.json()["triggers"]] == [("one", False), ("two", True)]
    changes = [
        row({"status": "open"}, {"status": "paid"}, event=new_id()),
        row({"status": "open"}, {"status": "lost"}, event=new_id()),
        row({"status": "paid", "note": 1}, {"status": "paid", "note": 2}, event=new_id()),
        row(None, {"status": "paid"}, event=new_id(), operation="create"),
    ]
    assert await taken(events, source, *changes) == (1, 0, 3)
    assert [start.workflow for start in said(events, StartExecution, tenant=tenant)] == ["two"]
    explained = (await editor.get(f"/api/v1/events/{changes[0]['event']}/explain")).json()["triggers"]
    assert [(one["workflow"], one["matched"], one["reason"]) for one in explained] == [("one", False, "workflow"), ("two", True, "matched")]
    again = await editor.put(ORDERS, json=body | {"workflows": ["two"]})
    assert (again.status_code, again.json()["version"]) == (200, 1)
    assert (await editor.put(ORDERS, json={}, headers={"If-Match": '"7"'})).status_code == 412
    assert (await editor.delete(ORDERS, headers={"If-Match": '"7"'})).status_code == 412
    assert [(await editor.delete(ORDERS)).status_code for _ in range(2)] == [204, 404]
    assert await taken(events, source, row({"status": "a"}, {"status": "b"}, event=new_id())) == (1, 0, 0)
    assert [start.workflow for start in said(events, StartExecution, tenant=tenant)] == ["two", "one", "two"]


async def test_a_change_is_taken_once_and_by_nobody_whose_time_is_over(
    events: RunningService, editor: httpx2.AsyncClient, tenant: str
) -> None:
    source = await held(events, tenant, lease_s=0)
    await tell(events, workflow({"on": "record", "table": "orders"}), tenant=tenant)
    change = row({"a": 1}, {"a": 2})
    assert [await taken(events, source, change), await taken(events, source, change)] == [(1, 0, 0), (0, 1, 0)]
    assert len(said(events, StartExecution, tenant=tenant)) == 1
    async with events.context.owner_transaction() as uow:
        (now,) = [one for one in await leases.claim(uow, new_id(), 60, 100) if one.id == source.id]
    # It slept through its lease, and another reads by now.
    with pytest.raises(SourceTaken):
        await taken(events, source, row({"a": 2}, {"a": 3}, event=new_id()))
    assert await taken(events, now, row({"a": 2}, {"a": 3}, event=new_id())) == (1, 0, 0)
    assert len(said(events, StartExecution, tenant=tenant)) == 2


async def test_nobody_pretends_to_be_a_table(editor: httpx2.AsyncClient) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "weft/records/shop", "type": "record.orders.update", "data": {}}
    answer = await editor.post("/api/v1/events", json=event)
    assert (answer.status_code, [one["code"] for one in answer.json()["errors"]]) == (422, ["reserved_source"])


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"operations": []}, "/operations", "too_short"),
    ({"operations": ["upsert"]}, "/operations/0", "not_allowed"),
    ({"operations": ["create", "create"]}, "/operations", "not_unique"),
    ({"fields": [""]}, "/fields/0", "string_too_short"),
    ({"workflows": ["No Slug"]}, "/workflows/0", "string_pattern_mismatch"),
    ({"conditions": {"left": "a.b", "op": "near"}}, "/conditions", "bad_conditions"),
    ({"conditions": {"left": "input.a", "op": "eq", "right": 1}}, "/conditions", "bad_conditions"),
    ({"table": "other"}, "/table", "unknown_field"),
]


@pytest.mark.parametrize(("body", "pointer", "code"), WRONG)
async def test_settings_that_cannot_be_meant_are_pointed_at(
    editor: httpx2.AsyncClient, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await editor.put(ORDERS, json=body)
    assert (answer.status_code, [(one["pointer"], one["code"]) for one in answer.json()["errors"]]) == (422, [(pointer, code)])


async def test_another_tenant_has_settings_of_its_own_and_a_viewer_reads_only(
    events: RunningService, editor: httpx2.AsyncClient, tenant: str
) -> None:
    assert (await editor.put(ORDERS, json={"enabled": False})).status_code == 201
    other, viewer = events.client("elsewhere", ["editor"]), events.client(tenant, ["viewer"])
    assert (await other.get(ORDERS)).status_code == 404
    assert (await viewer.get(ORDERS)).json()["enabled"] is False
    assert [(await viewer.put(ORDERS, json={})).status_code, (await viewer.delete(ORDERS)).status_code] == [403, 403]


async def test_the_audit_is_told_of_sources_and_of_what_counts_of_their_tables(events: RunningService, tenant: str) -> None:
    admin = events.client(tenant, ["admin"], sub="ann")
    body = {"name": "shop", "connection": "shop", "tables": ["orders"]}
    made = (await admin.post("/api/v1/sources", json=body)).json()
    change = {"connection": "shop", "tables": ["orders", "customers"]}
    for _ in range(2):  # the second time changes nothing
        assert (await admin.put(f"/api/v1/sources/{made['id']}", json=change)).status_code == 200
    for operations in (["create"], ["create"], ["delete"]):
        await admin.put(ORDERS, json={"operations": operations})
    await admin.delete(ORDERS)
    assert (await admin.delete(f"/api/v1/sources/{made['id']}?uninstall=false")).status_code == 204
    told = said(events, RecordAudit, tenant=tenant)
    assert [one.action for one in told] == [
        "source.created", "source.changed", "table_events.created", "table_events.changed", "table_events.removed", "source.removed",
    ]  # fmt: skip
    assert {one.by for one in told} == {"ann"}
    created, changed, _, other, gone, removed = told
    assert (changed.before, removed.before, removed.after) == (created.after, changed.after, None)
    assert ((other.before or {})["operations"], (other.after or {})["operations"], gone.after) == (["create"], ["delete"], None)


async def test_the_audit_is_told_when_capture_is_in_place(events: RunningService, tenant: str) -> None:
    body = {"name": "shop", "connection": "shop", "tables": ["orders"]}
    made = (await events.client(tenant, ["admin"]).post("/api/v1/sources", json=body)).json()
    async with events.context.transaction(tenant) as uow:
        source = (await sources.listed(uow, after=None, limit=1))[0]
        await note_installed(source.id, source.tables, uow)
    told = said(events, RecordAudit, tenant=tenant)[-1]
    assert (told.action, told.resource_id, told.before) == ("source.installed", made["id"], {"installed": []})
    assert [one["name"] for one in (told.after or {})["installed"]] == ["orders"]
