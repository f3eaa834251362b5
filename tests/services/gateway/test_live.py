"""The live feed and the description of the whole API, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from weft_contracts.executions import ExecutionFailed, ExecutionStarted, ExecutionWaiting, Failure
from weft_contracts.notifications import NotificationCreated
from weft_contracts.service_levels import ExecutionSlaBreached, ExecutionSlaWarned
from weft_contracts.tasks import TaskCreated
from weft_gateway.domain import User, access_claims
from weft_gateway.issuing import Issuer
from weft_gateway.store import directory
from weft_runtime.http.server import HttpServer
from weft_runtime.testing import RunningService, tell
from weft_runtime.testing.polling import WITHIN_S


@pytest.fixture(scope="module")
async def address(gateway: RunningService) -> AsyncIterator[str]:
    server = HttpServer(gateway.app, "127.0.0.1", 0)
    await server.start()
    yield f"http://127.0.0.1:{server.port}"
    await server.stop()


async def token(gateway: RunningService, tenant: str = "demo", role: str = "viewer") -> str:
    """A viewer's access token of the demo tenant, or of a tenant that is made up."""
    now = gateway.clock.now()
    async with gateway.context.owner_transaction("demo") as uow:
        known = await directory.get_tenant(uow, "demo")
        person = User(uuid4(), tenant, "v@weft.example", "V", now, now, (role,))
        claims = access_claims(person, known)
        made = type(claims)(claims.sub, tenant, claims.roles, claims.groups, claims.tier, claims.email, claims.name)
        return gateway.context.part(Issuer).access_token(made, uow, str(uuid4()))


class Stream:
    """A live connection as a browser sees it."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def event(self) -> dict[str, str]:
        """The next event (or comment, under the name "")."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(WITHIN_S):
            async for line in self._lines:
                if not line and fields:
                    return fields
                name, _, value = line.partition(":")
                fields[name] = value.strip()
        return {"event": "closed"}

    async def named(self) -> dict[str, str]:
        """The next event that has a name."""
        while "event" not in (found := await self.event()):
            pass
        return found


