"""Handing on, stand-ins and sleep on a real database and through the doors."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from weft_contracts.audit import RecordAudit
from weft_contracts.tasks import Approvals, Candidates, TaskCompleted, TaskDelegated, TaskReleased
from weft_contracts.waits import CompleteStep
from weft_runtime.testing import RunningService, running_service, said

from tests.services.tasks.people import ANN, BOB, CARL, act, asked, iso, known, listed, person, shown, without_loop

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(without_loop, database_url, name="tasks") as running:
        await known(running)
        yield running


async def away(service: RunningService, sub: str, delegate: str, **more: Any) -> Any:
    body = {"delegate": delegate, "to": iso(service.clock.now() + 8 * HOUR), **more}
    answer = await person(service, sub).post("/api/v1/delegations", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def back(service: RunningService, sub: str, delegation: Any) -> None:
    assert (await person(service, sub).delete(f"/api/v1/delegations/{delegation['id']}")).status_code == 204


async def test_a_task_that_is_handed_on_is_decided_by_another_for_whoever_had_it(service: RunningService) -> None:
    task = await asked(service, assignee=ANN)
    given = await act(service, task, "delegate", ANN, assignee="bob@acme.example", version=1)
    assert (given.status_code, given.json()["assignee"], given.json()["delegated_by"]) == (200, "bob@acme.example", [ANN])
    assert (await person(service, ANN).post(f"/api/v1/user-tasks/{task.task_id}/delegate", json={"assignee": CARL})).status_code == 403
    assert await listed(service, BOB, "mine", task)
    circle = await act(service, task, "delegate", BOB, assignee="ann@acme.example")
    assert (circle.status_code, circle.json()["code"]) == (409, "delegated_in_circle")
    nobody = await act(service, task, "delegate", BOB, assignee="who@else.example")
    assert (nobody.status_code, nobody.json()["code"]) == (422, "unknown_assignee")
    done = (await act(service, task, "complete", BOB, outcome="yes")).json()
    assert (done["completed_by"], done["on_behalf_of"], done["on_behalf_of_name"]) == (BOB, ANN, "Ann")
    assert [(line["kind"], line["by"]) for line in done["history"][1:]] == [("delegated", ANN), ("completed", BOB)]
    assert done["history"][-1]["data"] == {"outcome": "yes", "on_behalf_of": ANN}
    assert [one.by for one in said(service, TaskDelegated) if one.task_id == task.task_id] == [ANN]
    assert [one.on_behalf_of for one in said(service, TaskCompleted) if one.task_id == task.task_id] == [ANN]


async def test_a_stand_in_has_open_and_new_tasks_in_the_span_and_neither_before_nor_after(service: RunningService) -> None:
    before = await asked(service, assignee="ann@acme.example")
    named = await asked(service, candidates=Candidates(users=(ANN,)))
    begins = service.clock.now() + HOUR
    said_so = await away(service, ANN, "carl@acme.example", **{"from": iso(begins), "to": iso(begins + HOUR)})
    assert (said_so["user"], said_so["delegate"], said_so["status"]) == (ANN, CARL, "scheduled")
    assert not await listed(service, CARL, "mine", before)
    service.clock.advance(HOUR)
    after = await asked(service, assignee=ANN)
    assert [await listed(service, CARL, "mine", task) for task in (before, after, named)] == [True, True, False]
    assert [await listed(service, CARL, "team", task) for task in (before, after, named)] == [True] * 3
    assert [await listed(service, BOB, "team", task) for task in (before, after)] == [False, False]
    view = await shown(service, before, CARL)
    assert (view["stands_for"], view["allowed_actions"]) == (ANN, ["claim", "complete", "delegate", "comment"])
    assert await listed(service, ANN, "mine", before), "who is away still has it"
    assert (await act(service, before, "complete", CARL, outcome="yes")).json()["on_behalf_of"] == ANN
    taken = (await act(service, after, "claim", CARL)).json()
    assert (taken["assignee"], taken["history"][-1]["data"]) == (CARL, {"on_behalf_of": ANN})
    service.clock.advance(HOUR)
    assert not await listed(service, CARL, "team", named)
    assert (await act(service, named, "complete", CARL, outcome="yes")).json()["code"] == "not_your_task"
    done = await act(service, after, "complete", CARL, outcome="no")
    assert (done.status_code, done.json()["on_behalf_of"]) == (200, ANN)
    steps = [
        one.output["on_behalf_of"] for one in said(service, CompleteStep) if one.execution_id in (before.execution_id, after.execution_id)
    ]
    assert steps == [ANN, ANN]


async def test_workflows_bound_a_stand_in_and_taking_it_back_ends_it_at_once(service: RunningService) -> None:
    leave, other = await asked(service, assignee=BOB), await asked(service, assignee=BOB, workflow="other")
    one = await away(service, BOB, CARL, workflows=["leave", "leave"], reason="on leave")
    assert (one["workflows"], one["reason"], one["status"]) == (["leave"], "on leave", "active")
    assert [await listed(service, CARL, "mine", task) for task in (leave, other)] == [True, False]
    await back(service, CARL, one)
    assert not await listed(service, CARL, "mine", leave)
    ended = (await person(service, BOB).get(f"/api/v1/delegations/{one['id']}")).json()
    assert (ended["status"], ended["revoked_by"]) == ("revoked", CARL)
    await back(service, BOB, one)


async def test_a_stand_in_decides_no_request_of_their_own_nor_what_the_absent_one_may_not(service: RunningService) -> None:
    one = await away(service, ANN, BOB)
    own = await asked(service, assignee=ANN, requested_by=BOB)
    assert not await listed(service, BOB, "mine", own)
    for verb in ("claim", "complete"):
        refused = await act(service, own, verb, BOB, **({"outcome": "yes"} if verb == "complete" else {}))
        assert (refused.status_code, refused.json()["code"]) == (403, "own_request")
    apart = await asked(service, assignee=ANN, separate_from=("first",), excluded={ANN: "first"})
    assert not await listed(service, BOB, "mine", apart)
    assert (await act(service, apart, "complete", BOB, outcome="yes")).json()["code"] == "separated"
    assert (await act(service, own, "complete", ANN, outcome="yes")).status_code == 200
    await back(service, ANN, one)


async def test_of_several_decisions_one_person_gives_one_however_many_act_for_them(service: RunningService) -> None:
    delegations = [await away(service, ANN, BOB), await away(service, ANN, CARL)]
    task = await asked(service, assignee=ANN, approvals=Approvals(required=2))
    answers = await asyncio.gather(*(act(service, task, "complete", sub, outcome="yes") for sub in (ANN, BOB, CARL) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    view = await shown(service, task)
    assert (view["status"], len(view["approvals"]["decisions"])) == ("open", 1)
    for one in delegations:
        await back(service, ANN, one)


async def test_people_speak_for_themselves_and_see_what_concerns_them(service: RunningService) -> None:
    tomorrow = iso(service.clock.now() + 24 * HOUR)
    body = {"user": ANN, "delegate": CARL, "to": tomorrow}
    refused = await person(service, BOB).post("/api/v1/delegations", json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_absence")
    assert (await person(service, BOB, "viewer").post("/api/v1/delegations", json=body)).status_code == 403
    made = await person(service, BOB, "editor").post("/api/v1/delegations", json=body)
    assert (made.status_code, made.headers["location"]) == (201, f"/api/v1/delegations/{made.json()['id']}")
    wrong = [({"delegate": ANN}, "stands_in_for_self", "/delegate"), ({"delegate": "x"}, "unknown_assignee", "/delegate")]
    wrong += [({"delegate": BOB, "to": iso(service.clock.now())}, "bad_time", "/to")]
    wrong += [({"delegate": BOB, "from": "0001-01-01T00:00:00+23:00"}, "bad_time", "/to")]
    wrong += [({"delegate": BOB, "to": "9999-12-31T23:59:59-23:00"}, "bad_time", "/to")]
    for more, code, pointer in wrong:
        answer = await person(service, ANN).post("/api/v1/delegations", json={"to": tomorrow, **more})
        assert (answer.status_code, answer.json()["code"], answer.json()["errors"][0]["pointer"]) == (422, code, pointer)

    async def seen(sub: str, *roles: str, **query: str) -> list[str]:
        page = await person(service, sub, *roles).get("/api/v1/delegations", params={"status": "active", **query})
        return [item["user"] for item in page.json()["items"]]

    assert await seen(CARL) == [ANN]
    assert await seen(ANN, user="Ann@acme.example", delegate=CARL) == [ANN]
    stranger = str(uuid4())
    assert (await seen(stranger), await seen(stranger, "admin")) == ([], [ANN])
    path = f"/api/v1/delegations/{made.json()['id']}"
    for other in (person(service, stranger), person(service, ANN, "admin", tenant="other")):
        assert [(await other.get(path)).status_code, (await other.delete(path)).status_code] == [404, 404]
    await back(service, ANN, made.json())


async def test_a_sleeping_task_is_out_of_sight_of_its_assignee_until_its_time(service: RunningService) -> None:
    task = await asked(service, assignee=ANN, due_at=service.clock.now() + 30 * HOUR)
    until = service.clock.now() + 10 * HOUR
    body = {"until": iso(until), "version": 1}
    slept = (await person(service, ANN).post(f"/api/v1/user-tasks/{task.task_id}/snooze", json=body)).json()
    assert (slept["version"], slept["snoozed_until"] is not None, slept["history"][-1]["kind"]) == (1, True, "snoozed")
    assert [await listed(service, ANN, view, task) for view in ("mine", "snoozed", "team", "all")] == [False, True, True, True]
    other = await shown(service, task, BOB)
    assert (other["due_at"], other["snoozed_until"]) == (slept["due_at"], None)
    assert (await act(service, task, "snooze", BOB, until=iso(until))).json()["code"] == "not_your_task"
    service.clock.advance(10 * HOUR)
    assert [await listed(service, ANN, view, task) for view in ("mine", "snoozed")] == [True, False]
    await act(service, task, "snooze", ANN, until=iso(service.clock.now() + HOUR))
    assert (await act(service, task, "comment", BOB, text="look again")).status_code == 403, "it is no task of hers"
    assert (await person(service, CARL, "editor").post(f"/api/v1/user-tasks/{task.task_id}/comment", json={"text": "x"})).status_code == 200
    assert await listed(service, ANN, "mine", task)
    await act(service, task, "snooze", ANN, until=iso(service.clock.now() + HOUR))
    assert (await act(service, task, "snooze", ANN, until=None)).json()["snoozed_until"] is None
    for wrong in (iso(service.clock.now() - HOUR), "2026-01-01T00:00:00", "9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00"):
        assert (await act(service, task, "snooze", ANN, until=wrong)).json()["code"] == "bad_time", wrong
    assert (await act(service, task, "snooze", ANN, until="2026-02-01T00:00:00")).json()["snoozed_until"] == "2026-02-01T00:00:00Z"


async def test_the_audit_is_told_of_stand_ins_and_of_what_is_given_back(service: RunningService) -> None:
    made = await away(service, ANN, BOB, reason="away")
    for _ in range(2):
        await back(service, ANN, made)
    told = [one for one in said(service, RecordAudit) if one.resource_id == made["id"]]
    assert [(one.action, one.by) for one in told] == [("delegation.created", ANN), ("delegation.revoked", ANN)]
    assert ((told[0].after or {})["delegate"], told[1].before) == (BOB, told[0].after)
    task = await asked(service, assignee=ANN)
    await act(service, task, "claim", ANN)
    await act(service, task, "release", ANN)
    (released,) = [one for one in said(service, TaskReleased) if one.task_id == task.task_id]
    assert released.by == ANN
    assert released.origin is not None
