"""Mails by Resend: who may tell of one, that it is fetched and starts what it starts once, whatever dies or fails in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from weft_contracts.connections import ConnectionSaved
from weft_contracts.executions import StartExecution
from weft_events import usecases
from weft_events.app import build
from weft_events.fetching import MailWake
from weft_runtime.sealing import Envelope
from weft_runtime.testing import RunningService, eventually, running_service, said, tell
from weft_runtime.testing.running import TEST_SECRET

from tests.services.events.conftest import workflow
from tests.services.events.signing import id_of
from tests.support.resend import API_KEY, WEBHOOK_SECRET, FakeResend, notified, serving

MAIL = {"on": "email", "id": "mail", "address": "orders@acme.example"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def events(database_url: str) -> AsyncIterator[RunningService]:
    """The service, which may reach this machine."""
    async with running_service(build, database_url, allow_private_addresses=True) as running:
        yield running


@pytest.fixture
def resend() -> Iterator[FakeResend]:
    with serving() as fake:
        yield fake
        assert fake.faults == []


def connection(
    tenant: str, resend: FakeResend, name: str = "resend", revision: int = 1, key: str = API_KEY, **secrets: str
) -> ConnectionSaved:
    """What the engine says of a connection to Resend."""
    given = {"api_key": key, "webhook_secret": WEBHOOK_SECRET} | secrets
    id_, envelope = id_of(tenant, name), Envelope(TEST_SECRET)
    sealed = {field: envelope.close(text, tenant=tenant, connection=str(id_), field=field) for field, text in given.items()}
    fields = {"connection_id": id_, "revision": revision, "name": name, "connection_type": "resend", "sealed": sealed}
    return ConnectionSaved.model_validate({**fields, "settings": {"base_url": resend.url}, "at": datetime.now(UTC)})


class Inbox:
    """A tenant's mails. client: somebody of the tenant."""

    def __init__(self, events: RunningService, client: httpx2.AsyncClient, outside: httpx2.AsyncClient, tenant: str) -> None:
        self.events, self.client, self.outside, self.tenant = events, client, outside, tenant

    async def told(self, notice: dict[str, Any], late_s: int = 0, **how: Any) -> httpx2.Response:
        """Tell of a mail, as Resend does."""
        at = self.events.clock.now() - timedelta(seconds=late_s)
        return await self.outside.post(f"/inbound/resend/{self.tenant}", **notified(notice, at, **how))

    async def mails(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.client.get("/api/v1/inbound/mails")).json()["items"]
        return items

    async def becomes(self, status: str, count: int = 1) -> list[dict[str, Any]]:
        """The mails, once so many are where they are to be."""

        async def there() -> list[dict[str, Any]] | None:
            found = [one for one in await self.mails() if one["status"] == status]
            return found if len(found) == count else None

        return await eventually(there, f"{count} mails being {status}")

    async def fails(self, code: str) -> dict[str, Any]:
        """The one mail, once the newest attempt at it has failed so."""

        async def there() -> dict[str, Any] | None:
            (one,) = await self.mails()
            return one if (one["error"] or {}).get("code") == code else None

        return await eventually(there, f"the error {code}")

    def later(self, seconds: int) -> None:
        """Time passes."""
        self.events.clock.advance(timedelta(seconds=seconds))
        self.events.context.part(MailWake).call()

    def starts(self) -> list[StartExecution]:
        return said(self.events, StartExecution, tenant=self.tenant)


@pytest.fixture
def inbox(events: RunningService, client: httpx2.AsyncClient, outside: httpx2.AsyncClient, tenant: str) -> Inbox:
    return Inbox(events, client, outside, tenant)


async def test_a_mail_that_is_told_of_is_fetched_and_starts_its_workflow_with_what_it_says(
    events: RunningService, inbox: Inbox, resend: FakeResend, tenant: str
) -> None:
    mail = MAIL | {
        "when": "trigger.payload.from.address == 'zoe@client.example' && trigger.payload.headers['x-priority'] == '1'",
        "input": {"subject": "{{ trigger.payload.subject }}", "file": "{{ trigger.payload.attachments[0].content }}"},
        "key": "{{ trigger.payload.message_id }}",
    }
    await tell(events, connection(tenant, resend), workflow(mail), tenant=tenant)
    notice = resend.arrives(files={"lines.csv": b"a;b\n1;2\n", "large.csv": b"x" * 100_000})
    answer = await inbox.told(notice)
    assert answer.status_code == 202, answer.text
    assert (answer.json()["accepted"], answer.json()["ids"]) == (1, [notice["data"]["email_id"]])
    (taken,) = await inbox.becomes("taken")
    assert answer.json()["log_ids"] == [taken["id"]]
    (start,) = inbox.starts()
    assert (start.workflow, start.key, start.input) == ("flow", "<1@client.example>", {"subject": "Order 1", "file": "YTtiCjE7Mgo="})
    assert (start.trigger.type, start.trigger.id, start.trigger.event_id) == ("email", "mail", taken["id"])
    payload = start.trigger.payload
    assert payload["from"] == {"address": "zoe@client.example", "name": "Zoë"}
    assert (payload["text"], payload["html"]) == ("One pump\nplease", "<p>One <b>pump</b></p>")
    assert (payload["date"], payload["in_reply_to"]) == ("2026-11-26T10:00:00Z", "<0@acme.example>")
    assert [(one["name"], one["size"], one["content"] is None) for one in payload["attachments"]] == [
        ("lines.csv", 8, False),
        ("large.csv", 100_000, True),
    ]
    explained = (await inbox.client.get(f"/api/v1/events/{taken['id']}/explain")).json()
    (one,) = explained["triggers"]
    assert (one["matched"], one["execution_id"], one["condition"]["value"]) == (True, str(start.execution_id), True)
    shown = explained["event"]
    assert (shown["type"], shown["source"], shown["subject"]) == ("weft.mail.received", "weft/mail/resend?connection=resend", "Order 1")
    assert (shown["id"], shown["data"]) == (notice["data"]["email_id"], payload)


