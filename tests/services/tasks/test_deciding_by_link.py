"""Deciding by a link on a real database: whoever fetches it changes nothing, and whoever posts to it decides once."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from weft_contracts.audit import RecordAudit
from weft_contracts.directory import UserChanged
from weft_contracts.executions import ExecutionPaused, ExecutionsForgotten
from weft_contracts.tasks import CreateTask, TaskCompleted
from weft_contracts.waits import CompleteStep
from weft_runtime.testing import RunningService, running_service, said, tell
from weft_tasks.tables import decision_receipts, history, tasks

from tests.services.tasks.people import ANN, BOB, CARL, EMAILS, act, asked, iso, known, person, shown, without_loop

BROWSER = {"Accept": "text/html,*/*;q=0.8", "User-Agent": "A browser"}
FORM = {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "number"}}}
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(without_loop, database_url, name="tasks", public_url="https://weft.example") as running:
        await known(running)
        yield running


async def link_of(service: RunningService, task: CreateTask, **body: Any) -> Any:
    made = await person(service, CARL, "admin").post(f"/api/v1/user-tasks/{task.task_id}/links", json=body)
    assert made.status_code == 201, made.text
    return made.json()


async def everything(service: RunningService, task: CreateTask) -> list[Any]:
    """What is stored of a task."""
    async with service.context.owner_transaction() as uow:
        return [
            (await uow.conn.execute(sa.select(table).where(table.c.tenant_id == "acme", column == task.task_id))).all()
            for table, column in ((tasks, tasks.c.id), (history, history.c.task_id), (decision_receipts, decision_receipts.c.task_id))
        ]


async def test_however_often_a_link_is_fetched_nothing_changes_and_however_often_it_is_used_it_decides_once(
    service: RunningService,
) -> None:
    task = await asked(service, assignee=ANN, description="Three days", data={"days": 3})
    made = await link_of(service, task)
    assert (made["url"], made["assignee"], made["decisions"]) == (f"https://weft.example{made['path']}", ANN, ["yes", "no"])
    before = await everything(service, task)
    reader = service.anonymous()
    fetched = await asyncio.gather(*(reader.request(verb, made["path"], headers=BROWSER) for verb in ("GET", "HEAD") for _ in range(10)))
    assert {answer.status_code for answer in fetched} == {200}
    assert await everything(service, task) == before
    shown_as = (await reader.get(f"/decisions/{made['token']}")).json()
    assert (shown_as["status"], shown_as["decisions"], shown_as["task"]["data"]) == ("open", ["yes", "no"], {"days": 3})
    answers = await asyncio.gather(*(reader.post(f"/decisions/{made['token']}", json={"outcome": "yes"}) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert [(one.completed_by, one.completed_via) for one in said(service, TaskCompleted) if one.task_id == task.task_id] == [
        (ANN, f"link:{made['id']}")
    ]
    assert len([one for one in said(service, CompleteStep) if one.execution_id == task.execution_id]) == 1
    other = await reader.post(made["path"], json={"outcome": "no"})
    assert (other.status_code, other.json()["code"], other.json()["receipt"]["outcome"]) == (409, "decision_link_used", "yes")
    used = (await reader.get(made["path"])).json()
    assert (used["status"], used["decisions"], used["receipt"]["id"]) == ("used", [], answers[0].json()["id"])


async def test_the_receipt_in_the_history_says_who_when_from_where_and_what_was_shown(service: RunningService) -> None:
    task = await asked(service, assignee="ann@acme.example", data={"days": 3})
    made = await link_of(service, task, decisions=["no"], expires_at=iso(service.clock.now() + HOUR))
    answer = await service.anonymous().post(made["path"], json={"outcome": "no"}, headers={"User-Agent": "A reader"})
    lines = (await shown(service, task))["history"]
    assert [line["kind"] for line in lines] == ["created", "link_made", "completed", "receipt"]
    assert (lines[1]["by"], lines[1]["data"]["for"], lines[1]["data"]["decisions"]) == (CARL, "ann@acme.example", ["no"])
    told = lines[3]["data"]
    assert (lines[3]["by"], told["receipt"], told["ip"], told["user_agent"]) == (ANN, answer.json()["id"], "203.0.113.7", "A reader")
    assert (told["link_made_by"], told["version"], told["via"]) == (CARL, 1, f"link:{made['id']}")
    _, _, (receipt,) = await everything(service, task)
    assert (receipt.shown["data"], receipt.shown["title"], receipt.decided_by) == ({"days": 3}, "Review", ANN)
    await tell(service, ExecutionsForgotten(execution_ids=(task.execution_id,)))
    assert await everything(service, task) == [[], [], []]
    gone = await service.anonymous().get(made["path"])
    assert (gone.status_code, gone.json()["code"]) == (404, "decision_link_unknown")


async def test_a_page_without_scripts_decides_and_says_what_was_wrong(service: RunningService) -> None:
    task = await asked(service, assignee=ANN, form=FORM, title="Pay <b>this</b>?")
    made = await link_of(service, task)
    reader = service.anonymous()
    page = await reader.get(made["path"], headers=BROWSER)
    assert page.headers["content-type"].startswith("text/html")
    assert "script" not in page.text.replace("description", "")
    assert "<h1>Pay &lt;b&gt;this&lt;/b&gt;?</h1>" in page.text
    assert re.findall(r'<button name="outcome" value="(\w+)">', page.text) == ["yes", "no"]
    assert {name: page.headers[name] for name in ("referrer-policy", "cache-control", "x-robots-tag")} == {
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "x-robots-tag": "noindex, nofollow, noarchive",
    }
    wrong = await reader.post(made["path"], data={"outcome": "yes", "form.amount": "much"}, headers=BROWSER)
    assert (wrong.status_code, 'value="much"' in wrong.text, 'class="wrong"' in wrong.text) == (422, True, True)
    done = await reader.post(made["path"], data={"outcome": "yes", "form.amount": "12"}, headers=BROWSER)
    assert (done.status_code, "Decided: <strong>yes</strong>" in done.text) == (200, True)
    assert ((await shown(service, task))["result"], (await reader.get(made["path"], headers=BROWSER)).status_code) == ({"amount": 12}, 200)


async def test_a_link_whose_task_has_changed_says_so_and_decides_nothing(service: RunningService) -> None:
    claimed, given, done = [await asked(service, assignee=ANN, data={"secret": 1}) for _ in range(3)]
    links = [await link_of(service, task) for task in (claimed, given, done)]
    await act(service, claimed, "claim", ANN)
    await act(service, given, "delegate", ANN, assignee=BOB)
    await act(service, done, "complete", ANN, outcome="no")
    reader = service.anonymous()
    seen = [(await reader.get(made["path"])).json() for made in links]
    assert [(one["status"], one["decisions"], one["task"] is not None) for one in seen] == [
        ("stale", [], True),
        ("stale", [], False),
        ("over", [], False),
    ]
    assert "has changed since" in (await reader.get(links[0]["path"], headers=BROWSER)).text
    refused = [await reader.post(made["path"], json={"outcome": "yes"}) for made in links]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        (409, "decision_link_stale"),
        (409, "decision_link_stale"),
        (409, "task_already_completed"),
    ]
    assert (refused[0].json()["current"]["version"], refused[0].json()["link_version"]) == (2, 1)
    assert [(await shown(service, task))["status"] for task in (claimed, given)] == ["claimed", "open"]


async def test_a_link_is_bound_to_its_time_its_decisions_its_person_and_the_rules_of_its_task(service: RunningService) -> None:
    reader = service.anonymous()
    task = await asked(service, assignee=ANN)
    made = await link_of(service, task, decisions=["no"], expires_at=iso(service.clock.now() + HOUR))
    unknown = await reader.post(made["path"], json={"outcome": "yes"})
    assert (unknown.status_code, unknown.json()["code"], unknown.json()["errors"][0]["pointer"]) == (422, "unknown_outcome", "/outcome")
    service.clock.advance(HOUR)
    late = await reader.post(made["path"], json={"outcome": "no"})
    assert (late.status_code, late.json()["code"], (await reader.get(made["path"])).json()["status"]) == (
        410,
        "decision_link_expired",
        "expired",
    )
    apart = await asked(service, assignee=BOB, separate_from=("first",), excluded={BOB: "first"})
    refused = await reader.post((await link_of(service, apart))["path"], json={"outcome": "yes"})
    assert (refused.status_code, refused.json()["code"]) == (403, "separated")
    resting = await asked(service, assignee=BOB)
    rests = (await link_of(service, resting))["path"]
    await tell(
        service,
        ExecutionPaused(
            execution_id=resting.execution_id, workflow="leave", workflow_version=1, position=5, at=service.clock.now(), by=CARL
        ),
    )
    paused = await reader.post(rests, json={"outcome": "yes"})
    assert (paused.status_code, paused.json()["code"], (await reader.get(rests)).json()["status"]) == (409, "execution_paused", "paused")
    leaver = await asked(service, assignee=BOB)
    left = (await link_of(service, leaver))["path"]
    await tell(service, UserChanged(user_id=UUID(BOB), email=EMAILS[BOB], name="Bob", active=False, revision=2))
    gone = await reader.post(left, json={"outcome": "yes"})
    assert (gone.status_code, gone.json()["code"]) == (403, "decision_link_of_nobody")


async def test_only_an_administrator_makes_links_and_only_for_whoever_has_the_task(service: RunningService) -> None:
    ends = await asked(service, assignee=ANN)
    for time in ("9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00", "2026-01-01T00:00:00"):
        wrong = await person(service, CARL, "admin").post(f"/api/v1/user-tasks/{ends.task_id}/links", json={"expires_at": time})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "bad_time"), time
    task = await asked(service)
    path = f"/api/v1/user-tasks/{task.task_id}/links"
    assert [(await person(service, CARL, role).post(path)).status_code for role in ("editor", "approver", "service")] == [403] * 3
    nobody = await person(service, CARL, "admin").post(path)
    assert (nobody.status_code, nobody.json()["code"]) == (409, "no_assignee")
    assert (await person(service, CARL, "admin", tenant="other").post(path)).status_code == 404


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"json": {"outcome": "yes", "more": 1}}, 422, "invalid"),
        ({"json": {}}, 422, "invalid"),
        ({"json": []}, 422, "invalid"),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "malformed"),
        ({"content": b"outcome=yes"}, 415, "unsupported_media_type"),
        ({"data": {"outcome": "a\0"}}, 400, "malformed"),
        ({"content": b"outcome=yes&outcome=no", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400, "duplicate_key"),
        ({"content": b"outcome=%ff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400, "malformed"),
        ({"data": {}}, 415, "unsupported_media_type"),
    ],
)
async def test_what_is_no_decision_is_refused_and_leaves_the_link_good(
    service: RunningService, sent: dict[str, Any], status: int, code: str
) -> None:
    task = await asked(service, assignee=ANN)
    path = (await link_of(service, task))["path"]
    answer = await service.anonymous().post(path, **sent)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await service.anonymous().get(path)).json()["status"] == "open"


async def test_what_is_no_link_is_not_found_by_people_and_programs(service: RunningService) -> None:
    for verb in ("GET", "POST"):
        answer = await service.anonymous().request(verb, "/decisions/nothing")
        assert (answer.status_code, answer.json()["code"]) == (404, "decision_link_unknown")
        page = await service.anonymous().request(verb, "/decisions/nothing", headers=BROWSER)
        assert (page.status_code, page.headers["content-type"].startswith("text/html")) == (404, True)


async def test_the_audit_is_told_who_made_a_link_and_from_where_it_decided(service: RunningService) -> None:
    task = await asked(service, assignee=ANN)
    made = await link_of(service, task)
    await service.anonymous().post(made["path"], json={"outcome": "yes"})
    link, decided = [one for one in said(service, RecordAudit) if one.resource_id == str(task.task_id)]
    assert (link.action, link.by, (link.details or {})["for"], link.after) == ("task.link_made", CARL, ANN, None)
    assert (decided.action, decided.by, decided.via) == ("task.decided_by_link", ANN, f"link:{made['id']}")
    assert (decided.details or {})["link_made_by"] == CARL
    assert decided.origin is not None
    assert decided.origin.ip
    assert made["token"] not in str((link, decided))
