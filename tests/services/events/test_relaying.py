"""Changes of rows on real databases: what is captured, that each is taken once whatever happens, and what it starts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from weft_contracts.executions import StartExecution
from weft_events.app import build
from weft_runtime.testing import RunningService, eventually, running_service, said, tell

from tests.services.events.conftest import workflow
from tests.services.events.rows import ORDERS, Customer, customer_of, retried, source_of, until_shown, until_started, watching
from tests.support.isolation import SharedStack

ON_ORDERS = {"on": "record", "table": "orders"}
QUICK: dict[str, Any] = {"allow_private_addresses": True, "record_poll_s": 0.2}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def events(database_url: str) -> AsyncIterator[RunningService]:
    """The service, which may read databases of this machine."""
    async with running_service(build, database_url, **QUICK) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def customer(stack: SharedStack) -> AsyncIterator[Customer]:
    """A tenant's database."""
    url = stack.new_database()
    async with customer_of(url) as made:
        yield made
    stack.drop_database(url)


@pytest_asyncio.fixture(loop_scope="session")
async def orders(customer: Customer) -> AsyncIterator[Customer]:
    """That database with a table of its own for each test."""
    await customer.run("DROP TABLE IF EXISTS orders", ORDERS)
    yield customer


@pytest.fixture
def admin(events: RunningService, tenant: str) -> httpx2.AsyncClient:
    """Who may make sources."""
    return events.client(tenant, ["admin"])


async def log(client: httpx2.AsyncClient) -> list[dict[str, Any]]:
    """What is in the log of changes, the oldest first, whole."""
    items = (await client.get("/api/v1/events", params={"type": "record.*", "limit": 200})).json()["items"]
    return [(await client.get(f"/api/v1/events/{item['log_id']}")).json() for item in reversed(items)]


async def until_logged(client: httpx2.AsyncClient, count: int) -> list[dict[str, Any]]:
    async def look() -> list[dict[str, Any]] | None:
        found = await log(client)
        return found if len(found) >= count else None

    return await eventually(look, f"{count} changes in the log")


async def test_what_is_made_changed_and_deleted_starts_workflows_with_the_row_before_and_after(
    events: RunningService, admin: httpx2.AsyncClient, orders: Customer, tenant: str
) -> None:
    trigger = ON_ORDERS | {
        "id": "paid",
        "operation": "update",
        "changed": ["status"],
        "fields": {"status": {"changed_to": "paid"}, "total": {"gte": 100}},
        "input": {"order": "{{ trigger.payload.key.id }}", "was": "{{ trigger.payload.old.status }}"},
        "key": "{{ trigger.payload.key.id }}",
    }
    await tell(events, workflow(trigger), workflow(ON_ORDERS, slug="every"), tenant=tenant)
    await watching(events, tenant, orders)
    await orders.run(
        "INSERT INTO orders VALUES (7, 'open', 120.50, null)",
        "UPDATE orders SET note = note",
        "UPDATE orders SET status = 'paid'",
        "DELETE FROM orders",
    )
    starts = await until_started(events, tenant, 4)
    assert [(start.workflow, start.trigger.id) for start in starts] == [("every", "trigger_1")] * 1 + [
        ("every", "trigger_1"),
        ("flow", "paid"),
        ("every", "trigger_1"),
    ]
    paid = starts[2]
    assert (paid.input, paid.key, paid.trigger.type) == ({"order": 7, "was": "open"}, "7", "record")
    created, updated, deleted = await until_logged(admin, 3)
    was, now = {"id": 7, "status": "open", "total": 120.5, "note": None}, {"id": 7, "status": "paid", "total": 120.5, "note": None}
    expected = {"table": "orders", "key": {"id": 7}, "left_out": []}
    for event, operation, old, new, changed in (
        (created, "create", None, was, ["id", "status", "total"]),
        (updated, "update", was, now, ["status"]),
        (deleted, "delete", now, None, ["id", "status", "total"]),
    ):
        transaction = event["data"].pop("transaction")
        assert transaction.isdigit()
        assert event["data"] == expected | {"operation": operation, "old": old, "new": new, "record": new or old, "changed": changed}
        assert (event["type"], event["source"], event["subject"]) == (f"record.orders.{operation}", "weft/records/shop", "7")
    explained = (await admin.get(f"/api/v1/events/{created['log_id']}/explain")).json()["triggers"]
    assert [(one["trigger"], one["reason"]) for one in explained] == [("trigger_1", "matched"), ("paid", "operation")]
    (told,) = [
        one for one in (await admin.get(f"/api/v1/events/{updated['log_id']}/explain")).json()["triggers"] if one["trigger"] == "paid"
    ]
    assert (told["matched"], told["condition"]["value"], told["execution_id"]) == (True, True, str(paid.execution_id))


