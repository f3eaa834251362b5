"""Sources through the HTTP door: what is refused, what is put into a tenant's database and taken out again, and by whose account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from weft_events.app import build
from weft_runtime.testing import RunningService, eventually, running_service, tell

from tests.services.events.conftest import workflow
from tests.services.events.rows import ORDERS, Customer, customer_of, source_of, until_started, watching
from tests.support.isolation import SharedStack

SOURCES = "/api/v1/sources"
BODY: dict[str, Any] = {"name": "shop", "kind": "postgres", "connection": "shop", "tables": ["orders"]}
HOSTILE = "o\"; DROP TABLE orders; --'\\ 表"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def events(database_url: str) -> AsyncIterator[RunningService]:
    """The service, which may read databases of this machine."""
    async with running_service(build, database_url, allow_private_addresses=True) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def customer(stack: SharedStack) -> AsyncIterator[Customer]:
    """A tenant's database."""
    async with database_of_a_customer(stack) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def fresh(stack: SharedStack) -> AsyncIterator[Customer]:
    """A tenant's database in which no other test has put or left anything."""
    async with database_of_a_customer(stack) as made:
        yield made


@asynccontextmanager
async def database_of_a_customer(stack: SharedStack) -> AsyncIterator[Customer]:
    """One with a table, removed at the end of the block."""
    url = stack.new_database()
    async with customer_of(url) as made:
        await made.run(ORDERS)
        yield made
    stack.drop_database(url)


@pytest.fixture
def admin(events: RunningService, tenant: str) -> httpx2.AsyncClient:
    """Who may make sources."""
    return events.client(tenant, ["admin"])


async def left_there(customer: Customer, source: dict[str, Any]) -> int:
    """How many objects of a source are in a database."""
    hex_ = source["id"].replace("-", "")
    return int(
        await customer.value(
            f"SELECT (SELECT count(*) FROM pg_class WHERE relname = 'change_{hex_}') + (SELECT count(*) FROM pg_proc "
            f"WHERE proname = 'capture_{hex_}') + (SELECT count(*) FROM pg_trigger WHERE tgname = 'weft_{hex_}')"
        )
    )


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "mailbox"}, "/kind", "kind_not_supported"),
    ({"kind": "broker"}, "/kind", "kind_not_supported"),
    ({"kind": "mysql"}, "/kind", "not_allowed"),
    ({"name": "a b"}, "/name", "string_pattern_mismatch"),
    ({"tables": []}, "/tables", "too_short"),
    ({"tables": ["a b"]}, "/tables/0", "wrong_format"),
    ({"tables": [{"table": HOSTILE}]}, "/tables/0", "needs_a_name"),
    ({"tables": [{"table": "o", "name": "a/b"}]}, "/tables/0/name", "string_pattern_mismatch"),
    ({"tables": [{"table": "x" * 64}]}, "/tables/0/table", "string_pattern_mismatch"),
    ({"tables": ["orders", "public.orders"]}, "/tables", "not_unique"),
    ({"wake": "shout"}, "/wake", "not_allowed"),
    ({"password": "p"}, "/password", "unknown_field"),
]


@pytest.mark.parametrize(("change", "pointer", "code"), WRONG)
async def test_what_is_wrong_is_pointed_at(admin: httpx2.AsyncClient, change: dict[str, Any], pointer: str, code: str) -> None:
    answer = await admin.post(SOURCES, json=BODY | change)
    assert (answer.status_code, [(one["pointer"], one["code"]) for one in answer.json()["errors"]]) == (422, [(pointer, code)])


