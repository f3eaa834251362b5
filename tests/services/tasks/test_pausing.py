"""Tasks rest with their executions: on a real database and broker, whatever order the facts come in."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from weft_contracts import catalog
from weft_contracts.envelope import Item
from weft_contracts.executions import ExecutionPaused, ExecutionResumed, ExecutionsForgotten
from weft_contracts.frames import encode_frame
from weft_contracts.routing import EVENTS, event_key
from weft_contracts.tasks import CreateTask
from weft_contracts.waits import CompleteStep
from weft_runtime.bus import OutFrame
from weft_runtime.clock import new_id
from weft_runtime.database.migrate import check
from weft_runtime.testing import RunningService, eventually, running_service, said, tell
from weft_tasks import store
from weft_tasks.app import build
from weft_tasks.pauses import Halt, put_off, standing
from weft_tasks.tables import history

T0 = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
async def service(database_url: str, broker_url: str) -> AsyncIterator[RunningService]:
    async with running_service(build, database_url, broker_url) as running:
        yield running


def creation(execution_id: UUID, *, at: datetime = T0) -> CreateTask:
    same: dict[str, Any] = {"workflow": "leave", "node": "review", "visit": 1, "title": "Review", "outcomes": ("approved", "rejected")}
    return CreateTask(task_id=uuid4(), execution_id=execution_id, at=at, due_at=at + 2 * HOUR, **same)


def fact(word: Any, execution_id: UUID, position: int, at: datetime, **more: Any) -> Any:
    return word(execution_id=execution_id, workflow="leave", workflow_version=1, position=position, at=at, **more)


def pause(execution_id: UUID, position: int = 5, at: datetime = T0 + HOUR) -> ExecutionPaused:
    paused: ExecutionPaused = fact(ExecutionPaused, execution_id, position, at, by="ann")
    return paused


def resumption(execution_id: UUID, position: int = 9, at: datetime = T0 + 4 * HOUR, since: datetime | None = T0 + HOUR) -> ExecutionResumed:
    resumed: ExecutionResumed = fact(ExecutionResumed, execution_id, position, at, paused_at=since)
    return resumed


async def shown(service: RunningService, task: CreateTask) -> Any:
    return (await service.client(roles=["editor"]).get(f"/api/v1/user-tasks/{task.task_id}")).json()


async def test_tables_and_migrations_agree(service: RunningService) -> None:
    assert await check(service.context.settings.database_url.get_secret_value(), "weft_tasks", "tasks") == []


async def test_a_task_rests_and_its_time_stands_still(service: RunningService) -> None:
    execution = uuid4()
    task = creation(execution)
    await tell(service, task)
    before = await shown(service, task)
    assert (before["paused"], before["due_at"]) == (False, "2026-01-05T10:00:00Z")
    await tell(service, pause(execution))
    resting = await shown(service, task)
    assert (resting["paused"], resting["paused_since"], resting["status"]) == (True, "2026-01-05T09:00:00Z", "open")
    assert resting["allowed_actions"] == ["comment"]
    client, path = service.client(roles=["editor"]), f"/api/v1/user-tasks/{task.task_id}"
    for verb, body in (("claim", {}), ("complete", {"outcome": "approved"}), ("reassign", {"assignee": "bob"})):
        refused = await client.post(f"{path}/{verb}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "execution_paused"), verb
        assert (refused.json()["paused_since"], refused.json()["paused_by"]) == ("2026-01-05T09:00:00+00:00", "ann")
        assert "was paused at 2026-01-05T09:00:00+00:00 by ann" in refused.json()["detail"]
    assert [step for step in said(service, CompleteStep) if step.execution_id == execution] == []
    await tell(service, resumption(execution))
    after = await shown(service, task)
    assert (after["paused"], after["due_at"], after["version"]) == (False, "2026-01-05T13:00:00Z", before["version"])
    assert [line["kind"] for line in after["history"]] == ["created", "paused", "resumed"]
    done = await client.post(f"{path}/complete", json={"outcome": "approved", "version": before["version"]})
    assert (done.status_code, done.json()["status"]) == (200, "completed")


@pytest.mark.parametrize("order", list(permutations(range(5))), ids=lambda order: "".join(map(str, order)))
async def test_the_order_of_facts_and_repeats_change_nothing(service: RunningService, order: tuple[int, ...]) -> None:
    execution = uuid4()
    task = creation(execution)
    again = {"at": T0 + 5 * HOUR}
    words = [
        task,
        pause(execution),
        resumption(execution),
        pause(execution, 12, **again),
        resumption(execution, 14, T0 + 6 * HOUR, again["at"]),
    ]
    for number in order:
        await tell(service, words[number])
        await tell(service, words[number])
    found = await shown(service, task)
    assert (found["paused"], found["due_at"]) == (False, "2026-01-05T14:00:00Z")


async def test_waking_up_is_no_resumption_and_a_later_task_is_not_put_off(service: RunningService) -> None:
    execution = uuid4()
    early, late = creation(execution), creation(execution, at=T0 + 5 * HOUR)
    await tell(service, early, resumption(execution, 3, T0 + HOUR, None), late, pause(execution), resumption(execution))
    assert [(await shown(service, task))["due_at"] for task in (early, late)] == ["2026-01-05T13:00:00Z", "2026-01-05T15:00:00Z"]


async def test_a_task_that_comes_into_a_pause_rests_from_the_beginning(service: RunningService) -> None:
    execution = uuid4()
    task = creation(execution)
    await tell(service, pause(execution))
    await tell(service, task)
    assert (await shown(service, task))["paused"] is True


async def test_a_task_at_rest_does_not_become_overdue(service: RunningService) -> None:
    execution, other = uuid4(), uuid4()
    resting, running = creation(execution), creation(other)
    await tell(service, resting, running, pause(execution))
    service.clock.set(T0 + 3 * HOUR)
    client = service.client(roles=["editor"])
    overdue = (await client.get("/api/v1/user-tasks", params={"due": "overdue", "limit": 200})).json()["items"]
    found = {item["id"] for item in overdue}
    assert (str(resting.task_id) in found, str(running.task_id) in found) == (False, True)


async def test_what_another_tenant_says_of_an_execution_touches_nothing(service: RunningService) -> None:
    execution = uuid4()
    task = creation(execution)
    await tell(service, task)
    await tell(service, pause(execution), tenant="other")
    assert (await shown(service, task))["paused"] is False


async def test_the_facts_reach_tasks_over_the_broker(service: RunningService) -> None:
    execution = uuid4()
    task = creation(execution)
    await tell(service, task)
    item: Item = catalog.pack(pause(execution), id=str(new_id()), source="weft/engine", tenant="acme")
    await service.context.bus.publish([OutFrame(EVENTS, event_key("acme", "execution.paused"), encode_frame([item]))])

    async def rests() -> bool | None:
        return (await shown(service, task))["paused"] or None

    assert await eventually(rests, "the task's rest")


def test_only_pauses_that_are_over_put_off_and_only_what_was_asked_for_before() -> None:
    over, later = Halt(4, T0 + HOUR, since=T0), Halt(7, T0 + 2 * HOUR)
    assert put_off(T0, [later, over], T0) == T0 + HOUR
    assert put_off(T0, [over], T0 + HOUR) == T0
    assert put_off(None, [over], T0) is None
    assert (standing([over, later]), standing([over]), standing([])) == (later, None, None)


async def test_a_pause_that_no_task_rests_with_is_forgotten_in_the_end(service: RunningService) -> None:
    cancelled, resting = uuid4(), uuid4()
    await tell(service, creation(resting), pause(cancelled), pause(resting), tenant="forget")
    service.clock.advance(timedelta(days=8))
    await tell(service, pause(uuid4()), tenant="forget")
    async with service.context.owner_transaction("forget") as uow:
        found = [len(await store.halts(uow, "forget", execution)) for execution in (cancelled, resting)]
    assert found == [0, 1]


async def test_the_tasks_of_executions_that_are_forgotten_go_with_their_history_and_pauses_and_no_others(service: RunningService) -> None:
    gone, stays, foreign = uuid4(), uuid4(), uuid4()
    theirs, others = creation(gone), creation(stays)
    await tell(service, theirs, others, pause(gone), pause(stays))
    await tell(service, creation(foreign), pause(foreign), tenant="other")
    await tell(service, ExecutionsForgotten(execution_ids=(gone, foreign)))
    client = service.client(roles=["editor"])
    assert (await client.get(f"/api/v1/user-tasks/{theirs.task_id}")).json()["code"] == "task_not_found"
    assert (await shown(service, others))["paused"] is True
    async with service.context.owner_transaction() as uow:
        left = [len(await store.halts(uow, tenant, one)) for tenant, one in (("acme", gone), ("acme", stays), ("other", foreign))]
        query = sa.select(sa.func.count()).where(history.c.task_id.in_([theirs.task_id, others.task_id]))
        lines = (await uow.conn.execute(query.add_columns(history.c.task_id).group_by(history.c.task_id))).all()
    assert (left, [row.task_id for row in lines]) == ([0, 1, 1], [others.task_id])
