"""A workflow tells people, who find it in their inbox and in their mail, once, and decide by a link in it: through the whole mesh."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from weft_runtime.testing import until

from tests.support.meshes import MeshProcess, publish
from tests.support.modes import in_many_processes
from tests.support.resend import API_KEY, FakeResend, serving

pytestmark = [pytest.mark.timeout(400), in_many_processes]
SLUG = "tells-and-asks"
TITLE = "Pay N-7 for tells-and-asks?"
DOCUMENT: dict[str, Any] = {
    "format": "weft/v1",
    "name": "Tells and asks",
    "slug": SLUG,
    "nodes": [
        {
            "id": "tell",
            "type": "notification.send",
            "with": {"to": {"users": ["{{ input.who }}"], "roles": ["nobody-has-it"]}, "title": "N-7 came in", "event": "invoice.new"},
        },
        {"id": "ask", "type": "task", "with": {"title": TITLE, "assignee": "{{ input.who }}", "outcomes": ["pay", "refuse"], "due": "1d"}},
    ],
    "output": {"told": "{{ step.tell.output }}", "decided": "{{ step.ask.output.outcome }}", "by": "{{ step.ask.output.completed_by }}"},
}


PROBE: dict[str, Any] = {
    "format": "weft/v1",
    "name": "Who is known",
    "slug": "who-is-known",
    "nodes": [{"id": "tell", "type": "notification.send", "with": {"to": {"roles": ["approver"]}, "title": "Is anybody there?"}}],
    "output": {"reached": "{{ step.tell.output.reached }}"},
}


@pytest.fixture
def resend() -> Iterator[FakeResend]:
    with serving() as fake:
        yield fake
        assert fake.faults == []


@pytest.fixture
def admin(mesh: MeshProcess, resend: FakeResend) -> Iterator[httpx2.Client]:
    """An admin of a tenant whose notifications go by mail, for as long as the test runs."""
    client = mesh.signed_in("admin")
    settings = {"base_url": resend.url, "from": "Weft <weft@acme.example>"}
    connection = {"name": "notifications", "type": "resend", "settings": settings, "secrets": {"api_key": API_KEY}}
    made = client.post("/connections", json=connection)
    assert made.status_code == 201, made.text
    until(lambda: _by_mail(client) or None, "the tasks service knowing the connection")
    yield client
    client.delete(f"/connections/{made.json()['id']}")
    until(lambda: not _by_mail(client) or None, "the tasks service knowing that it is gone")


def _by_mail(client: httpx2.Client) -> bool:
    channels = client.get("/notifications/channels").json()["channels"]
    return any(one["channel"] == "email" and one["available"] for one in channels)


def _reached(client: httpx2.Client) -> int:
    """How many have the role that a workflow tells something."""
    done = client.post("/workflows/who-is-known/trigger", params={"wait": "20s"}, json={"input": {}}).json()
    return int((done.get("output") or {}).get("reached", 0))


def test_a_workflow_tells_somebody_who_decides_by_their_mail(mesh: MeshProcess, admin: httpx2.Client, resend: FakeResend) -> None:
    approver = mesh.signed_in("approver")
    me = approver.get("/me").json()
    publish(admin, PROBE)
    until(lambda: _reached(admin) or None, "the tasks service knowing the people of a mesh that has just begun")
    publish(admin, DOCUMENT)
    execution = admin.post(f"/workflows/{SLUG}/trigger", json={"input": {"who": me["email"]}}).json()["execution_id"]

    def mailed() -> list[dict[str, Any]] | None:
        bodies = [one["body"] for one in resend.sent.values() if one["body"]["to"] == [me["email"]]]
        text = "\n".join(body["text"] for body in bodies)
        return bodies if TITLE in text and "N-7 came in" in text else None

    bodies = until(mailed, "the mails")
    text = "\n".join(body["text"] for body in bodies)
    assert (text.count(TITLE), text.count("N-7 came in")) == (1, 1)
    items = approver.get("/notifications", params={"unread": "true", "limit": 200}).json()["items"]
    assert [item["event"] for item in items if item["about"].get("execution_id") == execution] == ["task.assigned", "invoice.new"]
    found = re.search(r"Decide without signing in: (\S+)", text)
    assert found is not None, text
    decided = httpx2.post(f"{mesh.url}{urlsplit(found[1]).path}", json={"outcome": "pay"}, trust_env=False, timeout=40)
    assert decided.status_code == 200, decided.text

    def ended() -> dict[str, Any] | None:
        shown: dict[str, Any] = admin.get(f"/executions/{execution}").json()
        return shown if shown["status"] == "completed" else None

    unknown = {"users": [], "roles": ["nobody-has-it"], "groups": []}
    assert until(ended, "the execution's end")["output"] == {
        "told": {"reached": 1, "unknown": unknown},
        "decided": "pay",
        "by": me["id"],
    }
    newest = next(item["id"] for item in items if item["event"] == "task.assigned")

    def sent() -> list[str] | None:
        states = [one["status"] for one in approver.get(f"/notifications/{newest}").json()["deliveries"]]
        return states if states == ["sent"] else None

    until(sent, "the receipt of the mail")
    assert len([one for one in resend.sent.values() if TITLE in one["body"]["text"]]) == 1
    for slug in (SLUG, PROBE["slug"]):
        admin.post(f"/workflows/{slug}/deactivate", json={})