async def test_what_is_rolled_back_never_was_and_what_commits_late_is_not_passed_over(
    events: RunningService, admin: httpx2.AsyncClient, orders: Customer, tenant: str
) -> None:
    await tell(events, workflow(ON_ORDERS), tenant=tenant)
    source = await watching(events, tenant, orders)
    late, gone = await orders.connect(), await orders.connect()
    begun, undone = late.transaction(), gone.transaction()
    await begun.start()
    await late.execute("INSERT INTO orders VALUES (1, 'late')")
    await undone.start()
    await gone.execute("INSERT INTO orders VALUES (2, 'undone')")
    await undone.rollback()
    await orders.run("INSERT INTO orders VALUES (3, 'early')")
    (early,) = await until_started(events, tenant, 1)
    # What was numbered first is not there yet, and what was numbered later has been read and deleted.
    await until_shown(admin, source["id"], changes=1, pending=0)
    await begun.commit()
    starts = await until_started(events, tenant, 2)
    assert [start.input["record"]["status"] for start in starts] == ["early", "late"]
    assert early == starts[0]
    for connection in (late, gone):
        await connection.close()


async def test_a_row_of_a_megabyte_is_written_and_comes_without_its_large_fields(
    events: RunningService, admin: httpx2.AsyncClient, orders: Customer, tenant: str
) -> None:
    await tell(events, workflow(ON_ORDERS | {"operation": ["update", "delete"]}), tenant=tenant)
    await watching(events, tenant, orders)
    await orders.run(
        "INSERT INTO orders VALUES (1, 'open', 1, repeat('x', 1048576))",
        "UPDATE orders SET note = repeat('y', 1048576)",
        "UPDATE orders SET status = 'paid', note = repeat('\"', 100000)",
        "DELETE FROM orders",
    )
    starts = await until_started(events, tenant, 3)
    assert await orders.value("SELECT count(*) FROM orders") == 0
    first, second, _ = (start.input for start in starts)
    assert (first["left_out"], first["changed"], first["new"]) == (["note"], ["note"], {"id": 1, "status": "open", "total": 1})
    # What fits as it is stored may be too large as text: it is left out then.
    assert (second["left_out"], second["changed"], second["old"]["status"]) == (["note"], ["note", "status"], "open")


async def test_numbers_without_bounds_nested_values_and_hostile_text_come_as_they_are_or_as_text(
    events: RunningService, orders: Customer, tenant: str
) -> None:
    columns = """a numeric, b jsonb, c float8, d text[], "e.'; f" text, g bytea"""
    await orders.run("DROP TABLE IF EXISTS odd", f"CREATE TABLE odd ({columns})")
    await tell(events, workflow(ON_ORDERS | {"table": "odd"}), tenant=tenant)
    await watching(events, tenant, orders, "odd")
    values = """'1e400', '{"k": 123456789012345678901234567890}', 'NaN', ARRAY['x', null], E'\\u0001''"{{ 1/0 }}', '\\x00ff'"""
    await orders.run(
        f"INSERT INTO odd VALUES ({values})",
        f"INSERT INTO odd (b) VALUES ('{'[' * 3000 + ']' * 3000}')",
        "INSERT INTO odd (a) VALUES ('NaN')",
    )
    odd, deep, last = await until_started(events, tenant, 3)
    record = odd.input["record"]
    assert (record["c"], record["d"], record["e.'; f"], record["g"]) == ("NaN", ["x", None], "\x01'\"{{ 1/0 }}", "\\x00ff")
    assert record["b"] == {"k": 123456789012345678901234567890}
    assert (odd.input["key"], last.input["record"]["a"]) == (None, "NaN")
    assert (deep.input["left_out"], deep.input["record"]) == (["*"], {})


