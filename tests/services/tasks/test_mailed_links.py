"""The links that mails carry: to decide by, and to want no more mails."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from weft_contracts.directory import UserChanged
from weft_runtime.testing import RunningService, running_service, tell

from tests.services.tasks.mailing import PATH, PUBLIC, a_tenant, connected, link, looked, prefers
from tests.services.tasks.people import ANN, EMAILS, asked, person, without_loop


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(without_loop, database_url, name="tasks", public_url=PUBLIC) as running:
        yield running


@pytest.fixture
async def tenant(service: RunningService) -> str:
    return await a_tenant(service)


async def test_a_mail_about_a_task_carries_a_link_by_which_it_is_decided(service: RunningService, tenant: str) -> None:
    task = await asked(service, tenant, assignee=ANN)
    (request,) = await looked(service, tenant)
    decide = link(request, "Decide without signing in")
    nobody = service.anonymous()
    assert (await nobody.get(decide)).json()["status"] == "open"
    done = await nobody.post(decide, json={"outcome": "yes"})
    assert (done.status_code, done.json()["decided_by"]) == (200, ANN)
    shown = (await person(service, ANN, tenant=tenant).get(f"/api/v1/user-tasks/{task.task_id}")).json()
    assert [line["kind"] for line in shown["history"]] == ["created", "link_made", "completed", "receipt"]
    async with service.context.owner_transaction(tenant) as uow:
        rows = (await uow.conn.exec_driver_sql("SELECT sealed FROM tasks.messages")).scalars().all()
    token = decide.rpartition("/")[2].encode()
    assert all(token not in bytes(sealed) for sealed in rows if sealed is not None)


async def test_a_digest_links_to_tasks_as_they_are_then_and_not_to_those_that_are_over(service: RunningService, tenant: str) -> None:
    await prefers(service, tenant, digest={"every": "hourly"}, channels={"task.assigned": ["email"]})
    over, moved = await asked(service, tenant, assignee=ANN, title="Over"), await asked(service, tenant, assignee=ANN, title="Moved")
    assert (await act_in(service, tenant, over, "complete", outcome="yes")).status_code == 200
    assert (await act_in(service, tenant, moved, "claim")).status_code == 200
    service.clock.advance(timedelta(hours=1))
    (request,) = await looked(service, tenant)
    assert request.input["text"].count("Decide without signing in") == 1
    assert (await service.anonymous().get(link(request, "Decide without signing in"))).json()["status"] == "open"


async def act_in(service: RunningService, tenant: str, task: Any, verb: str, **body: Any) -> Any:
    return await person(service, ANN, tenant=tenant).post(f"/api/v1/user-tasks/{task.task_id}/{verb}", json=body)


async def test_links_to_decide_by_are_left_out_where_the_installation_says_so(database_url: str) -> None:
    async with running_service(without_loop, database_url, name="tasks", public_url=PUBLIC, decision_links_by_mail=False) as service:
        name = "t-no-links"
        await tell(service, UserChanged(user_id=UUID(ANN), email=EMAILS[ANN], name="N", revision=1), connected(service), tenant=name)
        await asked(service, name, assignee=ANN)
        (request,) = await looked(service, name)
        assert "/decisions/" not in str(request.input)


async def test_each_mail_has_a_way_out_of_mails_that_only_a_post_takes(service: RunningService, tenant: str) -> None:
    await asked(service, tenant, assignee=ANN)
    (request,) = await looked(service, tenant)
    stop = link(request, "No more of these mails")
    token = stop.removeprefix("/unsubscribe/")
    assert request.input["headers"]["List-Unsubscribe"] == f"<{PUBLIC}{stop}>"
    nobody, browser = service.anonymous(), {"Accept": "text/html"}
    for _ in range(3):
        shown = await nobody.get(f"/unsubscribe/{token}", headers=browser)
    assert (await nobody.get(f"/unsubscribe/{token}")).json() == {"channel": "email", "on": True}
    assert (shown.status_code, "no more mails" in shown.text, shown.headers["x-robots-tag"]) == (200, True, "noindex, nofollow, noarchive")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for content, muted in (("List-Unsubscribe=One-Click", ["email"]), ("set=on", []), ("set=off", ["email"])):
        assert (await nobody.post(f"/unsubscribe/{token}", content=content, headers=form)).status_code == 200
        assert (await person(service, ANN, tenant=tenant).get(f"{PATH}/preferences")).json()["muted"] == muted
    await asked(service, tenant, assignee=ANN)
    assert await looked(service, tenant) == []
    for path, content in ((stop[:-3], ""), (stop, "set=maybe"), (stop, "é"), (stop, "x" * 2000)):
        for how, kind in ((browser, "text/html"), ({}, "application/problem+json")):
            refused = await nobody.post(path, content=content.encode(), headers={**form, **how})
            assert refused.status_code in (400, 404, 422), refused.text
            assert refused.headers["content-type"].startswith(kind)
