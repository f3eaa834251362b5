"""Slack's actions through the engine, by a connection: sent, undone, in the ledger, and the token nowhere but in the call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs
from weft_connectors.activity import Activities
from weft_connectors.slack import activities
from weft_engine.connections.opening import Opening
from weft_engine.tables import metadata
from weft_engine.worker import Worker

from tests.connectors.slack.fake import TOKEN, FakeSlack, slack
from tests.services.engine.conftest import Engine
from tests.services.engine.test_connections import CONNECTIONS, everything_kept, made

SLACK: dict[str, Any] = {"type": "slack", "secrets": {"bot_token": TOKEN}}


@pytest.fixture
async def workspace(engine: Engine) -> AsyncIterator[FakeSlack]:
    """A fake Slack, and a worker that reaches it as the mesh's own would reach the real one."""
    found = Activities(activities(allow_private_addresses=True, connections=Opening(engine.service.context)))
    task = asyncio.create_task(Worker(engine.service.context.bus, found, engine.service.clock).run())
    async with slack() as fake:
        yield fake
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await found.aclose()


async def connected(engine: Engine, name: str, fake: FakeSlack) -> dict[str, Any]:
    """A connection to the fake one. This installation takes no address without TLS, so it is put where one that does would have it."""
    shown = await made(engine, name, SLACK)
    connections = metadata.tables["engine.connections"]
    async with engine.service.context.owner_transaction("acme") as uow:
        settings = {"base_url": f"{fake.url}/api/"}
        await uow.conn.execute(sa.update(connections).where(connections.c.id == sa.cast(shown["id"], sa.Uuid)).values(settings=settings))
    return shown


async def test_a_connection_to_slack_has_its_address_by_itself_and_none_without_tls(engine: Engine) -> None:
    shown = await made(engine, "Slack by itself", SLACK)
    wrong = [
        {**SLACK, "settings": {"base_url": "http://slack.example/api/"}},
        {**SLACK, "settings": {"token": "xoxb-1"}},
        {"type": "slack"},
        {**SLACK, "secrets": {"token": TOKEN}},
    ]
    refused = [await engine.client.post(CONNECTIONS, json={"name": "Slack wrong", **body}) for body in wrong]
    moved = await engine.client.put(f"{CONNECTIONS}/{shown['id']}", json={"settings": {"base_url": "https://elsewhere.example/api/"}})

    assert shown["settings"] == {
        "base_url": "https://slack.com/api/", "scopes": ["chat:write", "files:read", "files:write"],
        "authorize_url": "https://slack.com/oauth/v2/authorize",
    }  # fmt: skip
    pointers = [{error["pointer"] for error in answer.json()["errors"]} for answer in refused]
    assert pointers == [{"/settings/base_url"}, {"/settings/token"}, {"/secrets/bot_token"}, {"/secrets/token", "/secrets/bot_token"}]
    assert (moved.status_code, {error["pointer"] for error in moved.json()["errors"]}) == (422, {"/secrets/bot_token"})
    assert TOKEN not in "".join(answer.text for answer in (*refused, moved))


async def test_a_message_is_sent_changed_and_taken_back_when_the_execution_fails(engine: Engine, workspace: FakeSlack) -> None:
    place = {"connection": "Slack team", "channel": "{{ step.post.output.channel }}", "ts": "{{ step.post.output.ts }}"}
    post = {"connection": "Slack team", "channel": "#orders", "text": "order {{ input.id }}"}
    with capture_logs() as logged:
        team = await connected(engine, "Slack team", workspace)
        await engine.publish("slack-undone", settings={"on_failure": "compensate"}, nodes=[
            {"id": "post", "type": "slack.post_message", "with": post, "compensate": {"type": "slack.delete_message", "with": place}},
            {"id": "paid", "type": "slack.update_message", "with": {**place, "text": "paid"}},
            {"id": "stop", "type": "fail", "with": {"code": "stopped", "message": "m"}},
        ])  # fmt: skip
        execution = await engine.start("slack-undone", input={"id": 7})
        shown = await engine.ended(execution)
        paths = [f"/api/v1/executions/{execution}{rest}" for rest in ("", "/steps", "/history", "/effects", "/explain")]
        answers = [(await engine.client.get(path)).text for path in (*paths, f"{CONNECTIONS}/{team['id']}")]

    assert (shown["status"], shown["error"]["code"]) == ("failed", "stopped")
    assert [(call.method, call.arguments.get("text")) for call in workspace.calls] == [
        ("chat.postMessage", "order 7"), ("chat.update", "paid"), ("chat.delete", None),
    ]  # fmt: skip
    assert workspace.messages == {}
    effects = (await engine.client.get(f"/api/v1/executions/{execution}/effects")).json()["items"]
    assert [(effect["name"], effect["status"], effect["undone_at"] is not None) for effect in effects] == [
        ("slack.post_message", "done", True), ("slack.update_message", "done", False), ("slack.delete_message", "done", False),
    ]  # fmt: skip
    places = {"answers": "".join(answers), "database": await everything_kept(engine), "logs": str(logged)}
    assert [name for name, text in places.items() if TOKEN in text] == []


async def test_a_refusal_of_slack_goes_the_way_of_its_code(engine: Engine, workspace: FakeSlack) -> None:
    await connected(engine, "Slack refusing", workspace)
    nodes = [
        {"id": "post", "type": "slack.post_message", "with": {"connection": "Slack refusing", "channel": "#nowhere", "text": "x"}},
        {"id": "other", "type": "slack.post_message", "with": {"connection": "Slack refusing", "channel": "#general", "text": "x"}},
    ]
    edges = [{"from": "post", "to": "other", "on": "error", "when": "step.post.error.code == 'slack_channel_not_found'"}]
    await engine.publish("slack-refused", nodes=nodes, edges=edges)
    shown = await engine.ended(await engine.start("slack-refused"))

    assert (shown["status"], [call.arguments["channel"] for call in workspace.calls]) == ("completed", ["#nowhere", "#general"])
