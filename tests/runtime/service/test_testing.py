"""The helpers services are tested with, told on the sample."""

from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest_asyncio
from weft_contracts import routing
from weft_contracts.envelope import Item
from weft_contracts.tasks import CreateTask, TaskClaimed
from weft_runtime.clock import new_id
from weft_runtime.pipeline.words import Outgoing
from weft_runtime.testing import RunningService, eventually, running_service, said, tell

from tests.runtime.sample.app import build


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sample(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(build, database_url, name="sample") as running:
        yield running


def task(task_id: UUID, title: str = "told") -> CreateTask:
    return CreateTask(task_id=task_id, execution_id=task_id, workflow="w", node="n", visit=1, title=title)


async def test_a_word_told_is_handled_once_and_what_is_said_of_it_is_heard(sample: RunningService) -> None:
    task_id = new_id()
    await tell(sample, task(task_id), tenant="tell", id="one")
    await tell(sample, task(task_id), tenant="tell", id="one")
    assert (await sample.client("tell").get("/api/v1/titles/told")).json() == 1
    assert (await sample.client("elsewhere").get("/api/v1/titles/told")).json() == 0
    assert [word.task_id for word in said(sample, TaskClaimed, tenant="tell")] == [task_id]


async def test_a_route_says_its_words_once_it_has_committed(sample: RunningService) -> None:
    made = (await sample.client("route").post("/api/v1/notes", json={"title": "said"})).json()
    assert [str(word.task_id) for word in said(sample, TaskClaimed, tenant="route")] == [made["id"]]
    await sample.client("route").post("/api/v1/notes", json={"title": "clash"})
    assert len(said(sample, TaskClaimed, tenant="route")) == 1
    await sample.outbox.settled()


async def test_what_is_no_word_leaves_too_and_is_not_kept(sample: RunningService) -> None:
    before = len(sample.outbox.said)
    item = msgspec.json.encode(Item(id="1", source="test", type="never.heard", tenantid="odd", data=msgspec.Raw(b"{}")))
    rows = [Outgoing(new_id(), routing.COMMANDS, routing.inbox_queue("sample"), item)]
    async with sample.context.owner_transaction("odd") as uow:
        await sample.outbox.write_rows(uow.conn, rows)
    await sample.outbox.send(rows)
    await sample.outbox.settled()

    async def parked() -> list[str] | None:
        items = (await sample.client("odd").get("/api/v1/sample/parked")).json()["items"]
        return [row["code"] for row in items] or None

    assert await eventually(parked, "it being parked by who cannot read it") == ["unknown_type"]
    assert len(sample.outbox.said) == before


async def test_what_cannot_be_handled_is_parked_and_seen_by_an_administrator(sample: RunningService) -> None:
    task_id = new_id()
    await tell(sample, task(task_id), tenant="park")
    await tell(sample, task(task_id), tenant="park")
    (parked,) = (await sample.client("park").get("/api/v1/sample/parked")).json()["items"]
    assert (parked["type"], parked["code"]) == ("task.create", "already_exists")
    assert (await sample.client("park", roles=["viewer"]).get("/api/v1/sample/parked")).status_code == 403


async def test_health_names_what_is_needed(sample: RunningService) -> None:
    ready = (await sample.anonymous().get("/health/ready")).json()
    assert ready == {"status": "ok", "checks": {"database": True, "broker": True, "consumers": True}}
