"""The live feed as a WebSocket, by a real client: what is told, topics that change, and how it ends."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from weft_contracts.alerts import AlertRaised
from weft_gateway import feeding
from weft_gateway.api import live_socket
from weft_gateway.feeding import Hub
from weft_runtime.http.server import HttpServer
from weft_runtime.testing import RunningService, eventually, tell
from weft_runtime.testing.polling import WITHIN_S

from tests.services.gateway.conftest import PASSWORD, holding, login, signed_in
from tests.services.gateway.live_watchers import opened, ticket
from tests.services.gateway.test_live import address, created, started, token, watching

__all__ = ["address"]


async def test_who_watches_by_a_websocket_is_told_what_who_watches_by_a_stream_is_told(gateway: RunningService, address: str) -> None:
    bearer, execution, now = await token(gateway), uuid4(), gateway.clock.now()
    about: dict[str, Any] = {"alert_id": uuid4(), "rule_id": uuid4(), "rule": "r", "kind": "failed", "workflow": "leave", "summary": "s"}
    async with watching(address, bearer) as stream, opened(address, await ticket(gateway, bearer)) as watcher:
        for fact in (started(gateway, execution), created(gateway, execution), AlertRaised(**about, at=now)):
            await tell(gateway, fact, tenant="demo")
        heard = [await watcher.heard() for _ in range(3)]
        same = [await stream.named() for _ in range(3)]
    assert [one["event"] for one in heard] == ["executions", "tasks", "alerts"]
    assert heard == [{"event": one["event"], "id": one["id"], "data": json.loads(one["data"])} for one in same]


async def test_what_is_anothers_tenants_or_of_another_topic_is_not_told(gateway: RunningService, address: str) -> None:
    mine, theirs = await ticket(gateway, await token(gateway), "tasks"), await ticket(gateway, await token(gateway, "elsewhere"))
    execution = uuid4()
    async with opened(address, mine) as one, opened(address, theirs) as foreign:
        await tell(gateway, started(gateway, execution), created(gateway, execution), tenant="demo")
        await tell(gateway, started(gateway, uuid4()), tenant="elsewhere")
        assert (await one.heard())["data"]["type"] == "task.created"
        assert (await foreign.heard())["data"]["execution_id"] != str(execution)


async def test_topics_may_change_while_it_is_open_and_what_is_wrong_is_said(gateway: RunningService, address: str) -> None:
    given, execution = await ticket(gateway, await token(gateway, role="service"), "tasks"), uuid4()
    async with opened(address, given) as watcher:
        await watcher.says({"subscribe": [f"executions/{execution}"]})
        assert await watcher.heard() == {"event": "topics", "data": {"topics": [f"executions/{execution}", "tasks"]}}
        await watcher.says({"unsubscribe": ["tasks"]})
        assert (await watcher.heard())["data"]["topics"] == [f"executions/{execution}"]
        wrong: list[Any] = [
            {"subscribe": ["alerts"]},
            {"subscribe": ["weather"]},
            {"subscribe": []},
            {"subscribe": ["tasks"], "more": 1},
            [1],
        ]
        for message in [*wrong, {"subscribe": [f"tasks/{uuid4()}" for _ in range(30)]}]:
            await watcher.says(message)
        codes = [(await watcher.heard())["data"]["code"] for _ in range(6)]
        assert codes == ["topic_refused", "unknown_topic", *["malformed"] * 3, "unknown_topic"]
        await tell(gateway, started(gateway, uuid4()), started(gateway, execution), tenant="demo")
        assert (await watcher.heard())["data"]["execution_id"] == str(execution)


@pytest.mark.parametrize(("message", "code"), [("no json", 1007), (b"\xff\xfe", 1007), ('{"subscribe":["' + "x" * 9000 + '"]}', 1009)])
async def test_who_says_what_is_no_message_is_closed(gateway: RunningService, address: str, message: str | bytes, code: int) -> None:
    async with opened(address, await ticket(gateway, await token(gateway))) as watcher:
        await watcher.says(message)
        assert (await watcher.ends())[0] == code


async def test_who_says_too_much_is_closed(gateway: RunningService, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_socket, "MESSAGES_PER_MINUTE", 3)
    async with opened(address, await ticket(gateway, await token(gateway))) as watcher:
        for _ in range(4):
            await watcher.says({"subscribe": ["tasks"]})
        assert (await watcher.ends())[0] == 1008


async def test_whoever_comes_back_is_told_what_they_missed_or_to_read_anew(gateway: RunningService, address: str) -> None:
    bearer, ids = await token(gateway), [uuid4() for _ in range(3)]
    async with opened(address, await ticket(gateway, bearer, "executions")) as watcher:
        await tell(gateway, started(gateway, ids[0]), tenant="demo")
        last = (await watcher.heard())["id"]
    for id_ in ids[1:]:
        await tell(gateway, started(gateway, id_), tenant="demo")
    async with opened(address, await ticket(gateway, bearer, "executions"), f"last_event_id={last}") as watcher:
        assert [(await watcher.heard())["data"]["id"] for _ in range(2)] == [str(id_) for id_ in ids[1:]]
    async with opened(address, await ticket(gateway, bearer), "last_event_id=1.1000") as watcher:
        assert await watcher.heard() == {"event": "reset", "data": {}}


async def test_a_quiet_one_says_that_it_is_alive_and_ends_with_the_token_of_its_ticket(gateway: RunningService, address: str) -> None:
    async with opened(address, await ticket(gateway, await token(gateway))) as watcher:
        async with asyncio.timeout(WITHIN_S):
            assert json.loads(await watcher.socket.recv()) == {"event": "heartbeat", "data": {}}
        gateway.clock.advance(timedelta(hours=1))
        code, said = await watcher.ends()
    assert (code, [(one["event"], one["data"]["code"]) for one in said]) == (4401, [("end", "token_expired")])


@pytest.mark.usefixtures("impatient")
async def test_it_ends_when_the_right_of_a_key_to_a_topic_is_taken_with_its_owners(gateway: RunningService, address: str) -> None:
    admin, email = await holding(gateway, "admin"), f"{uuid4().hex}@demo.weft"
    body = {"email": email, "name": "Soon less", "roles": ["admin"], "password": PASSWORD}
    person = (await admin.post("/api/v1/users", json=body)).json()
    theirs = await signed_in(gateway, email)
    key = (await theirs.post("/api/v1/api-keys", json={"name": "watch", "roles": ["viewer"]})).json()["key"]
    async with opened(address, await ticket(gateway, key, "alerts")) as watcher, watching(address, key, "alerts") as stream:
        less = {"name": "Soon less", "roles": ["service"], "groups": []}
        assert (await admin.put(f"/api/v1/users/{person['id']}", json=less)).status_code == 200
        code, said = await watcher.ends()
        last = await stream.named()
    assert (code, said[-1]["data"]["code"]) == (4403, "topic_refused")
    assert (last["event"], json.loads(last["data"])["code"]) == ("end", "topic_refused")


@pytest.mark.usefixtures("impatient")
async def test_who_is_signed_out_is_told_nothing_more(gateway: RunningService, address: str) -> None:
    tokens = (await login(gateway.anonymous(), "editor@demo.weft")).json()
    async with opened(address, await ticket(gateway, tokens["access_token"])) as watcher:
        await gateway.anonymous().post("/api/v1/auth/logout", json={"refresh_token": tokens["refresh_token"]})
        code, said = await watcher.ends()
    assert (code, said[-1]["data"]["code"]) == (4401, "token_revoked")


async def test_a_reader_who_is_too_slow_is_told_so_and_closed(
    gateway: RunningService, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(feeding, "QUEUED_MAX", 3)
    bearer = await token(gateway)
    async with opened(address, await ticket(gateway, bearer, "executions")) as watcher, watching(address, bearer) as stream:
        await tell(gateway, *(started(gateway, uuid4()) for _ in range(10)), tenant="demo")
        code, said = await watcher.ends()
        while (last := await stream.named())["event"] == "executions":
            pass
    assert (code, said[-1]["data"]["code"]) == (1013, "too_slow")
    assert json.loads(last["data"])["code"] == "too_slow"


async def test_a_client_that_leaves_leaves_nothing_behind(gateway: RunningService, address: str) -> None:
    bearer = await token(gateway, "leaving")
    hub = gateway.context.part(Hub)

    def watching_queues() -> int:
        return [one.tenant for one in hub.who_watch_queues()].count("leaving")

    async def nobody() -> bool | None:
        return True if watching_queues() == 0 else None

    async with opened(address, await ticket(gateway, bearer, "queues")):
        assert watching_queues() == 1
    assert await eventually(nobody, "nobody watching")


async def test_a_server_that_stops_says_that_it_goes(gateway: RunningService) -> None:
    server = HttpServer(gateway.app, "127.0.0.1", 0)
    await server.start()
    async with opened(f"http://127.0.0.1:{server.port}", await ticket(gateway, await token(gateway))) as watcher:
        await server.stop()
        assert (await watcher.ends())[0] == 1001