async def test_the_same_mail_is_taken_once_by_whatever_makes_it_the_same(
    events: RunningService, inbox: Inbox, resend: FakeResend, tenant: str
) -> None:
    await tell(events, connection(tenant, resend), workflow(MAIL), tenant=tenant)
    notice = resend.arrives()
    answers = await asyncio.gather(*(inbox.told(notice) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 202]
    # Signed anew under another id of the webhook; and taken in by Resend a second time, under another id of the mail.
    again = [
        await inbox.told(notice, delivery="msg_2", late_s=60),
        await inbox.told(resend.arrives(2, message_id="<1@client.example>", subject="Order 1")),
    ]
    assert [answer.status_code for answer in again] == [200, 200]
    # Another's message id takes nothing from anybody.
    other = resend.arrives(3, message_id="<1@client.example>", sender="eve@client.example")
    assert (await inbox.told(other)).status_code == 202
    taken = await inbox.becomes("taken", 2)
    assert [one["duplicates"] for one in taken] == [0, 4]
    assert len(inbox.starts()) == 2


async def test_who_is_not_resend_is_refused_in_the_same_words_and_leaves_nothing(
    events: RunningService, inbox: Inbox, resend: FakeResend, tenant: str, outside: httpx2.AsyncClient
) -> None:
    notice = resend.arrives()
    answers = [await inbox.told(notice)]
    await tell(events, connection(tenant, resend), workflow(MAIL), tenant=tenant)
    signed = notified(notice, events.clock.now())
    changes = ({"svix-signature": "v1,AAAA"}, {"svix-signature": "%%"}, {"svix-timestamp": "x"}, {"svix-id": "msg_9"}, {"svix-id": ""})
    altered = [{"content": signed["content"], "headers": signed["headers"] | change} for change in changes]
    answers += [await outside.post(f"/inbound/resend/{tenant}", **one) for one in altered]
    answers += [
        await outside.post(f"/inbound/resend/{tenant}", content=signed["content"] + b" ", headers=signed["headers"]),
        await outside.post(f"/inbound/resend/{tenant}", content=b"\xff{", headers={}),
        await outside.post("/inbound/resend/No%20Body", **signed),
        await outside.post("/inbound/resend/nobody", **signed),
        await inbox.told(notice, late_s=301),
        await inbox.told(notice, secret="whsec_YW5vdGhlcg=="),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({json.dumps(answer.json() | {"trace_id": ""}, sort_keys=True) for answer in answers}) == 1
    assert (await inbox.mails(), resend.calls) == ([], [])


async def test_a_notice_is_held_to_what_resend_describes_and_its_other_events_are_answered(
    events: RunningService, inbox: Inbox, resend: FakeResend, tenant: str
) -> None:
    await tell(events, connection(tenant, resend), tenant=tenant)
    data = resend.arrives()["data"]

    async def answered(document: Any) -> tuple[int | None, Any]:
        answer = (await inbox.told(document)).json()
        return answer.get("status"), [one["pointer"] for one in answer.get("errors", ())] or answer.get("code") or answer.get("ignored")

    event = {"type": "email.received", "created_at": "2026-11-26T10:00:00Z"}
    assert await answered(event | {"data": {k: v for k, v in data.items() if k != "email_id"}}) == (422, ["/data/email_id"])
    assert await answered(event | {"data": data | {"email_id": "../../domains"}}) == (422, ["/data/email_id"])
    assert await answered(event | {"data": data | {"to": "a@b.c", "cc": [1]}}) == (422, ["/data/to", "/data/cc/0"])
    assert (await answered([]))[0] == 422
    assert await answered(event | {"type": "email.bounced", "data": {}}) == (None, "email.bounced")
    assert (await inbox.mails(), resend.calls) == ([], [])


async def test_what_fails_on_the_way_is_tried_again_and_nothing_starts_twice(
    events: RunningService, inbox: Inbox, resend: FakeResend, tenant: str
) -> None:
    await tell(events, connection(tenant, resend), workflow(MAIL), tenant=tenant)
    resend.failures.extend([(429, {"retry-after": "7"}, b"{}"), (503, {}, b"<html>"), "half", (200, {}, b"[]"), (404, {}, b"{}")])
    assert (await inbox.told(resend.arrives())).status_code == 202
    codes = ["email_rate_limited", "email_unavailable", "email_unreachable", "email_bad_response", "email_refused"]
    for attempts, code in enumerate(codes, start=1):
        one = await inbox.fails(code)
        assert (one["attempts"], one["status"], inbox.starts()) == (attempts, "waiting", [])
        inbox.later(60)
    await inbox.becomes("taken")
    assert len(inbox.starts()) == 1


async def test_a_mail_that_cannot_be_fetched_is_shown_and_is_fetched_when_somebody_asks_again(
    events: RunningService, inbox: Inbox, resend: FakeResend, tenant: str
) -> None:
    await tell(events, connection(tenant, resend), workflow(MAIL), tenant=tenant)
    resend.failures.append((422, {}, json.dumps({"name": "validation_error", "message": f"no {API_KEY}"}).encode()))
    await inbox.told(resend.arrives())
    (failed,) = await inbox.becomes("failed")
    assert failed["error"] == {"code": "email_refused", "message": "Resend answered 422, validation_error: no ***"}
    assert (failed["next_at"], failed["sender"], failed["subject"]) == (None, "Zoë <zoe@client.example>", "Order 1")
    again = await inbox.client.post(f"/api/v1/inbound/mails/{failed['id']}/retry")
    assert (again.status_code, again.json()["status"]) == (202, "waiting")
    await inbox.becomes("taken")
    assert len(inbox.starts()) == 1
    refused = await inbox.client.post(f"/api/v1/inbound/mails/{failed['id']}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "mail_not_failed")
    stranger = events.client("somebody-else", ["service"])
    assert (await stranger.get(f"/api/v1/inbound/mails/{failed['id']}")).json()["code"] == "mail_not_found"


async def test_whoever_dies_with_a_mail_in_hand_leaves_it_to_another_and_comes_too_late_itself(
    events: RunningService, inbox: Inbox, resend: FakeResend, tenant: str
) -> None:
    await tell(events, connection(tenant, resend), workflow(MAIL), tenant=tenant)
    resend.failures.append("slow")
    await inbox.told(resend.arrives())

    async def asked() -> dict[str, Any] | None:
        return (await inbox.mails())[0] if resend.calls else None

    held = await eventually(asked, "the mail being asked for")
    inbox.later(121)
    await inbox.becomes("taken")
    assert [call.path for call in resend.calls] == [f"/emails/receiving/{held['email_id']}"] * 2
    async with events.context.owner_transaction(tenant) as uow:
        told = await usecases.begin_fetching(1, uow)
    assert (told, len(inbox.starts())) == ([], 1)


async def test_another_key_is_waited_for_since_somebody_will_mend_it(
    events: RunningService, inbox: Inbox, resend: FakeResend, tenant: str
) -> None:
    await tell(events, connection(tenant, resend, key="re_wrong_one"), workflow(MAIL), tenant=tenant)
    await inbox.told(resend.arrives())
    assert (await inbox.fails("email_unauthorized"))["status"] == "waiting"
    await tell(events, connection(tenant, resend, revision=2), tenant=tenant)
    inbox.later(5)
    await inbox.becomes("taken")


async def test_a_mail_for_nobody_is_in_the_log_and_says_who_listens(
    events: RunningService, inbox: Inbox, resend: FakeResend, tenant: str
) -> None:
    listening = workflow({"event": "*"}, {"event": "weft.mail.received"}, slug="curious")
    await tell(events, connection(tenant, resend), workflow(MAIL), listening, tenant=tenant)
    await inbox.told(resend.arrives(to=["someone@acme.example"]))
    (taken,) = await inbox.becomes("taken")
    explained = (await inbox.client.get(f"/api/v1/events/{taken['id']}/explain")).json()
    assert explained["event"]["status"] == "unmatched"
    assert [(one["workflow"], one["reason"], one["detail"]) for one in explained["triggers"]] == [
        ("flow", "address", "the trigger listens to orders@acme.example, and the mail is for someone@acme.example")
    ]
    assert inbox.starts() == []


async def test_what_a_sender_puts_into_a_mail_that_cannot_be_stored_keeps_no_mail_out(
    events: RunningService, inbox: Inbox, resend: FakeResend, tenant: str
) -> None:
    await tell(events, connection(tenant, resend), workflow(MAIL), tenant=tenant)
    odd = "a\x00b\ud83dc"
    notice = resend.arrives(subject=odd, text=odd, html=f"<p>{odd}</p>", sender=f"{odd} <zoe@client.example>", headers={"X-Odd": odd})
    assert (await inbox.told(notice)).status_code == 202
    await inbox.becomes("taken")
    (start,) = inbox.starts()
    payload = start.trigger.payload
    assert (payload["text"], payload["headers"]["x-odd"]) == ("a\ufffdb\ufffdc", "a\ufffdb\ufffdc")
    assert (payload["from"]["name"], payload["html"]) == ("a\ufffdb\ufffdc", "<p>a\ufffdb\ufffdc</p>")
