"""Outboxes in tenants' databases: one that an earlier release made or that grows is told of, with what to do; nothing of it is dropped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio
from weft_events import records
from weft_events.app import build
from weft_events.records import CAPTURE, Bounds, Source, Watched
from weft_events.relaying import reader
from weft_events.store import capture
from weft_events.store.capture import Survey
from weft_runtime.testing import RunningService, eventually, running_service, tell

from tests.services.events.conftest import workflow
from tests.services.events.rows import ORDERS, Customer, customer_of, source_of, until_shown, until_started, watching
from tests.services.events.test_suspended_connections import suspended
from tests.support.isolation import SharedStack

BOUND_BYTES = 256 * 1024
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
OF = UUID(int=7)
SOURCE = Source("acme", OF, "shop", "postgres", "shop", (Watched("orders", "public", "orders"),), "notify", 1, NOW, None, NOW)
WATCHING = replace(SOURCE, installed=SOURCE.tables, installed_at=NOW, looked_at=NOW, capture_version=CAPTURE, owned=True)
BOUNDS = Bounds(300, 1000)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def events(database_url: str) -> AsyncIterator[RunningService]:
    """The service, which may read databases of this machine."""
    quick: dict[str, Any] = {"allow_private_addresses": True, "record_poll_s": 0.1, "record_outbox_warn_bytes": BOUND_BYTES}
    async with running_service(build, database_url, **quick) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def customer(stack: SharedStack) -> AsyncIterator[Customer]:
    """A tenant's database."""
    url = stack.new_database()
    async with customer_of(url) as made:
        await made.run(ORDERS, ORDERS.replace("orders", "lines"))
        yield made
    stack.drop_database(url)


@pytest.fixture
def admin(events: RunningService, tenant: str) -> httpx2.AsyncClient:
    """Who may make sources."""
    return events.client(tenant, ["admin"])


async def test_capture_of_an_earlier_release_goes_on_and_is_told_of_until_it_is_installed_again(
    events: RunningService, admin: httpx2.AsyncClient, customer: Customer, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "CHECK_EVERY_S", 0.0)
    await tell(events, workflow({"on": "record", "table": "orders"}), tenant=tenant)
    source = await watching(events, tenant, customer)
    assert (source["capture_version"], source["outdated"], source["advice"]) == (CAPTURE, False, [])
    name = f"weft_outbox.capture_{UUID(source['id']).hex}"
    written = await customer.value(f"SELECT pg_get_functiondef('{name}()'::regprocedure)")
    earlier = "\n".join(line for line in written.splitlines() if "capture of weft" not in line)
    await customer.run(earlier)
    shown = await until_shown(admin, source["id"], outdated=True, capture_version=1, state="watching", healthy=True)
    assert shown["advice"] == [
        f"what captures its changes is version 1, and this release has {CAPTURE}: install it again "
        f"(POST /api/v1/sources/{source['id']}/install), nothing is lost by it"
    ]
    await customer.run("INSERT INTO orders VALUES (1)")
    await until_started(events, tenant, 1)
    installed = (await admin.post(f"/api/v1/sources/{source['id']}/install")).json()
    assert "CREATE OR REPLACE FUNCTION" in installed["sql"]
    assert (installed["outdated"], installed["capture_version"]) == (False, CAPTURE)
    await until_shown(admin, source["id"], outdated=False, reading=True)


async def test_an_outbox_that_is_large_or_that_nobody_reads_is_told_of_and_keeps_everything(
    events: RunningService, admin: httpx2.AsyncClient, customer: Customer, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "CHECK_EVERY_S", 0.0)
    await tell(events, workflow({"on": "record", "table": "lines"}), tenant=tenant)
    source = await watching(events, tenant, customer, "lines")
    shown = await until_shown(admin, source["id"], state="watching", reading=True, behind=False)
    assert 0 < shown["outbox_bytes"] < BOUND_BYTES
    outbox = f"weft_outbox.change_{UUID(source['id']).hex}"
    # PostgreSQL itself, which comes by once a minute, would give the room back as soon as all is read.
    await customer.run(f"ALTER TABLE {outbox} SET (autovacuum_enabled = false, toast.autovacuum_enabled = false)", as_superuser=True)
    text = "(SELECT string_agg(md5(n::text || id::text), '') FROM generate_series(1, 100) AS n)"
    await customer.run(f"INSERT INTO lines SELECT id, 'open', 1, {text} FROM generate_series(1, 200) AS id")
    shown = await until_shown(admin, source["id"], behind=True, pending=0, changes=200)
    assert shown["outbox_bytes"] >= BOUND_BYTES
    (told,) = shown["advice"]
    assert "has no bound; it is read, so VACUUM FULL of it gives the room back" in told

    async def given_back() -> bool | None:
        # Rows that a transaction under way may still see are kept by one that comes meanwhile: the next one finds them seen by nobody.
        await customer.run(f"VACUUM FULL {outbox}", as_superuser=True)
        return await customer.value(f"SELECT pg_total_relation_size('{outbox}')") < BOUND_BYTES or None

    await eventually(given_back, "the room being given back")
    await until_shown(admin, source["id"], behind=False, advice=[])

    await tell(events, suspended("shop"), tenant=tenant)
    await until_shown(admin, source["id"], state="suspended", reading=False, behind=False)
    events.clock.advance(timedelta(seconds=301))
    shown = await source_of(admin, source["id"])
    assert shown["behind"]
    assert "its connection is suspended" in shown["advice"][0]
    assert [one["behind"] for one in (await admin.get("/api/v1/sources")).json()["items"]] == [True]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (WATCHING, []),
        (SOURCE, []),
        (replace(WATCHING, missing=("orders",)), ["are not captured any more"]),
        (replace(WATCHING, refused=2), ["2 changes were set aside"]),
        (replace(WATCHING, lag_s=400.0, pending=10_000), ["waits for 400 s"]),
        (replace(WATCHING, outbox_bytes=1000, pending=3), ["has no bound"]),
        (
            replace(WATCHING, owned=False, looked_at=NOW - timedelta(hours=1)),
            ["for 3600 s, and its outbox grows with every change: let a process"],
        ),
        (
            replace(WATCHING, owned=False, looked_at=None, installed_at=NOW - timedelta(hours=1), error=records.Failure("denied", "no")),
            ["mend what last_error tells"],
        ),
    ],
)
def test_what_is_to_be_done_about_a_source_is_said_in_sentences(source: Source, said: list[str]) -> None:
    told = records.advice(source, BOUNDS, NOW)
    assert len(told) == len(said)
    assert [one for one, part in zip(told, said, strict=True) if part not in one] == []


def test_whoever_changes_what_captures_changes_counts_its_version_up() -> None:
    seen = Survey(180_000, False, "shop", True, True, True, None, (), ())
    made = "\n".join(capture.statements(OF, seen, notify=True) + capture.statements(OF, seen, notify=False))
    assert (CAPTURE, sha256(made.encode()).hexdigest()[:16]) == (2, "4200e1461c810689")
