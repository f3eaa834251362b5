"""A tenant whose notifications go by mail and Slack, and a worker that the test plays."""

import re
from typing import Any
from uuid import UUID, uuid4

from weft_contracts.activities import ActivityCompleted, ActivityFailed, ActivityRequested
from weft_contracts.connections import ConnectionSaved
from weft_contracts.directory import UserChanged
from weft_contracts.executions import Failure
from weft_runtime.testing import RunningService, said, tell
from weft_tasks.notifications import delivering

from tests.services.tasks.people import ANN, BOB, EMAILS, person

PUBLIC = "https://weft.example"
PATH = "/api/v1/notifications"


async def a_tenant(service: RunningService) -> str:
    """A tenant with two people, a connection for mails and one for Slack."""
    name = f"t-{uuid4().hex[:12]}"
    for sub in (ANN, BOB):
        await tell(service, UserChanged(user_id=UUID(sub), email=EMAILS[sub], name="N", revision=1), tenant=name)
    await tell(service, connected(service), connected(service, "notifications-slack", "slack"), tenant=name)
    return name


def connected(service: RunningService, name: str = "notifications", type_: str = "smtp", **changes: Any) -> ConnectionSaved:
    about = {"connection_id": uuid4(), "revision": 1, "name": name, "connection_type": type_, "at": service.clock.now()}
    return ConnectionSaved(**(about | changes))


async def prefers(service: RunningService, tenant: str, sub: str = ANN, **wanted: Any) -> None:
    put = await person(service, sub, tenant=tenant).put(f"{PATH}/preferences", json=wanted)
    assert put.status_code == 200, put.text


async def looked(service: RunningService, tenant: str) -> list[ActivityRequested]:
    """What workers are newly asked for the tenant once what is due was sent."""
    before = len(said(service, ActivityRequested, tenant=tenant))
    await delivering.look(service.context)
    return said(service, ActivityRequested, tenant=tenant)[before:]


def step(request: ActivityRequested) -> dict[str, Any]:
    return {"execution_id": request.execution_id, "node": request.node, "visit": request.visit, "attempt": request.attempt}


async def answered(service: RunningService, tenant: str, request: ActivityRequested, **error: Any) -> None:
    about = step(request)
    failed = Failure(**({"code": "email_unavailable", "message": "later"} | error))
    word = ActivityFailed(**about, error=failed) if error else ActivityCompleted(**about, output={"id": "m1"})
    await tell(service, word, tenant=tenant)


async def delivered(service: RunningService, tenant: str, sub: str = ANN) -> list[tuple[str, str]]:
    """How the newest notification of somebody is sent."""
    client = person(service, sub, tenant=tenant)
    newest = (await client.get(PATH)).json()["items"][0]["id"]
    return [(one["channel"], one["status"]) for one in (await client.get(f"{PATH}/{newest}")).json()["deliveries"]]


def link(request: ActivityRequested, words: str) -> str:
    found = re.search(rf"{words}: {re.escape(PUBLIC)}(/\S+)", request.input["text"])
    assert found is not None, request.input["text"]
    return found[1]


async def shown_history(service: RunningService, tenant: str, request: ActivityRequested) -> list[str]:
    """What happened to the task that a mail is about."""
    client = person(service, ANN, tenant=tenant)
    decided = (await service.anonymous().get(link(request, "Decide without signing in"))).json()
    return [line["kind"] for line in (await client.get(f"/api/v1/user-tasks/{decided['task']['id']}")).json()["history"]]
