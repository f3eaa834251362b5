"""Tasks as people and the engine meet them: on a real database, through both doors."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from weft_contracts.directory import UserChanged
from weft_contracts.tasks import CancelTask, Candidates, CreateTask, TaskCancelled, TaskCompleted, TaskCreated, TaskExpired
from weft_contracts.waits import CompleteStep, FailStep
from weft_runtime.database.migrate import check
from weft_runtime.testing import RunningService, running_service, said, tell
from weft_tasks.app import build

ANN = "00000000-0000-7000-8000-00000000000a"
BOB = "00000000-0000-7000-8000-00000000000b"
FORM = {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "number"}}}


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(build, database_url) as running:
        yield running


def ann(service: RunningService, tenant: str = "acme") -> httpx2.AsyncClient:
    return service.client(tenant, ["approver"], sub=ANN, email="ann@acme.example", groups=["finance"])


def bob(service: RunningService) -> httpx2.AsyncClient:
    return service.client("acme", ["approver"], sub=BOB, email="bob@acme.example")


def creation(**given: Any) -> CreateTask:
    fields: dict[str, Any] = {
        "task_id": uuid4(),
        "execution_id": uuid4(),
        "workflow": "leave",
        "node": "review",
        "visit": 1,
        "title": "Review the request",
        "outcomes": ("approved", "rejected"),
    }
    return CreateTask(**(fields | given))


async def created(service: RunningService, tenant: str = "acme", **given: Any) -> UUID:
    command = creation(**given)
    await tell(service, command, tenant=tenant)
    return command.task_id


def of(words: list[Any], task_id: UUID) -> list[Any]:
    return [word for word in words if getattr(word, "task_id", None) == task_id]


async def test_tables_and_migrations_agree(service: RunningService) -> None:
    url = service.context.settings.database_url.get_secret_value()
    assert await check(url, "weft_tasks", "tasks") == []


async def test_a_task_goes_from_the_engine_through_a_person_back_to_the_engine(service: RunningService) -> None:
    await tell(service, UserChanged(user_id=UUID(ANN), email="Ann@acme.example", name="Ann Approver", revision=1))
    task_id = await created(service, form=FORM, data={"days": 3}, candidates=Candidates(groups=("finance",)))
    client = ann(service)
    shown = (await client.get(f"/api/v1/user-tasks/{task_id}")).json()
    assert (shown["status"], shown["data"], shown["allowed_actions"]) == ("open", {"days": 3}, ["claim", "complete", "comment"])
    claimed = (await client.post(f"/api/v1/user-tasks/{task_id}/claim")).json()
    assert (claimed["status"], claimed["assignee"], claimed["assignee_name"]) == ("claimed", ANN, "Ann Approver")
    body = {"outcome": "approved", "form": {"amount": 5}, "version": claimed["version"]}
    done = await client.post(f"/api/v1/user-tasks/{task_id}/complete", json=body)
    assert done.status_code == 200
    assert (done.json()["status"], done.json()["result"], done.json()["completed_by"]) == ("completed", {"amount": 5}, ANN)
    assert [line["kind"] for line in done.json()["history"]] == ["created", "claimed", "completed"]
    (fact,) = of(said(service, TaskCompleted), task_id)
    step = next(step for step in said(service, CompleteStep) if step.execution_id == fact.execution_id)
    assert (step.node, step.outcome, step.output["form"]) == ("review", "approved", {"amount": 5})


async def test_a_repeated_creation_opens_one_task(service: RunningService) -> None:
    command = creation()
    await tell(service, command, command)
    await tell(service, command)
    assert len(of(said(service, TaskCreated), command.task_id)) == 1


async def test_a_task_taken_back_before_it_came_never_opens(service: RunningService) -> None:
    command = creation()
    await tell(service, CancelTask(task_id=command.task_id, execution_id=command.execution_id))
    await tell(service, command)
    assert (await ann(service).get(f"/api/v1/user-tasks/{command.task_id}")).status_code == 404
    assert of(said(service, TaskCreated), command.task_id) == []


async def test_a_task_expires_or_is_cancelled_once_and_then_refuses_decisions(service: RunningService) -> None:
    expiring, falling = creation(), creation()
    await tell(service, expiring, falling)
    await tell(service, *[CancelTask(task_id=expiring.task_id, execution_id=expiring.execution_id, reason="timeout")] * 2)
    await tell(service, CancelTask(task_id=falling.task_id, execution_id=falling.execution_id))
    assert len(of(said(service, TaskExpired), expiring.task_id)) == 1
    assert len(of(said(service, TaskCancelled), falling.task_id)) == 1
    refused = await ann(service).post(f"/api/v1/user-tasks/{falling.task_id}/complete", json={"outcome": "approved"})
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal_move")


async def test_a_form_that_does_not_fit_is_answered_with_pointers(service: RunningService) -> None:
    task_id = await created(service, form=FORM)
    answer = await ann(service).post(f"/api/v1/user-tasks/{task_id}/complete", json={"outcome": "approved", "form": {"amount": "x"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "form_invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/form/amount"]


async def test_a_form_nobody_could_fill_in_fails_the_step(service: RunningService) -> None:
    command = creation(form={"$ref": "http://127.0.0.1:9/x"})
    await tell(service, command)
    assert [step.error.code for step in said(service, FailStep) if step.execution_id == command.execution_id] == ["task_form_unusable"]


async def test_a_task_of_somebody_else_is_refused_and_of_another_tenant_not_found(service: RunningService) -> None:
    task_id = await created(service, assignee="bob@acme.example")
    path = f"/api/v1/user-tasks/{task_id}/complete"
    refused = await ann(service).post(path, json={"outcome": "approved"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_task")
    assert (await ann(service, "other").post(path, json={"outcome": "approved"})).status_code == 404
    assert (await ann(service, "other").get(f"/api/v1/user-tasks/{task_id}")).status_code == 404
    assert (await service.client("acme", ["viewer"]).post(path, json={"outcome": "approved"})).status_code == 403
    assert (await bob(service).post(path, json={"outcome": "approved"})).status_code == 200


async def test_of_many_decisions_at_once_one_wins_and_the_others_learn_who_and_when(service: RunningService) -> None:
    task_id = await created(service)
    clients = [ann(service), bob(service)] * 4
    answers = await asyncio.gather(
        *(client.post(f"/api/v1/user-tasks/{task_id}/complete", json={"outcome": "approved", "version": 1}) for client in clients)
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    winner = next(answer.json() for answer in answers if answer.status_code == 200)
    for lost in (answer.json() for answer in answers if answer.status_code == 409):
        assert (lost["code"], lost["completed_by"]) == ("task_already_completed", winner["completed_by"])
        assert lost["completed_at"]
    assert len(of(said(service, TaskCompleted), task_id)) == 1


async def test_a_decision_on_an_older_version_is_told_the_current_one(service: RunningService) -> None:
    task_id = await created(service)
    await ann(service).post(f"/api/v1/user-tasks/{task_id}/claim", json={"version": 1})
    answer = await ann(service).post(f"/api/v1/user-tasks/{task_id}/complete", json={"outcome": "approved", "version": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "task_version_conflict")
    assert answer.json()["current"] | {"completed_at": None} == {
        "status": "claimed",
        "version": 2,
        "assignee": ANN,
        "completed_by": None,
        "completed_at": None,
    }


async def test_an_editor_reassigns_and_a_released_task_goes_back(service: RunningService) -> None:
    await tell(service, UserChanged(user_id=UUID(BOB), email="bob@acme.example", name="Bob", revision=1))
    task_id = await created(service)
    path = f"/api/v1/user-tasks/{task_id}"
    assert (await ann(service).post(f"{path}/reassign", json={"assignee": BOB})).status_code == 403
    given = await service.client("acme", ["editor"]).post(f"{path}/reassign", json={"assignee": BOB, "version": 1})
    assert (given.status_code, given.json()["assignee"]) == (200, BOB)
    assert (await ann(service).post(f"{path}/claim")).status_code == 403
    await bob(service).post(f"{path}/claim")
    released = (await bob(service).post(f"{path}/release")).json()
    assert (released["status"], released["assignee"]) == ("open", BOB)


async def test_nobody_is_given_a_task_whom_the_tenant_does_not_know_or_no_longer_has(service: RunningService) -> None:
    editor = service.client("known", ["editor"])
    task_id = await created(service, "known")
    path = f"/api/v1/user-tasks/{task_id}/reassign"
    assert (await editor.post(path, json={"assignee": "who@else.example"})).status_code == 200, "nobody was heard of yet"
    gone = UserChanged(user_id=uuid4(), email="gone@acme.example", name="Gone", active=False, revision=1)
    await tell(service, UserChanged(user_id=UUID(BOB), email="bob@acme.example", name="Bob", revision=1), gone, tenant="known")
    for whom in ("who@else.example", "gone@acme.example", str(uuid4())):
        refused = await editor.post(path, json={"assignee": whom})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_assignee"), whom
        assert [(error["pointer"], error["code"]) for error in refused.json()["errors"]] == [("/assignee", "unknown_assignee")]
    for somebody in ("Bob@acme.example", BOB, None):
        assert (await editor.post(path, json={"assignee": somebody})).status_code == 200, somebody


async def test_views_show_what_is_mine_my_teams_and_nobodys(service: RunningService) -> None:
    mine = await created(service, "views", assignee="ann@acme.example")
    team = await created(service, "views", candidates=Candidates(groups=("finance",)), title="Pay 100% of it")
    others = await created(service, "views", assignee=BOB, workflow="other")
    client = ann(service, "views")

    async def ids(**query: Any) -> list[str]:
        return [item["id"] for item in (await client.get("/api/v1/user-tasks", params=query)).json()["items"]]

    assert set(await ids()) == {str(mine), str(team), str(others)}
    assert await ids(view="mine") == [str(mine)]
    assert set(await ids(view="team")) == {str(mine), str(team)}
    assert await ids(view="unassigned") == [str(team)]
    assert await ids(workflow="other") == [str(others)]
    assert await ids(q="100%") == [str(team)]
    assert await ids(status="completed") == []
    assert set(await ids(status="completed,open")) == {str(mine), str(team), str(others)}
    assert (await client.get("/api/v1/user-tasks", params={"view": "yours"})).status_code == 422


async def test_a_list_goes_on_where_the_page_before_ended(service: RunningService) -> None:
    made = [str(await created(service, "pages")) for _ in range(5)]
    client = ann(service, "pages")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (await client.get("/api/v1/user-tasks", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [item["id"] for item in page["items"]]
        assert all("data" not in item and "form" not in item for item in page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(made)


async def test_comments_stay_with_the_task_and_do_not_disturb_a_decision(service: RunningService) -> None:
    task_id = await created(service)
    shown = (await ann(service).post(f"/api/v1/user-tasks/{task_id}/comment", json={"text": "looks odd"})).json()
    assert [(comment["by"], comment["text"]) for comment in shown["comments"]] == [(ANN, "looks odd")]
    body = {"outcome": "rejected", "version": 1}
    assert (await bob(service).post(f"/api/v1/user-tasks/{task_id}/complete", json=body)).status_code == 200
