"""`ANY /hooks/{tenant}/{path}`: who may call, what a call starts, and that it starts it once."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx2
from weft_runtime.testing import RunningService, tell

from tests.services.events.conftest import order, workflow
from tests.services.events.sender import BODY, HOOK, Sender, code
from tests.services.events.signing import JSON, SCHEMES, connection, signed
from tests.services.events.test_real_events import FOLDER, payloads


async def test_a_signed_call_is_an_event_in_the_log_and_starts_its_workflow_with_all_that_expressions_read(
    events: RunningService, client: httpx2.AsyncClient, sender: Sender, tenant: str
) -> None:
    hook = HOOK | {
        "when": "trigger.request.headers['x-github-event'] == 'issues' && trigger.payload.action == 'opened'",
        "input": {"number": "{{ trigger.payload.number }}", "tag": "{{ trigger.request.query.tag }}"},
        "key": "{{ trigger.payload.number }}",
    }
    await tell(events, connection(tenant), workflow(hook), tenant=tenant)
    answer = await sender.send(path="in?tag=a%20b", headers={"x-github-event": "issues"})
    assert answer.status_code == 202, answer.text
    receipt = answer.json()
    assert (receipt["accepted"], receipt["duplicates"], receipt["ids"]) == (1, 0, ["d-1"])
    (start,) = sender.starts()
    assert (start.workflow, start.input, start.key) == ("flow", {"number": 7, "tag": "a b"}, "7")
    trigger = start.trigger
    assert (trigger.type, trigger.id, trigger.event_id, trigger.payload) == ("webhook", "hook", receipt["log_ids"][0], json.loads(BODY))
    assert trigger.request is not None
    assert (trigger.request["method"], trigger.request["path"], trigger.request["query"]) == ("POST", "in", {"tag": "a b"})
    assert (trigger.request["headers"]["x-github-event"], "x-hub-signature-256" in trigger.request["headers"]) == ("issues", False)
    explained = (await client.get("/api/v1/events/d-1/explain")).json()
    (one,) = explained["triggers"]
    assert (one["matched"], one["execution_id"], one["condition"]["value"]) == (True, str(start.execution_id), True)
    shown = explained["event"]
    assert (shown["type"], shown["source"]) == ("weft.webhook.called", "weft/hooks/in?signature=github&connection=gh")
    assert (shown["data"], shown["request"], shown["status"]) == (json.loads(BODY), trigger.request, "matched")


async def test_the_same_delivery_again_changes_nothing_and_says_so(
    events: RunningService, client: httpx2.AsyncClient, sender: Sender, tenant: str
) -> None:
    triggers = [HOOK | {"id": scheme.replace("-", "_"), "path": scheme, "signature": scheme} for scheme in SCHEMES]
    await tell(events, connection(tenant), workflow(*triggers), tenant=tenant)
    for scheme in SCHEMES:
        # Hooks of Slack and plain ones have no id: the same bytes are the same call.
        answers = [await sender.send(path=scheme, scheme=scheme, delivery=f"d-{scheme}") for _ in range(3)]
        assert [(answer.status_code, answer.json()["accepted"], answer.json()["duplicates"]) for answer in answers] == [
            (202, 1, 0),
            (200, 0, 1),
            (200, 0, 1),
        ], scheme
        assert len({answer.json()["log_ids"][0] for answer in answers}) == 1
    # Sent again a minute later it is signed anew, and is the same delivery all the same.
    assert (await sender.send(path="svix", scheme="svix", delivery="d-svix", late_s=60)).status_code == 200
    slack = json.dumps({"event_id": "Ev1"}).encode()
    assert [(await sender.send(slack, "slack", "slack", late_s=late)).status_code for late in (0, 60)] == [202, 200]
    assert sorted((start.trigger.request or {})["path"] for start in sender.starts()) == sorted([*SCHEMES, "slack"])
    assert (await client.get("/api/v1/events/d-svix")).json()["duplicates"] == 3


async def test_two_at_once_of_one_delivery_start_one(events: RunningService, sender: Sender, tenant: str) -> None:
    await tell(events, connection(tenant), workflow(HOOK), tenant=tenant)
    answers = await asyncio.gather(*(sender.send() for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 202]
    assert len(sender.starts()) == 1


async def test_what_is_not_signed_as_it_should_be_is_refused_in_the_same_words_and_leaves_nothing(
    events: RunningService, client: httpx2.AsyncClient, sender: Sender, tenant: str
) -> None:
    triggers = [HOOK | {"id": scheme.replace("-", "_"), "path": scheme, "signature": scheme} for scheme in SCHEMES]
    lost = HOOK | {"id": "lost", "path": "lost", "connection": "absent"}
    await tell(events, connection(tenant), workflow(*triggers, lost), tenant=tenant)
    others = "whsec_" + base64.b64encode(b"of another tenant").decode()
    answers = [await sender.send(path="lost")]
    for scheme in SCHEMES:
        answers += [
            await sender.send(path=scheme, scheme=scheme, secret=others),
            await sender.send(path=scheme, scheme="none"),
            await sender.send(b"\xff\x00{", scheme, scheme="none"),
            await sender.client.post(f"/hooks/{tenant}/{scheme}", content=b"{ }", headers=signed(scheme, b"{}", events.clock.now())),
        ]
    answers += [await sender.send(path=one, scheme=one, late_s=late) for one in ("svix", "slack") for late in (-301, 301)]
    assert {answer.status_code for answer in answers} == {401}
    # Every answer has a trace of its own; nothing else tells one from another.
    assert len({json.dumps(answer.json() | {"trace_id": ""}, sort_keys=True) for answer in answers}) == 1
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Signature realm="weft"'}
    assert sender.starts() == []
    assert (await client.get("/api/v1/events")).json()["items"] == []


async def test_the_secret_of_another_tenant_opens_no_door(events: RunningService, sender: Sender, tenant: str) -> None:
    theirs = "whsec_" + base64.b64encode(b"a secret of theirs").decode()
    await tell(events, connection(tenant), workflow(HOOK), tenant=tenant)
    await tell(events, connection("neighbour", theirs), workflow(HOOK), tenant="neighbour")
    # A sealed text that is carried over to another tenant does not open there.
    stolen = connection("neighbour", theirs, name="stolen")
    await tell(events, stolen, workflow(HOOK | {"connection": "stolen", "path": "stolen"}, slug="thief"), tenant=tenant)
    assert [(await sender.send(secret=theirs, path=path)).status_code for path in ("in", "stolen")] == [401, 401]
    assert (await sender.send()).status_code == 202


async def test_an_address_that_nobody_has_is_answered_alike_whatever_it_lacks(
    events: RunningService, outside: httpx2.AsyncClient, sender: Sender, tenant: str
) -> None:
    await tell(events, connection(tenant), workflow(HOOK, HOOK | {"id": "off", "path": "off", "enabled": False}), tenant=tenant)
    addresses = [f"/hooks/{tenant}/{path}" for path in ("IN", "in/", "in/x", "off", "in%00x", "")]
    addresses += ["/hooks/nobody/in", "/hooks/No%20Body/in", f"/hooks/{'a' * 64}/in", "/hooks/%27/in", "/hooks/a%0ab/in"]
    answers = [await outside.post(address, content=b"{}") for address in addresses]
    assert [code(answer) for answer in answers if answer.status_code != 400] == [(404, "hook_not_found")] * (len(answers) - 1)
    assert len({answer.json()["detail"] for answer in answers if answer.status_code == 404}) == 1
    refused = [await outside.request(method, f"/hooks/{tenant}/in") for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH")]
    assert [(answer.status_code, answer.headers["allow"]) for answer in refused] == [(405, "POST")] * 5
    assert (await outside.options(f"/hooks/{tenant}/in")).status_code == 405


async def test_a_verified_call_that_cannot_be_read_is_refused_precisely_and_may_be_mended(
    events: RunningService, sender: Sender, tenant: str
) -> None:
    await tell(events, connection(tenant), workflow(HOOK), tenant=tenant)
    cases = [
        (b"{", JSON, (400, "malformed")),
        (b'{"a": 1, "a": 2}', JSON, (400, "duplicate_key")),
        (b'{"a": "\\u0000"}', JSON, (400, "malformed")),
        (b"a=%00", "application/x-www-form-urlencoded", (400, "malformed")),
        (b"<a/>", "application/xml", (415, "unsupported_media_type")),
        (b"{}", "", (415, "unsupported_media_type")),
        (b'"' + b"a" * 262_143 + b'"', JSON, (413, "too_large")),
        (b"\x01" * 100_000, "text/plain", (413, "event_too_large")),
    ]
    for body, content_type, expected in cases:
        assert code(await sender.send(body, content_type=content_type)) == expected
    largest = b'"' + b"a" * 262_142 + b'"'
    assert (await sender.send(largest)).status_code == 202
    assert [start.trigger.payload for start in sender.starts()] == [json.loads(largest)]


async def test_a_form_stays_a_form_and_json_under_another_type_is_no_json(events: RunningService, sender: Sender, tenant: str) -> None:
    await tell(events, connection(tenant), workflow(HOOK), tenant=tenant)
    form = b"payload=%7B%22action%22%3A%22opened%22%7D"
    bodies = [(form, "application/x-www-form-urlencoded"), (BODY, "application/x-www-form-urlencoded"), (BODY, "text/plain"), (b"", "")]
    for place, (body, content_type) in enumerate(bodies):
        assert (await sender.send(body, content_type=content_type, delivery=f"d-{place}")).status_code == 202
    assert [(start.trigger.payload, start.input) for start in sender.starts()] == [
        ({"payload": '{"action":"opened"}'}, {"payload": '{"action":"opened"}'}),
        ({BODY.decode(): ""}, {BODY.decode(): ""}),
        (BODY.decode(), {}),
        (None, {}),
    ]


async def test_a_webhook_that_anybody_may_call_starts_at_every_call_by_the_methods_it_names(
    events: RunningService, sender: Sender, tenant: str
) -> None:
    open_ = {"on": "webhook", "path": "open/one", "signature": "none", "methods": ["GET", "POST"]}
    await tell(events, workflow(open_), tenant=tenant)
    answers = [await sender.send(b"", "open/one?n=1", "none", method="GET") for _ in range(2)]
    answers += [await sender.send(b"", "open/one?n=1", "none", method="GET", headers={"if-none-match": "*"})]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    head = await sender.client.head(f"/hooks/{tenant}/open/one")
    assert (head.status_code, head.headers["allow"]) == (405, "GET, POST")
    assert [(start.trigger.payload, (start.trigger.request or {})["query"]) for start in sender.starts()] == [(None, {"n": "1"})] * 3
    keyed = [await sender.send(path="open/one", scheme="none", headers={"idempotency-key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in keyed] == [202, 200]


async def test_workflows_that_share_a_path_start_where_their_own_connection_verifies(
    events: RunningService, client: httpx2.AsyncClient, sender: Sender, tenant: str
) -> None:
    others = "whsec_" + base64.b64encode(b"the secret of another sender").decode()
    await tell(events, connection(tenant), connection(tenant, others, name="other"), tenant=tenant)
    flows = {"first": HOOK, "second": HOOK, "third": HOOK | {"connection": "other"}}
    await tell(events, *(workflow(hook, slug=slug) for slug, hook in flows.items()), tenant=tenant)
    assert (await sender.send()).json()["accepted"] == 1
    assert (await sender.send(secret=others)).json()["accepted"] == 1
    assert sorted(start.workflow for start in sender.starts()) == ["first", "second", "third"]
    source = "weft/hooks/in?signature=github&connection=gh"
    explained = (await client.get("/api/v1/events/d-1/explain", params={"source": source})).json()
    assert {one["workflow"]: (one["matched"], one["reason"]) for one in explained["triggers"]} == {
        "first": (True, "matched"),
        "second": (True, "matched"),
        "third": (False, "signature"),
    }


async def test_no_trigger_on_events_and_no_waiting_state_hears_a_call_and_nobody_passes_for_one(
    events: RunningService, client: httpx2.AsyncClient, sender: Sender, tenant: str
) -> None:
    listening = workflow({"event": "*"}, {"event": "weft.webhook.called"}, slug="curious")
    await tell(events, connection(tenant), workflow(HOOK), listening, tenant=tenant)
    assert (await sender.send()).status_code == 202
    assert [start.workflow for start in sender.starts()] == ["flow"]
    forged = order(source="weft/hooks/in?signature=github&connection=gh", id="d-2")
    refused = await client.post("/api/v1/events", json=forged, headers={"content-type": "application/cloudevents+json"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "reserved_source")
    assert (await sender.send(delivery="d-2")).status_code == 202


async def test_real_payloads_of_github_come_in_as_they_are_and_each_once(events: RunningService, sender: Sender, tenant: str) -> None:
    hook = HOOK | {"input": {"event": "{{ trigger.request.headers['x-github-event'] }}"}}
    await tell(events, connection(tenant), workflow(hook), tenant=tenant)
    # All of them are verified in `test_verifying.py`.
    found = payloads()[::9]
    if not found:
        print("not run: no conformance data")
    for name, type_, _ in found:
        how: dict[str, Any] = {"delivery": name, "headers": {"x-github-event": type_.removeprefix("github.")}}
        answers = [await sender.send((FOLDER / name).read_bytes(), **how) for _ in range(2)]
        assert [(answer.status_code, answer.json().get("ids")) for answer in answers] == [(202, [name]), (200, [name])]
    started = [(start.trigger.payload, start.input["event"]) for start in sender.starts()]
    assert started == [(payload, type_.removeprefix("github.")) for _, type_, payload in found]