async def test_a_source_is_made_changed_and_seen_by_its_tenant_alone(
    events: RunningService, admin: httpx2.AsyncClient, tenant: str
) -> None:
    answer = await admin.post(SOURCES, json=BODY | {"tables": ["orders", "sales.lines", {"table": "Odd name", "name": "odd"}]})
    shown = answer.json()
    address = f"{SOURCES}/{shown['id']}"
    assert (answer.status_code, answer.headers["etag"], answer.headers["location"]) == (201, '"1"', address)
    assert (shown["state"], shown["healthy"], shown["installed"], shown["last_error"]) == ("created", False, False, None)
    assert [(one["name"], one["schema"], one["table"]) for one in shown["tables"]] == [
        ("orders", "public", "orders"),
        ("sales.lines", "sales", "lines"),
        ("odd", "public", "Odd name"),
    ]
    assert [one["name"] for one in (await admin.get(SOURCES)).json()["items"]] == ["shop"]
    assert (await admin.post(SOURCES, json=BODY)).json()["code"] == "source_exists"
    taken = await admin.post(SOURCES, json=BODY | {"name": "other"})
    assert (taken.status_code, taken.json()["code"], taken.json()["errors"][0]["pointer"]) == (409, "table_watched", "/tables/0")
    body = {"connection": "shop", "tables": ["lines"], "wake": "poll"}
    assert (await admin.put(address, json=body, headers={"If-Match": '"7"'})).status_code == 412
    assert [(await admin.put(address, json=body)).json()["version"] for _ in range(2)] == [2, 2]
    assert (await admin.post(SOURCES, json=BODY | {"name": "other"})).status_code == 201
    other, editor, viewer = (events.client(*who) for who in (("elsewhere", ["admin"]), (tenant, ["editor"]), (tenant, ["viewer"])))
    asked = [other.get(address), other.put(address, json=body), other.delete(address), other.post(f"{address}/install")]
    assert [one.status_code for one in await asyncio.gather(*asked)] == [404] * 4
    assert (await other.get(SOURCES)).json()["items"] == []
    asked = [editor.post(SOURCES, json=BODY), editor.delete(address), editor.post(f"{address}/install"), viewer.get(SOURCES)]
    assert [one.status_code for one in await asyncio.gather(*asked)] == [403] * 4
    assert (await editor.get(address)).status_code == 200
    assert [(await admin.delete(address)).status_code for _ in range(2)] == [204, 404]


async def test_capture_is_put_in_place_once_told_before_and_taken_out_again(
    events: RunningService, admin: httpx2.AsyncClient, fresh: Customer, tenant: str
) -> None:
    await tell(events, fresh.connection(tenant), tenant=tenant)
    source = (await admin.post(SOURCES, json=BODY)).json()
    address = f"{SOURCES}/{source['id']}"
    told = (await admin.post(f"{address}/install?dry_run=true")).json()
    assert (told["dry_run"], told["installed"], "CREATE TRIGGER" in told["sql"]) == (True, False, True)
    assert await left_there(fresh, source) == 0
    done = (await admin.post(f"{address}/install")).json()
    assert (done["sql"], done["installed"], await left_there(fresh, source)) == (told["sql"], True, 3)
    assert (await admin.post(f"{address}/install")).json()["sql"] == ""
    # Who may write rows need know nothing of it, and may not put captures of their own in place.
    hex_ = source["id"].replace("-", "")
    reader = "SELECT has_function_privilege('public', 'weft_outbox.capture_{0}()', 'EXECUTE')"
    assert await fresh.value(reader.format(hex_)) is False
    await admin.put(address, json={"connection": "shop", "tables": [{"table": "orders", "name": "sales"}], "wake": "poll"})
    changed = (await admin.post(f"{address}/install")).json()
    assert ("pg_notify" in changed["sql"], "'sales'" in changed["sql"], await left_there(fresh, source)) == (False, True, 3)
    assert (await admin.delete(address)).status_code == 204
    assert (await left_there(fresh, source), (await admin.get(address)).status_code) == (0, 404)
    assert await fresh.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'weft_outbox'") == 0


async def test_an_account_that_may_not_is_given_the_statements_for_who_may(
    events: RunningService, admin: httpx2.AsyncClient, fresh: Customer, tenant: str
) -> None:
    await fresh.run(
        "CREATE TABLE theirs (id int PRIMARY KEY)",
        f"REVOKE CREATE ON DATABASE {fresh.database} FROM {fresh.role}",
        as_superuser=True,
    )
    await tell(events, fresh.connection(tenant), workflow({"on": "record", "table": "theirs"}), tenant=tenant)
    source = (await admin.post(SOURCES, json=BODY | {"tables": ["theirs"]})).json()
    refused = await admin.post(f"{SOURCES}/{source['id']}/install")
    assert (refused.status_code, refused.json()["code"]) == (409, "source_forbidden")
    assert (await source_of(admin, source["id"]))["installed"] is False
    await fresh.run(refused.json()["sql"], as_superuser=True)
    done = await admin.post(f"{SOURCES}/{source['id']}/install")
    assert (done.status_code, done.json()["sql"]) == (200, "")
    await fresh.run("INSERT INTO theirs VALUES (1)", as_superuser=True)
    assert len(await until_started(events, tenant, 1)) == 1
    # What it did not make it may not take out either.
    stays = await admin.delete(f"{SOURCES}/{source['id']}")
    assert (stays.status_code, stays.json()["code"], "DROP FUNCTION" in stays.json()["sql"]) == (409, "source_forbidden", True)
    assert (await source_of(admin, source["id"]))["state"] == "removing"
    assert (await admin.delete(f"{SOURCES}/{source['id']}?uninstall=false")).status_code == 204
    await fresh.run(stays.json()["sql"], f"GRANT CREATE ON DATABASE {fresh.database} TO {fresh.role}", as_superuser=True)
    assert await left_there(fresh, source) == 0


