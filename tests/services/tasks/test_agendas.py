"""Several decisions, separation and the passing of time, on a real database and through both doors."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import sqlalchemy as sa
from weft_contracts.directory import UserChanged
from weft_contracts.executions import ExecutionPaused, ExecutionResumed
from weft_contracts.tasks import (
    Approvals,
    CancelTask,
    Candidates,
    CreateTask,
    Rung,
    TaskCompleted,
    TaskDecided,
    TaskEscalated,
    TaskReminded,
)
from weft_contracts.waits import CompleteStep, FailStep
from weft_runtime.service import Service
from weft_runtime.testing import RunningService, running_service, said, tell
from weft_tasks import usecases
from weft_tasks.app import build
from weft_tasks.settings import Settings
from weft_tasks.tables import tasks
from weft_tasks.timing import look

ANN, BOB, CARL = (f"00000000-0000-7000-8000-00000000000{digit}" for digit in "abc")
HOUR = timedelta(hours=1)


class Dies(Exception):
    """The process dies before it commits."""


def without_loop(settings: Settings) -> Service:
    """The service, which looks what is due when a test says so."""
    return replace(build(settings), background=())


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(without_loop, database_url, name="tasks") as running:
        yield running


def person(service: RunningService, sub: str, *roles: str) -> httpx2.AsyncClient:
    return service.client("acme", roles or ("approver",), sub=sub, email=f"{sub[-1]}@acme.example")


async def asked(service: RunningService, **given: Any) -> CreateTask:
    fields: dict[str, Any] = {"task_id": uuid4(), "execution_id": uuid4(), "workflow": "leave", "node": "review", "visit": 1}
    command = CreateTask(**(fields | {"title": "Review", "outcomes": ("yes", "no"), "at": service.clock.now()} | given))
    await tell(service, command)
    return command


async def shown(service: RunningService, task: CreateTask, sub: str = ANN) -> Any:
    return (await person(service, sub).get(f"/api/v1/user-tasks/{task.task_id}")).json()


async def complete(service: RunningService, task: CreateTask, sub: str, outcome: str = "yes", **more: Any) -> httpx2.Response:
    body = {"outcome": outcome, **more}
    return await person(service, sub).post(f"/api/v1/user-tasks/{task.task_id}/complete", json=body)


async def listed(service: RunningService, sub: str, view: str, execution: UUID) -> list[str]:
    found = await person(service, sub).get("/api/v1/user-tasks", params={"view": view, "execution": str(execution)})
    return sorted(item["node"] for item in found.json()["items"])


def facts(service: RunningService, word: Any, task: CreateTask) -> list[Any]:
    return [one for one in said(service, word) if getattr(one, "task_id", None) == task.task_id]


async def test_two_of_three_decide_and_everybody_sees_how_far_it_is(service: RunningService) -> None:
    reserved = {"assignee": ANN, "candidates": Candidates(roles=("approver",))}
    task = await asked(service, approvals=Approvals(required=2, of=3), **reserved)
    first = await complete(service, task, ANN, form={"note": "fine"})
    assert (first.status_code, first.json()["status"], first.json()["allowed_actions"]) == (200, "open", ["snooze", "comment"])
    view = await shown(service, task, BOB)
    assert [view["approvals"][name] for name in ("required", "of", "distinct")] == [2, 3, True]
    assert [(one["completed_by"], one["outcome"], one["form"]) for one in view["approvals"]["decisions"]] == [
        (ANN, "yes", {"note": "fine"})
    ]
    assert (view["version"], [line["kind"] for line in view["history"]]) == (2, ["created", "decided"])
    again = await complete(service, task, ANN, "no", version=1)
    assert (again.status_code, again.json()["code"], again.json()["completed_by"]) == (409, "already_decided", ANN)
    assert [await listed(service, ANN, view, task.execution_id) for view in ("mine", "team", "all")] == [[], [], ["review"]]
    assert await listed(service, BOB, "team", task.execution_id) == ["review"]
    done = (await complete(service, task, BOB)).json()
    assert (done["status"], done["outcome"], done["completed_by"], len(done["approvals"]["decisions"])) == ("completed", "yes", BOB, 2)
    assert (len(facts(service, TaskDecided, task)), len(facts(service, TaskCompleted, task))) == (1, 1)
    (step,) = [step for step in said(service, CompleteStep) if step.execution_id == task.execution_id]
    assert [one["completed_by"] for one in step.output["approvals"]] == [ANN, BOB]


async def test_of_decisions_at_once_each_persons_counts_and_counts_once(service: RunningService) -> None:
    task = await asked(service, approvals=Approvals(required=2))
    answers = await asyncio.gather(*(complete(service, task, sub) for sub in (ANN, BOB) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 409, 409, 409, 409]
    assert sorted(one["completed_by"] for one in (await shown(service, task))["approvals"]["decisions"]) == [ANN, BOB]


async def test_who_had_a_part_in_one_task_may_not_take_or_be_given_the_other(service: RunningService) -> None:
    execution = uuid4()
    await tell(service, UserChanged(user_id=UUID(ANN), email="a@acme.example", name="Ann", revision=1))
    await tell(service, UserChanged(user_id=UUID(BOB), email="b@acme.example", name="Bob", revision=1))
    first = await asked(service, execution_id=execution, node="first", approvals=Approvals(required=2))
    second = await asked(service, execution_id=execution, node="second", separate_from=("first", "before"), excluded={CARL: "before"})
    before = (await person(service, ANN).get(f"/api/v1/user-tasks/{second.task_id}")).headers["etag"]
    assert "claim" in (await shown(service, second))["allowed_actions"]
    await complete(service, first, ANN)
    view = await person(service, ANN).get(f"/api/v1/user-tasks/{second.task_id}")
    assert (view.json()["allowed_actions"], view.json()["separate_from"]) == (["comment"], ["first", "before"])
    assert view.headers["etag"] != before
    admin = person(service, ANN, "admin")
    path = f"/api/v1/user-tasks/{second.task_id}"
    for sub, node in ((ANN, "first"), (CARL, "before")):
        for client in (person(service, sub), person(service, sub, "admin")):
            for verb, body in (("claim", {}), ("complete", {"outcome": "yes"})):
                refused = await client.post(f"{path}/{verb}", json=body)
                assert (refused.status_code, refused.json()["code"], refused.json()["node"]) == (403, "separated", node), verb
    for whom in (ANN, "A@acme.example"):
        assert (await admin.post(f"{path}/reassign", json={"assignee": whom})).json()["code"] == "separated"
    assert [await listed(service, ANN, view, execution) for view in ("unassigned", "team", "all")] == [[], [], ["first", "second"]]
    assert await listed(service, BOB, "unassigned", execution) == ["first", "second"]
    assert (await admin.post(f"{path}/reassign", json={"assignee": BOB})).status_code == 200
    assert (await complete(service, second, BOB)).status_code == 200


async def test_a_key_counts_as_who_made_it_and_both_are_shown(service: RunningService) -> None:
    execution = uuid4()
    first = await asked(service, execution_id=execution, node="first")
    second = await asked(service, execution_id=execution, node="second", separate_from=("first",))
    key = service.anonymous()
    key.headers["Authorization"] = f"Bearer {service.issuer.api_key('acme', ('service',), sub='key-of-ann', owner=ANN)}"
    done = (await key.post(f"/api/v1/user-tasks/{first.task_id}/complete", json={"outcome": "yes"})).json()
    assert (done["completed_by"], done["completed_via"]) == (ANN, "key-of-ann")
    (fact,) = facts(service, TaskCompleted, first)
    assert (fact.completed_by, fact.completed_via) == (ANN, "key-of-ann")
    (step,) = [step for step in said(service, CompleteStep) if step.execution_id == execution]
    assert (step.output["completed_by"], step.output["completed_via"]) == (ANN, "key-of-ann")
    for client in (key, person(service, ANN)):
        refused = await client.post(f"/api/v1/user-tasks/{second.task_id}/complete", json={"outcome": "yes"})
        assert (refused.status_code, refused.json()["code"]) == (403, "separated")
        found = await client.get("/api/v1/user-tasks", params={"view": "unassigned", "execution": str(execution)})
        assert found.json()["items"] == []
    assert (await complete(service, second, BOB)).status_code == 200


async def test_one_person_cannot_decide_two_tasks_that_are_kept_apart_at_once(service: RunningService) -> None:
    for _ in range(5):
        execution = uuid4()
        one = await asked(service, execution_id=execution, node="one", separate_from=("two",))
        two = await asked(service, execution_id=execution, node="two", separate_from=("one",))
        answers = await asyncio.gather(*(complete(service, task, ANN) for task in (one, two)))
        assert sorted(answer.status_code for answer in answers) == [200, 403]


async def test_lists_leave_out_exactly_what_may_not_be_taken(service: RunningService) -> None:
    execution = uuid4()
    asks: list[dict[str, Any]] = [
        {"node": "a", "rounds": "each[0]/", "visit": 1},
        {"node": "a", "rounds": "each[1]/", "visit": 2},
        {"node": "b0", "rounds": "each[0]/", "separate_from": ("a",)},
        {"node": "b1", "rounds": "each[1]/", "separate_from": ("a",)},
        {"node": "b1inner", "rounds": "each[1]/in[0]/", "separate_from": ("a",)},
        {"node": "b10", "rounds": "each[10]/", "separate_from": ("a",)},
        {"node": "outside", "separate_from": ("a",)},
        {"node": "twice", "approvals": Approvals(required=2)},
        {"node": "freely", "approvals": Approvals(required=2, distinct=False)},
        {"node": "told", "excluded": {ANN: "x"}},
    ]
    made = [await asked(service, execution_id=execution, **given) for given in asks]
    for task in (made[1], made[7], made[8]):
        assert (await complete(service, task, ANN)).status_code == 200
    assert (await complete(service, made[0], BOB)).status_code == 200
    offered = {task.node for task in made if "claim" in (await shown(service, task))["allowed_actions"]}
    assert offered == {"b0", "b10", "freely"}
    for view in ("unassigned", "team"):
        assert set(await listed(service, ANN, view, execution)) == offered
    given = await person(service, BOB, "admin").post(f"/api/v1/user-tasks/{made[6].task_id}/reassign", json={"assignee": None})
    assert given.status_code == 200


async def test_reminders_and_rungs_come_once_whoever_looks_and_however_often(service: RunningService) -> None:
    ladder = (Rung(after_s=7200, do="escalate", candidates=Candidates(roles=("lead",))), Rung(after_s=10800, do="decide", outcome="no"))
    given: dict[str, Any] = {"due_at": service.clock.now() + HOUR, "reminders": (600, 60), "on_timeout": ladder}
    task = await asked(service, candidates=Candidates(users=(ANN,)), **given)
    await person(service, ANN).post(f"/api/v1/user-tasks/{task.task_id}/claim")
    counts = []
    for minutes in (0, 50, 9, 61, 59, 10, 60):
        service.clock.advance(timedelta(minutes=minutes))
        await asyncio.gather(*(look(service.context) for _ in range(3)))
        counts.append([len(facts(service, word, task)) for word in (TaskReminded, TaskEscalated, TaskCompleted)])
    assert counts == [[0, 0, 0], [1, 0, 0], [2, 0, 0], [2, 1, 0], [2, 1, 0], [2, 1, 1], [2, 1, 1]]
    view = await shown(service, task)
    assert [line["kind"] for line in view["history"]] == ["created", "claimed", "reminded", "reminded", "escalated", "completed"]
    assert (view["status"], view["outcome"], view["completed_by"], view["candidates"]["roles"]) == ("completed", "no", None, ["lead"])
    assert [(step["do"], step["to"], step["done"]) for step in view["agenda"][1:]] == [
        ("remind", None, True),
        ("escalate", {"users": [], "groups": [], "roles": ["lead"]}, True),
        ("decide", None, True),
    ]
    (step,) = [step for step in said(service, CompleteStep) if step.execution_id == task.execution_id]
    assert (step.outcome, step.output["completed_by"]) == ("no", None)
    late = await complete(service, task, ANN)
    assert (late.status_code, late.json()["code"], late.json()["decided_by"]) == (409, "task_already_completed", "timeout")
    assert late.json()["completed_at"]


async def test_a_step_that_dies_before_its_end_is_taken_again_and_said_once(service: RunningService) -> None:
    task = await asked(service, on_timeout=(Rung(after_s=60, do="remind"), Rung(after_s=120, do="fail")))
    service.clock.advance(HOUR)
    with pytest.raises(Dies):
        async with service.context.owner_transaction("acme") as uow:
            await usecases.pass_time(uow, 50)
            raise Dies
    assert ([*facts(service, TaskReminded, task)], (await shown(service, task))["status"]) == ([], "open")
    await look(service.context)
    await look(service.context)
    assert len(facts(service, TaskReminded, task)) == 1
    failed = [step.error.code for step in said(service, FailStep) if step.execution_id == task.execution_id]
    assert (failed, (await shown(service, task))["status"]) == (["timeout"], "expired")


async def test_what_cannot_be_read_of_one_tenant_holds_up_no_other(service: RunningService) -> None:
    broken = CreateTask(
        task_id=uuid4(), execution_id=uuid4(), workflow="leave", node="review", visit=1, title="Review", at=service.clock.now(),
        on_timeout=(Rung(after_s=60, do="remind"),),
    )  # fmt: skip
    await tell(service, broken, tenant="globex")
    task = await asked(service, on_timeout=(Rung(after_s=60, do="remind"),))
    unreadable = sa.update(tasks).where(tasks.c.tenant_id == "globex", tasks.c.id == broken.task_id).values(agenda=[{"do": "remind"}])
    async with service.context.owner_transaction() as uow:
        await uow.conn.execute(unreadable)
    service.clock.advance(HOUR)
    await look(service.context)
    assert len(facts(service, TaskReminded, task)) == 1
    async with service.context.owner_transaction() as uow:
        await uow.conn.execute(unreadable.values(next_at=None))
    metrics = (await service.anonymous().get("/metrics")).text
    assert 'door="background"' in metrics, "somebody is told"


async def test_a_pause_puts_steps_off_and_nothing_comes_while_it_lasts(service: RunningService) -> None:
    start = service.clock.now()
    due: dict[str, Any] = {"due_at": start + 2 * HOUR, "reminders": (3600,)}
    task = await asked(service, on_timeout=(Rung(after_s=5400, do="fail"),), **due)
    same: dict[str, Any] = {"execution_id": task.execution_id, "workflow": "leave", "workflow_version": 1}
    await tell(service, ExecutionPaused(**same, position=3, at=start + HOUR / 2, by="ann"))
    service.clock.advance(10 * HOUR)
    await look(service.context)
    assert ((await shown(service, task))["status"], facts(service, TaskReminded, task)) == ("open", [])
    await tell(service, ExecutionResumed(**same, position=5, at=start + 10 * HOUR, paused_at=start + HOUR / 2))
    view = await shown(service, task)
    assert [step["at"] for step in view["agenda"]] == [
        (start + moment).isoformat().replace("+00:00", "Z") for moment in (10 * HOUR + HOUR / 2, 11 * HOUR)
    ]
    for minutes, status, reminded in ((29, "open", 0), (2, "open", 1), (30, "expired", 1)):
        service.clock.advance(timedelta(minutes=minutes))
        await look(service.context)
        assert ((await shown(service, task))["status"], len(facts(service, TaskReminded, task))) == (status, reminded)


async def test_a_person_and_a_rung_at_once_are_one_decision(service: RunningService) -> None:
    made = [await asked(service, on_timeout=(Rung(after_s=60, do="decide", outcome="no"),)) for _ in range(8)]
    service.clock.advance(timedelta(minutes=2))
    answers = await asyncio.gather(look(service.context), *(complete(service, task, ANN) for task in made))
    for task, answer in zip(made, answers[1:], strict=True):
        (fact,) = facts(service, TaskCompleted, task)
        assert isinstance(answer, httpx2.Response)
        assert (answer.status_code == 200, fact.outcome) in ((True, "yes"), (False, "no"))
        assert len([step for step in said(service, CompleteStep) if step.execution_id == task.execution_id]) == 1
        if answer.status_code != 200:
            assert (answer.status_code, answer.json()["code"]) == (409, "task_already_completed")


async def test_what_was_taken_back_never_speaks_again(service: RunningService) -> None:
    task = await asked(service, on_timeout=(Rung(after_s=60, do="remind"), Rung(after_s=90, do="fail")))
    await tell(service, CancelTask(task_id=task.task_id, execution_id=task.execution_id, reason="timeout"))
    service.clock.advance(HOUR)
    await look(service.context)
    assert facts(service, TaskReminded, task) == []
    assert [step for step in said(service, FailStep) if step.execution_id == task.execution_id] == []
