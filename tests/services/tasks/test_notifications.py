"""What people are told, as they meet it: on a real database, through both doors."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from weft_contracts.activities import ActivityCompleted, ActivityFailed
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.directory import UserChanged
from weft_contracts.executions import ExecutionFailed, ExecutionsForgotten, ExecutionTimedOut, Failure
from weft_contracts.notifications import NotificationCreated, NotificationsRead, SendNotification
from weft_contracts.tasks import CancelTask, Candidates
from weft_runtime.testing import RunningService, running_service, said, tell
from weft_tasks import timing

from tests.services.tasks.people import ANN, BOB, CARL, EMAILS, act, asked, person, without_loop

MEMBERS = {ANN: (("approver",), ("finance",)), BOB: (("approver", "boss"), ()), CARL: ((), ("finance",))}


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(without_loop, database_url, name="tasks") as running:
        await staffed(running)
        yield running


async def staffed(service: RunningService, tenant: str = "acme", **changes: Any) -> None:
    for sub, (roles, groups) in MEMBERS.items():
        about = {"user_id": UUID(sub), "email": EMAILS[sub], "name": "N", "roles": roles, "groups": groups, "revision": 1}
        await tell(service, UserChanged(**(about | changes)), tenant=tenant)


async def inbox(service: RunningService, sub: str, tenant: str = "acme", **query: Any) -> dict[str, Any]:
    answer = await person(service, sub, tenant=tenant).get("/api/v1/notifications", params=query)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def about(service: RunningService, sub: str, id_: UUID, tenant: str = "acme") -> list[str]:
    """The events that somebody was told of about a task or an execution, the newest first. What is told after this is told later."""
    service.clock.advance(timedelta(seconds=1))
    items = (await inbox(service, sub, tenant, limit=200))["items"]
    return [item["event"] for item in items if str(id_) in item["about"].values()]


def sending(**given: Any) -> SendNotification:
    input_ = {"to": {"users": [ANN]}, "title": "Look here", "text": "More of it", "link": "/executions/1", "event": "invoice.overdue"}
    id_ = uuid4()
    step = {"execution_id": id_, "workflow": "billing", "node": "tell", "visit": 1, "attempt": 1, "key": f"{id_}:tell:1"}
    return SendNotification(**(step | {"input": input_ | given.pop("with_", {})} | given))


def answers(service: RunningService, command: SendNotification) -> list[Any]:
    words = [*said(service, ActivityCompleted), *said(service, ActivityFailed)]
    return [word for word in words if word.execution_id == command.execution_id]


async def test_a_task_is_told_of_as_it_goes_from_hand_to_hand(service: RunningService) -> None:
    task = await asked(service, assignee=ANN)
    assert await about(service, ANN, task.task_id) == ["task.assigned"]
    assert (await act(service, task, "delegate", ANN, assignee=EMAILS[BOB])).status_code == 200
    assert await about(service, BOB, task.task_id) == ["task.delegated"]
    editor = person(service, ANN, "editor")
    given = await editor.post(f"/api/v1/user-tasks/{task.task_id}/reassign", json={"assignee": CARL})
    assert given.status_code == 200
    assert [await about(service, sub, task.task_id) for sub in (ANN, BOB, CARL)] == [
        ["task.assigned"], ["task.reassigned", "task.delegated"], ["task.reassigned"],
    ]  # fmt: skip
    await tell(service, CancelTask(task_id=task.task_id, execution_id=task.execution_id))
    assert await about(service, CARL, task.task_id) == ["task.cancelled", "task.reassigned"]


async def test_candidates_by_role_and_group_are_told_each_once_and_nobody_of_another_tenant(service: RunningService) -> None:
    await staffed(service, tenant="globex")
    task = await asked(service, candidates=Candidates(users=(EMAILS[ANN],), roles=("boss",), groups=("finance",)))
    assert [await about(service, sub, task.task_id) for sub in (ANN, BOB, CARL)] == [["task.offered"]] * 3
    assert (await inbox(service, ANN, tenant="globex"))["items"] == []


async def test_who_left_is_told_nothing_and_roles_are_those_of_today(service: RunningService) -> None:
    tenant = "moving"
    await staffed(service, tenant)
    gone = {"user_id": UUID(BOB), "email": EMAILS[BOB], "name": "B", "roles": ("boss",), "revision": 2, "active": False}
    moved = {"user_id": UUID(CARL), "email": EMAILS[CARL], "name": "C", "roles": ("boss",), "revision": 2}
    await tell(service, UserChanged(**gone), UserChanged(**moved), tenant=tenant)
    task = await asked(service, tenant, candidates=Candidates(roles=("boss",), groups=("finance",)))
    assert [await about(service, sub, task.task_id, tenant) for sub in (ANN, BOB, CARL)] == [["task.offered"], [], ["task.offered"]]


async def test_a_comment_tells_whom_it_names_and_not_who_wrote_it(service: RunningService) -> None:
    task = await asked(service, assignee=ANN)
    text = f"@{EMAILS[BOB]} and @{EMAILS[ANN]}: <b>look</b>"
    assert (await act(service, task, "comment", ANN, text=text)).status_code == 200
    assert await about(service, BOB, task.task_id) == ["task.mentioned"]
    assert await about(service, ANN, task.task_id) == ["task.assigned"]


async def test_time_tells_of_what_is_soon_due_and_of_what_is_overdue_once(service: RunningService) -> None:
    task = await asked(service, assignee=ANN, due_at=service.clock.now() + timedelta(hours=2), reminders=(3600.0,))
    for hours in (1, 1, 1):
        service.clock.advance(timedelta(hours=hours))
        await timing.look(service.context)
        await timing.look(service.context)
    assert await about(service, ANN, task.task_id) == ["task.overdue", "task.reminder", "task.assigned"]


async def test_a_failure_is_told_to_who_started_it_and_to_whose_workflow_it_is(service: RunningService) -> None:
    now = service.clock.now()
    await tell(service, WorkflowChanged(slug="billing", name="B", revision=2, status="active", labels={"owner": EMAILS[BOB]}, by=ANN))
    await tell(service, WorkflowChanged(slug="billing", name="B", revision=1, status="active", by=CARL))
    ended = {"workflow": "billing", "workflow_version": 1, "position": 5, "at": now, "started_at": now, "duration_ms": 4}
    error = Failure(code="boom", message="It broke.", node="pay")
    first, second = uuid4(), uuid4()
    await tell(service, ExecutionFailed(**ended, execution_id=first, user=ANN, error=error))
    await tell(service, ExecutionFailed(**ended, execution_id=first, user=ANN, error=error))
    await tell(service, ExecutionTimedOut(**ended, execution_id=second, error=error))
    assert [await about(service, ANN, one) for one in (first, second)] == [["execution.failed"], []]
    assert [await about(service, BOB, one) for one in (first, second)] == [["execution.failed"], []]


async def test_a_workflow_tells_people_and_is_told_how_many_they_are(service: RunningService) -> None:
    to = {"users": [ANN, EMAILS[ANN].upper(), "nobody@acme.example"], "roles": ["boss", "captain"], "groups": ["finance", "crew"]}
    command = sending(with_={"to": to})
    await tell(service, command)
    await tell(service, command.model_copy(update={"attempt": 2}))
    unknown = {"users": ["nobody@acme.example"], "roles": ["captain"], "groups": ["crew"]}
    assert [(one.attempt, one.output) for one in answers(service, command)] == [
        (1, {"reached": 3, "unknown": unknown}), (2, {"reached": 3, "unknown": unknown}),
    ]  # fmt: skip
    assert [await about(service, sub, command.execution_id) for sub in (ANN, BOB, CARL)] == [["invoice.overdue"]] * 3
    (item,) = [item for item in (await inbox(service, ANN))["items"] if item["about"].get("execution_id") == str(command.execution_id)]
    assert (item["title"], item["text"], item["link"], item["read_at"]) == ("Look here", "More of it", "/executions/1", None)


@pytest.mark.parametrize(
    ("with_", "pointer"),
    [
        ({"link": "javascript:alert(1)"}, "/with/link"),
        ({"title": "x" * 301}, "/with/title"),
        ({"to": {"users": [None]}}, "/with/to/users/0"),
        ({"to": "everybody"}, "/with/to"),
    ],
)
async def test_what_a_template_gave_wrong_fails_the_step_and_says_where(service: RunningService, with_: Any, pointer: str) -> None:
    command = sending(with_=with_)
    await tell(service, command)
    (answer,) = answers(service, command)
    assert (answer.error.code, answer.error.permanent, answer.error.details) == ("notification_bad_request", True, {"pointer": pointer})


async def test_too_many_people_are_not_told(service: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft_tasks.notifications.verbs.REACHES_AT_MOST", 2)
    command = sending(with_={"to": {"users": [ANN], "roles": ["approver"], "groups": ["finance"]}})
    await tell(service, command)
    (answer,) = answers(service, command)
    assert (answer.error.code, answer.error.permanent, answer.error.details) == ("notification_too_many", True, {"limit": 2})
    assert await about(service, ANN, command.execution_id) == []


async def test_in_a_tenant_whose_people_come_from_elsewhere_who_is_named_is_told(service: RunningService) -> None:
    task = await asked(service, "elsewhere", assignee=ANN)
    by_mail = await asked(service, "elsewhere", assignee=EMAILS[ANN])
    assert [await about(service, ANN, one.task_id, "elsewhere") for one in (task, by_mail)] == [["task.assigned"]] * 2


async def test_what_is_read_is_read_once_and_said_to_who_watches(service: RunningService) -> None:
    tenant = "reading"
    await staffed(service, tenant)
    for _ in range(3):
        await asked(service, tenant, assignee=ANN)
    assert [word.unread for word in said(service, NotificationCreated, tenant=tenant)] == [1, 2, 3]
    ann, bob = person(service, ANN, tenant=tenant), person(service, BOB, tenant=tenant)
    found = await inbox(service, ANN, tenant)
    newest = found["items"][0]["id"]
    path = f"/api/v1/notifications/{newest}"
    read = [(await ann.post(f"{path}/read")).json() for _ in range(2)]
    assert read[0] == read[1]
    assert {**read[0], "deliveries": []} == (await ann.get(path)).json()
    assert read[0]["read_at"] is not None
    refused = await bob.post(f"{path}/read")
    assert (refused.status_code, refused.json()["code"]) == (404, "notification_not_found")
    assert found["unread"] == 3
    assert [item["id"] for item in (await inbox(service, ANN, tenant, unread="false"))["items"]] == [newest]
    assert len((await inbox(service, ANN, tenant, unread="true"))["items"]) == 2
    assert (await ann.post("/api/v1/notifications/read", json={"upto": "2000-01-01T00:00:00"})).json() == {"read": 0, "unread": 2}
    for moment in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"):
        assert (await ann.post("/api/v1/notifications/read", json={"upto": moment})).status_code in (200, 422)
    assert (await ann.post("/api/v1/notifications/read")).json()["unread"] == 0
    assert [(word.user, word.unread) for word in said(service, NotificationsRead, tenant=tenant)] == [(ANN, 2), (ANN, 0)]


async def test_an_inbox_is_read_page_by_page_and_by_event(service: RunningService) -> None:
    tenant = "paging"
    await staffed(service, tenant)
    for number in range(5):
        service.clock.advance(timedelta(seconds=1))
        await tell(service, sending(with_={"title": str(number), "event": "odd" if number % 2 else "even"}), tenant=tenant)
    first = await inbox(service, ANN, tenant, limit=2)
    second = await inbox(service, ANN, tenant, limit=2, cursor=first["next_cursor"])
    third = await inbox(service, ANN, tenant, limit=2, cursor=second["next_cursor"])
    assert [[item["title"] for item in page["items"]] for page in (first, second, third)] == [["4", "3"], ["2", "1"], ["0"]]
    assert (third["next_cursor"], third["unread"]) == (None, 5)
    assert [item["title"] for item in (await inbox(service, ANN, tenant, event="odd"))["items"]] == ["3", "1"]


async def test_people_choose_what_comes_into_their_inbox(service: RunningService) -> None:
    tenant = "choosing"
    await staffed(service, tenant)
    ann = person(service, ANN, tenant=tenant)
    path = "/api/v1/notifications/preferences"
    usual = await ann.get(path)
    assert (usual.headers["etag"], usual.json()["channels"]["task.assigned"]) == ('"0"', ["email", "in_app"])
    wanted: dict[str, Any] = {
        "channels": {"task.assigned": [], "invoice.overdue": ["email"]},
        "zone": "Europe/Rome",
        "quiet_hours": {"from": "22:00", "to": "07:00"},
        "digest": {"every": "daily", "at": "08:30"},
        "slack": "U012AB",
        "muted": ["slack"],
    }
    put = await ann.put(path, json=wanted, headers={"If-Match": usual.headers["etag"]})
    assert put.status_code == 200
    assert put.json() == (await ann.get(path)).json() == {**wanted, "channels": {**usual.json()["channels"], **wanted["channels"]}}
    stale = await ann.put(path, json=wanted, headers={"If-Match": usual.headers["etag"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "preferences_moved")
    task = await asked(service, tenant, assignee=ANN)
    await tell(service, sending(), tenant=tenant)
    reassigned = await asked(service, tenant, candidates=Candidates(users=(ANN,)))
    assert await about(service, ANN, task.task_id, tenant) == []
    assert await about(service, ANN, reassigned.task_id, tenant) == ["task.offered"]
    assert [item["event"] for item in (await inbox(service, ANN, tenant))["items"]] == ["task.offered"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"zone": "Mars/Olympus"}, "/zone"),
        ({"quiet_hours": {"from": "22:00", "to": "24:00"}}, "/quiet_hours/to"),
        ({"quiet_hours": {"from": "22:00", "to": "22:00"}}, "/quiet_hours"),
        ({"digest": {"every": "weekly"}}, "/digest/every"),
        ({"channels": {"Task Assigned": []}}, "/channels/Task Assigned"),
        ({"channels": {"task.assigned": ["pigeon"]}}, "/channels/task.assigned/0"),
        ({"slack": "@ann"}, "/slack"),
        ({"sms": True}, "/sms"),
    ],
)
async def test_a_choice_that_is_none_is_refused_and_pointed_at(service: RunningService, body: Any, pointer: str) -> None:
    refused = await person(service, ANN).put("/api/v1/notifications/preferences", json=body)
    assert refused.status_code == 422
    assert [one["pointer"] for one in refused.json()["errors"]] == [pointer]


async def test_what_was_told_is_forgotten_with_its_execution_or_when_it_is_old(service: RunningService) -> None:
    tenant = "forgetting"
    await staffed(service, tenant)
    gone, old = await asked(service, tenant, assignee=ANN), await asked(service, tenant, assignee=ANN)
    await tell(service, ExecutionsForgotten(execution_ids=(gone.execution_id,)), tenant=tenant)
    assert [await about(service, ANN, one.task_id, tenant) for one in (gone, old)] == [[], ["task.assigned"]]
    service.clock.advance(timedelta(days=91))
    new = await asked(service, tenant, assignee=ANN)
    await timing.forget(service.context)
    assert [await about(service, ANN, one.task_id, tenant) for one in (old, new)] == [[], ["task.assigned"]]
