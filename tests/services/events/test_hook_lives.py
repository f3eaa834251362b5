"""What becomes of a webhook's address and of what verifies its calls; how often it may be called; what is shown of its secret."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio
from weft_events.api.hooks import door
from weft_events.app import build
from weft_runtime.testing import RunningService, running_service, tell

from tests.services.events.conftest import workflow
from tests.services.events.sender import BODY, HOOK, Sender, code
from tests.services.events.signing import JSON, SECRET, connection, removed, signed

LIMITED = "limited"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def events(database_url: str) -> AsyncIterator[RunningService]:
    """The service; one tenant's webhooks may be called twice an hour."""
    async with running_service(build, database_url, requests_per_hour_by_tenant={LIMITED: {"hook": 2}}) as running:
        yield running


async def test_an_address_lives_as_long_as_an_active_version_has_it(events: RunningService, sender: Sender, tenant: str) -> None:
    await tell(events, connection(tenant), tenant=tenant)
    moved = HOOK | {"path": "moved"}
    seen = []
    for revision, change in enumerate(
        [
            workflow(HOOK),
            workflow(HOOK, status="inactive"),
            workflow(HOOK),
            workflow(moved, version=2),
            workflow(moved, version=2, status="archived"),
        ],
        1,
    ):
        await tell(events, change.model_copy(update={"revision": revision}), tenant=tenant)
        seen.append(
            [(await sender.send(path=path, delivery=f"{revision} {path}".replace(" ", "-"))).status_code for path in ("in", "moved")]
        )
    assert seen == [[202, 404], [404, 404], [202, 404], [404, 202], [404, 404]]
    assert [start.workflow_version for start in sender.starts()] == [1, 1, 2]


async def test_a_connection_is_known_as_it_was_last_said_and_forgotten_when_it_is_gone(
    events: RunningService, sender: Sender, tenant: str
) -> None:
    old, new = (base64.b64encode(text).decode() for text in (b"the secret that was", b"the secret that is"))
    await tell(events, workflow(HOOK), tenant=tenant)

    async def verified() -> list[bool]:
        found = []
        for secret in (old, new):
            answer = await sender.send(secret=secret, delivery=os.urandom(8).hex())
            found.append({202: True, 401: False}[answer.status_code])
        return found

    seen = [await verified()]
    for word in (
        connection(tenant, old),
        connection(tenant, new, old, revision=2),
        connection(tenant, old, revision=1),
        connection(tenant, new, revision=3),
        removed(tenant, revision=4),
        connection(tenant, new, revision=3),
    ):
        await tell(events, word, tenant=tenant)
        seen.append(await verified())
    assert seen == [[False, False], [True, False], [True, True], [True, True], [False, True], [False, False], [False, False]]
    await tell(events, connection(tenant, new, name="elsewhere", of="http"), tenant=tenant)
    await tell(events, workflow(HOOK | {"connection": "elsewhere"}, revision=2, version=2), tenant=tenant)
    assert await verified() == [False, False]


async def test_a_header_of_the_connection_is_where_a_plain_signature_is_looked_for(
    events: RunningService, sender: Sender, tenant: str
) -> None:
    await tell(events, connection(tenant, header="X-Shop-Sign"), workflow(HOOK | {"signature": "hmac-sha256"}), tenant=tenant)
    usual = signed("hmac-sha256", BODY, events.clock.now())
    moved = {"content-type": JSON, "x-shop-sign": usual["x-signature"]}
    answers = [await sender.client.post(f"/hooks/{tenant}/in", content=BODY, headers=headers) for headers in (usual, moved)]
    assert [answer.status_code for answer in answers] == [401, 202]
    (start,) = sender.starts()
    assert start.trigger.request is not None and "x-shop-sign" not in start.trigger.request["headers"]


async def test_slack_gets_its_challenge_back_once_it_is_verified(
    events: RunningService, client: httpx2.AsyncClient, sender: Sender, tenant: str
) -> None:
    await tell(events, connection(tenant), workflow(HOOK | {"signature": "slack"}), tenant=tenant)
    body = json.dumps(
        {"type": "url_verification", "token": "t", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}
    ).encode()
    forged = await sender.send(body, scheme="none")
    answer = await sender.send(body, scheme="slack")
    assert (forged.status_code, answer.status_code, answer.json()) == (401, 200, {"challenge": json.loads(body)["challenge"]})
    assert (sender.starts(), (await client.get("/api/v1/events")).json()["items"]) == ([], [])


async def test_a_tenants_calls_are_counted_once_they_are_verified(events: RunningService, outside: httpx2.AsyncClient) -> None:
    await tell(events, connection(LIMITED), workflow(HOOK), tenant=LIMITED)
    sender = Sender(events, outside, LIMITED)
    forged = [await sender.send(secret="nobody's", delivery=f"f-{place}") for place in range(4)]
    answers = [await sender.send(delivery=f"d-{place}") for place in range(3)]
    assert [answer.status_code for answer in (*forged, *answers)] == [401, 401, 401, 401, 202, 202, 429]
    assert (code(answers[2]), '"hook";q=2;w=3600' in answers[2].headers["ratelimit-policy"]) == ((429, "rate_limited"), True)
    assert int(answers[2].headers["retry-after"]) > 0
    assert len(sender.starts()) == 2


async def test_a_secret_that_was_told_is_shown_nowhere(
    events: RunningService, client: httpx2.AsyncClient, sender: Sender, tenant: str, capfd: pytest.CaptureFixture[str]
) -> None:
    await tell(events, connection(tenant), workflow(HOOK), tenant=tenant)
    accepted, refused = await sender.send(), await sender.send(secret="nobody's")
    event = await client.get("/api/v1/events/d-1/explain")
    told = "".join((*capfd.readouterr(), accepted.text, refused.text, event.text, *(start.model_dump_json() for start in sender.starts())))
    assert (accepted.status_code, refused.status_code, event.status_code) == (202, 401, 200)
    assert SECRET not in told
    assert signed("github", BODY, events.clock.now())["x-hub-signature-256"] not in told


def test_the_route_says_that_anybody_may_ask_and_how_often_and_how_much() -> None:
    rules = {(one.rules.public, one.rules.may, one.rules.per_minute, one.rules.max_body_bytes) for one in door.declared}
    assert rules == {(True, None, 6000, 256 * 1024)}
    assert sorted(method for one in door.declared for method in one.methods) == ["DELETE", "GET", "PATCH", "POST", "PUT"]
