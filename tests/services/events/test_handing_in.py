"""`POST /inbound/mail/{tenant}`: whole mails from a server's pipe; and for which addresses a mail is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from weft_contracts.executions import StartExecution
from weft_events import domain, usecases
from weft_events.mails import addresses, parse, recipients
from weft_events.mails.matching import AddressIndex
from weft_runtime.testing import RunningService, said, tell

from tests.services.events.conftest import order, workflow

MAIL = (
    b"From: Zoe <zoe@client.example>\nTo: Orders <Orders+eu@ACME.example>\nSubject: Order 7\nMessage-ID: <7@client.example>\n\nOne pump\n"
)
TRIGGER = {"on": "email", "id": "mail", "address": "orders@acme.example"}
RFC822 = {"content-type": "message/rfc822"}


async def hand_in(client: httpx2.AsyncClient, tenant: str, mail: bytes = MAIL, query: str = "") -> tuple[int, Any]:
    answer = await client.post(f"/inbound/mail/{tenant}{query}", content=mail, headers=RFC822)
    return answer.status_code, answer.json()


def starts(events: RunningService, tenant: str) -> list[StartExecution]:
    return said(events, StartExecution, tenant=tenant)


async def test_a_mail_that_is_handed_in_starts_its_workflow_once(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await tell(events, workflow(TRIGGER | {"input": {"text": "{{ trigger.payload.text }}"}}), tenant=tenant)
    status, receipt = await hand_in(client, tenant)
    # With a line that another server wrote on its way it is the same mail.
    again = await hand_in(client, tenant, b"Received: by mx2.acme.example\n" + MAIL.replace(b"\n", b"\r\n"))
    assert (status, receipt["accepted"]) == (202, 1)
    assert (again[0], again[1]) == (200, receipt | {"accepted": 0, "duplicates": 1})
    (start,) = starts(events, tenant)
    assert (start.input, start.trigger.type, start.trigger.payload["recipients"]) == (
        {"text": "One pump\n"},
        "email",
        ["orders+eu@acme.example"],
    )
    shown = (await client.get(f"/api/v1/events/{receipt['log_ids'][0]}")).json()
    assert (shown["type"], shown["source"], shown["status"], shown["duplicates"]) == (
        "weft.mail.received",
        "weft/mail/handed-in",
        "matched",
        1,
    )


async def test_whom_the_server_names_is_who_it_is_for(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await tell(events, workflow(TRIGGER), workflow(TRIGGER | {"address": "*@hidden.example"}, slug="hidden"), tenant=tenant)
    assert (await hand_in(client, tenant, query="?to=Somebody%40Hidden.example"))[0] == 202
    assert (await hand_in(client, tenant, query="?to=nobody%40else.example"))[0] == 202
    assert [start.workflow for start in starts(events, tenant)] == ["hidden"]
    # Each of its recipients, one after the other, is a mail of its own, as servers deliver them.
    assert (await hand_in(client, tenant))[0] == 202
    assert [start.workflow for start in starts(events, tenant)] == ["hidden", "flow"]


async def test_what_is_no_mail_is_refused_with_its_code(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(30))
    codes = [(await hand_in(client, tenant, body)) for body in (b"", b"hello", b"A" * 300_000, deep)]
    assert [(status, problem["code"]) for status, problem in codes] == [
        (400, "mail_empty"),
        (400, "mail_no_headers"),
        (400, "mail_headers_too_large"),
        (400, "mail_too_deep"),
    ]
    assert (await hand_in(client, tenant, MAIL + b"x" * 10 * 1024 * 1024))[0] == 413
    assert (await client.get("/api/v1/events")).json()["items"] == []


async def test_only_who_may_publish_events_of_the_tenant_hands_mails_in(
    events: RunningService, client: httpx2.AsyncClient, outside: httpx2.AsyncClient, tenant: str
) -> None:
    assert (await hand_in(outside, tenant))[0] == 401
    assert (await hand_in(events.client(tenant, ["viewer"]), tenant))[0] == 403
    assert (await hand_in(client, "another-tenant"))[0] == 404
    forged = order(source="weft/mail/handed-in")
    refused = await client.post("/api/v1/events", json=forged, headers={"content-type": "application/cloudevents+json"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "reserved_source")


async def test_a_mail_is_forgotten_with_its_event(events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await hand_in(client, tenant)
    now = datetime.now(UTC)  # ids tell the time of the machine
    async with events.context.owner_transaction(tenant) as uow:
        uow.now = now + timedelta(days=2)
        assert not await usecases.forget_events(1, uow)
    assert (await hand_in(client, tenant))[0] == 202


@pytest.mark.parametrize(
    ("address", "comes_to"),
    [
        ("orders@acme.example", ["exact", "any"]),
        ("ORDERS@Acme.Example.", ["exact", "any"]),
        ("orders+invoice@acme.example", ["exact", "tagged", "any"]),
        ("orders+vip@acme.example", ["exact", "vip", "tagged", "any"]),
        ("other@acme.example", ["any"]),
        ("orders@acme.example.evil.example", []),
        ("orders@sub.acme.example", []),
        ("info@mächine.example", ["wide"]),
        ("info@xn--mchine-bua.example", ["wide"]),
        ("+@acme.example", ["any"]),
    ],
)
def test_an_address_comes_to_the_triggers_that_listen_to_it(address: str, comes_to: list[str]) -> None:
    listened = {
        "exact": "Orders@acme.example",
        "vip": "orders+vip@acme.example",
        "tagged": "orders+*@acme.example",
        "any": "*@acme.example",
        "wide": "info@mächine.example",
    }
    written = [{"on": "email", "id": id_, "address": pattern} for id_, pattern in listened.items()]
    index = AddressIndex(domain.candidates("flow", 1, written))
    mail = parse(f"To: {address}\n\n".encode())
    assert [one.trigger.id for one in index.of(recipients(mail, [address]))] == comes_to


def test_addresses_are_read_as_people_and_programs_write_them() -> None:
    given = {
        'Zoe <a@b.example>, "Doe, John" <c@d.example>': ["a@b.example", "c@d.example"],
        "undisclosed-recipients:;": [],
        "Friends: a@b.example, c@d.example;, e@f.example": ["a@b.example", "c@d.example", "e@f.example"],
        "a@b.example (Zoe (the first), really)": ["a@b.example"],
        "<@relay.example,@other.example:a@b.example>": ["a@b.example"],
        "no address, <>, <a b@c>, a@, @b, a@b@c": [],
        '"a@b.example" <c@d.example>, "a@b.example"': ["c@d.example"],
        '"quoted local"@b.example': [],
        '<"quoted local"@b.example>': ['"quoted local"@b.example'],
        "John Doe a@b.example": ["a@b.example"],
    }
    assert {text: [one.address for one in addresses.read(text)] for text in given} == given
