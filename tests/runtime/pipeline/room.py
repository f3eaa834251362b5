"""A room whose handlers do as the message's title says: the ways a handler can fail, each once."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa
from weft_contracts.tasks import CreateTask, TaskCompleted, TaskCreated
from weft_runtime.bus import OutFrame
from weft_runtime.errors import Conflict, Invalid, NotFound, StaleWrite, Unavailable
from weft_runtime.http import Door
from weft_runtime.pipeline import Handlers, Heard, RawEvent
from weft_runtime.service import Service
from weft_runtime.settings import ServiceSettings
from weft_runtime.uow import UnitOfWork

from tests.runtime.sample import tables

EXECUTION = UUID("0190a0a0-0000-7000-8000-000000000001")


class Room:
    """A service of its own for each test, with counters of what its handlers were called for."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.groups: list[int] = []
        self.stale_left = 0
        self.broken = True
        self.on = Handlers("sample")
        self.on(CreateTask)(self.create)
        self.on.batch(TaskCompleted)(self.completed)
        self.on.domain(self.domain)

    def build(self, settings: ServiceSettings) -> Service:
        return Service(
            name="sample", package="tests.runtime.sample", settings=settings, door=Door("sample"), handlers=self.on, tables=tables.metadata
        )

    async def create(self, msg: CreateTask, uow: UnitOfWork) -> None:
        self.calls.append(msg.title)
        await note(uow, uow.tenant, msg.title)
        ids = {"task_id": msg.task_id, "execution_id": msg.execution_id}
        uow.say(TaskCreated(**ids, workflow="w", node="n", task_version=1, at=uow.now, title=msg.title))
        await self._fail(msg.title, uow)

    async def _fail(self, title: str, uow: UnitOfWork) -> None:  # noqa: C901
        match title:
            case "invalid":
                raise Invalid("the title is invalid", code="title_invalid")
            case "conflict":
                raise Conflict("already so", code="already_so")
            case "missing":
                if self.broken:
                    raise NotFound("not yet here", code="cause_missing")
            case "busy":
                raise Unavailable("the provider is away", code="provider_away")
            case "bug":
                if self.broken:
                    raise RuntimeError("oops")
            case "sql":
                await uow.conn.execute(sa.text("SELECT 1/0"))
            case "nul":
                await uow.conn.execute(sa.text("SELECT CAST(:it AS jsonb)"), {"it": '{"a": "\\u0000"}'})
            case "stale":
                if self.stale_left:
                    self.stale_left -= 1
                    raise StaleWrite("somebody was first")
            case "commit":
                await uow.conn.execute(sa.text("SET CONSTRAINTS ALL DEFERRED"))
                await uow.conn.execute(sa.text("INSERT INTO sample.late (parent) VALUES (1)"))

    async def completed(self, heard: Sequence[Heard[TaskCompleted]], uow: UnitOfWork) -> None:
        self.groups.append(len(heard))
        for one in heard:
            await note(uow, one.tenant, one.message.outcome)
        if any(one.message.outcome == "poison" for one in heard):
            raise Invalid("poison", code="poison")

    async def domain(self, heard: Sequence[RawEvent], uow: UnitOfWork) -> None:
        for event in heard:
            if b"poison" in event.body:
                raise Invalid("poison", code="poison")
            await note(uow, event.routing_key.partition(".")[0], event.body.decode())


async def note(uow: UnitOfWork, tenant: str, title: str) -> None:
    await uow.conn.execute(
        sa.insert(tables.notes).values(id=uuid4(), tenant_id=tenant, title=title, data={}, stars=0, revision=1, created_at=uow.now)
    )


def create(title: str) -> CreateTask:
    return CreateTask(task_id=uuid4(), execution_id=EXECUTION, workflow="w", node="n", visit=1, title=title)


def completed(outcome: str) -> TaskCompleted:
    return TaskCompleted(
        task_id=uuid4(),
        execution_id=EXECUTION,
        workflow="w",
        node="n",
        task_version=2,
        at="2026-01-05T09:00:00Z",
        outcome=outcome,
        completed_by="u",
    )


def frame(body: bytes) -> OutFrame:
    return OutFrame("weft.commands", "sample.inbox", body)
