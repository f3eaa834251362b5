"""A mail that Resend tells of starts a workflow that answers it by Resend, once: through the whole mesh, and out of it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from weft_runtime.testing import until

from tests.support.meshes import MeshProcess, publish
from tests.support.modes import in_many_processes
from tests.support.resend import API_KEY, WEBHOOK_SECRET, FakeResend, notified, serving

pytestmark = [pytest.mark.timeout(400), in_many_processes]
SLUG = "answers-mails"
DOCUMENT: dict[str, Any] = {
    "format": "weft/v1",
    "name": "Answers mails",
    "slug": SLUG,
    "triggers": [
        {
            "id": "asked",
            "on": "email",
            "address": f"{SLUG}@acme.example",
            "when": "trigger.payload.subject.startsWith('Order')",
            "input": {
                "from": "{{ trigger.payload.from }}",
                "subject": "{{ trigger.payload.subject }}",
                "message_id": "{{ trigger.payload.message_id }}",
            },
        }
    ],
    "nodes": [
        {
            "id": "answer",
            "type": "email.send",
            "with": {
                "connection": SLUG,
                "to": "{{ input.from }}",
                "subject": "Re: {{ input.subject }}",
                "text": "We have it.",
                "headers": {"In-Reply-To": "{{ input.message_id }}"},
            },
        }
    ],
    "output": {"sent": "{{ step.answer.output.id }}"},
}


@pytest.fixture
def resend() -> Iterator[FakeResend]:
    with serving() as fake:
        yield fake
        assert fake.faults == []


def answered(call: Callable[[], httpx2.Response], status: int) -> httpx2.Response | None:
    """The answer, once it is the one that is waited for."""
    answer = call()
    return answer if answer.status_code == status else None


def test_a_mail_is_fetched_and_answered_once_however_often_it_is_told_of_and_fails_on_its_way(
    mesh: MeshProcess, resend: FakeResend
) -> None:
    admin = mesh.signed_in("admin")
    secrets = {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET}
    settings = {"base_url": resend.url, "from": "Shop <shop@acme.example>"}
    made = admin.post("/connections", json={"name": SLUG, "type": "resend", "settings": settings, "secrets": secrets})
    assert (made.status_code, API_KEY in made.text) == (201, False), made.text
    tried = admin.post(f"/connections/{made.json()['id']}/test").json()
    assert (tried["ok"], tried["status"]) == (True, 200), tried
    publish(admin, DOCUMENT)
    notice = resend.arrives(to=[f"{SLUG}+now@acme.example"], sender="Zoë <zoe@client.example>")
    resend.failures.append((503, {}, b"{}"))
    address = f"{mesh.url}/inbound/resend/{mesh.known['demo']['tenant']}"

    def tell() -> httpx2.Response:
        return httpx2.post(address, **notified(notice, delivery=f"{SLUG}-1"), trust_env=False, timeout=40)

    # The secret reaches those who verify by a word of its own; until then nobody is believed.
    taken = until(lambda: answered(tell, 202), "the connection being known").json()
    assert tell().json() == taken | {"accepted": 0, "duplicates": 1}

    def ended() -> dict[str, Any] | None:
        items = admin.get("/executions", params={"workflow": SLUG, "status": "completed"}).json()["items"]
        return items[0] if items else None

    execution = admin.get(f"/executions/{until(ended, 'the execution')['id']}").json()
    (sent,) = resend.sent.values()
    assert execution["output"] == {"sent": sent["id"]}
    assert (execution["trigger"]["type"], execution["trigger"]["event_id"]) == ("email", notice["data"]["email_id"])
    assert (sent["body"]["to"], sent["body"]["subject"]) == (['"Zoë" <zoe@client.example>'], "Re: Order 1")
    assert sent["body"]["headers"] == {"In-Reply-To": "<1@client.example>"}
    assert list(resend.sent) == [f"{execution['id']}:answer:1"]
    explained = admin.get(f"/events/{notice['data']['email_id']}/explain").json()
    assert [one["execution_id"] for one in explained["triggers"] if one["matched"]] == [execution["id"]]
    admin.post(f"/workflows/{SLUG}/deactivate", json={})