async def test_what_is_in_the_log_but_not_out_of_the_outbox_is_taken_once(
    events: RunningService, admin: httpx2.AsyncClient, orders: Customer, tenant: str
) -> None:
    await tell(events, workflow(ON_ORDERS), tenant=tenant)
    source = await watching(events, tenant, orders)
    outbox = f"weft_outbox.change_{source['id'].replace('-', '')}"
    # Between our commit and the deletion in their database it dies; here since it may not delete.
    await orders.run(f"REVOKE DELETE ON {outbox} FROM {orders.role}")
    await orders.run("INSERT INTO orders VALUES (1), (2)")

    async def failed_twice() -> dict[str, Any] | None:
        retried(events)
        shown = await source_of(admin, source["id"])
        return shown if (shown["last_error"] or {}).get("code") == "forbidden" and (await log(admin))[0]["duplicates"] else None

    shown = await eventually(failed_twice, "the changes being read again")
    assert (shown["state"], shown["healthy"]) == ("failing", False)
    await orders.run(f"GRANT DELETE ON {outbox} TO {orders.role}")
    await tell(events, orders.connection(tenant, revision=2), tenant=tenant)
    retried(events)
    await until_shown(admin, source["id"], state="watching", last_error=None)

    async def emptied() -> bool | None:
        return None if await orders.value(f"SELECT count(*) FROM {outbox}") else True

    await eventually(emptied, "the outbox being empty")
    assert [event["data"]["key"]["id"] for event in await log(admin)] == [1, 2]
    assert len(said(events, StartExecution, tenant=tenant)) == 2


async def test_of_several_processes_one_reads_a_source_and_another_goes_on_when_it_ends(
    database_url: str, events: RunningService, orders: Customer, tenant: str
) -> None:
    everybody: list[RunningService] = [events]

    def starts() -> list[int]:
        found = [start for one in everybody for start in said(one, StartExecution, tenant=tenant)]
        return sorted(start.input["key"]["id"] for start in found)

    async def started(ids: list[int]) -> None:
        async def look() -> bool | None:
            return True if len(starts()) >= len(ids) else None

        await eventually(look, f"{len(ids)} starts")
        assert starts() == ids

    await tell(events, workflow(ON_ORDERS), tenant=tenant)
    async with AsyncExitStack() as processes:
        everybody += [await processes.enter_async_context(running_service(build, database_url, **QUICK)) for _ in range(2)]
        await watching(events, tenant, orders)
        await orders.run("INSERT INTO orders SELECT generate_series(1, 500)")
        await asyncio.gather(*(orders.run(f"INSERT INTO orders VALUES ({number})") for number in range(501, 511)))
        await started(list(range(1, 511)))
    await orders.run("INSERT INTO orders SELECT generate_series(511, 520)")
    await started(list(range(1, 521)))


async def test_a_database_that_is_away_holds_up_no_other_and_what_happened_meanwhile_comes_when_it_is_back(
    events: RunningService, orders: Customer, tenant: str
) -> None:
    away, near = f"{tenant}-away", f"{tenant}-near"
    await tell(events, workflow(ON_ORDERS), tenant=near)
    await tell(events, workflow(ON_ORDERS), tenant=away)
    broken = await watching(events, away, orders)
    await tell(events, orders.connection(away, revision=2, password="another"), tenant=away)
    # Whoever is connected is thrown out: their next connection is refused.
    await orders.run(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{orders.role}' AND application_name = 'weft shop'",
        as_superuser=True,
    )
    client = events.client(away, ["admin"])

    async def denied() -> dict[str, Any] | None:
        shown = await source_of(client, broken["id"])
        return shown if (shown["last_error"] or {}).get("code") == "denied" else None

    shown = await eventually(denied, "the refusal")
    assert (shown["state"], shown["reading"], "password" in shown["last_error"]["message"]) == ("failing", False, True)
    await watching(events, near, orders)
    await orders.run("INSERT INTO orders VALUES (1)")
    assert len(await until_started(events, near, 1)) == 1
    await tell(events, orders.connection(away, revision=3), tenant=away)
    retried(events)
    assert len(await until_started(events, away, 1)) == 1


async def test_a_table_that_was_made_anew_is_not_captured_and_the_source_says_so(
    events: RunningService, admin: httpx2.AsyncClient, orders: Customer, tenant: str
) -> None:
    await tell(events, workflow(ON_ORDERS), tenant=tenant)
    source = await watching(events, tenant, orders)
    await until_shown(admin, source["id"], state="watching")
    await orders.run("DROP TABLE orders", ORDERS)
    # Each reader looks when it begins, and now and then.
    await orders.run(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{orders.role}' AND application_name = 'weft shop'",
        as_superuser=True,
    )

    async def noticed() -> dict[str, Any] | None:
        retried(events)
        shown = await source_of(admin, source["id"])
        return shown if shown["missing"] == ["orders"] and shown["last_error"] is None else None

    assert (await eventually(noticed, "the table being missed"))["state"] == "degraded"
    assert (await admin.post(f"/api/v1/sources/{source['id']}/install")).json()["missing"] == []
    await orders.run("INSERT INTO orders VALUES (1)")
    assert len(await until_started(events, tenant, 1)) == 1
