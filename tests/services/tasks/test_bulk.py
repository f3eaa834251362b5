"""One verb on many tasks: each by the rules of one, with what became of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from weft_contracts.tasks import Candidates, CreateTask, TaskCompleted
from weft_runtime.testing import RunningService, running_service, said
from weft_tasks.bulk import MOST

from tests.services.tasks.people import ANN, BOB, CARL, act, asked, known, person, shown, without_loop

FORM = {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "number"}}}


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(without_loop, database_url, name="tasks") as running:
        await known(running)
        yield running


async def bulk(service: RunningService, sub: str, *roles: str, key: str | None = None, **body: Any) -> httpx2.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await person(service, sub, *roles).post("/api/v1/user-tasks/bulk", json=body, headers=headers)


def ids(*tasks: CreateTask) -> list[str]:
    return [str(task.task_id) for task in tasks]


def completed(service: RunningService, *tasks: CreateTask) -> list[UUID]:
    wanted = {task.task_id for task in tasks}
    return [one.task_id for one in said(service, TaskCompleted) if one.task_id in wanted]


async def test_each_task_is_decided_or_refused_by_its_own_rules_and_the_answer_says_which(service: RunningService) -> None:
    good, plain, others, done = [await asked(service, **given) for given in ({"form": FORM}, {}, {"assignee": BOB}, {})]
    wrong = await asked(service, form={**FORM, "required": ["other"]})
    moved = await asked(service)
    await act(service, moved, "claim", ANN)
    await act(service, done, "complete", BOB, outcome="no")
    nowhere = str(uuid4())
    named = [*ids(good, others, done, wrong, moved, plain), nowhere, *ids(good)]
    options = {"outcome": "yes", "form": {"amount": 3}}
    answer = await bulk(service, ANN, verb="complete", ids=named, options=options, versions={str(moved.task_id): 1})
    told = answer.json()
    assert [(item["id"], item["status"], item["code"]) for item in told["items"]] == [
        (str(good.task_id), "ok", None),
        (str(others.task_id), "refused", "not_your_task"),
        (str(done.task_id), "refused", "task_already_completed"),
        (str(wrong.task_id), "refused", "form_invalid"),
        (str(moved.task_id), "refused", "task_version_conflict"),
        (str(plain.task_id), "ok", None),
        (nowhere, "refused", "task_not_found"),
    ]
    assert told["items"][3]["errors"][0]["pointer"] == "/form/other"
    assert (told["items"][0]["task_status"], told["items"][0]["version"]) == ("completed", 2)
    assert [told[name] for name in ("verb", "total", "ok", "refused", "left")] == ["complete", 7, 2, 5, 0]
    assert sorted(completed(service, good, plain, others, wrong, moved)) == sorted([good.task_id, plain.task_id])
    assert (await shown(service, moved))["status"] == "claimed"


async def test_the_same_request_again_does_nothing_and_answers_the_same(service: RunningService) -> None:
    tasks = [await asked(service) for _ in range(3)]
    body: dict[str, Any] = {"verb": "complete", "ids": ids(*tasks), "options": {"outcome": "yes"}}
    first = await bulk(service, ANN, key="bulk-once", **body)
    again = await bulk(service, ANN, key="bulk-once", **body)
    assert (again.headers["idempotent-replayed"], again.json()) == ("true", first.json())
    assert first.json()["ok"] == 3
    assert len(completed(service, *tasks)) == 3
    other = await bulk(service, ANN, key="bulk-once", **{**body, "verb": "claim", "options": {}})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


async def test_two_who_decide_the_same_tasks_at_once_decide_each_once(service: RunningService) -> None:
    tasks = [await asked(service) for _ in range(6)]
    body: dict[str, Any] = {"verb": "complete", "options": {"outcome": "yes"}}
    answers = await asyncio.gather(
        bulk(service, ANN, ids=ids(*tasks), **body),
        bulk(service, BOB, ids=ids(*reversed(tasks)), **body),
        bulk(service, ANN, ids=ids(*tasks), **body),
    )
    assert [answer.status_code for answer in answers] == [200] * 3
    assert sum(answer.json()["ok"] for answer in answers) == 6
    assert sorted(completed(service, *tasks)) == sorted(task.task_id for task in tasks)


async def test_a_filter_takes_what_i_may_act_on_the_oldest_first_and_says_what_is_left(service: RunningService) -> None:
    mine = []
    for _ in range(3):
        mine.append(await asked(service, workflow="expenses", candidates=Candidates(users=(ANN,))))
        service.clock.advance(timedelta(seconds=1))
    await asked(service, workflow="expenses", assignee=BOB)
    told = (await bulk(service, ANN, verb="claim", filter={"workflow": "expenses"})).json()
    assert ([item["id"] for item in told["items"]], told["ok"], told["left"]) == (ids(*mine), 3, 0)
    chosen = {"workflow": "expenses", "view": "mine", "status": ["claimed"]}
    late = (await bulk(service, ANN, verb="snooze", filter=chosen, options={"until": "2026-02-01T00:00:00Z"})).json()
    assert (late["ok"], (await bulk(service, ANN, verb="release", filter=chosen)).json()["total"]) == (3, 0)
    woken = (await bulk(service, ANN, verb="release", filter={**chosen, "view": "snoozed"})).json()
    assert (woken["ok"], {item["task_status"] for item in woken["items"]}) == (3, {"open"})
    await asyncio.gather(*(asked(service, workflow="crowd") for _ in range(MOST + 2)))
    many = (await bulk(service, ANN, verb="comment", filter={"workflow": "crowd"}, options={"text": "soon"})).json()
    assert (many["ok"], many["left"]) == (MOST, 2)


async def test_many_are_given_to_somebody_only_by_who_may_assign_and_handed_on_by_who_has_them(service: RunningService) -> None:
    tasks = [await asked(service, assignee=ANN), await asked(service, assignee=BOB)]
    body: dict[str, Any] = {"ids": ids(*tasks), "options": {"assignee": CARL}}
    refused = await bulk(service, ANN, verb="reassign", **body)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    handed = (await bulk(service, ANN, verb="delegate", **body)).json()
    assert [(item["status"], item["code"]) for item in handed["items"]] == [("ok", None), ("refused", "not_your_task")]
    given = (await bulk(service, ANN, "editor", verb="reassign", **body)).json()
    assert [item["status"] for item in given["items"]] == ["ok", "ok"]
    assert [(await shown(service, task))["assignee"] for task in tasks] == [CARL, CARL]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"verb": "claim"}, "/ids"),
        ({"verb": "claim", "ids": [str(UUID(int=7))], "filter": {}}, "/ids"),
        ({"verb": "claim", "ids": []}, "/ids"),
        ({"verb": "claim", "ids": [str(UUID(int=7))] * (MOST + 1)}, "/ids"),
        ({"verb": "claim", "ids": [str(UUID(int=7))], "options": {"text": "x"}}, "/options/text"),
        ({"verb": "comment", "ids": [str(UUID(int=7))]}, "/options/text"),
        ({"verb": "delegate", "ids": [str(UUID(int=7))], "options": {"assignee": None}}, "/options/assignee"),
        ({"verb": "complete", "ids": [str(UUID(int=n)) for n in range(MOST)], "options": {"form": {"a": "x" * 90_000}}}, "/options/form"),
        ({"verb": "forget", "ids": [str(UUID(int=7))]}, "/verb"),
        ({"verb": "claim", "filter": {"nobody": 1}}, "/filter/nobody"),
    ],
)
async def test_what_makes_no_sense_for_any_task_is_refused_as_a_whole(service: RunningService, body: dict[str, Any], pointer: str) -> None:
    answer = await bulk(service, ANN, **body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_tasks_of_another_tenant_are_not_there(service: RunningService) -> None:
    task = await asked(service)
    other = person(service, ANN, "admin", tenant="other")
    told = (await other.post("/api/v1/user-tasks/bulk", json={"verb": "claim", "ids": ids(task)})).json()
    assert [(item["status"], item["code"]) for item in told["items"]] == [("refused", "task_not_found")]
