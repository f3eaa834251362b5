"""Who the tests of tasks know, and what they ask on a real database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2
from weft_contracts.directory import UserChanged
from weft_contracts.tasks import CreateTask
from weft_runtime.service import Service
from weft_runtime.testing import RunningService, tell
from weft_tasks.app import build
from weft_tasks.settings import Settings

ANN, BOB, CARL = (f"00000000-0000-7000-8000-00000000000{digit}" for digit in "abc")
EMAILS = {ANN: "ann@acme.example", BOB: "bob@acme.example", CARL: "carl@acme.example"}


def without_loop(settings: Settings) -> Service:
    """The service, in which nothing happens beside the test."""
    return replace(build(settings), background=())


def person(service: RunningService, sub: str, *roles: str, tenant: str = "acme", **claims: Any) -> httpx2.AsyncClient:
    return service.client(tenant, roles or ("approver",), sub=sub, email=EMAILS.get(sub, ""), **claims)


async def known(service: RunningService, tenant: str = "acme") -> None:
    """Let the tenant's people be known."""
    people = [UserChanged(user_id=UUID(sub), email=email, name=email[:3].title(), revision=1) for sub, email in EMAILS.items()]
    await tell(service, *people, tenant=tenant)


async def asked(service: RunningService, tenant: str = "acme", **given: Any) -> CreateTask:
    fields: dict[str, Any] = {"task_id": uuid4(), "execution_id": uuid4(), "workflow": "leave", "node": "review", "visit": 1}
    command = CreateTask(**(fields | {"title": "Review", "outcomes": ("yes", "no"), "at": service.clock.now()} | given))
    await tell(service, command, tenant=tenant)
    return command


async def shown(service: RunningService, task: CreateTask, sub: str = ANN) -> Any:
    return (await person(service, sub).get(f"/api/v1/user-tasks/{task.task_id}")).json()


async def act(service: RunningService, task: CreateTask, verb: str, sub: str, **body: Any) -> httpx2.Response:
    return await person(service, sub).post(f"/api/v1/user-tasks/{task.task_id}/{verb}", json=body)


async def listed(service: RunningService, sub: str, view: str, task: CreateTask) -> bool:
    """Whether a view shows somebody a task."""
    found = await person(service, sub).get("/api/v1/user-tasks", params={"view": view, "execution": str(task.execution_id)})
    return [item["id"] for item in found.json()["items"]] == [str(task.task_id)]


def iso(time: datetime) -> str:
    return time.isoformat()
