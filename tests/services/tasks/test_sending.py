"""What people are sent by mail and by Slack: through the doors, on a real database, with a worker that the test plays."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from weft_contracts.activities import ActivityCompleted, ActivityHeartbeat, ActivityRequested
from weft_contracts.connections import ConnectionRemoved, ConnectionResumed, ConnectionSuspended
from weft_contracts.directory import UserChanged
from weft_runtime.testing import RunningService, running_service, tell
from weft_tasks.app import build
from weft_tasks.notifications import delivering
from weft_tasks.settings import Settings

from tests.services.tasks.mailing import PATH, PUBLIC, a_tenant, answered, connected, delivered, looked, prefers, shown_history, step
from tests.services.tasks.people import ANN, BOB, EMAILS, asked, person, without_loop


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(without_loop, database_url, name="tasks", public_url=PUBLIC) as running:
        yield running


@pytest.fixture
async def tenant(service: RunningService) -> str:
    return await a_tenant(service)


async def test_who_gets_a_task_is_sent_a_mail_by_a_worker_once(service: RunningService, tenant: str) -> None:
    await asked(service, tenant, assignee=ANN)
    assert await delivered(service, tenant) == [("email", "waiting")]
    (request,) = await looked(service, tenant)
    assert (request.name, request.key, request.attempt) == ("email.send", f"notification:{request.execution_id}", 1)
    assert (request.input["connection"], request.input["to"], request.input["subject"]) == (
        "notifications", {"address": EMAILS[ANN]}, "Assigned to you: Review",
    )  # fmt: skip
    assert await looked(service, tenant) == []
    assert await delivered(service, tenant) == [("email", "asked")]
    for _ in range(2):
        await answered(service, tenant, request)
    assert await delivered(service, tenant) == [("email", "sent")]
    service.clock.advance(timedelta(days=1))
    assert await looked(service, tenant) == []


async def test_a_mail_whose_answer_is_lost_is_asked_for_again_the_very_same_under_its_key(service: RunningService, tenant: str) -> None:
    await asked(service, tenant, assignee=ANN)
    (first,) = await looked(service, tenant)
    service.clock.advance(timedelta(minutes=4))
    await tell(service, ActivityHeartbeat(**step(first)), tenant=tenant)
    service.clock.advance(timedelta(minutes=4))
    assert await looked(service, tenant) == []
    service.clock.advance(timedelta(minutes=1))
    assert await looked(service, tenant) == [first]


async def test_a_message_that_dies_before_its_end_is_written_again_and_asked_for_once(
    service: RunningService, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked(service, tenant, assignee=ANN)
    with monkeypatch.context() as dying:
        dying.setattr("weft_tasks.notifications.sending._request", _dies)
        assert await looked(service, tenant) == []
    assert await delivered(service, tenant) == [("email", "waiting")]
    (request,) = await looked(service, tenant)
    assert request.attempt == 1
    assert (await shown_history(service, tenant, request)).count("link_made") == 1


def _dies(*_: Any) -> ActivityRequested:
    raise RuntimeError("the process ends here")


async def test_what_fails_is_tried_again_later_and_what_is_permanent_is_not(service: RunningService, tenant: str) -> None:
    await asked(service, tenant, assignee=ANN)
    (first,) = await looked(service, tenant)
    await answered(service, tenant, first, code="email_unavailable")
    assert (await looked(service, tenant), await delivered(service, tenant)) == ([], [("email", "retrying")])
    service.clock.advance(timedelta(minutes=1))
    (second,) = await looked(service, tenant)
    assert second == first.model_copy(update={"attempt": 2})
    await answered(service, tenant, first, code="email_unauthorized", permanent=True)
    assert await delivered(service, tenant) == [("email", "asked")]
    await answered(service, tenant, second, code="email_unauthorized", permanent=True)
    assert await delivered(service, tenant) == [("email", "failed")]
    service.clock.advance(timedelta(hours=2))
    assert await looked(service, tenant) == []


async def test_what_waits_for_an_hour_or_the_morning_is_sent_in_one_mail(service: RunningService, tenant: str) -> None:
    service.clock.advance(timedelta(days=1) - timedelta(seconds=service.clock.now().timestamp() % 86_400))
    service.clock.advance(timedelta(hours=22))
    await prefers(service, tenant, zone="Europe/Rome", quiet_hours={"from": "22:00", "to": "07:00"})
    await prefers(service, tenant, BOB, digest={"every": "hourly"})
    for sub in (ANN, ANN, BOB):
        service.clock.advance(timedelta(minutes=1))
        await asked(service, tenant, assignee=sub)
    assert await looked(service, tenant) == []
    service.clock.advance(timedelta(minutes=57))
    (hourly,) = await looked(service, tenant)
    assert hourly.input["to"]["address"] == EMAILS[BOB]
    await answered(service, tenant, hourly)
    service.clock.advance(timedelta(hours=7))
    (morning,) = await looked(service, tenant)
    assert (morning.input["to"]["address"], morning.input["subject"]) == (EMAILS[ANN], "2 notifications: Assigned to you: Review")


async def test_what_was_read_meanwhile_or_is_wanted_no_more_is_not_sent(service: RunningService, tenant: str) -> None:
    for sub in (ANN, BOB):
        await prefers(service, tenant, sub, digest={"every": "hourly"})
        await asked(service, tenant, assignee=sub)
    assert (await person(service, ANN, tenant=tenant).post(f"{PATH}/read")).json()["read"] == 1
    await prefers(service, tenant, BOB, muted=["email"])
    service.clock.advance(timedelta(hours=1))
    assert await looked(service, tenant) == []
    assert await delivered(service, tenant, BOB) == []


async def test_who_left_and_who_has_no_way_is_sent_nothing(service: RunningService, tenant: str) -> None:
    await prefers(service, tenant, BOB, channels={"task.assigned": ["slack"]})
    for sub in (ANN, BOB):
        await asked(service, tenant, assignee=sub)
    gone = UserChanged(user_id=UUID(ANN), email=EMAILS[ANN], name="N", revision=2, active=False)
    await tell(service, gone, tenant=tenant)
    assert await looked(service, tenant) == []


async def test_a_tenant_without_the_connection_sends_nothing_and_says_so(service: RunningService, tenant: str) -> None:
    lone = f"{tenant}-lone"
    await tell(service, UserChanged(user_id=UUID(ANN), email=EMAILS[ANN], name="N", revision=1), tenant=lone)
    await tell(service, connected(service, type_="http", connection_id=UUID(int=1)), connected(service, "mails"), tenant=lone)
    await asked(service, lone, assignee=ANN)
    assert (await looked(service, lone), await delivered(service, lone)) == ([], [])

    async def ways(tenant: str) -> dict[str, bool]:
        found = (await person(service, ANN, tenant=tenant).get(f"{PATH}/channels")).json()
        return {one["channel"]: one["available"] for one in found["channels"]}

    assert await ways(lone) == {"in_app": True, "email": False, "slack": False}
    mails = connected(service)
    about = {"name": mails.name, "connection_type": "smtp", "at": mails.at}
    await tell(service, mails, tenant=lone)
    assert await ways(lone) == {"in_app": True, "email": True, "slack": False}
    await tell(service, ConnectionRemoved(connection_id=mails.connection_id, revision=2, **about), mails, tenant=lone)
    assert await ways(lone) == {"in_app": True, "email": False, "slack": False}


async def test_while_its_connection_is_held_up_nothing_is_sent_and_then_it_is(service: RunningService, tenant: str) -> None:
    held = {"suspension_id": uuid4(), "name": "notifications", "at": service.clock.now()}
    await asked(service, tenant, assignee=BOB)
    (first,) = await looked(service, tenant)
    await answered(service, tenant, first, code="email_unavailable")
    await tell(service, ConnectionSuspended(**held), tenant=tenant)
    await asked(service, tenant, assignee=ANN)
    service.clock.advance(timedelta(minutes=1))
    assert await looked(service, tenant) == []
    await tell(service, ConnectionResumed(**held), ConnectionSuspended(**held), tenant=tenant)
    service.clock.advance(timedelta(minutes=1))
    assert {one.input["to"]["address"] for one in await looked(service, tenant)} == {EMAILS[ANN], EMAILS[BOB]}


async def test_slack_is_told_to_who_gave_their_member_id(service: RunningService, tenant: str) -> None:
    await prefers(service, tenant, slack="U012AB", channels={"task.assigned": ["slack"]})
    await asked(service, tenant, assignee=ANN, title="<!channel> & Co")
    (request,) = await looked(service, tenant)
    assert (request.name, request.input["channel"], request.input["connection"]) == ("slack.post_message", "U012AB", "notifications-slack")
    assert request.input["text"].startswith("*Assigned to you: &lt;!channel&gt; &amp; Co*")


async def test_a_message_that_cannot_be_opened_any_more_is_given_up_and_the_others_are_sent(service: RunningService, tenant: str) -> None:
    await asked(service, tenant, assignee=ANN)
    (request,) = await looked(service, tenant)
    async with service.context.owner_transaction(tenant) as uow:
        await uow.conn.exec_driver_sql(f"UPDATE tasks.messages SET sealed = 'x' WHERE id = '{request.execution_id}'")
    service.clock.advance(timedelta(minutes=5))
    assert await looked(service, tenant) == []
    assert await delivered(service, tenant) == [("email", "failed")]


async def test_an_answer_about_a_message_that_nobody_knows_changes_nothing(service: RunningService, tenant: str) -> None:
    about = {"execution_id": uuid4(), "node": "notification", "visit": 1, "attempt": 1}
    await tell(service, ActivityCompleted(**about, output={}), ActivityHeartbeat(**about), tenant=tenant)
    assert await looked(service, tenant) == []


def test_the_loops_run_where_the_service_does() -> None:
    made = build(Settings.model_construct())
    assert delivering.watch in made.background
    assert delivering.prepare in made.startup
