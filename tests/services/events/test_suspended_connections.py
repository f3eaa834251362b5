"""A connection that is suspended: nothing is read or fetched by it, nothing is lost, and all of it comes when that is lifted, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio
from weft_contracts.connections import ConnectionResumed, ConnectionSuspended
from weft_events import usecases
from weft_events.app import build
from weft_events.mails.resend import Notice
from weft_events.store import connections
from weft_events.store import mails as mail_rows
from weft_runtime.clock import new_id
from weft_runtime.sealing import Envelope
from weft_runtime.testing import RunningService, eventually, running_service, tell
from weft_runtime.testing.running import TEST_SECRET

from tests.services.events.conftest import workflow
from tests.services.events.rows import ORDERS, Customer, customer_of, retried, until_shown, until_started, watching
from tests.services.events.test_inbound import MAIL, Inbox, connection
from tests.support.isolation import SharedStack
from tests.support.resend import FakeResend, serving

ANOTHER_SECRET = "whsec_YW5vdGhlciBrZXkgdGhhdCBvbmx5IHRoZXkga25vdw=="


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def events(database_url: str) -> AsyncIterator[RunningService]:
    """The service, which may reach this machine."""
    async with running_service(build, database_url, allow_private_addresses=True, record_poll_s=0.2) as running:
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
def resend() -> Iterator[FakeResend]:
    with serving() as fake:
        yield fake
        assert fake.faults == []


@pytest.fixture
def inbox(events: RunningService, client: httpx2.AsyncClient, outside: httpx2.AsyncClient, tenant: str) -> Inbox:
    return Inbox(events, client, outside, tenant)


def suspended(name: str) -> ConnectionSuspended:
    """What the engine says when a connection is held up."""
    return ConnectionSuspended(suspension_id=new_id(), name=name, at=datetime.now(UTC))


def resumed(held: ConnectionSuspended) -> ConnectionResumed:
    """What it says when that is lifted."""
    return ConnectionResumed(suspension_id=held.suspension_id, name=held.name, at=datetime.now(UTC))


def mirror(customer: Customer, tenant: str) -> Any:
    """A second connection to the same database, which nobody suspends."""
    id_, envelope = new_id(), Envelope(TEST_SECRET)
    first = customer.connection(tenant)
    secrets = {"username": customer.role, "password": "a password of theirs"}
    sealed = {field: envelope.close(text, tenant=tenant, connection=str(id_), field=field) for field, text in secrets.items()}
    return first.model_copy(update={"connection_id": id_, "name": "mirror", "sealed": sealed})


async def test_changes_of_rows_wait_in_their_outbox_and_come_once_each_when_the_connection_goes_on(
    events: RunningService, customer: Customer, tenant: str
) -> None:
    admin = events.client(tenant, ["admin"])
    await tell(events, workflow({"on": "record", "table": "orders"}), mirror(customer, tenant), tenant=tenant)
    await tell(events, workflow({"on": "record", "table": "lines"}, slug="lines"), tenant=tenant)
    source = await watching(events, tenant, customer)
    await watching(events, tenant, customer, "lines", name="beside", connection="mirror")
    await customer.run("INSERT INTO orders VALUES (1)")
    await until_started(events, tenant, 1)
    await until_shown(admin, source["id"], state="watching", reading=True)

    held = suspended("shop")
    await tell(events, held, tenant=tenant)
    # From here on, whoever still has the database open takes nothing in any more.
    await customer.run("INSERT INTO orders VALUES (2)", "UPDATE orders SET status = 'paid' WHERE id = 2")
    shown = await until_shown(admin, source["id"], state="suspended", reading=False)
    assert (shown["healthy"], shown["suspended_since"] is None, shown["last_error"]) == (False, False, None)
    listed = {one["name"]: one["state"] for one in (await admin.get("/api/v1/sources")).json()["items"]}
    assert listed == {"beside": "watching", "shop": "suspended"}
    await customer.run("INSERT INTO lines VALUES (1)")
    starts = await until_started(events, tenant, 2)
    assert [start.workflow for start in starts] == ["flow", "lines"]
    assert await customer.value(f"SELECT count(*) FROM weft_outbox.change_{UUID(source['id']).hex}") == 2

    await tell(events, resumed(held), tenant=tenant)
    retried(events)
    starts = await until_started(events, tenant, 4)
    assert [start.input["operation"] for start in starts[2:]] == ["create", "update"]
    await until_shown(admin, source["id"], state="watching", changes=3, suspended_since=None)

    async def emptied() -> bool | None:
        return await customer.value(f"SELECT count(*) FROM weft_outbox.change_{UUID(source['id']).hex}") == 0 or None

    await eventually(emptied, "the outbox being read to its end")
    assert len(await until_started(events, tenant, 4)) == 4


async def test_a_source_that_is_given_another_connection_goes_by_that_at_once(
    events: RunningService, customer: Customer, tenant: str
) -> None:
    admin = events.client(tenant, ["admin"])
    await tell(events, mirror(customer, tenant), tenant=tenant)
    source = await watching(events, tenant, customer)
    await until_shown(admin, source["id"], state="watching", reading=True)
    await tell(events, suspended("mirror"), tenant=tenant)
    changed = await admin.put(f"/api/v1/sources/{source['id']}", json={"connection": "mirror", "tables": ["orders"]})
    assert (changed.status_code, changed.json()["state"], changed.json()["reading"]) == (200, "suspended", False)


async def test_mails_are_fetched_when_their_connection_goes_on_and_not_before(
    events: RunningService, inbox: Inbox, resend: FakeResend, tenant: str
) -> None:
    both = (connection(tenant, resend), connection(tenant, resend, "second", webhook_secret=ANOTHER_SECRET))
    await tell(events, *both, workflow(MAIL), tenant=tenant)
    held = suspended("resend")
    await tell(events, held, tenant=tenant)
    assert (await inbox.told(resend.arrives(1))).status_code == 202
    assert (await inbox.told(resend.arrives(2), secret=ANOTHER_SECRET)).status_code == 202
    await inbox.becomes("taken")
    (waiting,) = await inbox.becomes("waiting")
    assert (waiting["connection"], waiting["suspended"], waiting["next_at"], waiting["attempts"]) == ("resend", True, None, 0)
    assert waiting["email_id"] not in str(resend.calls)
    inbox.later(3600)
    await tell(events, resumed(held), tenant=tenant)
    inbox.later(0)
    await inbox.becomes("taken", 2)
    assert [one["suspended"] for one in await inbox.mails()] == [False, False]
    assert len(inbox.starts()) == 2
    assert len([call for call in resend.calls if call.path == f"/emails/receiving/{waiting['email_id']}"]) == 1


async def test_a_mail_that_is_asked_for_again_waits_for_its_connection_too(
    events: RunningService, inbox: Inbox, resend: FakeResend, tenant: str
) -> None:
    await tell(events, connection(tenant, resend), workflow(MAIL), tenant=tenant)
    resend.failures.append((422, {}, b"{}"))
    await inbox.told(resend.arrives())
    (failed,) = await inbox.becomes("failed")
    held = suspended("resend")
    await tell(events, held, tenant=tenant)
    again = (await inbox.client.post(f"/api/v1/inbound/mails/{failed['id']}/retry")).json()
    assert (again["status"], again["suspended"], again["next_at"]) == ("waiting", True, None)
    await tell(events, resumed(held), tenant=tenant)
    inbox.later(0)
    await inbox.becomes("taken")


async def test_a_mail_that_was_taken_in_hand_just_before_is_laid_by_and_that_was_no_attempt(
    events: RunningService, resend: FakeResend, tenant: str
) -> None:
    # In one transaction, which the loop beside this test does not see into.
    await tell(events, connection(tenant, resend), tenant=tenant)
    async with events.context.owner_transaction(tenant) as uow:
        by = (await connections.of_type(uow, "resend"))["resend"]
        receipt = await usecases.tell(by, Notice("e1", "zoe@client.example", ("orders@acme.example",), "Order", "<1@x>"), uow)
        in_hand = {one.id: one for one in await usecases.begin_fetching(50, uow)}[receipt.log_ids[0]]
        held = suspended("resend")
        await usecases.hold_connection(held, uow)
        assert await usecases.opened(in_hand, events.context.part(Envelope), uow) is None
        laid_by = await mail_rows.find(uow, in_hand.id)
        assert (laid_by.status, laid_by.attempts, laid_by.next_at, laid_by.suspended) == ("waiting", 0, None, True)
        await usecases.resume_connection(resumed(held), uow)
        assert (await mail_rows.find(uow, in_hand.id)).next_at == uow.now


async def test_words_about_suspensions_may_come_in_any_order_and_more_than_once(
    events: RunningService, inbox: Inbox, resend: FakeResend, tenant: str
) -> None:
    await tell(events, connection(tenant, resend), workflow(MAIL), tenant=tenant)
    first, second = suspended("resend"), suspended("resend")
    await tell(events, second, tenant=tenant)
    await tell(events, resumed(first), tenant=tenant)
    await tell(events, first, tenant=tenant)
    await inbox.told(resend.arrives())
    (waiting,) = await inbox.becomes("waiting")
    assert waiting["suspended"]
    for word in (resumed(second), second, resumed(second), first):
        await tell(events, word, tenant=tenant)
    inbox.later(0)
    await inbox.becomes("taken")


async def test_a_connection_of_the_same_name_of_another_tenant_is_not_held_up(
    events: RunningService, inbox: Inbox, resend: FakeResend, tenant: str
) -> None:
    await tell(events, suspended("resend"), tenant="somebody-else-suspends")
    await tell(events, connection(tenant, resend), workflow(MAIL), tenant=tenant)
    await inbox.told(resend.arrives())
    await inbox.becomes("taken")