async def test_names_that_mean_harm_are_names(events: RunningService, admin: httpx2.AsyncClient, customer: Customer, tenant: str) -> None:
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    await customer.run(
        f"CREATE SCHEMA {quoted}",
        f"CREATE TABLE {quoted}.{quoted} ({quoted} text, id int, PRIMARY KEY (id, {quoted}))",
        "CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100)",
        "CREATE VIEW seen AS SELECT * FROM orders",
    )
    absent = await admin.post(SOURCES, json=BODY | {"tables": ["nothing", "seen", {"schema": HOSTILE, "table": "orders", "name": "x"}]})
    await tell(events, customer.connection(tenant), tenant=tenant)
    refused = (await admin.post(f"{SOURCES}/{absent.json()['id']}/install")).json()
    assert (refused["code"], [(one["pointer"], one["code"]) for one in refused["errors"]]) == (
        "tables_unusable",
        [("/tables/0", "no_such_table"), ("/tables/1", "not_a_table"), ("/tables/2", "no_such_table")],
    )
    triggers = [{"on": "record", "id": name, "table": name} for name in ("odd", "parts")]
    await tell(events, workflow(*triggers), tenant=tenant)
    tables = [{"schema": HOSTILE, "table": HOSTILE, "name": "odd"}, "parts"]
    source = await watching(events, tenant, customer, *tables, name="odd")
    await customer.run(
        f"INSERT INTO {quoted}.{quoted} VALUES ('{HOSTILE.replace(chr(39), chr(39) * 2)}', 1)", "INSERT INTO parts VALUES (7)"
    )
    odd, part = await until_started(events, tenant, 2)
    assert (odd.trigger.id, odd.input["key"]) == ("odd", {"id": 1, HOSTILE: HOSTILE})
    # A change of a part is one of the whole.
    assert (part.trigger.id, part.input["table"], part.input["key"]) == ("parts", "parts", {"id": 7})
    assert (await admin.post(f"{SOURCES}/{source['id']}/install")).json()["sql"] == ""
    assert await customer.value("SELECT count(*) FROM orders") == 0


async def test_a_database_that_cannot_or_must_not_be_reached_is_told_precisely(
    events: RunningService, database_url: str, admin: httpx2.AsyncClient, customer: Customer, tenant: str
) -> None:
    source = (await admin.post(SOURCES, json=BODY)).json()
    install = f"{SOURCES}/{source['id']}/install"

    async def refusal(client: httpx2.AsyncClient = admin) -> tuple[int, str]:
        answer = await client.post(install)
        return answer.status_code, answer.json()["code"]

    assert await refusal() == (409, "source_no_connection")
    changes: list[tuple[dict[str, Any], str]] = [
        ({"password": "another"}, "source_denied"),
        ({"database": "nowhere"}, "source_no_such_database"),
        ({"port": 1}, "source_unreachable"),
        ({"host": "nowhere.invalid"}, "source_unreachable"),
        ({"sslmode": "verify-full"}, "source_unreachable"),
        ({"host": "169.254.169.254"}, "source_blocked"),
    ]
    for revision, (change, code) in enumerate(changes, 1):
        await tell(events, customer.connection(tenant, revision, **change), tenant=tenant)
        assert await refusal() == (409, code), change
    await tell(events, customer.connection(tenant, 9), tenant=tenant)
    async with running_service(build, database_url) as guarded:
        # This one may not reach addresses of this machine, by whatever name.
        assert await refusal(guarded.client(tenant, ["admin"])) == (409, "source_blocked")
        await tell(guarded, customer.connection(tenant, 10, host="2130706433"), tenant=tenant)
        assert await refusal(guarded.client(tenant, ["admin"])) == (409, "source_blocked")


async def test_a_source_that_is_deleted_is_read_no_more(
    events: RunningService, admin: httpx2.AsyncClient, customer: Customer, tenant: str
) -> None:
    await customer.run("CREATE TABLE IF NOT EXISTS brief (id int PRIMARY KEY)")
    source = await watching(events, tenant, customer, "brief", name="brief")
    assert (await admin.delete(f"{SOURCES}/{source['id']}")).status_code == 204

    async def nobody() -> bool | None:
        query = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{customer.role}' AND application_name = 'weft brief'"
        return None if await customer.value(query) else True

    await eventually(nobody, "the reader's end")
    await customer.run("INSERT INTO brief VALUES (1)")