@asynccontextmanager
async def watching(address: str, bearer: str, topics: str = "", last: str | None = None) -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {bearer}"} | ({"Last-Event-ID": last} if last else {})
    query = {"topics": topics} if topics else {}
    async with (
        httpx2.AsyncClient(trust_env=False, timeout=WITHIN_S) as client,
        client.stream("GET", f"{address}/api/v1/live", params=query, headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = Stream(answer.aiter_lines())
        assert "retry" in await stream.event()
        yield stream


def started(gateway: RunningService, id_: UUID) -> ExecutionStarted:
    return ExecutionStarted(
        execution_id=id_, workflow="leave", workflow_version=1, position=1, at=gateway.clock.now(), trigger_type="manual"
    )


def created(gateway: RunningService, execution_id: UUID) -> TaskCreated:
    same: dict[str, Any] = {"task_id": uuid4(), "execution_id": execution_id, "workflow": "leave", "node": "review"}
    return TaskCreated(**same, task_version=1, at=gateway.clock.now(), title="Review")


async def test_what_happens_is_seen_by_those_of_its_tenant_who_watch_its_topic(gateway: RunningService, address: str) -> None:
    execution = uuid4()
    mine, theirs = await token(gateway), await token(gateway, "elsewhere")
    async with watching(address, mine, "executions") as one, watching(address, mine, f"executions/{execution}") as two:
        async with watching(address, theirs) as foreign:
            await tell(gateway, created(gateway, uuid4()), started(gateway, uuid4()), started(gateway, execution), tenant="demo")
            await tell(gateway, started(gateway, execution), tenant="elsewhere")
            seen = await foreign.named()
            assert json.loads(seen["data"])["execution_id"] == str(execution)
        first, second = await one.named(), await one.named()
        assert [event["event"] for event in (first, second)] == ["executions", "executions"]
        assert json.loads(second["data"]) | {"at": ""} == {
            "topic": "executions",
            "type": "execution.started",
            "id": str(execution),
            "execution_id": str(execution),
            "workflow": "leave",
            "workflow_version": 1,
            "position": 1,
            "at": "",
            "trigger_type": "manual",
            "labels": {},
            "priority": 0,
            "status": "running",
        }
        assert (await two.named())["id"] == second["id"]


async def test_who_watches_an_execution_sees_how_far_it_is_and_why_it_failed(gateway: RunningService, address: str) -> None:
    execution, now = uuid4(), gateway.clock.now()
    same: dict[str, Any] = {"execution_id": execution, "workflow": "leave", "workflow_version": 1, "at": now}
    async with watching(address, await token(gateway), f"executions/{execution}") as stream:

        async def seen(fact: Any) -> dict[str, Any]:
            await tell(gateway, fact, tenant="demo")
            return dict(json.loads((await stream.named())["data"]))

        began = await seen(started(gateway, execution))
        waits = await seen(ExecutionWaiting(**same, position=3, node="review", kind="task", until=now + timedelta(days=2)))
        asked = await seen(created(gateway, execution))
        failure = Failure(code="http_status", message="the service answered 500", node="call", attempt=5)
        failed = await seen(ExecutionFailed(**same, position=9, started_at=now, duration_ms=1200, error=failure))
    assert [one["status"] for one in (began, waits, failed)] == ["running", "waiting", "failed"]
    assert (waits["node"], waits["kind"], waits["position"]) == ("review", "task", 3)
    assert (asked["type"], asked["node"], asked["execution_id"]) == ("task.created", "review", str(execution))
    assert (failed["error"]["code"], failed["error"]["node"], failed["error"]["message"]) == ("http_status", "call", failure.message)


async def test_who_watches_an_execution_sees_that_its_sla_is_at_risk_and_broken(gateway: RunningService, address: str) -> None:
    execution, now = uuid4(), gateway.clock.now()
    same: dict[str, Any] = {"execution_id": execution, "workflow": "leave", "workflow_version": 1, "at": now, "due_at": now}
    async with watching(address, await token(gateway), f"executions/{execution}") as stream:
        for fact in (ExecutionSlaWarned(**same, position=4), ExecutionSlaBreached(**same, position=5)):
            await tell(gateway, fact, tenant="demo")
        seen = [json.loads((await stream.named())["data"]) for _ in range(2)]
    assert [(one["type"], one["sla"]) for one in seen] == [("execution.sla_warned", "warned"), ("execution.sla_breached", "breached")]


async def test_whoever_comes_back_gets_what_they_missed(gateway: RunningService, address: str) -> None:
    bearer, ids = await token(gateway), [uuid4() for _ in range(3)]
    async with watching(address, bearer, "executions") as stream:
        await tell(gateway, started(gateway, ids[0]), tenant="demo")
        last = (await stream.named())["id"]
    for id_ in ids[1:]:
        await tell(gateway, started(gateway, id_), tenant="demo")
    async with watching(address, bearer, "executions", last) as stream:
        missed = [json.loads((await stream.named())["data"])["id"] for _ in range(2)]
    assert missed == [str(id_) for id_ in ids[1:]]


async def test_whoever_was_away_too_long_is_told_to_read_anew(gateway: RunningService, address: str) -> None:
    bearer = await token(gateway)
    async with watching(address, bearer, last="1.1000") as stream:
        assert (await stream.named())["event"] == "reset"


async def test_a_quiet_connection_says_that_it_is_alive_and_ends_with_its_token(gateway: RunningService, address: str) -> None:
    async with watching(address, await token(gateway)) as stream:
        assert "" in await stream.event()
        gateway.clock.advance(timedelta(hours=1))
        last = await stream.named()
        assert (last["event"], json.loads(last["data"])["code"]) == ("end", "token_expired")
        assert await stream.event() == {"event": "closed"}


async def test_every_topic_of_the_api_is_let_in_and_topics_may_be_given_one_by_one(gateway: RunningService, address: str) -> None:
    bearer, execution = await token(gateway), uuid4()
    async with watching(address, bearer, "notifications,queues,alerts,tasks") as several:
        query = f"{address}/api/v1/live?topic=queues&topic=tasks"
        headers = {"Authorization": f"Bearer {bearer}"}
        async with httpx2.AsyncClient(trust_env=False, timeout=WITHIN_S) as client, client.stream("GET", query, headers=headers) as answer:
            each = Stream(answer.aiter_lines())
            assert "retry" in await each.event()
            await tell(gateway, started(gateway, execution), created(gateway, execution), tenant="demo")
            for stream in (several, each):
                assert {(await stream.named())["event"] for _ in range(2)} == {"queues", "tasks"}


async def test_whoever_watches_is_told_of_their_own_notifications_and_of_nobody_elses(gateway: RunningService, address: str) -> None:
    about = {"event": "task.assigned", "title": "T", "unread": 1, "at": gateway.clock.now()}
    mine, theirs = (NotificationCreated(notification_id=uuid4(), user=user, **about) for user in ("v@weft.example", "w@weft.example"))
    async with watching(address, await token(gateway), "notifications") as stream:
        await tell(gateway, theirs, mine, tenant="demo")
        found = await stream.named()
    data = json.loads(found["data"])
    assert (found["event"], data["id"], data["unread"]) == ("notifications", str(mine.notification_id), 1)


async def test_an_unknown_topic_and_nobody_are_refused(gateway: RunningService, address: str) -> None:
    async with httpx2.AsyncClient(base_url=address, trust_env=False, timeout=WITHIN_S) as client:
        assert (await client.get("/api/v1/live")).status_code == 401
        bearer = {"Authorization": f"Bearer {await token(gateway)}"}
        refused = await client.get("/api/v1/live", params={"topics": "weather"}, headers=bearer)
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_topic")


async def test_the_whole_api_is_described_in_one_document(gateway: RunningService) -> None:
    document = (await gateway.anonymous().get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/auth/login" in document["paths"]
    assert "/api/v1/live" in document["paths"]
    assert document["x-missing"] == []
